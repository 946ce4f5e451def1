//! A bank: modules in parallel on one busbar. All have its voltage, and their currents add up to the imposed one.

use super::module::Module;

/// Longest step of the model in s; longer ones are divided.
const MAX_STEP_S: f64 = 1.0;
/// Beyond this a current is a mistake, in A.
const MAX_CURRENT_A: f64 = 20_000.0;

/// Modules in parallel.
#[derive(Debug, Clone)]
pub struct Bank {
    modules: Vec<Module>,
    bus_v: f64,
    current_a: f64,
}

/// What one module is to the busbar during one step.
struct Branch {
    source_v: f64,
    resistance_ohm: f64,
    may_charge: bool,
    may_discharge: bool,
}

impl Branch {
    fn current_a(&self, bus_v: f64) -> f64 {
        let current_a = (bus_v - self.source_v) / self.resistance_ohm;
        match current_a > 0.0 {
            true if self.may_charge => current_a,
            false if self.may_discharge => current_a,
            _ => 0.0,
        }
    }
}

impl Bank {
    /// A bank at rest.
    pub fn new(modules: Vec<Module>) -> Self {
        let mut bank = Self { modules, bus_v: 0.0, current_a: 0.0 };
        bank.bus_v = bank.mean_v();
        bank
    }

    /// The modules.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The modules, to break or mend something in them.
    pub fn modules_mut(&mut self) -> &mut [Module] {
        &mut self.modules
    }

    /// Voltage of the busbar in V.
    pub fn bus_v(&self) -> f64 {
        self.bus_v
    }

    /// Current that really flowed in the last step, in A, positive into the bank.
    pub fn current_a(&self) -> f64 {
        self.current_a
    }

    /// Resistance of the whole bank from the busbar in Ω, RC elements included: what a charger must overcome.
    pub fn resistance_ohm(&self) -> f64 {
        let siemens: f64 =
            self.modules.iter().map(|module| 1.0 / module.pack.thevenin(f64::INFINITY).1).sum();
        if siemens > 0.0 { 1.0 / siemens } else { f64::INFINITY }
    }

    /// Imposes a current for `dt_s` seconds. What no module can take or give does not flow.
    pub fn step(&mut self, current_a: f64, dt_s: f64) {
        let current_a =
            if current_a.is_finite() { current_a.clamp(-MAX_CURRENT_A, MAX_CURRENT_A) } else { 0.0 };
        let mut left_s = dt_s;
        while left_s > 0.0 {
            let step_s = left_s.min(MAX_STEP_S);
            self.short_step(current_a, step_s);
            left_s -= step_s;
        }
    }

    fn short_step(&mut self, wanted_a: f64, dt_s: f64) {
        let branches: Vec<Branch> = self
            .modules
            .iter()
            .map(|module| {
                let (source_v, resistance_ohm) = module.pack.thevenin(dt_s);
                let (may_charge, may_discharge) =
                    (module.switches.may_charge(), module.switches.may_discharge());
                Branch { source_v, resistance_ohm, may_charge, may_discharge }
            })
            .collect();
        self.bus_v = bus_voltage(&branches, wanted_a).unwrap_or_else(|| self.mean_v());
        self.current_a = 0.0;
        for (module, branch) in self.modules.iter_mut().zip(&branches) {
            let current_a = branch.current_a(self.bus_v);
            self.current_a += current_a;
            module.step(current_a, dt_s);
        }
    }

    fn mean_v(&self) -> f64 {
        self.modules.iter().map(|module| module.pack.terminal_v()).sum::<f64>()
            / self.modules.len().max(1) as f64
    }
}

/// The voltage at which the branches carry `wanted_a` together, or as near to it as their switches let them.
///
/// The sum of the branch currents rises with the voltage in straight pieces that meet at the source voltages, so
/// the piece is found by looking at its ends and solved exactly. `None` without any conducting branch.
fn bus_voltage(branches: &[Branch], wanted_a: f64) -> Option<f64> {
    let can_charge = branches.iter().any(|branch| branch.may_charge);
    let can_discharge = branches.iter().any(|branch| branch.may_discharge);
    if !can_charge && !can_discharge {
        return None;
    }
    let wanted_a = wanted_a.clamp(
        if can_discharge { f64::NEG_INFINITY } else { 0.0 },
        if can_charge { f64::INFINITY } else { 0.0 },
    );
    let mut knees_v: Vec<f64> = branches
        .iter()
        .filter(|branch| branch.may_charge || branch.may_discharge)
        .map(|branch| branch.source_v)
        .collect();
    knees_v.sort_by(f64::total_cmp);
    let total_a = |v: f64| branches.iter().map(|branch| branch.current_a(v)).sum::<f64>();
    let reached = knees_v.partition_point(|&v| total_a(v) < wanted_a);
    let below_v = reached.checked_sub(1).and_then(|index| knees_v.get(index)).copied();
    let above_v = knees_v.get(reached).copied();
    // Any point strictly inside the piece shows which branches conduct in it.
    let inside_v = match (below_v, above_v) {
        (Some(below), Some(above)) => 0.5 * (below + above),
        (Some(below), None) => below + 1.0,
        (None, Some(above)) => above - 1.0,
        (None, None) => return None,
    };
    let (mut siemens, mut amps) = (0.0, 0.0);
    for branch in branches.iter().filter(|branch| branch.current_a(inside_v) != 0.0) {
        siemens += 1.0 / branch.resistance_ohm;
        amps += branch.source_v / branch.resistance_ohm;
    }
    if siemens > 0.0 { Some((wanted_a + amps) / siemens) } else { above_v.or(below_v) }
}
