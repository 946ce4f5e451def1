//! What the settings of the system keep for a device: its number within its class, the name that the user gives it, and
//! for a battery how large the bank is that it belongs to.

use std::time::Duration;

use dbus_interfaces::classes::battery::CLASS;
use dbus_interfaces::settings::{self, Device, Setting, Wanted};
use dbus_interfaces::{BusAddress, BusError, WriteRequest};
use tokio::time::Instant;

/// How many batteries the manager that spoke last for this one had in its decision; 0 if it had not this one.
const BANK_SIZE: Setting<i32> = Setting::int("BankSize", 0).range(0.0, LARGEST_BANK as f64).silent();
const LARGEST_BANK: usize = 1000;
/// What the settings have not taken within this time is written again.
const AGAIN: Duration = Duration::from_secs(60);

/// Energy counters of an inverter, as far as they may be shown.
const ENERGY: Setting<String> = Setting::text("EnergyCounters", "").silent();

/// The settings of one battery. Until they are known, or known not to be there, the battery is not published.
pub(crate) struct Kept {
    device: settings::Kept,
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
        if class == CLASS {
            wanted.add(BANK_SIZE);
        } else {
            wanted.add(ENERGY);
        }
        Kept { device: settings::Kept::open(wanted, instance, configured_name, bus), written: None }
    }

    /// Whether number and name are settled.
    pub(crate) fn is_known(&self) -> bool {
        self.device.is_known()
    }

    /// The next that the settings tell. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The bus is gone.
    pub(crate) async fn next(&mut self) -> Result<News, BusError> {
        loop {
            match self.device.next().await? {
                settings::News::Known => return Ok(News::Known),
                settings::News::Instance => return Ok(News::Instance),
                settings::News::Name => return Ok(News::Name),
                settings::News::Other(change) if change.is(BANK_SIZE) => return Ok(News::Bank),
                settings::News::Other(_) => {}
            }
        }
    }

    /// Number among the batteries.
    pub(crate) fn instance(&self) -> i32 {
        self.device.instance()
    }

    /// What the user calls the battery; empty where there is no name, because the GUI edits only what has a value.
    pub(crate) fn name(&self) -> String {
        self.device.name()
    }

    /// How many batteries the bank had when its manager was last seen.
    pub(crate) fn bank_size(&self) -> usize {
        let size = self.device.settings().map_or(0, |settings| settings.get(BANK_SIZE));
        usize::try_from(size).unwrap_or_default()
    }

    /// Remembers how large the bank is; tries again when the settings have not taken it.
    pub(crate) fn remember_bank(&mut self, members: usize, now: Instant) {
        let size = i32::try_from(members.min(LARGEST_BANK)).unwrap_or_default();
        let is_underway =
            self.written.is_some_and(|(written, at)| written == size && now.duration_since(at) < AGAIN);
        if let Some(settings) = self.device.settings()
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
        self.device.settings().map(|settings| settings.get(ENERGY)).unwrap_or_default()
    }

    /// Keeps the energy counters.
    pub(crate) fn remember_energy(&self, counters: String) {
        if let Some(settings) = self.device.settings()
            && settings.are_kept()
        {
            settings.remember(ENERGY, counters);
        }
    }

    /// Keeps the energy counters, and waits until they are kept.
    pub(crate) async fn keep_energy(&self, counters: String) {
        if let Some(settings) = self.device.settings()
            && settings.are_kept()
            && let Err(why) = settings.set(ENERGY, counters).await
        {
            tracing::warn!("the energy counters are not kept to the last watt-hour: {why}");
        }
    }

    /// A client's wish for another name.
    pub(crate) fn rename(&self, write: WriteRequest) {
        self.device.rename(write);
    }
}
