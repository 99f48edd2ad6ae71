//! Every text that a run would give to an interpreter: commands written in the plan, and the
//! script files and datasets that it names.
//!
//! The arena is walked, not the typed plan, so that each text comes with its place; only the
//! sections that a run executes are walked. A text that is there many times is taken once.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::base::diagnostic::{Location, SourceText};
use crate::plan::load::Loaded;
use crate::plan::source::{Kind, NodeId, join};

/// Sections that a run executes; the others are catalogues and documentation.
const ROOTS: [&str; 6] = [
    "prerequisites",
    "migration_phases",
    "validation_strategy",
    "rollback_strategy",
    "monitoring_and_observability",
    "state_probes",
];

/// Keys whose values are data, whatever names are in them.
const DATA: [&str; 5] = ["env", "expect", "http", "args", "file"];

/// Keys that name test datasets.
const DATASETS: [&str; 5] = [
    "test_dataset_ids",
    "test_dataset_id",
    "dataset",
    "rollback_test_id",
    "verification_test_id",
];

/// A file of more bytes than this is not read for review: what people write is smaller.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What understands a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Language {
    Bash,
    Sh,
    Python,
    Sql,
}

/// What a text is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// It judges.
    Probe,
    /// It goes back.
    Undo,
    /// It changes something.
    Forward,
}

/// How SQL reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sending {
    /// Statement by statement.
    Each,
    /// All statements in one message: one transaction, unless they say otherwise.
    AtOnce,
    /// In a transaction around the whole file.
    Wrapped,
}

/// A text that would run.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) language: Language,
    /// The interpreter is told to stop at the first failure.
    pub(super) stops: bool,
    pub(super) role: Role,
    pub(super) sending: Sending,
    /// The phase and step that it belongs to.
    pub(super) step: Option<(usize, usize)>,
    /// Pointer of the value in the plan: the text itself or the path.
    pub(super) pointer: String,
    pub(super) content: Content,
    /// Names that its `env` sets.
    pub(super) names: Vec<String>,
    /// Other places of the plan that run the same text.
    pub(super) more: usize,
}

/// Where the text is.
#[derive(Debug)]
pub(super) enum Content {
    /// In the plan.
    Embedded { node: NodeId, text: Arc<SourceText> },
    /// In a file: its path as the plan says it, and what it holds.
    File { path: String, text: Arc<SourceText> },
}

impl Text {
    /// What would run.
    pub(super) fn source(&self) -> &Arc<SourceText> {
        match &self.content {
            Content::Embedded { text, .. } | Content::File { text, .. } => text,
        }
    }

    /// The place of a range of bytes of the text: in the plan or in the file.
    pub(super) fn place(&self, loaded: &Loaded, range: std::ops::Range<usize>) -> Location {
        match &self.content {
            Content::Embedded { node, .. } => {
                let span = loaded.arena.within(*node).span(range);
                loaded.arena.location(span, &self.pointer)
            }
            Content::File { text, .. } => {
                let (line, column) = text.position(range.start);
                let (end_line, end_column) = text.position(range.end);
                Location {
                    file: Arc::clone(text.name()),
                    line,
                    column,
                    end_line,
                    end_column,
                    pointer: self.pointer.clone(),
                }
            }
        }
    }
}

/// What would run, each text once, in the order of the plan.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) texts: Vec<Text>,
    /// Scripts that are too large to be read, by their path in the plan.
    pub(super) too_large: Vec<String>,
}

/// Everything in the wanted languages.
pub(super) fn collect(loaded: &Loaded, wanted: &[Language]) -> Collected {
    let mut walk = Walk {
        loaded,
        wanted,
        path: Vec::new(),
        files: HashMap::new(),
        datasets: HashMap::new(),
        known: HashMap::new(),
        found: Collected::default(),
    };
    if let Kind::Map(entries) = &loaded.arena.node(loaded.arena.root()).kind {
        for entry in entries {
            if ROOTS.contains(&&*entry.key) {
                let role = match &*entry.key {
                    "rollback_strategy" => Role::Undo,
                    _ => Role::Probe,
                };
                walk.below(Token::Key(&entry.key), entry.value, role);
            }
        }
    }
    walk.found
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    Key(&'a str),
    Index(usize),
}

struct Walk<'a> {
    loaded: &'a Loaded,
    wanted: &'a [Language],
    path: Vec<Token<'a>>,
    /// Files by their path in the plan.
    files: HashMap<String, Option<Read>>,
    /// Paths of datasets by their ids.
    datasets: HashMap<String, Option<String>>,
    /// Texts by what makes them the same.
    known: HashMap<(Language, bool, Sending, Same), usize>,
    found: Collected,
}

/// What makes two texts the same: where the value or file is that holds them, or what they say.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Same {
    File(String),
    Says(Box<str>),
}

#[derive(Debug, Clone)]
struct Read {
    text: Arc<SourceText>,
    executable: bool,
}

impl<'a> Walk<'a> {
    fn below(&mut self, token: Token<'a>, id: NodeId, role: Role) {
        self.path.push(token);
        self.visit(id, role);
        self.path.pop();
    }

    fn visit(&mut self, id: NodeId, role: Role) {
        let loaded = self.loaded;
        match &loaded.arena.node(id).kind {
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.below(Token::Index(at), *item, role);
                }
            }
            Kind::Map(_) => self.map(id, role),
            Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
        }
    }

    fn map(&mut self, id: NodeId, role: Role) {
        let loaded = self.loaded;
        let Kind::Map(entries) = &loaded.arena.node(id).kind else {
            return;
        };
        let has_script = loaded.arena.get(id, "automation_script").is_some();
        for entry in entries {
            let key = &*entry.key;
            if key.starts_with("x-") || DATA.contains(&key) {
                continue;
            }
            let role = match key {
                "execution_details" => Role::Forward,
                _ if key.starts_with("rollback_") => Role::Undo,
                _ => role,
            };
            self.path.push(Token::Key(key));
            match key {
                // Beside a script they are documentation.
                "commands" if has_script => {}
                "run" | "command" => self.command(entry.value, Some(id), role),
                "commands" | "writes" => self.commands(entry.value, role),
                "automation_script" | "validation_script" | "rollback_script" | "script" => {
                    let role = match key {
                        "validation_script" => Role::Probe,
                        _ => role,
                    };
                    self.script(entry.value, role);
                }
                "sql" => self.query(entry.value),
                _ if DATASETS.contains(&key) => self.datasets(entry.value),
                _ => self.visit(entry.value, role),
            }
            self.path.pop();
        }
    }

    fn commands(&mut self, id: NodeId, role: Role) {
        let loaded = self.loaded;
        let Kind::List(items) = &loaded.arena.node(id).kind else {
            return;
        };
        for (at, item) in items.iter().enumerate() {
            self.path.push(Token::Index(at));
            match &loaded.arena.node(*item).kind {
                Kind::Text(_) => self.command(*item, None, role),
                _ => self.visit(*item, role),
            }
            self.path.pop();
        }
    }

    /// A command's text; its mapping may say the shell and variables.
    fn command(&mut self, id: NodeId, mapping: Option<NodeId>, role: Role) {
        let loaded = self.loaded;
        let Kind::Text(text) = &loaded.arena.node(id).kind else {
            return self.visit(id, role);
        };
        let shell = mapping.and_then(|mapping| loaded.arena.get(mapping, "shell"));
        let Some((language, stops)) = shell.map_or(Some((Language::Bash, true)), |shell| {
            self.shell(shell.value)
        }) else {
            return;
        };
        if language == Language::Bash && self.wanted.contains(&Language::Sql) {
            self.psql_files(text, role);
        }
        let names = mapping.map(|mapping| self.names(mapping));
        self.embedded(id, text, language, stops, Sending::AtOnce, role, names);
    }

    /// A query in a read-only transaction.
    fn query(&mut self, id: NodeId) {
        let loaded = self.loaded;
        let (id, deeper) = match loaded.arena.get(id, "query") {
            Some(entry) => (entry.value, true),
            None => (id, false),
        };
        if let Kind::Text(text) = &loaded.arena.node(id).kind {
            if deeper {
                self.path.push(Token::Key("query"));
            }
            let (language, sending) = (Language::Sql, Sending::AtOnce);
            self.embedded(id, text, language, true, sending, Role::Probe, None);
            if deeper {
                self.path.pop();
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where they meet")]
    fn embedded(
        &mut self,
        node: NodeId,
        text: &str,
        language: Language,
        stops: bool,
        sending: Sending,
        role: Role,
        names: Option<Vec<String>>,
    ) {
        if !self.wanted.contains(&language) {
            return;
        }
        let same = Same::Says(text.into());
        if self.again(language, stops, sending, same, role, &names) {
            return;
        }
        let content = Content::Embedded {
            node,
            text: Arc::new(SourceText::new("", text.to_owned())),
        };
        self.add(language, stops, sending, role, content, names);
    }

    /// Whether the text is known; then this is one more place that runs it.
    fn again(
        &mut self,
        language: Language,
        stops: bool,
        sending: Sending,
        same: Same,
        role: Role,
        names: &Option<Vec<String>>,
    ) -> bool {
        let next = self.found.texts.len();
        let at = *self
            .known
            .entry((language, stops, sending, same))
            .or_insert(next);
        if at == next {
            return false;
        }
        let step = self.step();
        let known = &mut self.found.texts[at];
        known.more += 1;
        known.names.extend(names.iter().flatten().cloned());
        if role > known.role {
            known.role = role;
            known.step = step;
        }
        true
    }

    fn add(
        &mut self,
        language: Language,
        stops: bool,
        sending: Sending,
        role: Role,
        content: Content,
        names: Option<Vec<String>>,
    ) {
        let text = Text {
            language,
            stops,
            role,
            sending,
            step: self.step(),
            pointer: self.pointer(),
            content,
            names: names.unwrap_or_default(),
            more: 0,
        };
        self.found.texts.push(text);
    }

    fn script(&mut self, id: NodeId, role: Role) {
        let loaded = self.loaded;
        match &loaded.arena.node(id).kind {
            Kind::Text(path) => self.file(path, None, role, None, Sending::Each),
            Kind::Map(_) => {
                let Some(path) = loaded.arena.get(id, "path") else {
                    return;
                };
                let Kind::Text(text) = &loaded.arena.node(path.value).kind else {
                    return;
                };
                let shell = match loaded.arena.get(id, "shell") {
                    None => None,
                    Some(shell) => match self.shell(shell.value) {
                        None => return,
                        chosen => chosen,
                    },
                };
                let names = self.names(id);
                self.path.push(Token::Key("path"));
                self.file(text, shell, role, Some(names), Sending::Each);
                self.path.pop();
            }
            _ => {}
        }
    }

    fn datasets(&mut self, id: NodeId) {
        let loaded = self.loaded;
        match &loaded.arena.node(id).kind {
            Kind::Text(name) => {
                if let Some(path) = self.dataset(name) {
                    self.file(&path, None, Role::Probe, None, Sending::Each);
                }
            }
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.path.push(Token::Index(at));
                    self.datasets(*item);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    /// The file of a dataset that is run, found once.
    fn dataset(&mut self, name: &str) -> Option<String> {
        if let Some(known) = self.datasets.get(name) {
            return known.clone();
        }
        let found = self.find_dataset(name);
        self.datasets.insert(name.to_owned(), found.clone());
        found
    }

    fn find_dataset(&self, name: &str) -> Option<String> {
        let loaded = self.loaded;
        let folder = loaded
            .plan
            .linkage
            .as_ref()
            .and_then(|linkage| linkage.test_datasets_dir.as_deref())
            .unwrap_or("test-datasets")
            .trim_end_matches('/');
        let exists = |ending: &str| {
            let path = format!("{folder}/{name}{ending}");
            loaded.resolve(&path).is_file().then_some(path)
        };
        // A list of cases is found before a script of the same name.
        let listed = [".yaml", ".yml", ".json"]
            .into_iter()
            .any(|ending| exists(ending).is_some());
        match listed {
            true => None,
            false => [".sh", ".sql", ".py", ""].into_iter().find_map(exists),
        }
    }

    fn file(
        &mut self,
        path: &str,
        shell: Option<(Language, bool)>,
        role: Role,
        names: Option<Vec<String>>,
        sending: Sending,
    ) {
        let guess = shell.or_else(|| by_extension(path));
        let wants = |language: Language| self.wanted.contains(&language);
        let hopeless = match guess {
            Some((language, _)) => !wants(language) && (shell.is_some() || self.wanted.len() == 1),
            // Only a first line can say it, and it never says SQL.
            None => self.wanted == [Language::Sql],
        };
        if hopeless {
            return;
        }
        let Some(read) = self.read(path, guess.is_some()) else {
            return;
        };
        let first_line = match shell {
            None if read.executable => by_first_line(read.text.text()),
            _ => None,
        };
        let chosen = match first_line {
            // A run bit with a first line beats the ending.
            Some((language, stops)) => language.map(|language| (language, stops)),
            None => guess,
        };
        let Some((language, stops)) = chosen else {
            return;
        };
        if !self.wanted.contains(&language) {
            return;
        }
        let same = Same::File(path.to_owned());
        if self.again(language, stops, sending, same, role, &names) {
            return;
        }
        let content = Content::File {
            path: path.to_owned(),
            text: read.text,
        };
        self.add(language, stops, sending, role, content, names);
    }

    /// A file's text; bytes that are no UTF-8 are replaced, which keeps lines where they are.
    fn read(&mut self, path: &str, is_script: bool) -> Option<Read> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let full = self.loaded.resolve(path);
        let read = match read(&full) {
            Reading::Text(text, executable) => Some(Read {
                text: Arc::new(SourceText::new(full.display().to_string(), text)),
                executable,
            }),
            Reading::TooLarge => {
                if is_script {
                    self.found.too_large.push(path.to_owned());
                }
                None
            }
            // Missing and unreadable scripts are findings of their own.
            Reading::Nothing => None,
        };
        self.files.insert(path.to_owned(), read.clone());
        read
    }

    /// The `.sql` files that a command gives to `psql`, as far as they are written out.
    fn psql_files(&mut self, text: &str, role: Role) {
        if !text.contains("psql") {
            return;
        }
        for line in text.replace("\\\n", " ").lines() {
            for part in line.split(['|', ';', '&']) {
                let mut words = part.split_whitespace().map(unquoted);
                if !words.any(|word| word == "psql" || word.ends_with("/psql")) {
                    continue;
                }
                let words: Vec<&str> = words.collect();
                let sending = match words
                    .iter()
                    .any(|w| matches!(*w, "-1" | "--single-transaction"))
                {
                    true => Sending::Wrapped,
                    false => Sending::Each,
                };
                for (at, word) in words.iter().enumerate() {
                    let file = match *word {
                        "-f" | "--file" | "<" => words.get(at + 1).copied(),
                        word => word
                            .strip_prefix("--file=")
                            .or_else(|| word.strip_prefix("-f"))
                            .or_else(|| word.strip_prefix('<')),
                    };
                    let Some(file) = file.map(unquoted) else {
                        continue;
                    };
                    if file.ends_with(".sql") && !file.contains(['$', '`', '*']) {
                        let sql = Some((Language::Sql, true));
                        self.file(file, sql, role, None, sending);
                    }
                }
            }
        }
    }

    fn shell(&self, id: NodeId) -> Option<(Language, bool)> {
        match &self.loaded.arena.node(id).kind {
            Kind::Text(name) => match &**name {
                "bash" => Some((Language::Bash, true)),
                "sh" => Some((Language::Sh, true)),
                "python" => Some((Language::Python, true)),
                "sql" => Some((Language::Sql, true)),
                _ => None,
            },
            Kind::List(items) => {
                let words: Vec<&str> = items
                    .iter()
                    .filter_map(|item| match &self.loaded.arena.node(*item).kind {
                        Kind::Text(word) => Some(&**word),
                        _ => None,
                    })
                    .collect();
                by_words(&words)
            }
            _ => None,
        }
    }

    fn names(&self, mapping: NodeId) -> Vec<String> {
        let env = self.loaded.arena.get(mapping, "env");
        match env.map(|env| &self.loaded.arena.node(env.value).kind) {
            Some(Kind::Map(entries)) => entries.iter().map(|e| e.key.to_string()).collect(),
            _ => Vec::new(),
        }
    }

    fn step(&self) -> Option<(usize, usize)> {
        match self.path.as_slice() {
            [
                Token::Key("migration_phases"),
                Token::Index(phase),
                Token::Key("steps"),
                Token::Index(step),
                ..,
            ] => Some((*phase, *step)),
            _ => None,
        }
    }

    fn pointer(&self) -> String {
        self.path
            .iter()
            .fold(String::new(), |pointer, token| match token {
                Token::Key(key) => join(&pointer, key),
                Token::Index(at) => join(&pointer, at),
            })
    }
}

fn unquoted(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(word)
}

fn by_extension(path: &str) -> Option<(Language, bool)> {
    match Path::new(path).extension()?.to_str()? {
        "sh" | "bash" => Some((Language::Bash, true)),
        "py" => Some((Language::Python, true)),
        "sql" => Some((Language::Sql, true)),
        _ => None,
    }
}

/// The language of a `#!` line, if the text has one: none inside when it is one of no interest.
fn by_first_line(text: &str) -> Option<(Option<Language>, bool)> {
    let words: Vec<&str> = text
        .strip_prefix("#!")?
        .lines()
        .next()?
        .split_whitespace()
        .collect();
    let words = match words.split_first() {
        Some((first, rest)) if base_name(first) == "env" => rest,
        _ => &words,
    };
    let words: Vec<&str> = words
        .iter()
        .copied()
        .skip_while(|word| word.starts_with('-') || word.contains('='))
        .collect();
    let found = words.split_first().and_then(|(first, flags)| {
        let language = language_of(base_name(first))?;
        Some((language, stops(flags)))
    });
    Some(match found {
        Some((language, stops)) => (Some(language), stops),
        None => (None, false),
    })
}

/// The language of an argument list that takes the text as its last argument.
fn by_words(words: &[&str]) -> Option<(Language, bool)> {
    let (first, flags) = words.split_first()?;
    let language = language_of(base_name(first))?;
    let takes_text = flags
        .last()
        .is_some_and(|flag| flag.starts_with('-') && flag.ends_with('c'));
    takes_text.then(|| (language, stops(flags)))
}

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn language_of(program: &str) -> Option<Language> {
    match program {
        "bash" => Some(Language::Bash),
        "sh" | "dash" | "ash" => Some(Language::Sh),
        "python3" | "python" => Some(Language::Python),
        _ => None,
    }
}

/// Whether flags of a shell make it stop at the first failure.
fn stops(flags: &[&str]) -> bool {
    flags
        .iter()
        .any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag[1..].contains('e'))
}

enum Reading {
    Text(String, bool),
    TooLarge,
    Nothing,
}

fn read(path: &Path) -> Reading {
    // Asked before opening: opening a pipe that nobody writes to would wait forever.
    let Ok(about) = std::fs::metadata(path) else {
        return Reading::Nothing;
    };
    if !about.is_file() {
        return Reading::Nothing;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length as u64 > LARGEST => Reading::TooLarge,
        Ok(_) => {
            let text = match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            };
            Reading::Text(text, about.permissions().mode() & 0o111 != 0)
        }
        Err(_) => Reading::Nothing,
    }
}
