//! The loop of one device: what it says onto the bus, what is wanted of it to its registers.

use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::classes::{control as c, device, follower, multi};
use dbus_interfaces::follower::{Limits, Stance};
use dbus_interfaces::{BusAddress, BusError, Update, WriteRequest};
use futures_util::future::select_all;
use service_kit::{Context, Failure};
use tokio::time::{Instant, sleep_until, timeout};

use super::control::{Control, End, Order, Outcome, Sight};
use super::followed::Followed;
use super::half::{Half, Happening, Place, Role, bus_name};
use super::show::{self, View, item_of, mode_number, roles};
use crate::config::{self, ControlSwitch};
use crate::device::access::{Access, Fault};
use crate::device::poll::{Device, Happened, OFFLINE};
use crate::engine::encode::{self, Known};
use crate::engine::image::Image;
use crate::line::Line;
use crate::line::address::Address;
use crate::profile::Profile;
use crate::profile::write::{Mode, Persist};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// A device that says nothing for so long leaves the bus.
const GONE: Duration = Duration::from_secs(60);
/// So often the items are looked through at least, for the ages.
const SHOW: Duration = Duration::from_secs(5);
/// The end has so long to undo what must not stay.
const LAST_WORD: Duration = Duration::from_millis(800);
/// A source that is not there when the process begins is waited for so long: what the device was told before holds.
const HOLD: Duration = Duration::from_secs(10);
/// How fast a device follows whose memory does not wear out, and one whose memory does, s.
const RESPONSE_RAM_S: f64 = 5.0;
const RESPONSE_FLASH_S: f64 = 35.0;

/// One device with its services.
pub struct Unit {
    config: config::Device,
    profile: Arc<Profile>,
    device: Device,
    halves: Vec<Half>,
    followed: Option<Followed>,
    limits: Option<Limits>,
    control: Control,
    /// The orders that are under way, by number, and what they are.
    orders: Vec<(u64, Ordered)>,
    next_order: u64,
    power_w: f64,
    result: String,
    shown_at: Option<Instant>,
    was_there: bool,
    is_due: bool,
    began: Instant,
    /// The source has decided something since the process began.
    was_granted: bool,
}

enum Ordered {
    SetPoint(String),
    Mode(Mode),
}

impl Unit {
    /// Connects to the bus; nothing is published until the device was read.
    ///
    /// # Errors
    /// The bus is not there.
    pub async fn connect(
        config: config::Device,
        profile: Profile,
        line: Line,
        address: &Address,
        bus: &BusAddress,
    ) -> Result<Unit, Failure> {
        let profile = Arc::new(profile);
        let number = config.unit(&profile);
        let name = format!("{}_{number}", address.suffix());
        let mut halves = Vec::new();
        for role in roles(&profile, &config) {
            let place = Place {
                unit: &name,
                connection: format!("{address} unit {number}"),
                instance: config.device_instance,
                name: config.name.clone(),
                bus,
            };
            halves.push(Half::connect(role, &place).await?);
        }
        let followed = match &config.follow {
            Some(source) => Some(Followed::start(source, &bus_name(Role::Unit, &name), bus).await?),
            None => None,
        };
        let access = Access::new(line, number, &profile);
        let device = Device::new(profile.clone(), access, config.is_controlled(), Instant::now());
        Ok(Unit {
            config,
            profile,
            device,
            halves,
            followed,
            limits: None,
            control: Control::default(),
            orders: Vec::new(),
            next_order: 0,
            power_w: 0.0,
            result: String::new(),
            shown_at: None,
            was_there: false,
            is_due: false,
            began: Instant::now(),
            was_granted: false,
        })
    }

    /// Runs until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub async fn run(mut self, context: &Context) -> Result<(), Failure> {
        let outcome = self.work(context).await;
        let _ = timeout(LAST_WORD, self.release()).await;
        for half in self.halves {
            half.leave().await;
        }
        outcome
    }

    async fn work(&mut self, context: &Context) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut lost = select_all(self.halves.iter().map(|half| Box::pin(half.lost())));
        loop {
            context.beat();
            let wake = self.wake(Instant::now());
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                (error, ..) = &mut lost => return Err(error.into()),
                () = sleep_until(wake) => {}
                (n, happening) = next_of(&mut self.halves) => self.take(n, happening?).await?,
                changed = changed(&mut self.followed) => changed?,
                happened = self.device.happen() => self.happened(happened),
            }
            self.settle(Instant::now()).await?;
        }
    }

    fn wake(&self, now: Instant) -> Instant {
        let followed = self.followed.as_ref().and_then(Followed::next);
        let show = self.shown_at.map(|at| at + SHOW);
        let silence = self.device.heard_at().filter(|_| self.was_there).map(|at| at + OFFLINE);
        [followed, show, silence].into_iter().flatten().min().unwrap_or(now + BEAT).clamp(now, now + BEAT)
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Recognised => self.control.forget_what_was_sent(),
            Happened::Cycle => self.is_due = true,
            Happened::Command(number, outcome) => self.ordered(number, &outcome),
            Happened::Nothing => {}
        }
    }

    /// An order was carried out, or not.
    fn ordered(&mut self, number: u64, outcome: &Result<(), Fault>) {
        let Some(at) = self.orders.iter().position(|(known, _)| *known == number) else { return };
        let (_, what) = self.orders.remove(at);
        let now = Instant::now();
        self.is_due = true;
        match what {
            Ordered::SetPoint(name) => {
                let end = match outcome {
                    Ok(()) => End::Taken,
                    Err(Fault::Exception(_) | Fault::Odd) => End::Refused,
                    Err(_) => End::Lost,
                };
                self.control.done(&name, end, self.device.reads(), now);
                if let Err(fault) = outcome {
                    self.say(format!("{name}: {fault}"), true);
                }
                let registers = self.device.map().and_then(|map| {
                    let write = map.write(&name, &|name| self.device.points().number(name))?;
                    Some(Control::registers(write))
                });
                self.device.read_soon(&registers.unwrap_or_default(), now);
            }
            Ordered::Mode(mode) => match outcome {
                Ok(()) => self.say(format!("{mode:?} was set"), false),
                Err(fault) => self.say(format!("{mode:?}: {fault}"), true),
            },
        }
    }

    fn say(&mut self, what: String, is_bad: bool) {
        if is_bad {
            tracing::warn!(device = self.profile.id, "{what}");
        } else {
            tracing::info!(device = self.profile.id, "{what}");
        }
        self.result = what;
    }

    async fn settle(&mut self, now: Instant) -> Result<(), BusError> {
        self.follow(now);
        self.order(now);
        let age = self.device.heard_at().map(|at| now.duration_since(at));
        // A sum of which a part is not there yet is a wrong value.
        let is_there = age.is_some_and(|age| age < OFFLINE) && self.device.is_whole();
        let is_published = self.halves.iter().any(Half::is_published);
        if is_published && age.is_none_or(|age| age >= GONE) {
            tracing::warn!(device = self.profile.id, "the device says nothing any more and leaves the bus");
            for half in &mut self.halves {
                half.withdraw().await;
            }
            self.was_there = false;
            return Ok(());
        }
        let is_ready = is_there && self.device.is_complete();
        if !is_published && !is_ready {
            return Ok(());
        }
        let is_old = self.shown_at.is_none_or(|at| at + SHOW <= now);
        let has_missing = self.halves.iter().any(|half| !half.is_published());
        if self.is_due || is_old || has_missing || is_there != self.was_there {
            (self.is_due, self.shown_at, self.was_there) = (false, Some(now), is_there);
            self.show(is_there, now).await?;
        }
        Ok(())
    }

    async fn show(&mut self, is_there: bool, now: Instant) -> Result<(), BusError> {
        let Unit { halves, device, config, profile, result, power_w, control, followed, limits, .. } = self;
        let unit = halves.iter().find(|half| half.role == Role::Unit);
        let unit = unit.map(|half| (half.bus_name().to_owned(), half.instance()));
        let identity = device.identity().cloned().unwrap_or_default();
        let title = match &identity.model {
            Some(model) if !model.is_empty() => format!("{} {model}", profile.make),
            _ => profile.title(),
        };
        for half in halves {
            let role = half.role;
            let view = View {
                device,
                config,
                is_there,
                member: unit.as_ref().map(|(name, instance)| (name.as_str(), *instance)),
                is_controlled: config.control == ControlSwitch::On,
                result,
                power_w: *power_w,
                flash_writes: control.flash_writes(),
                now,
            };
            let follower = followed.as_ref().filter(|_| role == Role::Unit).map(|followed| followed.name());
            half.show(&title, &identity, |tx| {
                show::show(tx, role, &view);
                if let Some(name) = follower {
                    follows(tx, name, limits.as_ref(), config, profile);
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Takes the decision that is followed to the limits of the device.
    fn follow(&mut self, now: Instant) {
        let Some(followed) = &mut self.followed else { return };
        if followed.next().is_some_and(|next| next > now) && self.limits.is_some() {
            return;
        }
        let limits = followed.look(now);
        self.was_granted |= limits.stance < Stance::Zero;
        if !self.was_granted && now < self.began + HOLD {
            self.limits = Some(limits);
            return;
        }
        let Some(map) = self.device.map() else { return };
        let point = |name: &str| self.device.points().number(name);
        let secret = |name: &str| self.config.secrets.get(name).copied();
        let sight = Sight {
            map,
            image: self.device.image(),
            point: &point,
            secret: &secret,
            reads: self.device.reads(),
        };
        let charge_a = least(limits.charge_current_a, self.config.max_charge_current_a);
        let discharge_a = least(limits.discharge_current_a, self.config.max_discharge_current_a);
        let wishes = [
            ("charge_current_limit", "charge_power_limit", charge_a),
            ("discharge_current_limit", "discharge_power_limit", discharge_a),
        ];
        for (current, power, amps) in wishes {
            if map.write(current, &point).is_some() {
                self.control.want(current, amps, &sight, now);
            } else if let Some(volts) = point("battery_voltage") {
                self.control.want(power, (amps * volts).floor(), &sight, now);
            }
        }
        if let Some(volts) = limits.charge_voltage_v.filter(|volts| *volts > 0.0) {
            self.control.want("charge_voltage_limit", volts, &sight, now);
        }
        self.limits = Some(limits);
    }

    /// Writes what is wanted and due.
    fn order(&mut self, now: Instant) {
        let Some(map) = self.device.map() else { return };
        let point = |name: &str| self.device.points().number(name);
        let secret = |name: &str| self.config.secrets.get(name).copied();
        let sight = Sight {
            map,
            image: self.device.image(),
            point: &point,
            secret: &secret,
            reads: self.device.reads(),
        };
        let outcomes = self.control.outcomes(&sight, now);
        let order = self.control.next(&sight, now);
        for outcome in outcomes {
            self.is_due = true;
            match outcome {
                Outcome::Confirmed(name, value) => self.say(format!("{name} is {value}"), false),
                Outcome::Failed(name, value, why) => {
                    self.say(format!("{name} was set to {value}, and {why}"), true);
                }
            }
        }
        if let Some(Order { name, writes }) = order {
            let number = self.next_order;
            self.next_order += 1;
            if self.device.command(number, writes) {
                self.orders.push((number, Ordered::SetPoint(name)));
            } else {
                self.control.done(&name, End::Lost, self.device.reads(), now);
            }
        }
    }

    async fn take(&mut self, n: usize, happening: Happening) -> Result<(), BusError> {
        let Some(half) = self.halves.get_mut(n) else { return Ok(()) };
        match happening {
            Happening::News(news) => {
                self.is_due = true;
                half.news(news).await?;
            }
            Happening::Write(write) if write.is(device::CUSTOM_NAME) => half.rename(write),
            Happening::Write(write) => self.write(write),
        }
        Ok(())
    }

    /// A client wants something set.
    fn write(&mut self, write: WriteRequest) {
        let now = Instant::now();
        if self.config.control == ControlSwitch::Off {
            return write.refuse("control is off in the configuration");
        }
        let Some(value) = write.value().and_then(dbus_interfaces::Value::as_f64) else {
            return write.refuse("a number is needed");
        };
        if write.is(c::POWER) {
            self.power_w = value;
            return write.accept();
        }
        if write.is(c::MODE) {
            return match self.set_mode(value) {
                Ok(()) => write.confirm_later(),
                Err(why) => write.refuse(why),
            };
        }
        let Some(map) = self.device.map().filter(|_| self.was_there) else {
            return write.refuse("the device is not there");
        };
        let is_it = |item: &dbus_interfaces::Item<f64>| write.is(*item);
        let spec = map.writes.iter().find(|known| item_of(&known.spec).is_some_and(|item| is_it(&item)));
        let Some(spec) = spec else { return write.refuse("nothing can be written here") };
        let name = spec.spec.name.clone();
        let follows = [
            "charge_current_limit",
            "discharge_current_limit",
            "charge_power_limit",
            "discharge_power_limit",
            "charge_voltage_limit",
        ];
        if self.followed.is_some() && follows.contains(&name.as_str()) {
            return write.refuse("it follows the decision for the bank");
        }
        let point = |name: &str| self.device.points().number(name);
        let secret = |name: &str| self.config.secrets.get(name).copied();
        let sight = Sight {
            map,
            image: self.device.image(),
            point: &point,
            secret: &secret,
            reads: self.device.reads(),
        };
        match self.control.check(&name, value, &sight) {
            Err(why) => write.refuse(why.to_string()),
            Ok(()) => {
                self.control.want(&name, value, &sight, now);
                write.confirm_later();
            }
        }
    }

    fn set_mode(&mut self, value: f64) -> Result<(), String> {
        let map = self.device.map().filter(|_| self.was_there).ok_or("the device is not there")?;
        let mode = map.modes.iter().find(|mode| f64::from(mode_number(mode.name)) == value);
        let mode = mode.ok_or("this device has no such mode")?;
        let has_value = matches!(mode.name, Mode::Charge | Mode::Discharge);
        let power = has_value.then(|| self.power_w.abs());
        let point = |name: &str| self.device.points().number(name);
        let secret = |name: &str| self.config.secrets.get(name).copied();
        let saved = Image::default();
        let known = Known { point: &point, secret: &secret, image: self.device.image(), saved: &saved };
        let writes = encode::mode(mode, power, &known).map_err(|why| why.to_string())?;
        let (name, number) = (mode.name, self.next_order);
        self.next_order += 1;
        if !self.device.command(number, writes) {
            return Err("too much waits already".to_owned());
        }
        self.orders.push((number, Ordered::Mode(name)));
        Ok(())
    }

    /// Undoes what must not stay without somebody who wants it: sequences with an end. Limits stay as they are, so that a
    /// restart interrupts nothing.
    async fn release(&mut self) {
        let Some(map) = self.device.map() else { return };
        let point = |name: &str| self.device.points().number(name);
        let secret = |name: &str| self.config.secrets.get(name).copied();
        let sight = Sight {
            map,
            image: self.device.image(),
            point: &point,
            secret: &secret,
            reads: self.device.reads(),
        };
        let writes = self.control.undone(&sight);
        if !writes.is_empty()
            && let Err(fault) = self.device.access().write(&writes).await
        {
            tracing::warn!(device = self.profile.id, "what was set could not be released: {fault}");
        }
    }
}

fn least(limit: f64, own: Option<f64>) -> f64 {
    own.map_or(limit, |own| own.min(limit)).max(0.0)
}

/// What the unit of a follower says of itself.
fn follows(
    tx: &mut Update<'_>,
    name: &str,
    limits: Option<&Limits>,
    config: &config::Device,
    profile: &Profile,
) {
    let limit = profile.write.iter().find(|write| write.name.starts_with("charge_"));
    let is_flash = limit.is_some_and(|write| write.persist == Persist::Flash);
    tx.set(follower::FOLLOWS, name.to_owned())
        .set(follower::CHARGE_RATING, config.max_charge_current_a)
        .set(follower::DISCHARGE_RATING, config.max_discharge_current_a)
        .set(follower::RESPONSE, if is_flash { RESPONSE_FLASH_S } else { RESPONSE_RAM_S })
        .set(follower::CURRENT_STEP, limit.and_then(|write| write.step).unwrap_or(1.0))
        .set(multi::CONNECTION_INFORMATION, limits.map(|limits| limits.reason.clone()));
}

/// The next thing that concerns one of the services.
async fn next_of(halves: &mut [Half]) -> (usize, Result<Happening, BusError>) {
    if halves.is_empty() {
        return std::future::pending().await;
    }
    let (happening, n, _) = select_all(halves.iter_mut().map(|half| Box::pin(half.happening()))).await;
    (n, happening)
}

async fn changed(followed: &mut Option<Followed>) -> Result<(), BusError> {
    match followed {
        Some(followed) => followed.changed().await,
        None => std::future::pending().await,
    }
}
