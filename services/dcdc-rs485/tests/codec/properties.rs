//! Promises for any bytes and any words.

use dcdc_rs485::eza::command::{self, Shape};
use dcdc_rs485::eza::frame::{Addresses, Request, checksum};
use dcdc_rs485::eza::number::Decimal;
use dcdc_rs485::eza::reply::{self, Reply};
use proptest::prelude::*;

fn shapes() -> impl Strategy<Value = &'static Shape> {
    proptest::sample::select(command::ALL)
}

fn request(shape: &Shape) -> Request {
    Request::of_shape(shape, &vec![1; shape.sends.len()], Addresses::default()).unwrap()
}

fn answer(code: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, u8::try_from(payload.len()).unwrap(), 0, 16, code];
    frame.extend(payload);
    let sum = checksum(&frame[2..]);
    frame.extend(sum.to_le_bytes());
    frame
}

proptest! {
    #[test]
    fn any_bytes_are_a_reply_or_none(shape in shapes(), bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let request = request(shape);
        for is_last in [false, true] {
            if let Ok(Reply::Done(payload)) = reply::find(&bytes, &request, is_last) {
                prop_assert_eq!(payload.len(), shape.answer_size());
            }
        }
    }

    #[test]
    fn noise_and_an_echo_before_a_reply_and_anything_behind_it_do_no_harm(
        shape in shapes(),
        noise in proptest::collection::vec(any::<u8>().prop_filter("no start", |byte| *byte != 2), 0..40),
        payload in proptest::collection::vec(any::<u8>(), 20),
        behind in proptest::collection::vec(any::<u8>(), 0..40),
        has_echo in any::<bool>(),
    ) {
        let request = request(shape);
        let payload = &payload[..shape.answer_size()];
        let mut bytes = if has_echo { request.bytes().to_vec() } else { noise };
        bytes.extend(answer(shape.code, payload));
        bytes.extend(behind);
        prop_assert_eq!(reply::find(&bytes, &request, true), Ok(Reply::Done(payload)));
    }

    #[test]
    fn a_reply_is_found_as_soon_as_it_is_complete_and_not_before(
        shape in shapes(),
        payload in proptest::collection::vec(any::<u8>(), 20),
    ) {
        let request = request(shape);
        let payload = &payload[..shape.answer_size()];
        let frame = answer(shape.code, payload);
        for end in 0..frame.len() {
            prop_assert!(reply::find(&frame[..end], &request, false).is_err());
        }
        prop_assert_eq!(reply::find(&frame, &request, false), Ok(Reply::Done(payload)));
    }

    #[test]
    fn one_wrong_bit_is_never_a_reply_with_other_words(
        shape in shapes(),
        payload in proptest::collection::vec(any::<u8>(), 20),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let request = request(shape);
        let payload = &payload[..shape.answer_size()];
        let mut frame = answer(shape.code, payload);
        let place = place.index(frame.len());
        frame[place] ^= 1 << bit;
        if let Ok(Reply::Done(found)) = reply::find(&frame, &request, true) {
            prop_assert_eq!(found, payload);
        }
    }

    #[test]
    fn every_word_of_every_set_point_survives_the_way_through_its_text(shape in shapes(), word in any::<u16>()) {
        for field in shape.sends.iter().filter(|field| field.size() == 2) {
            // Sixteen decimals are cut to the count below at most.
            let back = field.word(&field.value(word).to_string(), false).unwrap();
            prop_assert!(word.abs_diff(back) <= 1, "{} {} {}", field.name, word, back);
        }
    }

    #[test]
    fn any_text_is_a_number_or_none(text in "\\PC{0,40}") {
        if let Ok(number) = Decimal::parse(&text) {
            prop_assert!(text.trim().parse::<f64>().is_ok(), "{}", number);
        }
    }

    #[test]
    fn numbers_are_scaled_as_in_exact_arithmetic(whole in 0..4_000_u64, micro in 0..1_000_000_u64) {
        let text = format!("{whole}.{micro:06}");
        let exact = (u128::from(whole) * 1_000_000 + u128::from(micro)) * 16_384 / (380 * 1_000_000);
        let ours = Decimal::parse(&text).unwrap().scaled((16_384, 380));
        prop_assert_eq!(ours.map(u128::from), (exact <= 65_535).then_some(exact));
    }
}
