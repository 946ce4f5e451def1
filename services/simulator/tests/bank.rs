//! Modules in parallel, and what their BMS do.

use simulator::plant::alarms::{Alarm, AlarmSet};
use simulator::plant::bank::Bank;
use simulator::plant::bms::BmsSpec;
use simulator::plant::cell::Effects;
use simulator::plant::chemistry::LFP;
use simulator::plant::module::{Module, ModuleSpec};
use simulator::plant::pack::PackSpec;
use simulator::plant::rng::Rng;
use simulator::plant::sensors::{Noise, Sensor, SensorFault};

fn spec(capacity_ah: f64, soc: f64) -> ModuleSpec {
    ModuleSpec {
        pack: PackSpec::even(&LFP, 16, capacity_ah, soc, Effects::NONE),
        bms: BmsSpec {
            charge_voltage_limit_v: 57.6,
            discharge_voltage_limit_v: 46.4,
            max_charge_current_a: 140.0,
            max_discharge_current_a: 200.0,
            tapers: false,
            nominal_ah: capacity_ah,
            soc,
            soc_gain_error: 0.0,
            soh_percent: 100.0,
        },
        noise: Noise::NONE,
    }
}

fn bank(specs: impl IntoIterator<Item = ModuleSpec>) -> Bank {
    Bank::new(specs.into_iter().map(|spec| Module::new(spec, Rng::new(1, 1))).collect())
}

fn currents_a(bank: &Bank) -> Vec<f64> {
    bank.modules().iter().map(|module| module.pack.current_a()).collect()
}

fn run(bank: &mut Bank, current_a: f64, seconds: usize) {
    (0..seconds).for_each(|_| bank.step(current_a, 1.0));
}

#[test]
fn parallel_modules_have_one_voltage_and_their_currents_add_up() {
    let mut bank = bank([spec(280.0, 0.50), spec(100.0, 0.55), spec(200.0, 0.45)]);
    for current_a in [0.0, 120.0, -150.0, 3.0] {
        bank.step(current_a, 1.0);
        assert!((currents_a(&bank).iter().sum::<f64>() - current_a).abs() < 1e-9);
        for module in bank.modules() {
            assert!((module.pack.terminal_v() - bank.bus_v()).abs() < 2e-3);
        }
    }
}

#[test]
fn equal_modules_share_by_their_resistance() {
    let mut double = spec(280.0, 0.5);
    double.pack.harness_ohm *= 2.0;
    double.pack.cells.iter_mut().for_each(|cell| {
        cell.r0_ohm *= 2.0;
        cell.r1_ohm *= 2.0;
    });
    let mut bank = bank([spec(280.0, 0.5), double]);
    bank.step(90.0, 1.0);
    let shares = currents_a(&bank);
    assert!((shares[0] / shares[1] - 2.0).abs() < 0.01, "{shares:?}");
}

#[test]
fn modules_at_different_charge_even_out_through_the_busbar() {
    let mut bank = bank([spec(100.0, 0.30), spec(100.0, 0.20)]);
    bank.step(0.0, 1.0);
    let first = currents_a(&bank);
    assert!(first[0] < -1.0 && (first[0] + first[1]).abs() < 1e-9, "{first:?}");
    run(&mut bank, 0.0, 24 * 3_600);
    let socs: Vec<f64> = bank.modules().iter().map(|module| module.pack.mean_soc()).collect();
    assert!((socs[0] - socs[1]).abs() < 0.02 && (socs[0] + socs[1] - 0.5).abs() < 1e-9, "{socs:?}");
}

#[test]
fn a_module_that_may_not_charge_still_discharges_and_the_others_take_its_share() {
    let mut bank = bank([spec(100.0, 0.5), spec(100.0, 0.5)]);
    bank.modules_mut()[0].switches.charge_broken = true;
    bank.step(60.0, 1.0);
    let charging = currents_a(&bank);
    assert!(charging[0].abs() < 1e-9 && (charging[1] - 60.0).abs() < 1e-6, "{charging:?}");
    bank.step(-60.0, 1.0);
    assert!(currents_a(&bank).iter().all(|&current_a| current_a < -10.0));
}

#[test]
fn a_current_that_no_module_can_take_does_not_flow() {
    let mut bank = bank([spec(100.0, 0.5)]);
    bank.modules_mut()[0].switches.ask_contactor(false);
    bank.step(60.0, 1.0);
    assert_eq!((bank.current_a(), bank.modules()[0].limits().charge_current_a), (0.0, 0.0));
    bank.modules_mut()[0].switches.ask_contactor(true);
    run(&mut bank, 60.0, 4);
    assert!((bank.current_a() - 60.0).abs() < 1e-9);
}

#[test]
fn over_voltage_warns_then_opens_the_charge_switch_after_two_seconds_and_releases_at_the_lower_threshold() {
    let mut bank = bank([spec(100.0, 0.98)]);
    let mut seconds_above = 0;
    let mut warned = false;
    while bank.modules()[0].switches.charge_on {
        bank.step(50.0, 1.0);
        let module = &bank.modules()[0];
        warned |= module.warnings().has(Alarm::HighVoltage) && !module.protections().has(Alarm::HighVoltage);
        seconds_above += usize::from(module.pack.highest_v() >= 3.65);
        assert!(seconds_above <= 2, "open by now");
    }
    assert!(warned && seconds_above == 2);
    let module = &bank.modules()[0];
    assert!(module.protections().has(Alarm::HighVoltage));
    assert_eq!(module.limits().charge_current_a, 0.0);
    assert_eq!(module.bms.soc(), 1.0);

    bank.step(50.0, 1.0);
    assert!(bank.current_a().abs() < 1e-9);
    while !bank.modules()[0].switches.charge_on {
        bank.step(-20.0, 1.0);
    }
    assert!((3.30..=3.45).contains(&bank.modules()[0].pack.highest_v()));
    assert_eq!(bank.modules()[0].protections(), AlarmSet::default());
}

#[test]
fn under_voltage_opens_the_discharge_switch_and_charging_releases_it() {
    let mut bank = bank([spec(100.0, 0.03)]);
    while bank.modules()[0].switches.discharge_on {
        bank.step(-50.0, 1.0);
    }
    let module = &bank.modules()[0];
    assert!(module.pack.lowest_v() <= 2.50 && module.protections().has(Alarm::LowVoltage));
    assert_eq!((module.bms.soc(), module.limits().discharge_current_a), (0.0, 0.0));
    bank.step(-50.0, 1.0);
    assert!(bank.current_a().abs() < 1e-9);
    while !bank.modules()[0].switches.discharge_on {
        bank.step(20.0, 1.0);
    }
    assert!(bank.modules()[0].pack.lowest_v() >= 3.0);
}

#[test]
fn over_current_for_ten_seconds_switches_off_for_a_minute() {
    let mut bank = bank([spec(280.0, 0.5)]);
    run(&mut bank, 200.0, 9);
    run(&mut bank, 0.0, 1);
    run(&mut bank, 200.0, 9);
    assert!(bank.modules()[0].switches.charge_on, "a break starts the count again");
    assert!(bank.modules()[0].warnings().has(Alarm::ChargeCurrent));
    run(&mut bank, 200.0, 1);
    assert!(!bank.modules()[0].switches.charge_on);
    assert!(bank.modules()[0].protections().has(Alarm::ChargeCurrent));
    run(&mut bank, 0.0, 59);
    assert!(!bank.modules()[0].switches.charge_on);
    run(&mut bank, 0.0, 1);
    assert!(bank.modules()[0].switches.charge_on);
}

#[test]
fn cold_cells_may_not_be_charged_and_hot_ones_may_do_nothing() {
    for (temperature_c, charge, discharge, alarm) in
        [(-4.0, false, true, Alarm::LowTemperature), (60.0, false, false, Alarm::HighTemperature)]
    {
        let mut bank = bank([spec(280.0, 0.5)]);
        bank.modules_mut()[0].pack.set_temperature_c(temperature_c);
        run(&mut bank, 0.0, 3);
        let module = &bank.modules()[0];
        assert_eq!((module.switches.may_charge(), module.switches.may_discharge()), (charge, discharge));
        assert!(module.protections().has(alarm));
        bank.modules_mut()[0].pack.set_temperature_c(25.0);
        run(&mut bank, 0.0, 3);
        assert!(bank.modules()[0].switches.may_charge() && bank.modules()[0].switches.may_discharge());
    }
}

#[test]
fn a_tapering_bms_lowers_its_limit_before_it_must_trip() {
    let mut tapering = spec(100.0, 0.95);
    tapering.bms.tapers = true;
    let mut bank = bank([tapering]);
    let mut limit_a = 140.0;
    for _ in 0..7_200 {
        bank.step(f64::min(50.0, limit_a), 1.0);
        limit_a = bank.modules()[0].limits().charge_current_a;
    }
    assert!(bank.modules()[0].pack.highest_v() < 3.50 && bank.modules()[0].switches.charge_on);
    assert!(limit_a < 5.0);
}

#[test]
fn the_counter_drifts_by_its_gain_error_and_is_right_again_when_full() {
    let mut drifting = spec(100.0, 0.5);
    drifting.bms.soc_gain_error = 0.01;
    let mut bank = bank([drifting]);
    for _ in 0..10 {
        run(&mut bank, 50.0, 1_800);
        run(&mut bank, -50.0, 1_800);
    }
    run(&mut bank, 50.0, 1_440);
    let module = &bank.modules()[0];
    assert!((module.pack.mean_soc() - 0.70).abs() < 1e-6);
    assert!((module.bms.soc() - 0.702).abs() < 1e-6, "{}", module.bms.soc());
    let mut held_a = 50.0;
    for _ in 0..7_200 {
        bank.step(held_a, 1.0);
        held_a = (held_a + (57.55 - bank.bus_v()) / bank.resistance_ohm()).clamp(0.0, 50.0);
    }
    assert_eq!(bank.modules()[0].bms.soc(), 1.0);
}

#[test]
fn an_almost_empty_battery_asks_for_charge_and_one_never_full_for_thirty_days_for_a_full_one() {
    let mut bank = bank([spec(100.0, 0.16)]);
    assert!(!bank.modules()[0].requests().force_charge_1);
    run(&mut bank, -50.0, 100);
    assert!(bank.modules()[0].requests().force_charge_1 && !bank.modules()[0].requests().force_charge_2);
    run(&mut bank, 50.0, 200);
    assert!(bank.modules()[0].requests().force_charge_1, "until 19 %");
    run(&mut bank, 50.0, 200);
    assert!(!bank.modules()[0].requests().force_charge_1);
    (0..30 * 24 - 1).for_each(|_| bank.modules_mut()[0].step(0.0, 3_600.0));
    assert!(!bank.modules()[0].requests().full_charge);
    bank.modules_mut()[0].step(0.0, 3_600.0);
    assert!(bank.modules()[0].requests().full_charge);
    bank.modules_mut()[0].bms.set_soc(0.98);
    bank.step(0.0, 1.0);
    assert!(!bank.modules()[0].requests().full_charge);
}

#[test]
fn a_lost_sensor_is_an_internal_fault_until_it_is_back() {
    let mut bank = bank([spec(100.0, 0.5)]);
    bank.modules_mut()[0].sensors.set_fault(Sensor::Cell(3), Some(SensorFault::Lost));
    bank.step(0.0, 1.0);
    assert!(bank.modules()[0].protections().has(Alarm::Internal));
    bank.modules_mut()[0].sensors.repair();
    bank.step(0.0, 1.0);
    assert_eq!(bank.modules()[0].protections(), AlarmSet::default());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_current_is_imposed_every_number_stays_finite_and_every_charge_in_its_bounds(
            steps in prop::collection::vec((any::<f64>(), 0.0f64..30.0, any::<bool>()), 1..60),
            socs in prop::collection::vec(-0.5f64..1.5, 1..5),
            temperature_c in -40.0f64..80.0,
        ) {
            let mut bank = bank(socs.iter().map(|&soc| {
                let mut spec = spec(100.0, soc);
                spec.pack.effects = Effects::ALL;
                spec.pack.temperature_c = temperature_c;
                spec.noise = Noise::TYPICAL;
                spec
            }));
            for (wanted_a, dt_s, switch) in steps {
                bank.modules_mut()[0].switches.ask_contactor(switch);
                bank.step(wanted_a, dt_s);
                prop_assert!(bank.bus_v().is_finite());
                let sum_a: f64 = currents_a(&bank).iter().sum();
                prop_assert!((sum_a - bank.current_a()).abs() < 1e-6);
                for module in bank.modules() {
                    prop_assert!((0.0..=1.0).contains(&module.bms.soc()));
                    let limits = module.limits();
                    prop_assert!(limits.charge_current_a >= 0.0 && limits.discharge_current_a >= 0.0);
                    for (cell, voltage) in module.pack.cells().iter().zip(module.pack.cells_v()) {
                        prop_assert!((-0.02..=1.05).contains(&cell.soc()));
                        prop_assert!(voltage.is_finite() && cell.temperature_c().is_finite());
                    }
                }
            }
        }

        #[test]
        fn what_can_flow_does_flow_and_what_cannot_does_not(
            modules in prop::collection::vec((0.0f64..1.0, any::<bool>(), any::<bool>()), 1..8),
            wanted_a in -500.0f64..500.0,
        ) {
            let mut bank = bank(modules.iter().map(|&(soc, _, _)| spec(100.0, soc)));
            for (module, &(_, charge, discharge)) in bank.modules_mut().iter_mut().zip(&modules) {
                module.switches.charge_broken = !charge;
                module.switches.discharge_broken = !discharge;
            }
            let possible = modules.iter().any(|&(_, charge, discharge)| if wanted_a > 0.0 { charge } else { discharge });
            bank.step(wanted_a, 1.0);
            let expected_a = if possible { wanted_a } else { 0.0 };
            prop_assert!((bank.current_a() - expected_a).abs() < 1e-6, "{} of {expected_a}", bank.current_a());
            for (current_a, (_, charge, discharge)) in currents_a(&bank).into_iter().zip(modules) {
                prop_assert!((charge || current_a <= 0.0) && (discharge || current_a >= 0.0));
            }
        }
    }
}
