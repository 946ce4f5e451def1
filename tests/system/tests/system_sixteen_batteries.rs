//! Sixteen batteries on one bus: what they say there, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use system_tests::systemcalc::Items;
use system_tests::{Heard, Site, Watch, What, battery};
use testbed::eventually;

const BATTERIES: usize = 16;
/// Sixteen processes start at once, on a busy machine.
const ALL: Duration = Duration::from_secs(60);
const SPAN: Duration = Duration::from_secs(10);

fn all_there(watch: &Watch) -> bool {
    (0..BATTERIES).all(|number| watch.shows(&battery(number), "/Connected") == json!(1))
}

fn numbers(watch: &Watch) -> BTreeSet<i64> {
    (0..BATTERIES).filter_map(|number| watch.shows(&battery(number), "/DeviceInstance").as_i64()).collect()
}

/// Whether any limit is lower than before.
fn is_reduction(before: &Items, changed: &Items) -> bool {
    changed.iter().any(|(path, value)| {
        let is_limit = path.contains("/Max") && (path.starts_with("/Info/") || path.starts_with("/Bms/"));
        let then = before.get(path).and_then(Value::as_f64);
        is_limit && then.is_some_and(|then| value.as_f64().is_none_or(|now| now < then))
    })
}

#[test]
fn each_says_once_a_second_what_has_changed_and_nothing_else() {
    // Without a settings service: numbers and names are those of the configuration.
    let mut site = Site::start_without_settings(BATTERIES, "");
    let mut watch = Watch::on(&site.bus);
    let name = |number| format!("Rack {number}");
    let serve = |number| site.serve(number, &format!("name = {:?}", name(number)));
    let _services: Vec<_> = (0..BATTERIES).map(serve).collect();
    watch.until(ALL, all_there);
    let start = watch.now();
    // Much happens at once, and goes on.
    site.simulator.write_line("current 20");
    watch.until(3 * SPAN, |watch| watch.now() >= start + SPAN);

    let mut known: BTreeMap<&str, Items> = BTreeMap::new();
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    for Heard { at, service, what } in watch.heard() {
        let known = known.entry(service).or_default();
        match what {
            What::Appeared(items) => *known = items.clone(),
            What::Changed(items) => {
                for (path, value) in items {
                    assert_ne!(known.get(path), Some(value), "{service}{path} was sent and has not changed");
                }
                if *at >= start && !is_reduction(known, items) {
                    *said.entry(service).or_default() += 1;
                }
                known.extend(items.clone());
            }
            What::Gone => panic!("{service} has left"),
        }
    }
    for number in 0..BATTERIES {
        // One of them may stand at each end of the span.
        let count = said.get(battery(number).as_str()).copied().unwrap_or_default();
        assert!((5..=11).contains(&count), "battery {number} has said {count} things in {SPAN:?}");
    }
    let total: usize = said.values().sum();
    println!("{total} messages of {BATTERIES} batteries in {SPAN:?}");
    for number in 0..BATTERIES {
        assert_eq!(watch.shows(&battery(number), "/DeviceInstance"), json!(100 + number));
        assert_eq!(watch.shows(&battery(number), "/CustomName"), json!(name(number)));
    }
}

#[test]
fn each_gets_a_number_of_its_own_and_keeps_it_with_its_name() {
    let site = Site::start(BATTERIES);
    let mut watch = Watch::on(&site.bus);
    // Nobody has configured a number.
    let mut services: Vec<_> = (0..BATTERIES).map(|number| site.serve_as(number, "")).collect();
    watch.until(ALL, all_there);
    assert_eq!(numbers(&watch), (100..116).collect());

    for number in 0..BATTERIES {
        let name = format!("Rack {number}");
        assert_eq!(site.bus.set_value(&battery(number), "/CustomName", &["s", &name]), Ok(0));
    }
    let named = |watch: &Watch| {
        (0..BATTERIES)
            .all(|number| watch.shows(&battery(number), "/CustomName") == json!(format!("Rack {number}")))
    };
    watch.until(ALL, named);
    let first = watch.shows(&battery(3), "/DeviceInstance");
    services.remove(3).terminate();
    eventually(ALL, || site.bus.get_value(&battery(3), "/Connected").is_err());
    let _again = site.serve_as(3, "");
    watch.until(ALL, |watch| watch.systemcalc.battery(&battery(3)).is_none());
    watch.until(ALL, all_there);
    assert_eq!(watch.shows(&battery(3), "/DeviceInstance"), first);
    assert!(named(&watch));
}
