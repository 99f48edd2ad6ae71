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

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use self::call::Call;
use super::keys::{EVERYTHING, Key};
use super::scripts::{Answer, Asked, Caller, Question, Scripts};
use crate::review::words::{Command, Direction, Joint, Part, commands};

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) deed: Deed,
    pub(super) key: Key,
    pub(super) range: Range<usize>,
}

/// What a script did, and what it leaves behind where it was sourced.
pub(super) struct Outcome {
    pub(super) acts: Rc<[Act]>,
    /// The same, as a call in one place has it: without what changes nothing.
    seen: Box<[(Deed, Key)]>,
    values: Values,
    positions: bool,
    sourced: bool,
    moved: bool,
}

type Values = HashMap<Rc<str>, Option<Rc<str>>>;

const GONE: Deed = Deed::Remove { emptied: false };
const EMPTIED: Deed = Deed::Remove { emptied: true };
const NEEDED: Deed = Deed::Need { exists: false };
const MADE: Deed = Deed::Make { below: true };

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

/// What a shell text does, in its order.
pub(super) fn shell(text: &str, scripts: &Scripts<'_>, caller: &dyn Caller) -> Vec<Act> {
    let mut reader = Reader::new(scripts, caller, None);
    reader.run(text, &commands(text));
    reader.acts
}

/// What a script does, in its order, and what it asked its caller.
pub(super) fn script(
    path: &Rc<str>,
    text: &str,
    commands: &[Command],
    scripts: &Scripts<'_>,
    caller: &dyn Caller,
) -> (Asked, Outcome) {
    let mut reader = Reader::new(scripts, caller, Some(path.clone()));
    reader.run(text, commands);
    let outcome = Outcome {
        seen: in_one_place(&reader.acts),
        acts: reader.acts.into(),
        values: reader.values,
        positions: reader.positions,
        sourced: reader.sourced,
        moved: reader.moved,
    };
    (reader.asked.into_inner().in_order, outcome)
}

/// Acts of one place without those that come to nothing: needing or making something again that nothing removed in
/// between, removing it again though nothing was made.
fn in_one_place(acts: &[Act]) -> Box<[(Deed, Key)]> {
    let mut last: HashMap<(Deed, Key), usize> = HashMap::new();
    let mut last_removal: HashMap<Key, (Deed, usize)> = HashMap::new();
    let (mut removals, mut makings) = (0, 0);
    let mut kept = Vec::new();
    for act in acts {
        let one = (act.deed, act.key);
        let again = match act.deed {
            Deed::Check => last.insert(one, 0).is_some(),
            Deed::Need { .. } | Deed::Make { .. } => last.insert(one, removals) == Some(removals),
            Deed::Remove { .. } => {
                last_removal.insert(act.key, (act.deed, makings)) == Some((act.deed, makings))
            }
        };
        if !again {
            removals += usize::from(matches!(act.deed, Deed::Remove { .. }));
            makings += usize::from(matches!(act.deed, Deed::Make { .. }));
            kept.push(one);
        }
    }
    kept.into()
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

struct Reader<'r> {
    scripts: &'r Scripts<'r>,
    caller: &'r dyn Caller,
    /// The script that is read; none for a text in the plan.
    path: Option<Rc<str>>,
    asked: RefCell<Questions>,
    /// Variables that are set here; none where the value is not known.
    values: Values,
    /// Whether `$1` is still the first argument.
    positions: bool,
    /// Something unread was sourced: it may have set any variable.
    sourced: bool,
    /// Relative paths are no longer the plan's.
    moved: bool,
    acts: Vec<Act>,
}

#[derive(Default)]
struct Questions {
    in_order: Asked,
    answers: HashMap<Question, Answer>,
}

impl<'r> Reader<'r> {
    fn new(scripts: &'r Scripts<'r>, caller: &'r dyn Caller, path: Option<Rc<str>>) -> Self {
        Self {
            scripts,
            caller,
            path,
            asked: RefCell::default(),
            values: HashMap::new(),
            positions: true,
            sourced: false,
            moved: false,
            acts: Vec::new(),
        }
    }
}

impl Reader<'_> {
    /// What only the caller knows.
    fn ask(&self, question: Question) -> Answer {
        // Only what scripts ask decides whether they do the same again.
        if self.path.is_none() {
            return self.caller.answer(&question);
        }
        let mut asked = self.asked.borrow_mut();
        if let Some(known) = asked.answers.get(&question) {
            return known.clone();
        }
        let answer = self.caller.answer(&question);
        asked.answers.insert(question.clone(), answer.clone());
        asked.in_order.push((question, answer.clone()));
        answer
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        self.values.insert(Rc::from(name), value.map(Rc::from));
    }

    fn run(&mut self, text: &str, commands: &[Command]) {
        // Behind a test, what follows `&&` may not run; behind `||` it runs only after a failure.
        let mut doubtful = false;
        let mut tests = false;
        for command in commands {
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
                    self.set(name, value);
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
                Part::Variable(name) => match self.variable(name) {
                    Answer::Text(known) => value.push_str(&known),
                    Answer::Nothing => {
                        value.push('$');
                        value.push_str(name);
                    }
                    _ => return None,
                },
            }
        }
        Some(value)
    }

    /// A variable, or an argument; nothing where every process of the run has the same.
    fn variable(&self, name: &str) -> Answer {
        if let Some(known) = self.values.get(name) {
            return known.clone().map_or(Answer::Unknown, Answer::Text);
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return match name.parse() {
                Ok(at) if self.positions => match self.ask(Question::Argument(at)) {
                    Answer::Nothing => Answer::Unknown,
                    known => known,
                },
                _ => Answer::Unknown,
            };
        }
        let known = self.ask(Question::Variable(Rc::from(name)));
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
        if known != Answer::Nothing {
            return known;
        }
        if of_a_step || changes.contains(&name) || self.any_set() {
            return Answer::Unknown;
        }
        Answer::Nothing
    }

    fn any_set(&self) -> bool {
        self.sourced || self.ask(Question::AnySet) != Answer::Nothing
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
        if let Some((deed, key)) = self.scripts.act(deed, &key) {
            self.push(deed, key, range);
        }
    }

    fn push(&mut self, deed: Deed, key: Key, range: &Range<usize>) {
        self.acts.push(Act {
            deed,
            key,
            range: range.clone(),
        });
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
        self.push(MADE, EVERYTHING, range);
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
