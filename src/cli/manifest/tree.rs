//! The folder that a verb works on, and how it is named in what is printed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::context::{Context, absolute};
use super::super::failure::Failure;
use super::arguments::{LATEST, MigrationsArgs, TreeArgs};
use crate::manifest::files::{Matcher, Place};
use crate::show::text::quote;

/// A folder of documents that is there and can be read.
#[derive(Debug)]
pub(super) struct Root {
    /// As it was typed.
    pub(super) typed: PathBuf,
    /// From the root of the file system, symbolic links resolved.
    pub(super) path: PathBuf,
}

impl Root {
    pub(super) fn of(typed: &Path) -> Result<Self, Failure> {
        let name = shown(typed);
        let metadata = std::fs::metadata(typed).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::usage(format!("there is no folder {name}"))
                .next("name the folder that holds the documents"),
            _ => Failure::usage(format!("the folder {name} cannot be looked at: {error}"))
                .next("give this user the right to read it, or name another one"),
        })?;
        if !metadata.is_dir() {
            return Err(Failure::usage(format!("{name} is not a folder")).next(
                "name the folder that holds the documents; `migrate` takes one document with --manifest FILE",
            ));
        }
        let path = typed
            .canonicalize()
            .map_err(|error| Failure::io(format!("the folder {name} cannot be found: {error}")))?;
        std::fs::read_dir(&path).map_err(|error| {
            Failure::usage(format!("the folder {name} cannot be read: {error}"))
                .next("give this user the right to read it, or name another one")
        })?;
        Ok(Self {
            typed: typed.to_owned(),
            path,
        })
    }

    /// A path below the root, as it can be opened from here.
    pub(super) fn join(&self, below: &Path) -> PathBuf {
        if self.typed == Path::new(".") {
            below.to_owned()
        } else {
            self.typed.join(below)
        }
    }

    /// "below shop, pattern **/manifest.json"
    pub(super) fn place(&self, pattern: &str) -> String {
        format!("below {}, pattern {pattern}", shown(&self.typed))
    }
}

/// A path as text, whatever its bytes.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The tree as the files side wants it: its state is in ROOT/.orchestrate, unless another folder is named.
pub(super) fn place(
    context: &Context,
    root: &Root,
    pattern: &str,
    workers: Option<usize>,
) -> Result<Place, Failure> {
    let matcher = Matcher::new(pattern).map_err(|error| {
        Failure::usage(format!("{pattern} is no pattern: {error}"))
            .next("write one such as '**/manifest.json', in quotes")
    })?;
    let mut place = Place::new(&root.path, matcher);
    if let Some(given) = context.given_state_dir() {
        place.state = absolute(given)?;
    }
    place.workers = match workers {
        Some(workers) => workers,
        None => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
    };
    Ok(place)
}

/// A command line that is built up: what was typed is repeated, so that it can be pasted where this was typed.
#[derive(Debug, Clone)]
pub(super) struct Command(String);

impl Command {
    pub(super) fn new(verb: &str) -> Self {
        Self(format!("orchestrate {verb}"))
    }

    /// One more word, or none.
    pub(super) fn word(mut self, word: &Path) -> Self {
        if word != Path::new(".") {
            self.0.push(' ');
            let mut text = shown(word);
            if text.starts_with('-') {
                text.insert_str(0, "./");
            }
            self.0.push_str(&quote(&text));
        }
        self
    }

    /// An option with its value, if there is one.
    pub(super) fn option(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            let gap = if value.starts_with('-') { '=' } else { ' ' };
            self.0.push_str(&format!(" {name}{gap}{}", quote(value)));
        }
        self
    }

    /// An option without a value.
    pub(super) fn flag(mut self, name: &str, set: bool) -> Self {
        if set {
            self.0.push_str(&format!(" {name}"));
        }
        self
    }

    pub(super) fn migrations(self, arguments: &MigrationsArgs) -> Self {
        let folder = arguments.migrations.as_deref().map(shown);
        self.option("--kind", arguments.kind.as_deref())
            .option("--migrations", folder.as_deref())
    }

    pub(super) fn tree(self, arguments: &TreeArgs) -> Self {
        self.word(&arguments.root)
            .option("--pattern", arguments.pattern.as_deref())
            .migrations(&arguments.migrations)
    }

    /// The version that is wanted, if it is not the latest anyway.
    pub(super) fn target(self, version: &str) -> Self {
        self.option("--target-version", Some(version).filter(|v| *v != LATEST))
    }

    pub(super) fn state_dir(self, context: &Context) -> Self {
        let given = context.given_state_dir().map(shown);
        self.option("--state-dir", given.as_deref())
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_repeat_what_was_typed() {
        let command = Command::new("manifest migrate")
            .word(Path::new("-a b"))
            .option("--pattern", Some("-x/**"))
            .option("--kind", None)
            .flag("--no-backup", true)
            .flag("--dry-run", false);
        assert_eq!(
            command.into_text(),
            "orchestrate manifest migrate './-a b' --pattern='-x/**' --no-backup"
        );
        let here = Command::new("manifest verify").word(Path::new("."));
        assert_eq!(here.into_text(), "orchestrate manifest verify");
    }
}
