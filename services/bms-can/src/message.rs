//! What a frame says, typed. Serialised, a message has the keys and value shapes of `busbar decode --json`: whole
//! numbers where the wire counts whole units, reals elsewhere, and nothing at all for what a short frame leaves out.

mod alarms;
mod cells;
mod counts;
mod flags;
mod growatt;
mod label;
mod latch;
mod pack;
mod text;

pub use alarms::{Alarms, Condition, Pair, Severity};
pub use cells::{CellExtremes, Cells, ExtremeLocations, Extremes};
pub use counts::{
    BatteryInfo, Capacity, Energy, FirmwareVersion, InstalledCapacity, Modules, ProtocolVersion, RatedEnergy,
};
pub use flags::{Flag, Flags};
pub use growatt::{
    LimitsAndState, MeasurementsAndSoc, PackActivity, PackState, Product, RequestsAndExtremes, UpdateStatus,
};
pub use label::{Label, LabelName};
pub use latch::{LatchedAlarms, PairRule};
pub use pack::{ChargeRequest, InverterCommand, Limits, Measurements, Protection, Requests, Soc};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
pub use text::Text;

/// One decoded frame. Every current is positive while charging, whatever the wire says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Message {
    /// The inverter's sign of life: 0x305, Growatt 0x301.
    #[serde(serialize_with = "inverter_alive")]
    InverterAlive,
    /// Luxpower 0x300: the inverter's command to the battery.
    InverterCommand(InverterCommand),
    /// 0x351 and its relatives.
    Limits(Limits),
    /// Growatt 0x311.
    LimitsAndState(LimitsAndState),
    /// 0x355 and its relatives.
    Soc(Soc),
    /// 0x356 and its relatives.
    Measurements(Measurements),
    /// Growatt 0x313.
    MeasurementsAndSoc(MeasurementsAndSoc),
    /// 0x359 and its relatives.
    Protection(Protection),
    /// 0x35A.
    Alarms(Alarms),
    /// 0x35C and its relatives.
    Requests(Requests),
    /// Growatt 0x319.
    RequestsAndExtremes(RequestsAndExtremes),
    /// 0x360.
    ChargeRequest(ChargeRequest),
    /// Any frame that is one text.
    Label(Label),
    /// 0x35F.
    BatteryInfo(BatteryInfo),
    /// Highest and lowest cell and temperature, in tenths of a degree where they have one.
    Extremes(Extremes),
    /// 0x371 of the Pylontech clones that send cell extremes in 0x370.
    ExtremeLocations(ExtremeLocations),
    /// 0x372 and its relatives.
    Modules(Modules),
    /// 0x373: highest and lowest cell and temperature, in whole degrees.
    CellExtremes(CellExtremes),
    /// 0x378, Pytes 0x41E.
    Energy(Energy),
    /// 0x379.
    InstalledCapacity(InstalledCapacity),
    /// Discover 0x354, Pytes 0x409, Growatt 0x314.
    Capacity(Capacity),
    /// Goodwe 0x399.
    RatedEnergy(RatedEnergy),
    /// Growatt 0x315 to 0x318.
    Cells(Cells),
    /// Growatt 0x320.
    Product(Product),
    /// Growatt 0x321.
    UpdateStatus(UpdateStatus),
    /// Discover 0x372.
    FirmwareVersion(FirmwareVersion),
    /// Discover 0x373.
    ProtocolVersion(ProtocolVersion),
}

impl Message {
    /// Whether an inverter says this, so that it is no sign of life of a battery.
    #[must_use]
    pub const fn is_from_inverter(&self) -> bool {
        matches!(
            self,
            Message::InverterAlive
                | Message::InverterCommand(_)
                | Message::Label(Label { name: LabelName::InverterId, .. })
        )
    }

    /// The limits in it, whichever frame they came with.
    #[must_use]
    pub const fn limits(&self) -> Option<&Limits> {
        match self {
            Message::Limits(limits) | Message::LimitsAndState(LimitsAndState { limits, .. }) => Some(limits),
            _ => None,
        }
    }

    /// The state of charge in it, whichever frame it came with.
    #[must_use]
    pub const fn soc(&self) -> Option<&Soc> {
        match self {
            Message::Soc(soc) | Message::MeasurementsAndSoc(MeasurementsAndSoc { soc, .. }) => Some(soc),
            _ => None,
        }
    }

    /// The measurements in it, whichever frame they came with.
    #[must_use]
    pub const fn measurements(&self) -> Option<&Measurements> {
        match self {
            Message::Measurements(measured)
            | Message::MeasurementsAndSoc(MeasurementsAndSoc { measurements: measured, .. }) => {
                Some(measured)
            }
            _ => None,
        }
    }

    /// The requests in it, whichever frame they came with.
    #[must_use]
    pub const fn requests(&self) -> Option<&Requests> {
        match self {
            Message::Requests(requests)
            | Message::RequestsAndExtremes(RequestsAndExtremes { requests, .. }) => Some(requests),
            _ => None,
        }
    }
}

fn inverter_alive<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("inverter_alive", &true)?;
    map.end()
}
