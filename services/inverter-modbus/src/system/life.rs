//! The service of a system: what its units say, added up; what is set at it, shared out.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use dbus_interfaces::classes::{control as c, device};
use dbus_interfaces::{BusAddress, BusError, Value, WriteRequest};
use service_kit::{Context, Failure};
use tokio::time::{Instant, sleep_until};

use super::member::{Table, Wish};
use super::part::Part;
use super::show::show;
use super::sum::{split, sum};
use crate::device::recognise::Identity;
use crate::unit::half::{Half, Happening, Place, Role};

/// The loop comes by at least this often, for the watchdog.
const BEAT: Duration = Duration::from_secs(4);
/// So long units that are known are waited for before the others are shown alone.
const GATHER: Duration = Duration::from_secs(15);

/// A system.
pub(super) struct System {
    table: Rc<Table>,
    half: Half,
    began: Instant,
    /// The set points that it has shown.
    offered: BTreeSet<&'static str>,
}

impl System {
    /// Connects to the bus; nothing is published until a unit is there.
    ///
    /// # Errors
    /// The bus is not there.
    pub(super) async fn connect(
        table: Rc<Table>,
        name: &str,
        instance: i32,
        custom_name: Option<String>,
        bus: &BusAddress,
    ) -> Result<System, Failure> {
        let place = Place { unit: name, connection: "Modbus".to_owned(), instance, name: custom_name, bus };
        let half = Half::connect(Role::System, &place).await?;
        Ok(System { table, half, began: Instant::now(), offered: BTreeSet::new() })
    }

    /// Runs until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub(super) async fn run(mut self, context: &Context) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        let lost = self.half.lost();
        tokio::pin!(lost);
        let outcome = loop {
            context.beat();
            tokio::select! {
                biased;
                () = shutdown.requested() => break Ok(()),
                error = &mut lost => break Err(error),
                () = sleep_until(Instant::now() + BEAT) => {}
                () = self.table.news.notified() => {}
                happening = self.half.happening() => {
                    if let Err(error) = self.take(happening).await {
                        break Err(error);
                    }
                }
            }
            if let Err(error) = self.settle().await {
                break Err(error);
            }
        };
        self.half.leave().await;
        outcome.map_err(Failure::from)
    }

    async fn settle(&mut self) -> Result<(), BusError> {
        let parts = self.parts();
        if parts.is_empty() {
            self.half.withdraw().await;
            return Ok(());
        }
        let seats = self.table.seats.borrow().clone();
        let is_whole = parts.len() == seats.len() || Instant::now() >= self.began + GATHER;
        if !is_whole && !self.half.is_published() {
            return Ok(());
        }
        let (title, identity) = match seats.as_slice() {
            [one] => (one.title.clone(), Identity { serial: one.serial.clone(), ..Identity::default() }),
            [first, rest @ ..] if rest.iter().all(|seat| seat.title == first.title) => {
                (format!("{} x {}", seats.len(), first.title), Identity::default())
            }
            _ => (format!("{} inverters", seats.len()), Identity::default()),
        };
        let whole = sum(&parts);
        self.half.show(&title, &identity, |tx| show(tx, &whole, &seats, &self.offered)).await?;
        self.offered.extend(whole.set_points.iter().map(|point| point.name));
        Ok(())
    }

    /// What the units contribute that are on the bus.
    fn parts(&self) -> Vec<Part> {
        self.table.seats.borrow().iter().filter_map(|seat| seat.part.clone()).collect()
    }

    async fn take(&mut self, happening: Result<Happening, BusError>) -> Result<(), BusError> {
        match happening? {
            Happening::News(news) => self.half.news(news).await?,
            Happening::Write(write) if write.is(device::CUSTOM_NAME) => self.half.rename(write),
            Happening::Write(write) => self.write(write),
        }
        Ok(())
    }

    /// A client sets something at the system: each unit gets its share.
    fn write(&self, write: WriteRequest) {
        let Some((name, _)) = c::SET_POINTS.iter().find(|(_, item)| write.is(*item)) else {
            return write.refuse("nothing can be written here");
        };
        let Some(value) = write.value().and_then(Value::as_f64) else {
            return write.refuse("a number is needed");
        };
        let parts = self.parts();
        let Some(shares) = split(&parts, name, value) else {
            return write.refuse("not every inverter of the system takes its share of it");
        };
        let seats = self.table.seats.borrow();
        let present = seats.iter().filter(|seat| seat.part.is_some());
        let mut is_heard = true;
        for (seat, value) in present.zip(shares) {
            is_heard &= seat.wish(Wish { name, value });
        }
        if is_heard {
            write.confirm_later()
        } else {
            write.refuse("an inverter of the system does not listen")
        }
    }
}
