//! A profile as a page for people, in Markdown: `profiles/ID.md`.

use std::fmt::Write;

use super::point::Point;
use super::scalar::{Every, Table};
use super::write::{Persist, WritePoint};
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
    row(&mut page, &["on the bus", class]);
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
    row(&mut page, &["marked unverified", &profile.unverified().to_string()]);
    if let Some(note) = &profile.note {
        line(&mut page, &format!("\n{note}"));
    }
    line(&mut page, "\n## Read\n\n| name | unit | where | how | remarks |\n| --- | --- | --- | --- | --- |");
    for point in profile.point.iter().filter(|point| !point.name.starts_with('_')) {
        let remarks = remarks(point.unverified.as_deref(), point.note.as_deref(), every(profile, point));
        row(
            &mut page,
            &[
                &format!("`{}`", point.name),
                point.unit.as_deref().unwrap_or(""),
                &place(profile.table(point.table), point.addr, &point.model, point.words_at.as_deref()),
                &how(point),
                &remarks,
            ],
        );
    }
    for point in &profile.words {
        let words: Vec<_> = point.map.0.iter().map(|(raw, word)| format!("{raw} {word}")).collect();
        let remarks = remarks(point.unverified.as_deref(), point.note.as_deref(), None);
        let place = place(profile.table(point.table), Some(point.addr), &point.model, None);
        row(&mut page, &[&format!("`{}`", point.name), "", &place, &words.join(", "), &remarks]);
    }
    for point in &profile.bits {
        let texts: Vec<_> = point.text.0.iter().map(|(bit, text)| format!("{bit} {text}")).collect();
        let remarks = remarks(point.unverified.as_deref(), None, None);
        let place = place(profile.table(point.table), Some(point.addr), &point.model, None);
        row(
            &mut page,
            &[&format!("`{}`", point.name), "", &place, &format!("bits: {}", texts.join(", ")), &remarks],
        );
    }
    if !profile.write.is_empty() {
        line(
            &mut page,
            "\n## Written, when control is enabled\n\n| name | unit | where | range | kept in | remarks |\n| --- | --- | --- | --- | --- | --- |",
        );
    }
    for write in &profile.write {
        let place = match write.addr {
            Some(_) => place(write.table, write.addr, &write.model, None),
            None => format!("{} writes", write.sequence.len()),
        };
        let kept = if write.persist == Persist::Ram { "RAM" } else { "flash" };
        let remarks = remarks(write.unverified.as_deref(), write.note.as_deref(), None);
        row(
            &mut page,
            &[
                &format!("`{}`", write.name),
                write.unit.as_deref().unwrap_or(""),
                &place,
                &range(write),
                kept,
                &remarks,
            ],
        );
    }
    line(&mut page, "\n## Where this is from\n");
    for source in &profile.sources {
        line(&mut page, &format!("- {source}"));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

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
    if point.expr.is_some() {
        return "from others".to_owned();
    }
    let mut how = point.kind.name().to_owned();
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
    if point.scale_addr.is_some() || point.scale_from.is_some() {
        how.push_str(", scaled by the device");
    }
    if point.sign_from.is_some() {
        how.push_str(", sign elsewhere");
    }
    how
}

fn range(write: &WritePoint) -> String {
    match (&write.map, write.min, write.max) {
        (Some(words), ..) => words.keys().cloned().collect::<Vec<_>>().join(", "),
        (None, Some(min), Some(max)) => format!("{min} to {max}"),
        _ => String::new(),
    }
}

fn remarks(unverified: Option<&str>, note: Option<&str>, every: Option<String>) -> String {
    let unverified = unverified.map(|why| format!("**unverified**: {why}"));
    [unverified, note.map(str::to_owned), every].into_iter().flatten().collect::<Vec<_>>().join("; ")
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
