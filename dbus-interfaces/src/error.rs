//! What can go wrong on the bus.

/// An error on the way to or on the bus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// No bus at the address.
    #[error("no D-Bus at {address}: {reason}. Is dbus-daemon running? --bus ADDRESS names another one")]
    Connect {
        /// Where it was looked for.
        address: String,
        /// What the attempt ended with.
        reason: String,
    },
    /// Another process owns the name.
    #[error("the bus name {name} is taken by {owner}: another process already serves this device")]
    NameTaken {
        /// The well-known name.
        name: String,
        /// Its owner, as far as the bus told: unique name and process id.
        owner: String,
    },
    /// The bus refused the name.
    #[error("the bus refuses the name {name}: {reason}. On Debian the D-Bus policy decides who may own it")]
    NameRefused {
        /// The well-known name.
        name: String,
        /// The bus's own words.
        reason: String,
    },
    /// The connection has ended.
    #[error("the connection to the D-Bus is lost: {0}")]
    Lost(String),
    /// Another service answered with an error, or not at all.
    #[error("{service}{path} {member}: {reason}")]
    Call {
        /// The service that was called.
        service: String,
        /// The path.
        path: String,
        /// The method.
        member: String,
        /// The error's name and words.
        reason: String,
    },
}
