//! Which dialect the bus speaks, as the traffic shows it: found out where the user left it open, checked where not.

use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Frame;
use crate::protocols::Protocol;
use crate::recognise::{Evidence, Verdict};

/// How often the evidence is weighed while there is something to find out.
const WEIGH: Duration = Duration::from_secs(1);
/// What is older says nothing about now.
const RECENT: Duration = Duration::from_secs(3);

/// What has been heard since the link came up, or since something was last amiss with a battery.
#[derive(Debug)]
pub(crate) struct Dialect {
    evidence: Evidence,
    first: Option<Instant>,
    weigh_at: Option<Instant>,
    is_settled: bool,
}

impl Dialect {
    /// Nothing heard yet.
    pub(crate) fn new() -> Self {
        Dialect { evidence: Evidence::default(), first: None, weigh_at: None, is_settled: false }
    }

    /// Takes in a frame.
    pub(crate) fn see(&mut self, frame: &Frame, now: Instant) {
        if self.is_settled {
            return;
        }
        let first = *self.first.get_or_insert(now);
        self.evidence.see(frame, now.duration_since(first));
        self.weigh_at.get_or_insert(now + WEIGH);
    }

    /// Begins anew: the adapter was opened again.
    pub(crate) fn reset(&mut self) {
        *self = Dialect { is_settled: self.is_settled, ..Dialect::new() };
    }

    /// Whether there is something to find out. If not, listening only costs; if so again, what was heard before is of
    /// another time.
    pub(crate) fn attend(&mut self, is_wanted: bool) {
        *self = Dialect { is_settled: !is_wanted, ..Dialect::new() };
    }

    /// When the evidence is to be weighed next.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.weigh_at
    }

    /// Whether to weigh the evidence now.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let is_due = self.weigh_at.is_some_and(|at| at <= now);
        if is_due {
            // The next frame sets it again: where nothing comes there is nothing to weigh.
            self.weigh_at = None;
        }
        is_due
    }

    /// The newest frame of each id, and when it came.
    pub(crate) fn recent(&self, now: Instant) -> impl Iterator<Item = (Frame, Instant)> {
        let first = self.first;
        let newest = self.evidence.newest().filter_map(move |(frame, at)| Some((*frame, first? + at)));
        newest.filter(move |(_, at)| now.duration_since(*at) < RECENT)
    }

    /// What the traffic shows.
    pub(crate) fn verdict(&self, now: Instant) -> Verdict {
        self.evidence.verdict(self.heard_for(now))
    }

    /// What speaks against a dialect that the user chose, in a sentence that names the better choice.
    pub(crate) fn contradiction(&self, configured: &'static Protocol, now: Instant) -> Option<String> {
        self.evidence.contradiction(configured, self.heard_for(now))
    }

    fn heard_for(&self, now: Instant) -> Duration {
        self.first.map_or(Duration::ZERO, |first| now.duration_since(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::CanId;
    use crate::protocols::by_name;

    fn frame(id: u32, bytes: &[u8]) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), bytes).unwrap()
    }

    /// A second of a battery by Pylontech's table.
    fn pylontech() -> [Frame; 6] {
        [
            frame(0x351, &[0x14, 0x02, 0x74, 0x00, 0x74, 0x00, 0xCC, 0x01]),
            frame(0x355, &[0x36, 0x00, 0x64, 0x00]),
            frame(0x356, &[0x88, 0x13, 0x00, 0x00, 0xD2, 0x00]),
            frame(0x359, &[0, 0, 0, 0, 4, 0x50, 0x4E]),
            frame(0x35C, &[0xC0, 0x00]),
            frame(0x35E, b"PYLON   "),
        ]
    }

    /// The same for Victron's table.
    fn victron() -> [Frame; 6] {
        let [limits, soc, measured, ..] = pylontech();
        [
            limits,
            soc,
            measured,
            frame(0x35A, &[0xA8, 0x82, 0x82, 0x02, 0xA8, 0x82, 0x82, 0x02]),
            frame(0x35E, b"BATRIUM "),
            frame(0x372, &[1, 0, 0, 0, 0, 0, 0, 0]),
        ]
    }

    fn name(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Recognised { protocol, .. } => protocol.name,
            Verdict::Listening => "listening",
            Verdict::Foreign { .. } | Verdict::Unknown { .. } => "unknown",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_battery_that_comes_long_after_its_inverter_is_recognised() {
        let (start, mut dialect) = (Instant::now(), Dialect::new());
        let at = |s| start + Duration::from_secs(s);
        for s in 0..200 {
            dialect.see(&frame(0x305, &[0; 8]), at(s));
            assert_eq!(name(&dialect.verdict(at(s))), "listening");
        }
        for s in 200..206 {
            pylontech().iter().for_each(|frame| dialect.see(frame, at(s)));
            let verdict = dialect.verdict(at(s));
            assert!(["listening", "pylontech_lv"].contains(&name(&verdict)), "{verdict:?}");
        }
        assert_eq!(name(&dialect.verdict(at(205))), "pylontech_lv");
        assert_eq!(dialect.recent(at(206)).count(), 6, "the battery's; its inverter is silent now");
    }

    /// A battery that sends once a second may keep silent for nearly one of the five after the port was opened.
    #[tokio::test(start_paused = true)]
    async fn a_wrong_choice_is_told_of_within_five_seconds_of_the_open_port() {
        let open = Instant::now();
        for (traffic, chosen) in [(pylontech(), "victron"), (victron(), "pylontech_lv")] {
            // With the name of its maker, and without it.
            let nameless = traffic.iter().copied().filter(|sent| sent.id() != frame(0x35E, &[]).id());
            for sent in [traffic.to_vec(), nameless.collect()] {
                let (chosen, mut dialect) = (by_name(chosen).unwrap(), Dialect::new());
                let told = (0..100).map(|tenths| open + Duration::from_millis(100 * tenths)).find(|&now| {
                    let is_told = dialect.take(now) && dialect.contradiction(chosen, now).is_some();
                    if (now - open).as_millis() % 1_000 == 900 {
                        sent.iter().for_each(|frame| dialect.see(frame, now));
                    }
                    is_told
                });
                let after = told.map(|told| told - open);
                assert!(after.is_some_and(|after| after <= Duration::from_secs(5)), "{after:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_settled_is_found_out_anew_when_something_is_amiss() {
        let (start, mut dialect) = (Instant::now(), Dialect::new());
        let at = |s| start + Duration::from_secs(s);
        for s in 0..10 {
            pylontech().iter().for_each(|frame| dialect.see(frame, at(s)));
        }
        dialect.attend(false);
        pylontech().iter().for_each(|frame| dialect.see(frame, at(10)));
        assert_eq!(dialect.due(), None, "listening only costs");
        dialect.attend(true);
        for s in 11..17 {
            victron().iter().for_each(|frame| dialect.see(frame, at(s)));
        }
        assert!(dialect.take(at(16)));
        assert_eq!(name(&dialect.verdict(at(16))), "victron");
        let chosen = by_name("pylontech_lv").unwrap();
        assert!(dialect.contradiction(chosen, at(16)).unwrap().contains("set protocol = \"victron\""));
    }
}
