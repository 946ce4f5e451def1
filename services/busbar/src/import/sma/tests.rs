use charge_manager::settings::Chemistry;

use super::super::yaml::entries;
use super::*;

/// Every key of both forks, with the numbers of the original's own file.
const FILE: &str = "BMSData:
    max_battery_voltage: 60.0
    min_battery_voltage: 46.0
    hi_battery_voltage: 49.6
    low_battery_voltage: 49.6
    charge_bulk_amps: 164.0
    max_discharge_amps: 200.0
    charge_absorb_voltage: 56.2  # per pack
    charge_float_voltage: 54.4
    time_min_absorb: 120
    rebulk_voltage: 54.0

GridLogic:
    start_hour: 14
    end_hour: 22
    current: 100.0
    mid_hour: 17
    mid_hour_current: 175.0
    offtime_current: 4.0

SafetyLogic:
    after_blackout_charge_amps: 250.0
    after_blackout_min_soc: 15
    min_soc_inv_off: 5
";

fn site(cells: u16, chemistry: Chemistry) -> Site {
    Site { cells, chemistry, interface: "can5".to_owned() }
}

fn made(text: &str, site: &Site) -> Imported {
    import(&entries(text).unwrap(), site).unwrap()
}

/// The configuration that comes of a file.
fn configured(text: &str) -> bms_can::Config {
    let imported = made(text, &site(16, Chemistry::Lfp));
    service_kit::config::parse(&imported.bms_can, "x", []).unwrap()
}

#[test]
fn every_setting_of_the_original_has_a_home_that_says_where_it_came_from() {
    let imported = made(FILE, &site(14, Chemistry::Nmc));
    let all = format!("{}{}", imported.bms_can, imported.settings);
    for key in KEYS.iter().filter(|key| !key.starts_with("GridLogic") || key.ends_with("offtime_current")) {
        assert!(all.contains(&format!("# {key}, line ")), "{key} in\n{all}");
    }
    assert!(
        all.contains("'grid daily 14:00-23:00 100A 100%; grid daily 17:00-23:00 175A 49%'  # GridLogic"),
        "{all}"
    );
    assert!(!all.contains("not written"), "{all}");
    for line in [
        "FloatVoltage 3.8857  # BMSData.charge_float_voltage, line 9",
        "AbsorptionVoltage 4.0143  #",
        "RebulkVoltage 3.8571  #",
        "AbsorptionMinimum 2  #",
        "GridCurrent 4  #",
        "BlackoutRecharge 15  #",
        "BlackoutCurrent 250  #",
    ] {
        let command = format!("busbar set settings /Settings/Devices/busbar_bank/{line}");
        assert!(all.contains(&command), "{command} in\n{all}");
    }
}

#[test]
fn what_comes_of_it_is_a_configuration_with_the_original_s_numbers() {
    let config = configured(FILE);
    assert_eq!(config.can.interface.as_deref(), Some("can5"));
    let inverter = config.inverter.unwrap();
    assert_eq!(inverter.profile, "sma_sunny_island");
    assert_eq!(inverter.max_charge_voltage_v, Some(60.0));
    assert_eq!(inverter.discharge_voltage_v, Some(46.0));
    assert_eq!((inverter.max_charge_current_a, inverter.max_discharge_current_a), (Some(164.0), Some(200.0)));
    assert_eq!((inverter.grid_charge_below_v, inverter.island_off_below_soc_pct), (Some(49.6), Some(5.0)));
    assert_eq!((inverter.phases, inverter.remote_switch, inverter.vebus), (Some(2), false, false));
}

#[test]
fn an_absorption_that_the_chemistry_does_not_bear_is_told_and_not_written() {
    let imported = made(FILE, &site(16, Chemistry::Lfp));
    assert!(
        imported.settings.contains("# AbsorptionVoltage 3.5125 is not written: "),
        "{}",
        imported.settings
    );
    assert!(imported.settings.contains("FloatVoltage 3.4  #"), "{}", imported.settings);
    assert!(imported.notes.iter().any(|note| note.starts_with("AbsorptionVoltage 3.5125 is not written")));
}

#[test]
fn the_oldest_file_has_no_safety_logic_and_gets_what_its_program_had_instead() {
    let old = FILE.split("SafetyLogic").next().unwrap();
    let imported = made(old, &site(14, Chemistry::Nmc));
    assert!(imported.settings.contains("BlackoutRecharge 15  # where SafetyLogic is missing"));
    assert!(imported.settings.contains("BlackoutCurrent 200  # where SafetyLogic is missing"));
    assert_eq!(configured(old).inverter.unwrap().island_off_below_soc_pct, None);
}

#[test]
fn unknown_keys_are_told_with_their_line_and_the_nearest() {
    let text = FILE.replace("charge_bulk_amps", "charge_bulk_amp") + "Extra:\n    colour: red\n";
    let notes = made(&text, &site(14, Chemistry::Nmc)).notes;
    assert_eq!(
        notes[0],
        "line 6: BMSData.charge_bulk_amp is unknown, and nothing is made of it; did you mean \
         BMSData.charge_bulk_amps?"
    );
    assert_eq!(notes[1], "line 26: Extra.colour is unknown, and nothing is made of it");
    assert_eq!(configured(&text).inverter.unwrap().max_charge_current_a, None);
}

#[test]
fn what_should_be_a_number_and_is_none_is_refused_with_its_line() {
    for wrong in ["lots", "", ".nan", "1e999"] {
        let text = FILE.replace("164.0", wrong);
        let refusal = import(&entries(&text).unwrap(), &site(16, Chemistry::Lfp)).unwrap_err();
        assert!(refusal.starts_with("line 6: BMSData.charge_bulk_amps: a number is needed"), "{refusal}");
    }
}

#[test]
fn hours_reach_to_the_end_of_the_last_one_and_over_midnight() {
    let late = FILE.replace("start_hour: 14", "start_hour: 0").replace("end_hour: 22", "end_hour: 23");
    let imported = made(&late, &site(14, Chemistry::Nmc));
    assert!(
        imported.settings.contains("'grid daily 00:00-00:00 100A 100%; grid daily 17:00-00:00"),
        "all day"
    );
    let over = FILE.replace("start_hour: 14", "start_hour: 23").replace("end_hour: 22", "end_hour: 5");
    let imported = made(&over, &site(14, Chemistry::Nmc));
    assert!(imported.settings.contains("'grid daily 23:00-06:00 100A 100%'"), "{}", imported.settings);
    assert!(imported.notes.iter().any(|note| note.contains("the original never opened it")));
}
