//! Another service of an inverter that tells of itself, with a number and a name of its own: its control half
//! (`acsystem`), or all of it (`vebus`).

use dbus_interfaces::classes::device;
use dbus_interfaces::{BusAddress, BusError, Draft, Service, Update, WriteRequest, Writes};

use crate::kept::{Kept, News};

/// The service.
pub(super) struct System {
    service: Service,
    writes: Writes,
    kept: Kept,
    bus_name: String,
    product_id: i32,
    connection: String,
    is_published: bool,
}

/// Something that concerns it.
pub(super) enum Happening {
    /// A client wants an item changed.
    Write(WriteRequest),
    /// The settings tell something.
    News(News),
}

impl System {
    /// Connects, with no name yet.
    pub(super) async fn connect(
        (class, product_id): (&str, i32),
        unit: &str,
        instance: i32,
        name: Option<String>,
        connection: String,
        bus: &BusAddress,
    ) -> Result<System, BusError> {
        let (service, writes) = Service::connect(bus).await?;
        Ok(System {
            service,
            writes,
            kept: Kept::open(class, unit, instance, name, bus),
            bus_name: format!("com.victronenergy.{class}.bmscan_{unit}"),
            product_id,
            connection,
            is_published: false,
        })
    }

    /// The next thing that concerns it. Dropping the future loses nothing.
    pub(super) async fn happening(&mut self) -> Result<Happening, BusError> {
        tokio::select! {
            write = self.writes.recv() => match write {
                Some(write) => Ok(Happening::Write(write)),
                None => std::future::pending().await,
            },
            news = self.kept.next() => news.map(Happening::News),
        }
    }

    /// Takes in what the settings tell.
    pub(super) async fn news(&mut self, news: News) -> Result<(), BusError> {
        match news {
            News::Instance if self.is_published => {
                self.service.withdraw().await;
                self.is_published = false;
                Ok(())
            }
            News::Name if self.is_published => {
                self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, self.kept.name())).await
            }
            _ => Ok(()),
        }
    }

    /// A client's wish for another name.
    pub(super) fn rename(&self, write: WriteRequest) {
        self.kept.rename(write);
    }

    /// Shows the items; the first time it takes its name.
    pub(super) async fn show(&mut self, title: &str, fill: impl Fn(&mut Update<'_>)) -> Result<(), BusError> {
        if self.is_published {
            return self.service.update(fill).await;
        }
        if !self.kept.is_known() {
            return Ok(());
        }
        let mut draft = Draft::new(self.bus_name.clone());
        device::Identity {
            process_name: "bms-can",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: self.connection.clone(),
            device_instance: self.kept.instance(),
            product_id: self.product_id,
            product_name: title.to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: None,
            hardware_version: None,
            serial: None,
        }
        .add_to(&mut draft);
        draft.fill(fill);
        self.service.publish(draft).await?;
        self.is_published = true;
        Ok(())
    }

    /// Gives its name up, and keeps the connection.
    pub(super) async fn withdraw(&mut self) {
        if std::mem::take(&mut self.is_published) {
            self.service.withdraw().await;
        }
    }

    /// Leaves the bus.
    pub(super) async fn leave(self) {
        self.service.leave().await;
    }
}
