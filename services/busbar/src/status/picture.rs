//! All services as lines.

use std::time::Duration;

use dbus_interfaces::classes::device;

use super::classes::{self, CLASSES, Class};
use super::service::{Level, Service};
use crate::bus::short;
use crate::terminal::{Line, Style, columns, flow};

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
            let words = format!("no service of Busbar on {}; is bms-can running?", self.bus);
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
            let (n, what) = (self.others, if self.others == 1 { "service" } else { "services" });
            lines.extend(sentence(Style::Faint, &format!("{n} {what} of others: --all shows them"), width));
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
    for (n, line) in columns(&rows).into_iter().enumerate() {
        lines.push(line);
        if let Some(service) = n.checked_sub(1).and_then(|n| services.get(n)) {
            let details = (class.details)(service).into_iter().chain([alarms(service)]);
            lines.extend(details.flat_map(|pieces| flow(&pieces, INDENT, BETWEEN, width)));
        }
    }
    lines
}

fn row(class: &Class, service: &Service) -> Vec<Line> {
    let product = service.get(device::PRODUCT_NAME).filter(|name| !name.trim().is_empty());
    let name = service.custom_name().or(product).unwrap_or_else(|| short(&service.name).to_owned());
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
    let piece = |(name, level): &(&str, Level)| Line::of(classes::style(*level), format!("{name} {}", word(*level)));
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

/// Words, on as many lines as they need.
fn sentence(style: Style, words: &str, width: usize) -> Vec<Line> {
    let words: Vec<Line> = words.split(' ').map(|word| Line::of(style, word)).collect();
    flow(&words, 0, " ", width)
}
