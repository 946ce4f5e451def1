//! The real loop and the kernel's real netlink, as far as they go without CAN.

use std::time::Duration;

use bms_can::frame::{CanId, Frame};
use bms_can::link_health::BusState;
use bms_can::transports::LinkEvent;
use bms_can::transports::socketcan::{Selector, SocketCan, Wishes, scan};
use tokio::time::timeout;

const WISHES: Wishes =
    Wishes { bit_rate: 500_000, listen_only: false, set_bit_rate: true, restart_bus_off: true };

/// What the link says first, and why it waits.
async fn first(selector: &str) -> (LinkEvent, BusState, String) {
    let mut link = SocketCan::new(Selector::parse(selector).unwrap(), WISHES, 1);
    let mut frames = Vec::new();
    let event = timeout(Duration::from_secs(20), link.next(&mut frames)).await.unwrap();
    assert_eq!(link.waiting_for().as_deref(), Some(selector));
    assert!(!link.send(&Frame::new(CanId::standard(0x305).unwrap(), &[0; 8]).unwrap()));
    let again = timeout(Duration::from_secs(3), link.next(&mut frames)).await;
    assert!(again.is_err() && frames.is_empty(), "it goes on waiting without a word");
    let health = link.health();
    (event, health.state.unwrap(), health.trouble.clone().unwrap())
}

#[tokio::test]
async fn an_interface_that_does_not_exist_is_awaited() {
    let expected = (LinkEvent::Down, BusState::NoAdapter, "there is no interface nocan0".to_owned());
    assert_eq!(first("nocan0").await, expected);
}

#[tokio::test]
async fn an_adapter_that_is_not_plugged_in_is_awaited() {
    let (event, state, trouble) = first("usb-serial:no such number").await;
    assert_eq!((event, state), (LinkEvent::Down, BusState::NoAdapter));
    assert_eq!(trouble, "no CAN adapter is plugged in as usb-serial:no such number");
}

#[tokio::test]
async fn another_kind_of_interface_is_left_alone() {
    let expected = (LinkEvent::Down, BusState::Stopped, "lo is no CAN interface".to_owned());
    assert_eq!(first("lo").await, expected);
}

#[tokio::test]
async fn the_kernel_lists_its_can_interfaces() {
    let found = scan().unwrap();
    assert!(found.iter().all(|interface| interface.selectors.contains(&interface.name)), "{found:?}");
    assert!(!found.iter().any(|interface| interface.name == "lo"));
}
