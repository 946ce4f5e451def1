//! Logs as multilog keeps them: a folder for each process with `current`, and older files named after their last time stamp.
//! Each line begins with a TAI64N stamp, so that lines of several files sort as text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Wanted;

/// The folders of those whose logs are wanted.
pub(super) fn folders(logs: &Path, wanted: &Wanted) -> Vec<PathBuf> {
    let entries = fs::read_dir(logs).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .filter(|entry| {
            entry.file_name().to_str().and_then(process).is_some_and(|process| is_wanted(process, wanted))
        })
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// The newest lines of all of them together, in their order, each with the name of its process.
pub(super) fn newest(logs: &Path, wanted: &Wanted, count: usize) -> io::Result<String> {
    let mut lines = Vec::new();
    for folder in folders(logs, wanted) {
        let name = folder.file_name().and_then(|name| process(name.to_str()?)).unwrap_or_default().to_owned();
        for entry in fs::read_dir(&folder)?.flatten() {
            if is_log(&entry.file_name().to_string_lossy()) {
                let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
                lines.extend(text.lines().map(|line| named(line, &name)));
            }
        }
    }
    lines.sort();
    let from = lines.len().saturating_sub(count);
    Ok(lines.split_off(from).concat())
}

/// `bms-can.can0` of `busbar-bms-can.can0`.
fn process(folder: &str) -> Option<&str> {
    folder.strip_prefix("busbar-")
}

fn is_wanted(process: &str, wanted: &Wanted) -> bool {
    let (service, name) = process.split_once('.').map_or((process, None), |(s, n)| (s, Some(n)));
    wanted.service.is_none_or(|wanted| wanted == service)
        && wanted.name.as_deref().is_none_or(|wanted| Some(wanted) == name)
}

/// `current`, and the full ones: `@400000005fb8c1d52c4f0e1c.s`, or `.u` where multilog was interrupted.
fn is_log(file: &str) -> bool {
    file == "current" || file.starts_with('@')
}

fn named(line: &str, process: &str) -> String {
    match line.split_once(' ') {
        Some((stamp, text)) if stamp.starts_with('@') => format!("{stamp} {process}: {text}\n"),
        _ => format!("{line}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_files_come_in_their_order_with_their_process() {
        let logs = tempfile::tempdir().unwrap();
        for (folder, file, text) in [
            ("busbar-bms-can.can0", "@4000000000000003.s", "@4000000000000001 a\n@4000000000000003 c\n"),
            ("busbar-bms-can.can0", "current", "@4000000000000005 e\n"),
            ("busbar-bms-can.can0", "lock", ""),
            ("busbar-bms-can.can1", "current", "@4000000000000004 d\n"),
            ("busbar-settings", "current", "@4000000000000002 b\n"),
            ("nginx", "current", "@4000000000000002 x\n"),
        ] {
            fs::create_dir_all(logs.path().join(folder)).unwrap();
            fs::write(logs.path().join(folder).join(file), text).unwrap();
        }
        let said = |service, name: Option<&str>, count| {
            let wanted = Wanted::new(service, name).unwrap();
            newest(logs.path(), &wanted, count).unwrap()
        };
        let all = said(None, None, 100);
        let texts: Vec<&str> =
            all.lines().filter_map(|line| line.split_once(' ')).map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            ["bms-can.can0: a", "settings: b", "bms-can.can0: c", "bms-can.can1: d", "bms-can.can0: e"]
        );
        assert_eq!(said(None, None, 1), "@4000000000000005 bms-can.can0: e\n");
        assert_eq!(said(Some("bms-can"), None, 100).lines().count(), 4);
        assert_eq!(said(Some("bms-can"), Some("can1"), 100).lines().count(), 1);
    }
}
