//! What an undo consists of, and what is next in one that is going on (SPEC section 5).

use super::event::{Event, Then};
use super::next::{Action, Ask, Walk};
use super::state::{BlockVerdict, Effect, Life, State, UndoStage};
use crate::base::id::{PhaseId, StepId};
use crate::plan::program::{
    After, BlockId, Level, PhaseUndo, Program, UndoPiece, UndoUnit, UndoWay,
};

/// The units of an undo, in order, and the steps whose effects they take back.
pub(super) struct Way {
    pub(super) units: Vec<UndoUnit>,
    pub(super) covers: Vec<StepId>,
}

fn latest_first(program: &Program, state: &State, mut steps: Vec<usize>) -> Vec<usize> {
    steps.retain(|&i| state.steps[i].effect == Effect::May && !program.steps[i].effect_none);
    steps.sort_by_key(|&i| std::cmp::Reverse(state.steps[i].start));
    steps
}

/// The undo of `steps`, latest start first.
pub(super) fn of_steps(program: &Program, state: &State, steps: Vec<usize>) -> Way {
    let steps = latest_first(program, state, steps);
    let covers: Vec<StepId> = steps.iter().map(|&i| program.steps[i].id.clone()).collect();
    if !covers.is_empty() && program.levels.step.replaces.is_some() {
        return Way {
            units: vec![UndoUnit::Level(Level::Step)],
            covers,
        };
    }
    Way {
        units: covers.iter().cloned().map(UndoUnit::Step).collect(),
        covers,
    }
}

/// The undo of a phase: its own procedure where it has one, else each step's.
pub(super) fn of_phase(program: &Program, state: &State, phase: usize) -> Way {
    let steps = latest_first(program, state, program.phases[phase].steps.clone());
    let covers: Vec<StepId> = steps.iter().map(|&i| program.steps[i].id.clone()).collect();
    let units = if covers.is_empty() {
        Vec::new()
    } else if program.levels.phase.replaces.is_some() {
        vec![UndoUnit::Level(Level::Phase)]
    } else {
        own_units(program, phase, &covers)
    };
    Way { units, covers }
}

fn own_units(program: &Program, phase: usize, covers: &[StepId]) -> Vec<UndoUnit> {
    match &program.phases[phase].undo {
        PhaseUndo::EachStep => covers.iter().cloned().map(UndoUnit::Step).collect(),
        PhaseUndo::Procedure(_) | PhaseUndo::Wall(_) => {
            vec![UndoUnit::Phase(program.phases[phase].id.clone())]
        }
    }
}

/// The undo of everything, or of every phase after `keep`.
pub(super) fn of_all(program: &Program, state: &State, keep: Option<usize>) -> Way {
    let first = keep.map_or(0, |k| k + 1);
    let mut way = Way {
        units: Vec::new(),
        covers: Vec::new(),
    };
    for phase in (first..program.phases.len()).rev() {
        let steps = latest_first(program, state, program.phases[phase].steps.clone());
        let covers: Vec<StepId> = steps.iter().map(|&i| program.steps[i].id.clone()).collect();
        if !covers.is_empty() {
            way.units.extend(own_units(program, phase, &covers));
        }
        way.covers.extend(covers);
    }
    if keep.is_none() && !way.covers.is_empty() && program.levels.full.replaces.is_some() {
        way.units = vec![UndoUnit::Level(Level::Full)];
    }
    way
}

/// The record that begins an undo.
pub(super) fn begin(
    program: &Program,
    level: Level,
    way: Way,
    why: String,
    then: Then,
    by: Option<&str>,
) -> Event {
    let rule = program.levels.of(level);
    let approval = rule.approval_required
        && !way.units.is_empty()
        && !rule
            .decision_maker
            .as_deref()
            .is_some_and(|maker| by.is_some_and(|by| same_name(maker, by)));
    Event::UnwindingStarted {
        level,
        units: way.units,
        covers: way.covers,
        why,
        then,
        approval,
    }
}

/// Names are compared without regard to case and outer white space.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// The record that begins the undo of a gate's or a failed step's phase.
pub(super) fn begin_level(
    program: &Program,
    state: &State,
    level: Level,
    phase: &PhaseId,
    why: String,
    by: Option<&str>,
) -> Event {
    match level {
        Level::Full => begin(
            program,
            level,
            of_all(program, state, None),
            why,
            Then::Finish,
            by,
        ),
        Level::Step | Level::Phase => {
            let index = program.phase_index(phase).unwrap_or_default();
            begin(
                program,
                Level::Phase,
                of_phase(program, state, index),
                why,
                Then::Stop,
                by,
            )
        }
    }
}

impl Walk<'_> {
    /// A rollback that someone asked for by hand.
    pub(super) fn requested(&mut self) {
        let Some(request) = self.state.requested.clone() else {
            return;
        };
        if self.state.is_acting() {
            return;
        }
        let (program, state) = (self.program, self.state);
        let reason = request.reason.as_deref().unwrap_or("asked for by hand");
        let why = format!(
            "{} rollback by {}: {reason}",
            request.level, request.by.name
        );
        let by = Some(request.by.name.as_str());
        let target = request.target.as_deref();
        let event = match request.level {
            Level::Step => {
                let steps = target
                    .and_then(|t| StepId::parse(t).ok())
                    .and_then(|id| program.step_index(&id))
                    .into_iter()
                    .collect();
                begin(
                    program,
                    Level::Step,
                    of_steps(program, state, steps),
                    why,
                    Then::Stop,
                    by,
                )
            }
            Level::Phase => {
                let phase = target
                    .and_then(|t| PhaseId::parse(t).ok())
                    .and_then(|id| program.phase_index(&id))
                    .unwrap_or_default();
                begin(
                    program,
                    Level::Phase,
                    of_phase(program, state, phase),
                    why,
                    Then::Stop,
                    by,
                )
            }
            Level::Full => {
                let keep = target
                    .and_then(|t| PhaseId::parse(t).ok())
                    .and_then(|id| program.phase_index(&id));
                let then = if keep.is_some() {
                    Then::Stop
                } else {
                    Then::Finish
                };
                begin(
                    program,
                    Level::Full,
                    of_all(program, state, keep),
                    why,
                    then,
                    by,
                )
            }
        };
        self.record(event);
    }

    /// The undo that is going on.
    pub(super) fn unwinding(&mut self) {
        let (program, state) = (self.program, self.state);
        let Some(unwinding) = &state.unwinding else {
            return;
        };
        let level = unwinding.level;
        if !unwinding.approved {
            let who = program
                .levels
                .of(level)
                .decision_maker
                .clone()
                .into_iter()
                .collect();
            let what = format!("approval of the {level} rollback ({})", unwinding.why);
            self.wait(&format!("rollback.{level}"), Ask::Approve, what, who, None);
            return;
        }
        // Siblings of a failed step may still run; nothing is undone under them.
        if state.is_acting() || state.interrupted {
            return;
        }
        for unit in &unwinding.units {
            let progress = unwinding.progress.get(unit).cloned().unwrap_or_default();
            match &progress.stage {
                UndoStage::Undone | UndoStage::Left => {}
                UndoStage::Acting => return,
                UndoStage::Failed(why) => {
                    self.stuck(unit, format!("the undo of {unit} failed: {why}"));
                    return;
                }
                UndoStage::Unknown => {
                    self.stuck(
                        unit,
                        format!("nobody can say how far the undo of {unit} came"),
                    );
                    return;
                }
                UndoStage::Ready => {
                    self.unit(level, unit, progress.attempt.max(1), progress.piece);
                    return;
                }
            }
        }
        // Then the tests of the phases that were undone, and what must hold after this level.
        let mut blocks: Vec<BlockId> = Vec::new();
        if level != Level::Step {
            let mut phases: Vec<usize> = unwinding
                .covers
                .iter()
                .filter_map(|id| program.step(id).map(|step| step.phase))
                .collect();
            phases.dedup();
            blocks.extend(
                phases
                    .into_iter()
                    .map(|p| BlockId::UndoTest(UndoUnit::Phase(program.phases[p].id.clone()))),
            );
        }
        blocks.push(BlockId::PostRollback(level));
        for block in blocks {
            match self.evaluate(&block, None) {
                BlockVerdict::Pass => {}
                BlockVerdict::Fail => {
                    self.stuck_after(level, &block);
                    return;
                }
                BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {
                    return;
                }
            }
        }
        self.record(Event::UnwindingCompleted { level });
    }

    fn stuck(&mut self, unit: &UndoUnit, what: String) {
        let item = match unit {
            UndoUnit::Step(id) => id.as_str().to_owned(),
            UndoUnit::Phase(id) => id.as_str().to_owned(),
            UndoUnit::Level(level) => format!("rollback.{level}"),
        };
        self.wait(
            &item,
            Ask::ResolveUndo(unit.clone()),
            what,
            Vec::new(),
            None,
        );
    }

    /// Everything is undone, and yet something that must hold then does not.
    fn stuck_after(&mut self, level: Level, block: &BlockId) {
        let (program, state) = (self.program, self.state);
        for (i, check) in program.block(block).iter().enumerate() {
            if let Some(judged) = state
                .judged(block, i)
                .filter(|j| j.verdict == super::event::Verdict::Fail)
            {
                let what = format!(
                    "after the {level} rollback this does not hold: {} ({})",
                    check.title, judged.detail
                );
                self.wait(
                    check.id.as_str(),
                    Ask::Recheck { uncertain: true },
                    what,
                    check.who.clone(),
                    None,
                );
            }
        }
    }

    fn unit(&mut self, level: Level, unit: &UndoUnit, attempt: u32, piece: usize) {
        let wall = |why: String| Event::UnwindingHalted {
            level,
            unit: Some(unit.clone()),
            why,
        };
        let Some(undo) = self.program.undo(unit) else {
            let why = match unit {
                UndoUnit::Phase(id) => match self
                    .program
                    .phase_index(id)
                    .map(|i| &self.program.phases[i].undo)
                {
                    Some(PhaseUndo::Wall(why)) => why.clone(),
                    _ => format!("{id} has no way back"),
                },
                UndoUnit::Step(_) | UndoUnit::Level(_) => format!("{unit} has no way back"),
            };
            self.record(wall(why));
            return;
        };
        let pieces = match &undo.way {
            UndoWay::Wall(why) => {
                self.record(wall(format!("{unit} cannot be undone: {why}")));
                return;
            }
            UndoWay::NothingToUndo => {
                self.record(Event::UnitUndone { unit: unit.clone() });
                return;
            }
            UndoWay::Pieces(pieces) => pieces,
        };
        if undo.only_if.is_some() {
            match self.evaluate(&BlockId::OnlyIf(unit.clone()), None) {
                BlockVerdict::Pass => {}
                BlockVerdict::Fail => {
                    self.record(Event::UnitLeft {
                        unit: unit.clone(),
                        why: "its only_if does not hold".to_owned(),
                    });
                    return;
                }
                BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {
                    return;
                }
            }
        }
        // Pieces that a person does are not acted on: they count as passed once they are attested.
        let mut at = piece;
        let mut person = pieces[..piece.min(pieces.len())]
            .iter()
            .filter(|p| matches!(p, UndoPiece::Person(_)))
            .count();
        while let Some(UndoPiece::Person(check)) = pieces.get(at) {
            let block = BlockId::UndoPerson(unit.clone());
            match self.state.judged(&block, person).map(|j| j.verdict) {
                Some(super::event::Verdict::Pass) => {
                    at += 1;
                    person += 1;
                }
                Some(_) => {
                    let why = format!("{} could not be done", check.title);
                    self.record(Event::UndoFailed {
                        unit: unit.clone(),
                        why,
                    });
                    return;
                }
                None => {
                    let what = format!("undo of {unit}, by hand: {}", check.title);
                    self.wait(
                        check.id.as_str(),
                        Ask::UndoByHand(block, person),
                        what,
                        check.who.clone(),
                        None,
                    );
                    return;
                }
            }
        }
        if at < pieces.len() {
            self.push(Action::Undo {
                unit: unit.clone(),
                attempt,
                piece: at,
            });
            return;
        }
        if matches!(unit, UndoUnit::Phase(_)) {
            // Its test belongs to the phase and is evaluated when everything is undone.
            self.record(Event::UnitUndone { unit: unit.clone() });
            return;
        }
        match self.evaluate(&BlockId::UndoTest(unit.clone()), None) {
            BlockVerdict::Pass => self.record(Event::UnitUndone { unit: unit.clone() }),
            BlockVerdict::Fail => {
                let failed = self.failed_items(&BlockId::UndoTest(unit.clone()));
                self.record(Event::UndoFailed {
                    unit: unit.clone(),
                    why: format!("its test failed: {failed}"),
                });
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {}
        }
    }
}

/// Whether a rollback by hand makes sense now.
pub(super) fn check_request(
    program: &Program,
    state: &State,
    level: Level,
    target: Option<&str>,
) -> Result<(), String> {
    if matches!(state.life, Life::RolledBack | Life::Abandoned | Life::New) {
        return Err("the run is over; there is nothing left to roll back".to_owned());
    }
    if state.unwinding.is_some() || state.requested.is_some() {
        return Err(
            "an undo is already going on: answer what it waits for, or resume it".to_owned(),
        );
    }
    let known_phase = |t: &str| {
        PhaseId::parse(t)
            .ok()
            .and_then(|id| program.phase_index(&id))
            .ok_or(format!("the plan has no phase {t}"))
    };
    match level {
        Level::Step => {
            let target = target.ok_or("a step rollback needs --step ID")?;
            let step = StepId::parse(target)
                .ok()
                .and_then(|id| program.step_index(&id))
                .ok_or(format!("the plan has no step {target}"))?;
            let remaining = state.remaining(program);
            if !remaining.contains(&step) {
                return Err(format!("{target} has no effect to undo"));
            }
            if let Some(&later) = remaining.iter().find(|&&i| builds_on(program, i, step)) {
                let later = &program.steps[later].id;
                return Err(format!(
                    "{later} still has an effect that builds on {target}: roll that back first, or the whole phase"
                ));
            }
        }
        Level::Phase => {
            let target = target.ok_or("a phase rollback needs --phase ID")?;
            let phase = known_phase(target)?;
            let remaining = state.remaining(program);
            if !remaining.iter().any(|&i| program.steps[i].phase == phase) {
                return Err(format!("{target} has no effect to undo"));
            }
            let later: Vec<&str> = remaining
                .into_iter()
                .filter(|&i| program.steps[i].phase > phase)
                .map(|i| program.phases[program.steps[i].phase].id.as_str())
                .collect();
            if let Some(later) = later.last() {
                return Err(format!(
                    "{later} still has effects that build on {target}: roll that back first, or use --level full --to the phase to keep"
                ));
            }
        }
        Level::Full => {
            if let Some(target) = target {
                known_phase(target)?;
            }
        }
    }
    Ok(())
}

/// Whether step `later` runs only after step `earlier`: in a later phase, or by order or dependency.
fn builds_on(program: &Program, later: usize, earlier: usize) -> bool {
    let base = &program.steps[earlier];
    let mut reached = vec![earlier];
    let mut grew = true;
    while grew {
        grew = false;
        for (i, step) in program.steps.iter().enumerate() {
            if reached.contains(&i) {
                continue;
            }
            let follows = step.phase > base.phase
                || step.phase == base.phase
                    && match &step.after {
                        After::LowerOrders => reached.iter().any(|&r| {
                            program.steps[r].phase == step.phase
                                && program.steps[r].order < step.order
                        }),
                        After::Exactly(all) => all.iter().any(|d| reached.contains(d)),
                    };
            if follows {
                reached.push(i);
                grew = true;
            }
        }
    }
    later != earlier && reached.contains(&later)
}
