//! What the user can set. A set is consistent or it does not exist: there is no way to one that `check` refuses.
//!
//! `table` holds the numbers, `chemistry` what they are for each chemistry, `choices` what is chosen from a few.

mod check;
mod chemistry;
mod choices;
mod table;

use std::collections::BTreeMap;

pub use check::Refusal;
pub use chemistry::{Chemistry, Nature};
pub use choices::{FloorAction, LostMember, NoTemperature, Role, SocSource, Source, Window};
pub use table::{Key, Spec, Unit};

use crate::curve::Curve;
use crate::name::Name;

/// Most windows that there can be.
pub const MOST_WINDOWS: usize = 16;

/// A consistent set of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    numbers: Vec<f64>,
    plan: Plan,
}

/// The settings that are no numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the cells are made of. Another one brings its own defaults: see [`Settings::of`].
    pub chemistry: Chemistry,
    /// Charge C-rate over temperature, °C.
    pub charge_c_over_c: Curve,
    /// Part of the discharge current over temperature, °C.
    pub discharge_over_c: Curve,
    /// Part of the charge current over the temperature of the BMS's electronics, °C.
    pub charge_over_mosfet_c: Curve,
    /// Part of the charge current over the state of charge, %; none for no such limit.
    pub charge_over_soc: Option<Curve>,
    /// Part of the discharge current over the state of charge above the floor, %; none for no such limit.
    pub discharge_over_soc: Option<Curve>,
    /// What each battery service is to the bank, by bus name; automatic for those not named.
    pub roles: BTreeMap<Name, Role>,
    /// When a member falls silent.
    pub silent_member: LostMember,
    /// When a member's service is gone from the bus.
    pub gone_member: LostMember,
    /// When the state of charge is at the floor.
    pub floor_action: FloorAction,
    /// When there is no temperature.
    pub no_temperature: NoTemperature,
    /// Where the state of charge comes from.
    pub soc_source: SocSource,
    /// When to charge from grid and generator. Without a window of its own a source may always charge.
    pub windows: Vec<Window>,
    /// The grid is asked to help when a full charge is due.
    pub full_charge_from_grid: bool,
    /// A contactor may be opened when nothing else stops a charger.
    pub contactor_as_last_resort: bool,
    /// Go below the voltage of the pack to stop a charger that would draw the battery down to it.
    pub lower_voltage_of_followers: bool,
}

impl Settings {
    /// The defaults of a chemistry.
    #[must_use]
    pub fn of(chemistry: Chemistry) -> Settings {
        let column = Chemistry::ALL.iter().position(|&listed| listed == chemistry).unwrap_or(0);
        let default = |key: &Key| key.spec().defaults.get(column).copied().unwrap_or(f64::NAN);
        let nature = chemistry.nature();
        Settings {
            numbers: Key::ALL.iter().map(default).collect(),
            plan: Plan {
                chemistry,
                charge_c_over_c: curve(nature.charge_c_over_c),
                discharge_over_c: curve(nature.discharge_over_c),
                charge_over_mosfet_c: curve(&[(70.0, 1.0), (80.0, 0.25), (90.0, 0.0)]),
                charge_over_soc: None,
                discharge_over_soc: None,
                roles: BTreeMap::new(),
                silent_member: LostMember::StopBank,
                gone_member: LostMember::Exclude,
                floor_action: FloorAction::Limit,
                no_temperature: NoTemperature::Assume,
                soc_source: SocSource::Automatic,
                windows: Vec::new(),
                full_charge_from_grid: false,
                contactor_as_last_resort: false,
                lower_voltage_of_followers: false,
            },
        }
    }

    /// The same with some numbers changed, all of them or none.
    ///
    /// # Errors
    /// When a number leaves its range or the set contradicts itself: every mistake, in a sentence.
    pub fn with(&self, changes: &[(Key, f64)]) -> Result<Settings, Refusal> {
        let mut changed = self.clone();
        for &(key, value) in changes {
            if let Some(number) = changed.numbers.get_mut(key as usize) {
                *number = value;
            }
        }
        changed.checked(changes)
    }

    /// The same with another plan. Its chemistry stays what it is.
    ///
    /// # Errors
    /// When the set contradicts itself: every mistake, in a sentence.
    pub fn planned(&self, change: impl FnOnce(&mut Plan)) -> Result<Settings, Refusal> {
        let mut changed = self.clone();
        change(&mut changed.plan);
        changed.plan.chemistry = self.plan.chemistry;
        changed.checked(&[])
    }

    fn checked(self, changes: &[(Key, f64)]) -> Result<Settings, Refusal> {
        check::check(&self, changes).map(|()| self)
    }

    /// A number; not a number where it means nothing to the chemistry.
    #[must_use]
    pub fn get(&self, key: Key) -> f64 {
        self.numbers.get(key as usize).copied().unwrap_or(f64::NAN)
    }

    /// A number that may mean nothing to the chemistry.
    #[must_use]
    pub fn some(&self, key: Key) -> Option<f64> {
        Some(self.get(key)).filter(|number| !number.is_nan())
    }

    /// A number of which 0 stands for none.
    #[must_use]
    pub fn above_zero(&self, key: Key) -> Option<f64> {
        Some(self.get(key)).filter(|number| *number > 0.0)
    }

    /// What is no number.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the cells are made of.
    #[must_use]
    pub fn chemistry(&self) -> Chemistry {
        self.plan.chemistry
    }

    /// What a battery service is to the bank.
    #[must_use]
    pub fn role(&self, service: &Name) -> Role {
        self.plan.roles.get(service).copied().unwrap_or_default()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings::of(Chemistry::default())
    }
}

fn curve(points: &[(f64, f64)]) -> Curve {
    #[expect(
        clippy::expect_used,
        reason = "constant points; a test holds every one against the rules of a curve"
    )]
    Curve::new(points.to_vec()).expect("the points of a default rise")
}
