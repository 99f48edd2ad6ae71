//! A run's record as bytes: append-only, one JSON object a line, each carrying the SHA-256 of the line before it.
//!
//! * [`Journal`] appends and syncs; the engine's records go in, nothing is ever rewritten.
//! * [`read`] gives them back, and tells a torn tail (the machine died while a line was written: normal) from damage
//!   anywhere else (somebody or something changed the file: refused, and named).
//! * [`RunFolder`] is everything that a run keeps: the journal, the inputs as they were, logs, evidence, answers.
//!
//! Every line also ends in a checksum of its own bytes, so that an edit of the very last line shows as well. What no
//! chain can show is that whole lines were cut off the end or that all of it was written anew: for that the head hash
//! is printed and put into reports, and `audit --head` compares it (SPEC section 6).

mod folder;
mod inputs;
mod line;

use std::path::{Path, PathBuf};

pub use folder::{FindError, RunFolder, StateDir};
pub use inputs::{Changed, InputFile, Inputs};

use crate::base::durable::{AppendFile, DurableError};
use crate::base::id::{Digest, RunId};
use crate::run::engine::Record;

/// The format that this version writes.
pub const FORMAT: u32 = 1;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: AppendFile,
    head: Digest,
}

/// Everything that a journal holds.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The run it belongs to.
    pub run: RunId,
    /// The records, in order.
    pub records: Vec<Record>,
    /// The digest of the last whole line.
    pub head: Digest,
    /// Bytes of whole lines.
    pub length: u64,
    /// What was left of a line that was cut off.
    pub torn: Vec<u8>,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("read the journal {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was written by a version that this one does not know.
    #[error("read the journal {path}: its format is {found}, this version reads {FORMAT}; use the version that wrote it", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        found: u32,
    },
    /// Something in it is not as it was written.
    #[error("trust the journal {path}: {damage}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        damage: Damage,
    },
}

/// Where a journal is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} (record {record}, byte {offset}): {why}")]
pub struct Damage {
    /// From 1.
    pub line: u64,
    /// The record's number as far as it can be told; 0 is the header.
    pub record: u64,
    /// Where the line begins.
    pub offset: u64,
    /// What does not fit.
    pub why: String,
}

impl Journal {
    /// Begins a journal: writes and syncs its header.
    ///
    /// # Errors
    /// When the file cannot be created, written or synced.
    pub fn create(path: &Path, run: &RunId, at: jiff::Timestamp) -> Result<Self, DurableError> {
        let mut file = AppendFile::open(path)?;
        let header = line::header(run, at);
        let head = Digest::of(header.as_bytes());
        file.append(format!("{header}\n").as_bytes())?;
        file.sync()?;
        Ok(Self { file, head })
    }

    /// Goes on with a journal that was read. A torn tail is set aside first, under the name that is returned with its
    /// length, and cut off.
    ///
    /// # Errors
    /// When the file cannot be opened, or the tail not be set aside.
    pub fn resume(
        path: &Path,
        contents: &Contents,
    ) -> Result<(Self, Option<(u64, String)>), DurableError> {
        let mut torn = None;
        if !contents.torn.is_empty() {
            let name = format!("journal.torn-{}", contents.length);
            crate::base::durable::replace(&path.with_file_name(&name), &contents.torn, 0o600)?;
            torn = Some((contents.torn.len() as u64, name));
        }
        let mut file = AppendFile::open(path)?;
        if torn.is_some() {
            file.truncate_to(contents.length)?;
        }
        Ok((
            Self {
                file,
                head: contents.head.clone(),
            },
            torn,
        ))
    }

    /// Appends a record. It is durable only after [`Journal::sync`]: no effect may rely on it before.
    ///
    /// # Errors
    /// When writing fails; from then on nothing more can be appended.
    pub fn append(&mut self, record: &Record) -> Result<(), DurableError> {
        let text = line::encode(&self.head, record);
        self.file.append(format!("{text}\n").as_bytes())?;
        self.head = Digest::of(text.as_bytes());
        Ok(())
    }

    /// Forces everything appended to the disk.
    ///
    /// # Errors
    /// When the disk refuses; it is never tried again.
    pub fn sync(&mut self) -> Result<(), DurableError> {
        self.file.sync()
    }

    /// The digest of the last line: whoever knows it can tell whether anything was cut off or rewritten since.
    #[must_use]
    pub fn head(&self) -> &Digest {
        &self.head
    }
}

/// Reads a journal and verifies its chain.
///
/// # Errors
/// [`ReadError`] when it cannot be read, is of another format, or is damaged anywhere but in its cut-off end.
pub fn read(path: &Path) -> Result<Contents, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&bytes).map_err(|problem| match problem {
        Problem::Damage(damage) => ReadError::Damaged {
            path: path.to_owned(),
            damage,
        },
        Problem::Format(found) => ReadError::Format {
            path: path.to_owned(),
            found,
        },
    })
}

#[derive(Debug)]
enum Problem {
    Damage(Damage),
    Format(u32),
}

fn parse(bytes: &[u8]) -> Result<Contents, Problem> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let mut offset = 0;
    let mut run = None;
    let mut head = Digest::of(b"");
    let mut records: Vec<Record> = Vec::new();
    for (number, text) in (1..).zip(bytes[..whole].split_inclusive(|&b| b == b'\n')) {
        let due = records.len() as u64 + u64::from(run.is_some());
        let damage = |why: String| {
            Problem::Damage(Damage {
                line: number,
                record: due,
                offset,
                why,
            })
        };
        let text = &text[..text.len() - 1];
        let text = std::str::from_utf8(text).map_err(|_| damage("it is not UTF-8".to_owned()))?;
        line::verify(text).map_err(damage)?;
        if run.is_none() {
            let (format, id) = line::decode_header(text).map_err(damage)?;
            if format != FORMAT {
                return Err(Problem::Format(format));
            }
            run = Some(id);
        } else {
            let (prev, record) = line::decode(text).map_err(damage)?;
            if prev != head {
                return Err(damage(
                    "it does not carry the digest of the line before it".to_owned(),
                ));
            }
            if record.n != due {
                return Err(damage(format!("it calls itself record {}", record.n)));
            }
            records.push(record);
        }
        head = Digest::of(text.as_bytes());
        offset += text.len() as u64 + 1;
    }
    let Some(run) = run else {
        let why = "it has no header".to_owned();
        return Err(Problem::Damage(Damage {
            line: 1,
            record: 0,
            offset: 0,
            why,
        }));
    };
    Ok(Contents {
        run,
        records,
        head,
        length: whole as u64,
        torn: bytes[whole..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::run::engine::Event;

    fn sample() -> (tempfile::TempDir, PathBuf, Vec<Record>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let at: jiff::Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let run = RunId::parse("0123456789ab-1").unwrap();
        let mut journal = Journal::create(&path, &run, at).unwrap();
        let records: Vec<Record> = (1..=5)
            .map(|n| Record {
                n,
                at,
                event: Event::RunStopped {
                    why: format!("reason \"{n}\" \u{1F4A5}"),
                },
            })
            .collect();
        for record in &records {
            journal.append(record).unwrap();
        }
        journal.sync().unwrap();
        (dir, path, records)
    }

    #[test]
    fn what_was_appended_is_read_back() {
        let (_dir, path, records) = sample();
        let contents = read(&path).unwrap();
        assert_eq!(contents.records, records);
        assert!(contents.torn.is_empty());
    }

    #[test]
    fn every_flipped_byte_is_found_and_its_line_named() {
        let (_dir, path, _) = sample();
        let bytes = std::fs::read(&path).unwrap();
        let mut line = 1;
        for i in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[i] ^= 0x01;
            let last_newline = i + 1 == bytes.len();
            match parse(&broken) {
                Err(Problem::Damage(damage)) => assert!(
                    damage.line == line || damage.line == line + 1,
                    "byte {i} is in line {line}, named: {damage}"
                ),
                // The format's own digit.
                Err(Problem::Format(_)) => assert_eq!(line, 1),
                // Without its newline the last line is a torn tail.
                Ok(contents) => assert!(last_newline && contents.records.len() == 4, "byte {i}"),
            }
            if bytes[i] == b'\n' {
                line += 1;
            }
        }
    }

    #[test]
    fn a_journal_cut_anywhere_gives_every_whole_record() {
        let (_dir, path, records) = sample();
        let bytes = std::fs::read(&path).unwrap();
        let header = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
        for cut in header..bytes.len() {
            let contents = parse(&bytes[..cut]).unwrap();
            assert_eq!(contents.records[..], records[..contents.records.len()]);
            assert_eq!(contents.length as usize + contents.torn.len(), cut);
        }
    }

    #[test]
    fn a_torn_tail_is_set_aside_and_the_journal_goes_on() {
        let (_dir, path, records) = sample();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
        let contents = read(&path).unwrap();
        let (mut journal, torn) = Journal::resume(&path, &contents).unwrap();
        let (length, name) = torn.unwrap();
        assert_eq!(
            std::fs::read(path.with_file_name(name)).unwrap().len() as u64,
            length
        );
        journal.append(&records[4]).unwrap();
        journal.sync().unwrap();
        assert_eq!(read(&path).unwrap().records, records);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_removed_line_in_the_middle_is_found() {
        let (_dir, path, _) = sample();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(3);
        let Err(Problem::Damage(damage)) = parse(format!("{}\n", lines.join("\n")).as_bytes())
        else {
            panic!("not found");
        };
        assert_eq!(damage.line, 4);
    }
}
