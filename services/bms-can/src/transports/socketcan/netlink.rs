//! Route netlink as far as CAN interfaces need it: messages to bytes and back, no sockets. Sources: `netlink(7)`,
//! `rtnetlink(7)`, and `linux/if_link.h` and `linux/can/netlink.h` of Linux. Numbers are in the order of the machine.

use crate::link_health::BusState;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const DELETED_LINK: u16 = 17;
const GET_LINK: u16 = 18;

const REQUEST: u16 = 0x01;
const ACKNOWLEDGE: u16 = 0x04;
const DUMP: u16 = 0x300;

const HEADER: usize = 16;
const LINK_HEADER: usize = 16;
/// The kind of hardware of CAN interfaces (`ARPHRD_CAN`).
const CAN_HARDWARE: u16 = 280;
const IFF_UP: u32 = 0x1;

// Attributes of a link
const NAME: u16 = 3;
const LINK_INFO: u16 = 18;
const STATISTICS: u16 = 23;
// inside LINK_INFO
const KIND: u16 = 1;
const DATA: u16 = 2;
// inside DATA, where the kind is "can"
const BIT_TIMING: u16 = 1;
const STATE: u16 = 4;
const CONTROL_MODE: u16 = 5;
const RESTART_MS: u16 = 6;
const RESTART: u16 = 7;
const ERROR_COUNTERS: u16 = 8;

/// Of the type of an attribute, what is not a flag.
const TYPE_MASK: u16 = 0x3FFF;
/// `CAN_CTRLMODE_LISTENONLY`
const LISTEN_ONLY: u32 = 0x02;

/// A message from the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A network interface, new or changed or asked for.
    Link(LinkInfo),
    /// A network interface is gone.
    Gone {
        /// Its number.
        index: u32,
    },
    /// The answer to a request: 0, or an error number.
    Answer {
        /// Which request.
        sequence: u32,
        /// The error number, positive; 0 is success.
        errno: i32,
    },
    /// The end of a list.
    Done,
    /// Anything else.
    Other,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkInfo {
    /// Its number, which no other interface gets until the machine restarts.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is a CAN interface, real or virtual.
    pub is_can: bool,
    /// Whether it is up.
    pub is_up: bool,
    /// Its kind, `can` for everything with a controller, or `vcan`; empty if it does not tell.
    pub kind: String,
    /// What its driver tells about the controller.
    pub controller: Controller,
    /// What went through it, received and sent.
    pub traffic: Option<Traffic>,
}

/// A CAN controller. `None` is what its driver does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Controller {
    /// Bits per second; `None` as long as none is set.
    pub bit_rate: Option<u32>,
    /// Its state.
    pub state: Option<BusState>,
    /// Milliseconds from bus-off to the kernel's own restart; 0: never.
    pub restart_ms: Option<u32>,
    /// Whether it only listens and never acknowledges.
    pub listen_only: Option<bool>,
    /// Transmit and receive error counter.
    pub counters: Option<(u16, u16)>,
}

/// Counted by the interface since it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Frames, both ways.
    pub frames: u64,
    /// Bytes of their data.
    pub bytes: u64,
}

/// What can be changed about an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Up or down.
    Up(bool),
    /// The bit rate in bit/s and whether only to listen. The interface must be down.
    BitRate {
        /// Bits per second.
        bit_rate: u32,
        /// Never acknowledge nor send.
        listen_only: bool,
    },
    /// The pause before the kernel's restart after bus-off, ms. The interface must be down.
    RestartAfter(u32),
    /// A restart now; the controller must be bus-off, and the kernel's own restart off.
    Restart,
}

/// The messages in one datagram. Ends at the first that is not whole.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Message> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = u32_at(rest, 0)? as usize;
        let message = rest.get(..length).filter(|_| length >= HEADER)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some(parse(message).unwrap_or(Message::Other))
    })
}

fn parse(message: &[u8]) -> Option<Message> {
    let body = message.get(HEADER..)?;
    Some(match u16_at(message, 4)? {
        NEW_LINK => Message::Link(link(body)?),
        DELETED_LINK => Message::Gone { index: u32_at(body, 4)? },
        ERROR => {
            let errno = (u32_at(body, 0)? as i32).saturating_neg();
            Message::Answer { sequence: u32_at(message, 8)?, errno }
        }
        DONE => Message::Done,
        _ => Message::Other,
    })
}

fn link(body: &[u8]) -> Option<LinkInfo> {
    let attributes = body.get(LINK_HEADER..)?;
    let mut link = LinkInfo {
        index: u32_at(body, 4)?,
        is_can: u16_at(body, 2)? == CAN_HARDWARE,
        is_up: u32_at(body, 8)? & IFF_UP != 0,
        ..LinkInfo::default()
    };
    for (kind, value) in Attributes(attributes) {
        match kind {
            NAME => link.name = text(value),
            LINK_INFO => link.info(value),
            STATISTICS => link.traffic = traffic(value),
            _ => {}
        }
    }
    Some(link)
}

impl LinkInfo {
    fn info(&mut self, attributes: &[u8]) {
        let find = |wanted| Attributes(attributes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
        self.kind = find(KIND).map(text).unwrap_or_default();
        if self.kind == "can"
            && let Some(data) = find(DATA)
        {
            self.controller = controller(data);
        }
    }
}

fn controller(attributes: &[u8]) -> Controller {
    let mut controller = Controller::default();
    for (kind, value) in Attributes(attributes) {
        match kind {
            BIT_TIMING => controller.bit_rate = u32_at(value, 0).filter(|rate| *rate != 0),
            STATE => controller.state = u32_at(value, 0).and_then(BusState::from_number),
            CONTROL_MODE => controller.listen_only = u32_at(value, 4).map(|flags| flags & LISTEN_ONLY != 0),
            RESTART_MS => controller.restart_ms = u32_at(value, 0),
            ERROR_COUNTERS => controller.counters = u16_at(value, 0).zip(u16_at(value, 2)),
            _ => {}
        }
    }
    controller
}

/// `struct rtnl_link_stats64`: received frames, sent frames, received bytes, sent bytes, ...
fn traffic(statistics: &[u8]) -> Option<Traffic> {
    let at = |n: usize| Some(u64::from_ne_bytes(*statistics.get(8 * n..)?.first_chunk()?));
    let sum = |one: u64, other: u64| one.saturating_add(other);
    Some(Traffic { frames: sum(at(0)?, at(1)?), bytes: sum(at(2)?, at(3)?) })
}

/// The request for one interface by its name.
#[must_use]
pub fn ask_by_name(sequence: u32, name: &str) -> Vec<u8> {
    let mut request = Request::new(GET_LINK, REQUEST, sequence, 0, [0; 2]);
    request.attribute(NAME, &[name.as_bytes(), b"\0"].concat());
    request.finish()
}

/// The request for one interface by its number.
#[must_use]
pub fn ask_by_index(sequence: u32, index: u32) -> Vec<u8> {
    Request::new(GET_LINK, REQUEST, sequence, index, [0; 2]).finish()
}

/// The request for all interfaces.
#[must_use]
pub fn ask_all(sequence: u32) -> Vec<u8> {
    Request::new(GET_LINK, REQUEST | DUMP, sequence, 0, [0; 2]).finish()
}

/// The request for a change, to be answered.
#[must_use]
pub fn change(sequence: u32, index: u32, change: Change) -> Vec<u8> {
    let flags = match change {
        Change::Up(up) => [if up { IFF_UP } else { 0 }, IFF_UP],
        _ => [0; 2],
    };
    let mut request = Request::new(NEW_LINK, REQUEST | ACKNOWLEDGE, sequence, index, flags);
    let info = |request: &mut Request, content: &dyn Fn(&mut Request)| {
        request.nested(LINK_INFO, |request| {
            request.attribute(KIND, b"can\0");
            request.nested(DATA, |request| content(request));
        });
    };
    match change {
        Change::Up(_) => {}
        Change::BitRate { bit_rate, listen_only } => info(&mut request, &|request| {
            // Of `struct can_bittiming` only the bit rate: the kernel computes the rest.
            let mut timing = [0; 32];
            for (to, from) in timing.iter_mut().zip(bit_rate.to_ne_bytes()) {
                *to = from;
            }
            request.attribute(BIT_TIMING, &timing);
            let mode = if listen_only { LISTEN_ONLY } else { 0 };
            request.attribute(CONTROL_MODE, &[LISTEN_ONLY.to_ne_bytes(), mode.to_ne_bytes()].concat());
        }),
        Change::RestartAfter(ms) => {
            info(&mut request, &|request| request.attribute(RESTART_MS, &ms.to_ne_bytes()));
        }
        Change::Restart => {
            info(&mut request, &|request| request.attribute(RESTART, &1_u32.to_ne_bytes()));
        }
    }
    request.finish()
}

/// A request under construction.
struct Request(Vec<u8>);

impl Request {
    /// `flags` of the interface: their values, and which of them are to be changed.
    fn new(kind: u16, how: u16, sequence: u32, index: u32, flags: [u32; 2]) -> Request {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(how.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        // The kernel knows who asks; any family and kind of hardware.
        bytes.extend([0; 4 + 4]);
        bytes.extend(index.to_ne_bytes());
        flags.iter().for_each(|flag| bytes.extend(flag.to_ne_bytes()));
        Request(bytes)
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nested(kind, |request| request.0.extend(value));
    }

    fn nested(&mut self, kind: u16, content: impl FnOnce(&mut Request)) {
        let start = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend(kind.to_ne_bytes());
        content(self);
        // Requests have a few dozen bytes.
        let length = (self.0.len() - start) as u16;
        self.put(start, &length.to_ne_bytes());
        self.0.resize(aligned(self.0.len()), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        let length = self.0.len() as u32;
        self.put(0, &length.to_ne_bytes());
        self.0
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    }
}

/// Attributes one after the other: length, type, value, padding. Ends at the first that is not whole.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn text(value: &[u8]) -> String {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end).unwrap_or(value)).into_owned()
}
