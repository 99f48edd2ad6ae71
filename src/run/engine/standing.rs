//! How a run stands: its state, what it waits for, and the exit code that says so (SPEC section 10).

use jiff::Timestamp;
use serde::Serialize;

use super::next::{Action, Waiting, next};
use super::state::{Life, Stage, State};
use crate::plan::program::Program;

/// The state of a run in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Something can be done right now.
    Running,
    /// It waits for people or for the clock.
    Waiting,
    /// It stopped; `resume` goes on.
    Stopped,
    /// It cannot go on in any direction without a person: an undo failed, or an outcome is unknown.
    Stuck,
    /// It was asked to pause, and is saved.
    Interrupted,
    /// An input is not as it was when the run started.
    Drifted,
    /// Done.
    Completed,
    /// Everything it did is undone; final.
    RolledBack,
    /// Given up; final.
    Abandoned,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
            Self::Stuck => "stuck",
            Self::Interrupted => "interrupted",
            Self::Drifted => "drifted",
            Self::Completed => "completed",
            Self::RolledBack => "rolled_back",
            Self::Abandoned => "abandoned",
        })
    }
}

/// How a run stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// In one word.
    pub state: RunState,
    /// The exit code of a driver that leaves it now.
    pub exit_code: u8,
    /// What it waits for.
    pub waiting: Vec<Waiting>,
    /// Why it stopped, where it did.
    pub why: Option<String>,
    /// Indices of steps whose effects remain, in order of start.
    pub remaining: Vec<usize>,
}

/// How the run stands at this time.
#[must_use]
pub fn standing(program: &Program, state: &State, at: Timestamp) -> Standing {
    let mut waiting = Vec::new();
    let mut busy = state.is_acting();
    for action in next(program, state, at) {
        match action {
            Action::Wait(wait) => waiting.push(wait),
            Action::Record(_)
            | Action::Act { .. }
            | Action::Undo { .. }
            | Action::Probe { .. }
            | Action::WakeAt(_) => {
                busy = true;
            }
        }
    }
    let remaining = state.remaining(program);
    let undone_or_not = if remaining.is_empty() { 4 } else { 5 };
    let unknown = state
        .steps
        .iter()
        .any(|s| matches!(s.stage, Stage::Unknown { .. }));
    let uncertain = waiting.iter().any(|w| w.ask.is_uncertain());
    let (run, exit_code, why) = match &state.life {
        Life::New => (RunState::Running, 1, None),
        Life::Completed => (RunState::Completed, 0, None),
        Life::RolledBack => (RunState::RolledBack, undone_or_not, None),
        Life::Abandoned => (RunState::Abandoned, undone_or_not, None),
        Life::Stopped(why) if unknown => (RunState::Stuck, 7, Some(why.clone())),
        Life::Stopped(why) => (RunState::Stopped, undone_or_not, Some(why.clone())),
        Life::Running if state.interrupted => (RunState::Interrupted, 130, None),
        Life::Running if !state.drift.is_empty() && !state.is_going_back() => (
            RunState::Drifted,
            9,
            Some(format!(
                "changed since the start: {}",
                state.drift.join(", ")
            )),
        ),
        Life::Running if uncertain => (RunState::Stuck, 7, None),
        Life::Running if !waiting.is_empty() && !busy => (RunState::Waiting, 6, None),
        Life::Running => (RunState::Running, 5, None),
    };
    Standing {
        state: run,
        exit_code,
        waiting,
        why,
        remaining,
    }
}
