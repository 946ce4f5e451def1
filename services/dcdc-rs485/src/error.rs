//! Why a request fails. The texts are those of the web API; clients know some of them.

use crate::eza::field::Unsendable;
use crate::eza::retry::CommandError;
use crate::eza::words::Meaningless;

/// Why a request fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter is neither given nor known from before.
    #[error("No {0}")]
    Missing(&'static str),
    /// A text that is no mode.
    #[error("bad value: {0}")]
    BadMode(String),
    /// A mode that may not be set.
    #[error("bad value: operation mode: {0}")]
    ModeNotSettable(u64),
    /// A value that cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The converter has not done it.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The converter says what has no meaning.
    #[error(transparent)]
    Meaningless(#[from] Meaningless),
    /// A command that does not exist, or not with these words.
    #[error("no such command: {0}")]
    BadCommand(String),
    /// Whoever decides about the battery's current does not allow it.
    #[error("not allowed: {0}")]
    Held(std::sync::Arc<str>),
    /// What was written is not what is in force afterwards.
    #[error("{0} was written and is not in force")]
    NotConfirmed(&'static str),
    /// Starting needs set points, and none are known.
    #[error("the set points that it would start with are not known")]
    NoSetPoints,
    /// There is no serial port.
    #[error("no connection: {0}")]
    NoPort(String),
    /// The battery does not answer, or nothing sound.
    #[error("modbus io exception")]
    BatterySilent,
    /// The battery refuses.
    #[error("modbus exception {0:02}")]
    BatteryRefuses(u8),
    /// No battery is configured.
    #[error("comm error")]
    NoBattery,
    /// Too many requests wait already.
    #[error("busy")]
    Busy,
    /// The configuration cannot be read again.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The process is about to end.
    #[error("stopping")]
    Stopping,
}
