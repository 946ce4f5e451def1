//! What a follower may take, from what its source says and from how long it has been silent. Pure.

use tokio::time::Instant;

use super::track::{Comeback, Input, Stance, Track};

/// What the source says, read at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The unique name of the source's connection: another one is a restarted source.
    pub owner: String,
    /// Its newest sign of life; none from a source that gives none.
    pub beat: Option<Beat>,
    /// What it lets the follower take.
    pub grant: Grant,
    /// Its pack voltage, in volts.
    pub pack_voltage_v: Option<f64>,
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// `/UpdateIndex`. Where there is one, only another number is a new sign of life.
    pub index: Option<i32>,
    /// When it was received.
    pub at: Instant,
}

/// What a source lets its follower take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grant {
    /// These limits; one that is absent, negative or no number is no licence.
    Limits {
        /// Charge voltage, in volts.
        charge_voltage_v: Option<f64>,
        /// Charge current, in amperes.
        charge_current_a: Option<f64>,
        /// Discharge current, positive, in amperes.
        discharge_current_a: Option<f64>,
    },
    /// The manager has no row for the follower.
    NoShare,
    /// `/Connected` is 0: the source itself has no data.
    Disconnected,
}

/// What a follower may do now.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Charge voltage, never 0; none until there has been one.
    pub charge_voltage_v: Option<f64>,
    /// Charge current, 0 or more.
    pub charge_current_a: f64,
    /// Discharge current, 0 or more.
    pub discharge_current_a: f64,
    /// How the limits are come by, the worse of charge and discharge.
    pub stance: Stance,
    /// Why, in words that stay the same while the stance does.
    pub reason: String,
}

/// The memory of a follower.
#[derive(Debug, Clone)]
pub struct FollowerState {
    source: String,
    /// The newest sign of life, and whose it was.
    life: Option<(String, Beat)>,
    /// The owner of the source that has shown limits for us.
    granted_by: Option<String>,
    /// Since when the source has said that there is nothing to take.
    denied_since: Option<Instant>,
    charge: Track,
    discharge: Track,
    charge_voltage_v: Option<f64>,
    pack_voltage_v: Option<f64>,
}

/// What is wrong, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Gone,
    Silent,
    NoLimit,
    NoShare,
    Withdrawn,
    Disconnected,
}

impl FollowerState {
    /// Of a source that is called `source` in the reasons. Nothing may be taken as yet.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        FollowerState {
            source: source.into(),
            life: None,
            granted_by: None,
            denied_since: None,
            charge: Track::new(Comeback::Slowly),
            discharge: Track::new(Comeback::AtOnce),
            charge_voltage_v: None,
            pack_voltage_v: None,
        }
    }

    /// What may be taken now; `reading` is none while the source is not on the bus. To be called whenever the source has
    /// said something, and at least every 100 ms while the stance is [`Stance::Ramping`], every second otherwise.
    pub fn step(&mut self, now: Instant, reading: Option<&Reading>) -> Limits {
        let alive_at = self.alive_at(now, reading);
        let (voltage_v, charge_a, discharge_a) = self.granted(now, reading);
        let input = |limit_a| Input { limit_a, alive_at, denied_since: self.denied_since };

        // Without a voltage there is no licence to charge.
        let charge = self.charge.step(now, input(voltage_v.and(charge_a)));
        let discharge = self.discharge.step(now, input(discharge_a));
        self.set_voltage(charge, voltage_v, reading);

        let charge_why = self.reason(charge, reading, voltage_v.and(charge_a));
        let discharge_why = self.reason(discharge, reading, discharge_a);
        let reason = if charge_why == discharge_why {
            charge_why
        } else {
            format!("charge: {charge_why}; discharge: {discharge_why}")
        };
        Limits {
            charge_voltage_v: self.charge_voltage_v,
            charge_current_a: self.charge.output_a(),
            discharge_current_a: self.discharge.output_a(),
            stance: charge.max(discharge),
            reason,
        }
    }

    /// When the source last gave a sign of life. A new owner is one, whatever its index says.
    fn alive_at(&mut self, now: Instant, reading: Option<&Reading>) -> Option<Instant> {
        if let Some(Reading { owner, beat: Some(beat), .. }) = reading {
            let new = self.life.as_ref().is_none_or(|(known, last)| {
                known != owner
                    || if beat.index.is_some() { beat.index != last.index } else { beat.at > last.at }
            });
            if new {
                self.life = Some((owner.clone(), Beat { at: beat.at.min(now), ..*beat }));
            }
        }
        self.life.as_ref().map(|(_, beat)| beat.at)
    }

    /// The valid ones of the limits: charge voltage, charge current, discharge current.
    fn granted(
        &mut self,
        now: Instant,
        reading: Option<&Reading>,
    ) -> (Option<f64>, Option<f64>, Option<f64>) {
        let Some(Reading { owner, grant, .. }) = reading else { return (None, None, None) };
        match *grant {
            Grant::Limits { charge_voltage_v, charge_current_a, discharge_current_a } => {
                (self.granted_by, self.denied_since) = (Some(owner.clone()), None);
                let current = |v: Option<f64>| v.filter(|v| v.is_finite() && *v >= 0.0);
                let voltage_v = charge_voltage_v.filter(|v| v.is_finite() && *v > 0.0);
                return (voltage_v, current(charge_current_a), current(discharge_current_a));
            }
            // A manager that has just started may not have come to us yet; one that took our share back has.
            Grant::NoShare if self.granted_by.as_ref() != Some(owner) => {}
            Grant::NoShare | Grant::Disconnected => self.denied_since = self.denied_since.or(Some(now)),
        }
        (None, None, None)
    }

    /// While charging is held the voltage does not rise; from the ramp on it is at most the last pack voltage, so that a
    /// charger that knows no limit of 0 A has nothing to charge against either.
    fn set_voltage(&mut self, stance: Stance, shown_v: Option<f64>, reading: Option<&Reading>) {
        let lowered = |v: Option<f64>| match (self.charge_voltage_v, v) {
            (Some(last), Some(v)) => Some(last.min(v)),
            (last, _) => last,
        };
        let measured_v = reading.and_then(|reading| reading.pack_voltage_v).filter(|v| *v > 0.0);
        self.pack_voltage_v = measured_v.or(self.pack_voltage_v);
        self.charge_voltage_v = match stance {
            Stance::Waiting => None,
            Stance::Obeying | Stance::Rising => shown_v,
            Stance::Holding | Stance::Returning => lowered(shown_v),
            Stance::Ramping | Stance::Zero => {
                let last = lowered(shown_v);
                // Below half of the charge voltage it is no pack voltage.
                let pack_v =
                    self.pack_voltage_v.filter(|pack_v| last.is_some_and(|last| *pack_v > last / 2.0));
                pack_v.map_or(last, |pack_v| last.map(|last| last.min(pack_v)))
            }
        };
    }

    fn reason(&self, stance: Stance, reading: Option<&Reading>, limit: Option<f64>) -> String {
        let source = &self.source;
        let cause = match reading.map(|reading| reading.grant) {
            None => Cause::Gone,
            Some(Grant::Disconnected) => Cause::Disconnected,
            Some(Grant::NoShare) if self.denied_since.is_some() => Cause::Withdrawn,
            Some(Grant::NoShare) => Cause::NoShare,
            Some(Grant::Limits { .. }) if limit.is_none() => Cause::NoLimit,
            Some(Grant::Limits { .. }) => Cause::Silent,
        };
        let why = match cause {
            Cause::Gone => format!("{source} is not on the bus"),
            Cause::Silent => format!("{source} gives no sign of life"),
            Cause::NoLimit => format!("{source} shows no valid limit"),
            Cause::NoShare => format!("{source} has no share for us"),
            Cause::Withdrawn => format!("{source} has withdrawn our share"),
            Cause::Disconnected => format!("{source} says that it is not connected"),
        };
        match stance {
            Stance::Obeying => format!("as {source} says"),
            Stance::Rising => format!("{source} is back: charging rises slowly"),
            Stance::Returning => format!("{source} is back: charging waits for 10 s of fresh data"),
            Stance::Holding => format!("{why}: nothing is raised"),
            Stance::Ramping => format!("{why}: to 0 A within 2 s"),
            Stance::Zero => format!("{why}: 0 A"),
            Stance::Waiting => format!("waiting for the first data: {why}"),
        }
    }
}
