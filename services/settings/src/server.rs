//! Calls from the bus to [`answer`], and what comes of it back to the bus.

use dbus_interfaces::endpoint::{Body, Call, Endpoint, Named};
use dbus_interfaces::{BUS_ITEM, BusError, Refusals, Value};
use tokio::time::Instant;

use crate::answer::{Answer, Properties, Reply, Request, answer, needs_caller};
use crate::callers::Callers;
use crate::store::Store;

/// Answers calls on an endpoint.
#[derive(Debug)]
pub(crate) struct Server {
    endpoint: Endpoint,
    callers: Callers,
    refusals: Refusals,
}

impl Server {
    /// A server on `endpoint`.
    #[must_use]
    pub(crate) fn new(endpoint: Endpoint, callers: Callers) -> Self {
        Server { endpoint, callers, refusals: Refusals::default() }
    }

    /// Carries out a call, tells everybody and answers. True when the file is out of date.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub(crate) async fn handle(&mut self, store: &mut Store, call: Call) -> Result<bool, BusError> {
        let (path, interface, member) = call.target();
        if call.is_peer() {
            return self.endpoint.answer_peer(call, &member).await.map(|()| false);
        }
        let arguments = call.arguments();
        let definitions = if member == "AddSettings" { call.dictionaries() } else { None };
        let may_secure = needs_caller(&path, &member) && self.callers.is_platform(&call.sender()).await;
        let request = Request {
            path: &path,
            interface: interface.as_deref(),
            member: &member,
            arguments: arguments.as_deref(),
            definitions: definitions.as_deref(),
            may_secure,
        };
        let Answer { reply, signals, changed, log, refused } = answer(store, &request);
        for line in log {
            tracing::info!(client = call.sender(), "{line}");
        }
        if let Some(why) = refused
            && let Some(line) = self.refusals.line(&path, why, Instant::now())
        {
            tracing::info!(client = call.sender(), "{path}: {line}");
        }
        for signal in &signals {
            let body = named(&signal.properties);
            self.endpoint.signal(&signal.path, BUS_ITEM, "PropertiesChanged", Body::Dict(&body)).await?;
        }
        self.reply(call, &reply).await.map(|()| changed)
    }

    async fn reply(&self, call: Call, reply: &Reply) -> Result<(), BusError> {
        match reply {
            Reply::Value(value) => self.endpoint.answer(call, Body::Value(Some(value))).await,
            Reply::Text(text) => self.endpoint.answer(call, Body::Text(text)).await,
            Reply::Int(code) => self.endpoint.answer(call, Body::Int(*code)).await,
            Reply::Bool(flag) => self.endpoint.answer(call, Body::Bool(*flag)).await,
            Reply::Ints(codes) => self.endpoint.answer(call, Body::Ints(codes)).await,
            Reply::Dicts(results) => {
                let results: Vec<Named<'_>> = results.iter().map(named).collect();
                self.endpoint.answer(call, Body::Dicts(&results)).await
            }
            Reply::Values(values) => {
                let values: Vec<(&str, Option<&Value>)> =
                    values.iter().map(|(path, value)| (path.as_str(), Some(value))).collect();
                self.endpoint.answer(call, Body::ValueTree(&values)).await
            }
            Reply::Texts(texts) => {
                let texts: Vec<(&str, String)> =
                    texts.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
                self.endpoint.answer(call, Body::TextTree(&texts)).await
            }
            Reply::Attributes([default, min, max], silent) => {
                let body = Body::Attributes(Some(default), Some(min), Some(max), *silent);
                self.endpoint.answer(call, body).await
            }
            Reply::Items(items) => {
                let items: Vec<(&str, Named<'_>)> =
                    items.iter().map(|(path, properties)| (path.as_str(), named(properties))).collect();
                self.endpoint.answer(call, Body::Items(&items)).await
            }
            Reply::Refuse(fault, words) => self.endpoint.refuse(call, *fault, words).await,
        }
    }
}

fn named(properties: &Properties) -> Named<'_> {
    properties.iter().map(|(name, value)| (*name, value.as_ref())).collect()
}
