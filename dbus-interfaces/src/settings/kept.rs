//! What the settings of the system keep for any device: its number within its class, and the name that the user gives it.

use std::future::pending;
use std::pin::Pin;

use super::{CUSTOM_NAME, Change, Changes, DeviceSettings, Wanted};
use crate::{BusAddress, BusError, WriteRequest};

type Opened = Result<(DeviceSettings, Changes), BusError>;

/// The settings of one device. Until they are known, or known not to be there, it is not published.
pub struct Kept {
    opening: Option<Pin<Box<dyn Future<Output = Opened> + Send>>>,
    open: Option<(DeviceSettings, Changes)>,
    /// The name in the configuration, until the user gives another.
    configured_name: Option<String>,
    instance: i32,
}

/// What the settings tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// They are known, or known not to be there.
    Known,
    /// The user has given the device another number.
    Instance,
    /// The user has given it another name.
    Name,
    /// Another of the wanted settings has changed.
    Other(Change),
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("instance", &self.instance())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// Begins to ask for number and name, and for what else is `wanted`. Until the settings say otherwise the device has
    /// the number `instance` and the name of its configuration.
    #[must_use]
    pub fn open(
        mut wanted: Wanted,
        instance: i32,
        configured_name: Option<String>,
        bus: &BusAddress,
    ) -> Self {
        wanted.add(CUSTOM_NAME);
        let bus = bus.clone();
        let opening = Box::pin(async move { wanted.open(&bus).await });
        Kept { opening: Some(opening), open: None, configured_name, instance }
    }

    /// Whether number and name are settled.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.opening.is_none()
    }

    /// The next that the settings tell. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The bus is gone.
    pub async fn next(&mut self) -> Result<News, BusError> {
        if let Some(opening) = &mut self.opening {
            let opened = opening.await;
            self.opening = None;
            self.open = Some(opened?);
            return Ok(News::Known);
        }
        let Some((_, changes)) = &mut self.open else { return pending().await };
        match changes.next().await {
            Some(Change::Instance { .. }) => Ok(News::Instance),
            Some(change) if change.is(CUSTOM_NAME) => Ok(News::Name),
            Some(change) => Ok(News::Other(change)),
            None => Err(BusError::Lost("the connection to the settings has ended".to_owned())),
        }
    }

    /// Number within the class.
    #[must_use]
    pub fn instance(&self) -> i32 {
        self.open.as_ref().map_or(self.instance, |(settings, _)| settings.instance())
    }

    /// What the user calls the device; empty where there is no name, because the GUI edits only what has a value.
    #[must_use]
    pub fn name(&self) -> String {
        let kept = self.open.as_ref().map(|(settings, _)| settings.get(CUSTOM_NAME)).unwrap_or_default();
        if kept.is_empty() { self.configured_name.clone().unwrap_or_default() } else { kept }
    }

    /// All that is kept; none while it is not known.
    #[must_use]
    pub fn settings(&self) -> Option<&DeviceSettings> {
        self.open.as_ref().map(|(settings, _)| settings)
    }

    /// A client's wish for another name.
    pub fn rename(&self, write: WriteRequest) {
        match &self.open {
            Some((settings, _)) if settings.are_kept() => settings.pass_on(write, CUSTOM_NAME),
            _ => write.refuse("no settings service keeps the name: set name in the configuration"),
        }
    }
}
