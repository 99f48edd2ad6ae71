//! The shapes of a lowered plan.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use crate::base::id::{Digest, GateId, ItemId, PhaseId, StepId};
use crate::base::quantity::{Window, WindowVerdict};
use crate::plan::condition::{Condition, Fact};

/// A plan as the engine walks it.
#[derive(Debug, Clone)]
pub struct Program {
    /// `metadata.migration_name`: with the environment it names the lock.
    pub name: String,
    /// The plan's digest, without the fields that only report (SPEC section 6).
    pub digest: Digest,
    /// Checked before the first phase, in order.
    pub prerequisites: Vec<Check>,
    /// When the run may start.
    pub window: Option<WindowRule>,
    /// In the order in which they run.
    pub phases: Vec<Phase>,
    /// Phase by phase, within a phase by `order`, then as written.
    pub steps: Vec<Step>,
    /// Phase gates, step gates, and the gate that decides completion.
    pub gates: Vec<Gate>,
    /// What happens after a failed step's own undo (SPEC section 3).
    pub on_failure: OnFailure,
    /// The declared rollback levels.
    pub levels: Levels,
    /// What must hold of the person who approves.
    pub separation_of_duties: bool,
    /// Prerequisites that the plan itself calls blocked: no run starts.
    pub blocked: Vec<String>,
    /// Files that a run depends on, relative to the plan's folder, without the plan itself.
    pub files: Vec<(String, InputKind)>,
    /// Where each item stands, for answers by id.
    pub index: Index,
}

/// What an input file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// The plan itself.
    Plan,
    /// A file that the plan includes.
    Include,
    /// A script.
    Script,
    /// A test dataset.
    Dataset,
    /// A migration of manifests.
    Migration,
}

/// Look-ups by id, built by [`Program::reindex`].
#[derive(Debug, Clone, Default)]
pub struct Index {
    steps: HashMap<StepId, usize>,
    phases: HashMap<PhaseId, usize>,
    gates: HashMap<GateId, usize>,
    items: HashMap<ItemId, (BlockId, usize)>,
}

/// A window that could be read, or its text where it could not.
#[expect(
    clippy::large_enum_variant,
    reason = "a handful per plan, never moved in bulk"
)]
#[derive(Debug, Clone)]
pub enum WindowRule {
    /// Judged by the clock.
    Window {
        /// As written, for people.
        text: String,
        /// As understood.
        window: Window,
    },
    /// Not understood: a person says whether it is open now (never a guess).
    Person(Check),
}

/// A phase.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its id.
    pub id: PhaseId,
    /// Its name.
    pub name: String,
    /// Its place among the phases.
    pub order: i64,
    /// What must hold before its first step.
    pub start: Vec<Check>,
    /// Indices into [`Program::steps`].
    pub steps: Vec<usize>,
    /// Indices into [`Program::gates`]: decided after all its steps.
    pub gates: Vec<usize>,
    /// How the phase as a whole is undone.
    pub undo: PhaseUndo,
    /// Evaluated after the phase is undone: `rollback_point.rollback_test_id`.
    pub undo_test: Option<Check>,
    /// How long its steps and its gate should take.
    pub estimate: Option<Estimate>,
    /// How long undoing it should take (`rollback_point.estimated_rollback_duration`).
    pub undo_estimate: Option<Estimate>,
}

/// How long something should take, as the author wrote it: "2-3 hours", "3 days observation".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The shortest.
    pub min_ms: u64,
    /// The longest; equal to the shortest where no range was written.
    pub max_ms: u64,
    /// The time is spent watching, not working.
    pub watching: bool,
}

impl Phase {
    /// The longest that its work should take; none where the plan does not say.
    #[must_use]
    pub fn estimate_ms(&self) -> Option<u64> {
        self.estimate.filter(|e| !e.watching).map(|e| e.max_ms)
    }
}

/// How a phase is undone (SPEC section 5).
#[expect(
    clippy::large_enum_variant,
    reason = "a handful per plan, never moved in bulk"
)]
#[derive(Debug, Clone)]
pub enum PhaseUndo {
    /// The undo of each step that may have had effect, in reverse order of start.
    EachStep,
    /// A procedure that stands for all of them.
    Procedure(Undo),
    /// `can_rollback_from_here: false`.
    Wall(String),
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// Index into [`Program::phases`].
    pub phase: usize,
    /// Its place in the phase; steps of equal order may run together.
    pub order: i64,
    /// What it waits for.
    pub after: After,
    /// Must hold before the action.
    pub preconditions: Vec<Check>,
    /// Manual steps beside a script or commands: confirmed first.
    pub confirm: Vec<Check>,
    /// What it does.
    pub action: Action,
    /// All evaluated after the action.
    pub validation: Vec<Check>,
    /// Watch time after the action.
    pub observe: Option<Observe>,
    /// Repeating after a failure.
    pub retry: Retry,
    /// Running it twice does what running it once does.
    pub idempotent: bool,
    /// It changes nothing, so there is nothing to undo.
    pub effect_none: bool,
    /// Whether its own effect has happened.
    pub done_if: Option<Check>,
    /// What Ctrl-C does to it.
    pub on_interrupt: OnInterrupt,
    /// How it is undone.
    pub undo: Undo,
    /// Indices into [`Program::gates`]: they hold what follows this step.
    pub gates: Vec<usize>,
    /// How long it should take, without `observe`.
    pub estimate: Option<Estimate>,
    /// Who answers for it.
    pub responsible: Option<String>,
}

impl Step {
    /// The longest that its work should take; none where the plan does not say.
    #[must_use]
    pub fn estimate_ms(&self) -> Option<u64> {
        self.estimate.filter(|e| !e.watching).map(|e| e.max_ms)
    }
}

/// What a step waits for within its phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Every step of the phase with a lower `order`.
    LowerOrders,
    /// Exactly these steps (`depends_on`), as indices into [`Program::steps`].
    Exactly(Vec<usize>),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Nothing of its own: its checks are its work.
    Nothing,
    /// Processes, in order, stopping at the first that fails.
    Run(Work),
    /// A person does it: each item is confirmed when it is done.
    Person(Vec<Check>),
}

/// Processes that run one after another as one job.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// In order.
    pub processes: Vec<Process>,
    /// For all of them together.
    pub timeout_ms: Option<u64>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// For logs and displays.
    pub name: String,
    /// What is run.
    pub run: Run,
    /// Set over the step's environment.
    pub env: Vec<(String, String)>,
    /// For this process alone.
    pub timeout_ms: Option<u64>,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// Text given to an interpreter.
    Shell {
        /// Which.
        shell: Shell,
        /// As the author wrote it: never templated.
        text: String,
    },
    /// A file, relative to the plan's folder.
    Script {
        /// As written.
        path: String,
        /// Given as they are.
        args: Vec<String>,
        /// Overrides shebang and extension.
        shell: Option<Shell>,
    },
    /// This program's own manifest engine.
    Manifest(Box<Manifest>),
}

/// Who reads a command's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shell {
    /// `bash --noprofile --norc -eo pipefail -c`.
    Bash,
    /// `sh -ec`.
    Sh,
    /// `python3 -c`.
    Python,
    /// `psql` with the connection `default`.
    Sql,
    /// The text is appended as the last argument.
    Argv(Vec<String>),
}

/// `observe: {for, every}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observe {
    /// How long.
    pub for_ms: u64,
    /// How often the validation is measured again.
    pub every_ms: u64,
}

/// `retry: {attempts, backoff}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often the step is tried in all, at least 1.
    pub attempts: u32,
    /// Between a failure and the next try.
    pub backoff_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 1,
            backoff_ms: 0,
        }
    }
}

/// What an interrupt does to a running step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInterrupt {
    /// It is carried to its end.
    #[default]
    Finish,
    /// It is ended; what it did is then unknown.
    Stop,
}

/// How something is undone.
#[derive(Debug, Clone)]
pub struct Undo {
    /// Whether there is a way.
    pub way: UndoWay,
    /// Undone only where this passes.
    pub only_if: Option<Check>,
    /// Evaluated after the undo: `rollback_test_id`.
    pub test: Option<Check>,
}

impl Undo {
    /// No way back, and why.
    #[must_use]
    pub fn wall(why: impl Into<String>) -> Self {
        Self {
            way: UndoWay::Wall(why.into()),
            only_if: None,
            test: None,
        }
    }
}

/// The way back.
#[derive(Debug, Clone)]
pub enum UndoWay {
    /// Nothing was changed.
    NothingToUndo,
    /// In order.
    Pieces(Vec<UndoPiece>),
    /// There is none.
    Wall(String),
}

/// One piece of a way back.
#[expect(
    clippy::large_enum_variant,
    reason = "a handful per plan, never moved in bulk"
)]
#[derive(Debug, Clone)]
pub enum UndoPiece {
    /// Processes.
    Run(Work),
    /// A person does it and confirms it.
    Person(Check),
}

/// A gate: a phase's `validation_gate`, a `validation_strategy` entry, or the definition of completion.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Its id.
    pub id: GateId,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub at: GateAt,
    /// All evaluated, then approvals are asked for.
    pub criteria: Vec<Check>,
    /// Who may approve.
    pub approvers: Vec<String>,
    /// How many of them must; 0 means that no approval is needed.
    pub approvals_needed: usize,
    /// Automated evidence older than this is measured again before the gate opens.
    pub evidence_max_age_ms: u64,
    /// What a failed criterion does.
    pub response: GateResponse,
}

/// What a gate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateAt {
    /// The end of a phase (index).
    Phase(usize),
    /// What follows a step (index).
    Step(usize),
    /// The end of the migration.
    Completion,
}

/// A gate's answer to a failed criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateResponse {
    /// Waits for a re-evaluation.
    Block,
    /// Undoes the phase.
    Rollback,
    /// Asks.
    Ask,
}

/// What a failed step leads to after its own undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run stops.
    #[default]
    Stop,
    /// The phase is undone.
    Phase,
    /// Everything is undone.
    Full,
}

/// A rollback level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One step.
    Step,
    /// One phase.
    Phase,
    /// Everything.
    Full,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Step => "step",
            Self::Phase => "phase",
            Self::Full => "full",
        })
    }
}

/// What the plan says of each level.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// `level: step`.
    pub step: LevelRule,
    /// `level: phase`.
    pub phase: LevelRule,
    /// `level: full`.
    pub full: LevelRule,
}

impl Levels {
    /// The rule of `level`.
    #[must_use]
    pub fn of(&self, level: Level) -> &LevelRule {
        match level {
            Level::Step => &self.step,
            Level::Phase => &self.phase,
            Level::Full => &self.full,
        }
    }
}

/// What the plan says of one level.
#[derive(Debug, Clone, Default)]
pub struct LevelRule {
    /// Whether the plan declares it.
    pub declared: bool,
    /// For people: when it is meant.
    pub triggers: Vec<String>,
    /// Who decides.
    pub decision_maker: Option<String>,
    /// Whether the undo waits for that person.
    pub approval_required: bool,
    /// Stands for the undo of the steps (`replaces_steps: true`).
    pub replaces: Option<Undo>,
    /// Offered where the undo got stuck.
    pub contingency: Option<String>,
    /// Evaluated after the undo.
    pub post_checks: Vec<Check>,
    /// As the author wrote it.
    pub estimate: Option<String>,
    /// The same, understood.
    pub takes: Option<Estimate>,
}

/// A check: what it is called, and how it is judged.
#[derive(Debug, Clone)]
pub struct Check {
    /// Where it stands, for people's answers.
    pub id: ItemId,
    /// As written.
    pub title: String,
    /// How it is judged.
    pub how: How,
    /// Who may attest it, where a person must.
    pub who: Vec<String>,
}

/// How a check is judged (SPEC section 2).
#[derive(Debug, Clone)]
pub enum How {
    /// A process that exits as expected.
    Command(CommandProbe),
    /// A file that is as expected.
    File(FileProbe),
    /// A test dataset.
    Dataset(Dataset),
    /// A minijinja expression over run facts.
    When(String),
    /// A fact about the run.
    Fact(Fact),
    /// A condition over a metric that a command measures.
    Metric(Box<MetricProbe>),
    /// The success of something else in the same block is the evidence.
    Covered(Vec<String>),
    /// A person says so.
    Attest,
    /// Taken as verified by the plan's author, with the evidence named (`status: verified`).
    Recorded(String),
}

/// What a command must show.
#[derive(Debug, Clone)]
pub struct CommandProbe {
    /// What is run.
    pub process: Process,
    /// What it must show.
    pub expect: Expect,
}

/// A condition over a metric, measured now.
#[derive(Debug, Clone)]
pub struct MetricProbe {
    /// What must hold.
    pub condition: Condition,
    /// Prints the figure.
    pub process: Process,
}

/// `expect:` of a command. Nothing given: exit 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expect {
    /// The exit code (default 0).
    pub exit_code: Option<i32>,
    /// Standard output, without trailing white space.
    pub stdout: Option<String>,
    /// A part of it.
    pub stdout_contains: Option<String>,
    /// A regular expression found in it.
    pub stdout_matches: Option<String>,
    /// JSON pointer → expected value; or the whole value.
    pub json: Option<serde_json::Value>,
}

/// What a file must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProbe {
    /// Relative to the plan's folder.
    pub path: String,
    /// Whether it exists (default true).
    pub exists: bool,
    /// At least so many bytes.
    pub min_bytes: Option<u64>,
    /// Its SHA-256 in hex.
    pub sha256: Option<String>,
    /// A text that it contains.
    pub contains: Option<String>,
}

/// A test dataset (SPEC section 2).
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// The file, relative to the plan's folder; none where there is none (inconclusive when it is run).
    pub path: Option<String>,
    /// The cases of a YAML or JSON dataset; none for an executable one.
    pub cases: Option<Vec<Check>>,
    /// The share of cases that must pass, in percent (100 unless the plan says otherwise).
    pub min_pass: f64,
    /// How an executable one is run.
    pub process: Option<Process>,
}

/// A group of checks that is evaluated together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockId {
    /// Before the first phase.
    Prerequisites,
    /// A window that a person must judge.
    Window,
    /// Before a phase.
    Start(PhaseId),
    /// Before a step.
    Preconditions(StepId),
    /// Manual steps beside an action.
    Confirm(StepId),
    /// A manual action.
    Manual(StepId),
    /// After a step.
    Validation(StepId),
    /// Whether a step's effect happened.
    DoneIf(StepId),
    /// A gate's criteria.
    Gate(GateId),
    /// Whether an undo is wanted.
    OnlyIf(UndoUnit),
    /// The prose pieces of an undo.
    UndoPerson(UndoUnit),
    /// After an undo.
    UndoTest(UndoUnit),
    /// After a level's undo.
    PostRollback(Level),
}

/// What one undo is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoUnit {
    /// A step.
    Step(StepId),
    /// A phase's own procedure.
    Phase(PhaseId),
    /// A level's own procedure.
    Level(Level),
}

impl std::fmt::Display for UndoUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(id) => f.pad(id.as_str()),
            Self::Phase(id) => f.pad(id.as_str()),
            Self::Level(level) => write!(f, "level {level}"),
        }
    }
}

impl Program {
    /// Builds the look-ups; called once the lists are complete.
    pub fn reindex(&mut self) {
        let mut index = Index::default();
        for (i, step) in self.steps.iter().enumerate() {
            index.steps.insert(step.id.clone(), i);
        }
        for (i, phase) in self.phases.iter().enumerate() {
            index.phases.insert(phase.id.clone(), i);
        }
        for (i, gate) in self.gates.iter().enumerate() {
            index.gates.insert(gate.id.clone(), i);
        }
        // The checks of a block are looked up by these.
        self.index = index;
        let mut items = HashMap::new();
        for block in self.blocks() {
            for (i, check) in self.block(&block).iter().enumerate() {
                items.insert(check.id.clone(), (block.clone(), i));
            }
        }
        self.index.items = items;
    }

    /// Every block that the program may evaluate.
    #[must_use]
    pub fn blocks(&self) -> Vec<BlockId> {
        let mut all = vec![BlockId::Prerequisites, BlockId::Window];
        for phase in &self.phases {
            all.push(BlockId::Start(phase.id.clone()));
            Self::undo_blocks(UndoUnit::Phase(phase.id.clone()), &mut all);
        }
        for step in &self.steps {
            let id = || step.id.clone();
            all.extend([
                BlockId::Preconditions(id()),
                BlockId::Confirm(id()),
                BlockId::Manual(id()),
                BlockId::Validation(id()),
                BlockId::DoneIf(id()),
            ]);
            Self::undo_blocks(UndoUnit::Step(id()), &mut all);
        }
        all.extend(self.gates.iter().map(|gate| BlockId::Gate(gate.id.clone())));
        for level in [Level::Step, Level::Phase, Level::Full] {
            Self::undo_blocks(UndoUnit::Level(level), &mut all);
            all.push(BlockId::PostRollback(level));
        }
        all
    }

    fn undo_blocks(unit: UndoUnit, into: &mut Vec<BlockId>) {
        into.extend([
            BlockId::OnlyIf(unit.clone()),
            BlockId::UndoPerson(unit.clone()),
            BlockId::UndoTest(unit),
        ]);
    }

    /// The index of a step.
    #[must_use]
    pub fn step_index(&self, id: &StepId) -> Option<usize> {
        self.index.steps.get(id).copied()
    }

    /// A step.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.step_index(id).map(|i| &self.steps[i])
    }

    /// The index of a phase.
    #[must_use]
    pub fn phase_index(&self, id: &PhaseId) -> Option<usize> {
        self.index.phases.get(id).copied()
    }

    /// The index of a gate.
    #[must_use]
    pub fn gate_index(&self, id: &GateId) -> Option<usize> {
        self.index.gates.get(id).copied()
    }

    /// Where an item stands.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&(BlockId, usize)> {
        self.index.items.get(id)
    }

    /// How `unit` is undone. A unit that the program does not have is a wall.
    #[must_use]
    pub fn undo(&self, unit: &UndoUnit) -> Option<&Undo> {
        match unit {
            UndoUnit::Step(id) => self.step(id).map(|step| &step.undo),
            UndoUnit::Phase(id) => match &self.phases[self.phase_index(id)?].undo {
                PhaseUndo::Procedure(undo) => Some(undo),
                PhaseUndo::EachStep | PhaseUndo::Wall(_) => None,
            },
            UndoUnit::Level(level) => self.levels.of(*level).replaces.as_ref(),
        }
    }

    /// The checks of a block, in order. Prose pieces of an undo keep their order among themselves.
    #[must_use]
    pub fn block(&self, block: &BlockId) -> Vec<&Check> {
        let of_step = |id: &StepId| self.step(id);
        match block {
            BlockId::Prerequisites => self.prerequisites.iter().collect(),
            BlockId::Window => match &self.window {
                Some(WindowRule::Person(check)) => vec![check],
                Some(WindowRule::Window { .. }) | None => Vec::new(),
            },
            BlockId::Start(id) => self
                .phase_index(id)
                .map_or_else(Vec::new, |i| self.phases[i].start.iter().collect()),
            BlockId::Preconditions(id) => {
                of_step(id).map_or_else(Vec::new, |s| s.preconditions.iter().collect())
            }
            BlockId::Confirm(id) => {
                of_step(id).map_or_else(Vec::new, |s| s.confirm.iter().collect())
            }
            BlockId::Manual(id) => of_step(id).map_or_else(Vec::new, |s| match &s.action {
                Action::Person(items) => items.iter().collect(),
                Action::Nothing | Action::Run(_) => Vec::new(),
            }),
            BlockId::Validation(id) => {
                of_step(id).map_or_else(Vec::new, |s| s.validation.iter().collect())
            }
            BlockId::DoneIf(id) => {
                of_step(id).map_or_else(Vec::new, |s| s.done_if.iter().collect())
            }
            BlockId::Gate(id) => self
                .gate_index(id)
                .map_or_else(Vec::new, |i| self.gates[i].criteria.iter().collect()),
            BlockId::OnlyIf(unit) => self
                .undo(unit)
                .map_or_else(Vec::new, |u| u.only_if.iter().collect()),
            BlockId::UndoTest(UndoUnit::Phase(id)) => self
                .phase_index(id)
                .map_or_else(Vec::new, |i| self.phases[i].undo_test.iter().collect()),
            BlockId::UndoTest(unit) => self
                .undo(unit)
                .map_or_else(Vec::new, |u| u.test.iter().collect()),
            BlockId::UndoPerson(unit) => self.undo(unit).map_or_else(Vec::new, |u| match &u.way {
                UndoWay::Pieces(pieces) => pieces
                    .iter()
                    .filter_map(|piece| match piece {
                        UndoPiece::Person(check) => Some(check),
                        UndoPiece::Run(_) => None,
                    })
                    .collect(),
                UndoWay::NothingToUndo | UndoWay::Wall(_) => Vec::new(),
            }),
            BlockId::PostRollback(level) => self.levels.of(*level).post_checks.iter().collect(),
        }
    }
}

/// Whether the window is open at `at`.
#[must_use]
pub fn window_state(rule: &WindowRule, at: Timestamp) -> Option<WindowVerdict> {
    match rule {
        WindowRule::Window { window, .. } => Some(window.contains(at)),
        WindowRule::Person(_) => None,
    }
}
