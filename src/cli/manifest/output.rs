//! How the verbs answer: text, lines, a bar, a result file.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::context::Context;
use super::super::failure::Failure;
use crate::base::durable;
use crate::show::manifest::{Bar, Failed, Failures, IN_RESULT, Ledger, Progress, line};
use crate::show::text::Look;

/// How often a line of progress is printed where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// How often the progress file is written anew: a reader looks a few times a second at most.
const FILE_EVERY: Duration = Duration::from_millis(250);

/// The look of the answer: on standard output, where programs read standard output on standard error.
pub(super) fn look(context: &Context) -> Look {
    Look {
        width: context.width,
        colour: context.colour && (context.json() || std::io::stdout().is_terminal()),
    }
}

/// Prints a ledger for people.
pub(super) fn tell(context: &Context, ledger: &Ledger) {
    let text = ledger.draw(look(context));
    if context.json() {
        context.say(text.trim_end());
    } else {
        context.print(&text);
    }
}

/// The last line for programs: what every result has, and the counts of this verb.
pub(super) fn result(
    context: &Context,
    verb: &str,
    exit_code: u8,
    run: Option<&str>,
    counts: &Value,
) {
    if !context.json() {
        return;
    }
    let mut whole = json!({
        "format_version": 1,
        "type": "result",
        "verb": verb,
        "exit_code": exit_code,
        "run": run,
        "state": null,
    });
    extend(&mut whole, counts);
    context.print_json(&whole);
}

fn extend(whole: &mut Value, more: &Value) {
    if let (Some(whole), Some(more)) = (whole.as_object_mut(), more.as_object()) {
        for (key, value) in more {
            whole.insert(key.clone(), value.clone());
        }
    }
}

/// What failed, as it is learnt: each is told to programs at once, so that memory does not grow with their number.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    pub(super) failures: Failures,
    first: Vec<Value>,
}

impl Learnt {
    pub(super) fn push(&mut self, context: &Context, failed: Failed) {
        if context.json() {
            context.print_json(&failed.json());
        }
        if self.first.len() < IN_RESULT {
            self.first.push(json!({
                "path": failed.path,
                "class": failed.class,
                "message": failed.message,
            }));
        }
        self.failures.push(failed);
    }

    /// Writes the result file: the counts, and the first failures.
    pub(super) fn write(&self, file: Option<&Path>, counts: &Value) -> Result<(), Failure> {
        let Some(file) = file else {
            return Ok(());
        };
        let mut whole = json!({"format_version": 1});
        extend(&mut whole, counts);
        extend(&mut whole, &json!({"failures": self.first}));
        durable::replace(file, format!("{whole}\n").as_bytes(), 0o644).map_err(|error| {
            Failure::io(format!("the result file was not written: {error}"))
                .means("what was done is done and recorded; only this file is missing")
                .next("type the same command again: what is done is not done twice")
        })
    }
}

/// Shows how far it is, wherever somebody looks.
pub(super) struct Meter<'a> {
    context: &'a Context,
    what: &'static str,
    file: Option<&'a Path>,
    bar: Option<Bar>,
    began: Instant,
    said: Instant,
    wrote: Option<Instant>,
}

impl<'a> Meter<'a> {
    /// `what` is the verb as one word; `file` is kept up to date too.
    pub(super) fn new(context: &'a Context, what: &'static str, file: Option<&'a Path>) -> Self {
        let now = Instant::now();
        Self {
            context,
            what,
            file,
            bar: context
                .live
                .then(|| Bar::new(what, context.width, context.colour)),
            began: now,
            said: now,
            wrote: None,
        }
    }

    /// Shows it, if it is time to.
    pub(super) fn show(&mut self, progress: Progress) {
        if let Some(bar) = &mut self.bar {
            bar.show(progress);
        } else if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            let text = line(progress, self.began.elapsed());
            self.context.say(&format!("{}: {text}", self.what));
        }
        if self.wrote.is_none_or(|at| at.elapsed() >= FILE_EVERY) {
            self.write(progress);
        }
    }

    /// Shows the last word, and takes the bar away.
    pub(super) fn end(mut self, progress: Progress) {
        self.write(progress);
        self.bar = None;
    }

    /// Prints while the bar is away.
    pub(super) fn suspend<T>(&self, f: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(f),
            None => f(),
        }
    }

    fn write(&mut self, progress: Progress) {
        let Some(file) = self.file else {
            return;
        };
        self.wrote = Some(Instant::now());
        let text = json!({
            "format_version": 1,
            "done": progress.done,
            "total": progress.total,
            "failed": progress.failed,
        });
        // Replaced as a whole, so that nobody reads half of it, but not synced: it is only to be looked at. A file that
        // cannot be written takes nothing from the migration, and who reads it sees that it is not there.
        let next = file.with_extension("next");
        if std::fs::write(&next, format!("{text}\n"))
            .and_then(|()| std::fs::rename(&next, file))
            .is_err()
        {
            tracing::warn!(file = %file.display(), "the progress file cannot be written");
        }
    }
}
