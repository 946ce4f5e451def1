//! How much of the bus is in use.

use bms_can::frame::Frame;
use tokio::time::Instant;

use super::wire::Bits;

/// So many whole seconds make a figure: a battery sends its frames in one burst each second.
const WINDOW: usize = 5;

/// How much of the bus is in use, over the last seconds.
#[derive(Debug)]
pub(super) struct Load {
    start: Instant,
    /// What came in each second, the present one first.
    seconds: [Second; WINDOW + 1],
    /// How many seconds since the start the first of them is.
    present: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    frames: u32,
    exact: u64,
    worst: u64,
}

/// What the load is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// Frames per second.
    pub(super) frames_per_s: f64,
    /// Share of the time in which the bus is in use, per cent.
    pub(super) exact_pct: f64,
    /// The same, if each frame had as many stuff bits as one of its length can have.
    pub(super) worst_pct: f64,
}

impl Load {
    pub(super) fn new(now: Instant) -> Load {
        Load { start: now, seconds: [Second::default(); WINDOW + 1], present: 0 }
    }

    /// Takes in a frame.
    pub(super) fn add(&mut self, frame: &Frame, now: Instant) {
        self.turn(now);
        let bits = Bits::of(frame);
        let [present, ..] = &mut self.seconds;
        present.frames = present.frames.saturating_add(1);
        present.exact += u64::from(bits.exact);
        present.worst += u64::from(bits.worst);
    }

    /// The load over the last whole seconds; `None` before the first has passed.
    pub(super) fn figures(&mut self, bit_rate: u32, now: Instant) -> Option<Figures> {
        self.turn(now);
        let whole = self.present.min(WINDOW as u64) as f64;
        if whole == 0.0 || bit_rate == 0 {
            return None;
        }
        let past = self.seconds.iter().skip(1);
        let (mut frames, mut exact, mut worst) = (0.0, 0.0, 0.0);
        for second in past {
            frames += f64::from(second.frames);
            exact += second.exact as f64;
            worst += second.worst as f64;
        }
        let per_cent = |bits: f64| bits / (f64::from(bit_rate) * whole) * 100.0;
        Some(Figures { frames_per_s: frames / whole, exact_pct: per_cent(exact), worst_pct: per_cent(worst) })
    }

    /// Begins the second that it is now.
    fn turn(&mut self, now: Instant) {
        let present = now.saturating_duration_since(self.start).as_secs();
        let gone = present.saturating_sub(self.present).min(self.seconds.len() as u64) as usize;
        self.present = self.present.max(present);
        self.seconds.rotate_right(gone);
        self.seconds.iter_mut().take(gone).for_each(|second| *second = Second::default());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use bms_can::frame::CanId;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_full_bus_is_a_hundred_per_cent_and_the_figure_is_of_the_last_seconds() {
        let (start, frame) = (Instant::now(), Frame::new(CanId::standard(0x351).unwrap(), &[0; 8]).unwrap());
        let bits = Bits::of(&frame);
        let mut load = Load::new(start);
        assert_eq!(load.figures(500_000, start), None);
        let per_second = 500_000 / bits.exact;
        for second in 0..20 {
            (0..per_second).for_each(|_| load.add(&frame, start + second * SECOND));
        }
        let figures = load.figures(500_000, start + 20 * SECOND).unwrap();
        assert!((99.9..=100.0).contains(&figures.exact_pct), "{figures:?}");
        assert!(figures.worst_pct > figures.exact_pct, "{figures:?}");
        assert_eq!(figures.frames_per_s, f64::from(per_second));
        let later = load.figures(500_000, start + 23 * SECOND).unwrap();
        assert!((later.frames_per_s - f64::from(per_second) * 0.4).abs() < 1.0, "{later:?}");
        let much_later = load.figures(500_000, start + 100 * SECOND).unwrap();
        assert_eq!(much_later.frames_per_s, 0.0);
        assert_eq!(load.figures(0, start + 100 * SECOND), None, "nobody knows the bit rate");
    }
}
