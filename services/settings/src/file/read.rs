//! XML to the tree.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{XmlVersion, escape};

use super::Document;
use crate::content::{Type, is_xml_text};
use crate::path;
use crate::store::{Setting, Store, no_limits_if_zero};

/// How deep elements may stand in each other; twice of what a path can have.
const MAX_DEPTH: usize = 2 * path::MAX_STEPS;

/// The longest version or id that is taken for one, in bytes.
const LONGEST: usize = 100;

/// The longest line about what is wrong with a file, in characters.
const LONGEST_LINE: usize = 400;

/// The text is not the XML of a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Broken {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// An element that has begun.
enum Open {
    Group,
    Setting {
        attributes: Attributes,
        text: String,
    },
    /// Something inside a setting, where nothing belongs.
    Ignored,
}

#[derive(Default)]
struct Attributes {
    kind: String,
    min: Option<String>,
    max: Option<String>,
    default: Option<String>,
    silent: bool,
}

/// What a file says. A single setting that cannot be understood is left out, or keeps its default; the rest is read.
///
/// # Errors
/// [`Broken`] where the text is not XML, not complete, or its root is not `Settings`.
pub fn read(text: &str) -> Result<Document, Broken> {
    let mut reader = Reader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let mut reading = Reading::default();
    let outcome = loop {
        match reader.read_event() {
            Ok(Event::Eof) => break reading.finish(),
            Ok(event) => {
                if let Err(reason) = reading.take(event) {
                    break Err(reason);
                }
            }
            Err(error) => break Err(error.to_string()),
        }
    };
    outcome.map_err(|reason| Broken { line: line_at(text, reader.buffer_position()), reason: shown(&reason) })
}

/// For a log: never more than a line, whatever a file has for names.
fn shown(text: &str) -> String {
    text.chars().take(LONGEST_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn leave_out(document: &mut Document, what: &str) {
    document.left_out.push(shown(what));
}

fn line_at(text: &str, position: u64) -> usize {
    let end = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
    1 + text.bytes().take(end).filter(|b| *b == b'\n').count()
}

#[derive(Default)]
struct Reading {
    document: Option<Document>,
    /// The elements around the present place, the root left out.
    open: Vec<Open>,
    /// The path of the innermost of them that is no [`Open::Ignored`].
    path: String,
    ended: bool,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.end();
                Ok(())
            }
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|e| e.to_string())? {
                Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
                None => {
                    let name = reference.into_inner();
                    let text = escape::resolve_xml_entity(&name).ok_or(format!("unknown entity &{name};"))?;
                    self.text(text)
                }
            },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let attributes = attributes(start)?;
        let name = start.name().into_inner();
        let Some(document) = &mut self.document else {
            if name != "Settings" {
                return Err(format!("the root is <{name}>, not <Settings>"));
            }
            let of_root = |name| {
                let value = attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                value.filter(|v| v.len() <= LONGEST && is_xml_text(v))
            };
            self.document = Some(Document {
                store: Store::default(),
                // localsettings takes a file without a version for one of version 1.
                version: of_root("version").unwrap_or("1".to_owned()),
                unique_id: of_root("unique-id").unwrap_or_default(),
                left_out: Vec::new(),
            });
            path::ROOT.clone_into(&mut self.path);
            return Ok(());
        };
        if self.ended {
            return Err(format!("<{name}> after the end"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} elements in each other"));
        }
        if matches!(self.open.last(), Some(Open::Setting { .. } | Open::Ignored)) {
            leave_out(document, &format!("<{name}> inside {}", self.path));
            self.open.push(Open::Ignored);
            return Ok(());
        }
        self.path.push('/');
        self.path.push_str(name.strip_prefix('_').unwrap_or(name));
        self.open.push(match named(attributes) {
            Some(attributes) => Open::Setting { attributes, text: String::new() },
            None => Open::Group,
        });
        Ok(())
    }

    fn text(&mut self, more: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(Open::Setting { text, .. }) => text.push_str(more),
            _ if self.document.is_some() && !self.ended => {}
            _ if more.trim().is_empty() => {}
            _ => return Err("text outside of the root".to_owned()),
        }
        Ok(())
    }

    fn end(&mut self) {
        match self.open.pop() {
            None => self.ended = true,
            Some(Open::Ignored) => {}
            Some(open) => {
                if let (Open::Setting { attributes, text }, Some(document)) = (open, &mut self.document) {
                    put(document, &self.path, &attributes, &text);
                }
                self.path.truncate(self.path.rfind('/').unwrap_or_default());
            }
        }
    }

    fn finish(self) -> Result<Document, String> {
        match self.document {
            Some(document) if self.ended => Ok(document),
            Some(_) => Err("the text ends in the middle".to_owned()),
            None => Err("there is no <Settings>".to_owned()),
        }
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let read = start.attributes().map(|attribute| {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let value = attribute.normalized_value(XmlVersion::default()).map_err(|e| e.to_string())?;
        Ok((attribute.key.into_inner().to_owned(), value.into_owned()))
    });
    read.collect()
}

/// The attributes of a setting; `None` for a group, which is what has no type.
fn named(attributes: Vec<(String, String)>) -> Option<Attributes> {
    let mut named = Attributes::default();
    let mut has_type = false;
    for (name, value) in attributes {
        match name.as_str() {
            "type" => (has_type, named.kind) = (true, value),
            "min" => named.min = Some(value),
            "max" => named.max = Some(value),
            "default" => named.default = Some(value),
            "silent" => named.silent = is_true(&value),
            _ => {}
        }
    }
    has_type.then_some(named)
}

/// A number other than zero, or the word in any case.
fn is_true(text: &str) -> bool {
    text.trim().parse::<i64>().map_or_else(|_| text.eq_ignore_ascii_case("true"), |n| n != 0)
}

fn put(document: &mut Document, path: &str, attributes: &Attributes, text: &str) {
    let Some(kind) = Type::from_letter(&attributes.kind) else {
        leave_out(document, &format!("{path} has the unknown type {:?}", attributes.kind));
        return;
    };
    let parse = |text: &Option<String>| text.as_ref().and_then(|text| kind.parse(text));
    let default = parse(&attributes.default);
    let value = kind.parse(text);
    if value.is_none() {
        let instead = if default.is_some() { "takes its default" } else { "is left out" };
        let shown: String = text.chars().filter(|c| is_xml_text(&c.to_string())).take(40).collect();
        leave_out(document, &format!("{path} has the impossible value {shown:?} and {instead}"));
    }
    let Some(value) = value.or_else(|| default.clone()) else { return };
    let (min, max) = match kind {
        Type::Text => (None, None),
        Type::Int | Type::Float => no_limits_if_zero(parse(&attributes.min), parse(&attributes.max)),
    };
    let setting = Setting { value, default, min, max, silent: attributes.silent };
    if document.store.get(path).is_some() {
        leave_out(document, &format!("{path} is there twice; the first counts"));
    } else if let Err(error) = document.store.insert(path, setting) {
        leave_out(document, &format!("{path} is left out: {error}"));
    }
}
