//! Several inverters and chargers at one bank.
//!
//! Followers read a share each; Victron's devices get the rest through systemcalc; what nobody controls is measured and
//! subtracted. A tick has two halves: `watch` judges what was done with the last limits, `divide` shares out the new ones.
//! `fill` divides a budget, `share_out` publishes a share, `uncontrolled` is what nobody is told about, `obedience` and
//! `escalation` follow what is taken, `sense` makes up for a charger's own voltmeter.

mod divide;
mod escalation;
mod fill;
mod obedience;
mod sense;
mod share_out;
mod uncontrolled;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use divide::{Budget, divide};
use escalation::Escalation;
pub use escalation::Stage;
use obedience::Obedience;
use sense::SenseTrim;
use share_out::ShareOut;
pub(crate) use watch::{Watch, Watched, watch};

use crate::filter::{LowPass, Since};
use crate::input::{Class, Inverter, Site};
use crate::name::Name;
use crate::tick::age_s;
use crate::validate::STANDS_S;

/// No device is believed to carry more, A.
const MOST_AMPS: f64 = 6_000.0;

/// What is remembered of one device.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct DeviceMemory {
    charge: ShareOut,
    discharge: ShareOut,
    obedience: Obedience,
    trim: SenseTrim,
    gone: Since,
}

/// What is remembered of all of them together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct FleetMemory {
    devices: BTreeMap<Name, DeviceMemory>,
    uncontrolled: LowPass,
    uncontrolled_discharge: LowPass,
    cut: Cut,
    over: Since,
    charging: Obedience,
    discharging: Obedience,
    escalation: Escalation,
    victron_charge: ShareOut,
    victron_discharge: ShareOut,
}

/// By how much the shares are cut, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Cut(f64);

impl Default for Cut {
    fn default() -> Self {
        Cut(1.0)
    }
}

/// Current of a device, where it is known and not too old, A.
fn current_a(device: &Inverter, now: Duration) -> Option<f64> {
    device.current_a.filter(|a| a.is_finite() && a.abs() <= MOST_AMPS && age_s(now, device.at) <= STANDS_S)
}

/// systemcalc tells it its limit, and it heeds it.
fn is_told_by_dvcc(device: &Inverter, site: &Site) -> bool {
    device.class == Class::Victron && (device.from_ac || !site.dc_feed_in)
}
