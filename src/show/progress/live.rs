//! The display on a terminal: what runs now stays at the bottom, what ended scrolls above it as plain lines.

use crate::show::answer::Address;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::frame::{Frame, Manifests, Outputs, frame};
use super::plain::waiting_lines;
use crate::plan::program::Program;
use crate::run::drive::Audience;
use crate::run::engine::{Event, Outcome, Record, State, Verdict, Waiting};
use crate::run::perform::manifest::Progress;
use crate::show::plain::line;
use crate::show::text::{Look, Tone, paint, visible};

/// Columns and lines of the terminal, asked for before every frame, because it may be resized.
pub type Size = Box<dyn FnMut() -> (usize, usize)>;

/// Draws on the terminal's standard error. When it is dropped, the display is gone and only plain lines remain.
pub struct LiveAudience {
    bar: ProgressBar,
    size: Size,
    colour: bool,
    address: Address,
    outputs: Outputs,
    manifests: Manifests,
    waiting: Vec<Waiting>,
    said: Vec<(String, String)>,
    asking: bool,
}

impl std::fmt::Debug for LiveAudience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveAudience")
            .field("colour", &self.colour)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl LiveAudience {
    /// A display on standard error. `size` gives columns and lines of the terminal.
    #[must_use]
    pub fn new(size: Size, colour: bool, address: Address) -> Self {
        Self::on(
            ProgressDrawTarget::stderr_with_hz(10),
            size,
            colour,
            address,
        )
    }

    /// A display on `target`.
    #[must_use]
    pub fn on(target: ProgressDrawTarget, size: Size, colour: bool, address: Address) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            size,
            colour,
            address,
            outputs: Outputs::new(),
            manifests: Manifests::new(),
            waiting: Vec::new(),
            said: Vec::new(),
            asking: false,
        }
    }

    /// Takes the display away while `f` prints or asks, and draws it again after.
    pub fn suspend<T>(&self, f: impl FnOnce() -> T) -> T {
        self.bar.suspend(f)
    }

    /// While a question stands on the screen nothing is drawn over it: only lines scroll by. The display comes back when
    /// it is answered.
    pub fn ask(&mut self, asking: bool) {
        if asking && !self.asking {
            self.bar.set_message("");
            self.bar.tick();
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        } else if !asking && self.asking {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        self.asking = asking;
    }

    /// Takes the display away for good.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn draw(&mut self, program: &Program, state: &State, now: Timestamp) {
        if self.asking {
            return;
        }
        let (width, height) = (self.size)();
        let lines = frame(&Frame {
            program,
            state,
            waiting: &self.waiting,
            outputs: &self.outputs,
            manifests: &self.manifests,
            now,
            look: Look {
                width,
                colour: self.colour,
            },
            height,
        });
        self.bar.set_message(lines.join("\n"));
    }

    fn say(&self, text: &str, tone: Option<Tone>) {
        let text = match tone {
            Some(tone) => paint(self.colour, tone, text),
            None => text.to_owned(),
        };
        if self.asking {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}

/// What scrolls by: ends and decisions. What is going on is in the frame, and everything is in `history`.
fn scrolls(event: &Event) -> bool {
    !matches!(
        event,
        Event::StepStarted { .. }
            | Event::UndoStarted { .. }
            | Event::GateOpened { .. }
            | Event::StepRemeasured { .. }
            | Event::DriverAttached { .. }
            | Event::DriverLeft { .. }
            | Event::CheckJudged {
                verdict: Verdict::Pass,
                ..
            }
            | Event::ActionEnded {
                outcome: Outcome::Succeeded,
                ..
            }
            | Event::UndoEnded {
                outcome: Outcome::Succeeded,
                ..
            }
    )
}

fn tone(event: &Event) -> Option<Tone> {
    match event {
        Event::StepSucceeded { .. }
        | Event::GatePassed { .. }
        | Event::PhasePassed { .. }
        | Event::RunCompleted => Some(Tone::Good),
        Event::StepFailed { .. }
        | Event::GateFailed { .. }
        | Event::GateRefused { .. }
        | Event::BlockFailed { .. }
        | Event::UndoFailed { .. }
        | Event::UnwindingHalted { .. }
        | Event::UnwindingRefused { .. }
        | Event::ActionEnded { .. }
        | Event::UndoEnded { .. }
        | Event::CheckJudged { .. } => Some(Tone::Bad),
        _ => None,
    }
}

impl Audience for LiveAudience {
    fn recorded(&mut self, program: &Program, state: &State, record: &Record) {
        if let Event::ActionEnded { step, .. } = &record.event {
            self.outputs.remove(step.as_str());
            self.manifests.remove(step.as_str());
        }
        if let Event::CheckJudged { item, .. } = &record.event {
            self.outputs.remove(item.as_str());
        }
        if let Event::UndoEnded { unit, .. } = &record.event {
            self.outputs.remove(&unit.to_string());
        }
        if scrolls(&record.event) {
            for (i, text) in line(program, state, record).iter().enumerate() {
                let tone = if i == 0 { tone(&record.event) } else { None };
                self.say(text, tone);
            }
        }
        self.draw(program, state, record.at);
    }

    fn output(&mut self, what: &str, line: &str) {
        self.outputs.insert(what.to_owned(), line.to_owned());
    }

    fn progress(&mut self, what: &str, progress: Progress) {
        self.manifests.insert(what.to_owned(), progress);
    }

    fn waiting(&mut self, program: &Program, state: &State, waiting: &[Waiting]) {
        for wait in waiting {
            let key = (wait.item.clone(), wait.what.clone());
            if !self.said.contains(&key) {
                for (i, text) in waiting_lines(state, wait, &self.address).iter().enumerate() {
                    if i == 0 {
                        let text = format!("{}  {text}", visible(&wait.item));
                        self.say(&text, Some(Tone::Asks));
                    } else {
                        self.say(text, None);
                    }
                }
            }
        }
        self.said = waiting
            .iter()
            .map(|w| (w.item.clone(), w.what.clone()))
            .collect();
        self.waiting = waiting.to_vec();
        if let Some((_, at)) = state.last {
            self.draw(program, state, at);
        }
    }

    fn tick(&mut self, program: &Program, state: &State, now: Timestamp) {
        self.draw(program, state, now);
    }

    fn notice(&mut self, text: &str) {
        self.say(&format!("note: {}", visible(text)), Some(Tone::Asks));
    }
}

impl Drop for LiveAudience {
    fn drop(&mut self) {
        self.end();
    }
}
