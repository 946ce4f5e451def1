//! The text of settings.xml, as Victron's localsettings writes it: a root `Settings` with `version` and `unique-id`, an
//! element for each step of a path, `type`, `min`, `max`, `default` and `silent` as attributes of a setting and its value
//! as text. A step that begins with a digit has `_` in front, because an XML name may not. Elements are sorted by name.

mod read;
mod write;

pub use read::{Broken, read};
pub use write::write;

use crate::store::Store;

/// The version of the structure that localsettings 1.76 writes.
pub const VERSION: &str = "19";

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The settings.
    pub store: Store,
    /// The version of the structure. One that is not ours is kept, so that a GX device migrates the file when it gets it
    /// back.
    pub version: String,
    /// The id of the device that wrote it.
    pub unique_id: String,
    /// What could not be understood, a line for people each.
    pub left_out: Vec<String>,
}

impl Document {
    /// Nothing, in our own version.
    #[must_use]
    pub fn empty(unique_id: &str) -> Document {
        Document {
            store: Store::default(),
            version: VERSION.to_owned(),
            unique_id: unique_id.to_owned(),
            left_out: Vec::new(),
        }
    }

    /// Takes out what belongs to the device that wrote the file, for use on another one: what localsettings takes out of
    /// an import from another device.
    pub fn keep_what_any_device_can_use(&mut self) {
        for path in ["Devices", "CanBms", "Fronius/InverterIds", "Fronius/Inverters", "Victron/Products"] {
            self.store.prune(&crate::path::join(crate::path::ROOT, path));
        }
    }
}
