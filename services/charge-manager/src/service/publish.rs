//! The decision as items of `com.victronenergy.battery.busbar`.

use std::time::Duration;

use dbus_interfaces::Update;
use dbus_interfaces::classes::{bank, battery as b, device};
use tokio::time::Instant;

use super::batteries::alarm_item;
use super::numbers::{floored, rounded};
use crate::alarms::Alarm;
use crate::decision::{Decision, Limits, Picture};
use crate::history::History;
use crate::reasons::Reason;
use crate::state::State;

/// Lines for people change at most so often, unless what they are about does.
const WORDS: Duration = Duration::from_secs(5);
/// The list of notes is written anew that often, for the numbers in it.
const NOTES: Duration = Duration::from_secs(60);

/// What the publisher remembers.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    explained_at: Option<Instant>,
    explained: Vec<&'static str>,
    lines: [String; 5],
    noted_at: Option<Instant>,
    about: Vec<(&'static str, String)>,
    notes: Vec<String>,
    rows: u16,
}

/// What stands on the bus beside the decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// `/Members`.
    pub(crate) members: &'a [String],
    /// Whether the limits may stand on `/Info`.
    pub(crate) speaks: bool,
    /// `/UpdateIndex`.
    pub(crate) index: i32,
    /// Why the settings are not in force.
    pub(crate) refused: Option<&'a str>,
}

impl Publisher {
    /// Sets every item that comes from the decision.
    pub(crate) fn show(
        &mut self,
        tx: &mut Update<'_>,
        decision: &Decision,
        around: Around<'_>,
        now: Instant,
    ) {
        self.explain(decision, now);
        self.note(decision, around.refused, now);
        tx.set(bank::MEMBERS, around.members.to_vec()).set(bank::UPDATE_INDEX, around.index);
        tx.set(bank::BANK_SETTINGS_REFUSED, around.refused.map(str::to_owned));
        measurements(tx, decision);
        limits(tx, decision, around.speaks);
        self.shares(tx, decision);
        words(tx, decision);
        for (number, line) in (0..).zip(&self.lines) {
            tx.set(bank::BANK_EXPLANATION.nth(number), line.clone());
        }
        tx.set(bank::BANK_NOTES, self.notes.clone());
        for &alarm in Alarm::ALL {
            tx.set(alarm_item(alarm), decision.alarms.get(alarm) as i32);
        }
        history(tx, &decision.history);
    }

    /// Whatever has no follower any more is free.
    fn shares(&mut self, tx: &mut Update<'_>, decision: &Decision) {
        let count = u16::try_from(decision.shares.len()).unwrap_or(u16::MAX);
        for (row, share) in (0..count).zip(&decision.shares) {
            let Limits { charge_voltage_v, charge_current_a, discharge_current_a } = share.limits;
            tx.set(bank::SHARE_SERVICE.nth(row), share.service.to_string())
                .set(bank::SHARE_MAX_CHARGE_VOLTAGE.nth(row), charge_voltage_v.map(|v| floored(v, 2)))
                .set(bank::SHARE_MAX_CHARGE_CURRENT.nth(row), charge_current_a.map(|a| floored(a, 1)))
                .set(bank::SHARE_MAX_DISCHARGE_CURRENT.nth(row), discharge_current_a.map(|a| floored(a, 1)))
                .set(bank::SHARE_TAKEN.nth(row), share.taken_a.map(|a| rounded(a, 1)))
                .set(bank::SHARE_OBEYS.nth(row), i32::from(!share.disobeys))
                .set(bank::SHARE_STOP.nth(row), i32::from(share.stop));
        }
        for row in count..self.rows {
            tx.clear(bank::SHARE_SERVICE.nth(row))
                .clear(bank::SHARE_MAX_CHARGE_VOLTAGE.nth(row))
                .clear(bank::SHARE_MAX_CHARGE_CURRENT.nth(row))
                .clear(bank::SHARE_MAX_DISCHARGE_CURRENT.nth(row))
                .clear(bank::SHARE_TAKEN.nth(row))
                .clear(bank::SHARE_OBEYS.nth(row))
                .clear(bank::SHARE_STOP.nth(row));
        }
        self.rows = self.rows.max(count);
    }

    fn explain(&mut self, decision: &Decision, now: Instant) {
        let about =
            vec![decision.voltage.reason.id(), decision.charge.reason.id(), decision.discharge.reason.id()];
        let due = self.explained_at.is_none_or(|at| now.duration_since(at) >= WORDS);
        if due || about != self.explained {
            (self.explained_at, self.explained, self.lines) = (Some(now), about, decision.explain());
        }
    }

    fn note(&mut self, decision: &Decision, refused: Option<&str>, now: Instant) {
        let refused = refused.map(|why| ("settings-refused", why.to_owned()));
        let about = decision
            .notes
            .iter()
            .map(|note| (note.id(), note.who().map(|who| who.to_string()).unwrap_or_default()));
        let about: Vec<_> = about.chain(refused.clone()).collect();
        let due = self.noted_at.is_none_or(|at| now.duration_since(at) >= NOTES);
        if due || about != self.about {
            let words = decision.notes.iter().map(ToString::to_string);
            let refused = refused.map(|(_, why)| format!("Settings are not in force: {why}"));
            (self.noted_at, self.about) = (Some(now), about);
            self.notes = words.chain(refused).collect();
        }
    }
}

fn measurements(tx: &mut Update<'_>, decision: &Decision) {
    let Picture { voltage_v, current_a, soc, installed_ah, remaining_ah, .. } = decision.picture;
    let picture = &decision.picture;
    let works = works(decision);
    let left = remaining_ah.map(|ah| rounded(ah, 1));
    tx.set(device::CONNECTED, i32::from(works))
        .set(b::STATE, if works { b::STATE_RUNNING } else { b::STATE_ERROR })
        .set(b::ERROR_CODE, 0)
        .set(b::DC_VOLTAGE, voltage_v.map(|v| rounded(v, 2)))
        .set(b::DC_CURRENT, current_a.map(|a| rounded(a, 1)))
        .set(b::DC_POWER, voltage_v.zip(current_a).map(|(v, a)| rounded(v * a, 0)))
        .set(b::DC_TEMPERATURE, picture.temperature_c.map(|c| rounded(c, 1)))
        .set(b::SOC, soc.map(|soc| rounded(soc, 1)))
        .set(b::SOH, picture.soh.map(|soh| rounded(soh, 1)))
        .set(b::INSTALLED_CAPACITY, Some(installed_ah).filter(|ah| *ah > 0.0).map(|ah| rounded(ah, 1)))
        .set(b::CAPACITY, left)
        .set(b::CONSUMED_AMP_HOURS, left.map(|left| rounded((left - installed_ah).min(0.0), 1)))
        .set(b::TIME_TO_GO, picture.time_to_go_s.map(time_to_go))
        .set(b::BALANCING, picture.balancing.map(i32::from));
    let cell = |cell: &Option<(f64, String)>| (cell.as_ref().map(|cell| rounded(cell.0, 3)), text(cell));
    let (highest_v, highest) = cell(&picture.highest_cell);
    let (lowest_v, lowest) = cell(&picture.lowest_cell);
    tx.set(b::MAX_CELL_VOLTAGE, highest_v)
        .set(b::MAX_VOLTAGE_CELL_ID, highest)
        .set(b::MIN_CELL_VOLTAGE, lowest_v)
        .set(b::MIN_VOLTAGE_CELL_ID, lowest)
        .set(b::MAX_CELL_TEMPERATURE, picture.hottest.as_ref().map(|spot| rounded(spot.0, 1)))
        .set(b::MAX_TEMPERATURE_CELL_ID, text(&picture.hottest))
        .set(b::MIN_CELL_TEMPERATURE, picture.coldest.as_ref().map(|spot| rounded(spot.0, 1)))
        .set(b::MIN_TEMPERATURE_CELL_ID, text(&picture.coldest));
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    tx.set(b::CELLS_PER_BATTERY, picture.cells_in_series.map(count))
        .set(b::BATTERIES, count(picture.online))
        .set(b::BATTERIES_PARALLEL, count(picture.online))
        .set(b::BATTERIES_SERIES, 1)
        .set(b::MODULES_ONLINE, count(picture.online))
        .set(b::MODULES_OFFLINE, count(picture.offline))
        .set(b::MODULES_BLOCKING_CHARGE, count(picture.blocking_charge))
        .set(b::MODULES_BLOCKING_DISCHARGE, count(picture.blocking_discharge));
}

/// There are data behind the decision, or there were a moment ago: a battery whose driver restarts has not been away.
fn works(decision: &Decision) -> bool {
    let has_none =
        decision.state == State::NoData || matches!(decision.charge.reason.cause(), Reason::ZeroData { .. });
    decision.picture.online > 0 || !has_none
}

fn text(spot: &Option<(f64, String)>) -> Option<String> {
    spot.as_ref().map(|spot| spot.1.clone())
}

/// In whole minutes: it is an estimate, and its seconds would be a change each second.
fn time_to_go(seconds: f64) -> i32 {
    let minutes = (seconds / 60.0).round().clamp(0.0, f64::from(b::TIME_TO_GO_MAX) / 60.0);
    minutes as i32 * 60
}

fn limits(tx: &mut Update<'_>, decision: &Decision, speaks: bool) {
    let Limits { charge_voltage_v, charge_current_a, discharge_current_a } = decision.bank;
    let [volts, charge, discharge] = [
        charge_voltage_v.map(|v| floored(v, 2)),
        charge_current_a.map(|a| floored(a, 1)),
        discharge_current_a.map(|a| floored(a, 1)),
    ];
    let low = decision.low_voltage_v.map(|v| rounded(v, 2));
    tx.set(bank::BANK_MAX_CHARGE_VOLTAGE, volts)
        .set(bank::BANK_MAX_CHARGE_CURRENT, charge)
        .set(bank::BANK_MAX_DISCHARGE_CURRENT, discharge)
        .set(b::BMS_MAX_CHARGE_VOLTAGE, volts)
        .set(b::BMS_MAX_CHARGE_CURRENT, charge)
        .set(b::BMS_MAX_DISCHARGE_CURRENT, discharge)
        .set(b::BMS_LOW_VOLTAGE, low)
        .set(b::BMS_CHARGE_REQUEST, i32::from(decision.charge_request))
        .set(b::BMS_FULL_CHARGE_REQUEST, i32::from(decision.full_charge_request))
        .set(b::ALLOW_TO_CHARGE, charge.map(|a| i32::from(a > 0.0)))
        .set(b::ALLOW_TO_DISCHARGE, discharge.map(|a| i32::from(a > 0.0)));
    let dvcc = if speaks { decision.dvcc } else { Limits::default() };
    let shown = |so: bool| speaks.then_some(i32::from(so));
    tx.set(b::MAX_CHARGE_VOLTAGE, dvcc.charge_voltage_v.map(|v| floored(v, 2)))
        .set(b::MAX_CHARGE_CURRENT, dvcc.charge_current_a.map(|a| floored(a, 1)))
        .set(b::MAX_DISCHARGE_CURRENT, dvcc.discharge_current_a.map(|a| floored(a, 1)))
        .set(b::BATTERY_LOW_VOLTAGE, low.filter(|_| speaks))
        .set(b::CHARGE_REQUEST, shown(decision.charge_request))
        .set(b::FULL_CHARGE_REQUEST, shown(decision.full_charge_request));
}

fn words(tx: &mut Update<'_>, decision: &Decision) {
    let online = decision.picture.online;
    let batteries = if online == 1 { "battery" } else { "batteries" };
    tx.set(b::CHARGE_MODE, decision.mode.clone())
        .set(b::CHARGE_LIMITATION, decision.charge.words.clone())
        .set(b::DISCHARGE_LIMITATION, decision.discharge.words.clone())
        .set(bank::BANK_VOLTAGE_LIMITATION, decision.voltage.words.clone())
        .set(bank::BANK_STATE, decision.state.to_string())
        .set(bank::BANK_VOLTAGE_REASON, decision.voltage.reason.id().to_owned())
        .set(bank::BANK_CHARGE_REASON, decision.charge.reason.id().to_owned())
        .set(bank::BANK_DISCHARGE_REASON, decision.discharge.reason.id().to_owned())
        .set(bank::BANK_UNCONTROLLED, rounded(decision.uncontrolled_a, 1))
        .set(bank::BANK_AC_WANTED, i32::from(decision.ac_wanted))
        .set(bank::BANK_OPEN_CONTACTOR, i32::from(decision.open_contactor))
        .set(b::BMS_STATUS, format!("{online} {batteries}, {}", decision.mode));
}

fn history(tx: &mut Update<'_>, history: &History) {
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let [lowest_v, highest_v] = pair(history.voltage_v, 2);
    let [lowest_cell_v, highest_cell_v] = pair(history.cell_v, 3);
    let [coldest_c, hottest_c] = pair(history.temperature_c, 1);
    // In whole minutes, so that a day without a full charge is not a change each second.
    let since_full =
        history.since_full_s.map(|s| ((s / 60.0).floor() * 60.0).min(f64::from(i32::MAX)) as i32);
    tx.set(b::HISTORY_DEEPEST_DISCHARGE, rounded(-history.deepest_discharge_ah, 1))
        .set(b::HISTORY_LAST_DISCHARGE, rounded(-history.last_discharge_ah, 1))
        .set(b::HISTORY_TOTAL_AH_DRAWN, rounded(-history.discharged_ah, 1))
        .set(b::HISTORY_CHARGED_ENERGY, rounded(history.charged_kwh, 2))
        .set(b::HISTORY_DISCHARGED_ENERGY, rounded(history.discharged_kwh, 2))
        .set(b::HISTORY_CHARGE_CYCLES, history.cycles.min(f64::from(i32::MAX)) as i32)
        .set(b::HISTORY_FULL_DISCHARGES, count(history.full_discharges))
        .set(b::HISTORY_AUTOMATIC_SYNCS, count(history.full_charges))
        .set(b::HISTORY_MINIMUM_VOLTAGE, lowest_v)
        .set(b::HISTORY_MAXIMUM_VOLTAGE, highest_v)
        .set(b::HISTORY_MINIMUM_CELL_VOLTAGE, lowest_cell_v)
        .set(b::HISTORY_MAXIMUM_CELL_VOLTAGE, highest_cell_v)
        .set(b::HISTORY_MINIMUM_TEMPERATURE, coldest_c)
        .set(b::HISTORY_MAXIMUM_TEMPERATURE, hottest_c)
        .set(b::HISTORY_TIME_SINCE_LAST_FULL_CHARGE, since_full)
        .set(b::HAS_TEMPERATURE, i32::from(coldest_c.is_some()))
        .set(b::HISTORY_CAN_BE_CLEARED, 1)
        .set(b::HISTORY_CLEAR, 0);
}

fn pair(extremes: Option<(f64, f64)>, decimals: i32) -> [Option<f64>; 2] {
    let (low, high) = extremes.unzip();
    [low, high].map(|value| value.map(|value| rounded(value, decimals)))
}
