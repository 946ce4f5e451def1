//! The reply to a request, found in whatever was received.
//!
//! Noise before it, an echo of the request, further starts of a frame and anything behind it do no harm. The addresses of a
//! reply are not looked at: in which order a converter returns them is not public.

use super::frame::{OVERHEAD, REPLY_START, Request, checksum};

/// A negative acknowledgement carries a code of two bytes.
const REFUSAL_SIZE: usize = 2;
/// Added to the command in a negative acknowledgement.
const REFUSED: u8 = 0x80;

/// What a converter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Acknowledged, with this payload.
    Done(&'a [u8]),
    /// Refused, with this error code (ERCD).
    Refused(u16),
}

/// Why there is no reply yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Search {
    /// The most telling of what was wrong so far.
    pub trouble: Trouble,
    /// A frame seems to have begun.
    pub began: bool,
}

/// What is wrong with what was received, in the order of what tells most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Trouble {
    /// Not enough bytes.
    #[default]
    Silence,
    /// A sound reply to another command, of this payload length.
    OtherCommand(u8),
    /// A sound reply of a length that its command does not have.
    WrongLength,
    /// A frame whose checksum is wrong.
    Checksum,
}

/// Looks for the reply to `request`. While a frame that began earlier may still become the reply, later ones wait, unless
/// `is_last`: then nothing more will come.
///
/// # Errors
/// No reply yet, and what was found instead.
pub fn find<'a>(received: &'a [u8], request: &Request, is_last: bool) -> Result<Reply<'a>, Search> {
    let mut search = Search::default();
    let mut rest = received;
    if let Some(behind) = rest.strip_prefix(request.bytes()) {
        rest = behind;
    } else if !is_last && request.bytes().starts_with(rest) {
        return Err(search);
    }
    let whole = rest;
    while let [first, behind @ ..] = rest {
        let step = match behind {
            _ if *first != REPLY_START => Step::Next,
            [] if is_last => Step::Next,
            [] => Step::Wait,
            [length, behind @ ..] => judge(*length, behind, request, is_last),
        };
        rest = match step {
            Step::Found(reply) => return Ok(reply),
            Step::Next => behind,
            Step::Bad(trouble) => {
                search.note(trouble);
                behind
            }
            Step::Skip(length, trouble) => {
                search.note(trouble);
                rest.get(length..).unwrap_or_default()
            }
            Step::Wait => {
                search.began = true;
                return Err(search);
            }
        };
    }
    if is_last && let Some(reply) = with_noise_inside(whole, request) {
        return Ok(reply);
    }
    Err(search)
}

/// Bytes between the start and the length are noise too, as the reference has it.
fn with_noise_inside<'a>(mut bytes: &'a [u8], request: &Request) -> Option<Reply<'a>> {
    while let [first, behind @ ..] = bytes {
        bytes = behind;
        let place = behind.iter().position(|length| is_length(*length, request));
        if *first == REPLY_START
            && let [length, behind @ ..] = behind.get(place?..)?
            && let Step::Found(reply) = judge(*length, behind, request, true)
        {
            return Some(reply);
        }
    }
    None
}

fn is_length(length: u8, request: &Request) -> bool {
    usize::from(length) == request.answer_size() || usize::from(length) == REFUSAL_SIZE
}

impl Search {
    fn note(&mut self, trouble: Trouble) {
        self.began = true;
        self.trouble = self.trouble.max(trouble);
    }
}

enum Step<'a> {
    Found(Reply<'a>),
    /// No frame begins here.
    Next,
    /// A frame begins here and is broken.
    Bad(Trouble),
    /// A sound frame of this length, but not ours.
    Skip(usize, Trouble),
    /// A frame may have begun here.
    Wait,
}

/// What a frame is that has this length, from its addresses on.
fn judge<'a>(length: u8, bytes: &'a [u8], request: &Request, is_last: bool) -> Step<'a> {
    if !is_length(length, request) {
        return Step::Next;
    }
    let size = usize::from(length);
    let Some((summed, [low, high, ..])) = bytes.split_at_checked(size + 3) else {
        return if is_last { Step::Next } else { Step::Wait };
    };
    let [_, _, command, payload @ ..] = summed else { return Step::Next };
    if checksum(summed) != u16::from_le_bytes([*low, *high]) {
        return Step::Bad(Trouble::Checksum);
    }
    match (command.wrapping_sub(request.code()), payload) {
        (0, payload) if size == request.answer_size() => Step::Found(Reply::Done(payload)),
        (REFUSED, &[low, high]) => Step::Found(Reply::Refused(u16::from_le_bytes([low, high]))),
        (0 | REFUSED, _) => Step::Skip(size + OVERHEAD, Trouble::WrongLength),
        _ => Step::Skip(size + OVERHEAD, Trouble::OtherCommand(length)),
    }
}
