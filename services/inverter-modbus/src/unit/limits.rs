//! Limits that are decided elsewhere, as the set points of a device: never more than its own, and what it cannot do of them.

use dbus_interfaces::follower::Stance;

use super::control::Control;
use super::following::Wanted;
use super::sight::Sight;
use super::volts::Steady;
use super::wear::spared;
use crate::config;
use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

/// The limits that follow, of current and of power.
pub(super) const CHARGE: [&str; 2] = ["charge_current_limit", "charge_power_limit"];
pub(super) const DISCHARGE: [&str; 2] = ["discharge_current_limit", "discharge_power_limit"];
/// The charge voltage that follows.
pub(super) const VOLTAGE: &str = "charge_voltage_limit";

/// What a device is told of a decision.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    /// Most current into the battery, A; none where the device has no such limit.
    pub(super) charge_a: Option<f64>,
    /// Most current out of it, A.
    pub(super) discharge_a: Option<f64>,
    /// Charge voltage, V.
    pub(super) voltage_v: Option<f64>,
    /// What it cannot do of it, in words.
    pub(super) beyond: Vec<String>,
    /// It can do more than was decided, and nothing keeps it from that.
    pub(super) is_beyond: bool,
}

/// One direction of current.
struct Direction {
    /// In words.
    what: &'static str,
    /// Its limits, of current and of power.
    names: [&'static str; 2],
    /// What is decided, A.
    decided: Option<f64>,
    /// What the user allows at most, A.
    own: Option<f64>,
}

/// Wants the limits of a device to be these, and never more than its own.
pub(super) fn want(
    control: &mut Control,
    wanted: &Wanted,
    volts: Option<Steady>,
    config: &config::Device,
    sight: &Sight<'_>,
) -> Told {
    let mut told = Told::default();
    let charge = Direction {
        what: "charging",
        names: CHARGE,
        decided: wanted.charge_a,
        own: config.max_charge_current_a,
    };
    let discharge = Direction {
        what: "discharging",
        names: DISCHARGE,
        decided: wanted.discharge_a,
        own: config.max_discharge_current_a,
    };
    told.charge_a = want_current(control, &charge, wanted, volts, sight, &mut told);
    told.discharge_a = want_current(control, &discharge, wanted, volts, sight, &mut told);
    if let Some(volts) = wanted.voltage_v.filter(|volts| *volts > 0.0) {
        told.voltage_v = want_voltage(control, volts, sight, &mut told);
    }
    told
}

/// The same for one direction. Returns what the device is told, A.
fn want_current(
    control: &mut Control,
    direction: &Direction,
    wanted: &Wanted,
    volts: Option<Steady>,
    sight: &Sight<'_>,
    told: &mut Told,
) -> Option<f64> {
    let Direction { what, names: [current, power], decided, own } = *direction;
    // A battery that is charged does not get beyond its charge voltage.
    let highest = wanted.voltage_v.filter(|volts| *volts > 0.0).unwrap_or(f64::INFINITY);
    let watts_of = |amps: f64| match volts {
        Some(steady) => Some((amps * steady.volts.min(highest)).floor()),
        // No current is no power at any voltage.
        None => (amps == 0.0).then_some(0.0),
    };
    // What is written seldom goes down in one step: the next write would come too late.
    let last = |write: &WriteAt, amps: f64| {
        let is_one_step = wanted.stance == Stance::Ramping && write.spec.persist == Persist::Flash;
        if is_one_step { 0.0 } else { amps }
    };
    if let Some(write) = sight.map.write(current, sight.point) {
        let amps =
            decided.map(|amps| least(amps, own)).or_else(|| own.filter(|own| is_more(write, *own, sight)))?;
        let limit = spared(write, last(write, amps), control.wanted(current));
        let lowest = write.limits(sight.point).map(|(lowest, _)| lowest).filter(|lowest| limit < *lowest);
        if let Some(lowest) = lowest {
            told.say(format!("this inverter takes no {current} below {lowest} A"), true);
        }
        control.want(current, limit, sight);
        return Some(lowest.unwrap_or(amps));
    }
    if let Some(write) = sight.map.write(power, sight.point) {
        let own_amps = || own.filter(|own| watts_of(*own).is_some_and(|watts| is_more(write, watts, sight)));
        let amps = decided.map(|amps| least(amps, own)).or_else(own_amps)?;
        return want_power(control, write, amps, watts_of(last(write, amps)), volts, sight, told);
    }
    let amps = decided?;
    match [current, power].iter().find_map(|name| only_when(name, sight)) {
        Some(why) => told.say(why, true),
        None => told.say(format!("this inverter has no limit for {what}"), amps == 0.0),
    }
    None
}

/// The same for a limit of power, which these watts make of the current that is wanted.
fn want_power(
    control: &mut Control,
    write: &WriteAt,
    amps: f64,
    watts: Option<f64>,
    volts: Option<Steady>,
    sight: &Sight<'_>,
    told: &mut Told,
) -> Option<f64> {
    let name = &write.spec.name;
    let amps_of = |watts: f64| volts.map(|steady| watts / steady.volts);
    let Some(watts) = watts else {
        told.say(format!("{name} stays: the battery's voltage is not known"), true);
        return None;
    };
    let before = control.wanted(name);
    let has = before.or_else(|| write.shown(sight.image, sight.point));
    if volts.is_some_and(|steady| steady.is_old) && has.is_none_or(|has| watts > has) {
        // A voltage of long ago raises nothing.
        if has.is_none() {
            told.say(format!("{name} stays: the battery's voltage is not known any more"), true);
        }
        return has.and_then(amps_of);
    }
    let lowest = write.limits(sight.point).map(|(lowest, _)| lowest).filter(|lowest| watts < *lowest);
    control.want(name, spared(write, watts, before), sight);
    match lowest {
        Some(lowest) => {
            told.say(format!("this inverter takes no {name} below {lowest} W"), true);
            amps_of(lowest)
        }
        None => Some(amps),
    }
}

/// The same for the charge voltage, V.
fn want_voltage(control: &mut Control, volts: f64, sight: &Sight<'_>, told: &mut Told) -> Option<f64> {
    let Some(write) = sight.map.write(VOLTAGE, sight.point) else {
        if let Some(why) = only_when(VOLTAGE, sight) {
            told.say(why, false);
        }
        return None;
    };
    let lowest = write.limits(sight.point).map(|(lowest, _)| lowest).filter(|lowest| volts < *lowest);
    if let Some(lowest) = lowest {
        told.say(format!("this inverter takes no {VOLTAGE} below {lowest} V"), true);
    }
    // The lowest that it takes is too much; it is better than more, and never a raise.
    let is_lower = |lowest: f64| {
        is_more(write, lowest, sight) || control.wanted(VOLTAGE).is_some_and(|before| before > lowest)
    };
    if lowest.is_none_or(is_lower) {
        control.want(VOLTAGE, spared(write, volts, control.wanted(VOLTAGE)), sight);
    }
    Some(lowest.unwrap_or(volts))
}

impl Told {
    fn say(&mut self, what: String, is_beyond: bool) {
        self.beyond.push(what);
        self.is_beyond |= is_beyond;
    }
}

/// Whether the device shows more.
fn is_more(write: &WriteAt, value: f64, sight: &Sight<'_>) -> bool {
    write.shown(sight.image, sight.point).is_some_and(|shown| shown > value)
}

/// Why what the device has cannot be set now.
fn only_when(name: &str, sight: &Sight<'_>) -> Option<String> {
    let condition = sight.map.only_when(name, sight.point)?;
    Some(format!("this inverter lets {name} be set only while {condition}"))
}

/// The lower one of what is decided and what the user allows.
pub(super) fn least(limit: f64, own: Option<f64>) -> f64 {
    own.map_or(limit, |own| own.min(limit)).max(0.0)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;

    /// What is written first to a Deye that shows limits of 50 A, for wishes of 30 A that are come by in this way.
    fn written(stance: Stance) -> u16 {
        let profile = builtin::by_id("deye-one-phase").unwrap();
        let map = Map::new(&profile, None, true);
        let mut image = Image::default();
        image.put(Table::Holding, 210, &[50, 50], 1);
        let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: 1 };
        let (mut control, now) = (Control::default(), Instant::now());
        let wanted = Wanted { discharge_a: None, stance, ..Wanted::decided(30.0, 0.0) };
        let told = want(&mut control, &wanted, None, &config::Device::at(&profile.id), &sight);
        assert_eq!((told.charge_a, told.discharge_a, told.beyond), (Some(30.0), None, Vec::new()));
        let order = control.next(&sight, now).unwrap();
        assert_eq!(order.name, "charge_current_limit");
        assert_eq!(control.next(&sight, now), None, "what is left to the device is not written");
        order.writes[0].values[0]
    }

    /// What a Growatt SPF with this type of battery is told of a decision, and what is wanted of it then.
    fn told_to_spf(battery_type: f64, wanted: &Wanted) -> (Told, Option<f64>) {
        let (map, image) = (Map::new(&builtin::by_id("growatt-spf").unwrap(), None, true), Image::default());
        let point = |name: &str| (name == "x_battery_type").then_some(battery_type);
        let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 0 };
        let mut control = Control::default();
        let told = want(&mut control, wanted, None, &config::Device::at("growatt-spf"), &sight);
        (told, control.wanted(CHARGE[0]))
    }

    #[test]
    fn what_an_inverter_cannot_do_is_said_and_not_called_told() {
        let none = "this inverter has no limit for discharging".to_owned();
        let (told, wanted) = told_to_spf(0.0, &Wanted::decided(0.0, 0.0));
        let least = "this inverter takes no charge_current_limit below 10 A".to_owned();
        assert_eq!((told.charge_a, wanted, told.discharge_a), (Some(10.0), Some(10.0), None));
        assert_eq!((told.beyond, told.is_beyond), (vec![least, none.clone()], true));

        let (told, wanted) = told_to_spf(0.0, &Wanted::decided(20.0, 30.0));
        assert_eq!((told.charge_a, wanted, told.discharge_a), (Some(20.0), Some(20.0), None));
        assert_eq!((told.beyond, told.is_beyond), (vec![none.clone()], false), "discharging is allowed");

        let (told, wanted) = told_to_spf(3.0, &Wanted::decided(20.0, 30.0));
        let why = "this inverter lets charge_current_limit be set only while x_battery_type != 3".to_owned();
        assert_eq!((told.charge_a, wanted), (None, None));
        assert_eq!((told.beyond, told.is_beyond), (vec![why, none], true));
    }

    #[test]
    fn the_user_s_own_limit_holds_where_nothing_is_decided_and_raises_nothing() {
        let profile = builtin::by_id("deye-one-phase").unwrap();
        let map = Map::new(&profile, None, true);
        let own = config::Device { max_discharge_current_a: Some(80.0), ..config::Device::at(&profile.id) };
        for (shown, wanted) in [(120, Some(80.0)), (60, None)] {
            let mut image = Image::default();
            image.put(Table::Holding, 210, &[50, shown], 1);
            let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: 1 };
            let mut control = Control::default();
            let charge_only = Wanted { discharge_a: None, ..Wanted::decided(30.0, 0.0) };
            want(&mut control, &charge_only, None, &own, &sight);
            assert_eq!(control.wanted(DISCHARGE[0]), wanted, "{shown} A");
        }
    }

    /// An inverter that has limits of power, of which nothing was read yet.
    fn sungrow() -> (Map, Control) {
        (Map::new(&builtin::by_id("sungrow-sh").unwrap(), None, true), Control::default())
    }

    fn told_to_sungrow(map: &Map, control: &mut Control, wanted: &Wanted, volts: Option<Steady>) -> Told {
        let image = Image::default();
        let sight = Sight { map, image: &image, point: &|_| None, secret: &|_| None, reads: 0 };
        want(control, wanted, volts, &config::Device::at("sungrow-sh"), &sight)
    }

    #[test]
    fn a_voltage_of_long_ago_only_lowers_a_limit_of_power() {
        let (map, mut control) = sungrow();
        for (amps, is_old, watts) in
            [(5.0, false, 2000.0), (10.0, true, 2000.0), (2.0, true, 800.0), (10.0, false, 4000.0)]
        {
            let volts = Some(Steady { volts: 400.0, is_old });
            told_to_sungrow(&map, &mut control, &Wanted::decided(amps, amps), volts);
            assert_eq!(control.wanted(CHARGE[1]), Some(watts), "{amps} A, {is_old}");
        }
    }

    #[test]
    fn a_raise_of_the_charge_voltage_that_waits_is_given_up_below_what_the_inverter_can() {
        let map = Map::new(&builtin::by_id("growatt-spf").unwrap(), None, true);
        let mut image = Image::default();
        image.put(Table::Holding, 35, &[480], 1);
        let point = |name: &str| (name == "x_battery_type").then_some(2.0);
        let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 1 };
        let (mut control, config) = (Control::default(), config::Device::at("growatt-spf"));
        for (decided_v, wanted) in [(56.0, Some(56.0)), (46.5, Some(48.0))] {
            let wanted_now = Wanted { voltage_v: Some(decided_v), ..Wanted::decided(20.0, 20.0) };
            want(&mut control, &wanted_now, None, &config, &sight);
            assert_eq!(control.wanted(VOLTAGE), wanted, "{decided_v} V");
        }
    }

    /// What a Growatt SPF that shows this charge voltage is to be set to where 28.4 V are decided, and what is said.
    fn low_voltage(shown: Option<u16>) -> (Option<f64>, Option<String>) {
        let map = Map::new(&builtin::by_id("growatt-spf").unwrap(), None, true);
        let mut image = Image::default();
        if let Some(tenths) = shown {
            image.put(Table::Holding, 35, &[tenths], 1);
        }
        // The user's own type of battery: with others it cannot be set.
        let point = |name: &str| (name == "x_battery_type").then_some(2.0);
        let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 1 };
        let nothing = Wanted { charge_a: None, discharge_a: None, ..Wanted::decided(0.0, 0.0) };
        let wanted = Wanted { voltage_v: Some(28.4), ..nothing };
        let mut control = Control::default();
        let told = want(&mut control, &wanted, None, &config::Device::at("growatt-spf"), &sight);
        (control.wanted(VOLTAGE), told.beyond.into_iter().next())
    }

    #[test]
    fn a_charge_voltage_is_never_raised_to_what_the_inverter_can() {
        let least = builtin::by_id("growatt-spf").unwrap();
        let least =
            least.write.iter().find(|write| write.name == VOLTAGE).and_then(|write| write.min).unwrap();
        let said = Some(format!("this inverter takes no {VOLTAGE} below {least} V"));
        assert_eq!(low_voltage(None), (None, said.clone()));
        assert_eq!(low_voltage(Some(280)), (None, said.clone()));
        assert_eq!(low_voltage(Some(560)), (Some(least), said));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_that_wears_out_goes_down_in_one_step_for_want_of_a_second_write() {
        assert_eq!(written(Stance::Obeying), 30);
        assert_eq!(written(Stance::Ramping), 0);
    }

    #[test]
    fn a_limit_of_power_that_is_not_told_is_not_called_told() {
        let (map, mut control) = sungrow();
        let told = told_to_sungrow(&map, &mut control, &Wanted::decided(5.0, 5.0), None);
        assert_eq!((told.charge_a, told.discharge_a, told.is_beyond), (None, None, true));
        let volts = Some(Steady { volts: 400.0, is_old: false });
        let told = told_to_sungrow(&map, &mut control, &Wanted::decided(5.0, 0.0), volts);
        assert_eq!((told.charge_a, told.discharge_a), (Some(5.0), Some(0.025)), "it takes no less than 10 W");
        assert!(told.is_beyond);
        let volts = Some(Steady { volts: 400.0, is_old: true });
        let told = told_to_sungrow(&map, &mut control, &Wanted::decided(10.0, 0.0), volts);
        assert_eq!(told.charge_a, Some(5.0));
    }

    #[test]
    fn a_voltage_of_long_ago_that_keeps_a_first_limit_from_being_told_is_said() {
        let (map, mut control) = sungrow();
        let volts = Some(Steady { volts: 400.0, is_old: true });
        let told = told_to_sungrow(&map, &mut control, &Wanted::decided(5.0, 5.0), volts);
        assert_eq!((told.charge_a, control.wanted(CHARGE[1])), (None, None));
        assert!(told.is_beyond && told.beyond[0].contains("not known any more"), "{told:?}");
    }
}
