//! The program as the walk sees it: only what decides whether there is a way on or a way back.
//!
//! Checks are taken to pass, times to be short; prose is done when it is asked for. Of a phase's steps that are alike in
//! everything that matters, and of phases that are alike in their steps and gates, two are walked and the others are
//! named beside them: so the walk stays small however long the plan is.

use std::collections::HashMap;

use crate::base::id::ItemId;
use crate::plan::program::{
    Action, After, Check, Gate, GateAt, GateResponse, How, LevelRule, Levels, Phase, PhaseUndo,
    Program, Retry, Step, Undo, UndoPiece, UndoWay, Work,
};

/// A plan of at most so many steps is walked as it is.
const SMALL: usize = 12;

/// So many of each kind are walked in a larger one.
const OF_A_KIND: usize = 2;

/// What is walked, and what it stands for.
#[derive(Debug)]
pub(super) struct Model {
    /// Reduced: no checks but what a gate may refuse and what `done_if` may tell.
    pub(super) program: Program,
    /// What a person may rely on, by the reduced step.
    pub(super) traits: Vec<Traits>,
    /// Whether something was left out because something like it is walked.
    pub(super) reduced: bool,
}

/// What a step's words allow.
#[derive(Debug, Clone, Default)]
pub(super) struct Traits {
    /// Its index in the plan's program.
    pub(super) original: usize,
    /// The same of steps that are like it and are not walked.
    pub(super) alike: Vec<usize>,
    /// It runs something or has somebody do something, so it can fail half-way.
    pub(super) acts: bool,
    /// A person does it, who knows how far it came.
    pub(super) by_hand: bool,
    /// `done_if` tells whether its effect happened.
    pub(super) settles: bool,
    /// How often it is tried.
    pub(super) tries: u32,
}

impl Traits {
    /// Whether running it again over what it left half-done is harmless, or somebody can tell that nothing is left.
    pub(super) fn may_run_again(&self, step: &Step) -> bool {
        step.idempotent || step.effect_none || self.settles || self.by_hand || !self.acts
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Way {
    Nothing,
    Pieces,
    Wall,
}

fn way(undo: &Undo) -> Way {
    match undo.way {
        UndoWay::NothingToUndo => Way::Nothing,
        UndoWay::Pieces(_) => Way::Pieces,
        UndoWay::Wall(_) => Way::Wall,
    }
}

/// Steps of one phase with equal kinds are alike: the walk treats them alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    way: Way,
    traits: [bool; 6],
    /// Whether others of its phase run beside it, and whether it waits by name.
    order: [bool; 2],
    gates: Vec<GateKind>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct GateKind {
    may_refuse: bool,
    approved: bool,
    response: u8,
}

fn gate_kind(gate: &Gate) -> GateKind {
    GateKind {
        may_refuse: may_say_no(gate),
        approved: gate.approvals_needed > 0,
        response: gate.response as u8,
    }
}

/// A gate that only states facts about the run passes once the run is there.
fn may_say_no(gate: &Gate) -> bool {
    gate.criteria.iter().any(|check| {
        !matches!(
            check.how,
            How::Fact(_) | How::When(_) | How::Covered(_) | How::Recorded(_)
        )
    })
}

fn kind(program: &Program, i: usize) -> Kind {
    let step = &program.steps[i];
    let beside = |n: usize| {
        program
            .steps
            .get(n)
            .is_some_and(|other| other.phase == step.phase && other.order == step.order)
    };
    Kind {
        way: way(&step.undo),
        traits: [
            !matches!(step.action, Action::Nothing),
            matches!(step.action, Action::Person(_)),
            step.idempotent,
            step.effect_none,
            step.done_if.is_some(),
            step.retry.attempts > 1,
        ],
        order: [
            beside(i + 1) || i.checked_sub(1).is_some_and(beside),
            matches!(step.after, After::Exactly(_)),
        ],
        gates: step
            .gates
            .iter()
            .map(|&g| gate_kind(&program.gates[g]))
            .collect(),
    }
}

/// What is walked of a program.
struct Selection {
    /// For each step of the program: the step that is walked in its place.
    stands_for: Vec<Option<usize>>,
    phases: Vec<bool>,
    steps: Vec<bool>,
}

fn select(program: &Program) -> Selection {
    let count = program.steps.len();
    let mut selection = Selection {
        stands_for: (0..count).map(Some).collect(),
        phases: vec![true; program.phases.len()],
        steps: vec![true; count],
    };
    if count <= SMALL {
        return selection;
    }
    selection.stands_for = vec![None; count];
    selection.steps = vec![false; count];
    // A phase is known by the kinds of its steps, its gates, its own way back, and whether a gate stands before it.
    type PhaseKind = (Vec<(usize, usize)>, Vec<GateKind>, u8, bool);
    let mut kinds: HashMap<Kind, usize> = HashMap::new();
    let mut seen: HashMap<PhaseKind, Vec<usize>> = HashMap::new();
    let mut gated = true;
    for (p, phase) in program.phases.iter().enumerate() {
        // Which kinds it has, in order of their first step, each counted up to two.
        let mut of_phase: Vec<(usize, usize)> = Vec::new();
        let mut walked: HashMap<usize, Vec<usize>> = HashMap::new();
        for &i in &phase.steps {
            let next = kinds.len();
            let kind = *kinds.entry(kind(program, i)).or_insert(next);
            let chosen = walked.entry(kind).or_default();
            if chosen.len() < OF_A_KIND {
                chosen.push(i);
                of_phase.push((kind, chosen.len()));
            }
        }
        let own = match &phase.undo {
            PhaseUndo::EachStep => 0,
            PhaseUndo::Procedure(undo) => 1 + u8::from(way(undo) == Way::Wall),
            PhaseUndo::Wall(_) => 3,
        };
        let gates: Vec<GateKind> = phase
            .gates
            .iter()
            .map(|&g| gate_kind(&program.gates[g]))
            .collect();
        let before = gated;
        gated = !gates.is_empty();
        let same = seen.entry((of_phase, gates, own, before)).or_default();
        if same.len() < OF_A_KIND {
            same.push(p);
            for &i in &phase.steps {
                let kind = kinds.get(&kind(program, i)).copied().unwrap_or_default();
                let chosen = walked.get(&kind).map_or(&[][..], Vec::as_slice);
                selection.stands_for[i] =
                    chosen.iter().find(|&&c| c == i).or(chosen.first()).copied();
            }
            for &i in walked.values().flatten() {
                selection.steps[i] = true;
            }
        } else {
            selection.phases[p] = false;
            // Its steps are like those of the first such phase, kind by kind.
            let first = &program.phases[same[0]];
            let mut there: HashMap<Kind, usize> = HashMap::new();
            for &i in first.steps.iter().filter(|&&i| selection.steps[i]) {
                there.entry(kind(program, i)).or_insert(i);
            }
            for &i in &phase.steps {
                selection.stands_for[i] = there.get(&kind(program, i)).copied();
            }
        }
    }
    selection
}

/// The model of a program.
pub(super) fn of(program: &Program) -> Model {
    reduce(program, &select(program), false)
}

/// Every step and gate of a program, with the facts that it waits for: for the one path on which all goes well.
pub(super) fn with_facts(program: &Program) -> Program {
    let selection = Selection {
        stands_for: (0..program.steps.len()).map(Some).collect(),
        phases: vec![true; program.phases.len()],
        steps: vec![true; program.steps.len()],
    };
    reduce(program, &selection, true).program
}

fn facts_of(checks: &[Check], wanted: bool) -> Vec<Check> {
    let is_fact = |check: &&Check| matches!(check.how, How::Fact(_) | How::When(_));
    let facts = checks.iter().filter(is_fact);
    if wanted {
        facts.cloned().collect()
    } else {
        Vec::new()
    }
}

fn reduce(program: &Program, selection: &Selection, facts: bool) -> Model {
    let mut new_phase = vec![None; program.phases.len()];
    let mut new_step = vec![None; program.steps.len()];
    let mut small = Program {
        name: String::new(),
        digest: program.digest.clone(),
        prerequisites: Vec::new(),
        window: None,
        phases: Vec::new(),
        steps: Vec::new(),
        gates: Vec::new(),
        on_failure: program.on_failure,
        levels: Levels {
            step: level(&program.levels.step),
            phase: level(&program.levels.phase),
            full: level(&program.levels.full),
        },
        separation_of_duties: false,
        blocked: Vec::new(),
        files: Vec::new(),
        index: crate::plan::program::Index::default(),
    };
    let mut traits: Vec<Traits> = Vec::new();
    for (p, phase) in program.phases.iter().enumerate() {
        if !selection.phases[p] {
            continue;
        }
        let here = small.phases.len();
        new_phase[p] = Some(here);
        let mut steps = Vec::new();
        for &i in phase.steps.iter().filter(|&&i| selection.steps[i]) {
            new_step[i] = Some(small.steps.len());
            steps.push(small.steps.len());
            let step = &program.steps[i];
            traits.push(Traits {
                original: i,
                alike: Vec::new(),
                acts: !matches!(step.action, Action::Nothing),
                by_hand: matches!(step.action, Action::Person(_)),
                settles: step.done_if.is_some(),
                tries: step.retry.attempts,
            });
            small.steps.push(bare_step(step, here, facts));
        }
        small.phases.push(Phase {
            id: phase.id.clone(),
            name: String::new(),
            order: phase.order,
            start: facts_of(&phase.start, facts),
            steps,
            gates: Vec::new(),
            undo: match &phase.undo {
                PhaseUndo::EachStep => PhaseUndo::EachStep,
                PhaseUndo::Procedure(undo) => PhaseUndo::Procedure(bare_undo(undo)),
                PhaseUndo::Wall(why) => PhaseUndo::Wall(why.clone()),
            },
            undo_test: None,
            undo_estimate: None,
            estimate: None,
        });
    }
    dependencies(program, &new_step, &mut small);
    gates(program, &new_phase, &new_step, facts, &mut small);
    for (i, stands) in selection.stands_for.iter().enumerate() {
        if let Some(walked) = stands.filter(|&s| s != i).and_then(|s| new_step[s]) {
            traits[walked].alike.push(i);
        }
    }
    small.reindex();
    Model {
        reduced: small.steps.len() < program.steps.len(),
        program: small,
        traits,
    }
}

fn bare_step(step: &Step, phase: usize, facts: bool) -> Step {
    Step {
        id: step.id.clone(),
        name: String::new(),
        phase,
        order: step.order,
        after: step.after.clone(),
        preconditions: facts_of(&step.preconditions, facts),
        confirm: Vec::new(),
        action: Action::Run(Work::default()),
        validation: facts_of(&step.validation, facts),
        observe: None,
        retry: Retry::default(),
        idempotent: step.idempotent,
        effect_none: step.effect_none,
        done_if: step
            .done_if
            .as_ref()
            .and_then(|check| question(check.id.as_str())),
        on_interrupt: step.on_interrupt,
        undo: bare_undo(&step.undo),
        gates: Vec::new(),
        estimate: None,
        responsible: None,
    }
}

/// Pieces count as one, and a person's as a machine's: both may fail.
fn bare_undo(undo: &Undo) -> Undo {
    Undo {
        way: match &undo.way {
            UndoWay::Pieces(_) => UndoWay::Pieces(vec![UndoPiece::Run(Work::default())]),
            other => other.clone(),
        },
        only_if: None,
        test: None,
    }
}

fn level(rule: &LevelRule) -> LevelRule {
    LevelRule {
        approval_required: rule.approval_required,
        replaces: rule.replaces.as_ref().map(bare_undo),
        ..LevelRule::default()
    }
}

/// A check that the walk answers itself.
fn question(id: &str) -> Option<Check> {
    Some(Check {
        id: ItemId::parse(id).ok()?,
        title: String::new(),
        how: How::When(String::new()),
        who: Vec::new(),
    })
}

/// What a step waits for among what is walked. What is left out is waited for by nobody: it could only make a circle.
fn dependencies(program: &Program, new_step: &[Option<usize>], small: &mut Program) {
    for (i, place) in new_step.iter().enumerate() {
        let (Some(place), After::Exactly(all)) = (place, &program.steps[i].after) else {
            continue;
        };
        let exactly = all.iter().filter_map(|&d| new_step[d]).collect();
        small.steps[*place].after = After::Exactly(exactly);
    }
}

fn gates(
    program: &Program,
    new_phase: &[Option<usize>],
    new_step: &[Option<usize>],
    facts: bool,
    small: &mut Program,
) {
    for gate in &program.gates {
        let index = small.gates.len();
        // What decides completion is asked when everything is done: it is on nobody's way.
        let at = match gate.at {
            GateAt::Completion => facts.then_some(GateAt::Completion),
            GateAt::Phase(p) => new_phase[p].map(|p| {
                small.phases[p].gates.push(index);
                GateAt::Phase(p)
            }),
            GateAt::Step(s) => new_step[s].map(|s| {
                small.steps[s].gates.push(index);
                GateAt::Step(s)
            }),
        };
        let Some(at) = at else { continue };
        let criteria = if facts {
            facts_of(&gate.criteria, true)
        } else if may_say_no(gate) {
            question(gate.id.as_str()).into_iter().collect()
        } else {
            Vec::new()
        };
        let approved = gate.approvals_needed > 0;
        small.gates.push(Gate {
            id: gate.id.clone(),
            name: String::new(),
            at,
            criteria,
            approvers: Vec::new(),
            approvals_needed: usize::from(approved),
            evidence_max_age_ms: u64::MAX,
            response: match gate.response {
                GateResponse::Block => GateResponse::Block,
                GateResponse::Rollback => GateResponse::Rollback,
                GateResponse::Ask => GateResponse::Ask,
            },
        });
    }
}
