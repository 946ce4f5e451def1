//! Numbers that seldom change: modules, energy, capacity, versions; and the inverter's sign of life.

use crate::message::{BatteryInfo, Capacity, Energy, InstalledCapacity, Message, Modules};
use crate::protocols::Layout;
use crate::protocols::payload::{Writer, unsigned, unsigned_32};

/// 0x305: the inverter is there. Its bytes are zero; a Sunny Island has its status there.
pub(crate) const INVERTER_ALIVE: Layout = Layout {
    name: "inverter_alive",
    shortest: 0,
    decode: |_, _| Ok(Message::InverterAlive),
    encode: |message, _, _| matches!(message, Message::InverterAlive).then_some(()),
};

/// 0x35F: type, version, capacity 1 Ah. SMA has a software version after it, Victron a product id.
pub(crate) const BATTERY_INFO: Layout = Layout {
    name: "battery_info",
    shortest: 4,
    decode: |reader, _| {
        Ok(Message::BatteryInfo(BatteryInfo {
            battery_type_raw: reader.u16().unwrap_or_default(),
            version_bytes: reader.bytes().unwrap_or_default(),
            capacity_ah: reader.u16(),
        }))
    },
    encode: |message, _, writer| {
        let Message::BatteryInfo(info) = message else { return None };
        writer.u16(info.battery_type_raw)?;
        writer.bytes(&info.version_bytes)?;
        writer.unless_ended(info.capacity_ah, Writer::u16)
    },
};

/// 0x372: modules online, blocking charge, blocking discharge, offline.
pub(crate) const MODULES: Layout = Layout {
    name: "modules",
    shortest: 2,
    decode: |reader, _| {
        Ok(Message::Modules(Modules {
            modules_online: reader.u16(),
            modules_blocking_charge: reader.u16(),
            modules_blocking_discharge: reader.u16(),
            modules_offline: reader.u16(),
        }))
    },
    encode: |message, _, writer| {
        let Message::Modules(modules) = message else { return None };
        writer.u16(modules.modules_online?)?;
        writer.unless_ended(modules.modules_blocking_charge, Writer::u16)?;
        writer.unless_ended(modules.modules_blocking_discharge, Writer::u16)?;
        writer.unless_ended(modules.modules_offline, Writer::u16)
    },
};

/// 0x378: charged and discharged, 0.1 kWh.
pub(crate) const ENERGY: Layout = Layout {
    name: "energy",
    shortest: 4,
    decode: |reader, _| {
        Ok(Message::Energy(Energy {
            charged_energy_kwh: f64::from(reader.u32().unwrap_or_default()) / 10.0,
            discharged_energy_kwh: reader.u32().map(|raw| f64::from(raw) / 10.0),
        }))
    },
    encode: |message, _, writer| {
        let Message::Energy(energy) = message else { return None };
        writer.u32(unsigned_32(energy.charged_energy_kwh, 10.0)?)?;
        writer.unless_ended(energy.discharged_energy_kwh, |w, v| w.u32(unsigned_32(v, 10.0)?))
    },
};

/// 0x379: capacity of the bank, 1 Ah.
pub(crate) const INSTALLED_CAPACITY: Layout = Layout {
    name: "installed_capacity",
    shortest: 2,
    decode: |reader, _| {
        let installed_capacity_ah = reader.u16().unwrap_or_default();
        Ok(Message::InstalledCapacity(InstalledCapacity { installed_capacity_ah }))
    },
    encode: |message, _, writer| {
        let Message::InstalledCapacity(capacity) = message else { return None };
        writer.u16(capacity.installed_capacity_ah)
    },
};

/// Discover 0x354: capacity when full, and what is left, 1 Ah.
pub(crate) const CAPACITY: Layout = Layout {
    name: "capacity",
    shortest: 2,
    decode: |reader, _| {
        Ok(Message::Capacity(Capacity {
            capacity_full_ah: f64::from(reader.u16().unwrap_or_default()),
            capacity_remaining_ah: reader.u16().map(f64::from),
            cell_delta_mv: None,
            cycles: None,
        }))
    },
    encode: |message, _, writer| {
        let Message::Capacity(Capacity {
            capacity_full_ah,
            capacity_remaining_ah,
            cell_delta_mv: None,
            cycles: None,
        }) = message
        else {
            return None;
        };
        writer.u16(unsigned(*capacity_full_ah, 1.0)?)?;
        writer.unless_ended(*capacity_remaining_ah, |w, v| w.u16(unsigned(v, 1.0)?))
    },
};
