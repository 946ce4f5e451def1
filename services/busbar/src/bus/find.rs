//! Which service, which path somebody means.

/// What the names of all services begin with.
const PREFIX: &str = "com.victronenergy.";
/// So many names are listed; more are counted.
const LISTED: usize = 12;
/// So many names that are alike are suggested.
const SUGGESTED: usize = 3;
/// Below this likeness (0 to 1) a suggestion misleads more than it helps.
const ALIKE: f64 = 0.5;
/// Names less alike than the best by this much are not meant.
const ABOUT_AS_ALIKE: f64 = 0.15;

/// Why it is not clear which service is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unclear {
    #[error("no service under com.victronenergy is there; is bms-can running?")]
    Empty,
    #[error("no service is called {wanted:?}; {hint}")]
    Unknown { wanted: String, hint: String },
    #[error("{wanted:?} may be any of: {}", listed(candidates))]
    Ambiguous { wanted: String, candidates: Vec<String> },
}

/// The service that `wanted` stands for: its name, its name without `com.victronenergy.`, the end of its name, or any
/// part that no other name has. Whatever is more exact goes first.
pub(crate) fn service<'n>(wanted: &str, names: &'n [String]) -> Result<&'n str, Unclear> {
    let plain = wanted.strip_prefix(PREFIX).unwrap_or(wanted).to_lowercase();
    let is_end = |name: &str| {
        name.strip_suffix(&plain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let ways: [&dyn Fn(&str) -> bool; 3] =
        [&|name| name == plain, &is_end, &|name| !plain.is_empty() && name.contains(&plain)];
    for way in ways {
        let found: Vec<&String> = names.iter().filter(|name| way(&short(name).to_lowercase())).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one),
            several => {
                let candidates = several.iter().map(|name| short(name).to_owned()).collect();
                return Err(Unclear::Ambiguous { wanted: wanted.to_owned(), candidates });
            }
        }
    }
    if names.is_empty() {
        return Err(Unclear::Empty);
    }
    let shorts: Vec<&str> = names.iter().map(|name| short(name)).collect();
    let near = nearest(&plain, &shorts);
    let hint = match near.is_empty() {
        true => format!("there are {}", listed(&shorts)),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    Err(Unclear::Unknown { wanted: wanted.to_owned(), hint })
}

/// A name without what all names begin with.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// A path as the bus has it: `/Soc` for `Soc` and for `/Soc/`.
pub(crate) fn path(typed: &str) -> String {
    format!("/{}", typed.trim_matches('/'))
}

/// Whether a path lies below a branch.
pub(crate) fn in_branch(path: &str, branch: &str) -> bool {
    branch == "/" || path.strip_prefix(branch).is_some_and(|rest| rest.starts_with('/'))
}

/// What to say where a service has no such path.
pub(crate) fn unknown_path<'p>(
    service: &str,
    path: &str,
    paths: impl IntoIterator<Item = &'p str>,
) -> String {
    let paths: Vec<&str> = paths.into_iter().collect();
    let near = nearest(path, &paths);
    let hint = match near.is_empty() {
        true => format!("busbar get {} / lists all {}", short(service), paths.len()),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    format!("{service} has no {path}; {hint}")
}

/// The candidates most like `wanted`, the most alike first. The last part of a name counts by itself too: people leave
/// out what stands before it.
fn nearest<'c>(wanted: &str, candidates: &[&'c str]) -> Vec<&'c str> {
    let last = |name: &str| name.rsplit(['.', '/']).next().unwrap_or_default().to_lowercase();
    let wanted = wanted.to_lowercase();
    let alike = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(&wanted, &candidate.to_lowercase());
        // A hair less, so that of two equals the one that is alike as a whole goes first.
        whole.max(0.95 * strsim::normalized_damerau_levenshtein(&last(&wanted), &last(candidate)))
    };
    let mut near: Vec<(f64, &str)> =
        candidates.iter().map(|candidate| (alike(candidate), *candidate)).collect();
    near.retain(|(likeness, _)| *likeness >= ALIKE);
    near.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
    let best = near.first().map_or(0.0, |(likeness, _)| *likeness);
    let as_good = near.into_iter().take_while(|(likeness, _)| *likeness > best - ABOUT_AS_ALIKE);
    as_good.take(SUGGESTED).map(|(_, candidate)| candidate).collect()
}

fn listed(names: &[impl AsRef<str>]) -> String {
    let mut text: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    let more = format!("{} more", names.len().saturating_sub(LISTED));
    if names.len() > LISTED {
        text.push(&more);
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        [
            "battery.bmscan_can0",
            "battery.bmscan_can0_1",
            "battery.ttyUSB0",
            "settings",
            "system",
            "vebus.ttyS4",
        ]
        .map(|short| format!("{PREFIX}{short}"))
        .into()
    }

    fn found(wanted: &str) -> String {
        service(wanted, &names()).map_or_else(|unclear| unclear.to_string(), str::to_owned)
    }

    #[test]
    fn a_service_is_found_by_any_part_that_only_it_has() {
        for (wanted, short) in [
            ("com.victronenergy.battery.ttyUSB0", "battery.ttyUSB0"),
            ("battery.bmscan_can0", "battery.bmscan_can0"),
            ("bmscan_can0", "battery.bmscan_can0"),
            ("can0_1", "battery.bmscan_can0_1"),
            ("usb", "battery.ttyUSB0"),
            ("vebus", "vebus.ttyS4"),
            ("system", "system"),
            ("SETT", "settings"),
        ] {
            assert_eq!(found(wanted), format!("{PREFIX}{short}"), "{wanted}");
        }
    }

    #[test]
    fn what_may_be_several_lists_them() {
        assert_eq!(found("can0"), "\"can0\" may be any of: battery.bmscan_can0, battery.bmscan_can0_1");
        assert!(found("tty").contains("battery.ttyUSB0, vebus.ttyS4"));
    }

    #[test]
    fn what_is_none_names_the_nearest() {
        assert!(
            found("batery.ttyUSB0").ends_with("did you mean battery.ttyUSB0?"),
            "{}",
            found("batery.ttyUSB0")
        );
        assert!(
            found("bmscan_con0").contains("did you mean battery.bmscan_can0"),
            "{}",
            found("bmscan_con0")
        );
        assert!(found("xyz").contains("there are battery.bmscan_can0, "), "{}", found("xyz"));
        assert!(found("").contains("no service is called \"\""));
        assert_eq!(service("battery", &[]), Err(Unclear::Empty));
        let many: Vec<String> = (0..40).map(|n| format!("{PREFIX}battery.x{n}")).collect();
        assert!(service("battery", &many).unwrap_err().to_string().ends_with("28 more"));
    }

    #[test]
    fn paths_are_typed_with_or_without_their_slash() {
        assert_eq!([path("Soc"), path("/Dc/0/"), path("/"), path("")], ["/Soc", "/Dc/0", "/", "/"]);
        assert!(in_branch("/Dc/0/Voltage", "/Dc") && in_branch("/Soc", "/"));
        assert!(!in_branch("/Dc", "/Dc") && !in_branch("/Dcx/0", "/Dc"));
    }

    #[test]
    fn an_unknown_path_names_the_nearest() {
        let paths = ["/Soc", "/Soh", "/Dc/0/Voltage", "/Info/MaxChargeVoltage"];
        let said = |path: &str| unknown_path("com.victronenergy.battery.x", path, paths);
        assert!(said("/Voltage").ends_with("did you mean /Dc/0/Voltage?"), "{}", said("/Voltage"));
        assert!(said("/Sox").contains("/Soc or /Soh"), "{}", said("/Sox"));
        assert!(said("/Info/MaxChargVoltage").contains("/Info/MaxChargeVoltage"));
        assert!(said("/Blah/Blub").ends_with("busbar get battery.x / lists all 4"), "{}", said("/Blah/Blub"));
    }
}
