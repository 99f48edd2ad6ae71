//! From a path to a typed plan, or to findings.
//!
//! Read, parse, merge included files, check the shape, fill the types: each stage adds its findings
//! and all of them come in one go. Only a plan without errors here is [`Loaded`]; what it *means* is
//! for `review`. A plan with errors is mended as far as its author's intent can be told, so that a
//! slip in one place does not hide what is wrong in another: see [`Salvaged`].

mod guide;
mod include;
mod json;
mod kinds;
mod mend;
mod salvage;
mod shape;
mod typed;
mod words;

pub use salvage::Salvaged;
pub(in crate::plan) use words::{closest, did_you_mean, list, name_of, owner};

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::model::Plan;
use super::source::{Arena, MAX_BYTES, parse};
use crate::base::diagnostic::{Code, Finding, Location, SourceText, Sources, any_error, codes};
use crate::base::stage::stage;

/// A plan that was read: its types, its places, its files.
#[derive(Debug)]
pub struct Loaded {
    /// What the author wrote.
    pub plan: Plan,
    /// Where every value is written.
    pub arena: Arena,
    /// The plan file, as it was given.
    pub path: PathBuf,
    /// Every file that was read: the plan, then what it includes.
    pub files: Vec<PathBuf>,
}

impl Loaded {
    /// The folder that paths in the plan resolve against, and where its commands run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// A path of the plan, resolved against its folder.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// The texts that findings point into.
    #[must_use]
    pub const fn sources(&self) -> &Sources {
        self.arena.sources()
    }

    /// The place of a value.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Location {
        self.arena.locate(pointer)
    }
}

/// Why there is no plan: findings, at least one of them an error, and the texts they point into.
#[derive(Debug)]
pub struct Refused {
    /// What was found, ordered by place.
    pub findings: Vec<Finding>,
    /// The texts that the findings point into.
    pub sources: Sources,
    /// What is left of the plan, to be reviewed beside these findings. It is never run.
    pub salvaged: Option<Box<Salvaged>>,
}

/// Reads the plan at a path.
///
/// # Errors
///
/// Everything that is wrong with reading the file, its YAML and its shape, in one go.
pub fn load(path: &Path) -> Result<Loaded, Refused> {
    let text =
        stage("read", || read(path, &path.display().to_string())).map_err(|finding| Refused {
            findings: vec![*finding],
            sources: Sources::default(),
            salvaged: None,
        })?;
    load_source(path, text)
}

/// Reads a plan from a text, as if it stood at that path. Includes are read from the disk.
///
/// # Errors
///
/// The same as [`load`].
pub fn load_text(path: &Path, text: &str) -> Result<Loaded, Refused> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let name = path.display().to_string();
    load_source(path, Arc::new(SourceText::new(name, text.to_owned())))
}

fn load_source(path: &Path, text: Arc<SourceText>) -> Result<Loaded, Refused> {
    let (arena, mut findings) = stage("parse", || parse(&text));
    let Some(mut arena) = arena else {
        let mut sources = Sources::default();
        sources.add(text);
        return Err(Refused {
            findings,
            sources,
            salvaged: None,
        });
    };
    let mut files = vec![path.to_owned()];
    let written = findings.len();
    stage("include", || {
        include::merge(&mut arena, path, &mut files, &mut findings);
    });
    let loaded = |plan: Plan, arena: Arena| Loaded {
        plan,
        arena,
        path: path.to_owned(),
        files,
    };
    if !any_error(&findings, false)
        && let Ok(plan) = stage("fill", || typed::fill_strictly(&arena))
    {
        return Ok(loaded(plan, arena));
    }
    let sources = arena.sources().clone();
    let salvage = salvage::Salvage::new(&arena, findings, written);
    let (findings, salvaged) = stage("mend", || salvage.run(arena, loaded));
    if findings.is_empty()
        && let Some(whole) = salvaged
    {
        // Not reached while the types refuse only what the schema refuses, which a test holds.
        return Ok(whole.into_loaded());
    }
    Err(Refused {
        findings,
        sources,
        salvaged: salvaged.map(Box::new),
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Reads a file within the size limit.
pub(in crate::plan) fn read(path: &Path, name: &str) -> Result<Arc<SourceText>, Box<Finding>> {
    let fail = |code: Code, message: String, help: &str| {
        Box::new(Finding::new(code, Location::file(name), message).help(help))
    };
    let unreadable = |error: std::io::Error| {
        fail(
            codes::FILE_MISSING,
            format!("`{name}` cannot be read: {error}"),
            "nothing was started; check the path and its permissions",
        )
    };
    let too_large = || {
        fail(
            codes::TOO_LARGE,
            format!("`{name}` is larger than 64 MiB"),
            "move data out of the plan into files that its scripts read",
        )
    };
    // Asked before opening: opening a pipe that nobody writes to would wait forever.
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        let what = if about.is_dir() {
            "a folder"
        } else {
            "not a regular file"
        };
        return Err(fail(
            codes::NOT_A_FILE,
            format!("`{name}` is {what}"),
            "name the migration-strategy.yaml itself",
        ));
    }
    if about.len() > MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    // The file may grow while it is read, and some files do not tell their size.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(SourceText::new(name, text))),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(fail(
                codes::NOT_UTF8,
                format!("`{name}` is not UTF-8: line {line} holds a byte that is no text"),
                "convert the file to UTF-8, for example with iconv",
            ))
        }
    }
}

#[cfg(test)]
mod agree;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod typos;
