//! Calls to the bus daemon (D-Bus specification, "Message Bus Messages").

/// Name and interface of the daemon.
pub(crate) const DAEMON: &str = "org.freedesktop.DBus";
/// Its only object.
pub(crate) const DAEMON_PATH: &str = "/org/freedesktop/DBus";

/// A call, still without its arguments.
pub(crate) fn to_daemon(member: &'static str) -> zbus::message::Builder<'static> {
    zbus::Message::method_call(DAEMON_PATH, member).destination(DAEMON).interface(DAEMON)
}
