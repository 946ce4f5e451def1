//! What is set up wrongly around the bank, and what the user is told of it.

use dbus_interfaces::classes::{bank, system};

use crate::rig::{Driver, Pack, Rig, Watch};

fn notes(watch: &Watch, part: &str) -> bool {
    watch.get(bank::BANK_NOTES).is_some_and(|notes| notes.iter().any(|note| note.contains(part)))
}

#[tokio::test]
async fn dvcc_that_is_off_is_said_with_the_remedy_until_it_is_on() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let _one = rig.battery(Pack::ours("one", 100)).await;
    let systemcalc = rig.systemcalc(false).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until("the note", |watch| notes(watch, "DVCC is off: the limits reach no Victron device")).await;
    let before = watch.get(bank::BANK_MAX_DISCHARGE_CURRENT);
    systemcalc.update(|tx| _ = tx.set(system::DVCC, 1)).await.expect("the bus");
    watch.until("no note", |watch| !notes(watch, "DVCC is off")).await;
    assert!(watch.get(bank::BANK_MAX_DISCHARGE_CURRENT) >= before, "the decision is the same");
}

#[tokio::test]
async fn a_foreign_bms_that_keeps_its_limits_is_named_and_so_is_its_lower_instance() {
    let rig = Rig::start();
    let _settings = rig.settings();
    let _systemcalc = rig.systemcalc(true).await;
    // The number that the bank asks for is free: numbers of other makers are not in our settings.
    let low = Pack { driver: Driver::Foreign, ..Pack::ours("serial", -1) };
    let _foreign = rig.battery(low).await;
    let mut watch = rig.watch().await;
    let _manager = rig.manage();
    watch.until("the foreign BMS", |watch| notes(watch, "keeps its own limits on the bus")).await;
    assert!(notes(&watch, "has the instance -1, below that of the bank"));
    assert!(notes(&watch, "Select the bank as controlling BMS"));
}
