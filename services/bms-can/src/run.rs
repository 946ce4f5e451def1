//! The process: one CAN bus, its batteries, and the loop between them.

use std::time::Duration;

use dbus_interfaces::{BusAddress, BusError};
use futures_util::future::select_all;
use service_kit::{Context, Failure, random_seed};
use tokio::time::{Instant, sleep_until};

use crate::attention::Attention;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::frame::Frame;
use crate::give_way::{Manager, Sight};
use crate::inverter;
use crate::keep_alive::KeepAlive;
use crate::transports::interest::Interest;
use crate::transports::{Link, LinkEvent};
use crate::unit::{Happening, Unit};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// More frames than one read of a full buffer can hold.
const FRAMES: usize = 256;

/// Runs until it is asked to stop: for the batteries on the bus, or, where the configuration has an inverter, as its battery.
///
/// # Errors
/// The bus is not there or gone, or a name on it is taken.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    match config.inverter {
        Some(inverter) => inverter::run::run(config.can, inverter, bus, context).await,
        None => batteries(config, bus, context).await,
    }
}

async fn batteries(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    let can = &config.can;
    let link = can.link(random_seed()).map_err(Failure::configuration)?;
    let keep_alive = KeepAlive::new(can.keep_alive && can.sends(), random_seed());
    let (suffix, connection) = (can.bus_suffix(), can.connection());
    let mut units = Vec::new();
    for battery in config.battery {
        let protocol = battery.dialect().map_err(Failure::configuration)?;
        units.push(Unit::connect(battery, protocol, &suffix, &connection, &bus).await?);
    }
    let manager = Manager::watch(&bus).await?;
    let mut process = Process {
        link,
        units,
        keep_alive,
        manager,
        attention: Attention::default(),
        dialect: Dialect::new(),
    };
    let outcome = process.work(&context).await;
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
    dialect: Dialect,
}

impl Process {
    async fn work(&mut self, context: &Context) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut lost = std::pin::pin!(lost(&self.units));
        let mut frames: Vec<Frame> = Vec::with_capacity(FRAMES);
        let mut sight: Option<Sight> = self.manager.sight();
        if let Some(what) = self.link.waiting_for() {
            tracing::info!("waiting for {what}");
        }
        self.keep_alive.expect(self.units.iter().filter_map(Unit::reads).map(|(protocol, _)| protocol));
        context.ready(&self.status());
        loop {
            context.beat();
            let wake = self.next_wake(Instant::now());
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                error = &mut lost => return Err(error.into()),
                event = self.link.next(&mut frames) => match event {
                    LinkEvent::Frames => {}
                    LinkEvent::Up | LinkEvent::Down => {
                        self.dialect.reset();
                        self.keep_alive.opened(Instant::now());
                        context.status(&self.status());
                    }
                },
                (number, happening) = next_happening(&mut self.units) => {
                    if let Some(unit) = self.units.get_mut(number) {
                        unit.take(happening?, Instant::now()).await?;
                    }
                }
                seen = self.manager.changed() => {
                    seen?;
                    sight = self.manager.sight();
                }
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            let were_published = self.published();
            for frame in frames.drain(..) {
                self.keep_alive.heard(&frame, now);
                self.dialect.see(&frame, now);
                for unit in &mut self.units {
                    unit.frame(&frame, now);
                }
            }
            if let Some(frame) = self.keep_alive.due(now) {
                self.link.send(&frame);
            }
            let weigh = self.dialect.take(now);
            if weigh {
                self.keep_alive
                    .expect(self.units.iter().filter_map(Unit::reads).map(|(protocol, _)| protocol));
            }
            for unit in &mut self.units {
                if weigh {
                    unit.dialect(&self.dialect, now);
                }
                unit.link(self.link.health(), now);
                unit.settle(sight.as_ref(), now).await?;
            }
            if self.published() != were_published {
                context.status(&self.status());
            }
            let is_settled = self.units.iter().all(|unit| unit.is_settled(now));
            if let Some(is_narrow) = self.attention.step(is_settled, now) {
                self.dialect.attend(!is_narrow);
                let batteries = self.units.iter().filter_map(Unit::reads);
                self.link.listen_to(if is_narrow { Interest::of(batteries) } else { Interest::Everything });
            }
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let units = self.units.iter().filter_map(|unit| unit.due(now));
        let keep_alive = self.link.waiting_for().is_none().then(|| self.keep_alive.next()).flatten();
        units.chain(keep_alive).chain(self.dialect.due()).min().unwrap_or(now + BEAT).min(now + BEAT)
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
fn lost(units: &[Unit]) -> impl Future<Output = BusError> + use<> {
    let lost = units.first().map(Unit::lost);
    async move {
        match lost {
            Some(lost) => lost.await,
            None => std::future::pending().await,
        }
    }
}

/// The next thing that concerns one of the batteries, and which.
async fn next_happening(units: &mut [Unit]) -> (usize, Result<Happening, BusError>) {
    if units.is_empty() {
        return std::future::pending().await;
    }
    let (happening, number, _) = select_all(units.iter_mut().map(|unit| Box::pin(unit.happening()))).await;
    (number, happening)
}
