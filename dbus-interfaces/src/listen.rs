//! The I/O of a monitor: everything that comes in on its connection goes, in order, into the picture, and what the
//! picture wants to know is asked.
//!
//! One task reads one stream of all messages, answers to its own questions included, and never waits for an answer in any
//! other place. So the stream is always being read (zbus stops reading the socket when a stream is full), and a signal
//! and an answer of one service are seen in the order in which they were sent.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;
use zbus::message::Type;
use zbus::{Message, MessageStream};

use crate::daemon::{DAEMON, DAEMON_PATH, to_daemon};
use crate::endpoint::decline;
use crate::followed::{Answer, Step};
use crate::picture::{Ask, Expected, Note, Picture};
use crate::service::{BUS_ITEM, lock};
use crate::{BusError, incoming};

pub(crate) struct Listener {
    pub(crate) connection: zbus::Connection,
    pub(crate) stream: MessageStream,
    pub(crate) picture: Arc<Mutex<Picture>>,
    pub(crate) news: watch::Sender<()>,
}

impl Listener {
    /// Asks the bus for the signals and for the names.
    pub(crate) async fn subscribe(&mut self, rules: &[String]) -> Result<(), BusError> {
        let lost = |e: zbus::Error| BusError::Lost(e.to_string());
        let mut unanswered = Vec::new();
        for rule in rules {
            let message = to_daemon("AddMatch").build(&rule).map_err(lost)?;
            unanswered.push((message.primary_header().serial_num(), rule));
            self.connection.send(&message).await.map_err(lost)?;
        }
        self.ask().await.map_err(lost)?;
        while !unanswered.is_empty() {
            let message = match self.stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(e)) => return Err(lost(e)),
                None => return Err(BusError::Lost("closed by the bus".to_owned())),
            };
            let header = message.header();
            let answered = unanswered.iter().position(|(serial, _)| header.reply_serial() == Some(*serial));
            let Some(at) = answered else {
                self.take(&message).await.map_err(lost)?;
                continue;
            };
            let (_, rule) = unanswered.swap_remove(at);
            if let Some(error) = header.error_name() {
                let reason = format!("{rule}: {error}");
                let (service, path) = (DAEMON.to_owned(), DAEMON_PATH.to_owned());
                return Err(BusError::Call { service, path, member: "AddMatch".to_owned(), reason });
            }
        }
        Ok(())
    }

    /// Follows until the connection ends.
    pub(crate) async fn run(mut self) {
        while let Ok(()) = self.round().await {}
        lock(&self.picture).clear();
        self.news.send_replace(());
    }

    async fn round(&mut self) -> zbus::Result<()> {
        self.ask().await?;
        let wake = lock(&self.picture).next_wake();
        let pause = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.stream.next() => match message {
                Some(message) => self.take(&message?).await?,
                None => return Err(zbus::Error::InputOutput(std::io::Error::other("closed").into())),
            },
            () = pause => {}
        }
        let (notes, news) = {
            let mut picture = lock(&self.picture);
            picture.tick(Instant::now());
            (picture.take_notes(), picture.take_news())
        };
        notes.iter().for_each(log);
        if news {
            self.news.send_replace(());
        }
        Ok(())
    }

    async fn ask(&self) -> zbus::Result<()> {
        loop {
            let message = {
                let mut picture = lock(&self.picture);
                let now = Instant::now();
                let Some(ask) = picture.next_ask(now) else { return Ok(()) };
                match question(&ask) {
                    Ok(message) => {
                        picture.asked(&ask, message.primary_header().serial_num().get(), now);
                        message
                    }
                    // A path that the bus cannot name, declared by whoever follows; 0 is the serial of no message.
                    Err(_) => {
                        picture.asked(&ask, 0, now);
                        picture.answered(0, Answer::Refused, now);
                        continue;
                    }
                }
            };
            self.connection.send(&message).await?;
        }
    }

    async fn take(&self, message: &Message) -> zbus::Result<()> {
        match message.message_type() {
            Type::Signal => self.signal(message),
            Type::MethodReturn | Type::Error => self.answer(message),
            Type::MethodCall => {
                return decline(&self.connection, message, "this connection only listens").await;
            }
        }
        Ok(())
    }

    fn signal(&self, message: &Message) {
        let header = message.header();
        let sender = header.sender().map_or("", |sender| sender.as_str());
        let member = header.member().map_or("", |member| member.as_str());
        let path = header.path().map_or("", |path| path.as_str());
        let now = Instant::now();
        let mut picture = lock(&self.picture);
        match (header.interface().map_or("", |interface| interface.as_str()), member) {
            (DAEMON, "NameOwnerChanged") if sender == DAEMON => {
                if let Ok((name, _, owner)) = message.body().deserialize::<(&str, &str, &str)>() {
                    picture.owner_changed(name, Some(owner).filter(|owner| !owner.is_empty()), now);
                }
            }
            (BUS_ITEM, "ItemsChanged" | "PropertiesChanged") if picture.knows_sender(sender) => {
                let entries = match member {
                    "ItemsChanged" if path == "/" => incoming::items(message, |path| picture.keeps(path)),
                    "PropertiesChanged" => incoming::leaf(message),
                    _ => None,
                };
                match entries {
                    Some(entries) => picture.heard(sender, &entries, now),
                    None => picture.malformed(sender),
                }
            }
            _ => {}
        }
    }

    fn answer(&self, message: &Message) {
        let Some(reply_to) = message.header().reply_serial().map(std::num::NonZeroU32::get) else { return };
        let mut picture = lock(&self.picture);
        let Some(expected) = picture.expected(reply_to) else { return };
        let answer = if message.message_type() == Type::Error {
            Answer::Refused
        } else {
            let keeps = |path: &str| picture.keeps(path);
            let body = message.body();
            match expected {
                Expected::Names => body.deserialize().ok().map(Answer::Names),
                Expected::Of(Step::Owner) => body.deserialize().ok().map(Answer::Owner),
                Expected::Of(Step::Items) => incoming::items(message, keeps).map(Answer::Entries),
                Expected::Of(Step::Tree) => incoming::tree(message, keeps).map(Answer::Entries),
                Expected::Of(Step::Instance | Step::Path(_)) => incoming::value(message).map(Answer::Value),
            }
            .unwrap_or(Answer::Garbled)
        };
        picture.answered(reply_to, answer, Instant::now());
    }
}

fn question(ask: &Ask) -> zbus::Result<Message> {
    match ask {
        Ask::Names => to_daemon("ListNames").build(&()),
        Ask::Owner { name } => to_daemon("GetNameOwner").build(&name.as_ref()),
        Ask::Items { owner, .. } => {
            Message::method_call("/", "GetItems").destination(owner.as_ref()).interface(BUS_ITEM).build(&())
        }
        Ask::Value { owner, path, .. } => Message::method_call(path.as_str(), "GetValue")
            .destination(owner.as_ref())
            .interface(BUS_ITEM)
            .build(&()),
    }
}

fn log(note: &Note) {
    match note {
        Note::Silent(service) => {
            tracing::warn!(%service, "does not answer; it is asked again, less and less often")
        }
        Note::AnswersAgain(service) => tracing::info!(%service, "answers now"),
        Note::Malformed(service) => {
            tracing::warn!(%service, "sends what is no item; that is counted and ignored");
        }
        Note::Overfull(service) => {
            tracing::warn!(%service, "has more or larger items than are kept; the rest is ignored");
        }
        Note::TooMany(most) => tracing::warn!(most, "more services than are followed; the rest is ignored"),
    }
}
