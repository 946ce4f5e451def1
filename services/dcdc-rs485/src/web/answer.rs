//! The JSON of what was read.

use serde_json::{Map, Value, json};

use crate::battery::Reading;
use crate::config::{Config, Settings};
use crate::converter::Snapshot;
use crate::error::Error;
use crate::eza::field;
use crate::eza::words;

/// One answer: keys and values of an object.
pub(super) type Answer = Map<String, Value>;

fn object(value: Value) -> Answer {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Status in full, meters, targets and parameters, as far as the snapshot has them.
pub(super) fn full(snapshot: &Snapshot, settings: &Settings) -> Result<Answer, Error> {
    let mut answer = values(snapshot, settings);
    if let (Some(mode), Some(cst), Some([alm1, ..])) = (snapshot.mode, snapshot.cst, snapshot.alarms) {
        let mut status = states(mode, cst)?;
        let (alarm, running) = (words::alarm_bits(cst), words::running_bits(cst));
        status.insert("status".to_owned(), format!("0x{mode:04x}").into());
        status.insert("statusName".to_owned(), "Ignore".into());
        status.insert("alarm".to_owned(), format!("{alm1:04x} {alarm:04x} {running:04x}").into());
        answer.insert("status".to_owned(), status.into());
    }
    Ok(answer)
}

/// Status in short, and meters.
pub(super) fn short(snapshot: &Snapshot, settings: &Settings) -> Result<Answer, Error> {
    let mut answer = values(snapshot, settings);
    if let (Some(mode), Some(cst)) = (snapshot.mode, snapshot.cst) {
        answer.insert("status".to_owned(), states(mode, cst)?.into());
    }
    Ok(answer)
}

fn states(mode: u16, cst: u16) -> Result<Answer, Error> {
    let (alarm, running) = (words::alarm_state(cst)?, words::running_state(cst)?);
    let mode = words::operation_mode(mode)?;
    Ok(object(json!({"alarmState": alarm, "runningState": running, "operationMode": mode})))
}

fn values(snapshot: &Snapshot, settings: &Settings) -> Answer {
    let mut answer = Map::new();
    if let Some(m) = snapshot.metered() {
        let meter = json!({
            "wg": m.wg, "tmp": m.tmp, "vb": m.vb, "wb": m.wb, "vg": m.vg, "ib": m.ib, "ig": m.ig,
        });
        answer.insert("meter".to_owned(), meter);
    }
    if let Some([dvg, drg]) = snapshot.target {
        let vdis = json!({"dvg": field::DVG.value(dvg), "drg": field::DRG.value(drg)});
        answer.insert("vdis".to_owned(), vdis);
    }
    if let Some(dig) = snapshot.dig() {
        let param = json!({
            "cib": settings.cib.json(), "ubv": settings.ubv.json(), "dig": dig,
            "ogv": settings.ogv.json(), "obv": settings.obv.json(), "ugv": settings.ugv.json(),
        });
        answer.insert("param".to_owned(), param);
    }
    answer
}

/// A meter that this converter does not have.
pub(super) fn power_meter() -> (String, Value) {
    ("powermeter".to_owned(), json!({"p2": 0, "p1": 0, "v1": 0, "kwh2": 0, "kwh1": 0, "i1": 0}))
}

/// What was written by `/remote/ioctl/set`.
pub(super) fn configured(config: &Config) -> Answer {
    let s = &config.converter.settings;
    let bcf =
        s.bcf.word(&field::BCF, false).map_or_else(|_| s.bcf.json(), |word| format!("0x{word:04x}").into());
    object(json!({
        "dcdc_converter_name": config.converter.name,
        "dcdc_setup_parameter": {
            "ubv": s.ubv.json(), "ugv": s.ugv.json(), "obv": s.obv.json(), "ogv": s.ogv.json(), "bcf": bcf,
            "cvb": s.cvb.json(), "dlb": s.dlb.json(), "cdb": s.cdb.json(), "ddb": s.ddb.json(),
            "drb": s.drb.json(), "cib": s.cib.json(),
        },
    }))
}

/// The battery in short.
pub(super) fn battery(reading: Reading) -> Answer {
    object(json!({"rsoc": reading.rsoc_percent(), "battery_operation_status": operation_status(reading)}))
}

fn operation_status(reading: Reading) -> u8 {
    if reading.is_permitted() { 3 } else { 0 }
}

/// The battery as `/1/log/data` shows it. Voltage and current are those of the configuration.
pub(super) fn log_data(reading: Reading, config: &Config) -> Answer {
    let nothing = (Value::Null, Value::Null, Value::Null);
    let (voltage, current, power) = config.battery.as_ref().map_or(nothing, |battery| {
        let (voltage, current) = (&battery.battery_voltage, &battery.battery_current);
        (voltage.json(), current.json(), voltage.times(current))
    });
    object(json!({
        "system_time": {"year": 0, "month": 0, "day": 0, "hour": 0, "minute": 0},
        "rsoc": reading.rsoc_percent(),
        "dischargeable_time": {"hour": 0, "minute": 0},
        "battery_voltage": voltage,
        "battery_current": current,
        "battery_rsoc": reading.rsoc_percent(),
        "battery_status": 0,
        "battery_warning": 0,
        "battery_operation_status": operation_status(reading),
        "battery_comm_err": 0,
        "charge_discharge_power": power,
        "ups_operation_schedule": 0,
        "ups_operation_mode": {"mode": 0, "parameter": 0, "stop_mode": 0},
    }))
}
