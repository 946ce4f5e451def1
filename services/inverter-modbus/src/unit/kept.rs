//! What the settings of the system keep for a service: its number within its class, and the name that the user gives it.

use std::future::pending;
use std::pin::Pin;

use dbus_interfaces::settings::{CUSTOM_NAME, Change, Changes, Device, DeviceSettings, Wanted};
use dbus_interfaces::{BusAddress, BusError, WriteRequest};

type Opened = Result<(DeviceSettings, Changes), BusError>;

/// The settings of one service. Until they are known, or known not to be there, it is not published.
pub(super) struct Kept {
    opening: Option<Pin<Box<dyn Future<Output = Opened>>>>,
    open: Option<(DeviceSettings, Changes)>,
    /// The name in the configuration, until the user gives another.
    configured_name: Option<String>,
    instance: i32,
}

/// What the settings tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// They are known, or known not to be there.
    Known,
    /// The user has given the device another number.
    Instance,
    /// The user has given it another name.
    Name,
}

impl Kept {
    /// Begins to ask. `unit` tells this device from others of this program, for ever.
    pub(super) fn open(
        class: &str,
        unit: &str,
        instance: i32,
        name: Option<String>,
        bus: &BusAddress,
    ) -> Kept {
        let mut wanted = Wanted::new(Device::new(class, "modbus", unit, instance));
        wanted.add(CUSTOM_NAME);
        let bus = bus.clone();
        let opening = Box::pin(async move { wanted.open(&bus).await });
        Kept { opening: Some(opening), open: None, configured_name: name, instance }
    }

    /// Whether number and name are settled.
    pub(super) fn is_known(&self) -> bool {
        self.opening.is_none()
    }

    /// The next that the settings tell. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The bus is gone.
    pub(super) async fn next(&mut self) -> Result<News, BusError> {
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
                Some(_) => {}
                None => return Err(BusError::Lost("the connection to the settings has ended".to_owned())),
            }
        }
    }

    /// Number within the class.
    pub(super) fn instance(&self) -> i32 {
        self.open.as_ref().map_or(self.instance, |(settings, _)| settings.instance())
    }

    /// What the user calls it; empty where there is no name, because the GUI edits only what has a value.
    pub(super) fn name(&self) -> String {
        let kept = self.open.as_ref().map(|(settings, _)| settings.get(CUSTOM_NAME)).unwrap_or_default();
        if kept.is_empty() { self.configured_name.clone().unwrap_or_default() } else { kept }
    }

    /// A client's wish for another name.
    pub(super) fn rename(&self, write: WriteRequest) {
        match &self.open {
            Some((settings, _)) if settings.are_kept() => settings.pass_on(write, CUSTOM_NAME),
            _ => write.refuse("no settings service keeps the name: set name in the configuration"),
        }
    }
}
