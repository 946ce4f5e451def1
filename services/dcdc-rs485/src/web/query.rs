//! Parameters of a request.

use crate::converter::Given;

/// The set points in a query string: unknown names are ignored, of a repeated name the last one counts.
pub(super) fn set_points(query: &str) -> Given {
    let mut given = Given::default();
    for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match decode(name).as_str() {
            "mode" => &mut given.mode,
            "dig" => &mut given.dig,
            "dvg" => &mut given.dvg,
            "drg" => &mut given.drg,
            _ => continue,
        };
        *place = Some(decode(value));
    }
    given
}

/// `+` is a blank, `%2e` a byte.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = behind;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_counts_and_escapes_are_read() {
        let given = set_points("dig=1&x=2&dig=%202.5+&mode=0x0002&drg&%64vg=3%&=");
        assert_eq!(given.dig.as_deref(), Some(" 2.5 "));
        assert_eq!(given.mode.as_deref(), Some("0x0002"));
        assert_eq!(given.drg.as_deref(), Some(""));
        assert_eq!(given.dvg.as_deref(), Some("3%"));
        assert_eq!(set_points(""), Given::default());
    }
}
