//! A battery as the bus is told of it. [`Picture`] holds the newest of each kind of data and its age; [`View`] is what of
//! it may be said now; `publish` says it.

mod conditions;
mod identity;
mod limits;
mod pace;
mod picture;
mod publish;
mod recovery;
mod silence;
mod time_to_go;
mod view;

pub use conditions::{Conditions, Level};
pub use identity::Identity;
pub use limits::{ConfirmedLimits, EffectiveLimits};
pub use pace::Pace;
pub use picture::{Picture, Urgency};
pub(crate) use publish::{Says, identity, update};
pub use recovery::Recovery;
pub use silence::{ALARM_AFTER, GONE_AFTER, LATE_AFTER, STALE_AFTER, Silence};
pub use view::{Facts, View};
