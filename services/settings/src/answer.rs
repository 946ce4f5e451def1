//! What a call does to the settings, what it is answered and what everybody is told: a function of the call and the tree.

mod add;

use dbus_interfaces::endpoint::{Fault, INTROSPECTABLE};
use dbus_interfaces::{BUS_ITEM, Typed, Value};

use crate::content::Type;
use crate::introspect;
use crate::path;
use crate::store::{Node, Setting, Store};

/// The interface of `AddSettings` and its like.
pub const SETTINGS: &str = "com.victronenergy.Settings";

const OK: i32 = 0;
const REFUSED: i32 = -1;

/// A method call.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The object.
    pub path: &'a str,
    /// The interface; callers may leave it out.
    pub interface: Option<&'a str>,
    /// The method.
    pub member: &'a str,
    /// The arguments; `None` where they cannot be read.
    pub arguments: Option<&'a [Option<Value>]>,
    /// The one argument of `AddSettings`.
    pub definitions: Option<&'a [Vec<(String, Typed)>]>,
    /// Whether the caller may write the security profile.
    pub may_secure: bool,
}

/// Names with values; no value is `None`.
pub type Properties = Vec<(&'static str, Option<Value>)>;

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// `v`
    Value(Value),
    /// `s`
    Text(String),
    /// `i`
    Int(i32),
    /// `b`
    Bool(bool),
    /// `ai`
    Ints(Vec<i32>),
    /// `aa{sv}`
    Dicts(Vec<Properties>),
    /// `v` with `a{sv}`
    Values(Vec<(String, Value)>),
    /// `v` with `a{ss}`
    Texts(Vec<(String, String)>),
    /// `vvvi`
    Attributes([Value; 3], i32),
    /// `a{sa{sv}}`
    Items(Vec<(String, Properties)>),
    /// An error.
    Refuse(Fault, String),
}

/// `PropertiesChanged` of one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The setting.
    pub path: String,
    /// What is new.
    pub properties: Properties,
}

/// Everything that a call leads to. The signals are sent before the reply: who has the reply has seen them.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// To the caller.
    pub reply: Reply,
    /// To everybody.
    pub signals: Vec<Signal>,
    /// Whether the file is out of date now.
    pub changed: bool,
    /// For the log, a line each.
    pub log: Vec<String>,
    /// Why a write was refused that a user may wonder about. For the log too, but not each time.
    pub refused: Option<&'static str>,
}

/// Whether it must be known who calls.
#[must_use]
pub fn needs_caller(path: &str, member: &str) -> bool {
    matches!(member, "SetValue" | "SetDefault")
        && format!("{}/", path::SECURITY_PROFILE).starts_with(&prefix(path))
}

fn prefix(group: &str) -> String {
    if group == "/" { "/".to_owned() } else { format!("{group}/") }
}

/// Carries out a call.
pub fn answer(store: &mut Store, request: &Request<'_>) -> Answer {
    let mut work =
        Work { store, request, signals: Vec::new(), changed: false, log: Vec::new(), refused: None };
    let reply = work.reply();
    Answer { reply, signals: work.signals, changed: work.changed, log: work.log, refused: work.refused }
}

struct Work<'a> {
    store: &'a mut Store,
    request: &'a Request<'a>,
    signals: Vec<Signal>,
    changed: bool,
    log: Vec<String>,
    refused: Option<&'static str>,
}

impl Work<'_> {
    fn reply(&mut self) -> Reply {
        let Request { path, interface, member, .. } = *self.request;
        let of = |known: &str| interface.is_none_or(|interface| interface == known);
        if let Some(other) = interface.filter(|i| ![BUS_ITEM, SETTINGS, INTROSPECTABLE].contains(i)) {
            return Reply::Refuse(Fault::UnknownInterface, format!("{path} has {BUS_ITEM}, not {other}"));
        }
        match self.store.node(path) {
            Node::Nowhere => Reply::Refuse(Fault::UnknownObject, format!("no setting at {path}")),
            _ if of(INTROSPECTABLE) && member == "Introspect" => {
                Reply::Text(introspect::xml(self.store, path))
            }
            Node::Leaf(setting) => match member {
                "GetValue" if of(BUS_ITEM) => Reply::Value(setting.value.to_value()),
                "GetText" if of(BUS_ITEM) => Reply::Text(setting.value.text()),
                "GetMin" if of(BUS_ITEM) => Reply::Value(min(setting)),
                "GetMax" if of(BUS_ITEM) => Reply::Value(max(setting)),
                "GetDefault" if of(BUS_ITEM) => Reply::Value(default(setting)),
                "GetSilent" if of(SETTINGS) => Reply::Bool(setting.silent),
                "GetAttributes" if of(SETTINGS) => Reply::Attributes(
                    [default(setting), min(setting), max(setting)],
                    i32::from(setting.silent),
                ),
                "SetValue" if of(BUS_ITEM) => self.set_value(path),
                "SetDefault" if of(BUS_ITEM) => Reply::Int(self.set_default(path)),
                _ => self.unknown_method(),
            },
            Node::Group => match member {
                "GetItems" if of(BUS_ITEM) && path == "/" => Reply::Items(self.items()),
                "GetValue" if of(BUS_ITEM) => Reply::Values(self.below(|setting| setting.value.to_value())),
                "GetText" if of(BUS_ITEM) => Reply::Texts(self.below(|setting| setting.value.text())),
                "SetDefault" if of(BUS_ITEM) => self.set_all_to_default(),
                "AddSettings" if of(SETTINGS) => self.add_settings(),
                "AddSetting" if of(SETTINGS) => self.add_setting(false),
                "AddSilentSetting" if of(SETTINGS) => self.add_setting(true),
                "RemoveSettings" if of(SETTINGS) => self.remove_settings(),
                _ => self.unknown_method(),
            },
        }
    }

    fn unknown_method(&self) -> Reply {
        let Request { path, member, .. } = self.request;
        Reply::Refuse(Fault::UnknownMethod, format!("{path} has no such method {member}"))
    }

    fn wrong_arguments(&self, right: &str) -> Reply {
        Reply::Refuse(Fault::InvalidArgs, format!("{} takes {right}", self.request.member))
    }

    fn items(&self) -> Vec<(String, Properties)> {
        let item = |(path, setting): (&str, &Setting)| {
            let mut properties = value_and_text(setting);
            for (name, limit) in [("Max", &setting.max), ("Min", &setting.min), ("Default", &setting.default)]
            {
                properties.extend(limit.as_ref().map(|limit| (name, Some(limit.to_value()))));
            }
            (path.to_owned(), properties)
        };
        self.store.below("/").map(item).collect()
    }

    fn below<T>(&self, of: impl Fn(&Setting) -> T) -> Vec<(String, T)> {
        let cut = prefix(self.request.path).len();
        let settings = self.store.below(self.request.path);
        settings
            .map(|(path, setting)| (path.get(cut..).unwrap_or_default().to_owned(), of(setting)))
            .collect()
    }

    fn set_value(&mut self, path: &str) -> Reply {
        // Bare instead of in a variant is how gui-v2's library sends "no value" (veutil `ve_qitems_dbus.cpp`).
        let Some([value]) = self.request.arguments else { return self.wrong_arguments("one value") };
        if path == path::SECURITY_PROFILE && !self.request.may_secure {
            self.refused = Some("only venus-platform may change it");
            return Reply::Int(REFUSED);
        }
        let old = self.store.get(path).cloned();
        match self.store.write(path, value.as_ref()) {
            Ok(changed) => self.written(path, old.as_ref(), changed),
            Err(_) => Reply::Int(REFUSED),
        }
    }

    fn set_default(&mut self, path: &str) -> i32 {
        if path == path::SECURITY_PROFILE && !self.request.may_secure {
            return REFUSED;
        }
        let old = self.store.get(path).cloned();
        match self.store.reset(path) {
            Ok(changed) => {
                self.written(path, old.as_ref(), changed);
                OK
            }
            Err(_) => REFUSED,
        }
    }

    fn set_all_to_default(&mut self) -> Reply {
        let paths: Vec<String> =
            self.store.below(self.request.path).map(|(path, _)| path.to_owned()).collect();
        for path in paths {
            // What cannot be reset stays as it is.
            self.set_default(&path);
        }
        Reply::Int(OK)
    }

    fn written(&mut self, path: &str, old: Option<&Setting>, changed: bool) -> Reply {
        if changed && let (Some(old), Some(new)) = (old, self.store.get(path)) {
            if !new.silent {
                self.log.push(change(path, old, new));
            }
            self.signals.push(Signal { path: path.to_owned(), properties: value_and_text(new) });
            self.changed = true;
        }
        Reply::Int(OK)
    }

    fn remove_settings(&mut self) -> Reply {
        let paths = match self.request.arguments {
            Some([Some(Value::Texts(paths))]) => paths.as_slice(),
            Some([None]) => &[],
            _ => return self.wrong_arguments("a list of paths, as"),
        };
        let codes = paths.iter().map(|relative| {
            let path = path::join(self.request.path, relative);
            if !self.store.remove(&path) {
                return REFUSED;
            }
            self.log.push(format!("{path} removed"));
            let properties = vec![("Value", None), ("Text", Some(Value::from("")))];
            self.signals.push(Signal { path, properties });
            self.changed = true;
            OK
        });
        Reply::Ints(codes.collect())
    }
}

fn value_and_text(setting: &Setting) -> Properties {
    vec![("Value", Some(setting.value.to_value())), ("Text", Some(Value::Text(setting.value.text())))]
}

/// Zero where there is no limit, and an integer then, as the bus has no word for none.
fn min(setting: &Setting) -> Value {
    setting.min.as_ref().map_or(Value::Int(0), |v| v.to_value())
}

fn max(setting: &Setting) -> Value {
    setting.max.as_ref().map_or(Value::Int(0), |v| v.to_value())
}

fn default(setting: &Setting) -> Value {
    setting.default.as_ref().map_or(Value::Int(REFUSED), |v| v.to_value())
}

/// A text may be a secret, so only numbers and what a device is called by are told.
fn change(path: &str, old: &Setting, new: &Setting) -> String {
    if new.value.kind() == Type::Text && !path::is_instance(path) {
        format!("{path} changed")
    } else {
        format!("{path} changed from {} to {}", old.value.text(), new.value.text())
    }
}
