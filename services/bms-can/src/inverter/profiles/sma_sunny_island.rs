//! SMA Sunny Island, battery type LiIon_Ext-BMS: "technical information, external batteries" (FSS-ConnectingBat) for
//! SI 6.0H/8.0H; jaedog/SMAVenusDriver for SI 4548-US and 6048-US.

use std::time::Duration;

use crate::inverter::profile::{
    KeepAlive, Model, Profile, Proof, Reports, Rhythm, Say, Silence, Then, Window, Zero, say,
};
use crate::inverter::says;
use crate::message::LabelName;

/// The profile. Nothing but these six ids may be on this bus. A charge voltage below that of the pack makes it discharge
/// the pack down to there. A jump of the state of charge to full has made units run away with their frequency
/// (ai-republic/bms-to-inverter issue 34), so that rises slowly.
pub(super) static PROFILE: Profile = Profile {
    name: "sma_sunny_island",
    title: "SMA Sunny Island",
    source: "SMA, FSS-ConnectingBat, technical information on external batteries",
    dialect: "sma_bms",
    rhythm: Rhythm::Cycle {
        every: Duration::from_secs(2),
        gap: Duration::from_millis(100),
        at_least: Duration::from_millis(200),
        at_most: Duration::from_secs(20),
        frames: FRAMES,
    },
    keep_alive: KeepAlive { ids: &[0x305, 0x306], extended: false, lost_after: Duration::from_secs(30) },
    window: Window {
        charge_v: (41.0, 63.0),
        discharge_v: Some((41.0, 48.0)),
        most_a: 1200.0,
        most_soc_pct: 100.0,
        without_sensor_c: None,
    },
    zero: Zero::Obeyed,
    draws_down: true,
    soc_rise_pct_per_s: Some(0.5),
    // Silence means F952, a state of charge of 0 % and switching off completely.
    silence: Silence {
        grace: Duration::from_secs(60),
        then: Then::HoldSafe,
        by_hand: Some(
            "the Sunny Island is in standby (F931) and starts by itself where Autostart is on; otherwise start it with \
             its on/off switch",
        ),
    },
    response_s: 12.0,
    reports: Reports::SunnyIsland,
    models: &[Model {
        name: "SMA Sunny Island 4548-US, 6048-US, 4.4M, 6.0H, 8.0H",
        setting: "003.06 BatTyp LiIon_Ext-BMS",
        proof: Proof::Documented("SMA FSS-ConnectingBat; jaedog/SMAVenusDriver"),
    }],
};

/// Chemistry 0x0403 and hardware 0x040A as jaedog/SMAVenusDriver sends them in the field.
const FRAMES: &[Say] = &[
    say(0x351, says::limits),
    say(0x355, says::fine_soc),
    say(0x356, says::measurements),
    say(0x35A, says::alarms),
    say(0x35E, |_, _| says::label(LabelName::Manufacturer, "BUSBAR")),
    say(0x35F, |told, _| says::info(told, 0x0403, [0x0A, 0x04])),
];
