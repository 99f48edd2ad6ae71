//! When everything should happen: a program's estimates laid out along the rules by which a run orders its steps.
//!
//! Pure, and linear in the size of the program. Times are offsets from the start of the run in milliseconds. An
//! estimate may be a range ("2-3 hours"), so every time is [`Between`] two figures; whoever compares takes the later
//! one. Nothing is made up: a step without an estimate counts as no time at all, and every sum says how many such steps
//! it leaves out ([`Sum`]).
//!
//! What is not in it, because nobody can know it beforehand: how long people take to approve and attest, retries, and
//! the bound of `--jobs` (steps that may run together are taken to run together).

mod back;
mod order;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use crate::base::quantity::HumanDuration;
use crate::plan::program::{Estimate, GateAt, Program};

pub use back::{Back, NoReturn};
pub use order::Waits;

/// A length of time, or an offset from the start of the run, that lies between two figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Between {
    /// The shorter, in milliseconds.
    pub min_ms: u64,
    /// The longer, in milliseconds: the cautious one.
    pub max_ms: u64,
}

impl Between {
    /// No time.
    pub const ZERO: Self = Self {
        min_ms: 0,
        max_ms: 0,
    };

    fn plus(self, more: Self) -> Self {
        Self {
            min_ms: self.min_ms.saturating_add(more.min_ms),
            max_ms: self.max_ms.saturating_add(more.max_ms),
        }
    }

    fn at_least(self, other: Self) -> Self {
        Self {
            min_ms: self.min_ms.max(other.min_ms),
            max_ms: self.max_ms.max(other.max_ms),
        }
    }

    fn exactly(ms: u64) -> Self {
        Self {
            min_ms: ms,
            max_ms: ms,
        }
    }
}

impl From<Estimate> for Between {
    fn from(estimate: Estimate) -> Self {
        Self {
            min_ms: estimate.min_ms,
            max_ms: estimate.max_ms,
        }
    }
}

impl fmt::Display for Between {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |ms: u64| HumanDuration::from_ms(i64::try_from(ms).unwrap_or(i64::MAX));
        match self.min_ms {
            min if min == self.max_ms => write!(out, "{}", text(min)),
            0 => write!(out, "up to {}", text(self.max_ms)),
            min => write!(out, "{} to {}", text(min), text(self.max_ms)),
        }
    }
}

/// A sum of estimates, and how many parts of it have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sum {
    /// What is known of it.
    pub known: Between,
    /// How many parts have no estimate: the sum is at least what is known.
    pub unknown: usize,
}

impl Sum {
    fn plus(self, more: Self) -> Self {
        Self {
            known: self.known.plus(more.known),
            unknown: self.unknown + more.unknown,
        }
    }

    fn known(known: Between) -> Self {
        Self { known, unknown: 0 }
    }

    const UNKNOWN: Self = Self {
        known: Between::ZERO,
        unknown: 1,
    };

    /// Whether every part has an estimate.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unknown == 0
    }

    /// In words: "2h", "2h to 3h", "at least 2h (3 steps without an estimate)".
    #[must_use]
    pub fn say(&self, one: &str, many: &str) -> String {
        match (self.unknown, self.known.max_ms) {
            (0, _) => self.known.to_string(),
            (1, 0) => format!("unknown (1 {one} without an estimate)"),
            (n, 0) => format!("unknown ({n} {many} without an estimate)"),
            (1, _) => format!("at least {} (1 {one} without an estimate)", self.known),
            (n, _) => format!("at least {} ({n} {many} without an estimate)", self.known),
        }
    }
}

/// When a step should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTime {
    /// When it can begin.
    pub start: Between,
    /// Whether every step that it waits for has an estimate; otherwise it begins then or later.
    pub sure: bool,
    /// How long its action and checks take; none where the plan does not say.
    pub work: Option<Between>,
    /// How long it is watched afterwards (`observe.for`, or an estimate such as "3 days observation").
    pub watch: Between,
    /// When it has ended, watching included.
    pub end: Between,
    /// How much later it may end, by the cautious figures, without delaying the end of its phase.
    pub slack_ms: u64,
    /// Whether it lies on the critical path.
    pub critical: bool,
    /// How long its undo takes.
    pub undo: Sum,
}

/// When a phase should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseTime {
    /// When its first step can begin.
    pub start: Between,
    /// When its steps have ended.
    pub end: Between,
    /// How long it takes from its first step to its last, watching included. Where steps have no estimate and the phase
    /// has one (`duration_estimate`), the phase's counts and nothing is unknown.
    pub length: Sum,
    /// The same without watching: what has to fit into a window, by the cautious figures.
    pub work_ms: u64,
    /// Whether some of its time is spent watching.
    pub watches: bool,
    /// How many of its steps have no estimate.
    pub unestimated: usize,
    /// Its longest chain of steps, in order: indices into [`Program::steps`].
    pub critical: Vec<usize>,
    /// How long undoing this phase alone takes.
    pub undo: Sum,
    /// The way back to the start from its end.
    pub back: Back,
}

/// When everything should happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// By index of [`Program::steps`].
    pub steps: Vec<StepTime>,
    /// By index of [`Program::gates`]: when each is reached. What people take to approve is not in it.
    pub gates: Vec<Between>,
    /// By index of [`Program::phases`].
    pub phases: Vec<PhaseTime>,
    /// How long the whole takes, watching included.
    pub length: Sum,
    /// The same without watching, by the cautious figures.
    pub work_ms: u64,
    /// The critical path, in order: indices into [`Program::steps`].
    pub critical: Vec<usize>,
    /// Where a full rollback stops being possible, in the order in which a run gets there.
    pub no_return: Vec<NoReturn>,
}

impl Schedule {
    /// Lays a program out.
    ///
    /// Steps that wait for each other in a circle, which the review refuses, begin with their phase.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        Self::without(program, &[])
    }

    /// The same for a run that leaves steps out: by index of [`Program::steps`], true where one is left out; empty where
    /// none is. What is left out takes no time and has nothing to undo.
    #[must_use]
    pub fn without(program: &Program, left_out: &[bool]) -> Self {
        Self::assuming(program, left_out, None)
    }

    /// The same, with a length for steps that have no estimate. For pictures only: a step that takes no time cannot be
    /// drawn, and its figures are not to be shown.
    #[must_use]
    pub fn assuming(program: &Program, left_out: &[bool], unknown_ms: Option<u64>) -> Self {
        let out = |s: usize| left_out.get(s).copied().unwrap_or(false);
        let mut schedule = Self {
            steps: program
                .steps
                .iter()
                .enumerate()
                .map(|(s, step)| order::alone(step, out(s), unknown_ms))
                .collect(),
            gates: vec![Between::ZERO; program.gates.len()],
            phases: Vec::with_capacity(program.phases.len()),
            length: Sum::default(),
            work_ms: 0,
            critical: Vec::new(),
            no_return: back::no_return(program, &out),
        };
        for (s, (step, time)) in program.steps.iter().zip(&mut schedule.steps).enumerate() {
            if !out(s) {
                time.undo = back::of_step(program, step);
            }
        }
        for index in 0..program.phases.len() {
            schedule.phase(program, index, &out);
        }
        back::to_the_start(program, &mut schedule);
        for (gate, at) in program.gates.iter().zip(&mut schedule.gates) {
            *at = match gate.at {
                GateAt::Phase(p) => schedule.phases[p].end,
                GateAt::Step(s) => schedule.steps[s].end,
                GateAt::Completion => schedule.length.known,
            };
        }
        schedule
    }

    fn phase(&mut self, program: &Program, index: usize, out: &impl Fn(usize) -> bool) {
        let phase = &program.phases[index];
        let start = self.length.known;
        let sure = self.length.is_complete();
        let laid = order::lay_out(program, &phase.steps, (start, sure), &mut self.steps);
        let unestimated = phase
            .steps
            .iter()
            .filter(|&&s| self.steps[s].work.is_none())
            .count();
        let mut length = Sum {
            known: laid.length,
            unknown: unestimated,
        };
        let mut work_ms = laid.work_ms;
        let mut watches = phase.steps.iter().any(|&s| self.steps[s].watch.max_ms > 0);
        // The phase's own estimate stands for steps that have none; it may include watching.
        if let Some(own) = phase.estimate
            && (unestimated > 0 || phase.steps.is_empty())
        {
            length = Sum::known(laid.length.at_least(own.into()));
            if own.watching {
                watches = true;
            } else if !watches {
                work_ms = work_ms.max(own.max_ms);
            }
        }
        for &step in &laid.critical {
            self.steps[step].critical = true;
        }
        self.critical.extend(&laid.critical);
        self.work_ms = self.work_ms.saturating_add(work_ms);
        self.phases.push(PhaseTime {
            start,
            end: start.plus(length.known),
            length,
            work_ms,
            watches,
            unestimated,
            critical: laid.critical,
            undo: back::of_phase(program, phase, &self.steps, out),
            back: Back::default(),
        });
        self.length = self.length.plus(length);
    }

    /// The last moment at which a rollback from the end of a phase to the start still fits before something that closes
    /// `closes_ms` after the start of the run; milliseconds after that start, negative where it never fitted. None where
    /// there is no way back, or nothing is known of its length.
    #[must_use]
    pub fn start_back_by(&self, phase: usize, closes_ms: u64) -> Option<i64> {
        let back = &self.phases.get(phase)?.back;
        if back.wall.is_some() || (back.takes.known.max_ms == 0 && back.takes.unknown > 0) {
            return None;
        }
        let (closes, takes) = (
            i64::try_from(closes_ms).ok()?,
            i64::try_from(back.takes.known.max_ms).ok()?,
        );
        Some(closes - takes)
    }
}
