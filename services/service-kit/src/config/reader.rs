//! Serde's view of the tree: gives each type its node, and says of each fault where it is.

use std::collections::BTreeMap;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};
use toml::de::DeValue;

use super::fault::Fault;
use super::mistake::Kind;
use super::path::{Path, Step};
use super::read::Survey;
use super::stand_in::StandIn;
use super::tree::{Node, Origin, Value, bury};

/// Reads one node; none means a stand-in for what is missing.
pub(super) struct Reader<'t> {
    node: Option<&'t Node>,
    path: Path,
    survey: &'t Survey,
}

impl<'t> Reader<'t> {
    /// Reads the whole tree.
    pub(super) fn of(tree: &'t Node, survey: &'t Survey) -> Self {
        Self { node: Some(tree), path: Path::default(), survey }
    }

    /// The node, unless a stand-in has taken its place.
    fn real(&self) -> Option<&'t Node> {
        self.node.filter(|_| !self.survey.stand_ins.contains(&self.path))
    }

    fn child(&self, node: Option<&'t Node>, step: Step) -> Self {
        Reader { node, path: self.path.then(step), survey: self.survey }
    }

    fn any<'de, V: Visitor<'de>>(self, node: &'t Node, visitor: V) -> Result<V::Value, Fault> {
        match &node.value {
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Fraction(number) if !number.is_finite() => Err(Fault::new(Kind::NoNumber)),
            Value::Fraction(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Date => Err(de::Error::invalid_type(Unexpected::Other("date"), &visitor)),
            Value::TooDeep => Err(Fault::new(Kind::TooDeep)),
            Value::Whole(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_i64(number),
                (_, Ok(number)) => visitor.visit_u64(number),
                _ => Err(de::Error::invalid_value(Unexpected::Other("number"), &visitor)),
            },
            Value::List(items) => {
                let items = items.iter().enumerate();
                let mut parts =
                    Parts::new(items.map(|(n, item)| ("", self.child(Some(item), Step::Index(n)))));
                let list = visitor.visit_seq(&mut parts)?;
                // A list of fixed length does not ask for more than it takes.
                match parts.rest.count() {
                    0 => Ok(list),
                    more => Err(de::Error::custom(format!("{more} entries too many"))),
                }
            }
            Value::Table(entries) => visitor.visit_map(Parts::new(
                entries
                    .iter()
                    .map(|(key, node)| (key.as_str(), self.child(Some(node), Step::Key(key.clone())))),
            )),
            Value::Variable(raw) => match meaning(raw, &node.at) {
                Some(node) => Reader { node: Some(&node), ..self }.any(&node, visitor),
                None => visitor.visit_str(raw),
            },
        }
    }

    fn structure<'de, V: Visitor<'de>>(
        self,
        node: &'t Node,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Value::Variable(raw) = &node.value
            && let Some(node) = meaning(raw, &node.at)
        {
            return Reader { node: Some(&node), ..self }.structure(&node, fields, visitor);
        }
        let Value::Table(entries) = &node.value else {
            return self.any(node, visitor);
        };
        self.survey.tables.borrow_mut().insert(self.path.clone(), fields);
        let (known, unknown): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(key, _)| fields.contains(&key.as_str()));
        let unknown = unknown.into_iter().map(|(key, _)| (self.path.then(Step::Key(key.clone())), fields));
        self.survey.unknown.borrow_mut().extend(unknown);
        let missing = fields.iter().filter(|key| {
            let path = self.path.then(Step::Key((**key).to_owned()));
            !entries.contains_key(**key) && self.survey.stand_ins.contains(&path)
        });
        let known = known.into_iter().map(|(key, node)| (key.as_str(), Some(node)));
        let all = known.chain(missing.map(|key| (*key, None)));
        visitor
            .visit_map(Parts::new(all.map(|(key, node)| (key, self.child(node, Step::Key(key.to_owned()))))))
    }

    fn enumeration<'de, V: Visitor<'de>>(
        self,
        node: &'t Node,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &node.value {
            Value::Variable(raw) => match meaning(raw, &node.at) {
                Some(table) if matches!(table.value, Value::Table(_)) => {
                    Reader { node: Some(&table), ..self }.enumeration(&table, words, visitor)
                }
                _ => visitor.visit_enum(raw.as_str().into_deserializer()),
            },
            Value::Text(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Table(entries) => match only(entries) {
                Some((word, content)) => {
                    let content = self.child(Some(content), Step::Key(word.clone()));
                    visitor.visit_enum(Variant { word, content })
                }
                None => {
                    Err(Fault::new(Kind::Other("one of the allowed words must be its only key".to_owned())))
                }
            },
            _ => {
                let expected = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
                Err(Fault::new(Kind::WrongType { expected }))
            }
        }
    }
}

fn only(entries: &BTreeMap<String, Node>) -> Option<(&String, &Node)> {
    entries.first_key_value().filter(|_| entries.len() == 1)
}

/// What the text of a variable means as TOML; `None` if it is none and hence plain text.
fn meaning(raw: &str, at: &Origin) -> Option<Node> {
    let Origin::Variable(name) = at else { return None };
    let (value, faults) = DeValue::parse_recoverable(raw);
    if faults.is_empty() {
        Some(Node::from_variable(value, name))
    } else {
        bury(value.into_inner());
        None
    }
}

/// Hands out the parts of a table or list. A fault in what is made of a part, even after it was read, is at that part.
struct Parts<'t, I> {
    rest: I,
    value: Option<Reader<'t>>,
}

impl<'t, I: Iterator<Item = (&'t str, Reader<'t>)>> Parts<'t, I> {
    fn new(parts: I) -> Self {
        Self { rest: parts, value: None }
    }
}

fn make<'de, S: DeserializeSeed<'de>>(seed: S, part: Reader<'_>) -> Result<S::Value, Fault> {
    let path = part.path.clone();
    seed.deserialize(part).map_err(|fault| fault.at(&path))
}

impl<'de, 't, I: Iterator<Item = (&'t str, Reader<'t>)>> de::MapAccess<'de> for Parts<'t, I> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((key, part)) = self.rest.next() else { return Ok(None) };
        let word: de::value::StrDeserializer<'_, Fault> = key.into_deserializer();
        let key = seed.deserialize(word).map_err(|fault| fault.at(&part.path))?;
        self.value = Some(part);
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.value.take() {
            Some(part) => make(seed, part),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

impl<'de, 't, I: Iterator<Item = (&'t str, Reader<'t>)>> de::SeqAccess<'de> for &mut Parts<'t, I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.rest.next().map(|(_, part)| make(seed, part)).transpose()
    }
}

/// An enum that is written as a table of one entry: the key is the variant, the value its content.
struct Variant<'t> {
    word: &'t str,
    content: Reader<'t>,
}

impl<'de, 't> de::EnumAccess<'de> for Variant<'t> {
    type Error = Fault;
    type Variant = Reader<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader<'t>), Fault> {
        let word: de::value::StrDeserializer<'_, Fault> = self.word.into_deserializer();
        Ok((seed.deserialize(word)?, self.content))
    }
}

impl<'de> de::VariantAccess<'de> for Reader<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        let expected = "this word alone, in quotes".to_owned();
        Err(Fault::new(Kind::WrongType { expected }).at(&self.path))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_tuple(self, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}

/// Methods for which the node alone says what it is; the requested type only matters to a stand-in.
macro_rules! by_node {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Fault> {
            let path = self.path.clone();
            match self.real() {
                Some(node) => self.any(node, visitor),
                None => StandIn::default().$method($($argument,)* visitor),
            }
            .map_err(|fault| fault.at(&path))
        }
    )*};
}

/// Methods for which a variable is plain text, whatever it looks like.
macro_rules! by_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let path = self.path.clone();
            match (self.real(), self.real().map(|node| &node.value)) {
                (_, Some(Value::Variable(raw))) => visitor.visit_str(raw),
                (Some(node), _) => self.any(node, visitor),
                (None, _) => StandIn::default().$method(visitor),
            }
            .map_err(|fault| fault.at(&path))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    by_node! {
        deserialize_any() deserialize_bool() deserialize_seq() deserialize_map() deserialize_unit()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
    }

    by_text! {
        deserialize_str deserialize_string deserialize_char deserialize_identifier
        deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let path = self.path.clone();
        match self.real() {
            Some(_) => visitor.visit_some(self),
            None => visitor.visit_none(),
        }
        .map_err(|fault| fault.at(&path))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let path = self.path.clone();
        visitor.visit_newtype_struct(self).map_err(|fault| fault.at(&path))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let path = self.path.clone();
        match self.real() {
            Some(node) => self.structure(node, fields, visitor),
            None => StandIn::default().deserialize_struct(name, fields, visitor),
        }
        .map_err(|fault| fault.at(&path))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let path = self.path.clone();
        match self.real() {
            Some(node) => self.enumeration(node, words, visitor),
            None => StandIn::default().deserialize_enum(name, words, visitor),
        }
        .map_err(|fault| fault.at(&path))
    }
}
