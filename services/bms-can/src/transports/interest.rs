//! Which frames a process wants from its bus.

use std::collections::BTreeSet;

use crate::frame::CanId;
use crate::protocols::Protocol;

/// The ids by which inverters speak: their sign of life (Pylontech, CAN bus protocol low voltage V1.3), and that of
/// Victron's.
const INVERTERS: [u32; 2] = [0x305, 0x307];

/// The wanted frames. What a link cannot leave out in the kernel or the adapter it delivers all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Interest {
    /// All: as long as it is open what speaks on the bus.
    #[default]
    Everything,
    /// Data frames with these ids.
    Ids(BTreeSet<CanId>),
}

impl Interest {
    /// What batteries of these dialects at these addresses send, and inverters that talk to them.
    pub fn of(batteries: impl IntoIterator<Item = (&'static Protocol, u8)>) -> Interest {
        let inverters = INVERTERS.into_iter().filter_map(CanId::standard);
        let batteries = batteries.into_iter().flat_map(|(protocol, address)| protocol.ids(address));
        Interest::Ids(batteries.chain(inverters).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::by_name;

    #[test]
    fn a_battery_behind_a_hub_has_extended_ids() {
        let pylontech = by_name("pylontech_lv").unwrap();
        let Interest::Ids(ids) = Interest::of([(pylontech, 0), (pylontech, 4)]) else { panic!() };
        for id in [CanId::standard(0x351), CanId::extended(0x4355), CanId::standard(0x305)] {
            assert!(ids.contains(&id.unwrap()), "{id:?} of {ids:?}");
        }
        assert!(!ids.contains(&CanId::extended(0x351).unwrap()));
        assert!(!ids.contains(&CanId::standard(0x35A).unwrap()), "Pylontech has no such frame");
    }
}
