//! The process in this role: one CAN bus on which we are the battery, and the loop around it.

use std::time::Duration;

use dbus_interfaces::classes::{device, multi};
use dbus_interfaces::{BusAddress, BusError, Draft, Service, WriteRequest, Writes};
use service_kit::{Context, Failure, random_seed};
use tokio::time::{Instant, sleep_until};

use super::publish;
use super::source::{Followed, View};
use super::station::{Doing, Station};
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
    let station = Station::new(profile, dialect, config.silence(profile), facts, random_seed());
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
    };
    let outcome = process.work(&context).await;
    process.service.leave().await;
    outcome
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
                () = self.followed.changed() => looks = true,
                news = self.kept.next() => self.news(news?).await?,
                Some(write) = self.writes.recv() => self.write(write),
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
            self.service
                .update(|tx| {
                    publish::update(tx, &self.station, &why, now);
                    self.health.update(tx);
                })
                .await?;
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
        draft.fill(|tx| {
            publish::standing(tx, self.profile, &self.facts, &self.follows);
            publish::update(tx, &self.station, &why, now);
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
            News::Known => Ok(()),
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
            Doing::Safe => format!("0 A and an alarm: {reason}"),
            Doing::Stopped => format!("nothing is sent, so that the inverter notices the loss: {reason}"),
        };
        for more in [self.station.by_hand(), self.health.trouble.as_deref()].into_iter().flatten() {
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
