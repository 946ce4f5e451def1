//! Where a byte of a text stands, as editors count.

/// Line and column, both counted from 1; the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The position of byte `offset`. An offset behind the text means its last line, so every line that is reported exists.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let mut end = offset.min(text.len());
    if end == text.len() && text.ends_with('\n') {
        end -= 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Position { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: usize) -> (usize, usize) {
        let found = position(text, offset);
        (found.line, found.column)
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        assert_eq!(at("ab\ncd", 0), (1, 1));
        assert_eq!(at("ab\ncd", 4), (2, 2));
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(at("äöü = 1", 7), (1, 5));
        assert_eq!(at("ä", 1), (1, 1), "the middle of a character is its start");
    }

    #[test]
    fn the_end_of_a_text_lies_on_its_last_line() {
        assert_eq!(at("", 0), (1, 1));
        assert_eq!(at("a\n", 99), (1, 2));
        assert_eq!(at("a\nb\n", 4), (2, 2));
    }
}
