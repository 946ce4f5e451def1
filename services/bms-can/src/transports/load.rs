//! How much of a bus is in use.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Frame;

/// Bits of a frame without its data, standard and extended identifier, with the three bits of rest after it and
/// without stuff bits, whose number depends on the data (ISO 11898-1).
const FRAME_BITS: u64 = 47;
const EXTENDED_FRAME_BITS: u64 = 67;
/// The shortest time that makes a figure: a battery sends its frames in one burst each second.
const WINDOW: Duration = Duration::from_secs(5);

/// Counts bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoadMeter {
    since: Instant,
    bits: u64,
}

/// The bits that a frame takes on the bus at least.
pub(super) fn bits_of(frame: &Frame) -> u64 {
    let frame_bits = if frame.id().is_extended() { EXTENDED_FRAME_BITS } else { FRAME_BITS };
    frame_bits + 8 * frame.data().len() as u64
}

/// The bits of so many frames with so many bytes of data, as interfaces count them: taken for standard ones.
pub(super) fn bits_of_many(frames: u64, bytes: u64) -> u64 {
    frames.saturating_mul(FRAME_BITS).saturating_add(bytes.saturating_mul(8))
}

impl LoadMeter {
    pub(super) fn new(now: Instant) -> Self {
        LoadMeter { since: now, bits: 0 }
    }

    pub(super) fn add(&mut self, bits: u64) {
        self.bits = self.bits.saturating_add(bits);
    }

    /// The load in whole per cent, 0 to 100, since the last figure: `None` before a new one is due.
    pub(super) fn take(&mut self, bit_rate: u32, now: Instant) -> Option<u8> {
        let lasting = now.duration_since(self.since);
        if lasting < WINDOW || bit_rate == 0 {
            return None;
        }
        let could = f64::from(bit_rate) * lasting.as_secs_f64();
        let bits = std::mem::take(&mut self.bits) as f64;
        self.since = now;
        // A float as an integer saturates.
        Some((bits / could * 100.0).round().min(100.0) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::CanId;

    #[tokio::test(start_paused = true)]
    async fn a_full_bus_is_a_hundred_per_cent_and_a_battery_alone_next_to_nothing() {
        let start = Instant::now();
        let frame = Frame::new(CanId::standard(0x351).unwrap(), &[0; 8]).unwrap();
        let extended = Frame::new(CanId::extended(0x4351).unwrap(), &[0; 8]).unwrap();
        assert_eq!((bits_of(&frame), bits_of(&extended)), (111, 131), "eight bytes of data are 64 bits");
        assert_eq!(bits_of_many(2, 16), 222);

        let mut meter = LoadMeter::new(start);
        meter.add(22_500 * bits_of(&frame));
        assert_eq!(meter.take(500_000, start + Duration::from_millis(4999)), None);
        assert_eq!(meter.take(500_000, start + Duration::from_secs(5)), Some(100));
        meter.add(6 * 5 * bits_of(&frame));
        assert_eq!(meter.take(500_000, start + Duration::from_secs(10)), Some(0));
        meter.add(u64::MAX);
        assert_eq!(meter.take(500_000, start + Duration::from_secs(15)), Some(100));
        assert_eq!(meter.take(0, start + Duration::from_secs(30)), None, "nobody knows the bit rate");
    }
}
