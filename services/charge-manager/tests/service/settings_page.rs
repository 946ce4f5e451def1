//! The page of settings for users, held against the table that they are read from.

use charge_manager::Settings;
use charge_manager::settings::{Chemistry, Key};

const PAGE: &str = include_str!("../../SETTINGS.md");

/// A row of the page.
fn row(key: Key) -> String {
    let spec = key.spec();
    let default = |chemistry: Chemistry| {
        Settings::of(chemistry).some(key).map_or("–".to_owned(), |default| format!("{default}"))
    };
    let mut defaults: Vec<String> = Chemistry::ALL.map(default).to_vec();
    if defaults.iter().all(|default| Some(default) == defaults.first()) {
        defaults.truncate(1);
    }
    let sentence = spec.sentence.trim();
    format!(
        "| {} | {} | {} to {} | {} | {sentence} |",
        spec.name,
        spec.unit.text(),
        spec.min,
        spec.max,
        defaults.join(" / ")
    )
}

#[test]
fn every_number_that_can_be_set_stands_on_the_page_as_the_table_has_it() {
    let rows: Vec<String> = Key::ALL.iter().map(|key| row(*key)).collect();
    let shown: Vec<&str> = PAGE.lines().filter(|line| line.split(" | ").count() == 5).skip(2).collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !shown.contains(&row.as_str())).collect();
    let all = rows.join("\n");
    assert!(missing.is_empty(), "these rows are missing or old:\n{missing:#?}\n\nall of them:\n{all}");
    assert_eq!(shown.len(), rows.len(), "and no others");
}
