//! settings.xml, whoever wrote it.

use settings::file::{read, write};
use settings::path::{DEVICES, ROOT, is_instance, is_label, is_legal, join};

use crate::lines::assert_line;

/// The text of a file.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    paths(text);
    let mut document = match read(text) {
        Ok(document) => document,
        Err(broken) => {
            assert!((1..=1 + text.matches('\n').count()).contains(&broken.line));
            return assert_line(&broken.to_string());
        }
    };
    document.left_out.drain(..).for_each(|line| assert_line(&line));
    for (path, setting) in document.store.below("/") {
        assert!(is_legal(path), "{path}");
        let kind = setting.value.kind();
        let all = [setting.default.as_ref(), setting.min.as_ref(), setting.max.as_ref()];
        assert!(all.into_iter().flatten().all(|content| content.kind() == kind));
    }
    let written = write(&document);
    assert_eq!(read(&written).as_ref(), Ok(&document), "{written}");
    document.keep_what_any_device_can_use();
    assert!(document.store.below(DEVICES).next().is_none());
    assert!(read(&write(&document)).is_ok());
}

/// The text as a path.
fn paths(text: &str) {
    let path = join(ROOT, text);
    if is_legal(&path) {
        assert!(path.split('/').skip(2).all(is_label) && path.is_ascii());
    }
    let _ = is_instance(&path);
}
