use bms_can::link_health::BusState;
use bms_can::transports::socketcan::netlink::{
    Change, Controller, LinkInfo, Message, Traffic, ask_all, ask_by_index, ask_by_name, change, messages,
};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn recorded(name: &str) -> Vec<u8> {
    let recording = include_str!("rtnetlink.txt");
    let line = recording.lines().find_map(|line| line.split_once(" = ").filter(|(this, _)| *this == name));
    hex(line.unwrap_or_else(|| panic!("no {name}")).1)
}

fn only(name: &str) -> Message {
    let mut found: Vec<Message> = messages(&recorded(name)).collect();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn link(name: &str) -> LinkInfo {
    match only(name) {
        Message::Link(link) => link,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_virtual_interface_has_neither_bit_rate_nor_state() {
    let up = link("vcan0 up");
    assert_eq!((up.name.as_str(), up.kind.as_str(), up.is_can, up.is_up), ("vcan0", "vcan", true, true));
    assert_eq!(up.controller, Controller::default());
    let added = link("vcan0 was added");
    assert_eq!((added.index, added.is_up), (up.index, false));
    assert_eq!(only("vcan0 was deleted"), Message::Gone { index: up.index });
}

#[test]
fn an_interface_with_a_controller_tells_its_bit_rate_state_and_restart() {
    let down = link("can0 down");
    assert_eq!((down.kind.as_str(), down.is_up), ("can", false));
    let expected = Controller {
        bit_rate: Some(500_000),
        state: Some(BusState::Stopped),
        restart_ms: Some(0),
        listen_only: Some(false),
        counters: None,
    };
    assert_eq!(down.controller, expected);
    let states = ["can0 active", "can0 passive", "can0 bus-off"].map(|name| link(name).controller.state);
    assert_eq!(states, [Some(BusState::Active), Some(BusState::Passive), Some(BusState::BusOff)]);
    assert!(link("can0 bus-off").is_up, "bus-off is not down");
    assert_eq!(only("can0 was unplugged"), Message::Gone { index: down.index });
}

#[test]
fn the_traffic_of_an_interface_is_counted_both_ways() {
    assert_eq!(link("can0 active").traffic, Some(Traffic { frames: 0, bytes: 0 }));
    // One frame of eight bytes, then an error frame.
    assert_eq!(link("can0 passive").traffic, Some(Traffic { frames: 1, bytes: 8 }));
}

#[test]
fn an_interface_that_does_not_exist_is_an_error_number() {
    assert_eq!(only("can9 does not exist"), Message::Answer { sequence: 7, errno: 19 });
}

#[test]
fn a_driver_that_counts_errors_tells_both() {
    // The part that the recorded driver lacks: IFLA_CAN_BERR_COUNTER, tx before rx, among the other attributes.
    let attribute = |kind: u16, value: &[u8]| {
        let mut bytes = [(value.len() as u16 + 4).to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let counters = attribute(8, &[128_u16.to_ne_bytes(), 7_u16.to_ne_bytes()].concat());
    let info = attribute(18, &[attribute(1, b"can\0"), attribute(2, &counters)].concat());
    let mut bytes = vec![0; 32];
    bytes[4..6].copy_from_slice(&16_u16.to_ne_bytes());
    bytes[18..20].copy_from_slice(&280_u16.to_ne_bytes());
    bytes.extend(info);
    let length = bytes.len() as u32;
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    let Some(Message::Link(link)) = messages(&bytes).next() else { panic!() };
    assert_eq!(link.controller.counters, Some((128, 7)));
}

/// Put together by hand from `linux/netlink.h`, `linux/if_link.h` and `linux/can/netlink.h`. That a kernel takes them
/// for what they are meant is checked with one (tests/vm).
#[test]
fn changes_are_a_header_an_interface_and_nested_attributes() {
    let (header, interface) = ("1000 0500 01000000 00000000", "00000000 03000000");
    let up = change(1, 3, Change::Up(true));
    assert_eq!(up, hex(&format!("20000000 {header} {interface} 01000000 01000000")));
    let down = change(1, 3, Change::Up(false));
    assert_eq!(down, hex(&format!("20000000 {header} {interface} 00000000 01000000")));
    // IFLA_LINKINFO { IFLA_INFO_KIND "can", IFLA_INFO_DATA { IFLA_CAN_RESTART 1 } }
    let info = "1800 1200 0800 0100 63616e00 0c00 0200 0800 0700 01000000";
    let restart = change(1, 3, Change::Restart);
    assert_eq!(restart, hex(&format!("38000000 {header} {interface} 00000000 00000000 {info}")));
    let rate = change(2, 3, Change::BitRate { bit_rate: 500_000, listen_only: true });
    assert!(contains(&rate, &hex("2400010020a10700")), "IFLA_CAN_BITTIMING with 500000 and else zeros");
    assert!(
        contains(&rate, &hex("0c0005000200000002000000")),
        "IFLA_CAN_CTRLMODE: listen-only of listen-only"
    );
    let restart = change(2, 3, Change::RestartAfter(1000));
    assert!(contains(&restart, &hex("08000600e8030000")), "IFLA_CAN_RESTART_MS");
    for request in [rate, restart, ask_by_name(1, "can0"), ask_by_index(1, 3), ask_all(1)] {
        assert_eq!(u32::from_ne_bytes(*request.first_chunk().unwrap()) as usize, request.len());
        assert_eq!(request.len() % 4, 0);
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

proptest! {
    #[test]
    fn any_bytes_are_messages_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(messages(&bytes).count() <= bytes.len() / 16);
    }

    /// Real messages with some bytes changed: lengths that lie reach every loop.
    #[test]
    fn a_damaged_message_is_read_as_far_as_it_goes(at in 0..900_usize, with: u8, cut in 0..900_usize) {
        for name in ["can0 passive", "vcan0 up", "can0 was unplugged"] {
            let mut bytes = recorded(name);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = with;
            }
            bytes.truncate(cut);
            let _ = messages(&bytes).count();
        }
    }
}
