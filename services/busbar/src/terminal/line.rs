//! Text in styles, as wide as it may be. What comes from the bus is text of strangers: its control characters never
//! reach the terminal.

use std::fmt::{self, Write};

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// It does not.
    #[default]
    Plain,
    /// Headings and names.
    Strong,
    /// What matters less.
    Faint,
    /// Another value than a moment ago.
    Changed,
    /// Yellow.
    Warning,
    /// Red.
    Alarm,
}

/// What the place can show where the text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Nothing but text: a pipe, a file.
    Plain,
    /// A terminal whose user does not want colours (<https://no-color.org>): bold and reverse are no colours.
    Mono,
    /// A terminal.
    Colour,
}

impl Paint {
    /// What standard output can show.
    pub(crate) fn of_stdout() -> Paint {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            false => Paint::Plain,
            true if wants_none => Paint::Mono,
            true => Paint::Colour,
        }
    }

    /// The parameters of SGR (ECMA-48, 8.3.117) for a style.
    fn codes(self, style: Style) -> Option<&'static str> {
        match (self, style) {
            (Paint::Plain, _) | (_, Style::Plain) => None,
            (_, Style::Strong) => Some("1"),
            (_, Style::Faint) => Some("2"),
            (_, Style::Changed) => Some("7"),
            (Paint::Mono, Style::Warning | Style::Alarm) => Some("1"),
            (Paint::Colour, Style::Warning) => Some("33"),
            (Paint::Colour, Style::Alarm) => Some("1;31"),
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line(Vec<(Style, String)>);

impl Line {
    /// A line of one style.
    pub(crate) fn of(style: Style, text: impl AsRef<str>) -> Line {
        let mut line = Line::default();
        line.push(style, text);
        line
    }

    /// A line that does not stand out.
    pub(crate) fn plain(text: impl AsRef<str>) -> Line {
        Line::of(Style::Plain, text)
    }

    /// Adds text at the end.
    pub(crate) fn push(&mut self, style: Style, text: impl AsRef<str>) {
        let text = printable(text.as_ref());
        match self.0.last_mut() {
            Some((last, before)) if *last == style => before.push_str(&text),
            _ => self.0.push((style, text)),
        }
    }

    /// Adds another line at the end.
    pub(crate) fn append(&mut self, other: &Line) {
        for (style, text) in &other.0 {
            self.push(*style, text);
        }
    }

    /// How many columns it takes, as far as each character takes one. A terminal that draws some of them wider cuts the
    /// line at its edge by itself.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Its words, each in its style.
    fn words(&self) -> Vec<Line> {
        let words =
            self.0.iter().flat_map(|(style, text)| text.split(' ').map(|word| Line::of(*style, word)));
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Whether it has no text.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.is_empty())
    }

    /// The line, at most `width` columns of it; one that had more ends in an ellipsis.
    pub(crate) fn cut(&self, width: usize) -> Line {
        if self.width() <= width {
            return self.clone();
        }
        let mut line = Line::default();
        let mut left = width.saturating_sub(1);
        for (style, text) in &self.0 {
            let kept: String = text.chars().take(left).collect();
            left -= kept.chars().count();
            line.push(*style, kept);
        }
        if width > 0 {
            line.push(Style::Plain, "…");
        }
        line
    }

    /// The line with the control sequences of its styles, without an end.
    pub(crate) fn write(&self, paint: Paint, out: &mut String) {
        for (style, text) in &self.0 {
            // Writing to a String cannot fail.
            let _ = match paint.codes(*style) {
                Some(codes) => write!(out, "\x1b[{codes}m{text}\x1b[0m"),
                None => write!(out, "{text}"),
            };
        }
    }
}

/// The text alone.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Rows under each other, each column as wide as its widest cell. In the first `names` columns the text stands on the
/// left, in the others, which are numbers, on the right.
pub(crate) fn columns(rows: &[Vec<Line>], names: usize) -> Vec<Line> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width_of = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(Line::width).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width_of).collect();
    let table = |row: &Vec<Line>| {
        let mut line = Line::default();
        for (n, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            if n > 0 {
                line.push(Style::Plain, "  ");
            }
            if n >= names {
                line.push(Style::Plain, &gap);
            }
            line.append(cell);
            if n < names {
                line.push(Style::Plain, &gap);
            }
        }
        line
    };
    rows.iter().map(table).collect()
}

/// Pieces one after the other, on as many lines as they need. A piece is divided, between its words, only where it is
/// wider than a line.
pub(crate) fn flow(pieces: &[Line], indent: usize, between: &str, width: usize) -> Vec<Line> {
    let start = || Line::plain(" ".repeat(indent));
    let (mut lines, mut line, mut is_fresh) = (Vec::new(), start(), true);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        let parts = if indent + piece.width() > width { piece.words() } else { vec![piece.clone()] };
        for (n, part) in parts.iter().enumerate() {
            let gap = if n == 0 { between } else { " " };
            if !is_fresh && line.width() + gap.chars().count() + part.width() > width {
                lines.push(std::mem::replace(&mut line, start()));
                is_fresh = true;
            }
            if !is_fresh {
                line.push(Style::Plain, gap);
            }
            line.append(part);
            is_fresh = false;
        }
    }
    if !is_fresh {
        lines.push(line);
    }
    lines
}

/// A sentence, on as many lines as it needs.
pub(crate) fn sentence(style: Style, text: &str, width: usize) -> Vec<Line> {
    flow(&[Line::of(style, text)], 0, "", width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(line: &Line, paint: Paint) -> String {
        let mut out = String::new();
        line.write(paint, &mut out);
        out
    }

    #[test]
    fn a_pipe_gets_no_control_sequence_and_a_terminal_gets_the_colours_that_its_user_wants() {
        let mut line = Line::plain("low ");
        line.push(Style::Alarm, "alarm");
        line.push(Style::Warning, " warning");
        assert_eq!(painted(&line, Paint::Plain), "low alarm warning");
        assert_eq!(painted(&line, Paint::Colour), "low \x1b[1;31malarm\x1b[0m\x1b[33m warning\x1b[0m");
        assert_eq!(painted(&line, Paint::Mono), "low \x1b[1malarm\x1b[0m\x1b[1m warning\x1b[0m");
    }

    #[test]
    fn a_stranger_s_control_sequences_do_not_reach_the_terminal() {
        assert_eq!(Line::plain("a\x1b[2Jb\nc\u{9b}d").to_string(), "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}d");
    }

    #[test]
    fn a_line_is_cut_to_the_width_across_its_styles() {
        let mut line = Line::plain("21.0°C ");
        line.push(Style::Strong, "alarm");
        assert_eq!(line.width(), 12);
        assert_eq!(line.cut(12), line);
        assert_eq!(line.cut(10).to_string(), "21.0°C al…");
        assert_eq!(line.cut(1).to_string(), "…");
        assert_eq!(line.cut(0).to_string(), "");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: &[&str]| cells.iter().map(Line::plain).collect::<Vec<_>>();
        let lines = columns(&[row(&["name", "A"]), row(&["x", "-12.3"]), row(&[])], 1);
        let text: Vec<String> = lines.iter().map(Line::to_string).collect();
        assert_eq!(text, ["name      A", "x     -12.3", ""]);
        assert!(columns(&[], 1).is_empty());
    }

    #[test]
    fn pieces_flow_to_the_width_and_stay_whole() {
        let pieces: Vec<Line> =
            ["limits 53.20V", "", "charge 74.0A", "discharge 100.0A"].map(Line::plain).into();
        let at = |width| flow(&pieces, 2, "  ", width).iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(at(80), ["  limits 53.20V  charge 74.0A  discharge 100.0A"]);
        assert_eq!(at(30), ["  limits 53.20V  charge 74.0A", "  discharge 100.0A"]);
        assert_eq!(at(19), ["  limits 53.20V", "  charge 74.0A", "  discharge 100.0A"]);
        assert_eq!(
            at(16),
            ["  limits 53.20V", "  charge 74.0A", "  discharge", "  100.0A"],
            "too wide to stay whole"
        );
        assert!(flow(&[Line::default()], 2, "  ", 80).is_empty());
    }
}
