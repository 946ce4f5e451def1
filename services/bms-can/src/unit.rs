//! One battery of the bus: its picture, and its service while there is something to show.

use std::time::Duration;

use dbus_interfaces::classes::{bank, battery as class, device};
use dbus_interfaces::{BusAddress, BusError, Draft, Service, Update, WriteRequest, Writes};
use service_kit::Repeating;
use tokio::time::Instant;

use crate::battery::{self, Pace, Picture, Recovery, Says, Silence, Urgency, View};
use crate::config::Battery;
use crate::dialect::Dialect;
use crate::frame::Frame;
use crate::give_way::{GiveWay, Sight, Speaks};
use crate::kept::{Kept, News};
use crate::link_health::LinkHealth;
use crate::message::PairRule;
use crate::protocols::{Decoded, Protocol};
use crate::recognise::Verdict;

/// Frames that are believed for so long end the trouble with those that were not.
const PEACE: Duration = Duration::from_secs(30);

/// Something that concerns one battery and is no frame.
pub(crate) enum Happening {
    /// A client wants an item changed.
    Write(WriteRequest),
    /// The settings tell something.
    News(News),
}

/// One battery.
pub(crate) struct Unit {
    config: Battery,
    /// The dialect; none until the traffic has shown it, where the user left it open.
    protocol: Option<&'static Protocol>,
    is_chosen: bool,
    /// What speaks against the dialect that the user chose.
    contradiction: Option<String>,
    bus_name: String,
    connection: String,
    link: LinkHealth,
    picture: Picture,
    pace: Pace,
    service: Service,
    writes: Writes,
    kept: Kept,
    is_published: bool,
    /// What is on the bus is no longer this battery: it has to leave before it comes back.
    must_leave: bool,
    shown: Option<Silence>,
    /// What the log has last said of a silence.
    complaint: String,
    recovery: Recovery,
    give_way: GiveWay,
    update_index: i32,
    refused: Repeating,
    unrecognised: Repeating,
}

impl Unit {
    /// A battery of which nothing is known yet, connected to the bus without a name.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub(crate) async fn connect(
        config: Battery,
        protocol: Option<&'static Protocol>,
        suffix: &str,
        connection: &str,
        bus: &BusAddress,
    ) -> Result<Self, BusError> {
        let (service, writes) = Service::connect(bus).await?;
        let unit = match config.address {
            0 => suffix.to_owned(),
            address => format!("{suffix}_{address}"),
        };
        let kept = Kept::open(class::CLASS, &unit, config.device_instance, config.name.clone(), bus);
        let bus_name = format!("com.victronenergy.{}.bmscan_{unit}", class::CLASS);
        let give_way = GiveWay::new(config.standalone);
        Ok(Unit {
            picture: new_picture(protocol, &config),
            config,
            protocol,
            is_chosen: protocol.is_some(),
            contradiction: None,
            bus_name,
            connection: connection.to_owned(),
            link: LinkHealth::default(),
            pace: Pace::default(),
            service,
            writes,
            kept,
            is_published: false,
            must_leave: false,
            shown: None,
            complaint: String::new(),
            recovery: Recovery::default(),
            give_way,
            update_index: 0,
            refused: Repeating::default(),
            unrecognised: Repeating::default(),
        })
    }

    /// Takes in a frame, if it is this battery's.
    pub(crate) fn frame(&mut self, frame: &Frame, now: Instant) {
        let Some(protocol) = self.protocol else { return };
        let urgency = match protocol.decode(frame) {
            Decoded::Good(reading) if reading.address == self.config.address => {
                if let Some(report) = self.refused.ended_after(PEACE, now) {
                    tracing::info!(battery = self.bus_name, "its frames are believed again: {report}");
                }
                self.picture.apply(&reading.message, now)
            }
            Decoded::Refused(refused) if refused.address == self.config.address => {
                let what =
                    format!("frame {} ({}) is not believed: {}", frame.id(), refused.name, refused.why);
                if let Some(report) = self.refused.failed(now, &what) {
                    tracing::warn!(battery = self.bus_name, "{report}");
                }
                Urgency::Nothing
            }
            _ => Urgency::Nothing,
        };
        match urgency {
            Urgency::Nothing => {}
            Urgency::Soon => self.pace.changed(now),
            Urgency::AtOnce => self.pace.at_once(now),
        }
    }

    /// Takes in what the traffic shows of the dialect.
    pub(crate) fn dialect(&mut self, dialect: &Dialect, now: Instant) {
        let contradiction = self.protocol.and_then(|protocol| dialect.contradiction(protocol, now));
        if self.is_chosen {
            if let Some(why) = contradiction.as_ref().filter(|why| self.contradiction.as_ref() != Some(why)) {
                tracing::warn!(battery = self.bus_name, "{why}");
            }
            if self.contradiction != contradiction {
                self.contradiction = contradiction;
                self.pace.changed(now);
            }
            return;
        }
        if self.protocol.is_some() && contradiction.is_none() {
            return;
        }
        let trouble = match dialect.verdict(now) {
            Verdict::Recognised { protocol, because } => {
                if self.protocol.is_none_or(|present| present.name != protocol.name) {
                    self.adopt(protocol, &because, now);
                    for (frame, at) in dialect.recent(now) {
                        self.frame(&frame, at);
                    }
                }
                return;
            }
            Verdict::Listening => return,
            Verdict::Foreign { what, because } => {
                format!("this is {what}, which is not read here: {because}")
            }
            Verdict::Unknown { because } => format!("no dialect is recognised: {because}; set protocol"),
        };
        if let Some(report) = self.unrecognised.failed(now, &trouble) {
            tracing::warn!(battery = self.bus_name, "{report}");
        }
    }

    fn adopt(&mut self, protocol: &'static Protocol, because: &str, now: Instant) {
        // The answer to the trouble stands in the line below.
        let _ = self.unrecognised.ended(now);
        tracing::info!(
            battery = self.bus_name,
            protocol = protocol.name,
            "{because}: this is {}",
            protocol.title
        );
        self.protocol = Some(protocol);
        self.picture = new_picture(self.protocol, &self.config);
        self.must_leave = self.is_published;
    }

    /// Takes in how the CAN bus itself is.
    pub(crate) fn link(&mut self, health: &LinkHealth, now: Instant) {
        if self.link != *health {
            self.link = health.clone();
            self.pace.changed(now);
        }
    }

    /// The dialect and address of the frames that it reads; `None` before the dialect is known.
    pub(crate) fn reads(&self) -> Option<(&'static Protocol, u8)> {
        Some((self.protocol?, self.config.address))
    }

    /// Says and does what the time asks for.
    ///
    /// # Errors
    /// A [`BusError`] that ends the process.
    pub(crate) async fn settle(&mut self, manager: Option<&Sight>, now: Instant) -> Result<(), BusError> {
        let spoke = self.give_way.speaks();
        if self.give_way.step(&self.bus_name, manager, now) != spoke {
            self.log_speaker();
            self.pace.at_once(now);
        }
        if let Some(members) = self.give_way.bank() {
            self.kept.remember_bank(members, now);
        }
        if self.is_published || self.recovery != Recovery::default() {
            self.recovery.step(self.picture.essential_silence(now).holds(), now);
        }
        if self.picture.is_gone(now) {
            self.forget().await;
            return Ok(());
        }
        if std::mem::take(&mut self.must_leave) {
            self.withdraw().await;
        }
        if !self.is_published {
            let is_known = self.kept.is_known() && !self.give_way.is_undecided(now);
            let is_ready = is_known && self.picture.is_complete();
            return if is_ready { self.publish(now).await } else { Ok(()) };
        }
        // Time alone has taken something away: that does not wait for the battery's next frame.
        if self.shown != Some(self.picture.shown_silence(now)) {
            self.pace.at_once(now);
        }
        if self.pace.take(now) {
            self.show(now).await?;
        }
        Ok(())
    }

    /// When [`settle`](Self::settle) has something to do even if no frame comes.
    #[must_use]
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let pace = self.pace.due().filter(|_| self.is_published);
        let changes = [pace, self.picture.next_change(now), self.give_way.next_change(now)];
        changes.into_iter().flatten().min()
    }

    /// Whether there is nothing to find out: the battery is on the bus, and all that it ever sent still comes.
    pub(crate) fn is_settled(&self, now: Instant) -> bool {
        self.is_published && self.picture.is_whole(now)
    }

    /// Resolves when the connection to the bus has ended.
    pub(crate) fn lost(&self) -> impl Future<Output = BusError> + use<> {
        self.service.lost()
    }

    /// The next wish of a client, or news of the settings. Dropping the future loses nothing.
    pub(crate) async fn happening(&mut self) -> Result<Happening, BusError> {
        tokio::select! {
            write = self.writes.recv() => match write {
                Some(write) => Ok(Happening::Write(write)),
                None => std::future::pending().await,
            },
            news = self.kept.next() => news.map(Happening::News),
        }
    }

    /// Does what a happening asks for.
    ///
    /// # Errors
    /// A [`BusError`] that ends the process.
    pub(crate) async fn take(&mut self, happening: Happening, now: Instant) -> Result<(), BusError> {
        match happening {
            Happening::Write(write) if write.is(device::CUSTOM_NAME) => self.kept.rename(write),
            Happening::Write(write) => write.refuse("nothing here can be set"),
            Happening::News(News::Known | News::Bank) => self.remember_bank(now),
            Happening::News(News::Instance) => {
                tracing::info!(
                    battery = self.bus_name,
                    instance = self.kept.instance(),
                    "the battery has another number"
                );
                self.must_leave = self.is_published;
            }
            Happening::News(News::Name) if self.is_published => {
                self.service.update(|tx| _ = tx.set(device::CUSTOM_NAME, self.kept.name())).await?;
            }
            Happening::News(News::Name) => {}
        }
        Ok(())
    }

    fn remember_bank(&mut self, now: Instant) {
        let size = self.kept.bank_size();
        if self.give_way.remember(size, now) {
            let battery = &self.bus_name;
            tracing::info!(battery, "the battery belonged to a bank of {size}: it waits for {}", bank::NAME);
            self.pace.at_once(now);
        }
    }

    /// Leaves the bus.
    pub(crate) async fn leave(self) {
        self.service.leave().await;
    }

    /// Whether the battery is on the bus.
    #[must_use]
    pub(crate) fn is_published(&self) -> bool {
        self.is_published
    }

    async fn publish(&mut self, now: Instant) -> Result<(), BusError> {
        let Some(view) = self.picture.view(&self.config.facts(), now) else { return Ok(()) };
        let mut draft = Draft::new(self.bus_name.clone());
        device::Identity {
            process_name: "bms-can",
            process_version: env!("CARGO_PKG_VERSION"),
            connection: self.connection.clone(),
            device_instance: self.kept.instance(),
            product_id: class::PRODUCT_ID,
            product_name: self.product().to_owned(),
            custom_name: Some(self.kept.name()),
            firmware_version: None,
            hardware_version: None,
            serial: None,
        }
        .add_to(&mut draft);
        draft.fill(|tx| {
            self.fill(tx, &view, now);
        });
        self.service.publish(draft).await?;
        self.is_published = true;
        self.shown = Some(view.silence);
        self.pace.changed(now);
        tracing::info!(battery = self.bus_name, instance = self.kept.instance(), "the battery is on the bus");
        Ok(())
    }

    async fn show(&mut self, now: Instant) -> Result<(), BusError> {
        let Some(view) = self.picture.view(&self.config.facts(), now) else { return Ok(()) };
        if self.shown != Some(view.silence) {
            self.log_silence(view.silence, &view.status);
            self.shown = Some(view.silence);
        }
        if view.silence == Silence::Fresh {
            self.update_index = (self.update_index + 1) % 256;
        }
        self.service.update(|tx| self.fill(tx, &view, now)).await
    }

    fn fill(&self, tx: &mut Update<'_>, view: &View, now: Instant) {
        let says = Says {
            speaks: self.give_way.speaks(),
            charge_part: self.recovery.charge_part(now),
            contradiction: self.contradiction.as_deref(),
        };
        battery::identity(tx, self.picture.identity(), self.product());
        battery::update(tx, view, says);
        tx.set(class::BMS_PROTOCOL, self.protocol.map(|protocol| protocol.name.to_owned()));
        tx.set(bank::UPDATE_INDEX, self.update_index);
        self.link.update(tx);
    }

    /// What the battery is called as long as it tells no model.
    fn product(&self) -> &'static str {
        self.protocol.map_or("CAN battery", |protocol| protocol.title)
    }

    fn log_silence(&mut self, silence: Silence, status: &str) {
        let was_silent = self.shown.is_some_and(|shown| !shown.holds());
        match silence {
            Silence::Fresh if was_silent => {
                self.complaint.clear();
                tracing::info!(battery = self.bus_name, "the battery is back");
            }
            Silence::Fresh | Silence::Late => {}
            Silence::Stale | Silence::Alarm | Silence::Gone if self.complaint != status => {
                status.clone_into(&mut self.complaint);
                tracing::warn!(battery = self.bus_name, "{status}");
            }
            Silence::Stale | Silence::Alarm | Silence::Gone => {}
        }
    }

    fn log_speaker(&self) {
        let battery = &self.bus_name;
        match self.give_way.speaks() {
            Speaks::Battery => tracing::info!(battery, "the battery shows its own limits"),
            Speaks::Manager => tracing::info!(battery, "{} speaks for the battery", bank::NAME),
            Speaks::Nobody => {
                tracing::warn!(
                    battery,
                    "{} is lost: the battery allows nothing until it is back",
                    bank::NAME
                );
            }
        }
    }

    /// The battery is gone for good.
    async fn forget(&mut self) {
        if self.is_published {
            tracing::warn!(battery = self.bus_name, "no data for more than 60 s: the battery leaves the bus");
        }
        self.withdraw().await;
        self.picture = new_picture(self.protocol, &self.config);
    }

    async fn withdraw(&mut self) {
        if self.is_published {
            self.service.withdraw().await;
        }
        self.is_published = false;
        self.shown = None;
        self.pace = Pace::default();
    }
}

fn new_picture(protocol: Option<&'static Protocol>, config: &Battery) -> Picture {
    Picture::new(protocol.map_or(PairRule::Learned, |protocol| protocol.pairs), config.invert_current)
}
