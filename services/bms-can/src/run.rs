//! The process: one CAN bus, its batteries, and the loop between them.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use dbus_interfaces::classes::device;
use dbus_interfaces::{BusAddress, BusError, WriteRequest, Writes};
use service_kit::{Context, Failure, random_seed};
use tokio::time::{Instant, sleep_until};

use crate::attention::Attention;
use crate::config::Config;
use crate::frame::Frame;
use crate::give_way::{Manager, Sight};
use crate::keep_alive::KeepAlive;
use crate::transports::interest::Interest;
use crate::transports::{Link, LinkEvent};
use crate::unit::Unit;

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// More frames than one read of a full buffer can hold.
const FRAMES: usize = 256;

/// Runs until it is asked to stop.
///
/// # Errors
/// The bus is not there or gone, or a name on it is taken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let can = &config.can;
    let link = can.link(random_seed()).map_err(Failure::configuration)?;
    let keep_alive = KeepAlive::new(can.keep_alive && can.sends(), random_seed());
    let (suffix, connection) = (can.bus_suffix(), can.connection());
    let (mut units, mut writes) = (Vec::new(), Vec::new());
    for battery in config.battery {
        let protocol = battery.dialect().ok_or_else(|| Failure::configuration(battery.protocol.clone()))?;
        let (unit, wishes) = Unit::connect(battery, Some(protocol), &suffix, &connection, &bus).await?;
        units.push(unit);
        writes.push(wishes);
    }
    let manager = Manager::watch(&bus).await?;
    let mut process = Process { link, units, keep_alive, manager, attention: Attention::default() };
    let outcome = process.work(&context, &mut writes).await;
    for unit in process.units {
        unit.leave().await;
    }
    outcome
}

struct Process {
    link: Link,
    units: Vec<Unit>,
    keep_alive: KeepAlive,
    manager: Manager,
    attention: Attention,
}

impl Process {
    async fn work(&mut self, context: &Context, writes: &mut [Writes]) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut frames: Vec<Frame> = Vec::with_capacity(FRAMES);
        let mut sight: Option<Sight> = self.manager.sight();
        if let Some(what) = self.link.waiting_for() {
            tracing::info!("waiting for {what}");
        }
        context.ready(&self.status());
        loop {
            context.beat();
            let wake = self.next_wake(Instant::now());
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                lost = lost(&self.units) => return Err(lost.into()),
                event = self.link.next(&mut frames) => match event {
                    LinkEvent::Frames => {}
                    LinkEvent::Up | LinkEvent::Down => context.status(&self.status()),
                },
                write = poll_fn(|cx| next_write(writes, cx)) => answer(write),
                () = self.manager.changed() => sight = self.manager.sight(),
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            let were_published = self.published();
            for frame in frames.drain(..) {
                self.keep_alive.heard(&frame, now);
                for unit in &mut self.units {
                    unit.frame(&frame, now);
                }
            }
            if let Some(frame) = self.keep_alive.due(now) {
                self.link.send(&frame);
            }
            for unit in &mut self.units {
                unit.link(self.link.health(), now);
                unit.settle(sight.as_ref(), now).await?;
            }
            if self.published() != were_published {
                context.status(&self.status());
            }
            if let Some(is_narrow) = self.attention.step(self.published() == self.units.len(), now) {
                let batteries = self.units.iter().filter_map(Unit::reads);
                self.link.listen_to(if is_narrow { Interest::of(batteries) } else { Interest::Everything });
            }
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let units = self.units.iter().filter_map(|unit| unit.due(now));
        let keep_alive = self.link.waiting_for().is_none().then(|| self.keep_alive.next()).flatten();
        units.chain(keep_alive).min().unwrap_or(now + BEAT).min(now + BEAT)
    }

    fn published(&self) -> usize {
        self.units.iter().filter(|unit| unit.is_published()).count()
    }

    /// For the supervisor's status line.
    fn status(&self) -> String {
        match self.link.waiting_for() {
            Some(port) => format!("waiting for {port}"),
            None => format!("{} of {} batteries on the bus", self.published(), self.units.len()),
        }
    }
}

/// All connections go to one bus: the first to end speaks for all.
async fn lost(units: &[Unit]) -> BusError {
    match units.first() {
        Some(unit) => unit.lost().await,
        None => std::future::pending().await,
    }
}

fn next_write(writes: &mut [Writes], cx: &mut std::task::Context<'_>) -> Poll<WriteRequest> {
    for wishes in writes {
        if let Poll::Ready(Some(write)) = wishes.poll_recv(cx) {
            return Poll::Ready(write);
        }
    }
    Poll::Pending
}

fn answer(write: WriteRequest) {
    if write.is(device::CUSTOM_NAME) {
        write.accept();
    } else {
        write.refuse("nothing here can be set");
    }
}
