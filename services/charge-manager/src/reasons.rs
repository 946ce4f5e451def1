//! Why a limit is what it is: one typed reason per limit, with what it takes to understand it, and its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// Why. Its id never changes in meaning; the words may.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Reason {
    /// Nothing limits it.
    #[default]
    None,
    /// The first data are awaited.
    Starting {
        /// Whose.
        who: Option<Name>,
    },
    /// A limit that the user has set.
    User {
        /// A, for the voltage V.
        limit: f64,
    },
    /// Whatever it was is over, and the limit rises slowly.
    Rising {
        /// What it was.
        after: Box<Reason>,
    },
    /// Whatever it was is over, and the limit waits at 0.
    Hold {
        /// What it was.
        after: Box<Reason>,
        /// Seconds to go.
        left_s: f64,
    },
    /// Data are late, and nothing is raised on late data.
    Late {
        /// Whose.
        who: Name,
    },
    /// The limit of a battery.
    Bms {
        /// Which one.
        member: Name,
        /// Its limit, A.
        limit_a: f64,
    },
    /// A battery that shows other limits does not show this one.
    BmsNone {
        /// Which one.
        member: Name,
    },
    /// A battery forbids it.
    BmsOff {
        /// Which one.
        member: Name,
    },
    /// No data that are fresh.
    ZeroData {
        /// Whose; none for no battery at all.
        member: Option<Name>,
        /// How old the newest are, s.
        age_s: f64,
    },
    /// The highest cell.
    CellHigh {
        /// Of which battery.
        member: Name,
        /// Which cell.
        cell: Name,
        /// Its voltage, V.
        v: f64,
    },
    /// The lowest cell.
    CellLow {
        /// Of which battery.
        member: Name,
        /// Which cell.
        cell: Name,
        /// Its voltage, V.
        v: f64,
    },
    /// A cell has reached its stop, and is not yet back.
    CellStop {
        /// Of which battery.
        member: Name,
        /// The voltage to get to, V.
        until_v: f64,
    },
    /// Recovery from deep discharge.
    Recover {
        /// Of which battery.
        member: Name,
        /// Lowest cell, V.
        v: f64,
    },
    /// Discharged so far that charging is dangerous.
    NeverCharge {
        /// Which battery.
        member: Name,
        /// Lowest cell, V.
        v: f64,
    },
    /// Too cold for more.
    Cold {
        /// Which battery.
        member: Name,
        /// What is so cold; none where there is no sensor.
        probe: Option<Name>,
        /// °C.
        celsius: f64,
    },
    /// Too hot for more.
    Hot {
        /// Which battery.
        member: Name,
        /// What is so hot.
        probe: Name,
        /// °C.
        celsius: f64,
    },
    /// Without a temperature.
    NoTemperature {
        /// Which battery.
        member: Name,
    },
    /// Electronics of a BMS too hot.
    Mosfet {
        /// Which battery.
        member: Name,
        /// °C.
        celsius: f64,
    },
    /// Curve over the state of charge, or its cap.
    SocHigh {
        /// %.
        soc: f64,
    },
    /// Curve over the state of charge.
    SocLow {
        /// %.
        soc: f64,
    },
    /// The discharge floor.
    Floor {
        /// %.
        soc: f64,
        /// %.
        floor: f64,
    },
    /// One battery at the limit that it may carry.
    Share {
        /// Which one.
        member: Name,
        /// Its limit, A.
        limit_a: f64,
    },
    /// One battery already carries more than it may.
    ShareExceeded {
        /// Which one.
        member: Name,
        /// Its current, A.
        current_a: f64,
    },
    /// The others push a battery over its limit.
    Circulating {
        /// From the fullest.
        from: Name,
        /// Into which.
        to: Name,
    },
    /// A battery has come to the bank a moment ago.
    Join {
        /// Which one.
        member: Name,
    },
    /// A battery has gone a moment ago.
    Lost {
        /// Which one.
        member: Name,
    },
    /// Something takes more than it may.
    Overrun {
        /// What.
        who: Name,
        /// Its current, A.
        current_a: f64,
    },
    /// A sensor is not to be trusted.
    Suspect {
        /// Of which battery.
        member: Name,
        /// What of it.
        what: Name,
    },
    /// Data contradict each other.
    Mismatch {
        /// What does.
        what: Name,
    },
    /// Equalising.
    Equalise,
    /// Balancing.
    Balance {
        /// Highest less lowest cell, mV.
        spread_mv: f64,
    },
    /// Float voltage.
    CvlFloat,
    /// Storage voltage.
    CvlStorage,
    /// The highest cell holds the voltage down.
    CvlCell {
        /// Of which battery.
        member: Name,
        /// Which cell.
        cell: Name,
        /// Its voltage, V.
        v: f64,
    },
    /// The limit of a battery.
    CvlMember {
        /// Which one.
        member: Name,
    },
    /// A limit that the user has set.
    CvlUser {
        /// V.
        limit_v: f64,
    },
    /// Temperature compensation.
    CvlTemperature {
        /// °C.
        celsius: f64,
    },
    /// On its way down.
    CvlRamp {
        /// To which voltage, V.
        to_v: f64,
    },
}

impl Reason {
    /// Its id, the same in every version.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Reason::None => "none",
            Reason::Starting { .. } => "starting",
            Reason::User { .. } => "user",
            Reason::Rising { .. } => "rising",
            Reason::Hold { .. } => "hold",
            Reason::Late { .. } => "late",
            Reason::Bms { .. } => "bms",
            Reason::BmsNone { .. } => "bms-none",
            Reason::BmsOff { .. } => "bms-off",
            Reason::ZeroData { .. } => "zero-data",
            Reason::CellHigh { .. } => "cell-high",
            Reason::CellLow { .. } => "cell-low",
            Reason::CellStop { .. } => "cell-stop",
            Reason::Recover { .. } => "recover",
            Reason::NeverCharge { .. } => "never-charge",
            Reason::Cold { .. } => "cold",
            Reason::Hot { .. } => "hot",
            Reason::NoTemperature { .. } => "no-temperature",
            Reason::Mosfet { .. } => "mosfet",
            Reason::SocHigh { .. } => "soc-high",
            Reason::SocLow { .. } => "soc-low",
            Reason::Floor { .. } => "floor",
            Reason::Share { .. } => "share",
            Reason::ShareExceeded { .. } => "share-exceeded",
            Reason::Circulating { .. } => "circulating",
            Reason::Join { .. } => "join",
            Reason::Lost { .. } => "lost",
            Reason::Overrun { .. } => "overrun",
            Reason::Suspect { .. } => "suspect",
            Reason::Mismatch { .. } => "mismatch",
            Reason::Equalise => "equalise",
            Reason::Balance { .. } => "balance",
            Reason::CvlFloat => "cvl-float",
            Reason::CvlStorage => "cvl-storage",
            Reason::CvlCell { .. } => "cvl-cell",
            Reason::CvlMember { .. } => "cvl-member",
            Reason::CvlUser { .. } => "cvl-user",
            Reason::CvlTemperature { .. } => "cvl-temp",
            Reason::CvlRamp { .. } => "cvl-ramp",
        }
    }

    /// The cause behind it: what a slow rise or a wait came from, otherwise itself.
    #[must_use]
    pub fn cause(&self) -> &Reason {
        match self {
            Reason::Rising { after } | Reason::Hold { after, .. } => after.cause(),
            reason => reason,
        }
    }

    /// Rising slowly after this.
    #[must_use]
    pub fn rising(self) -> Reason {
        Reason::Rising { after: Box::new(self.into_cause()) }
    }

    /// Waiting at 0 after this.
    #[must_use]
    pub fn held(self, left_s: f64) -> Reason {
        Reason::Hold { after: Box::new(self.into_cause()), left_s }
    }

    fn into_cause(self) -> Reason {
        match self {
            Reason::Rising { after } | Reason::Hold { after, .. } => after.into_cause(),
            reason => reason,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::None => f.write_str("not limited"),
            Reason::Starting { who: None } => f.write_str("waiting for first data"),
            Reason::Starting { who: Some(who) } => write!(f, "waiting for first data of {who}"),
            Reason::User { limit } => write!(f, "user limit {limit:.0}"),
            Reason::Rising { after } => write!(f, "rising slowly after: {after}"),
            Reason::Hold { after, left_s } => write!(f, "waiting {left_s:.0} s after: {after}"),
            Reason::Late { who } => write!(f, "no rise while data of {who} are late"),
            Reason::Bms { member, limit_a } => write!(f, "battery limit of {member}, {limit_a:.1} A"),
            Reason::BmsNone { member } => write!(f, "{member} shows no such limit"),
            Reason::BmsOff { member } => write!(f, "{member} forbids it"),
            Reason::ZeroData { member: Some(member), age_s } => {
                write!(f, "no fresh data from {member} for {age_s:.0} s")
            }
            Reason::ZeroData { member: None, .. } => f.write_str("no battery with fresh data"),
            Reason::CellHigh { member, cell, v } => write!(f, "highest cell {cell} of {member}, {v:.3} V"),
            Reason::CellLow { member, cell, v } => write!(f, "lowest cell {cell} of {member}, {v:.3} V"),
            Reason::CellStop { member, until_v } => {
                write!(f, "a cell of {member} was too high, until {until_v:.2} V")
            }
            Reason::Recover { member, v } => {
                write!(f, "{member} recovers from deep discharge, lowest cell {v:.2} V")
            }
            Reason::NeverCharge { member, v } => {
                write!(f, "a cell of {member} at {v:.2} V: charging it is dangerous")
            }
            Reason::Cold { member, probe: Some(probe), celsius } => {
                write!(f, "cold: {probe} of {member}, {celsius:.0} °C")
            }
            Reason::Cold { member, probe: None, celsius } => write!(f, "cold: {member}, {celsius:.0} °C"),
            Reason::Hot { member, probe, celsius } => write!(f, "hot: {probe} of {member}, {celsius:.0} °C"),
            Reason::NoTemperature { member } => write!(f, "no temperature from {member}"),
            Reason::Mosfet { member, celsius } => {
                write!(f, "BMS electronics of {member} hot, {celsius:.0} °C")
            }
            Reason::SocHigh { soc } => write!(f, "state of charge high, {soc:.0} %"),
            Reason::SocLow { soc } => write!(f, "state of charge low, {soc:.0} %"),
            Reason::Floor { soc, floor } => write!(f, "discharge floor {floor:.0} %, charge {soc:.0} %"),
            Reason::Share { member, limit_a } => {
                write!(f, "share of {member} at its limit, {limit_a:.1} A")
            }
            Reason::ShareExceeded { member, current_a } => {
                write!(f, "{member} carries more than it may, {current_a:.0} A")
            }
            Reason::Circulating { from, to } => write!(f, "current between batteries, {from} into {to}"),
            Reason::Join { member } => write!(f, "{member} has joined"),
            Reason::Lost { member } => write!(f, "{member} is lost"),
            Reason::Overrun { who, current_a } => write!(f, "{who} ignores its limit, {current_a:.0} A"),
            Reason::Suspect { member, what } => write!(f, "{what} of {member} is not to be trusted"),
            Reason::Mismatch { what } => write!(f, "data contradict: {what}"),
            Reason::Equalise => f.write_str("equalising"),
            Reason::Balance { spread_mv } => write!(f, "balancing, {spread_mv:.0} mV apart"),
            Reason::CvlFloat => f.write_str("float voltage"),
            Reason::CvlStorage => f.write_str("storage voltage"),
            Reason::CvlCell { member, cell, v } => write!(f, "highest cell {cell} of {member}, {v:.3} V"),
            Reason::CvlMember { member } => write!(f, "voltage limit of {member}"),
            Reason::CvlUser { limit_v } => write!(f, "voltage limit of the user, {limit_v:.1} V"),
            Reason::CvlTemperature { celsius } => write!(f, "temperature compensation at {celsius:.0} °C"),
            Reason::CvlRamp { to_v } => write!(f, "on the way to {to_v:.1} V"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_after_a_wait_after_a_cause_names_the_cause_once() {
        let cold = Reason::Cold { member: "B1".into(), probe: None, celsius: -3.2 };
        let rising = cold.clone().held(12.0).rising();
        assert_eq!(rising.cause(), &cold);
        assert_eq!(rising.to_string(), "rising slowly after: cold: B1, -3 °C");
        assert_eq!(rising.id(), "rising");
    }
}
