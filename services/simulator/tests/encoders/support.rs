use simulator::batteries::{Dialect, by_name};
use simulator::can::Frame;
use simulator::plant::alarms::{Alarm, AlarmSet};
use simulator::plant::bms::{Limits, Requests};
use simulator::report::{Extremes, Modules, Names, Place, Report};

pub(crate) fn report() -> Report {
    Report {
        manufacturer: "PYLON".to_owned(),
        names: Names {
            model: "BATT-48V/280".to_owned(),
            family: "FAM".to_owned(),
            serial: "AB0123456789".to_owned(),
            firmware: [2, 7],
        },
        address: 0,
        modules: Modules { online: 1, ..Modules::default() },
        cells_in_series: 16,
        is_ternary: false,
        voltage_v: 50.0,
        current_a: 0.0,
        temperature_c: 25.0,
        soc_percent: 50.0,
        soh_percent: 100.0,
        installed_ah: 280.0,
        remaining_ah: 140.0,
        rated_kwh: 14.3,
        charged_kwh: 1_234.5,
        discharged_kwh: 1_111.1,
        cycles: 83.9,
        limits: Limits {
            charge_voltage_v: 53.2,
            discharge_voltage_v: 46.0,
            charge_current_a: 37.0,
            discharge_current_a: 37.0,
        },
        charge_enabled: true,
        discharge_enabled: true,
        requests: Requests::default(),
        warnings: AlarmSet::default(),
        protections: AlarmSet::default(),
        cells_v: Some(extremes((3.274, 1, 3), (3.279, 1, 5))),
        cells_c: Some(extremes((10.8, 1, 1), (11.8, 0, 3))),
        first_module_v: (0..15).map(|cell| Some(3.3 + f64::from(cell) / 1_000.0)).collect(),
    }
}

/// Lowest and highest, each with module and cell from 0.
pub(crate) fn extremes(low: (f64, u8, u8), high: (f64, u8, u8)) -> Extremes {
    Extremes {
        low: low.0,
        low_at: Place { module: low.1, cell: low.2 },
        high: high.0,
        high_at: Place { module: high.1, cell: high.2 },
    }
}

pub(crate) fn only(alarm: Alarm) -> AlarmSet {
    [alarm].into_iter().collect()
}

pub(crate) fn dialect(name: &str) -> &'static Dialect {
    by_name(name).unwrap_or_else(|| panic!("no dialect {name}"))
}

pub(crate) fn sent(name: &str, report: &Report, id: u32) -> Option<Frame> {
    (dialect(name).encode)(report).into_iter().find(|frame| frame.id == id)
}

/// The bytes of a frame that must be there.
pub(crate) fn bytes(name: &str, report: &Report, id: u32) -> String {
    hex(&sent(name, report, id).unwrap_or_else(|| panic!("{name} does not send {id:#X}")))
}

pub(crate) fn hex(frame: &Frame) -> String {
    frame.data().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Identifier and length of each frame of a cycle, in their order.
pub(crate) fn shape(name: &str) -> Vec<(u32, usize)> {
    (dialect(name).encode)(&report()).iter().map(|frame| (frame.id, frame.data().len())).collect()
}
