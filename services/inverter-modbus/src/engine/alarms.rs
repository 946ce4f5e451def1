//! Which points say that something is wrong, and of what kind it is.

use super::decode::Value;
use super::map::{Group, Map, Source};
use crate::profile::point::Alarm;

/// What only warns; every other point that knows an alarm means one.
const WARNINGS: &str = "warning_code";

impl Source {
    /// Whether this value of it is that alarm; nothing where it does not know such an alarm.
    fn is(&self, alarm: Alarm, value: &Value) -> Option<bool> {
        let (Source::Bits { alarms, .. } | Source::Word { alarms, .. }) = self else { return None };
        alarms.values().any(|known| *known == alarm).then(|| match value {
            Value::Bits(bits) => bits.alarms.contains(&alarm),
            Value::Word(_, number) => alarms.get(&(*number as i128)) == Some(&alarm),
            Value::Number(_) | Value::Text(_) => false,
        })
    }
}

impl Map {
    /// 0, 1 or 2 for an alarm, by the values of the points; nothing where no point knows it.
    #[must_use]
    pub fn alarm<'v>(&self, alarm: Alarm, value: &dyn Fn(&str) -> Option<&'v Value>) -> Option<i32> {
        let level = |group: &Group| {
            let value = value(&group.name)?;
            let is_raised = group.entries.iter().filter_map(|entry| entry.source.is(alarm, value)).max()?;
            let raised = if group.name == WARNINGS { 1 } else { 2 };
            Some(if is_raised { raised } else { 0 })
        };
        self.groups.iter().filter_map(level).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decode::{Said, decode};
    use crate::engine::image::Image;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;

    /// What a device shows of alarms with these registers.
    fn alarms(profile: &str, table: Table, first: u16, registers: &[u16]) -> Vec<(Alarm, i32)> {
        let map = Map::new(&builtin::by_id(profile).unwrap(), None, false);
        let mut image = Image::default();
        image.put(table, first, registers, 1);
        let heard = decode(&map, &image);
        let value = |name: &str| {
            heard.iter().find(|heard| heard.name == name).and_then(|heard| match &heard.said {
                Said::Value(value) => Some(value),
                _ => None,
            })
        };
        let all = [
            Alarm::HighTemperature,
            Alarm::LowVoltage,
            Alarm::HighVoltage,
            Alarm::Overload,
            Alarm::Ripple,
            Alarm::ShortCircuit,
            Alarm::GridLost,
            Alarm::LowSoc,
            Alarm::LowVoltageAcOut,
            Alarm::HighVoltageAcOut,
            Alarm::PhaseRotation,
        ];
        all.into_iter().filter_map(|alarm| Some((alarm, map.alarm(alarm, &value)?))).collect()
    }

    #[test]
    fn an_alarm_that_no_point_knows_has_no_value() {
        assert_eq!(alarms("sofar-hyd", Table::Holding, 0x0405, &[0, 0xFFFF, 0, 0]), []);
        assert_eq!(
            alarms("goodwe-et", Table::Holding, 35_189, &[0, 0]),
            [(Alarm::HighTemperature, 0), (Alarm::Overload, 0), (Alarm::GridLost, 0)]
        );
    }

    #[test]
    fn faults_are_alarms_and_warnings_are_less() {
        assert_eq!(
            alarms("goodwe-et", Table::Holding, 35_189, &[1 << (20 - 16), 1 << 9]),
            [(Alarm::HighTemperature, 0), (Alarm::Overload, 2), (Alarm::GridLost, 2)]
        );
        assert_eq!(
            alarms("growatt-spf", Table::Input, 41, &[2]),
            [(Alarm::HighTemperature, 1), (Alarm::LowVoltage, 0), (Alarm::Overload, 0)]
        );
    }

    #[test]
    fn a_state_may_be_an_alarm() {
        let of = |state| alarms("solis-hybrid", Table::Input, 33_095, &[state]);
        assert_eq!(of(3), [(Alarm::HighTemperature, 0)]);
        assert_eq!(of(0x1032), [(Alarm::HighTemperature, 2)]);
    }
}
