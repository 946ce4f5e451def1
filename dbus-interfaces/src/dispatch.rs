//! What a service answers to each call: `com.victronenergy.BusItem`, the two standard interfaces, and an error at once for
//! everything else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::coerce::{Refusal, coerce};
use crate::endpoint::{Body, Call, Calls, Endpoint, Fault, INTROSPECTABLE};
use crate::marshal::Items;
use crate::refusals::Refusals;
use crate::service::{Answer, BUS_ITEM, WriteRequest, lock};
use crate::tree::{Node, Tree};
use crate::{BusError, Value, introspect};

/// How long the work loop may take to answer a write; a synchronous client of Victron's blocks meanwhile.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Dispatch {
    pub(crate) endpoint: Endpoint,
    pub(crate) tree: Arc<Mutex<Tree>>,
    pub(crate) writes: mpsc::Sender<WriteRequest>,
    pub(crate) refusals: Arc<Mutex<Refusals>>,
}

impl Dispatch {
    /// Answers calls until the connection ends.
    pub(crate) async fn run(self, mut calls: Calls) {
        while let Some(call) = calls.next().await {
            if self.handle(call).await.is_err() {
                return;
            }
        }
    }

    async fn handle(&self, call: Call) -> Result<(), BusError> {
        let (path, interface, member) = call.target();
        if call.is_peer() {
            return self.endpoint.answer_peer(call, &member).await;
        }
        match interface.as_deref() {
            Some(BUS_ITEM) => self.bus_item(call, &path, &member).await,
            Some(INTROSPECTABLE) => self.introspect(call, &path, &member).await,
            Some(other) => {
                let words = format!("{path} has {BUS_ITEM}, not {other}");
                self.endpoint.refuse(call, Fault::UnknownInterface, &words).await
            }
            // The interface may be left out where the member says enough (D-Bus specification, "Method Calls").
            None if member == "Introspect" => self.introspect(call, &path, &member).await,
            None => self.bus_item(call, &path, &member).await,
        }
    }

    async fn bus_item(&self, call: Call, path: &str, member: &str) -> Result<(), BusError> {
        let node = lock(&self.tree).node(path);
        match (node, member) {
            (Node::Nowhere, _) => {
                self.endpoint.refuse(call, Fault::UnknownObject, &format!("no item at {path}")).await
            }
            (Node::Branch, "GetItems") if path == "/" => self.get_items(call).await,
            (Node::Branch, "GetValue") => {
                let (names, values) = self.values_below(path);
                let tree: Vec<_> =
                    names.iter().map(String::as_str).zip(values.iter().map(Option::as_ref)).collect();
                self.endpoint.answer(call, Body::ValueTree(&tree)).await
            }
            (Node::Branch, "GetText") => {
                let texts = self.texts_below(path);
                let texts: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
                self.endpoint.answer(call, Body::TextTree(&texts)).await
            }
            (Node::Leaf, "SetValue") => self.set_value(call, path).await,
            (Node::Leaf, _) => self.read(call, path, member).await,
            (Node::Branch, _) => {
                self.endpoint
                    .refuse(call, Fault::UnknownMethod, &format!("{path} is a branch and has no {member}"))
                    .await
            }
        }
    }

    async fn get_items(&self, call: Call) -> Result<(), BusError> {
        if !call.wants_answer() {
            return Ok(());
        }
        let message = {
            let tree = lock(&self.tree);
            let header = call.header();
            let builder = self.endpoint.signed(zbus::Message::method_return(&header));
            builder.build(Items::default().fill(tree.leaves().iter()))
        };
        self.endpoint.send_built(message).await
    }

    fn values_below(&self, branch: &str) -> (Vec<String>, Vec<Option<Value>>) {
        let tree = lock(&self.tree);
        tree.below(branch).into_iter().map(|(name, leaf)| (name.to_owned(), leaf.value.clone())).unzip()
    }

    fn texts_below(&self, branch: &str) -> Vec<(String, String)> {
        let tree = lock(&self.tree);
        let text = |leaf: &crate::tree::Leaf| leaf.spec.text.of(leaf.value.as_ref());
        tree.below(branch).into_iter().map(|(name, leaf)| (name.to_owned(), text(leaf))).collect()
    }

    async fn read(&self, call: Call, path: &str, member: &str) -> Result<(), BusError> {
        let leaf = lock(&self.tree).leaf(path).map(|leaf| (leaf.spec, leaf.value.clone()));
        let Some((spec, value)) = leaf else {
            return self.endpoint.refuse(call, Fault::UnknownObject, &format!("no item at {path}")).await;
        };
        let number = |v: Option<f64>| v.map(|v| spec.number(v));
        match member {
            "GetValue" => self.endpoint.answer(call, Body::Value(value.as_ref())).await,
            "GetText" => self.endpoint.answer(call, Body::Text(&spec.text.of(value.as_ref()))).await,
            "GetMin" => {
                self.endpoint.answer(call, Body::Value(number(spec.range.map(|r| r.0)).as_ref())).await
            }
            "GetMax" => {
                self.endpoint.answer(call, Body::Value(number(spec.range.map(|r| r.1)).as_ref())).await
            }
            "GetDefault" => self.endpoint.answer(call, Body::Value(number(spec.default).as_ref())).await,
            "GetDescription" => self.endpoint.answer(call, Body::Text("")).await,
            _ => {
                self.endpoint
                    .refuse(call, Fault::UnknownMethod, &format!("{path} has no method {member}"))
                    .await
            }
        }
    }

    async fn set_value(&self, call: Call, path: &str) -> Result<(), BusError> {
        let Some(written) = written_value(&call) else {
            return self
                .endpoint
                .refuse(call, Fault::InvalidArgs, "SetValue takes one argument of type v")
                .await;
        };
        let leaf = lock(&self.tree).leaf(path).map(|leaf| (leaf.spec, leaf.value.clone()));
        let Some((spec, present)) = leaf else {
            return self.endpoint.refuse(call, Fault::UnknownObject, &format!("no item at {path}")).await;
        };
        match coerce(&spec, written) {
            Ok(value) if value == present && !spec.every_write => {
                self.endpoint.answer(call, Body::Int(0)).await
            }
            Ok(value) => self.ask_the_loop(call, path, value).await,
            Err(refusal) => self.refused(call, path, &refusal).await,
        }
    }

    async fn ask_the_loop(&self, call: Call, path: &str, value: Option<Value>) -> Result<(), BusError> {
        let (request, answered) = WriteRequest::new(path.to_owned(), value.clone(), call.sender());
        if self.writes.try_send(request).is_err() {
            let busy = Refusal::Driver("too many writes are waiting".to_owned());
            return self.refused(call, path, &busy).await;
        }
        // The answer may take as long as the device; other callers must not wait for it.
        let this = Dispatch {
            endpoint: self.endpoint.clone(),
            tree: self.tree.clone(),
            writes: self.writes.clone(),
            refusals: self.refusals.clone(),
        };
        let path = path.to_owned();
        tokio::spawn(async move {
            let answer = tokio::time::timeout(WRITE_TIMEOUT, answered).await;
            // A lost bus ends the process through its work loop; nothing is left to do here.
            let _ = match answer {
                Ok(Ok(Answer::Accept)) => this.take(call, &path, value).await,
                Ok(Ok(Answer::ConfirmLater)) => this.endpoint.answer(call, Body::Int(0)).await,
                Ok(Ok(Answer::Refuse(refusal))) => this.refused(call, &path, &refusal).await,
                Ok(Err(_)) => {
                    this.refused(call, &path, &Refusal::Driver("the device went away".to_owned())).await
                }
                Err(_) => {
                    this.refused(call, &path, &Refusal::Driver("the device does not answer".to_owned())).await
                }
            };
        });
        Ok(())
    }

    /// The item takes the value; whoever listens hears of it before the writer has its answer.
    async fn take(&self, call: Call, path: &str, value: Option<Value>) -> Result<(), BusError> {
        let mut items = self.endpoint.items();
        let changed = {
            let mut tree = lock(&self.tree);
            let changed = tree.replace(path, value);
            items.fill(tree.changes());
            tree.settle();
            changed
        };
        if changed {
            self.endpoint.send_items(&mut items).await?;
        }
        self.endpoint.answer(call, Body::Int(0)).await
    }

    async fn refused(&self, call: Call, path: &str, refusal: &Refusal) -> Result<(), BusError> {
        let line = lock(&self.refusals).line(path, &refusal.to_string(), Instant::now());
        if let Some(line) = line {
            tracing::warn!(path, client = call.sender(), "write refused: {line}");
        }
        self.endpoint.answer(call, Body::Int(refusal.code())).await
    }

    async fn introspect(&self, call: Call, path: &str, member: &str) -> Result<(), BusError> {
        let xml = {
            let tree = lock(&self.tree);
            introspect::xml(&tree, path)
        };
        match (member, xml) {
            ("Introspect", Some(xml)) => self.endpoint.answer(call, Body::Text(&xml)).await,
            ("Introspect", None) => {
                self.endpoint.refuse(call, Fault::UnknownObject, &format!("no item at {path}")).await
            }
            _ => {
                let words = format!("{INTROSPECTABLE} has no {member}");
                self.endpoint.refuse(call, Fault::UnknownMethod, &words).await
            }
        }
    }
}

/// The one argument of `SetValue`: a variant, or the bare empty array that gui-v2's library sends for "no value" (veutil
/// `ve_qitems_dbus.cpp`).
fn written_value(call: &Call) -> Option<Option<Value>> {
    let mut arguments = call.arguments()?;
    let value = (arguments.len() == 1).then(|| arguments.pop()).flatten()?;
    (call.signature() == "v" || value.is_none()).then_some(value)
}
