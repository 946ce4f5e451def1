use bms_can::frame::{CanId, Frame};
use bms_can::transports::socketcan::frame_bytes::{Received, SIZE, decode, encode, filter};
use proptest::prelude::*;

fn id() -> impl Strategy<Value = CanId> {
    prop_oneof![
        (0..=0x7FF_u32).prop_map(|n| CanId::standard(n).unwrap()),
        (0..=0x1FFF_FFFF_u32).prop_map(|n| CanId::extended(n).unwrap()),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (id(), proptest::collection::vec(any::<u8>(), 0..=8))
            .prop_map(|(id, data)| Frame::new(id, &data).unwrap()),
        (id(), 0..=8_u8).prop_map(|(id, len)| Frame::remote(id, len).unwrap()),
    ]
}

/// What the kernel does with a filter (`can_rcv_filter` of Linux, and the documentation of SocketCAN).
fn passes(filter: (u32, u32), frame: &Frame) -> bool {
    let [i0, i1, i2, i3, ..] = encode(frame);
    let received = u32::from_ne_bytes([i0, i1, i2, i3]);
    received & filter.1 == filter.0 & filter.1
}

#[test]
fn the_bytes_are_those_of_linux() {
    let frame = Frame::new(CanId::standard(0x351).unwrap(), &[0x14, 0x02]).unwrap();
    let mut expected = [0; SIZE];
    expected[..4].copy_from_slice(&0x351_u32.to_ne_bytes());
    expected[4] = 2;
    expected[8..10].copy_from_slice(&[0x14, 0x02]);
    assert_eq!(encode(&frame), expected);
    let extended = encode(&Frame::remote(CanId::extended(0x4351).unwrap(), 8).unwrap());
    assert_eq!(extended[..5], [(0xC000_4351_u32).to_ne_bytes().as_slice(), &[8]].concat());
}

#[test]
fn a_filter_tells_a_standard_id_from_an_extended_one_and_from_a_remote_request() {
    let (standard, extended) = (CanId::standard(0x351).unwrap(), CanId::extended(0x351).unwrap());
    let frame = |id| Frame::new(id, &[]).unwrap();
    assert!(passes(filter(standard), &frame(standard)));
    assert!(!passes(filter(standard), &frame(extended)));
    assert!(!passes(filter(extended), &frame(standard)));
    assert!(!passes(filter(standard), &Frame::remote(standard, 8).unwrap()));
    assert!(!passes(filter(standard), &frame(CanId::extended(0x0800_0351).unwrap())));
    // A mask that the kernel files under single ids, which it finds without going through a list.
    assert_eq!(filter(standard), (0x351, 0xC000_07FF));
    assert_eq!(filter(extended), (0x8000_0351, 0xDFFF_FFFF));
}

proptest! {
    #[test]
    fn what_is_sent_is_what_is_received(frame in frame()) {
        prop_assert_eq!(decode(&encode(&frame)), Some(Received::Frame(frame)));
    }

    #[test]
    fn a_filter_passes_its_own_id_alone(wanted in id(), other in frame()) {
        let own = Frame::new(wanted, &[1]).unwrap();
        prop_assert!(passes(filter(wanted), &own));
        prop_assert_eq!(passes(filter(wanted), &other), other.id() == wanted && !other.is_remote());
    }

    #[test]
    fn any_bytes_are_a_frame_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..=80)) {
        let received = decode(&bytes);
        prop_assert!(received.is_none() || bytes.len() == SIZE);
    }
}
