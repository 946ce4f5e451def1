//! Frames that are one text, padded with spaces or NUL.

use crate::message::{Label, LabelName, Message, Text};
use crate::protocols::Layout;
use crate::protocols::gates::Refusal;
use crate::protocols::payload::{Reader, Writer};

macro_rules! labels {
    ($($(#[$doc:meta])+ $constant:ident $name:ident $padding:ident;)+) => {
        $($(#[$doc])+
        pub(crate) const $constant: Layout = Layout {
            name: LabelName::$name.key(),
            shortest: 1,
            decode: |reader, _| read(reader, LabelName::$name, Padding::$padding),
            encode: |message, _, writer| write(message, LabelName::$name, writer),
        };)+
    };
}

labels! {
    /// 0x35E.
    MANUFACTURER Manufacturer Any;
    /// 0x370. Other makers put numbers there, so nothing but text passes.
    MODEL_PART_1 ModelPart1 Clean;
    /// 0x371. As 0x370.
    MODEL_PART_2 ModelPart2 Clean;
    /// 0x374.
    MIN_VOLTAGE_CELL_ID MinVoltageCellId Any;
    /// 0x375.
    MAX_VOLTAGE_CELL_ID MaxVoltageCellId Any;
    /// 0x376.
    MIN_TEMPERATURE_CELL_ID MinTemperatureCellId Any;
    /// 0x377.
    MAX_TEMPERATURE_CELL_ID MaxTemperatureCellId Any;
    /// 0x380.
    SERIAL_PART_1 SerialPart1 Any;
    /// 0x381.
    SERIAL_PART_2 SerialPart2 Any;
    /// 0x382.
    FAMILY Family Any;
}

/// 0x307, an inverter's name: four bytes `12 34 56 78`, then text (broglep/pylontech-victron-bms-canbus-reader).
pub(crate) const INVERTER_ID: Layout = Layout {
    name: LabelName::InverterId.key(),
    shortest: 5,
    decode: |reader, _| {
        reader.skip(4);
        read(reader, LabelName::InverterId, Padding::Any)
    },
    encode: |message, _, writer| {
        writer.bytes(&[0x12, 0x34, 0x56, 0x78])?;
        write(message, LabelName::InverterId, writer)
    },
};

/// What may stand behind the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    /// Anything after the first NUL.
    Any,
    /// Nothing but NUL and 0xFF.
    Clean,
}

fn read(reader: &mut Reader<'_>, name: LabelName, padding: Padding) -> Result<Message, Refusal> {
    let bytes = reader.rest();
    let is_padding = |b: &u8| matches!(b, 0 | 0xFF);
    let end = bytes.iter().position(is_padding).unwrap_or(bytes.len());
    let (text, after) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    if padding == Padding::Clean && !after.iter().all(is_padding) {
        return Err(Refusal::NotText);
    }
    let text = text.trim_ascii_end();
    reader.skip(text.len());
    if text.is_empty() {
        return Ok(Message::Label(Label { name, text: None }));
    }
    let text = Some(Text::new(text).ok_or(Refusal::NotText)?);
    Ok(Message::Label(Label { name, text }))
}

fn write(message: &Message, name: LabelName, writer: &mut Writer) -> Option<()> {
    let Message::Label(label) = message else { return None };
    if label.name != name {
        return None;
    }
    label.text.as_ref().map_or(Some(()), |text| writer.text(text))
}
