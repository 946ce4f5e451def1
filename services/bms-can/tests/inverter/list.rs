//! The list of inverters.

use bms_can::inverter::{PROFILES, Proof, UNSERVED, list};

#[test]
fn so_many_inverters_are_listed_without_proof() {
    let models: Vec<_> = PROFILES.iter().flat_map(|profile| profile.models).collect();
    let unverified = models.iter().filter(|model| model.proof == Proof::Unverified).count();
    assert_eq!((models.len(), unverified), (17, 6), "a new mark needs a reason, a removed one a source");
    let unverified = UNSERVED.iter().filter(|model| model.proof == Proof::Unverified).count();
    assert_eq!((UNSERVED.len(), unverified), (9, 1));
    assert_eq!(list().matches("**unverified**").count(), 7);
}

#[test]
fn the_page_in_the_repository_is_what_the_profiles_make() {
    let page = include_str!("../../INVERTERS.md");
    assert_eq!(page, list(), "busbar inverters > services/bms-can/INVERTERS.md");
}
