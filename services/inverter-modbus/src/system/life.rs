//! The service of a system: what its units say, added up; what is set at it, shared out.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use dbus_interfaces::classes::{control as c, device};
use dbus_interfaces::{BusAddress, BusError, Value, WriteRequest};
use service_kit::{Context, Failure};
use tokio::time::{Instant, sleep_until};

use super::member::{Seat, Table, Wish};
use super::part::{MODE, POWER, Part};
use super::show::show;
use super::standard::{BATTERY_POWER, BatteryPower, Step, heard};
use super::sum::{split, sum};
use crate::device::recognise::Identity;
use crate::pulse::Loops;
use crate::unit::half::{Half, Happening, Place, Role};
use crate::unit::in_time;

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
    /// Why the last wish was refused, if it was.
    refusal: Option<&'static str>,
    power: BatteryPower,
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
        Ok(System {
            table,
            half,
            began: Instant::now(),
            offered: BTreeSet::new(),
            refusal: None,
            power: BatteryPower::default(),
        })
    }

    /// Runs until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub(super) async fn run(mut self, context: &Context, loops: &Loops) -> Result<(), Failure> {
        let (shutdown, pulse) = (context.shutdown(), loops.join());
        let lost = self.half.lost();
        tokio::pin!(lost);
        let outcome = loop {
            pulse.beat();
            let mut heard = None;
            tokio::select! {
                biased;
                () = shutdown.requested() => break Ok(()),
                error = &mut lost => break Err(error.into()),
                () = sleep_until(Instant::now() + BEAT) => {}
                () = self.table.news.notified() => {}
                happening = self.half.happening() => heard = Some(happening),
            }
            pulse.beat();
            let turn = async {
                if let Some(happening) = heard {
                    self.take(happening).await?;
                }
                self.settle().await
            };
            if let Err(failure) = in_time(turn, &shutdown).await {
                break Err(failure);
            }
        };
        // Where the bus is gone or stuck there is nothing to leave.
        if outcome.is_ok() {
            self.half.leave().await;
        }
        outcome
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
        self.power.look(whole.is_power_forced);
        let (offered, refusal) = (&self.offered, self.refusal);
        self.half
            .show(&title, &identity, |tx| show(tx, &whole, &self.power, &seats, offered, refusal))
            .await?;
        self.offered.extend(whole.set_points.iter().map(|point| point.name));
        self.offered.extend(Some(MODE).filter(|_| !whole.modes.is_empty()));
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
    fn write(&mut self, write: WriteRequest) {
        let own = c::SET_POINTS.iter().find(|(_, item)| write.is(*item)).map(|(name, _)| *name);
        let own = own.or_else(|| write.is(c::MODE).then_some(MODE));
        let own = own.or_else(|| write.is(c::POWER).then_some(POWER));
        let value = write.value().and_then(Value::as_f64);
        let before = self.power;
        let heard = match self.power.heard(&write) {
            Some(Step::Wait) => return write.confirm_later(),
            Some(Step::End) => Some(Ok((BATTERY_POWER, None))),
            Some(Step::Want(watts)) => Some(Ok((BATTERY_POWER, Some(watts)))),
            None => heard(&write).or(own.map(|name| Ok((name, value)))),
        };
        let (name, value) = match heard {
            Some(Ok(heard)) => heard,
            Some(Err(why)) => return write.refuse(why),
            None => return write.refuse("nothing can be written here"),
        };
        // A way of running without a number is none, and a power is the same forward and back.
        let value = match name {
            MODE => Some(value.unwrap_or(0.0)),
            POWER => Some(value.unwrap_or(0.0).abs()),
            _ => value,
        };
        let passed = pass_on(&self.table.seats.borrow(), name, value, write.client());
        self.refusal = passed.err();
        match passed {
            Ok(()) => write.confirm_later(),
            Err(why) => {
                self.power = before;
                write.refuse(why);
            }
        }
    }
}

/// Gives every unit that is there its share of a set point, or none of them. No value ends it at all of them.
fn pass_on(seats: &[Seat], name: &'static str, value: Option<f64>, client: &str) -> Result<(), &'static str> {
    let present: Vec<&Seat> = seats.iter().filter(|seat| seat.part.is_some()).collect();
    let parts: Vec<Part> = present.iter().filter_map(|seat| seat.part.clone()).collect();
    let shares = match value {
        Some(value) => split(&parts, name, value)
            .ok_or("not every inverter of the system takes its share of it")?
            .into_iter()
            .map(Some)
            .collect(),
        None => vec![None; parts.len()],
    };
    let rooms: Option<Vec<_>> = present.iter().map(|seat| seat.room()).collect();
    for (room, value) in rooms.ok_or("an inverter of the system does not listen")?.into_iter().zip(shares) {
        room.send(Wish { name, value, client: client.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::member::Member;
    use super::super::part::SetPoint;
    use super::*;

    const NAME: &str = "charge_current_limit";

    fn system() -> (Rc<Table>, [Member; 2]) {
        let table = Rc::new(Table::default());
        let members = [11, 12].map(|instance| Member::join(&table, String::new(), instance));
        for member in &members {
            let point = SetPoint { name: NAME, value: Some(10.0), min: 0.0, max: 100.0 };
            member.tell("", None, 11, Part { set_points: vec![point], ..Part::default() });
        }
        (table, members)
    }

    fn wish(value: Option<f64>) -> Option<Wish> {
        Some(Wish { name: NAME, value, client: ":1.7".to_owned() })
    }

    #[test]
    fn a_unit_hears_its_share_and_who_wants_it_and_when_nobody_wants_it_any_more() {
        let (table, mut members) = system();
        for (value, share) in [(Some(90.0), Some(45.0)), (None, None)] {
            assert_eq!(pass_on(&table.seats.borrow(), NAME, value, ":1.7"), Ok(()));
            for member in &mut members {
                assert_eq!(member.wish().now_or_never(), wish(share));
            }
        }
    }

    #[test]
    fn where_one_does_not_listen_no_other_is_set() {
        let (table, mut members) = system();
        while pass_on(&table.seats.borrow(), NAME, Some(90.0), ":1.7").is_ok() {
            assert_eq!(members[0].wish().now_or_never(), wish(Some(45.0)));
        }
        assert_eq!(members[0].wish().now_or_never(), None, "the other has not taken up what came before");
        members[1].leave();
        assert_eq!(pass_on(&table.seats.borrow(), NAME, Some(90.0), ":1.7"), Ok(()));
        assert_eq!(members[0].wish().now_or_never(), wish(Some(90.0)), "alone it takes all of it");
    }
}
