//! A YAML file of sections with numbers, as flat entries with their lines. Pure.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::Marker;

/// Tables inside each other, at most.
const DEEPEST: usize = 8;

/// A value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it stands: `BMSData.charge_bulk_amps`.
    pub(crate) path: String,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// As it is written.
    pub(crate) text: String,
}

type Events<'a> = Parser<std::str::Chars<'a>>;

/// The values of the first document, in their order.
///
/// # Errors
/// What is wrong, with the line.
pub(crate) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut parser = Parser::new_from_str(text);
    let mut entries = Vec::new();
    loop {
        match next(&mut parser)? {
            (Event::StreamEnd, _) => return Err("the file is empty".to_owned()),
            (Event::MappingStart(..), _) => {
                table(&mut parser, "", 0, &mut entries)?;
                return Ok(entries);
            }
            (Event::Scalar(..) | Event::SequenceStart(..), mark) => {
                return Err(format!("line {}: a table of sections is needed", mark.line()));
            }
            _ => {}
        }
    }
}

fn next(parser: &mut Events<'_>) -> Result<(Event, Marker), String> {
    parser.next_token().map_err(|error| error.to_string())
}

fn table(parser: &mut Events<'_>, above: &str, depth: usize, to: &mut Vec<Entry>) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("more than {DEEPEST} levels"));
    }
    loop {
        let (key, line) = match next(parser)? {
            (Event::MappingEnd, _) => return Ok(()),
            // A value that is missing is where the next one begins.
            (Event::Scalar(key, ..), mark) => (key, mark.line()),
            (_, mark) => return Err(format!("line {}: a key that is no word", mark.line())),
        };
        let path = if above.is_empty() { key } else { format!("{above}.{key}") };
        match next(parser)? {
            (Event::Scalar(text, ..), _) => to.push(Entry { path, line, text }),
            (Event::MappingStart(..), _) => table(parser, &path, depth + 1, to)?,
            (_, mark) => return Err(format!("line {}: {path}: a number or a table is needed", mark.line())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_place_and_their_line() {
        let found = entries("A:\n  one: 1.5  # why\n\nB:\n  two: 'x'\nthree: 3\n").unwrap();
        let found: Vec<(&str, usize, &str)> =
            found.iter().map(|entry| (&*entry.path, entry.line, &*entry.text)).collect();
        assert_eq!(found, [("A.one", 2, "1.5"), ("B.two", 5, "x"), ("three", 6, "3")]);
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_its_line() {
        assert_eq!(entries(""), Err("the file is empty".to_owned()));
        assert_eq!(entries("- 1\n"), Err("line 1: a table of sections is needed".to_owned()));
        assert!(entries("A:\n  b: [1, 2]\n").unwrap_err().starts_with("line 2: A.b: a number"));
        assert!(entries("A: &x 1\nB: *x\n").unwrap_err().contains("B: a number"), "aliases are not followed");
        assert!(entries("A: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}").unwrap_err().contains("levels"));
        assert!(entries("A:\n b: 1\n\tc: 2\n").is_err());
    }
}
