//! Answers that other processes leave for the driver of a run: one file each, in the run's `inbox`.
//!
//! A file appears whole or not at all. The driver takes it, decides, records, and leaves a receipt; a file that nobody
//! took is taken by the next driver.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::durable::{self, DurableError};
use crate::base::watch::Watch;
use crate::plan::program::Level;
use crate::run::engine::{Actor, Answer, Input};

/// A message for the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Letter {
    /// A person's answer.
    Answer {
        /// What is answered.
        item: String,
        /// How.
        answer: Answer,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
        /// A file, relative to the run folder.
        evidence: Option<String>,
    },
    /// A rollback by hand.
    Rollback {
        /// The level.
        level: Level,
        /// What.
        target: Option<String>,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
}

impl Letter {
    /// As the engine takes it.
    #[must_use]
    pub fn into_input(self) -> Input {
        match self {
            Self::Answer {
                item,
                answer,
                by,
                reason,
                evidence,
            } => Input::Answered {
                item,
                answer,
                by,
                reason,
                evidence,
            },
            Self::Rollback {
                level,
                target,
                by,
                reason,
            } => Input::Rollback {
                level,
                target,
                by,
                reason,
            },
        }
    }
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whether it was recorded.
    pub accepted: bool,
    /// Why not.
    pub why: Option<String>,
    /// The exit code for whoever sent it, if it was refused.
    pub exit_code: u8,
}

const RECEIPT: &str = "receipt";

/// Leaves a letter.
///
/// # Errors
/// When it cannot be written.
pub fn leave(inbox: &Path, letter: &Letter) -> Result<PathBuf, DurableError> {
    let bytes = serde_json::to_vec(letter).map_err(|e| DurableError::Io {
        doing: "write an answer into",
        path: inbox.to_owned(),
        source: e.into(),
    })?;
    // The time keeps them in order, the process id apart.
    let name = format!(
        "{}-{}.json",
        jiff::Timestamp::now().as_nanosecond(),
        std::process::id()
    );
    let path = inbox.join(name);
    durable::replace(&path, &bytes, 0o600)?;
    Ok(path)
}

/// Waits for the receipt of a letter; none if nobody took it in time.
///
/// # Errors
/// When the folder cannot be watched.
pub fn receipt(letter: &Path, patience: Duration) -> io::Result<Option<Receipt>> {
    let Some(inbox) = letter.parent() else {
        return Ok(None);
    };
    let watch = Watch::new(inbox)?;
    let path = letter.with_extension(RECEIPT);
    let begun = Instant::now();
    loop {
        match fs::read(&path) {
            Ok(bytes) => {
                fs::remove_file(&path)?;
                return Ok(Some(serde_json::from_slice(&bytes)?));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let Some(left) = patience.checked_sub(begun.elapsed()) else {
            return Ok(None);
        };
        watch.wait(left)?;
    }
}

/// Letters with their files, oldest first, and the files of those that were not understood and set aside.
type Mail = (Vec<(PathBuf, Letter)>, Vec<PathBuf>);

/// Every letter that waits.
pub(super) fn letters(inbox: &Path) -> io::Result<Mail> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(inbox)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|e| e == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut all, mut odd) = (Vec::new(), Vec::new());
    for path in paths {
        match fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice::<Letter>(&bytes)?)) {
            Ok(letter) => all.push((path, letter)),
            Err(_) => {
                let aside = path.with_extension("not-understood");
                fs::rename(&path, &aside)?;
                odd.push(aside);
            }
        }
    }
    Ok((all, odd))
}

/// The letter was dealt with: its receipt is left, then it goes.
pub(super) fn answered(letter: &Path, receipt: &Receipt) -> Result<(), DurableError> {
    let failed = |doing, source| DurableError::Io {
        doing,
        path: letter.to_owned(),
        source,
    };
    let bytes =
        serde_json::to_vec(receipt).map_err(|e| failed("write the receipt of", e.into()))?;
    durable::replace(&letter.with_extension(RECEIPT), &bytes, 0o600)?;
    fs::remove_file(letter).map_err(|e| failed("remove", e))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_letter_is_taken_once_and_answered() {
        let dir = tempfile::tempdir().unwrap();
        let by = Actor {
            name: "Ada".to_owned(),
            user: "ada".to_owned(),
            host: "h".to_owned(),
        };
        let letter = Letter::Rollback {
            level: Level::Full,
            target: None,
            by,
            reason: None,
        };
        let path = leave(dir.path(), &letter).unwrap();
        assert_eq!(receipt(&path, Duration::from_millis(20)).unwrap(), None);
        let (found, _) = letters(dir.path()).unwrap();
        assert_eq!(found, [(path.clone(), letter)]);
        let yes = Receipt {
            accepted: true,
            why: None,
            exit_code: 0,
        };
        answered(&path, &yes).unwrap();
        assert_eq!(receipt(&path, Duration::from_secs(5)).unwrap(), Some(yes));
        assert!(letters(dir.path()).unwrap().0.is_empty());
    }

    #[test]
    fn what_is_not_a_letter_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("1-1.json"), "{").unwrap();
        let (found, odd) = letters(dir.path()).unwrap();
        assert!(found.is_empty() && odd.len() == 1);
    }
}
