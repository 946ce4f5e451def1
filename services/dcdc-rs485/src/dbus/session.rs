//! One life on the bus: connected once, until the connection is lost.

use std::time::Duration;

use dbus_interfaces::bus1::{Bus1, Desk};
use dbus_interfaces::classes::{battery as b, dcdc as d, follower as f};
use dbus_interfaces::{BusAddress, BusError, Update, WriteRequest};
use service_kit::serial;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::commands::Ports;
use super::followed::Followed;
use super::link::Link;
use super::service::{About, Published};
use super::silence::Silence;
use super::{Devices, battery, converter, wishes};
use crate::battery::Known;
use crate::config::{Class, Dbus};
use crate::converter::{Ceiling, Handle, Picture};
use crate::eza::field;
use crate::eza::words::WAITING;

/// Changes within this time are one message.
const PACE: Duration = Duration::from_millis(200);
/// Ages are looked at so often.
const LOOK: Duration = Duration::from_secs(1);
/// How long the converter takes to follow a new limit.
const RESPONSE_S: f64 = 1.0;
/// In which steps a limit rises.
const STEP_A: f64 = 0.5;

/// Who decides about the battery's current.
enum Master {
    Nobody,
    Source(Box<Followed>),
    Dvcc(Link),
}

/// One life.
pub(super) struct Session {
    config: Dbus,
    handle: Handle,
    pictures: watch::Receiver<Picture>,
    batteries: watch::Receiver<Known>,
    ceiling: watch::Sender<Ceiling>,
    converter: Published,
    battery: Option<Published>,
    master: Master,
    bus1: Bus1,
    commands: Desk<Ports>,
    /// The mode in which the converter ran last.
    running: Option<u16>,
    shown_at: Option<Instant>,
    /// Something has changed since.
    is_news: bool,
}

impl Session {
    /// Connects everything; nothing has a name yet but the port itself.
    pub(super) async fn start(devices: &Devices, bus: &BusAddress) -> Result<Session, BusError> {
        let whole = devices.converter.config();
        let (config, port) = (whole.dbus.clone(), &whole.converter.port);
        let about = About {
            class: config.class.name(),
            unit: serial::bus_suffix(port),
            instance: config.device_instance,
            name: config.name.clone(),
            connection: format!("RS485 {}", port.display()),
            product_id: d::PRODUCT_ID,
            product_name: "TDK-Lambda EZA2500",
        };
        let bus1 = Bus1::export(&format!("org.busbar.dcdc_rs485.{}", about.unit), bus).await?;
        let own_name = about.bus_name();
        let converter = Published::connect(about, bus).await?;
        let battery_port = whole.battery.as_ref().and_then(|battery| battery.port.clone());
        let battery = match battery_port.filter(|_| config.battery) {
            Some(port) => {
                let about = About {
                    class: b::CLASS,
                    unit: serial::bus_suffix(&port),
                    instance: config.battery_device_instance,
                    name: config.battery_name.clone(),
                    connection: format!("Modbus RTU {}", port.display()),
                    product_id: b::PRODUCT_ID,
                    product_name: "APIS battery",
                };
                Some(Published::connect(about, bus).await?)
            }
            None => None,
        };
        let master = match (&config.follow, config.class) {
            (Some(source), _) => Master::Source(Box::new(Followed::start(source, &own_name, bus).await?)),
            (None, Class::Alternator) => Master::Dvcc(Link::default()),
            (None, Class::Dcdc) => Master::Nobody,
        };
        let ports = Ports { converter: devices.converter.clone(), battery: devices.battery.clone() };
        Ok(Session {
            commands: Desk::new(ports, config.raw_access),
            config,
            handle: devices.converter.clone(),
            pictures: devices.converter.picture(),
            batteries: devices.battery.known(),
            ceiling: devices.ceiling.clone(),
            converter,
            battery,
            master,
            bus1,
            running: None,
            shown_at: None,
            is_news: true,
        })
    }

    /// Works until the bus is lost.
    pub(super) async fn work(&mut self) -> BusError {
        loop {
            if let Err(error) = self.turn().await {
                return error;
            }
        }
    }

    async fn turn(&mut self) -> Result<(), BusError> {
        let now = Instant::now();
        let next = match &self.master {
            Master::Source(followed) => followed.next(),
            Master::Nobody | Master::Dvcc(_) => None,
        };
        let show = self.shown_at.map_or(now, |at| at + if self.is_news { PACE } else { LOOK });
        tokio::select! {
            biased;
            () = sleep_until(next.unwrap_or(show).min(show)) => {}
            write = self.converter.write() => self.take(write?, Instant::now()),
            write = of(&mut self.battery) => write?.refuse("nothing here can be written but the name"),
            changed = of_source(&mut self.master) => changed?,
            request = self.bus1.next() => self.commands.take(request?, Instant::now()),
            // More of it comes in the same message.
            _ = self.pictures.changed(), if !self.is_news => self.is_news = true,
            _ = self.batteries.changed(), if !self.is_news && self.battery.is_some() => self.is_news = true,
        }
        let now = Instant::now();
        self.decide(now);
        let pace = if self.is_news { PACE } else { LOOK };
        if self.shown_at.is_none_or(|at| now >= at + pace) {
            (self.shown_at, self.is_news) = (Some(now), false);
            self.show(now).await?;
        }
        Ok(())
    }

    /// Passes on what the converter may do.
    fn decide(&mut self, now: Instant) {
        let said = match &mut self.master {
            Master::Nobody => return,
            Master::Source(followed) => followed.look(now),
            Master::Dvcc(link) => Some(link.ceiling()),
        };
        if let Some(said) = said {
            self.ceiling.send_if_modified(|present| {
                let differs = *present != said;
                *present = said;
                differs
            });
        }
    }

    async fn show(&mut self, now: Instant) -> Result<(), BusError> {
        let picture = self.pictures.borrow_and_update().clone();
        let known = self.batteries.borrow_and_update().clone();
        if let Some([mode]) = picture.mode.words().filter(|[mode]| *mode != WAITING) {
            self.running = Some(mode);
        }
        if Silence::since(picture.heard_at, now) == Silence::Gone {
            self.converter.withdraw().await;
        } else {
            let (config, master, handle) = (&self.config, &self.master, &self.handle);
            let fill = |tx: &mut Update<'_>| {
                converter::update(tx, &picture, now);
                standing(tx, config, master, handle);
            };
            self.converter.show(converter::is_whole(&picture, now), fill).await?;
        }
        let Some(battery) = &mut self.battery else { return Ok(()) };
        let silence = Silence::since(known.reading.map(|(_, at)| at), now);
        if silence == Silence::Gone {
            battery.withdraw().await;
            return Ok(());
        }
        let has_no_other = self.config.battery_has_no_other;
        let fill = |tx: &mut Update<'_>| battery::update(tx, &known, &picture, has_no_other, now);
        battery.show(silence == Silence::Heard, fill).await
    }

    /// What somebody wants of the converter: asked in order with everything else, and answered when it is in force.
    fn take(&mut self, write: WriteRequest, now: Instant) {
        if let (Master::Dvcc(link), true) = (&mut self.master, Link::takes(&write)) {
            link.write(write, now);
            return;
        }
        match wishes::request(&write, self.running) {
            Err(why) => write.refuse(why),
            Ok(request) => {
                let converter = self.handle.clone();
                tokio::spawn(async move {
                    match converter.ask(request).await {
                        Ok(_) => write.confirm_later(),
                        Err(error) => write.refuse(error.to_string()),
                    }
                });
            }
        }
    }

    /// Leaves the bus.
    pub(super) async fn leave(self) {
        self.converter.leave().await;
        if let Some(battery) = self.battery {
            battery.leave().await;
        }
        self.bus1.leave().await;
    }
}

/// What the converter says of itself to whoever decides about the battery's current.
fn standing(tx: &mut Update<'_>, config: &Dbus, master: &Master, handle: &Handle) {
    let whole = handle.config();
    let converter = &whole.converter;
    let most =
        converter.settings.cib.word(&field::CIB, converter.range_check).map(|word| field::CIB.value(word));
    match master {
        Master::Nobody => {}
        Master::Source(followed) => {
            tx.set(f::FOLLOWS, config.follow.clone())
                .set(f::CHARGE_RATING, most.clone().ok())
                .set(f::DISCHARGE_RATING, most.ok())
                .set(f::RESPONSE, RESPONSE_S)
                .set(f::CURRENT_STEP, STEP_A)
                .set(d::FOLLOW_REASON, followed.reason.clone());
        }
        Master::Dvcc(link) => link.show(tx, most.ok()),
    }
}

/// The next write to a device that may not be there.
async fn of(device: &mut Option<Published>) -> Result<WriteRequest, BusError> {
    match device {
        Some(device) => device.write().await,
        None => std::future::pending().await,
    }
}

/// The next change of a source, if there is one.
async fn of_source(master: &mut Master) -> Result<(), BusError> {
    match master {
        Master::Source(followed) => followed.changed().await,
        Master::Nobody | Master::Dvcc(_) => std::future::pending().await,
    }
}
