//! The I/O of a device's settings: one task reads one stream, answers to its own calls included, so that a signal and an
//! answer are seen in the order in which they were sent.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use zbus::message::Type;
use zbus::{Message, MessageStream};

use super::NotKept;
use super::book::{ANSWER, Book, Note};
use crate::daemon::{DAEMON, to_daemon};
use crate::endpoint::{Named, decline};
use crate::service::{BUS_ITEM, WriteRequest, lock};
use crate::wire::{Dicts, Wire};
use crate::{Value, arguments, incoming};

/// The name of the settings service.
pub(crate) const NAME: &str = "com.victronenergy.settings";
const INTERFACE: &str = "com.victronenergy.Settings";
/// So many writes may wait for their answers; a further one is refused.
const WAITING: usize = 32;

/// What is to be written to the settings.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) wanted_by: WantedBy,
}

/// Who waits for the outcome of a [`Request`].
pub(crate) enum WantedBy {
    Client(WriteRequest),
    Caller(oneshot::Sender<Result<(), NotKept>>),
    Nobody,
}

struct Waiting {
    serial: u32,
    until: Instant,
    wanted_by: WantedBy,
}

pub(crate) struct Link {
    pub(crate) connection: zbus::Connection,
    pub(crate) stream: MessageStream,
    pub(crate) book: Arc<Mutex<Book>>,
    pub(crate) news: watch::Sender<()>,
    pub(crate) requests: mpsc::Receiver<Request>,
    waiting: Vec<Waiting>,
    /// The question who owns the name, until it is answered.
    owner_asked: Option<u32>,
}

impl Link {
    pub(crate) fn new(
        connection: zbus::Connection,
        book: Arc<Mutex<Book>>,
        news: watch::Sender<()>,
        requests: mpsc::Receiver<Request>,
    ) -> Link {
        let stream = MessageStream::from(&connection);
        Link { connection, stream, book, news, requests, waiting: Vec::new(), owner_asked: None }
    }

    /// Asks for the signals and for the owner of the name; the answers come in [`Link::run`].
    pub(crate) async fn begin(&mut self) -> zbus::Result<()> {
        let rules = [
            format!("type='signal',sender='{DAEMON}',member='NameOwnerChanged',arg0='{NAME}'"),
            format!("type='signal',sender='{NAME}',interface='{BUS_ITEM}'"),
        ];
        for rule in &rules {
            self.connection.send(&to_daemon("AddMatch").build(rule)?).await?;
        }
        let question = to_daemon("GetNameOwner").build(&NAME)?;
        self.owner_asked = Some(serial(&question));
        self.connection.send(&question).await
    }

    /// Goes on until the connection ends or nobody has an interest in it any more.
    pub(crate) async fn run(mut self) {
        while let Ok(true) = self.round().await {}
        for waiting in self.waiting.drain(..) {
            waiting.wanted_by.hears(Err(NotKept::NoService));
        }
    }

    async fn round(&mut self) -> zbus::Result<bool> {
        self.ask().await?;
        let wake = [lock(&self.book).next_wake(), self.waiting.iter().map(|waiting| waiting.until).min()];
        let pause = async {
            match wake.into_iter().flatten().min() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.stream.next() => match message {
                Some(message) => self.take(&message?).await?,
                None => return Ok(false),
            },
            request = self.requests.recv() => match request {
                Some(request) => self.write(request).await?,
                None => return Ok(false),
            },
            () = pause => {}
        }
        let now = Instant::now();
        let late = self.waiting.extract_if(.., |waiting| waiting.until <= now);
        late.for_each(|waiting| waiting.wanted_by.hears(Err(NotKept::Silent)));
        let (notes, news) = {
            let mut book = lock(&self.book);
            book.tick(now);
            let notes = book.take_notes();
            (notes.clone(), !notes.is_empty() || book.has_changes())
        };
        notes.iter().for_each(log);
        if news {
            self.news.send_replace(());
        }
        Ok(true)
    }

    async fn ask(&mut self) -> zbus::Result<()> {
        let now = Instant::now();
        let question = {
            let mut book = lock(&self.book);
            let Some(owner) = book.owner().filter(|_| book.wants_to_ask(now)) else { return Ok(()) };
            let question = add_settings(owner, &book)?;
            book.asked(serial(&question), now);
            question
        };
        self.connection.send(&question).await
    }

    async fn write(&mut self, request: Request) -> zbus::Result<()> {
        let owner = {
            let book = lock(&self.book);
            book.owner().filter(|_| book.is_kept()).map(str::to_owned)
        };
        let Some(owner) = owner else {
            request.wanted_by.hears(Err(NotKept::NoService));
            return Ok(());
        };
        if self.waiting.len() >= WAITING {
            request.wanted_by.hears(Err(NotKept::Busy));
            return Ok(());
        }
        let message = Message::method_call(request.path, "SetValue").destination(owner).interface(BUS_ITEM);
        let message = message.build(&Wire(Some(&request.value)))?;
        let until = Instant::now() + ANSWER;
        self.waiting.push(Waiting { serial: serial(&message), until, wanted_by: request.wanted_by });
        self.connection.send(&message).await
    }

    async fn take(&mut self, message: &Message) -> zbus::Result<()> {
        match message.message_type() {
            Type::Signal => self.signal(message),
            Type::MethodReturn | Type::Error => self.answer(message),
            Type::MethodCall => return decline(&self.connection, message, "this connection only asks").await,
        }
        Ok(())
    }

    fn signal(&mut self, message: &Message) {
        let header = message.header();
        let sender = header.sender().map_or("", |sender| sender.as_str());
        let member = header.member().map_or("", |member| member.as_str());
        let now = Instant::now();
        let mut book = lock(&self.book);
        if sender == DAEMON && member == "NameOwnerChanged" {
            if let Ok((NAME, _, owner)) = message.body().deserialize::<(&str, &str, &str)>() {
                book.owned_by(Some(owner).filter(|owner| !owner.is_empty()), now);
            }
        } else if book.owner() == Some(sender) {
            let entries = match member {
                "PropertiesChanged" => incoming::leaf(message),
                "ItemsChanged" => incoming::items(message, |path| book.is_ours(path)),
                _ => None,
            };
            entries.into_iter().flatten().for_each(|(path, value)| book.heard(&path, value, now));
        }
    }

    fn answer(&mut self, message: &Message) {
        let Some(serial) = message.header().reply_serial().map(std::num::NonZeroU32::get) else { return };
        let good = message.message_type() == Type::MethodReturn;
        let now = Instant::now();
        if self.owner_asked == Some(serial) {
            self.owner_asked = None;
            // An error means that there is none, and its coming will be told.
            if let Ok(owner) = message.body().deserialize::<&str>().map(|owner| owner.to_owned())
                && good
            {
                lock(&self.book).owned_by(Some(&owner), now);
            }
            return;
        }
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.serial == serial) {
            let code = incoming::value(message).flatten().and_then(|code| code.as_i64()).filter(|_| good);
            let outcome = match code {
                Some(0) => Ok(()),
                Some(code) => Err(NotKept::Refused(code)),
                None => Err(NotKept::Silent),
            };
            self.waiting.swap_remove(at).wanted_by.hears(outcome);
            return;
        }
        let results = arguments::dictionaries(message).filter(|_| good);
        lock(&self.book).answered(serial, results.as_deref(), now);
    }
}

impl WantedBy {
    pub(crate) fn hears(self, outcome: Result<(), NotKept>) {
        match (self, outcome) {
            // The item takes the value when the settings tell it, as for any other change.
            (WantedBy::Client(write), Ok(())) => write.confirm_later(),
            (WantedBy::Client(write), Err(why)) => write.refuse(why.to_string()),
            // Nobody waits any more.
            (WantedBy::Caller(caller), outcome) => drop(caller.send(outcome)),
            (WantedBy::Nobody, Ok(())) => {}
            (WantedBy::Nobody, Err(why)) => tracing::warn!("something is not remembered: {why}"),
        }
    }
}

fn serial(message: &Message) -> u32 {
    message.primary_header().serial_num().get()
}

fn add_settings(owner: &str, book: &Book) -> zbus::Result<Message> {
    let silent = Value::Int(1);
    let paths: Vec<Value> = book.definitions().map(|wanted| Value::from(wanted.path.as_str())).collect();
    let definitions: Vec<Named<'_>> = book
        .definitions()
        .zip(&paths)
        .map(|(wanted, path)| {
            let mut entries = vec![("path", Some(path)), ("default", Some(&wanted.default))];
            if let Some((min, max)) = &wanted.range {
                entries.extend([("min", Some(min)), ("max", Some(max))]);
            }
            entries.extend(wanted.silent.then_some(("silent", Some(&silent))));
            entries
        })
        .collect();
    Message::method_call("/", "AddSettings")
        .destination(owner)
        .interface(INTERFACE)
        .build(&Dicts(&definitions))
}

fn log(note: &Note) {
    match note {
        Note::Kept => tracing::info!("the settings of this device are kept by {NAME}"),
        Note::Left => tracing::info!("{NAME} has left; the settings stay as they are until it is back"),
        Note::Unusable => {
            tracing::warn!("{NAME} does not answer as it should; it is asked again, less and less often");
        }
        Note::Refused { path, code } => {
            tracing::warn!(path, code, "{NAME} refuses a setting; its default is used");
        }
        Note::Removed { path } => {
            tracing::info!(path, "a setting was removed while in use; it is added again")
        }
    }
}
