//! The process: converter, battery and web API around one loop, and the D-Bus beside them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::BusAddress;
use service_kit::{Context, Failure};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use crate::config::{Class, Config};
use crate::converter::{Ceiling, Duties, Request};
use crate::dbus::{self, Devices};
use crate::eza::words::WAITING;
use crate::web::{self, Api};
use crate::{battery, converter};

/// So long the end waits for the converter to stop, and for the bus.
const LAST_COMMAND: Duration = Duration::from_millis(450);
const LAST_WORD: Duration = Duration::from_millis(200);

/// Runs until it is asked to stop. `path` is the file that the configuration came from, and is read again when a client
/// wants it. With `is_talkative`, requests that fail are logged.
///
/// # Errors
/// The web API cannot listen.
pub async fn run(
    config: Config,
    path: PathBuf,
    bus: BusAddress,
    is_talkative: bool,
    context: Context,
) -> Result<(), Failure> {
    let bound = web::bind(config.web.clone()).await?;
    let heartbeat = context.heartbeat();
    let shown = config.dbus.enabled;
    let battery = battery::start(config.battery.as_ref(), shown && config.dbus.battery, heartbeat);
    let goodbye = config.web.goodbye.then(Arc::<Notify>::default);
    let follows = shown && (config.dbus.follow.is_some() || config.dbus.class == Class::Alternator);
    let unsaid = shown && config.dbus.follow.is_some();
    let (ceiling, said) =
        watch::channel(if unsaid { Ceiling::Unsaid(Instant::now()) } else { Ceiling::Open });
    let duties = Duties { polls: shown, ceiling: said };
    let converter = converter::start(config, path, is_talkative, duties, heartbeat.clone());
    let watching = tokio::spawn(battery::watch(battery.clone(), converter.clone()));
    let on_bus = shown.then(|| {
        let devices = Devices { converter: converter.clone(), battery: battery.clone(), ceiling };
        tokio::spawn(dbus::serve(devices, bus, context.shutdown()))
    });
    let addresses: Vec<String> = bound.addresses().map(|address| address.to_string()).collect();
    tracing::info!("the web API listens at {}", addresses.join(" and "));
    context.ready(&format!("serving at {}", addresses.join(" and ")));
    bound.serve(Api { converter: converter.clone(), battery, goodbye }, context.shutdown()).await;
    watching.abort();
    if follows {
        // From here on nobody stands behind the limits that it has.
        stop(&converter).await;
    }
    if let Some(on_bus) = on_bus {
        let ending = on_bus.abort_handle();
        if timeout(LAST_WORD, on_bus).await.is_err() {
            ending.abort();
        }
    }
    Ok(())
}

/// Sends a converter that runs to waiting.
async fn stop(converter: &converter::Handle) {
    let mode = converter.picture().borrow().mode.words();
    if mode == Some([WAITING]) {
        return;
    }
    match timeout(LAST_COMMAND, converter.ask(Request::ForceWaiting)).await {
        Ok(Ok(_)) => tracing::info!("the converter is sent to waiting"),
        Ok(Err(error)) => tracing::warn!("the converter was not sent to waiting: {error}"),
        Err(_) => tracing::warn!("the converter was not sent to waiting in time"),
    }
}
