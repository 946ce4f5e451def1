//! Looking for devices: every simulated device by the search itself, and `busbar scan` and the process on real lines.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "discovery/lines.rs"]
mod lines;
#[path = "discovery/service.rs"]
mod service;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::search::{Finding, Heard, Question, Search, Units, Verdict};
use inverter_modbus::library::Library;
use inverter_modbus::modbus::pdu::{Answer, Request};
use inverter_modbus::profile::builtin;
use simulator::inverters::layout::usual_models;
use simulator::inverters::map::Profile;
use simulator::inverters::plant::{Battery, Kind, Plant, Site};
use simulator::inverters::quantities::Build;
use simulator::inverters::unit::Unit;
use testbed::Process;
use testbed::bed::{SOON, busbar};
use tokio::time::Instant;

/// Starts the simulator with these inverters, and waits for all of them.
#[track_caller]
fn simulator(folder: &Path, inverters: &[String]) -> Process {
    let file = folder.join("scenario.toml");
    let text: Vec<String> =
        inverters.iter().map(|inverter| format!("[[inverter]]\npaced = false\n{inverter}\n")).collect();
    std::fs::write(&file, text.concat()).expect("a file");
    let mut simulator = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
    simulator.wait_for_line(&format!("modbus{} ready", inverters.len() - 1), SOON);
    simulator
}

/// A simulated inverter on the link `rs485` in a folder.
fn on_line(folder: &Path, profile: &str, unit: u8) -> String {
    let link = folder.join("rs485").display().to_string();
    format!("link = {link:?}\nprofile = {profile:?}\nunit = {unit}")
}

/// What was asked of a simulated inverter since this was asked last.
fn journal(simulator: &mut Process, number: usize) -> String {
    simulator.write_line(&format!("inverter {number} journal"));
    simulator.wait_for_line("journal", SOON)
}

/// The first registers of the reads of a journal.
fn read_from(journal: &str) -> Vec<u32> {
    let reads = journal.split_whitespace().filter_map(|word| {
        let mut parts = word.split(':');
        matches!(parts.next(), Some("3" | "4")).then(|| parts.next()?.parse().ok())?
    });
    reads.collect()
}

fn simulated(id: &str) -> Unit {
    let profile = Profile::parse(builtin::text(id).expect("a profile")).expect("a sound one");
    let site = Site { sun_w: 3000.0, load_w: 800.0, house_w: 0.0, grid: true, grid_v: 230.0, grid_hz: 50.0 };
    let battery = Battery { soc: 0.5, capacity_ah: 200.0, nominal_v: 51.2, celsius: 24.0 };
    let build = Build { phases: profile.phases, trackers: 2, rated_w: 5000.0 };
    let models = usual_models(&profile, profile.phases);
    let kind = if profile.offgrid { Kind::OffGrid } else { Kind::Hybrid };
    let plant = Plant::new(site, battery, kind);
    Unit::new(profile.link.units.first().copied().unwrap_or(1), profile, plant, build, &models)
}

/// Searches a line with these devices at any rate; what was asked of each is in its journal.
fn search(devices: &mut [Unit]) -> Vec<Finding> {
    let (knowledge, _) = Knowledge::of(&Library::new(Some(PathBuf::from("/nonexistent"))));
    let mut units: Units = Vec::new();
    for profile in knowledge.profiles() {
        for unit in &profile.link.units {
            match units.iter_mut().find(|(known, _)| known == unit) {
                Some((_, usual)) => drop(usual.insert(profile.id.clone())),
                None => units.push((*unit, BTreeSet::from([profile.id.clone()]))),
            }
        }
    }
    let mut search = Search::new(Arc::new(knowledge), &[units]);
    while let Some(Question { unit, range, .. }) = search.ask() {
        let request = Request::Read { table: range.table, addr: range.addr, count: range.count };
        let device = devices.iter_mut().find(|device| device.number == unit);
        let answer = device.and_then(|device| device.serve(&request.bytes(), Instant::now()));
        search.take(match answer.and_then(|answer| request.answer(&answer.pdu)) {
            Some(Answer::Values(values)) => Heard::Values(values),
            Some(Answer::Exception(code)) => Heard::Refused(code),
            _ => Heard::Silence,
        });
    }
    search.findings()
}

#[test]
fn every_simulated_device_is_recognised_as_itself_and_by_no_other_profile() {
    for id in builtin::ids() {
        let mut device = [simulated(id)];
        let findings = search(&mut device);
        let said: Vec<&Verdict> = findings.iter().map(|finding| &finding.verdict).collect();
        assert_eq!(said, [&Verdict::Is(id.to_owned())], "{id}: {}", device[0].take_journal().join(" "));
        assert_eq!(device[0].resets(), 0, "{id}");
    }
}

/// Every device beside an SPF, at every unit that the SPF may have: the line is safe, whoever else is there.
#[test]
fn beside_an_spf_no_device_is_asked_for_what_resets_it() {
    for id in builtin::ids().filter(|id| *id != "growatt-spf") {
        for spf_unit in [1, 2, 126, 247] {
            let (mut spf, mut other) = (simulated("growatt-spf"), simulated(id));
            (spf.number, other.number) = (spf_unit, if spf_unit == 3 { 1 } else { 3 });
            let mut devices = [spf, other];
            let findings = search(&mut devices);
            let is_spf = |finding: &Finding| finding.verdict == Verdict::Is("growatt-spf".into());
            assert!(findings.iter().any(|finding| finding.unit == spf_unit && is_spf(finding)), "{id}");
            for device in &mut devices {
                let asked = device.take_journal().join(" ");
                assert!(
                    read_from(&asked).iter().all(|first| *first < 29_900),
                    "{id} beside {spf_unit}: {asked}"
                );
                assert_eq!(device.resets(), 0);
            }
        }
    }
}
