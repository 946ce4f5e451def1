//! Reports that are not true.

use crate::batteries::Dialect;
use crate::report::Report;

/// Numbers as broken firmware sends them: full scale, and a temperature that no battery survives.
pub(super) fn implausible(report: &mut Report, _: &Dialect) {
    report.soc_percent = 255.0;
    report.soh_percent = 255.0;
    report.voltage_v = 327.67;
    report.current_a = 3_276.7;
    report.temperature_c = -123.4;
    report.limits.charge_voltage_v = 6_553.5;
    report.limits.discharge_voltage_v = 6_553.5;
    report.limits.charge_current_a = 3_276.7;
    report.limits.discharge_current_a = 3_276.7;
    report.charge_enabled = true;
    report.discharge_enabled = true;
    if let Some(cells) = &mut report.cells_v {
        (cells.low, cells.high) = (0.0, 9.999);
    }
    if let Some(cells) = &mut report.cells_c {
        (cells.low, cells.high) = (-123.4, 123.4);
    }
}

/// The voltage comes out in the other of the two common scales.
pub(super) fn wrong_scale(report: &mut Report, dialect: &Dialect) {
    let is_in_tenths = dialect.voltage_step_v > 0.05;
    report.voltage_v *= if is_in_tenths { 10.0 } else { 0.1 };
}

/// Every temperature is 273 K too high.
pub(super) fn kelvin(report: &mut Report, _: &Dialect) {
    const KELVIN: f64 = 273.15;
    report.temperature_c += KELVIN;
    if let Some(cells) = &mut report.cells_c {
        cells.low += KELVIN;
        cells.high += KELVIN;
    }
}
