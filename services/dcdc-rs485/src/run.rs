//! The process: converter, battery and web API around one loop.

use std::path::PathBuf;
use std::sync::Arc;

use service_kit::{Context, Failure};
use tokio::sync::Notify;

use crate::config::Config;
use crate::web::{self, Api};
use crate::{battery, converter};

/// Runs until it is asked to stop. `path` is the file that the configuration came from, and is read again when a client
/// wants it. With `is_talkative`, requests that fail are logged.
///
/// # Errors
/// The web API cannot listen.
pub async fn run(config: Config, path: PathBuf, is_talkative: bool, context: Context) -> Result<(), Failure> {
    let bound = web::bind(config.web.clone()).await?;
    let heartbeat = context.heartbeat();
    let battery = battery::start(config.battery.as_ref(), heartbeat);
    let goodbye = config.web.goodbye.then(Arc::<Notify>::default);
    let converter = converter::start(config, path, is_talkative, heartbeat.clone());
    let watching = tokio::spawn(battery::watch(battery.clone(), converter.clone()));
    let addresses: Vec<String> = bound.addresses().map(|address| address.to_string()).collect();
    tracing::info!("the web API listens at {}", addresses.join(" and "));
    context.ready(&format!("serving at {}", addresses.join(" and ")));
    bound.serve(Api { converter, battery, goodbye }, context.shutdown()).await;
    watching.abort();
    Ok(())
}
