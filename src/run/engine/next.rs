//! What to do now, derived from the state alone.

use jiff::{SignedDuration, Timestamp};

use super::event::{Actor, Event, Ground, Outcome, Proof, Settled, Then, Verdict};
use super::state::{BlockVerdict, Effect, GateStage, Life, PhaseState, Stage, State, WindowState};
use super::unwind;
use crate::base::id::ItemId;
use crate::base::quantity::WindowVerdict;
use crate::plan::program::{
    Action as StepAction, After, BlockId, GateAt, GateResponse, How, Level, OnFailure, Program,
    UndoUnit, WindowRule, window_state,
};

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A consequence that is due: record it. Nothing is performed.
    Record(Event),
    /// Start a step's action: record the intent ([`Event::StepStarted`]), sync, then perform it.
    Act {
        /// Index into the program's steps.
        step: usize,
        /// The attempt that begins.
        attempt: u32,
    },
    /// Start a piece of an undo: record the intent ([`Event::UndoStarted`]), sync, then perform it.
    Undo {
        /// What is undone.
        unit: UndoUnit,
        /// The attempt.
        attempt: u32,
        /// Index into the undo's pieces.
        piece: usize,
    },
    /// Evaluate a check. It changes nothing, so it needs no intent and may be repeated.
    Probe {
        /// Its block.
        block: BlockId,
        /// Its place there.
        index: usize,
    },
    /// Nothing can be done about this without a person or the clock.
    Wait(Waiting),
    /// Ask again then.
    WakeAt(Timestamp),
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The id to answer with.
    pub item: String,
    /// What is asked.
    pub ask: Ask,
    /// For people, in one line.
    pub what: String,
    /// Who can answer; empty means anyone.
    pub who: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// When it resolves by itself, if it does.
    pub until: Option<Timestamp>,
}

/// What is asked, and so how it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `attest`: is it so?
    Attest(BlockId, usize),
    /// `attest`: a piece of an undo that a person does.
    UndoByHand(BlockId, usize),
    /// `approve`.
    Approve,
    /// `resolve --as retry`: measure an inconclusive check again; or it failed after an undo.
    Recheck {
        /// Whether the state of the system is uncertain until then.
        uncertain: bool,
    },
    /// `resume`: a blocked gate is measured again.
    Reevaluate,
    /// `resolve --as retry|proceed|rollback`: a gate that asks.
    DecideGate {
        /// Whether a person refused it: then nobody goes on over that.
        refused: bool,
    },
    /// `resolve --as done|undone|retry`: a step whose outcome is unknown, or that failed with effect.
    ResolveStep {
        /// Whether the outcome is unknown.
        unknown: bool,
    },
    /// `resolve --as undone|retry|done|abandon`: an undo that is stuck.
    ResolveUndo(UndoUnit),
    /// The window opens later.
    Window,
}

impl Ask {
    /// Whether the state of the system is uncertain until it is answered (exit code 7 instead of 6).
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::UndoByHand(..) | Self::ResolveUndo(_) => true,
            Self::ResolveStep { unknown } => *unknown,
            Self::Recheck { uncertain } => *uncertain,
            Self::Attest(..)
            | Self::Approve
            | Self::Reevaluate
            | Self::DecideGate { .. }
            | Self::Window => false,
        }
    }
}

/// What to do now. Where several actions are given they are independent of one another; a driver that meets a
/// [`Action::Record`] records the first of them and asks again, so that consequences come before new effects.
#[must_use]
pub fn next(program: &Program, state: &State, at: Timestamp) -> Vec<Action> {
    let mut walk = Walk {
        program,
        state,
        at,
        out: Vec::new(),
    };
    walk.run();
    walk.out
}

fn window_text(rule: &WindowRule) -> &str {
    match rule {
        WindowRule::Window { text, .. } => text,
        WindowRule::Person(check) => &check.title,
    }
}

/// One look at the state.
pub(super) struct Walk<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a State,
    at: Timestamp,
    out: Vec<Action>,
}

impl Walk<'_> {
    pub(super) fn push(&mut self, action: Action) {
        self.out.push(action);
    }

    pub(super) fn record(&mut self, event: Event) {
        self.out.push(Action::Record(event));
    }

    pub(super) fn wait(
        &mut self,
        item: &str,
        ask: Ask,
        what: String,
        who: Vec<String>,
        until: Option<Timestamp>,
    ) {
        let since = self.state.progressed_at.unwrap_or(self.at);
        self.out.push(Action::Wait(Waiting {
            item: item.to_owned(),
            ask,
            what,
            who,
            since,
            until,
        }));
    }

    fn run(&mut self) {
        if self.state.life != Life::Running {
            return;
        }
        if self.state.requested.is_some() {
            self.requested();
        } else if self.state.unwinding.is_some() {
            self.unwinding();
        } else if let Some((level, phase, why)) = self.state.escalation.clone() {
            if !self.state.is_acting() {
                let event = unwind::begin_level(self.program, self.state, level, &phase, why, None);
                self.record(event);
            }
        } else if !self.state.interrupted && self.state.drift.is_empty() {
            self.forward();
            self.never_silent();
        } else if !self.state.interrupted && !self.state.is_busy() {
            // A changed file holds what is ahead, never the way back.
            let fresh = self.fresh_failures();
            if !fresh.is_empty() {
                self.consequence(&fresh);
            }
        }
    }

    /// A plan that passed the review has no circle; for any other one the run says where it got stuck.
    fn never_silent(&mut self) {
        if !self.out.is_empty() || self.state.is_acting() {
            return;
        }
        let program = self.program;
        let pending: Vec<&str> = (0..program.steps.len())
            .filter(|&i| self.state.steps[i].stage == Stage::Pending)
            .filter(|&i| self.state.phases[program.steps[i].phase] == PhaseState::Started)
            .map(|i| program.steps[i].id.as_str())
            .collect();
        self.record(Event::RunStopped {
            why: format!(
                "nothing can go on: {} can never start, because of what the plan makes it wait for",
                pending.join(", ")
            ),
        });
    }

    fn fresh_failures(&self) -> Vec<usize> {
        (0..self.state.steps.len())
            .filter(|&i| {
                matches!(
                    self.state.steps[i].stage,
                    Stage::Failed { handled: false, .. }
                )
            })
            .collect()
    }

    /// Evaluates a block: asks for its next probe, or for people, and says what it adds up to.
    pub(super) fn evaluate(&mut self, block: &BlockId, who: Option<&str>) -> BlockVerdict {
        let program = self.program;
        let checks = program.block(block);
        let verdict = self.state.verdict(block, &checks);
        match verdict {
            BlockVerdict::Evaluate(index) => {
                if let How::Recorded(evidence) = &checks[index].how {
                    let proof = Proof::of(format!("taken as verified: {evidence}"));
                    let item = checks[index].id.clone();
                    let block = block.clone();
                    self.record(Event::CheckJudged {
                        item,
                        block,
                        index,
                        verdict: Verdict::Pass,
                        proof,
                    });
                } else {
                    self.push(Action::Probe {
                        block: block.clone(),
                        index,
                    });
                }
            }
            BlockVerdict::People | BlockVerdict::Inconclusive => {
                for (index, check) in checks.iter().enumerate() {
                    let judged = self.state.judged(block, index);
                    if judged.is_some_and(|j| j.verdict == Verdict::Inconclusive) {
                        let detail = judged.map_or("", |j| j.detail.as_str());
                        let what = format!("{}: inconclusive ({detail})", check.title);
                        self.wait(
                            check.id.as_str(),
                            Ask::Recheck { uncertain: false },
                            what,
                            check.who.clone(),
                            None,
                        );
                    } else if judged.is_none() && matches!(check.how, How::Attest) {
                        self.ask(block, index, &check.id, &check.title, &check.who, who);
                    }
                }
            }
            BlockVerdict::Pass | BlockVerdict::Fail => {}
        }
        verdict
    }

    fn ask(
        &mut self,
        block: &BlockId,
        index: usize,
        id: &ItemId,
        title: &str,
        who: &[String],
        fallback: Option<&str>,
    ) {
        let may_pass_unattended = !matches!(
            block,
            BlockId::Manual(_)
                | BlockId::Confirm(_)
                | BlockId::UndoPerson(_)
                | BlockId::Window
                // Nobody's word is no ground to settle an unknown outcome, or to undo something.
                | BlockId::DoneIf(_)
                | BlockId::OnlyIf(_)
        );
        if let (Some(start), true) = (&self.state.started, may_pass_unattended)
            && start.unattested
            && !start.production
        {
            let by = Actor {
                name: "nobody (unattested)".to_owned(),
                ..start.by.clone()
            };
            self.record(Event::Attested {
                item: id.clone(),
                block: block.clone(),
                index,
                by,
                accepted: true,
                reason: Some("the run was started with --unattested record".to_owned()),
                evidence: None,
                unattended: true,
            });
            return;
        }
        let mut who = who.to_vec();
        if who.is_empty() {
            who.extend(fallback.map(str::to_owned));
        }
        let what = match block {
            BlockId::Manual(step) => format!("{step}, by hand: {title}"),
            BlockId::Confirm(step) => format!("before {step}, by hand: {title}"),
            _ => title.to_owned(),
        };
        self.wait(
            id.as_str(),
            Ask::Attest(block.clone(), index),
            what,
            who,
            None,
        );
    }

    /// The failed items of a block, for a sentence.
    pub(super) fn failed_items(&self, block: &BlockId) -> String {
        let program = self.program;
        let failed: Vec<String> = program
            .block(block)
            .iter()
            .enumerate()
            .filter_map(|(i, check)| {
                let judged = self.state.judged(block, i)?;
                (judged.verdict == Verdict::Fail)
                    .then(|| format!("{} ({})", check.title, judged.detail))
            })
            .collect();
        failed.join("; ")
    }

    fn failed_ids(&self, block: &BlockId) -> Vec<ItemId> {
        let program = self.program;
        program
            .block(block)
            .iter()
            .enumerate()
            .filter(|(i, _)| {
                self.state
                    .judged(block, *i)
                    .is_some_and(|j| j.verdict == Verdict::Fail)
            })
            .map(|(_, check)| check.id.clone())
            .collect()
    }

    /// A block that holds the whole run: whether it is passed.
    fn holds(&mut self, block: &BlockId) -> bool {
        match self.evaluate(block, None) {
            BlockVerdict::Pass => true,
            BlockVerdict::Fail => {
                let failed = self.failed_ids(block);
                self.record(Event::BlockFailed {
                    block: block.clone(),
                    failed,
                });
                false
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => false,
        }
    }

    fn forward(&mut self) {
        if self.failures() {
            return;
        }
        if !self.holds(&BlockId::Prerequisites) {
            return;
        }
        if !self.window() {
            self.under_way();
            return;
        }
        for phase in 0..self.program.phases.len() {
            if self.state.phases[phase] == PhaseState::Passed || self.is_left_out(phase) {
                continue;
            }
            if !self.phase(phase) {
                return;
            }
        }
        self.end();
    }

    /// Outside the window nothing starts; what has started is carried to its end and looked at.
    fn under_way(&mut self) {
        for i in 0..self.state.steps.len() {
            match self.state.steps[i].stage {
                Stage::Acting => self.acting(i),
                Stage::Validating => self.validate(i),
                Stage::Observing { until, measured } => self.observe(i, until, measured),
                _ => {}
            }
        }
    }

    fn is_left_out(&self, phase: usize) -> bool {
        let steps = &self.program.phases[phase].steps;
        !steps.is_empty() && steps.iter().all(|&s| self.state.steps[s].left_out)
    }

    fn window(&mut self) -> bool {
        if self.state.window != WindowState::Unchecked {
            return true;
        }
        let Some(rule) = &self.program.window else {
            return true;
        };
        match window_state(rule, self.at) {
            None => {
                if self.holds(&BlockId::Window) {
                    self.record(Event::WindowEntered { closes_at: None });
                }
            }
            Some(WindowVerdict::Inside { closes_at, .. }) => {
                self.record(Event::WindowEntered { closes_at })
            }
            Some(WindowVerdict::Outside { opens_at, .. }) => {
                let opens = opens_at.map_or("it does not open again".to_owned(), |at| {
                    format!("it opens at {at}")
                });
                let what = format!("the migration window ({}); {opens}", window_text(rule));
                self.wait("window", Ask::Window, what, Vec::new(), opens_at);
            }
            Some(WindowVerdict::Unclear { change }) => {
                let what = format!(
                    "the migration window ({}): the clocks change ({change})",
                    window_text(rule)
                );
                self.wait("window", Ask::Window, what, Vec::new(), None);
            }
        }
        false
    }

    /// Consequences of failed steps, and what is asked about steps that failed or are unknown. True while they hold
    /// everything else.
    fn failures(&mut self) -> bool {
        let fresh = self.fresh_failures();
        let mut held = false;
        for i in 0..self.state.steps.len() {
            match &self.state.steps[i].stage {
                Stage::Failed { handled: false, .. } => {}
                Stage::Failed { why, .. } => {
                    held = true;
                    let what = format!(
                        "{} failed and its effect was not undone: {why}",
                        self.program.steps[i].id
                    );
                    self.ask_step(i, what, false);
                }
                Stage::Unknown { epoch } => {
                    held = true;
                    let epoch = *epoch;
                    self.unknown(i, epoch);
                }
                _ => {}
            }
        }
        if fresh.is_empty() {
            return held;
        }
        // Siblings finish: their actions, and what a machine can tell about them.
        let program = self.program;
        for i in 0..self.state.steps.len() {
            if self.state.steps[i].stage == Stage::Acting {
                self.acting(i);
            }
            if self.state.steps[i].stage == Stage::Validating {
                let block = BlockId::Validation(program.steps[i].id.clone());
                let checks = program.block(&block);
                if matches!(
                    self.state.verdict(&block, &checks),
                    BlockVerdict::Evaluate(_) | BlockVerdict::Fail | BlockVerdict::Pass
                ) {
                    self.validate(i);
                }
            }
        }
        let settling = self
            .out
            .iter()
            .any(|a| matches!(a, Action::Probe { .. } | Action::Record(_)));
        if !settling && !self.state.is_busy() {
            self.consequence(&fresh);
        }
        true
    }

    fn ask_step(&mut self, i: usize, what: String, unknown: bool) {
        let step = &self.program.steps[i];
        let who = step.responsible.clone().into_iter().collect();
        let id = step.id.as_str().to_owned();
        self.wait(&id, Ask::ResolveStep { unknown }, what, who, None);
    }

    /// A step of which nobody can say what it did: `done_if`, then a rerun if it is idempotent and a new driver has
    /// taken the run, then a person. Never a guess.
    fn unknown(&mut self, i: usize, epoch: u64) {
        let step = &self.program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let settle = |how, ground| Event::StepSettled {
            step: step.id.clone(),
            attempt,
            how,
            ground,
            reason: None,
        };
        let resumed = epoch < self.state.epoch;
        if step.done_if.is_some() {
            match self.evaluate(
                &BlockId::DoneIf(step.id.clone()),
                step.responsible.as_deref(),
            ) {
                BlockVerdict::Pass => {
                    self.record(settle(Settled::Done, Ground::DoneIf));
                    return;
                }
                // A timeout in this session whose effect did not happen is a failure; after a crash the step runs again.
                BlockVerdict::Fail if resumed => {
                    self.record(settle(Settled::Retry, Ground::DoneIf));
                    return;
                }
                BlockVerdict::Fail => {
                    self.record(Event::StepFailed {
                        step: step.id.clone(),
                        attempt,
                        effect: true,
                        why: "it was ended, and its done_if says that its effect did not happen"
                            .to_owned(),
                    });
                    return;
                }
                BlockVerdict::Evaluate(_) => return,
                BlockVerdict::Inconclusive | BlockVerdict::People => {}
            }
        }
        if step.idempotent && resumed {
            self.record(settle(Settled::Retry, Ground::Idempotent));
            return;
        }
        let again = if step.idempotent {
            "; it is idempotent, so resume runs it again"
        } else {
            ""
        };
        let what = format!("nobody can say what {} did before it ended{again}", step.id);
        self.ask_step(i, what, true);
    }

    /// `retry`: what failed is tried again, after its undo unless it is idempotent, and after its backoff.
    fn retry(&mut self, fresh: &[usize]) {
        let (program, state) = (self.program, self.state);
        let clean = |i: usize| {
            let step = &program.steps[i];
            step.idempotent || step.effect_none || state.steps[i].effect != Effect::May
        };
        let why_of = |i: usize| match &state.steps[i].stage {
            Stage::Failed { why, at, .. } => Some((why.clone(), *at)),
            _ => None,
        };
        if let Some(&i) = fresh.iter().find(|&&i| !clean(i)) {
            let id = program.steps[i].id.clone();
            let why = why_of(i).map_or_else(String::new, |(why, _)| why);
            self.record(unwind::begin(
                program,
                Level::Step,
                unwind::of_steps(program, state, vec![i]),
                format!("{id} failed: {why}"),
                Then::Retry(id),
                None,
            ));
            return;
        }
        for &i in fresh {
            let step = &program.steps[i];
            let backoff = SignedDuration::from_millis(
                i64::try_from(step.retry.backoff_ms).unwrap_or(i64::MAX / 2),
            );
            match why_of(i) {
                Some((_, at)) if self.at < at + backoff => self.push(Action::WakeAt(at + backoff)),
                _ => self.record(Event::StepRetried {
                    step: step.id.clone(),
                }),
            }
        }
    }

    fn consequence(&mut self, fresh: &[usize]) {
        let (program, state) = (self.program, self.state);
        let again = |i: usize| state.steps[i].failures < program.steps[i].retry.attempts;
        if fresh.iter().all(|&i| again(i)) {
            self.retry(fresh);
            return;
        }
        let whys: Vec<String> = fresh
            .iter()
            .filter_map(|&i| match &state.steps[i].stage {
                Stage::Failed { why, .. } => Some(format!("{} failed: {why}", program.steps[i].id)),
                _ => None,
            })
            .collect();
        let why = whys.join("; ");
        let phase = program.phases[program.steps[fresh[0]].phase].id.clone();
        let level = match state.on_failure(program) {
            OnFailure::Stop => None,
            OnFailure::Phase => Some(Level::Phase),
            OnFailure::Full => Some(Level::Full),
        };
        let own = unwind::of_steps(program, state, fresh.to_vec());
        let event = match (own.units.is_empty(), level) {
            (true, None) => Event::RunStopped { why },
            (true, Some(level)) => unwind::begin_level(program, state, level, &phase, why, None),
            (false, level) => {
                let then = level.map_or(Then::Stop, |level| Then::Escalate(level, phase));
                unwind::begin(program, Level::Step, own, why, then, None)
            }
        };
        self.record(event);
    }

    /// One phase; true when the walk may go on to the next one.
    fn phase(&mut self, index: usize) -> bool {
        let program = self.program;
        let phase = &program.phases[index];
        if self.state.phases[index] == PhaseState::Waiting {
            if self.holds(&BlockId::Start(phase.id.clone())) {
                self.record(Event::PhaseStarted {
                    phase: phase.id.clone(),
                });
            }
            return false;
        }
        let complete = self.steps(index);
        if !complete {
            return false;
        }
        let left_out: Vec<_> = phase
            .steps
            .iter()
            .filter(|&&s| self.state.steps[s].left_out)
            .map(|&s| program.steps[s].id.clone())
            .collect();
        if left_out.is_empty() {
            let mut open = true;
            for &gate in &phase.gates {
                open &= self.gate(gate);
            }
            if open {
                self.record(Event::PhasePassed {
                    phase: phase.id.clone(),
                });
            }
            return false;
        }
        if phase.gates.is_empty() {
            return true;
        }
        for &gate in &phase.gates {
            if self.state.gates[gate].stage == GateStage::Closed {
                let gate = program.gates[gate].id.clone();
                self.record(Event::GateHeld {
                    gate,
                    left_out: left_out.clone(),
                });
                return false;
            }
        }
        let names: Vec<&str> = phase
            .gates
            .iter()
            .map(|&g| program.gates[g].id.as_str())
            .collect();
        let why = format!(
            "{} stays closed, because steps under it were left out",
            names.join(", ")
        );
        self.record(Event::RunStopped { why });
        false
    }

    /// The steps of a phase; true when every one that is not left out has succeeded and its gates are open.
    fn steps(&mut self, phase: usize) -> bool {
        let (program, state) = (self.program, self.state);
        let steps = &program.phases[phase].steps;
        let ended = |i: usize| {
            state.steps[i].left_out
                || (state.steps[i].stage == Stage::Succeeded
                    && program.steps[i]
                        .gates
                        .iter()
                        .all(|&g| state.gates[g].stage == GateStage::Passed))
        };
        let lowest = steps
            .iter()
            .filter(|&&i| !ended(i))
            .map(|&i| program.steps[i].order)
            .min();
        let Some(lowest) = lowest else { return true };
        let mut running = steps
            .iter()
            .filter(|&&i| matches!(state.steps[i].stage, Stage::Acting | Stage::Validating))
            .count();
        // A gate that is about to undo the phase lets nothing new start; what runs is carried to its end.
        let going_back = steps
            .iter()
            .flat_map(|&i| &program.steps[i].gates)
            .any(|&g| {
                matches!(
                    state.gates[g].stage,
                    GateStage::Failed(GateResponse::Rollback) | GateStage::RollingBack
                )
            });
        for &i in steps {
            let step = &program.steps[i];
            match state.steps[i].stage {
                Stage::Pending if state.steps[i].left_out => {}
                Stage::Pending => {
                    let ready = match &step.after {
                        After::LowerOrders => step.order <= lowest,
                        After::Exactly(all) => all.iter().all(|&d| ended(d)),
                    };
                    if ready && !going_back && running < state.jobs && self.prepare(i) {
                        running += 1;
                        self.push(Action::Act {
                            step: i,
                            attempt: state.steps[i].attempt + 1,
                        });
                    }
                }
                Stage::Acting => self.acting(i),
                Stage::Validating => self.validate(i),
                Stage::Observing { until, measured } => self.observe(i, until, measured),
                Stage::Succeeded => {
                    for &gate in &step.gates {
                        self.gate(gate);
                    }
                }
                Stage::Failed { .. } | Stage::Unknown { .. } => {}
            }
        }
        false
    }

    /// Preconditions and confirmations; true when the action may start.
    fn prepare(&mut self, i: usize) -> bool {
        let program = self.program;
        let step = &program.steps[i];
        for block in [
            BlockId::Preconditions(step.id.clone()),
            BlockId::Confirm(step.id.clone()),
        ] {
            match self.evaluate(&block, step.responsible.as_deref()) {
                BlockVerdict::Pass => {}
                BlockVerdict::Fail => {
                    let why = self.failed_items(&block);
                    let attempt = self.state.steps[i].attempt;
                    self.record(Event::StepFailed {
                        step: step.id.clone(),
                        attempt,
                        effect: false,
                        why,
                    });
                    return false;
                }
                BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {
                    return false;
                }
            }
        }
        true
    }

    /// A manual action ends when its items are answered; every other one ends by itself.
    fn acting(&mut self, i: usize) {
        let program = self.program;
        let step = &program.steps[i];
        if !matches!(step.action, StepAction::Person(_)) {
            return;
        }
        let block = BlockId::Manual(step.id.clone());
        let outcome = match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => Outcome::Succeeded,
            BlockVerdict::Fail => Outcome::Failed,
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => return,
        };
        let detail = match outcome {
            Outcome::Failed => format!("not done: {}", self.failed_items(&block)),
            Outcome::Succeeded | Outcome::Unknown => "done by hand".to_owned(),
        };
        let attempt = self.state.steps[i].attempt;
        self.record(Event::ActionEnded {
            step: step.id.clone(),
            attempt,
            outcome,
            proof: Proof::of(detail),
        });
    }

    fn validate(&mut self, i: usize) {
        let program = self.program;
        let step = &program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let block = BlockId::Validation(step.id.clone());
        match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => {
                let event = match step.observe {
                    Some(observe) => {
                        let length = SignedDuration::from_millis(
                            i64::try_from(observe.for_ms).unwrap_or(i64::MAX / 2),
                        );
                        Event::StepObserving {
                            step: step.id.clone(),
                            until: self.at + length,
                        }
                    }
                    None => Event::StepSucceeded {
                        step: step.id.clone(),
                        attempt,
                    },
                };
                self.record(event);
            }
            BlockVerdict::Fail => {
                let why = self.failed_items(&block);
                self.record(Event::StepFailed {
                    step: step.id.clone(),
                    attempt,
                    effect: true,
                    why,
                });
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {}
        }
    }

    fn observe(&mut self, i: usize, until: Timestamp, measured: Timestamp) {
        let program = self.program;
        let step = &program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let block = BlockId::Validation(step.id.clone());
        match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => {}
            BlockVerdict::Fail => {
                let why = format!("while it was watched: {}", self.failed_items(&block));
                self.record(Event::StepFailed {
                    step: step.id.clone(),
                    attempt,
                    effect: true,
                    why,
                });
                return;
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => return,
        }
        if measured >= until {
            self.record(Event::StepSucceeded {
                step: step.id.clone(),
                attempt,
            });
            return;
        }
        let every = step.observe.map_or(60_000, |o| o.every_ms.max(1));
        let every = SignedDuration::from_millis(i64::try_from(every).unwrap_or(i64::MAX / 2));
        let due = (measured + every).min(until);
        if self.at >= due {
            self.record(Event::StepRemeasured {
                step: step.id.clone(),
            });
        } else {
            self.push(Action::WakeAt(due));
        }
    }

    /// A gate; true when it is open.
    fn gate(&mut self, index: usize) -> bool {
        let (program, state) = (self.program, self.state);
        let (gate, now) = (&program.gates[index], &state.gates[index]);
        let id = || gate.id.clone();
        match &now.stage {
            GateStage::Passed => return true,
            GateStage::Held => {}
            GateStage::Closed => self.record(Event::GateOpened {
                gate: id(),
                attempt: now.attempt + 1,
            }),
            GateStage::Measuring => {
                let block = BlockId::Gate(id());
                match self.evaluate(&block, None) {
                    BlockVerdict::Pass if gate.approvals_needed == 0 => {
                        self.record(Event::GatePassed { gate: id() })
                    }
                    BlockVerdict::Pass => self.record(Event::GateMeasured { gate: id() }),
                    BlockVerdict::Fail => {
                        let failed = self.failed_ids(&block);
                        self.record(Event::GateFailed {
                            gate: id(),
                            failed,
                            response: gate.response,
                        });
                    }
                    BlockVerdict::Inconclusive
                    | BlockVerdict::Evaluate(_)
                    | BlockVerdict::People => {}
                }
            }
            GateStage::Approving => self.approvals(index),
            GateStage::Failed(GateResponse::Block) => {
                let failed = self.failed_items(&BlockId::Gate(id()));
                let what = format!(
                    "gate {} is closed: {failed}; mend it, then resume measures it again",
                    gate.id
                );
                self.wait(
                    gate.id.as_str(),
                    Ask::Reevaluate,
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Failed(GateResponse::Ask) => {
                let failed = self.failed_items(&BlockId::Gate(id()));
                let what = format!("a decision on gate {}: {failed}", gate.id);
                self.wait(
                    gate.id.as_str(),
                    Ask::DecideGate { refused: false },
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Refused(by) => {
                let what = format!("a decision on gate {}: {by} refused it", gate.id);
                self.wait(
                    gate.id.as_str(),
                    Ask::DecideGate { refused: true },
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Failed(GateResponse::Rollback) | GateStage::RollingBack => {
                if !state.is_busy() {
                    let failed = self.failed_items(&BlockId::Gate(id()));
                    let why = format!("gate {} failed: {failed}", gate.id);
                    let phase = match gate.at {
                        GateAt::Phase(p) => p,
                        GateAt::Step(s) => program.steps[s].phase,
                        GateAt::Completion => program.phases.len().saturating_sub(1),
                    };
                    let phase = program.phases[phase].id.clone();
                    self.record(unwind::begin_level(
                        program,
                        state,
                        Level::Phase,
                        &phase,
                        why,
                        None,
                    ));
                }
            }
        }
        false
    }

    /// Approvals for the plan as it is; when the last one is there, evidence that grew too old is measured again.
    fn approvals(&mut self, index: usize) {
        let (program, state) = (self.program, self.state);
        let (gate, now) = (&program.gates[index], &state.gates[index]);
        let valid: Vec<&str> = now
            .approvals
            .iter()
            .filter(|(_, digest, _)| state.plan_digest.as_ref() == Some(digest))
            .map(|(by, _, _)| by.name.as_str())
            .collect();
        let missing: Vec<String> = gate
            .approvers
            .iter()
            .filter(|name| !valid.iter().any(|v| unwind::same_name(v, name)))
            .cloned()
            .collect();
        if valid.len() < gate.approvals_needed {
            let what = format!(
                "approval of gate {} \"{}\" ({} of {} given)",
                gate.id,
                gate.name,
                valid.len(),
                gate.approvals_needed
            );
            self.wait(gate.id.as_str(), Ask::Approve, what, missing, None);
            return;
        }
        let block = BlockId::Gate(gate.id.clone());
        let oldest = (0..gate.criteria.len())
            .filter_map(|i| state.judged(&block, i))
            .filter(|j| !j.person)
            .map(|j| j.at)
            .min();
        let age = SignedDuration::from_millis(
            i64::try_from(gate.evidence_max_age_ms).unwrap_or(i64::MAX / 2),
        );
        // Measured again once: after the last approval, or by a later driver. A measurement that itself takes longer
        // than the age would otherwise never be young enough.
        let approved = now.approvals.iter().map(|(_, _, at)| *at).max();
        let again = |oldest| Some(oldest) < approved || now.measured < state.epoch;
        if oldest.is_some_and(|oldest| self.at.duration_since(oldest) > age && again(oldest)) {
            self.record(Event::GateRemeasured {
                gate: gate.id.clone(),
            });
        } else {
            self.record(Event::GatePassed {
                gate: gate.id.clone(),
            });
        }
    }

    fn end(&mut self) {
        let program = self.program;
        let left_out = self.state.left_out(program);
        if !left_out.is_empty() {
            let why = match left_out.len() {
                1 => "1 step was left out of this run, so the migration is not complete".to_owned(),
                n => {
                    format!("{n} steps were left out of this run, so the migration is not complete")
                }
            };
            self.record(Event::RunStopped { why });
            return;
        }
        let mut open = true;
        for (i, gate) in program.gates.iter().enumerate() {
            if gate.at == GateAt::Completion {
                open &= self.gate(i);
            }
        }
        if open {
            self.record(Event::RunCompleted);
        }
    }
}
