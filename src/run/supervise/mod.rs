//! The process that outlives the orchestrator.
//!
//! Steps must survive a killed orchestrator, a closed terminal and a lost connection, and how they ended must still be
//! known. So they are not children of the orchestrator but of a supervisor: the same binary, one process per run, in a
//! session of its own. It starts processes, stamps, masks and stores their output, enforces limits, ends whole trees, and
//! records each start before it happens and each end before it is told. It knows nothing of plans, steps and gates.
//!
//! ```text
//! orchestrator ── SupervisorClient ──(supervisor.sock, a JSON object a line)── serve ── bash, psql, ...
//!                                                                               ├─ logs/…      output
//!                                                                               └─ supervisor.jsonl
//! ```
//!
//! * **Who gives orders.** Controllers take rising *epochs*; the newest is the only one that is listened to. A start that
//!   is not in `supervisor.jsonl` under a fenced epoch never happened.
//! * **What is promised.** An accepted durable job is run at most once, carried to its end whatever happens to its
//!   controller, and its end is on the disk before it is told. If the supervisor itself dies, open jobs are *unknown*:
//!   [`read_records`] names them, [`sweep()`] ends what is left of them.
//! * **When it leaves.** When it is asked to, or when no controller is connected and no job is running. It holds the run's
//!   lock (inherited as an open file) until then.
//! * **Services that a step starts** live on after a normal end. While the supervisor lives, what they print into the
//!   step's pipes goes to `<log>.late.log`; afterwards nobody reads it, so services should send their output elsewhere.
//!   A timeout or a kill ends everything that the job has started.
//!
//! The marks [`PLACE_MARK`] and [`JOB_MARK`] in the environment of every process are how descendants are found that have
//! left their group and their session.

mod client;
mod job;
mod log;
mod mask;
mod pipe;
mod protocol;
mod records;
mod serve;
mod spawn;
mod sweep;
mod tree;
mod wire;

pub use client::{
    Arrival, Attach, SUPERVISE_VERB, SUPERVISOR_LOG, SupervisorClient, SupervisorError, look,
};
pub use protocol::{
    Captured, DEFAULT_GRACE_MS, JobEnd, JobSpec, LogInfo, Message, ProcessEnd, ProcessExit,
    ProcessSpec, Refusal, Request, RunningJob, SpawnProblem, Stream,
};
pub use records::{Accepted, EpochTaken, RECORDS, Records, RecordsError, read_records};
pub use serve::serve;
pub use sweep::{Stray, SweepError, Swept, sweep};
pub use tree::{JOB_MARK, PLACE_MARK, RUN_MARK};
