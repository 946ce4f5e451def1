//! A device's service on the bus: there while the device is, with its number and name from the settings.

use dbus_interfaces::classes::device;
use dbus_interfaces::settings::{Device, Kept, News, Wanted};
use dbus_interfaces::{BusAddress, BusError, Draft, Service, Update, WriteRequest, Writes};

/// What does not change.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) class: &'static str,
    /// What tells it from others of this program, for ever.
    pub(super) unit: String,
    pub(super) instance: i32,
    pub(super) name: Option<String>,
    pub(super) connection: String,
    pub(super) product_id: i32,
    pub(super) product_name: &'static str,
}

impl About {
    /// Its name on the bus.
    pub(super) fn bus_name(&self) -> String {
        format!("com.victronenergy.{}.dcdcrs485_{}", self.class, self.unit)
    }
}

/// The service of one device.
pub(super) struct Published {
    service: Service,
    writes: Writes,
    kept: Kept,
    about: About,
    is_published: bool,
}

impl Published {
    /// Connects, with no name as yet.
    pub(super) async fn connect(about: About, bus: &BusAddress) -> Result<Published, BusError> {
        let (service, writes) = Service::connect(bus).await?;
        let device = Device::new(about.class, "dcdcrs485", &about.unit, about.instance);
        let kept = Kept::open(Wanted::new(device), about.instance, about.name.clone(), bus);
        Ok(Published { service, writes, kept, about, is_published: false })
    }

    /// The next write that is the device's own affair. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The bus is gone.
    pub(super) async fn write(&mut self) -> Result<WriteRequest, BusError> {
        loop {
            tokio::select! {
                write = self.writes.recv() => match write {
                    Some(write) if write.is(device::CUSTOM_NAME) => self.kept.rename(write),
                    Some(write) => return Ok(write),
                    None => return Err(BusError::Lost("the service has ended".to_owned())),
                },
                news = self.kept.next() => match news? {
                    News::Known | News::Other(_) => {}
                    News::Instance => {
                        tracing::info!(device = self.about.bus_name(), instance = self.kept.instance(), "it has another number");
                        self.withdraw().await;
                    }
                    News::Name if self.is_published => {
                        let name = self.kept.name();
                        self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, name)).await?;
                    }
                    News::Name => {}
                },
            }
        }
    }

    /// Shows the items; a device that is whole and not on the bus yet takes its name.
    ///
    /// # Errors
    /// The bus is gone, or the name is somebody else's.
    pub(super) async fn show(
        &mut self,
        is_whole: bool,
        fill: impl Fn(&mut Update<'_>),
    ) -> Result<(), BusError> {
        if self.is_published {
            return self.service.update(fill).await;
        }
        if !is_whole || !self.kept.is_known() {
            return Ok(());
        }
        let mut draft = Draft::new(self.about.bus_name());
        device::Identity {
            process_name: "dcdc-rs485",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: self.about.connection.clone(),
            device_instance: self.kept.instance(),
            product_id: self.about.product_id,
            product_name: self.about.product_name.to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: None,
            hardware_version: None,
            serial: None,
        }
        .add_to(&mut draft);
        draft.fill(fill);
        self.service.publish(draft).await?;
        self.is_published = true;
        tracing::info!(device = self.about.bus_name(), instance = self.kept.instance(), "it is on the bus");
        Ok(())
    }

    /// Leaves the bus until the device is whole again.
    pub(super) async fn withdraw(&mut self) {
        if std::mem::take(&mut self.is_published) {
            self.service.withdraw().await;
            tracing::info!(device = self.about.bus_name(), "it has left the bus");
        }
    }

    /// Leaves the bus for good.
    pub(super) async fn leave(self) {
        self.service.leave().await;
    }
}
