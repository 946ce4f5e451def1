//! One bus on which we are the battery, on the stepped clock: the real station and the real follower, with a manager and an
//! inverter that are only times.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod loss;
mod periods;
mod quirks;

use std::time::Duration;

use dbus_interfaces::follower::{Beat, FollowerState, Grant, Limits, Reading};
use tokio::time::Instant;

use super::source::View;
use super::station::{Doing, Station};
use super::sunny_island::{Cluster, Marks, Reserve};
use super::{Facts, Faults, Measured, Profile, Reports, Rhythm};
use crate::frame::{CanId, Frame};
use crate::protocols::{self, Decoded, Protocol};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// The loop comes by so often in these tests; a frame is late by as much at most.
const STEP: Duration = Duration::from_millis(20);
const MANAGER: &str = "com.victronenergy.battery.busbar";

/// What the manager is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manager {
    /// It decides: charge and discharge current, A.
    Decides(f64, f64),
    /// Its number stands still.
    Hangs,
    /// It is not on the bus.
    Gone,
    /// It says that it has no battery.
    HasNoBattery,
}

/// A frame that was sent, and when.
type Sent = (Instant, Frame);

struct Bed {
    profile: &'static Profile,
    dialect: &'static Protocol,
    station: Station,
    follower: FollowerState,
    manager: Manager,
    beat: Option<Beat>,
    measured: Option<(Measured, Instant)>,
    battery: Measured,
    inverter_is_there: bool,
    /// The manager orders it to stop.
    stop: bool,
    /// When the inverter speaks next.
    speaks: Instant,
    now: Instant,
    sent: Vec<Sent>,
    view: Option<View>,
    /// Why something else than telling was done, whenever that changed.
    reasons: Vec<(Instant, Doing, String)>,
}

/// A charge voltage that every profile may be told, and a pack below it.
fn volts(profile: &Profile) -> (f64, f64) {
    if profile.name.ends_with("_hv") { (270.0, 247.0) } else { (54.4, 52.7) }
}

fn battery(profile: &Profile) -> Measured {
    Measured {
        soc_pct: 54.5,
        voltage_v: volts(profile).1,
        current_a: -12.3,
        soh_pct: Some(98.0),
        temperature_c: Some(23.4),
        cells_v: Some((3.261, 3.279)),
        cells_c: Some((21.0, 24.0)),
        discharge_voltage_v: Some(46.0),
        capacity_ah: Some(148.0),
        modules: Some(2),
        cells_in_series: Some(15),
        cycles: Some(120),
        faults: Faults::default(),
        asks_charge: false,
        asks_full_charge: false,
    }
}

fn station(profile: &'static Profile, facts: Facts, seed: u64) -> Station {
    let dialect = protocols::by_name(profile.dialect).expect("a dialect");
    let cluster = (profile.reports == Reports::SunnyIsland).then(Cluster::default);
    Station::new(profile, dialect, profile.silence, facts, cluster, Reserve::new(Marks::default()), seed)
}

impl Bed {
    /// A bus that has just been opened, with a manager that allows 80 A and 90 A.
    fn new(profile: &'static Profile) -> Bed {
        Bed::with(profile, Facts::default())
    }

    fn with(profile: &'static Profile, facts: Facts) -> Bed {
        let now = Instant::now();
        let mut bed = Bed {
            profile,
            dialect: protocols::by_name(profile.dialect).expect("a dialect"),
            station: station(profile, facts, 7),
            follower: FollowerState::new(MANAGER),
            manager: Manager::Decides(80.0, 90.0),
            beat: None,
            measured: None,
            battery: battery(profile),
            inverter_is_there: true,
            stop: false,
            speaks: now,
            now,
            sent: Vec::new(),
            view: None,
            reasons: Vec::new(),
        };
        bed.station.link(true, now);
        bed
    }

    /// One that has told its limits for a while.
    fn telling(profile: &'static Profile) -> Bed {
        let mut bed = Bed::new(profile);
        bed.run(10 * SECOND);
        assert_eq!(bed.doing(), Doing::Telling, "{}", profile.name);
        bed
    }

    fn doing(&self) -> Doing {
        self.station.doing().0
    }

    fn run(&mut self, time: Duration) {
        self.run_late(time, |_| Duration::ZERO);
    }

    /// Runs with a loop that comes late by `late(n)` at its n-th wake.
    fn run_late(&mut self, time: Duration, late: impl Fn(u32) -> Duration) {
        let end = self.now + time;
        for wake in 0.. {
            if self.now >= end {
                return;
            }
            self.wake();
            self.now += STEP + late(wake);
        }
    }

    /// What the loop around the station does.
    fn wake(&mut self) {
        let now = self.now;
        if self.inverter_is_there && self.speaks <= now {
            self.speaks = now + SECOND;
            for frame in calls(self.profile) {
                self.station.frame(&frame, now);
            }
        }
        let reading = self.reading();
        let limits = self.follower.step(now, reading.as_ref());
        if matches!(self.manager, Manager::Decides(..)) {
            self.measured = Some((self.battery.clone(), now));
        }
        let view = View::new(limits, self.measured.as_ref(), self.stop, now);
        self.station.decide(&view, now);
        while let Some(frame) = self.station.take(now) {
            self.sent.push((now, frame));
        }
        let doing = self.doing();
        if self.reasons.last().is_none_or(|(_, last, _)| *last != doing) {
            self.reasons.push((now, doing, view.limits.reason.clone()));
        }
        self.view = Some(view);
    }

    fn reading(&mut self) -> Option<Reading> {
        let is_due = self.beat.is_none_or(|beat| self.now.duration_since(beat.at) >= SECOND);
        if is_due && matches!(self.manager, Manager::Decides(..) | Manager::HasNoBattery) {
            let index = self.beat.and_then(|beat| beat.index).map_or(0, |index| (index + 1) % 256);
            self.beat = Some(Beat { index: Some(index), at: self.now });
        }
        let (charge_v, pack_v) = volts(self.profile);
        let grant = match self.manager {
            Manager::Gone => return None,
            Manager::HasNoBattery => Grant::Disconnected,
            Manager::Hangs => self.grant(charge_v, 80.0, 90.0),
            Manager::Decides(charge_a, discharge_a) => self.grant(charge_v, charge_a, discharge_a),
        };
        Some(Reading { owner: ":1.7".to_owned(), beat: self.beat, grant, pack_voltage_v: Some(pack_v) })
    }

    fn grant(&self, charge_v: f64, charge_a: f64, discharge_a: f64) -> Grant {
        Grant::Limits {
            charge_voltage_v: Some(charge_v),
            charge_current_a: Some(charge_a),
            discharge_current_a: Some(discharge_a),
        }
    }

    /// What was told since then: charge and discharge current of each frame of limits.
    fn told_since(&self, start: Instant) -> Vec<(Instant, f64, f64)> {
        let since = self.sent.iter().filter(|(at, _)| *at >= start);
        since
            .filter_map(|(at, frame)| limits(self, frame).map(|(charge, discharge)| (*at, charge, discharge)))
            .collect()
    }

    /// Frames since then.
    fn frames_since(&self, start: Instant) -> usize {
        self.sent.iter().filter(|(at, _)| *at >= start).count()
    }

    /// The newest frame of this id.
    fn newest(&self, id: u32) -> &[u8] {
        let found = self.sent.iter().rev().find(|(_, frame)| frame.id().number() == id);
        found.map(|(_, frame)| frame.data()).unwrap_or_else(|| panic!("no {id:03X}"))
    }

    /// The reason for which it began to do this.
    fn why(&self, doing: Doing) -> &str {
        let found = self.reasons.iter().rev().find(|(_, was, _)| *was == doing);
        found.map(|(_, _, why)| &**why).unwrap_or_else(|| panic!("never {doing:?}: {:?}", self.reasons))
    }

    /// The limits as the follower reads them now.
    fn limits(&self) -> &Limits {
        &self.view.as_ref().expect("it has run").limits
    }
}

/// Charge and discharge current of a frame of limits, A.
fn limits(bed: &Bed, frame: &Frame) -> Option<(f64, f64)> {
    if bed.profile.name.ends_with("_hv") {
        // 0x4220 or 0x4221: the last two words count from -3000 A.
        let &[.., c0, c1, d0, d1] = frame.data() else { return None };
        let word = |bytes: [u8; 2]| {
            if frame.id().number() & 1 == 1 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        let amps = |bytes: [u8; 2]| f64::from(word(bytes)) / 10.0 - 3000.0;
        return (frame.id().number() & 0xFFF0 == 0x4220).then(|| (amps([c0, c1]), amps([d0, d1])));
    }
    let Decoded::Good(reading) = bed.dialect.decode(frame) else { return None };
    reading
        .message
        .limits()
        .and_then(|limits| limits.charge_current_limit_a.zip(limits.discharge_current_limit_a))
}

/// What the inverter sends each second.
fn calls(profile: &Profile) -> Vec<Frame> {
    let id = |id: u32| if profile.keep_alive.extended { CanId::extended(id) } else { CanId::standard(id) };
    let frame = |number: u32, first: u8| {
        Frame::new(id(number).expect("an id"), &[first, 0, 0, 0, 0, 0, 0, 0]).expect("a frame")
    };
    match profile.rhythm {
        // Both questions of the high-voltage set.
        Rhythm::Asked { sets: [_, _], .. } => vec![frame(0x4200, 0)],
        _ => profile.keep_alive.ids.iter().map(|number| frame(*number, 0)).collect(),
    }
}
