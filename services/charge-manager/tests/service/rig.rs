//! A bus, the manager, and what the tests put beside it.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use charge_manager::Config;
use dbus_interfaces::classes::{bank, battery as b, device, follower as f, system};
use dbus_interfaces::{BusAddress, Draft, Events, Filter, Item, ItemType, Monitor, Service, Update};
use service_kit::{Context, Stopper};
use tempfile::TempDir;
use testbed::{PrivateBus, bed, patient};
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval, timeout_at};

/// Long enough for anything that happens at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A bus and a folder.
pub(crate) struct Rig {
    pub(crate) bus: PrivateBus,
    folder: TempDir,
}

/// The manager on a thread of its own, as in its process. It is asked to stop when this goes out of scope.
pub(crate) struct Manager {
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Rig {
    pub(crate) fn start() -> Rig {
        Rig { bus: PrivateBus::start(), folder: bed::folder() }
    }

    pub(crate) fn address(&self) -> BusAddress {
        BusAddress::At(self.bus.address().to_owned())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the manager.
    pub(crate) fn manage(&self) -> Manager {
        let config = Config {
            folder: self.folder().join("kept"),
            volatile_folder: self.folder().join("volatile"),
            ..Config::default()
        };
        let (context, stopper) = Context::detached();
        let address = self.address();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            // What it ends with is seen on the bus.
            let _ = runtime.block_on(charge_manager::run(config, address, context));
        });
        Manager { stopper, thread: Some(thread) }
    }

    /// What is on the bus, by the hands of our own library.
    pub(crate) async fn watch(&self) -> Watch {
        let filter = Filter::new().class("battery").class("multi");
        let (monitor, events) = Monitor::start(&self.address(), filter).await.expect("a bus");
        Watch { monitor, events }
    }

    /// A settings service, and the time that the manager would wait for one is saved.
    pub(crate) fn settings(&self) -> testbed::Process {
        bed::settings(&self.bus, self.folder())
    }

    /// Publishes a battery.
    pub(crate) async fn battery(&self, pack: Pack) -> Battery {
        let mut draft = Draft::new(format!("com.victronenergy.battery.{}", pack.name));
        identity(&mut draft, pack.name, pack.instance);
        draft.fill(|tx| pack.show(tx));
        let (service, _writes) = draft.publish(&self.address()).await.expect("published");
        Battery::begin(service, pack)
    }

    /// Publishes an inverter that follows the manager, at this current.
    pub(crate) async fn follower(&self, name: &str, amps: f64) -> Service {
        let mut draft = Draft::new(format!("com.victronenergy.multi.{name}"));
        identity(&mut draft, name, 0);
        draft.add(f::FOLLOWS, bank::NAME.to_owned()).add(f::CURRENT, amps);
        draft.publish(&self.address()).await.expect("published").0
    }

    /// Publishes what of systemcalc matters.
    pub(crate) async fn systemcalc(&self, dvcc: bool) -> Service {
        let mut draft = Draft::new(system::NAME);
        draft.add(device::DEVICE_INSTANCE, 0).add(system::DVCC, i32::from(dvcc));
        draft.publish(&self.address()).await.expect("published").0
    }
}

pub(crate) fn identity(draft: &mut Draft, name: &str, instance: i32) {
    device::Identity {
        process_name: "test",
        process_version: "0",
        connection: "test".to_owned(),
        device_instance: instance,
        product_id: 0xFFFF,
        product_name: name.to_owned(),
        custom_name: None,
        firmware_version: None,
        hardware_version: None,
        serial: None,
    }
    .add_to(draft);
}

/// Whose driver a battery has.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Driver {
    /// Ours: keeps its limits on `/Bms`, counts its data, withdraws when it is listed.
    Ours,
    /// Of another maker: its limits are on `/Info`, and it says something only when something changes.
    Foreign,
    /// A shunt: no limits at all.
    Shunt,
}

/// What a battery shows.
#[derive(Clone, Copy)]
pub(crate) struct Pack {
    pub(crate) name: &'static str,
    pub(crate) instance: i32,
    pub(crate) driver: Driver,
    pub(crate) current_a: f64,
    pub(crate) ccl_a: f64,
    pub(crate) dcl_a: f64,
    pub(crate) index: i32,
}

impl Pack {
    /// A battery of ours at rest.
    pub(crate) const fn ours(name: &'static str, instance: i32) -> Pack {
        Pack { name, instance, driver: Driver::Ours, current_a: 0.0, ccl_a: 100.0, dcl_a: 120.0, index: 0 }
    }

    fn show(&self, tx: &mut Update<'_>) {
        tx.set(b::DC_VOLTAGE, 52.8).set(b::DC_CURRENT, self.current_a).set(b::SOC, 60.0);
        tx.set(b::INSTALLED_CAPACITY, 280.0).set(b::DC_TEMPERATURE, 22.0).set(b::CELLS_PER_BATTERY, 16);
        match self.driver {
            Driver::Ours => tx
                .set(b::BMS_MAX_CHARGE_VOLTAGE, 57.6)
                .set(b::BMS_MAX_CHARGE_CURRENT, self.ccl_a)
                .set(b::BMS_MAX_DISCHARGE_CURRENT, self.dcl_a)
                .set(bank::UPDATE_INDEX, self.index),
            Driver::Foreign => tx
                .set(b::MAX_CHARGE_VOLTAGE, 57.6)
                .set(b::MAX_CHARGE_CURRENT, self.ccl_a)
                .set(b::MAX_DISCHARGE_CURRENT, self.dcl_a),
            Driver::Shunt => tx,
        };
    }
}

/// A battery on the bus; one of ours counts its data, until it goes out of scope.
pub(crate) struct Battery {
    service: Arc<Service>,
    pack: Pack,
    counts: Option<AbortHandle>,
}

impl Battery {
    fn begin(service: Service, pack: Pack) -> Battery {
        let service = Arc::new(service);
        let counts = (pack.driver == Driver::Ours).then(|| {
            let service = service.clone();
            tokio::spawn(async move {
                let (mut tick, mut index) = (interval(Duration::from_secs(1)), 0);
                loop {
                    tick.tick().await;
                    index = (index + 1) % 256;
                    if service.update(|tx| _ = tx.set(bank::UPDATE_INDEX, index)).await.is_err() {
                        return;
                    }
                }
            })
            .abort_handle()
        });
        Battery { service, pack, counts }
    }

    /// Shows something else from now on.
    pub(crate) async fn set(&mut self, change: impl FnOnce(&mut Pack)) {
        change(&mut self.pack);
        let index = self.service.get(bank::UPDATE_INDEX).unwrap_or(0);
        self.pack.index = (index + 1) % 256;
        let pack = self.pack;
        self.service.update(|tx| pack.show(tx)).await.expect("the bus");
    }

    /// Sends nothing any more, and stays on the bus.
    pub(crate) fn fall_silent(&self) {
        if let Some(counts) = &self.counts {
            counts.abort();
        }
    }
}

impl Drop for Battery {
    fn drop(&mut self) {
        self.fall_silent();
    }
}

/// What is seen on the bus.
pub(crate) struct Watch {
    pub(crate) monitor: Monitor,
    events: Events,
}

impl Watch {
    pub(crate) fn get<T: ItemType>(&self, item: Item<T>) -> Option<T> {
        self.monitor.get(bank::NAME, item)
    }

    /// Waits until it is so, and says how long that took.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl FnMut(&Watch) -> bool) -> Duration {
        self.until_within(SOON, what, is_so).await
    }

    /// As [`until`](Self::until), for what takes its time.
    pub(crate) async fn until_within(
        &mut self,
        longest: Duration,
        what: &str,
        mut is_so: impl FnMut(&Watch) -> bool,
    ) -> Duration {
        let (start, deadline) = (Instant::now(), Instant::now() + patient(longest));
        while !is_so(self) {
            if timeout_at(deadline, self.events.next()).await.is_err() {
                let shown = self.monitor.items(bank::NAME);
                panic!("not within {longest:?}: {what}\n{shown:#?}");
            }
        }
        start.elapsed()
    }

    /// The bank is there and its members are allowed to be discharged.
    pub(crate) async fn until_it_works(&mut self) {
        self.until("a bank that works", |watch| watch.get(b::MAX_DISCHARGE_CURRENT).is_some_and(|a| a > 0.0))
            .await;
    }
}
