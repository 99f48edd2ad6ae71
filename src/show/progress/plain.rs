//! Time-stamped lines without control sequences, for what is not a terminal.

use std::io::{self, Write};

use jiff::Timestamp;

use super::frame::{Manifests, migrated};
use crate::plan::program::Program;
use crate::run::drive::Audience;
use crate::run::engine::{Event, Record, Stage, State, UndoStage, Waiting};
use crate::run::perform::manifest::Progress;
use crate::show::answer::{Address, answer_command, other_answers};
use crate::show::plain::line;
use crate::show::text::{between, instant, millis, visible};
use crate::show::words;

/// After so long without a line, what still runs is named: build servers end silent jobs.
const SILENCE_MS: u64 = 60_000;

/// Writes one line per record.
#[derive(Debug)]
pub struct PlainAudience<W: Write> {
    writer: W,
    output: bool,
    waits: Vec<(String, String)>,
    address: Address,
    spoke_at: Option<Timestamp>,
    manifests: Manifests,
    error: Option<io::Error>,
}

impl<W: Write> PlainAudience<W> {
    /// Writes to `writer`; what steps print is not shown (it is in the log files, and its end is shown on a failure).
    pub fn new(writer: W, address: Address) -> Self {
        Self {
            writer,
            output: false,
            waits: Vec::new(),
            address,
            spoke_at: None,
            manifests: Manifests::new(),
            error: None,
        }
    }

    /// Whether to show every line that steps print.
    #[must_use]
    pub fn with_output(mut self, output: bool) -> Self {
        self.output = output;
        self
    }

    /// The first write that failed, if one did; nothing is written after it.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.writer
    }

    fn write(&mut self, line: &str) {
        // In one piece: standard error is not buffered, and others write to it as well.
        if self.error.is_none()
            && let Err(error) = self
                .writer
                .write_all(format!("{line}\n").as_bytes())
                .and_then(|()| self.writer.flush())
        {
            self.error = Some(error);
        }
    }
}

/// What a waiting item says, and the command that answers it.
pub(super) fn waiting_lines(state: &State, wait: &Waiting, address: &Address) -> Vec<String> {
    let mut first = format!(
        "waits: {} (who: {}",
        visible(&wait.what),
        visible(&words::who(&wait.who))
    );
    if let Some(until) = wait.until {
        first.push_str(&format!("; by itself at {}", instant(until)));
    }
    first.push(')');
    let mut lines = vec![first];
    if let Some(start) = &state.started {
        lines.push(format!(
            "    answer: {}",
            answer_command(&start.run, wait, address)
        ));
        for choice in other_answers(&start.run, wait, address) {
            lines.push(format!(
                "    or:     {}  ({})",
                choice.command, choice.means
            ));
        }
    }
    lines
}

impl<W: Write> Audience for PlainAudience<W> {
    fn recorded(&mut self, program: &Program, state: &State, record: &Record) {
        self.spoke_at = Some(record.at);
        if let Event::ActionEnded { step, .. } = &record.event {
            self.manifests.remove(step.as_str());
        }
        for line in line(program, state, record) {
            self.write(&line);
        }
    }

    fn output(&mut self, what: &str, line: &str) {
        if self.output {
            self.write(&format!("    {} | {}", visible(what), visible(line)));
        }
    }

    fn progress(&mut self, what: &str, progress: Progress) {
        self.manifests.insert(what.to_owned(), progress);
    }

    fn waiting(&mut self, _program: &Program, state: &State, waiting: &[Waiting]) {
        let at = state.last.map(|(_, at)| format!("{}  ", instant(at)));
        let at = at.unwrap_or_default();
        for wait in waiting {
            let key = (wait.item.clone(), wait.what.clone());
            if self.waits.contains(&key) {
                continue;
            }
            for (i, line) in waiting_lines(state, wait, &self.address).iter().enumerate() {
                if i == 0 {
                    self.write(&format!("{at}{}  {line}", visible(&wait.item)));
                } else {
                    self.write(line);
                }
            }
        }
        self.waits = waiting
            .iter()
            .map(|w| (w.item.clone(), w.what.clone()))
            .collect();
    }

    fn tick(&mut self, program: &Program, state: &State, now: Timestamp) {
        let Some(spoke_at) = self.spoke_at else {
            return;
        };
        if between(spoke_at, now) < SILENCE_MS {
            return;
        }
        self.spoke_at = Some(now);
        for (step, at) in program.steps.iter().zip(&state.steps) {
            if !matches!(at.stage, Stage::Acting | Stage::Observing { .. }) {
                continue;
            }
            let elapsed = at.started_at.map_or(0, |from| between(from, now));
            let estimate = step.estimate_ms().map_or_else(String::new, |estimate| {
                format!(" of about {}", millis(estimate))
            });
            let far = match self.manifests.get(step.id.as_str()) {
                Some(progress) if at.stage == Stage::Acting => {
                    format!(": {}", migrated(*progress, elapsed))
                }
                _ => String::new(),
            };
            self.write(&format!(
                "{}  {}  still going on ({}{estimate}){far}",
                instant(now),
                step.id,
                millis(elapsed)
            ));
        }
        let undos = state.unwinding.iter().flat_map(|u| &u.progress);
        for (unit, progress) in undos {
            if progress.stage == UndoStage::Acting {
                self.write(&format!(
                    "{}  {unit}  its undo is still going on",
                    instant(now)
                ));
            }
        }
    }

    fn notice(&mut self, text: &str) {
        self.write(&format!("note: {}", visible(text)));
    }
}
