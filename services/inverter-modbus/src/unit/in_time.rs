//! What the bus has a part in, done in time: a bus that takes nothing holds up neither the watchdog nor the end.

use std::pin::pin;
use std::time::Duration;

use dbus_interfaces::BusError;
use service_kit::{Failure, Shutdown};
use tokio::time::{sleep, timeout};

/// A bus that has not taken what is said for so long is as good as gone. Shorter than the watchdog, which lets nobody undo
/// anything.
const BUS_STUCK: Duration = Duration::from_secs(6);
/// And for so long it may go on once the process is to end.
const FINISH: Duration = Duration::from_millis(50);

/// Does what the bus has a part in, unless the process is asked to stop meanwhile and it comes to no end.
///
/// # Errors
/// The bus is gone, or takes nothing any more.
pub(crate) async fn in_time(
    turn: impl Future<Output = Result<(), BusError>>,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let mut turn = pin!(timeout(BUS_STUCK, turn));
    let taken = tokio::select! {
        biased;
        taken = &mut turn => taken,
        // What is to be undone at the device does not wait for the bus.
        () = shutdown.requested() => tokio::select! {
            biased;
            taken = &mut turn => taken,
            () = sleep(FINISH) => return Ok(()),
        },
    };
    taken.map_err(|_| Failure::new("the D-Bus takes nothing any more"))?.map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use service_kit::Context;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bus_that_takes_nothing_ends_the_process_before_the_watchdog_does() {
        let (context, _stopper) = Context::detached();
        let began = Instant::now();
        let stuck = in_time(pending(), &context.shutdown()).await.unwrap_err();
        assert_eq!(
            (stuck.to_string().as_str(), began.elapsed()),
            ("the D-Bus takes nothing any more", BUS_STUCK)
        );
        assert!(in_time(async { Ok(()) }, &context.shutdown()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_word_does_not_wait_for_a_bus_that_takes_nothing() {
        let (context, stopper) = Context::detached();
        let began = Instant::now();
        let shutdown = context.shutdown();
        let (outcome, ()) = tokio::join!(in_time(pending(), &shutdown), async {
            sleep(Duration::from_secs(1)).await;
            stopper.stop();
        });
        assert!(outcome.is_ok());
        assert_eq!(began.elapsed(), Duration::from_secs(1) + FINISH);
    }
}
