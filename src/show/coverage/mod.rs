//! How much of a plan a machine judges, what can be undone and how, and where there is no way back: one fold of the
//! program, for `validate --coverage` and for the totals of a preview.

mod draw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::preview::{BackPreview, CheckPreview, Clock, check, planned_phase};
use super::words;
use crate::plan::program::{
    Action, Check, Gate, GateAt, GateResponse, How, Level, OnFailure, PhaseUndo, Program, Run,
    Step, UndoPiece, UndoWay, WindowRule,
};
use crate::plan::schedule::Schedule;

/// How many checks a machine judges, something covers, or a person must judge, and how many steps have a way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Coverage {
    pub automated: usize,
    pub covered: usize,
    pub persons: usize,
    pub recorded: usize,
    pub steps: usize,
    /// Steps that can be undone, or have nothing to undo.
    pub steps_with_a_way_back: usize,
}

impl Coverage {
    pub(super) fn judge(&mut self, how: &How) {
        match words::kind(how) {
            "covered" => self.covered += 1,
            "person" => self.persons += 1,
            "recorded" => self.recorded += 1,
            _ => self.automated += 1,
        }
    }

    fn step(&mut self, step: &Step) {
        self.steps += 1;
        if step.effect_none || !matches!(step.undo.way, UndoWay::Wall(_)) {
            self.steps_with_a_way_back += 1;
        }
    }

    /// How many checks there are.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.automated + self.covered + self.persons + self.recorded
    }

    fn add(&mut self, more: &Self) {
        self.automated += more.automated;
        self.covered += more.covered;
        self.persons += more.persons;
        self.recorded += more.recorded;
        self.steps += more.steps;
        self.steps_with_a_way_back += more.steps_with_a_way_back;
    }
}

/// The coverage of a plan.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Report {
    pub format_version: u32,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The plan's file, as it was named.
    pub plan: String,
    pub migration: String,
    pub total: Coverage,
    /// Prerequisites, and the window where a person must judge it.
    pub before: Part,
    pub phases: Vec<PhaseCoverage>,
    /// What decides that the migration is complete.
    pub completion: Vec<GateCoverage>,
    /// From there on the migration as a whole cannot be undone.
    pub points_of_no_return: Vec<NoReturn>,
    /// stop, phase or full.
    pub on_failure: &'static str,
    pub levels: Vec<LevelCoverage>,
}

/// Checks that stand together, and who is asked.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Part {
    pub coverage: Coverage,
    /// How often each is asked; "anyone" where nobody is named.
    pub people: BTreeMap<String, usize>,
    /// Every check and how it was understood.
    pub checks: Vec<CheckPreview>,
}

/// A phase.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PhaseCoverage {
    pub id: String,
    pub name: String,
    /// Start conditions and steps, without gates.
    #[serde(flatten)]
    pub part: Part,
    pub gates: Vec<GateCoverage>,
    /// each_step, procedure or none.
    pub undo: &'static str,
    /// Why there is none.
    pub why: Option<String>,
    /// How many steps are undone in each way.
    pub ways: BTreeMap<Way, usize>,
    pub steps: Vec<StepCoverage>,
    /// How long a full rollback from the end of this phase takes, in words; none where it is not possible.
    pub full_rollback: Option<String>,
    /// The same in figures and, where the plan has a window, how late it can begin.
    pub back: BackPreview,
}

/// How a step is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By a script.
    Script,
    /// By commands.
    Commands,
    /// By a machine and a person.
    Mixed,
    /// By a person.
    ByHand,
    /// Not alone, but by its phase's procedure.
    Phase,
    /// It changes nothing.
    Nothing,
    /// Not at all.
    None,
}

/// A step.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StepCoverage {
    pub id: String,
    pub name: String,
    pub undo: Way,
    /// Why it cannot be undone alone.
    pub why: Option<String>,
}

/// A gate.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct GateCoverage {
    pub id: String,
    pub name: String,
    #[serde(flatten)]
    pub part: Part,
    pub approvers: Vec<String>,
    pub approvals_needed: usize,
    /// block, rollback or ask.
    pub on_failure: &'static str,
}

/// A point of no return.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NoReturn {
    pub phase: String,
    /// None: the phase as a whole.
    pub step: Option<String>,
    pub why: String,
}

/// A declared rollback level.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LevelCoverage {
    pub level: String,
    pub decision_maker: Option<String>,
    pub approval_required: bool,
    pub estimate: Option<String>,
    /// A script that stands for the undo of the steps.
    pub replaces_steps: bool,
    pub contingency: Option<String>,
    #[serde(flatten)]
    pub part: Part,
}

impl Part {
    fn judge(&mut self, item: &Check, fallback: Option<&String>) {
        self.coverage.judge(&item.how);
        let mut shown = check(item);
        if words::kind(&item.how) == "person" {
            if shown.who.is_empty() {
                shown.who.extend(fallback.cloned());
            }
            let who = match shown.who.as_slice() {
                [] => "anyone".to_owned(),
                some => some.join(" or "),
            };
            *self.people.entry(who).or_default() += 1;
        }
        self.checks.push(shown);
    }

    fn of(checks: &[Check]) -> Self {
        let mut part = Self::default();
        for check in checks {
            part.judge(check, None);
        }
        part
    }
}

/// Calls back with each check of a step that a run without failure evaluates.
pub(super) fn each_check<'p>(step: &'p Step, see: &mut dyn FnMut(&'p Check)) {
    let by_hand: &[Check] = match &step.action {
        Action::Person(items) => items,
        Action::Nothing | Action::Run(_) => &[],
    };
    let checks = step.preconditions.iter().chain(&step.confirm);
    for check in checks.chain(by_hand).chain(&step.validation) {
        see(check);
    }
}

/// How a step is undone, and why it cannot be undone alone.
fn way(program: &Program, step: &Step) -> (Way, Option<String>) {
    match &step.undo.way {
        UndoWay::NothingToUndo => (Way::Nothing, None),
        UndoWay::Wall(_) if step.effect_none => (Way::Nothing, None),
        UndoWay::Wall(why) => match &program.phases[step.phase].undo {
            PhaseUndo::Procedure(undo) if !matches!(undo.way, UndoWay::Wall(_)) => {
                (Way::Phase, Some(why.clone()))
            }
            _ => (Way::None, Some(why.clone())),
        },
        UndoWay::Pieces(pieces) => {
            let (mut scripts, mut commands, mut hands) = (false, false, false);
            for piece in pieces {
                match piece {
                    UndoPiece::Person(_) => hands = true,
                    UndoPiece::Run(work) => {
                        for process in &work.processes {
                            match process.run {
                                Run::Script { .. } => scripts = true,
                                Run::Shell { .. } | Run::Manifest(_) => commands = true,
                            }
                        }
                    }
                }
            }
            let way = match (scripts || commands, hands) {
                (true, true) => Way::Mixed,
                (false, _) => Way::ByHand,
                (true, false) if scripts => Way::Script,
                (true, false) => Way::Commands,
            };
            (way, None)
        }
    }
}

fn gate(gate: &Gate) -> GateCoverage {
    GateCoverage {
        id: gate.id.to_string(),
        name: gate.name.clone(),
        part: Part::of(&gate.criteria),
        approvers: gate.approvers.clone(),
        approvals_needed: gate.approvals_needed,
        on_failure: match gate.response {
            GateResponse::Block => "block",
            GateResponse::Rollback => "rollback",
            GateResponse::Ask => "ask",
        },
    }
}

impl Report {
    /// The coverage of a program, which was read from the plan of this name. The window that is open now, or opens next,
    /// says how late one can still go back.
    #[must_use]
    pub fn of(plan: &str, program: &Program, now: Timestamp) -> Self {
        let schedule = Schedule::of(program);
        let clock = Clock::of(program, now);
        let mut before = Part::of(&program.prerequisites);
        if let Some(WindowRule::Person(check)) = &program.window {
            before.judge(check, None);
        }
        let completion: Vec<_> = program
            .gates
            .iter()
            .filter(|own| own.at == GateAt::Completion)
            .map(gate)
            .collect();
        let phases: Vec<_> = (0..program.phases.len())
            .map(|index| phase(program, index, &schedule, clock.as_ref()))
            .collect();
        let mut total = before.coverage;
        for phase in &phases {
            total.add(&phase.part.coverage);
            for gate in &phase.gates {
                total.add(&gate.part.coverage);
            }
        }
        for gate in &completion {
            total.add(&gate.part.coverage);
        }
        let levels = [Level::Step, Level::Phase, Level::Full]
            .into_iter()
            .filter(|&level| program.levels.of(level).declared)
            .map(|level| {
                let rule = program.levels.of(level);
                LevelCoverage {
                    level: level.to_string(),
                    decision_maker: rule.decision_maker.clone(),
                    approval_required: rule.approval_required,
                    estimate: rule.estimate.clone(),
                    replaces_steps: rule.replaces.is_some(),
                    contingency: rule.contingency.clone(),
                    part: Part::of(&rule.post_checks),
                }
            })
            .collect();
        Self {
            format_version: 1,
            kind: "coverage",
            plan: plan.to_owned(),
            migration: program.name.clone(),
            total,
            before,
            phases,
            completion,
            points_of_no_return: schedule
                .no_return
                .iter()
                .map(|wall| NoReturn {
                    phase: program.phases[wall.phase].id.to_string(),
                    step: wall.step.map(|step| program.steps[step].id.to_string()),
                    why: wall.why.clone(),
                })
                .collect(),
            on_failure: match program.on_failure {
                OnFailure::Stop => "stop",
                OnFailure::Phase => "phase",
                OnFailure::Full => "full",
            },
            levels,
        }
    }
}

fn phase(
    program: &Program,
    index: usize,
    schedule: &Schedule,
    clock: Option<&Clock<'_>>,
) -> PhaseCoverage {
    let phase = &program.phases[index];
    let mut part = Part::of(&phase.start);
    let mut ways: BTreeMap<Way, usize> = BTreeMap::new();
    let mut steps = Vec::with_capacity(phase.steps.len());
    let mut gates = Vec::new();
    for &s in &phase.steps {
        let step = &program.steps[s];
        part.coverage.step(step);
        each_check(step, &mut |check| {
            part.judge(check, step.responsible.as_ref())
        });
        let (undo, why) = way(program, step);
        *ways.entry(undo).or_default() += 1;
        steps.push(StepCoverage {
            id: step.id.to_string(),
            name: step.name.clone(),
            undo,
            why,
        });
        gates.extend(step.gates.iter().map(|&g| gate(&program.gates[g])));
    }
    gates.extend(phase.gates.iter().map(|&g| gate(&program.gates[g])));
    let (undo, why) = match &phase.undo {
        PhaseUndo::EachStep => ("each_step", None),
        PhaseUndo::Wall(why) => ("none", Some(why.clone())),
        PhaseUndo::Procedure(undo) => match &undo.way {
            UndoWay::Wall(why) => ("none", Some(why.clone())),
            UndoWay::Pieces(_) | UndoWay::NothingToUndo => ("procedure", None),
        },
    };
    let back = planned_phase(schedule, index, clock).back;
    PhaseCoverage {
        id: phase.id.to_string(),
        name: phase.name.clone(),
        part,
        gates,
        undo,
        why,
        ways,
        steps,
        full_rollback: back.wall.is_none().then(|| back.takes.say("undo", "undos")),
        back,
    }
}
