//! A path through the walk, told as numbered sentences; and which states are worth a story.

use std::collections::BTreeMap;

use super::graph::{Graph, Halt};
use super::model::Model;
use super::walk::Choice;
use crate::base::id::StepId;
use crate::plan::program::{GateResponse, Level, OnFailure, UndoUnit};
use crate::run::engine::{Outcome, Stage, Verdict};

/// What a dead end begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// A reduced step that fails.
    Step(usize),
    /// A reduced gate that says no.
    Gate(usize),
}

/// A state with no way on and no way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeadEnd {
    pub(super) root: Root,
    /// Whether an approver refused, where the root is a gate.
    pub(super) refused: bool,
    /// What cannot be undone.
    pub(super) wall: Option<UndoUnit>,
    pub(super) story: Vec<String>,
}

/// An automatic rollback that stops half-way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HalfBack {
    /// The reduced step whose failure began it.
    pub(super) step: usize,
    pub(super) wall: UndoUnit,
    pub(super) story: Vec<String>,
    /// The whole of a phase or of everything has another way back, which comes too late here.
    pub(super) covered: bool,
}

/// Dead ends, one for each step or gate that they begin with, each by a shortest path.
pub(super) fn dead_ends(model: &Model, graph: &Graph) -> Vec<DeadEnd> {
    let stranded = graph.stranded(model);
    let mut is_stranded = vec![false; graph.nodes.len()];
    for &n in &stranded {
        is_stranded[n] = true;
    }
    let mut shortest: BTreeMap<Root, (u8, usize, usize)> = BTreeMap::new();
    for &n in &stranded {
        let path = graph.path(n);
        // What follows from a dead end is no other one.
        if path.iter().any(|(before, _)| is_stranded[*before]) {
            continue;
        }
        let root = path.iter().rev().find_map(|(_, choice)| match choice {
            Choice::Step(step, outcome) if *outcome != Outcome::Succeeded => {
                Some(Root::Step(*step))
            }
            Choice::Gate(gate, verdict) if *verdict != Verdict::Pass => Some(Root::Gate(*gate)),
            Choice::Approve(gate, false) => Some(Root::Gate(*gate)),
            _ => None,
        });
        let Some(root) = root else { continue };
        let weight = (graph.nodes[n].faults, path.len(), n);
        let best = shortest.entry(root).or_insert(weight);
        *best = weight.min(*best);
    }
    shortest
        .into_iter()
        .map(|(root, (_, _, n))| dead_end(model, graph, root, n))
        .collect()
}

fn dead_end(model: &Model, graph: &Graph, root: Root, n: usize) -> DeadEnd {
    let path = graph.path(n);
    let refused = path
        .iter()
        .any(|(_, choice)| matches!(choice, Choice::Approve(_, false)));
    let mut story = vec![before(model, graph, &path)];
    story.extend(faults(model, &path));
    let mut wall = None;
    if let Some(halt) = graph
        .halts
        .iter()
        .find(|halt| halt.to == n && Some(&halt.from) == path.last())
    {
        story.push(automatic(model, root, halt));
        wall = Some(halt.unit.clone());
    }
    story.push(no_way_on(model, root, refused));
    let tried: Vec<&Halt> = graph.nodes[n]
        .edges
        .iter()
        .filter(|(choice, _)| matches!(choice, Choice::Rollback(..)))
        .filter_map(|(choice, _)| graph.halt_after(n, choice))
        .collect();
    let full = tried.iter().find(|halt| halt.level == Level::Full);
    let nearest = full.or(tried.last());
    if let Some(halt) = nearest {
        let stops = |level: Level| {
            tried
                .iter()
                .any(|h| h.level == level && h.unit == halt.unit)
        };
        let verbs = match (stops(Level::Phase), stops(Level::Full)) {
            (true, true) => "`rollback --level phase` and `rollback --level full` stop".to_owned(),
            (false, true) => "`rollback --level full` stops".to_owned(),
            _ => format!("`rollback --level {}` stops", halt.level),
        };
        story.push(if wall.as_ref() == Some(&halt.unit) {
            format!("{verbs} at `{}` as well: there is no way back.", halt.unit)
        } else {
            format!("{verbs} at `{}`: {}.", halt.unit, because(halt))
        });
        wall = Some(halt.unit.clone());
    }
    DeadEnd {
        root,
        refused,
        wall,
        story,
    }
}

/// Everything that went well before the first fault.
fn before(model: &Model, graph: &Graph, path: &[(usize, Choice)]) -> String {
    let first = path.iter().find(|(_, choice)| choice.is_fault());
    let Some((n, choice)) = first else {
        return "Everything goes well.".to_owned();
    };
    let state = &graph.nodes[*n].place.state;
    let done: Vec<&StepId> = model
        .program
        .steps
        .iter()
        .zip(&state.steps)
        .filter(|(_, now)| now.stage == Stage::Succeeded)
        .map(|(step, _)| &step.id)
        .collect();
    let to = match choice {
        Choice::Step(step, _) => format!("`{}` starts", model.program.steps[*step].id),
        Choice::Gate(gate, _) => format!("`{}` is measured", model.program.gates[*gate].id),
        Choice::Approve(gate, _) => {
            format!("`{}` asks for approval", model.program.gates[*gate].id)
        }
        _ => "an undo begins".to_owned(),
    };
    match done.as_slice() {
        [] if matches!(choice, Choice::Step(..)) => format!("The run begins, and {to}."),
        [] => format!("Nothing has to be done before, and {to}."),
        [one] => format!("`{one}` succeeds, and {to}."),
        [.., last] => format!("Everything up to `{last}` succeeds, and {to}."),
    }
}

fn faults(model: &Model, path: &[(usize, Choice)]) -> Vec<String> {
    let program = &model.program;
    path.iter()
        .filter(|(_, choice)| choice.is_fault() || matches!(choice, Choice::DoneIf(_, false)))
        .map(|(_, choice)| match choice {
            Choice::Step(step, outcome) => {
                let id = &program.steps[*step].id;
                let tries = model.traits[*step].tries;
                match outcome {
                    Outcome::Unknown => format!(
                        "`{id}` is cut off by a timeout or a machine that dies: nobody knows what it did."
                    ),
                    _ if tries > 1 => {
                        format!("`{id}` fails half-way, each of its {tries} times.")
                    }
                    _ => format!("`{id}` fails half-way."),
                }
            }
            Choice::Undo(unit, Outcome::Unknown) => format!("The undo of `{unit}` is cut off."),
            Choice::Undo(unit, _) => format!("The undo of `{unit}` fails."),
            Choice::DoneIf(step, _) => format!(
                "The `done_if` of `{}` says that its effect did not happen.",
                program.steps[*step].id
            ),
            Choice::Gate(_, Verdict::Inconclusive) => "A criterion is inconclusive.".to_owned(),
            Choice::Gate(gate, _) => format!(
                "A criterion of `{}` is not met, and it stays so.",
                program.gates[*gate].id
            ),
            Choice::Approve(..) => "An approver refuses.".to_owned(),
            Choice::Agree(level, _) => format!("The decision maker refuses the {level} rollback."),
            _ => String::new(),
        })
        .collect()
}

/// An undo that the engine began by itself.
fn automatic(model: &Model, root: Root, halt: &Halt) -> String {
    match root {
        Root::Step(step) if halt.unit == UndoUnit::Step(model.program.steps[step].id.clone()) => {
            format!("The run tries to undo it and cannot: {}.", because(halt))
        }
        Root::Step(_) => format!(
            "The run begins the {} rollback and stops at `{}`: {}.",
            halt.level,
            halt.unit,
            because(halt)
        ),
        Root::Gate(_) => format!(
            "The gate rolls its phase back and stops at `{}`: {}.",
            halt.unit,
            because(halt)
        ),
    }
}

/// Why it met a wall, without the name of the wall.
fn because(halt: &Halt) -> &str {
    let named = format!("{} cannot be undone: ", halt.unit);
    halt.why.strip_prefix(named.as_str()).unwrap_or(&halt.why)
}

fn no_way_on(model: &Model, root: Root, refused: bool) -> String {
    match root {
        Root::Step(step) => format!(
            "`resume` asks what became of `{}`, and nobody can tell: it is not `idempotent` and has no `done_if`, \
             so it may neither run again nor be taken as done.",
            model.program.steps[step].id
        ),
        Root::Gate(_) if refused => {
            "Nobody goes on over a refusal: it can only be asked again, or be rolled back."
                .to_owned()
        }
        Root::Gate(gate) => match model.program.gates[gate].response {
            GateResponse::Block => {
                "`resume` measures the gate again and finds the same: it stays closed.".to_owned()
            }
            GateResponse::Rollback => {
                "`resume` measures the gate again, and it begins to roll back again.".to_owned()
            }
            GateResponse::Ask => "Nobody decides to go on over it.".to_owned(),
        },
    }
}

/// Rollbacks by `on_failure` that meet a wall, one for each wall, by a shortest path.
pub(super) fn half_backs(model: &Model, graph: &Graph) -> Vec<HalfBack> {
    if model.program.on_failure == OnFailure::Stop {
        return Vec::new();
    }
    let mut found: BTreeMap<UndoUnit, (u8, usize, usize)> = BTreeMap::new();
    for (h, halt) in graph.halts.iter().enumerate() {
        let (n, last) = &halt.from;
        let by_hand = |choice: &Choice| {
            matches!(
                choice,
                Choice::Rollback(..)
                    | Choice::Decide(..)
                    | Choice::Gate(..)
                    | Choice::Approve(_, false)
            )
        };
        let mut path = graph.path(*n);
        path.push((*n, last.clone()));
        // A gate that rolls back is another matter; a gate that passed is not.
        let other = path.iter().any(|(_, choice)| {
            by_hand(choice) && !matches!(choice, Choice::Gate(_, Verdict::Pass))
        });
        if other {
            continue;
        }
        let faults = path.iter().filter(|(_, c)| c.is_fault()).count() as u8;
        let weight = (faults, path.len(), h);
        let best = found.entry(halt.unit.clone()).or_insert(weight);
        *best = weight.min(*best);
    }
    found
        .into_values()
        .filter_map(|(_, _, h)| half_back(model, graph, &graph.halts[h]))
        .collect()
}

fn half_back(model: &Model, graph: &Graph, halt: &Halt) -> Option<HalfBack> {
    let program = &model.program;
    let (n, last) = &halt.from;
    let mut path = graph.path(*n);
    path.push((*n, last.clone()));
    let step = path.iter().rev().find_map(|(_, choice)| match choice {
        Choice::Step(step, outcome) if *outcome != Outcome::Succeeded => Some(*step),
        _ => None,
    })?;
    let policy = match program.on_failure {
        OnFailure::Full => "full",
        OnFailure::Phase => "phase",
        OnFailure::Stop => return None,
    };
    let mut story = vec![before(model, graph, &path)];
    story.extend(faults(model, &path));
    story.push(if halt.level == Level::Step {
        format!(
            "`on_failure: {policy}` begins with the undo of the step itself, and stops there: {}.",
            because(halt)
        )
    } else {
        format!(
            "`on_failure: {policy}` undoes what came later and stops at `{}`: {}.",
            halt.unit,
            because(halt)
        )
    });
    let remaining = graph.nodes[halt.to].place.state.remaining(program);
    let names: Vec<String> = remaining
        .iter()
        .map(|&i| format!("`{}`", program.steps[i].id))
        .collect();
    if !names.is_empty() {
        story.push(format!(
            "The run has stopped, and what it did in {} remains.",
            short(&names)
        ));
    }
    let whole = match program.on_failure {
        OnFailure::Full => program.levels.full.replaces.is_some(),
        OnFailure::Phase | OnFailure::Stop => program.levels.phase.replaces.is_some(),
    };
    let procedure = matches!(
        program.phases[program.steps[step].phase].undo,
        crate::plan::program::PhaseUndo::Procedure(_)
    );
    Some(HalfBack {
        step,
        wall: halt.unit.clone(),
        story,
        covered: halt.level == Level::Step && (whole || procedure),
    })
}

/// At most three names.
pub(super) fn short(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} others", rest.len()),
    }
}
