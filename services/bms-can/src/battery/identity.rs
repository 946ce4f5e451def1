//! Who the battery says it is, put together from its texts.

use crate::message::{LabelName, Message, Text};

/// The battery's own words about itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Identity {
    manufacturer: Option<Text>,
    model: [Option<Text>; 2],
    serial: [Option<Text>; 2],
    family: Option<Text>,
    version: Option<[u8; 2]>,
}

impl Identity {
    /// Takes in a message; true when it told something new.
    pub fn apply(&mut self, message: &Message) -> bool {
        let before = *self;
        match message {
            Message::Label(label) => {
                let [model_1, model_2] = &mut self.model;
                let [serial_1, serial_2] = &mut self.serial;
                match label.name {
                    LabelName::Manufacturer => self.manufacturer = label.text,
                    LabelName::ModelPart1 => *model_1 = label.text,
                    LabelName::ModelPart2 => *model_2 = label.text,
                    LabelName::SerialPart1 => *serial_1 = label.text,
                    LabelName::SerialPart2 => *serial_2 = label.text,
                    LabelName::Family => self.family = label.text,
                    _ => {}
                }
            }
            Message::BatteryInfo(info) => self.version = Some(info.version_bytes),
            _ => {}
        }
        *self != before
    }

    /// Maker.
    #[must_use]
    pub fn manufacturer(&self) -> Option<String> {
        self.manufacturer.map(|text| text.to_string())
    }

    /// Model, in one piece.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        joined(self.model)
    }

    /// Serial number, in one piece.
    #[must_use]
    pub fn serial(&self) -> Option<String> {
        joined(self.serial)
    }

    /// Product family.
    #[must_use]
    pub fn family(&self) -> Option<String> {
        self.family.map(|text| text.to_string())
    }

    /// Version of its firmware: two numbers.
    #[must_use]
    pub fn firmware(&self) -> Option<String> {
        self.version.filter(|version| *version != [0, 0]).map(|[major, minor]| format!("{major}.{minor}"))
    }
}

fn joined(parts: [Option<Text>; 2]) -> Option<String> {
    let text: String = parts.iter().flatten().map(Text::as_str).collect();
    (!text.is_empty()).then_some(text)
}
