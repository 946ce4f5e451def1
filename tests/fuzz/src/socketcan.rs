//! What the kernel says about its CAN interfaces, and how a user names one.

use bms_can::transports::socketcan::Selector;
use bms_can::transports::socketcan::frame_bytes::{Received, SIZE, decode, encode, filter};
use bms_can::transports::socketcan::netlink::{LinkInfo, Message, messages};
use bms_can::transports::socketcan::wishes::{Verdict, Wishes, judge, wants_restart, way_back};

use crate::lines::assert_line;

/// The same bytes as frames of a raw socket, as a datagram of route netlink, and as the name of an interface.
pub fn run(data: &[u8]) {
    data.chunks(SIZE).for_each(frame);
    for message in messages(data) {
        if let Message::Link(link) = message {
            judged(&link, data.len());
        }
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(selector) = Selector::parse(text)
    {
        assert_eq!(Selector::parse(&selector.to_string()), Some(selector));
    }
}

fn frame(bytes: &[u8]) {
    match decode(bytes) {
        None => {}
        Some(Received::Frame(frame)) => {
            let written = encode(&frame);
            assert_eq!(decode(&written), Some(Received::Frame(frame)));
            let raw = u32::from_ne_bytes(*written.first_chunk().expect("16 bytes"));
            let (id, mask) = filter(frame.id());
            assert_eq!(raw & mask == id & mask, !frame.is_remote());
        }
        Some(Received::Error(error)) => {
            assert_line(&error.to_string());
            let _ = error.state();
        }
    }
}

fn judged(link: &LinkInfo, most: usize) {
    assert!(link.name.len() + link.kind.len() <= 3 * most);
    for set_bit_rate in [false, true] {
        let wishes =
            Wishes { bit_rate: 500_000, listen_only: false, set_bit_rate, restart_bus_off: set_bit_rate };
        match judge(link, &wishes) {
            Verdict::Change(changes) => assert!(set_bit_rate && !changes.is_empty()),
            Verdict::Usable(_) => assert!(link.is_can && link.is_up),
            Verdict::Unusable(why) => assert!(!why.is_empty()),
        }
        assert!(set_bit_rate || !wants_restart(link, &wishes));
        assert!(!way_back(link, &wishes).is_empty());
    }
}
