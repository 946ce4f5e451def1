//! Bytes from a converter.

use dcdc_rs485::eza::command;
use dcdc_rs485::eza::frame::{Addresses, Request, checksum};
use dcdc_rs485::eza::reply::{self, Reply};

/// The first byte says which command was sent; the others are what was received.
pub fn run(data: &[u8]) {
    let Some((&which, received)) = data.split_first() else { return };
    let shape = command::ALL[usize::from(which) % command::ALL.len()];
    let Some(request) = Request::of_shape(shape, &vec![1; shape.sends.len()], Addresses::default()) else {
        panic!("{} takes ones", shape.name);
    };
    let early = reply::find(received, &request, false);
    let last = reply::find(received, &request, true);
    for reply in [early, last].into_iter().flatten() {
        // Only what lies there as bytes, under a checksum of its own, is a reply.
        let (command, payload) = match reply {
            Reply::Done(payload) => {
                assert_eq!(payload.len(), shape.answer_size());
                (shape.code, payload.to_vec())
            }
            Reply::Refused(ercd) => (shape.code + 0x80, ercd.to_le_bytes().to_vec()),
        };
        let sound = received.windows(payload.len() + 5).any(|window| {
            let (summed, sum) = window.split_at(payload.len() + 3);
            summed[2] == command && summed[3..] == payload && *sum == checksum(summed).to_le_bytes()
        });
        assert!(sound, "{reply:?}");
    }
    // Who waits for more bytes finds what those who do not wait found, unless a frame may still begin earlier.
    if early.is_ok() {
        assert_eq!(early, last);
    }
}
