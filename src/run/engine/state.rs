//! What the records add up to.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::event::{Actor, ManifestCounts, Record, RunStarted, Settled, Then, Verdict};
use crate::base::id::{Digest, PhaseId, StepId};
use crate::plan::program::{
    BlockId, Check, GateResponse, How, Level, OnFailure, Program, UndoUnit,
};

/// The state of a run: the fold of its records.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The first record.
    pub started: Option<RunStarted>,
    /// When.
    pub started_at: Option<Timestamp>,
    /// The digest that approvals are bound to; changes with accepted drift.
    pub plan_digest: Option<Digest>,
    /// The last record's number and time.
    pub last: Option<(u64, Timestamp)>,
    /// When something last happened that was not an answer.
    pub progressed_at: Option<Timestamp>,
    /// How often a driver took the run.
    pub epoch: u64,
    /// Whether a driver is recorded as holding it.
    pub driver: Option<Actor>,
    /// How many steps may run together.
    pub jobs: usize,
    /// Where the run stands.
    pub life: Life,
    /// Whether it was asked to pause.
    pub interrupted: bool,
    /// Files that were not as they were.
    pub drift: Vec<String>,
    /// Whether the window was entered.
    pub window: WindowState,
    /// By the program's index.
    pub phases: Vec<PhaseState>,
    /// By the program's index.
    pub steps: Vec<StepState>,
    /// By the program's index.
    pub gates: Vec<GateState>,
    /// Verdicts, where there are any.
    pub blocks: HashMap<BlockId, Vec<Option<Judged>>>,
    /// The undo that is going on.
    pub unwinding: Option<Unwinding>,
    /// The level that follows the failed step's own undo.
    pub escalation: Option<(Level, PhaseId, String)>,
    /// A rollback that was asked for by hand.
    pub requested: Option<Requested>,
    /// How many actions were started: their order.
    pub starts: u64,
    /// What deviates from the plan, for every summary.
    pub deviations: Vec<Deviation>,
}

/// Where a run stands, apart from what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// No record yet.
    New,
    /// Going on, or waiting.
    Running,
    /// Stopped; `resume` goes on.
    Stopped(String),
    /// Done.
    Completed,
    /// Everything is undone; final.
    RolledBack,
    /// Given up; final.
    Abandoned,
}

/// Whether the run may start at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// Not judged since the driver took the run.
    Unchecked,
    /// It was open.
    Entered,
    /// Someone went ahead without it.
    Overridden,
}

/// A phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhaseState {
    /// Not begun.
    #[default]
    Waiting,
    /// Its start conditions passed.
    Started,
    /// Its steps and gates passed.
    Passed,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepState {
    /// How often its action was started.
    pub attempt: u32,
    /// Failures since `resume` last began anew, for `retry`.
    pub failures: u32,
    /// Where it stands.
    pub stage: Stage,
    /// What it may have changed.
    pub effect: Effect,
    /// The place of its latest start among all starts.
    pub start: u64,
    /// The record that announced its latest start.
    pub intent: u64,
    /// The epoch of its latest start.
    pub epoch: u64,
    /// Its latest action is a person's: it ends with an answer, not with a process.
    pub by_hand: bool,
    /// What it may have changed before its latest start.
    pub before: Effect,
    /// When its latest action started and ended.
    pub started_at: Option<Timestamp>,
    /// When its latest attempt ended.
    pub ended_at: Option<Timestamp>,
    /// Left out of this run on request.
    pub left_out: bool,
    /// What its latest action counted, if it is a manifest migration that has ended.
    pub manifest: Option<Box<ManifestCounts>>,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stage {
    /// Not begun; its preconditions are judged here.
    #[default]
    Pending,
    /// Its action is going on.
    Acting,
    /// Its action succeeded; its checks are evaluated.
    Validating,
    /// It is watched until then; next measured at.
    Observing {
        /// The end.
        until: Timestamp,
        /// The last measurement.
        measured: Timestamp,
    },
    /// All well.
    Succeeded,
    /// Not well.
    Failed {
        /// In one sentence.
        why: String,
        /// When.
        at: Timestamp,
        /// Whether its consequence (undo, stop) has been drawn.
        handled: bool,
    },
    /// Nobody can say; since this epoch.
    Unknown {
        /// The epoch in which its action was started.
        epoch: u64,
    },
}

/// What a step may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// Never started, or settled as without effect.
    #[default]
    None,
    /// It may have had effect.
    May,
    /// It had, and that is undone.
    Undone,
    /// `only_if` said that nothing was to be undone.
    Left,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateState {
    /// How often it was opened for decision.
    pub attempt: u32,
    /// Where it stands.
    pub stage: GateStage,
    /// Who approved, for which digest, when.
    pub approvals: Vec<(Actor, Digest, Timestamp)>,
    /// The epoch in which its criteria were last complete.
    pub measured: u64,
}

/// Where a gate stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GateStage {
    /// Its turn has not come.
    #[default]
    Closed,
    /// Its criteria are evaluated.
    Measuring,
    /// Approvals are asked for.
    Approving,
    /// Open.
    Passed,
    /// A criterion failed.
    Failed(GateResponse),
    /// An approval was refused by.
    Refused(String),
    /// Steps under it were left out.
    Held,
    /// A person chose to undo the phase.
    RollingBack,
}

/// A verdict on a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was found.
    pub verdict: Verdict,
    /// When.
    pub at: Timestamp,
    /// Whether a person said so.
    pub person: bool,
    /// In one sentence.
    pub detail: String,
}

/// An undo that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwinding {
    /// Its level.
    pub level: Level,
    /// What is undone, in this order.
    pub units: Vec<UndoUnit>,
    /// The steps whose effects that takes back.
    pub covers: Vec<StepId>,
    /// Why.
    pub why: String,
    /// What follows.
    pub then: Then,
    /// Whether it may begin.
    pub approved: bool,
    /// How far each is.
    pub progress: BTreeMap<UndoUnit, UndoState>,
}

/// A rollback asked for by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Its level.
    pub level: Level,
    /// A step's id (step), a phase's id (phase), or the phase to keep (full).
    pub target: Option<String>,
    /// Who asked.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
}

/// How far an undo is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UndoState {
    /// How often it was begun.
    pub attempt: u32,
    /// The next piece.
    pub piece: usize,
    /// The record that announced the latest piece.
    pub intent: u64,
    /// Where it stands.
    pub stage: UndoStage,
}

/// Where an undo stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UndoStage {
    /// The next piece may start.
    #[default]
    Ready,
    /// A piece is going on.
    Acting,
    /// Undone.
    Undone,
    /// Nothing was to be undone.
    Left,
    /// It failed: stuck.
    Failed(String),
    /// Nobody can say: stuck.
    Unknown,
}

/// Something that a summary must not hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// When.
    pub at: Timestamp,
    /// In one sentence.
    pub what: String,
}

/// What a block adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockVerdict {
    /// Nothing is missing, everything passed.
    Pass,
    /// Everything that a machine can tell is told, and something failed.
    Fail,
    /// Something is inconclusive, nothing failed.
    Inconclusive,
    /// A machine must still evaluate the check at this place.
    Evaluate(usize),
    /// Only people are missing.
    People,
}

impl State {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        Self {
            started: None,
            started_at: None,
            plan_digest: None,
            last: None,
            progressed_at: None,
            epoch: 0,
            driver: None,
            jobs: 1,
            life: Life::New,
            interrupted: false,
            drift: Vec::new(),
            window: WindowState::Unchecked,
            phases: vec![PhaseState::default(); program.phases.len()],
            steps: vec![StepState::default(); program.steps.len()],
            gates: vec![GateState::default(); program.gates.len()],
            blocks: HashMap::new(),
            unwinding: None,
            escalation: None,
            requested: None,
            starts: 0,
            deviations: Vec::new(),
        }
    }

    /// The state after all of `records`.
    ///
    /// # Errors
    /// [`super::Illegal`] names the first record that may not follow the ones before it.
    pub fn replay<'a>(
        program: &Program,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Self, super::Illegal> {
        let mut state = Self::new(program);
        for record in records {
            state.apply(program, record)?;
        }
        Ok(state)
    }

    /// What the checks of `block` add up to. People are asked only once everything that a machine can tell has passed
    /// or is inconclusive: nobody is woken for a block that has failed anyway.
    #[must_use]
    pub fn verdict(&self, block: &BlockId, checks: &[&Check]) -> BlockVerdict {
        let judged = self.blocks.get(block);
        let at = |i: usize| judged.and_then(|all| all.get(i)).and_then(Option::as_ref);
        let (mut failed, mut inconclusive, mut people) = (false, false, false);
        for (i, check) in checks.iter().enumerate() {
            if matches!(check.how, How::Covered(_)) {
                continue;
            }
            match at(i).map(|j| j.verdict) {
                Some(Verdict::Pass) => {}
                Some(Verdict::Fail) => failed = true,
                Some(Verdict::Inconclusive) => inconclusive = true,
                None if matches!(check.how, How::Attest) => people = true,
                None => return BlockVerdict::Evaluate(i),
            }
        }
        if failed {
            BlockVerdict::Fail
        } else if inconclusive {
            BlockVerdict::Inconclusive
        } else if people {
            BlockVerdict::People
        } else {
            BlockVerdict::Pass
        }
    }

    /// A verdict, if there is one.
    #[must_use]
    pub fn judged(&self, block: &BlockId, index: usize) -> Option<&Judged> {
        self.blocks.get(block)?.get(index)?.as_ref()
    }

    /// Whether the run can go no further in any direction.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self.life,
            Life::Completed | Life::RolledBack | Life::Abandoned
        )
    }

    /// Whether `unwinding` cannot go on without a person.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.unwinding.as_ref().is_some_and(|u| {
            u.progress
                .values()
                .any(|p| matches!(p.stage, UndoStage::Failed(_) | UndoStage::Unknown))
        })
    }

    /// Steps whose effect may remain, in order of start. Empty means that the way back was complete.
    #[must_use]
    pub fn remaining(&self, program: &Program) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.steps.len())
            .filter(|&i| self.steps[i].effect == Effect::May && !program.steps[i].effect_none)
            .collect();
        all.sort_by_key(|&i| self.steps[i].start);
        all
    }

    /// Whether anything is going on that only the supervisor can end. A step that a person does by hand is not: it
    /// waits for an answer.
    #[must_use]
    pub fn is_acting(&self) -> bool {
        self.steps
            .iter()
            .any(|s| s.stage == Stage::Acting && !s.by_hand)
            || self
                .unwinding
                .as_ref()
                .is_some_and(|u| u.progress.values().any(|p| p.stage == UndoStage::Acting))
    }

    /// Whether anything is going on, by a process or by hand.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is_acting() || self.steps.iter().any(|s| s.stage == Stage::Acting)
    }

    /// Whether the run is on its way back, or about to be.
    #[must_use]
    pub fn is_going_back(&self) -> bool {
        self.unwinding.is_some() || self.requested.is_some() || self.escalation.is_some()
    }

    /// The policy for a failed step: the command line's over the plan's.
    #[must_use]
    pub fn on_failure(&self, program: &Program) -> OnFailure {
        self.started
            .as_ref()
            .and_then(|s| s.on_failure)
            .unwrap_or(program.on_failure)
    }

    /// Steps that this run leaves out.
    #[must_use]
    pub fn left_out(&self, program: &Program) -> Vec<StepId> {
        program
            .steps
            .iter()
            .zip(&self.steps)
            .filter(|(_, s)| s.left_out)
            .map(|(step, _)| step.id.clone())
            .collect()
    }

    pub(super) fn note(&mut self, at: Timestamp, what: impl Into<String>) {
        self.deviations.push(Deviation {
            at,
            what: what.into(),
        });
    }
}

/// Reads like the record it came from.
#[must_use]
pub(super) fn settled_word(how: Settled) -> &'static str {
    match how {
        Settled::Done => "done",
        Settled::Undone => "undone",
        Settled::Retry => "retry",
    }
}
