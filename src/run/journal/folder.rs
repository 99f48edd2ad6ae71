//! Where runs live: `<state dir>/runs/<run id>/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::inputs::Inputs;
use super::{Journal, ReadError};
use crate::base::durable::{self, DurableError};
use crate::base::id::{Digest, RunId, file_stem};
use crate::run::engine::Record;

/// The folder that holds every run of the plans beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

/// One run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// Why no run was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is none.
    #[error("find a run: there is none in {0}")]
    None(PathBuf),
    /// None begins like that.
    #[error("find the run {wanted}: there is none that begins so in {folder}; there are: {known}", folder = folder.display())]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The runs that there are.
        known: String,
    },
    /// Several do.
    #[error("find the run {wanted}: several begin so ({found}); write more of the id")]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Which.
        found: String,
    },
    /// The folder cannot be read.
    #[error("look for runs in {0}: {1}")]
    Io(PathBuf, io::Error),
}

impl StateDir {
    /// The state folder at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Creates it, private to its owner, and makes it ignore itself in git.
    ///
    /// # Errors
    /// When it cannot be created or written.
    pub fn prepare(&self) -> Result<(), DurableError> {
        durable::create_dir_private(&self.0.join("runs"))?;
        durable::create_dir_private(&self.0.join("locks"))?;
        let ignore = self.0.join(".gitignore");
        if ignore.exists() {
            Ok(())
        } else {
            durable::replace(&ignore, b"*\n", 0o600)
        }
    }

    /// The lock of a migration in an environment (SPEC section 6: one run per `migration_name` and environment).
    #[must_use]
    pub fn lock_path(&self, migration: &str, environment: Option<&str>) -> PathBuf {
        let key = format!("{migration}\0{}", environment.unwrap_or(""));
        let readable = file_stem(migration);
        let short: String = readable.chars().take(40).collect();
        self.0.join("locks").join(format!(
            "{short}-{}.lock",
            Digest::of(key.as_bytes()).short(12)
        ))
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read. That it does not exist is no error: then there is no run.
    pub fn runs(&self) -> Result<Vec<(RunId, RunFolder)>, FindError> {
        let folder = self.0.join("runs");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FindError::Io(folder, error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| FindError::Io(folder.clone(), e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Folders that are being prepared begin with a dot.
            if name.starts_with('.') {
                continue;
            }
            let run = RunFolder { path: entry.path() };
            if let (Ok(id), Ok(meta)) = (RunId::parse(&name), fs::metadata(run.created_marker())) {
                runs.push((meta.modified().unwrap_or(std::time::UNIX_EPOCH), id, run));
            }
        }
        runs.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(runs.into_iter().map(|(_, id, run)| (id, run)).collect())
    }

    /// The run that `wanted` names: `latest`, or a unique prefix of its id.
    ///
    /// # Errors
    /// [`FindError`] when there is none, or more than one.
    pub fn find(&self, wanted: &str) -> Result<(RunId, RunFolder), FindError> {
        let runs = self.runs()?;
        if runs.is_empty() {
            return Err(FindError::None(self.0.clone()));
        }
        if wanted == "latest" {
            return runs
                .into_iter()
                .next_back()
                .ok_or_else(|| FindError::None(self.0.clone()));
        }
        let ids = |runs: &[(RunId, RunFolder)]| {
            runs.iter()
                .map(|(id, _)| id.as_str().to_owned())
                .collect::<Vec<_>>()
                .join(", ")
        };
        if let Some(exact) = runs.iter().find(|(id, _)| id.as_str() == wanted) {
            return Ok(exact.clone());
        }
        let hits: Vec<(RunId, RunFolder)> = runs
            .iter()
            .filter(|(id, _)| id.as_str().starts_with(wanted))
            .cloned()
            .collect();
        match hits.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(FindError::Unknown {
                wanted: wanted.to_owned(),
                folder: self.0.clone(),
                known: ids(&runs),
            }),
            several => Err(FindError::Ambiguous {
                wanted: wanted.to_owned(),
                found: ids(several),
            }),
        }
    }

    /// Makes a new run's folder: it appears whole, with its inputs and its first record, or not at all. `first` builds
    /// that record from the id, which is the first 12 digits of the inputs' hash and the lowest free number;
    /// `more` may put further things into the folder.
    ///
    /// # Errors
    /// When something cannot be written; nothing is left behind then.
    pub fn create_run(
        &self,
        inputs: &Inputs,
        at: jiff::Timestamp,
        first: impl Fn(&RunId) -> Record,
        more: impl Fn(&RunFolder) -> Result<(), DurableError>,
    ) -> Result<(RunId, RunFolder, Journal), DurableError> {
        let runs = self.0.join("runs");
        let failed = |doing, path: &Path, source| DurableError::Io {
            doing,
            path: path.to_owned(),
            source,
        };
        let hash = inputs.hash();
        let mut number = 1_u32;
        loop {
            let name = format!("{}-{number}", hash.short(12));
            let target = runs.join(&name);
            if target.exists() {
                number += 1;
                continue;
            }
            let id =
                RunId::parse(&name).map_err(|e| failed("name", &target, io::Error::other(e)))?;
            let temporary = tempfile::Builder::new()
                .prefix(".new-")
                .tempdir_in(&runs)
                .map_err(|e| failed("create a folder in", &runs, e))?;
            let run = RunFolder {
                path: temporary.path().to_owned(),
            };
            for folder in ["logs", "evidence", "inbox"] {
                durable::create_dir_private(&run.path.join(folder))?;
            }
            inputs.store(&run.inputs())?;
            more(&run)?;
            let mut journal = Journal::create(&run.journal(), &id, at)?;
            journal.append(&first(&id))?;
            journal.sync()?;
            durable::replace(&run.created_marker(), b"", 0o600)?;
            match fs::rename(temporary.path(), &target) {
                Ok(()) => {
                    // It has its own name now; there is nothing temporary left to remove.
                    let _ = temporary.keep();
                    durable::sync_dir(&runs)?;
                    return Ok((id, RunFolder { path: target }, journal));
                }
                // Another run of the same inputs was quicker.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
                    ) =>
                {
                    number += 1;
                }
                Err(error) => return Err(failed("put in place", &target, error)),
            }
        }
    }
}

impl RunFolder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `journal.jsonl`.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// `inputs/`.
    #[must_use]
    pub fn inputs(&self) -> PathBuf {
        self.path.join("inputs")
    }

    /// `inbox/`: answers that other processes leave for the driver.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// `evidence/<id>/`: what a step or check leaves for its reader, and for its own undo.
    #[must_use]
    pub fn evidence(&self, id: &str) -> PathBuf {
        self.path.join("evidence").join(file_stem(id))
    }

    /// Its age is the run's: files in the folder change, this one never does.
    fn created_marker(&self) -> PathBuf {
        self.path.join(".created")
    }

    /// The journal's contents.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn read(&self) -> Result<super::Contents, ReadError> {
        super::read(&self.journal())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::run::engine::Event;

    fn plan_folder() -> (tempfile::TempDir, Inputs) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("plan.yaml"), "a: 1\n").unwrap();
        let files = [(
            "plan.yaml".to_owned(),
            crate::plan::program::InputKind::Plan,
        )];
        let inputs = Inputs::gather(dir.path(), Digest::of(b"plan"), files).unwrap();
        (dir, inputs)
    }

    fn first(_: &RunId) -> Record {
        Record {
            n: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            event: Event::RunCompleted,
        }
    }

    #[test]
    fn runs_of_the_same_inputs_count_up_and_are_found_by_prefix() {
        let (dir, inputs) = plan_folder();
        let state = StateDir::new(dir.path().join(".orchestrate"));
        state.prepare().unwrap();
        let at = jiff::Timestamp::UNIX_EPOCH;
        let (one, _, _) = state.create_run(&inputs, at, first, |_| Ok(())).unwrap();
        let (two, folder, _) = state.create_run(&inputs, at, first, |_| Ok(())).unwrap();
        assert!(one.as_str().ends_with("-1") && two.as_str().ends_with("-2"));
        assert_eq!(state.find("latest").unwrap().0, two);
        assert_eq!(state.find(two.as_str()).unwrap().1, folder);
        assert!(matches!(
            state.find(&one.as_str()[..5]),
            Err(FindError::Ambiguous { .. })
        ));
        assert!(matches!(state.find("zzz"), Err(FindError::Unknown { .. })));
        assert_eq!(folder.read().unwrap().records.len(), 1);
        assert!(
            Inputs::load(&folder.inputs())
                .unwrap()
                .damaged(&folder.inputs())
                .is_empty()
        );
    }

    #[test]
    fn an_edited_snapshot_is_named() {
        let (dir, inputs) = plan_folder();
        let state = StateDir::new(dir.path().join("state"));
        state.prepare().unwrap();
        let (_, folder, _) = state
            .create_run(&inputs, jiff::Timestamp::UNIX_EPOCH, first, |_| Ok(()))
            .unwrap();
        let copy = folder.inputs().join(&inputs.files[0].stored);
        fs::write(&copy, "a: 2\n").unwrap();
        assert_eq!(inputs.damaged(&folder.inputs()).len(), 1);
        assert!(
            inputs.changed().is_empty(),
            "the plan's own bytes are compared by digest elsewhere"
        );
    }
}
