//! What a service says of a wish in `/Control/Result`: whether it is under way, done, or has failed; pure.

use dbus_interfaces::classes::{control as c, pvinverter};

/// What the service of an inverter says of a wish that it has taken up,
const ON_ITS_WAY: &str = " is on its way";
/// and the service of a system of one that its inverters carry out.
const PASSED_ON: &str = " went to ";

/// What it says of one of which nobody knows whether it arrived.
const AGAIN: &str = ": it is tried again";
/// What it says of one that ended before it was carried out.
const NOT_WANTED: &str = " is not wanted any more";

/// How a wish stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is on its way, or the text is about something else.
    Open,
    /// It was done.
    Done,
    /// It was not, for this reason.
    Failed(String),
}

/// The names by which the service speaks of an item; empty for one that it does not speak of. `word` is the one of the way of
/// running that is wanted.
pub(super) fn names(path: &str, word: &str) -> Vec<String> {
    if path == c::MODE.path() {
        let mode = |word: &&str| format!("mode {word}");
        return match c::MODES.iter().position(|known| *known == word) {
            // Its own way is what is left when another has ended.
            Some(0) => c::MODES.iter().map(mode).collect(),
            _ => vec![mode(&word)],
        };
    }
    if path == pvinverter::POWER_LIMIT.path() {
        return vec!["ac_power_limit".to_owned(), "ac_power_limit_percent".to_owned()];
    }
    let names = c::SET_POINTS.iter().filter(|(_, item)| item.path() == path);
    names.map(|(name, _)| (*name).to_owned()).collect()
}

/// What a text says behind one of these names.
fn rest<'t>(text: &'t str, names: &[String]) -> Option<&'t str> {
    names.iter().find_map(|name| {
        text.strip_prefix(name.as_str()).filter(|rest| rest.starts_with(' ') || rest.starts_with(':'))
    })
}

/// Whether a text says that the wish of these names is being carried out.
pub(super) fn is_under_way(text: &str, names: &[String]) -> bool {
    rest(text, names).is_some_and(|rest| rest == ON_ITS_WAY || rest.ends_with(AGAIN))
}

/// What a new text means for the wish of these names.
pub(super) fn stand(text: &str, names: &[String]) -> Stand {
    match rest(text, names) {
        None | Some(ON_ITS_WAY) => Stand::Open,
        Some(rest) if rest.ends_with(AGAIN) || rest.starts_with(PASSED_ON) => Stand::Open,
        Some(" has ended") => Stand::Done,
        Some(rest) if rest.starts_with(" is ") && !rest.starts_with(NOT_WANTED) => Stand::Done,
        Some(_) => Stand::Failed(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_about_the_wish_says_how_it_stands_and_one_about_another_does_not() {
        let names = names("/Control/ChargeCurrentLimit", "");
        let failed = |text: &str| Stand::Failed(text.to_owned());
        for (text, means) in [
            ("charge_current_limit is on its way", Stand::Open),
            ("charge_current_limit is 42", Stand::Done),
            ("charge_current_limit: no answer: it is tried again", Stand::Open),
            ("charge_current_limit went to 2 inverters", Stand::Open),
            ("discharge_current_limit is 42", Stand::Open),
            ("charge_current_limit_x is 42", Stand::Open),
            ("", Stand::Open),
        ] {
            assert_eq!(stand(text, &names), means, "{text}");
        }
        for text in [
            "charge_current_limit was set to 42, and it shows 7",
            "charge_current_limit: exception 2",
            "charge_current_limit is not wanted any more: its time is over",
        ] {
            assert_eq!(stand(text, &names), failed(text));
        }
    }

    #[test]
    fn a_way_of_running_goes_by_its_word_and_its_own_is_done_when_any_other_has_ended() {
        let charge = names("/Control/Mode", "charge");
        assert_eq!(stand("mode charge is set", &charge), Stand::Done);
        assert_eq!(stand("mode discharge has ended", &charge), Stand::Open);
        assert_eq!(stand("mode discharge has ended", &names("/Control/Mode", "own")), Stand::Done);
        assert_eq!(names("/Control/Mode", "off-grid"), ["mode off-grid"]);
    }
}
