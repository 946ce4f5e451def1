//! What a start of a process means while an update is on trial.

/// So many starts of one process a new release may have before it is judged: the one of the update, and one more after
/// a power cut or a stumble.
pub const MOST_STARTS: u32 = 2;

/// An update on trial. Releases are named as the links name them: `releases/0.1.0-1a2b3c4d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The release that worked, if there was one.
    pub from: Option<String>,
    /// The release that has to prove itself.
    pub to: String,
}

/// All that counts for the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The update on trial.
    pub trial: Option<Trial>,
    /// The current release.
    pub current: Option<String>,
    /// Starts of the process during this trial, without the one that is about to be.
    pub starts: u32,
}

/// What to do before the process is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Start,
    /// Write this number of starts down.
    Count(u32),
    /// Make this release the current one again: the new one had its chances.
    GoBack(String),
}

/// Decides what to do before a process is started.
///
/// A trial whose new release is not the current one has not begun, or is over: then starts are not its fault. Without an
/// older release there is nothing to go back to, and a start that may fail is better than none.
#[must_use]
pub fn decide(situation: &Situation) -> Action {
    let Some(trial) = &situation.trial else { return Action::Start };
    if situation.current.as_ref() != Some(&trial.to) {
        return Action::Start;
    }
    match &trial.from {
        Some(from) if situation.starts >= MOST_STARTS && *from != trial.to => Action::GoBack(from.clone()),
        _ => Action::Count(situation.starts.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(from: Option<&str>, current: &str, starts: u32) -> Situation {
        let trial = Trial { from: from.map(str::to_owned), to: "new".to_owned() };
        Situation { trial: Some(trial), current: Some(current.to_owned()), starts }
    }

    #[test]
    fn without_a_trial_nothing_is_counted() {
        let calm = Situation { trial: None, current: Some("new".to_owned()), starts: 9 };
        assert_eq!(decide(&calm), Action::Start);
    }

    #[test]
    fn the_third_start_of_a_new_release_goes_back() {
        assert_eq!(decide(&situation(Some("old"), "new", 0)), Action::Count(1));
        assert_eq!(decide(&situation(Some("old"), "new", 1)), Action::Count(2));
        assert_eq!(decide(&situation(Some("old"), "new", 2)), Action::GoBack("old".to_owned()));
        assert_eq!(decide(&situation(Some("old"), "new", u32::MAX)), Action::GoBack("old".to_owned()));
    }

    #[test]
    fn starts_before_the_switch_and_after_the_return_are_not_the_new_releases_fault() {
        assert_eq!(decide(&situation(Some("old"), "old", 7)), Action::Start);
        let none = Situation { current: None, ..situation(Some("old"), "new", 7) };
        assert_eq!(decide(&none), Action::Start);
    }

    #[test]
    fn a_first_installation_has_nothing_to_go_back_to() {
        assert_eq!(decide(&situation(None, "new", 40)), Action::Count(41));
        assert_eq!(decide(&situation(None, "new", u32::MAX)), Action::Count(u32::MAX));
        assert_eq!(
            decide(&situation(Some("new"), "new", 40)),
            Action::Count(41),
            "back to itself is no way back"
        );
    }
}
