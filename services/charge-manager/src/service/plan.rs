//! The settings that are no numbers, as texts: curves, roles, choices, windows.

use std::collections::BTreeMap;

use dbus_interfaces::settings::Setting;

use crate::curve::Curve;
use crate::name::Name;
use crate::settings::{
    FloorAction, LostMember, MOST_WINDOWS, NoTemperature, Plan, Role, SocSource, Source, Window,
};

/// Charge C-rate over temperature, `°C:C, ...`; empty for that of the chemistry.
pub(super) const CHARGE_OVER_TEMPERATURE: Setting<String> = text("ChargeOverTemperature", "");
/// Part of the discharge current over temperature, `°C:part, ...`; empty for that of the chemistry.
pub(super) const DISCHARGE_OVER_TEMPERATURE: Setting<String> = text("DischargeOverTemperature", "");
/// Part of the charge current over the temperature of the BMS's electronics; empty for the default.
pub(super) const CHARGE_OVER_MOSFET: Setting<String> = text("ChargeOverMosfetTemperature", "");
/// Part of the charge current over the state of charge, `%:part, ...`; empty for none.
pub(super) const CHARGE_OVER_SOC: Setting<String> = text("ChargeOverSoc", "");
/// Part of the discharge current over the state of charge above the floor; empty for none.
pub(super) const DISCHARGE_OVER_SOC: Setting<String> = text("DischargeOverSoc", "");
/// What batteries are to the bank: `NAME=member|monitor|ignore, ...`, NAME without `com.victronenergy.battery.`.
pub(super) const ROLES: Setting<String> = text("Roles", "");
/// What is done when a member falls silent: `stop` the bank or `exclude` it.
pub(super) const SILENT_MEMBER: Setting<String> = text("SilentMember", "stop");
/// What is done when a member's service is gone from the bus: `stop` or `exclude`.
pub(super) const GONE_MEMBER: Setting<String> = text("GoneMember", "exclude");
/// What the discharge floor does: `limit` or `alarm`.
pub(super) const FLOOR_ACTION: Setting<String> = text("FloorAction", "limit");
/// What is done without any temperature: `assume` that of AssumedTemperature, `forbid` or `release`.
pub(super) const NO_TEMPERATURE: Setting<String> = text("NoTemperature", "assume");
/// Where the state of charge comes from: `automatic`, `monitor` or `counter`.
pub(super) const SOC_SOURCE: Setting<String> = text("SocSource", "automatic");
/// When to charge from grid and generator: `grid mon-fri 22:00-06:00 60A 80%; generator daily 10:00-16:00 50A 90%`.
pub(super) const WINDOWS: Setting<String> = text("Windows", "");
/// 1: the grid is asked to help when a full charge is due.
pub(super) const FULL_CHARGE_FROM_GRID: Setting<i32> = flag("FullChargeFromGrid");
/// 1: a contactor may be opened when nothing else stops a charger.
pub(super) const CONTACTOR_AS_LAST_RESORT: Setting<i32> = flag("ContactorAsLastResort");
/// 1: go below the voltage of the pack to stop a charger that would draw the battery down to it.
pub(super) const LOWER_VOLTAGE_OF_FOLLOWERS: Setting<i32> = flag("LowerVoltageOfFollowers");

/// The texts and flags among them, to be added together.
pub(super) const TEXTS: [Setting<String>; 12] = [
    CHARGE_OVER_TEMPERATURE,
    DISCHARGE_OVER_TEMPERATURE,
    CHARGE_OVER_MOSFET,
    CHARGE_OVER_SOC,
    DISCHARGE_OVER_SOC,
    ROLES,
    SILENT_MEMBER,
    GONE_MEMBER,
    FLOOR_ACTION,
    NO_TEMPERATURE,
    SOC_SOURCE,
    WINDOWS,
];
pub(super) const FLAGS: [Setting<i32>; 3] =
    [FULL_CHARGE_FROM_GRID, CONTACTOR_AS_LAST_RESORT, LOWER_VOLTAGE_OF_FOLLOWERS];

const LONGEST: usize = 2_000;
const BATTERY: &str = "com.victronenergy.battery.";

const fn text(name: &'static str, default: &'static str) -> Setting<String> {
    Setting::text(name, default).longest(LONGEST)
}

const fn flag(name: &'static str) -> Setting<i32> {
    Setting::int(name, 0).range(0.0, 1.0)
}

/// Puts the texts into a plan. Gives a sentence for each that cannot be understood.
pub(super) fn fill(
    plan: &mut Plan,
    text: impl Fn(Setting<String>) -> String,
    flag: impl Fn(Setting<i32>) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    curve(&mut plan.charge_c_over_c, "ChargeOverTemperature", &text(CHARGE_OVER_TEMPERATURE), &mut wrong);
    curve(
        &mut plan.discharge_over_c,
        "DischargeOverTemperature",
        &text(DISCHARGE_OVER_TEMPERATURE),
        &mut wrong,
    );
    curve(
        &mut plan.charge_over_mosfet_c,
        "ChargeOverMosfetTemperature",
        &text(CHARGE_OVER_MOSFET),
        &mut wrong,
    );
    maybe_curve(&mut plan.charge_over_soc, "ChargeOverSoc", &text(CHARGE_OVER_SOC), &mut wrong);
    maybe_curve(&mut plan.discharge_over_soc, "DischargeOverSoc", &text(DISCHARGE_OVER_SOC), &mut wrong);
    match roles(&text(ROLES)) {
        Ok(roles) => plan.roles = roles,
        Err(why) => wrong.push(format!("Roles: {why}.")),
    }
    match windows(&text(WINDOWS)) {
        Ok(windows) => plan.windows = windows,
        Err(why) => wrong.push(format!("Windows: {why}.")),
    }
    let lost = [("stop", LostMember::StopBank), ("exclude", LostMember::Exclude)];
    choose(&mut plan.silent_member, "SilentMember", &text(SILENT_MEMBER), &lost, &mut wrong);
    choose(&mut plan.gone_member, "GoneMember", &text(GONE_MEMBER), &lost, &mut wrong);
    let floor = [("limit", FloorAction::Limit), ("alarm", FloorAction::AlarmOnly)];
    choose(&mut plan.floor_action, "FloorAction", &text(FLOOR_ACTION), &floor, &mut wrong);
    let none = [
        ("assume", NoTemperature::Assume),
        ("forbid", NoTemperature::Forbid),
        ("release", NoTemperature::Release),
    ];
    choose(&mut plan.no_temperature, "NoTemperature", &text(NO_TEMPERATURE), &none, &mut wrong);
    let soc = [
        ("automatic", SocSource::Automatic),
        ("monitor", SocSource::Monitor),
        ("counter", SocSource::Counter),
    ];
    choose(&mut plan.soc_source, "SocSource", &text(SOC_SOURCE), &soc, &mut wrong);
    plan.full_charge_from_grid = flag(FULL_CHARGE_FROM_GRID);
    plan.contactor_as_last_resort = flag(CONTACTOR_AS_LAST_RESORT);
    plan.lower_voltage_of_followers = flag(LOWER_VOLTAGE_OF_FOLLOWERS);
    wrong
}

fn curve(target: &mut Curve, name: &str, text: &str, wrong: &mut Vec<String>) {
    if text.trim().is_empty() {
        return;
    }
    match text.parse() {
        Ok(curve) => *target = curve,
        Err(error) => wrong.push(format!("{name}: {error}.")),
    }
}

fn maybe_curve(target: &mut Option<Curve>, name: &str, text: &str, wrong: &mut Vec<String>) {
    if text.trim().is_empty() {
        *target = None;
        return;
    }
    match text.parse() {
        Ok(curve) => *target = Some(curve),
        Err(error) => wrong.push(format!("{name}: {error}.")),
    }
}

fn choose<T: Copy>(target: &mut T, name: &str, text: &str, choices: &[(&str, T)], wrong: &mut Vec<String>) {
    match choices.iter().find(|(word, _)| *word == text.trim()) {
        Some((_, choice)) => *target = *choice,
        None => {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            wrong.push(format!("{name} is {text:?}; it may be {}.", words.join(", ")));
        }
    }
}

fn roles(text: &str) -> Result<BTreeMap<Name, Role>, String> {
    let mut roles = BTreeMap::new();
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let (name, role) = part.split_once('=').ok_or_else(|| format!("{part:?} is no NAME=ROLE"))?;
        let role = match role.trim() {
            "member" => Role::Member,
            "monitor" => Role::Monitor,
            "ignore" => Role::Ignore,
            other => return Err(format!("{other:?} is no role: member, monitor, ignore")),
        };
        let name = name.trim();
        let name = if name.starts_with(BATTERY) { name.to_owned() } else { format!("{BATTERY}{name}") };
        roles.insert(Name::from(name), role);
    }
    Ok(roles)
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn windows(text: &str) -> Result<Vec<Window>, String> {
    let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() > MOST_WINDOWS {
        return Err(format!("{} windows; {MOST_WINDOWS} are the most", parts.len()));
    }
    parts.into_iter().map(window).collect()
}

fn window(text: &str) -> Result<Window, String> {
    let form = || format!("{text:?} is no window such as \"grid mon-fri 22:00-06:00 60A 80%\"");
    let words: Vec<&str> = text.split_whitespace().collect();
    let [source, on, times, amps, soc] = words.as_slice() else { return Err(form()) };
    let source = match *source {
        "grid" => Source::Grid,
        "generator" => Source::Generator,
        _ => return Err(form()),
    };
    let (from, until) = times.split_once('-').ok_or_else(form)?;
    let number = |text: &str, unit: char| text.strip_suffix(unit)?.parse::<f64>().ok();
    Ok(Window {
        source,
        days: days(on).ok_or_else(form)?,
        from_min: minute(from).ok_or_else(form)?,
        until_min: minute(until).ok_or_else(form)?,
        current_a: number(amps, 'A').ok_or_else(form)?,
        until_soc: number(soc, '%').ok_or_else(form)?,
    })
}

/// `daily`, `mon`, `mon-fri`, `sat,sun`.
fn days(text: &str) -> Option<[bool; 7]> {
    if text == "daily" {
        return Some([true; 7]);
    }
    let place = |day: &str| DAYS.iter().position(|known| *known == day);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let length = (last + 7 - first) % 7;
        for day in (first..=first + length).map(|day| day % 7) {
            *days.get_mut(day)? = true;
        }
    }
    Some(days)
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::{Chemistry, Settings};

    fn filled(name: &'static str, text: &'static str) -> (Plan, Vec<String>) {
        let mut plan = Settings::of(Chemistry::Lfp).plan().clone();
        let defaults = plan.clone();
        let is_it = |setting: Setting<String>| format!("{setting:?}").contains(&format!("{name:?}"));
        let default = |setting: Setting<String>| {
            let words = ["stop", "exclude", "limit", "assume", "automatic"];
            let shown = format!("{setting:?}");
            let word = words.into_iter().find(|word| shown.contains(&format!("Text({word:?})")));
            word.unwrap_or_default().to_owned()
        };
        let wrong = fill(
            &mut plan,
            |setting| if is_it(setting) { text.to_owned() } else { default(setting) },
            |_| false,
        );
        if name.is_empty() {
            assert_eq!(plan, defaults, "the texts that nobody changes say what the defaults say");
        }
        (plan, wrong)
    }

    #[test]
    fn unchanged_texts_are_the_default_plan() {
        assert_eq!(filled("", "").1, Vec::<String>::new());
    }

    #[test]
    fn roles_are_given_by_name_or_by_its_end() {
        let (plan, wrong) = filled("Roles", "ttyUSB0 = monitor, com.victronenergy.battery.x_1=ignore;");
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(plan.roles.get(&Name::from("com.victronenergy.battery.ttyUSB0")), Some(&Role::Monitor));
        assert_eq!(plan.roles.get(&Name::from("com.victronenergy.battery.x_1")), Some(&Role::Ignore));
        assert_eq!(filled("Roles", "x=boss").1, ["Roles: \"boss\" is no role: member, monitor, ignore."]);
    }

    #[test]
    fn windows_have_a_source_days_times_a_current_and_a_state_of_charge() {
        let (plan, wrong) =
            filled("Windows", "grid sat-mon,wed 22:00-06:30 60A 80%; generator daily 10:00-16:00 50.5A 90%");
        assert_eq!(wrong, Vec::<String>::new());
        let [grid, generator] = plan.windows.as_slice() else { panic!("{:?}", plan.windows) };
        assert_eq!(grid.days, [true, false, true, false, false, true, true]);
        assert_eq!((grid.from_min, grid.until_min, grid.current_a, grid.until_soc), (1320, 390, 60.0, 80.0));
        assert_eq!((generator.source, generator.current_a), (Source::Generator, 50.5));
        for text in
            ["grid", "sun daily 1:00-2:00 1A 1%", "grid daily 24:00-2:00 1A 1%", "grid x 1:00-2:00 1A 1%"]
        {
            assert!(filled("Windows", text).1[0].contains("is no window such as"), "{text}");
        }
    }

    #[test]
    fn what_is_no_curve_and_no_choice_is_refused_with_what_would_be() {
        assert!(
            filled("ChargeOverTemperature", "5:1, 4:1").1[0].starts_with("ChargeOverTemperature: the points")
        );
        let (plan, wrong) = filled("ChargeOverSoc", "90:1, 100:0.05");
        assert_eq!((plan.charge_over_soc.map(|curve| curve.at(95.0)), wrong.len()), (Some(0.525), 0));
        assert_eq!(filled("FloorAction", "beep").1, ["FloorAction is \"beep\"; it may be limit, alarm."]);
    }

    /// The words of all texts, in any order, and anything else.
    fn any_text() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "grid|generator|daily|mon-fri|sat,sun|fri-mon",
            "[0-9]{1,5}:[0-9]{1,3}-[0-9]{1,3}:[0-9]{1,5}",
            "(-?[0-9]{1,4}(\\.[0-9])?|NaN|inf|1e999)(A|%|:)?",
            "[a-z.]{0,9}=(member|monitor|ignore|boss)?[,;]?",
            "\\PC{0,6}",
        ];
        proptest::collection::vec((word, "[ ,;:=-]?"), 0..12)
            .prop_map(|words| words.into_iter().map(|(word, gap)| word + &gap).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_understood_or_refused_with_its_name(text in any_text()) {
            for setting in [CHARGE_OVER_TEMPERATURE, CHARGE_OVER_SOC, ROLES, WINDOWS, FLOOR_ACTION, SOC_SOURCE] {
                let mut sentences = Vec::new();
                let outcome = Settings::default().planned(|plan| {
                    let is_it = |other: Setting<String>| format!("{other:?}") == format!("{setting:?}");
                    let only = |other| if is_it(other) { text.clone() } else { String::new() };
                    sentences = fill(plan, only, |_| false);
                });
                if let Ok(settings) = outcome {
                    let finite = |window: &Window| window.current_a.is_finite() && window.until_soc.is_finite();
                    prop_assert!(settings.plan().windows.iter().all(finite));
                    prop_assert!(settings.plan().charge_c_over_c.at(20.0).is_finite());
                }
                prop_assert!(sentences.iter().all(|sentence| sentence.len() < 1_000), "{sentences:?}");
            }
        }
    }
}
