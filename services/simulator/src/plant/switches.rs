//! What connects a pack with the busbar: contactor with precharge, charge and discharge transistors.

/// Seconds from the wish to close until current flows: the precharge resistor works first.
pub const PRECHARGE_S: f64 = 2.0;

/// Position of the contactor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contactor {
    /// Nothing flows.
    Open,
    /// Closing; seconds left until current flows.
    Precharging(f64),
    /// Conducting.
    Closed,
    /// Conducting, whatever is asked of it.
    Welded,
}

/// The switches of one pack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switches {
    /// The contactor.
    pub contactor: Contactor,
    /// What the BMS asks of the charge transistor.
    pub charge_on: bool,
    /// What the BMS asks of the discharge transistor.
    pub discharge_on: bool,
    /// Defect: the charge transistor does not conduct.
    pub charge_broken: bool,
    /// Defect: the discharge transistor does not conduct.
    pub discharge_broken: bool,
}

impl Default for Switches {
    /// Everything conducts.
    fn default() -> Self {
        Self {
            contactor: Contactor::Closed,
            charge_on: true,
            discharge_on: true,
            charge_broken: false,
            discharge_broken: false,
        }
    }
}

impl Switches {
    /// May current flow into the pack? With only the discharge transistor off its body diode conducts.
    pub fn may_charge(&self) -> bool {
        self.conducts() && self.charge_on && !self.charge_broken
    }

    /// May current flow out of the pack?
    pub fn may_discharge(&self) -> bool {
        self.conducts() && self.discharge_on && !self.discharge_broken
    }

    /// Asks the contactor to close (precharge first) or to open. A welded one stays.
    pub fn ask_contactor(&mut self, close: bool) {
        self.contactor = match (self.contactor, close) {
            (Contactor::Welded, _) => Contactor::Welded,
            (Contactor::Open, true) => Contactor::Precharging(PRECHARGE_S),
            (closing_or_closed, true) => closing_or_closed,
            (_, false) => Contactor::Open,
        };
    }

    /// Lets time pass.
    pub fn step(&mut self, dt_s: f64) {
        if let Contactor::Precharging(left_s) = self.contactor {
            let left_s = left_s - dt_s;
            self.contactor = if left_s > 0.0 { Contactor::Precharging(left_s) } else { Contactor::Closed };
        }
    }

    fn conducts(&self) -> bool {
        matches!(self.contactor, Contactor::Closed | Contactor::Welded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contactor_conducts_two_seconds_after_it_was_asked_to_close_and_opens_at_once() {
        let mut switches = Switches { contactor: Contactor::Open, ..Switches::default() };
        switches.ask_contactor(true);
        switches.step(1.0);
        switches.ask_contactor(true);
        assert!(!switches.may_charge());
        switches.step(1.0);
        assert!(switches.may_charge() && switches.may_discharge());
        switches.ask_contactor(false);
        assert!(!switches.may_charge() && !switches.may_discharge());
    }

    #[test]
    fn a_welded_contactor_conducts_whatever_is_asked() {
        let mut switches = Switches { contactor: Contactor::Welded, ..Switches::default() };
        switches.ask_contactor(false);
        assert!(switches.may_charge() && switches.may_discharge());
    }
}
