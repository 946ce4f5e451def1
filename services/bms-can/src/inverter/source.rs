//! The decision that is followed, and what the battery measures, from the bus.

use std::time::Duration;

use dbus_interfaces::classes::battery as b;
use dbus_interfaces::follower::{Follower, Limits, Source, Stance};
use dbus_interfaces::{BusAddress, BusError, Events, Filter, Item, Monitor};
use tokio::time::{Instant, timeout};

use super::told::{Faults, Measured};
use crate::battery::Level;
use crate::message::Condition;

/// A follower wants to be asked so often while it goes to zero, and at least once a second otherwise.
const RAMPING: Duration = Duration::from_millis(100);
const ASK: Duration = Duration::from_millis(500);
/// A follower keeps the limits of a source that is gone for 10 s, and is at 0 A two seconds later: so long the last
/// measurements go with them.
const MEASUREMENTS_COUNT: Duration = Duration::from_secs(12);
/// One that does not answer at the start does not live.
const SETTLE: Duration = Duration::from_secs(5);

/// The service that is followed.
#[derive(Debug)]
pub(crate) struct Followed {
    monitor: Monitor,
    events: Events,
    follower: Follower,
    name: String,
    measured: Option<(Measured, Instant)>,
    next: Option<Instant>,
}

/// What is known at one moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// What the inverter may take.
    pub(crate) limits: Limits,
    /// What the battery measures, or did when it was last heard.
    pub(crate) measured: Option<Measured>,
    /// The limits come from a decision that counts, and the measurements are not too old for it.
    pub(crate) is_licensed: bool,
    /// The manager wants it stopped in the way of its bus: nothing else that it was told has stopped it.
    pub(crate) is_to_stop: bool,
}

impl View {
    /// `measured` is the newest that was measured while the source was fresh, and when that was.
    pub(crate) fn new(
        limits: Limits,
        measured: Option<&(Measured, Instant)>,
        is_to_stop: bool,
        now: Instant,
    ) -> View {
        let counts = measured.is_some_and(|(_, at)| now.duration_since(*at) <= MEASUREMENTS_COUNT);
        // Where one direction has lost its limit and the other has not, what is left is still a decision.
        let at_zero = limits.stance >= Stance::Zero
            && limits.charge_current_a <= 0.0
            && limits.discharge_current_a <= 0.0;
        View {
            is_licensed: counts && !at_zero && limits.charge_voltage_v.is_some(),
            measured: measured.map(|(measured, _)| measured.clone()),
            limits,
            is_to_stop,
        }
    }
}

/// Each alarm of a battery service and what it tells.
const ALARMS: [(Item<i32>, Condition); 14] = [
    (b::ALARM_HIGH_VOLTAGE, Condition::HighVoltage),
    (b::ALARM_HIGH_CELL_VOLTAGE, Condition::HighVoltage),
    (b::ALARM_LOW_VOLTAGE, Condition::LowVoltage),
    (b::ALARM_LOW_CELL_VOLTAGE, Condition::LowVoltage),
    (b::ALARM_HIGH_TEMPERATURE, Condition::HighTemperature),
    (b::ALARM_LOW_TEMPERATURE, Condition::LowTemperature),
    (b::ALARM_HIGH_CHARGE_TEMPERATURE, Condition::HighChargeTemperature),
    (b::ALARM_LOW_CHARGE_TEMPERATURE, Condition::LowChargeTemperature),
    (b::ALARM_HIGH_DISCHARGE_CURRENT, Condition::HighDischargeCurrent),
    (b::ALARM_HIGH_CURRENT, Condition::HighDischargeCurrent),
    (b::ALARM_HIGH_CHARGE_CURRENT, Condition::HighChargeCurrent),
    (b::ALARM_CONTACTOR, Condition::Contactor),
    (b::ALARM_INTERNAL_FAILURE, Condition::BmsInternal),
    (b::ALARM_CELL_IMBALANCE, Condition::CellImbalance),
];

/// The real numbers that are read besides.
const REALS: [Item<f64>; 11] = [
    b::SOC,
    b::SOH,
    b::DC_VOLTAGE,
    b::DC_CURRENT,
    b::DC_TEMPERATURE,
    b::MIN_CELL_VOLTAGE,
    b::MAX_CELL_VOLTAGE,
    b::MIN_CELL_TEMPERATURE,
    b::MAX_CELL_TEMPERATURE,
    b::BATTERY_LOW_VOLTAGE,
    b::INSTALLED_CAPACITY,
];

/// The whole numbers that are read besides.
const COUNTS: [Item<i32>; 5] = [
    b::MODULES_ONLINE,
    b::CELLS_PER_BATTERY,
    b::HISTORY_CHARGE_CYCLES,
    b::CHARGE_REQUEST,
    b::FULL_CHARGE_REQUEST,
];

impl Followed {
    /// Begins to follow `source`, as the service of this name. The source need not be there.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub(crate) async fn start(source: &str, own_name: &str, bus: &BusAddress) -> Result<Followed, BusError> {
        let follower = Follower::new(Source::named(source), own_name);
        let filter = REALS.into_iter().fold(follower.add_to(Filter::new()), Filter::item);
        let filter = ALARMS.into_iter().fold(filter, |filter, (item, _)| filter.item(item));
        let filter = COUNTS.into_iter().fold(filter.item(b::BMS_LOW_VOLTAGE), Filter::item);
        let (monitor, events) = Monitor::start(bus, filter).await?;
        let _ = timeout(SETTLE, monitor.settled()).await;
        let name = source.to_owned();
        Ok(Followed { monitor, events, follower, name, measured: None, next: None })
    }

    /// Resolves when the source shows something new, has come or has gone.
    ///
    /// # Errors
    /// The connection is gone: nothing is followed any more.
    pub(crate) async fn changed(&mut self) -> Result<(), BusError> {
        match self.events.next().await {
            Some(_) => Ok(()),
            None => Err(BusError::Lost("the connection that follows the source has ended".to_owned())),
        }
    }

    /// When to look again, whatever happens.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks at everything.
    pub(crate) fn look(&mut self, now: Instant) -> View {
        let limits = self.follower.limits(&self.monitor, now);
        self.next = Some(now + if limits.stance == Stance::Ramping { RAMPING } else { ASK });
        let is_fresh = matches!(limits.stance, Stance::Obeying | Stance::Rising | Stance::Returning);
        if let Some(measured) = self.read().filter(|_| is_fresh || self.measured.is_none()) {
            self.measured = Some((measured, now));
        }
        let is_to_stop = is_fresh && self.follower.is_to_stop(&self.monitor);
        View::new(limits, self.measured.as_ref(), is_to_stop, now)
    }

    /// What the battery measures, if it is complete.
    fn read(&self) -> Option<Measured> {
        let real = |item| self.monitor.get(&self.name, item);
        let flag = |item| self.monitor.get(&self.name, item).is_some_and(|value: i32| value != 0);
        let count =
            |item| self.monitor.get(&self.name, item).and_then(|value: i32| u16::try_from(value).ok());
        let mut faults = Faults::default();
        for (item, condition) in ALARMS {
            match self.monitor.get(&self.name, item) {
                Some(1) => faults.raise(condition, Level::Warning),
                Some(2) => faults.raise(condition, Level::Alarm),
                _ => {}
            }
        }
        Some(Measured {
            soc_pct: real(b::SOC)?,
            voltage_v: real(b::DC_VOLTAGE)?,
            current_a: real(b::DC_CURRENT)?,
            soh_pct: real(b::SOH),
            temperature_c: real(b::DC_TEMPERATURE),
            cells_v: real(b::MIN_CELL_VOLTAGE).zip(real(b::MAX_CELL_VOLTAGE)),
            cells_c: real(b::MIN_CELL_TEMPERATURE).zip(real(b::MAX_CELL_TEMPERATURE)),
            discharge_voltage_v: real(b::BATTERY_LOW_VOLTAGE).or_else(|| real(b::BMS_LOW_VOLTAGE)),
            capacity_ah: real(b::INSTALLED_CAPACITY),
            modules: count(b::MODULES_ONLINE).filter(|count| *count > 0),
            cells_in_series: count(b::CELLS_PER_BATTERY).filter(|count| *count > 0),
            cycles: count(b::HISTORY_CHARGE_CYCLES),
            faults,
            asks_charge: flag(b::CHARGE_REQUEST),
            asks_full_charge: flag(b::FULL_CHARGE_REQUEST),
        })
    }
}
