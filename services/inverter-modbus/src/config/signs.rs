//! Signs that the user knows better than the profile.

use super::Device;
use crate::profile::names;

impl Device {
    /// Whether a point has the opposite sign of what the profile says.
    #[must_use]
    pub fn is_reversed(&self, point: &str) -> bool {
        match point {
            "battery_power" | "battery_current" => self.battery_reversed,
            // The counters of such meters are right (evcc-io/evcc: templates/definition/meter/solaredge-hybrid.yaml).
            _ => self.meter_reversed && names::is_meter_power(point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_and_a_meter_are_turned_each_for_itself() {
        let mut device = Device::at("sunspec-hybrid");
        let turned = |device: &Device| {
            ["battery_power", "battery_current", "grid_power", "grid_l2_power", "grid_import_energy_total"]
                .map(|point| device.is_reversed(point))
        };
        assert_eq!(turned(&device), [false; 5]);
        device.battery_reversed = true;
        assert_eq!(turned(&device), [true, true, false, false, false]);
        (device.battery_reversed, device.meter_reversed) = (false, true);
        assert_eq!(turned(&device), [false, false, true, true, false]);
        assert!(!device.is_reversed("ac_in_power") && !device.is_reversed("grid_l1_voltage"));
    }
}
