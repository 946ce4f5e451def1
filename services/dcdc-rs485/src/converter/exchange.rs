//! A command with its retries.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::owner::Owner;
use crate::error::Error;
use crate::eza::command::{Command, READ_MODE, Shape};
use crate::eza::frame::Request;
use crate::eza::reply::{self, Reply, Trouble};
use crate::eza::retry::{CommandError, Failure, Retries};
use crate::line::{Heard, Patience, Unheard};

/// How long a converter may take, as the original has it.
const PATIENCE: Patience = Patience {
    first: Duration::from_millis(100),
    gap: Duration::from_millis(100),
    whole: Duration::from_millis(400),
};

/// What one attempt brought.
enum Attempt {
    Done(Vec<u8>),
    Failed(Failure),
}

impl Owner {
    /// Sends a command until it is answered or has failed for good.
    pub(super) async fn send<const S: usize, const A: usize>(
        &mut self,
        command: &'static Command<S, A>,
        words: [u16; S],
    ) -> Result<[u16; A], Error> {
        let retries = self.config.borrow().converter.retries();
        let words = self.send_shape(command.shape(), &words, retries).await?;
        words.try_into().map_err(|_| Error::from(CommandError::WrongLength))
    }

    /// The same for a command of any shape, sent again so often.
    pub(super) async fn send_shape(
        &mut self,
        shape: &'static Shape,
        words: &[u16],
        mut retries: Retries,
    ) -> Result<Vec<u16>, Error> {
        let config = self.config.borrow().clone();
        let request = Request::of_shape(shape, words, config.converter.addresses())
            .ok_or_else(|| Error::BadCommand(shape.name.to_owned()))?;
        let mut is_first = true;
        loop {
            self.heartbeat.beat();
            if let Some(free_at) = self.free_at.filter(|at| *at > Instant::now()) {
                sleep_until(free_at).await;
            }
            if !std::mem::take(&mut is_first) {
                self.picture.send_modify(|picture| picture.troubles.retries += 1);
            }
            let failure = match self.attempt(&request).await? {
                Attempt::Done(payload) => {
                    let now = Instant::now();
                    self.free_at = Some(now + config.converter.gap());
                    match shape.words(&payload) {
                        Some(words) => {
                            self.saw(shape.code, &words, now);
                            return Ok(words);
                        }
                        // An acknowledgement is only taken in its own length.
                        None => Failure::Unanswered(Trouble::WrongLength),
                    }
                }
                Attempt::Failed(failure) => failure,
            };
            // An answer that is only late is to be over before anything else is asked: nothing in it tells to which of two
            // equal requests it belongs.
            self.free_at = Some(Instant::now() + config.converter.retry_pause());
            let outcome = retries.count(failure, request.code());
            self.picture.send_modify(|picture| picture.troubles.count(failure, outcome.as_ref().err()));
            outcome?;
        }
    }

    /// What the converter says is in force.
    fn saw(&mut self, code: u8, words: &[u16], now: Instant) {
        if let (true, [mode]) = (code == READ_MODE.shape().code, words) {
            self.memory.saw_mode(*mode);
        }
        self.picture.send_modify(|picture| picture.note(code, words, now));
    }

    async fn attempt(&mut self, request: &Request) -> Result<Attempt, Error> {
        let judge = |found: Result<Reply<'_>, reply::Search>| match found {
            Ok(Reply::Done(payload)) => Ok(Attempt::Done(payload.to_vec())),
            Ok(Reply::Refused(ercd)) => Ok(Attempt::Failed(Failure::Refused(ercd))),
            Err(search) => Err(search),
        };
        let heard = self.line.talk(request.bytes(), PATIENCE, |received| {
            match judge(reply::find(received, request, false)) {
                Ok(attempt) => Heard::Answer(attempt),
                Err(search) => Heard::More(search.began),
            }
        });
        match heard.await {
            Ok(attempt) => Ok(attempt),
            Err(Unheard::NoPort(why)) => Err(Error::NoPort(why)),
            Err(Unheard::Silence(received)) => Ok(judge(reply::find(&received, request, true))
                .unwrap_or_else(|search| Attempt::Failed(Failure::Unanswered(search.trouble)))),
        }
    }
}
