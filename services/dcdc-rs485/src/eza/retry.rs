//! Which failure of a command is tried again, and how often.

use super::reply::Trouble;

/// Why a command has failed for good. The texts are those that clients of the web API know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Refused with a code that no repetition changes.
    #[error("error: ERCD={0:x}")]
    Refused(u16),
    /// Refused again and again.
    #[error("timeout")]
    Busy(u16),
    /// The checksum was wrong.
    #[error("checksum error")]
    Checksum,
    /// Something else was answered.
    #[error("cmd: {length} != {code}")]
    OtherCommand {
        /// Payload length of the reply.
        length: u8,
        /// Code of the command.
        code: u8,
    },
    /// A reply of a length that its command does not have.
    #[error("wrong length of the reply")]
    WrongLength,
    /// Nothing, or not enough.
    #[error("read timeout")]
    Silence,
}

/// How often a command is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// After an error reply or a broken one.
    pub errors: u32,
    /// After silence.
    pub timeouts: u32,
}

/// The failures that end a command at once: not supported, bad parameter, internal communication fault.
const FINAL: [u16; 3] = [0xFFFF, 0xFFFE, 0xFFFB];

/// What happened to one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Refused with this code.
    Refused(u16),
    /// No reply, or none that can be believed.
    Unanswered(Trouble),
}

impl Retries {
    /// Counts a failed attempt.
    ///
    /// # Errors
    /// It was the last one: why the command has failed.
    pub fn count(&mut self, failure: Failure, code: u8) -> Result<(), CommandError> {
        let (left, error) = match failure {
            Failure::Refused(ercd) if FINAL.contains(&ercd) => return Err(CommandError::Refused(ercd)),
            Failure::Refused(ercd) => (&mut self.errors, CommandError::Busy(ercd)),
            Failure::Unanswered(Trouble::Checksum) => (&mut self.errors, CommandError::Checksum),
            Failure::Unanswered(Trouble::WrongLength) => (&mut self.errors, CommandError::WrongLength),
            Failure::Unanswered(Trouble::OtherCommand(length)) => {
                (&mut self.errors, CommandError::OtherCommand { length, code })
            }
            Failure::Unanswered(Trouble::Silence) => (&mut self.timeouts, CommandError::Silence),
        };
        *left = left.checked_sub(1).ok_or(error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Failure = Failure::Refused(0xFFFC);
    const SILENT: Failure = Failure::Unanswered(Trouble::Silence);

    #[test]
    fn errors_and_timeouts_are_counted_apart_and_the_first_to_run_out_ends_it() {
        let mut retries = Retries { errors: 2, timeouts: 1 };
        for failure in [BUSY, SILENT, BUSY] {
            assert_eq!(retries.count(failure, 9), Ok(()));
        }
        assert_eq!(retries.count(SILENT, 9), Err(CommandError::Silence));
        assert_eq!(retries.count(BUSY, 9), Err(CommandError::Busy(0xFFFC)));
    }

    #[test]
    fn some_refusals_are_final() {
        for ercd in [0xFFFF, 0xFFFE, 0xFFFB] {
            let mut retries = Retries { errors: 9, timeouts: 9 };
            let error = retries.count(Failure::Refused(ercd), 0).unwrap_err();
            assert_eq!(error.to_string(), format!("error: ERCD={ercd:x}"));
        }
        let mut retries = Retries { errors: 0, timeouts: 0 };
        assert_eq!(retries.count(Failure::Refused(1), 0).unwrap_err().to_string(), "timeout");
    }

    #[test]
    fn a_reply_to_another_command_is_told_as_the_reference_tells_it() {
        let mut retries = Retries { errors: 0, timeouts: 3 };
        let failure = Failure::Unanswered(Trouble::OtherCommand(16));
        assert_eq!(retries.count(failure, 9).unwrap_err().to_string(), "cmd: 16 != 9");
    }
}
