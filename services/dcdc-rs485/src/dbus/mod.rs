//! Converter and battery on the D-Bus, beside the web API, which neither waits for it nor ends with it.
//!
//! - `session`: one life on the bus, from its connections to their loss
//! - `converter`, `battery`: the devices as items, with their ages (`silence`)
//! - `service`, `kept`: a service that is there while its device is; its number and name
//! - `wishes`: what a write asks of the converter
//! - `followed`, `link`: who decides about the battery's current
//! - `commands`: `org.busbar.Bus1`

mod battery;
mod commands;
mod converter;
mod followed;
mod kept;
mod link;
mod service;
mod session;
mod silence;
mod wishes;

use std::time::Duration;

use dbus_interfaces::BusAddress;
use service_kit::{Repeating, Shutdown};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::converter::Ceiling;
use crate::{battery as modbus, converter as eza};
use session::Session;

/// A bus that is gone, or that does not take us, is tried again after.
const AGAIN: Duration = Duration::from_secs(1);
/// After such a time without a loss it is over.
const PEACE: Duration = Duration::from_secs(5);

/// What is shown, and who is told the limits.
#[derive(Debug)]
pub(crate) struct Devices {
    pub(crate) converter: eza::Handle,
    pub(crate) battery: modbus::Handle,
    pub(crate) ceiling: watch::Sender<Ceiling>,
}

/// Shows the devices until the process is to end. A lost bus is only a reason to begin anew: nothing of a former life on it
/// is kept.
pub(crate) async fn serve(devices: Devices, bus: BusAddress, shutdown: Shutdown) {
    let mut failure = Repeating::default();
    loop {
        let session = tokio::select! {
            () = shutdown.requested() => return,
            session = Session::start(&devices, &bus) => session,
        };
        let error = match session {
            Ok(mut session) => {
                let started = Instant::now();
                tokio::select! {
                    () = shutdown.requested() => {
                        session.leave().await;
                        return;
                    }
                    error = session.work() => {
                        if started.elapsed() > PEACE && let Some(report) = failure.ended(started) {
                            tracing::info!("the D-Bus: {report}");
                        }
                        error
                    }
                }
            }
            Err(error) => error,
        };
        if let Some(report) =
            failure.failed(Instant::now(), &format!("not on the D-Bus, the web API goes on: {error}"))
        {
            tracing::warn!("{report}");
        }
        tokio::select! {
            () = shutdown.requested() => return,
            () = sleep(AGAIN) => {}
        }
    }
}
