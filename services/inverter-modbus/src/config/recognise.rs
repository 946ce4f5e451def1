//! What a device must show of itself to be taken for one of its profile.

use serde::{Deserialize, Serialize};

use super::Device;
use crate::profile::{Class, Profile};

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
    /// be read stays, and a device with a chain of models needs those that its profile is made of. A meter beside it in the
    /// chain is read only for being shown.
    #[must_use]
    pub fn taken(&self, mut profile: Profile) -> Profile {
        if let Some(identify) = profile.identify.as_mut().filter(|_| self.recognise == Recognise::Any) {
            identify.matches.clear();
        }
        if !self.publish_grid && profile.class != Class::Grid {
            profile.leave_out_meters();
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

    #[test]
    fn a_meter_in_the_chain_of_an_inverter_is_read_only_for_being_shown() {
        let profile = builtin::by_id("sunspec-inverter").unwrap();
        let mut device = Device::at(&profile.id);
        let has_meter = |profile: &Profile| {
            let models = profile.point.iter().map(|point| &point.model);
            models.chain(profile.block.iter().map(|block| &block.model)).any(|model| model.contains(&203))
        };
        assert!(!has_meter(&device.taken(profile.clone())));
        device.publish_grid = true;
        assert!(has_meter(&device.taken(profile)));
        let meter = builtin::by_id("sunspec-meter").unwrap();
        assert!(has_meter(&Device::at(&meter.id).taken(meter)));
    }
}
