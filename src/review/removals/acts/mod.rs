//! What the commands of a shell text remove, need and make.
//!
//! Only what is certain is a removal or a need: it stands in no condition, loop or function, behind no `||`, and every
//! variable in it is either the same for every process of the run or has one value that the text itself gives. What may
//! make something is believed readily, and a command that nobody here knows may make anything.

mod call;
mod databases;
mod files;
mod programs;
mod services;
mod wrappers;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use self::call::Call;
use crate::plan::load::Loaded;
use crate::review::words::{Command, Direction, Joint, Part, commands};

/// Scripts of more bytes than this are data.
const LARGEST: u64 = 1024 * 1024;

/// Scripts that call scripts are followed this deep.
const DEEPEST: usize = 3;

/// Bytes of scripts that are read for one plan, a script as often as it is called, and of variables known to them.
///
/// Thousands of steps that call one long script, or scripts that call each other, would take minutes.
const PATIENCE: usize = 8 * 1024 * 1024;

/// Keys of more bytes than this, or of more parts than [`MOST_PARTS`], are not compared: all that they are part of is
/// remembered, too.
const LONGEST: usize = 512;
const MOST_PARTS: usize = 32;

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is gone afterwards, or there without its content.
    Remove { emptied: bool },
    /// It has to be there; with its content unless it is enough that it exists.
    Need { exists: bool },
    /// It may be there afterwards, and what is below it.
    Make { below: bool },
    /// It is looked at before anything is done.
    Check,
}

/// Something that is done to a thing, by a range of the text.
///
/// A key begins with the kind of the thing and goes from the whole to the part: `f/backup/data.json`,
/// `q/<database>/<schema>/<table>/<column>`. A key's beginnings up to a `/` are what it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) deed: Deed,
    pub(super) key: String,
    pub(super) range: Range<usize>,
}

impl Act {
    /// None where the key is too long to be compared; what is made then may be anything of its kind.
    pub(super) fn new(deed: Deed, mut key: String, range: Range<usize>) -> Option<Self> {
        if key.len() > LONGEST || key.matches('/').count() > MOST_PARTS {
            if !matches!(deed, Deed::Make { .. }) {
                return None;
            }
            key.truncate(key.find('/').unwrap_or(0));
        }
        Some(Self { deed, key, range })
    }
}

const GONE: Deed = Deed::Remove { emptied: false };
const EMPTIED: Deed = Deed::Remove { emptied: true };
const NEEDED: Deed = Deed::Need { exists: false };
const MADE: Deed = Deed::Make { below: true };

/// Script files, each read once.
pub(super) struct Scripts<'a> {
    loaded: &'a Loaded,
    files: RefCell<HashMap<String, Option<Arc<str>>>>,
    patience: Cell<usize>,
}

impl<'a> Scripts<'a> {
    pub(super) fn new(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            files: RefCell::default(),
            patience: Cell::new(PATIENCE),
        }
    }

    /// Whether so much more is to be read; once it is not, nothing is.
    pub(super) fn may_read(&self, size: usize) -> bool {
        let left = self.patience.get().saturating_sub(size);
        self.patience.set(left);
        left > 0
    }

    /// Whether something was left unread because it is too much.
    pub(super) fn is_weary(&self) -> bool {
        self.patience.get() == 0
    }

    /// The text of a file beside the plan; none where it cannot be read as one.
    pub(super) fn text(&self, path: &str) -> Option<Arc<str>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let full = self.loaded.resolve(path);
        // Asked before opening: opening a pipe that nobody writes to would wait forever.
        let read = std::fs::metadata(&full)
            .ok()
            .filter(|about| about.is_file() && about.len() <= LARGEST)
            .and_then(|_| std::fs::read_to_string(&full).ok())
            .map(Arc::from);
        self.files
            .borrow_mut()
            .insert(path.to_owned(), read.clone());
        read
    }
}

/// Whether a file is for a POSIX shell: its first line beats its ending.
pub(super) fn is_shell(path: &str, text: &str) -> bool {
    match text.strip_prefix("#!") {
        Some(rest) => {
            let first = rest.lines().next().unwrap_or_default();
            let program = first
                .split(['/', ' '])
                .rfind(|word| !word.is_empty() && !word.starts_with('-'));
            matches!(program, Some("bash" | "sh" | "dash" | "ash"))
        }
        None => path.ends_with(".sh") || path.ends_with(".bash"),
    }
}

/// What a shell text does, in its order. `env` are variables that this process alone gets, `args` what it is called with.
pub(super) fn shell(
    text: &str,
    env: &[(&str, &str)],
    args: &[&str],
    scripts: &Scripts<'_>,
) -> Vec<Act> {
    let values = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
        .collect();
    Reader {
        scripts,
        values,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        positions: true,
        sourced: false,
        moved: false,
        depth: 0,
        acts: Vec::new(),
    }
    .read(text)
}

/// The key of a path, if it is one that can be compared.
fn path(text: &str) -> Option<String> {
    let mut text = text;
    for here in ["$ORCHESTRATE_PLAN_DIR/", "$PWD/"] {
        text = text.strip_prefix(here).unwrap_or(text);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        if !(part.is_empty() || part == ".") {
            parts.push(part);
        }
    }
    if parts.is_empty() || parts == ["$ORCHESTRATE_PLAN_DIR"] || parts == ["$PWD"] {
        return None;
    }
    let root = if text.starts_with('/') { "/" } else { "" };
    Some(format!("f/{root}{}", parts.join("/")))
}

/// The last part of a key, by which a text would mention it.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

struct Reader<'r> {
    scripts: &'r Scripts<'r>,
    /// Variables that are set here; none where the value is not known.
    values: HashMap<String, Option<String>>,
    args: Vec<String>,
    /// Whether `$1` is still the first argument.
    positions: bool,
    /// Something unread was sourced: it may have set any variable.
    sourced: bool,
    /// Relative paths are no longer the plan's.
    moved: bool,
    depth: usize,
    acts: Vec<Act>,
}

impl Reader<'_> {
    fn read(mut self, text: &str) -> Vec<Act> {
        self.run(text);
        self.acts
    }

    fn run(&mut self, text: &str) {
        // Behind a test, what follows `&&` may not run; behind `||` it runs only after a failure.
        let mut doubtful = false;
        let mut tests = false;
        for command in &commands(text) {
            match command.before {
                Joint::End => doubtful = false,
                Joint::Or => doubtful = true,
                Joint::And => doubtful |= tests,
                Joint::Pipe => {}
            }
            tests = self.command(command, text, doubtful);
        }
    }

    /// Reads one command; whether it is a test.
    fn command(&mut self, command: &Command, text: &str, doubtful: bool) -> bool {
        let certain = !doubtful && !command.nested;
        let mut words = command.words.as_slice();
        let mut is_assignment = true;
        while let Some((first, rest)) = words.split_first() {
            if let Some((name, value)) = first.assignment() {
                let value = self.expand(&value).filter(|_| certain);
                // In front of a command it is for that command alone, which says too little about its words.
                if rest.iter().all(|word| word.assignment().is_some()) {
                    self.values.insert(name.to_owned(), value);
                }
            } else if !matches!(
                first.plain(),
                Some("sudo" | "env" | "command" | "builtin" | "exec" | "nohup" | "nice")
            ) {
                is_assignment = false;
                break;
            }
            words = rest;
        }
        let expanded: Vec<_> = words
            .iter()
            .map(|word| (self.expand(&word.parts), word.range.clone()))
            .collect();
        let call = Call {
            range: command
                .words
                .first()
                .map_or(0..0, |word| word.range.clone()),
            words: expanded,
            certain,
            command,
        };
        let before = self.acts.len();
        if is_assignment || call.words.is_empty() {
            // `exec > log` sends what follows there.
            let nothing = command.words.is_empty();
            self.redirects(&call, text, nothing);
            return false;
        }
        let tests = self.call(&call);
        self.redirects(&call, text, call.texts().first() == Some(&":"));
        if !certain {
            self.acts.truncate_uncertain(before);
        }
        tests
    }

    /// The value of a word that is the same whoever asks.
    fn expand(&self, parts: &[Part]) -> Option<String> {
        let mut value = String::new();
        for part in parts {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::Unknown => return None,
                Part::Variable(name) => match self.values.get(name) {
                    Some(known) => value.push_str(known.as_deref()?),
                    None if name.starts_with(|c: char| c.is_ascii_digit()) => {
                        let at: usize = name.parse().ok()?;
                        let arg = self
                            .args
                            .get(at.checked_sub(1)?)
                            .filter(|_| self.positions)?;
                        value.push_str(arg);
                    }
                    None => {
                        let own = [
                            "STEP_ID",
                            "PHASE_ID",
                            "ATTEMPT",
                            "DIRECTION",
                            "EVIDENCE_DIR",
                        ];
                        let of_a_step = name
                            .strip_prefix("ORCHESTRATE_")
                            .is_some_and(|rest| own.contains(&rest));
                        let changes = [
                            "RANDOM",
                            "SECONDS",
                            "LINENO",
                            "OLDPWD",
                            "_",
                            "PPID",
                            "BASHPID",
                            "EPOCHSECONDS",
                        ];
                        if self.sourced || of_a_step || changes.contains(&name.as_str()) {
                            return None;
                        }
                        value.push('$');
                        value.push_str(name);
                    }
                },
            }
        }
        Some(value)
    }

    fn key(&self, text: Option<&str>) -> Option<String> {
        let text = text?;
        let absolute =
            text.starts_with(['/', '~']) || (text.starts_with('$') && !text.starts_with("$PWD"));
        if self.moved && !absolute {
            return None;
        }
        path(text)
    }

    fn file(&mut self, deed: Deed, text: Option<&str>, range: &Range<usize>) {
        // An empty log fills again.
        if deed == EMPTIED && text.is_some_and(|text| text.contains("log")) {
            return;
        }
        match self.key(text) {
            Some(key) => self.add(deed, key, range),
            // It may be any file.
            None if matches!(deed, Deed::Make { .. }) => self.add(MADE, "f".to_owned(), range),
            None => {}
        }
    }

    fn files(&mut self, deed: Deed, words: &[(Option<&str>, Range<usize>)]) {
        for (text, range) in words {
            self.file(deed, *text, range);
        }
    }

    fn add(&mut self, deed: Deed, key: String, range: &Range<usize>) {
        self.acts.extend(Act::new(deed, key, range.clone()));
    }

    /// Every word may name something that is made.
    fn touched(&mut self, words: &[(Option<String>, Range<usize>)]) {
        for (text, range) in words {
            let value = text
                .as_deref()
                .map(|word| word.split_once('=').map_or(word, |(_, value)| value));
            if value.is_some_and(|value| value.starts_with('-') || value.is_empty()) {
                continue;
            }
            if let Some(key) = self.key(value) {
                self.add(MADE, key, range);
            }
        }
    }

    fn anything(&mut self, range: &Range<usize>) {
        self.add(Deed::Make { below: true }, String::new(), range);
    }

    fn anything_in_files(&mut self, range: &Range<usize>) {
        self.add(MADE, "f".to_owned(), range);
    }

    fn redirects(&mut self, call: &Call<'_>, text: &str, nothing: bool) {
        for redirect in &call.command.redirects {
            let target = self.expand(&redirect.word.parts);
            let target = target.as_deref();
            let range = &redirect.word.range;
            match &redirect.kind {
                Direction::Read => {
                    if call.certain && call.command.after != Joint::Or {
                        self.file(NEEDED, target, range);
                    }
                    if Self::is_client(call) {
                        self.add(MADE, "q".to_owned(), range);
                    }
                }
                Direction::Write if target == Some("/dev/null") => {}
                Direction::Write if nothing && call.certain => self.file(EMPTIED, target, range),
                Direction::Write | Direction::Append => self.file(MADE, target, range),
                Direction::Here(body) => {
                    if Self::is_client(call)
                        && let Some(body) = text.get(body.clone())
                    {
                        self.statements(body, call, range);
                    }
                }
                Direction::Feed | Direction::Other => {}
            }
        }
    }
}

/// Acts of a command that may not run are kept only as far as they make something.
trait Uncertain {
    fn truncate_uncertain(&mut self, from: usize);
}

impl Uncertain for Vec<Act> {
    fn truncate_uncertain(&mut self, from: usize) {
        let kept: Vec<Act> = self
            .drain(from..)
            .filter(|act| matches!(act.deed, Deed::Make { .. } | Deed::Check))
            .collect();
        self.extend(kept);
    }
}
