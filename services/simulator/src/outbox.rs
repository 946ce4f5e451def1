//! What the adapter has to say to the computer: whole lines, bounded. When the computer does not read, new lines are
//! dropped and counted; time never waits.

/// Lines on their way to the computer.
#[derive(Debug)]
pub struct Outbox {
    bytes: Vec<u8>,
    capacity: usize,
    dropped: u64,
    sent: u64,
}

impl Outbox {
    /// An empty one that holds at most `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), capacity, dropped: 0, sent: 0 }
    }

    /// Adds a line as a whole, or drops it as a whole and says `false`.
    pub fn push(&mut self, line: &[u8]) -> bool {
        let fits = self.bytes.len() + line.len() <= self.capacity;
        if fits {
            self.bytes.extend_from_slice(line);
        } else {
            self.dropped += 1;
        }
        fits
    }

    /// What is to be sent next.
    pub fn pending(&self) -> &[u8] {
        &self.bytes
    }

    /// The first `count` pending bytes have gone.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count);
        self.sent += count as u64;
    }

    /// Forgets what is pending: the other end is gone.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_or_dropped_as_a_whole() {
        let mut outbox = Outbox::new(10);
        assert!(outbox.push(b"123456\r"));
        assert!(!outbox.push(b"1234\r"));
        assert!(outbox.push(b"12\r"));
        outbox.consume(3);
        assert_eq!(outbox.pending(), b"456\r12\r");
        assert!(outbox.push(b"12\r"));
        assert_eq!((outbox.dropped(), outbox.sent()), (1, 3));
        outbox.clear();
        assert!(outbox.pending().is_empty());
    }
}
