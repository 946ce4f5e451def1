//! Where the commands for a process arrive: how many at a time, who may send, what the log says. What they do is the owner's.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::arguments::{bad, text};
use super::{Answer, Code, Entries, Rate, Request};
use crate::Value;

/// Commands in a second.
const RATE: u32 = 20;
/// Commands that wait for their answer at a time.
const AT_A_TIME: usize = 16;

/// Who carries commands out: a process that owns a bus, or several.
pub trait Owner: Clone + Send + Sync + 'static {
    /// The process, as its executable is called.
    const PROCESS: &str;
    /// Its commands; all of them transmit.
    const COMMANDS: &[&str];

    /// Its ports, as `Info` shows them.
    fn ports(&self) -> Vec<Value>;

    /// Looks for equipment, or says why not.
    fn probe(&self, wanted: Entries) -> impl Future<Output = Result<Vec<Entries>, Answer>> + Send;

    /// Carries out a command of [`Owner::COMMANDS`].
    fn carry_out(&self, command: &str, arguments: &Entries) -> impl Future<Output = Answer> + Send;
}

/// Takes up requests for an owner.
#[derive(Debug)]
pub struct Desk<O> {
    owner: O,
    may_send: bool,
    rate: Rate,
    places: Arc<Semaphore>,
}

impl<O: Owner> Desk<O> {
    /// A desk; commands are carried out if the configuration says that they `may_send`.
    #[must_use]
    pub fn new(owner: O, may_send: bool) -> Self {
        Desk { owner, may_send, rate: Rate::per_second(RATE), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Takes a request up; it is answered when its device has answered.
    pub fn take(&mut self, request: Request, now: Instant) {
        let is_timely = matches!(request, Request::Info(_)) || self.rate.allows(now);
        let place = self.places.clone().try_acquire_owned().ok().filter(|_| is_timely);
        let (owner, may_send) = (self.owner.clone(), self.may_send);
        tokio::spawn(async move {
            match request {
                Request::Info(reply) => reply.entries(&info(&owner, may_send)).await,
                Request::Probe(_, reply) if place.is_none() => reply.refuse(busy()).await,
                Request::Probe(wanted, reply) => {
                    tracing::info!(client = reply.sender(), "a search over the bus");
                    match owner.probe(wanted).await {
                        Ok(equipment) => reply.list(&equipment).await,
                        Err(why) => reply.refuse(why).await,
                    }
                }
                Request::Transact(_, reply) if place.is_none() => {
                    reply.answer(busy()).await;
                }
                Request::Transact(arguments, reply) => {
                    let answer = transact(&owner, &arguments, may_send).await;
                    let command = text(&arguments, "cmd").unwrap_or_default();
                    let (client, status) = (reply.sender(), answer.code.status());
                    tracing::info!(client, command, status, "a command over the bus");
                    reply.answer(answer).await;
                }
            }
            drop(place);
        });
    }
}

fn busy() -> Answer {
    Answer::failed(Code::Busy, "too many commands at a time")
}

async fn transact<O: Owner>(owner: &O, arguments: &Entries, may_send: bool) -> Answer {
    match text(arguments, "cmd") {
        Some(command) if !O::COMMANDS.contains(&command) => {
            Answer::failed(Code::UnknownCommand, format!("no command {command}"))
        }
        Some(_) if !may_send => Answer::failed(Code::Forbidden, "raw_access is off in the configuration"),
        Some(command) => owner.carry_out(command, arguments).await,
        None => bad("cmd", "a command is needed"),
    }
}

fn info<O: Owner>(owner: &O, may_send: bool) -> Entries {
    let commands = O::COMMANDS.iter().map(|command| (*command).to_owned()).collect();
    vec![
        ("process".to_owned(), Value::from(O::PROCESS)),
        ("version".to_owned(), Value::from(env!("CARGO_PKG_VERSION"))),
        ("raw_access".to_owned(), Value::Bool(may_send)),
        ("commands".to_owned(), Value::Texts(commands)),
        ("ports".to_owned(), Value::List(owner.ports())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct One;

    impl Owner for One {
        const PROCESS: &str = "one";
        const COMMANDS: &[&str] = &["do.it"];

        fn ports(&self) -> Vec<Value> {
            vec![Value::from("port")]
        }

        async fn probe(&self, _: Entries) -> Result<Vec<Entries>, Answer> {
            Ok(Vec::new())
        }

        async fn carry_out(&self, command: &str, _: &Entries) -> Answer {
            Answer::done(vec![("done".to_owned(), Value::from(command))])
        }
    }

    #[tokio::test]
    async fn a_command_is_carried_out_with_leave_only() {
        let command = |name: &str| vec![("cmd".to_owned(), Value::from(name))];
        assert_eq!(transact(&One, &command("do.it"), false).await.code, Code::Forbidden);
        assert_eq!(text(&transact(&One, &command("do.it"), true).await.data, "done"), Some("do.it"));
        assert_eq!(transact(&One, &command("do.that"), true).await.code, Code::UnknownCommand);
        assert_eq!(transact(&One, &Entries::new(), true).await.code, Code::BadArgs);
    }

    #[test]
    fn a_process_says_what_it_is_and_has() {
        let said = info(&One, true);
        assert_eq!(text(&said, "process"), Some("one"));
        assert!(said.contains(&("commands".to_owned(), Value::Texts(vec!["do.it".to_owned()]))));
    }
}
