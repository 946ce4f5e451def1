//! Which bus: chosen as Victron's own programs choose it.

use std::sync::Arc;
use std::time::Duration;

use zbus::connection::Builder;
use zbus::connection::socket::{BoxedSplit, Split};

use crate::BusError;
use crate::socket::{self, Out};

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
            BusAddress::Session => Builder::session(),
            BusAddress::System => Builder::system(),
            BusAddress::At(address) => Builder::address(address.as_str()),
        };
        builder.method_timeout(limit).build().await.map_err(|e| self.refused(&e))
    }

    /// A new connection for what speaks more than it hears, with a way past zbus where the bus is on this machine.
    ///
    /// # Errors
    /// [`BusError::Connect`] when nobody answers there.
    pub(crate) async fn connect_to_speak(&self) -> Result<(zbus::Connection, Option<Out>), BusError> {
        let address = match self {
            BusAddress::Session => zbus::Address::session(),
            BusAddress::System => zbus::Address::system(),
            BusAddress::At(address) => address.parse(),
        };
        let address = address.map_err(|e| self.refused(&e))?;
        let Some(path) = socket::path_of(&address) else {
            return Ok((self.connect().await?, None));
        };
        let (input, out) = socket::open(path)
            .await
            .map_err(|e| self.refused(&zbus::Error::Connection(Arc::new(e), Box::new(address.clone()))))?;
        let halves: BoxedSplit = Split::new(Box::new(input), Box::new(out.clone()));
        let connection = Builder::socket(halves).method_timeout(CALL_TIMEOUT).build();
        let connection = connection.await.map_err(|e| self.refused(&e))?;
        match address.guid() {
            Some(guid) if guid.as_str() != connection.server_guid().as_str() => {
                let other = format!("another bus is there now, {}", connection.server_guid());
                Err(self.refused(&zbus::Error::Failure(other)))
            }
            _ => Ok((connection, Some(out))),
        }
    }

    fn refused(&self, why: &zbus::Error) -> BusError {
        BusError::Connect { address: self.to_string(), reason: why.to_string() }
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
