//! The profiles against register images that were written by hand, and every point of every profile there and back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use inverter_modbus::engine::decode::{Said, Value, decode};
use inverter_modbus::engine::encode::{Known, Written};
use inverter_modbus::engine::image::Image;
use inverter_modbus::engine::map::{Map, Source};
use inverter_modbus::engine::pretend::set_number;
use inverter_modbus::engine::sunspec::{Chain, Model};
use inverter_modbus::profile::scalar::Table;
use inverter_modbus::profile::{Profile, builtin};
use serde::Deserialize;

/// An image: registers and what they mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    profile: String,
    /// Where the device answers; for other readers of these files.
    #[serde(rename = "unit")]
    _unit: u8,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    table: Option<Table>,
    /// The model from whose head `addr` counts, where the profile has a chain of models.
    model: Option<u16>,
    addr: Option<u16>,
    #[serde(default)]
    words: String,
    name: Option<String>,
    is: Option<toml::Value>,
}

/// Moments of a device that are worth a look: only the registers that matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    profile: String,
    case: Vec<Moment>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moment {
    what: String,
    /// The chain of the device: models and their lengths.
    #[serde(default)]
    chain: Vec<(u16, u16)>,
    rows: Vec<Row>,
}

const MOMENTS: [&str; 12] = [
    include_str!("moments/sungrow-sh.toml"),
    include_str!("moments/solis-hybrid.toml"),
    include_str!("moments/sma-sunny-island.toml"),
    include_str!("moments/goodwe-et.toml"),
    include_str!("moments/growatt-sph.toml"),
    include_str!("moments/growatt-xh.toml"),
    include_str!("moments/luxpower.toml"),
    include_str!("moments/sunspec-hybrid.toml"),
    include_str!("moments/sunspec-inverter.toml"),
    include_str!("moments/deye-one-phase.toml"),
    include_str!("moments/deye-three-phase-lv.toml"),
    include_str!("moments/deye-three-phase-hv.toml"),
];

const RECORDS: [&str; 5] = [
    include_str!("images/deye-one-phase.toml"),
    include_str!("images/growatt-spf.toml"),
    include_str!("images/solis-hybrid.toml"),
    include_str!("images/sungrow-sh.toml"),
    include_str!("images/sma-sunny-island.toml"),
];

fn record(text: &str) -> (Profile, Image, Record) {
    let record: Record = toml::from_str(text).unwrap();
    let profile = builtin::by_id(&record.profile).unwrap();
    let image = image(&profile, None, &record.rows);
    (profile, image, record)
}

/// The registers of rows. A row without a table is in that of the profile.
fn image(profile: &Profile, chain: Option<&Chain>, rows: &[Row]) -> Image {
    let mut image = Image::default();
    for row in rows {
        let Some(addr) = row.addr else { continue };
        let base = row.model.map_or(0, |model| chain.unwrap().find(&[model], 0).unwrap().addr);
        let words = row.words.split_whitespace().map(|word| u16::from_str_radix(word, 16).unwrap());
        image.put(profile.table(row.table), base + addr, &words.collect::<Vec<_>>(), 1);
    }
    image
}

/// What the image says is what the rows say.
fn compare(profile: &Profile, map: &Map, image: &Image, rows: &[Row], what: &str) {
    let heard = decode(map, image);
    for row in rows {
        let Some(name) = &row.name else { continue };
        let said = heard.iter().find(|heard| heard.name == name);
        let said = said.unwrap_or_else(|| panic!("{}: there is no {name}", profile.id));
        let place = format!("{} {what} {name}: {:?}", profile.id, said.said);
        match (words(&said.said), row.is.as_ref().unwrap()) {
            (Ok(number), toml::Value::Float(meant)) => {
                assert!((number - meant).abs() <= 1e-9 * meant.abs().max(1.0), "{place}, not {meant}");
            }
            (Err(text), toml::Value::String(meant)) => assert_eq!(text, *meant, "{place}"),
            (_, meant) => panic!("{place}, not {meant:?}"),
        }
    }
}

/// As the records write it.
fn words(said: &Said) -> Result<f64, String> {
    match said {
        Said::Value(Value::Number(number)) => Ok(*number),
        Said::Value(Value::Text(text) | Value::Word(text, _)) => Err(text.clone()),
        Said::Value(Value::Bits(bits)) => Err(bits.texts.join(", ")),
        Said::Nothing | Said::Unread => Err("none".to_owned()),
        Said::Wild(_) => Err("wild".to_owned()),
        Said::Unknown(_) => Err("unknown".to_owned()),
    }
}

#[test]
fn registers_mean_what_the_makers_tables_say() {
    for text in RECORDS {
        let (profile, image, record) = record(text);
        let map = Map::new(&profile, None, false);
        compare(&profile, &map, &image, &record.rows, "");
    }
}

#[test]
fn what_is_easily_taken_for_something_else_means_what_the_sources_say() {
    for text in MOMENTS {
        let moments: Moments = toml::from_str(text).unwrap();
        let profile = builtin::by_id(&moments.profile).unwrap();
        for moment in moments.case {
            let mut addr = 40_002;
            let models = moment.chain.iter().map(|&(id, length)| {
                let model = Model { id, addr, length };
                addr += 2 + length;
                model
            });
            let chain = Chain { models: models.collect() };
            let map = Map::new(&profile, Some(&chain), false);
            let image = image(&profile, Some(&chain), &moment.rows);
            compare(&profile, &map, &image, &moment.rows, &moment.what);
        }
    }
}

#[test]
fn the_records_leave_out_no_point() {
    for text in RECORDS {
        let (profile, _, record) = record(text);
        let named: BTreeSet<_> = record.rows.iter().filter_map(|row| row.name.as_deref()).collect();
        let points = profile.point.iter().map(|point| point.name.as_str());
        let others = profile.words.iter().map(|point| point.name.as_str());
        let all = points.chain(others).chain(profile.bits.iter().map(|point| point.name.as_str()));
        let missing: Vec<_> = all.filter(|name| !name.starts_with('_') && !named.contains(name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", profile.id);
    }
}

/// A chain with every model that the profile names, one behind the other.
fn chain(profile: &Profile) -> Option<Chain> {
    profile.sunspec.as_ref()?;
    let named: BTreeSet<u16> = profile.point.iter().flat_map(|point| &point.model).copied().collect();
    let places = named.into_iter().zip((0_u16..).map(|n| 40_070 + 200 * n));
    Some(Chain { models: places.map(|(id, addr)| Model { id, addr, length: 190 }).collect() })
}

#[test]
fn every_point_of_every_profile_goes_there_and_back() {
    let mut count = 0;
    for id in builtin::ids() {
        let profile = builtin::by_id(id).unwrap();
        let map = Map::new(&profile, chain(&profile).as_ref(), true);
        for group in &map.groups {
            for (n, entry) in group.entries.iter().enumerate() {
                let Source::Number(number) = &entry.source else { continue };
                // The first way is taken whatever its condition is: alone, it has none.
                let mut alone = map.clone();
                let only = alone.groups.iter_mut().find(|other| other.name == group.name).unwrap();
                only.entries = vec![entry.clone()];
                only.entries[0].when = None;
                let kind_is_signed = number.sign.is_some() || (number.scale < 0.0) != entry.range.is_none();
                let (low, high) = entry.range.unwrap_or((-10.0, 100.0));
                let wanted = if kind_is_signed {
                    [low.max(-10.0), high.min(99.0)]
                } else {
                    [low.max(1.0), high.min(99.0)]
                };
                for value in wanted {
                    let mut image = Image::default();
                    if !set_number(&alone, &mut image, &group.name, value) {
                        // Not within its type: an unsigned one cannot be negative.
                        continue;
                    }
                    let heard = decode(&alone, &image);
                    let said = &heard.iter().find(|heard| heard.name == group.name).unwrap().said;
                    let Said::Value(Value::Number(back)) = said else {
                        panic!("{id} {} way {n}: {value} came back as {said:?}", group.name)
                    };
                    let step = number.scale.abs().max(0.01);
                    assert!(
                        (back - value).abs() <= step,
                        "{id} {} way {n}: {value} came back as {back}",
                        group.name
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 1_200, "{count}");
}

#[test]
fn so_many_facts_of_each_profile_are_unverified() {
    let counts: Vec<_> = builtin::ids().map(|id| (id, builtin::by_id(id).unwrap().unverified())).collect();
    let known = [
        ("deye-one-phase", 20),
        ("deye-three-phase-lv", 11),
        ("deye-three-phase-hv", 15),
        ("growatt-spf", 5),
        ("growatt-sph", 7),
        ("growatt-xh", 11),
        ("luxpower", 20),
        ("solis-hybrid", 10),
        ("sofar-hyd", 9),
        ("goodwe-et", 9),
        ("sungrow-sh", 6),
        ("sma-sunny-island", 5),
        ("sunspec-inverter", 0),
        ("sunspec-hybrid", 6),
        ("sunspec-meter", 0),
    ];
    assert_eq!(counts, known, "a new mark needs a reason, a removed one a source");
}

#[test]
fn every_profile_cites_public_sources() {
    for id in builtin::ids() {
        let profile = builtin::by_id(id).unwrap();
        assert!(!profile.sources.is_empty(), "{id}");
        for source in &profile.sources {
            let is_repository = source
                .split_once(": ")
                .is_some_and(|(repository, path)| repository.split('/').count() == 2 && !path.is_empty());
            assert!(is_repository, "{id}: {source}");
        }
    }
}

#[test]
fn the_page_of_each_profile_is_what_the_profile_makes() {
    for id in builtin::ids() {
        let file = format!("{}/profiles/{id}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&file).unwrap_or_default();
        let made = inverter_modbus::profile::page::page(&builtin::by_id(id).unwrap());
        if std::env::var_os("BUSBAR_WRITE_PAGES").is_some() {
            std::fs::write(&file, &made).unwrap();
        } else {
            assert!(
                page == made,
                "{id}.md is old: BUSBAR_WRITE_PAGES=1 cargo test -p inverter-modbus --test registers"
            );
        }
    }
}

/// The fenced block of this kind in the guide.
fn fenced(kind: &str) -> &'static str {
    let guide = include_str!("../ADDING.md");
    let (_, after) = guide.split_once(&format!("```{kind}\n")).unwrap();
    after.split_once("```").unwrap().0
}

#[test]
fn the_guide_shows_a_profile_that_reads_its_registers_as_it_says() {
    let profile = inverter_modbus::profile::parse(fenced("toml"), "example-hybrid.toml");
    let map = Map::new(&profile.unwrap_or_else(|errors| panic!("{errors}")), None, true);
    let mut image = Image::default();
    for line in fenced("registers").lines() {
        let (place, words) = line.split_once(": ").unwrap();
        let (table, addr) = place.split_once(' ').unwrap();
        let table = if table == "input" { Table::Input } else { Table::Holding };
        let words = words.split_whitespace().map(|word| u16::from_str_radix(word, 16).unwrap());
        image.put(table, addr.parse().unwrap(), &words.collect::<Vec<_>>(), 1);
    }
    let heard = decode(&map, &image);
    let said = heard.iter().map(|heard| match words(&heard.said) {
        Ok(number) => format!("{} {}", heard.name, (number * 1e6).round() / 1e6),
        Err(text) => format!("{} {text}", heard.name),
    });
    let said: BTreeSet<_> = said.collect();
    assert_eq!(said, fenced("values").lines().map(str::to_owned).collect());
}

/// The keys that a table of a profile may have, as its parser says them.
fn keys<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let said =
        toml::from_str::<T>("no_such_key = 1").err().map(|error| error.to_string()).unwrap_or_default();
    let (_, allowed) = said.split_once("expected").unwrap_or_else(|| panic!("{said}"));
    allowed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_guide_explains_every_key() {
    use inverter_modbus::profile::{link, point, write};
    let keys = [
        keys::<Profile>(),
        keys::<link::LinkSpec>(),
        keys::<link::Rtu>(),
        keys::<link::Tcp>(),
        keys::<point::Block>(),
        keys::<point::Point>(),
        keys::<point::SignFrom>(),
        keys::<point::EnumPoint>(),
        keys::<point::BitsPoint>(),
        keys::<write::Identify>(),
        keys::<write::ReadSpec>(),
        keys::<write::Match>(),
        keys::<write::Field>(),
        keys::<write::SunSpec>(),
        keys::<write::WritePoint>(),
        keys::<write::Step>(),
        keys::<write::ModeSpec>(),
    ];
    let keys: BTreeSet<String> = keys.into_iter().flatten().collect();
    assert!(keys.len() > 70, "{keys:?}");
    let guide = include_str!("../ADDING.md");
    let missing: Vec<_> = keys.iter().filter(|key| !guide.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_guide_shows_a_forced_charge_that_is_undone() {
    let profile = inverter_modbus::profile::parse(fenced("toml"), "example-hybrid.toml").unwrap();
    let map = Map::new(&profile, None, true);
    let mut image = Image::default();
    image.put(Table::Holding, 50, &[0, 77], 1);
    let write = map.write("mode charge", &|_| None).unwrap();
    let known = Known { point: &|_| None, secret: &|_| None, image: &image, saved: &image };
    let values = |writes: Vec<Written>| writes.into_iter().flat_map(|write| write.values).collect::<Vec<_>>();
    assert_eq!(values(write.writes(2000.0, &known).unwrap()), [1, 200]);
    assert_eq!(values(write.release(&known).unwrap()), [0, 77]);
}

#[test]
fn the_day_of_a_luxpower_ends_at_23_59_with_the_hour_in_the_low_byte() {
    // joyfulhouse/pylxpweb: src/pylxpweb/constants/registers.py: hour | minute << 8.
    let profile = builtin::by_id("luxpower").unwrap();
    let map = Map::new(&profile, None, true);
    let image = Image::default();
    let point = |name: &str| (name == "_forced_discharge_stop").then_some(10.0);
    let known = Known { point: &point, secret: &|_| None, image: &image, saved: &image };
    for (mode, first) in [("mode charge", 66), ("mode discharge", 82)] {
        let writes = map.write(mode, &|_| None).unwrap().writes(3000.0, &known).unwrap();
        let slot = writes.iter().find(|write| write.addr == first).unwrap();
        assert_eq!(slot.values[0], 30, "{mode}: hundreds of W");
        assert_eq!(slot.values[2..], [0x0000, 0x3B17], "{mode}");
    }
}

#[test]
fn who_never_feeds_in_is_not_offered_to() {
    let profile = builtin::by_id("luxpower").unwrap();
    let map = Map::new(&profile, None, true);
    let offers = |device: f64| {
        let point = move |name: &str| (name == "_device").then_some(device);
        ["export_enable", "x_export_limit", "grid_charge_enable"]
            .map(|name| map.write(name, &point).is_some())
    };
    for offgrid in [54.0, 38.0] {
        assert_eq!(offers(offgrid), [false, false, true]);
    }
    assert_eq!(offers(2092.0), [true; 3]);
}
