//! A configuration that may be shown to others.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// What stands where a secret was.
const REMOVED: &str = "(removed)";

/// Words in a name that make its value a secret.
const SECRET: [&str; 16] = [
    "auth",
    "credential",
    "credentials",
    "key",
    "keys",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pin",
    "psk",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
];

/// Whether something of this name is a secret: `mqtt_password`, `ApiKey`.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let mut word = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (was_lower && c.is_ascii_uppercase()) {
            if SECRET.contains(&word.as_str()) {
                return true;
            }
            word.clear();
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    SECRET.contains(&word.as_str())
}

/// The text of a configuration file without its secrets: values of keys that [`is_secret`], and of all keys below such a
/// one; user names and passwords in addresses; comments that look like a secret. Everything else stays as it is, in its
/// line. `None` if the text is no TOML, so that nobody knows what is what in it.
#[must_use]
pub fn without_secrets(text: &str) -> Option<String> {
    let (table, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        super::tree::bury(DeValue::Table(table.into_inner()));
        return None;
    }
    let mut secrets: Vec<Range<usize>> = Vec::new();
    let mut open: Vec<(bool, toml::Spanned<DeValue<'_>>)> =
        vec![(false, toml::Spanned::new(0..0, DeValue::Table(table.into_inner())))];
    while let Some((secret, value)) = open.pop() {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(entries) => {
                open.extend(
                    entries.into_iter().map(|(key, value)| (secret || is_secret(key.get_ref()), value)),
                );
            }
            DeValue::Array(list) => open.extend(list.into_iter().map(|value| (secret, value))),
            _ if secret => secrets.push(span),
            _ => {}
        }
    }
    secrets.sort_by_key(|span| span.start);
    let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
    for span in secrets {
        shown += text.get(from..span.start)?;
        shown += &format!("\"{REMOVED}\"");
        // What stands below keeps its line.
        shown.extend(text.get(span.clone())?.chars().filter(|c| *c == '\n'));
        from = span.end;
    }
    shown += text.get(from..)?;
    Some(without_addresses(&without_comments(&shown)))
}

/// Takes user names and passwords out of addresses: `mqtt://user:password@host`.
#[must_use]
pub fn without_addresses(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        shown += before;
        shown += "://";
        let end = behind.find(|c: char| c.is_whitespace() || "/\"'?#<>".contains(c)).unwrap_or(behind.len());
        let authority = behind.get(..end).unwrap_or_default();
        rest = match authority.rfind('@') {
            Some(at) => {
                shown += REMOVED;
                behind.get(at..).unwrap_or_default()
            }
            None => behind,
        };
    }
    shown + rest
}

/// A value that was commented out is a secret as well.
fn without_comments(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.trim_start().strip_prefix('#') {
        Some(comment) => match comment.split_once('=') {
            Some((key, _)) if key.split_whitespace().any(is_secret) => {
                format!("#{key}= {REMOVED}{}", if line.ends_with('\n') { "\n" } else { "" })
            }
            _ => line.to_owned(),
        },
        None => line.to_owned(),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_say_what_is_secret() {
        for name in
            ["password", "mqtt_password", "ApiKey", "Password", "wifi-psk", "TOKEN", "accessToken", "pin"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["keep_alive", "keyboard", "pinned", "port", "authority", "Tokenizer", "monkey", ""] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_gone_and_everything_else_stays_in_its_line() {
        let text = "# my password = hidden1\n[mqtt]\nhost = \"x\" # note\npassword = \"hidden2\" # comment\n\
                    other = { api_key = 'hidden3', n = 1 }\ntokens = [\"hidden4\", \"hidden5\"]\nsecret.deep.er = \"\"\"\nhidden6\n\"\"\"\n\
                    url = \"mqtt://me:hidden7@host:1883/a@b\"\nlast = 2";
        let shown = without_secrets(text).unwrap();
        assert!(!shown.contains("hidden"), "{shown}");
        assert_eq!(shown.lines().count(), text.lines().count(), "{shown}");
        for kept in [
            "host = \"x\" # note",
            "\"(removed)\" # comment",
            "n = 1",
            "://(removed)@host:1883/a@b",
            "last = 2",
        ] {
            assert!(shown.contains(kept), "{kept} in {shown}");
        }
    }

    #[test]
    fn what_is_no_toml_is_not_shown() {
        assert_eq!(without_secrets("password = hidden"), None);
        assert_eq!(without_secrets(""), Some(String::new()));
    }

    proptest! {
        #[test]
        fn no_value_of_a_secret_key_is_ever_shown(secret in "[a-z]{12}", before in "[ -~\n]{0,40}", behind in "[ -~\n]{0,40}") {
            let text = format!("{before}\npassword = \"{secret}\"\n{behind}");
            if let Some(shown) = without_secrets(&text) {
                // The rest may hold the word by chance only if it is there without the line.
                prop_assert!(!shown.contains(&secret) || before.contains(&secret) || behind.contains(&secret), "{}", shown);
            }
        }
    }
}
