//! What a family of inverters expects of its battery, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Told;
use crate::frame::{CanId, Frame};
use crate::message::Message;
use crate::protocols::Protocol;

/// A family of inverters that expects one and the same of its battery.
#[derive(Debug)]
pub struct Profile {
    /// Its name in configuration and on the bus.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// The dialect of its frames, by its name in [`PROTOCOLS`](crate::protocols::PROTOCOLS).
    pub dialect: &'static str,
    /// What is sent, and when. No other id is ever sent.
    pub rhythm: Rhythm,
    /// The inverter's sign of life.
    pub keep_alive: KeepAlive,
    /// Values outside are not told.
    pub window: Window,
    /// What it makes of a limit of 0 A.
    pub zero: Zero,
    /// It draws the battery down to a charge voltage below that of the pack.
    pub draws_down: bool,
    /// How fast a state of charge may rise that it is told, % per second; none without a limit.
    pub soc_rise_pct_per_s: Option<f64>,
    /// What becomes of it when nobody decides any more.
    pub silence: Silence,
    /// How long it takes to follow a new limit, s.
    pub response_s: f64,
    /// What it tells of itself on this bus.
    pub reports: Reports,
    /// The inverters that speak it.
    pub models: &'static [Model],
}

/// When frames are sent. All times are absolute: a late frame does not delay the next.
#[derive(Debug)]
pub enum Rhythm {
    /// By itself, all frames again and again.
    Cycle {
        /// From one to the next of the same frame.
        every: Duration,
        /// From one frame to the next of the cycle.
        gap: Duration,
        /// No two of the same frame are closer together, however late one was.
        at_least: Duration,
        /// No two of the same frame may be further apart: the inverter would miss its battery.
        at_most: Duration,
        /// The frames in their order.
        frames: &'static [Say],
    },
    /// Only when asked: these frames, in their order, to each frame of the inverter for which `asks` holds.
    Asked {
        /// Whether a frame asks, and for which of the sets.
        asks: fn(&Frame) -> Option<usize>,
        /// How often it asks.
        every: Duration,
        /// The sets.
        sets: &'static [&'static [Say]],
    },
}

/// One frame.
#[derive(Debug)]
pub struct Say {
    /// Its id, as the dialect has it.
    pub id: u32,
    /// What it says.
    pub what: What,
}

/// How a frame is made.
#[derive(Debug)]
pub enum What {
    /// A message of the dialect.
    Message(fn(&Told, &Protocol) -> Option<Message>),
    /// A frame of its own making.
    Frame(fn(&Told) -> Option<Frame>),
}

/// A frame that is a message of the dialect.
pub(super) const fn say(id: u32, message: fn(&Told, &Protocol) -> Option<Message>) -> Say {
    Say { id, what: What::Message(message) }
}

/// The inverter's sign of life.
#[derive(Debug, Clone, Copy)]
pub struct KeepAlive {
    /// The ids by which it is heard.
    pub ids: &'static [u32],
    /// They have 29 bits.
    pub extended: bool,
    /// Not heard for so long, the inverter is gone.
    pub lost_after: Duration,
}

/// What may be told.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Charge voltage, V.
    pub charge_v: (f64, f64),
    /// Discharge voltage, V; none where the inverter is not told any.
    pub discharge_v: Option<(f64, f64)>,
    /// Largest current, A.
    pub most_a: f64,
    /// Highest state of charge, %.
    pub most_soc_pct: f64,
    /// What is told in place of a temperature that nobody measures, °C; none where the dialect can say so.
    pub without_sensor_c: Option<f64>,
}

/// What an inverter makes of a limit of 0 A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Zero {
    /// It obeys.
    Obeyed,
    /// It takes it for "no limit": the least current that it does obey, A, is told instead.
    Ignored(f64),
    /// It disregards it and obeys the state of charge alone: 100 % for no charging, 0 % for no discharging.
    OnlyBySoc,
}

/// What an inverter tells of itself on the bus of its battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// No more than its sign of life.
    Nothing,
    /// All that a Sunny Island measures.
    SunnyIsland,
}

/// What becomes of an inverter when nobody decides any more: the safe set (0 A both ways, the charge voltage at most that
/// of the pack, the alarm of the dialect) for a while, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// How long the safe set is sent before `then`.
    pub grace: Duration,
    /// What comes after it.
    pub then: Then,
    /// What has to be done by hand afterwards, in words; none where it recovers by itself.
    pub by_hand: Option<&'static str>,
}

/// What comes after the grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Nothing is sent: the inverter's own loss of its battery acts.
    Stop,
    /// The safe set goes on: silence would do more harm.
    HoldSafe,
}

/// An inverter of the list.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Maker and model, for people.
    pub name: &'static str,
    /// What is to be set at the inverter.
    pub setting: &'static str,
    /// How far it is known to work.
    pub proof: Proof,
}

/// How far it is known that an inverter speaks a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A published protocol or a report from the field, named here.
    Documented(&'static str),
    /// A vendor's list or a re-badged model only.
    Unverified,
}

impl Profile {
    /// How often the same frame comes.
    #[must_use]
    pub const fn every(&self) -> Duration {
        match self.rhythm {
            Rhythm::Cycle { every, .. } | Rhythm::Asked { every, .. } => every,
        }
    }

    /// The frames that are sent without being asked for.
    pub(super) const fn rhythm_frames(&self) -> Option<&'static [Say]> {
        match self.rhythm {
            Rhythm::Cycle { frames, .. } => Some(frames),
            Rhythm::Asked { .. } => None,
        }
    }

    /// Every frame that it may send.
    pub fn says(&self) -> impl Iterator<Item = &'static Say> {
        let (one, several): (&'static [Say], &'static [&'static [Say]]) = match self.rhythm {
            Rhythm::Cycle { frames, .. } => (frames, &[]),
            Rhythm::Asked { sets, .. } => (&[], sets),
        };
        one.iter().chain(several.iter().copied().flatten())
    }
}

impl Say {
    /// Its id with its width; `None` if the dialect has no such frame.
    #[must_use]
    pub fn can_id(&self, dialect: &Protocol) -> Option<CanId> {
        match self.what {
            What::Message(_) => dialect.rows().map(|row| row.id).find(|id| id.number() == self.id),
            What::Frame(_) => CanId::extended(self.id),
        }
    }

    /// The frame; `None` if what is told does not fit it.
    #[must_use]
    pub fn frame(&self, told: &Told, dialect: &Protocol) -> Option<Frame> {
        match self.what {
            What::Message(message) => dialect.encode(&message(told, dialect)?),
            What::Frame(frame) => frame(told),
        }
        .filter(|frame| frame.id().number() == self.id)
    }
}
