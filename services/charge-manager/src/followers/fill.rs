//! How a budget is divided among those that want some of it.

/// One that wants a part of the budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taker {
    /// What it takes now, A.
    pub(crate) taken_a: f64,
    /// The most that it can take, A.
    pub(crate) rating_a: f64,
    /// What it is left with at least, as far as the budget goes, A: room to begin with.
    pub(crate) least_want_a: f64,
}

/// More than is taken now by so much is what one may come to want.
const WANT_MORE: f64 = 1.2;
const WANT_MORE_A: f64 = 2.0;

impl Taker {
    fn want_a(&self) -> f64 {
        (self.taken_a * WANT_MORE + WANT_MORE_A).max(self.least_want_a).min(self.rating_a)
    }
}

/// The part of each: what it takes, and of the rest in proportion to what more it wants. Together at most the budget; too
/// little for what is taken now is shared in proportion to that. One that does not use its part does not keep it.
pub(crate) fn fill(budget_a: f64, takers: &[Taker]) -> Vec<f64> {
    let budget_a = budget_a.max(0.0);
    let taken_a: f64 = takers.iter().map(|taker| taker.taken_a.min(taker.rating_a)).sum();
    if taken_a >= budget_a {
        let scale = if taken_a > 0.0 { budget_a / taken_a } else { 0.0 };
        return takers.iter().map(|taker| taker.taken_a.min(taker.rating_a) * scale).collect();
    }
    let mut parts: Vec<f64> = takers.iter().map(|taker| taker.taken_a.min(taker.rating_a)).collect();
    let mut left_a = budget_a - taken_a;
    // Each round either spends what is left or brings somebody to its rating.
    for _ in 0..=takers.len() {
        let wants: Vec<f64> = takers
            .iter()
            .zip(&parts)
            .map(
                |(taker, part)| {
                    if *part < taker.rating_a { (taker.want_a() - taker.taken_a).max(0.1) } else { 0.0 }
                },
            )
            .collect();
        let wanted_a: f64 = wants.iter().sum();
        if wanted_a <= 0.0 || left_a <= 1e-9 {
            break;
        }
        let mut spent_a = 0.0;
        for ((part, want), taker) in parts.iter_mut().zip(&wants).zip(takers) {
            let more_a = (left_a * want / wanted_a).min(taker.rating_a - *part).max(0.0);
            *part += more_a;
            spent_a += more_a;
        }
        left_a -= spent_a;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taker(taken_a: f64, rating_a: f64) -> Taker {
        Taker { taken_a, rating_a, least_want_a: 1.0 }
    }

    #[test]
    fn one_gets_everything_and_two_at_rest_the_half_each() {
        assert_eq!(fill(140.0, &[taker(0.0, 1_000.0)]), [140.0]);
        assert_eq!(fill(140.0, &[taker(0.0, 1_000.0), taker(0.0, 1_000.0)]), [70.0, 70.0]);
    }

    #[test]
    fn who_takes_nothing_leaves_its_part_to_the_other() {
        let parts = fill(140.0, &[taker(100.0, 1_000.0), taker(0.0, 1_000.0)]);
        assert!(parts[0] > 135.0 && parts[1] > 1.0, "{parts:?}");
    }

    #[test]
    fn at_its_rating_one_leaves_the_rest_to_the_other() {
        assert_eq!(fill(140.0, &[taker(10.0, 30.0), taker(10.0, 1_000.0)]), [30.0, 110.0]);
    }

    #[test]
    fn too_little_is_shared_by_what_is_taken() {
        assert_eq!(fill(60.0, &[taker(80.0, 1_000.0), taker(40.0, 1_000.0)]), [40.0, 20.0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nobody_gets_more_than_its_rating_and_all_together_not_more_than_the_budget(
            budget_a in 0.0f64..500.0,
            takers in proptest::collection::vec((0.0f64..300.0, 0.0f64..400.0), 0..6),
        ) {
            let takers: Vec<Taker> = takers.into_iter().map(|(taken_a, rating_a)| taker(taken_a, rating_a)).collect();
            let parts = fill(budget_a, &takers);
            prop_assert!(parts.iter().sum::<f64>() <= budget_a + 1e-6);
            for (part, taker) in parts.iter().zip(&takers) {
                prop_assert!(*part >= 0.0 && *part <= taker.rating_a + 1e-6);
            }
        }
    }
}
