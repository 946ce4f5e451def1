//! The paths that every device service has (velib_python `vedbus.py`, `add_mandatory_paths`).

use crate::{Draft, Item, Text, text};

/// Name of the program.
pub const PROCESS_NAME: Item<String> = Item::new("/Mgmt/ProcessName", Text::Plain);
/// Version of the program.
pub const PROCESS_VERSION: Item<String> = Item::new("/Mgmt/ProcessVersion", Text::Plain);
/// What the device hangs on, for people.
pub const CONNECTION: Item<String> = Item::new("/Mgmt/Connection", Text::Plain);
/// Number of the device within its class; what MQTT, VRM and Modbus address it by.
pub const DEVICE_INSTANCE: Item<i32> = Item::new("/DeviceInstance", Text::Plain);
/// Product id; see each class for ours.
pub const PRODUCT_ID: Item<i32> = Item::new("/ProductId", Text::Hex);
/// What the device is called when the user has given it no name.
pub const PRODUCT_NAME: Item<String> = Item::new("/ProductName", Text::Plain);
/// What the user calls it.
pub const CUSTOM_NAME: Item<String> = Item::new("/CustomName", Text::Plain).writable();
/// Firmware of the device, as its maker writes it.
pub const FIRMWARE_VERSION: Item<String> = Item::new("/FirmwareVersion", Text::Plain);
/// Hardware of the device, as its maker writes it.
pub const HARDWARE_VERSION: Item<String> = Item::new("/HardwareVersion", Text::Plain);
/// 1 while the device communicates. systemcalc disregards a device where this is not exactly 1.
pub const CONNECTED: Item<i32> = Item::new("/Connected", text::NO_YES);
/// Serial number.
pub const SERIAL: Item<String> = Item::new("/Serial", Text::Plain);

/// Who a device is: everything that a service must say before it has its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the program.
    pub process_name: &'static str,
    /// Its version.
    pub process_version: &'static str,
    /// What the device hangs on, for people: `slcan /dev/ttyACM0`.
    pub connection: String,
    /// Number within the class.
    pub device_instance: i32,
    /// Constant of the class.
    pub product_id: i32,
    /// Never empty: the GUI hides a device without a name.
    pub product_name: String,
    /// The user's own name for it.
    pub custom_name: Option<String>,
    /// As the maker writes it.
    pub firmware_version: Option<String>,
    /// As the maker writes it.
    pub hardware_version: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
}

impl Identity {
    /// Adds all of it, with `/Connected` 1.
    pub fn add_to(self, draft: &mut Draft) {
        draft
            .add(PROCESS_NAME, self.process_name.to_owned())
            .add(PROCESS_VERSION, self.process_version.to_owned())
            .add(CONNECTION, self.connection)
            .add(DEVICE_INSTANCE, self.device_instance)
            .add(PRODUCT_ID, self.product_id)
            .add(PRODUCT_NAME, self.product_name)
            .add(CUSTOM_NAME, self.custom_name)
            .add(FIRMWARE_VERSION, self.firmware_version)
            .add(HARDWARE_VERSION, self.hardware_version)
            .add(SERIAL, self.serial)
            .add(CONNECTED, 1);
    }
}
