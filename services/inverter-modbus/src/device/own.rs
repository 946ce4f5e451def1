//! What this process sets at a device, by the map of it.

use crate::engine::map::Map;
use crate::modbus::raw::Span;

/// Every register and coil that a set point or a way of running, whose writes are among those, may write.
pub(super) fn registers(map: &Map) -> Vec<Span> {
    let points = map.writes.iter().filter_map(|write| write.layout.as_ref());
    let points = points.flat_map(|layout| layout.registers.iter().map(|addr| (layout.table, *addr, 1)));
    let sequences = map.writes.iter().map(|write| &write.spec);
    let sequences = sequences.flat_map(|spec| [&spec.unlock, &spec.sequence, &spec.release]).flatten();
    points.chain(sequences.map(|step| (step.table, step.addr, step.kind.registers().unwrap_or(1)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::profile::scalar::Table;

    #[test]
    fn set_points_sequences_and_ways_of_running_are_this_processs_own() {
        let profile = Library::new(None).get("sungrow-sh").unwrap();
        let own = registers(&Map::new(&profile, None, true));
        let addrs = profile.write.iter().filter_map(|write| write.addr);
        let steps = profile.mode.iter().flat_map(|mode| &mode.sequence).map(|step| step.addr);
        let mut count = 0;
        for addr in addrs.chain(steps) {
            count += 1;
            assert!(own.iter().any(|(table, first, _)| (*table, *first) == (Table::Holding, addr)), "{addr}");
        }
        assert!(count > 3, "{count}");
    }
}
