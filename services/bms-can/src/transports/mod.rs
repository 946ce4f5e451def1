//! How frames come in and go out: an slcan adapter on a serial port, a CAN interface of the kernel, or a recording.

pub mod candump_log;
pub mod interest;
mod load;
mod pacing;
pub mod slcan;
pub mod slcan_codec;
pub mod slcan_command;
mod slcan_opening;
pub mod socketcan;

use candump_log::CandumpLog;
use interest::Interest;
use slcan::Slcan;
use socketcan::SocketCan;

use crate::frame::Frame;
use crate::link_health::LinkHealth;

/// The way to one CAN bus. It opens by itself, and again when it was lost.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one link")]
pub enum Link {
    /// A serial adapter.
    Slcan(Slcan),
    /// An interface of the kernel.
    SocketCan(SocketCan),
    /// A recording.
    Log(CandumpLog),
}

/// What a link tells its loop. Everything worth a log line it logs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// The link was opened.
    Up,
    /// The link is gone or failed; it goes on by itself.
    Down,
    /// Frames may have come, none is possible.
    Frames,
}

impl Link {
    /// What happens next; frames are added to `frames`. Dropping the future loses nothing.
    pub async fn next(&mut self, frames: &mut Vec<Frame>) -> LinkEvent {
        match self {
            Link::Slcan(link) => link.next(frames).await,
            Link::SocketCan(link) => link.next(frames).await,
            Link::Log(link) => link.next(frames).await,
        }
    }

    /// Sends a frame; false if it is lost, or if this link never sends.
    pub fn send(&mut self, frame: &Frame) -> bool {
        match self {
            Link::Slcan(link) => link.send(frame),
            Link::SocketCan(link) => link.send(frame),
            Link::Log(_) => false,
        }
    }

    /// What the link is waiting for, in a few words; `None` while it is open.
    #[must_use]
    pub fn waiting_for(&self) -> Option<String> {
        match self {
            Link::Slcan(link) => link.waiting_for(),
            Link::SocketCan(link) => link.waiting_for(),
            Link::Log(link) => link.waiting_for(),
        }
    }

    /// How the bus is.
    #[must_use]
    pub fn health(&self) -> &LinkHealth {
        match self {
            Link::Slcan(link) => link.health(),
            Link::SocketCan(link) => link.health(),
            Link::Log(link) => link.health(),
        }
    }

    /// Which frames are wanted from now on. Everything until told otherwise; only the kernel leaves any out.
    pub fn listen_to(&mut self, interest: Interest) {
        if let Link::SocketCan(link) = self {
            link.listen_to(interest);
        }
    }
}
