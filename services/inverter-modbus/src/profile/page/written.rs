//! What is written: set points, ways of running, and their sequences, step by step.

use std::fmt::Write;

use super::{line, place, remarks, row, unverified};
use crate::profile::Profile;
use crate::profile::scalar::{Table, Time};
use crate::profile::write::{Given, ModeSpec, Persist, Step, WritePoint};

/// Adds the tables of what is written.
pub(super) fn add(page: &mut String, profile: &Profile) {
    if !profile.write.is_empty() {
        line(
            page,
            "\n## Written, when control is enabled\n\n| name | unit | where | range | kept in | remarks |\n| --- | --- | --- | --- | --- | --- |",
        );
    }
    for write in &profile.write {
        let place = match write.addr {
            Some(_) => place(write.table, write.addr, &write.model, None),
            None => "a sequence".to_owned(),
        };
        let remarks = remarks(&[
            unverified(write.unverified.as_ref()),
            write.note.clone(),
            write.when.as_ref().map(|when| format!("only while `{when}`")),
            write.max_from.as_ref().map(|name| format!("at most `{name}`")),
            repeated(write.refresh, write.watchdog),
            read_back(write),
        ]);
        let unit = write.unit.as_deref().unwrap_or("");
        let name = format!("`{}`", write.name);
        row(page, &[&name, unit, &place, &range(write), kept(write.persist), &remarks]);
    }
    if !profile.mode.is_empty() {
        line(
            page,
            "\n## Ways of running\n\n| mode | power, W | it is in force | kept in | remarks |\n| --- | --- | --- | --- | --- |",
        );
    }
    for mode in &profile.mode {
        let power = mode.max.map_or(String::new(), |max| format!("{} to {max}", mode.min.unwrap_or(0.0)));
        let active =
            mode.active.as_ref().map_or("is not shown".to_owned(), |active| format!("while `{active}`"));
        let remarks = remarks(&[
            unverified(mode.unverified.as_ref()),
            mode.note.clone(),
            repeated(mode.refresh, mode.watchdog),
            (!mode.release.is_empty()).then(|| "has an end".to_owned()),
        ]);
        row(page, &[name(mode), &power, &active, kept(mode.persist), &remarks]);
    }
    sequences(page, profile);
}

fn name(mode: &ModeSpec) -> &'static str {
    mode.name.key().trim_start_matches("mode ")
}

fn sequences(page: &mut String, profile: &Profile) {
    let has_steps = |write: &&WritePoint| {
        !(write.sequence.is_empty() && write.unlock.is_empty() && write.release.is_empty())
    };
    let mut writes = profile.write.iter().filter(has_steps).peekable();
    if writes.peek().is_none() && profile.mode.is_empty() {
        return;
    }
    line(page, "\n## Sequences, in order\n");
    for write in writes {
        let name = format!("`{}`{}", write.name, of_models(&write.model));
        steps(page, &format!("{name} is unlocked by"), &write.unlock);
        steps(page, &name, &write.sequence);
        steps(page, &format!("{name} ends with"), &write.release);
    }
    for mode in &profile.mode {
        let name = format!("mode {}{}", name(mode), of_models(&mode.model));
        steps(page, &name, &mode.sequence);
        steps(page, &format!("{name} ends with"), &mode.release);
    }
}

fn of_models(models: &[u16]) -> String {
    let models: Vec<_> = models.iter().map(u16::to_string).collect();
    if models.is_empty() { String::new() } else { format!(" (model {})", models.join("/")) }
}

/// One line for a sequence; what goes in one request stands together.
fn steps(page: &mut String, what: &str, steps: &[Step]) {
    let mut text = String::new();
    for step in steps {
        let join = if step.join { " with " } else { "; " };
        let _ = write!(text, "{}{}", if text.is_empty() { "" } else { join }, one(step));
    }
    if !text.is_empty() {
        line(page, &format!("- {what}: {text}"));
    }
}

fn one(step: &Step) -> String {
    let mut text = if step.table == Table::Holding { String::new() } else { format!("{} ", step.table) };
    let _ = match step.model.as_slice() {
        [] => write!(text, "{}", step.addr),
        models => write!(text, "{}{}", step.addr, of_models(models)),
    };
    if let Some(mask) = step.mask {
        let _ = write!(text, " bits 0x{mask:04X}");
    }
    text.push_str(match &step.value {
        Given::Saved => " as before",
        Given::Kept => " as it is",
        _ => " = ",
    });
    let _ = match &step.value {
        Given::Number(number) => write!(text, "{number}"),
        Given::Wanted => write!(text, "value"),
        Given::Magnitude => write!(text, "abs(value)"),
        Given::Secret(name) => write!(text, "the secret `{name}`"),
        Given::Made(expr) => write!(text, "`{expr}`"),
        Given::Saved | Given::Kept => Ok(()),
    };
    if step.scale != 1.0 {
        let _ = write!(text, " in {}", step.scale);
    }
    if let Some(last) = step.last {
        text.push_str(&format!(" ({last} at the end)"));
    }
    if step.once {
        text.push_str(" (once)");
    }
    text
}

fn kept(persist: Persist) -> &'static str {
    if persist == Persist::Ram { "RAM" } else { "flash" }
}

fn repeated(refresh: Option<Time>, watchdog: Option<Time>) -> Option<String> {
    let seconds = |time: Time| time.0.as_secs();
    match (refresh, watchdog) {
        (Some(refresh), Some(watchdog)) => {
            Some(format!("repeated every {} s, forgotten after {} s", seconds(refresh), seconds(watchdog)))
        }
        (Some(refresh), None) => Some(format!("repeated every {} s", seconds(refresh))),
        (None, Some(watchdog)) => Some(format!("forgotten after {} s", seconds(watchdog))),
        (None, None) => None,
    }
}

fn read_back(write: &WritePoint) -> Option<String> {
    match (&write.readback_from, &write.readback_at) {
        (Some(name), _) => Some(format!("shown by `{name}`")),
        (None, Some(field)) => Some(format!("shown at {}", field.addr)),
        (None, None) if !write.readback || write.addr.is_none() => Some("not read back".to_owned()),
        (None, None) => None,
    }
}

fn range(write: &WritePoint) -> String {
    match (&write.map, write.min, write.max) {
        (Some(words), ..) => words.keys().cloned().collect::<Vec<_>>().join(", "),
        (None, Some(min), Some(max)) => format!("{min} to {max}"),
        _ => String::new(),
    }
}
