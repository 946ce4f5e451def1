use super::*;
use crate::engine::encode::Known;
use crate::engine::image::Image;
use crate::engine::sunspec::Model;
use crate::profile::kind::{Type, Words};
use crate::profile::{parse, tests::SMALL};

fn map(more: &str) -> Map {
    let profile = parse(&format!("{SMALL}{more}"), "test.toml").unwrap_or_else(|errors| panic!("{errors}"));
    Map::new(&profile, None, true)
}

#[test]
fn a_point_stands_behind_what_it_needs() {
    let map = map(
        "[[point]]\nname = \"x_a\"\nexpr = \"x_b + 1\"\n[[point]]\nname = \"x_b\"\nexpr = \"pv_power\"\n",
    );
    let at = |name| map.groups.iter().position(|group| group.name == name).unwrap();
    assert!(at("pv1_power") < at("pv_power") && at("pv_power") < at("x_b") && at("x_b") < at("x_a"));
}

#[test]
fn what_shows_a_set_point_is_read_slowly() {
    let block = map("").blocks.into_iter().find(|block| block.addr == 108).unwrap();
    assert_eq!((block.count, block.every, block.optional), (1, READBACK, true));
    let profile = parse(SMALL, "test.toml").unwrap();
    assert!(Map::new(&profile, None, false).blocks.iter().all(|block| block.addr != 108));
}

#[test]
fn models_move_with_their_chain_and_end_where_they_end() {
    let text = r#"
schema = 1
id = "chain"
make = "Any"
models = ["SunSpec"]
class = "pvinverter"
sentinels = "sunspec"
[link]
tcp = { port = 502 }
[sunspec]
bases = [40000]
[[block]]
model = [103]
every = "2s"
[[point]]
name = "ac_out_power"
model = [101, 103]
addr = 14
type = "s16"
scale_addr = 15
[[point]]
name = "ac_out_power"
model = [701]
addr = 10
type = "s16"
[[point]]
name = "temperature"
model = [103]
addr = 60
[[write]]
name = "x_limit"
model = [123]
addr = 5
min = 0
max = 100
"#;
    let profile = parse(text, "chain.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let models = vec![Model { id: 1, addr: 40_002, length: 66 }, Model { id: 103, addr: 40_070, length: 50 }];
    let map = Map::new(&profile, Some(&Chain { models }), true);
    let power = map.group("ac_out_power").unwrap();
    assert_eq!(power.entries.len(), 1, "the device has no model 701");
    assert_eq!(power.entries[0].source.layout().unwrap().registers, [40_084]);
    assert!(map.group("temperature").is_none(), "the model ends before it");
    assert!(map.writes.is_empty());
    let [block] = map.blocks.as_slice() else { panic!("{:?}", map.blocks) };
    assert_eq!((block.addr, block.count), (40_070, 52));
    assert_eq!(block.every, Every::Period(std::time::Duration::from_secs(2)));
}

#[test]
fn steps_are_in_the_models_that_they_name_in_the_order_of_the_line() {
    let text = r#"
schema = 1
id = "chain"
make = "Any"
models = ["SunSpec"]
class = "hybrid"
link = { tcp = { port = 502 }, words = "lh" }
sunspec = { bases = [40000] }
[[write]]
name = "x_limit"
model = [123]
min = 0
max = 100
scale_addr = 23
readback_at = { addr = 5 }
sequence = [
  { addr = 5, scale_addr = 23, value = "value" },
  { model = [704], addr = 18, type = "u32", value = 120 },
  { addr = 9, value = 1 },
]
[[mode]]
name = "charge"
max = 1000
model = [124]
sequence = [{ addr = 5, value = 1 }]
release = [{ addr = 5, value = 0 }]
"#;
    let profile = parse(text, "chain.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let of = |id, addr| Model { id, addr, length: 60 };
    let map = Map::new(&profile, Some(&Chain { models: vec![of(123, 100), of(704, 200)] }), true);
    let [write] = map.writes.as_slice() else { panic!("{:?}", map.writes) };
    let mut image = Image::default();
    image.put(Table::Holding, 123, &[0xFFFE], 1);
    let known = Known { point: &|_| None, secret: &|_| None, image: &image, saved: &image };
    let writes: Vec<_> =
        write.writes(60.0, &known).unwrap().into_iter().map(|w| (w.addr, w.values)).collect();
    assert_eq!(writes, [(105, vec![6000]), (218, vec![120, 0]), (109, vec![1])]);
    let blocks: Vec<_> = map.blocks.iter().map(|block| block.addr).collect();
    assert_eq!(blocks, [100, 200], "what a step needs is read");
    assert!(map.modes.is_empty(), "the device has no model 124");
    let alone = Map::new(&profile, Some(&Chain { models: vec![of(123, 100)] }), true);
    assert!(alone.writes.is_empty(), "a sequence is whole or not there");
}

#[test]
fn the_first_and_the_last_register_there_are_do_not_lie_side_by_side() {
    let mut layout = Layout::at(Table::Holding, 0, Type::U32, Words::Hl, None);
    assert_eq!(adjacent(&layout), Some((Table::Holding, 0, 2)));
    layout.registers = vec![0, u16::MAX];
    assert_eq!(adjacent(&layout), None);
}
