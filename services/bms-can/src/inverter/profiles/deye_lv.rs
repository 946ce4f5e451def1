//! Deye and Sunsynk low voltage, setting "Lithium 00": "CAN-Bus-protocol-DEYE-low-voltage" V1.2, which is Pylontech's.

use super::pylontech_lv;
use crate::inverter::profile::{Model, Profile, Proof, Window};

/// The profile. It shows one battery for each module of 0x359, and limits the current for each. A charge voltage of
/// 0.1 V raised W31 (stuartpittaway/diyBMSv4ESP32 issue 216), so 0 A alone says stop. V1.2 has no discharge voltage.
pub(super) static PROFILE: Profile = Profile {
    name: "deye_lv",
    title: "Deye, Sunsynk low voltage",
    source: "Deye, CAN bus protocol low voltage, V1.2",
    dialect: "deye_lv",
    window: Window { discharge_v: None, ..pylontech_lv::WINDOW },
    models: &[Model {
        name: "Deye SUN-SG01, -SG03, -SG04 LV; Sunsynk",
        setting: "CAN, Lithium 00",
        proof: Proof::Documented("Deye, CAN bus protocol low voltage, V1.2"),
    }],
    ..pylontech_lv::BASE
};
