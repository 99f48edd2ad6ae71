//! `logs`: what the processes of a run printed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::alive::{alive, label};
use super::audit::{inside, proof};
use super::stream::{Sink, last_lines};
use crate::base::id::{RunId, file_stem};
use crate::base::watch::Watch;
use crate::cli::arguments::LogsArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::plan::program::Program;
use crate::run::drive::View;
use crate::run::engine::{Event, Record, standing};
use crate::run::journal::{RunFolder, StateDir};
use crate::run::supervise::read_records;

/// One log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Log {
    /// When its first line was written, as the log says it; the logs are ordered by it.
    begun: String,
    /// The record that names it, once there is one.
    record: Option<u64>,
    /// What printed it.
    item: String,
    /// Relative to the run's folder.
    path: String,
    bytes: u64,
}

/// Where logs are: of steps and undos, and of checks.
const FOLDERS: [&str; 2] = ["logs", "logs/checks"];

/// Length of the time before each line of a log.
const STAMP: usize = "2026-11-21T04:05:06.123Z".len();

/// How long at most until it is looked whether a run that is followed is still alive: nothing tells when a process of
/// another session ends.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The verb.
pub(in crate::cli) fn logs(context: &Context, arguments: &LogsArgs) -> Result<u8, Failure> {
    let (state_dir, run, folder) = context.pick(arguments.run.as_deref())?;
    // What was printed can be read although the record is damaged; then most of all.
    let view = View::open(run.clone(), folder.clone());
    if let Err(error) = &view {
        context.say(&format!(
            "warning: {error}; logs are shown all the same (`orchestrate audit {run}` says more)"
        ));
    }
    let view = view.ok();
    let source = Source {
        state_dir: &state_dir,
        run: &run,
        folder: &folder,
        program: view.as_ref().map(|v| &v.program),
        only: arguments.step.as_deref(),
    };
    source.known()?;
    let shown = if context.json() {
        source.list(context, arguments.follow)
    } else {
        source.print(context, arguments)
    };
    match shown {
        // Whoever read has gone: nothing to complain about.
        Err(Problem::Out(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Problem::Out(error)) => {
            return Err(Failure::io(format!("print the logs of run {run}: {error}")));
        }
        Err(Problem::Other(failure)) => return Err(failure),
        Ok(()) => {}
    }
    let state = view.map(|view| {
        let now = jiff::Timestamp::now();
        standing(&view.program, &view.state, now).state.to_string()
    });
    context.result("logs", 0, Some(run.as_str()), state.as_deref());
    Ok(0)
}

enum Problem {
    Out(io::Error),
    Other(Failure),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

struct Source<'a> {
    state_dir: &'a StateDir,
    run: &'a RunId,
    folder: &'a RunFolder,
    program: Option<&'a Program>,
    /// The step or check that is asked for.
    only: Option<&'a str>,
}

impl Source<'_> {
    fn records(&self) -> Vec<Record> {
        self.folder.read().map(|c| c.records).unwrap_or_default()
    }

    /// Refuses an id that nothing in the plan has.
    fn known(&self) -> Result<(), Failure> {
        let (Some(wanted), Some(program)) = (self.only, self.program) else {
            return Ok(());
        };
        let ids = ids(program);
        if ids.iter().any(|id| is_of(id, wanted)) {
            return Ok(());
        }
        let near = ids
            .iter()
            .max_by(|a, b| {
                strsim::jaro_winkler(a, wanted).total_cmp(&strsim::jaro_winkler(b, wanted))
            })
            .filter(|id| strsim::jaro_winkler(id, wanted) > 0.8);
        let failure = Failure::usage(format!(
            "run {} has no step, check or gate {wanted}",
            self.run
        ));
        Err(match near {
            Some(near) => failure.next(format!("did you mean `--step {near}`?")),
            None => failure,
        })
    }

    /// Every log that is there, in order of start.
    fn logs(&self) -> Result<Vec<Log>, Failure> {
        let names = self.names();
        let mut logs = Vec::new();
        for folder in FOLDERS {
            self.logs_in(folder, &names, &mut logs)?;
        }
        logs.sort_by(|a: &Log, b| {
            (&a.begun, a.record, &a.path).cmp(&(&b.begun, b.record, &b.path))
        });
        Ok(logs)
    }

    fn logs_in(
        &self,
        within: &str,
        names: &HashMap<String, (Option<u64>, String)>,
        logs: &mut Vec<Log>,
    ) -> Result<(), Failure> {
        let folder = self.folder.path().join(within);
        let failed = |error: io::Error| Failure::io(format!("list {}: {error}", folder.display()));
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{within}/{name}");
            let Some(file) = inside(self.folder.path(), &path).filter(|file| file.is_file()) else {
                continue;
            };
            let Some(stem) = name.strip_suffix(".log") else {
                continue;
            };
            // What services printed after their step had ended.
            let (stem, late) = match stem.strip_suffix(".late") {
                Some(stem) => (stem, " (after its end)"),
                None => (stem, ""),
            };
            let (record, item) = match names.get(&format!("{within}/{stem}.log")) {
                Some((record, item)) => (*record, item.clone()),
                None => (None, self.guess(stem)),
            };
            if self.only.is_some_and(|wanted| !is_of(&item, wanted)) {
                continue;
            }
            logs.push(Log {
                begun: begun(&file),
                record,
                item: format!("{item}{late}"),
                bytes: fs::metadata(&file).map_or(0, |meta| meta.len()),
                path,
            });
        }
        Ok(())
    }

    /// What the records say of logs: by path, the record and what printed it.
    fn names(&self) -> HashMap<String, (Option<u64>, String)> {
        let mut names = HashMap::new();
        // Of what still runs only the supervisor's records know.
        if let Ok(records) = read_records(self.folder.path()) {
            for accepted in records.accepted {
                let path = accepted.log.to_string_lossy().into_owned();
                names.insert(path, (None, label(&accepted.job)));
            }
        }
        for record in self.records() {
            let Some(log) = proof(&record.event).and_then(|proof| proof.log.clone()) else {
                continue;
            };
            let item = match &record.event {
                Event::ActionEnded { step, .. } => step.to_string(),
                Event::UndoEnded { unit, .. } => format!("undo {unit}"),
                Event::CheckJudged { item, .. } => item.to_string(),
                _ => continue,
            };
            names.insert(log, (Some(record.n), item));
        }
        names
    }

    /// What printed a log that no record names: a check that is evaluated now, or one of several cases of a dataset.
    fn guess(&self, stem: &str) -> String {
        let name = stem.rsplit_once('~').map_or(stem, |(name, _)| name);
        let name = label(name);
        let without_case = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let without_case = without_case.strip_suffix('_').unwrap_or(&name);
        let known = self.program.map(ids).unwrap_or_default();
        let find = |wanted: &str| {
            known.iter().find(|id| {
                let stem = file_stem(id);
                stem.rsplit_once('~').map_or(&*stem, |(name, _)| name) == wanted
            })
        };
        find(&name)
            .or_else(|| find(without_case))
            .cloned()
            .unwrap_or(name)
    }

    /// One object a log; with `follow`, as each begins.
    fn list(&self, context: &Context, follow: bool) -> Result<(), Problem> {
        let mut known = BTreeMap::new();
        self.each_change(follow, |source| {
            for log in source.logs()? {
                if known.insert(log.path.clone(), ()).is_none() {
                    context.print_json(&json!({
                        "format_version": 1,
                        "type": "log",
                        "record": log.record,
                        "item": log.item,
                        "path": source.folder.path().join(&log.path),
                        "bytes": log.bytes,
                    }));
                }
            }
            Ok(())
        })
    }

    fn print(&self, context: &Context, arguments: &LogsArgs) -> Result<(), Problem> {
        let mut sink = Sink::new();
        let mut printed: BTreeMap<String, u64> = BTreeMap::new();
        let mut last = None;
        self.each_change(arguments.follow, |source| {
            for log in source.logs()? {
                let file = source.folder.path().join(&log.path);
                let unreadable =
                    |error: io::Error| Failure::io(format!("read {}: {error}", file.display()));
                let is_new = !printed.contains_key(&log.path);
                let from = match (printed.get(&log.path), arguments.lines) {
                    (Some(from), _) => *from,
                    (None, Some(lines)) => last_lines(&file, lines).map_err(unreadable)?,
                    (None, None) => 0,
                };
                if !is_new && log.bytes <= from {
                    continue;
                }
                if last.as_ref() != Some(&log.path) {
                    sink.header(
                        &format!("==> {}: {} <==", log.item, log.path),
                        last.is_some(),
                    )?;
                    last = Some(log.path.clone());
                }
                let to = sink.copy(&file, from)?;
                sink.flush()?;
                printed.insert(log.path, to);
            }
            Ok(())
        })?;
        sink.finish()?;
        if printed.is_empty() {
            let of = self.only.map_or_else(String::new, |id| format!(" of {id}"));
            context.say(&format!(
                "nothing{of} has printed anything in run {}",
                self.run
            ));
        }
        Ok(())
    }

    /// Does it once, or again at every change until nothing of the run is alive.
    fn each_change(
        &self,
        follow: bool,
        mut show: impl FnMut(&Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        if !follow {
            return show(self);
        }
        let folder = self.folder.path();
        let logs = folder.join("logs");
        let watch = Watch::changes(&[folder, &logs])
            .map_err(|e| Failure::io(format!("watch {}: {e}", folder.display())))?;
        loop {
            // Looked at first: what is printed until the end is there once nothing is alive.
            let living = alive(self.state_dir, self.run, self.folder, &self.records())
                .map_err(Failure::io)?;
            show(self)?;
            if !living.any() {
                return Ok(());
            }
            watch
                .wait(LOOK_AGAIN)
                .map_err(|e| Failure::io(format!("watch {}: {e}", folder.display())))?;
        }
    }
}

/// Everything in a plan that prints: steps and checks.
fn ids(program: &Program) -> Vec<String> {
    let mut ids: Vec<String> = program.steps.iter().map(|s| s.id.to_string()).collect();
    ids.extend(program.gates.iter().map(|g| g.id.to_string()));
    ids.extend(program.phases.iter().map(|p| p.id.to_string()));
    for block in program.blocks() {
        ids.extend(
            program
                .block(&block)
                .iter()
                .map(|check| check.id.to_string()),
        );
    }
    ids
}

/// Whether an item is the one that is asked for, its undo, or one of its checks (`STEP-1.validation_checks.0`).
fn is_of(item: &str, wanted: &str) -> bool {
    let item = item.strip_prefix("undo ").unwrap_or(item);
    item.strip_prefix(wanted.strip_prefix("undo ").unwrap_or(wanted))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The time of the first line; empty if there is none, which sorts first.
fn begun(path: &Path) -> String {
    let mut stamp = [0; STAMP];
    match fs::File::open(path).and_then(|mut file| file.read_exact(&mut stamp)) {
        Ok(()) => String::from_utf8_lossy(&stamp).into_owned(),
        Err(error) => {
            tracing::debug!(%error, path = %path.display(), "a log without a first line");
            String::new()
        }
    }
}
