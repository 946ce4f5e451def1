//! Every ten seconds: may energy be shared? If not, the converter waits.

use std::time::Duration;

use service_kit::Repeating;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Handle, Reading};
use crate::converter::{self, Request};
use crate::error::Error;

/// How often the battery is asked.
const EVERY: Duration = Duration::from_secs(10);

/// What a check means: whether the converter has to wait. Silence only counts after `limit` checks without an answer.
fn has_to_wait(reading: &Result<Reading, Error>, failures: &mut u32, limit: u32) -> bool {
    match reading {
        Ok(reading) => {
            *failures = 0;
            !reading.is_permitted()
        }
        Err(Error::NoBattery) => true,
        Err(_) => {
            *failures = failures.saturating_add(1);
            *failures >= limit
        }
    }
}

/// Watches the battery for as long as the process runs, while the configuration wants it. No failure ends it.
pub async fn watch(battery: Handle, converter: converter::Handle) {
    let mut checks = interval(EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failures, mut denied, mut unforced) = (0, Repeating::default(), Repeating::default());
    loop {
        checks.tick().await;
        let config = converter.config();
        let Some(settings) = config.battery.as_ref().filter(|battery| battery.force_dcdc_waiting) else {
            failures = 0;
            continue;
        };
        let reading = battery.read().await;
        let now = Instant::now();
        if !has_to_wait(&reading, &mut failures, settings.failures_until_denied) {
            if let Some(report) = denied.ended(now) {
                tracing::warn!("{report}");
            }
            continue;
        }
        let why = match &reading {
            Ok(_) => "the battery denies sharing energy".to_owned(),
            Err(error) => format!("the battery does not answer ({error}), which counts as denying"),
        };
        if let Some(report) = denied.failed(now, &format!("{why}: the converter is sent to waiting")) {
            tracing::warn!("{report}");
        }
        let report = match converter.ask(Request::ForceWaiting).await {
            Ok(_) => unforced.ended(Instant::now()),
            Err(error) => {
                unforced.failed(Instant::now(), &format!("the converter was not sent to waiting: {error}"))
            }
        };
        if let Some(report) = report {
            tracing::warn!("{report}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_as_denial_only_after_some_checks_and_one_answer_starts_the_count_anew() {
        let mut failures = 0;
        let permitted = Ok(Reading { rsoc: 800, status: 2 });
        let silent = Err(Error::BatterySilent);
        let mut step = |reading| has_to_wait(reading, &mut failures, 3);
        assert!(!step(&silent) && !step(&silent));
        assert!(!step(&permitted));
        assert!(!step(&silent) && !step(&silent) && step(&silent) && step(&silent));
        assert!(step(&Ok(Reading { rsoc: 800, status: 1 })));
        assert!(step(&Err(Error::NoBattery)));
    }
}
