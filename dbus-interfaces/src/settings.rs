//! What a device keeps in `com.victronenergy.settings`: its class and number, the name that the user gives it, and whatever
//! else it declares.
//!
//! `book` knows the settings and what is still to be asked, `link` does the I/O.
//!
//! ```no_run
//! use dbus_interfaces::BusAddress;
//! use dbus_interfaces::settings::{CUSTOM_NAME, Change, Device, Setting, Wanted};
//!
//! const STANDALONE: Setting<i32> = Setting::int("Standalone", 0).range(0.0, 1.0);
//!
//! # async fn example(bus: &BusAddress) -> Result<(), dbus_interfaces::BusError> {
//! let mut wanted = Wanted::new(Device::new("battery", "bmscan", "can0", 100));
//! wanted.add(CUSTOM_NAME).add(STANDALONE);
//! let (settings, mut changes) = wanted.open(bus).await?;
//! println!("{} {} {}", settings.instance(), settings.get(CUSTOM_NAME), settings.get(STANDALONE));
//! while let Some(change) = changes.next().await {
//!     match change {
//!         Change::Instance { .. } => break, // leave the bus and publish anew
//!         change if change.is(STANDALONE) => println!("{}", settings.get(STANDALONE)),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod book;
mod kept;
mod link;

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::monitor::ended;
use crate::service::lock;
use crate::{BusAddress, BusError, ItemType, Value, WriteRequest};
use book::{Book, Definition};
pub use kept::{Kept, News};
use link::{Link, Request, WantedBy};

/// How long a start waits for the settings service.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many writes may wait for the settings service; a further one is refused.
const WRITES: usize = 8;
/// The longest part of a path that stands for a device.
const LONGEST_UID: usize = 128;

/// The user's own name for a device, at most as long as the GUI lets it be. An empty one is published as it is: an item
/// without a value cannot be edited.
pub const CUSTOM_NAME: Setting<String> = Setting::text("CustomName", "").longest(32);

const CLASS_AND_VRM_INSTANCE: &str = "ClassAndVrmInstance";

/// A setting of a device, below `/Settings/Devices/<uid>/`; a name that begins with `/Settings/` is a path of its own.
#[derive(Debug)]
pub struct Setting<T> {
    name: &'static str,
    default: Plain,
    range: Option<(f64, f64)>,
    longest: usize,
    silent: bool,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone, Copy)]
enum Plain {
    Int(i32),
    Real(f64),
    Text(&'static str),
}

impl<T> Clone for Setting<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Setting<T> {}

impl Setting<i32> {
    /// An integer.
    #[must_use]
    pub const fn int(name: &'static str, default: i32) -> Self {
        Self::new(name, Plain::Int(default))
    }
}

impl Setting<f64> {
    /// A real.
    #[must_use]
    pub const fn real(name: &'static str, default: f64) -> Self {
        Self::new(name, Plain::Real(default))
    }
}

impl Setting<String> {
    /// A text.
    #[must_use]
    pub const fn text(name: &'static str, default: &'static str) -> Self {
        Self::new(name, Plain::Text(default))
    }

    /// The text has at most so many characters; what is longer is cut.
    #[must_use]
    pub const fn longest(mut self, characters: usize) -> Self {
        self.longest = characters;
        self
    }
}

impl<T> Setting<T> {
    const fn new(name: &'static str, default: Plain) -> Self {
        Setting { name, default, range: None, longest: usize::MAX, silent: false, of: PhantomData }
    }

    /// The settings service takes no number outside these limits. 0 and 0 are none.
    #[must_use]
    pub const fn range(mut self, min: f64, max: f64) -> Self {
        self.range = Some((min, max));
        self
    }

    /// The settings service does not log its changes: for what the device itself writes often.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    fn path(&self, uid: &str) -> String {
        if self.name.starts_with("/Settings/") {
            self.name.to_owned()
        } else {
            format!("/Settings/Devices/{uid}/{}", self.name)
        }
    }

    fn definition(&self, uid: &str) -> Definition {
        let number = |v: f64| match self.default {
            Plain::Int(_) => Value::from(v as i64),
            Plain::Real(_) | Plain::Text(_) => Value::Real(v),
        };
        Definition {
            name: self.name,
            path: self.path(uid),
            default: match self.default {
                Plain::Int(v) => Value::Int(v),
                Plain::Real(v) => Value::Real(v),
                Plain::Text(v) => Value::from(v),
            },
            range: self.range.map(|(min, max)| (number(min), number(max))),
            silent: self.silent,
        }
    }

    fn cut(&self, value: Value) -> Value {
        match value {
            Value::Text(text) if text.chars().count() > self.longest => {
                Value::Text(text.chars().take(self.longest).collect())
            }
            value => value,
        }
    }
}

/// A device, as the settings know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    class: String,
    uid: String,
    instance: i32,
}

impl Device {
    /// A device of a class such as `battery`. The driver and what tells the device from the driver's others (a serial
    /// number, or the port where there is none) make the key that stays the same for ever; what cannot stand in a path
    /// becomes `_`. `instance` is the number it asks for, and has until the settings say another.
    #[must_use]
    pub fn new(class: &str, driver: &str, unit: &str, instance: i32) -> Device {
        let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let uid: String = format!("{driver}_{unit}").chars().map(legal).collect();
        // In front `_` is the mark of something else in the settings' file.
        let uid = uid.trim_start_matches('_');
        let uid = uid.get(..LONGEST_UID.min(uid.len())).unwrap_or(uid);
        let uid = if uid.is_empty() { "device" } else { uid };
        Device { class: class.to_owned(), uid: uid.to_owned(), instance }
    }

    /// Its key below `/Settings/Devices`.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }
}

/// The settings that a device wants to have, before it has them.
#[derive(Debug)]
pub struct Wanted {
    device: Device,
    definitions: Vec<Definition>,
}

impl Wanted {
    /// Class and number of the device, and nothing else as yet.
    #[must_use]
    pub fn new(device: Device) -> Wanted {
        let number = Setting::<String>::text(CLASS_AND_VRM_INSTANCE, "").definition(&device.uid);
        let default = Value::from(format!("{}:{}", device.class, device.instance));
        Wanted { definitions: vec![Definition { default, ..number }], device }
    }

    /// Another setting.
    pub fn add<T>(&mut self, setting: Setting<T>) -> &mut Self {
        self.definitions.push(setting.definition(&self.device.uid));
        self
    }

    /// Asks the settings service for them, on a connection of their own, and waits up to 5 s for it. If it does not come
    /// the defaults count, with the number that the device asks for; what it says later is told by [`Changes`].
    ///
    /// # Errors
    /// [`BusError::Connect`], [`BusError::Lost`].
    pub async fn open(self, address: &BusAddress) -> Result<(DeviceSettings, Changes), BusError> {
        let connection = address.connect().await?;
        let Device { class, uid, instance } = self.device;
        let book = Arc::new(Mutex::new(Book::new(&class, instance, self.definitions)));
        let (to_readers, mut news) = watch::channel(());
        let (requests, to_link) = mpsc::channel(WRITES);
        let mut link = Link::new(connection, book.clone(), to_readers, to_link);
        link.begin().await.map_err(|e| BusError::Lost(e.to_string()))?;
        let task = tokio::spawn(link.run());
        let kept = async { while !lock(&book).is_kept() && news.changed().await.is_ok() {} };
        if tokio::time::timeout(PATIENCE, kept).await.is_err() {
            tracing::warn!(
                "no settings service within {} s: {class} instance {instance} of the configuration is used until there is one",
                PATIENCE.as_secs()
            );
        }
        // What is known now is no news.
        while lock(&book).take_change().is_some() {}
        let changes = Changes { book: book.clone(), news: news.clone() };
        Ok((DeviceSettings { book, uid, requests, news, task }, changes))
    }
}

/// The settings of a device. Dropping them ends their connection.
#[derive(Debug)]
pub struct DeviceSettings {
    book: Arc<Mutex<Book>>,
    uid: String,
    requests: mpsc::Sender<Request>,
    news: watch::Receiver<()>,
    task: JoinHandle<()>,
}

/// Why something could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// There is no settings service.
    #[error("no settings service keeps it")]
    NoService,
    /// The settings service refused it.
    #[error("the settings service refuses it ({0})")]
    Refused(i64),
    /// The settings service did not answer, or not as it should.
    #[error("the settings service does not answer")]
    Silent,
    /// Too many writes are waiting already.
    #[error("too many writes are waiting for the settings service")]
    Busy,
}

impl DeviceSettings {
    /// The number of the device within its class: `/DeviceInstance`.
    #[must_use]
    pub fn instance(&self) -> i32 {
        lock(&self.book).instance()
    }

    /// The class of the device as the settings have it: the user may have given it another role.
    #[must_use]
    pub fn class(&self) -> String {
        lock(&self.book).class().to_owned()
    }

    /// Whether the settings service has these settings; without it nothing that is written is kept.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        lock(&self.book).is_kept()
    }

    /// The value of a setting, its default where the settings service has none. The setting must be among the wanted ones;
    /// another has its type's zero.
    #[must_use]
    pub fn get<T: ItemType + Default>(&self, setting: Setting<T>) -> T {
        let book = lock(&self.book);
        book.value(&setting.path(&self.uid)).and_then(T::from_value).unwrap_or_default()
    }

    /// Writes a setting and waits, 5 s at most, until it is kept.
    ///
    /// # Errors
    /// [`NotKept`].
    pub async fn set<T: ItemType>(&self, setting: Setting<T>, value: T) -> Result<(), NotKept> {
        let (caller, outcome) = oneshot::channel();
        let value = value.into_value().ok_or(NotKept::Refused(-1))?;
        self.request(setting, value, WantedBy::Caller(caller));
        outcome.await.unwrap_or(Err(NotKept::NoService))
    }

    /// Writes a setting in which the device itself remembers something, without waiting. If it cannot be kept the log says so.
    pub fn remember<T: ItemType>(&self, setting: Setting<T>, value: T) {
        if let Some(value) = value.into_value() {
            self.request(setting, value, WantedBy::Nobody);
        }
    }

    /// Passes a client's write to an item on to the setting behind it. The client is answered when the settings service
    /// has answered; the item changes when [`Changes`] tells of the new value, not before.
    pub fn pass_on<T: ItemType>(&self, write: WriteRequest, to: Setting<T>) {
        match write.value().and_then(T::from_value).and_then(T::into_value) {
            Some(value) => self.request(to, value, WantedBy::Client(write)),
            None => write.refuse("a setting always has a value"),
        }
    }

    fn request<T>(&self, setting: Setting<T>, value: Value, wanted_by: WantedBy) {
        let request = Request { path: setting.path(&self.uid), value: setting.cut(value), wanted_by };
        match self.requests.try_send(request) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(request)) => request.wanted_by.hears(Err(NotKept::Busy)),
            Err(mpsc::error::TrySendError::Closed(request)) => {
                request.wanted_by.hears(Err(NotKept::NoService))
            }
        }
    }
}

impl DeviceSettings {
    /// Resolves when the connection to the bus has ended. A process can lose this one and keep its others; from then on
    /// nothing is kept and no change is told.
    pub fn lost(&self) -> impl Future<Output = BusError> + Send + use<> {
        let news = self.news.clone();
        async move {
            ended(news).await;
            BusError::Lost("the bus closed the connection to the settings".to_owned())
        }
    }
}

impl Drop for DeviceSettings {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A change of a device's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Class or number are other ones: the service has to leave the bus and to publish itself anew.
    Instance {
        /// The class.
        class: String,
        /// The number.
        instance: i32,
    },
    /// The setting of this name has another value.
    Setting(&'static str),
}

impl Change {
    /// Whether this is a change of `setting`.
    #[must_use]
    pub fn is<T>(&self, setting: Setting<T>) -> bool {
        matches!(self, Change::Setting(name) if *name == setting.name)
    }
}

/// The changes of a device's settings. However late they are read, they take no more memory: several of one setting fall
/// into one.
#[derive(Debug)]
pub struct Changes {
    book: Arc<Mutex<Book>>,
    news: watch::Receiver<()>,
}

impl Changes {
    /// The next change; `None` when the connection to the bus has ended, which is an end of the process unless
    /// [`DeviceSettings::lost`] is waited for. May be dropped and asked again.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            self.news.borrow_and_update();
            if let Some(change) = lock(&self.book).take_change() {
                return Some(change);
            }
            self.news.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_only_what_a_path_may_have_and_no_underscore_in_front() {
        let uid = |driver, unit| Device::new("battery", driver, unit, 1).uid;
        assert_eq!(uid("bmscan", "can0"), "bmscan_can0");
        assert_eq!(uid("bmscan", "/dev/ttyACM0"), "bmscan__dev_ttyACM0");
        assert_eq!(uid("_x", "PYL-0815 ä"), "x_PYL_0815__");
        assert_eq!(uid("", "-"), "device");
        assert_eq!(uid("x", &"0".repeat(500)).len(), LONGEST_UID);
    }

    #[test]
    fn a_definition_has_the_type_of_its_setting() {
        let count = Setting::int("Count", 5).range(0.0, 10.0).silent().definition("x");
        assert_eq!(count.path, "/Settings/Devices/x/Count");
        assert_eq!((count.default, count.range), (Value::Int(5), Some((Value::Int(0), Value::Int(10)))));
        assert!(count.silent);
        let own = Setting::real("/Settings/Busbar/Limit", 1.5).range(0.0, 2.0).definition("x");
        assert_eq!(own.path, "/Settings/Busbar/Limit");
        assert_eq!(own.range, Some((Value::Real(0.0), Value::Real(2.0))));
        let device = Device::new("battery", "bmscan", "can0", 100);
        let number = Wanted::new(device).definitions.remove(0);
        assert_eq!(number.path, "/Settings/Devices/bmscan_can0/ClassAndVrmInstance");
        assert_eq!(number.default, Value::from("battery:100"));
    }

    #[test]
    fn a_name_is_cut_at_32_characters_not_bytes() {
        let cut = CUSTOM_NAME.cut(Value::from("ä".repeat(40)));
        assert_eq!(cut, Value::from("ä".repeat(32)));
        assert_eq!(CUSTOM_NAME.cut(Value::from("short")), Value::from("short"));
    }
}
