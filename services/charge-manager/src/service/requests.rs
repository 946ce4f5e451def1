//! What users ask for by writing to an item, and when it is done.

use dbus_interfaces::classes::bank;
use dbus_interfaces::{Update, WriteRequest};

use crate::decision::Decision;
use crate::input::Site;
use crate::state::State;

/// Requests that stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    full_charge: bool,
    balance: bool,
    equalise: bool,
    charge: bool,
    was: State,
}

impl Requests {
    /// Takes a write if it is one of a request; gives it back if it is not.
    pub(crate) fn take(&mut self, write: WriteRequest) -> Option<WriteRequest> {
        let items = [
            (bank::REQUEST_FULL_CHARGE, &mut self.full_charge),
            (bank::REQUEST_BALANCE, &mut self.balance),
            (bank::REQUEST_EQUALISE, &mut self.equalise),
            (bank::REQUEST_CHARGE, &mut self.charge),
        ];
        for (item, wish) in items {
            if write.is(item) {
                let wanted = write.value().and_then(|value| value.as_i64()) == Some(1);
                if *wish != wanted {
                    tracing::info!(
                        "{} is {}",
                        write.path(),
                        if wanted { "asked for" } else { "no longer asked for" }
                    );
                }
                *wish = wanted;
                write.accept();
                return None;
            }
        }
        Some(write)
    }

    /// Tells the decision.
    pub(crate) fn ask(&self, site: &mut Site) {
        site.wants_full_charge = self.full_charge;
        site.wants_balance = self.balance;
        site.wants_equalisation = self.equalise;
        site.wants_charge = self.charge;
    }

    /// Drops what has been done.
    pub(crate) fn done(&mut self, decision: &Decision) {
        let left = |state: State| self.was == state && decision.state != state;
        self.full_charge &= !decision.became_full;
        self.balance &= !left(State::Balance);
        self.equalise &= !left(State::Equalise);
        self.charge &= !left(State::Forced);
        self.was = decision.state;
    }

    /// Shows them.
    pub(crate) fn show(&self, tx: &mut Update<'_>) {
        tx.set(bank::REQUEST_FULL_CHARGE, i32::from(self.full_charge))
            .set(bank::REQUEST_BALANCE, i32::from(self.balance))
            .set(bank::REQUEST_EQUALISE, i32::from(self.equalise))
            .set(bank::REQUEST_CHARGE, i32::from(self.charge));
    }
}
