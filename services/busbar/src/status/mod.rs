//! `busbar status`: every service of ours at a glance.
//!
//! - `service`: a service as it was heard, apart from the bus; pure
//! - `classes`: how the services of each class are shown, one file each; pure
//! - `picture`, `json`: all services as lines and as a document; pure

mod classes;
mod json;
mod picture;
mod service;

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use clap::Args;
use dbus_interfaces::{Event, Events, Filter, Monitor};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::bus::Bus;
use crate::terminal::{Screen, Wish, Wishes, page_width, print};
pub(crate) use classes::multi as inverter;
use picture::Picture;
pub(crate) use service::Service;

/// How often the picture is drawn when nothing urgent happens.
const REFRESH: Duration = Duration::from_secs(1);
/// The shortest time between two pictures, however much happens.
const SHORTEST: Duration = Duration::from_millis(100);
/// So long the first picture waits for the services to answer.
const FIRST_LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// One JSON document instead of a picture.
    #[arg(long)]
    json: bool,
    /// Once, and not again and again. So it is anyway where the output is no terminal.
    #[arg(long)]
    once: bool,
    /// All services, not only Busbar's.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    bus: Bus,
}

/// What `--help` says, where `-h` has one line.
pub(crate) const MORE: &str = "Every service of ours at a glance.

\"heard\" is how long ago a service last said something. A service speaks when a value changes, so a quiet one may be \
well; how fresh its data are stands in words under it.

The JSON document. What has no value is null.
  bus             the bus, with its address
  services        an object for each service; without --all, of Busbar's alone:
    service         its name on the bus
    class           the third part of that, such as battery
    instance        its number within the class
    name            what the user calls it
    product         what its driver calls it
    process         the program behind it
    ours            whether it is one of Busbar's
    connected       whether its device communicates
    status          how its data are, in words
    alarms          the name of each that is there, and \"warning\" or \"alarm\"
    values          what belongs to the class
  silent          the names of services that do not answer
The values of a battery.
  voltage_v, current_a, power_w      positive while charging
  soc_pct, temperature_c, time_to_go_s
  limits          what it shows to Venus: charge_voltage_v, charge_current_a,
                  discharge_current_a
  own_limits      what its BMS says: the same three
  bank            of a bank of batteries: bank_limits (the same three), state, members, notes
The values of an inverter: classes multi, acsystem and vebus.
  voltage_v, current_a, power_w      of the battery, positive while charging
  ac_in_w, ac_out_w, pv_w            from the input, to the loads, of the panels
  state, does     the number on the bus, and in words
  mode, set_last  the way of running, and what came of what was set last
  error           what it reports
  told            of a multi: state, for_s, why, profile, soc_pct and the three limits
  follows         of a multi: the service whose decision it follows
The values of a grid meter or solar inverter: power_w, lines_w, forward_kwh, reverse_kwh, does, power_limit_w, set_last.
  polled          of what is asked on Modbus: profile, utilisation_pct, requests, silences, and of each
                  of its blocks registers, age_s, period_s";

const EXAMPLES: &str = "q or Ctrl-C ends it.

Examples:
  busbar status
  busbar status --all --once | less
  busbar status --json | jq '.services[] | select(.alarms != {})'";

pub(crate) async fn run(options: Status) -> anyhow::Result<()> {
    let (monitor, events) = Monitor::start(&options.bus.choose(), Filter::everything()).await?;
    if options.json || options.once || !stdout().is_terminal() {
        monitor.settled().await;
        let picture = look(&monitor, &options, None).await?;
        return match options.json {
            true => crate::print(&format!("{:#}\n", json::document(&picture))),
            false => print(&picture.lines(page_width(), false)),
        };
    }
    let picture = watch(&monitor, events, &options).await?;
    // What stood there last stays to be read.
    print(&picture.lines(page_width(), false))
}

/// Draws until the user has seen enough.
async fn watch(monitor: &Monitor, mut events: Events, options: &Status) -> anyhow::Result<Picture> {
    let screen = Screen::take()?;
    let mut wishes = Wishes::new(true)?;
    // Nothing is there before the first look at the bus is over; a service that does not answer does not hold it up.
    let _ = timeout(FIRST_LOOK, monitor.settled()).await;
    let mut tick = interval(REFRESH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let picture = look(monitor, options, Some(Instant::now())).await?;
        screen.draw(&picture.lines(Screen::size().0, true))?;
        let drawn = Instant::now();
        tokio::select! {
            lost = monitor.lost() => return Err(lost.into()),
            _ = tick.tick() => {}
            () = urgent(&mut events) => sleep_until(drawn + SHORTEST).await,
            wish = wishes.next() => match wish {
                Wish::End => return Ok(picture),
                Wish::Redraw => {}
                Wish::Stop => screen.stop()?,
            }
        }
    }
}

/// Resolves when something happens that nobody should wait a second for.
async fn urgent(events: &mut Events) {
    while let Some(event) = events.next().await {
        match event {
            Event::Appeared { .. } | Event::Gone { .. } => return,
            Event::Changed { paths, .. } if paths.iter().any(|path| is_urgent(path)) => return,
            Event::Changed { .. } => {}
        }
    }
    // The connection has ended, which `lost` tells.
    std::future::pending().await
}

fn is_urgent(path: &str) -> bool {
    path.starts_with("/Alarms/") || path == "/Connected"
}

/// The services as they are now. Ages only where the monitor has listened for a while: before, everything is new.
async fn look(monitor: &Monitor, options: &Status, now: Option<Instant>) -> anyhow::Result<Picture> {
    let seen = monitor.services();
    let mut silent = monitor.names().await?;
    silent.retain(|name| !seen.iter().any(|seen| *seen.name == **name));
    let services = seen.iter().map(|seen| {
        let heard = now.map(|now| now.saturating_duration_since(seen.heard_at));
        Service::new(&seen.name, seen.instance, heard, monitor.items(&seen.name))
    });
    Ok(Picture::new(options.bus.named(), services.collect(), silent, options.all))
}
