//! What people see: styled lines on a terminal that is drawn over itself, plain ones everywhere else.
//!
//! - `line`: text in styles, cut and flowed to a width; pure
//! - `screen`: the terminal, taken over and given back
//! - `wishes`: keys, signals and resizes, as what the user wants

mod line;
mod screen;
mod wishes;

pub(crate) use line::{Line, Paint, Style, columns, flow, sentence};
pub(crate) use screen::Screen;
pub(crate) use wishes::{Wish, Wishes};
