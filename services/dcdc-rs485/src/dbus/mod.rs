//! Converter and battery on the D-Bus, beside the web API, which neither waits for it nor ends with it.
//!
//! - `session`: one life on the bus, from its connections to their loss
//! - `converter`, `battery`: the devices as items, with their ages (`silence`)
//! - `service`, `kept`: a service that is there while its device is; its number and name
//! - `wishes`: what a write asks of the converter
//! - `followed`, `link`: who decides about the battery's current
//! - `commands`: `org.busbar.Bus1`; `arguments` reads what comes with them

mod arguments;
mod battery;
mod commands;
mod converter;
mod followed;
mod link;
mod service;
mod session;
mod silence;
mod wishes;

use std::pin::pin;
use std::time::Duration;

use dbus_interfaces::{BusAddress, BusError};
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
            Ok(mut session) => match live(&mut session, &mut failure, &shutdown).await {
                Some(error) => error,
                None => {
                    session.leave().await;
                    return;
                }
            },
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

/// One life on the bus: what ended it, or nothing when the process is to end.
async fn live(session: &mut Session, failure: &mut Repeating, shutdown: &Shutdown) -> Option<BusError> {
    let mut working = pin!(session.work());
    let mut peace = pin!(sleep(PEACE));
    let mut is_calm = false;
    loop {
        tokio::select! {
            error = &mut working => return Some(error),
            () = shutdown.requested() => return None,
            () = &mut peace, if !is_calm => {
                is_calm = true;
                if let Some(report) = failure.ended(Instant::now()) {
                    tracing::info!("on the D-Bus: {report}");
                }
            }
        }
    }
}
