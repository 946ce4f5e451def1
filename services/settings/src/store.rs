//! The tree of settings with their limits: no bus, no file, no clock.

use std::collections::BTreeMap;
use std::ops::Bound;

use dbus_interfaces::Value;

use crate::content::{Content, Type};
use crate::{instances, path};

/// How large the file may become, in bytes; further settings are refused. A GX device's has about 200 kB.
pub const LARGEST_FILE: usize = 16 << 20;

/// What of the file is left for its first and last lines.
const HEAD: usize = 1024;

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// What it holds now; its type never changes.
    pub value: Content,
    /// Where `SetDefault` goes. Missing only where a file has none.
    pub default: Option<Content>,
    /// The lowest value that may be written.
    pub min: Option<Content>,
    /// The highest value that may be written.
    pub max: Option<Content>,
    /// Changes are not logged.
    pub silent: bool,
}

/// What a client wants a setting to be.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    /// Its type.
    pub kind: Type,
    /// Its default, and its value if it is new.
    pub default: Option<&'a Value>,
    /// The lowest value; what cannot be converted is no limit.
    pub min: Option<&'a Value>,
    /// The highest value; what cannot be converted is no limit.
    pub max: Option<&'a Value>,
    /// Changes are not logged.
    pub silent: bool,
}

/// Why a setting cannot be added. The codes are those of Victron's localsettings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// A step of the path begins with `_`.
    #[error("a step of the path begins with _")]
    UnderscorePrefix,
    /// The type is none of `i`, `f` and `s`.
    #[error("the type is unknown")]
    UnknownType,
    /// Nothing can stand at this path.
    #[error("no setting can have this path")]
    BadPath,
    /// The setting exists with another type.
    #[error("it exists with another type; remove it first")]
    TypeDiffers,
    /// The default is not of the type, or not `class:number` where that is needed.
    #[error("the default is not of the type")]
    InvalidDefault,
    /// The default is outside the limits.
    #[error("the default is outside the limits")]
    DefaultOutOfRange,
    /// The path is a group of settings.
    #[error("the path is a group")]
    IsGroup,
    /// The path is not below `/Settings`.
    #[error("the path is not below /Settings")]
    NotInSettings,
    /// The file would be larger than [`LARGEST_FILE`].
    #[error("there are too many settings already")]
    Full,
}

impl AddError {
    /// The return code of `AddSetting` and `error` of `AddSettings`.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            AddError::UnderscorePrefix => -2,
            AddError::UnknownType => -3,
            // The original knows no bound.
            AddError::BadPath | AddError::Full => -4,
            AddError::TypeDiffers => -5,
            AddError::InvalidDefault => -6,
            AddError::DefaultOutOfRange => -7,
            AddError::IsGroup => -8,
            AddError::NotInSettings => -9,
        }
    }
}

/// A written value is not one of the setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// What stands at a path.
#[derive(Debug)]
pub enum Node<'a> {
    /// A setting.
    Leaf(&'a Setting),
    /// Something that has settings below it, or always stands: `/`, `/Settings`, `/Settings/Devices`.
    Group,
    /// Nothing.
    Nowhere,
}

/// All settings, by their path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Store {
    settings: BTreeMap<String, Setting>,
    weight: usize,
}

impl Store {
    /// What stands at `path`.
    #[must_use]
    pub fn node(&self, path: &str) -> Node<'_> {
        match self.settings.get(path) {
            Some(setting) => Node::Leaf(setting),
            None if self.is_group(path) => Node::Group,
            None => Node::Nowhere,
        }
    }

    /// The setting at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Setting> {
        self.settings.get(path)
    }

    fn is_group(&self, path: &str) -> bool {
        ["/", path::ROOT, path::DEVICES].contains(&path) || self.below(path).next().is_some()
    }

    /// The settings below a group, with their paths.
    pub fn below<'a>(&'a self, group: &str) -> impl Iterator<Item = (&'a str, &'a Setting)> + use<'a> {
        let prefix = if group == "/" { "/".to_owned() } else { format!("{group}/") };
        let from = self.settings.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(path, setting)| (path.as_str(), setting))
    }

    /// How many settings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.settings.len()
    }

    /// How many bytes the file may take at most.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }

    /// Puts a setting in as it stands in a file.
    ///
    /// # Errors
    /// [`AddError`] where it cannot stand there or already does.
    pub fn insert(&mut self, path: &str, setting: Setting) -> Result<(), AddError> {
        if self.settings.contains_key(path) {
            return Err(AddError::TypeDiffers);
        }
        self.may_stand_at(path)?;
        self.keep(path, setting)
    }

    /// Puts a setting in, or in the place of the one that is there.
    fn keep(&mut self, path: &str, setting: Setting) -> Result<(), AddError> {
        let old = self.settings.get(path).map_or(0, |old| weight(path, old));
        let new = self.weight - old + weight(path, &setting);
        if new > LARGEST_FILE - HEAD && new > self.weight {
            return Err(AddError::Full);
        }
        self.weight = new;
        self.settings.insert(path.to_owned(), setting);
        Ok(())
    }

    fn may_stand_at(&self, path: &str) -> Result<(), AddError> {
        if self.is_group(path) {
            return Err(AddError::IsGroup);
        }
        let on_the_way = path.match_indices('/').skip(1).filter_map(|(at, _)| path.get(..at));
        if !path::is_legal(path) || on_the_way.into_iter().any(|above| self.settings.contains_key(above)) {
            return Err(AddError::BadPath);
        }
        Ok(())
    }

    /// Adds a setting, or gives one that exists new attributes while its value stays as it is, even outside new limits.
    /// True when something about it is new.
    ///
    /// # Errors
    /// [`AddError`]; then everything is as before.
    pub fn add(&mut self, group: &str, relative: &str, wanted: &Definition<'_>) -> Result<bool, AddError> {
        let path = path::join(group, relative);
        // The order of these decides which of two errors is told; it is that of the original.
        if path.contains("/_") {
            return Err(AddError::UnderscorePrefix);
        }
        let default = wanted.default.and_then(|v| wanted.kind.convert(v)).ok_or(AddError::InvalidDefault)?;
        let (min, max) = limits(wanted);
        if !default.is_within(min.as_ref(), max.as_ref()) {
            return Err(AddError::DefaultOutOfRange);
        }
        if group == "/" && !relative.starts_with("/Settings/") {
            return Err(AddError::NotInSettings);
        }
        match self.settings.get(&path) {
            Some(there) if there.value.kind() != wanted.kind => return Err(AddError::TypeDiffers),
            Some(_) => {}
            None => self.may_stand_at(&path)?,
        }
        let is_instance = path::is_instance(&path);
        if is_instance && instances::parse(&default.text()).is_none() {
            return Err(AddError::InvalidDefault);
        }
        let there = self.settings.get(&path);
        let value = there.map_or(&default, |there| &there.value);
        let value = if is_instance {
            // Two devices with one number can only come out of a file; whoever asks first moves on.
            self.free_instance(&path, value).ok_or(AddError::InvalidDefault)?
        } else {
            value.clone()
        };
        let updated = Setting { value, default: Some(default), min, max, silent: wanted.silent };
        if there == Some(&updated) {
            return Ok(false);
        }
        self.keep(&path, updated).map(|()| true)
    }

    /// Writes a value. True when clients must be told: the value is another one, or not the one that was asked for.
    ///
    /// # Errors
    /// [`Refused`] where the value cannot be converted or is outside the limits, and where there is no setting.
    pub fn write(&mut self, path: &str, value: Option<&Value>) -> Result<bool, Refused> {
        let setting = self.settings.get(path).ok_or(Refused)?;
        let content = value.and_then(|v| setting.value.kind().convert(v)).ok_or(Refused)?;
        self.put(path, content)
    }

    /// Writes the default.
    ///
    /// # Errors
    /// [`Refused`] where there is none, and for a device's class and number: those are given, not reset.
    pub fn reset(&mut self, path: &str) -> Result<bool, Refused> {
        if path::is_instance(path) {
            return Err(Refused);
        }
        let default = self.settings.get(path).and_then(|setting| setting.default.clone()).ok_or(Refused)?;
        self.put(path, default)
    }

    fn put(&mut self, path: &str, content: Content) -> Result<bool, Refused> {
        let setting = self.settings.get(path).ok_or(Refused)?;
        if !content.is_within(setting.min.as_ref(), setting.max.as_ref()) {
            return Err(Refused);
        }
        if setting.value == content {
            return Ok(false);
        }
        let content = if path::is_instance(path) {
            self.free_instance(path, &content).ok_or(Refused)?
        } else {
            content
        };
        let updated = Setting { value: content, ..setting.clone() };
        self.keep(path, updated).map(|()| true).map_err(|_| Refused)
    }

    /// Removes a setting; the groups above it that have nothing left go with it. False where there is none.
    pub fn remove(&mut self, path: &str) -> bool {
        let removed = self.settings.remove(path);
        self.weight -= removed.as_ref().map_or(0, |setting| weight(path, setting));
        removed.is_some()
    }

    /// Removes a setting, or a group with everything below it.
    pub fn prune(&mut self, path: &str) {
        let below: Vec<String> = self.below(path).map(|(path, _)| path.to_owned()).collect();
        self.remove(path);
        below.iter().for_each(|path| _ = self.remove(path));
    }

    fn free_instance(&self, of: &str, wanted: &Content) -> Option<Content> {
        let others = self
            .below(path::DEVICES)
            .filter(|(path, _)| *path != of && path.rsplit('/').next() == Some(path::CLASS_AND_VRM_INSTANCE));
        let texts: Vec<String> = others.map(|(_, setting)| setting.value.text()).collect();
        instances::free(&wanted.text(), texts.iter().map(String::as_str)).map(Content::Text)
    }
}

/// How many bytes of the file a setting may take at most: an element at each step of its path, begun and ended on lines of
/// their own, four attributes with four numbers, and two texts of which each byte may need six.
fn weight(path: &str, setting: &Setting) -> usize {
    let step = |(depth, label): (usize, &str)| 2 * (label.len() + 2 * depth + "<_/>\n".len());
    let steps: usize = path.split('/').enumerate().map(step).sum();
    let text = |content: &Content| match content {
        Content::Text(text) => text.len(),
        Content::Int(_) | Content::Float(_) => 0,
    };
    steps + 6 * (text(&setting.value) + setting.default.as_ref().map_or(0, text)) + 200
}

/// Texts have no limits, and for numbers zero and zero are none.
fn limits(wanted: &Definition<'_>) -> (Option<Content>, Option<Content>) {
    if wanted.kind == Type::Text {
        return (None, None);
    }
    let limit = |v: Option<&Value>| v.and_then(|v| wanted.kind.convert(v));
    no_limits_if_zero(limit(wanted.min), limit(wanted.max))
}

/// Zero and zero are no limits.
pub(crate) fn no_limits_if_zero(
    min: Option<Content>,
    max: Option<Content>,
) -> (Option<Content>, Option<Content>) {
    let zero = |limit: &Option<Content>| limit.as_ref().is_some_and(Content::is_zero);
    if zero(&min) && zero(&max) { (None, None) } else { (min, max) }
}
