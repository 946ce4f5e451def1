//! Inverters that work together as one `acsystem`: the half of a hybrid that is controlled.
//!
//! - `part`: what one contributes; `sum`: what they are together, and whose share of a wish is which: pure
//! - `member`: a unit and its system; `show`: a system as items; `life`: the loop of its service
//!
//! Each unit is a `multi` of its own, which is where systemcalc takes its flows from: nothing is counted twice.

mod life;
mod member;
mod part;
mod show;
mod sum;

use std::collections::BTreeMap;
use std::rc::Rc;

use dbus_interfaces::BusAddress;
use futures_util::future::try_join_all;
use service_kit::{Context, Failure};

use crate::config;
use life::System;
use member::Table;
pub(crate) use member::{Member, Wish};
pub(crate) use part::{Line, Part, SetPoint, Side};
pub(crate) use show::flows;

/// The systems of a process, by the name in the configuration.
#[derive(Default)]
pub(crate) struct Systems {
    tables: BTreeMap<String, Rc<Table>>,
    systems: Vec<System>,
}

impl Systems {
    /// A seat for a unit, in the system of its configuration; the first one founds it.
    ///
    /// # Errors
    /// The bus is not there.
    pub(crate) async fn join(
        &mut self,
        config: &config::Device,
        unit: &str,
        service: String,
        bus: &BusAddress,
    ) -> Result<Member, Failure> {
        let instance = config.device_instance;
        if let Some(table) = self.tables.get(&config.system) {
            return Ok(Member::join(table, service, String::new(), instance));
        }
        let table = Rc::new(Table::default());
        // A system without a name is called after the unit that founds it.
        let (name, custom_name) = match config.system.as_str() {
            "" => (unit, config.name.clone()),
            name => (name, Some(name.to_owned())),
        };
        self.systems.push(System::connect(table.clone(), name, instance, custom_name, bus).await?);
        self.tables.insert(config.system.clone(), table.clone());
        Ok(Member::join(&table, service, String::new(), instance))
    }

    /// Runs all systems until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        try_join_all(self.systems.into_iter().map(|system| system.run(context))).await?;
        Ok(())
    }
}
