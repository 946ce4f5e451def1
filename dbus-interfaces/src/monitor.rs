//! Other services, followed: their newest values, who is on the bus and who is not, and calls to them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zbus::{Message, MessageStream};

use crate::classes::device;
use crate::daemon::{DAEMON, DAEMON_PATH};
use crate::events::Event;
use crate::filter::{Filter, PREFIX, class_of, number_in};
use crate::followed::Followed;
use crate::incoming::{self, Listed};
use crate::listen::Listener;
use crate::picture::Picture;
use crate::service::{BUS_ITEM, lock};
use crate::wire::Wire;
use crate::{BusAddress, BusError, Item, ItemType, Value};

/// How long a look at a service waits for its answer.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a write waits for its answer: longer than a service of ours takes to say that its device does not answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);

/// Follows other services on a connection of its own. Dropping it ends that.
///
/// A service is there from the moment when all its items are known until its owner leaves the bus; nothing of a former
/// owner is ever shown.
#[derive(Debug)]
pub struct Monitor {
    connection: zbus::Connection,
    picture: Arc<Mutex<Picture>>,
    news: watch::Receiver<()>,
    task: JoinHandle<()>,
}

/// What happens to the followed services. However late it is read it takes no more memory: changes of one service fall
/// into one.
#[derive(Debug)]
pub struct Events {
    picture: Arc<Mutex<Picture>>,
    news: watch::Receiver<()>,
}

/// A service on the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its name.
    pub name: Arc<str>,
    /// The unique name of its connection; another one is another service under the same name.
    pub owner: Arc<str>,
    /// `/DeviceInstance`.
    pub instance: Option<i32>,
    /// When its newest well-formed message with items came, the answer to our first look included.
    pub heard_at: Instant,
    /// How many of its messages could not be read.
    pub malformed: u32,
}

impl Seen {
    fn of(name: &Arc<str>, service: &Followed) -> Option<Seen> {
        let instance = service.item(&device::DEVICE_INSTANCE.path());
        Some(Seen {
            name: name.clone(),
            owner: service.owner.clone()?,
            instance: instance.and_then(|held| i32::from_value(held.value.as_ref()?)),
            heard_at: service.heard_at?,
            malformed: service.malformed,
        })
    }

    /// The class: `battery` of `com.victronenergy.battery.ttyUSB0`.
    #[must_use]
    pub fn class(&self) -> &str {
        class_of(&self.name)
    }
}

impl Monitor {
    /// Connects and begins to follow; services that are there already appear soon after.
    ///
    /// # Errors
    /// [`BusError::Connect`], [`BusError::Lost`], [`BusError::Call`] when the bus refuses to send the signals.
    pub async fn start(address: &BusAddress, filter: Filter) -> Result<(Monitor, Events), BusError> {
        let connection = address.connect_with_calls_of(WRITE_TIMEOUT).await?;
        let rules = filter.rules();
        let picture = Arc::new(Mutex::new(Picture::new(filter)));
        let (to_readers, news) = watch::channel(());
        let mut listener = Listener {
            connection: connection.clone(),
            stream: MessageStream::from(&connection),
            picture: picture.clone(),
            news: to_readers,
        };
        let subscribed = tokio::time::timeout(READ_TIMEOUT, listener.subscribe(&rules)).await;
        subscribed.map_err(|_| BusError::Lost("the bus does not answer".to_owned()))??;
        let events = Events { picture: picture.clone(), news: news.clone() };
        let task = tokio::spawn(listener.run());
        Ok((Monitor { connection, picture, news, task }, events))
    }

    /// The value of an item, as the type of the item.
    #[must_use]
    pub fn get<T: ItemType>(&self, service: &str, item: Item<T>) -> Option<T> {
        T::from_value(lock(&self.picture).item(service, &item.path())?.value.as_ref()?)
    }

    /// The values of a family of items by their numbers, those without a value left out.
    #[must_use]
    pub fn family<T: ItemType>(&self, service: &str, item: Item<T>) -> Vec<(u16, T)> {
        let picture = lock(&self.picture);
        let family = item.path();
        let items = picture.known(service).into_iter().flat_map(Followed::items);
        let mut members: Vec<(u16, T)> = items
            .filter_map(|(path, held)| {
                Some((number_in(&family, path)?, T::from_value(held.value.as_ref()?)?))
            })
            .collect();
        members.sort_by_key(|(number, _)| *number);
        members
    }

    /// When an item was last received, changed or not, with a value or without.
    #[must_use]
    pub fn received<T: ItemType>(&self, service: &str, item: Item<T>) -> Option<Instant> {
        Some(lock(&self.picture).item(service, &item.path())?.at)
    }

    /// How long ago an item was last received. A service sends an item when it changes: an old item may well be true.
    #[must_use]
    pub fn age<T: ItemType>(&self, service: &str, item: Item<T>, now: Instant) -> Option<Duration> {
        self.received(service, item).map(|at| now.saturating_duration_since(at))
    }

    /// All services that are there, by name.
    #[must_use]
    pub fn services(&self) -> Vec<Seen> {
        lock(&self.picture).all_known().filter_map(|(name, service)| Seen::of(name, service)).collect()
    }

    /// One service, if it is there.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<Seen> {
        Seen::of(&name.into(), lock(&self.picture).known(name)?)
    }

    /// All items of a service that are kept, by path.
    #[must_use]
    pub fn items(&self, service: &str) -> Vec<(Arc<str>, Option<Value>)> {
        let picture = lock(&self.picture);
        let items = picture.known(service).into_iter().flat_map(Followed::items);
        items.map(|(path, held)| (path.clone(), held.value.clone())).collect()
    }

    /// Resolves when every service that was there at the start is known or has let its first chance pass.
    pub async fn settled(&self) {
        let mut news = self.news.clone();
        while !lock(&self.picture).is_settled() {
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    /// Asks the bus for the names of all services under `com.victronenergy`, followed or not, known or not, sorted.
    ///
    /// # Errors
    /// [`BusError::Lost`] when the bus does not answer.
    pub async fn names(&self) -> Result<Vec<String>, BusError> {
        let call = self.connection.call_method(Some(DAEMON), DAEMON_PATH, Some(DAEMON), "ListNames", &());
        let lost = |e: zbus::Error| BusError::Lost(e.to_string());
        let reply = tokio::time::timeout(READ_TIMEOUT, call).await;
        let reply = reply.map_err(|_| BusError::Lost("the bus does not answer".to_owned()))?.map_err(lost)?;
        let mut names: Vec<String> = reply.body().deserialize().map_err(lost)?;
        names.retain(|name| name.starts_with(PREFIX));
        names.sort();
        Ok(names)
    }

    /// Asks a service, followed or not, for all its items, sorted by path. One that knows no `GetItems` gives its values
    /// without texts.
    ///
    /// # Errors
    /// [`BusError::Call`] when it does not answer or not with items.
    pub async fn get_items(&self, service: &str) -> Result<Vec<Listed>, BusError> {
        let garbled = |member| call_failed(service, "/", member, "the answer holds no items".to_owned());
        let mut listed = match self.call(service, "/", "GetItems", &(), READ_TIMEOUT).await {
            Ok(reply) => incoming::listed(&reply).ok_or_else(|| garbled("GetItems"))?,
            Err(first) => {
                let Ok(reply) = self.call(service, "/", "GetValue", &(), READ_TIMEOUT).await else {
                    return Err(first);
                };
                let tree = incoming::tree(&reply, |_| true).ok_or_else(|| garbled("GetValue"))?;
                tree.into_iter().map(|(path, value)| Listed { path, value, text: None }).collect()
            }
        };
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listed)
    }

    /// Asks a service, followed or not, for the value at a path; a branch comes as a [`Value::Map`].
    ///
    /// # Errors
    /// [`BusError::Call`].
    pub async fn get_value(&self, service: &str, path: &str) -> Result<Option<Value>, BusError> {
        let reply = self.call(service, path, "GetValue", &(), READ_TIMEOUT).await?;
        let garbled = || call_failed(service, path, "GetValue", "the answer holds no value".to_owned());
        incoming::value(&reply).ok_or_else(garbled)
    }

    /// Asks a service, followed or not, to take a value at a path. Returns its code: 0 accepted, anything else refused.
    ///
    /// # Errors
    /// [`BusError::Call`].
    pub async fn set_value(&self, service: &str, path: &str, value: Option<&Value>) -> Result<i32, BusError> {
        let reply = self.call(service, path, "SetValue", &Wire(value), WRITE_TIMEOUT).await?;
        let code = incoming::value(&reply).flatten().and_then(|code| i32::from_value(&code));
        code.ok_or_else(|| call_failed(service, path, "SetValue", "the answer holds no code".to_owned()))
    }

    /// Asks a service, followed or not, for the least and the largest value that an item takes; `None` where it has no such
    /// bounds.
    ///
    /// # Errors
    /// [`BusError::Call`], also of services that know no bounds at all.
    pub async fn get_range(&self, service: &str, path: &str) -> Result<Option<(f64, f64)>, BusError> {
        let mut bounds = [None, None];
        for (bound, member) in bounds.iter_mut().zip(["GetMin", "GetMax"]) {
            let reply = self.call(service, path, member, &(), READ_TIMEOUT).await?;
            *bound = incoming::value(&reply).flatten().as_ref().and_then(Value::as_f64);
        }
        let [min, max] = bounds;
        Ok(min.zip(max))
    }

    async fn call<B>(
        &self,
        service: &str,
        path: &str,
        member: &str,
        body: &B,
        limit: Duration,
    ) -> Result<Message, BusError>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
    {
        let call = self.connection.call_method(Some(service), path, Some(BUS_ITEM), member, body);
        let reason = match tokio::time::timeout(limit, call).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(zbus::Error::MethodError(name, words, _))) => words.unwrap_or_else(|| name.to_string()),
            Ok(Err(e)) if self.connection.is_closed() => return Err(BusError::Lost(e.to_string())),
            Ok(Err(e)) => e.to_string(),
            Err(_) => format!("no answer within {} s", limit.as_secs()),
        };
        Err(call_failed(service, path, member, reason))
    }

    /// Resolves when the connection to the bus has ended. A process can lose this one and keep its others, as when the
    /// daemon cuts off a connection that does not read; what this monitor shows is then empty for good.
    pub async fn lost(&self) -> BusError {
        ended(self.news.clone()).await;
        BusError::Lost("the bus closed the connection".to_owned())
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // The task holds the connection open.
        self.task.abort();
    }
}

impl Events {
    /// The next event; `None` when the connection has ended and all services are gone.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            self.news.mark_unchanged();
            if let Some(event) = lock(&self.picture).next_event() {
                return Some(event);
            }
            if self.news.changed().await.is_err() {
                return lock(&self.picture).next_event();
            }
        }
    }
}

/// Resolves when whoever tells the news has stopped.
pub(crate) async fn ended(mut news: watch::Receiver<()>) {
    while news.changed().await.is_ok() {}
}

fn call_failed(service: &str, path: &str, member: &str, reason: String) -> BusError {
    BusError::Call { service: service.to_owned(), path: path.to_owned(), member: member.to_owned(), reason }
}
