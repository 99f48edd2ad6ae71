//! What `preview` and a dry run print: everything that a run would do, from the program alone. Nothing is performed;
//! verdicts that somebody measured beforehand can be added.

mod draw;
mod order;
mod planned;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use super::coverage::{Coverage, each_check};
use super::words;
use crate::base::id::{ItemId, StepId};
use crate::plan::program::{
    Action, After, Check, Gate, GateAt, GateResponse, Level, OnFailure, Program, Step, WindowRule,
};
use crate::plan::schedule::Schedule;

pub(super) use draw::{draw_checks, way_back};
use order::Order;
pub use planned::{
    BackPreview, NoReturnPreview, PhasePlanned, Planned, StepPlanned, WindowPreview,
};
pub(super) use planned::{Clock, phase as planned_phase};
pub use undo::UndoPreview;

/// Values of variables by name; none where a value is secret or not known.
pub type Variables = BTreeMap<String, Option<String>>;

/// A plan as it would run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Preview {
    pub format_version: u32,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub migration: String,
    pub plan_digest: String,
    pub environment: Option<String>,
    pub variables: Variables,
    /// Variables whose value only their command knows; it was not run.
    pub by_command: Vec<String>,
    pub window: Option<String>,
    pub planned: Planned,
    /// Whether checks were measured beforehand.
    pub probed: bool,
    /// Prerequisites that the plan itself calls blocked.
    pub blocked: Vec<String>,
    pub prerequisites: Vec<CheckPreview>,
    pub phases: Vec<PhasePreview>,
    pub completion: Vec<GatePreview>,
    /// stop, phase or full.
    pub on_failure: &'static str,
    pub levels: Vec<LevelPreview>,
    /// Who will be asked, and for what.
    pub people: Vec<PersonPreview>,
    pub coverage: Coverage,
}

/// A check.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CheckPreview {
    pub id: String,
    pub title: String,
    /// probe, fact, covered, person or recorded.
    pub kind: &'static str,
    /// In words: "file x", "covered by X".
    pub how: String,
    pub who: Vec<String>,
    /// What was found when it was measured beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// What a check said before the run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Measured {
    /// pass, fail, inconclusive, or not_measured.
    pub verdict: &'static str,
    pub detail: String,
}

/// A phase.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PhasePreview {
    pub id: String,
    pub name: String,
    pub estimate_ms: Option<u64>,
    pub planned: PhasePlanned,
    pub start_conditions: Vec<CheckPreview>,
    /// In the order in which they can start.
    pub steps: Vec<StepPreview>,
    pub gates: Vec<GatePreview>,
    pub undo: UndoPreview,
}

/// A step.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StepPreview {
    pub id: String,
    pub name: String,
    pub order: i64,
    /// Other steps of the phase that may run at the same time, at most 20 of them.
    pub together_with: Vec<String>,
    /// How many there are.
    pub together_count: usize,
    /// Exactly these, where the plan says so.
    pub depends_on: Option<Vec<String>>,
    pub preconditions: Vec<CheckPreview>,
    pub confirm: Vec<CheckPreview>,
    /// checks, run or person.
    pub action: &'static str,
    pub processes: Vec<ProcessPreview>,
    pub by_hand: Vec<CheckPreview>,
    pub timeout_ms: Option<u64>,
    pub validation: Vec<CheckPreview>,
    pub observe_ms: Option<u64>,
    pub planned: StepPlanned,
    pub attempts: u32,
    pub idempotent: bool,
    pub done_if: Option<CheckPreview>,
    pub responsible: Option<String>,
    pub estimate_ms: Option<u64>,
    pub undo: UndoPreview,
    pub gates: Vec<GatePreview>,
    /// Left out of this run.
    pub left_out: bool,
}

/// A process.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProcessPreview {
    /// The command's text, or the script with its arguments.
    pub run: String,
    /// bash, sh, python, sql, an argv, or "script".
    pub with: String,
    /// Names only: values may be secret.
    pub env: Vec<String>,
    pub timeout_ms: Option<u64>,
}

/// A gate.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct GatePreview {
    pub id: String,
    pub name: String,
    pub criteria: Vec<CheckPreview>,
    pub approvers: Vec<String>,
    pub approvals_needed: usize,
    /// block, rollback or ask.
    pub on_failure: &'static str,
}

/// A rollback level.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LevelPreview {
    pub level: String,
    pub triggers: Vec<String>,
    pub estimate: Option<String>,
    pub decision_maker: Option<String>,
    pub approval_required: bool,
    /// A script that stands for the undo of the steps.
    pub replaced_by: Option<UndoPreview>,
    /// A script that is offered and not run by itself.
    pub contingency: Option<String>,
    pub post_checks: Vec<CheckPreview>,
}

/// A person.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PersonPreview {
    /// As the plan names them; none: anyone.
    pub name: Option<String>,
    pub attestations: usize,
    pub approvals: usize,
}

impl Preview {
    /// The preview of a program, seen at `now`. `left_out`: ids of steps that this run would leave out.
    #[must_use]
    pub fn new(
        program: &Program,
        environment: Option<&str>,
        variables: Variables,
        left_out: &[StepId],
        now: Timestamp,
    ) -> Self {
        let left_out: HashSet<&StepId> = left_out.iter().collect();
        let out: Vec<bool> = program
            .steps
            .iter()
            .map(|step| left_out.contains(&step.id))
            .collect();
        let sight = Sight {
            program,
            schedule: Schedule::without(program, &out),
            clock: Clock::of(program, now),
            left_out: out,
        };
        let levels = [Level::Step, Level::Phase, Level::Full]
            .into_iter()
            .filter(|&l| program.levels.of(l).declared)
            .map(|l| level(program, l))
            .collect();
        let mut preview = Self {
            format_version: 1,
            kind: "preview",
            migration: program.name.clone(),
            plan_digest: program.digest.to_string(),
            environment: environment.map(str::to_owned),
            variables,
            by_command: Vec::new(),
            window: program.window.as_ref().map(|rule| match rule {
                WindowRule::Window { text, .. } => text.clone(),
                WindowRule::Person(check) => format!("{} (a person says so)", check.title),
            }),
            planned: planned::whole(program, &sight.schedule, sight.clock.as_ref()),
            probed: false,
            blocked: program.blocked.clone(),
            prerequisites: checks(&program.prerequisites),
            phases: (0..program.phases.len())
                .map(|i| phase(&sight, i))
                .collect(),
            completion: program
                .gates
                .iter()
                .filter(|g| g.at == GateAt::Completion)
                .map(gate)
                .collect(),
            on_failure: match program.on_failure {
                OnFailure::Stop => "stop",
                OnFailure::Phase => "phase",
                OnFailure::Full => "full",
            },
            levels,
            people: Vec::new(),
            coverage: Coverage::default(),
        };
        preview.count(program);
        preview
    }

    /// Adds what was measured beforehand: by item, a verdict and what is known of it.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: &BTreeMap<ItemId, Measured>) -> Self {
        self.probed = true;
        let by_text: BTreeMap<&str, &Measured> = verdicts
            .iter()
            .map(|(id, measured)| (id.as_str(), measured))
            .collect();
        let phases = self.phases.iter_mut().flat_map(|phase| {
            let steps = phase.steps.iter_mut().flat_map(|s| &mut s.preconditions);
            phase.start_conditions.iter_mut().chain(steps)
        });
        for check in self.prerequisites.iter_mut().chain(phases) {
            check.measured = by_text.get(check.id.as_str()).map(|m| (*m).clone());
        }
        self
    }

    /// Who will be asked, and how much of it a machine judges, over everything that a run without failure evaluates.
    fn count(&mut self, program: &Program) {
        let mut people: BTreeMap<Option<String>, (usize, usize)> = BTreeMap::new();
        let mut ask = |names: &[String], fallback: Option<&String>| {
            let name = match names {
                [] => fallback.cloned(),
                some => Some(some.join(" or ")),
            };
            people.entry(name).or_default().0 += 1;
        };
        let mut coverage = Coverage {
            steps: program.steps.len(),
            ..Coverage::default()
        };
        let mut judge = |check: &Check, fallback: Option<&String>| {
            coverage.judge(&check.how);
            if words::kind(&check.how) == "person" {
                ask(&check.who, fallback);
            }
        };
        for check in &program.prerequisites {
            judge(check, None);
        }
        if let Some(WindowRule::Person(check)) = &program.window {
            judge(check, None);
        }
        for phase in &program.phases {
            for check in &phase.start {
                judge(check, None);
            }
        }
        for step in &program.steps {
            each_check(step, &mut |check| judge(check, step.responsible.as_ref()));
        }
        for gate in &program.gates {
            for check in &gate.criteria {
                judge(check, None);
            }
        }
        coverage.steps_with_a_way_back = program
            .steps
            .iter()
            .filter(|s| s.effect_none || undo::has_way(&s.undo))
            .count();
        for gate in &program.gates {
            if gate.approvals_needed == 0 {
                continue;
            }
            for name in &gate.approvers {
                people.entry(Some(name.clone())).or_default().1 += 1;
            }
        }
        self.coverage = coverage;
        self.people = people
            .into_iter()
            .map(|(name, (attestations, approvals))| PersonPreview {
                name,
                attestations,
                approvals,
            })
            .collect();
    }
}

/// A check, for those who only look.
pub(super) fn check(check: &Check) -> CheckPreview {
    CheckPreview {
        id: check.id.to_string(),
        title: check.title.clone(),
        kind: words::kind(&check.how),
        how: words::how(&check.how),
        who: check.who.clone(),
        measured: None,
    }
}

fn checks(all: &[Check]) -> Vec<CheckPreview> {
    all.iter().map(check).collect()
}

fn gate(gate: &Gate) -> GatePreview {
    GatePreview {
        id: gate.id.to_string(),
        name: gate.name.clone(),
        criteria: checks(&gate.criteria),
        approvers: gate.approvers.clone(),
        approvals_needed: gate.approvals_needed,
        on_failure: match gate.response {
            GateResponse::Block => "block",
            GateResponse::Rollback => "rollback",
            GateResponse::Ask => "ask",
        },
    }
}

fn level(program: &Program, level: Level) -> LevelPreview {
    let rule = program.levels.of(level);
    LevelPreview {
        level: level.to_string(),
        triggers: rule.triggers.clone(),
        estimate: rule.estimate.clone(),
        decision_maker: rule.decision_maker.clone(),
        approval_required: rule.approval_required,
        replaced_by: rule.replaces.as_ref().map(|undo| undo::of(undo, false)),
        contingency: rule.contingency.clone(),
        post_checks: checks(&rule.post_checks),
    }
}

/// What every part of a preview is made of.
struct Sight<'a> {
    program: &'a Program,
    schedule: Schedule,
    clock: Option<Clock<'a>>,
    left_out: Vec<bool>,
}

fn phase(sight: &Sight<'_>, index: usize) -> PhasePreview {
    let program = sight.program;
    let phase = &program.phases[index];
    let order = Order::of(program, &phase.steps);
    PhasePreview {
        id: phase.id.to_string(),
        name: phase.name.clone(),
        estimate_ms: phase.estimate_ms(),
        planned: planned::phase(&sight.schedule, index, sight.clock.as_ref()),
        start_conditions: checks(&phase.start),
        steps: phase
            .steps
            .iter()
            .map(|&s| step(sight, s, &order))
            .collect(),
        gates: phase
            .gates
            .iter()
            .map(|&g| gate(&program.gates[g]))
            .collect(),
        undo: undo::of_phase(phase),
    }
}

/// At most so many are named; the rest are counted.
const NAMED: usize = 20;

fn step(sight: &Sight<'_>, index: usize, order: &Order) -> StepPreview {
    let program = sight.program;
    let step: &Step = &program.steps[index];
    let others = || {
        program.phases[step.phase]
            .steps
            .iter()
            .filter(|&&other| other != index && order.together(program, index, other))
    };
    let (processes, by_hand, timeout_ms) = match &step.action {
        Action::Nothing => (Vec::new(), Vec::new(), None),
        Action::Run(work) => (undo::processes(work), Vec::new(), work.timeout_ms),
        Action::Person(items) => (Vec::new(), checks(items), None),
    };
    StepPreview {
        id: step.id.to_string(),
        name: step.name.clone(),
        order: step.order,
        together_with: others()
            .take(NAMED)
            .map(|&other| program.steps[other].id.to_string())
            .collect(),
        together_count: others().count(),
        depends_on: match &step.after {
            After::LowerOrders => None,
            After::Exactly(all) => Some(
                all.iter()
                    .map(|&d| program.steps[d].id.to_string())
                    .collect(),
            ),
        },
        preconditions: checks(&step.preconditions),
        confirm: checks(&step.confirm),
        action: words::action(&step.action),
        processes,
        by_hand,
        timeout_ms,
        validation: checks(&step.validation),
        observe_ms: step.observe.map(|o| o.for_ms),
        planned: planned::step(&sight.schedule, index),
        attempts: step.retry.attempts,
        idempotent: step.idempotent,
        done_if: step.done_if.as_ref().map(check),
        responsible: step.responsible.clone(),
        estimate_ms: step.estimate_ms(),
        undo: undo::of(&step.undo, step.effect_none),
        gates: step
            .gates
            .iter()
            .map(|&g| gate(&program.gates[g]))
            .collect(),
        left_out: sight.left_out[index],
    }
}
