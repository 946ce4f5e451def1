//! One service of a device, on a connection of its own, with a number and a name of its own.

use dbus_interfaces::classes::{device, grid, multi, pvinverter};
use dbus_interfaces::settings::{Device, Kept, News, Wanted};
use dbus_interfaces::{BusAddress, BusError, Draft, Service, Update, WriteRequest, Writes};
use service_kit::{Backoff, Repeating, random_seed};
use tokio::time::Instant;

use crate::config;
use crate::device::recognise::Identity;
use crate::profile::{Class, Profile};

/// What a service shows of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The measuring half of an inverter/charger.
    Unit,
    /// The half that is controlled.
    System,
    /// A solar inverter.
    PvInverter,
    /// A meter.
    Grid,
}

impl Role {
    /// The class of its service.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Role::Unit => multi::CLASS,
            Role::System => multi::SYSTEM_CLASS,
            Role::PvInverter => pvinverter::CLASS,
            Role::Grid => grid::CLASS,
        }
    }

    fn product_id(self) -> i32 {
        match self {
            Role::Unit => multi::PRODUCT_ID,
            Role::System => multi::SYSTEM_PRODUCT_ID,
            Role::PvInverter => pvinverter::PRODUCT_ID,
            Role::Grid => grid::PRODUCT_ID,
        }
    }
}

/// A service.
pub(crate) struct Half {
    /// What it shows.
    pub(crate) role: Role,
    service: Service,
    writes: Writes,
    kept: Kept,
    bus_name: String,
    connection: String,
    is_published: bool,
    /// Its name is somebody else's: it is tried again then.
    free_at: Option<Instant>,
    backoff: Backoff,
    failure: Repeating,
    /// There has been something to show: only then the settings are asked for its number, which they keep for ever.
    was_seen: bool,
    /// It is the meter of an inverter and has said nothing yet.
    is_empty: bool,
    /// That was told.
    is_told: bool,
}

/// Something that concerns a service.
pub(crate) enum Happening {
    /// A client wants an item changed.
    Write(WriteRequest),
    /// The settings tell something.
    News(News),
}

/// Where a service comes from and what it is called.
#[derive(Debug, Clone)]
pub(crate) struct Place<'p> {
    /// The end of its name on the bus.
    pub(crate) unit: &'p str,
    /// What it hangs on, for people.
    pub(crate) connection: String,
    /// The number that it asks for.
    pub(crate) instance: i32,
    /// The name in the configuration.
    pub(crate) name: Option<String>,
    /// The bus.
    pub(crate) bus: &'p BusAddress,
}

impl Half {
    /// Connects, with no name yet.
    pub(crate) async fn connect(role: Role, place: &Place<'_>) -> Result<Half, BusError> {
        let (service, writes) = Service::connect(place.bus).await?;
        // A number of its own in its own class, beside the unit's.
        let own = if role == Role::System { format!("{}_system", place.unit) } else { place.unit.to_owned() };
        let device = Device::new(role.class(), "modbus", &own, place.instance);
        let kept = Kept::open(Wanted::new(device), place.instance, place.name.clone(), place.bus);
        let bus_name = bus_name(role, place.unit);
        let connection = place.connection.clone();
        Ok(Half {
            role,
            service,
            writes,
            kept,
            bus_name,
            connection,
            is_published: false,
            free_at: None,
            backoff: Backoff::for_hardware(random_seed()),
            failure: Repeating::default(),
            was_seen: false,
            is_empty: false,
            is_told: false,
        })
    }

    /// Whether it is the meter of an inverter that has said nothing yet, which is told once: a meter without a value is none.
    pub(crate) fn waits_for_meter(&mut self, has_meter: bool, is_there: bool) -> bool {
        self.is_empty = self.role == Role::Grid && !has_meter && !self.is_published;
        if self.is_empty && is_there && !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                service = self.bus_name,
                "publish_grid = true, and the device at {} shows no meter: there is none on the bus until it does",
                self.connection
            );
        }
        self.is_empty
    }

    /// Whether it is to be put on the bus now, once there is something to show.
    pub(crate) fn is_missing(&self, now: Instant) -> bool {
        !self.is_published && !self.is_empty && self.free_at.is_none_or(|at| at <= now)
    }

    /// Whether its name is somebody else's.
    pub(crate) fn is_taken(&self) -> bool {
        self.free_at.is_some()
    }

    /// Its number.
    pub(crate) fn instance(&self) -> i32 {
        self.kept.instance()
    }

    /// Whether it is on the bus.
    pub(crate) fn is_published(&self) -> bool {
        self.is_published
    }

    /// Resolves when the connection has ended.
    pub(crate) fn lost(&self) -> impl Future<Output = BusError> + Send + use<> {
        self.service.lost()
    }

    /// The next thing that concerns it. Dropping the future loses nothing.
    pub(crate) async fn happening(&mut self) -> Result<Happening, BusError> {
        tokio::select! {
            write = self.writes.recv() => match write {
                Some(write) => Ok(Happening::Write(write)),
                None => std::future::pending().await,
            },
            news = self.kept.next(), if self.was_seen => news.map(Happening::News),
        }
    }

    /// Whether a client is still connected to the bus.
    pub(super) async fn is_connected(&self, client: &str) -> bool {
        self.service.is_connected(client).await
    }

    /// Takes in what the settings tell.
    pub(crate) async fn news(&mut self, news: News) -> Result<(), BusError> {
        match news {
            News::Instance => {
                tracing::info!(
                    service = self.bus_name,
                    instance = self.kept.instance(),
                    "it has another number"
                );
                self.withdraw().await;
                Ok(())
            }
            News::Name if self.is_published => {
                self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, self.kept.name())).await
            }
            News::Name | News::Known | News::Other(_) => Ok(()),
        }
    }

    /// A client's wish for another name.
    pub(crate) fn rename(&self, write: WriteRequest) {
        self.kept.rename(write);
    }

    /// Shows the items; the first time it takes its name. While that is somebody else's it is tried again and again: the other
    /// devices of the process are not concerned.
    pub(crate) async fn show(
        &mut self,
        title: &str,
        identity: &Identity,
        fill: impl Fn(&mut Update<'_>),
    ) -> Result<(), BusError> {
        if self.is_published {
            return self.service.update(fill).await;
        }
        self.was_seen = true;
        let now = Instant::now();
        if !self.kept.is_known() || !self.is_missing(now) {
            return Ok(());
        }
        let mut draft = Draft::new(self.bus_name.clone());
        device::Identity {
            process_name: "inverter-modbus",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: self.connection.clone(),
            device_instance: self.kept.instance(),
            product_id: self.role.product_id(),
            product_name: title.to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: identity.firmware.clone(),
            hardware_version: None,
            serial: identity.serial.clone(),
        }
        .add_to(&mut draft);
        draft.fill(fill);
        match self.service.publish(draft).await {
            Err(taken @ BusError::NameTaken { .. }) => {
                self.free_at = Some(now + self.backoff.failed(now));
                if let Some(report) = self.failure.failed(now, &taken.to_string()) {
                    tracing::warn!(service = self.bus_name, "{report}: it is tried again until it is free");
                }
                return Ok(());
            }
            published => published?,
        }
        (self.is_published, self.free_at) = (true, None);
        self.backoff.succeeded(now);
        // That it is on the bus is the end of it.
        let _ = self.failure.ended(now);
        tracing::info!(service = self.bus_name, instance = self.kept.instance(), "on the bus");
        Ok(())
    }

    /// Leaves the bus and keeps the connection.
    pub(crate) async fn withdraw(&mut self) {
        if std::mem::take(&mut self.is_published) {
            self.service.withdraw().await;
        }
    }

    /// Leaves the bus.
    pub(crate) async fn leave(self) {
        self.service.leave().await;
    }
}

/// The name of a service on the bus.
pub(crate) fn bus_name(role: Role, unit: &str) -> String {
    format!("com.victronenergy.{}.modbus_{unit}", role.class())
}

/// The services of a device.
pub(crate) fn roles(profile: &Profile, config: &config::Device) -> Vec<Role> {
    let mut roles = match profile.class {
        Class::Hybrid | Class::Inverter => vec![Role::Unit],
        Class::PvInverter => vec![Role::PvInverter],
        Class::Grid => vec![Role::Grid],
    };
    if config.publish_grid && profile.class != Class::Grid && profile.has_meter() {
        roles.push(Role::Grid);
    }
    roles
}
