//! Inverters that work together as one `acsystem`: the half of a hybrid that is controlled.
//!
//! - `part`: what one contributes; `sum`: what they are together, and whose share of a wish is which: pure
//! - `member`: a unit and its system; `show`: a system as items; `standard`: what can be set, as Venus calls it; `life`: the loop of its service
//!
//! Each unit is a `multi` of its own, which is where systemcalc takes its flows from: nothing is counted twice.

mod life;
mod member;
mod part;
mod show;
mod standard;
mod sum;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dbus_interfaces::BusAddress;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use service_kit::{Context, Failure};
use tokio::sync::Notify;

use crate::config;
use crate::pulse::Loops;
use life::System;
use member::Table;
pub(crate) use member::{Member, Wish};
pub(crate) use part::{Line, MODE, POWER, Part, SetPoint, Side};
pub(crate) use show::flows;
pub(crate) use standard::{BATTERY_POWER, BatteryPower, Step, heard, show as show_standard, show_mode};

/// The systems of a process, by the name in the configuration. They grow with the units.
#[derive(Default)]
pub(crate) struct Systems {
    tables: RefCell<BTreeMap<String, Rc<Table>>>,
    /// Those that do not run yet.
    founded: RefCell<Vec<System>>,
    news: Notify,
}

impl Systems {
    /// A seat for a unit, in the system of its configuration; the first one founds it.
    ///
    /// # Errors
    /// The bus is not there.
    pub(crate) async fn join(
        &self,
        config: &config::Device,
        unit: &str,
        service: String,
        bus: &BusAddress,
    ) -> Result<Member, Failure> {
        let instance = config.device_instance;
        let known = self.tables.borrow().get(&config.system).cloned();
        if let Some(table) = known {
            return Ok(Member::join(&table, service, instance));
        }
        let table = Rc::new(Table::default());
        self.tables.borrow_mut().insert(config.system.clone(), table.clone());
        // A system without a name is called after the unit that founds it.
        let (name, custom_name) = match config.system.as_str() {
            "" => (unit, config.name.clone()),
            name => (name, Some(name.to_owned())),
        };
        let system = System::connect(table.clone(), name, instance, custom_name, bus).await?;
        self.founded.borrow_mut().push(system);
        self.news.notify_one();
        Ok(Member::join(&table, service, instance))
    }

    /// Runs all systems until the process is asked to stop, those too that are founded meanwhile.
    ///
    /// # Errors
    /// The bus is gone.
    pub(crate) async fn run(&self, context: &Context, loops: &Loops) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let mut running = FuturesUnordered::new();
        loop {
            running.extend(self.founded.take().into_iter().map(|system| system.run(context, loops)));
            tokio::select! {
                () = self.news.notified() => {}
                Some(ended) = running.next() => ended?,
                () = shutdown.requested(), if running.is_empty() => return Ok(()),
            }
        }
    }
}
