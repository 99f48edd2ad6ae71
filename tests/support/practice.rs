//! A practice plan in a folder of its own: every step leaves its marks in a ledger outside the tool, so that a test can
//! tell what truly ran from what the journal says.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use orchestrate::base::durable::Lock;
use orchestrate::run::engine::{Event, Ground, Record, Settled};
use orchestrate::run::journal;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_orchestrate");

/// What a command of a step runs: a line when it begins, a line when it has had its effect.
pub(crate) fn marks(seconds: &str) -> String {
    format!(
        "mark() {{ echo \"$1 $ORCHESTRATE_DIRECTION $ORCHESTRATE_STEP_ID\" >> ledger; sync ledger; }}; \
         mark begin; sleep {seconds}; mark end"
    )
}

/// A folder with a plan that is run in it. Whatever still runs there when it goes is ended.
#[derive(Debug)]
pub(crate) struct Practice {
    folder: tempfile::TempDir,
}

impl Practice {
    pub(crate) fn new(plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan.yaml"), plan).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .env("NO_COLOR", "1")
            // Whatever the disk of this machine holds; a plan lets it through with `pass_env`.
            .env("ORCHESTRATE_NO_SPACE_CHECK", "1")
            // A group of its own: a signal for it is one for nobody else.
            .process_group(0);
        command
    }

    /// Starts the tool; what it says goes to files beside the plan.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let out = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path().join("said"))
            .unwrap();
        self.command(arguments)
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap()
    }

    /// Runs the tool to its end and returns its exit code.
    pub(crate) fn call(&self, arguments: &[&str]) -> i32 {
        let status = finish(self.start(arguments), Duration::from_secs(60));
        status
            .code()
            .unwrap_or_else(|| panic!("{arguments:?}: {status}\n{}", self.said()))
    }

    /// Everything that the tool has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.path().join("said")).unwrap_or_default()
    }

    /// The run's folder, once there is one.
    pub(crate) fn run_dir(&self) -> Option<PathBuf> {
        run_dir(self.path())
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        records(self.path())
    }

    /// How often each line stands in the ledger.
    pub(crate) fn ledger(&self) -> BTreeMap<String, usize> {
        lines(&self.path().join("ledger"))
    }

    /// Processes that belong to this folder: by their working directory or their arguments.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        processes(self.path())
    }

    /// The supervisor's process id, if one runs.
    pub(crate) fn supervisor(&self) -> Option<i32> {
        self.processes()
            .into_iter()
            .find(|(_, words)| words.contains("__supervise"))
            .map(|(pid, _)| pid)
    }

    /// Waits until nothing runs in the folder and its lock is free.
    pub(crate) fn settles(&self) {
        settles(self.path(), |_, _| true, || self.said());
    }

    /// Asserts that the journal tells of each outcome once, of nothing after an end, and of one end.
    pub(crate) fn journal_is_sound(&self) {
        is_sound(&self.records());
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            kill(pid);
        }
    }
}

/// The folder of the run in a plan's folder, once there is one.
pub(crate) fn run_dir(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder.join(".orchestrate/runs")).ok()?;
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .collect();
    found.sort();
    found.pop()
}

/// The journal of the run in a plan's folder; empty if there is no run.
pub(crate) fn records(folder: &Path) -> Vec<Record> {
    match run_dir(folder) {
        Some(run) => journal::read(&run.join("journal.jsonl")).unwrap().records,
        None => Vec::new(),
    }
}

/// How often each line stands in a file, which may be missing.
pub(crate) fn lines(file: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

/// Processes that belong to a folder: by their working directory or their arguments.
pub(crate) fn processes(folder: &Path) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let here = fs::read_link(entry.path().join("cwd")).is_ok_and(|d| d == folder);
        if here || words.contains(&*folder.to_string_lossy()) {
            found.push((pid, words));
        }
    }
    found
}

fn is_locked(folder: &Path) -> bool {
    let Ok(locks) = fs::read_dir(folder.join(".orchestrate/locks")) else {
        return false;
    };
    locks
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "lock"))
        .any(|path| Lock::holder(&path).unwrap().is_some())
}

/// Waits until no process that counts, by its id and command line, runs in a folder, and the lock there is free.
pub(crate) fn settles(
    folder: &Path,
    counts: impl Fn(i32, &str) -> bool,
    said: impl Fn() -> String,
) {
    let begun = Instant::now();
    loop {
        let mut left = processes(folder);
        left.retain(|(pid, words)| counts(*pid, words));
        let locked = is_locked(folder);
        if left.is_empty() && !locked {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "still there: {left:?}, locked: {locked}\n{}",
            said()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asserts that a journal tells of each outcome once, of nothing after an end, and of one end.
pub(crate) fn is_sound(records: &[Record]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        let key = match &record.event {
            Event::ActionEnded { step, attempt, .. } => format!("ended {step} {attempt}"),
            Event::StepSucceeded { step, attempt } => format!("succeeded {step} {attempt}"),
            Event::StepFailed { step, attempt, .. } => format!("failed {step} {attempt}"),
            Event::GatePassed { gate } => format!("gate {gate}"),
            Event::PhasePassed { phase } => format!("phase {phase}"),
            Event::UndoEnded {
                unit,
                attempt,
                piece,
                ..
            } => format!("undone {unit} {attempt} {piece}"),
            Event::UnitUndone { unit } => format!("unit {unit}"),
            Event::RunCompleted => "completed".to_owned(),
            _ => continue,
        };
        *counts.entry(key).or_default() += 1;
    }
    let twice: Vec<_> = counts.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}\n{records:#?}");
    // An intent may be announced again if it was never carried out, or if that was decided.
    let mut intents: BTreeMap<String, i64> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::StepStarted { step, .. } => *intents.entry(step.to_string()).or_default() += 1,
            Event::StepSettled {
                step, how, ground, ..
            } if *how == Settled::Retry || *ground == Ground::NeverStarted => {
                *intents.entry(step.to_string()).or_default() -= 1;
            }
            _ => {}
        }
    }
    assert!(
        intents.values().all(|n| (0..=1).contains(n)),
        "{intents:?}\n{records:#?}"
    );
}

/// Waits for a child, and ends it if it takes longer.
pub(crate) fn finish(mut child: Child, patience: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// `kill -9`. That the process is gone already is as good.
pub(crate) fn kill(pid: i32) {
    signal(pid, rustix::process::Signal::KILL);
}

pub(crate) fn signal(pid: i32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, signal);
    }
}
