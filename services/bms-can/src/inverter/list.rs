//! The list of inverters: those of the profiles, and those that are known and that no profile serves.

use super::PROFILES;
use super::profile::Proof;
use crate::protocols;

/// An inverter that expects something that no profile has.
#[derive(Debug, Clone, Copy)]
pub struct Unserved {
    /// Maker and model, for people.
    pub name: &'static str,
    /// What it expects.
    pub expects: &'static str,
    /// Bit rate, where it is known.
    pub bit_rate: &'static str,
    /// How far that is known.
    pub proof: Proof,
}

/// All of them.
pub static UNSERVED: &[Unserved] = &[
    Unserved {
        name: "SMA Sunny Boy Storage, STP-SE",
        expects: "BYD HVS and a 12 V enable line",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: sma.md"),
    },
    Unserved {
        name: "Growatt SPH TL3, WIT",
        expects: "Growatt HV and WIT sets",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator: GROWATT-HV-CAN.cpp, GROWATT-WIT-CAN.cpp"),
    },
    Unserved {
        name: "Goodwe ET, EH, BT, BH",
        expects: "BYD HVS",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: goodwe.md"),
    },
    Unserved {
        name: "Solis RHI-HVES, S6-EH HV",
        expects: "BYD HVS; some Pylontech HV",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: solis.md"),
    },
    Unserved {
        name: "Sungrow SH-RT, SH-RS, SH-T",
        expects: "BYD HVS; Australian models SBR",
        bit_rate: "500 kbit/s, SBR 250 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: sungrow.md"),
    },
    Unserved {
        name: "Afore AF",
        expects: "BYD HVS, or Afore's own set",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: afore.md"),
    },
    Unserved {
        name: "ATESS HPS, Growocol MPS, MEGA",
        expects: "unknown",
        bit_rate: "unknown",
        proof: Proof::Unverified,
    },
    Unserved {
        name: "Kostal Plenticore",
        expects: "BYD over RS485, no CAN",
        bit_rate: "none",
        proof: Proof::Documented("dalathegreat/Battery-Emulator: KOSTAL-RS485.cpp"),
    },
    Unserved {
        name: "Schneider XW, Conext",
        expects: "SE BMS v2, 29-bit ids",
        bit_rate: "500 kbit/s",
        proof: Proof::Documented("dalathegreat/Battery-Emulator: SCHNEIDER-CAN.cpp"),
    },
];

/// The list, as a page.
#[must_use]
pub fn list() -> String {
    let proof = |proof: Proof| match proof {
        Proof::Documented(source) => format!("by document or field report: {source}"),
        Proof::Unverified => "**unverified**".to_owned(),
    };
    let mut page = "# Inverters\n\nMade by `busbar inverters` from the profiles of bms-can. None of these was tested by us on the device itself.\n\n\
        | inverter | profile | set at the inverter | bit rate | how far it is known |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    for profile in PROFILES {
        let bit_rate = protocols::by_name(profile.dialect).map_or(0, |dialect| dialect.bit_rate) / 1000;
        for model in profile.models {
            page += &format!(
                "| {} | `{}` | {} | {bit_rate} kbit/s | {} |\n",
                model.name,
                profile.name,
                model.setting,
                proof(model.proof)
            );
        }
    }
    page += "\n## Not served\n\n| inverter | expects | bit rate | how far that is known |\n| --- | --- | --- | --- |\n";
    for other in UNSERVED {
        page += &format!(
            "| {} | {} | {} | {} |\n",
            other.name,
            other.expects,
            other.bit_rate,
            proof(other.proof)
        );
    }
    page
}
