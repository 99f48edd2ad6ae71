//! What is recorded. Past tense, because a record exists only of what was decided or has happened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{Digest, GateId, ItemId, PhaseId, RunId, StepId};
use crate::plan::program::{BlockId, GateResponse, Level, OnFailure, UndoUnit};

/// A record as the engine sees it; the journal adds the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the journal, from 1.
    pub n: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

/// A person, as far as known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name that was given, or the OS user's.
    pub name: String,
    /// The OS user.
    pub user: String,
    /// The machine.
    pub host: String,
}

/// pass, fail, or inconclusive (the probe broke, no data, stale). Only a pass opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is so.
    Pass,
    /// It is not so.
    Fail,
    /// It could not be told.
    Inconclusive,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// How an action or an undo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every process exited as it should.
    Succeeded,
    /// One did not; it may have had effect.
    Failed,
    /// Killed, timed out, or the machine died: nobody can say.
    Unknown,
}

/// What is kept of an outcome. Large output stays in the log file; its hash and tail are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Proof {
    /// In one sentence.
    pub detail: String,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The log, relative to the run folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The log's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_sha256: Option<String>,
    /// The last output, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// What a manifest migration counted, for `manifest.*` in expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Box<ManifestCounts>>,
}

/// What one run of a manifest migration came to, in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ManifestCounts {
    /// Manifests that were found.
    pub total: u64,
    /// Brought to the target version by it (in a dry run: would have been).
    pub migrated: u64,
    /// At the target version already.
    pub current: u64,
    /// All that should have been migrated and was not.
    pub failed: u64,
    /// Of these: no valid document.
    pub corrupted: u64,
    /// Of these: of a version that no migration knows.
    pub unknown: u64,
    /// Of these: they could not be read.
    pub unreadable: u64,
    /// Left for another run by a limit.
    pub remaining: u64,
    /// How many had which version before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub from_versions: BTreeMap<String, u64>,
}

impl Proof {
    /// Only a sentence.
    #[must_use]
    pub fn of(detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..Self::default()
        }
    }
}

/// How an unknown or failed outcome was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// Its effect happened: go on with its validation.
    Done,
    /// Its effect did not happen, or was removed by hand.
    Undone,
    /// Run it again.
    Retry,
}

/// On what ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// `done_if` said so.
    DoneIf,
    /// The step is idempotent.
    Idempotent,
    /// The supervisor has no record that it was ever started.
    NeverStarted,
    /// A person said so.
    Person(Actor),
}

/// A decision on a gate that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateDecision {
    /// Measure and ask again, as a new attempt.
    Retry,
    /// Go on although a criterion failed: an override.
    Proceed,
    /// Undo the phase.
    Rollback,
}

/// What follows an unwinding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The run stops; `resume` starts new attempts.
    Stop,
    /// The next level, of this phase.
    Escalate(Level, PhaseId),
    /// The failed step is tried again.
    Retry(StepId),
    /// The run is over.
    Finish,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub run: RunId,
    /// `metadata.migration_name`.
    pub migration: String,
    /// The plan's file name in the run's snapshot.
    pub plan: String,
    /// Where the plan stood.
    pub plan_path: String,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// Digest over plan, scripts and datasets.
    pub inputs_hash: Digest,
    /// The environment's name, if one was given.
    pub environment: Option<String>,
    /// Whether it counts as production.
    pub production: bool,
    /// Who typed it.
    pub by: Actor,
    /// Values of variables that are not secret.
    pub variables: BTreeMap<String, String>,
    /// Keyed fingerprints of the secret ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Steps left out by `--from`, `--until`, `--only`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<StepId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_because: Option<String>,
    /// `--on-failure`, over the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// `--unattested record`: attest items pass with a record.
    #[serde(default)]
    pub unattested: bool,
    /// The tool's version.
    pub tool: String,
}

/// What happened. `type` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "fields are named after what they hold; each variant says what it records"
)]
pub enum Event {
    /// The first record.
    RunStarted(Box<RunStarted>),
    /// A driver took the run, at its start or on `resume`.
    DriverAttached {
        epoch: u64,
        by: Actor,
        pid: u32,
        jobs: usize,
    },
    /// A driver left it, and why.
    DriverLeft { exit_code: u8, why: String },
    /// Ctrl-C or TERM.
    InterruptRequested { signal: String },
    /// The window was open when the run wanted to start.
    WindowEntered { closes_at: Option<Timestamp> },
    /// Someone went ahead without it.
    WindowOverridden { by: Actor, reason: String },
    /// A probe was evaluated.
    CheckJudged {
        item: ItemId,
        block: BlockId,
        index: usize,
        verdict: Verdict,
        proof: Proof,
    },
    /// A person answered for a check, or `--unattested record` let it pass.
    Attested {
        item: ItemId,
        block: BlockId,
        index: usize,
        by: Actor,
        accepted: bool,
        reason: Option<String>,
        evidence: Option<String>,
        #[serde(default)]
        unattended: bool,
    },
    /// A person wants a check measured again.
    CheckReset {
        item: ItemId,
        block: BlockId,
        index: usize,
        by: Actor,
        reason: Option<String>,
    },
    /// A block that holds the run failed (prerequisites, start conditions): the run stops.
    BlockFailed { block: BlockId, failed: Vec<ItemId> },
    /// Its start conditions passed.
    PhaseStarted { phase: PhaseId },
    /// All its steps ended well and its gates passed.
    PhasePassed { phase: PhaseId },
    /// Intent: the action is about to start.
    StepStarted { step: StepId, attempt: u32 },
    /// The action ended.
    ActionEnded {
        step: StepId,
        attempt: u32,
        outcome: Outcome,
        proof: Proof,
    },
    /// Its validation passed and it is watched.
    StepObserving { step: StepId, until: Timestamp },
    /// While it is watched, its validation is measured again.
    StepRemeasured { step: StepId },
    /// Action and validation passed.
    StepSucceeded { step: StepId, attempt: u32 },
    /// A precondition, the action or its validation failed.
    StepFailed {
        step: StepId,
        attempt: u32,
        effect: bool,
        why: String,
    },
    /// An outcome that was not known, or a failure that a person judged, was settled.
    StepSettled {
        step: StepId,
        attempt: u32,
        how: Settled,
        ground: Ground,
        reason: Option<String>,
    },
    /// `retry`: it will be tried again.
    StepRetried { step: StepId },
    /// A gate's turn has come.
    GateOpened { gate: GateId, attempt: u32 },
    /// Its criteria passed; approvals are asked for.
    GateMeasured { gate: GateId },
    /// Someone approved it, for the plan with this digest.
    Approved {
        gate: GateId,
        by: Actor,
        digest: Digest,
        reason: Option<String>,
        evidence: Option<String>,
    },
    /// Someone refused it: a decision, not a failure.
    GateRefused {
        gate: GateId,
        by: Actor,
        reason: Option<String>,
    },
    /// Its evidence had grown too old.
    GateRemeasured { gate: GateId },
    /// It is open.
    GatePassed { gate: GateId },
    /// A criterion failed.
    GateFailed {
        gate: GateId,
        failed: Vec<ItemId>,
        response: GateResponse,
    },
    /// It stays closed, because steps under it were left out.
    GateHeld { gate: GateId, left_out: Vec<StepId> },
    /// A person decided.
    GateDecided {
        gate: GateId,
        decision: GateDecision,
        by: Actor,
        reason: Option<String>,
    },
    /// Someone asked for a rollback by hand.
    RollbackRequested {
        level: Level,
        target: Option<String>,
        by: Actor,
        reason: Option<String>,
    },
    /// Undo begins: these units, in this order.
    UnwindingStarted {
        level: Level,
        units: Vec<UndoUnit>,
        /// The steps whose effects the units take back.
        covers: Vec<StepId>,
        why: String,
        then: Then,
        approval: bool,
    },
    /// The decision maker agreed.
    UnwindingApproved {
        level: Level,
        by: Actor,
        reason: Option<String>,
    },
    /// The decision maker did not.
    UnwindingRefused {
        level: Level,
        by: Actor,
        reason: Option<String>,
    },
    /// Intent: a piece of an undo is about to start.
    UndoStarted {
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
    },
    /// It ended.
    UndoEnded {
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
        outcome: Outcome,
        proof: Proof,
    },
    /// The supervisor has no record that the piece was ever started: it may start again.
    UndoNotStarted { unit: UndoUnit },
    /// The unit is undone and its test passed.
    UnitUndone { unit: UndoUnit },
    /// `only_if` said that nothing is to be undone.
    UnitLeft { unit: UndoUnit, why: String },
    /// The undo, or its test, failed: everything stops.
    UndoFailed { unit: UndoUnit, why: String },
    /// A person settled an undo.
    UndoSettled {
        unit: UndoUnit,
        how: Settled,
        by: Actor,
        reason: Option<String>,
    },
    /// There is no way back from here.
    UnwindingHalted {
        level: Level,
        unit: Option<UndoUnit>,
        why: String,
    },
    /// All its units are undone and what must hold after it holds.
    UnwindingCompleted { level: Level },
    /// The run stopped.
    RunStopped { why: String },
    /// Done.
    RunCompleted,
    /// Someone gave it up.
    RunAbandoned { by: Actor, reason: Option<String> },
    /// A file was not as it was when the run started.
    DriftFound { files: Vec<String> },
    /// Someone accepted that, with a reason; approvals that it touches are void.
    DriftAccepted {
        files: Vec<String>,
        plan_digest: Digest,
        inputs_hash: Digest,
        by: Actor,
        reason: String,
    },
    /// The last line of the journal was cut off when the machine died; it was set aside.
    TornTailDropped { bytes: u64, kept_as: String },
}
