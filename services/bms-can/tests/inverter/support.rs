//! Batteries as they are told, and what a profile makes of them.

use bms_can::frame::{CanId, Frame};
use bms_can::inverter::{Facts, Faults, Measured, Profile, Told, by_name};
use bms_can::protocols;
use dbus_interfaces::follower::{Limits, Stance};

pub(crate) fn profile(name: &str) -> &'static Profile {
    by_name(name).unwrap_or_else(|| panic!("no profile {name}"))
}

/// A healthy battery in the middle of everything.
pub(crate) fn measured() -> Measured {
    Measured {
        soc_pct: 54.5,
        voltage_v: 52.3,
        current_a: -12.3,
        soh_pct: Some(98.0),
        temperature_c: Some(23.4),
        cells_v: None,
        cells_c: None,
        discharge_voltage_v: None,
        capacity_ah: None,
        modules: None,
        cells_in_series: None,
        cycles: None,
        faults: Faults::default(),
        asks_charge: false,
        asks_full_charge: false,
    }
}

pub(crate) fn limits(charge_v: f64, charge_a: f64, discharge_a: f64) -> Limits {
    Limits {
        charge_voltage_v: Some(charge_v),
        charge_current_a: charge_a,
        discharge_current_a: discharge_a,
        stance: Stance::Obeying,
        reason: "as the manager says".to_owned(),
    }
}

pub(crate) fn told(profile: &Profile, limits: &Limits, measured: &Measured) -> Told {
    Told::new(profile, &Facts::default(), limits, measured, false).unwrap()
}

pub(crate) fn safe(profile: &Profile, limits: &Limits, measured: &Measured) -> Told {
    Told::new(profile, &Facts::default(), limits, measured, true).unwrap()
}

/// Every frame that a profile sends of this.
pub(crate) fn frames(profile: &Profile, told: &Told) -> Vec<Frame> {
    let dialect = protocols::by_name(profile.dialect).unwrap();
    profile.says().filter_map(|say| say.frame(told, dialect)).collect()
}

/// As a recording has them: `351#1402740E740ECC01`.
pub(crate) fn lines(frames: &[Frame]) -> Vec<String> {
    let hex = |data: &[u8]| data.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    frames.iter().map(|frame| format!("{:03X}#{}", frame.id().number(), hex(frame.data()))).collect()
}

/// The data of one frame.
pub(crate) fn data(frames: &[Frame], id: u32) -> Vec<u8> {
    let id = CanId::standard(id).unwrap();
    frames.iter().find(|frame| frame.id() == id).unwrap_or_else(|| panic!("no {id}")).data().to_vec()
}
