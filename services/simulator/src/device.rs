//! One simulated battery with its adapter, without I/O and without a clock: time and bytes are passed in.

mod busbar;
mod status;

use crate::adapters::slcan::{Action as Adapted, Adapter, TransmitReply};
use crate::batteries::Dialect;
use crate::can::Frame;
use crate::charger::Charger;
use crate::command::{Action, ModuleAction};
use crate::faults::{Fault, Faults};
use crate::hybrids::Shared;
use crate::inverters::SharedUnit;
use crate::outbox::Outbox;
use crate::plant::alarms::AlarmSet;
use crate::plant::bank::Bank;
use crate::plant::module::Module;
use crate::plant::switches::Contactor;
use crate::profile::Profile;
use crate::report::{Names, Report};

/// How long a BMS takes to restart, in s.
const REBOOT_S: f64 = 20.0;
/// What seldom changes comes with every so many cycles.
const SLOW_CYCLES: u64 = 10;

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
    /// An inverter that obeys what it is told on its own bus, in place of the charger.
    pub hybrid: Option<Shared>,
    /// What the battery speaks.
    pub dialect: &'static Dialect,
    /// Name of the maker; otherwise the dialect's usual one.
    pub manufacturer: Option<String>,
    /// What else it is called.
    pub names: Names,
    /// Every frame has eight bytes.
    pub padded: bool,
    /// Silent until an inverter has spoken.
    pub needs_keep_alive: bool,
    /// An inverter is on the same bus and gives the sign of life.
    pub has_inverter: bool,
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
    cycles: u64,
    line: Vec<u8>,
    heard: bool,
    keep_alives: u64,
    last_keep_alive_s: f64,
    inverter: Option<SharedUnit>,
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
            cycles: 0,
            line: Vec::new(),
            heard: false,
            keep_alives: 0,
            last_keep_alive_s: 0.0,
            inverter: None,
        }
    }

    /// Hangs an inverter on Modbus on its busbar, in place of who carries the current otherwise.
    pub fn carry(&mut self, inverter: SharedUnit) {
        self.inverter = Some(inverter);
    }

    /// The modules, as they really are.
    pub fn bank(&self) -> &Bank {
        &self.parts.bank
    }

    /// The inverter on its busbar.
    pub fn hybrid(&self) -> Option<&Shared> {
        self.parts.hybrid.as_ref()
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
        self.flow(dt_s);
    }

    /// Lets one cycle begin: an inverter on the bus gives its sign of life, and the battery sends its frames.
    pub fn cycle(&mut self) {
        if self.parts.has_inverter {
            for frame in self.reports().first().map(self.parts.dialect.inverter).unwrap_or_default() {
                self.pass_on(frame);
            }
            self.hear_inverter();
        }
        if !self.parts.dialect.is_polled {
            self.send_all();
        }
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
        let dialect = self.parts.dialect;
        let is_slow_cycle = self.cycles.is_multiple_of(SLOW_CYCLES);
        self.cycles += 1;
        for report in self.parts.faults.reports(self.reports(), dialect) {
            let mut frames = (dialect.encode)(&report);
            self.parts.faults.frames(&report, &mut frames);
            frames.retain(|frame| is_slow_cycle || !dialect.slow_ids.contains(&frame.id));
            self.frames.append(&mut frames);
        }
    }

    /// Sends as many frames, those of the last cycle over and over.
    pub fn repeat(&mut self, count: usize) {
        for _ in 0..count {
            let Some(&frame) = self.frames.get(self.next_frame) else { return };
            self.next_frame = (self.next_frame + 1) % self.frames.len();
            let frame = if self.parts.padded { frame.resized(8) } else { frame };
            let frame = self.parts.faults.frame(frame);
            self.pass_on(frame);
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
                Adapted::Transmit(frame) => {
                    if frame.id == self.parts.dialect.keep_alive_id {
                        self.hear_inverter();
                    }
                }
            }
        }
    }

    /// Does what a command says. [`Action::Status`] and [`Action::Report`] change nothing; see
    /// [`Device::status`] and [`Device::reports`].
    pub fn apply(&mut self, action: &Action) {
        match *action {
            Action::Current(current_a) => self.imposed_a = current_a,
            Action::Begin(fault, lasts_s) => self.parts.faults.begin(fault, self.time_s + lasts_s),
            Action::End(fault) => self.parts.faults.end(fault),
            Action::Protection(alarm, on) => self.forced_protections.set(alarm, on),
            Action::Warning(alarm, on) => self.forced_warnings.set(alarm, on),
            Action::Unplug(lasts_s) => self.unplugged_until_s = Some(self.time_s + lasts_s),
            Action::Plug => self.unplugged_until_s = None,
            Action::Dialect(dialect) => self.parts.dialect = dialect,
            Action::Reboot => {
                self.rebooting_until_s = Some(self.time_s + REBOOT_S);
                self.each_module(None, |module| module.switches.ask_contactor(false));
            }
            Action::Ambient(ambient_c) => self.ambient_c = Some(ambient_c),
            Action::Module(number, ref action) => self.each_module(number, |module| adjust(module, action)),
            Action::Status | Action::Report => {}
        }
    }

    /// The battery's reports, one per string.
    pub fn reports(&self) -> Vec<Report> {
        let strings = self.parts.bank.modules().chunks(self.parts.modules_per_string.max(1));
        let manufacturer = self.parts.manufacturer.as_deref().unwrap_or(self.parts.dialect.manufacturer);
        strings
            .zip(0u8..)
            .filter_map(|(modules, address)| {
                let mut report = Report::of(modules, manufacturer, &self.parts.names, address)?;
                report.warnings = report.warnings.union(self.forced_warnings);
                report.protections = report.protections.union(self.forced_protections);
                Some(report)
            })
            .collect()
    }

    fn hear_inverter(&mut self) {
        self.keep_alives += 1;
        self.last_keep_alive_s = self.time_s;
        if self.parts.dialect.is_polled {
            self.send_all();
        }
    }

    fn send_all(&mut self) {
        self.refresh();
        self.repeat(self.frames.len());
    }

    /// Gives a frame on the bus to the computer, if it listens.
    fn pass_on(&mut self, frame: Frame) {
        if !self.heard || !self.adapter.is_open() || self.parts.faults.has(Fault::Hang) || !self.plugged() {
            return;
        }
        self.adapter.line(&frame, (1_000.0 * self.time_s) as u64, &mut self.line);
        self.parts.faults.line(&mut self.line);
        if !self.outbox.push(&self.line) {
            self.adapter.note_overrun();
        }
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
        ModuleAction::Lost(is_lost) => module.is_lost = is_lost,
    }
}
