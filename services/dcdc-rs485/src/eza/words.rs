//! Status words in words, as the web API says them.

/// What a status word does not mean. The texts are those that clients of the web API know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Meaningless {
    /// Bits 2 and 3 of the status.
    #[error("bad value: alarmState: {0}")]
    AlarmState(u16),
    /// Bits 0 and 1 of the status.
    #[error("bad value: runningState: {0}")]
    RunningState(u16),
    /// The mode word.
    #[error("bad value: operationMode: {0}")]
    OperationMode(u16),
}

/// The mode in which nothing flows.
pub const WAITING: u16 = 0x0000;
/// Battery to grid at constant current.
pub const DISCHARGE: u16 = 0x0002;
/// This converter holds the grid's voltage.
pub const VOLTAGE_REFERENCE: u16 = 0x0014;
/// Grid to battery at constant grid current.
pub const CHARGE: u16 = 0x0041;
/// The modes that may be set.
pub const SETTABLE: [u16; 4] = [WAITING, DISCHARGE, VOLTAGE_REFERENCE, CHARGE];

/// The mode in words.
///
/// # Errors
/// A mode that has none.
pub fn operation_mode(mode: u16) -> Result<&'static str, Meaningless> {
    Ok(match mode {
        0x0000 => "Waiting",
        // Spelled so by the reference.
        0x0001 => "Hateronomy CV Charging",
        0x0002 | 0x0022 | 0x0041 => "Heteronomy CV",
        0x0004 => "Battery Autonomy",
        0x0014 => "Grid Autonomy",
        0x0034 => "Grid Autonomy CC Battery",
        other => return Err(Meaningless::OperationMode(other)),
    })
}

/// The bits of the running state: 0 off, 1 charge, 2 discharge, 3 nothing.
#[must_use]
pub fn running_bits(cst: u16) -> u16 {
    cst & 3
}

/// The bits of the alarm state: 0 none, 1 light, 2 heavy, 3 nothing.
#[must_use]
pub fn alarm_bits(cst: u16) -> u16 {
    (cst >> 2) & 3
}

/// The running state in words.
///
/// # Errors
/// The bits mean nothing.
pub fn running_state(cst: u16) -> Result<&'static str, Meaningless> {
    Ok(match running_bits(cst) {
        0 => "off",
        1 => "charge",
        2 => "discharge",
        other => return Err(Meaningless::RunningState(other)),
    })
}

/// The alarm state in words.
///
/// # Errors
/// The bits mean nothing.
pub fn alarm_state(cst: u16) -> Result<&'static str, Meaningless> {
    Ok(match alarm_bits(cst) {
        0 => "No alarm",
        1 => "Light alarm",
        2 => "Heavy alarm",
        other => return Err(Meaningless::AlarmState(other)),
    })
}
