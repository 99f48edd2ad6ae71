//! What an input means now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Actor, Event, GateDecision, Ground, Outcome, Proof, Settled, Verdict};
use super::next::{Action, Ask, Waiting, next};
use super::state::{Life, Stage, State, WindowState};
use super::unwind;
use crate::base::id::{Digest, GateId, ItemId, StepId};
use crate::plan::program::{BlockId, Level, Program, UndoUnit};

/// Something that came from outside the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A driver takes the run.
    Attach {
        /// Who runs it.
        by: Actor,
        /// Its process.
        pid: u32,
        /// How many steps may run together.
        jobs: usize,
    },
    /// It leaves.
    Leave {
        /// With this exit code.
        exit_code: u8,
        /// Why.
        why: String,
    },
    /// Ctrl-C or TERM.
    Interrupt {
        /// The signal's name.
        signal: String,
    },
    /// A step's action ended.
    ActionEnded {
        /// The step.
        step: StepId,
        /// The attempt that ended.
        attempt: u32,
        /// How.
        outcome: Outcome,
        /// What is known of it.
        proof: Proof,
    },
    /// A piece of an undo ended.
    UndoEnded {
        /// What was undone.
        unit: UndoUnit,
        /// The attempt that ended.
        attempt: u32,
        /// The piece.
        piece: usize,
        /// How.
        outcome: Outcome,
        /// What is known of it.
        proof: Proof,
    },
    /// The supervisor has no record that a step's action was ever started.
    ActionNotStarted {
        /// The step.
        step: StepId,
    },
    /// The same of a piece of an undo.
    UndoNotStarted {
        /// What was to be undone.
        unit: UndoUnit,
    },
    /// A check was evaluated.
    Judged {
        /// Its block.
        block: BlockId,
        /// Its place there.
        index: usize,
        /// What was found.
        verdict: Verdict,
        /// What is known of it.
        proof: Proof,
    },
    /// A person answered.
    Answered {
        /// What: an id.
        item: String,
        /// How.
        answer: Answer,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
        /// A file, relative to the run folder.
        evidence: Option<String>,
    },
    /// Someone goes ahead outside the window.
    OverrideWindow {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Someone wants a rollback.
    Rollback {
        /// The level.
        level: Level,
        /// A step's id, a phase's id, or the phase to keep.
        target: Option<String>,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// Files are not as they were when the run started.
    Drift {
        /// Which.
        files: Vec<String>,
    },
    /// Someone accepts that.
    AcceptDrift {
        /// Which.
        files: Vec<String>,
        /// The plan's digest as it is now.
        plan_digest: Digest,
        /// The inputs' hash as it is now.
        inputs_hash: Digest,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// `approve`.
    Approve,
    /// `attest`.
    Attest,
    /// `approve --reject` or `attest --reject`.
    Reject,
    /// `resolve --as ...`.
    Resolve(Resolution),
}

/// `resolve --as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The effect happened.
    Done,
    /// It did not, or was removed by hand.
    Undone,
    /// Again.
    Retry,
    /// Open the gate all the same.
    Proceed,
    /// Undo the phase.
    Rollback,
    /// Give the run up.
    Abandon,
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Undone => "undone",
            Self::Retry => "retry",
            Self::Proceed => "proceed",
            Self::Rollback => "rollback",
            Self::Abandon => "abandon",
        })
    }
}

/// An input that means nothing now. Nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Nothing waits under this id.
    #[error("nothing waits for an answer to {item}; what waits: {waiting}")]
    NotWaiting {
        /// The id that was given.
        item: String,
        /// The ids that would do.
        waiting: String,
    },
    /// It is answered in another way.
    #[error("{item} is not answered in this way: {hint}")]
    WrongAnswer {
        /// The id.
        item: String,
        /// How it is answered.
        hint: String,
    },
    /// The name is not among those who may.
    #[error("{name} may not approve {item}: it is for {who}")]
    NotApprover {
        /// The name.
        name: String,
        /// What was to be approved.
        item: String,
        /// Who may.
        who: String,
    },
    /// The same person again.
    #[error("{name} has approved {item} already")]
    Again {
        /// The name.
        name: String,
        /// What was to be approved.
        item: String,
    },
    /// Someone who started the run.
    #[error("{name} started this run, and the plan asks for separation of duties")]
    OwnRun {
        /// The name.
        name: String,
    },
    /// It makes no sense now.
    #[error("{0}")]
    Senseless(String),
}

impl Rejected {
    /// The exit code of a verb whose input was refused (SPEC section 10): 9, or 2 where it was asked wrongly.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::WrongAnswer { .. } => 2,
            Self::NotWaiting { .. }
            | Self::NotApprover { .. }
            | Self::Again { .. }
            | Self::OwnRun { .. }
            | Self::Senseless(_) => 9,
        }
    }
}

/// Says what `input` means now: the events to record, in order.
///
/// # Errors
/// [`Rejected`] when it means nothing now; the state must stay as it is.
pub fn decide(
    program: &Program,
    state: &State,
    input: Input,
    at: Timestamp,
) -> Result<Vec<Event>, Rejected> {
    let senseless = |why: &str| Err(Rejected::Senseless(why.to_owned()));
    match input {
        Input::Attach { by, pid, jobs } => match state.life {
            Life::New => senseless("the run has not started"),
            Life::RolledBack | Life::Abandoned => senseless("the run is over"),
            Life::Running | Life::Stopped(_) | Life::Completed => Ok(vec![Event::DriverAttached {
                epoch: state.epoch + 1,
                by,
                pid,
                jobs,
            }]),
        },
        Input::Leave { exit_code, why } => Ok(vec![Event::DriverLeft { exit_code, why }]),
        Input::Interrupt { signal } if state.interrupted => senseless(&format!(
            "{signal} came again; the run is being interrupted already"
        )),
        Input::Interrupt { signal } => Ok(vec![Event::InterruptRequested { signal }]),
        Input::ActionEnded {
            step,
            attempt,
            outcome,
            proof,
        } => {
            let now = program.step_index(&step).map(|i| &state.steps[i]);
            match now {
                Some(now) if now.stage == Stage::Acting && now.attempt == attempt => {
                    Ok(vec![Event::ActionEnded {
                        step,
                        attempt,
                        outcome,
                        proof,
                    }])
                }
                _ => senseless("that attempt has ended already"),
            }
        }
        Input::UndoEnded {
            unit,
            attempt,
            piece,
            outcome,
            proof,
        } => {
            let progress = state.unwinding.as_ref().and_then(|u| u.progress.get(&unit));
            match progress {
                Some(p)
                    if p.stage == super::UndoStage::Acting
                        && p.attempt == attempt
                        && p.piece == piece =>
                {
                    Ok(vec![Event::UndoEnded {
                        unit,
                        attempt,
                        piece,
                        outcome,
                        proof,
                    }])
                }
                _ => senseless("that undo has ended already"),
            }
        }
        Input::ActionNotStarted { step } => {
            let now = program
                .step_index(&step)
                .map(|i| &state.steps[i])
                .filter(|now| now.stage == Stage::Acting);
            let Some(now) = now else {
                return senseless("that step is not going on");
            };
            Ok(vec![Event::StepSettled {
                step,
                attempt: now.attempt,
                how: Settled::Undone,
                ground: Ground::NeverStarted,
                reason: Some("the machine stopped before it was started".to_owned()),
            }])
        }
        Input::UndoNotStarted { unit } => {
            let progress = state.unwinding.as_ref().and_then(|u| u.progress.get(&unit));
            match progress {
                Some(p) if p.stage == super::UndoStage::Acting => {
                    Ok(vec![Event::UndoNotStarted { unit }])
                }
                _ => senseless("that undo is not going on"),
            }
        }
        Input::Judged {
            block,
            index,
            verdict,
            proof,
        } => {
            let checks = program.block(&block);
            match checks.get(index) {
                Some(check) if state.judged(&block, index).is_none() => {
                    Ok(vec![Event::CheckJudged {
                        item: check.id.clone(),
                        block,
                        index,
                        verdict,
                        proof,
                    }])
                }
                Some(_) => senseless("it was judged already"),
                None => senseless("the plan has no such check"),
            }
        }
        Input::Answered {
            item,
            answer,
            by,
            reason,
            evidence,
        } => answered(program, state, at, &item, answer, by, reason, evidence),
        Input::OverrideWindow { by, reason } => match state.window {
            WindowState::Unchecked => Ok(vec![Event::WindowOverridden { by, reason }]),
            WindowState::Entered | WindowState::Overridden => Ok(Vec::new()),
        },
        Input::Rollback {
            level,
            target,
            by,
            reason,
        } => {
            unwind::check_request(program, state, level, target.as_deref())
                .map_err(Rejected::Senseless)?;
            Ok(vec![Event::RollbackRequested {
                level,
                target,
                by,
                reason,
            }])
        }
        Input::Drift { files } => Ok(vec![Event::DriftFound { files }]),
        Input::AcceptDrift {
            files,
            plan_digest,
            inputs_hash,
            by,
            reason,
        } => {
            if state.is_final() {
                return senseless("the run is over");
            }
            Ok(vec![Event::DriftAccepted {
                files,
                plan_digest,
                inputs_hash,
                by,
                reason,
            }])
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one answer")]
fn answered(
    program: &Program,
    state: &State,
    at: Timestamp,
    item: &str,
    answer: Answer,
    by: Actor,
    reason: Option<String>,
    evidence: Option<String>,
) -> Result<Vec<Event>, Rejected> {
    if answer == Answer::Resolve(Resolution::Abandon) {
        if state.is_final() {
            return Err(Rejected::Senseless("the run is over".to_owned()));
        }
        if state.is_acting() {
            let why =
                "something is still running; its outcome must be known before the run is given up";
            return Err(Rejected::Senseless(why.to_owned()));
        }
        return Ok(vec![Event::RunAbandoned { by, reason }]);
    }
    // An interrupted run asks nothing, and yet it can be answered before someone resumes it.
    let asked = State {
        interrupted: false,
        ..state.clone()
    };
    let waiting: Vec<Waiting> = next(program, &asked, at)
        .into_iter()
        .filter_map(|action| match action {
            Action::Wait(wait) => Some(wait),
            _ => None,
        })
        .collect();
    let same = |id: &str| id.eq_ignore_ascii_case(item.trim());
    let mut hits: Vec<&Waiting> = waiting.iter().filter(|w| same(&w.item)).collect();
    if hits.is_empty() {
        // A step's or phase's id stands for everything that waits to be attested under it.
        hits = waiting
            .iter()
            .filter(|w| matches!(w.ask, Ask::Attest(..) | Ask::UndoByHand(..)))
            .filter(|w| owner_is(w, item))
            .collect();
    }
    if hits.is_empty() {
        let ids: Vec<&str> = waiting.iter().map(|w| w.item.as_str()).collect();
        let waiting = if ids.is_empty() {
            "nothing".to_owned()
        } else {
            ids.join(", ")
        };
        return Err(Rejected::NotWaiting {
            item: item.to_owned(),
            waiting,
        });
    }
    let mut events = Vec::new();
    for wait in hits {
        events.push(answer_one(
            program,
            state,
            wait,
            answer,
            &by,
            reason.as_ref(),
            evidence.as_ref(),
        )?);
    }
    Ok(events)
}

/// Whether what waits stands under the step, phase, gate or prerequisite with this id.
fn owner_is(wait: &Waiting, item: &str) -> bool {
    let (Ask::Attest(block, _) | Ask::UndoByHand(block, _)) = &wait.ask else {
        return false;
    };
    let unit = |unit: &UndoUnit| match unit {
        UndoUnit::Step(step) => step.as_str().to_owned(),
        UndoUnit::Phase(phase) => phase.as_str().to_owned(),
        UndoUnit::Level(level) => format!("rollback.{level}"),
    };
    let owner = match block {
        BlockId::Window => return false,
        BlockId::Prerequisites => match wait.item.rsplit_once('.') {
            Some((owner, _)) => owner.to_owned(),
            None => return false,
        },
        BlockId::Start(phase) => phase.as_str().to_owned(),
        BlockId::Preconditions(step)
        | BlockId::Confirm(step)
        | BlockId::Manual(step)
        | BlockId::Validation(step)
        | BlockId::DoneIf(step) => step.as_str().to_owned(),
        BlockId::Gate(gate) => gate.as_str().to_owned(),
        BlockId::OnlyIf(of) | BlockId::UndoPerson(of) | BlockId::UndoTest(of) => unit(of),
        BlockId::PostRollback(level) => format!("rollback.{level}"),
    };
    owner.eq_ignore_ascii_case(item.trim())
}

fn answer_one(
    program: &Program,
    state: &State,
    wait: &Waiting,
    answer: Answer,
    by: &Actor,
    reason: Option<&String>,
    evidence: Option<&String>,
) -> Result<Event, Rejected> {
    let wrong = |hint: &str| {
        Err(Rejected::WrongAnswer {
            item: wait.item.clone(),
            hint: hint.to_owned(),
        })
    };
    let (by, reason, evidence) = (by.clone(), reason.cloned(), evidence.cloned());
    match (&wait.ask, answer) {
        (
            Ask::Attest(block, index) | Ask::UndoByHand(block, index),
            Answer::Attest | Answer::Reject,
        ) => {
            let item =
                ItemId::parse(&wait.item).map_err(|why| Rejected::Senseless(why.to_string()))?;
            Ok(Event::Attested {
                item,
                block: block.clone(),
                index: *index,
                by,
                accepted: answer == Answer::Attest,
                reason,
                evidence,
                unattended: false,
            })
        }
        (Ask::Attest(..) | Ask::UndoByHand(..), _) => wrong("use `attest` (or `attest --reject`)"),
        (Ask::Approve, Answer::Approve | Answer::Reject) => {
            approval(program, state, wait, answer, by, reason, evidence)
        }
        (Ask::Approve, _) => wrong("use `approve` (or `approve --reject`)"),
        (Ask::Recheck { .. }, Answer::Resolve(Resolution::Retry)) => {
            let item =
                ItemId::parse(&wait.item).map_err(|why| Rejected::Senseless(why.to_string()))?;
            let (block, index) = program
                .item(&item)
                .cloned()
                .ok_or_else(|| Rejected::Senseless(format!("the plan has no check {item}")))?;
            Ok(Event::CheckReset {
                item,
                block,
                index,
                by,
                reason,
            })
        }
        (Ask::Recheck { .. }, _) => wrong("use `resolve --as retry` to measure it again"),
        (Ask::DecideGate { refused }, Answer::Resolve(how)) => {
            let decision = match how {
                Resolution::Retry => GateDecision::Retry,
                Resolution::Proceed => GateDecision::Proceed,
                Resolution::Rollback => GateDecision::Rollback,
                Resolution::Done | Resolution::Undone | Resolution::Abandon => {
                    return wrong("use `resolve --as retry`, `--as proceed` or `--as rollback`");
                }
            };
            let gate =
                GateId::parse(&wait.item).map_err(|why| Rejected::Senseless(why.to_string()))?;
            if decision == GateDecision::Proceed {
                if reason.is_none() {
                    return wrong("going on over a failed or refused gate needs `--reason`");
                }
                if *refused {
                    return wrong(
                        "it was refused: use `resolve --as retry` to ask again, or `--as rollback`",
                    );
                }
            }
            Ok(Event::GateDecided {
                gate,
                decision,
                by,
                reason,
            })
        }
        (Ask::DecideGate { refused: true }, _) => {
            wrong("it was refused: use `resolve --as retry` to ask again, or `--as rollback`")
        }
        (Ask::DecideGate { refused: false }, _) => {
            wrong("use `resolve --as retry`, `--as proceed` or `--as rollback`")
        }
        (Ask::ResolveStep { .. }, Answer::Resolve(how)) => {
            let settled = match how {
                Resolution::Done => Settled::Done,
                Resolution::Undone => Settled::Undone,
                Resolution::Retry => Settled::Retry,
                Resolution::Proceed | Resolution::Rollback | Resolution::Abandon => {
                    return wrong("use `resolve --as done`, `--as undone` or `--as retry`");
                }
            };
            let step =
                StepId::parse(&wait.item).map_err(|why| Rejected::Senseless(why.to_string()))?;
            let attempt = program
                .step_index(&step)
                .map_or(0, |i| state.steps[i].attempt);
            Ok(Event::StepSettled {
                step,
                attempt,
                how: settled,
                ground: Ground::Person(by),
                reason,
            })
        }
        (Ask::ResolveStep { .. }, _) => {
            wrong("use `resolve --as done`, `--as undone` or `--as retry`")
        }
        (Ask::ResolveUndo(unit), Answer::Resolve(how)) => {
            let how = match how {
                Resolution::Undone => Settled::Undone,
                Resolution::Retry => Settled::Retry,
                Resolution::Done => Settled::Done,
                Resolution::Proceed | Resolution::Rollback | Resolution::Abandon => {
                    return wrong(
                        "use `resolve --as retry`, `--as undone` (you undid it by hand) or `--as abandon`",
                    );
                }
            };
            Ok(Event::UndoSettled {
                unit: unit.clone(),
                how,
                by,
                reason,
            })
        }
        (Ask::ResolveUndo(_), _) => wrong(
            "use `resolve --as retry`, `--as undone` (you undid it by hand) or `--as abandon`",
        ),
        (Ask::Reevaluate, _) => {
            wrong("mend what failed, then `resume` measures it again; or roll back")
        }
        (Ask::Window, _) => {
            wrong("`resume` goes on when it is open, or now with `--override-window REASON`")
        }
    }
}

fn approval(
    program: &Program,
    state: &State,
    wait: &Waiting,
    answer: Answer,
    by: Actor,
    reason: Option<String>,
    evidence: Option<String>,
) -> Result<Event, Rejected> {
    let item = wait.item.clone();
    if program.separation_of_duties
        && state
            .started
            .as_ref()
            .is_some_and(|s| s.by.user == by.user || unwind::same_name(&s.by.name, &by.name))
    {
        return Err(Rejected::OwnRun { name: by.name });
    }
    let gate = GateId::parse(&item)
        .ok()
        .and_then(|id| program.gate_index(&id))
        .map(|i| (i, &program.gates[i]));
    let who: Vec<String> = match gate {
        Some((_, gate)) => gate.approvers.clone(),
        None => wait.who.clone(),
    };
    if !who.is_empty() && !who.iter().any(|name| unwind::same_name(name, &by.name)) {
        return Err(Rejected::NotApprover {
            name: by.name,
            item,
            who: who.join(", "),
        });
    }
    let Some((index, gate)) = gate else {
        let level = state.unwinding.as_ref().map_or(Level::Full, |u| u.level);
        return Ok(match answer {
            Answer::Reject => Event::UnwindingRefused { level, by, reason },
            Answer::Approve | Answer::Attest | Answer::Resolve(_) => {
                Event::UnwindingApproved { level, by, reason }
            }
        });
    };
    if answer == Answer::Reject {
        return Ok(Event::GateRefused {
            gate: gate.id.clone(),
            by,
            reason,
        });
    }
    let digest = state
        .plan_digest
        .clone()
        .ok_or_else(|| Rejected::Senseless("the run has not started".to_owned()))?;
    let again = state.gates[index]
        .approvals
        .iter()
        .any(|(person, given_for, _)| {
            *given_for == digest && unwind::same_name(&person.name, &by.name)
        });
    if again {
        return Err(Rejected::Again {
            name: by.name,
            item,
        });
    }
    Ok(Event::Approved {
        gate: gate.id.clone(),
        by,
        digest,
        reason,
        evidence,
    })
}
