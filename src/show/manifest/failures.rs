//! What could not be done, by class: how many, which ones, what to do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::show::text::{Page, Tone, visible};

/// How many failures are named in a text, over all classes.
pub const NAMED: usize = 20;

/// One document that could not be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Where it is, as it can be opened from here.
    pub path: String,
    /// What kind of failure it is, as one word.
    pub class: String,
    /// What is wrong with it, as a sentence.
    pub message: String,
    /// Where in it: line and column, from 1.
    pub place: Option<(usize, usize)>,
}

impl Failed {
    /// Its line for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "format_version": 1,
            "type": "failure",
            "path": self.path,
            "class": self.class,
            "message": self.message,
            "line": self.place.map(|(line, _)| line),
            "column": self.place.map(|(_, column)| column),
        })
    }
}

/// Failures of a run: all are counted, the first ones of each class kept. Memory does not grow with their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failures {
    classes: BTreeMap<String, Class>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Class {
    count: u64,
    first: Vec<Failed>,
}

impl Failures {
    /// Counts one more.
    pub fn push(&mut self, failed: Failed) {
        let class = self.classes.entry(failed.class.clone()).or_default();
        class.count += 1;
        if class.first.len() < NAMED {
            class.first.push(failed);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.values().map(|class| class.count).sum()
    }

    /// How many there are of a class.
    #[must_use]
    pub fn of(&self, class: &str) -> u64 {
        self.classes.get(class).map_or(0, |class| class.count)
    }

    /// How many could not be read as files at all.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.classes()
            .filter(|(class, _)| is_unreadable(class))
            .map(|(_, count)| count)
            .sum()
    }

    /// Each class with its count, by name.
    pub fn classes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.classes
            .iter()
            .map(|(name, class)| (name.as_str(), class.count))
    }

    /// "5 corrupted + 2 unknown version"; empty if there is none.
    #[must_use]
    pub fn sum(&self) -> String {
        let parts: Vec<String> = self
            .classes()
            .map(|(name, count)| format!("{count} {}", words(name)))
            .collect();
        parts.join(" + ")
    }

    /// How many of each class are named: each class gets its turn until all are named or [`NAMED`] is reached.
    fn named(&self) -> Vec<usize> {
        let mut named = vec![0; self.classes.len()];
        let mut left = NAMED;
        loop {
            let before = left;
            for (named, class) in named.iter_mut().zip(self.classes.values()) {
                if left > 0 && *named < class.first.len() {
                    *named += 1;
                    left -= 1;
                }
            }
            if left == before || left == 0 {
                return named;
            }
        }
    }

    pub(super) fn draw(&self, page: &mut Page) {
        for ((name, class), named) in self.classes.iter().zip(self.named()) {
            page.blank();
            let head = format!("{} {}", class.count, words(name));
            page.line(0, Some(Tone::Bad), &head);
            if let Some(advice) = advice(name) {
                page.field(2, "what to do:", advice);
            }
            for failed in &class.first[..named] {
                let place = match failed.place {
                    Some((line, column)) => format!(":{line}:{column}"),
                    None => String::new(),
                };
                page.command(2, "", &format!("{}{place}", visible(&failed.path)));
                page.line(4, None, &failed.message);
            }
            let rest = class.count - named as u64;
            if rest > 0 {
                page.line(
                    2,
                    Some(Tone::Dim),
                    &format!("and {rest} more; --output json names all"),
                );
            }
        }
    }
}

/// A class of failures that says that a file could not be read at all.
fn is_unreadable(class: &str) -> bool {
    matches!(
        class,
        "no_permission" | "vanished" | "symlink" | "special_file" | "too_large" | "swapped" | "io"
    )
}

/// A class as people say it.
fn words(class: &str) -> String {
    class.replace('_', " ")
}

/// What to do about a class of failures; the documents themselves were left alone.
fn advice(class: &str) -> Option<&'static str> {
    Some(match class {
        "corrupted" => {
            "mend the file by hand, or put a copy back that is whole; it was left as it is"
        }
        "unknown_version" => {
            "name the folder that holds the migrations from this version with --migrations; the file was left as it is"
        }
        "no_version" => {
            "is it this kind of document? Name another with --kind, or leave it out with --pattern; it was left as it is"
        }
        "no_path" => {
            "write the migration that is missing (`orchestrate manifest new` drafts one) and name its folder with \
             --migrations; the file was left as it is"
        }
        "not_fit" | "schema" => {
            "mend the file so that it has what its version must have; it was left as it is"
        }
        "not_right" => {
            "mend the migration: its result would have broken a promise, so nothing was written"
        }
        "no_way_back" => {
            "restore it from its backup instead, if its last migration is the one to be taken back"
        }
        "side_data" => {
            "look at the file beside it that ends in .dropped, and move it away if it is not needed"
        }
        "backup_kept" => {
            "look at the backup and its manifest; delete the backup by hand if it is not needed"
        }
        "no_permission" => {
            "give this user the right to read the file and to write in its folder, then type the same command again"
        }
        "vanished" => "nothing, if it was deleted on purpose; it is gone since the folder was read",
        "symlink" => {
            "nothing, if the file that it points to is below ROOT itself; links are never followed"
        }
        "special_file" => "leave it out with --pattern; it is no regular file and was not opened",
        "too_large" => "leave it out with --pattern; it was left as it is",
        "changed_meanwhile" | "swapped" => {
            "type the same command again: somebody else was writing there, and that was not overwritten"
        }
        "backup_taken" => {
            "look at the backups beside it and move them away, then type the same command again"
        }
        "disk_full" => "make room, then type the same command again; the file is as it was",
        "read_only" => "mount the file system for writing, then type the same command again",
        "not_durable" => {
            "look at the disk: it was written, but the system did not confirm that it is there to stay"
        }
        "no_backup" => "put the file back from a copy that is kept elsewhere",
        "changed_since" => {
            "decide by hand: its bytes are not those that the migration wrote, so they were left alone"
        }
        "io" => "look at the disk and its log, then type the same command again",
        "closed" => {
            "name a manifest of ROOT outside of `inputs` and `.orchestrate`; what is in these is never touched"
        }
        "other_version" => "migrate it",
        "checksum" => {
            "find out who wrote it after its last migration; `orchestrate manifest show FILE` prints it"
        }
        _ => return None,
    })
}
