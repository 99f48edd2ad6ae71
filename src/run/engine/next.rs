//! What to do now, derived from the state alone.

use jiff::Timestamp;

use super::event::{Actor, Event, Proof, Verdict};
use super::state::{BlockVerdict, Life, PhaseState, Stage, State, WindowState};
use super::unwind;
use crate::base::id::ItemId;
use crate::base::quantity::WindowVerdict;
use crate::plan::program::{BlockId, How, Program, UndoUnit, WindowRule, window_state};

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
    pub(super) at: Timestamp,
    pub(super) out: Vec<Action>,
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

    pub(super) fn run(&mut self) {
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
    pub(super) fn never_silent(&mut self) {
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

    pub(super) fn fresh_failures(&self) -> Vec<usize> {
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

    pub(super) fn ask(
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

    pub(super) fn failed_ids(&self, block: &BlockId) -> Vec<ItemId> {
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
    pub(super) fn holds(&mut self, block: &BlockId) -> bool {
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

    pub(super) fn forward(&mut self) {
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
    pub(super) fn under_way(&mut self) {
        for i in 0..self.state.steps.len() {
            match self.state.steps[i].stage {
                Stage::Acting => self.acting(i),
                Stage::Validating => self.validate(i),
                Stage::Observing { until, measured } => self.observe(i, until, measured),
                _ => {}
            }
        }
    }

    pub(super) fn is_left_out(&self, phase: usize) -> bool {
        let steps = &self.program.phases[phase].steps;
        !steps.is_empty() && steps.iter().all(|&s| self.state.steps[s].left_out)
    }

    pub(super) fn window(&mut self) -> bool {
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
}
