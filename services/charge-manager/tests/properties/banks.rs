//! Banks at rest in all kinds of situations: what they show, and a manager that has watched them until nothing moved.

use std::sync::LazyLock;
use std::time::Duration;

use charge_manager::input::{Battery, BmsLimits, Class, Inverter, Inverters, Now, Probe};
use charge_manager::settings::Key;
use charge_manager::{Decision, Memory, Settings, decide};

/// One bank, and the decision that does not change any more.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) memory: Memory,
    pub(crate) batteries: Vec<Battery>,
    pub(crate) inverters: Inverters,
    pub(crate) settings: Settings,
    pub(crate) now: Now,
    pub(crate) steady: Decision,
}

const SETTLED_S: u64 = 400;

/// All of them.
pub(crate) fn banks() -> &'static [Case] {
    static BANKS: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let mut cases = Vec::new();
        for count in [1, 2, 3] {
            // Middle, knee, ceiling with one high cell, nearly empty; cold, mild, hot.
            for (cell_v, top_v, current_a) in [
                (3.33, 3.33, 60.0),
                (3.42, 3.44, 50.0),
                (3.40, 3.505, 20.0),
                (3.00, 3.01, -40.0),
                (3.30, 3.30, 0.0),
            ] {
                for celsius in [3.0, 22.0, 47.0] {
                    cases.push(settle(count, cell_v, top_v, current_a, celsius));
                }
            }
        }
        cases
    });
    &BANKS
}

/// A copy of one of them.
pub(crate) fn bank(index: usize) -> Case {
    banks()[index].clone()
}

fn settle(count: usize, cell_v: f64, top_v: f64, current_a: f64, celsius: f64) -> Case {
    let batteries: Vec<Battery> =
        (0..count).map(|index| battery(index, cell_v, top_v, current_a, celsius)).collect();
    let settings = Settings::default().with(&[(Key::FloorSoc, 0.0)]).unwrap();
    let total_a = current_a * count as f64;
    let mut inverters = Inverters::default();
    inverters.devices.push(Inverter {
        service: "com.victronenergy.multi.a".into(),
        label: "a".into(),
        class: Class::Follower,
        at: Duration::ZERO,
        current_a: Some(total_a),
        charge_rating_a: None,
        discharge_rating_a: None,
        response_s: 5.0,
        current_step_a: 0.1,
        draws_down: false,
        own_voltmeter: false,
        from_ac: false,
    });
    let mut memory = Memory::default();
    let mut now = Now { monotonic: Duration::from_secs(1_000), wall: None };
    let mut shown = batteries.clone();
    let mut steady = None;
    for second in 0..SETTLED_S {
        now.monotonic += Duration::from_secs(1);
        inverters.devices[0].at = now.monotonic;
        for battery in &mut shown {
            battery.at = now.monotonic;
            // A current that trembles: data that never change are those of a frozen battery.
            battery.current_a = Some(current_a + 0.05 * (second % 3) as f64);
        }
        steady = Some(decide(now, &shown, &inverters, &settings, &mut memory));
    }
    Case { memory, batteries: shown, inverters, settings, now, steady: steady.unwrap() }
}

fn battery(index: usize, cell_v: f64, top_v: f64, current_a: f64, celsius: f64) -> Battery {
    let mut cells_v = vec![Some(cell_v); 16];
    cells_v[3] = Some(top_v);
    Battery {
        service: format!("com.victronenergy.battery.pack{index}").into(),
        label: format!("B{index}").into(),
        connected: true,
        voltage_v: Some(15.0 * cell_v + top_v),
        current_a: Some(current_a),
        soc_percent: Some(55.0),
        soh_percent: Some(98.0),
        capacity_ah: Some(100.0 + 90.0 * index as f64),
        cells_in_series: Some(16),
        cells_v,
        temperatures: (0..3)
            .map(|probe| Probe {
                name: format!("T{probe}").into(),
                celsius: Some(celsius + f64::from(probe)),
            })
            .collect(),
        mosfet_c: Some(40.0),
        limits: BmsLimits {
            charge_voltage_v: Some(57.6),
            charge_current_a: Some(45.0 + 20.0 * index as f64),
            discharge_current_a: Some(100.0),
            low_voltage_v: Some(44.8),
        },
        may_charge: Some(true),
        may_discharge: Some(true),
        gives_way: true,
        ..Battery::default()
    }
}
