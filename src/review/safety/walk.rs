//! Plays a reduced program with the run's own engine: at each fork the walk chooses what happens.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::model::Model;
use crate::base::id::RunId;
use crate::plan::program::{BlockId, GateResponse, Level, Program, UndoUnit};
use crate::run::engine::{
    Action, Actor, Answer, Ask, Event, GateStage, Input, Life, Outcome, PhaseState, Proof, Record,
    Resolution, RunStarted, Stage, State, Then, UndoStage, Verdict, decide, next,
};

/// Something that is chosen: how a thing ends, or what a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// A step's action ends.
    Step(usize, Outcome),
    /// A piece of an undo ends.
    Undo(UndoUnit, Outcome),
    /// `done_if` says whether the effect happened.
    DoneIf(usize, bool),
    /// A gate's criteria are found to be so.
    Gate(usize, Verdict),
    /// The approvers agree, or one refuses.
    Approve(usize, bool),
    /// The decision maker of a rollback level agrees, or does not.
    Agree(Level, bool),
    /// `resume`.
    Resume,
    /// `resolve STEP --as done|retry`.
    Resolve(usize, Resolution),
    /// `resolve GATE --as proceed|rollback|retry`.
    Decide(usize, Resolution),
    /// `resolve ITEM --as retry`: a check is measured again.
    Recheck(String),
    /// `resolve` an undo that is stuck, `--as retry|done`.
    ResolveUndo(UndoUnit, Resolution),
    /// `rollback --level`.
    Rollback(Level, Option<String>),
}

impl Choice {
    /// Whether it is bad luck, or somebody's no.
    pub(super) fn is_fault(&self) -> bool {
        match self {
            Self::Step(_, outcome) | Self::Undo(_, outcome) => *outcome != Outcome::Succeeded,
            Self::Gate(_, verdict) => *verdict != Verdict::Pass,
            Self::Approve(_, yes) | Self::Agree(_, yes) => !yes,
            _ => false,
        }
    }

    /// Whether somebody who wants to get on can count on it.
    pub(super) fn is_good(&self) -> bool {
        !self.is_fault() && !matches!(self, Self::DoneIf(_, false))
    }
}

/// Where the engine waits for the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fork {
    /// A step's action is going on.
    Step(usize),
    /// A piece of an undo is.
    Undo(UndoUnit),
    /// `done_if` is asked.
    DoneIf(usize),
    /// A gate's criteria are.
    Gate(usize),
    /// Its approvers are.
    Approve(usize),
    /// The decision maker of a rollback is.
    Agree(Level),
    /// Nothing moves without a person.
    Rest,
}

/// A gate's no that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shut {
    pub(super) gate: usize,
    /// A person's refusal; else a criterion that is not met.
    pub(super) refused: bool,
}

/// A state of the run, and of the world around it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) state: State,
    pub(super) shut: Option<Shut>,
}

/// An engine that refuses what it asked for; the walk ends there. Tests hold that it never happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// More records than any path between two forks has.
const PATIENCE: usize = 10_000;

pub(super) fn person(name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        user: name.to_owned(),
        host: String::new(),
    }
}

impl Place {
    /// A run that has just been started.
    pub(super) fn start(program: &Program) -> Result<Self, Broken> {
        let mut place = Self {
            state: State::new(program),
            shut: None,
        };
        place.record(
            program,
            Event::RunStarted(Box::new(RunStarted {
                run: RunId::parse("000000000000-1").map_err(|_| Broken)?,
                migration: String::new(),
                plan: String::new(),
                plan_path: String::new(),
                plan_digest: program.digest.clone(),
                inputs_hash: program.digest.clone(),
                environment: None,
                production: true,
                by: person("starter"),
                variables: std::collections::BTreeMap::new(),
                secrets: std::collections::BTreeMap::new(),
                left_out: Vec::new(),
                left_out_because: None,
                on_failure: None,
                unattested: false,
                tool: String::new(),
            })),
        )?;
        place.input(program, attach())?;
        Ok(place)
    }

    pub(super) fn record(&mut self, program: &Program, event: Event) -> Result<(), Broken> {
        let n = self.state.last.map_or(1, |(n, _)| n + 1);
        let record = Record {
            n,
            at: Timestamp::UNIX_EPOCH,
            event,
        };
        self.state.apply(program, &record).map_err(|_| Broken)
    }

    pub(super) fn input(&mut self, program: &Program, input: Input) -> Result<(), Broken> {
        for event in
            decide(program, &self.state, input, Timestamp::UNIX_EPOCH).map_err(|_| Broken)?
        {
            self.record(program, event)?;
        }
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        program: &Program,
        item: &str,
        answer: Answer,
    ) -> Result<(), Broken> {
        let input = Input::Answered {
            item: item.to_owned(),
            answer,
            by: person("somebody"),
            reason: Some("because".to_owned()),
            evidence: None,
        };
        self.input(program, input)
    }

    /// Lets the engine go on to the next fork. `told` sees every consequence on the way.
    pub(super) fn advance(
        &mut self,
        program: &Program,
        told: &mut dyn FnMut(&Event),
    ) -> Result<Fork, Broken> {
        for _ in 0..PATIENCE {
            let actions = next(program, &self.state, Timestamp::UNIX_EPOCH);
            let due = actions.iter().find_map(|action| match action {
                Action::Record(event) => Some(event.clone()),
                _ => None,
            });
            if let Some(event) = due {
                told(&event);
                self.record(program, event)?;
                continue;
            }
            let mut moved = false;
            let mut fork = None;
            for action in actions {
                match action {
                    Action::Act { step, attempt } => {
                        moved = true;
                        let step = program.steps[step].id.clone();
                        self.record(program, Event::StepStarted { step, attempt })?;
                    }
                    Action::Undo {
                        unit,
                        attempt,
                        piece,
                    } => {
                        moved = true;
                        let event = Event::UndoStarted {
                            unit,
                            attempt,
                            piece,
                        };
                        self.record(program, event)?;
                    }
                    Action::Probe { block, .. } => match block {
                        BlockId::Gate(id) => {
                            fork = fork.or(program.gate_index(&id).map(Fork::Gate));
                        }
                        BlockId::DoneIf(id) => {
                            fork = fork.or(program.step_index(&id).map(Fork::DoneIf));
                        }
                        _ => return Err(Broken),
                    },
                    Action::Wait(wait) if wait.ask == Ask::Approve => {
                        fork = fork.or_else(|| self.approval(&wait.item));
                    }
                    Action::Record(_) | Action::Wait(_) | Action::WakeAt(_) => {}
                }
            }
            if moved {
                continue;
            }
            return Ok(fork.or_else(|| self.going_on()).unwrap_or(Fork::Rest));
        }
        Err(Broken)
    }

    fn approval(&self, item: &str) -> Option<Fork> {
        match &self.state.unwinding {
            Some(unwinding) if !unwinding.approved => Some(Fork::Agree(unwinding.level)),
            _ => self
                .state
                .gates
                .iter()
                .position(|gate| gate.stage == GateStage::Approving)
                .filter(|_| !item.is_empty())
                .map(Fork::Approve),
        }
    }

    fn going_on(&self) -> Option<Fork> {
        let undo = self.state.unwinding.as_ref().and_then(|u| {
            let acting = |p: &&UndoUnit| {
                u.progress
                    .get(p)
                    .is_some_and(|p| p.stage == UndoStage::Acting)
            };
            u.units.iter().find(acting).cloned().map(Fork::Undo)
        });
        undo.or_else(|| {
            let acting = |s: &_| matches!(s, Stage::Acting);
            self.state
                .steps
                .iter()
                .position(|s| acting(&s.stage))
                .map(Fork::Step)
        })
    }

    /// Makes a choice come true.
    pub(super) fn choose(&mut self, model: &Model, choice: &Choice) -> Result<(), Broken> {
        let program = &model.program;
        let proof = Proof::default;
        match choice {
            Choice::Step(step, outcome) => {
                let input = Input::ActionEnded {
                    step: program.steps[*step].id.clone(),
                    attempt: self.state.steps[*step].attempt,
                    outcome: *outcome,
                    proof: proof(),
                };
                self.input(program, input)
            }
            Choice::Undo(unit, outcome) => {
                let progress = self
                    .state
                    .unwinding
                    .as_ref()
                    .and_then(|u| u.progress.get(unit));
                let (attempt, piece) = progress.map(|p| (p.attempt, p.piece)).ok_or(Broken)?;
                let input = Input::UndoEnded {
                    unit: unit.clone(),
                    attempt,
                    piece,
                    outcome: *outcome,
                    proof: proof(),
                };
                self.input(program, input)
            }
            Choice::DoneIf(step, yes) => {
                let block = BlockId::DoneIf(program.steps[*step].id.clone());
                let verdict = if *yes { Verdict::Pass } else { Verdict::Fail };
                self.judged(program, block, verdict)
            }
            Choice::Gate(gate, verdict) => {
                if *verdict == Verdict::Fail {
                    self.shut = Some(Shut {
                        gate: *gate,
                        refused: false,
                    });
                }
                let block = BlockId::Gate(program.gates[*gate].id.clone());
                self.judged(program, block, *verdict)
            }
            Choice::Approve(gate, yes) => {
                if !yes {
                    self.shut = Some(Shut {
                        gate: *gate,
                        refused: true,
                    });
                }
                let answer = if *yes {
                    Answer::Approve
                } else {
                    Answer::Reject
                };
                self.answer(program, program.gates[*gate].id.as_str(), answer)
            }
            Choice::Agree(level, yes) => {
                let answer = if *yes {
                    Answer::Approve
                } else {
                    Answer::Reject
                };
                self.answer(program, &format!("rollback.{level}"), answer)
            }
            Choice::Resume => self.input(program, attach()),
            Choice::Resolve(step, how) => {
                let id = program.steps[*step].id.clone();
                self.answer(program, id.as_str(), Answer::Resolve(*how))
            }
            Choice::Decide(gate, how) => {
                if *how == Resolution::Proceed {
                    self.shut = None;
                }
                let id = program.gates[*gate].id.clone();
                self.answer(program, id.as_str(), Answer::Resolve(*how))
            }
            Choice::Recheck(item) => self.answer(program, item, Answer::Resolve(Resolution::Retry)),
            Choice::ResolveUndo(unit, how) => {
                let item = match unit {
                    UndoUnit::Step(id) => id.as_str().to_owned(),
                    UndoUnit::Phase(id) => id.as_str().to_owned(),
                    UndoUnit::Level(level) => format!("rollback.{level}"),
                };
                self.answer(program, &item, Answer::Resolve(*how))
            }
            Choice::Rollback(level, target) => {
                let input = Input::Rollback {
                    level: *level,
                    target: target.clone(),
                    by: person("somebody"),
                    reason: None,
                };
                self.input(program, input)
            }
        }
    }

    fn judged(
        &mut self,
        program: &Program,
        block: BlockId,
        verdict: Verdict,
    ) -> Result<(), Broken> {
        let input = Input::Judged {
            block,
            index: 0,
            verdict,
            proof: Proof::default(),
        };
        self.input(program, input)
    }

    /// What may happen at a fork.
    pub(super) fn choices(&self, model: &Model, fork: &Fork) -> Vec<Choice> {
        const OUTCOMES: [Outcome; 3] = [Outcome::Succeeded, Outcome::Failed, Outcome::Unknown];
        let shut = |gate: usize, refused: bool| self.shut == Some(Shut { gate, refused });
        match fork {
            Fork::Step(step) if !model.traits[*step].acts => {
                vec![Choice::Step(*step, Outcome::Succeeded)]
            }
            // A person's work is never unknown: it is answered or it is not.
            Fork::Step(step) if model.traits[*step].by_hand => OUTCOMES[..2]
                .iter()
                .map(|&outcome| Choice::Step(*step, outcome))
                .collect(),
            Fork::Step(step) => OUTCOMES
                .iter()
                .map(|&outcome| Choice::Step(*step, outcome))
                .collect(),
            Fork::Undo(unit) => OUTCOMES
                .iter()
                .map(|&outcome| Choice::Undo(unit.clone(), outcome))
                .collect(),
            Fork::DoneIf(step) => vec![Choice::DoneIf(*step, true), Choice::DoneIf(*step, false)],
            Fork::Gate(gate) if shut(*gate, false) => vec![Choice::Gate(*gate, Verdict::Fail)],
            Fork::Gate(gate) => [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]
                .iter()
                .map(|&verdict| Choice::Gate(*gate, verdict))
                .collect(),
            Fork::Approve(gate) if shut(*gate, true) => vec![Choice::Approve(*gate, false)],
            Fork::Approve(gate) => {
                vec![Choice::Approve(*gate, true), Choice::Approve(*gate, false)]
            }
            Fork::Agree(level) => vec![Choice::Agree(*level, true), Choice::Agree(*level, false)],
            Fork::Rest => self.ways_on(model),
        }
    }

    /// Whether it only repeats a no that stays.
    pub(super) fn repeats(&self, choice: &Choice) -> bool {
        let shut = |gate: usize, refused: bool| self.shut == Some(Shut { gate, refused });
        match choice {
            Choice::Gate(gate, Verdict::Fail) => shut(*gate, false),
            Choice::Approve(gate, false) => shut(*gate, true),
            _ => false,
        }
    }

    /// What people may decide in order to go on, each on honest grounds.
    fn ways_on(&self, model: &Model) -> Vec<Choice> {
        let program = &model.program;
        let mut all = Vec::new();
        let unknown = self
            .state
            .steps
            .iter()
            .any(|s| matches!(s.stage, Stage::Unknown { .. }));
        // Asking again helps where people may then go on over the answer.
        let asks = self.shut.is_none_or(|shut| {
            !shut.refused && program.gates[shut.gate].response == GateResponse::Ask
        });
        if asks && (matches!(self.state.life, Life::Stopped(_)) || unknown) {
            all.push(Choice::Resume);
        }
        for action in next(program, &self.state, Timestamp::UNIX_EPOCH) {
            let Action::Wait(wait) = action else { continue };
            match wait.ask {
                Ask::ResolveStep { .. } => {
                    let step = program
                        .steps
                        .iter()
                        .position(|s| s.id.as_str() == wait.item);
                    let Some(step) = step else { continue };
                    let traits = &model.traits[step];
                    if traits.may_run_again(&program.steps[step]) {
                        all.push(Choice::Resolve(step, Resolution::Retry));
                    }
                    if traits.settles || traits.by_hand {
                        all.push(Choice::Resolve(step, Resolution::Done));
                    }
                }
                Ask::DecideGate { refused } => {
                    let gate = program
                        .gates
                        .iter()
                        .position(|g| g.id.as_str() == wait.item);
                    let Some(gate) = gate else { continue };
                    if !refused {
                        all.push(Choice::Decide(gate, Resolution::Proceed));
                    }
                    all.push(Choice::Decide(gate, Resolution::Rollback));
                }
                Ask::Recheck { .. } => all.push(Choice::Recheck(wait.item)),
                Ask::ResolveUndo(unit) => {
                    all.push(Choice::ResolveUndo(unit.clone(), Resolution::Retry));
                    all.push(Choice::ResolveUndo(unit, Resolution::Done));
                }
                Ask::Attest(..)
                | Ask::UndoByHand(..)
                | Ask::Approve
                | Ask::Reevaluate
                | Ask::Window => {}
            }
        }
        all
    }

    /// Rollbacks that somebody may ask for here: of a step that failed, of the latest phase, of everything.
    pub(super) fn ways_back(&self, model: &Model) -> Vec<Choice> {
        let program = &model.program;
        let state = &self.state;
        let over = matches!(state.life, Life::New | Life::RolledBack | Life::Abandoned);
        if over || state.unwinding.is_some() || state.requested.is_some() {
            return Vec::new();
        }
        let remaining = state.remaining(program);
        let mut all: Vec<Choice> = remaining
            .iter()
            .filter(|&&i| {
                matches!(
                    state.steps[i].stage,
                    Stage::Failed { .. } | Stage::Unknown { .. }
                )
            })
            .map(|&i| Choice::Rollback(Level::Step, Some(program.steps[i].id.to_string())))
            .collect();
        if let Some(latest) = remaining.iter().map(|&i| program.steps[i].phase).max() {
            let id = program.phases[latest].id.to_string();
            all.push(Choice::Rollback(Level::Phase, Some(id)));
            all.push(Choice::Rollback(Level::Full, None));
        }
        all
    }

    /// Whether this is an end that nobody minds: complete, everything undone, or back behind a gate that is open.
    pub(super) fn is_well(&self, program: &Program) -> bool {
        let state = &self.state;
        if matches!(state.life, Life::Completed | Life::RolledBack) {
            return true;
        }
        if state.unwinding.is_some() {
            return false;
        }
        let remaining = state.remaining(program);
        let Some(&latest) = remaining.last() else {
            return true;
        };
        let done = |&i: &usize| state.steps[i].stage == Stage::Succeeded;
        let open = |gates: &[usize]| {
            !gates.is_empty()
                && gates
                    .iter()
                    .all(|&g| state.gates[g].stage == GateStage::Passed)
        };
        let step = &program.steps[latest];
        let phase = &program.phases[step.phase];
        remaining.iter().all(done)
            && (open(&step.gates)
                || (state.phases[step.phase] == PhaseState::Passed && open(&phase.gates)))
    }

    /// What tells two places apart; attempts, times and sentences do not.
    pub(super) fn key(&self, program: &Program, fork: &Fork) -> u64 {
        let state = &self.state;
        let mut hash = DefaultHasher::new();
        std::mem::discriminant(&state.life).hash(&mut hash);
        for step in &state.steps {
            std::mem::discriminant(&step.stage).hash(&mut hash);
            match step.stage {
                Stage::Failed { handled, .. } => handled.hash(&mut hash),
                Stage::Unknown { epoch } => (epoch < state.epoch).hash(&mut hash),
                _ => {}
            }
            (step.effect as u8).hash(&mut hash);
        }
        state.remaining(program).hash(&mut hash);
        for gate in &state.gates {
            std::mem::discriminant(&gate.stage).hash(&mut hash);
        }
        for phase in &state.phases {
            (*phase as u8).hash(&mut hash);
        }
        if let Some((level, phase, _)) = &state.escalation {
            (*level, phase.as_str()).hash(&mut hash);
        }
        if let Some(unwinding) = &state.unwinding {
            (unwinding.level, unwinding.approved).hash(&mut hash);
            match &unwinding.then {
                Then::Finish => {}
                Then::Stop => unwinding.covers.hash(&mut hash),
                Then::Escalate(level, phase) => {
                    (unwinding.covers.as_slice(), level, phase).hash(&mut hash)
                }
                Then::Retry(step) => (unwinding.covers.as_slice(), step).hash(&mut hash),
            }
            for unit in &unwinding.units {
                let stage = unwinding.progress.get(unit).map(|p| &p.stage);
                if !matches!(stage, Some(UndoStage::Undone | UndoStage::Left)) {
                    (unit, stage.map(std::mem::discriminant)).hash(&mut hash);
                }
            }
        }
        self.shut.hash(&mut hash);
        match fork {
            Fork::Rest => 0_usize.hash(&mut hash),
            Fork::Step(i) => (1_usize, i).hash(&mut hash),
            Fork::Undo(_) => 2_usize.hash(&mut hash),
            Fork::DoneIf(i) => (3_usize, i).hash(&mut hash),
            Fork::Gate(i) => (4_usize, i).hash(&mut hash),
            Fork::Approve(i) => (5_usize, i).hash(&mut hash),
            Fork::Agree(_) => 6_usize.hash(&mut hash),
        }
        if *fork == Fork::Rest {
            self.inconclusive(program).hash(&mut hash);
        }
        hash.finish()
    }

    /// Gates whose criteria could not be told.
    fn inconclusive(&self, program: &Program) -> Vec<usize> {
        (0..program.gates.len())
            .filter(|&g| self.state.gates[g].stage == GateStage::Measuring)
            .filter(|&g| {
                let block = BlockId::Gate(program.gates[g].id.clone());
                self.state
                    .judged(&block, 0)
                    .is_some_and(|j| j.verdict == Verdict::Inconclusive)
            })
            .collect()
    }
}

fn attach() -> Input {
    Input::Attach {
        by: person("operator"),
        pid: 1,
        jobs: usize::MAX,
    }
}
