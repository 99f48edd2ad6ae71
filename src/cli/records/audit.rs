//! `audit`: whether a run's record is as it was written.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::alive::{Alive, alive};
use crate::base::id::{Digest, RunId};
use crate::cli::arguments::AuditArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::plan::program::plan_digest;
use crate::run::drive::{OpenError, View};
use crate::run::engine::{Event, Proof, Record, standing};
use crate::run::journal::{Contents, Inputs, ReadError, RunFolder};
use crate::run::supervise::{RECORDS, read_records};
use crate::show::text::visible;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Broken {
    /// Relative to the run's folder.
    file: String,
    /// The record that names it, or that is damaged itself.
    record: Option<u64>,
    why: String,
}

/// What an audit found.
#[derive(Debug, Default)]
struct Audit {
    broken: Vec<Broken>,
    /// What is worth knowing and no damage.
    notes: Vec<String>,
    records: usize,
    head: Option<Digest>,
    inputs: usize,
    logs: usize,
    evidence: usize,
    state: Option<String>,
}

const JOURNAL: &str = "journal.jsonl";

/// The fewest digits of a head that are taken for one.
const HEAD_DIGITS: usize = 12;

/// The verb: 0 when all is as it was written, 8 when something is not.
pub(in crate::cli) fn audit(context: &Context, arguments: &AuditArgs) -> Result<u8, Failure> {
    let wanted = arguments.head.as_deref().map(head).transpose()?;
    let (state_dir, run, folder) = context.pick(arguments.run.as_deref())?;
    let mut audit = Audit::default();
    let contents = audit.journal(&run, &folder);
    let records = contents.as_ref().map_or(&[][..], |c| &c.records);
    let living = match alive(&state_dir, &run, &folder, records) {
        Ok(living) => living,
        Err(error) => {
            audit.notes.push(format!(
                "whether a process drives the run is not known: {error}"
            ));
            Alive::default()
        }
    };
    if let Some(contents) = &contents {
        audit.torn(contents, &living);
        audit.starts(&run, contents);
    }
    audit.inputs(&run, &folder, contents.as_ref());
    audit.logs(&folder, records);
    audit.evidence(&folder, records);
    if let Some(wanted) = wanted {
        audit.head(&folder, &wanted, contents.is_some());
    }
    Ok(audit.print(context, &run))
}

/// A head as it is typed: its digits, lower case.
fn head(text: &str) -> Result<String, Failure> {
    let digits = text.trim().to_ascii_lowercase();
    let digits = digits.strip_prefix("sha256:").unwrap_or(&digits);
    let fits = (HEAD_DIGITS..=64).contains(&digits.len());
    if fits && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(digits.to_owned())
    } else {
        Err(Failure::usage(format!(
            "{text:?} is not a head hash: it has 64 hex digits, of which at least {HEAD_DIGITS} are needed"
        )))
    }
}

impl Audit {
    fn broken(&mut self, file: impl Into<String>, record: Option<u64>, why: impl Into<String>) {
        let broken = Broken {
            file: file.into(),
            record,
            why: why.into(),
        };
        if !self.broken.contains(&broken) {
            self.broken.push(broken);
        }
    }

    /// The chain.
    fn journal(&mut self, run: &RunId, folder: &RunFolder) -> Option<Contents> {
        match folder.read() {
            Ok(contents) => {
                self.records = contents.records.len();
                self.head = Some(contents.head.clone());
                if contents.run != *run {
                    let why = format!("it is the journal of run {}", contents.run);
                    self.broken(JOURNAL, Some(0), why);
                }
                Some(contents)
            }
            Err(ReadError::Damaged { damage, .. }) => {
                // Every record before the damaged line is good.
                self.records = usize::try_from(damage.record.saturating_sub(1)).unwrap_or(0);
                let why = format!(
                    "line {}, byte {}: {}",
                    damage.line, damage.offset, damage.why
                );
                self.broken(JOURNAL, Some(damage.record), why);
                None
            }
            Err(ReadError::Io { source, .. }) => {
                self.broken(JOURNAL, None, format!("it cannot be read: {source}"));
                None
            }
            Err(error @ ReadError::Format { .. }) => {
                self.broken(JOURNAL, Some(0), error.to_string());
                None
            }
        }
    }

    fn torn(&mut self, contents: &Contents, living: &Alive) {
        let (bytes, last) = (contents.torn.len(), contents.records.len());
        if bytes == 0 {
            return;
        }
        self.notes.push(if living.driver {
            format!("a line after record {last} is being written now ({bytes} bytes so far)")
        } else {
            format!(
                "the line after record {last} was cut off ({bytes} bytes): the machine died while it was written; \
                 no effect relied on it, and the next driver sets it aside"
            )
        });
    }

    /// The first record is of this run, and the only one of its kind.
    fn starts(&mut self, run: &RunId, contents: &Contents) {
        match contents.records.first().map(|r| &r.event) {
            Some(Event::RunStarted(start)) if start.run == *run => {}
            Some(Event::RunStarted(start)) => {
                let why = format!("it says that run {} started", start.run);
                self.broken(JOURNAL, Some(1), why);
            }
            _ => self.broken(JOURNAL, Some(1), "it does not say how the run started"),
        }
    }

    /// The snapshots; that they are those of this journal; and that the records follow from one another.
    fn inputs(&mut self, run: &RunId, folder: &RunFolder, contents: Option<&Contents>) {
        match Inputs::load(&folder.inputs()) {
            Err(error) => {
                self.broken(
                    "inputs/inputs.json",
                    None,
                    format!("it cannot be read: {error}"),
                );
            }
            Ok(inputs) => {
                self.inputs = inputs.files.len();
                for changed in inputs.damaged(&folder.inputs()) {
                    self.broken(format!("inputs/{}", changed.path), None, changed.what);
                }
                if let Some(contents) = contents
                    && !hashes(&contents.records, |_, inputs| inputs).contains(&inputs.hash())
                {
                    let why = "it is not the list that the journal names: its hash is another";
                    self.broken("inputs/inputs.json", Some(1), why);
                }
            }
        }
        if let Err(error) = read_records(folder.path()) {
            self.broken(RECORDS, None, error.to_string());
        }
        match View::open(run.clone(), folder.clone()) {
            Ok(view) => {
                let plan = plan_digest(&view.plan);
                if !hashes(&view.contents.records, |plan, _| plan).contains(&plan) {
                    let why = "it is not the plan that the journal names: its digest is another";
                    self.broken("inputs/plan.json", Some(1), why);
                }
                let now = jiff::Timestamp::now();
                self.state = Some(standing(&view.program, &view.state, now).state.to_string());
            }
            // Told above, with the place.
            Err(OpenError::Journal(_)) => {}
            Err(OpenError::Inputs { source, .. }) => {
                let list_is_told = self.broken.iter().any(|b| b.file == "inputs/inputs.json");
                if !list_is_told {
                    self.broken(
                        "inputs/plan.json",
                        None,
                        format!("it cannot be read: {source}"),
                    );
                }
            }
            Err(OpenError::Plan { first, .. }) => {
                let why =
                    format!("it makes no program, which it did when the run started: {first}");
                self.broken("inputs/plan.json", None, why);
            }
            Err(OpenError::Illegal { illegal, .. }) => {
                let why = format!(
                    "{} may not follow what is before it: {}",
                    illegal.what, illegal.why
                );
                self.broken(JOURNAL, Some(illegal.n), why);
            }
        }
    }

    /// The logs whose digests the records name.
    fn logs(&mut self, folder: &RunFolder, records: &[Record]) {
        // A log that could not be written to its end (a full disk) is known by the length that its digest covers.
        let partial: HashMap<String, u64> = read_records(folder.path())
            .map(|records| records.ended)
            .unwrap_or_default()
            .into_iter()
            .filter(|end| end.log.error.is_some())
            .map(|end| (end.log.path.to_string_lossy().into_owned(), end.log.bytes))
            .collect();
        for record in records {
            let Some((log, sha256)) = proof(&record.event)
                .and_then(|proof| Some((proof.log.as_ref()?, proof.log_sha256.as_ref()?)))
            else {
                continue;
            };
            let Some(path) = inside(folder.path(), log) else {
                self.broken(log, Some(record.n), "it is not a file of this run's folder");
                continue;
            };
            match digest(&path, partial.get(log).copied()) {
                Ok(now) if now.as_str() == sha256 => self.logs += 1,
                Ok(_) => self.broken(
                    log,
                    Some(record.n),
                    "it is not as it was when it was written",
                ),
                // Nothing was printed, so nothing was written.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && Digest::of(b"").as_str() == sha256 => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.broken(log, Some(record.n), "it is missing");
                }
                Err(error) => {
                    self.broken(log, Some(record.n), format!("it cannot be read: {error}"));
                }
            }
        }
    }

    /// What people handed in.
    fn evidence(&mut self, folder: &RunFolder, records: &[Record]) {
        for record in records {
            let (Event::Attested { evidence, .. } | Event::Approved { evidence, .. }) =
                &record.event
            else {
                continue;
            };
            let Some((file, sha256)) = evidence.as_deref().map(named_digest) else {
                continue;
            };
            let Some(path) = inside(folder.path(), file) else {
                continue;
            };
            match (digest(&path, None), sha256) {
                (Ok(now), Some(sha256)) if now.as_str() != sha256 => {
                    self.broken(
                        file,
                        Some(record.n),
                        "it is not as it was when it was handed in",
                    );
                }
                (Ok(_), _) => self.evidence += 1,
                (Err(error), _) => {
                    self.broken(file, Some(record.n), format!("it cannot be read: {error}"));
                }
            }
        }
    }

    /// Compares the chain with a head that was noted elsewhere.
    fn head(&mut self, folder: &RunFolder, wanted: &str, whole: bool) {
        // An unreadable journal is told already.
        let Ok(bytes) = std::fs::read(folder.journal()) else {
            return;
        };
        let lines: Vec<Digest> = bytes
            .split_inclusive(|&b| b == b'\n')
            .filter_map(|line| line.strip_suffix(b"\n"))
            .map(Digest::of)
            .collect();
        match lines.iter().rposition(|d| d.as_str().starts_with(wanted)) {
            Some(at) if at + 1 == lines.len() => {
                self.notes.push("the head is the one that was given".to_owned());
            }
            Some(at) => {
                let after = lines.len() - 1 - at;
                self.notes.push(format!(
                    "the head that was given is record {at}'s; {} came after it",
                    count(after, "record")
                ));
            }
            None if whole => self.broken(
                JOURNAL,
                None,
                format!(
                    "the head {wanted} is nowhere in the chain: since it was noted, records were cut off the end or all \
                     was written anew"
                ),
            ),
            None => self.broken(
                JOURNAL,
                None,
                format!("the head {wanted} is no digest of a line that is there"),
            ),
        }
    }

    fn print(&self, context: &Context, run: &RunId) -> u8 {
        let ok = self.broken.is_empty();
        let exit_code = if ok { 0 } else { 8 };
        let text = self.text(run);
        if context.json() {
            context.say(text.trim_end());
            context.print_json(&json!({
                "format_version": 1,
                "type": "audit",
                "ok": ok,
                "run": run,
                "records": self.records,
                "head": self.head,
                "inputs": self.inputs,
                "logs": self.logs,
                "evidence": self.evidence,
                "notes": self.notes,
                "broken": self.broken,
            }));
        } else {
            context.print(&text);
        }
        context.result(
            "audit",
            exit_code,
            Some(run.as_str()),
            self.state.as_deref(),
        );
        exit_code
    }

    fn text(&self, run: &RunId) -> String {
        let mut text = String::new();
        if self.broken.is_empty() {
            text.push_str(&format!(
                "ok: {}, head {}, {}, {}",
                count(self.records, "record"),
                self.head.as_ref().map_or("", Digest::as_str),
                count(self.inputs, "input"),
                count(self.logs, "log"),
            ));
            if self.evidence > 0 {
                text.push_str(&format!(", {} of evidence", count(self.evidence, "piece")));
            }
            text.push('\n');
        }
        for broken in &self.broken {
            let record = broken
                .record
                .map_or_else(String::new, |n| format!(", record {n}"));
            let line = format!("broken: {}{record}: {}", broken.file, broken.why);
            text.push_str(&visible(&line));
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("note: {}\n", visible(note)));
        }
        if !self.broken.is_empty() {
            text.push_str(&format!(
                "  so: the record of run {run} is not as it was written; do not decide by it alone\n\
                 next: restore the files named above from a backup, then audit again\n"
            ));
        }
        text
    }
}

fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// The digests that a run's records name, of plan and inputs: those of the start, and those that were accepted later.
fn hashes(
    records: &[Record],
    pick: impl for<'a> Fn(&'a Digest, &'a Digest) -> &'a Digest,
) -> HashSet<Digest> {
    records
        .iter()
        .filter_map(|record| match &record.event {
            Event::RunStarted(start) => Some(pick(&start.plan_digest, &start.inputs_hash)),
            Event::DriftAccepted {
                plan_digest,
                inputs_hash,
                ..
            } => Some(pick(plan_digest, inputs_hash)),
            _ => None,
        })
        .cloned()
        .collect()
}

/// What is kept of an outcome, if the event has one.
pub(super) fn proof(event: &Event) -> Option<&Proof> {
    match event {
        Event::CheckJudged { proof, .. }
        | Event::ActionEnded { proof, .. }
        | Event::UndoEnded { proof, .. } => Some(proof),
        _ => None,
    }
}

/// A file that a record names, if it lies in the run's folder.
pub(super) fn inside(folder: &Path, file: &str) -> Option<PathBuf> {
    let path = Path::new(file);
    let plain = path.components().all(|c| matches!(c, Component::Normal(_)));
    (plain && !file.is_empty()).then(|| folder.join(path))
}

/// A file and its digest, where the text names one after `sha256:`.
fn named_digest(text: &str) -> (&str, Option<&str>) {
    let separators = |c: char| c.is_whitespace() || "#@(,;".contains(c);
    match text.split_once("sha256:") {
        Some((file, rest)) => (file.trim_end_matches(separators), rest.get(..64)),
        None => (text, None),
    }
}

fn digest(path: &Path, bytes: Option<u64>) -> io::Result<Digest> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    Digest::of_reader(file.take(bytes.unwrap_or(u64::MAX)))
}
