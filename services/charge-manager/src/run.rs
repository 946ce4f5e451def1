//! The process: what is on the bus in, the decision out, once a second and at once when something goes down.

use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::classes::{bank, battery as class, device};
use dbus_interfaces::{BusAddress, BusError, Draft, Event, Events, Monitor, Service, WriteRequest, Writes};
use service_kit::{Context, Failure, wall_clock};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::config::Config;
use crate::decide::decide;
use crate::decision::Decision;
use crate::input::{Battery, Inverters, Now};
use crate::memory::Memory;
use crate::name::Name;
use crate::service::founding::Founding;
use crate::service::kept::{Kept, News};
use crate::service::log::Log;
use crate::service::publish::{Around, Publisher};
use crate::service::requests::Requests;
use crate::service::signs::Signs;
use crate::service::speaks::{Shown, Speaks};
use crate::service::store::{Store, wall};
use crate::service::urgency::Urgency;
use crate::service::{Clock, batteries, devices, filter, site};
use crate::settings::Key;

/// The work loop has to come by at least this often. Followers hold the last limits for 10 s: a manager that hangs is to be
/// ended, started again and back within that time.
pub const WATCHDOG_LIMIT: Duration = Duration::from_secs(6);

/// Between two decisions.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two decisions at the least, however much goes down.
const SHORTEST: Duration = Duration::from_millis(20);
/// So long the start waits for the services that are on the bus already.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Without data for so long, the bank leaves the bus.
const GONE: Duration = Duration::from_secs(60);

/// Runs until it is asked to stop.
///
/// # Errors
/// The bus is not there or gone, or the name is taken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let (service, writes) = Service::connect(&bus).await?;
    let (monitor, events) = Monitor::start(&bus, filter()).await?;
    let now = Instant::now();
    let store = Store::new(config.folder.clone(), config.volatile_folder.clone(), now);
    let memory = store.load(wall(wall_clock()));
    let is_warm = memory.is_warm();
    let process = Process {
        kept: Kept::open(&config, &bus),
        service,
        monitor: Arc::new(monitor),
        memory,
        store,
        clock: Clock::start(),
        signs: Signs::default(),
        urgency: Urgency::default(),
        founding: Founding::default(),
        speaks: Speaks::new(is_warm),
        requests: Requests::default(),
        publisher: Publisher::default(),
        log: Log::default(),
        last: None,
        is_published: false,
        bank_at: None,
        index: 0,
    };
    process.work(&context, writes, events).await
}

struct Process {
    service: Service,
    monitor: Arc<Monitor>,
    kept: Kept,
    memory: Memory,
    store: Store,
    clock: Clock,
    signs: Signs,
    urgency: Urgency,
    founding: Founding,
    speaks: Speaks,
    requests: Requests,
    publisher: Publisher,
    log: Log,
    last: Option<Decision>,
    is_published: bool,
    /// When there was a battery in the bank last.
    bank_at: Option<Instant>,
    index: i32,
}

impl Process {
    async fn work(
        mut self,
        context: &Context,
        mut writes: Writes,
        mut events: Events,
    ) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut lost = std::pin::pin!(self.service.lost());
        let mut settled = std::pin::pin!(settled(self.monitor.clone()));
        let mut is_settled = false;
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut urgent_at, mut decided_at): (Option<Instant>, Option<Instant>) = (None, None);
        context.ready("waiting for batteries");
        let outcome = loop {
            context.beat();
            let mut is_second = false;
            tokio::select! {
                biased;
                () = shutdown.requested() => break Ok(()),
                error = &mut lost => break Err(error.into()),
                () = &mut settled, if !is_settled => {
                    is_settled = true;
                    urgent_at = Some(Instant::now());
                }
                _ = tick.tick() => is_second = true,
                news = self.kept.next() => match news {
                    Ok(news) => {
                        if let Err(error) = self.news(news).await {
                            break Err(error.into());
                        }
                        urgent_at = Some(Instant::now());
                    }
                    Err(error) => break Err(error.into()),
                },
                write = writes.recv() => {
                    if let Some(write) = write {
                        self.write(write);
                        urgent_at = urgent_at.or_else(|| soon(decided_at));
                    }
                }
                event = events.next() => {
                    // Nothing is followed any more: what was seen last must not be decided upon.
                    let Some(event) = event else {
                        let what = "the connection that follows batteries has ended";
                        break Err(BusError::Lost(what.to_owned()).into());
                    };
                    if self.is_urgent(&event) {
                        urgent_at = urgent_at.or_else(|| soon(decided_at));
                    }
                }
                () = until(urgent_at) => {}
            }
            let now = Instant::now();
            let is_urgent = urgent_at.is_some_and(|at| at <= now);
            if !is_settled || !self.kept.is_known() || !(is_second || is_urgent) {
                continue;
            }
            (urgent_at, decided_at) = (None, Some(now));
            if let Err(error) = self.decide(is_second, now).await {
                break Err(error.into());
            }
            context.status(&self.status());
        };
        self.store.finish(&self.memory, wall(wall_clock()), Instant::now()).await;
        self.service.leave().await;
        outcome
    }

    fn is_urgent(&mut self, event: &Event) -> bool {
        self.urgency.is_urgent(&self.monitor, event)
    }

    /// One decision, and everything that follows from it.
    async fn decide(&mut self, is_second: bool, now: Instant) -> Result<(), BusError> {
        let (wall_now, seen) = (wall(wall_clock()), self.monitor.services());
        self.signs.ask(&self.monitor, &seen, now);
        let batteries = batteries::batteries(&self.monitor, &seen, &self.signs, self.clock);
        let begins = self.last.is_none() && !self.memory.is_warm();
        if begins && !self.founding.is_over(batteries.len(), now) {
            return Ok(());
        }
        let mut site = site::site(&self.monitor, self.kept.instance());
        self.requests.ask(&mut site);
        let dvcc = site.dvcc == Some(true);
        let devices = devices::devices(&self.monitor, &seen, &self.signs, dvcc, self.clock);
        let inverters = Inverters { devices, site };
        let moment = Now { monotonic: self.clock.at(now), wall: Some(wall_now) };
        let decision = decide(moment, &batteries, &inverters, self.kept.settings(), &mut self.memory);
        self.requests.done(&decision);
        self.log.tell(&decision);
        if decision.became_full {
            self.store.want();
        }
        let has_fallen = self.last.as_ref().is_none_or(|last| has_fallen(last, &decision));
        self.list(&decision, &batteries, now);
        if is_second {
            self.index = (self.index + 1) % 256;
        }
        self.show(&decision, now).await?;
        let is_bank = decision.picture.online > 0;
        self.last = Some(decision);
        if is_bank {
            self.bank_at = Some(now);
            self.store.step(&self.memory, has_fallen, wall_now, now).await;
        }
        Ok(())
    }

    /// Who is listed, and whether the bank speaks.
    fn list(&mut self, decision: &Decision, batteries: &[Battery], now: Instant) {
        let monitor = &self.monitor;
        let on_the_bus = |name: &Name| {
            let battery = batteries.iter().find(|battery| battery.service == *name)?;
            let limits = batteries::shows_limits(monitor, name);
            Some(Shown { gives_way: battery.gives_way, limits })
        };
        self.speaks.step(&decision.members, on_the_bus, now);
    }

    /// On the bus, or off it where there is no bank.
    async fn show(&mut self, decision: &Decision, now: Instant) -> Result<(), BusError> {
        let is_bank = decision.picture.online > 0;
        let has_left = !is_bank && self.bank_at.is_some_and(|at| now.duration_since(at) > GONE);
        if self.is_published && has_left {
            tracing::warn!("no data of any battery for more than 60 s: the bank leaves the bus");
            self.service.withdraw().await;
            (self.is_published, self.speaks, self.publisher) =
                (false, Speaks::default(), Publisher::default());
            return Ok(());
        }
        if !self.is_published {
            // Followers hold what they have while a memory that was read back waits for its members.
            return if is_bank { self.publish(decision, now).await } else { Ok(()) };
        }
        let members = self.speaks.members();
        let around = Around {
            members: &members,
            speaks: self.speaks.speaks(),
            index: self.index,
            refused: self.kept.refused(),
        };
        let floor = self.kept.settings().get(Key::FloorSoc);
        let (publisher, requests) = (&mut self.publisher, &self.requests);
        let change = self.service.update(|tx| {
            publisher.show(tx, decision, around, now);
            requests.show(tx);
            tx.set(class::DISCHARGE_FLOOR, floor);
        });
        change.await
    }

    async fn publish(&mut self, decision: &Decision, now: Instant) -> Result<(), BusError> {
        let mut draft = Draft::new(bank::NAME);
        device::Identity {
            process_name: "charge-manager",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: "batteries on the D-Bus".to_owned(),
            device_instance: self.kept.instance(),
            product_id: class::PRODUCT_ID,
            product_name: "Battery bank".to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            hardware_version: None,
            serial: None,
        }
        .add_to(&mut draft);
        let members = self.speaks.members();
        let around = Around {
            members: &members,
            speaks: self.speaks.speaks(),
            index: self.index,
            refused: self.kept.refused(),
        };
        let floor = self.kept.settings().get(Key::FloorSoc);
        draft.fill(|tx| {
            self.publisher.show(tx, decision, around, now);
            self.requests.show(tx);
            tx.set(class::DISCHARGE_FLOOR, floor);
        });
        self.service.publish(draft).await?;
        self.is_published = true;
        tracing::info!(
            instance = self.kept.instance(),
            "the bank is on the bus: {}",
            decision.members.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
        );
        Ok(())
    }

    async fn news(&mut self, news: News) -> Result<(), BusError> {
        match news {
            News::Known | News::Tuned => {}
            News::Name if self.is_published => {
                let name = self.kept.name();
                self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, name)).await?;
            }
            News::Name => {}
            News::Instance if self.is_published => {
                tracing::info!(instance = self.kept.instance(), "the bank has another number");
                // Readers look at the number once: it leaves and comes back, with everything as it was.
                self.service.withdraw().await;
                (self.is_published, self.publisher) = (false, Publisher::default());
            }
            News::Instance => {}
        }
        Ok(())
    }

    fn write(&mut self, write: WriteRequest) {
        if write.is(device::CUSTOM_NAME) {
            return self.kept.rename(write);
        }
        if write.is(class::HISTORY_CLEAR) {
            if write.value().and_then(|value| value.as_i64()) == Some(1) {
                tracing::info!("the history is cleared");
                self.memory.clear_history();
                self.store.want();
            }
            return write.accept();
        }
        if let Some(write) = self.requests.take(write) {
            write.refuse("this is decided, not set");
        }
    }

    /// For the supervisor's status line.
    fn status(&self) -> String {
        match &self.last {
            Some(decision) if self.is_published => {
                format!("{}, {} in the bank", decision.mode, decision.picture.online)
            }
            _ => "waiting for batteries".to_owned(),
        }
    }
}

/// Every service that was there at the start is known, or has had its chance.
async fn settled(monitor: Arc<Monitor>) {
    // One that does not answer does not live either.
    let _ = tokio::time::timeout(FIRST_LOOK, monitor.settled()).await;
}

/// At once, but for the shortest time between two decisions.
fn soon(decided_at: Option<Instant>) -> Option<Instant> {
    let now = Instant::now();
    Some(decided_at.map_or(now, |at| now.max(at + SHORTEST)))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A limit is lower than before, or the state is another.
fn has_fallen(before: &Decision, now: &Decision) -> bool {
    let limits = |decision: &Decision| {
        let bank = decision.bank;
        [bank.charge_voltage_v, bank.charge_current_a, bank.discharge_current_a]
    };
    let less = limits(before).into_iter().zip(limits(now)).any(|(before, now)| now < before);
    less || before.state != now.state || before.members != now.members
}
