//! 0x35A: alarms and warnings as pairs of bits, the low bit of each first. The Victron text prints a pair in the order of
//! transmission, low bit first, which several ports have read the wrong way round; the captures of BYD and Discover and
//! SMA's technical information agree with what is done here.

use crate::message::{Alarms, Condition, Message, Pair, Severity};
use crate::protocols::Layout;
use crate::protocols::payload::{Reader, Writer};

/// Where the pairs are in the frame, counted from its first bit.
struct Places {
    warnings: usize,
    system_status: Option<usize>,
    /// What the unused pairs carry.
    spare: Pair,
}

/// Alarms from byte 0, warnings from byte 4, the system status in bits 2 and 3 of byte 7.
const BY_BYTE: Places = Places { warnings: 16, system_status: Some(29), spare: Pair::NotSupported };

/// Thirteen alarms, then at once thirteen warnings, in seven bytes.
const PACKED: Places = Places { warnings: 13, system_status: None, spare: Pair::Reserved };

/// As SMA, Victron, BYD and Pytes send it.
pub(crate) const ALARMS: Layout = Layout {
    name: "alarms",
    shortest: 4,
    decode: |reader, _| Ok(Message::Alarms(read(reader, &BY_BYTE))),
    encode: |message, _, writer| write(message, &BY_BYTE, writer),
};

/// As Discover sends it. In the public capture (ai-republic/bms-to-inverter issue 107: `AB AA FE AF AA FA FF`) the
/// unsupported functions are then the same among the alarms and among the warnings, and the seven bytes are just filled;
/// ryanpulley/DiscoverAEStoPylontech counts the places so too.
pub(crate) const PACKED_ALARMS: Layout = Layout {
    decode: |reader, _| Ok(Message::Alarms(read(reader, &PACKED))),
    encode: |message, _, writer| write(message, &PACKED, writer),
    ..ALARMS
};

fn read(reader: &mut Reader<'_>, places: &Places) -> Alarms {
    let mut bits: u64 = 0;
    let mut len = 0;
    while let Some(byte) = reader.u8() {
        bits |= u64::from(byte) << (8 * len).min(56);
        len += 1;
    }
    let pair = |place: usize| (place < 4 * len).then(|| Pair::from_bits(bits >> (2 * place)));
    let mut alarms = Alarms::all(None);
    for condition in Condition::ALL {
        alarms.set(condition, Severity::Alarm, pair(condition as usize));
        alarms.set(condition, Severity::Warning, pair(places.warnings + condition as usize));
    }
    alarms.system_status = places.system_status.and_then(pair);
    alarms
}

fn write(message: &Message, places: &Places, writer: &mut Writer) -> Option<()> {
    let Message::Alarms(alarms) = message else { return None };
    let mut pairs = [None; 32];
    let mut put = |place: usize, pair: Option<Pair>| pairs.get_mut(place).map(|to| *to = pair);
    for condition in Condition::ALL {
        put(condition as usize, alarms.get(condition, Severity::Alarm))?;
        put(places.warnings + condition as usize, alarms.get(condition, Severity::Warning))?;
    }
    if let Some(place) = places.system_status {
        put(place, alarms.system_status)?;
    }
    // As many bytes as the last pair needs.
    let len = pairs.iter().rposition(Option::is_some)? / 4 + 1;
    let used = |place: usize| {
        place < 13
            || (places.warnings..places.warnings + 13).contains(&place)
            || Some(place) == places.system_status
    };
    for (byte, four) in pairs.chunks(4).enumerate().take(len) {
        let mut value = 0;
        for (place, pair) in (4 * byte..).zip(four) {
            let bits = match pair {
                Some(pair) => pair.bits(),
                None if used(place) && Some(place) != places.system_status => return None,
                None => places.spare.bits(),
            };
            value |= (bits as u8) << (2 * (place % 4));
        }
        writer.u8(value)?;
    }
    Some(())
}
