//! How long the way back takes, and where there is none.
//!
//! An undo's length is taken from what the author wrote closest to it: the phase's `estimated_rollback_duration`, else
//! the `estimated_duration` of the rollback level, else the timeouts of what runs (after which it is killed, so it
//! takes no longer). A person's work without any of these is unknown.

use super::{Between, Schedule, StepTime, Sum};
use crate::plan::program::{Phase, PhaseUndo, Program, Step, Undo, UndoPiece, UndoWay};

/// The way back to the start from the end of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Back {
    /// How long it takes.
    pub takes: Sum,
    /// What stands in the way: an index into [`Schedule::no_return`].
    pub wall: Option<usize>,
}

/// A point of no return: once a run is past it, it cannot be undone as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoReturn {
    /// Index into [`Program::phases`].
    pub phase: usize,
    /// Index into [`Program::steps`]: from its start on. None: from the start of the phase on.
    pub step: Option<usize>,
    /// Why there is no way back.
    pub why: String,
}

/// Every wall on the way of a full rollback, by the rules by which a run unwinds (SPEC section 5).
pub(super) fn no_return(program: &Program, out: &impl Fn(usize) -> bool) -> Vec<NoReturn> {
    let mut walls = Vec::new();
    if program.levels.full.replaces.is_some() {
        return walls;
    }
    for (p, phase) in program.phases.iter().enumerate() {
        // Without an effect there is nothing to undo, and so no wall.
        if !has_effect(program, phase, out) {
            continue;
        }
        match &phase.undo {
            PhaseUndo::Wall(why) => walls.push(NoReturn {
                phase: p,
                step: None,
                why: why.clone(),
            }),
            PhaseUndo::Procedure(undo) => {
                if let UndoWay::Wall(why) = &undo.way {
                    walls.push(NoReturn {
                        phase: p,
                        step: None,
                        why: why.clone(),
                    });
                }
            }
            PhaseUndo::EachStep => {
                for &s in &phase.steps {
                    let step = &program.steps[s];
                    if let UndoWay::Wall(why) = &step.undo.way
                        && !step.effect_none
                        && !out(s)
                    {
                        walls.push(NoReturn {
                            phase: p,
                            step: Some(s),
                            why: why.clone(),
                        });
                    }
                }
            }
        }
    }
    walls
}

/// By the timeouts of what runs: unknown if any piece has none.
fn by_timeouts(undo: &Undo) -> Sum {
    let UndoWay::Pieces(pieces) = &undo.way else {
        return Sum::default();
    };
    let mut most = 0_u64;
    for piece in pieces {
        let UndoPiece::Run(work) = piece else {
            return Sum::UNKNOWN;
        };
        let all = work.timeout_ms.or_else(|| {
            work.processes
                .iter()
                .map(|process| process.timeout_ms)
                .sum::<Option<u64>>()
        });
        match all {
            Some(ms) => most = most.saturating_add(ms),
            None => return Sum::UNKNOWN,
        }
    }
    Sum::known(Between {
        min_ms: 0,
        max_ms: most,
    })
}

pub(super) fn of_step(program: &Program, step: &Step) -> Sum {
    if step.effect_none || !matches!(step.undo.way, UndoWay::Pieces(_)) {
        return Sum::default();
    }
    match program.levels.step.takes {
        Some(estimate) => Sum::known(estimate.into()),
        None => by_timeouts(&step.undo),
    }
}

fn has_effect(program: &Program, phase: &Phase, out: &impl Fn(usize) -> bool) -> bool {
    let effect = |&s: &usize| !program.steps[s].effect_none && !out(s);
    phase.steps.iter().any(effect)
}

pub(super) fn of_phase(
    program: &Program,
    phase: &Phase,
    steps: &[StepTime],
    out: &impl Fn(usize) -> bool,
) -> Sum {
    if !has_effect(program, phase, out) || matches!(phase.undo, PhaseUndo::Wall(_)) {
        return Sum::default();
    }
    if let Some(estimate) = phase.undo_estimate.or(program.levels.phase.takes) {
        return Sum::known(estimate.into());
    }
    match &phase.undo {
        PhaseUndo::Procedure(undo) => by_timeouts(undo),
        PhaseUndo::Wall(_) => Sum::default(),
        // One after the other, latest start first.
        PhaseUndo::EachStep => phase
            .steps
            .iter()
            .fold(Sum::default(), |sum, &s| sum.plus(steps[s].undo)),
    }
}

/// The way back to the start from the end of each phase.
///
/// Undoing some of the phases takes no longer than the author's figure for all of them.
pub(super) fn to_the_start(program: &Program, schedule: &mut Schedule) {
    let full = program.levels.full.takes.map(Between::from);
    let mut sum = Sum::default();
    let mut wall = 0;
    let count = schedule.phases.len();
    for p in 0..count {
        sum = sum.plus(schedule.phases[p].undo);
        let takes = match full {
            _ if sum == Sum::default() => sum,
            Some(full) if p + 1 == count || !sum.is_complete() => Sum::known(full),
            Some(full) if program.levels.full.replaces.is_some() => Sum::known(full),
            Some(full) if full.max_ms < sum.known.max_ms => Sum::known(full),
            None if program.levels.full.replaces.is_some() => Sum::UNKNOWN,
            _ => sum,
        };
        while schedule.no_return.get(wall).is_some_and(|n| n.phase <= p) {
            wall += 1;
        }
        schedule.phases[p].back = Back {
            takes,
            wall: (wall > 0).then_some(0),
        };
    }
}
