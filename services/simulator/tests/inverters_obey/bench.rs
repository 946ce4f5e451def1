//! An inverter without a line: requests, time, and what flows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use simulator::inverters::map::Profile;
use simulator::inverters::plant::{Battery, Flow, Kind, Plant, Site};
use simulator::inverters::quantities::Build;
use simulator::inverters::unit::Unit;
use simulator::inverters::{layout, modbus};
use tokio::time::Instant;

/// An inverter and the clock it lives by.
pub(crate) struct Bench {
    pub(crate) unit: Unit,
    now: Instant,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/profiles")
}

impl Bench {
    /// 500 W beside it on the grid, a battery of 51.2 V and 200 Ah, 5 kW.
    pub(crate) fn new(id: &str, sun_w: f64, load_w: f64, soc: f64) -> Bench {
        Bench::with_models(id, sun_w, load_w, soc, &[])
    }

    /// The same with this chain of models.
    pub(crate) fn with_models(id: &str, sun_w: f64, load_w: f64, soc: f64, models: &[u16]) -> Bench {
        let text = std::fs::read_to_string(folder().join(id).with_extension("toml")).unwrap();
        let profile = Profile::parse(&text).unwrap();
        let is_high = id == "deye-three-phase-hv";
        let site = Site { sun_w, load_w, house_w: 500.0, grid: true, grid_v: 230.0, grid_hz: 50.0 };
        let nominal_v = if is_high { 400.0 } else { 51.2 };
        let battery = Battery { soc, capacity_ah: 200.0, nominal_v, celsius: 24.0 };
        let kind = match (profile.class.as_str(), profile.offgrid) {
            ("pvinverter", _) => Kind::Solar,
            (_, true) => Kind::OffGrid,
            _ => Kind::Hybrid,
        };
        let build = Build { phases: profile.phases, trackers: 2, rated_w: 5_000.0 };
        let models =
            if models.is_empty() { layout::usual_models(&profile, profile.phases) } else { models.to_vec() };
        let unit = Unit::new(1, profile, Plant::new(site, battery, kind), build, &models);
        Bench { unit, now: Instant::now() }
    }

    pub(crate) fn ask(&mut self, pdu: &[u8]) -> Vec<u8> {
        self.unit.serve(pdu, self.now).unwrap().pdu
    }

    /// Function 16; the exception, if there is one.
    pub(crate) fn write(&mut self, first: u16, words: &[u16]) -> Result<(), u8> {
        let mut pdu = vec![16];
        pdu.extend(first.to_be_bytes());
        pdu.extend((words.len() as u16).to_be_bytes());
        pdu.push(2 * words.len() as u8);
        pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        let answer = self.ask(&pdu);
        if modbus::is_exception(&answer) { Err(answer[1]) } else { Ok(()) }
    }

    pub(crate) fn holding(&mut self, register: u16) -> u16 {
        let [high, low] = register.to_be_bytes();
        let answer = self.ask(&[3, high, low, 0, 1]);
        u16::from_be_bytes([answer[2], answer[3]])
    }

    pub(crate) fn pass(&mut self, seconds: u64) -> Flow {
        self.now += Duration::from_secs(seconds);
        self.unit.pass_time(self.now);
        self.flow()
    }

    /// What flows, balanced.
    #[track_caller]
    pub(crate) fn flow(&self) -> Flow {
        let flow = self.unit.plant.flow();
        let Flow { pv_w, ac_in_w, ac_out_w, battery_w, loss_w, .. } = flow;
        assert!((pv_w + ac_in_w - ac_out_w - battery_w - loss_w).abs() < 1e-6, "{flow:?}");
        let through_w = pv_w + ac_in_w.abs() + battery_w.abs();
        assert!(loss_w >= -1e-9 && loss_w <= 0.1 * through_w + 60.0, "{flow:?}");
        flow
    }
}

#[track_caller]
pub(crate) fn close(is: f64, should: f64) {
    assert!((is - should).abs() < 0.02 * should.abs().max(50.0), "{is}, not {should}");
}
