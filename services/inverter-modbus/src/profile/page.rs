//! A profile as a page for people, in Markdown: `profiles/ID.md`.

mod written;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::names;
use super::point::{Alarm, Point};
use super::scalar::{Every, Numbered, Table};
use super::write::Match;
use super::{Class, Profile};

/// The page of a profile. A test holds the pages in the repository against it.
#[must_use]
pub fn page(profile: &Profile) -> String {
    let mut page = format!("# {}\n\n", profile.title());
    let class = match profile.class {
        Class::Hybrid => "inverter and charger with a battery: `multi` and `acsystem`",
        Class::Inverter => "inverter at a battery: `inverter`",
        Class::PvInverter => "solar inverter: `pvinverter`",
        Class::Grid => "meter: `grid`",
    };
    line(
        &mut page,
        &format!(
            "Profile `{}`, made from `profiles/{}.toml`. Not tested by us on the device itself.\n",
            profile.id, profile.id
        ),
    );
    line(&mut page, "| | |\n| --- | --- |");
    row(&mut page, &["maker", &profile.make]);
    row(&mut page, &["models", &profile.models.join(", ")]);
    let is_more = profile.class != Class::Grid && profile.has_meter();
    let more = if is_more { "; its meter with `publish_grid`: `grid`" } else { "" };
    row(&mut page, &["on the bus", &format!("{class}{more}")]);
    if let Some(rtu) = &profile.link.rtu {
        let baud: Vec<_> = rtu.baud.iter().map(u32::to_string).collect();
        row(&mut page, &["serial line", &format!("{} bit/s", baud.join(" or "))]);
    }
    if let Some(tcp) = &profile.link.tcp {
        row(&mut page, &["Modbus TCP", &format!("port {}", tcp.port)]);
    }
    let units: Vec<_> = profile.link.units.iter().map(u8::to_string).collect();
    row(&mut page, &["unit", &units.join(", ")]);
    row(&mut page, &["between requests", &format!("{} ms", profile.link.gap_ms)]);
    row(&mut page, &["registers in a request", &format!("at most {}", profile.link.max_read)]);
    if let Some(sunspec) = &profile.sunspec {
        let of = |models: &[u16]| models.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let none =
            if sunspec.none.is_empty() { String::new() } else { format!(", none of {}", of(&sunspec.none)) };
        row(
            &mut page,
            &["recognised by", &format!("a SunSpec chain with one of the models {}{none}", of(&sunspec.any))],
        );
    }
    if let Some(identify) = &profile.identify {
        let signs: Vec<_> = identify.matches.iter().map(|sign| recognised(profile, sign)).collect();
        let signs = remarks(&[Some(signs.join(", ")), unverified(identify.unverified.as_ref())]);
        row(&mut page, &["recognised by", &signs]);
    }
    for forbidden in &profile.link.forbidden {
        row(&mut page, &["never read", &format!("{} to {}", forbidden.from, forbidden.to)]);
    }
    row(&mut page, &["marked unverified", &profile.unverified().to_string()]);
    if let Some(note) = &profile.note {
        line(&mut page, &format!("\n{note}"));
    }
    line(&mut page, "\n## Read\n\n| name | unit | where | how | remarks |\n| --- | --- | --- | --- | --- |");
    for point in &profile.point {
        let private = names::is_private(&point.name).then(|| "for others".to_owned());
        let when = point.when.as_ref().map(|when| format!("only while `{when}`"));
        let remarks = remarks(&[
            unverified(point.unverified.as_ref()),
            point.note.clone(),
            private,
            when,
            every(profile, point),
            point.range.map(|(low, high)| format!("{low} to {high}")),
        ]);
        let unit = point.unit.as_deref().unwrap_or("");
        let place = place(profile.table(point.table), point.addr, &point.model, point.words_at.as_deref());
        row(&mut page, &[&format!("`{}`", point.name), unit, &place, &how(point), &remarks]);
    }
    for point in &profile.words {
        let words = in_ranges(&point.map.0);
        let alarms = alarms(&point.alarm);
        let remarks = remarks(&[unverified(point.unverified.as_ref()), point.note.clone(), alarms]);
        let place = place(profile.table(point.table), Some(point.addr), &point.model, None);
        row(&mut page, &[&format!("`{}`", point.name), "", &place, &words.join(", "), &remarks]);
    }
    for point in &profile.bits {
        let texts: Vec<_> = point.text.0.iter().map(|(bit, text)| format!("{bit} {text}")).collect();
        let alarms = alarms(&point.alarm);
        let remarks = remarks(&[unverified(point.unverified.as_ref()), point.note.clone(), alarms]);
        let place = place(profile.table(point.table), Some(point.addr), &point.model, None);
        let bits = format!("bits: {}", texts.join(", "));
        row(&mut page, &[&format!("`{}`", point.name), "", &place, &bits, &remarks]);
    }
    written::add(&mut page, profile);
    line(&mut page, "\n## Where this is from\n");
    for source in &profile.sources {
        line(&mut page, &format!("- {source}"));
    }
    page
}

/// What of it is an alarm.
fn alarms(known: &Numbered<Alarm>) -> Option<String> {
    let alarms: Vec<_> = known.0.iter().map(|(number, alarm)| format!("{number} {alarm:?}")).collect();
    (!alarms.is_empty()).then(|| format!("alarms: {}", alarms.join(", ")))
}

/// What tells a device from others.
fn recognised(profile: &Profile, sign: &Match) -> String {
    let place = place(profile.table(sign.table), Some(sign.addr), &[], None);
    match sign {
        Match { one_of: Some(all), .. } => {
            let all: Vec<_> = all.iter().map(|raw| format!("{raw:#x}")).collect();
            format!("{place} is {}", all.join(" or "))
        }
        Match { range: Some((low, high)), .. } => format!("{place} is {low} to {high}"),
        Match { prefix: Some(all), .. } => format!("{place} begins with {}", all.join(" or ")),
        _ => format!("{place} is text"),
    }
}

/// Words for numbers, those of neighbours together.
fn in_ranges(words: &BTreeMap<i128, String>) -> Vec<String> {
    let mut ranges: Vec<(i128, i128, &str)> = Vec::new();
    for (raw, word) in words {
        match ranges.last_mut() {
            Some((_, last, same)) if *last + 1 == *raw && same == word => *last = *raw,
            _ => ranges.push((*raw, *raw, word)),
        }
    }
    let shown = ranges.into_iter().map(|(first, last, word)| match last - first {
        0 => format!("{first} {word}"),
        _ => format!("{first} to {last} {word}"),
    });
    shown.collect()
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// Where something is.
fn place(table: Table, addr: Option<u16>, model: &[u16], words_at: Option<&[u16]>) -> String {
    let models: Vec<_> = model.iter().map(u16::to_string).collect();
    let table = if table == Table::Holding { "holding" } else { "input" };
    match (addr, words_at) {
        (Some(addr), _) if !model.is_empty() => format!("model {}, {addr}", models.join("/")),
        (Some(addr), _) => format!("{table} {addr}"),
        (None, Some(places)) => {
            let places: Vec<_> = places.iter().map(u16::to_string).collect();
            format!("{table} {}", places.join(", "))
        }
        (None, None) => String::new(),
    }
}

fn how(point: &Point) -> String {
    let mut how = match &point.expr {
        Some(expr) => format!("`{expr}`"),
        None => point.kind.name().to_owned(),
    };
    if let Some(mask) = point.mask {
        let _ = write!(how, ", bits 0x{mask:04X}");
    }
    if point.scale != 1.0 {
        let _ = write!(how, " × {}", point.scale);
    }
    if point.offset != 0.0 {
        let sign = if point.offset < 0.0 { '−' } else { '+' };
        let _ = write!(how, " {sign} {}", point.offset.abs());
    }
    match (point.scale_addr, &point.scale_from) {
        (Some(addr), _) => _ = write!(how, " × 10^({addr})"),
        (None, Some(name)) => _ = write!(how, " × 10^`{name}`"),
        (None, None) => {}
    }
    if let Some(sign) = &point.sign_from {
        let signs: Vec<_> = sign.map.0.iter().map(|(raw, sign)| format!("{raw}: {sign:+}")).collect();
        let _ = write!(how, ", sign by {} ({})", sign.addr, signs.join(", "));
    }
    if !point.invalid.is_empty() {
        let invalid: Vec<_> = point.invalid.iter().map(|raw| format!("{raw:#x}")).collect();
        let _ = write!(how, ", nothing at {}", invalid.join(", "));
    }
    how
}

/// What is not certain.
fn unverified(why: Option<&String>) -> Option<String> {
    why.map(|why| format!("**unverified**: {why}"))
}

fn remarks(all: &[Option<String>]) -> String {
    all.iter().flatten().cloned().collect::<Vec<_>>().join("; ")
}

/// How often a point is read, where that is not each second.
fn every(profile: &Profile, point: &Point) -> Option<String> {
    let addr = point.addr.filter(|_| point.model.is_empty())?;
    let table = profile.table(point.table);
    let block = profile.block.iter().find(|block| {
        let first = block.addr.unwrap_or(u16::MAX);
        profile.table(block.table) == table
            && (first..first.saturating_add(block.count.unwrap_or(0))).contains(&addr)
    })?;
    match block.every {
        Every::Once => Some("once".to_owned()),
        Every::Period(period) if period.as_secs() > 1 => Some(format!("every {} s", period.as_secs())),
        Every::Period(_) => None,
    }
}
