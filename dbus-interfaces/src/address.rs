//! Which bus: chosen as Victron's own programs choose it.

use std::time::Duration;

use crate::BusError;

/// The environment variable that, when set, makes the session bus the bus.
pub const SESSION_VARIABLE: &str = "DBUS_SESSION_BUS_ADDRESS";

/// How long a call of ours waits for its answer; libdbus itself waits 25 s, and no loop of ours can.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a bus is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusAddress {
    /// The bus that `DBUS_SESSION_BUS_ADDRESS` names.
    Session,
    /// The system bus; `DBUS_SYSTEM_BUS_ADDRESS` may name another place for it.
    System,
    /// A server address, such as `unix:path=/run/dbus/system_bus_socket`.
    At(String),
}

impl BusAddress {
    /// `session`, `system` or an address; nothing means the session bus where the environment names one and the system
    /// bus elsewhere (velib_python and localsettings choose the same way).
    #[must_use]
    pub fn choose(wanted: Option<&str>) -> Self {
        match wanted {
            Some("session") => BusAddress::Session,
            Some("system") => BusAddress::System,
            Some(address) => BusAddress::At(address.to_owned()),
            None if std::env::var_os(SESSION_VARIABLE).is_some() => BusAddress::Session,
            None => BusAddress::System,
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// [`BusError::Connect`] when nobody answers there.
    pub(crate) async fn connect(&self) -> Result<zbus::Connection, BusError> {
        self.connect_with_calls_of(CALL_TIMEOUT).await
    }

    /// A new connection whose calls wait this long for their answer.
    ///
    /// # Errors
    /// [`BusError::Connect`] when nobody answers there.
    pub(crate) async fn connect_with_calls_of(&self, limit: Duration) -> Result<zbus::Connection, BusError> {
        let builder = match self {
            BusAddress::Session => zbus::connection::Builder::session(),
            BusAddress::System => zbus::connection::Builder::system(),
            BusAddress::At(address) => zbus::connection::Builder::address(address.as_str()),
        };
        let connection = builder.method_timeout(limit).build();
        connection
            .await
            .map_err(|source| BusError::Connect { address: self.to_string(), reason: source.to_string() })
    }
}

impl std::fmt::Display for BusAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BusAddress::Session => f.write_str("the session bus"),
            BusAddress::System => f.write_str("the system bus"),
            BusAddress::At(address) => f.write_str(address),
        }
    }
}
