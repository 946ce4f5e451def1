//! A cluster on the bus, as the pair of a unit (`multi`) and its system (`acsystem`).

use dbus_interfaces::Update;
use dbus_interfaces::classes::{battery as b, device, follower, multi as m, vebus as v};

use super::cluster::{AcInput, Line, View};
use super::{Counters, words};

/// Venus' number of a type of input.
const fn input_type(input: AcInput) -> i32 {
    match input {
        AcInput::None => 0,
        AcInput::Grid => 1,
        AcInput::Generator => 2,
    }
}

/// `/Mode` on and off.
const ON: i32 = 3;
const OFF: i32 = 4;

/// Current of a line.
fn amps(watts: Option<f64>, volts: Option<f64>) -> Option<f64> {
    watts.zip(volts.filter(|volts| *volts > 5.0)).map(|(watts, volts)| watts / volts)
}

/// What both services show.
fn both(tx: &mut Update<'_>, view: &View, input: AcInput, is_there: bool) {
    for (number, line) in (1_u16..).zip(&view.lines) {
        tx.set(m::IN_V.nth(number), line.in_v)
            .set(m::IN_P.nth(number), line.in_w)
            .set(m::IN_I.nth(number), amps(line.in_w, line.in_v))
            .set(m::IN_F.nth(number), line.in_v.and(view.in_hz))
            .set(m::OUT_V.nth(number), line.out_v)
            .set(m::OUT_P.nth(number), line.out_w)
            .set(m::OUT_I.nth(number), amps(line.out_w, line.out_v))
            .set(m::OUT_F.nth(number), line.out_v.and(view.out_hz));
    }
    tx.set(m::PHASES, i32::try_from(view.lines.len()).unwrap_or(1))
        .set(m::INPUTS, i32::from(input != AcInput::None))
        .set(m::IN_TYPE, input_type(input))
        .set(m::ACTIVE_INPUT, view.is_connected.map(|closed| if closed { 0 } else { 240 }))
        .set(b::DC_VOLTAGE, view.battery_v)
        .set(b::DC_CURRENT, view.battery_a)
        .set(b::DC_POWER, view.battery_w())
        .set(m::STATE, view.state())
        .set(m::ALARM_GRID_LOST, view.grid_lost.map(|lost| if lost { 2 } else { 0 }))
        .set(device::CONNECTED, i32::from(is_there));
}

/// The unit: the measuring half.
pub(crate) fn unit(tx: &mut Update<'_>, view: &View, input: AcInput, is_there: bool) {
    both(tx, view, input, is_there);
    tx.set(b::DC_TEMPERATURE, view.battery_c).set(m::MODE, view.is_on.map(|on| if on { ON } else { OFF }));
    error(tx, view);
}

/// What it reports, as a number and in words.
fn error(tx: &mut Update<'_>, view: &View) {
    let code = view.error_number.map(|number| if view.has_failed { i32::from(number) } else { 0 });
    tx.set(m::ERROR_CODE, code).set(m::ERROR_TEXT, view.error_number.map(words::error));
}

/// The unit while a vebus shows the same: nothing that would count twice, and the current for the manager.
pub(crate) fn unit_beside_vebus(tx: &mut Update<'_>, view: &View, is_there: bool) {
    let blank = View { lines: vec![Line::default(); view.lines.len()], ..View::default() };
    unit(tx, &blank, AcInput::None, is_there);
    error(tx, view);
    tx.set(b::DC_CURRENT, view.battery_a);
    for item in m::ENERGY {
        tx.set(item, None::<f64>);
    }
}

/// All of it, as a vebus: another face of the follower `unit`.
pub(crate) fn vebus(
    tx: &mut Update<'_>,
    view: &View,
    input: AcInput,
    is_there: bool,
    may_switch: bool,
    unit: &str,
) {
    for (number, line) in (1_u16..).zip(&view.lines) {
        tx.set(v::IN_V.nth(number), line.in_v)
            .set(v::IN_P.nth(number), line.in_w)
            .set(v::IN_I.nth(number), amps(line.in_w, line.in_v))
            .set(v::IN_F.nth(number), line.in_v.and(view.in_hz))
            .set(m::OUT_V.nth(number), line.out_v)
            .set(m::OUT_P.nth(number), line.out_w)
            .set(m::OUT_I.nth(number), amps(line.out_w, line.out_v))
            .set(m::OUT_F.nth(number), line.out_v.and(view.out_hz));
    }
    tx.set(v::IN_TOTAL, view.in_w)
        .set(v::IN_CONNECTED, view.is_connected.map(i32::from))
        .set(m::ACTIVE_INPUT, view.is_connected.map(|closed| if closed { 0 } else { 240 }))
        .set(m::OUT_TOTAL, view.out_w)
        .set(m::PHASES, i32::try_from(view.lines.len()).unwrap_or(1))
        .set(m::INPUTS, i32::from(input != AcInput::None))
        .set(b::DC_VOLTAGE, view.battery_v)
        .set(b::DC_CURRENT, view.battery_a)
        .set(b::DC_POWER, view.battery_w())
        .set(b::DC_TEMPERATURE, view.battery_c)
        .set(m::STATE, view.state())
        .set(m::MODE_OF_SYSTEM, view.is_on.map(|on| if on { ON } else { OFF }))
        .set(m::MODE_IS_ADJUSTABLE, i32::from(may_switch))
        .set(m::ALARM_GRID_LOST, view.grid_lost.map(|lost| if lost { 2 } else { 0 }))
        .set(v::ERROR, 0)
        .set(device::CONNECTED, i32::from(is_there))
        .set(follower::FOLLOWS, unit.to_owned());
}

/// The counters of the unit.
pub(crate) fn energy(tx: &mut Update<'_>, counters: &Counters) {
    for (item, kwh) in m::ENERGY.into_iter().zip(counters.kwh()) {
        tx.set(item, kwh);
    }
}

/// The system: the control half.
pub(crate) fn system(
    tx: &mut Update<'_>,
    view: &View,
    input: AcInput,
    is_there: bool,
    may_switch: bool,
    unit: (&str, i32),
) {
    both(tx, view, input, is_there);
    tx.set(m::IN_TOTAL, view.in_w)
        .set(m::OUT_TOTAL, view.out_w)
        .set(m::MODE_OF_SYSTEM, view.is_on.map(|on| if on { ON } else { OFF }))
        .set(m::MODE_IS_ADJUSTABLE, i32::from(may_switch))
        .set(m::MEMBER_SERVICE.nth(0), unit.0.to_owned())
        .set(m::MEMBER_INSTANCE.nth(0), unit.1);
}
