//! Every number that can be set: its unit, its range, its default for each chemistry, and what it does.
//!
//! Sources of the defaults. LFP voltages and cold and hot ends: mr-manuel/venus-os_dbus-serialbattery (config.default.ini)
//! and Sleeper85/esphome-yambms (documents/README, yambms_core.yaml), 3.65 V and 2.5 V: data sheet EVE LF280K. LTO:
//! Toshiba SCiB presentation 3.0/4.2 Ah, Dr-Gigavolt/dbus-aggregate-batteries (config_LTO.ini). Lead-acid: Trojan User's
//! Guide, Rolls battery manual, Victron manuals of Phoenix Smart IP43, MultiPlus, SmartSolar MPPT and BMV-700. Ceilings,
//! control constants and the NMC column are this project's own.

/// What a number of the table is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Volts per cell.
    CellVolts,
    /// Volts of the pack.
    Volts,
    /// Volts of the pack per second.
    VoltsPerSecond,
    /// Volts per kelvin and cell.
    CellVoltsPerKelvin,
    /// Amperes.
    Amps,
    /// Amperes per ampere-hour of capacity: the C-rate.
    C,
    /// Ampere-hours.
    AmpHours,
    /// Milliohms times ampere-hours: the resistance of a cell of 1 Ah.
    MilliohmAmpHours,
    /// Per cent.
    Percent,
    /// Per cent per second.
    PercentPerSecond,
    /// Per cent per month.
    PercentPerMonth,
    /// A factor without unit.
    Factor,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Degrees Celsius.
    Celsius,
    /// Kelvin.
    Kelvin,
    /// A whole number.
    Count,
}

impl Unit {
    /// As it is printed behind a number; empty for none.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Unit::CellVolts => "V/cell",
            Unit::Volts => "V",
            Unit::VoltsPerSecond => "V/s",
            Unit::CellVoltsPerKelvin => "V/(K·cell)",
            Unit::Amps => "A",
            Unit::C => "C",
            Unit::AmpHours => "Ah",
            Unit::MilliohmAmpHours => "mΩ·Ah",
            Unit::Percent => "%",
            Unit::PercentPerSecond => "%/s",
            Unit::PercentPerMonth => "%/month",
            Unit::Factor | Unit::Count => "",
            Unit::Seconds => "s",
            Unit::Minutes => "min",
            Unit::Hours => "h",
            Unit::Days => "d",
            Unit::Celsius => "°C",
            Unit::Kelvin => "K",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The name of the setting.
    pub name: &'static str,
    /// What it does, one sentence.
    pub sentence: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Defaults in the order of the chemistries; not a number where the setting means nothing to a chemistry.
    pub defaults: [f64; 6],
}

/// Means nothing to this chemistry.
const NA: f64 = f64::NAN;

const fn all(default: f64) -> [f64; 6] {
    [default; 6]
}

/// The same for everything with cells, another for lead.
const fn li_pb(li: f64, pb: f64) -> [f64; 6] {
    [li, li, li, pb, pb, pb]
}

macro_rules! table {
    ($($(#[doc = $sentence:literal])+ $key:ident $unit:ident $min:literal to $max:literal $defaults:expr;)+) => {
        /// Which number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Key {
            $($(#[doc = $sentence])+ $key,)+
        }

        impl Key {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Key] = &[$(Key::$key),+];

            /// Its row.
            #[must_use]
            pub fn spec(self) -> &'static Spec {
                match self {
                    $(Key::$key => {
                        const SPEC: Spec = Spec {
                            name: stringify!($key),
                            sentence: concat!($($sentence),+),
                            unit: Unit::$unit,
                            min: $min,
                            max: $max,
                            defaults: $defaults,
                        };
                        &SPEC
                    })+
                }
            }
        }
    };
}

table! {
    // --- Voltages at 25 °C.                                 LFP    NMC    LTO    flooded AGM   gel
    /// Voltage that absorption holds.
    AbsorptionVoltage CellVolts 1.5 to 4.3                   [3.45,  4.10,  2.65,  2.45,  2.40,  2.37];
    /// Voltage that balancing holds instead of absorption.
    BalanceVoltage CellVolts 1.5 to 4.3                      [3.50,  4.12,  2.68,  NA,    NA,    NA];
    /// Voltage that float holds.
    FloatVoltage CellVolts 1.5 to 4.3                        [3.375, 4.00,  2.55,  2.27,  2.27,  2.25];
    /// Voltage that storage holds; the control of the charge voltage never goes lower.
    StorageVoltage CellVolts 1.5 to 4.3                      [3.33,  3.85,  2.45,  2.20,  2.20,  2.20];
    /// Voltage of an equalisation.
    EqualiseVoltage CellVolts 2.4 to 2.7                     [NA,    NA,    NA,    2.60,  2.45,  2.40];
    /// Voltage that the charge voltage control keeps the highest cell at or below.
    CellCeiling CellVolts 1.5 to 4.3                         [3.50,  4.13,  2.70,  NA,    NA,    NA];
    /// Voltage that the charge current control keeps the highest cell at or below.
    CellSoftMaximum CellVolts 1.5 to 4.3                     [3.53,  4.15,  2.72,  NA,    NA,    NA];
    /// A cell at this voltage stops charging.
    CellStop CellVolts 1.5 to 4.3                            [3.58,  4.19,  2.78,  NA,    NA,    NA];
    /// Charging that a cell has stopped may go on when all cells are at or below this voltage.
    CellStopRelease CellVolts 1.5 to 4.3                     [3.45,  4.10,  2.65,  NA,    NA,    NA];
    /// A cell (lead: the mean of the cells) at this voltage stops discharging.
    DischargeStop CellVolts 1.5 to 3.6                       [2.90,  3.10,  1.80,  1.85,  1.85,  1.85];
    /// Discharging may go on when all cells are at or above this voltage.
    DischargeRelease CellVolts 1.5 to 3.8                    [3.15,  3.40,  2.10,  2.08,  2.08,  2.08];
    /// Below this voltage charging is forced.
    ForceChargeBelow CellVolts 1.5 to 3.6                    [2.85,  3.00,  1.70,  NA,    NA,    NA];
    /// Below this voltage a pack recovers from deep discharge with little current.
    RecoveryBelow CellVolts 1.0 to 3.6                       [2.60,  2.85,  1.80,  NA,    NA,    NA];
    /// Below this voltage a cell is never charged again without its maker's advice.
    NeverChargeBelow CellVolts 0.5 to 3.0                    [2.00,  2.00,  1.20,  NA,    NA,    NA];
    /// Change of the charge voltages per kelvin above 25 °C.
    TemperatureCompensation CellVoltsPerKelvin -0.01 to 0.0  [0.0,   0.0,   0.0,   -0.004, -0.003, -0.005];

    // --- Currents                                           LFP    NMC    LTO    flooded AGM   gel
    /// Largest charge current as long as nothing limits it more.
    ChargeRate C 0.01 to 5.0                                 [0.5,   0.5,   1.0,   0.13,  0.20,  0.15];
    /// Largest discharge current as long as nothing limits it more.
    DischargeRate C 0.01 to 10.0                             [1.0,   1.0,   2.0,   0.5,   0.5,   0.5];
    /// Current below which a battery at its absorption voltage is full; for lithium the value at TailFullVoltage.
    TailCurrent C 0.001 to 0.1                               [0.05,  0.05,  0.05,  0.02,  0.01,  0.02];
    /// Highest cell at which the tail current has become 0.
    TailZeroVoltage CellVolts 1.5 to 4.3                     [3.37,  3.90,  2.55,  NA,    NA,    NA];
    /// Highest cell at which the tail current is TailCurrent.
    TailFullVoltage CellVolts 1.5 to 4.3                     [3.65,  4.20,  2.85,  NA,    NA,    NA];
    /// Charge current while balancing, in float at the cap of charge, in recovery, and at least when charging is forced.
    TrickleRate C 0.001 to 0.2                               all(0.05);
    /// Charge current with a sensor that is not to be trusted.
    SuspectRate C 0.0 to 0.5                                 all(0.1);
    /// Part of the charge rate that equalises.
    EqualiseRate Factor 0.01 to 0.2                          all(0.08);
    /// Charge rate without any temperature, where that is allowed at all: that of this temperature.
    AssumedTemperature Celsius -10.0 to 25.0                 all(10.0);
    /// Charge current of the bank, 0 for none of one's own.
    MaxChargeCurrent Amps 0.0 to 10000.0                     all(0.0);
    /// Discharge current of the bank, 0 for none of one's own.
    MaxDischargeCurrent Amps 0.0 to 10000.0                  all(0.0);
    /// Charge voltage of the bank, 0 for none of one's own.
    MaxChargeVoltage Volts 0.0 to 1000.0                     all(0.0);

    // --- The battery                                        LFP    NMC    LTO    flooded AGM   gel
    /// Cells in series of a battery that does not tell, 0 to infer the least that fits.
    CellsInSeries Count 0.0 to 400.0                         all(0.0);
    /// Capacity of a battery that does not tell.
    AssumedCapacity AmpHours 1.0 to 10000.0                  all(100.0);
    /// Direct-current resistance of a cell times its capacity, until a higher one is measured.
    CellResistance MilliohmAmpHours 10.0 to 2000.0           [280.0, 110.0, 40.0,  200.0, 200.0, 200.0];
    /// Part of the charge put in that can be taken out.
    Efficiency Factor 0.5 to 1.0                             [0.995, 0.995, 0.995, 0.88,  0.92,  0.92];
    /// Charge lost at rest.
    SelfDischarge PercentPerMonth 0.0 to 30.0                [2.0,   2.0,   2.0,   5.0,   3.0,   3.0];
    /// Peukert's exponent.
    Peukert Factor 1.0 to 1.5                                [1.04,  1.05,  1.02,  1.25,  1.15,  1.15];

    // --- Times of the charge                                LFP    NMC    LTO    flooded AGM   gel
    /// How long the current must be below the tail current.
    TailDwell Seconds 10.0 to 3600.0                         li_pb(60.0, 180.0);
    /// Least time at the absorption voltage.
    AbsorptionMinimum Hours 0.0 to 8.0                       li_pb(0.0, 1.0);
    /// Most time at the absorption voltage.
    AbsorptionMaximum Hours 0.1 to 24.0                      [2.0,   2.0,   1.0,   8.0,   6.0,   6.0];
    /// Most time of balancing after absorption.
    BalanceMaximum Hours 0.0 to 48.0                         [2.0,   2.0,   2.0,   NA,    NA,    NA];
    /// Time in float without notable discharge until storage.
    StorageAfter Hours 1.0 to 1000.0                         [48.0,  12.0,  24.0,  24.0,  24.0,  24.0];
    /// Days in storage until absorption is repeated.
    RepeatAbsorptionAfter Days 1.0 to 60.0                   [NA,    NA,    NA,    7.0,   7.0,   7.0];
    /// Length of a repeated absorption.
    RepeatAbsorptionTime Hours 0.1 to 8.0                    [NA,    NA,    NA,    1.0,   1.0,   1.0];
    /// Days from one equalisation to the next, 0 for none.
    EqualiseEvery Days 0.0 to 365.0                          [NA,    NA,    NA,    0.0,   0.0,   0.0];
    /// Most time of an equalisation.
    EqualiseMaximum Hours 0.1 to 8.0                         [NA,    NA,    NA,    1.0,   1.0,   1.0];
    /// A battery hotter than this is not equalised.
    EqualiseBelow Celsius 20.0 to 60.0                       [NA,    NA,    NA,    40.0,  40.0,  40.0];
    /// Days without a full charge until a warning.
    FullChargeWarning Days 1.0 to 365.0                      [14.0,  30.0,  30.0,  5.0,   5.0,   5.0];
    /// Days without a full charge until one is due.
    FullChargeDue Days 1.0 to 365.0                          [30.0,  60.0,  60.0,  7.0,   7.0,   7.0];
    /// State of charge below which float ends.
    RebulkSoc Percent 0.0 to 99.0                            [90.0,  95.0,  95.0,  90.0,  90.0,  90.0];
    /// Highest cell (lead: mean) at which float ends, at little current.
    RebulkVoltage CellVolts 1.5 to 4.3                       [3.30,  3.85,  2.40,  2.10,  2.10,  2.10];
    /// How long the voltage must be that low.
    RebulkDelay Minutes 1.0 to 120.0                         li_pb(10.0, 5.0);
    /// Least time in float, except on request.
    FloatMinimum Minutes 1.0 to 240.0                        all(15.0);
    /// How long the absorption voltage must be reached before absorption begins.
    AbsorptionEntry Seconds 1.0 to 600.0                     all(10.0);
    /// How long the cause of a protection must be gone before charging goes on.
    ProtectDwell Seconds 10.0 to 3600.0                      all(60.0);
    /// Difference of highest and lowest cell below which the cells are balanced.
    BalancedSpread CellVolts 0.002 to 0.1                    [0.020, 0.010, 0.010, NA,    NA,    NA];
    /// Highest cell from which the difference of the cells says something.
    BalancedFrom CellVolts 1.5 to 4.3                        [3.42,  4.00,  2.60,  NA,    NA,    NA];

    // --- State of charge                                    LFP    NMC    LTO    flooded AGM   gel
    /// State of charge at which charging ends in float, 100 for a full charge every time.
    MaxSoc Percent 50.0 to 100.0                             all(100.0);
    /// State of charge at which discharging ends.
    FloorSoc Percent 0.0 to 90.0                             [10.0,  10.0,  5.0,   50.0,  50.0,  50.0];
    /// How far above the floor discharging may go on.
    FloorRelease Percent 1.0 to 30.0                         all(3.0);
    /// How long discharging stays ended at least.
    FloorDwell Minutes 0.0 to 120.0                          all(5.0);
    /// How far below the floor charging is forced.
    ForceBelowFloor Percent 1.0 to 30.0                      all(5.0);
    /// How far above the floor forced charging ends.
    ForceUntilAboveFloor Percent 1.0 to 50.0                 all(5.0);
    /// Least time of forced charging.
    ForceMinimum Minutes 1.0 to 240.0                        all(10.0);
    /// Change per ten seconds of the state of charge that is shown.
    SocSlew Percent 0.1 to 100.0                             all(1.0);

    // --- Where the current comes from
    /// Charge current from the grid outside the windows.
    GridCurrent Amps 0.0 to 10000.0                          all(10000.0);
    /// Charge current from the generator outside the windows.
    GeneratorCurrent Amps 0.0 to 10000.0                     all(10000.0);
    /// State of charge up to which the grid charges after a blackout, 0 for no such charge.
    BlackoutRecharge Percent 0.0 to 100.0                    all(0.0);
    /// Charge current from the grid after a blackout.
    BlackoutCurrent Amps 0.0 to 10000.0                      all(10000.0);
    /// How long the grid must have been away to count as a blackout.
    BlackoutAfter Minutes 0.1 to 1440.0                      all(5.0);

    // --- Control of voltage and current
    /// How far ahead the charge current control looks along the rise of the highest cell.
    PredictionTime Seconds 0.0 to 30.0                       all(5.0);
    /// Time constant of the trim that takes a constant error out of the charge voltage.
    TrimTime Seconds 10.0 to 600.0                           all(60.0);
    /// Most that the trim lowers the charge voltage.
    TrimMaximum Volts 0.0 to 5.0                             all(1.0);
    /// Fall of the charge voltage that is published at once.
    VoltageFallStep Volts 0.001 to 0.5                       all(0.020);
    /// Rise of the charge voltage that is worth publishing.
    VoltageRiseStep Volts 0.01 to 1.0                        all(0.050);
    /// Speed of a rise of the charge voltage.
    VoltageRise VoltsPerSecond 0.001 to 1.0                  all(0.020);
    /// Speed of the way down to float and storage.
    FloatRamp VoltsPerSecond 0.0001 to 1.0                   all(0.002);
    /// Speed of a rise of the charge current, of its maximum.
    ChargeRise PercentPerSecond 0.1 to 100.0                 all(1.0);
    /// Speed of a rise of the discharge current, of its maximum.
    DischargeRise PercentPerSecond 0.1 to 100.0              all(5.0);
    /// How long the charge current stays at 0 once it is there.
    ZeroDwell Seconds 0.0 to 3600.0                          all(30.0);
    /// Least charge current after 0, of the maximum.
    LeastAfterZero Percent 0.0 to 10.0                       all(1.5);
    /// Rise of a current limit that is worth publishing, of its maximum.
    CurrentStep Percent 0.1 to 10.0                          all(1.0);
    /// Least time between two published rises.
    RiseDwell Seconds 5.0 to 600.0                           all(5.0);
    /// How far a charger may be above the charge voltage before it counts as not obeying it.
    DisobeyVoltage Volts 0.05 to 2.0                         all(0.15);
    /// How long it may be there.
    DisobeyTime Seconds 5.0 to 600.0                         all(20.0);
    /// Most that the voltage sent to a charger is above the charge voltage, to make up for its own meter; 0 for none.
    SenseTrimMaximum Volts 0.0 to 0.4                        all(0.4);

    // --- Temperature
    /// How far a temperature must come back before a limit rises again.
    TemperaturePlay Kelvin 0.0 to 10.0                       all(1.0);
    /// Difference of the sensors of one battery that is reported.
    SensorsDiffer Kelvin 5.0 to 60.0                         all(15.0);

    // --- Batteries in parallel
    /// Reserve for what is known about the sharing of the current.
    Guard Factor 1.0 to 2.0                                  all(1.03);
    /// Reserve while the sharing is not yet known well.
    GuardUnknown Factor 1.0 to 2.0                           all(1.10);
    /// Reserve near full, where the sharing changes.
    GuardNearFull Factor 1.0 to 2.0                          all(1.15);
    /// Highest cell from which the sharing changes.
    NearFullVoltage CellVolts 1.5 to 4.3                     [3.40,  4.05,  2.60,  2.35,  2.32,  2.30];
    /// Difference to the busbar of a battery that is not connected to it.
    OpenVoltage Volts 0.1 to 5.0                             all(0.3);
    /// Largest difference to the busbar, for 16 cells, at which a battery may be connected.
    JoinVoltage Volts 0.02 to 2.0                            all(0.2);
    /// How long the data of a battery must be good before it counts as healthy.
    HealthyTime Seconds 1.0 to 600.0                         all(10.0);
    /// How long after a join nothing rises.
    JoinObservation Seconds 0.0 to 600.0                     all(30.0);

    // --- Chargers that do not obey
    /// How long a charger may be above its share, its own slowness allowed for, before it counts as not obeying.
    OverrunTime Seconds 3.0 to 120.0                         all(8.0);
    /// How long a charger must obey before it counts as obeying again.
    OverrunForgiven Seconds 10.0 to 3600.0                   all(60.0);
    /// How long each step against a charger that does not obey has to help before the next one.
    EscalationTime Seconds 5.0 to 600.0                      all(15.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_in_its_range_and_every_row_has_a_sentence() {
        for &key in Key::ALL {
            let spec = key.spec();
            assert!(spec.min < spec.max, "{}", spec.name);
            assert!(spec.sentence.trim().ends_with('.'), "{}", spec.name);
            for default in spec.defaults.into_iter().filter(|default| !default.is_nan()) {
                assert!((spec.min..=spec.max).contains(&default), "{} {default}", spec.name);
            }
        }
    }

    #[test]
    fn a_setting_that_means_nothing_to_lithium_means_something_to_lead_or_the_other_way_round() {
        for &key in Key::ALL {
            let defaults = key.spec().defaults;
            assert!(defaults.iter().any(|default| !default.is_nan()), "{}", key.spec().name);
            let [lfp, nmc, lto, flooded, agm, gel] = defaults.map(f64::is_nan);
            assert!(lfp == nmc && nmc == lto && flooded == agm && agm == gel, "{}", key.spec().name);
        }
    }
}
