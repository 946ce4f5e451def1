//! Between the supervisor and the releases. It lies beside them, not inside, and hardly ever changes:
//!
//! ```text
//! launcher              this program
//! releases/<name>/      complete trees, never changed: bin/ and more
//! current, previous     links to one of them
//! state/trial           there while an update is on trial: where from and where to
//! state/attempts/       how often each process was started during the trial
//! state/last            what became of the last update
//! ```
//!
//! - `decide`: what a start during a trial means; pure
//! - `folder`: this folder, and how it is changed so that a power cut finds either the old state or the new one
//!
//! No dependencies: it has to work when nothing else does.

mod decide;
mod folder;

pub use decide::{Action, MOST_STARTS, Situation, Trial, decide};
pub use folder::{Folder, Outcome};
