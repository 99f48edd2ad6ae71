//! The scripts beside a plan: each is read once, and understood once for all who call it alike.
//!
//! What a script does depends on a few things that its caller knows: arguments, variables. Whoever reads it asks for them
//! one after another, and what is asked next follows from the answers so far. So what is [`Known`] about a script is a
//! tree of questions; a call goes down it with its own answers, and only one that was never given before makes it
//! necessary to read the script again.

use std::cell::{Cell, Ref, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::acts::{self, Act, Deed, Outcome};
use super::keys::{Key, Keys};
use super::sql;
use crate::plan::load::Loaded;
use crate::review::words::{Command, commands};

/// Scripts of more bytes than this are not read.
const LARGEST: u64 = 1024 * 1024;

/// Scripts that call scripts are followed this deep.
pub(super) const DEEPEST: usize = 16;

/// Bytes of scripts that are understood again, for one plan, because they are called in another way.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Things that scripts do, for one plan, over all their calls.
const MOST_ACTS: usize = 40_000_000;

/// Acts of scripts that are kept, for one plan, with the scripts that call them.
const MOST_KEPT: usize = 1_000_000;

/// Why something was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Unread {
    /// A script of more than [`LARGEST`] bytes.
    TooLarge(Rc<str>),
    /// A script that calls itself, maybe by way of others.
    Again(Rc<str>),
    /// A script that more than [`DEEPEST`] scripts call one another to come to.
    TooDeep(Rc<str>),
    /// This script, and others.
    TooMuch(Rc<str>),
    /// Which steps come first, or what texts speak of.
    TooMany,
}

/// What a script may ask of its caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Variable(Rc<str>),
    /// Counted from one.
    Argument(usize),
    /// Whether any variable may have been set.
    AnySet,
    /// Whether a script may be followed, so many calls below whom is asked.
    Follow(Rc<str>, usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    /// Not set, not given, no objection.
    Nothing,
    Unknown,
    Text(Rc<str>),
    /// The script is running already.
    Running,
    TooDeep,
}

/// Who runs a text.
pub(super) trait Caller {
    fn answer(&self, question: &Question) -> Answer;
}

/// A process of the run. Its variables are those that it alone gets.
#[derive(Debug, Default)]
pub(super) struct Process<'p> {
    pub(super) env: HashMap<&'p str, &'p str>,
    pub(super) args: Vec<&'p str>,
}

impl Caller for Process<'_> {
    fn answer(&self, question: &Question) -> Answer {
        let text = match question {
            Question::Variable(name) => self.env.get(&**name),
            Question::Argument(at) => at.checked_sub(1).and_then(|at| self.args.get(at)),
            Question::Follow(_, deep) if *deep > DEEPEST => return Answer::TooDeep,
            Question::AnySet | Question::Follow(..) => None,
        };
        text.map_or(Answer::Nothing, |text| Answer::Text(Rc::from(*text)))
    }
}

/// What was asked, in this order, with the answers.
pub(super) type Asked = Vec<(Question, Answer)>;

#[derive(Default)]
struct Known {
    /// The first is where every call begins.
    nodes: Vec<Node>,
}

enum Node {
    /// Not known yet.
    Open,
    Asks(Question, HashMap<Answer, usize>),
    Done(Rc<Outcome>),
}

impl Known {
    fn find(&self, caller: &dyn Caller) -> Option<Rc<Outcome>> {
        let mut node = self.nodes.first()?;
        loop {
            match node {
                Node::Open => return None,
                Node::Done(outcome) => return Some(outcome.clone()),
                Node::Asks(question, next) => {
                    node = &self.nodes[*next.get(&caller.answer(question))?];
                }
            }
        }
    }

    fn add(&mut self, asked: Asked, outcome: Rc<Outcome>) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::Open);
        }
        let mut at = 0;
        for (question, answer) in asked {
            let new = self.nodes.len();
            if matches!(self.nodes[at], Node::Open) {
                self.nodes[at] = Node::Asks(question.clone(), HashMap::new());
            }
            match &mut self.nodes[at] {
                Node::Asks(known, next) if *known == question => {
                    at = *next.entry(answer).or_insert(new);
                }
                // Patience ended in between: what came before was understood differently.
                _ => return,
            }
            if at == new {
                self.nodes.push(Node::Open);
            }
        }
        self.nodes[at] = Node::Done(outcome);
    }
}

#[derive(Default)]
struct File {
    /// None where it cannot be read as a text.
    text: Option<Arc<str>>,
    too_large: bool,
    known: Known,
    /// How often it was understood; its commands are kept from the second time on.
    cuts: usize,
    commands: Option<Rc<[Command]>>,
}

/// A file of SQL, and what tells the database that it is for from others.
type Statements = (Rc<str>, String);

/// Script files, each read once, and the names of all things.
pub(super) struct Scripts<'a> {
    loaded: &'a Loaded,
    files: RefCell<HashMap<Rc<str>, File>>,
    statements: RefCell<HashMap<Statements, Rc<[Act]>>>,
    keys: RefCell<Keys>,
    bytes: Cell<usize>,
    acts: Cell<usize>,
    kept: Cell<usize>,
    unread: RefCell<Vec<Unread>>,
    said: RefCell<HashSet<Unread>>,
}

impl<'a> Scripts<'a> {
    pub(super) fn new(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            files: RefCell::default(),
            statements: RefCell::default(),
            keys: RefCell::default(),
            bytes: Cell::new(MOST_BYTES),
            acts: Cell::new(MOST_ACTS),
            kept: Cell::new(MOST_KEPT),
            unread: RefCell::default(),
            said: RefCell::default(),
        }
    }

    pub(super) fn keys(&self) -> Ref<'_, Keys> {
        self.keys.borrow()
    }

    /// What is done to a thing; of a thing whose name is too long, only that something of its kind may be made.
    pub(super) fn act(&self, deed: Deed, name: &str) -> Option<(Deed, Key)> {
        let mut keys = self.keys.borrow_mut();
        let made = matches!(deed, Deed::Make { .. });
        match keys.key(name) {
            Some(key) => Some((deed, key)),
            None => made.then(|| (Deed::Make { below: true }, keys.kind(name))),
        }
    }

    /// Each reason once for a plan.
    pub(super) fn leave_out(&self, why: Unread) {
        // One of many says that there are others.
        let sort = match &why {
            Unread::TooMuch(_) => Unread::TooMuch(Rc::from("")),
            other => other.clone(),
        };
        if self.said.borrow_mut().insert(sort) {
            self.unread.borrow_mut().push(why);
        }
    }

    /// What was not looked at since this was last asked.
    pub(super) fn take_unread(&self) -> Vec<Unread> {
        std::mem::take(&mut *self.unread.borrow_mut())
    }

    /// Whether there is patience left for so many acts of a script; once there is not, there is none for any.
    pub(super) fn may_act(&self, path: &Rc<str>, count: usize) -> bool {
        self.spend(&self.acts, path, count)
    }

    /// Whether there is patience left to keep so many acts of one script with another.
    pub(super) fn may_keep(&self, path: &Rc<str>, count: usize) -> bool {
        self.spend(&self.kept, path, count)
    }

    fn spend(&self, left: &Cell<usize>, path: &Rc<str>, count: usize) -> bool {
        match left.get().checked_sub(count) {
            Some(rest) => {
                left.set(rest);
                true
            }
            None => {
                left.set(0);
                self.leave_out(Unread::TooMuch(path.clone()));
                false
            }
        }
    }

    /// One spelling for one path.
    fn spelling(path: &str) -> Rc<str> {
        if !path.starts_with("./") && !path.contains("/./") && !path.contains("//") {
            return Rc::from(path);
        }
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts: Vec<&str> = parts.collect();
        let root = if path.starts_with('/') { "/" } else { "" };
        Rc::from(format!("{root}{}", parts.join("/")))
    }

    fn with<T>(&self, path: &Rc<str>, see: impl FnOnce(&mut File) -> T) -> T {
        let mut files = self.files.borrow_mut();
        let file = files.entry(path.clone()).or_insert_with(|| self.read(path));
        see(file)
    }

    fn read(&self, path: &str) -> File {
        let full = self.loaded.resolve(path);
        // Asked before opening: opening a pipe that nobody writes to would wait forever.
        let Ok(about) = std::fs::metadata(&full) else {
            return File::default();
        };
        let too_large = about.len() > LARGEST;
        let text = (about.is_file() && !too_large)
            .then(|| std::fs::read_to_string(&full).ok())
            .flatten();
        File {
            text: text.map(Arc::from),
            too_large: about.is_file() && too_large,
            ..File::default()
        }
    }

    /// The text of a file beside the plan; none where it cannot be read as one.
    pub(super) fn text(&self, path: &str) -> Option<Arc<str>> {
        self.with(&Self::spelling(path), |file| file.text.clone())
    }

    /// Whether a file is not read because it is too large.
    pub(super) fn is_too_large(&self, path: &str) -> bool {
        self.with(&Self::spelling(path), |file| file.too_large)
    }

    /// The path and the text of a file of shell or SQL, to be followed.
    pub(super) fn script(&self, path: &str) -> Option<(Rc<str>, Arc<str>)> {
        let path = Self::spelling(path);
        let (text, too_large) = self.with(&path, |file| (file.text.clone(), file.too_large));
        if too_large
            && [".sh", ".bash", ".sql"]
                .iter()
                .any(|end| path.ends_with(end))
        {
            self.leave_out(Unread::TooLarge(path));
            return None;
        }
        Some((path, text?))
    }

    /// What a script of a shell does for a caller; none when there is no patience for it any more.
    pub(super) fn outcome(
        &self,
        path: &Rc<str>,
        text: &Arc<str>,
        caller: &dyn Caller,
    ) -> Option<Rc<Outcome>> {
        let known = self
            .files
            .borrow()
            .get(path)
            .and_then(|file| file.known.find(caller));
        if known.is_some() {
            return known;
        }
        let (kept, cuts) = self.with(path, |file| (file.commands.clone(), file.cuts));
        if cuts > 0 && !self.spend(&self.bytes, path, text.len()) {
            return None;
        }
        let cut = kept.unwrap_or_else(|| {
            let cut: Rc<[Command]> = commands(text).into();
            self.with(path, |file| {
                file.cuts += 1;
                file.commands = (file.cuts > 1).then(|| cut.clone());
            });
            cut
        });
        let (asked, outcome) = acts::script(path, text, &cut, self, caller);
        let outcome = Rc::new(outcome);
        // What was asked is remembered, and asked of all who come later.
        if cuts > 0 && !self.spend(&self.bytes, path, 64 * asked.len()) {
            return Some(outcome);
        }
        self.with(path, |file| file.known.add(asked, outcome.clone()));
        Some(outcome)
    }

    /// What a file of SQL does to a database; none when there is no patience for it any more.
    pub(super) fn statements(
        &self,
        path: &Rc<str>,
        text: &Arc<str>,
        tag: &str,
    ) -> Option<Rc<[Act]>> {
        let place = (path.clone(), tag.to_owned());
        if let Some(known) = self.statements.borrow().get(&place) {
            return Some(known.clone());
        }
        let before = self.with(path, |file| std::mem::replace(&mut file.cuts, 1));
        if before > 0 && !self.spend(&self.bytes, path, text.len()) {
            return None;
        }
        let acts: Rc<[Act]> = sql::acts(text, tag, self).into();
        self.statements.borrow_mut().insert(place, acts.clone());
        Some(acts)
    }
}
