//! Paths of settings: `/Settings/<label>/...`.

/// What is above every setting.
pub const ROOT: &str = "/Settings";
/// Below it each device has a group of its own.
pub const DEVICES: &str = "/Settings/Devices";
/// Writable by one program only.
pub const SECURITY_PROFILE: &str = "/Settings/System/SecurityProfile";
/// The name of a device's class and number.
pub const CLASS_AND_VRM_INSTANCE: &str = "ClassAndVrmInstance";

/// The longest path that a setting may have, in bytes.
pub const MAX_LENGTH: usize = 255;
/// How many steps it may have. Those of a GX device have up to nine.
pub const MAX_STEPS: usize = 24;

/// A path given relative to a group; whether it begins with a slash makes no difference.
#[must_use]
pub fn join(group: &str, relative: &str) -> String {
    let group = if group == "/" { "" } else { group };
    let slash = if relative.starts_with('/') { "" } else { "/" };
    format!("{group}{slash}{relative}")
}

/// Whether a setting may stand at `path`: below `/Settings`, labels of the characters that the D-Bus specification allows,
/// none of them empty or with `_` in front, which in the file stands before a digit.
#[must_use]
pub fn is_legal(path: &str) -> bool {
    let Some(labels) = path.strip_prefix("/Settings/") else { return false };
    path.len() <= MAX_LENGTH && labels.split('/').count() < MAX_STEPS && labels.split('/').all(is_label)
}

/// Whether this may be one step of a path.
#[must_use]
pub fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('_')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether this is where a device keeps its class and number: those are unique within a class.
#[must_use]
pub fn is_instance(path: &str) -> bool {
    let mut labels = path.strip_prefix("/Settings/Devices/").into_iter().flat_map(|rest| rest.split('/'));
    labels.next().is_some() && labels.next() == Some(CLASS_AND_VRM_INSTANCE) && labels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_slash_makes_no_difference_below_a_group() {
        assert_eq!(join("/Settings/A", "B/C"), "/Settings/A/B/C");
        assert_eq!(join("/Settings/A", "/B/C"), "/Settings/A/B/C");
        assert_eq!(join("/", "/Settings/A"), "/Settings/A");
    }

    #[test]
    fn only_what_the_bus_and_the_file_can_hold_is_a_path() {
        for good in ["/Settings/A", "/Settings/1st/2nd", "/Settings/a_b/C"] {
            assert!(is_legal(good), "{good}");
        }
        for bad in [
            "/Settings",
            "/Settings/",
            "/A",
            "/Settings/a//b",
            "/Settings/a/",
            "/Settings/_a",
            "/Settings/a-b",
        ] {
            assert!(!is_legal(bad), "{bad}");
        }
        assert!(!is_legal(&format!("/Settings/{}", "a".repeat(MAX_LENGTH))));
        assert!(!is_legal(&format!("/Settings{}", "/a".repeat(MAX_STEPS))));
    }

    #[test]
    fn an_instance_stands_right_below_its_device() {
        assert!(is_instance("/Settings/Devices/x/ClassAndVrmInstance"));
        assert!(!is_instance("/Settings/Devices/ClassAndVrmInstance"));
        assert!(!is_instance("/Settings/Devices/x/y/ClassAndVrmInstance"));
        assert!(!is_instance("/Settings/Else/x/ClassAndVrmInstance"));
    }
}
