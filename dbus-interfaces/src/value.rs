//! What a BusItem holds. "No value" is `None` around a [`Value`], never a value of its own: on the wire it is an
//! empty array, and any empty array that comes in is `None` (velib_python `ve_utils.py`).

/// A valid value of a BusItem.
///
/// Published items use [`Int`](Value::Int), [`Long`](Value::Long), [`Real`](Value::Real), [`Text`](Value::Text) and
/// the lists; the rest is what other services are seen to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `b`. Some services send it where 0 and 1 are meant.
    Bool(bool),
    /// `i`, and on the way in every narrower integer.
    Int(i32),
    /// `x`, and on the way in every wider integer that does not fit `i` (a `t` beyond `x` saturates).
    Long(i64),
    /// `d`. Never NaN or infinite: those are `None`.
    Real(f64),
    /// `s`, and on the way in `o` and `g`.
    Text(String),
    /// `ai`.
    Ints(Vec<i32>),
    /// `ad`.
    Reals(Vec<f64>),
    /// `as`.
    Texts(Vec<String>),
    /// Any other array, as systemcalc sends for its battery list.
    List(Vec<Value>),
    /// `a{sv}`: a sub-tree, or an element of a list; entries without a value are left out.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A number that a BusItem may hold: `None` for NaN and the infinities.
    #[must_use]
    pub fn real(v: f64) -> Option<Value> {
        v.is_finite().then_some(Value::Real(v))
    }

    /// The value as a number, whatever numeric type it came in. Text is not a number here.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(v) => Some(f64::from(u8::from(*v))),
            Value::Int(v) => Some(f64::from(*v)),
            Value::Long(v) => Some(*v as f64),
            Value::Real(v) => Some(*v),
            _ => None,
        }
    }

    /// The value as an integer; a real is rounded to the nearest, and is `None` beyond 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Bool(v) => Some(i64::from(*v)),
            Value::Int(v) => Some(i64::from(*v)),
            Value::Long(v) => Some(*v),
            // 2^63 itself is not an i64, and every f64 below it is.
            Value::Real(v) if v.abs() < 9_223_372_036_854_775_808.0 => Some(v.round() as i64),
            _ => None,
        }
    }

    /// The value as text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(v) => Some(v),
            _ => None,
        }
    }
}

impl From<i32> for Value {
    fn from(v: i32) -> Self {
        Value::Int(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Value::Text(v.to_owned())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Value::Text(v)
    }
}

/// The integers as the bus prefers them: `i` where it fits, `x` beyond.
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        i32::try_from(v).map_or(Value::Long(v), Value::Int)
    }
}
