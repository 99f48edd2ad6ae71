//! When everything should happen, and how late one can still go back.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::base::quantity::{Occurrence, Window};
use crate::plan::program::{Program, WindowRule};
use crate::plan::schedule::{Between, Schedule, Sum};

/// The whole, in time. Offsets count from the start of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// Watching included; what people take to approve is not in it.
    pub length: Sum,
    /// Without watching, by the longer figures.
    pub work_ms: u64,
    /// Steps on the critical path, in order.
    pub critical: Vec<String>,
    /// Where a full rollback stops being possible.
    pub no_return: Vec<NoReturnPreview>,
    /// The window that is open, or opens next.
    pub next_window: Option<WindowPreview>,
}

/// A point of no return.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NoReturnPreview {
    pub phase: String,
    /// None: the phase as a whole.
    pub step: Option<String>,
    pub why: String,
}

/// One opening of the migration window.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct WindowPreview {
    pub opens: Timestamp,
    pub closes: Timestamp,
    /// The same on the window's own clock.
    pub said: String,
    /// By how much the clocks go forward (positive) or back meanwhile.
    pub shift_ms: i64,
}

/// A step, in time.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StepPlanned {
    pub start: Between,
    /// Whether every step before it has an estimate; otherwise it starts then or later.
    pub sure: bool,
    pub work: Option<Between>,
    pub watch: Between,
    pub end: Between,
    pub slack_ms: u64,
    pub critical: bool,
    pub undo: Sum,
}

/// A phase, in time.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PhasePlanned {
    pub start: Between,
    pub sure: bool,
    pub length: Sum,
    pub end: Between,
    /// Undoing this phase alone.
    pub undo: Sum,
    pub back: BackPreview,
}

/// The way back to the start from the end of a phase.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct BackPreview {
    pub takes: Sum,
    /// Why there is none.
    pub wall: Option<String>,
    /// The last moment at which it still ends before the next window closes.
    pub start_by: Option<Timestamp>,
    /// The same on the window's own clock: "15:10 EST"; or that it never fits.
    pub said: Option<String>,
}

/// What the clock says: the window, and its opening at hand.
pub(in crate::show) struct Clock<'a> {
    window: &'a Window,
    opening: Occurrence,
}

impl<'a> Clock<'a> {
    pub(in crate::show) fn of(program: &'a Program, now: Timestamp) -> Option<Self> {
        let Some(WindowRule::Window { window, .. }) = &program.window else {
            return None;
        };
        let opening = window.next_opening(now)?;
        Some(Self { window, opening })
    }

    fn preview(&self) -> WindowPreview {
        let said = format!(
            "{} to {}",
            self.window.day_and_clock(self.opening.opens),
            self.window.clock(self.opening.closes)
        );
        WindowPreview {
            opens: self.opening.opens,
            closes: self.opening.closes,
            said,
            shift_ms: self.opening.shift_ms,
        }
    }
}

pub(super) fn whole(program: &Program, schedule: &Schedule, clock: Option<&Clock<'_>>) -> Planned {
    Planned {
        length: schedule.length,
        work_ms: schedule.work_ms,
        critical: schedule
            .critical
            .iter()
            .map(|&s| program.steps[s].id.to_string())
            .collect(),
        no_return: schedule
            .no_return
            .iter()
            .map(|wall| NoReturnPreview {
                phase: program.phases[wall.phase].id.to_string(),
                step: wall.step.map(|s| program.steps[s].id.to_string()),
                why: wall.why.clone(),
            })
            .collect(),
        next_window: clock.map(Clock::preview),
    }
}

pub(super) fn step(schedule: &Schedule, index: usize) -> StepPlanned {
    let time = &schedule.steps[index];
    StepPlanned {
        start: time.start,
        sure: time.sure,
        work: time.work,
        watch: time.watch,
        end: time.end,
        slack_ms: time.slack_ms,
        critical: time.critical,
        undo: time.undo,
    }
}

pub(in crate::show) fn phase(
    schedule: &Schedule,
    index: usize,
    clock: Option<&Clock<'_>>,
) -> PhasePlanned {
    let time = &schedule.phases[index];
    let mut back = BackPreview {
        takes: time.back.takes,
        wall: time
            .back
            .wall
            .and_then(|wall| schedule.no_return.get(wall))
            .map(|wall| wall.why.clone()),
        start_by: None,
        said: None,
    };
    if let Some(clock) = clock {
        match schedule.start_back_by(index, clock.opening.length_ms()) {
            Some(by) if by >= 0 => {
                let at = clock.opening.opens + SignedDuration::from_millis(by);
                back.start_by = Some(at);
                back.said = Some(clock.window.clock(at));
            }
            Some(_) => back.said = Some("it does not fit into a window".to_owned()),
            None => {}
        }
    }
    PhasePlanned {
        start: time.start,
        sure: schedule.phases[..index]
            .iter()
            .all(|p| p.length.is_complete()),
        length: time.length,
        end: time.end,
        undo: time.undo,
        back,
    }
}
