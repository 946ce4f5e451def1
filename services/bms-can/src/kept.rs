//! What the settings of the system keep for a device: its number within its class, the name that the user gives it, and
//! for a battery how large the bank is that it belongs to.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use dbus_interfaces::classes::battery::CLASS;
use dbus_interfaces::settings::{CUSTOM_NAME, Change, Changes, Device, DeviceSettings, Setting, Wanted};
use dbus_interfaces::{BusAddress, BusError, WriteRequest};
use tokio::time::Instant;

/// How many batteries the manager that spoke last for this one had in its decision; 0 if it had not this one.
const BANK_SIZE: Setting<i32> = Setting::int("BankSize", 0).range(0.0, LARGEST_BANK as f64).silent();
const LARGEST_BANK: usize = 1000;
/// What the settings have not taken within this time is written again.
const AGAIN: Duration = Duration::from_secs(60);

/// Energy counters of an inverter, as far as they may be shown.
const ENERGY: Setting<String> = Setting::text("EnergyCounters", "").silent();

type Opened = Result<(DeviceSettings, Changes), BusError>;

/// The settings of one battery. Until they are known, or known not to be there, the battery is not published.
pub(crate) struct Kept {
    opening: Option<Pin<Box<dyn Future<Output = Opened>>>>,
    open: Option<(DeviceSettings, Changes)>,
    /// The name in the configuration, until the user gives another.
    configured_name: Option<String>,
    instance: i32,
    /// The size of the bank that was last written, and when.
    written: Option<(i32, Instant)>,
}

/// What the settings tell.
pub(crate) enum News {
    /// They are known, or known not to be there.
    Known,
    /// The user has given the battery another number.
    Instance,
    /// The user has given it another name.
    Name,
    /// The size of its bank is another, or has become known.
    Bank,
}

impl Kept {
    /// Begins to ask. `unit` tells this device from others of this program, for ever.
    pub(crate) fn open(
        class: &str,
        unit: &str,
        instance: i32,
        configured_name: Option<String>,
        bus: &BusAddress,
    ) -> Self {
        let mut wanted = Wanted::new(Device::new(class, "bmscan", unit, instance));
        wanted.add(CUSTOM_NAME);
        if class == CLASS {
            wanted.add(BANK_SIZE);
        } else {
            wanted.add(ENERGY);
        }
        let bus = bus.clone();
        let opening = Box::pin(async move { wanted.open(&bus).await });
        Kept { opening: Some(opening), open: None, configured_name, instance, written: None }
    }

    /// Whether number and name are settled.
    pub(crate) fn is_known(&self) -> bool {
        self.opening.is_none()
    }

    /// The next that the settings tell. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The bus is gone.
    pub(crate) async fn next(&mut self) -> Result<News, BusError> {
        if let Some(opening) = &mut self.opening {
            let opened = opening.await;
            self.opening = None;
            self.open = Some(opened?);
            return Ok(News::Known);
        }
        let Some((_, changes)) = &mut self.open else { return pending().await };
        loop {
            match changes.next().await {
                Some(Change::Instance { .. }) => return Ok(News::Instance),
                Some(change) if change.is(CUSTOM_NAME) => return Ok(News::Name),
                Some(change) if change.is(BANK_SIZE) => return Ok(News::Bank),
                Some(_) => {}
                None => {
                    return Err(BusError::Lost("the connection to the settings has ended".to_owned()));
                }
            }
        }
    }

    /// Number among the batteries.
    pub(crate) fn instance(&self) -> i32 {
        self.open.as_ref().map_or(self.instance, |(settings, _)| settings.instance())
    }

    /// What the user calls the battery; empty where there is no name, because the GUI edits only what has a value.
    pub(crate) fn name(&self) -> String {
        let kept = self.open.as_ref().map(|(settings, _)| settings.get(CUSTOM_NAME)).unwrap_or_default();
        if kept.is_empty() { self.configured_name.clone().unwrap_or_default() } else { kept }
    }

    /// How many batteries the bank had when its manager was last seen.
    pub(crate) fn bank_size(&self) -> usize {
        let size = self.open.as_ref().map_or(0, |(settings, _)| settings.get(BANK_SIZE));
        usize::try_from(size).unwrap_or_default()
    }

    /// Remembers how large the bank is; tries again when the settings have not taken it.
    pub(crate) fn remember_bank(&mut self, members: usize, now: Instant) {
        let size = i32::try_from(members.min(LARGEST_BANK)).unwrap_or_default();
        let is_underway =
            self.written.is_some_and(|(written, at)| written == size && now.duration_since(at) < AGAIN);
        if let Some((settings, _)) = &self.open
            && self.bank_size() != members.min(LARGEST_BANK)
            && settings.are_kept()
            && !is_underway
        {
            self.written = Some((size, now));
            settings.remember(BANK_SIZE, size);
        }
    }

    /// The energy counters as they were kept.
    pub(crate) fn energy(&self) -> String {
        self.open.as_ref().map(|(settings, _)| settings.get(ENERGY)).unwrap_or_default()
    }

    /// Keeps the energy counters.
    pub(crate) fn remember_energy(&self, counters: String) {
        if let Some((settings, _)) = &self.open
            && settings.are_kept()
        {
            settings.remember(ENERGY, counters);
        }
    }

    /// Keeps the energy counters, and waits until they are kept.
    pub(crate) async fn keep_energy(&self, counters: String) {
        if let Some((settings, _)) = &self.open
            && settings.are_kept()
            && let Err(why) = settings.set(ENERGY, counters).await
        {
            tracing::warn!("the energy counters are not kept to the last watt-hour: {why}");
        }
    }

    /// A client's wish for another name.
    pub(crate) fn rename(&self, write: WriteRequest) {
        match &self.open {
            Some((settings, _)) if settings.are_kept() => settings.pass_on(write, CUSTOM_NAME),
            _ => write.refuse("no settings service keeps the name: set name in the configuration"),
        }
    }
}
