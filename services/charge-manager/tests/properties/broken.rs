//! What can be wrong with the data of a battery.

use std::time::Duration;

use charge_manager::Name;
use charge_manager::input::{Battery, BmsLimits, Probe};
use proptest::prelude::*;

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) enum Broken {
    /// A number of this field is none, or one that it cannot be.
    Number(Field, Option<f64>),
    /// The same data as so many seconds ago.
    Old(u64),
    /// From the future.
    Early(u64),
    /// Not connected.
    Gone,
    /// Nothing but a name.
    Empty,
    /// A flag that forbids.
    Forbids(bool),
    /// A cell that contradicts its pack.
    Cell(usize, f64),
    /// The voltage of the pack contradicts its cells.
    Pack(f64),
    /// Another number of cells.
    Cells(Option<u32>),
    /// Some of the sensors are no longer there.
    FewerProbes(usize),
}

/// Fields with numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    Voltage,
    Current,
    Soc,
    Soh,
    Capacity,
    Cell(usize),
    Probe(usize),
    Mosfet,
    ChargeVoltage,
    ChargeCurrent,
    DischargeCurrent,
    LowVoltage,
}

impl Broken {
    pub(crate) fn apply(&self, battery: &mut Battery) {
        match self {
            Broken::Number(field, value) => field.set(battery, *value),
            Broken::Old(seconds) => battery.at = battery.at.saturating_sub(Duration::from_secs(*seconds)),
            Broken::Early(seconds) => battery.at += Duration::from_secs(*seconds),
            Broken::Gone => battery.connected = false,
            Broken::Empty => {
                *battery = Battery {
                    service: battery.service.clone(),
                    label: battery.label.clone(),
                    at: battery.at,
                    connected: true,
                    ..Battery::default()
                };
            }
            Broken::Forbids(true) => battery.may_charge = Some(false),
            Broken::Forbids(false) => battery.may_discharge = Some(false),
            Broken::Cell(index, v) => {
                if let Some(cell) = battery.cells_v.get_mut(*index) {
                    *cell = Some(*v);
                }
            }
            Broken::Pack(by_v) => battery.voltage_v = battery.voltage_v.map(|v| v + by_v),
            Broken::Cells(cells) => battery.cells_in_series = *cells,
            Broken::FewerProbes(left) => battery.temperatures.truncate(*left),
        }
    }
}

impl Field {
    fn set(self, battery: &mut Battery, value: Option<f64>) {
        let limits = &mut battery.limits;
        let slot = match self {
            Field::Voltage => &mut battery.voltage_v,
            Field::Current => &mut battery.current_a,
            Field::Soc => &mut battery.soc_percent,
            Field::Soh => &mut battery.soh_percent,
            Field::Capacity => &mut battery.capacity_ah,
            Field::Mosfet => &mut battery.mosfet_c,
            Field::ChargeVoltage => &mut limits.charge_voltage_v,
            Field::ChargeCurrent => &mut limits.charge_current_a,
            Field::DischargeCurrent => &mut limits.discharge_current_a,
            Field::LowVoltage => &mut limits.low_voltage_v,
            Field::Cell(index) => match battery.cells_v.get_mut(index) {
                Some(cell) => cell,
                None => return,
            },
            Field::Probe(index) => match battery.temperatures.get_mut(index) {
                Some(probe) => &mut probe.celsius,
                None => return,
            },
        };
        *slot = value;
    }
}

/// Numbers that mean nothing, as devices send them.
fn no_number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        prop::sample::select(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -10.0,
            -0.1,
            -273.15,
            6_553.5,
            3_276.7 * 10.0,
            65_535.0,
            1e9,
            -1e9,
            f64::MAX,
            f64::MIN,
        ])
        .prop_map(Some),
        (1e4f64..1e300).prop_map(Some),
        (-1e300f64..-1e4).prop_map(Some),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        Just(Field::Voltage),
        Just(Field::Soc),
        Just(Field::Soh),
        Just(Field::Capacity),
        (0usize..16).prop_map(Field::Cell),
        (0usize..3).prop_map(Field::Probe),
        Just(Field::Mosfet),
        Just(Field::ChargeVoltage),
        Just(Field::ChargeCurrent),
        Just(Field::DischargeCurrent),
        Just(Field::LowVoltage),
    ]
}

/// Anything that is wrong.
pub(crate) fn anything() -> impl Strategy<Value = Broken> {
    // A current may well be negative; a temperature of −10 °C is one to be believed in if it comes slowly.
    let no_current =
        no_number().prop_filter("a current", |a| a.is_none_or(|a| a.is_nan() || a.abs() > 6_000.0));
    prop_oneof![
        6 => (field(), no_number()).prop_map(|(field, value)| Broken::Number(field, value)),
        1 => no_current.prop_map(|value| Broken::Number(Field::Current, value)),
        1 => (1u64..100).prop_map(Broken::Old),
        1 => (2u64..100_000).prop_map(Broken::Early),
        1 => Just(Broken::Gone),
        1 => Just(Broken::Empty),
        1 => any::<bool>().prop_map(Broken::Forbids),
        1 => (0usize..16, 0.0f64..5.0).prop_map(|(index, v)| Broken::Cell(index, if v < 2.2 { v } else { v + 1.6 })),
        1 => prop_oneof![1.0f64..40.0, -40.0f64..-1.0].prop_map(Broken::Pack),
        1 => prop_oneof![Just(None), (0u32..500).prop_map(Some)].prop_map(Broken::Cells),
        1 => (0usize..3).prop_map(Broken::FewerProbes),
    ]
}

fn any<T: Arbitrary>() -> impl Strategy<Value = T> {
    proptest::prelude::any::<T>()
}

/// Any number at all, and often one that devices show.
pub(crate) fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => proptest::num::f64::ANY,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MIN_POSITIVE, f64::MAX]),
        2 => -100.0f64..700.0,
        2 => 2.0f64..4.0,
        2 => 40.0f64..60.0,
    ]
}

/// A battery that shows anything.
pub(crate) fn any_battery() -> impl Strategy<Value = Battery> {
    let maybe = || proptest::option::weighted(0.8, any_number());
    let first =
        (0u8..5, 0u64..600, maybe(), maybe(), maybe(), maybe(), maybe(), proptest::option::of(0u32..1_000));
    let cells = proptest::collection::vec(proptest::option::weighted(0.9, any_number()), 0..20);
    let probes = proptest::collection::vec(maybe(), 0..4);
    let second = (cells, probes, maybe(), maybe(), maybe(), maybe(), maybe(), maybe());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (first, second, flags).prop_map(|(first, second, flags)| {
        let (name, at_s, voltage_v, current_a, soc_percent, soh_percent, capacity_ah, cells_in_series) =
            first;
        let (cells_v, probes, high, low, mosfet_c, cvl, ccl, dcl) = second;
        let named =
            |(index, celsius): (usize, Option<f64>)| Probe { name: Name::from(format!("T{index}")), celsius };
        Battery {
            service: Name::from(format!("com.victronenergy.battery.pack{name}")),
            label: Name::from(format!("B{name}")),
            at: Duration::from_secs(at_s),
            connected: flags.0,
            voltage_v,
            current_a,
            soc_percent,
            soh_percent,
            capacity_ah,
            cells_in_series,
            cells_v,
            highest_cell_v: high,
            lowest_cell_v: low,
            temperatures: probes.into_iter().enumerate().map(named).collect(),
            mosfet_c,
            limits: BmsLimits {
                charge_voltage_v: cvl,
                charge_current_a: ccl,
                discharge_current_a: dcl,
                low_voltage_v: high,
            },
            may_charge: Some(flags.1),
            may_discharge: Some(flags.2),
            asks_for_charge: flags.3,
            ..Battery::default()
        }
    })
}
