//! What the models of a SunSpec device make of what is written to them (official model files 123, 124 and 704, Apache-2.0).
//! Offsets count from the register with the number of the model.

use super::makers::View;
use super::orders::Orders;

/// Per cent in tenths, powers in W; nothing is enabled in the beginning.
pub const FIRST: &[(u16, u16, u16)] = &[
    (123, 5, 1_000),
    (123, 6, 0),
    (123, 7, 0),
    (123, 8, 0),
    (123, 9, 0),
    (123, 23, TENTHS),
    (124, 5, 0),
    (124, 12, 1_000),
    (124, 13, 1_000),
    (124, 15, 0),
    (124, 25, TENTHS),
    (704, 14, 0),
    (704, 15, 1_000),
    (704, 17, 0),
    (704, 18, 0),
    (704, 19, 0),
    (704, 22, 0),
    (704, 23, 0),
    (704, 24, 0),
    (704, 25, 0),
    (704, 30, 0),
    (704, 31, 0),
    (704, 32, 0),
    (704, 54, TENTHS),
    (704, 55, 0),
];
/// The scale factor -1.
const TENTHS: u16 = 0xFFFF;
/// `WSetMod`: the set point is in W.
const WATTS: u16 = 1;

/// Obeys the models that a device has.
pub fn obey(view: View<'_>, orders: &mut Orders) {
    // WMaxLimPct, its reversion time and WMaxLim_Ena.
    if let Some(at) = view.model(123)
        && view.word(at + 9) == 1
        && lasts(view, at + 5, view.word(at + 7).into())
    {
        orders.output_w = orders.output_w.min(view.plate.percent_w(scaled(view, at + 5, at + 23)));
    }
    if let Some(at) = view.model(704) {
        if view.word(at + 14) == 1 && lasts(view, at + 15, view.signed(at + 18)) {
            orders.output_w = orders.output_w.min(view.plate.percent_w(scaled(view, at + 15, at + 54)));
        }
        // WSet: + is out of the inverter.
        if view.word(at + 22) == 1
            && view.word(at + 23) == WATTS
            && lasts(view, at + 24, view.signed(at + 31))
        {
            orders.output_w =
                orders.output_w.min((view.signed(at + 24) * ten_to(view.word(at + 55))).max(0.0));
        }
    }
    // StorCtl_Mod says which of InWRte and OutWRte count; a negative one forces the other direction.
    if let Some(at) = view.model(124) {
        let reverts_s = f64::from(view.word(at + 15));
        if view.has(at + 5, 1) && lasts(view, at + 13, reverts_s) {
            let most_w = view.plate.percent_w(scaled(view, at + 13, at + 25));
            orders.battery_w.1 = orders.battery_w.1.min(most_w);
        }
        if view.has(at + 5, 2) && lasts(view, at + 12, reverts_s) {
            let least_w = -view.plate.percent_w(scaled(view, at + 12, at + 25));
            orders.battery_w.0 = orders.battery_w.0.max(least_w);
        }
    }
}

/// Whether a value still counts; a time of 0 is for ever.
fn lasts(view: View<'_>, register: u16, seconds: f64) -> bool {
    seconds == 0.0 || view.age_s(register) <= seconds
}

fn scaled(view: View<'_>, register: u16, scale: u16) -> f64 {
    f64::from(view.word(register).cast_signed()) * ten_to(view.word(scale))
}

fn ten_to(exponent: u16) -> f64 {
    10_f64.powi(exponent.cast_signed().into())
}
