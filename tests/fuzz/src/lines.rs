//! What is printed for people.

/// A line is one line, and whoever wrote what it quotes cannot move the cursor or colour the terminal with it.
pub(crate) fn assert_line(line: &str) {
    assert!(!line.is_empty() && !line.contains(char::is_control), "{line:?}");
}
