//! One run, opened: its folder, its program, its state, and the journal while this process may write it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::base::durable::{self, DurableError};
use crate::base::id::{Digest, RunId};
use crate::plan::model::Plan;
use crate::plan::program::{Files, InputKind, LowerError, Program, lower};
use crate::run::engine::{Event, Illegal, Input, Record, Rejected, RunStarted, State, decide};
use crate::run::journal::{Contents, Inputs, Journal, ReadError, RunFolder, StateDir};

/// The plan as it was read, with what it includes, in the run's inputs.
const PLAN: &str = "plan.json";

/// Why a run cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its journal cannot be read or trusted.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// Its inputs cannot be read.
    #[error("read the inputs of the run in {folder}: {source}", folder = folder.display())]
    Inputs {
        /// The run's folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its plan makes no program, which it did when the run started.
    #[error("understand the plan of the run in {folder}: {first}", folder = folder.display())]
    Plan {
        /// The run's folder.
        folder: PathBuf,
        /// The first problem.
        first: LowerError,
    },
    /// Its records contradict one another.
    #[error("follow the journal of the run in {folder}: {illegal}", folder = folder.display())]
    Illegal {
        /// The run's folder.
        folder: PathBuf,
        /// What does not fit.
        illegal: Illegal,
    },
}

/// Why a record could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The disk refused. No effect follows.
    #[error(transparent)]
    Disk(#[from] DurableError),
    /// The engine emitted what it does not accept: a defect of this program.
    #[error("record what was decided: {0}")]
    Illegal(#[from] Illegal),
}

/// A run as it can be read by anyone.
#[derive(Debug)]
pub struct View {
    /// Its id.
    pub run: RunId,
    /// Its folder.
    pub folder: RunFolder,
    /// Its inputs as they were.
    pub inputs: Inputs,
    /// Its plan as it was.
    pub plan: Plan,
    /// What the engine walks.
    pub program: Program,
    /// What its records add up to.
    pub state: State,
    /// Its journal.
    pub contents: Contents,
}

/// A run that this process writes. It holds the run's lock.
#[derive(Debug)]
pub struct Session {
    /// Its id.
    pub run: RunId,
    /// Its folder.
    pub folder: RunFolder,
    /// Its inputs as they were.
    pub inputs: Inputs,
    /// What the engine walks.
    pub program: Program,
    /// What its records add up to.
    pub state: State,
    journal: Journal,
}

/// Files as they stand in a run's snapshot.
struct Snapshot<'a> {
    inputs: &'a Inputs,
    folder: PathBuf,
}

impl Files for Snapshot<'_> {
    fn exists(&self, path: &str) -> bool {
        self.inputs.file(path).is_some()
    }

    fn read(&self, path: &str) -> io::Result<String> {
        match self.inputs.file(path) {
            Some(file) => fs::read_to_string(self.folder.join(&file.stored)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let files = self.inputs.files.iter();
        files
            .filter(|file| file.kind == InputKind::Migration)
            .filter(|file| in_folder(&file.path, folder))
            .map(|file| file.path.clone())
            .collect()
    }
}

/// Whether a file is in a folder, not in one below it; both as the plan writes them.
pub(super) fn in_folder(path: &str, folder: &str) -> bool {
    path.rsplit_once('/')
        .is_some_and(|(parent, _)| parent == folder.trim_end_matches('/'))
}

/// Files as they stand in the plan's folder.
#[derive(Debug)]
pub struct PlanFolder(pub PathBuf);

impl Files for PlanFolder {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }

    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(self.0.join(path))
    }

    fn list(&self, folder: &str) -> Vec<String> {
        // One that is not there, or may not be read, is the review's to name.
        let Ok(entries) = fs::read_dir(self.0.join(folder)) else {
            return Vec::new();
        };
        let folder = folder.trim_end_matches('/');
        let mut all: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| is_migration(name))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        all.sort();
        all
    }
}

fn is_migration(name: &str) -> bool {
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    !name.starts_with('.') && matches!(kind, Some("yaml" | "yml" | "json"))
}

/// Stores the plan, as it was read, beside the other inputs.
///
/// # Errors
/// When it cannot be written.
pub fn store_plan(inputs: &Path, plan: &Plan) -> Result<(), DurableError> {
    let path = inputs.join(PLAN);
    let bytes = serde_json::to_vec(plan).map_err(|e| DurableError::Io {
        doing: "write",
        path: path.clone(),
        source: e.into(),
    })?;
    durable::replace(&path, &bytes, 0o600)
}

impl View {
    /// Opens a run to read it.
    ///
    /// # Errors
    /// [`OpenError`] says what cannot be read or trusted.
    pub fn open(run: RunId, folder: RunFolder) -> Result<Self, OpenError> {
        let contents = folder.read()?;
        let place = || folder.path().to_owned();
        let unreadable = |source| OpenError::Inputs {
            folder: place(),
            source,
        };
        let inputs = Inputs::load(&folder.inputs()).map_err(unreadable)?;
        let bytes = fs::read(folder.inputs().join(PLAN)).map_err(unreadable)?;
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.into()))?;
        let files = Snapshot {
            inputs: &inputs,
            folder: folder.inputs(),
        };
        let program = lower(&plan, &files).map_err(|mut errors| OpenError::Plan {
            folder: place(),
            first: errors.swap_remove(0),
        })?;
        let state =
            State::replay(&program, &contents.records).map_err(|illegal| OpenError::Illegal {
                folder: place(),
                illegal,
            })?;
        Ok(Self {
            run,
            folder,
            inputs,
            plan,
            program,
            state,
            contents,
        })
    }

    /// Goes on with the run. The caller holds its lock. A line that was cut off when the machine died is set aside, and
    /// that is recorded.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn take(self) -> Result<Session, RecordError> {
        let (journal, torn) = Journal::resume(&self.folder.journal(), &self.contents)?;
        let mut session = Session {
            run: self.run,
            folder: self.folder,
            inputs: self.inputs,
            program: self.program,
            state: self.state,
            journal,
        };
        if let Some((bytes, kept_as)) = torn {
            session.record(Timestamp::now(), Event::TornTailDropped { bytes, kept_as })?;
            session.sync()?;
        }
        Ok(session)
    }
}

impl Session {
    /// Begins a run: its folder appears whole, with its inputs and its first record.
    ///
    /// # Errors
    /// When something cannot be written; nothing is left behind then.
    pub fn begin(
        state_dir: &StateDir,
        inputs: Inputs,
        plan: &Plan,
        program: Program,
        start: impl Fn(&RunId) -> RunStarted,
    ) -> Result<Self, RecordError> {
        let at = Timestamp::now();
        let first = |run: &RunId| Record {
            n: 1,
            at,
            event: Event::RunStarted(Box::new(start(run))),
        };
        let (run, folder, journal) = state_dir.create_run(&inputs, at, first, |run| {
            store_plan(&run.inputs(), plan)?;
            // Made here in one go: a folder that is made between two syncs of a step would have to be synced with it.
            for step in &program.steps {
                durable::create_dir_private(&run.evidence(step.id.as_str()))?;
            }
            Ok(())
        })?;
        let mut state = State::new(&program);
        state.apply(&program, &first(&run))?;
        Ok(Self {
            run,
            folder,
            inputs,
            program,
            state,
            journal,
        })
    }

    /// Checks, folds and appends one record. It is not durable before [`Session::sync`]; on an error nothing more may be
    /// done with this session.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn record(&mut self, at: Timestamp, event: Event) -> Result<Record, RecordError> {
        let (n, last) = self.state.last.map_or((1, at), |(n, last)| (n + 1, last));
        // A clock that was set back must not make records look out of order.
        let record = Record {
            n,
            at: at.max(last),
            event,
        };
        self.state.apply(&self.program, &record)?;
        self.journal.append(&record)?;
        Ok(record)
    }

    /// Forces the records to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&mut self) -> Result<(), DurableError> {
        self.journal.sync()
    }

    /// Decides what an input means and records it; durable only after [`Session::sync`].
    ///
    /// # Errors
    /// Outside: why it could not be recorded. Inside: why it means nothing now, and nothing changed.
    pub fn decide(&mut self, input: Input) -> Result<Result<Vec<Record>, Rejected>, RecordError> {
        let at = Timestamp::now();
        let events = match decide(&self.program, &self.state, input, at) {
            Err(rejected) => return Ok(Err(rejected)),
            Ok(events) => events,
        };
        let mut records = Vec::with_capacity(events.len());
        for event in events {
            records.push(self.record(at, event)?);
        }
        Ok(Ok(records))
    }

    /// Goes on with inputs as they are now: the decision is recorded already.
    ///
    /// # Errors
    /// When they cannot be stored, or the records so far do not fit the changed plan.
    pub fn adopt(
        &mut self,
        plan: &Plan,
        program: Program,
        inputs: Inputs,
    ) -> Result<(), RecordError> {
        let contents = self.folder.read().map_err(|error| DurableError::Io {
            doing: "read",
            path: self.folder.journal(),
            source: io::Error::other(error.to_string()),
        })?;
        let state = State::replay(&program, &contents.records)?;
        store_plan(&self.folder.inputs(), plan)?;
        inputs.store(&self.folder.inputs())?;
        self.state = state;
        self.program = program;
        self.inputs = inputs;
        Ok(())
    }

    /// The digest of the journal's last line.
    #[must_use]
    pub fn head(&self) -> &Digest {
        self.journal.head()
    }
}
