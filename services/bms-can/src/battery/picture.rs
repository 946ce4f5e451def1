//! The newest of everything that a battery has said, with its age.

use tokio::time::Instant;

use super::limits::Permission;
use super::silence::{self, GONE_AFTER};
use super::time_to_go::TimeToGo;
use super::{Conditions, ConfirmedLimits, Identity, Silence};
use crate::message::{
    Capacity, Energy, LatchedAlarms, Measurements, Message, Modules, PairRule, Requests, Soc,
};

/// Whether the bus must hear of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing to tell.
    Nothing,
    /// With the next update.
    Soon,
    /// A limit went down or an alarm came up.
    AtOnce,
}

/// A value and when it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamped<T> {
    pub(super) value: T,
    pub(super) at: Instant,
}

impl<T: Copy> Stamped<T> {
    fn new(value: T, at: Instant) -> Option<Self> {
        Some(Stamped { value, at })
    }

    /// The value while it still stands.
    pub(super) fn standing(&self, now: Instant) -> Option<T> {
        Silence::of(now.duration_since(self.at)).holds().then_some(self.value)
    }
}

/// Highest and lowest cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct CellExtremes {
    pub(super) min_mv: Option<u16>,
    pub(super) max_mv: Option<u16>,
    pub(super) min_c: Option<f64>,
    pub(super) max_c: Option<f64>,
}

/// The newest of each kind of data.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The battery reports its current with the opposite sign.
    invert_current: bool,
    newest: Option<Instant>,
    pub(super) limits: ConfirmedLimits,
    pub(super) limits_at: Option<Instant>,
    pub(super) soc: Option<Stamped<Soc>>,
    pub(super) measured: Option<Stamped<Measurements>>,
    /// Pack voltage of the last two measurements, V.
    pack_v: [Option<f64>; 2],
    pub(super) may_charge: Permission,
    pub(super) may_discharge: Permission,
    pub(super) requests: Option<Stamped<Requests>>,
    pub(super) charge_immediately: Option<Stamped<bool>>,
    pub(super) alarms_at: Option<Instant>,
    pub(super) conditions: Conditions,
    latch: LatchedAlarms,
    pub(super) modules: Option<Stamped<Modules>>,
    pub(super) extremes: Option<Stamped<CellExtremes>>,
    pub(super) cells: Vec<Option<Stamped<u16>>>,
    pub(super) energy: Option<Stamped<Energy>>,
    pub(super) capacity: Option<Stamped<Capacity>>,
    pub(super) installed_ah: Option<f64>,
    pub(super) cycles: Option<Stamped<u16>>,
    identity: Identity,
    pub(super) cell_ids: [Option<crate::message::Text>; 4],
    pub(super) time_to_go: TimeToGo,
}

impl Picture {
    /// Nothing known. `pairs` says how the battery's protocol uses the pairs of frame 0x35A, `invert_current` that the
    /// battery reports its current with the opposite sign.
    #[must_use]
    pub fn new(pairs: PairRule, invert_current: bool) -> Self {
        Picture {
            invert_current,
            newest: None,
            limits: ConfirmedLimits::default(),
            limits_at: None,
            soc: None,
            measured: None,
            pack_v: [None; 2],
            may_charge: Permission::default(),
            may_discharge: Permission::default(),
            requests: None,
            charge_immediately: None,
            alarms_at: None,
            conditions: Conditions::default(),
            latch: LatchedAlarms::new(pairs),
            modules: None,
            extremes: None,
            cells: Vec::new(),
            energy: None,
            capacity: None,
            installed_ah: None,
            cycles: None,
            identity: Identity::default(),
            cell_ids: [None; 4],
            time_to_go: TimeToGo::default(),
        }
    }

    /// Takes in a message of this battery.
    pub fn apply(&mut self, message: &Message, now: Instant) -> Urgency {
        if message.is_from_inverter() {
            return Urgency::Nothing;
        }
        let returned = self.newest.is_some_and(|at| !Silence::of(now.duration_since(at)).holds());
        self.newest = Some(now);
        let (limits, worst) = (self.effective_limits(now), self.conditions.worst());
        self.take(message, now);
        let reduced = matches!((self.effective_limits(now), limits), (Some(now), Some(then)) if now.is_reduced_from(&then));
        if reduced || self.conditions.worst() > worst || returned { Urgency::AtOnce } else { Urgency::Soon }
    }

    fn take(&mut self, message: &Message, now: Instant) {
        if let Some(limits) = message.limits() {
            self.limits.apply(*limits);
            self.limits_at = Some(now);
        }
        if let Some(soc) = message.soc() {
            self.soc = Stamped::new(*soc, now);
            self.take_cycles(soc.cycles, now);
            self.take_extremes(soc.cell_min_mv, soc.cell_max_mv, None, None, now);
        }
        if let Some(measured) = message.measurements() {
            self.take_measurements(*measured, now);
        }
        if let Some(requests) = message.requests() {
            self.requests = Stamped::new(*requests, now);
            self.may_charge.apply(requests.charge_enable);
            self.may_discharge.apply(requests.discharge_enable);
            self.take_cycles(requests.cycles, now);
            if requests.modules_blocking_charge.is_some() || requests.modules_blocking_discharge.is_some() {
                let blocking = Modules {
                    modules_blocking_charge: requests.modules_blocking_charge.map(u16::from),
                    modules_blocking_discharge: requests.modules_blocking_discharge.map(u16::from),
                    ..Modules::default()
                };
                self.take_modules(blocking, now);
            }
        }
        match message {
            Message::Protection(protection) => {
                self.conditions.apply_flags(&protection.flags);
                self.alarms_at = Some(now);
                if let Some(count) = protection.module_count.filter(|count| *count > 0) {
                    let modules_online = Some(u16::from(count));
                    self.take_modules(Modules { modules_online, ..Modules::default() }, now);
                }
                self.take_installed(protection.capacity_ah.map(f64::from));
            }
            Message::Alarms(alarms) => {
                self.latch.apply(alarms);
                self.conditions.apply_pairs(&self.latch);
                self.alarms_at = Some(now);
            }
            Message::ChargeRequest(request) => {
                self.charge_immediately = Stamped::new(request.charge_immediately, now)
            }
            Message::Modules(modules) => self.take_modules(*modules, now),
            Message::Extremes(e) => {
                self.take_extremes(
                    e.cell_min_mv,
                    e.cell_max_mv,
                    e.temperature_min_c,
                    e.temperature_max_c,
                    now,
                );
            }
            Message::RequestsAndExtremes(r) => {
                let e = &r.extremes;
                self.take_extremes(
                    e.cell_min_mv,
                    e.cell_max_mv,
                    e.temperature_min_c,
                    e.temperature_max_c,
                    now,
                );
            }
            Message::CellExtremes(e) => {
                let (min_c, max_c) = (e.temperature_min_c.map(f64::from), e.temperature_max_c.map(f64::from));
                self.take_extremes(Some(e.cell_min_mv), Some(e.cell_max_mv), min_c, max_c, now);
            }
            Message::Cells(cells) => self.take_cells(cells.first, &cells.voltages_mv, now),
            Message::Energy(energy) => self.energy = Stamped::new(*energy, now),
            Message::Capacity(capacity) => {
                self.capacity = Stamped::new(*capacity, now);
                self.take_cycles(capacity.cycles, now);
                self.take_installed(Some(capacity.capacity_full_ah));
            }
            Message::InstalledCapacity(capacity) => {
                self.take_installed(Some(f64::from(capacity.installed_capacity_ah)))
            }
            Message::BatteryInfo(info) => {
                // What is left in some dialects, so only where nothing better is known.
                if self.installed_ah.is_none() {
                    self.take_installed(info.capacity_ah.map(f64::from));
                }
                self.identity.apply(message);
            }
            Message::Label(label) => {
                use crate::message::LabelName::{
                    MaxTemperatureCellId, MaxVoltageCellId, MinTemperatureCellId, MinVoltageCellId,
                };
                let ids = [MinVoltageCellId, MaxVoltageCellId, MinTemperatureCellId, MaxTemperatureCellId];
                for (slot, name) in self.cell_ids.iter_mut().zip(ids) {
                    if label.name == name {
                        *slot = label.text;
                    }
                }
                self.identity.apply(message);
            }
            _ => {}
        }
    }

    /// A battery without a voltmeter sends zeros: at 0 V nothing was measured, and 0 A and 0 °C beside it are none either.
    fn take_measurements(&mut self, told: Measurements, now: Instant) {
        let is_measured = told.voltage_v != Some(0.0);
        let mut measured = if is_measured { told } else { Measurements::default() };
        if self.invert_current {
            measured.current_a = measured.current_a.map(|a| -a);
        }
        self.pack_v = [measured.voltage_v.filter(|v| *v > 0.0), self.pack_v[0]];
        self.measured = Stamped::new(measured, now);
        self.take_cycles(told.cycles, now);
        self.take_extremes(None, None, measured.temperature_min_c, measured.temperature_max_c, now);
        if let Some(current_a) = measured.current_a {
            self.time_to_go.apply(current_a, now);
        }
    }

    /// The pack's voltage by which a charge voltage is chosen while nothing may flow: the higher of the last two, because
    /// one may have been misread.
    pub(super) fn pack_v(&self) -> Option<f64> {
        self.pack_v.into_iter().flatten().reduce(f64::max)
    }

    fn take_cycles(&mut self, cycles: Option<u16>, now: Instant) {
        if let Some(cycles) = cycles {
            self.cycles = Stamped::new(cycles, now);
        }
    }

    fn take_installed(&mut self, ah: Option<f64>) {
        self.installed_ah = ah.filter(|ah| *ah > 0.0).or(self.installed_ah);
    }

    /// Dialects tell of their modules in one frame or in several.
    fn take_modules(&mut self, new: Modules, now: Instant) {
        let old = self.modules.and_then(|m| m.standing(now)).unwrap_or_default();
        let modules = Modules {
            modules_online: new.modules_online.or(old.modules_online),
            modules_blocking_charge: new.modules_blocking_charge.or(old.modules_blocking_charge),
            modules_blocking_discharge: new.modules_blocking_discharge.or(old.modules_blocking_discharge),
            modules_offline: new.modules_offline.or(old.modules_offline),
        };
        self.modules = Stamped::new(modules, now);
    }

    fn take_extremes(
        &mut self,
        min_mv: Option<u16>,
        max_mv: Option<u16>,
        min_c: Option<f64>,
        max_c: Option<f64>,
        now: Instant,
    ) {
        if min_mv.is_none() && max_mv.is_none() && min_c.is_none() && max_c.is_none() {
            return;
        }
        let old = self.extremes.and_then(|e| e.standing(now)).unwrap_or_default();
        let new = CellExtremes {
            min_mv: min_mv.or(old.min_mv),
            max_mv: max_mv.or(old.max_mv),
            min_c: min_c.or(old.min_c),
            max_c: max_c.or(old.max_c),
        };
        self.extremes = Stamped::new(new, now);
    }

    fn take_cells(&mut self, first: u8, voltages_mv: &[Option<u16>], now: Instant) {
        let start = usize::from(first.saturating_sub(1));
        let end = start + voltages_mv.len();
        if self.cells.len() < end {
            self.cells.resize(end, None);
        }
        for (cell, mv) in self.cells.iter_mut().skip(start).zip(voltages_mv) {
            *cell = mv.and_then(|mv| Stamped::new(mv, now));
        }
    }

    /// Who the battery says it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether a first full picture is there: the essentials, and limits that were told twice. So a whole cycle has
    /// passed, with whatever else the battery sends.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.limits.are_confirmed() && self.soc.is_some() && self.measured.is_some()
    }

    /// Whether everything that decides still comes: the essentials, and alarms and requests if it ever sent them.
    #[must_use]
    pub fn is_whole(&self, now: Instant) -> bool {
        let comes = |at: Instant| Silence::of(now.duration_since(at)).holds();
        self.essential_silence(now).holds()
            && self.alarms_at.is_none_or(comes)
            && self.requests.is_none_or(|requests| comes(requests.at))
    }

    /// The silence of all that the battery sends together.
    #[must_use]
    pub fn silence(&self, now: Instant) -> Silence {
        self.newest.map_or(Silence::Gone, |at| Silence::of(now.duration_since(at)))
    }

    /// The silence of the worst of the essentials: limits, state of charge, measurements.
    #[must_use]
    pub fn essential_silence(&self, now: Instant) -> Silence {
        let times = [self.limits_at, self.soc.map(|s| s.at), self.measured.map(|m| m.at)];
        times
            .into_iter()
            .map(|at| at.map_or(Silence::Gone, |at| Silence::of(now.duration_since(at))))
            .max()
            .unwrap_or(Silence::Gone)
    }

    /// The silence to show: that of the essentials, but a battery that still says anything never counts as gone.
    #[must_use]
    pub fn shown_silence(&self, now: Instant) -> Silence {
        self.silence(now).max(self.essential_silence(now).min(Silence::Alarm))
    }

    /// When the passing of time alone will next change what may be said.
    #[must_use]
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let times = [
            self.newest,
            self.limits_at,
            self.alarms_at,
            self.soc.map(|s| s.at),
            self.measured.map(|m| m.at),
            self.requests.map(|r| r.at),
            self.modules.map(|m| m.at),
            self.extremes.map(|e| e.at),
        ];
        times.into_iter().flatten().filter_map(|at| silence::next_change(at, now)).min()
    }

    /// Whether it has been silent for so long that nothing of it is worth keeping.
    #[must_use]
    pub fn is_gone(&self, now: Instant) -> bool {
        self.newest.is_some_and(|at| now.duration_since(at) > GONE_AFTER)
    }
}
