//! A profile that a user has written.

use inverter_modbus::engine::decode::decode;
use inverter_modbus::engine::image::Image;
use inverter_modbus::engine::map::Map;
use inverter_modbus::profile;

/// A text that is taken makes a map, and that reads anything.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(profile) = profile::parse(text, "any.toml") else { return };
    let map = Map::new(&profile, None, true);
    let mut image = Image::default();
    let _ = decode(&map, &image);
    for table in [profile::scalar::Table::Holding, profile::scalar::Table::Input] {
        for addr in (0..=u16::MAX).step_by(64) {
            image.put(table, addr, &[addr, 0xFFFF, 0x8000, 1].repeat(16), 1);
        }
    }
    let _ = decode(&map, &image);
}
