//! A run of the index: stage the walk, compare, read what is new, write, commit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::entry::{self, File, Row};
use super::store::{Before, FORMAT, Origin, Staged, Store};
use super::{
    Found, IndexError, Objection, Progress, Reading, Report, Settings, Source, Stamp, Target, path,
};

/// Files of the walk that are staged at once.
const STAGED_AT_ONCE: usize = 1_000;

/// Paths longer than this, in bytes, are no keys: one of a PostgreSQL index has at most 2,704 bytes.
const LONGEST_PATH: usize = 2_000;

/// Files that are read at once, and the bytes that they may have together unless one alone has more.
const READ_AT_ONCE: usize = 256;
const BYTES_AT_ONCE: u64 = 8 << 20;

/// Brings the index up to date, or builds it if there is none.
///
/// Blocks; not to be called from an async task. `progress` is called after every batch.
///
/// # Errors
/// [`IndexError`] says what is in the way. The index is as it was before the run then.
pub fn update(
    target: &Target,
    settings: &Settings,
    source: Source<'_>,
    walk: &mut dyn Iterator<Item = Found>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, IndexError> {
    let mut store = open(target, true)?;
    run(&mut *store, target, settings, source, walk, progress)
}

/// Every row of the index as a line of JSON in the order of the paths, less the time at which it was read. An index that
/// was brought up to date gives the same lines as one that was built anew.
///
/// # Errors
/// [`IndexError`] if there is no index or it cannot be read.
pub fn dump(target: &Target, line: &mut dyn FnMut(&str)) -> Result<(), IndexError> {
    open(target, false)?.dump(line)
}

fn open(target: &Target, write: bool) -> Result<Box<dyn Store>, IndexError> {
    match target {
        #[cfg(feature = "sqlite")]
        Target::Sqlite { file, default } => {
            if *default && write {
                super::folder::prepare(file)?;
            }
            Ok(Box::new(super::sqlite::Sqlite::open(target, file, write)?))
        }
        #[cfg(feature = "postgres")]
        Target::Postgres { url } => {
            let _ = write;
            Ok(Box::new(super::postgres::Postgres::open(target, url)?))
        }
        #[cfg(not(feature = "sqlite"))]
        Target::Sqlite { .. } => Err(IndexError::NotBuilt {
            target: target.to_string(),
            what: "SQLite",
            feature: "sqlite",
        }),
        #[cfg(not(feature = "postgres"))]
        Target::Postgres { .. } => Err(IndexError::NotBuilt {
            target: target.to_string(),
            what: "PostgreSQL",
            feature: "postgres",
        }),
    }
}

fn run(
    store: &mut dyn Store,
    target: &Target,
    settings: &Settings,
    source: Source<'_>,
    walk: &mut dyn Iterator<Item = Found>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, IndexError> {
    let origin = Origin {
        root: path::to_text(&settings.root),
        fingerprint: settings.fingerprint.clone(),
    };
    let before = store.begin()?;
    let because = compare(before, target, settings, &origin)?;
    if settings.rebuild {
        store.forget()?;
    }

    let mut found = 0;
    let mut staged = Vec::new();
    loop {
        let file = walk.next();
        let last = file.is_none();
        staged.extend(file.map(stage));
        if staged.len() == STAGED_AT_ONCE || (last && !staged.is_empty()) {
            store.stage(&staged)?;
            found += staged.len() as u64;
            staged.clear();
            progress(Progress::Walking { found });
        }
        if last {
            break;
        }
    }

    let everything = settings.rebuild || because.is_some();
    let settled = store.settle(everything, (source.now_ns)())?;
    let mut done = 0;
    let mut after: Option<String> = None;
    loop {
        let due = store.due(after.as_deref(), READ_AT_ONCE)?;
        let Some((last, _)) = due.last() else {
            break;
        };
        after = Some(last.clone());
        for batch in batches(&due) {
            let rows = read(batch, source, settings.workers);
            store.put(&rows)?;
            done += rows.len() as u64;
            progress(Progress::Reading {
                done,
                due: settled.due,
            });
        }
    }

    let totals = store.commit(&origin)?;
    Ok(Report {
        found: settled.found,
        unchanged: settled.unchanged,
        read: done,
        removed: settled.removed,
        manifests: totals.manifests,
        problems: totals.problems,
        because,
    })
}

/// Whether the index that is there can be brought up to date, and why every file must be read for it, if so.
fn compare(
    before: Before,
    target: &Target,
    settings: &Settings,
    origin: &Origin,
) -> Result<Option<&'static str>, IndexError> {
    let Before::Origin {
        format,
        origin: earlier,
    } = before
    else {
        return Ok(None);
    };
    if settings.rebuild {
        return Ok(None);
    }
    if format != FORMAT {
        return Err(IndexError::Format {
            target: target.to_string(),
            found: format,
            known: FORMAT,
        });
    }
    match earlier {
        None => Ok(Some("the index does not say what it was made of")),
        Some(earlier) if earlier.root != origin.root => Err(IndexError::OtherTree {
            target: target.to_string(),
            indexed: earlier.root,
            wanted: origin.root.clone(),
        }),
        Some(earlier) if earlier.fingerprint != origin.fingerprint => {
            Ok(Some("other versions are known now than at the last run"))
        }
        Some(_) => Ok(None),
    }
}

fn stage(found: Found) -> Staged {
    let (path, stamp, message) = match found {
        Found::Manifest { path, stamp } => (path, stamp, None),
        Found::Unreadable { path, message } => (path, Stamp::default(), Some(clean(message))),
    };
    let text = path::to_text(&path);
    if text.len() <= LONGEST_PATH {
        return Staged {
            path: text,
            stamp,
            message,
        };
    }
    // Named as far as a key can hold it, and told apart from its like by a digest.
    let start = text.floor_char_boundary(LONGEST_PATH / 2);
    let digest = entry::hexadecimal(&Sha256::digest(&text));
    Staged {
        path: format!("{}…{digest}", &text[..start]),
        stamp: Stamp::default(),
        message: Some(format!(
            "its path has {} bytes, more than a key of the index holds",
            text.len()
        )),
    }
}

/// Splits the files so that each part has few enough bytes.
fn batches<'a>(
    mut files: &'a [(String, Stamp)],
) -> impl Iterator<Item = &'a [(String, Stamp)]> + 'a {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let many = files
            .iter()
            .take_while(|(_, stamp)| {
                let fits = bytes == 0 || bytes + stamp.size <= BYTES_AT_ONCE;
                bytes += stamp.size;
                fits
            })
            .count();
        let (batch, rest) = files.split_at(many);
        files = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Reads and judges the files, each thread taking the next one.
fn read(files: &[(String, Stamp)], source: Source<'_>, workers: usize) -> Vec<Row> {
    let workers = workers.clamp(1, files.len().max(1));
    if workers == 1 {
        return files
            .iter()
            .map(|(path, stamp)| read_one(path, *stamp, source))
            .collect();
    }
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, (path, stamp))) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    files.get(at).map(|file| (at, file))
                } {
                    let row = read_one(path, *stamp, source);
                    rows.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((at, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_unstable_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn read_one(text: &str, seen: Stamp, source: Source<'_>) -> Row {
    let path: PathBuf = path::from_text(text);
    // Before the read: what changes during it is newer.
    let indexed_at_ns = (source.now_ns)();
    match (source.read)(&path) {
        Reading::Gone => Row::Gone(text.to_owned()),
        Reading::Unreadable(message) => Row::Problem {
            file: File {
                path: text.to_owned(),
                stamp: seen,
                sha256: None,
                indexed_at_ns,
            },
            objection: Objection {
                class: "unreadable".to_owned(),
                message: clean(message),
                place: None,
            },
        },
        Reading::Bytes { bytes, stamp } => {
            let judged = (source.judge)(&path, &bytes).map_err(|objection| Objection {
                class: clean(objection.class),
                message: clean(objection.message),
                place: objection.place,
            });
            entry::row(text.to_owned(), stamp, bytes, judged, indexed_at_ns)
        }
    }
}

/// A message without U+0000, which PostgreSQL's text cannot hold.
fn clean(message: String) -> String {
    if message.contains('\0') {
        message.replace('\0', "\u{fffd}")
    } else {
        message
    }
}
