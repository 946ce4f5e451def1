//! What was read on the way of a request.

use crate::eza::field::{self, Field};
use crate::eza::words::{self, Meaningless};

/// Words of the converter, as far as a request has read them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Operation mode.
    pub mode: Option<u16>,
    /// Status.
    pub cst: Option<u16>,
    /// Alarm words.
    pub alarms: Option<[u16; 3]>,
    /// As 10-1 lists them.
    pub meters: Option<[u16; 8]>,
    /// Grid voltage and droop.
    pub target: Option<[u16; 2]>,
    /// As 6-1 lists them.
    pub limits: Option<[u16; 6]>,
    /// What a command of the caller's own was answered.
    pub raw: Vec<u16>,
}

/// Meters in their units, positive while the battery is charged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meters {
    /// Grid voltage, V.
    pub vg: f64,
    /// Grid current, A.
    pub ig: f64,
    /// Battery voltage, V.
    pub vb: f64,
    /// Battery current, A.
    pub ib: f64,
    /// Grid power, W.
    pub wg: f64,
    /// Battery power, W.
    pub wb: f64,
    /// Internal temperature, °C.
    pub tmp: f64,
}

impl Meters {
    /// What the words of 10-1 stand for.
    #[must_use]
    pub fn of([vg, ig, vb, ib, wg, wb, _, tmp]: [u16; 8]) -> Self {
        let of = |field: &Field, word| field.value(word);
        Self {
            vg: of(&field::VG, vg),
            ig: of(&field::IG, ig),
            vb: of(&field::VB, vb),
            ib: of(&field::IB, ib),
            wg: of(&field::WG, wg),
            wb: of(&field::WB, wb),
            tmp: of(&field::TMP, tmp),
        }
    }
}

impl Snapshot {
    /// The meters in their units.
    #[must_use]
    pub fn metered(&self) -> Option<Meters> {
        self.meters.map(Meters::of)
    }

    /// Grid current that is set, A.
    #[must_use]
    pub fn dig(&self) -> Option<f64> {
        let [_, dig, ..] = self.limits?;
        Some(field::DIG.value(dig))
    }

    /// Whether its status words mean something, in the order in which clients are told.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), Meaningless> {
        if let Some(cst) = self.cst {
            words::alarm_state(cst)?;
            words::running_state(cst)?;
        }
        self.mode.map_or(Ok(""), words::operation_mode).map(drop)
    }
}
