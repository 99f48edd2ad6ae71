//! A first look that costs little: may anything in a plan be removed at all?
//!
//! It says yes too often, and no only where the long look would find no removal. A removal shows in its own text, or in
//! that of a script that is called; so the scripts that a text may call are looked at too, each once. Where only a variable
//! says which script it is, the answer is yes.

use std::collections::HashSet;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::order::{Piece, Unit, What};
use super::scripts::Scripts;
use crate::plan::model::Scalar;
use crate::review::words::{Part, Word, commands};

/// What every text that removes something itself has in it.
const SIGNS: [&str; 17] = [
    "rm", "unlink", "delete", "shred", "truncate", "mv", "gzip", "gunzip", "bzip2", "bunzip2",
    "xz", "worktree", "drop", "rename", ">", "branch", "tag",
];

pub(super) struct FirstLook<'s, 'a> {
    scripts: &'s Scripts<'a>,
    /// All signs at once; none where they cannot be searched for, which makes every text doubtful.
    signs: Option<AhoCorasick>,
    /// Scripts that were come upon, as they are written.
    seen: HashSet<Box<str>>,
    /// The texts of those that are still to be looked at.
    open: Vec<Arc<str>>,
}

impl<'s, 'a> FirstLook<'s, 'a> {
    pub(super) fn new(scripts: &'s Scripts<'a>) -> Self {
        Self {
            scripts,
            signs: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(SIGNS)
                .ok(),
            seen: HashSet::new(),
            open: Vec::new(),
        }
    }

    /// Whether any text of these may remove something.
    pub(super) fn finds_removal(mut self, units: &[Unit<'_>]) -> bool {
        let in_plan = units.iter().any(|unit| {
            let mut pieces = unit.back.iter().chain(unit.forward.iter().map(|(_, p)| p));
            pieces.any(|piece| self.piece(piece))
        });
        in_plan || self.in_scripts()
    }

    #[cfg(test)]
    pub(super) fn finds(mut self, text: &str) -> bool {
        self.removes(text) || self.calls(text) || self.in_scripts()
    }

    /// Whether a text may remove something itself.
    fn removes(&self, text: &str) -> bool {
        self.signs.as_ref().is_none_or(|signs| signs.is_match(text))
    }

    fn piece(&mut self, piece: &Piece<'_>) -> bool {
        let any = |mut values: std::collections::btree_map::Values<'_, String, Scalar>| {
            values.any(|value| self.removes(value.as_str()))
        };
        match &piece.what {
            What::Written { text, env, .. } => {
                self.removes(text) || any(env.values()) || self.calls(text)
            }
            What::File { script } => {
                script.settings().is_some_and(|settings| {
                    any(settings.env.values())
                        || settings.args.iter().any(|arg| self.removes(arg.as_str()))
                }) || self.script(script.path())
            }
            What::Person(_) => false,
        }
    }

    fn in_scripts(&mut self) -> bool {
        while let Some(text) = self.open.pop() {
            if self.calls(&text) {
                return true;
            }
        }
        false
    }

    /// Whether a script removes something itself, or is too large to tell; those that it calls wait.
    fn script(&mut self, path: &str) -> bool {
        if self.seen.contains(path) {
            return false;
        }
        self.seen.insert(Box::from(path));
        if self.scripts.is_too_large(path) {
            return true;
        }
        let Some(text) = self.scripts.text(path) else {
            return false;
        };
        if self.removes(&text) {
            return true;
        }
        self.open.push(text);
        false
    }

    /// Whether a script that a text calls removes something itself, or only a variable says which script that is.
    fn calls(&mut self, text: &str) -> bool {
        let is_plain = !text.contains(|c: char| "\n;|&()<`$'\"\\{#".contains(c));
        if is_plain {
            // One command, whose words are what stands between its spaces.
            return self.command(text.split_whitespace().map(Told::Text));
        }
        let commands = commands(text);
        commands
            .iter()
            .any(|command| self.command(command.words.iter().map(told)))
    }

    fn command<'w>(&mut self, words: impl Iterator<Item = Told<'w>>) -> bool {
        let mut words =
            words.skip_while(|word| matches!(word, Told::Text(text) if comes_before(text)));
        let program = match words.next() {
            Some(Told::Text(program)) => program,
            Some(Told::Variable) => return true,
            Some(Told::Unknown) | None => return false,
        };
        match program.rsplit('/').next().unwrap_or(program) {
            "sh" | "bash" | "." | "source" => {
                let mut words = words
                    .skip_while(|word| matches!(word, Told::Text(text) if text.starts_with('-')));
                words.next().is_some_and(|word| self.file(&word))
            }
            "psql" => {
                let mut before = false;
                for word in words {
                    let whole = match &word {
                        Told::Text(text) => {
                            let value = text.strip_prefix("--file=");
                            if value.is_some_and(|value| self.file(&Told::Text(value))) {
                                return true;
                            }
                            text.starts_with('-') && (text.ends_with('f') || *text == "--file")
                        }
                        // What it is before may be an option, too.
                        Told::Variable => return true,
                        Told::Unknown => false,
                    };
                    if before && self.file(&word) {
                        return true;
                    }
                    before = whole;
                }
                false
            }
            _ => program.contains('/') && self.script(program),
        }
    }

    fn file(&mut self, word: &Told<'_>) -> bool {
        match word {
            Told::Text(path) => self.script(path),
            Told::Variable => true,
            Told::Unknown => false,
        }
    }
}

/// A word, as far as it is known before anybody asks for the values of variables.
enum Told<'w> {
    Text(&'w str),
    Variable,
    /// What only a running shell knows: nobody follows it.
    Unknown,
}

fn told(word: &Word) -> Told<'_> {
    match word.plain() {
        Some(text) => Told::Text(text),
        None if word.assignment().is_some() => Told::Text("A="),
        None if word.parts.iter().any(|part| matches!(part, Part::Unknown)) => Told::Unknown,
        None => Told::Variable,
    }
}

/// Whether the program is named only behind a word.
fn comes_before(word: &str) -> bool {
    let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    });
    is_assignment
        || matches!(
            word,
            "sudo"
                | "env"
                | "command"
                | "builtin"
                | "exec"
                | "nohup"
                | "nice"
                | "!"
                | "if"
                | "while"
                | "until"
                | "then"
                | "do"
                | "else"
                | "elif"
                | "time"
        )
}
