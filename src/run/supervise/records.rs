//! `supervisor.jsonl`: the few facts that must survive the supervisor itself.
//!
//! A line is a JSON object, a tab and the first 16 hex digits of the object's SHA-256. A line that was cut by a crash
//! can only be the last one and is dropped; a damaged line anywhere else is an error, because what it said is not known.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::protocol::JobEnd;
use crate::base::durable::{AppendFile, DurableError};

/// The file's name in the run's folder.
pub const RECORDS: &str = "supervisor.jsonl";

/// A fact as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    Epoch(EpochTaken),
    Accepted(Accepted),
    Ended(JobEnd),
}

/// A controller took the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochTaken {
    /// The epoch.
    pub epoch: u64,
    /// The controller's process id.
    pub pid: u32,
    /// When.
    pub at: Timestamp,
}

/// A durable job was taken; it was started after this was on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The job.
    pub job: String,
    /// The epoch that asked for it.
    pub epoch: u64,
    /// Its log, relative to the run's folder.
    pub log: PathBuf,
    /// When.
    pub at: Timestamp,
}

/// What `supervisor.jsonl` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Who controlled the run, in order.
    pub epochs: Vec<EpochTaken>,
    /// Durable jobs that were taken, in order. A job that is not here was never started.
    pub accepted: Vec<Accepted>,
    /// Durable jobs that ended, in order. Their `tail` and `captured` are empty.
    pub ended: Vec<JobEnd>,
    /// Length in bytes of the whole lines; what follows was torn by a crash.
    pub whole: u64,
}

impl Records {
    /// The highest epoch taken so far, 0 if none.
    #[must_use]
    pub fn highest_epoch(&self) -> u64 {
        self.epochs.iter().map(|e| e.epoch).max().unwrap_or(0)
    }

    /// The end of a job, if it is recorded.
    #[must_use]
    pub fn end_of(&self, job: &str) -> Option<&JobEnd> {
        self.ended.iter().find(|e| e.job == job)
    }

    /// True if the job was taken, hence may have been started.
    #[must_use]
    pub fn was_accepted(&self, job: &str) -> bool {
        self.accepted.iter().any(|a| a.job == job)
    }

    /// Jobs that were taken and whose end is not recorded: running now, or unknown if no supervisor is alive.
    #[must_use]
    pub fn open_jobs(&self) -> Vec<&Accepted> {
        let ended: HashSet<&str> = self.ended.iter().map(|e| e.job.as_str()).collect();
        self.accepted
            .iter()
            .filter(|a| !ended.contains(a.job.as_str()))
            .collect()
    }
}

/// Why the records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The file cannot be read.
    #[error("read {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that is not the torn last one is damaged.
    #[error(
        "read {path}: line {line} is damaged ({why}), so which steps ended, and how, is not certain; \
         restore the file or settle the open steps by hand",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads the records of a run, also while no supervisor is alive. A missing file is an empty one.
///
/// # Errors
/// When the file cannot be read, or is damaged elsewhere than in a torn last line.
pub fn read_records(run_dir: &Path) -> Result<Records, RecordsError> {
    let path = run_dir.join(RECORDS);
    match std::fs::read(&path) {
        Ok(bytes) => parse(&path, &bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Records::default()),
        Err(source) => Err(RecordsError::Io { path, source }),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Records, RecordsError> {
    let mut records = Records::default();
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let Some(end) = memchr::memchr(b'\n', rest) else {
            return Ok(records);
        };
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        match parse_line(line) {
            Ok(Record::Epoch(epoch)) => records.epochs.push(epoch),
            Ok(Record::Accepted(accepted)) => records.accepted.push(accepted),
            Ok(Record::Ended(ended)) => records.ended.push(ended),
            // A whole file system block may have been lost while the length, newline included, was kept.
            Err(_) if after.is_empty() => return Ok(records),
            Err(why) => {
                return Err(RecordsError::Damaged {
                    path: path.to_owned(),
                    line: number,
                    why,
                });
            }
        }
        records.whole += end as u64 + 1;
        rest = after;
    }
    Ok(records)
}

fn parse_line(line: &[u8]) -> Result<Record, String> {
    let tab = memchr::memrchr(b'\t', line).ok_or("no checksum")?;
    let (json, sum) = (&line[..tab], &line[tab + 1..]);
    if checksum(json).as_bytes() != sum {
        return Err("its checksum does not fit".to_owned());
    }
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

fn checksum(json: &[u8]) -> String {
    hex(&Sha256::digest(json)[..8])
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The records as the supervisor writes them. While it is open nobody else can open it so.
#[derive(Debug)]
pub(super) struct RecordFile {
    file: AppendFile,
}

/// Why the supervisor cannot write its records.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenRecordsError {
    #[error(transparent)]
    Durable(#[from] DurableError),
    #[error(transparent)]
    Read(#[from] RecordsError),
    #[error("open {path}: another supervisor is serving this run", path = path.display())]
    Served { path: PathBuf },
    #[error("lock {path}: {source}", path = path.display())]
    Lock {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl RecordFile {
    /// Opens the file, cuts a torn tail off and reads what is there.
    pub(super) fn open(run_dir: &Path) -> Result<(Self, Records), OpenRecordsError> {
        let path = run_dir.join(RECORDS);
        let mut file = AppendFile::open(&path)?;
        lock(file.file(), &path)?;
        let records = read_records(run_dir)?;
        if records.whole < file.len() {
            file.truncate_to(records.whole)?;
        }
        Ok((Self { file }, records))
    }

    /// Writes a record; it counts only after [`RecordFile::sync`].
    pub(super) fn append(&mut self, record: &Record) -> Result<(), String> {
        let mut line = serde_json::to_vec(record).map_err(|e| e.to_string())?;
        let sum = checksum(&line);
        line.push(b'\t');
        line.extend_from_slice(sum.as_bytes());
        line.push(b'\n');
        self.file.append(&line).map_err(|e| e.to_string())
    }

    pub(super) fn sync(&mut self) -> Result<(), String> {
        self.file.sync().map_err(|e| e.to_string())
    }
}

/// How long a predecessor that has lost its connections may take to be gone entirely.
const PATIENCE: Duration = Duration::from_secs(1);

fn lock(file: &File, path: &Path) -> Result<(), OpenRecordsError> {
    let failed = |source| OpenRecordsError::Lock {
        path: path.to_owned(),
        source,
    };
    match file.try_lock() {
        Ok(()) => return Ok(()),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // The copy shares the lock, so it does not matter that it is closed in the end. Should the wait be given up, this
    // process ends, and the thread with it.
    let copy = file.try_clone().map_err(failed)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || drop(sender.send(copy.lock())));
    match receiver.recv_timeout(PATIENCE) {
        Ok(locked) => locked.map_err(failed),
        Err(_) => Err(OpenRecordsError::Served {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn accepted(job: &str) -> Record {
        Record::Accepted(Accepted {
            job: job.to_owned(),
            epoch: 1,
            log: PathBuf::from("logs/a.log"),
            at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn every_cut_of_the_last_line_is_tolerated_and_mended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RECORDS);
        let (mut file, _) = RecordFile::open(dir.path()).unwrap();
        file.append(&accepted("a")).unwrap();
        let first = file.file.len();
        file.append(&accepted("b")).unwrap();
        file.sync().unwrap();
        drop(file);
        let all = std::fs::read(&path).unwrap();
        let first = usize::try_from(first).unwrap();
        for cut in first..all.len() {
            std::fs::write(&path, &all[..cut]).unwrap();
            let (mut file, records) = RecordFile::open(dir.path()).unwrap();
            assert_eq!(records.accepted.len(), 1, "cut at {cut}");
            file.append(&accepted("c")).unwrap();
            file.sync().unwrap();
            drop(file);
            let records = read_records(dir.path()).unwrap();
            assert!(records.was_accepted("a") && records.was_accepted("c"));
        }
    }

    #[test]
    fn damage_elsewhere_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RECORDS);
        let (mut file, _) = RecordFile::open(dir.path()).unwrap();
        for job in ["a", "b", "c"] {
            file.append(&accepted(job)).unwrap();
        }
        drop(file);
        let mut all = std::fs::read(&path).unwrap();
        let second = all.iter().position(|b| *b == b'\n').unwrap() + 20;
        all[second] ^= 1;
        std::fs::write(&path, &all).unwrap();
        match read_records(dir.path()) {
            Err(RecordsError::Damaged { line, .. }) => assert_eq!(line, 2),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_one_writes() {
        let dir = tempfile::tempdir().unwrap();
        let first = RecordFile::open(dir.path()).unwrap();
        assert!(matches!(
            RecordFile::open(dir.path()),
            Err(OpenRecordsError::Served { .. })
        ));
        drop(first);
        RecordFile::open(dir.path()).unwrap();
    }
}
