use proptest::prelude::*;
use simulator::batteries::DIALECTS;
use simulator::report::{Modules, Place, Report};

use crate::support::{report, sent};

proptest! {
    #[test]
    fn any_number_is_encoded_into_the_nearest_that_fits(
        voltage_v: f64, current_a: f64, temperature_c: f64, soc_percent: f64, limit_a: f64, manufacturer: String,
    ) {
        let mut report = Report { voltage_v, current_a, temperature_c, soc_percent, manufacturer, ..report() };
        report.limits.charge_current_a = limit_a;
        let measured = sent("pylontech_lv", &report, 0x356).unwrap();
        let raw = i16::from_le_bytes([measured.data()[0], measured.data()[1]]);
        let expected = (voltage_v / 0.01).round().clamp(-32_768.0, 32_767.0);
        prop_assert!(voltage_v.is_nan() || f64::from(raw) == expected);
    }

    #[test]
    fn no_report_upsets_any_encoder(
        numbers in prop::array::uniform16(any::<f64>()), places: [u8; 4], sets: [u64; 4], text: String,
        ternary: bool, missing: bool, firmware: [u8; 2], cells: u8,
    ) {
        let mut report = report();
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = numbers;
        (report.voltage_v, report.current_a, report.temperature_c, report.soc_percent) = (a, b, c, d);
        (report.soh_percent, report.installed_ah, report.remaining_ah, report.rated_kwh) = (e, f, g, h);
        (report.charged_kwh, report.discharged_kwh, report.cycles) = (i, j, k);
        (report.limits.charge_voltage_v, report.limits.charge_current_a) = (l, m);
        let [online, offline, blocking_charge, blocking_discharge] = sets;
        report.modules = Modules { online, offline, blocking_charge, blocking_discharge };
        (report.manufacturer, report.is_ternary, report.cells_in_series) = (text.clone(), ternary, cells);
        (report.names.model, report.names.serial, report.names.firmware) = (text.clone(), text, firmware);
        if let (Some(volts), Some(celsius)) = (&mut report.cells_v, &mut report.cells_c) {
            (volts.low, volts.high, celsius.low, celsius.high) = (m, n, o, p);
            volts.high_at = Place { module: places[0], cell: places[1] };
            celsius.low_at = Place { module: places[2], cell: places[3] };
        }
        if missing {
            (report.cells_v, report.cells_c, report.first_module_v) = (None, None, Vec::new());
        }
        for dialect in DIALECTS {
            let frames = (dialect.encode)(&report);
            prop_assert!((6..=20).contains(&frames.len()), "{} {}", dialect.name, frames.len());
            let mut ids: Vec<u32> = frames.iter().map(|frame| frame.id).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), frames.len(), "{}: an identifier twice", dialect.name);
            prop_assert!(!report.to_string().is_empty());
        }
    }
}
