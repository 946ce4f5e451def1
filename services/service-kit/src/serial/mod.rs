//! Serial ports: opened exclusively, awaited by event, recognised when unplugged.
//!
//! This is `AsyncFd` over rustix and not `tokio-serial`, because that one (with `serialport` 4.10 below it) gets in the
//! way where it matters here: a refused second open lifts the `TIOCEXCL` of the one who holds the port; flushing waits in
//! `tcdrain`, which stops a single-threaded runtime; an unplugged port reads as zero bytes for ever.

mod error;
mod holder;
mod names;
mod port;
mod wait;

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::unix::AsyncFd;

pub use error::{OpenError, Unplugged, is_unplugged};
pub use holder::Holder;
pub use names::{bus_suffix, stable_names};
pub use port::{Character, Parity, Port};
pub use wait::wait_for;

/// Puts an open file under the eyes of the runtime. The file must own its descriptor.
///
/// # Errors
/// It is no file that can be waited for, or there is no runtime.
#[expect(
    deprecated,
    reason = "the replacement is unsafe, which this workspace forbids; deprecated is it for files that do not own their \
              descriptor, and all of ours do"
)]
pub fn polled<F: AsRawFd>(file: F) -> io::Result<AsyncFd<F>> {
    AsyncFd::new(file)
}
