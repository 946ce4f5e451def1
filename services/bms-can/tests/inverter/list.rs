//! The list of inverters.

use bms_can::inverter::{PROFILES, Proof};

#[test]
fn so_many_inverters_are_listed_without_proof() {
    let models: Vec<_> = PROFILES.iter().flat_map(|profile| profile.models).collect();
    let unverified = models.iter().filter(|model| model.proof == Proof::Unverified).count();
    assert_eq!((models.len(), unverified), (17, 6), "a new mark needs a reason, a removed one a source");
}
