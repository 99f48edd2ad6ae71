//! The only loop: it joins the rules, the record, the processes and the people.
//!
//! * [`Session`] is a run that this process writes; [`View`] one that anyone may read.
//! * [`drive`] takes a session as far as it goes: records what is due, starts what may start, hears what happens.
//! * [`Letter`]s are answers that other processes leave for it.
//! * An [`Audience`] watches.
//! * [`measure_before`] measures checks before a run, and leaves nothing behind.

mod audience;
mod driver;
mod effects;
mod inbox;
mod jobs;
mod probe;
mod session;

pub use audience::{Audience, Typed};
pub use driver::{AcceptDrift, Claim, DriveError, Options, Subject, drive};
pub use inbox::{Letter, Receipt, leave, receipt};
pub use probe::{Before, Found, ProbeError, measure_before};
pub use session::{OpenError, PlanFolder, RecordError, Session, View, store_plan};

/// The supervisor's name for the effect that was announced by record `intent`: unique in the run.
fn job_key(intent: u64, what: &str) -> String {
    format!("{intent:06}-{what}")
}
