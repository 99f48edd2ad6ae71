//! Safety: can the run get out of every state that it can get into?
//!
//! The run's own engine is played, without processes, over what may happen to each step, gate and undo: a step succeeds,
//! fails (before or after its effect: the engine and the people cannot tell), or is cut off so that nobody knows; a gate
//! passes, is inconclusive, or says no; an approver or a decision maker refuses; an undo succeeds, fails, is cut off.
//! Every single fault at every point is walked, and every second fault that follows from it before the run is back on
//! its way, above all while the first is undone. Equal states are visited once.
//!
//! What counts as what:
//!
//! * **Accidents pass, answers stay.** A step or an undo that failed may succeed when it is tried again, a probe that
//!   broke may be mended. A criterion that is not met, and a refusal, stay: that is what a gate is for. The definition of
//!   completion is asked when everything is done, and so is on nobody's way; preconditions, start conditions and
//!   prerequisites are asked before there is an effect and are taken to hold in the end. A closed window only delays: the
//!   way back is open outside it, and the way on with `--override-window`.
//! * **A way on**: by `resume` and by answers that a person can give truthfully, the run completes. Truthfully means that
//!   nothing runs again over its own half-done effect: the step is `idempotent`, it changes nothing, a person does it
//!   (who knows how far it came), its `done_if` tells, or its effect was undone.
//! * **A way back**: a rollback, begun by the engine or asked for by hand, of the failed step, the latest phase or
//!   everything, ends without a wall. It has come far enough when nothing remains, or only what stands behind an open
//!   gate: that state was found good. A prose rollback counts (another rule says that it is prose). Undoing by hand what
//!   the plan calls a wall does not, though `resolve --as undone` could record it.
//! * **A dead end** has neither. It is reported once for the step or gate that it begins with, by a shortest path.
//!
//! The walk stays small (see [`model`]): of steps, and of phases, that are alike in everything above, two are walked.

mod graph;
mod happy;
mod model;
mod story;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;

use self::graph::Graph;
use self::model::Model;
use self::story::{DeadEnd, HalfBack, Root, short};
use super::Context;
use crate::base::diagnostic::{Finding, codes};
use crate::plan::program::{GateAt, OnFailure, Program, UndoUnit};

/// States that are visited at most.
const MOST_STATES: usize = 5_000;

/// How far the safety analysis of a program went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// States that were visited.
    pub states: usize,
    /// Faults on one path, at most.
    pub faults: u8,
    /// Steps that were walked; the others are like one of these.
    pub steps: usize,
    /// Whether every step was walked itself.
    pub whole: bool,
    /// Whether the bound on states cut something off.
    pub cut: bool,
}

/// Walks a program for nothing but the figures that say how far the analysis goes.
#[must_use]
pub fn explored(program: &Program) -> Explored {
    let model = model::of(program);
    figures(&model, &Graph::of(&model, MOST_STATES))
}

fn figures(model: &Model, graph: &Graph) -> Explored {
    Explored {
        states: graph.nodes.len(),
        faults: graph::FAULTS,
        steps: model.program.steps.len(),
        whole: !model.reduced,
        cut: graph.cut,
    }
}

pub(super) fn check(cx: &mut Context<'_>, program: &Program) {
    if program.steps.is_empty() {
        return;
    }
    let model = model::of(program);
    let graph = Graph::of(&model, MOST_STATES);
    let dead = story::dead_ends(&model, &graph);
    let half = story::half_backs(&model, &graph);
    let halfway = (program.steps.len() <= happy::MOST)
        .then(|| happy::play(program))
        .flatten();
    if dead.is_empty() && half.is_empty() && halfway.is_none() {
        return;
    }
    let mut report = Report {
        places: Places::new(cx),
        cx,
        program,
        model: &model,
    };
    if let Some(halfway) = halfway {
        report.never_completes(halfway);
    }
    report.dead_ends(dead);
    report.half_backs(half);
}

/// Where steps, gates and phases stand in the plan; made only where there is something to say.
struct Places(HashMap<String, String>);

impl Places {
    fn new(cx: &Context<'_>) -> Self {
        let mut all = HashMap::new();
        for (pointer, phase) in cx.phases() {
            all.insert(phase.phase_id.clone(), pointer.clone());
            if let Some(gate) = &phase.validation_gate {
                all.insert(gate.gate_id.clone(), format!("{pointer}/validation_gate"));
            }
        }
        for (pointer, step) in cx.steps() {
            all.insert(step.step_id.clone(), pointer);
        }
        if let Some(strategy) = &cx.plan().validation_strategy {
            for (g, gate) in strategy.validation_gates.iter().enumerate() {
                let pointer = format!("/validation_strategy/validation_gates/{g}");
                all.insert(gate.gate_id.clone(), pointer);
            }
        }
        Self(all)
    }

    fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_default()
    }
}

struct Report<'c, 'a> {
    cx: &'c mut Context<'a>,
    program: &'c Program,
    model: &'c Model,
    places: Places,
}

impl Report<'_, '_> {
    fn step_pointer(&self, id: &str) -> String {
        format!("{}/step_id", self.places.of(id))
    }

    fn wall_pointer(&self, wall: &UndoUnit) -> String {
        match wall {
            UndoUnit::Step(id) => {
                let step = self.places.of(id.as_str());
                if self.says_no(wall) {
                    format!("{step}/rollback_procedure/can_rollback")
                } else {
                    format!("{step}/step_id")
                }
            }
            UndoUnit::Phase(id) => format!(
                "{}/rollback_point/can_rollback_from_here",
                self.places.of(id.as_str())
            ),
            UndoUnit::Level(_) => "/rollback_strategy".to_owned(),
        }
    }

    /// Whether the author wrote `can_rollback: false`.
    fn says_no(&self, wall: &UndoUnit) -> bool {
        let UndoUnit::Step(id) = wall else {
            return false;
        };
        self.cx.steps().any(|(_, step)| {
            step.step_id == id.as_str()
                && step
                    .rollback_procedure
                    .as_ref()
                    .is_some_and(|undo| undo.can_rollback == Some(false))
        })
    }

    fn dead_ends(&mut self, dead: Vec<DeadEnd>) {
        let (steps, gates): (Vec<_>, Vec<_>) = dead
            .into_iter()
            .partition(|dead| matches!(dead.root, Root::Step(_)));
        let mut walls: HashMap<UndoUnit, usize> = HashMap::new();
        for dead in steps {
            let Root::Step(step) = dead.root else {
                continue;
            };
            let finding = self.dead_step(step, &dead);
            let traits = &self.model.traits[step];
            let at = self.cx.findings.len();
            for &i in std::iter::once(&traits.original).chain(&traits.alike) {
                walls.insert(UndoUnit::Step(self.program.steps[i].id.clone()), at);
            }
            self.cx.findings.push(finding);
        }
        for dead in gates {
            let Root::Gate(gate) = dead.root else {
                continue;
            };
            if self.is_said_of(gate, &dead) {
                continue;
            }
            let id = self.model.program.gates[gate].id.as_str().to_owned();
            let place = self.cx.locate(&format!("{}/gate_id", self.places.of(&id)));
            let known = dead.wall.as_ref().and_then(|wall| walls.get(wall)).copied();
            if let Some(at) = known {
                // One hole, one finding: what else falls into it is shown beside it.
                let label = if dead.refused {
                    format!("a refusal of `{id}` ends there as well")
                } else {
                    format!("`{id}` ends there as well, if it stays closed")
                };
                let finding = &mut self.cx.findings[at];
                finding.labels.push(crate::base::diagnostic::Label {
                    location: place,
                    message: label,
                });
                continue;
            }
            let finding = self.dead_gate(gate, &dead);
            if let Some(wall) = &dead.wall {
                walls.insert(wall.clone(), self.cx.findings.len());
            }
            self.cx.findings.push(finding);
        }
    }

    /// Whether the rule about gates that roll back over a wall has said the same already.
    fn is_said_of(&self, gate: usize, dead: &DeadEnd) -> bool {
        let gate = &self.model.program.gates[gate];
        let (GateAt::Phase(phase), Some(UndoUnit::Step(wall))) = (gate.at, &dead.wall) else {
            return false;
        };
        let same_phase = self
            .model
            .program
            .step(wall)
            .is_some_and(|step| step.phase == phase);
        let explicit = self.says_no(&UndoUnit::Step(wall.clone()));
        gate.response == crate::plan::program::GateResponse::Rollback
            && same_phase
            && explicit
            && self
                .places
                .of(gate.id.as_str())
                .ends_with("/validation_gate")
    }

    fn dead_step(&self, step: usize, dead: &DeadEnd) -> Finding {
        let traits = &self.model.traits[step];
        let id = self.model.program.steps[step].id.as_str();
        let others: Vec<String> = traits
            .alike
            .iter()
            .map(|&i| format!("`{}`", self.program.steps[i].id))
            .collect();
        let mut message = format!("if `{id}` fails half-way, the run can go neither on nor back");
        if !others.is_empty() {
            message.push_str(&format!("; the same holds for {}", short(&others)));
        }
        let mut finding = Finding::new(
            codes::DEAD_END,
            self.cx.locate(&self.step_pointer(id)),
            message,
        );
        if let Some(wall) = &dead.wall
            && *wall != UndoUnit::Step(self.model.program.steps[step].id.clone())
        {
            finding = finding.label(
                self.cx.locate(&self.wall_pointer(wall)),
                "no way back past this",
            );
        }
        finding.story(dead.story.clone()).help(
            "any one of these is a way out: a `rollback_procedure` that takes back what was half done; \
             `idempotent: true` if running it again does no harm; `done_if` with a check that tells whether it is done",
        )
    }

    fn dead_gate(&self, gate: usize, dead: &DeadEnd) -> Finding {
        let id = self.model.program.gates[gate].id.as_str();
        let wall = dead.wall.as_ref();
        let name = wall.map_or_else(|| "what went before".to_owned(), |wall| format!("`{wall}`"));
        let message = if dead.refused {
            format!(
                "if `{id}` is refused, the run can go neither on nor back: {name} cannot be undone"
            )
        } else {
            format!(
                "if `{id}` stays closed, the run can go neither on nor back: {name} cannot be undone"
            )
        };
        let at = format!("{}/gate_id", self.places.of(id));
        let mut finding = Finding::new(codes::DEAD_END_AT_GATE, self.cx.locate(&at), message);
        if let Some(wall) = wall {
            finding = finding.label(
                self.cx.locate(&self.wall_pointer(wall)),
                "no way back past this",
            );
        }
        let help = if dead.refused {
            format!(
                "ask before the point of no return: put {name} behind the gate that is approved, or give it a way back"
            )
        } else {
            format!(
                "put {name} behind the gate, or give it a way back, or let people decide (`manual_decision`) what follows"
            )
        };
        finding.story(dead.story.clone()).help(help)
    }

    fn half_backs(&mut self, half: Vec<HalfBack>) {
        let policy = match self.program.on_failure {
            OnFailure::Full => "full",
            OnFailure::Phase => "phase",
            OnFailure::Stop => return,
        };
        // The shortest story is told, and every wall is shown.
        let Some(first) = half.iter().min_by_key(|half| (half.step, half.story.len())) else {
            return;
        };
        let names: Vec<String> = half.iter().map(|half| format!("`{}`", half.wall)).collect();
        let what = match self.program.on_failure {
            OnFailure::Full => "everything",
            OnFailure::Phase | OnFailure::Stop => "the phase",
        };
        let message = format!(
            "`on_failure: {policy}` does not undo {what} where a step fails: it stops at {}",
            short(&names)
        );
        let at = "/rollback_strategy/on_failure";
        let mut finding = Finding::new(codes::ROLLBACK_STOPS, self.cx.locate(at), message);
        for half in half.iter().take(3) {
            let place = self.cx.locate(&self.wall_pointer(&half.wall));
            finding = finding.label(place, "the way back stops here");
        }
        let help = if first.covered {
            format!(
                "give {} a way back of its own; as it is, somebody has to type `rollback --level {policy}` then",
                names[0]
            )
        } else if self.program.on_failure == OnFailure::Full {
            "give it a way back; or let `on_failure: phase` end at a phase that begins after it"
                .to_owned()
        } else {
            "give it a way back; or put it into a phase of its own, so that the phases around it can be undone".to_owned()
        };
        self.cx
            .findings
            .push(finding.story(first.story.clone()).help(help));
    }

    fn never_completes(&mut self, halfway: happy::Halfway) {
        let mut story = halfway.story;
        let (at, message) = match &halfway.fact {
            Some((item, block, title)) => {
                story.push(format!(
                    "The run asks whether \"{title}\". It is not so, and it never will be."
                ));
                (
                    self.item_pointer(item.as_str(), block),
                    format!("the run can never complete: \"{title}\" is not so when it is asked"),
                )
            }
            None => {
                story.push(format!("The run stands still: {}.", halfway.why));
                (
                    "/migration_phases".to_owned(),
                    format!(
                        "the run can never complete, even if everything goes well: {}",
                        halfway.why
                    ),
                )
            }
        };
        let finding = Finding::new(codes::NEVER_COMPLETES, self.cx.locate(&at), message)
            .story(story)
            .help("ask for what has happened by then: an earlier step, phase or gate");
        self.cx.findings.push(finding);
    }

    /// `OWNER.field.index` in the plan.
    fn item_pointer(&self, item: &str, block: &crate::plan::program::BlockId) -> String {
        use crate::plan::program::BlockId;
        let mut parts = item.rsplitn(3, '.');
        let (index, field, owner) = (parts.next(), parts.next(), parts.next());
        let (Some(index), Some(field), Some(owner)) = (index, field, owner) else {
            return "/migration_phases".to_owned();
        };
        let base = match block {
            BlockId::Validation(_) => format!("{}/validation", self.places.of(owner)),
            _ if owner == "migration_complete_definition" => {
                format!("/success_criteria/{owner}")
            }
            _ if owner == "success_criteria" => "/success_criteria".to_owned(),
            _ => self.places.of(owner),
        };
        format!("{base}/{field}/{index}")
    }
}
