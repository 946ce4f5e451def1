//! All services as lines.

use std::time::Duration;

use super::classes::{self, CLASSES, Class};
use super::service::{Level, Service};
use crate::bus::short;
use crate::terminal::{Line, Style, columns, flow, sentence};

/// Longer names are cut in the first column.
const LONGEST_NAME: usize = 24;
/// Where what belongs to a row begins.
const INDENT: usize = 2;
/// Between two pieces of a line.
const BETWEEN: &str = "  ";

/// What is shown.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// The bus, for people.
    pub(crate) bus: String,
    /// The services, in the order in which they are shown.
    pub(crate) services: Vec<Service>,
    /// Services that do not answer.
    pub(crate) silent: Vec<String>,
    /// How many services of others are left out.
    pub(crate) others: usize,
}

impl Picture {
    /// Ours alone, or all.
    pub(crate) fn new(bus: String, mut services: Vec<Service>, silent: Vec<String>, all: bool) -> Picture {
        let found = services.len();
        services.retain(|service| all || service.is_ours());
        services.sort_by_cached_key(|service| {
            (classes::rank(service), service.instance.unwrap_or(i32::MAX), service.name.clone())
        });
        let others = found - services.len();
        Picture { bus, services, silent, others }
    }

    /// For a terminal or a page of this width. A live picture says how it ends.
    pub(crate) fn lines(&self, width: usize, is_live: bool) -> Vec<Line> {
        let mut head = vec![Line::of(Style::Strong, "Busbar"), Line::plain(format!("on {}", self.bus))];
        if is_live {
            head.push(Line::of(Style::Faint, "q ends"));
        }
        let mut lines = flow(&head, 0, BETWEEN, width);
        for (rank, class) in CLASSES.iter().enumerate() {
            let services = self.services.iter().filter(|service| classes::rank(service) == rank);
            lines.extend(table(class, &services.collect::<Vec<_>>(), width));
        }
        if self.services.is_empty() {
            lines.push(Line::default());
            let words = format!(
                "no service of Busbar on {}: none is running, or none has heard its device yet",
                self.bus
            );
            lines.extend(sentence(Style::Plain, &words, width));
        }
        if !self.silent.is_empty() {
            let names: Vec<&str> = self.silent.iter().map(|name| short(name)).collect();
            lines.push(Line::default());
            let words = format!("no answer from {}", names.join(", "));
            lines.extend(sentence(Style::Warning, &words, width));
        }
        if self.others > 0 {
            lines.push(Line::default());
            let words = match self.others {
                1 => "1 other service: --all shows it".to_owned(),
                others => format!("{others} other services: --all shows them"),
            };
            lines.extend(sentence(Style::Faint, &words, width));
        }
        lines
    }
}

/// The services of one class: nothing where there is none.
fn table(class: &Class, services: &[&Service], width: usize) -> Vec<Line> {
    if services.is_empty() {
        return Vec::new();
    }
    let strong = |text: &str| Line::of(Style::Strong, text);
    let mut head = vec![strong(class.title), strong("#")];
    head.extend(class.columns.iter().map(|column| strong(column.head)));
    head.push(strong("heard"));
    let mut rows = vec![head];
    rows.extend(services.iter().map(|service| row(class, service)));
    let mut lines = vec![Line::default()];
    for (n, line) in columns(&rows, 1).into_iter().enumerate() {
        lines.push(line);
        if let Some(service) = n.checked_sub(1).and_then(|n| services.get(n)) {
            let details = (class.details)(service).into_iter().chain([alarms(service)]);
            lines.extend(details.flat_map(|pieces| flow(&pieces, INDENT, BETWEEN, width)));
            let notes = (class.notes)(service);
            lines.extend(notes.iter().flat_map(|note| sentence(Style::Warning, note, width)));
        }
    }
    lines
}

fn row(class: &Class, service: &Service) -> Vec<Line> {
    let name = service.custom_name().or_else(|| service.product_name());
    let name = name.unwrap_or_else(|| short(&service.name).to_owned());
    let style = match service.alarms().first() {
        Some((_, Level::Alarm)) => Style::Alarm,
        Some((_, Level::Warning)) => Style::Warning,
        None => Style::Strong,
    };
    let mut row = vec![
        Line::of(style, name).cut(LONGEST_NAME),
        Line::plain(service.instance.map_or("-".to_owned(), |instance| instance.to_string())),
    ];
    row.extend(class.columns.iter().map(|column| Line::plain((column.cell)(service))));
    row.push(Line::plain(service.heard.map_or("-".to_owned(), age)));
    row
}

/// What is wrong, in the colour of how bad it is.
fn alarms(service: &Service) -> Vec<Line> {
    let word = |level| if level == Level::Alarm { "alarm" } else { "warning" };
    let piece =
        |(name, level): &(&str, Level)| Line::of(classes::style(*level), format!("{name} {}", word(*level)));
    service.alarms().iter().map(piece).collect()
}

/// `0.4s`, `12s`, `3min`, `5h`.
fn age(age: Duration) -> String {
    match age.as_secs() {
        0..10 => format!("{:.1}s", age.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds}s"),
        seconds @ 120..7200 => format!("{}min", seconds / 60),
        seconds => format!("{}h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use dbus_interfaces::Value;

    use super::*;
    use crate::status::service::tests::{battery, service};

    fn picture(services: Vec<Service>, all: bool) -> Picture {
        Picture::new("unix:path=/run/bus".to_owned(), services, Vec::new(), all)
    }

    fn text(picture: &Picture, width: usize) -> Vec<String> {
        picture.lines(width, false).iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_battery_is_a_row_with_its_state_and_limits_under_it() {
        let lines = text(&picture(vec![battery(&[])], false), 80);
        let expected = [
            "Busbar  on unix:path=/run/bus",
            "",
            "BATTERY                  #    SoC  voltage  current  power    temp  heard",
            "Pylontech low voltage  100  54.0%   49.96V   -12.3A  -615W  21.0°C   0.4s",
            "  battery.bmscan_can0  fresh data  6 h 05 min to go",
            "  limits 53.20V  charge 74.0A  discharge 100.0A",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_name_of_the_user_s_own_stands_before_the_product_s() {
        let lines = text(&picture(vec![battery(&[("/CustomName", "Barn".into())])], false), 80);
        assert!(lines[3].starts_with("Barn "), "{lines:#?}");
        assert!(lines[4].contains("battery.bmscan_can0  Pylontech low voltage  fresh data"), "{lines:#?}");
    }

    #[test]
    fn alarms_come_last_the_worst_first_in_their_colours_and_colour_the_name() {
        let low = [
            ("/Alarms/LowVoltage", 1.into()),
            ("/Alarms/HighTemperature", 2.into()),
            ("/Alarms/LowSoc", 0.into()),
        ];
        let lines = picture(vec![battery(&low)], false).lines(80, false);
        let last = lines.last().unwrap();
        let mut expected = Line::plain("  ");
        expected.push(Style::Alarm, "HighTemperature alarm");
        expected.push(Style::Plain, "  ");
        expected.push(Style::Warning, "LowVoltage warning");
        assert_eq!(*last, expected);
        assert!(
            format!("{:?}", lines[3]).starts_with("Line([(Alarm, \"Pylontech low voltage\")"),
            "{:?}",
            lines[3]
        );
    }

    #[test]
    fn a_silent_battery_says_so_and_its_limits_of_nothing_stand_out() {
        let silent = [
            ("/Connected", 0.into()),
            ("/Alarms/BmsCable", 2.into()),
            ("/Bms/Status", "no data for more than 30 s: limits are 0 A, check the cable".into()),
            ("/Info/MaxChargeCurrent", Value::Real(0.0)),
            ("/Bms/MaxChargeCurrent", Value::Real(0.0)),
        ];
        let lines = picture(vec![battery(&silent)], false).lines(200, false);
        let shown = format!("{lines:?}");
        assert!(
            shown.contains("(Alarm, \"no data for more than 30 s: limits are 0 A, check the cable\")"),
            "{shown}"
        );
        assert!(shown.contains("(Warning, \"charge 0.0A\")"), "{shown}");
        assert!(shown.contains("(Alarm, \"BmsCable alarm\")"), "{shown}");
    }

    #[test]
    fn limits_that_are_shown_and_limits_of_the_bms_are_told_apart() {
        let limits = |items: &[(&'static str, Option<Value>)]| {
            let mut battery = battery(&[]);
            items.iter().for_each(|(path, value)| battery.put(path, value.clone()));
            text(&picture(vec![battery], false), 200)[5].clone()
        };
        let none = [
            ("/Info/MaxChargeVoltage", None),
            ("/Info/MaxChargeCurrent", None),
            ("/Info/MaxDischargeCurrent", None),
        ];
        assert_eq!(limits(&none), "  shows no limits  own 53.20V  charge 74.0A  discharge 100.0A");
        let less = [("/Info/MaxChargeCurrent", Some(Value::Real(10.0)))];
        assert_eq!(
            limits(&less),
            "  limits 53.20V  charge 10.0A  discharge 100.0A  own 53.20V  charge 74.0A  discharge 100.0A"
        );
    }

    #[test]
    fn no_line_is_wider_than_a_narrow_terminal_once_it_is_cut_there() {
        let picture =
            picture(vec![battery(&[("/Alarms/LowVoltage", 1.into()), ("/Alarms/LowSoc", 2.into())])], false);
        for line in picture.lines(40, true) {
            // Rows are tables and are cut; everything else flows.
            assert!(line.width() <= 40 || line.to_string().contains("  "), "{line}");
        }
        assert!(text(&picture, 40).contains(&"  limits 53.20V  charge 74.0A".to_owned()));
    }

    #[test]
    fn services_of_others_are_counted_or_shown() {
        let other =
            || service("com.victronenergy.tank.ttyS4", Some(276), &[("/ProductName", "Water".into())]);
        let ours = text(&picture(vec![battery(&[]), other()], false), 80);
        assert_eq!(ours.last().unwrap(), "1 other service: --all shows it");
        let all = text(&picture(vec![other(), battery(&[])], true), 80);
        assert!(all[2].starts_with("BATTERY") && all[7].starts_with("OTHER"), "{all:#?}");
        assert!(all[8].starts_with("Water  276   tank") && all[9].contains("tank.ttyS4"), "{all:#?}");
    }

    #[test]
    fn nothing_of_ours_is_said_with_the_bus_and_the_likely_cause() {
        let lines = text(&picture(Vec::new(), false), 200);
        assert_eq!(
            lines[2],
            "no service of Busbar on unix:path=/run/bus: none is running, or none has heard its device yet"
        );
    }

    #[test]
    fn services_that_do_not_answer_are_named() {
        let silent = vec!["com.victronenergy.battery.x".to_owned()];
        let picture = Picture::new("the bus".to_owned(), vec![battery(&[])], silent, false);
        assert!(text(&picture, 80).contains(&"no answer from battery.x".to_owned()));
    }

    #[test]
    fn ages_read_as_people_say_them() {
        let of = |ms| age(Duration::from_millis(ms));
        assert_eq!([of(0), of(9_940), of(10_000), of(119_000)], ["0.0s", "9.9s", "10s", "119s"]);
        assert_eq!([of(120_000), of(7_200_000)], ["2min", "2h"]);
    }
}
