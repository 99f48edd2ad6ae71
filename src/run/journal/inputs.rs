//! The inputs of a run as they were when it started: plan, scripts, datasets, each with its digest.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::durable::{self, DurableError};
use crate::base::id::Digest;
use crate::plan::program::InputKind;

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Relative to the plan's folder, as the plan writes it.
    pub path: String,
    /// What it is.
    pub kind: InputKind,
    /// Of its bytes.
    pub sha256: Digest,
    /// Its permission bits.
    pub mode: u32,
    /// Where its copy is, relative to the `inputs` folder.
    pub stored: String,
}

/// All inputs of a run (`inputs/inputs.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The plan's folder when the run started, absolute.
    pub plan_dir: PathBuf,
    /// The plan's digest, without the fields that only report.
    pub plan_digest: Digest,
    /// The plan first.
    pub files: Vec<InputFile>,
}

/// An input that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Relative to the plan's folder.
    pub path: String,
    /// What became of it: `changed`, `missing`, or why it cannot be read.
    pub what: String,
}

impl Inputs {
    /// Reads the inputs where they are now. Nothing is written.
    ///
    /// # Errors
    /// The file that could not be read, with what the system said.
    pub fn gather(
        plan_dir: &Path,
        plan_digest: Digest,
        files: impl IntoIterator<Item = (String, InputKind)>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut all: Vec<InputFile> = Vec::new();
        for (path, kind) in files {
            if all.iter().any(|f| f.path == path) {
                continue;
            }
            let full = plan_dir.join(&path);
            let (sha256, mode) = digest(&full).map_err(|e| (full.clone(), e))?;
            let name = full
                .file_name()
                .map_or_else(|| "input".to_owned(), |n| n.to_string_lossy().into_owned());
            let stored = format!("{}/{name}", sha256.short(16));
            all.push(InputFile {
                path,
                kind,
                sha256,
                mode,
                stored,
            });
        }
        Ok(Self {
            plan_dir: plan_dir.to_owned(),
            plan_digest,
            files: all,
        })
    }

    /// The hash that names the run: over the plan's digest and every other input's path and digest.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .filter(|f| f.kind != InputKind::Plan)
            .map(|f| format!("{}\0{}\n", f.path, f.sha256))
            .collect();
        lines.sort();
        lines.insert(0, format!("{}\n", self.plan_digest));
        Digest::of(lines.concat().as_bytes())
    }

    /// Copies every input into `folder` and writes the list.
    ///
    /// # Errors
    /// When a file cannot be read or written; and when one changed since it was gathered.
    pub fn store(&self, folder: &Path) -> Result<(), DurableError> {
        durable::create_dir_private(folder)?;
        for file in &self.files {
            let from = self.plan_dir.join(&file.path);
            let bytes = fs::read(&from).map_err(|source| DurableError::Io {
                doing: "read",
                path: from.clone(),
                source,
            })?;
            if Digest::of(&bytes) != file.sha256 {
                let source =
                    io::Error::other("it changed while the run was being prepared; start again");
                return Err(DurableError::Io {
                    doing: "copy",
                    path: from,
                    source,
                });
            }
            let to = folder.join(&file.stored);
            if let Some(parent) = to.parent() {
                durable::create_dir_private(parent)?;
            }
            durable::replace(&to, &bytes, (file.mode & 0o700) | 0o600)?;
        }
        let list = serde_json::to_vec_pretty(self).map_err(|e| DurableError::Io {
            doing: "write the list of inputs in",
            path: folder.to_owned(),
            source: e.into(),
        })?;
        durable::replace(&folder.join("inputs.json"), &list, 0o600)
    }

    /// Reads the list back.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn load(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(
            folder.join("inputs.json"),
        )?)?)
    }

    /// The plan's entry.
    #[must_use]
    pub fn plan(&self) -> Option<&InputFile> {
        self.files.iter().find(|f| f.kind == InputKind::Plan)
    }

    /// An input by its path in the plan.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&InputFile> {
        self.files.iter().find(|f| f.path == path)
    }

    /// Inputs other than the plan that are not as they were. (Whether the plan changed is a question of its digest,
    /// not of its bytes.)
    #[must_use]
    pub fn changed(&self) -> Vec<Changed> {
        self.files
            .iter()
            .filter(|f| f.kind != InputKind::Plan)
            .filter_map(|f| self.is_changed(f))
            .collect()
    }

    /// Whether one input is not as it was.
    #[must_use]
    pub fn is_changed(&self, file: &InputFile) -> Option<Changed> {
        let what = match digest(&self.plan_dir.join(&file.path)) {
            Ok((now, _)) if now == file.sha256 => return None,
            Ok(_) => "changed".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "missing".to_owned(),
            Err(error) => error.to_string(),
        };
        Some(Changed {
            path: file.path.clone(),
            what,
        })
    }

    /// Copies whose bytes are not what the list says: somebody edited the snapshot.
    #[must_use]
    pub fn damaged(&self, folder: &Path) -> Vec<Changed> {
        self.files
            .iter()
            .filter_map(|file| {
                let what = match digest(&folder.join(&file.stored)) {
                    Ok((now, _)) if now == file.sha256 => return None,
                    Ok(_) => "the copy is not as it was stored".to_owned(),
                    Err(error) => format!("the copy cannot be read: {error}"),
                };
                Some(Changed {
                    path: file.stored.clone(),
                    what,
                })
            })
            .collect()
    }
}

fn digest(path: &Path) -> io::Result<(Digest, u32)> {
    let file = fs::File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    Ok((Digest::of_reader(file)?, meta.permissions().mode() & 0o7777))
}
