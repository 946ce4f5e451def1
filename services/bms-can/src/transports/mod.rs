//! How frames come in and go out.

pub mod slcan;
pub mod slcan_codec;
pub mod slcan_command;

/// What a link tells its loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The adapter was opened.
    Up,
    /// The adapter is gone or failed; the link goes on by itself.
    Down(String),
    /// Frames may have come, none is possible.
    Frames,
}
