//! What is known of a device when something is to be written to it.

use crate::config;
use crate::device::poll::Device;
use crate::engine::image::Image;
use crate::engine::map::Map;

/// What is known of the device.
#[derive(Clone, Copy)]
pub struct Sight<'s> {
    /// Its map.
    pub map: &'s Map,
    /// Its registers.
    pub image: &'s Image,
    /// Its points.
    pub point: &'s dyn Fn(&str) -> Option<f64>,
    /// The secrets of the configuration.
    pub secret: &'s dyn Fn(&str) -> Option<u32>,
    /// Reads so far.
    pub reads: u64,
}

/// Does something with what is known of a device; nothing while it was not recognised.
pub(super) fn sighted<T>(
    device: &Device,
    config: &config::Device,
    then: impl FnOnce(&Sight<'_>) -> T,
) -> Option<T> {
    let point = |name: &str| device.points().number(name);
    let secret = |name: &str| config.secrets.get(name).copied();
    let map = device.map()?;
    Some(then(&Sight { map, image: device.image(), point: &point, secret: &secret, reads: device.reads() }))
}
