//! What a request means in commands, in the order of SonyCSL/apis-dcdc_batt_comm (essx_type_oes.py).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::owner::Owner;
use super::set_points::Given;
use super::{Request, Snapshot};
use crate::config::Config;
use crate::error::Error;
use crate::eza::command::{
    CLEAR_ALARMS, READ_ALARMS, READ_GRID_TARGET, READ_LIMITS, READ_METERS, READ_MODE, READ_STATUS,
    WRITE_BATTERY_TARGET, WRITE_CHARGING, WRITE_GRID_TARGET, WRITE_LIMITS, WRITE_MODE,
};
use crate::eza::words::WAITING;

/// A converter is started on the bus only with set points that were read so short a time ago.
const SET_POINTS_COUNT: Duration = Duration::from_secs(30);

impl Owner {
    pub(super) async fn carry_out(&mut self, request: &Request) -> Result<Snapshot, Error> {
        let snapshot = match request {
            Request::Everything => self.everything().await?,
            Request::Status => self.status().await?,
            Request::Set(given) => return self.set(given).await,
            Request::SetCurrent(given) => self.set_current(given).await?,
            Request::SetVoltage(given) => self.set_voltage(given).await?,
            Request::Configure => self.configure().await?,
            Request::Change(given) => return self.change(given).await,
            Request::Raw(shape, words) => {
                let retries = self.config.borrow().converter.retries();
                let raw = self.send_shape(shape, words, retries).await?;
                return Ok(Snapshot { raw, ..Snapshot::default() });
            }
            Request::ClearAlarms => {
                self.send(&CLEAR_ALARMS, [0, 0]).await?;
                self.everything().await?
            }
            Request::ForceWaiting => self.write_mode(WAITING).await?,
            Request::Forget => {
                self.memory.forget();
                Snapshot::default()
            }
        };
        snapshot.check()?;
        Ok(snapshot)
    }

    async fn everything(&mut self) -> Result<Snapshot, Error> {
        let mode = self.read_mode().await?;
        let [cst, _] = self.send(&READ_STATUS, []).await?;
        let target = self.send(&READ_GRID_TARGET, []).await?;
        let alarms = self.send(&READ_ALARMS, []).await?;
        let meters = self.send(&READ_METERS, []).await?;
        let limits = self.send(&READ_LIMITS, []).await?;
        Ok(Snapshot {
            mode: Some(mode),
            cst: Some(cst),
            alarms: Some(alarms),
            meters: Some(meters),
            target: Some(target),
            limits: Some(limits),
            ..Snapshot::default()
        })
    }

    async fn status(&mut self) -> Result<Snapshot, Error> {
        let mode = self.read_mode().await?;
        let [cst, _] = self.send(&READ_STATUS, []).await?;
        let meters = self.send(&READ_METERS, []).await?;
        Ok(Snapshot { mode: Some(mode), cst: Some(cst), meters: Some(meters), ..Snapshot::default() })
    }

    async fn read_mode(&mut self) -> Result<u16, Error> {
        let [mode] = self.send(&READ_MODE, []).await?;
        Ok(mode)
    }

    pub(super) async fn write_mode(&mut self, mode: u16) -> Result<Snapshot, Error> {
        let [mode] = self.send(&WRITE_MODE, [mode]).await?;
        Ok(Snapshot { mode: Some(mode), ..Snapshot::default() })
    }

    async fn set(&mut self, given: &Given) -> Result<Snapshot, Error> {
        let config = self.config.borrow().clone();
        // Everything is worked out before the first byte leaves.
        let mut plan = self.memory.plan(given, &config.converter)?;
        let verdict = self.may_run(plan.mode)?;
        self.lower(&mut plan.limits, &verdict);
        let mut snapshot = Snapshot::default();
        if plan.is_mode_first {
            snapshot = self.write_mode(plan.mode).await?;
        }
        snapshot.target = Some(self.send(&WRITE_GRID_TARGET, plan.target).await?);
        snapshot.limits = Some(self.send(&WRITE_LIMITS, plan.limits).await?);
        if !plan.is_mode_first {
            snapshot.mode = self.write_mode(plan.mode).await?.mode;
        }
        let [cst, _] = self.send(&READ_STATUS, []).await?;
        snapshot.cst = Some(cst);
        snapshot.alarms = Some(self.send(&READ_ALARMS, []).await?);
        snapshot.meters = Some(self.send(&READ_METERS, []).await?);
        snapshot.check()?;
        self.memory.has_set(plan);
        Ok(snapshot)
    }

    async fn set_current(&mut self, given: &Given) -> Result<Snapshot, Error> {
        let config = self.config.borrow().clone();
        let mut limits = self.memory.current(given, &config.converter)?;
        self.lower(&mut limits, &self.verdict());
        let limits = self.send(&WRITE_LIMITS, limits).await?;
        let meters = self.send(&READ_METERS, []).await?;
        self.memory.has_set_current(given);
        Ok(Snapshot { limits: Some(limits), meters: Some(meters), ..Snapshot::default() })
    }

    async fn set_voltage(&mut self, given: &Given) -> Result<Snapshot, Error> {
        let config = self.config.borrow().clone();
        let target = self.memory.voltage(given, &config.converter)?;
        let target = self.send(&WRITE_GRID_TARGET, target).await?;
        let meters = self.send(&READ_METERS, []).await?;
        self.memory.has_set_voltage(given);
        Ok(Snapshot { target: Some(target), meters: Some(meters), ..Snapshot::default() })
    }

    /// The file's settings, with the grid current that is in force.
    async fn configure(&mut self) -> Result<Snapshot, Error> {
        let config = self.reload()?;
        let check = config.converter.range_check;
        let settings = &config.converter.settings;
        let (mut charging, target) = (settings.charging(check)?, settings.battery_target(check)?);
        settings.limits(0, check)?;
        let [_, dig, ..] = self.send(&READ_LIMITS, []).await?;
        let mut limits = settings.limits(dig, check)?;
        let verdict = self.verdict();
        self.lower(&mut limits, &verdict);
        let [_, volts, ..] = &mut charging;
        *volts = self.lower_voltage(*volts, &verdict);
        let [_, droop] = target;
        let target = [*volts, droop];
        let limits = self.send(&WRITE_LIMITS, limits).await?;
        self.send(&WRITE_CHARGING, charging).await?;
        self.send(&WRITE_BATTERY_TARGET, target).await?;
        Ok(Snapshot { limits: Some(limits), ..Snapshot::default() })
    }

    /// Some of the set points alone, each read back: what is not given stays as it is.
    async fn change(&mut self, given: &Given) -> Result<Snapshot, Error> {
        let config = self.config.borrow().clone();
        let wanted = self.memory.change(given, &config.converter)?;
        if wanted.mode.is_some_and(|mode| mode != WAITING) {
            let picture = self.picture.borrow();
            let is_known = |at: Option<Instant>| at.is_some_and(|at| at.elapsed() <= SET_POINTS_COUNT);
            if !(is_known(picture.target.at()) && is_known(picture.limits.at())) {
                return Err(Error::NoSetPoints);
            }
        }
        if wanted.mode == Some(WAITING) {
            self.change_mode(WAITING).await?;
        }
        if wanted.dvg.is_some() || wanted.drg.is_some() {
            let [dvg, drg] = self.send(&READ_GRID_TARGET, []).await?;
            let target = [wanted.dvg.unwrap_or(dvg), wanted.drg.unwrap_or(drg)];
            self.send(&WRITE_GRID_TARGET, target).await?;
            if self.send(&READ_GRID_TARGET, []).await? != target {
                return Err(Error::NotConfirmed("the grid voltage"));
            }
        }
        if let Some(dig) = wanted.dig {
            let mut limits = config.converter.settings.limits(dig, config.converter.range_check)?;
            self.lower(&mut limits, &self.verdict());
            self.send(&WRITE_LIMITS, limits).await?;
            if self.send(&READ_LIMITS, []).await? != limits {
                return Err(Error::NotConfirmed("the grid current"));
            }
        }
        if let Some(mode) = wanted.mode.filter(|mode| *mode != WAITING) {
            let verdict = self.may_run(mode)?;
            let present = self.send(&READ_LIMITS, []).await?;
            let mut limits = present;
            self.lower(&mut limits, &verdict);
            if limits != present {
                self.send(&WRITE_LIMITS, limits).await?;
            }
            self.change_mode(mode).await?;
        }
        self.memory.has_changed(given);
        Ok(Snapshot::default())
    }

    async fn change_mode(&mut self, mode: u16) -> Result<(), Error> {
        self.write_mode(mode).await?;
        if self.read_mode().await? == mode { Ok(()) } else { Err(Error::NotConfirmed("the mode")) }
    }

    /// Reads the file again; what belongs to ports and to the web API stays as it was at the start.
    fn reload(&self) -> Result<Arc<Config>, Error> {
        let read = Config::load(&self.path).map_err(|failure| Error::Configuration(failure.to_string()))?;
        let mut config = (**self.config.borrow()).clone();
        config.converter.name = read.converter.name;
        config.converter.settings = read.converter.settings;
        if let (Some(present), Some(read)) = (&mut config.battery, read.battery) {
            present.battery_voltage = read.battery_voltage;
            present.battery_current = read.battery_current;
            present.force_dcdc_waiting = read.force_dcdc_waiting;
        }
        let config = Arc::new(config);
        self.config.send_replace(config.clone());
        Ok(config)
    }
}
