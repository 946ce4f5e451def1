//! Frames that are one text.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Text;

/// Which text a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelName {
    /// 0x307, an inverter's reply.
    InverterId,
    /// 0x35E, Pytes 0x40A.
    Manufacturer,
    /// 0x370.
    ModelPart1,
    /// 0x371.
    ModelPart2,
    /// 0x374.
    MinVoltageCellId,
    /// 0x375.
    MaxVoltageCellId,
    /// 0x376.
    MinTemperatureCellId,
    /// 0x377.
    MaxTemperatureCellId,
    /// 0x380.
    SerialPart1,
    /// 0x381.
    SerialPart2,
    /// 0x382.
    Family,
}

impl LabelName {
    /// The key it is printed under, which is the frame's name too.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            LabelName::InverterId => "inverter_id",
            LabelName::Manufacturer => "manufacturer",
            LabelName::ModelPart1 => "model_part_1",
            LabelName::ModelPart2 => "model_part_2",
            LabelName::MinVoltageCellId => "min_voltage_cell_id",
            LabelName::MaxVoltageCellId => "max_voltage_cell_id",
            LabelName::MinTemperatureCellId => "min_temperature_cell_id",
            LabelName::MaxTemperatureCellId => "max_temperature_cell_id",
            LabelName::SerialPart1 => "serial_part_1",
            LabelName::SerialPart2 => "serial_part_2",
            LabelName::Family => "family",
        }
    }
}

/// A frame that is one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Which one.
    pub name: LabelName,
    /// The text; `None` if the frame is all padding.
    pub text: Option<Text>,
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(text) = self.text {
            map.serialize_entry(self.name.key(), &text)?;
        }
        map.end()
    }
}
