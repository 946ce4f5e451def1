//! What an adapter answers to the commands that open it: a function of its answers in order, without I/O or clock.
//!
//! An adapter answers each command with an end of line or a BELL, which do not say what they answer (Lawicel "CANUSB"
//! manual, "CANUSB ASCII Commands"). The version, which has an answer of its own, is asked for between the bit rate and the
//! opening: the answer before it is to the bit rate, the one after it to the opening. How many answers the empty lines in
//! front get differs from adapter to adapter.

use super::slcan_codec::Event;
use super::slcan_command::{BitRate, Command};

/// A command without which the adapter does not join the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The bit rate.
    BitRate,
    /// To join the bus.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the version; whether the last answer was a refusal.
    Commands(bool),
    /// Between the version and the answer to the opening.
    Joining,
    /// Everything is answered.
    Over,
}

/// The opening of an adapter.
#[derive(Debug)]
pub(super) struct Opening {
    stage: Stage,
    refused: Option<Refused>,
}

impl Opening {
    /// Nothing is answered as yet.
    pub(super) fn new() -> Opening {
        Opening { stage: Stage::Commands(false), refused: None }
    }

    /// The commands, in order.
    pub(super) fn commands(bit_rate: BitRate, listen_only: bool) -> [Command; 5] {
        let join = if listen_only { Command::ListenOnly } else { Command::Open };
        [Command::Flush, Command::Close, Command::SetBitRate(bit_rate), Command::Version, join]
    }

    /// What the adapter has refused, as far as it is known.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// The adapter said something. True when [`Opening::refused`] is another one then.
    pub(super) fn said(&mut self, event: &Event) -> bool {
        let before = self.refused;
        match (self.stage, event) {
            // From before it was closed, or from one that does not answer.
            (Stage::Commands(_), Event::Frame(..)) => self.stage = Stage::Commands(false),
            // It is on the bus, whatever it has refused.
            (_, Event::Frame(..)) => *self = Opening { stage: Stage::Over, refused: None },
            (Stage::Commands(_), Event::Ack) => self.stage = Stage::Commands(false),
            (Stage::Commands(_), Event::Nack) => self.stage = Stage::Commands(true),
            (Stage::Commands(refuses), Event::Version(_)) => {
                self.refused = refuses.then_some(Refused::BitRate);
                self.stage = Stage::Joining;
            }
            // It knows no version, and this is what it was asked next: the answer before was to the opening.
            (Stage::Commands(refuses), Event::Status(_)) => {
                self.refused = refuses.then_some(Refused::Open);
                self.stage = Stage::Over;
            }
            (Stage::Joining, Event::Ack | Event::Status(_)) => self.stage = Stage::Over,
            (Stage::Joining, Event::Nack) => {
                // Without a bit rate adapters do not join either: the first refusal is the cause.
                self.refused = self.refused.or(Some(Refused::Open));
                self.stage = Stage::Over;
            }
            _ => {}
        }
        self.refused != before
    }
}

impl Refused {
    /// In words, with what to do.
    pub(super) fn words(self, bit_rate: BitRate, listen_only: bool) -> String {
        match (self, listen_only) {
            (Refused::BitRate, _) => format!(
                "the adapter refuses bit_rate {} (command S{}): set a bit_rate that it has, or unplug it and plug it in \
                 again if another program left it open",
                bit_rate.bits_per_second(),
                bit_rate as u8
            ),
            (Refused::Open, true) => {
                "the adapter refuses to listen only (command L): set listen_only = false, or give it \
                                      firmware that can"
                    .to_owned()
            }
            (Refused::Open, false) => {
                "the adapter refuses to join the bus (command O): unplug it and plug it in again; if \
                                       it still refuses, its firmware or the adapter is defective"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::slcan_codec::Decoder;
    use super::*;

    fn refused(answers: &[u8]) -> Option<Refused> {
        let (mut decoder, mut opening) = (Decoder::default(), Opening::new());
        for event in decoder.feed(answers) {
            opening.said(&event);
        }
        opening.refused()
    }

    #[test]
    fn an_adapter_that_takes_everything_refuses_nothing() {
        // Three empty lines, close, bit rate, version, opening, status.
        assert_eq!(refused(b"\r\r\r\r\rV1013\r\rF00\r"), None);
        // One that is closed already refuses to close; one that answers nothing to empty lines.
        assert_eq!(refused(b"\x07\x07\x07\x07\rV1013\r\rF00\r"), None);
        assert_eq!(refused(b"\x07\rV1013\r\r"), None);
        // One that says only its version, and one that does not even that.
        assert_eq!(refused(b"\rV1013\rt1230\r"), None);
        assert_eq!(refused(b""), None);
    }

    #[test]
    fn a_refused_bit_rate_is_the_cause_whatever_comes_of_the_opening() {
        assert_eq!(refused(b"\r\r\r\r\x07V1013\r\x07\x07"), Some(Refused::BitRate));
        assert_eq!(refused(b"\r\r\r\r\x07V1013\r\rF00\r"), Some(Refused::BitRate));
    }

    #[test]
    fn frames_that_came_before_hide_no_refusal() {
        assert_eq!(refused(b"\rt1230\rt1230\r\r\x07V1013\r\x07"), Some(Refused::BitRate));
    }

    #[test]
    fn a_refused_opening_is_told_also_by_an_adapter_without_a_version() {
        assert_eq!(refused(b"\r\r\r\r\rV1013\r\x07"), Some(Refused::Open));
        assert_eq!(refused(b"\r\r\r\r\r\x07\x07F00\r"), Some(Refused::Open));
        assert_eq!(refused(b"\r\r\r\r\r\x07\rF00\r"), None);
    }

    #[test]
    fn a_frame_shows_that_it_works_and_later_refusals_are_of_frames() {
        assert_eq!(refused(b"\r\r\r\r\x07V1013\r\x07t1230\r"), None);
        assert_eq!(refused(b"\r\r\r\r\rV1013\r\r\x07\x07"), None);
    }

    #[test]
    fn the_words_name_command_and_key() {
        let words = Refused::BitRate.words(BitRate::K500, false);
        assert!(words.contains("bit_rate 500000 (command S6)"), "{words}");
        assert!(Refused::Open.words(BitRate::K500, true).contains("listen_only = false"));
        assert!(Refused::Open.words(BitRate::K500, false).contains("(command O)"));
    }
}
