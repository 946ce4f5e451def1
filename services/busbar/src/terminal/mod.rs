//! What people see: styled lines on a terminal that is drawn over itself, plain ones everywhere else.
//!
//! - `line`: text in styles, cut and flowed to a width; pure
//! - `screen`: the terminal, taken over and given back
//! - `wishes`: keys, signals and resizes, as what the user wants

mod line;
mod screen;
mod wishes;

use line::Paint;
pub(crate) use line::{Line, Style, columns, flow, sentence};
pub(crate) use screen::Screen;
pub(crate) use wishes::{Wish, Wishes};

/// Writes lines to standard output, in styles where it is a terminal.
pub(crate) fn print(lines: &[Line]) -> anyhow::Result<()> {
    let (paint, mut text) = (Paint::of_stdout(), String::new());
    for line in lines {
        line.write(paint, &mut text);
        text.push('\n');
    }
    crate::print(&text)
}

/// How wide lines for [`print()`] may be: a pipe takes them as they are.
pub(crate) fn page_width() -> usize {
    if Paint::of_stdout() == Paint::Plain { usize::MAX } else { Screen::size().0 }
}
