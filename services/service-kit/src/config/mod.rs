//! Configuration: one TOML file per process, `BUSBAR_*` variables over it, and errors that say how to put things right.
//!
//! Plain `toml` is enough: it keeps the place of every key and value, while the `config` crate, which could merge the
//! sources for us, forgets lines. So the merging (defaults, file, environment) is done here, on the parsed tree.
//!
//! A configuration type derives `Deserialize` with `deny_unknown_fields` and implements [`Check`] for its ranges.
//! Enums are best written without `tag` or `untagged`: serde forgets places inside those.

mod check;
mod environment;
mod errors;
mod fault;
mod file;
mod mistake;
mod nearest;
mod path;
mod position;
mod read;
mod reader;
mod secrets;
mod stand_in;
mod tree;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

pub use check::{Check, Findings};
pub use environment::{PREFIX, RESERVED};
pub use errors::{ConfigError, ConfigErrors, Place};
pub use file::{DIRECTORIES, load, locate};
pub use position::Position;
pub use secrets::{is_secret, without_addresses, without_secrets};

use mistake::{Kind, Mistake, Scene};
use path::Path;
use tree::{Node, Origin};

/// The largest configuration that is read, in bytes.
pub const LARGEST: usize = 256 * 1024;

/// Reads a configuration: `text` over the defaults of `T`, and over it those of `variables` that begin with
/// [`PREFIX`]. `file` only names the text in errors.
///
/// # Errors
/// Everything that is wrong, as far as it can be found in one go.
pub fn parse<T: DeserializeOwned + Check>(
    text: &str,
    file: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigErrors> {
    if text.len() > LARGEST {
        return Err(ConfigErrors::one(Place::File(file.to_owned()), format!("larger than {LARGEST} bytes")));
    }
    let (table, faults) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    if !faults.is_empty() {
        tree::bury(DeValue::Table(table));
        return Err(syntax_errors(text, file, &faults));
    }
    let mut tree = Node::from_file(table);
    let mut mistakes = environment::overlay(&mut tree, variables);
    let reading = read::read::<T>(&tree);
    mistakes.extend(reading.mistakes);
    if let Some(config) = reading.value {
        let mut findings = Findings::default();
        config.check(&mut findings);
        mistakes
            .extend(findings.into_mistakes().into_iter().filter(|mistake| mistake.holds(&reading.stand_ins)));
        if mistakes.is_empty() {
            return Ok(config);
        }
    }
    mistakes.sort_by_cached_key(|mistake| match mistake.origin(&tree) {
        Origin::File(range) => (range.start, String::new()),
        Origin::Variable(name) => (usize::MAX, name.to_string()),
    });
    let scene = Scene { file, text, tree: &tree };
    Err(ConfigErrors::new(mistakes, |mistake| mistake.describe(&scene)))
}

/// What is no TOML: the first fault of each line, because those behind it are mostly its echo.
fn syntax_errors(text: &str, file: &str, faults: &[toml::de::Error]) -> ConfigErrors {
    let mut starts: Vec<(usize, &str)> = faults
        .iter()
        .map(|fault| (fault.span().unwrap_or_default().start.min(text.len()), fault.message()))
        .collect();
    starts.sort_by_key(|(start, _)| *start);
    let mut next_line = 0;
    starts.retain(|(start, _)| {
        let first = *start >= next_line;
        if first {
            next_line =
                text.get(*start..).and_then(|rest| rest.find('\n')).map_or(usize::MAX, |end| start + end + 1);
        }
        first
    });
    let nothing = Node::from_file(DeTable::new());
    let scene = Scene { file, text, tree: &nothing };
    ConfigErrors::new(starts, |(start, reason)| {
        let kind = Kind::Syntax(reason.to_owned());
        Mistake { path: Path::default(), at: Some(Origin::File(start..start)), kind }.describe(&scene)
    })
}
