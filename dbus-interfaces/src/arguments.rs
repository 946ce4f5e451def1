//! The arguments of a call where their exact D-Bus types matter, which [`Value`] does not tell.

use zbus::{Message, Variant};

use crate::Value;
use crate::wire::value_of;

/// A value with the type it travelled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// The D-Bus signature, as `u` or `ai`.
    pub signature: String,
    /// The value.
    pub value: Option<Value>,
}

/// The one argument of a message, of type `aa{sv}`.
pub(crate) fn dictionaries(message: &Message) -> Option<Vec<Vec<(String, Typed)>>> {
    let body = message.body();
    let dictionaries = body.deserialize::<Vec<std::collections::BTreeMap<String, Variant<'_>>>>().ok()?;
    Some(dictionaries.into_iter().map(|entries| entries.into_iter().map(typed).collect()).collect())
}

fn typed((name, variant): (String, Variant<'_>)) -> (String, Typed) {
    let signature = variant.value_signature().to_string();
    (name, Typed { signature, value: value_of(&variant) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn each_entry_has_the_type_that_it_travelled_in() {
        let entries = HashMap::from([
            ("u", Variant::new(7_u32)),
            ("i", Variant::new(7_i32)),
            ("none", Variant::new(Vec::<i32>::new())),
        ]);
        let message = Message::method_call("/", "AddSettings")
            .destination("a.b")
            .build(&vec![entries])
            .expect("builds");
        let read = dictionaries(&message).expect("reads");
        let typed = |signature: &str, value| Typed { signature: signature.to_owned(), value };
        assert_eq!(
            read,
            [vec![
                ("i".to_owned(), typed("i", Some(Value::Int(7)))),
                ("none".to_owned(), typed("ai", None)),
                ("u".to_owned(), typed("u", Some(Value::Int(7)))),
            ]]
        );
        let other =
            Message::method_call("/", "AddSettings").destination("a.b").build(&5_i32).expect("builds");
        assert_eq!(dictionaries(&other), None);
    }
}
