//! Who watches a run from this terminal, and how its end is told.

use std::io::{BufRead as _, Stderr, Stdout};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::context::Context;
use super::people::People;
use crate::plan::program::Program;
use crate::run::drive::{Audience, Session, Typed};
use crate::run::engine::{Record, Standing, State, Waiting};
use crate::run::perform::manifest::Progress;
use crate::show::answer::Address;
use crate::show::dialog::{Dialog, Step};
use crate::show::progress::{JsonAudience, LiveAudience, PlainAudience};
use crate::show::status::StatusView;
use crate::show::summary::summary;
use crate::show::text::Look;

/// How often a live display is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// How often plain text asks whether what still runs should be named again.
const PLAIN_TICK: Duration = Duration::from_secs(5);

enum Eyes {
    Live(Box<LiveAudience>),
    Plain(PlainAudience<Stderr>),
    Json(JsonAudience<Stdout, PlainAudience<Stderr>>),
}

/// The audience of this terminal.
pub(super) struct Watcher {
    eyes: Eyes,
    dialog: Option<(Dialog, People)>,
    waiting: Vec<Waiting>,
}

impl Watcher {
    pub(super) fn new(context: &Context, people: People, address: &Address) -> Self {
        let plain = || PlainAudience::new(std::io::stderr(), address.clone());
        let eyes = if context.json() {
            Eyes::Json(JsonAudience::new(std::io::stdout(), plain()))
        } else if context.live {
            Eyes::Live(Box::new(LiveAudience::new(
                Box::new(super::context::terminal_size),
                context.colour,
                address.clone(),
            )))
        } else {
            Eyes::Plain(plain())
        };
        let dialog = context
            .interactive
            .then(|| (Dialog::new(context.actor().name), people));
        Self {
            eyes,
            dialog,
            waiting: Vec::new(),
        }
    }

    pub(super) fn tick(context: &Context) -> Option<Duration> {
        Some(if context.live { TICK } else { PLAIN_TICK })
    }

    /// Lines that are typed, if questions may be asked. The thread ends with the process or with its input.
    pub(super) fn typed(context: &Context) -> Option<mpsc::UnboundedReceiver<String>> {
        if !context.interactive {
            return None;
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Some(receiver)
    }

    /// Takes a live display away, so that plain text can follow.
    pub(super) fn end(&mut self) {
        if let Eyes::Live(live) = &mut self.eyes {
            live.end();
        }
    }

    fn each(&mut self) -> &mut dyn Audience {
        match &mut self.eyes {
            Eyes::Live(live) => live.as_mut(),
            Eyes::Plain(plain) => plain,
            Eyes::Json(json) => json,
        }
    }
}

impl Audience for Watcher {
    fn recorded(&mut self, program: &Program, state: &State, record: &Record) {
        self.each().recorded(program, state, record);
    }

    fn output(&mut self, what: &str, line: &str) {
        self.each().output(what, line);
    }

    fn progress(&mut self, what: &str, progress: Progress) {
        self.each().progress(what, progress);
    }

    fn waiting(&mut self, program: &Program, state: &State, waiting: &[Waiting]) {
        self.each().waiting(program, state, waiting);
        self.waiting = waiting.to_vec();
        let question = self
            .dialog
            .as_mut()
            .and_then(|(dialog, _)| dialog.question(waiting));
        if let (Eyes::Live(live), true) = (&mut self.eyes, self.dialog.is_some()) {
            live.ask(!waiting.is_empty());
        }
        if let Some(question) = question {
            eprintln!("{question}");
        }
    }

    fn typed(&mut self, line: &str) -> Typed {
        let Some((dialog, people)) = &mut self.dialog else {
            return Typed::Nothing;
        };
        match dialog.line(line) {
            Step::Answer {
                item,
                answer,
                name,
                reason,
            } => match people.may_answer(&name) {
                Ok(()) => Typed::Answer {
                    item,
                    answer,
                    name,
                    reason,
                },
                Err(failure) => {
                    eprintln!("{}", failure.message);
                    if let Some(question) = dialog.question(&self.waiting) {
                        eprintln!("{question}");
                    }
                    Typed::Nothing
                }
            },
            Step::OverrideWindow { name, reason } => Typed::OverrideWindow {
                reason: format!("{reason} ({name})"),
            },
            Step::AskNext(text) | Step::Again(text) => {
                eprintln!("{text}");
                Typed::Nothing
            }
            Step::Leave => Typed::Leave,
        }
    }

    fn tick(&mut self, program: &Program, state: &State, now: Timestamp) {
        self.each().tick(program, state, now);
    }

    fn notice(&mut self, text: &str) {
        self.each().notice(text);
    }
}

/// Tells how the run stands at the end of a verb that drove it.
pub(super) fn tell(
    context: &Context,
    verb: &str,
    session: &Session,
    standing: &Standing,
    address: &Address,
) -> Result<u8, super::Failure> {
    let records = session.folder.read().map_err(super::Failure::io)?.records;
    let look = Look {
        width: context.width,
        colour: context.colour,
    };
    let text = summary(
        &session.program,
        &session.state,
        standing,
        &records,
        Some(session.head().as_str()),
        address,
        look,
    );
    context.say(text.trim_end());
    if context.json() {
        let view = StatusView::new(
            &session.program,
            &session.state,
            standing,
            Timestamp::now(),
            false,
            Some(session.head().as_str()),
            address,
        );
        let value = serde_json::to_value(&view).map_err(super::Failure::io)?;
        context.print_json(&value);
    }
    context.result(
        verb,
        standing.exit_code,
        Some(session.run.as_str()),
        Some(&standing.state.to_string()),
    );
    Ok(standing.exit_code)
}
