//! Why a process ends that was not asked to.

use std::error::Error;
use std::fmt;

use crate::config::ConfigErrors;

/// What the body of a process returns when it cannot go on. Any error becomes one with `?`; [`ConfigErrors`] and
/// [`Failure::configuration`] end the process with 78, everything else with 1.
///
/// It is no [`Error`] itself, otherwise `?` could not turn every error into it.
pub struct Failure {
    error: Box<dyn Error + Send + Sync>,
    configuration: bool,
}

impl Failure {
    /// A failure in words.
    pub fn new(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: why.into(), configuration: false }
    }

    /// A mistake in the configuration that only shows when it is used. Trying again does not help, so supervisors are
    /// told (78) not to.
    pub fn configuration(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: why.into(), configuration: true }
    }

    /// Whether the user has to change the configuration.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        self.configuration || self.config_errors().is_some()
    }

    /// The mistakes in the configuration, one line each, if that is what it is.
    pub(crate) fn config_errors(&self) -> Option<&ConfigErrors> {
        let mut error: Option<&(dyn Error + 'static)> = Some(self.error.as_ref());
        while let Some(here) = error {
            if let Some(errors) = here.downcast_ref() {
                return Some(errors);
            }
            error = here.source();
        }
        None
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Failure {
    /// The error and its causes in one line; a cause that the error already says is not repeated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.error.to_string();
        f.write_str(&said)?;
        let mut cause = self.error.source();
        while let Some(here) = cause {
            let text = here.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            cause = here.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot start")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("can0 is down: {0}")]
    struct Inner(#[source] std::fmt::Error);

    #[test]
    fn the_causes_are_said_once_in_one_line() {
        let failure = Failure::from(Outer(Inner(std::fmt::Error)));
        let cause = std::fmt::Error.to_string();
        assert_eq!(failure.to_string(), format!("cannot start: can0 is down: {cause}"));
        assert!(!failure.is_configuration());
    }

    #[test]
    fn configuration_errors_are_recognised_inside_other_errors() {
        #[derive(Debug, thiserror::Error)]
        #[error("profile")]
        struct Wrapped(#[source] ConfigErrors);

        let errors = crate::config::locate(None, "no-such-file.toml").unwrap_err();
        assert!(Failure::from(errors.clone()).is_configuration());
        assert!(Failure::from(Wrapped(errors)).is_configuration());
        assert!(Failure::configuration("two batteries with one address").is_configuration());
    }
}
