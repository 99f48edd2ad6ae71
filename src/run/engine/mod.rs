//! The rules of a run as three pure functions.
//!
//! * [`decide`] says what an input means now: the events that must be recorded, or why it is refused.
//! * [`State::apply`] is the one table of what may follow what: it folds a record into the state, or says that the
//!   record is illegal. A live run, a resumed one, `status` and `audit` use the same fold.
//! * [`next`] says what to do now, derived from the state alone: so a crash between deciding and doing loses nothing.
//!
//! Nothing here reads a clock, a file or a process: time arrives as data, with every input and every record. Timers
//! are [`Action::WakeAt`]; deadlines are computed from records.
//!
//! What is promised, word for word: every outcome is recorded once; an idempotent step runs at least once; any other
//! runs at most once per recorded decision. Never "exactly once".

mod apply;
mod change;
mod decide;
mod event;
mod facts;
mod failures;
mod fold;
mod gates;
mod next;
mod standing;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod unwind;

pub use apply::Illegal;
pub use decide::{Answer, Input, Rejected, Resolution, decide};
pub use event::*;
pub use facts::{facts, judge_fact};
pub use next::{Action, Ask, Waiting, next};
pub use standing::{RunState, Standing, standing};
pub use state::*;
