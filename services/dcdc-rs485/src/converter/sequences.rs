//! What a request means in commands, in the order of SonyCSL/apis-dcdc_batt_comm (essx_type_oes.py).

use std::sync::Arc;

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

impl Owner {
    pub(super) async fn carry_out(&mut self, request: &Request) -> Result<Snapshot, Error> {
        let snapshot = match request {
            Request::Everything => self.everything().await?,
            Request::Status => self.status().await?,
            Request::Set(given) => return self.set(given).await,
            Request::SetCurrent(given) => self.set_current(given).await?,
            Request::SetVoltage(given) => self.set_voltage(given).await?,
            Request::Configure => self.configure().await?,
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
        self.memory.saw_mode(mode);
        Ok(mode)
    }

    async fn write_mode(&mut self, mode: u16) -> Result<Snapshot, Error> {
        let [mode] = self.send(&WRITE_MODE, [mode]).await?;
        self.memory.saw_mode(mode);
        Ok(Snapshot { mode: Some(mode), ..Snapshot::default() })
    }

    async fn set(&mut self, given: &Given) -> Result<Snapshot, Error> {
        let config = self.config.borrow().clone();
        // Everything is worked out before the first byte leaves.
        let plan = self.memory.plan(given, &config.converter)?;
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
        let limits = self.memory.current(given, &config.converter)?;
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
        let (charging, target) = (settings.charging(check)?, settings.battery_target(check)?);
        settings.limits(0, check)?;
        let [_, dig, ..] = self.send(&READ_LIMITS, []).await?;
        let limits = self.send(&WRITE_LIMITS, settings.limits(dig, check)?).await?;
        self.send(&WRITE_CHARGING, charging).await?;
        self.send(&WRITE_BATTERY_TARGET, target).await?;
        Ok(Snapshot { limits: Some(limits), ..Snapshot::default() })
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
