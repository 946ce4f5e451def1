//! What every limiter says: a value and why. The least wins.

use crate::reasons::Reason;

/// A value and why it is that.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// A or V.
    pub value: f64,
    /// Why.
    pub reason: Reason,
}

impl Limit {
    pub(crate) fn new(value: f64, reason: Reason) -> Limit {
        Limit { value, reason }
    }
}

/// Values nearer to each other than this are a tie.
const TIE: f64 = 1e-9;

/// The least of the limits, 0 or more. A tie keeps the reason that was there before, so that it does not flicker; what is at
/// its maximum is not limited.
pub(crate) fn least(limits: &[Limit], before: &Reason) -> Option<Limit> {
    let lowest = limits.iter().map(|limit| limit.value).fold(f64::INFINITY, f64::min);
    let tied = |limit: &&Limit| limit.value <= lowest + TIE;
    let free = limits.iter().filter(tied).find(|limit| limit.reason == Reason::None);
    let kept = || limits.iter().filter(tied).find(|limit| limit.reason.id() == before.cause().id());
    let winner = free.or_else(kept).or_else(|| limits.iter().find(tied))?;
    Some(Limit::new(winner.value.max(0.0), winner.reason.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_wins_and_a_tie_keeps_the_reason() {
        let limits = [
            Limit::new(50.0, Reason::User { limit: 50.0 }),
            Limit::new(50.0, Reason::Equalise),
            Limit::new(70.0, Reason::None),
        ];
        assert_eq!(least(&limits, &Reason::None).unwrap().reason.id(), "user");
        assert_eq!(least(&limits, &Reason::Equalise).unwrap().reason.id(), "equalise");
        assert_eq!(least(&limits, &Reason::Equalise.rising()).unwrap().reason.id(), "equalise");
        assert_eq!(least(&[Limit::new(-3.0, Reason::None)], &Reason::None).unwrap().value, 0.0);
        assert_eq!(least(&[], &Reason::None), None);
    }
}
