use super::*;

/// A small sound profile.
pub(crate) const SMALL: &str = r#"
schema = 1
id = "small"
make = "Example"
models = ["One"]
class = "hybrid"

[link]
rtu = { }
tcp = { port = 502 }
forbidden = [[30000, 65535]]

[identify]
read = [{ addr = 0, count = 8 }]
match = [{ addr = 0, in = [5, 0x0500] }]
serial = { addr = 3, count = 5, type = "string" }

[[block]]
addr = 0
count = 40
every = "once"

[[block]]
addr = 586
count = 52

[[point]]
name = "battery_power"
addr = 590
type = "s16"
scale = -1
unit = "W"

[[point]]
name = "battery_temperature"
addr = 586
scale = 0.1
offset = -100
invalid = [0]
range = [-40, 120]

[[point]]
name = "pv1_power"
addr = 600

[[point]]
name = "pv_power"
expr = "pv1_power"

[[enum]]
name = "state"
addr = 610
map = { 0 = "standby", 0x10 = "fault" }

[[bits]]
name = "fault_code"
addr = 611
count = 4
words = "lh"
alarm = { 63 = "HighTemperature" }

[[write]]
name = "charge_current_limit"
addr = 108
min = 0
max = 240
step = 1
"#;

fn errors(text: &str) -> Vec<String> {
    parse(text, "test.toml").err().map(|errors| errors.lines().collect()).unwrap_or_default()
}

/// What is said about [`SMALL`] with one thing changed.
fn changed(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    errors(&SMALL.replacen(from, to, 1)).join("\n")
}

#[test]
fn a_sound_profile_is_read() {
    assert_eq!(errors(SMALL), Vec::<String>::new());
    let profile = parse(SMALL, "small.toml").unwrap();
    assert_eq!(profile.title(), "Example One");
    assert_eq!((profile.point.len(), profile.unverified()), (4, 0));
}

#[test]
fn a_device_is_called_by_its_model_and_by_its_maker_once() {
    let mut profile = parse(SMALL, "small.toml").unwrap();
    assert_eq!(profile.product(None), "Example One");
    assert_eq!(profile.product(Some("")), "Example One");
    assert_eq!(profile.product(Some("Two")), "Example Two");
    profile.title = Some("Example family".to_owned());
    assert_eq!(profile.product(None), "Example family");
    let chain = builtin::by_id("sunspec-inverter").unwrap();
    assert_eq!(chain.product(Some("Fronius Symo 8.2")), "Fronius Symo 8.2");
    assert!(changed("serial = {", "serial = { map = { 1 = \"one\" },").contains("map in model only"));
    let model = "model = { addr = 0, map = { 0x14835 = \"H5\" } }\nserial";
    assert!(changed("serial", model).contains("0x14835 in u16"));
}

#[test]
fn mistakes_have_their_line() {
    let said = changed("scale = -1\n", "scale = 0\n");
    assert!(said.contains("test.toml:") && said.contains("scale"), "{said}");
    let line = SMALL.lines().position(|line| line == "scale = -1").unwrap() + 1;
    assert!(said.contains(&format!("test.toml:{line}")), "{said}");
}

#[test]
fn unknown_keys_and_words_are_refused_and_the_nearest_is_named() {
    assert!(changed("scale = -1", "scael = -1").contains("scale"));
    assert!(changed("name = \"pv1_power\"", "name = \"pv1_powr\"").contains("pv1_powr"));
    assert!(changed("\"standby\"", "\"standbye\"").contains("standby"));
    assert!(changed("\"HighTemperature\"", "\"TooHot\"").contains("HighTemperature"));
}

#[test]
fn what_no_block_reads_or_must_not_be_read_is_refused() {
    assert!(changed("addr = 600", "addr = 700").contains("no block reads holding 700"));
    assert!(changed("addr = 600", "addr = 30000").contains("forbidden"));
    assert!(changed("count = 52", "count = 13").contains("no block reads"));
    assert!(changed("addr = 586\ncount = 52", "addr = 39\ncount = 599").contains("overlap"));
    assert!(changed("addr = 0\ncount = 40", "addr = 29999\ncount = 2").contains("forbidden"));
}

#[test]
fn values_must_fit_their_types_and_units_their_names() {
    assert!(changed("unit = \"W\"", "unit = \"V\"").contains("battery_power in V"));
    assert!(changed("invalid = [0]", "invalid = [0x10000]").contains("raw values of the type"));
    assert!(changed("max = 240", "max = 70000").contains("raw 70000 in u16"));
    assert!(changed("63 =", "64 =").contains("bit 64 of 0 to 63"));
    assert!(changed("range = [-40, 120]", "range = [120, -40]").contains("smaller value first"));
    assert!(changed("0x10 =", "0x10000 =").contains("raw values of the type"));
}

#[test]
fn what_can_never_be_is_refused() {
    let wide = changed("in = [5, 0x0500]", "in = [5, 0x14835]");
    assert!(wide.contains("0x14835 in u16"), "{wide}");
    assert!(changed("in = [5, 0x0500]", "mask = 0x00F0, in = [16]").contains("0x10 in u16"));
    let bits = changed("addr = 108\nmin = 0\nmax = 240", "addr = 108\nmask = 0x0001\nmin = 0\nmax = 3");
    assert!(bits.contains("raw 3 in the bits 0x0001 of u16"), "{bits}");
    let never = changed("offset = -100\ninvalid = [0]\nrange = [-40, 120]", "range = [9000, 10000]");
    assert!(never.contains("9000 to 10000, of values of 0 to 6553.5"), "{never}");
    let once = changed("count = 52", "count = 52\nevery = \"once\"");
    assert!(once.contains("battery_power is in a block that is read once"), "{once}");
    let negative = changed("invalid = [0]", "invalid = [-1]");
    assert!(negative.contains("-1 in u16"), "{negative}");
    for unit in ["0", "248", "255"] {
        let said = changed("[link]\n", &format!("[link]\nunits = [{unit}]\n"));
        assert!(said.contains("addresses of 1 to 247"), "{unit}: {said}");
    }
}

#[test]
fn a_mistake_is_told_where_it_is_and_brings_no_others_with_it() {
    let at = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
    let half = changed("addr = 600\n", "addr = 637\ntype = \"u32\"\n");
    assert!(half.contains("no block reads holding 638, of 637 to 638"), "{half}");
    let wrong = changed("every = \"once\"", "every = \"1h\"");
    assert!(wrong.lines().count() == 1 && wrong.contains("neither"), "{wrong}");
    let overlap = changed("addr = 586\ncount = 52", "addr = 39\ncount = 599");
    let place = at(&SMALL.replacen("addr = 586\ncount = 52", "addr = 39\ncount = 599", 1), "addr = 39");
    assert!(overlap.starts_with(&format!("test.toml:{place}:")), "{overlap}");
    let circle = changed(
        "expr = \"pv1_power\"",
        "expr = \"x_it + pv_power\"\n\n[[point]]\nname = \"x_it\"\nexpr = \"pv_power\"",
    );
    assert!(circle.contains(&format!("test.toml:{}:", at(SMALL, "name = \"pv_power\""))), "{circle}");
}

#[test]
fn names_stand_once_and_expressions_do_not_go_in_circles() {
    assert!(changed("name = \"pv1_power\"", "name = \"battery_power\"").contains("twice"));
    assert!(changed("expr = \"pv1_power\"", "expr = \"pv2_power\"").contains("no point is called pv2_power"));
    assert!(changed("expr = \"pv1_power\"", "expr = \"pv_power + 1\"").contains("needs itself"));
    assert!(changed("expr = \"pv1_power\"", "expr = \"pv1_power +\"").contains("missing"));
}

#[test]
fn a_set_point_needs_a_place_and_limits() {
    assert!(changed("min = 0\nmax = 240", "min = 0").contains("min and max, or map"));
    assert!(changed("addr = 108\n", "").contains("addr or sequence"));
    let twice = format!("{SMALL}\n[[write]]\nname = \"min_soc\"\naddr = 108\nmin = 0\nmax = 100\n");
    assert!(errors(&twice).join("\n").contains("is written there too"));
}

#[test]
fn words_that_are_apart_need_a_range() {
    let apart = "name = \"grid_power\"\nwords_at = [600, 590]\ntype = \"s32\"";
    let said = changed("name = \"pv1_power\"\naddr = 600", apart);
    assert!(said.contains("range"), "{said}");
}
