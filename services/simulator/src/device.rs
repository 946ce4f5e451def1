//! One simulated battery with its adapter, without I/O and without a clock: time and bytes are passed in.

use crate::adapters::slcan::{Action as Adapted, Adapter, TransmitReply};
use crate::batteries::Dialect;
use crate::can::Frame;
use crate::charger::Charger;
use crate::command::{Action, ModuleAction};
use crate::faults::{Fault, Faults};
use crate::outbox::Outbox;
use crate::plant::alarms::AlarmSet;
use crate::plant::bank::Bank;
use crate::plant::module::Module;
use crate::plant::switches::Contactor;
use crate::profile::Profile;
use crate::report::{Report, limits};

/// How long a BMS takes to restart, in s.
const REBOOT_S: f64 = 20.0;

/// What a device is made of; [`crate::assembly::devices`] does it from a scenario.
#[derive(Debug)]
pub struct Parts {
    /// All modules of all strings.
    pub bank: Bank,
    /// Modules of each string.
    pub modules_per_string: usize,
    /// The wanted current.
    pub profile: Profile,
    /// Who obeys the limits; nobody imposes the wanted current.
    pub charger: Option<Charger>,
    /// What the battery speaks.
    pub dialect: &'static Dialect,
    /// Name of the maker.
    pub manufacturer: String,
    /// Every frame has eight bytes.
    pub padded: bool,
    /// Silent until an inverter has spoken.
    pub needs_keep_alive: bool,
    /// Temperature of the surroundings in °C, where the profile has none.
    pub ambient_c: f64,
    /// How the adapter answers a sent frame.
    pub transmit_reply: TransmitReply,
    /// Bytes that the adapter holds back.
    pub buffer_bytes: usize,
    /// What happens when, sorted: s and action.
    pub events: Vec<(f64, Action)>,
    /// What garbage looks like.
    pub faults: Faults,
}

/// A running battery.
#[derive(Debug)]
pub struct Device {
    parts: Parts,
    adapter: Adapter,
    outbox: Outbox,
    time_s: f64,
    next_event: usize,
    imposed_a: Option<f64>,
    ambient_c: Option<f64>,
    forced_warnings: AlarmSet,
    forced_protections: AlarmSet,
    rebooting_until_s: Option<f64>,
    unplugged_until_s: Option<f64>,
    frames: Vec<Frame>,
    next_frame: usize,
    heard: bool,
    keep_alives: u64,
    last_keep_alive_s: f64,
}

impl Device {
    /// A battery at its start, plugged in, nobody listening.
    pub fn new(parts: Parts) -> Self {
        Self {
            adapter: Adapter::new(parts.transmit_reply),
            outbox: Outbox::new(parts.buffer_bytes),
            parts,
            time_s: 0.0,
            next_event: 0,
            imposed_a: None,
            ambient_c: None,
            forced_warnings: AlarmSet::default(),
            forced_protections: AlarmSet::default(),
            rebooting_until_s: None,
            unplugged_until_s: None,
            frames: Vec::new(),
            next_frame: 0,
            heard: false,
            keep_alives: 0,
            last_keep_alive_s: 0.0,
        }
    }

    /// The modules, as they really are.
    pub fn bank(&self) -> &Bank {
        &self.parts.bank
    }

    /// What goes to the computer.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Is the adapter plugged in?
    pub fn plugged(&self) -> bool {
        self.unplugged_until_s.is_none()
    }

    /// Does the battery fill the bus at this moment?
    pub fn bursting(&self) -> bool {
        self.parts.faults.has(Fault::Burst)
    }

    /// Somebody has opened the adapter's port, or the last one has closed it. While nobody has, nothing is sent and
    /// nothing kept, as with a USB adapter; its channel stays as it was.
    pub fn set_heard(&mut self, heard: bool) {
        self.heard = heard;
        if !heard {
            self.outbox.clear();
        }
    }

    /// The adapter was plugged in anew: it has forgotten everything.
    pub fn power_up_adapter(&mut self) {
        self.adapter = Adapter::new(self.parts.transmit_reply);
        self.outbox.clear();
        self.heard = false;
    }

    /// Lets time pass.
    pub fn step(&mut self, dt_s: f64) {
        self.time_s += dt_s;
        while let Some((at_s, action)) = self.parts.events.get(self.next_event).cloned() {
            if at_s > self.time_s {
                break;
            }
            self.next_event += 1;
            self.apply(&action);
        }
        self.parts.faults.expire(self.time_s);
        if self.rebooting_until_s.is_some_and(|until_s| self.time_s >= until_s) {
            self.rebooting_until_s = None;
            self.each_module(None, |module| module.switches.ask_contactor(true));
        }
        if self.unplugged_until_s.is_some_and(|until_s| self.time_s >= until_s) {
            self.unplugged_until_s = None;
        }

        let parts = &mut self.parts;
        let ambient_c =
            self.ambient_c.or_else(|| parts.profile.ambient_c(self.time_s)).unwrap_or(parts.ambient_c);
        parts.bank.modules_mut().iter_mut().for_each(|module| module.pack.set_ambient_c(ambient_c));
        let bus_v = parts.bank.bus_v();
        let wanted_a = parts.profile.wanted_a(self.time_s, dt_s, bus_v);
        let obeyed_a = match &mut parts.charger {
            Some(charger) => {
                let limits = limits(parts.bank.modules());
                charger.step(wanted_a, limits, bus_v, parts.bank.resistance_ohm(), dt_s)
            }
            None => wanted_a,
        };
        parts.bank.step(self.imposed_a.unwrap_or(obeyed_a), dt_s);
    }

    /// Sends the frames of one cycle.
    pub fn cycle(&mut self) {
        self.refresh();
        self.repeat(self.frames.len());
    }

    /// Makes the frames of the next cycle without sending them.
    pub fn refresh(&mut self) {
        self.frames.clear();
        self.next_frame = 0;
        let silent =
            self.rebooting_until_s.is_some() || (self.parts.needs_keep_alive && self.keep_alives == 0);
        if silent || self.parts.faults.has(Fault::Silence) {
            return;
        }
        let reports = self.reports();
        for report in self.parts.faults.reports(reports) {
            self.frames.extend((self.parts.dialect.encode)(&report));
        }
    }

    /// Sends as many frames, those of the last cycle over and over.
    pub fn repeat(&mut self, count: usize) {
        if !self.heard || !self.adapter.is_open() || self.parts.faults.has(Fault::Hang) || !self.plugged() {
            return;
        }
        let now_ms = (1_000.0 * self.time_s) as u64;
        let mut line = Vec::new();
        for _ in 0..count {
            let Some(&frame) = self.frames.get(self.next_frame) else { return };
            self.next_frame = (self.next_frame + 1) % self.frames.len();
            let frame = if self.parts.padded { frame.resized(8) } else { frame };
            let frame = self.parts.faults.frame(frame);
            self.adapter.line(&frame, now_ms, &mut line);
            self.parts.faults.line(&mut line);
            if !self.outbox.push(&line) {
                self.adapter.note_overrun();
            }
        }
    }

    /// Takes what the computer has sent to the adapter.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.parts.faults.has(Fault::Hang) {
            return;
        }
        for action in self.adapter.receive(bytes) {
            match action {
                Adapted::Answer(answer) => {
                    self.outbox.push(&answer);
                }
                Adapted::Transmit(frame) if frame.id == self.parts.dialect.keep_alive_id => {
                    self.keep_alives += 1;
                    self.last_keep_alive_s = self.time_s;
                }
                Adapted::Transmit(_) => {}
            }
        }
    }

    /// Does what a command says. [`Action::Status`] changes nothing; see [`Device::status`].
    pub fn apply(&mut self, action: &Action) {
        match *action {
            Action::Current(current_a) => self.imposed_a = current_a,
            Action::Begin(fault, lasts_s) => self.parts.faults.begin(fault, self.time_s + lasts_s),
            Action::End(fault) => self.parts.faults.end(fault),
            Action::Protection(alarm, on) => self.forced_protections.set(alarm, on),
            Action::Warning(alarm, on) => self.forced_warnings.set(alarm, on),
            Action::Unplug(lasts_s) => self.unplugged_until_s = Some(self.time_s + lasts_s),
            Action::Plug => self.unplugged_until_s = None,
            Action::Reboot => {
                self.rebooting_until_s = Some(self.time_s + REBOOT_S);
                self.each_module(None, |module| module.switches.ask_contactor(false));
            }
            Action::Ambient(ambient_c) => self.ambient_c = Some(ambient_c),
            Action::Module(number, ref action) => self.each_module(number, |module| adjust(module, action)),
            Action::Status => {}
        }
    }

    /// The battery's reports, one per string.
    pub fn reports(&self) -> Vec<Report> {
        let strings = self.parts.bank.modules().chunks(self.parts.modules_per_string.max(1));
        strings
            .zip(0u8..)
            .map(|(modules, address)| {
                let mut report = Report::of(modules, &self.parts.manufacturer, address);
                report.warnings = report.warnings.union(self.forced_warnings);
                report.protections = report.protections.union(self.forced_protections);
                report
            })
            .collect()
    }

    /// One line about it all, for people.
    pub fn status(&self) -> String {
        let bank = &self.parts.bank;
        let modules = bank.modules();
        let soc =
            modules.iter().map(|module| module.pack.mean_soc()).sum::<f64>() / modules.len().max(1) as f64;
        let reports = self.reports();
        let limits = limits(modules);
        let names = |sets: &dyn Fn(&Report) -> AlarmSet| {
            let set = reports.iter().map(sets).fold(AlarmSet::default(), AlarmSet::union);
            let names: Vec<&str> = set.iter().map(|alarm| alarm.name()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        };
        let cells = reports.iter().filter_map(|report| report.cells_v);
        let (lowest_v, highest_v) =
            cells.reduce(|(low, high), (l, h)| (low.min(l), high.max(h))).unwrap_or((f64::NAN, f64::NAN));
        let faults: Vec<&str> = self.parts.faults.active().map(Fault::name).collect();
        format!(
            "{:.0} s: {:.2} V {:+.1} A, charge {:.1} %, cells {lowest_v:.3} to {highest_v:.3} V; allows {:.1} V \
             {:.1} A in {:.1} A out; protections {}; warnings {}; faults {}; adapter {}{}; {} keep-alives, the last \
             at {:.0} s; {} bytes sent, {} lines dropped",
            self.time_s,
            bank.bus_v(),
            bank.current_a(),
            100.0 * soc,
            limits.charge_voltage_v,
            limits.charge_current_a,
            limits.discharge_current_a,
            names(&|report| report.protections),
            names(&|report| report.warnings),
            if faults.is_empty() { "none".to_owned() } else { faults.join(" ") },
            if self.plugged() { "plugged in" } else { "unplugged" },
            if self.adapter.is_open() { ", open" } else { ", closed" },
            self.keep_alives,
            self.last_keep_alive_s,
            self.outbox.sent(),
            self.outbox.dropped(),
        )
    }

    fn each_module(&mut self, number: Option<usize>, change: impl Fn(&mut Module)) {
        let modules = self.parts.bank.modules_mut().iter_mut().enumerate();
        modules
            .filter(|(index, _)| number.is_none_or(|number| number == *index))
            .for_each(|(_, module)| change(module));
    }
}

fn adjust(module: &mut Module, action: &ModuleAction) {
    match *action {
        ModuleAction::Soc(soc) => module.pack.set_mean_soc(soc),
        ModuleAction::Temperature(temperature_c) => module.pack.set_temperature_c(temperature_c),
        ModuleAction::Contactor(close) => module.switches.ask_contactor(close),
        ModuleAction::Weld => module.switches.contactor = Contactor::Welded,
        ModuleAction::ChargeBroken(broken) => module.switches.charge_broken = broken,
        ModuleAction::DischargeBroken(broken) => module.switches.discharge_broken = broken,
        ModuleAction::Sensor(sensor, fault) => module.sensors.set_fault(sensor, fault),
    }
}
