//! The process in this role: one CAN bus on which we are the battery, and the loop around it.

use std::time::Duration;

use dbus_interfaces::classes::{device, multi, vebus};
use dbus_interfaces::{BusAddress, BusError, Draft, Service, Update, Value, WriteRequest, Writes};
use service_kit::{Context, Failure, random_seed};
use tokio::time::{Instant, sleep_until, timeout};

use super::publish;
use super::source::{Followed, View};
use super::station::{Doing, Station};
use super::sunny_island::{self, Counters, Flows};
use super::system::{Happening, System};
use super::vebus::Rivals;
use super::{Facts, Profile};
use crate::battery::Pace;
use crate::config::{Can, Inverter};
use crate::frame::Frame;
use crate::kept::{Kept, News};
use crate::link_health::LinkHealth;
use crate::protocols;
use crate::transports::interest::Interest;
use crate::transports::{Link, LinkEvent};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// How often the items are looked through at least.
const SHOW: Duration = Duration::from_secs(5);
/// How long the end waits for the settings.
const LAST_WORD: Duration = Duration::from_millis(500);
/// More frames than one read of a full buffer can hold.
const FRAMES: usize = 256;

/// Runs until it is asked to stop. It then stops sending, and nothing else: within its own time-out the inverter does not
/// notice that another process takes over.
pub(crate) async fn run(
    can: Can,
    config: Inverter,
    bus: BusAddress,
    context: Context,
) -> Result<(), Failure> {
    let profile = config.profile().map_err(Failure::configuration)?;
    let dialect = protocols::by_name(profile.dialect)
        .ok_or_else(|| Failure::configuration(format!("no dialect {}", profile.dialect)))?;
    let link = can.link(random_seed()).map_err(Failure::configuration)?;
    let unit = can.bus_suffix();
    let bus_name = format!("com.victronenergy.{}.bmscan_{unit}", multi::CLASS);
    let (service, writes) = Service::connect(&bus).await?;
    let kept = Kept::open(multi::CLASS, &unit, config.device_instance, config.name.clone(), &bus);
    let mut followed = Followed::start(&config.follow, &bus_name, &bus).await?;
    let view = followed.look(Instant::now());
    let facts = config.facts();
    let cluster = config.cluster(profile);
    let system = match &cluster {
        Some(_) => {
            Some(another((multi::SYSTEM_CLASS, multi::SYSTEM_PRODUCT_ID), &unit, &config, &can, &bus).await?)
        }
        None => None,
    };
    let as_vebus = match config.vebus {
        true => {
            let own = format!("com.victronenergy.{}.bmscan_{unit}", vebus::CLASS);
            let rivals = Rivals::start(own, &bus, Instant::now()).await?;
            let face = another((vebus::CLASS, vebus::PRODUCT_ID), &unit, &config, &can, &bus).await?;
            Some(AsVebus { rivals, face, logged: None })
        }
        false => None,
    };
    let station = Station::new(
        profile,
        dialect,
        config.silence(profile),
        facts,
        cluster,
        config.reserve(),
        random_seed(),
    );
    let mut process = Process {
        link,
        station,
        followed,
        view,
        service,
        writes,
        kept,
        profile,
        facts,
        follows: config.follow,
        bus_name,
        connection: can.connection(),
        is_published: false,
        pace: Pace::default(),
        shown_at: None,
        health: LinkHealth::default(),
        logged: None,
        system,
        as_vebus,
        may_switch: config.remote_switch,
        counters: None,
    };
    let outcome = process.work(&context).await;
    if let Some((counters, _)) = &process.counters {
        // A stop takes a second at most.
        let _ = timeout(LAST_WORD, process.kept.keep_energy(counters.at_end())).await;
    }
    if let Some(as_vebus) = process.as_vebus {
        as_vebus.face.leave().await;
    }
    if let Some(system) = process.system {
        system.leave().await;
    }
    process.service.leave().await;
    outcome
}

/// Another service of this inverter, with no name yet.
async fn another(
    class: (&str, i32),
    unit: &str,
    config: &Inverter,
    can: &Can,
    bus: &BusAddress,
) -> Result<System, BusError> {
    System::connect(class, unit, config.device_instance, config.name.clone(), can.connection(), bus).await
}

/// The inverter as a vebus, and whether it may be one.
struct AsVebus {
    rivals: Rivals,
    face: System,
    /// What the log was told of it.
    logged: Option<bool>,
}

/// What concerns it.
enum Vebus {
    /// Another one has come or gone.
    Rivals,
    /// Our own.
    Face(Happening),
}

impl AsVebus {
    async fn happening(&mut self) -> Result<Vebus, BusError> {
        tokio::select! {
            changed = self.rivals.changed() => changed.map(|()| Vebus::Rivals),
            happening = self.face.happening() => happening.map(Vebus::Face),
        }
    }
}

/// The next thing that concerns the vebus, if it shall be one.
async fn of_vebus(as_vebus: &mut Option<AsVebus>) -> Result<Vebus, BusError> {
    match as_vebus {
        Some(as_vebus) => as_vebus.happening().await,
        None => std::future::pending().await,
    }
}

/// The next thing that concerns the control half, if there is one.
async fn of_system(system: &mut Option<System>) -> Result<Happening, BusError> {
    match system {
        Some(system) => system.happening().await,
        None => std::future::pending().await,
    }
}

struct Process {
    link: Link,
    station: Station,
    followed: Followed,
    view: View,
    service: Service,
    writes: Writes,
    kept: Kept,
    profile: &'static Profile,
    facts: Facts,
    follows: String,
    bus_name: String,
    connection: String,
    is_published: bool,
    pace: Pace,
    shown_at: Option<Instant>,
    health: LinkHealth,
    /// What the log was told last: what is done, and whether the inverter is there.
    logged: Option<(Doing, bool)>,
    /// The control half, of an inverter that tells of itself.
    system: Option<System>,
    /// All of it as a vebus, where the user wants that.
    as_vebus: Option<AsVebus>,
    may_switch: bool,
    /// The energy counters, and when they were last counted.
    counters: Option<(Counters, Instant)>,
}

impl Process {
    async fn work(&mut self, context: &Context) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut lost = std::pin::pin!(self.service.lost());
        let mut frames: Vec<Frame> = Vec::with_capacity(FRAMES);
        if let Some(what) = self.link.waiting_for() {
            tracing::info!("waiting for {what}");
        }
        self.link.listen_to(Interest::Ids(self.station.ids().collect()));
        context.ready(&self.status());
        loop {
            context.beat();
            let wake = self.next_wake(Instant::now());
            let mut looks = false;
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                error = &mut lost => return Err(error.into()),
                () = sleep_until(wake) => looks = true,
                event = self.link.next(&mut frames) => match event {
                    LinkEvent::Frames => {}
                    LinkEvent::Up => {
                        self.station.link(true, Instant::now());
                        looks = true;
                    }
                    LinkEvent::Down => {
                        self.station.link(false, Instant::now());
                        looks = true;
                    }
                },
                changed = self.followed.changed() => {
                    changed?;
                    looks = true;
                }
                news = self.kept.next() => self.news(news?).await?,
                Some(write) = self.writes.recv() => self.write(write),
                happening = of_system(&mut self.system) => self.take(happening?, false).await?,
                happening = of_vebus(&mut self.as_vebus) => match happening? {
                    Vebus::Rivals => self.give_place(Instant::now()).await?,
                    Vebus::Face(happening) => self.take(happening, true).await?,
                },
            }
            let now = Instant::now();
            for frame in frames.drain(..) {
                self.station.frame(&frame, now);
            }
            if looks {
                self.view = self.followed.look(now);
            }
            self.station.decide(&self.view, now);
            while let Some(frame) = self.station.take(now) {
                self.link.send(&frame);
            }
            self.command(now);
            self.settle(context, now).await?;
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let show = self.shown_at.map(|at| at + SHOW);
        let times = [self.station.next(now), self.followed.next(), self.pace.due(), show];
        times.into_iter().flatten().min().unwrap_or(now + BEAT).min(now + BEAT)
    }

    /// Says what has changed.
    async fn settle(&mut self, context: &Context, now: Instant) -> Result<(), BusError> {
        if !self.is_published {
            if self.kept.is_known() {
                self.publish(now).await?;
            }
            return Ok(());
        }
        let now_is = (self.station.doing().0, self.station.has_inverter(now));
        if self.logged != Some(now_is) {
            self.log(now_is);
            self.logged = Some(now_is);
            self.pace.at_once(now);
            context.status(&self.status());
        }
        if self.health != *self.link.health() {
            self.health = self.link.health().clone();
        }
        if self.shown_at.is_none_or(|at| at + SHOW <= now) {
            self.pace.at_once(now);
        } else {
            self.pace.changed(now);
        }
        if self.pace.take(now) {
            self.shown_at = Some(now);
            let why = self.why();
            self.count(now);
            self.service
                .update(|tx| {
                    publish::update(tx, &self.station, &why, now);
                    self.reports(tx, now);
                    self.health.update(tx);
                })
                .await?;
            self.show_system(now).await?;
        }
        Ok(())
    }

    /// What the inverter tells of itself, on the unit.
    fn reports(&self, tx: &mut Update<'_>, now: Instant) {
        if let Some(cluster) = self.station.cluster() {
            let (view, is_there) = (cluster.view(now), self.station.has_inverter(now));
            if self.is_vebus() {
                return sunny_island::unit_beside_vebus(tx, &view, is_there);
            }
            sunny_island::unit(tx, &view, cluster.input(), is_there);
        }
        if let Some((counters, _)) = &self.counters {
            sunny_island::energy(tx, counters);
        }
    }

    /// Whether the vebus is who shows what the inverter tells of itself.
    fn is_vebus(&self) -> bool {
        self.as_vebus.as_ref().is_some_and(|as_vebus| as_vebus.rivals.is_ours())
    }

    /// Looks for other vebus services: one that has come gets the place at once.
    async fn give_place(&mut self, now: Instant) -> Result<(), BusError> {
        let Some(AsVebus { rivals, face, logged }) = &mut self.as_vebus else { return Ok(()) };
        rivals.look(now).await?;
        let is_ours = rivals.is_ours();
        if !is_ours {
            face.withdraw().await;
        }
        if *logged != Some(is_ours) {
            *logged = Some(is_ours);
            if self.is_published {
                self.pace.at_once(now);
            }
            match rivals.why_not() {
                Some(why) => tracing::warn!(inverter = self.bus_name, "{why}"),
                None => tracing::info!(inverter = self.bus_name, "shown as vebus"),
            }
        }
        Ok(())
    }

    /// The vebus, or the control half.
    async fn show_system(&mut self, now: Instant) -> Result<(), BusError> {
        if let (Some(AsVebus { rivals, face, .. }), Some(cluster)) =
            (&mut self.as_vebus, self.station.cluster())
            && rivals.is_ours()
        {
            if let Some(system) = &mut self.system {
                system.withdraw().await;
            }
            let (view, is_there) = (cluster.view(now), self.station.has_inverter(now));
            return face
                .show(self.profile.title, |tx| {
                    sunny_island::vebus(
                        tx,
                        &view,
                        cluster.input(),
                        is_there,
                        self.may_switch,
                        &self.bus_name,
                    );
                    if let Some((counters, _)) = &self.counters {
                        sunny_island::energy(tx, counters);
                    }
                })
                .await;
        }
        let (Some(system), Some(cluster)) = (&mut self.system, self.station.cluster()) else { return Ok(()) };
        let (view, input, is_there) = (cluster.view(now), cluster.input(), self.station.has_inverter(now));
        let unit = (self.bus_name.as_str(), self.kept.instance());
        system
            .show(self.profile.title, |tx| {
                sunny_island::system(tx, &view, input, is_there, self.may_switch, unit);
            })
            .await
    }

    /// Counts the energy since the last time.
    fn count(&mut self, now: Instant) {
        let Some(cluster) = self.station.cluster() else { return };
        let view = cluster.view(now);
        let (counters, at) = self.counters.get_or_insert_with(|| (Counters::read(&self.kept.energy()), now));
        let time = now.duration_since(std::mem::replace(at, now));
        if let (Some(in_w), Some(out_w), Some(battery_w)) = (view.in_w, view.out_w, view.battery_w())
            && let Some(kept) = counters.count(Flows::of(in_w, out_w, battery_w), time)
        {
            self.kept.remember_energy(kept);
        }
    }

    /// Says the command that is due.
    fn command(&mut self, now: Instant) {
        let (frame, outcome) = self.station.command(now);
        if let Some(frame) = frame {
            self.link.send(&frame);
        }
        match outcome {
            Some((on, true)) => tracing::info!(inverter = self.bus_name, on, "the inverter is switched"),
            Some((on, false)) => {
                tracing::warn!(inverter = self.bus_name, on, "the inverter does not do what it is told");
            }
            None => {}
        }
    }

    /// Does what a client of the control half wants, and what the settings tell of it.
    async fn take(&mut self, happening: Happening, is_vebus: bool) -> Result<(), BusError> {
        let face = self.as_vebus.as_mut().map(|as_vebus| &mut as_vebus.face);
        let Some(system) = (if is_vebus { face } else { self.system.as_mut() }) else { return Ok(()) };
        let write = match happening {
            Happening::News(news) => return system.news(news).await,
            Happening::Write(write) => write,
        };
        if write.is(device::CUSTOM_NAME) {
            system.rename(write);
        } else if !write.is(multi::MODE_OF_SYSTEM) {
            write.refuse("nothing here can be written but the name and the mode");
        } else if !self.may_switch {
            write.refuse("remote_switch is off in the configuration");
        } else {
            match write.value().and_then(Value::as_i64) {
                Some(mode @ (3 | 4)) => {
                    self.station.switch(mode == 3, Instant::now());
                    write.confirm_later();
                }
                _ => write.refuse("the mode is 3 for on or 4 for off"),
            }
        }
        Ok(())
    }

    async fn publish(&mut self, now: Instant) -> Result<(), BusError> {
        let mut draft = Draft::new(self.bus_name.clone());
        device::Identity {
            process_name: "bms-can",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: self.connection.clone(),
            device_instance: self.kept.instance(),
            product_id: multi::PRODUCT_ID,
            product_name: self.profile.title.to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: None,
            hardware_version: None,
            serial: None,
        }
        .add_to(&mut draft);
        let why = self.why();
        self.count(now);
        draft.fill(|tx| {
            publish::standing(tx, self.profile, &self.facts, &self.follows);
            publish::update(tx, &self.station, &why, now);
            self.reports(tx, now);
            self.health.update(tx);
        });
        self.service.publish(draft).await?;
        self.is_published = true;
        self.shown_at = Some(now);
        tracing::info!(
            inverter = self.bus_name,
            instance = self.kept.instance(),
            "the battery's side of {} follows {}",
            self.profile.title,
            self.follows
        );
        Ok(())
    }

    /// Takes in what the settings tell.
    async fn news(&mut self, news: News) -> Result<(), BusError> {
        match news {
            News::Known | News::Bank => Ok(()),
            News::Instance => {
                tracing::info!(
                    inverter = self.bus_name,
                    instance = self.kept.instance(),
                    "it has another number"
                );
                if self.is_published {
                    self.service.withdraw().await;
                }
                self.is_published = false;
                Ok(())
            }
            News::Name if self.is_published => {
                self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, self.kept.name())).await
            }
            News::Name => Ok(()),
        }
    }

    fn write(&self, write: WriteRequest) {
        if write.is(device::CUSTOM_NAME) {
            self.kept.rename(write);
        } else {
            write.refuse("nothing here can be written but the name");
        }
    }

    /// Why it does what it does, in words.
    fn why(&self) -> String {
        let reason = &self.view.limits.reason;
        let mut why = match self.station.doing().0 {
            Doing::NoBus => match self.link.waiting_for() {
                Some(what) => format!("waiting for {what}"),
                None => "the CAN bus is not open".to_owned(),
            },
            Doing::Listening => "listening whether another battery sends on this bus".to_owned(),
            Doing::Another => {
                "another battery sends on this bus: disconnect it, or stop the other program".to_owned()
            }
            Doing::Waiting if self.view.measured.is_none() => {
                format!("{} shows no state of charge, voltage and current yet; {reason}", self.follows)
            }
            Doing::Waiting | Doing::Telling => reason.clone(),
            Doing::Safe if self.view.is_to_stop => {
                "0 A and an alarm: the manager wants it stopped, because no limit has stopped it".to_owned()
            }
            Doing::Safe => format!("0 A and an alarm: {reason}"),
            Doing::Stopped => format!("nothing is sent, so that the inverter notices the loss: {reason}"),
        };
        let not_vebus = self.as_vebus.as_ref().and_then(|as_vebus| as_vebus.rivals.why_not());
        let asks_grid = "told 1 % so that it charges from the grid: the battery is below grid_charge_below_v";
        let asks_grid = self.station.asks_grid().then_some(asks_grid);
        for more in [asks_grid, not_vebus.as_deref(), self.station.by_hand(), self.health.trouble.as_deref()]
            .into_iter()
            .flatten()
        {
            why.push_str("; ");
            why.push_str(more);
        }
        why
    }

    fn log(&self, (doing, is_there): (Doing, bool)) {
        let inverter = &self.bus_name;
        let was = self.logged.map(|(doing, _)| doing);
        if was != Some(doing) {
            let why = self.why();
            match doing {
                Doing::Telling => tracing::info!(inverter, "the inverter is told the limits: {why}"),
                Doing::NoBus | Doing::Listening | Doing::Waiting => tracing::info!(inverter, "{why}"),
                Doing::Another | Doing::Safe | Doing::Stopped => tracing::warn!(inverter, "{why}"),
            }
        }
        match (self.logged.map(|(_, was_there)| was_there), is_there) {
            (Some(true), false) => tracing::warn!(inverter, "the inverter gives no sign of life any more"),
            (Some(false) | None, true) => tracing::info!(inverter, "the inverter is there"),
            _ => {}
        }
    }

    /// For the supervisor's status line.
    fn status(&self) -> String {
        match self.link.waiting_for() {
            Some(port) => format!("waiting for {port}"),
            None => format!("{} by {}", self.station.doing().0.words(), self.profile.title),
        }
    }
}
