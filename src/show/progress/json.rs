//! One JSON object a line for machines; people's text goes to another audience.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::plan::program::Program;
use crate::run::drive::Audience;
use crate::run::engine::{Event, Record, State, Waiting};
use crate::run::perform::manifest::Progress;

/// Writes `{"format_version":1,"type":"event","n":..,"at":..,"event":{..}}` for every record, and tells `people` the
/// same in their way.
#[derive(Debug)]
pub struct JsonAudience<W: Write, A: Audience> {
    writer: W,
    people: A,
    error: Option<io::Error>,
}

#[derive(Serialize)]
struct Line<'a> {
    format_version: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    n: u64,
    at: Timestamp,
    event: &'a Event,
}

/// A record as a line of JSON, without the line break.
///
/// # Errors
/// What serde says; plain data does not fail.
pub fn json_line(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(&Line {
        format_version: 1,
        kind: "event",
        n: record.n,
        at: record.at,
        event: &record.event,
    })
}

impl<W: Write, A: Audience> JsonAudience<W, A> {
    /// JSON to `writer`, text to `people`.
    pub const fn new(writer: W, people: A) -> Self {
        Self {
            writer,
            people,
            error: None,
        }
    }

    /// The first write that failed, if one did; nothing is written after it.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// The writer and the other audience.
    pub fn into_inner(self) -> (W, A) {
        (self.writer, self.people)
    }
}

impl<W: Write, A: Audience> Audience for JsonAudience<W, A> {
    fn recorded(&mut self, program: &Program, state: &State, record: &Record) {
        if self.error.is_none()
            && let Err(error) = json_line(record)
                .map_err(io::Error::other)
                .and_then(|line| writeln!(self.writer, "{line}"))
                .and_then(|()| self.writer.flush())
        {
            self.error = Some(error);
        }
        self.people.recorded(program, state, record);
    }

    fn output(&mut self, what: &str, line: &str) {
        self.people.output(what, line);
    }

    fn progress(&mut self, what: &str, progress: Progress) {
        self.people.progress(what, progress);
    }

    fn waiting(&mut self, program: &Program, state: &State, waiting: &[Waiting]) {
        self.people.waiting(program, state, waiting);
    }

    fn tick(&mut self, program: &Program, state: &State, now: Timestamp) {
        self.people.tick(program, state, now);
    }

    fn notice(&mut self, text: &str) {
        self.people.notice(text);
    }
}
