//! A path of the bus as a typed constant, declared once and used by the publisher and by whoever follows it.

use std::marker::PhantomData;

use crate::{Text, Value};

/// The type of a published item, which never changes while the service is on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `i`
    Int,
    /// `x`
    Long,
    /// `d`
    Real,
    /// `s`
    Text,
    /// `as`
    Texts,
}

/// The Rust types that an item can have.
pub trait ItemType: Sized {
    /// The type on the bus.
    const KIND: Kind;
    /// To the bus; `None` where the bus has no such value (NaN).
    fn into_value(self) -> Option<Value>;
    /// From the bus, with the usual tolerance between numeric types.
    fn from_value(value: &Value) -> Option<Self>;
}

impl ItemType for i32 {
    const KIND: Kind = Kind::Int;
    fn into_value(self) -> Option<Value> {
        Some(Value::Int(self))
    }
    fn from_value(value: &Value) -> Option<Self> {
        i32::try_from(value.as_i64()?).ok()
    }
}

impl ItemType for i64 {
    const KIND: Kind = Kind::Long;
    fn into_value(self) -> Option<Value> {
        Some(Value::Long(self))
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_i64()
    }
}

impl ItemType for f64 {
    const KIND: Kind = Kind::Real;
    fn into_value(self) -> Option<Value> {
        Value::real(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_f64().filter(|v| v.is_finite())
    }
}

impl ItemType for String {
    const KIND: Kind = Kind::Text;
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(self))
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl ItemType for Vec<String> {
    const KIND: Kind = Kind::Texts;
    fn into_value(self) -> Option<Value> {
        Some(Value::Texts(self))
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Texts(v) => Some(v.clone()),
            _ => None,
        }
    }
}

/// What the bus knows of an item besides its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Type on the bus.
    pub kind: Kind,
    /// Text format.
    pub text: Text,
    /// Whether a `SetValue` reaches the handler at all.
    pub writable: bool,
    /// `GetMin` and `GetMax`, in the unit of the item. Writes outside are refused.
    pub range: Option<(f64, f64)>,
    /// `GetDefault`, in the unit of the item.
    pub default: Option<f64>,
    /// Whether a `SetValue` of the value that the item has reaches the handler too: where writing is a sign of life.
    pub every_write: bool,
}

impl Spec {
    /// A limit or default as a value of the item's own type.
    pub(crate) fn number(&self, v: f64) -> Value {
        match self.kind {
            Kind::Int | Kind::Long => Value::from(v as i64),
            _ => Value::Real(v),
        }
    }
}

/// A path with its type, unit and text format.
///
/// One `#` in the path stands for a number: `Item::new("/Voltages/Cell#", ..).nth(3)` is `/Voltages/Cell3`.
#[derive(Debug)]
pub struct Item<T> {
    path: &'static str,
    index: Option<u16>,
    spec: Spec,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Item<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Item<T> {}

impl<T: ItemType> Item<T> {
    /// A read-only item at `path` (absolute, as on the bus).
    #[must_use]
    pub const fn new(path: &'static str, text: Text) -> Self {
        let spec =
            Spec { kind: T::KIND, text, writable: false, range: None, default: None, every_write: false };
        Item { path, index: None, spec, of: PhantomData }
    }

    /// The item accepts `SetValue`.
    #[must_use]
    pub const fn writable(mut self) -> Self {
        self.spec.writable = true;
        self
    }

    /// The handler hears of every `SetValue`, also of one that changes nothing.
    #[must_use]
    pub const fn every_write(mut self) -> Self {
        self.spec.every_write = true;
        self
    }

    /// The item has these limits, both allowed.
    #[must_use]
    pub const fn range(mut self, min: f64, max: f64) -> Self {
        self.spec.range = Some((min, max));
        self
    }

    /// The item has this default.
    #[must_use]
    pub const fn default(mut self, default: f64) -> Self {
        self.spec.default = Some(default);
        self
    }

    /// The `n`th of a family of items whose path has a `#`.
    #[must_use]
    pub const fn nth(mut self, n: u16) -> Self {
        self.index = Some(n);
        self
    }

    /// The path on the bus.
    #[must_use]
    pub fn path(&self) -> std::borrow::Cow<'static, str> {
        match self.index {
            Some(n) => self.path.replacen('#', &n.to_string(), 1).into(),
            None => self.path.into(),
        }
    }

    /// Whether this is the item's path on the bus.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let Some((n, (before, after))) = self.index.zip(self.path.split_once('#')) else {
            return self.path == path;
        };
        let number = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        // As it is written: without a sign, and without zeros in front.
        number.is_some_and(|number| {
            number.parse() == Ok(n) && (n == 0 && number.len() == 1 || !number.starts_with(['+', '0']))
        })
    }

    /// Type, text format, access and limits.
    #[must_use]
    pub const fn spec(&self) -> Spec {
        self.spec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_at_its_path_and_nowhere_else() {
        const CELL: Item<f64> = Item::new("/Voltages/Cell#/V", Text::Plain);
        const SOC: Item<f64> = Item::new("/Soc", Text::Plain);
        assert!(SOC.is_at("/Soc") && SOC.nth(3).is_at("/Soc"));
        assert!(!SOC.is_at("/Soc3") && !SOC.is_at("/So"));
        for n in [0, 1, 10, u16::MAX] {
            assert!(CELL.nth(n).is_at(&CELL.nth(n).path()));
        }
        for other in [
            "/Voltages/Cell#/V",
            "/Voltages/Cell03/V",
            "/Voltages/Cell+3/V",
            "/Voltages/Cell/V",
            "/Voltages/Cell3",
            "/Voltages/Cell3/V/V",
        ] {
            assert!(!CELL.nth(3).is_at(other), "{other}");
        }
        assert!(!CELL.nth(0).is_at("/Voltages/Cell00/V") && CELL.is_at("/Voltages/Cell#/V"));
    }
}
