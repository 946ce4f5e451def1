//! Who belongs to a system, and what they say to each other.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::{Notify, mpsc};

use super::part::Part;

/// So many wishes may wait at a unit; a further one is refused.
const WISHES: usize = 16;

/// One unit of a system.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// Its name on the bus.
    pub(super) service: String,
    /// Its number.
    pub(super) instance: i32,
    /// What it is, for people.
    pub(super) title: String,
    /// Its serial number.
    pub(super) serial: Option<String>,
    /// What it contributes, while it is on the bus.
    pub(super) part: Option<Part>,
    wishes: mpsc::Sender<Wish>,
}

/// What a unit is to set, because the system is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    /// The set point.
    pub(crate) name: &'static str,
    /// The value; nothing when nobody wants it any more.
    pub(crate) value: Option<f64>,
    /// Who has set it at the system, by its name on the bus.
    pub(crate) client: String,
}

/// The seats of a system.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// All that were ever taken.
    pub(super) seats: RefCell<Vec<Seat>>,
    /// Something on them is new.
    pub(super) news: Notify,
}

impl Seat {
    /// Room for a wish; nothing when the unit does not listen.
    pub(super) fn room(&self) -> Option<mpsc::Permit<'_, Wish>> {
        self.wishes.try_reserve().ok()
    }
}

/// A unit's own side of its seat.
#[derive(Debug)]
pub(crate) struct Member {
    table: Rc<Table>,
    number: usize,
    wishes: mpsc::Receiver<Wish>,
}

impl Member {
    /// Takes the next seat.
    pub(super) fn join(table: &Rc<Table>, service: String, instance: i32) -> Member {
        let (sender, wishes) = mpsc::channel(WISHES);
        let mut seats = table.seats.borrow_mut();
        let number = seats.len();
        seats.push(Seat {
            service,
            instance,
            title: String::new(),
            serial: None,
            part: None,
            wishes: sender,
        });
        drop(seats);
        Member { table: table.clone(), number, wishes }
    }

    /// Says what the unit contributes now.
    pub(crate) fn tell(&self, title: &str, serial: Option<&str>, instance: i32, part: Part) {
        if let Some(seat) = self.table.seats.borrow_mut().get_mut(self.number) {
            title.clone_into(&mut seat.title);
            seat.serial = serial.map(str::to_owned);
            (seat.instance, seat.part) = (instance, Some(part));
        }
        self.table.news.notify_one();
    }

    /// The unit has left the bus.
    pub(crate) fn leave(&self) {
        if let Some(seat) = self.table.seats.borrow_mut().get_mut(self.number) {
            seat.part = None;
        }
        self.table.news.notify_one();
    }

    /// What the system wants of it. Dropping the future loses nothing.
    pub(crate) async fn wish(&mut self) -> Wish {
        match self.wishes.recv().await {
            Some(wish) => wish,
            None => std::future::pending().await,
        }
    }
}
