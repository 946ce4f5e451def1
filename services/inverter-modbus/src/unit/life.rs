//! The loop of one device: what it says onto the bus, what is wanted of it to its registers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::classes::device;
use dbus_interfaces::{BusAddress, BusError, Update};
use futures_util::future::select_all;
use service_kit::{Context, Failure, Shutdown};
use tokio::time::{Instant, sleep_until, timeout};

use super::commander::Commanders;
use super::control::Control;
use super::float::Float;
use super::following::{Source, Wanted, changed, follows};
use super::grace::Grace;
use super::half::{Half, Happening, Place, Role, bus_name, roles};
use super::in_time::in_time;
use super::kept::Kept;
use super::limits::Told;
use super::orders::DECIDED;
use super::show;
use super::spoken::Spoken;
use super::view::View;
use super::volts::Volts;
use super::waiting::Waiting;
use crate::config::{self, ControlSwitch, Recognise};
use crate::device::access::Access;
use crate::device::poll::{Device, Happened};
use crate::device::presence::OFFLINE;
use crate::line::Line;
use crate::line::address::Address;
use crate::profile::{Class, Profile};
use crate::pulse::Loops;
use crate::system::{BATTERY_POWER, BatteryPower, Member, Systems, Wish};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// A device that says nothing for so long leaves the bus.
const GONE: Duration = Duration::from_secs(60);
/// So often the items are looked through at least, for the ages.
const SHOW: Duration = Duration::from_secs(5);
/// The end has so long to undo what must not stay: the whole process has a second.
const LAST_WORD: Duration = Duration::from_millis(850);

/// One device with its services.
pub struct Unit {
    pub(super) config: config::Device,
    pub(super) profile: Arc<Profile>,
    pub(super) device: Device,
    pub(super) halves: Vec<Half>,
    /// Its seat in a system, where it is an inverter/charger.
    pub(super) member: Option<Member>,
    pub(super) source: Option<Source>,
    pub(super) wanted: Option<Wanted>,
    pub(super) volts: Volts,
    pub(super) control: Control,
    /// What is to be undone, also by the process after this one.
    pub(super) kept: Kept,
    /// Its float voltage, beside the charge voltage that follows.
    pub(super) float: Float,
    /// Who set what is in force.
    pub(super) commanders: Commanders,
    /// The orders that are under way, by number, and the set points that they are for.
    pub(super) orders: Vec<(u64, String)>,
    pub(super) next_order: u64,
    pub(super) power_w: f64,
    /// The power into the battery as clients of Venus set it.
    pub(super) battery_power: BatteryPower,
    pub(super) result: String,
    pub(super) spoken: Spoken,
    /// What waits for its turn.
    pub(super) waiting: Waiting,
    pub(super) shown_at: Option<Instant>,
    pub(super) was_there: bool,
    /// When what stands beside bits that are to be undone was read anew.
    pub(super) looked_beside_at: Instant,
    /// When the limits that follow were.
    pub(super) looked_at_limits_at: Instant,
    pub(super) is_due: bool,
    /// It is on the bus only for saying what answers in its place, without its items.
    is_hollow: bool,
    /// Who has its name may be another process at the same device.
    pub(super) is_taken: bool,
    /// Whether what the device was told before holds.
    pub(super) grace: Grace,
    /// What it is told of the decision that its limits follow.
    pub(super) told: Told,
}

impl Unit {
    /// Connects to the bus; nothing is published until the device was read. What must be undone is kept in `folder`.
    ///
    /// # Errors
    /// The bus is not there.
    pub(crate) async fn connect(
        config: config::Device,
        profile: Profile,
        line: Line,
        address: &Address,
        systems: &Systems,
        bus: &BusAddress,
        folder: &Path,
    ) -> Result<Unit, Failure> {
        let number = config.unit(&profile);
        let is_any = config.recognise == Recognise::Any;
        if is_any || !profile.tells_devices() {
            let why = if is_any { "recognise = \"any\"" } else { "no match in [identify]" };
            tracing::warn!(
                device = profile.id,
                "{why}: whatever answers as unit {number} of {address} is taken for this device, and nothing checks that it is \
                 one; compare its values with its display"
            );
        }
        let profile = Arc::new(config.taken(profile));
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
        let has_unit = halves.iter().any(|half| half.role == Role::Unit);
        let member = match has_unit {
            true => Some(systems.join(&config, &name, bus_name(Role::Unit, &name), bus).await?),
            false => None,
        };
        let commanders = Commanders::new(config.control_timeout_s);
        let source = Source::of(&config, &bus_name(Role::Unit, &name), bus).await?;
        let place = format!("{} at {address} unit {number}", profile.id);
        let label = config.name.as_ref().map_or_else(|| place.clone(), |name| format!("{name}: {place}"));
        let access = Access::new(line, number, &profile).called(label);
        let kept = Kept::open(folder, &name, config.is_controlled());
        let device = Device::new(profile.clone(), access, config.is_controlled(), Instant::now());
        Ok(Unit {
            config,
            profile,
            device,
            halves,
            member,
            source,
            wanted: None,
            volts: Volts::default(),
            control: Control::default(),
            kept,
            float: Float::default(),
            commanders,
            orders: Vec::new(),
            next_order: 0,
            power_w: 0.0,
            battery_power: BatteryPower::default(),
            result: String::new(),
            spoken: Spoken::default(),
            waiting: Waiting::default(),
            shown_at: None,
            was_there: false,
            looked_beside_at: Instant::now(),
            looked_at_limits_at: Instant::now(),
            is_due: false,
            is_hollow: false,
            is_taken: false,
            grace: Grace::new(Instant::now()),
            told: Told::default(),
        })
    }

    /// Runs until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub async fn run(mut self, context: &Context, loops: &Loops) -> Result<(), Failure> {
        let outcome = self.work(&context.shutdown(), loops).await;
        if timeout(LAST_WORD, self.release()).await.is_err() {
            tracing::warn!(
                device = self.device.access().label(),
                "the line was too slow to undo everything that was set: look at the device, or set it once more and end it"
            );
        }
        for half in self.halves {
            // Where the bus is gone or stuck there is nothing to leave.
            if outcome.is_ok() {
                half.leave().await;
            }
        }
        outcome
    }

    async fn work(&mut self, shutdown: &Shutdown, loops: &Loops) -> Result<(), Failure> {
        let pulse = loops.join();
        let mut lost = select_all(self.halves.iter().map(|half| Box::pin(half.lost())));
        loop {
            pulse.beat();
            let mut heard = None;
            let wake = self.wake(Instant::now());
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                (error, ..) = &mut lost => return Err(error.into()),
                () = sleep_until(wake) => {}
                (n, happening) = next_of(&mut self.halves) => heard = Some((n, happening?)),
                changed = changed(&mut self.source) => changed?,
                wish = wished(&mut self.member) => self.wished(wish),
                () = self.kept.written() => {}
                happened = self.device.happen() => self.happened(happened),
            }
            pulse.beat();
            let turn = async {
                if let Some((n, happening)) = heard {
                    self.take(n, happening).await?;
                }
                self.settle(Instant::now()).await
            };
            in_time(turn, shutdown).await?;
        }
    }

    fn wake(&self, now: Instant) -> Instant {
        let followed = self.source.as_ref().and_then(|source| source.next(self.wanted.as_ref(), now));
        let governed = self.commanders.next();
        let is_published = self.halves.iter().any(Half::is_published);
        let heard_at = self.device.heard_at().filter(|_| self.was_there);
        [followed, ages(is_published, self.shown_at, heard_at), governed]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + BEAT)
            .clamp(now, now + BEAT)
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Recognised => {
                self.control.forget_what_was_sent();
                if self.source.is_some() {
                    self.control.disown(&DECIDED);
                }
                // What waited when the device left was dropped: nobody will say what became of it.
                self.orders.clear();
                self.kept.drop_order();
                // What was wanted before it was away is not written any more: what is decided now is looked at first.
                (self.wanted, self.volts, self.told) = (None, Volts::default(), Told::default());
                self.grace.recognised(Instant::now());
            }
            Happened::Cycle => {
                self.is_due = true;
                self.volts.hear(self.device.points().number("battery_voltage"), Instant::now());
            }
            Happened::Exchanged => {
                let why = self.device.stranger().map(|why| format!("{why}: it is neither read nor written"));
                (self.result, self.is_due) = (why.unwrap_or_default(), true);
            }
            Happened::Command(number, outcome) => self.ordered(number, &outcome),
            Happened::Unsent(number) => {
                if let Some(at) = self.orders.iter().position(|(known, _)| *known == number) {
                    let (_, name) = self.orders.remove(at);
                    self.did_not_go_out(&name, Instant::now());
                }
            }
            Happened::Nothing => {}
        }
    }

    async fn settle(&mut self, now: Instant) -> Result<(), BusError> {
        let is_on_bus = self.halves.iter().any(|half| half.role == Role::Unit && half.is_published());
        if self.grace.look(is_on_bus, now)
            && let Some(Source::Dvcc(dvcc)) = &mut self.source
        {
            dvcc.offer(is_on_bus, now);
        }
        self.follow(now);
        self.govern(now).await;
        self.is_taken = self.halves.iter().any(Half::is_taken);
        if !self.is_taken {
            self.order(now);
        }
        self.battery_power.look(self.control.is_wanted(BATTERY_POWER));
        let age = self.device.heard_at().map(|at| now.duration_since(at));
        // A sum of which a part is not there yet is a wrong value.
        let is_there = age.is_some_and(|age| age < OFFLINE) && self.device.is_whole();
        let is_published = self.halves.iter().any(Half::is_published);
        // What answers in its place is told on the bus, whether the device is still there or not any more.
        let is_exchanged = self.device.stranger().is_some();
        let is_gone = !is_exchanged && age.is_none_or(|age| age >= GONE);
        if is_published && is_gone {
            let device = self.device.access().label();
            tracing::warn!(device, "the device says nothing any more and leaves the bus");
        }
        if is_published && (is_gone || self.is_hollow && !is_exchanged) {
            self.leave().await;
            return Ok(());
        }
        if !is_published && !is_there && !is_exchanged {
            return Ok(());
        }
        self.is_hollow |= !is_published && is_exchanged;
        let is_old = self.shown_at.is_none_or(|at| at + SHOW <= now);
        let has_missing = self.halves.iter().any(|half| half.is_missing(now));
        if self.is_due || is_old || has_missing || is_there != self.was_there {
            (self.is_due, self.shown_at, self.was_there) = (false, Some(now), is_there);
            self.show(is_there, now).await?;
        }
        Ok(())
    }

    /// Takes its services off the bus.
    async fn leave(&mut self) {
        for half in &mut self.halves {
            half.withdraw().await;
        }
        if let Some(member) = &self.member {
            member.leave();
        }
        (self.was_there, self.shown_at, self.is_hollow) = (false, None, false);
    }

    async fn show(&mut self, is_there: bool, now: Instant) -> Result<(), BusError> {
        let identity = self.device.identity().or(self.device.known()).cloned().unwrap_or_default();
        let title = self.profile.product(identity.model.as_deref());
        let mut halves = std::mem::take(&mut self.halves);
        let view = View {
            device: &self.device,
            config: &self.config,
            is_there,
            is_controlled: self.config.control == ControlSwitch::On,
            is_decided: self.source.is_some(),
            result: &self.waiting.after(&self.result),
            power_w: self.power_w,
            flash_writes: self.control.flash_writes(),
            mode: self.mode(),
            is_power_forced: self.control.in_force().any(|name| name == BATTERY_POWER)
                && self.control.is_confirmed(BATTERY_POWER),
            timeout_s: self.commanders.timeout_s(),
            now,
        };
        let battery_power = self.battery_power;
        let mut shown = Ok(());
        for half in &mut halves {
            let role = half.role;
            if self.profile.class != Class::Grid && half.waits_for_meter(view.has_meter(), is_there) {
                continue;
            }
            let fill = |tx: &mut Update<'_>| {
                show::show(tx, role, &view, &battery_power);
                if role == Role::Unit {
                    follows(tx, self, now);
                }
            };
            shown = half.show(&title, &identity, fill).await;
            if shown.is_err() {
                break;
            }
            if let Some(member) = self.member.as_ref().filter(|_| role == Role::Unit && half.is_published()) {
                member.tell(&title, identity.serial.as_deref(), half.instance(), view.part());
            }
        }
        self.halves = halves;
        shown
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
}

/// When what is published must be looked through again; what has left the bus does not age.
fn ages(is_published: bool, shown_at: Option<Instant>, heard_at: Option<Instant>) -> Option<Instant> {
    if !is_published {
        return None;
    }
    [shown_at.map(|at| at + SHOW), heard_at.map(|at| at + OFFLINE)].into_iter().flatten().min()
}

/// The next thing that concerns one of the services.
async fn next_of(halves: &mut [Half]) -> (usize, Result<Happening, BusError>) {
    if halves.is_empty() {
        return std::future::pending().await;
    }
    let (happening, n, _) = select_all(halves.iter_mut().map(|half| Box::pin(half.happening()))).await;
    (n, happening)
}

/// The next wish of the system.
async fn wished(member: &mut Option<Member>) -> Wish {
    match member {
        Some(member) => member.wish().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_has_left_the_bus_wakes_nobody() {
        let at = Instant::now();
        assert_eq!(ages(true, Some(at), Some(at)), Some(at + SHOW));
        assert_eq!(ages(true, Some(at + OFFLINE), Some(at)), Some(at + OFFLINE));
        assert_eq!(ages(false, Some(at), Some(at)), None);
    }
}
