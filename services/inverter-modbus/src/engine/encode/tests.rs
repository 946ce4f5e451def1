use super::*;
use crate::profile::{parse, tests::SMALL};

fn map(more: &str) -> Map {
    let text = format!("{SMALL}{more}");
    let profile = parse(&text, "test.toml").unwrap_or_else(|errors| panic!("{errors}"));
    Map::new(&profile, None, true)
}

fn none(_: &str) -> Option<f64> {
    None
}

fn writes(
    map: &Map,
    name: &str,
    value: f64,
    point: &dyn Fn(&str) -> Option<f64>,
) -> Result<Vec<Written>, Refused> {
    let (image, secret) = (Image::default(), |name: &str| (name == "code").then_some(0x0001_0002));
    let known = Known { point, secret: &secret, image: &image, saved: &image };
    map.write(name, &none).unwrap().writes(value, &known)
}

fn written(addr: u16, values: &[u16]) -> Written {
    Written { table: Table::Holding, addr, values: values.to_vec(), masks: vec![0xFFFF; values.len()] }
}

#[test]
fn a_set_point_is_clipped_downwards() {
    let map = map("[[write]]\nname = \"x_it\"\naddr = 109\nscale = 0.1\nmin = 2\nmax = 20\nstep = 0.5\n");
    let write = map.write("x_it", &none).unwrap();
    let clipped = [(-5.0, 2.0), (2.0, 2.0), (3.49, 3.0), (3.5, 3.5), (19.99, 19.5), (500.0, 20.0)];
    for (wanted, clipped) in clipped {
        assert_eq!(write.clip(wanted, &none), clipped, "{wanted}");
    }
    assert_eq!(writes(&map, "x_it", 12.5, &none), Ok(vec![written(109, &[125])]));
    assert_eq!(
        writes(&map, "x_it", 20.5, &none),
        Err(Refused::OutOfRange { value: 20.5, min: 2.0, max: 20.0 })
    );
}

#[test]
fn a_point_may_be_another_limit() {
    let map = map("[[write]]\nname = \"x_it\"\naddr = 109\nmin = 0\nmax = 100\nmax_from = \"pv_power\"\n");
    let point = |name: &str| (name == "pv_power").then_some(30.0);
    assert_eq!(map.write("x_it", &none).unwrap().clip(80.0, &point), 30.0);
    assert_eq!(map.write("x_it", &none).unwrap().clip(80.0, &none), 80.0);
}

#[test]
fn wide_values_go_out_in_their_order_and_bits_leave_the_others() {
    let wide =
        "[[write]]\nname = \"x_it\"\naddr = 109\ntype = \"s32\"\nwords = \"lh\"\nmin = -1000\nmax = 1000\n";
    assert_eq!(writes(&map(wide), "x_it", -2.0, &none), Ok(vec![written(109, &[0xFFFE, 0xFFFF])]));
    let bits = "[[write]]\nname = \"x_it\"\naddr = 109\nmask = 0x0010\nmin = 0\nmax = 1\n";
    let write = writes(&map(bits), "x_it", 1.0, &none).unwrap().remove(0);
    assert!(write.needs_read());
    assert_eq!(write.over(&[0xFF0F]), [0xFF1F]);
}

#[test]
fn a_sequence_is_unlocked_made_and_joined() {
    let toml = r#"
[[write]]
name = "battery_power_setpoint"
min = -5000
max = 5000
unlock = [{ addr = 200, type = "u32", value = "secret:code" }]
sequence = [
  { addr = 100, type = "s32", value = "value" },
  { addr = 102, value = 802, join = true },
  { addr = 110, value = "= 100 * abs(value) / pv_power" },
  { addr = 111, value = "abs", scale = 10 },
]
release = [{ addr = 110, value = 0 }, { addr = 111, value = "saved", scale = 10 }]
"#;
    let map = map(toml);
    let point = |name: &str| (name == "pv_power").then_some(4000.0);
    assert_eq!(
        writes(&map, "battery_power_setpoint", -2000.0, &point),
        Ok(vec![
            written(200, &[1, 2]),
            written(100, &[0xFFFF, 0xF830, 802]),
            written(110, &[50]),
            written(111, &[200])
        ])
    );
    assert_eq!(
        writes(&map, "battery_power_setpoint", -2000.0, &none),
        Err(Refused::Unknown("a point that it is made of".into()))
    );
    let write = map.write("battery_power_setpoint", &none).unwrap();
    assert_eq!(to_save(&write.spec.release), [(Table::Holding, 111, 1)]);
    let (image, mut saved) = (Image::default(), Image::default());
    saved.put(Table::Holding, 111, &[77], 1);
    let known = Known { point: &none, secret: &|_| None, image: &image, saved: &saved };
    assert_eq!(write.release(&known), Ok(vec![written(110, &[0]), written(111, &[77])]));
}

#[test]
fn words_are_the_only_values_where_there_are_words() {
    let map = map("[[write]]\nname = \"work_mode\"\naddr = 109\nmap = { a = 0, b = 2 }\n");
    assert_eq!(writes(&map, "work_mode", 2.0, &none), Ok(vec![written(109, &[2])]));
    assert_eq!(writes(&map, "work_mode", 1.0, &none), Err(Refused::NoWord(1.0)));
}

#[test]
fn what_the_device_shows_is_compared_as_exactly_as_it_can_be() {
    let map = map("[[write]]\nname = \"x_it\"\naddr = 109\nscale = 0.1\nmin = 0\nmax = 20\n");
    let write = map.write("x_it", &none).unwrap();
    let mut image = Image::default();
    assert_eq!(write.is_shown(12.34, &image, &none), None);
    image.put(Table::Holding, 109, &[123], 1);
    assert_eq!(write.is_shown(12.34, &image, &none), Some(true));
    assert_eq!(write.is_shown(12.5, &image, &none), Some(false));
}

#[test]
fn nothing_is_made_stronger_by_what_registers_can_hold() {
    let map = map("[[write]]\nname = \"x_a_limit\"\naddr = 109\nscale = 10\nmin = 0\nmax = 5000\n\
         [[write]]\nname = \"x_b_limit\"\nmin = 0\nmax = 50000\n\
         sequence = [{ addr = 110, value = \"= value * 100 / 50000\" }]\n\
         [[write]]\nname = \"x_setting\"\naddr = 111\nscale = 10\nmin = 0\nmax = 5000\n");
    assert_eq!(writes(&map, "x_a_limit", 499.0, &none), Ok(vec![written(109, &[49])]));
    assert_eq!(writes(&map, "x_a_limit", 500.0, &none), Ok(vec![written(109, &[50])]));
    assert_eq!(writes(&map, "x_b_limit", 300.0, &none), Ok(vec![written(110, &[0])]));
    assert_eq!(writes(&map, "x_b_limit", 1000.0, &none), Ok(vec![written(110, &[2])]));
    assert_eq!(writes(&map, "x_setting", 499.0, &none), Ok(vec![written(111, &[49])]));
    let limit = map.write("charge_current_limit", &none).unwrap();
    assert_eq!(limit.clip(30.9, &none), 30.0, "the register is in whole amperes");
}

#[test]
fn a_limit_in_per_cent_is_never_raised_either_and_what_shows_it_may_be_a_little_less() {
    let map = map(
        "[[write]]\nname = \"ac_power_limit_percent\"\nmin = 0\nmax = 100\nreadback_from = \"x_shown\"\n\
         sequence = [{ addr = 110, value = \"value\" }]\n[[point]]\nname = \"x_shown\"\naddr = 590\n",
    );
    let name = "ac_power_limit_percent";
    assert_eq!(writes(&map, name, 33.9, &none), Ok(vec![written(110, &[33])]));
    let (write, image) = (map.write(name, &none).unwrap(), Image::default());
    let shows = |percent: f64| write.is_shown(33.9, &image, &move |_| Some(percent));
    assert_eq!([32.0, 33.0, 34.0, 35.0].map(shows), [Some(false), Some(true), Some(true), Some(false)]);
}
