//! What may be said of a battery at a given moment: fresh values, and the safe ones where they are not.

use tokio::time::Instant;

use super::limits::{Permission, safe_voltage};
use super::{EffectiveLimits, Level, Picture, Silence};
use crate::message::Condition;

/// What the user knows of the battery and the battery does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Facts {
    /// Nominal capacity, Ah; outranks what the battery tells.
    pub capacity_ah: Option<f64>,
    /// Cells in series.
    pub cells_in_series: Option<u16>,
}

/// Everything about a battery that goes onto the bus, in the units of the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// How silent the battery is.
    pub silence: Silence,
    /// Pack voltage, V.
    pub voltage_v: Option<f64>,
    /// Pack current, A, positive while charging.
    pub current_a: Option<f64>,
    /// Pack power, W, positive while charging.
    pub power_w: Option<f64>,
    /// Temperature, °C.
    pub temperature_c: Option<f64>,
    /// State of charge, %.
    pub soc_pct: Option<f64>,
    /// State of health, %.
    pub soh_pct: Option<f64>,
    /// Nominal capacity, Ah.
    pub installed_ah: Option<f64>,
    /// What is left, Ah.
    pub remaining_ah: Option<f64>,
    /// Seconds until empty.
    pub time_to_go_s: Option<i32>,
    /// The limits to obey.
    pub limits: EffectiveLimits,
    /// Charging is permitted.
    pub allow_charge: Option<bool>,
    /// Discharging is permitted.
    pub allow_discharge: Option<bool>,
    /// The battery asks to be charged now.
    pub charge_request: Option<bool>,
    /// The battery asks for a full charge.
    pub full_charge_request: Option<bool>,
    /// Lowest and highest cell, V.
    pub cell_v: [Option<f64>; 2],
    /// Coldest and hottest cell, °C.
    pub cell_c: [Option<f64>; 2],
    /// Names of the lowest, highest, coldest and hottest cell.
    pub cell_ids: [Option<String>; 4],
    /// Each cell, V.
    pub cells_v: Vec<Option<f64>>,
    /// Modules online, offline, blocking charge, blocking discharge.
    pub modules: [Option<u16>; 4],
    /// Cells in series.
    pub cells_in_series: Option<u16>,
    /// Charge cycles.
    pub cycles: Option<u16>,
    /// Energy in and out since the battery was made, kWh.
    pub energy_kwh: [Option<f64>; 2],
    /// The alarms in the order of [`Condition::ALL`].
    pub alarms: [Option<Level>; 13],
    /// How the data are, in words.
    pub status: String,
}

impl View {
    /// The limits with this part of the charge current, 0 to 1, in whole amperes.
    #[must_use]
    pub fn slowed(&self, part: f64) -> EffectiveLimits {
        let whole_a = self.limits.charge_current_a;
        let charge_current_a = if part < 1.0 { (whole_a * part).floor() } else { whole_a };
        EffectiveLimits { charge_current_a, ..self.limits }
    }

    /// No current either way, and no more voltage than the pack has.
    #[must_use]
    pub fn nothing_allowed(&self) -> EffectiveLimits {
        let charge_voltage_v = safe_voltage(self.limits.charge_voltage_v, self.voltage_v);
        EffectiveLimits { charge_voltage_v, charge_current_a: 0.0, discharge_current_a: 0.0, ..self.limits }
    }
}

impl Picture {
    /// The limits as they may be obeyed now; `None` before the battery has told any.
    #[must_use]
    pub fn effective_limits(&self, now: Instant) -> Option<EffectiveLimits> {
        let believed = self.limits.believed()?;
        let safe_v = safe_voltage(believed.charge_voltage_limit_v, self.pack_v());
        if !self.essential_silence(now).holds() {
            return Some(EffectiveLimits {
                charge_voltage_v: safe_v,
                charge_current_a: 0.0,
                discharge_current_a: 0.0,
                discharge_voltage_v: believed.discharge_voltage_limit_v,
            });
        }
        let permitted = |by: Permission, a: Option<f64>| if by.is_banned() { 0.0 } else { a.unwrap_or(0.0) };
        Some(EffectiveLimits {
            charge_voltage_v: believed.charge_voltage_limit_v.or(safe_v),
            charge_current_a: permitted(self.may_charge, believed.charge_current_limit_a),
            discharge_current_a: permitted(self.may_discharge, believed.discharge_current_limit_a),
            discharge_voltage_v: believed.discharge_voltage_limit_v,
        })
    }

    /// What may be said now; `None` before the battery has told its limits.
    #[must_use]
    pub fn view(&self, facts: &Facts, now: Instant) -> Option<View> {
        let limits = self.effective_limits(now)?;
        let measured = self.measured.and_then(|m| m.standing(now)).unwrap_or_default();
        let soc = self.soc.and_then(|s| s.standing(now)).unwrap_or_default();
        let soc_pct = soc.soc_hires_pct.or(soc.soc_pct.map(f64::from));
        let requests = self.requests.and_then(|r| r.standing(now));
        let allowed = |by: Permission| if by.is_banned() { Some(false) } else { requests.map(|_| true) };
        let current_a = measured.current_a;
        let capacity = self.capacity.and_then(|c| c.standing(now));
        let installed_ah = facts.capacity_ah.or(self.installed_ah);
        let told_ah = capacity.and_then(|c| c.capacity_remaining_ah);
        let remaining_ah = told_ah.or_else(|| Some(installed_ah? * soc_pct? / 100.0));
        let extremes = self.extremes.and_then(|e| e.standing(now)).unwrap_or_default();
        let volts = |mv: Option<u16>| mv.map(|mv| f64::from(mv) / 1000.0);
        let modules = self.modules.and_then(|m| m.standing(now)).unwrap_or_default();
        let energy = self.energy.and_then(|e| e.standing(now));
        let requested = |flag: Option<bool>| flag.unwrap_or_default();
        let immediately = self.charge_immediately.and_then(|c| c.standing(now));
        let asks = requests.map(|r| {
            requested(r.force_charge_1) || requested(r.force_charge_2) || requested(r.charge_immediately)
        });
        Some(View {
            silence: self.shown_silence(now),
            voltage_v: measured.voltage_v,
            current_a,
            power_w: measured.voltage_v.zip(current_a).map(|(v, a)| (v * a * 10.0).round() / 10.0),
            temperature_c: measured.temperature_c.or(measured.temperature_max_c),
            soc_pct,
            soh_pct: soc.soh_pct.map(f64::from),
            installed_ah,
            remaining_ah,
            time_to_go_s: remaining_ah
                .filter(|_| current_a.is_some())
                .and_then(|ah| self.time_to_go.seconds(ah)),
            limits,
            allow_charge: allowed(self.may_charge),
            allow_discharge: allowed(self.may_discharge),
            charge_request: asks.or(immediately).map(|asks| asks || immediately.unwrap_or_default()),
            full_charge_request: requests.and_then(|r| r.full_charge_request),
            cell_v: [volts(extremes.min_mv), volts(extremes.max_mv)],
            cell_c: [extremes.min_c, extremes.max_c],
            cell_ids: self.cell_ids.map(|id| id.map(|id| id.to_string())),
            cells_v: self.cells.iter().map(|cell| volts(cell.and_then(|c| c.standing(now)))).collect(),
            modules: [
                modules.modules_online,
                modules.modules_offline,
                modules.modules_blocking_charge,
                modules.modules_blocking_discharge,
            ],
            cells_in_series: facts.cells_in_series,
            cycles: self.cycles.and_then(|c| c.standing(now)),
            energy_kwh: [energy.map(|e| e.charged_energy_kwh), energy.and_then(|e| e.discharged_energy_kwh)],
            alarms: self.alarms(now),
            status: self.status(now),
        })
    }

    fn alarms(&self, now: Instant) -> [Option<Level>; 13] {
        let mut conditions = self.conditions;
        if !self.alarms_at.is_some_and(|at| Silence::of(now.duration_since(at)).holds()) {
            conditions.keep_only_faults();
        }
        Condition::ALL.map(|condition| conditions.level(condition))
    }

    /// One sentence on how the data are. It changes with the steps of silence only, so that it does not tick.
    fn status(&self, now: Instant) -> String {
        match (self.silence(now), self.essential_silence(now)) {
            (Silence::Fresh, Silence::Fresh) => "fresh data".to_owned(),
            (Silence::Fresh | Silence::Late, Silence::Fresh | Silence::Late) => {
                "no data for more than 3 s: the last values stand".to_owned()
            }
            (Silence::Fresh | Silence::Late, _) => {
                let missing = self.missing(now).join(" and ");
                format!(
                    "the battery talks, but has not told its {missing} for more than 10 s: limits are 0 A"
                )
            }
            (Silence::Stale, _) => "no data for more than 10 s: limits are 0 A".to_owned(),
            (Silence::Alarm, _) => "no data for more than 30 s: limits are 0 A, check the cable".to_owned(),
            (Silence::Gone, _) => "no data for more than 60 s".to_owned(),
        }
    }

    fn missing(&self, now: Instant) -> Vec<&'static str> {
        let old = |at: Option<Instant>| !at.is_some_and(|at| Silence::of(now.duration_since(at)).holds());
        [
            (self.limits_at, "limits"),
            (self.soc.map(|s| s.at), "state of charge"),
            (self.measured.map(|m| m.at), "measurements"),
        ]
        .into_iter()
        .filter_map(|(at, what)| old(at).then_some(what))
        .collect()
    }
}
