//! A service of ours on the bus: a tree of items under one name, on one connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::coerce::Refusal;
use crate::dispatch::Dispatch;
use crate::endpoint::Endpoint;
use crate::marshal::Items;
use crate::tree::Tree;
use crate::{BusAddress, BusError, Item, ItemType, Value};

/// The interface of every Victron item.
pub const BUS_ITEM: &str = "com.victronenergy.BusItem";

/// How many accepted writes may wait for the work loop; a further one is refused.
const WRITES: usize = 8;

/// All paths of a service before it has its name.
#[derive(Debug)]
pub struct Draft {
    name: String,
    tree: Tree,
}

/// A connection to the bus that is, or will be, a service. Dropping it closes the connection.
#[derive(Debug)]
pub struct Service {
    endpoint: Endpoint,
    tree: Arc<Mutex<Tree>>,
    name: Mutex<Option<String>>,
    /// The memory of the last update, for the next.
    items: Mutex<Option<Items>>,
    dispatch: JoinHandle<()>,
}

/// What clients have asked to be written, in order.
pub type Writes = mpsc::Receiver<WriteRequest>;

/// A value that a client wants an item to have, already of the item's type and within its limits.
///
/// Dropping it unanswered refuses it.
#[derive(Debug)]
pub struct WriteRequest {
    path: String,
    value: Option<Value>,
    client: String,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Accept,
    ConfirmLater,
    Refuse(Refusal),
}

impl Draft {
    /// A service that will be called `name`, such as `com.victronenergy.battery.bmscan_can0`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Draft { name: name.into(), tree: Tree::default() }
    }

    /// Adds an item with its first value.
    pub fn add<T: ItemType>(&mut self, item: Item<T>, value: impl Into<Option<T>>) -> &mut Self {
        self.tree.set(&item, value.into().and_then(T::into_value));
        self
    }

    /// Adds what an [`Update`] of the running service would set, so that both say it in one place.
    pub fn fill(&mut self, change: impl FnOnce(&mut Update<'_>)) -> &mut Self {
        change(&mut Update { tree: &mut self.tree });
        self
    }

    /// Connects and publishes in one go.
    ///
    /// # Errors
    /// [`BusError::Connect`], [`BusError::NameTaken`], [`BusError::NameRefused`].
    pub async fn publish(self, address: &BusAddress) -> Result<(Service, Writes), BusError> {
        let (service, writes) = Service::connect(address).await?;
        service.publish(self).await?;
        Ok((service, writes))
    }
}

impl Service {
    /// Connects, with no name and no items as yet: calls already get their answers, if only errors.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub async fn connect(address: &BusAddress) -> Result<(Service, Writes), BusError> {
        let tree = Arc::<Mutex<Tree>>::default();
        let (endpoint, calls) = Endpoint::connect(address).await?;
        let (to_loop, writes) = mpsc::channel(WRITES);
        let dispatch = Dispatch {
            endpoint: endpoint.clone(),
            tree: tree.clone(),
            writes: to_loop,
            refusals: Arc::default(),
        };
        let dispatch = tokio::spawn(dispatch.run(calls));
        Ok((Service { endpoint, tree, name: Mutex::default(), items: Mutex::default(), dispatch }, writes))
    }

    /// Exports every item, and only then takes the name: who sees the name sees a complete device.
    ///
    /// # Errors
    /// [`BusError::NameTaken`], [`BusError::NameRefused`], [`BusError::Lost`].
    pub async fn publish(&self, mut draft: Draft) -> Result<(), BusError> {
        draft.tree.settle();
        *lock(&self.tree) = draft.tree;
        self.endpoint.request_name(&draft.name).await?;
        *lock(&self.name) = Some(draft.name);
        Ok(())
    }

    /// Leaves the bus and keeps the connection: the name first, so that nobody sees a device without items.
    pub async fn withdraw(&self) {
        let name = lock(&self.name).take();
        if let Some(name) = name {
            self.endpoint.release_name(&name).await;
        }
        *lock(&self.tree) = Tree::default();
    }

    /// The well-known name, while there is one.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        lock(&self.name).clone()
    }

    /// Makes changes and tells the bus of them in one `ItemsChanged`; of nothing, when nothing is different.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn update(&self, change: impl FnOnce(&mut Update<'_>)) -> Result<(), BusError> {
        let mut items = {
            let mut tree = lock(&self.tree);
            change(&mut Update { tree: &mut tree });
            if !tree.has_changes() {
                return Ok(());
            }
            let mut items = lock(&self.items).take().unwrap_or_else(|| self.endpoint.items());
            items.fill(tree.changes());
            tree.settle();
            items
        };
        let sent = self.endpoint.send_items(&mut items).await;
        *lock(&self.items) = Some(items);
        sent
    }

    /// The present value of an item.
    #[must_use]
    pub fn get<T: ItemType>(&self, item: Item<T>) -> Option<T> {
        let tree = lock(&self.tree);
        let leaf = tree.leaf(&item.path())?;
        T::from_value(leaf.value.as_ref()?)
    }

    /// Whether a client, by the unique name of its connection, is still on the bus. A bus that does not say counts as yes:
    /// losing it is another matter, see [`Service::lost`].
    pub async fn is_connected(&self, client: &str) -> bool {
        self.endpoint.has_owner(client).await.unwrap_or(true)
    }

    /// Resolves when the connection to the bus has ended.
    pub fn lost(&self) -> impl Future<Output = BusError> + Send + use<> {
        let endpoint = self.endpoint.clone();
        async move {
            endpoint.closed().await;
            BusError::Lost("the bus closed the connection".to_owned())
        }
    }

    /// Leaves the bus and closes the connection.
    pub async fn leave(self) {
        self.withdraw().await;
        self.endpoint.clone().close().await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The dispatch task holds the connection open.
        self.dispatch.abort();
    }
}

/// The changes of one [`Service::update`].
#[derive(Debug)]
pub struct Update<'a> {
    tree: &'a mut Tree,
}

impl Update<'_> {
    /// Gives an item a value, or none. An item that is new is added.
    pub fn set<T: ItemType>(&mut self, item: Item<T>, value: impl Into<Option<T>>) -> &mut Self {
        self.tree.set(&item, value.into().and_then(T::into_value));
        self
    }

    /// Takes the value of an item away.
    pub fn clear<T: ItemType>(&mut self, item: Item<T>) -> &mut Self {
        self.set(item, None::<T>)
    }

    /// Takes the value away from every item below a branch, such as `/Info`.
    pub fn clear_below(&mut self, branch: &str) -> &mut Self {
        self.tree.clear_below(branch);
        self
    }
}

impl WriteRequest {
    pub(crate) fn new(
        path: String,
        value: Option<Value>,
        client: String,
    ) -> (WriteRequest, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        (WriteRequest { path, value, client, answer }, answered)
    }

    /// The unique name of the client's connection; see [`Service::is_connected`].
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// The path of the item.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether this is a write to `item`.
    #[must_use]
    pub fn is<T: ItemType>(&self, item: Item<T>) -> bool {
        item.is_at(&self.path)
    }

    /// What the client wants the item to hold.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// Done: the item takes the value and the bus is told.
    pub fn accept(self) {
        // An error means that the service is gone, and with it whoever asked.
        let _ = self.answer.send(Answer::Accept);
    }

    /// Taken up: the item changes by [`Service::update`] when the device has confirmed, not before.
    pub fn confirm_later(self) {
        let _ = self.answer.send(Answer::ConfirmLater);
    }

    /// Refused, for a reason that is logged.
    pub fn refuse(self, reason: impl Into<String>) {
        let _ = self.answer.send(Answer::Refuse(Refusal::Driver(reason.into())));
    }
}

/// A lock that survives a panic elsewhere: the items are plain values, never half written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
