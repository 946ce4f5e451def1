//! What a device must show of itself to be taken for one of its profile.

use serde::{Deserialize, Serialize};

use super::Device;
use crate::profile::Profile;

/// What a device must show of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recognise {
    /// What its profile knows it by.
    #[default]
    Listed,
    /// Nothing: the user knows what it is.
    Any,
}

impl Device {
    /// Its profile as it counts for this device: without what it is recognised by where the user knows better. What must never
    /// be read stays, and a device with a chain of models needs those that its profile is made of.
    #[must_use]
    pub fn taken(&self, mut profile: Profile) -> Profile {
        if let Some(identify) = profile.identify.as_mut().filter(|_| self.recognise == Recognise::Any) {
            identify.matches.clear();
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    #[test]
    fn a_device_that_the_user_knows_needs_no_sign_and_keeps_what_must_not_be_read() {
        let profile = builtin::by_id("growatt-spf").unwrap();
        let mut device = Device::at(&profile.id);
        assert_eq!(device.taken(profile.clone()), profile);
        device.recognise = Recognise::Any;
        let taken = device.taken(profile.clone());
        assert!(taken.identify.as_ref().is_some_and(|identify| identify.matches.is_empty()));
        assert!(taken.link.forbids(crate::profile::scalar::Table::Input, 30_000, 1));
        assert!(!device.is_controlled(), "it is only measured");
    }
}
