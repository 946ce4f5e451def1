//! Who calls, as the bus daemon knows it.
//!
//! It is asked on a connection of its own. On the one that serves, its answer would stand behind the calls that have come
//! meanwhile, which nobody takes while the answer is waited for.

use std::time::Duration;

use dbus_interfaces::BusAddress;
use dbus_interfaces::endpoint::Endpoint;
use tokio::time::timeout;

/// The one program that may change the security profile, by its name in the process table.
const PLATFORM: &str = "venus-platform";

/// A daemon that takes longer is as good as none; the caller is a stranger then.
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks the bus daemon about callers. Connects when it is first asked.
#[derive(Debug)]
pub(crate) struct Callers {
    bus: BusAddress,
    connection: Option<Endpoint>,
}

impl Callers {
    /// Of the bus at `bus`.
    #[must_use]
    pub(crate) fn new(bus: BusAddress) -> Self {
        Callers { bus, connection: None }
    }

    /// Whether the connection of this unique name belongs to the program that may change the security profile.
    pub(crate) async fn is_platform(&mut self, client: &str) -> bool {
        let Ok(Some(id)) = timeout(PATIENCE, self.process_of(client)).await else { return false };
        std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim_end() == PLATFORM)
    }

    async fn process_of(&mut self, client: &str) -> Option<u32> {
        // Kept only when it has answered, so that a broken one is replaced the next time.
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Endpoint::connect(&self.bus).await.ok()?.0,
        };
        let id = connection.process_of(client).await?;
        self.connection = Some(connection);
        Some(id)
    }
}
