//! Effects: what the engine asked for, done in the world. One file per kind.
//!
//! * [`script`]: how a command or script becomes an argument list.
//! * [`environment`]: what a process gets to see.
//! * [`work`]: processes of steps, undos and probes as jobs for the supervisor, and what their ends mean.
//! * [`manifest`]: the files of a manifest step, and what its counts mean.
//! * [`file`](mod@file), [`dataset`]: probes.
//!
//! Nothing here decides what follows from an outcome; that is the engine's. Processes are run by whoever implements
//! [`Jobs`]: the supervisor in a real run.

pub mod dataset;
pub mod environment;
pub mod file;
pub mod manifest;
pub mod postgres;
pub mod script;
pub mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::id::{PhaseId, RunId, StepId};
use crate::plan::condition::{self, Judgement};
use crate::plan::program::{BlockId, Check, How, Program};
use crate::run::engine::{Proof, State, Verdict, facts, judge_fact};
use crate::run::supervise::{JobEnd, JobSpec};

/// Runs a job to its end.
pub trait Jobs {
    /// Starts `job`; resolves when it has ended.
    ///
    /// # Errors
    /// A sentence that says why nothing is known of it: it could not be started, or the supervisor is gone.
    fn run(&self, job: JobSpec) -> impl Future<Output = Result<JobEnd, String>>;
}

/// Where a run takes place: the same for all its processes.
#[derive(Debug, Clone)]
pub struct Place {
    /// The run.
    pub run: RunId,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// The plan's folder, absolute: paths resolve against it, commands run in it.
    pub plan_dir: PathBuf,
    /// The run's folder, absolute.
    pub run_dir: PathBuf,
    /// This program, for what it does itself in a process of its own.
    pub binary: PathBuf,
    /// Set for `psql`: the connection `default`, taken apart so that no password is ever an argument.
    pub postgres: Vec<(String, String)>,
    /// Scripts that are not as they were when the run started, and where their snapshots are: an edit never blocks the
    /// way back.
    pub instead: BTreeMap<String, PathBuf>,
}

impl Place {
    /// Where a script named in the plan is read from.
    #[must_use]
    pub fn locate(&self, path: &str) -> PathBuf {
        self.instead
            .get(path)
            .cloned()
            .unwrap_or_else(|| self.plan_dir.join(path))
    }
}

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A step's action.
    Forward,
    /// An undo.
    Undo,
    /// A check.
    Probe,
}

impl Direction {
    /// As `ORCHESTRATE_DIRECTION` says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Undo => "undo",
            Self::Probe => "probe",
        }
    }
}

/// What a process belongs to.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// The phase, if any.
    pub phase: Option<PhaseId>,
    /// The step, if any.
    pub step: Option<StepId>,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it is for.
    pub direction: Direction,
    /// What the evidence folder is named after: a step's undo shares its step's.
    pub evidence: String,
}

/// A verdict and what is known of it.
pub type Judged = (Verdict, Proof);

/// Judges what needs no process, from the state alone. The check stands in `block`.
#[must_use]
pub fn judge_now(
    check: &Check,
    block: &BlockId,
    program: &Program,
    state: &State,
) -> Option<Judged> {
    match &check.how {
        How::Fact(fact) => {
            let holds = judge_fact(fact, program, state);
            let detail = if holds {
                format!("{fact}")
            } else {
                format!("not so: {fact}")
            };
            Some((
                if holds { Verdict::Pass } else { Verdict::Fail },
                Proof::of(detail),
            ))
        }
        How::When(expression) => {
            let facts = facts(program, state, block);
            let seen = counted(expression, &facts);
            Some(match condition::judge(expression, &facts) {
                Judgement::Pass => (Verdict::Pass, Proof::of(format!("true{seen}"))),
                Judgement::Fail => (Verdict::Fail, Proof::of(format!("false{seen}"))),
                Judgement::Inconclusive { why } => (Verdict::Inconclusive, Proof::of(why)),
            })
        }
        How::Recorded(evidence) => Some((
            Verdict::Pass,
            Proof::of(format!("taken as verified: {evidence}")),
        )),
        How::Command(_)
        | How::File(_)
        | How::Dataset(_)
        | How::Metric(_)
        | How::Covered(_)
        | How::Attest => None,
    }
}

/// The figures of manifest steps that an expression compares, so that its verdict explains itself: ` (failed 3)`.
fn counted(expression: &str, facts: &serde_json::Value) -> String {
    let figures: Vec<String> = condition::counts(expression)
        .iter()
        .filter_map(|count| {
            let member = count.member?;
            let of = match count.step {
                Some(step) => facts.get("manifest")?.get(step)?,
                None => facts.get("manifest")?,
            };
            Some(format!("{member} {}", of.get(member)?.as_u64()?))
        })
        .collect();
    if figures.is_empty() {
        String::new()
    } else {
        format!(" ({})", figures.join(", "))
    }
}

/// Judges a check that needs the world. `key` is unique in the run and names its log.
pub async fn probe(
    jobs: &impl Jobs,
    place: &Place,
    purpose: &Purpose,
    key: &str,
    check: &Check,
) -> Judged {
    match &check.how {
        How::Command(probe) => work::probe(jobs, place, purpose, key, probe).await,
        How::Metric(metric) => work::measure(jobs, place, purpose, key, metric).await,
        How::File(probe) => file::probe(&place.plan_dir, probe),
        How::Dataset(dataset) => dataset::probe(jobs, place, purpose, key, dataset).await,
        How::When(_) | How::Fact(_) | How::Recorded(_) | How::Covered(_) | How::Attest => (
            Verdict::Inconclusive,
            Proof::of("this cannot be judged here"),
        ),
    }
}
