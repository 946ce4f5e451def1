//! One connection to the bus under one name: calls come in, answers and signals go out. What the calls mean is not known
//! here.

use std::collections::HashMap;

use futures_util::StreamExt;
use zbus::message::{Flags, Type};
use zbus::{Message, MessageStream};

use crate::arguments::{self, Typed};
use crate::daemon::{DAEMON, DAEMON_PATH};
use crate::marshal::Items;
use crate::service::BUS_ITEM;
use crate::socket::Out;
use crate::wire::{self, Dict, Dicts, Wire};
use crate::{BusAddress, BusError, Value};

/// `RequestName`: fail at once instead of standing in the queue (D-Bus specification).
const DO_NOT_QUEUE: u32 = 4;
const PRIMARY_OWNER: u32 = 1;
const ALREADY_OWNER: u32 = 4;

/// `Ping` and `GetMachineId`.
pub const PEER: &str = "org.freedesktop.DBus.Peer";
/// `Introspect`.
pub const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";

/// A connection that answers calls.
#[derive(Debug, Clone)]
pub struct Endpoint {
    connection: zbus::Connection,
    /// The way past zbus, on a socket of ours.
    out: Option<Out>,
}

/// The method calls that come in on an [`Endpoint`], in order.
#[derive(Debug)]
pub struct Calls {
    stream: MessageStream,
}

/// One method call, to be answered exactly once.
#[derive(Debug)]
#[must_use = "a caller waits 25 s for an answer that does not come"]
pub struct Call {
    message: Message,
}

/// Names with values; no value is `None`.
pub type Named<'a> = Vec<(&'a str, Option<&'a Value>)>;

/// The body of an answer or a signal.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// No arguments.
    Nothing,
    /// `v`
    Value(Option<&'a Value>),
    /// `s`
    Text(&'a str),
    /// `i`
    Int(i32),
    /// `b`
    Bool(bool),
    /// `ai`
    Ints(&'a [i32]),
    /// `a{sv}`
    Dict(&'a [(&'a str, Option<&'a Value>)]),
    /// `aa{sv}`
    Dicts(&'a [Named<'a>]),
    /// `v` that holds `a{sv}`: a sub-tree of values.
    ValueTree(&'a [(&'a str, Option<&'a Value>)]),
    /// `v` that holds `a{ss}`: a sub-tree of texts.
    TextTree(&'a [(&'a str, String)]),
    /// `vvvi`: default, minimum, maximum and a flag.
    Attributes(Option<&'a Value>, Option<&'a Value>, Option<&'a Value>, i32),
    /// `a{sa{sv}}`: paths with their properties.
    Items(&'a [(&'a str, Named<'a>)]),
}

/// The standard error names (D-Bus specification).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No object at the path.
    UnknownObject,
    /// The object has no such interface.
    UnknownInterface,
    /// The interface has no such method.
    UnknownMethod,
    /// The arguments are not those of the method.
    InvalidArgs,
    /// The caller may not.
    AccessDenied,
    /// Anything else.
    Failed,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::UnknownObject => "org.freedesktop.DBus.Error.UnknownObject",
            Fault::UnknownInterface => "org.freedesktop.DBus.Error.UnknownInterface",
            Fault::UnknownMethod => "org.freedesktop.DBus.Error.UnknownMethod",
            Fault::InvalidArgs => "org.freedesktop.DBus.Error.InvalidArgs",
            Fault::AccessDenied => "org.freedesktop.DBus.Error.AccessDenied",
            Fault::Failed => "org.freedesktop.DBus.Error.Failed",
        }
    }
}

impl Endpoint {
    /// Connects, without a name as yet.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub async fn connect(address: &BusAddress) -> Result<(Endpoint, Calls), BusError> {
        let (connection, out) = address.connect_to_speak().await?;
        let calls = Calls { stream: MessageStream::from(&connection) };
        Ok((Endpoint { connection, out }, calls))
    }

    /// Makes sure that nobody has a well-known name, without taking it.
    ///
    /// # Errors
    /// [`BusError::NameTaken`] with the owner, [`BusError::Lost`].
    pub async fn check_name(&self, name: &str) -> Result<(), BusError> {
        if self.has_owner(name).await? {
            return Err(BusError::NameTaken { name: name.to_owned(), owner: self.owner_of(name).await });
        }
        Ok(())
    }

    /// Whether somebody has this name, well-known or unique.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn has_owner(&self, name: &str) -> Result<bool, BusError> {
        let lost = |e: zbus::Error| BusError::Lost(e.to_string());
        let reply = self.ask_daemon("NameHasOwner", &name).await.map_err(lost)?;
        reply.body().deserialize::<bool>().map_err(lost)
    }

    /// Takes a well-known name, or fails at once.
    ///
    /// # Errors
    /// [`BusError::NameTaken`] with the owner, [`BusError::NameRefused`] when the policy forbids it.
    pub async fn request_name(&self, name: &str) -> Result<(), BusError> {
        let reply = self.ask_daemon("RequestName", &(name, DO_NOT_QUEUE)).await;
        let refused = |reason: String| BusError::NameRefused { name: name.to_owned(), reason };
        let reply = reply.map_err(|e| self.lost().unwrap_or(refused(e.to_string())))?;
        match reply.body().deserialize::<u32>() {
            Ok(PRIMARY_OWNER | ALREADY_OWNER) => Ok(()),
            Ok(_) => Err(BusError::NameTaken { name: name.to_owned(), owner: self.owner_of(name).await }),
            Err(e) => Err(refused(e.to_string())),
        }
    }

    /// Gives a name back. Losing the connection meanwhile comes to the same.
    pub async fn release_name(&self, name: &str) {
        let _ = self.ask_daemon("ReleaseName", &name).await;
    }

    async fn owner_of(&self, name: &str) -> String {
        let owner = match self.ask_daemon("GetNameOwner", &name).await {
            Ok(reply) => reply.body().deserialize::<String>().unwrap_or_default(),
            Err(_) => return "a process that has just left".to_owned(),
        };
        match self.process_of(&owner).await {
            Some(id) => format!("{owner} (process {id})"),
            None => owner,
        }
    }

    /// The process id of a connection, `None` when it has gone.
    pub async fn process_of(&self, unique_name: &str) -> Option<u32> {
        let reply = self.ask_daemon("GetConnectionUnixProcessID", &unique_name).await.ok()?;
        reply.body().deserialize().ok()
    }

    async fn ask_daemon<B>(&self, member: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
    {
        self.connection.call_method(Some(DAEMON), DAEMON_PATH, Some(DAEMON), member, body).await
    }

    /// Answers a call.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn answer(&self, call: Call, body: Body<'_>) -> Result<(), BusError> {
        if !call.wants_answer() {
            return Ok(());
        }
        let header = call.message.header();
        // What no message can hold is no reason to leave the bus.
        let message = body.build(self.signed(Message::method_return(&header))).or_else(|why| {
            self.signed(Message::error(&header, Fault::Failed.name())).build(&why.to_string())
        });
        self.send_built(message).await
    }

    /// Answers a call with an error.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn refuse(&self, call: Call, fault: Fault, words: &str) -> Result<(), BusError> {
        if !call.wants_answer() {
            return Ok(());
        }
        let header = call.message.header();
        let message = self.signed(Message::error(&header, fault.name())).build(&words);
        self.send_built(message).await
    }

    /// Answers a call of `org.freedesktop.DBus.Peer`, which every path has, as with libdbus.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn answer_peer(&self, call: Call, member: &str) -> Result<(), BusError> {
        match member {
            "Ping" => self.answer(call, Body::Nothing).await,
            "GetMachineId" => match std::fs::read_to_string("/etc/machine-id") {
                Ok(id) => self.answer(call, Body::Text(id.trim())).await,
                Err(e) => self.refuse(call, Fault::Failed, &format!("/etc/machine-id: {e}")).await,
            },
            _ => self.refuse(call, Fault::UnknownMethod, &format!("{PEER} has no {member}")).await,
        }
    }

    /// Sends a signal to everyone.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn signal(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        body: Body<'_>,
    ) -> Result<(), BusError> {
        let message = body.build(self.signed(Message::signal(path, interface, member)));
        self.send_built(message).await
    }

    pub(crate) fn signed<'m>(&'m self, builder: zbus::message::Builder<'m>) -> zbus::message::Builder<'m> {
        match self.connection.unique_name() {
            Some(name) => builder.sender(name),
            None => builder,
        }
    }

    pub(crate) async fn send_built(&self, message: zbus::Result<Message>) -> Result<(), BusError> {
        let sent = match message {
            Ok(message) => self.connection.send(&message).await,
            Err(e) => Err(e),
        };
        sent.map_err(|e| BusError::Lost(e.to_string()))
    }

    /// Items to be filled for [`Endpoint::send_items`].
    pub(crate) fn items(&self) -> Items {
        match (&self.out, self.connection.unique_name()) {
            (Some(_), Some(sender)) => Items::of_signal(sender),
            _ => Items::default(),
        }
    }

    /// Sends an `ItemsChanged` of them.
    pub(crate) async fn send_items(&self, items: &mut Items) -> Result<(), BusError> {
        let Some(out) = &self.out else {
            let message = self.signed(Message::signal("/", BUS_ITEM, "ItemsChanged")).build(items);
            return self.send_built(message).await;
        };
        let sent = out.send(items.message(out.serial())).await;
        sent.map_err(|e| BusError::Lost(zbus::Error::from(e).to_string()))
    }

    /// Resolves when the connection has ended.
    pub async fn closed(&self) {
        self.connection.closed().await;
    }

    fn lost(&self) -> Option<BusError> {
        self.connection.is_closed().then(|| BusError::Lost("closed by the bus".to_owned()))
    }

    /// Closes the connection; its names go with it.
    pub async fn close(self) {
        // An error here means that it is closed already.
        let _ = self.connection.close().await;
    }
}

/// Answers a call on a connection that serves nothing, so that nobody waits.
pub(crate) async fn decline(connection: &zbus::Connection, call: &Message, why: &str) -> zbus::Result<()> {
    let endpoint = Endpoint { connection: connection.clone(), out: None };
    let call = Call { message: call.clone() };
    let (_, interface, member) = call.target();
    let outcome = if is_peer(interface.as_deref(), &member) {
        endpoint.answer_peer(call, &member).await
    } else {
        endpoint.refuse(call, Fault::UnknownMethod, why).await
    };
    outcome.map_err(|e| zbus::Error::Failure(e.to_string()))
}

/// Whether a call is one of [`PEER`]; the interface may be left out.
fn is_peer(interface: Option<&str>, member: &str) -> bool {
    interface.map_or(matches!(member, "Ping" | "GetMachineId"), |interface| interface == PEER)
}

impl Calls {
    /// The next call; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Call> {
        loop {
            match self.stream.next().await? {
                Ok(message) if message.message_type() == Type::MethodCall => return Some(Call { message }),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Call {
    /// Path, interface (may be left out by the caller) and member.
    #[must_use]
    pub fn target(&self) -> (String, Option<String>, String) {
        let header = self.message.header();
        let path = header.path().map(|p| p.to_string()).unwrap_or_default();
        let interface = header.interface().map(|i| i.to_string());
        (path, interface, header.member().map(|m| m.to_string()).unwrap_or_default())
    }

    /// Whether it is a call of [`PEER`], for [`Endpoint::answer_peer`].
    #[must_use]
    pub fn is_peer(&self) -> bool {
        let (_, interface, member) = self.target();
        is_peer(interface.as_deref(), &member)
    }

    /// The arguments, `None` where they cannot be read.
    #[must_use]
    pub fn arguments(&self) -> Option<Vec<Option<Value>>> {
        wire::arguments(&self.message)
    }

    /// The one argument of type `aa{sv}` with the exact types in it, `None` where there is another or none.
    #[must_use]
    pub fn dictionaries(&self) -> Option<Vec<Vec<(String, Typed)>>> {
        arguments::dictionaries(&self.message)
    }

    /// The D-Bus signature of the arguments, as `v` or `aa{sv}`.
    #[must_use]
    pub fn signature(&self) -> String {
        self.message.body().signature().to_string_no_parens()
    }

    /// The unique name of the caller.
    #[must_use]
    pub fn sender(&self) -> String {
        self.message.header().sender().map(|s| s.to_string()).unwrap_or_default()
    }

    pub(crate) fn wants_answer(&self) -> bool {
        !self.message.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED)
    }

    pub(crate) fn header(&self) -> zbus::message::Header<'_> {
        self.message.header()
    }
}

impl Body<'_> {
    fn build(self, to: zbus::message::Builder<'_>) -> zbus::Result<Message> {
        match self {
            Body::Nothing => to.build(&()),
            Body::Value(v) => to.build(&Wire(v)),
            Body::Text(v) => to.build(&v),
            Body::Int(v) => to.build(&v),
            Body::Bool(v) => to.build(&v),
            Body::Ints(v) => to.build(&v),
            Body::Dict(v) => to.build(&Dict(v)),
            Body::Dicts(v) => to.build(&Dicts(v)),
            Body::ValueTree(v) => to.build(&zbus::as_variant::Serialize(&Dict(v))),
            Body::TextTree(v) => {
                let texts: HashMap<&str, &str> = v.iter().map(|(k, t)| (*k, t.as_str())).collect();
                to.build(&zbus::as_variant::Serialize(&texts))
            }
            Body::Attributes(default, min, max, flag) => {
                to.build(&(Wire(default), Wire(min), Wire(max), flag))
            }
            Body::Items(v) => {
                let items: HashMap<&str, Dict<'_>> = v.iter().map(|(path, p)| (*path, Dict(p))).collect();
                to.build(&items)
            }
        }
    }
}
