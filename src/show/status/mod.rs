//! How a run stands, at one glance: as data for machines (SPEC section 10) and as text.

mod draw;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use super::answer::{Address, Choice, answer_command, next_command, other_answers};
use super::text::between;
use super::words;
use crate::plan::program::{BlockId, Gate, GateAt, How, Program};
use crate::run::engine::{RunState, Stage, Standing, State, UndoStage};

/// A run at one moment. Its JSON is the `status` line of the command line's contract; durations are milliseconds,
/// times RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StatusView {
    pub format_version: u32,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub run: String,
    pub migration: String,
    pub state: RunState,
    pub environment: Option<String>,
    pub production: bool,
    /// Whether a process drives it now.
    pub driven: bool,
    pub started_at: Option<Timestamp>,
    pub now: Timestamp,
    /// Of the plan as it was accepted last.
    pub plan_digest: Option<String>,
    /// Of the journal's last record.
    pub head: Option<String>,
    /// Why it stopped, where it did.
    pub why: Option<String>,
    /// What a process that leaves it now exits with.
    pub exit_code: u8,
    pub phases: Vec<PhaseView>,
    /// Gates that decide whether the migration is complete.
    pub completion: Vec<GateView>,
    /// The undo that is going on.
    pub undo: Option<UndoView>,
    pub waiting: Vec<WaitingView>,
    /// Steps whose effects may remain, in order of start.
    pub remaining: Vec<String>,
    pub deviations: Vec<DeviationView>,
    /// The one command to type.
    pub next: Option<String>,
}

/// A phase.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PhaseView {
    pub id: String,
    pub name: String,
    /// pending, running, waiting, passed, failed, unknown, undoing, undone, left_out.
    pub state: &'static str,
    pub steps: Vec<StepView>,
    pub gates: Vec<GateView>,
}

/// A step.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StepView {
    pub id: String,
    pub name: String,
    /// pending, waiting (for a person), running, validating, observing, succeeded, failed, unknown, undoing, undone, left_as_is, left_out.
    pub state: &'static str,
    pub attempt: u32,
    pub started_at: Option<Timestamp>,
    /// From its start to its end, or until now.
    pub duration_ms: Option<u64>,
    pub estimate_ms: Option<u64>,
    /// none, may_remain, undone, left_as_is.
    pub effect: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Until when it is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A gate.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct GateView {
    pub id: String,
    pub name: String,
    /// closed, measuring, approving, passed, failed, refused, held, rolling_back.
    pub state: &'static str,
    pub attempt: u32,
    pub criteria: Vec<CriterionView>,
    pub approvals: Vec<ApprovalView>,
    pub approvals_needed: usize,
    /// Approvers whose approval still counts and is not there.
    pub missing: Vec<String>,
}

/// A criterion.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CriterionView {
    pub id: String,
    pub title: String,
    /// pass, fail, inconclusive, covered; none while it has not been judged.
    pub verdict: Option<&'static str>,
    /// How it is judged.
    pub how: String,
    pub detail: Option<String>,
    /// Whether a person must say so.
    #[serde(skip)]
    pub person: bool,
}

/// An approval.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ApprovalView {
    pub name: String,
    pub user: String,
    pub host: String,
    pub at: Timestamp,
    /// Whether it was given for the plan as it is now.
    pub counts: bool,
}

/// An undo.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UndoView {
    pub level: String,
    pub why: String,
    pub approved: bool,
    pub units: Vec<UnitView>,
}

/// A part of an undo.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UnitView {
    pub id: String,
    /// pending, undoing, undone, left_as_is, failed, unknown.
    pub state: &'static str,
    pub why: Option<String>,
}

/// Something that waits.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct WaitingView {
    pub what: String,
    pub id: String,
    /// Empty means anyone.
    pub who: Vec<String>,
    pub since: Timestamp,
    /// When it resolves by itself.
    pub until: Option<Timestamp>,
    /// The exact command.
    pub answer: String,
    /// Other answers.
    pub choices: Vec<Choice>,
}

/// Something that a summary must not hide.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DeviationView {
    pub at: Timestamp,
    pub what: String,
}

impl StatusView {
    /// The picture of a run. `driven`: whether a process drives it now; `head`: the digest of the journal's last record.
    #[must_use]
    pub fn new(
        program: &Program,
        state: &State,
        standing: &Standing,
        now: Timestamp,
        driven: bool,
        head: Option<&str>,
        address: &Address,
    ) -> Self {
        let start = state.started.as_ref();
        let run = start.map(|s| &s.run);
        Self {
            format_version: 1,
            kind: "status",
            run: run.map(ToString::to_string).unwrap_or_default(),
            migration: program.name.clone(),
            state: standing.state,
            environment: start.and_then(|s| s.environment.clone()),
            production: start.is_some_and(|s| s.production),
            driven,
            started_at: state.started_at,
            now,
            plan_digest: state.plan_digest.as_ref().map(ToString::to_string),
            head: head.map(str::to_owned),
            why: standing.why.clone(),
            exit_code: standing.exit_code,
            phases: {
                // What nobody drives has not gone on since the last record.
                let last = state.last.map_or(now, |(_, at)| at);
                let until = if driven { now } else { last };
                let asked = words::asked(&standing.waiting);
                (0..program.phases.len())
                    .map(|i| phase(program, state, i, until, &asked))
                    .collect()
            },
            completion: (0..program.gates.len())
                .filter(|&g| program.gates[g].at == GateAt::Completion)
                .map(|g| gate(program, state, g))
                .collect(),
            undo: undo(state),
            waiting: run.map_or_else(Vec::new, |run| {
                standing
                    .waiting
                    .iter()
                    .map(|wait| WaitingView {
                        what: wait.what.clone(),
                        id: wait.item.clone(),
                        who: wait.who.clone(),
                        since: wait.since,
                        until: wait.until,
                        answer: answer_command(run, wait, address),
                        choices: other_answers(run, wait, address),
                    })
                    .collect()
            }),
            remaining: standing
                .remaining
                .iter()
                .map(|&i| program.steps[i].id.to_string())
                .collect(),
            deviations: state
                .deviations
                .iter()
                .map(|d| DeviationView {
                    at: d.at,
                    what: d.what.clone(),
                })
                .collect(),
            next: run.and_then(|run| {
                if driven && standing.state == RunState::Running && standing.waiting.is_empty() {
                    let run = super::text::quote(run.as_str());
                    Some(address.command(&format!("orchestrate status {run} --watch")))
                } else {
                    next_command(run, standing, state, address)
                }
            }),
        }
    }
}

fn phase(
    program: &Program,
    state: &State,
    index: usize,
    now: Timestamp,
    asked: &[String],
) -> PhaseView {
    let phase = &program.phases[index];
    let id = phase.id.to_string();
    let step_gates = phase.steps.iter().flat_map(|&s| &program.steps[s].gates);
    PhaseView {
        state: match words::phase_state(state, program, index) {
            "pending" | "undone" if asked.contains(&id) => "waiting",
            other => other,
        },
        id,
        name: phase.name.clone(),
        steps: phase
            .steps
            .iter()
            .map(|&s| step(program, state, s, now, asked))
            .collect(),
        gates: step_gates
            .chain(&phase.gates)
            .map(|&g| gate(program, state, g))
            .collect(),
    }
}

fn step(
    program: &Program,
    state: &State,
    index: usize,
    now: Timestamp,
    asked: &[String],
) -> StepView {
    let (step, at) = (&program.steps[index], &state.steps[index]);
    let going_on = matches!(
        at.stage,
        Stage::Acting | Stage::Validating | Stage::Observing { .. }
    );
    let end = if going_on { Some(now) } else { at.ended_at };
    let id = step.id.to_string();
    let manual = State::is_manual(program, index);
    StepView {
        state: match words::step_state(state, program, index) {
            "pending" | "undone" | "validating" if asked.contains(&id) => "waiting",
            "running" if manual && asked.contains(&id) => "waiting",
            other => other,
        },
        id,
        name: step.name.clone(),
        attempt: at.attempt,
        started_at: at.started_at,
        duration_ms: at
            .started_at
            .zip(end)
            .filter(|(from, to)| to >= from)
            .map(|(from, to)| between(from, to)),
        estimate_ms: step.estimate_ms(),
        effect: words::effect(state, program, index),
        why: match &at.stage {
            Stage::Failed { why, .. } => Some(why.clone()),
            Stage::Unknown { .. } => {
                Some("it was ended before its outcome was known; nobody can say what it did".into())
            }
            _ => None,
        },
        until: match at.stage {
            Stage::Observing { until, .. } => Some(until),
            _ => None,
        },
    }
}

/// A gate with its criteria and approvals.
pub(super) fn gate(program: &Program, state: &State, index: usize) -> GateView {
    let (gate, at): (&Gate, _) = (&program.gates[index], &state.gates[index]);
    let block = BlockId::Gate(gate.id.clone());
    let approvals: Vec<ApprovalView> = at
        .approvals
        .iter()
        .map(|(by, digest, when)| ApprovalView {
            name: by.name.clone(),
            user: by.user.clone(),
            host: by.host.clone(),
            at: *when,
            counts: state.plan_digest.as_ref() == Some(digest),
        })
        .collect();
    let given: Vec<String> = approvals
        .iter()
        .filter(|a| a.counts)
        .map(|a| a.name.trim().to_lowercase())
        .collect();
    let missing = if given.len() >= gate.approvals_needed {
        Vec::new()
    } else {
        gate.approvers
            .iter()
            .filter(|name| !given.contains(&name.trim().to_lowercase()))
            .cloned()
            .collect()
    };
    GateView {
        id: gate.id.to_string(),
        name: gate.name.clone(),
        state: words::gate_state(&at.stage),
        attempt: at.attempt,
        criteria: gate
            .criteria
            .iter()
            .enumerate()
            .map(|(i, check)| {
                let judged = state.judged(&block, i);
                CriterionView {
                    id: check.id.to_string(),
                    title: check.title.clone(),
                    verdict: words::verdict(&check.how, judged),
                    how: words::how(&check.how),
                    detail: judged.map(|j| j.detail.clone()),
                    person: matches!(check.how, How::Attest),
                }
            })
            .collect(),
        approvals,
        approvals_needed: gate.approvals_needed,
        missing,
    }
}

fn undo(state: &State) -> Option<UndoView> {
    let unwinding = state.unwinding.as_ref()?;
    Some(UndoView {
        level: unwinding.level.to_string(),
        why: unwinding.why.clone(),
        approved: unwinding.approved,
        units: unwinding
            .units
            .iter()
            .map(|unit| {
                let stage = unwinding.progress.get(unit).map(|p| p.stage.clone());
                let stage = stage.unwrap_or_default();
                UnitView {
                    id: unit.to_string(),
                    state: words::undo_state(&stage),
                    why: match stage {
                        UndoStage::Failed(why) => Some(why),
                        UndoStage::Unknown => Some("nobody can say how far it came".to_owned()),
                        _ => None,
                    },
                }
            })
            .collect(),
    })
}
