//! What the settings of the system keep for the bank: its number and name, and everything that tunes the decision. A set
//! that contradicts itself is refused as a whole, and the one before goes on.

use std::future::pending;
use std::pin::Pin;

use dbus_interfaces::classes::battery::CLASS;
use dbus_interfaces::settings::{CUSTOM_NAME, Change, Changes, Device, DeviceSettings, Setting, Wanted};
use dbus_interfaces::{BusAddress, BusError, WriteRequest};

use super::plan;
use crate::config::Config;
use crate::settings::{Chemistry, Key, Settings};

type Opened = Result<(DeviceSettings, Changes), BusError>;

/// The chemistry that the kept values belong to.
const VALUES_OF: Setting<String> = Setting::text("ValuesOf", "").silent();

/// The bank's settings. Until they are known, or known not to be there, nothing is decided.
pub(crate) struct Kept {
    opening: Option<Pin<Box<dyn Future<Output = Opened>>>>,
    open: Option<(DeviceSettings, Changes)>,
    configured_name: Option<String>,
    configured_instance: i32,
    chemistry: Chemistry,
    running: Settings,
    refused: Option<String>,
}

/// What the settings tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// They are known, or known not to be there.
    Known,
    /// The user has given the bank another number.
    Instance,
    /// The user has given it another name.
    Name,
    /// Something that tunes the decision.
    Tuned,
}

impl Kept {
    /// Begins to ask.
    pub(crate) fn open(config: &Config, bus: &BusAddress) -> Kept {
        let chemistry = Chemistry::from(config.chemistry);
        let mut wanted = Wanted::new(Device::new(CLASS, "busbar", "bank", config.device_instance));
        wanted.add(CUSTOM_NAME).add(VALUES_OF);
        for (_, setting) in numbers(chemistry) {
            wanted.add(setting);
        }
        for setting in plan::TEXTS {
            wanted.add(setting);
        }
        for setting in plan::FLAGS {
            wanted.add(setting);
        }
        let bus = bus.clone();
        let opening = Box::pin(async move {
            let (settings, changes) = wanted.open(&bus).await?;
            adopt(&settings, chemistry).await;
            Ok((settings, changes))
        });
        Kept {
            opening: Some(opening),
            open: None,
            configured_name: config.name.clone(),
            configured_instance: config.device_instance,
            chemistry,
            running: Settings::of(chemistry),
            refused: None,
        }
    }

    /// Whether number, name and set are settled.
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
            self.take_up();
            return Ok(News::Known);
        }
        let Some((_, changes)) = &mut self.open else { return pending().await };
        match changes.next().await {
            Some(Change::Instance { .. }) => Ok(News::Instance),
            Some(change) if change.is(CUSTOM_NAME) => Ok(News::Name),
            Some(_) => {
                self.take_up();
                Ok(News::Tuned)
            }
            None => Err(BusError::Lost("the connection to the settings has ended".to_owned())),
        }
    }

    /// The set in force.
    pub(crate) fn settings(&self) -> &Settings {
        &self.running
    }

    /// Why the settings as they stand are not in force.
    pub(crate) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// Number among the batteries.
    pub(crate) fn instance(&self) -> i32 {
        self.open.as_ref().map_or(self.configured_instance, |(settings, _)| settings.instance())
    }

    /// What the user calls the bank; empty where there is no name, because the GUI edits only what has a value.
    pub(crate) fn name(&self) -> String {
        let kept = self.open.as_ref().map(|(settings, _)| settings.get(CUSTOM_NAME)).unwrap_or_default();
        if kept.is_empty() { self.configured_name.clone().unwrap_or_default() } else { kept }
    }

    /// A client's wish for another name.
    pub(crate) fn rename(&self, write: WriteRequest) {
        match &self.open {
            Some((settings, _)) if settings.are_kept() => settings.pass_on(write, CUSTOM_NAME),
            _ => write.refuse("no settings service keeps the name: set name in the configuration"),
        }
    }

    /// Makes the settings as they stand the running set, if they are one.
    fn take_up(&mut self) {
        let Some((kept, _)) = &self.open else { return };
        match read(kept, self.chemistry) {
            Ok(settings) => {
                if self.refused.take().is_some() {
                    tracing::info!("the settings are in force again");
                } else if !is_same(&settings, &self.running) {
                    tracing::info!("the settings have changed");
                }
                self.running = settings;
            }
            Err(why) => {
                if self.refused.as_ref() != Some(&why) {
                    tracing::warn!("the settings are refused, the last good ones stay in force: {why}");
                }
                self.refused = Some(why);
            }
        }
    }
}

/// A number that means nothing to the chemistry is not equal to itself.
fn is_same(one: &Settings, other: &Settings) -> bool {
    one.plan() == other.plan() && Key::ALL.iter().all(|&key| one.some(key) == other.some(key))
}

/// Every number that means something to the chemistry.
fn numbers(chemistry: Chemistry) -> impl Iterator<Item = (Key, Setting<f64>)> {
    let defaults = Settings::of(chemistry);
    Key::ALL.iter().filter_map(move |&key| {
        let (spec, default) = (key.spec(), defaults.some(key)?);
        Some((key, Setting::real(spec.name, default).range(spec.min, spec.max)))
    })
}

/// The settings as a set, or why they are none.
fn read(kept: &DeviceSettings, chemistry: Chemistry) -> Result<Settings, String> {
    let (before, name) = (kept.get(VALUES_OF), chemistry.nature().name);
    if !before.is_empty() && before != name {
        return Err(format!("the settings are still those of {before}, not of {name}."));
    }
    let changes: Vec<(Key, f64)> =
        numbers(chemistry).map(|(key, setting)| (key, kept.get(setting))).collect();
    let mut wrong = Vec::new();
    let planned = Settings::of(chemistry).planned(|plan| {
        wrong = plan::fill(plan, |setting| kept.get(setting), |setting| kept.get(setting) == 1);
    });
    let whole = planned.and_then(|planned| planned.with(&changes));
    match whole {
        Ok(settings) if wrong.is_empty() => Ok(settings),
        Ok(_) => Err(wrong.join(" ")),
        Err(refusal) => {
            wrong.extend(refusal.sentences);
            Err(wrong.join(" "))
        }
    }
}

/// Values of another chemistry go back to the defaults of this one: 2.65 V is a full LTO cell and a boiling lead-acid one.
async fn adopt(kept: &DeviceSettings, chemistry: Chemistry) {
    let name = chemistry.nature().name;
    let before = kept.get(VALUES_OF);
    if before == name || !kept.are_kept() {
        return;
    }
    if !before.is_empty() {
        tracing::warn!("the settings were those of {before} and go back to the defaults of {name}");
        let defaults = Settings::of(chemistry);
        for (key, setting) in numbers(chemistry) {
            let default = defaults.get(key);
            if kept.get(setting) != default && kept.set(setting, default).await.is_err() {
                return tracing::error!("{} cannot be set: the settings stay as they are", key.spec().name);
            }
        }
        for setting in [plan::CHARGE_OVER_TEMPERATURE, plan::DISCHARGE_OVER_TEMPERATURE] {
            if !kept.get(setting).is_empty() && kept.set(setting, String::new()).await.is_err() {
                return tracing::error!("a curve over temperature cannot be set back");
            }
        }
    }
    if let Err(error) = kept.set(VALUES_OF, name.to_owned()).await {
        tracing::warn!("the settings do not remember that they are those of {name}: {error}");
    }
}
