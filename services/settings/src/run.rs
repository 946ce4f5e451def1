//! The service from start to end.

use std::path::Path;
use std::time::Duration;

use dbus_interfaces::endpoint::{Call, Endpoint};
use dbus_interfaces::{BusAddress, BusError};
use service_kit::{Context, Failure};
use tokio::time::Instant;

use crate::callers::Callers;
use crate::config::Config;
use crate::saver::{DELAY, Saver};
use crate::server::Server;
use crate::{file, folder, venus};

/// The name on the bus.
pub const NAME: &str = "com.victronenergy.settings";

enum Event {
    Call(Box<Call>),
    Due,
    Stop,
    Lost,
}

/// Serves the settings until asked to stop.
///
/// # Errors
/// On Venus OS (exit code 78); when the name is taken, the bus is lost or settings.xml is there and cannot be read; when
/// the last changes cannot be saved.
pub async fn run(config: Config, bus: BusAddress, context: Context) -> Result<(), Failure> {
    venus::refuse(Path::new("/")).map_err(Failure::configuration)?;
    let (endpoint, mut calls) = Endpoint::connect(&bus).await?;
    // Whoever had the name until now has written its last changes when it is free.
    endpoint.check_name(NAME).await?;
    let found = folder::open(&config.folder, &config.unique_id)?;
    found.news.iter().for_each(|line| tracing::info!("{line}"));
    found.warnings.iter().for_each(|line| tracing::warn!("{line}"));
    let mut document = found.document;
    let delay = if config.save_at_once { Duration::ZERO } else { DELAY };
    let mut saver = Saver::new(config.folder, found.besides, delay);
    if found.save {
        saver.begin(file::write(&document));
        saver.settled().await;
    }
    // Who sees the name finds a file. Where it cannot be written the settings are served all the same.
    endpoint.request_name(NAME).await?;
    let mut server = Server::new(endpoint.clone(), Callers::new(bus));
    let shutdown = context.shutdown();
    tracing::info!("{} settings", document.store.len());
    context.ready("serving");
    let end = loop {
        let event = context.heartbeat().during(async {
            tokio::select! {
                biased;
                () = shutdown.requested() => Event::Stop,
                () = saver.due() => Event::Due,
                call = calls.next() => call.map_or(Event::Lost, |call| Event::Call(Box::new(call))),
            }
        });
        match event.await {
            Event::Stop => break Ok(()),
            Event::Lost => break Err(BusError::Lost("the bus closed the connection".to_owned())),
            Event::Due => saver.begin(file::write(&document)),
            Event::Call(call) => match server.handle(&mut document.store, *call).await {
                Ok(true) => saver.changed(Instant::now()),
                Ok(false) => {}
                Err(error) => break Err(error),
            },
        }
    };
    // Calls that nobody takes any more would keep the daemon's answers from us.
    drop(calls);
    // The file before the name, for whoever takes the name next.
    let saved = saver.finish(|| file::write(&document)).await;
    endpoint.release_name(NAME).await;
    endpoint.close().await;
    end?;
    Ok(saved?)
}
