//! The contract with the bus (Victron's `com.victronenergy.BusItem`): services published and followed.
//!
//! - [`Value`], [`Text`], [`Item`]: what an item holds, how it reads, where it stands
//! - [`classes`]: the paths of each service class, one file each
//! - [`Draft`], [`Service`], [`Writes`]: publish a tree of items under one name
//! - [`Monitor`], [`Filter`], [`Events`]: follow other services (`listen` does the I/O, `picture` and `followed` know)
//! - [`follower`]: the one reading of the decision about current
//! - [`bus1`]: commands for the bus that a process owns
//! - [`settings`]: what a device keeps in `com.victronenergy.settings`
//! - [`endpoint`]: calls in, answers and signals out, for what is not a tree of items
//! - `wire`, `coerce`, `dispatch`, `tree`: how a value travels, what a client's write becomes, who answers a call
//! - `marshal`, `socket`, `decimal`: the one message that is sent all day, and its way past the library
//! - [`Refusals`]: which refused writes are worth a line in the log
//!
//! The introspection of every interface stands in `xml/`. No other crate sees the D-Bus library.

mod address;
mod arguments;
pub mod bus1;
pub mod classes;
mod coerce;
mod daemon;
mod decimal;
mod dispatch;
pub mod endpoint;
mod error;
mod events;
mod filter;
mod followed;
pub mod follower;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod incoming;
pub mod introspect;
mod item;
mod listen;
mod marshal;
mod monitor;
mod picture;
mod refusals;
mod service;
pub mod settings;
mod socket;
pub mod text;
mod tree;
mod value;
mod wire;

pub use address::{BusAddress, SESSION_VARIABLE};
pub use arguments::Typed;
pub use coerce::{MAX_TEXT, Refusal, coerce};
pub use error::BusError;
pub use events::Event;
pub use filter::Filter;
pub use incoming::Listed;
pub use item::{Item, ItemType, Kind, Spec};
pub use monitor::{Events, Monitor, Seen};
pub use refusals::Refusals;
pub use service::{BUS_ITEM, Draft, Service, Update, WriteRequest, Writes};
pub use text::Text;
pub use value::Value;
