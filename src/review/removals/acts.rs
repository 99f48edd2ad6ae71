//! What the commands of a shell text remove, need and make.
//!
//! Only what is certain is a removal or a need: it stands in no condition, loop or function, behind no `||`, and every
//! variable in it is either the same for every process of the run or has one value that the text itself gives. What may
//! make something is believed readily, and a command that nobody here knows may make anything.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::sql;
use super::words::{Command, Direction, Joint, Part, commands};
use crate::plan::load::Loaded;

/// Scripts of more bytes than this are data.
const LARGEST: u64 = 1024 * 1024;

/// Scripts that call scripts are followed this deep.
const DEEPEST: usize = 3;

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

const GONE: Deed = Deed::Remove { emptied: false };
const EMPTIED: Deed = Deed::Remove { emptied: true };
const NEEDED: Deed = Deed::Need { exists: false };
const MADE: Deed = Deed::Make { below: true };

/// Programs that make no files but those that redirections name.
const TAME: [&str; 46] = [
    "echo",
    "printf",
    "true",
    "false",
    ":",
    "sleep",
    "date",
    "set",
    "shopt",
    "trap",
    "umask",
    "wait",
    "du",
    "df",
    "grep",
    "egrep",
    "fgrep",
    "id",
    "whoami",
    "hostname",
    "pwd",
    "systemctl",
    "service",
    "redis-cli",
    "kubectl",
    "docker",
    "podman",
    "nginx",
    "jq",
    "chmod",
    "chown",
    "chgrp",
    "exit",
    "return",
    "pg_isready",
    "type",
    "hash",
    "kill",
    "pkill",
    "pgrep",
    "sync",
    "basename",
    "dirname",
    "seq",
    "logger",
    "readlink",
];

/// Programs that read every file that they are given.
const READERS: [&str; 14] = [
    "cat",
    "head",
    "tail",
    "zcat",
    "bzcat",
    "xzcat",
    "sha256sum",
    "md5sum",
    "sha1sum",
    "cmp",
    "diff",
    "wc",
    "stat",
    "ls",
];

/// Script files, each read once.
pub(super) struct Scripts<'a> {
    loaded: &'a Loaded,
    files: RefCell<HashMap<String, Option<Arc<str>>>>,
}

impl<'a> Scripts<'a> {
    pub(super) fn new(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            files: RefCell::default(),
        }
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

/// A simple command with its words expanded.
struct Call<'c> {
    words: Vec<(Option<String>, Range<usize>)>,
    certain: bool,
    command: &'c Command,
    range: Range<usize>,
}

impl Call<'_> {
    /// Words that are no options, `--` ending them. `with_value` are options whose value is the next word.
    fn plain(&self, from: usize, with_value: &[&str]) -> Vec<(Option<&str>, Range<usize>)> {
        let mut found = Vec::new();
        let mut options = true;
        let mut words = self.words.iter().skip(from);
        while let Some((text, range)) = words.next() {
            match text.as_deref() {
                Some("--") if options => options = false,
                Some(word) if options && word.len() > 1 && word.starts_with('-') => {
                    if with_value.contains(&word) {
                        words.next();
                    }
                }
                text => found.push((text, range.clone())),
            }
        }
        found
    }

    fn texts(&self) -> Vec<&str> {
        self.words
            .iter()
            .map(|(text, _)| text.as_deref().unwrap_or_default())
            .collect()
    }

    fn has(&self, options: &[&str]) -> bool {
        self.texts().iter().any(|word| options.contains(word))
    }

    /// Whether a letter is among the short options.
    fn letter(&self, letter: char) -> bool {
        self.texts()
            .iter()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
    }

    /// The word after an option, or behind its `=`.
    fn value(&self, options: &[&str]) -> Option<(&str, Range<usize>)> {
        for (at, (word, range)) in self.words.iter().enumerate() {
            let word = word.as_deref().unwrap_or_default();
            for option in options {
                if word == *option {
                    let (next, range) = self.words.get(at + 1)?;
                    return Some((next.as_deref()?, range.clone()));
                }
                if option.starts_with("--")
                    && let Some(value) = word
                        .strip_prefix(option)
                        .and_then(|rest| rest.strip_prefix('='))
                {
                    return Some((value, range.clone()));
                }
            }
        }
        None
    }
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
                Direction::Other => {}
            }
        }
    }

    fn is_client(call: &Call<'_>) -> bool {
        matches!(
            call.texts().first(),
            Some(&("psql" | "mysql" | "mariadb" | "sqlite3"))
        )
    }

    /// What tells the database of a client's call from another.
    fn tag(call: &Call<'_>) -> String {
        let own = [
            "-f",
            "--file",
            "-c",
            "--command",
            "-e",
            "--execute",
            "-v",
            "--set",
            "-o",
            "--variable",
        ];
        let mut tag = Vec::new();
        let mut words = call.words.iter().skip(1);
        while let Some((word, _)) = words.next() {
            let word = word.as_deref().unwrap_or("?");
            if own.contains(&word)
                || (word.starts_with('-')
                    && !word.starts_with("--")
                    && word.ends_with(['c', 'f', 'e', 'v']))
            {
                words.next();
            } else if ["-d", "-h", "-p", "--dbname", "--host", "--port"].contains(&word) {
                let value = words
                    .next()
                    .and_then(|(value, _)| value.as_deref())
                    .unwrap_or("?");
                if value != "$DATABASE_URL" {
                    tag.push(value.replace('/', ":"));
                }
            } else if (!word.starts_with('-') && word != "$DATABASE_URL")
                || word.starts_with("--dbname=")
                || word.starts_with("--host=")
            {
                tag.push(word.replace('/', ":"));
            }
        }
        tag.join(" ")
    }

    fn statements(&mut self, statements: &str, call: &Call<'_>, range: &Range<usize>) {
        for act in sql::acts(statements, &Self::tag(call)) {
            self.add(act.deed, act.key, range);
        }
    }

    /// One command; whether it is a test.
    #[expect(clippy::too_many_lines, reason = "a table of programs")]
    fn call(&mut self, call: &Call<'_>) -> bool {
        let Some(program) = call.words[0].0.as_deref() else {
            self.anything(&call.range);
            return false;
        };
        let joined = call.command.after == Joint::Or || call.command.after == Joint::And;
        let needed = if call.command.after == Joint::Or {
            Deed::Check
        } else {
            NEEDED
        };
        match program
            .rsplit_once('/')
            .filter(|(folder, _)| matches!(*folder, "/bin" | "/usr/bin" | "/usr/local/bin"))
            .map_or(program, |(_, name)| name)
        {
            "test" | "[" | "[[" => {
                let words = call.texts();
                let simple = !joined
                    && (words.len() == 3 || words.len() == 4)
                    && words[1].starts_with('-')
                    && words[1] != "-z"
                    && words[1] != "-n"
                    && words[1] != "-L"
                    && words[1] != "-h";
                let deed = match simple && call.certain {
                    true => Deed::Need {
                        exists: !matches!(words[1], "-s"),
                    },
                    false => Deed::Check,
                };
                self.files(deed, &call.plain(1, &[]));
                return true;
            }
            "cd" | "pushd" | "popd" => {
                if !call.command.nested {
                    self.moved = true;
                }
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                for (word, _) in &call.words[1..] {
                    match word.as_deref() {
                        Some(word) => {
                            if let Some((name, value)) = word.split_once('=') {
                                let value = Some(value.to_owned()).filter(|_| call.certain);
                                self.values.insert(name.to_owned(), value);
                            }
                        }
                        // A name with a value that nobody knows: which name, the word does not say any more.
                        None => self.unknown_names(call),
                    }
                }
            }
            "read" | "mapfile" | "readarray" | "unset" | "for" | "select" | "getopts" => {
                for (word, _) in &call.words[1..] {
                    if let Some(word) = word {
                        self.values.insert(word.clone(), None);
                    }
                }
            }
            "shift" => self.positions = false,
            "set" if call.has(&["--"]) => self.positions = false,
            "rm" | "unlink" => self.files(GONE, &call.plain(1, &[])),
            "rmdir"
                if !call.has(&["--ignore-fail-on-non-empty"])
                    && call.command.after != Joint::Or =>
            {
                self.files(GONE, &call.plain(1, &[]));
            }
            "shred" if call.letter('u') || call.has(&["--remove"]) => {
                self.files(GONE, &call.plain(1, &["-n", "-s"]));
            }
            "truncate"
                if matches!(call.value(&["-s", "--size"]), Some(("0", _)))
                    || call.has(&["-s0"]) =>
            {
                self.files(EMPTIED, &call.plain(1, &["-s", "-r", "--size"]));
            }
            "find" => self.find(call),
            "mv" | "cp" | "install" | "rsync" | "scp" => self.copy(program, call, needed),
            "ln" => self.link(call, needed),
            "mkdir" => self.files(Deed::Make { below: false }, &call.plain(1, &["-m"])),
            "touch" => self.files(
                Deed::Make { below: false },
                &call.plain(1, &["-d", "-r", "-t"]),
            ),
            "tee" => self.files(MADE, &call.plain(1, &[])),
            reader if READERS.contains(&reader) => {
                let deed = match reader {
                    "ls" | "stat" if needed == NEEDED => Deed::Need { exists: true },
                    _ => needed,
                };
                self.files(deed, &call.plain(1, &["-n", "-c", "-I", "--format"]));
            }
            zip @ ("gzip" | "gunzip" | "bzip2" | "bunzip2" | "xz" | "unxz" | "zstd" | "unzstd") => {
                self.zip(zip, call, needed)
            }
            "tar" => self.tar(call, needed),
            "unzip" => {
                self.anything_in_files(&call.range);
            }
            "dd" => {
                for (word, range) in &call.words[1..] {
                    let word = word.as_deref().unwrap_or_default();
                    if let Some(file) = word.strip_prefix("if=") {
                        self.file(needed, Some(file), range);
                    } else if let Some(file) = word.strip_prefix("of=") {
                        self.file(MADE, Some(file), range);
                    }
                }
            }
            "sed" | "awk" | "sort" | "curl" | "openssl" | "gpg" => self.touched(&call.words[1..]),
            "pg_restore" => {
                let flags = [
                    "-d", "-h", "-p", "-U", "-t", "-n", "-j", "-L", "-f", "-T", "-N", "-F",
                ];
                let made = call.value(&["-f", "--file"]);
                self.files(needed, &call.plain(1, &flags));
                match made {
                    Some((file, range)) => self.file(MADE, Some(file), &range),
                    None => self.add(MADE, "q".to_owned(), &call.range),
                }
            }
            "pg_dump" | "pg_dumpall" | "mysqldump" => {
                if let Some((file, range)) = call.value(&["-f", "--file", "-r"]) {
                    self.file(MADE, Some(file), &range);
                }
            }
            "psql" | "mysql" | "mariadb" => self.client(call, needed),
            "createdb" => self.database(MADE, call),
            "dropdb" => self.database(GONE, call),
            "." | "source" => self.source(call),
            "bash" | "sh" | "python3" | "python" => self.interpreter(program, call),
            "git" => self.git(call),
            "docker" | "podman" => self.docker(call),
            "aws" => self.aws(call, needed),
            "kubectl" | "oc" => self.kubectl(call),
            tame if TAME.contains(&tame) => {
                return matches!(
                    tame,
                    "grep" | "egrep" | "fgrep" | "pgrep" | "pg_isready" | "type" | "hash" | "false"
                );
            }
            "rmdir" | "shred" | "truncate" | "case" => {}
            script if script.contains('/') => {
                let args: Vec<Option<String>> = call.words[1..]
                    .iter()
                    .map(|(word, _)| word.clone())
                    .collect();
                self.script(script, args, call);
                // `./is-there && rm x` asks.
                return true;
            }
            _ => {
                self.touched(&call.words[1..]);
                self.anything(&call.range);
                return true;
            }
        }
        false
    }

    fn anything(&mut self, range: &Range<usize>) {
        self.add(Deed::Make { below: true }, String::new(), range);
    }

    fn anything_in_files(&mut self, range: &Range<usize>) {
        self.add(MADE, "f".to_owned(), range);
    }

    fn unknown_names(&mut self, call: &Call<'_>) {
        for word in &call.command.words[1..] {
            if let Some((name, _)) = word.assignment() {
                self.values.insert(name.to_owned(), None);
            }
        }
    }

    /// `find PATH... -delete` without a condition that lets some files be.
    fn find(&mut self, call: &Call<'_>) {
        let words = call.texts();
        if words.contains(&"-exec") || words.contains(&"-execdir") {
            return;
        }
        let paths = words[1..]
            .iter()
            .take_while(|word| !word.starts_with('-'))
            .count();
        let mut rest = words[1 + paths..].iter();
        let mut whole = false;
        while let Some(word) = rest.next() {
            match *word {
                "-delete" => whole = true,
                "-type" => {
                    // Links and folders may stay; what is asked for are files.
                    if rest.next() != Some(&"f") {
                        return;
                    }
                }
                "-mindepth" if rest.next() == Some(&"1") => {}
                _ => return,
            }
        }
        if whole {
            let found: Vec<_> = call.words[1..=paths]
                .iter()
                .map(|(text, range)| (text.as_deref(), range.clone()))
                .collect();
            self.files(GONE, &found);
        }
    }

    fn copy(&mut self, program: &str, call: &Call<'_>, needed: Deed) {
        if call.has(&["-t", "--target-directory"]) && program != "rsync" {
            self.touched(&call.words[1..]);
            return;
        }
        if program == "install" && call.letter('d') {
            self.files(
                Deed::Make { below: false },
                &call.plain(1, &["-m", "-o", "-g"]),
            );
            return;
        }
        let with_value: &[&str] = match program {
            "install" => &["-m", "-o", "-g", "-S"],
            "rsync" => &[
                "-e",
                "-f",
                "-T",
                "-M",
                "--exclude",
                "--include",
                "--filter",
                "--rsh",
                "--exclude-from",
                "--files-from",
                "--chmod",
            ],
            "scp" => &["-P", "-i", "-o", "-F", "-l", "-c", "-J"],
            _ => &["-S", "--suffix"],
        };
        let words = call.plain(1, with_value);
        let Some(((target, place), sources)) = words.split_last() else {
            return;
        };
        for (source, range) in sources {
            self.file(needed, *source, range);
            if program == "mv" && !call.letter('n') {
                self.file(GONE, *source, range);
            }
        }
        self.file(MADE, *target, place);
        // In a folder that is there it gets the source's own name.
        if let Some(target) = target.map(|target| target.trim_end_matches('/')) {
            for (source, _) in sources {
                let name = source
                    .map(|source| source.trim_end_matches('/'))
                    .and_then(|source| source.rsplit('/').next());
                if let Some(name) = name {
                    self.file(MADE, Some(&format!("{target}/{name}")), place);
                }
            }
        }
    }

    fn link(&mut self, call: &Call<'_>, needed: Deed) {
        let words = call.plain(1, &["-S"]);
        let [(Some(target), range), (Some(link), place)] = words.as_slice() else {
            self.touched(&call.words[1..]);
            return;
        };
        let symbolic = call.letter('s') || call.has(&["--symbolic"]);
        let from_here = !symbolic
            || call.letter('r')
            || call.has(&["--relative"])
            || target.starts_with(['/', '$', '~']);
        let target = match link.rsplit_once('/').filter(|_| !from_here) {
            Some((folder, _)) if !target.starts_with("..") => format!("{folder}/{target}"),
            Some(_) => String::new(),
            None => (*target).to_owned(),
        };
        self.file(needed, Some(&target), range);
        self.file(MADE, Some(link), place);
    }

    fn zip(&mut self, program: &str, call: &Call<'_>, needed: Deed) {
        let unpack = program.contains("un") || call.letter('d') || call.has(&["--decompress"]);
        let keep = call.letter('k')
            || call.letter('c')
            || call.letter('t')
            || call.letter('l')
            || call.has(&["--keep", "--stdout", "--test", "--list"])
            || program.ends_with("zstd");
        let ending = match program {
            "gzip" | "gunzip" => ".gz",
            "bzip2" | "bunzip2" => ".bz2",
            "xz" | "unxz" => ".xz",
            _ => ".zst",
        };
        for (text, range) in call.plain(1, &["-S", "-o"]) {
            self.file(needed, text, &range);
            if !keep {
                self.file(GONE, text, &range);
            }
            let other = text.map(|text| match unpack {
                true => text.strip_suffix(ending).unwrap_or(text).to_owned(),
                false => format!("{text}{ending}"),
            });
            self.file(MADE, other.as_deref(), &range);
        }
    }

    fn tar(&mut self, call: &Call<'_>, needed: Deed) {
        let mode = call.texts().get(1).copied().unwrap_or_default().to_owned();
        let letters = match mode.strip_prefix("--") {
            Some(_) => "",
            None => mode.trim_start_matches('-'),
        };
        let reads =
            letters.contains('x') || letters.contains('t') || call.has(&["--extract", "--list"]);
        let extracts = letters.contains('x') || call.has(&["--extract"]);
        let archive = if letters.ends_with('f') {
            call.words
                .get(2)
                .map(|(text, range)| (text.clone(), range.clone()))
        } else {
            call.value(&["-f", "--file"])
                .map(|(text, range)| (Some(text.to_owned()), range))
        };
        let Some((archive, range)) = archive else {
            self.anything_in_files(&call.range);
            return;
        };
        if !reads {
            self.file(MADE, archive.as_deref(), &range);
            return;
        }
        if archive.as_deref() != Some("-") {
            self.file(needed, archive.as_deref(), &range);
        }
        if extracts {
            match call.value(&["-C", "--directory"]) {
                Some((folder, range)) => {
                    let folder = folder.to_owned();
                    self.file(MADE, Some(&folder), &range);
                }
                None => self.anything_in_files(&call.range),
            }
        }
    }

    fn client(&mut self, call: &Call<'_>, needed: Deed) {
        let is_psql = call.texts()[0] == "psql";
        let file = call
            .value(&["-f", "--file", "-1f", "-Xf", "-X1f"])
            .filter(|_| is_psql);
        if let Some((file, range)) = file {
            let file = file.to_owned();
            self.file(needed, Some(&file), &range);
            match self.scripts.text(&file).filter(|_| !self.moved) {
                Some(text) => self.statements(&text, call, &range),
                None => self.add(MADE, "q".to_owned(), &range),
            }
        }
        for (at, (word, _)) in call.words.iter().enumerate().skip(1) {
            let word = word.as_deref().unwrap_or_default();
            let short = word.starts_with('-')
                && !word.starts_with("--")
                && word.ends_with(if is_psql { 'c' } else { 'e' });
            if let Some((statements, range)) = call
                .words
                .get(at + 1)
                .filter(|_| short || word == "--command" || word == "--execute")
            {
                match statements {
                    Some(statements) => self.statements(statements, call, range),
                    None => self.add(MADE, "q".to_owned(), range),
                }
            } else if let Some(statements) = word
                .strip_prefix("--command=")
                .or_else(|| word.strip_prefix("--execute="))
            {
                let statements = statements.to_owned();
                self.statements(&statements, call, &call.words[at].1);
            }
        }
        if call.command.before == Joint::Pipe {
            self.add(MADE, "q".to_owned(), &call.range);
        }
    }

    fn database(&mut self, deed: Deed, call: &Call<'_>) {
        let words = call.plain(1, &["-h", "-p", "-U", "-O", "-T", "-E", "-l", "-D"]);
        if let Some((Some(name), range)) = words.first() {
            self.add(deed, format!("d/{}", name.replace('/', ":")), range);
        }
    }

    /// A sourced file runs here: what it sets is set.
    fn source(&mut self, call: &Call<'_>) {
        let file = call.words.get(1).and_then(|(word, _)| word.clone());
        if let Some(file) = &file {
            self.file(NEEDED, Some(file), &call.words[1].1);
        }
        let text = file
            .filter(|_| !self.moved && call.certain)
            .and_then(|file| self.scripts.text(&file));
        match text {
            Some(text) if self.depth < DEEPEST => {
                self.depth += 1;
                let before = self.acts.len();
                self.run(&text);
                self.depth -= 1;
                for act in &mut self.acts[before..] {
                    act.range = call.range.clone();
                }
            }
            _ => {
                self.sourced = true;
                self.anything(&call.range);
            }
        }
    }

    fn interpreter(&mut self, program: &str, call: &Call<'_>) {
        let at = call
            .words
            .iter()
            .skip(1)
            .position(|(word, _)| !word.as_deref().is_some_and(|word| word.starts_with('-')));
        let has_text = call.has(&["-c", "-ec", "-m"]) || call.letter('c');
        let Some(at) = at.filter(|_| !has_text) else {
            self.touched(&call.words[1..]);
            self.anything(&call.range);
            return;
        };
        let (file, range) = call.words[at + 1].clone();
        self.file(NEEDED, file.as_deref(), &range);
        let args: Vec<Option<String>> = call.words[at + 2..]
            .iter()
            .map(|(word, _)| word.clone())
            .collect();
        match file {
            Some(file) if !program.starts_with("python") => self.script(&file, args, call),
            _ => {
                self.touched(&call.words[at + 2..]);
                self.anything(&call.range);
            }
        }
    }

    /// A script is read with its arguments, if it is a shell's.
    fn script(&mut self, file: &str, args: Vec<Option<String>>, call: &Call<'_>) {
        let known: Vec<String> = args.iter().map_while(Clone::clone).collect();
        let text = self
            .scripts
            .text(file)
            .filter(|text| is_shell(file, text) && !self.moved && self.depth < DEEPEST);
        let Some(text) = text else {
            self.touched(&call.words[1..]);
            self.anything(&call.range);
            return;
        };
        let inner = Reader {
            scripts: self.scripts,
            // What is not exported is not seen there: neither is believed.
            values: self
                .values
                .keys()
                .map(|name| (name.clone(), None))
                .collect(),
            args: known,
            positions: true,
            sourced: self.sourced,
            moved: false,
            depth: self.depth + 1,
            acts: Vec::new(),
        };
        for act in inner.read(&text) {
            self.add(act.deed, act.key, &call.range);
        }
    }

    fn git(&mut self, call: &Call<'_>) {
        let words = call.texts();
        match words.get(1..).unwrap_or_default() {
            ["worktree", "remove", ..] => self.files(GONE, &call.plain(3, &[])),
            ["branch", "-D" | "-d" | "--delete", ..] | ["tag", "-d" | "--delete", ..] => {
                for (text, range) in call.plain(3, &[]) {
                    if let Some(text) = text {
                        self.add(GONE, format!("g/{text}"), &range);
                    }
                }
            }
            ["branch" | "tag", name] if !name.starts_with('-') => {
                self.add(MADE, format!("g/{name}"), &call.words[2].1);
            }
            ["switch" | "checkout" | "merge", name] if !name.starts_with('-') => {
                self.add(NEEDED, format!("g/{name}"), &call.words[2].1);
                self.anything_in_files(&call.range);
            }
            ["reset", "--hard", name] => {
                self.add(NEEDED, format!("g/{name}"), &call.words[3].1);
                self.anything_in_files(&call.range);
            }
            [
                "status" | "log" | "diff" | "show" | "rev-parse" | "push",
                ..,
            ] => {}
            _ => self.anything(&call.range),
        }
    }

    fn docker(&mut self, call: &Call<'_>) {
        let words = call.texts();
        let (kind, deed, from) = match words.get(1..).unwrap_or_default() {
            ["rmi", ..] => ("i", GONE, 2),
            ["image", "rm", ..] => ("i", GONE, 3),
            ["volume", "rm", ..] => ("v", GONE, 3),
            ["volume", "create", ..] => ("v", MADE, 3),
            ["tag", ..] => {
                if let [(Some(image), range), (Some(new), _)] = call.plain(2, &[]).as_slice() {
                    self.add(NEEDED, format!("i/{image}"), range);
                    self.add(MADE, format!("i/{new}"), range);
                }
                return;
            }
            ["save", ..] => {
                if let Some((file, range)) = call.value(&["-o", "--output"]) {
                    self.file(MADE, Some(file), &range);
                }
                ("i", NEEDED, 2)
            }
            [
                "pull" | "build" | "load" | "import" | "commit" | "compose" | "buildx",
                ..,
            ] => {
                self.anything(&call.range);
                return;
            }
            ["run" | "create", ..] => {
                // What it mounts it may change.
                self.anything_in_files(&call.range);
                return;
            }
            ["exec", ..] => {
                self.anything(&call.range);
                return;
            }
            ["cp", ..] => {
                self.touched(&call.words[2..]);
                return;
            }
            _ => return,
        };
        for (text, range) in call.plain(from, &["-o", "--output", "-d", "--driver", "--label"]) {
            if let Some(text) = text {
                self.add(deed, format!("{kind}/{}", text.replace('/', ":")), &range);
            }
        }
    }

    fn aws(&mut self, call: &Call<'_>, needed: Deed) {
        let words = call.plain(
            3,
            &[
                "--exclude",
                "--include",
                "--profile",
                "--region",
                "--endpoint-url",
            ],
        );
        let filtered = call.has(&["--exclude", "--include", "--dryrun"]);
        match (call.texts().get(1..3).unwrap_or_default(), words.as_slice()) {
            (["s3", "rm"], [(text, range)]) if !filtered => self.file(GONE, *text, range),
            (["s3", verb @ ("cp" | "mv" | "sync")], [(from, range), (to, place)]) => {
                if !filtered {
                    self.file(needed, *from, range);
                    if *verb == "mv" {
                        self.file(GONE, *from, range);
                    }
                }
                self.file(MADE, *to, place);
            }
            (["s3", "rm" | "ls" | "rb"], _) => {}
            _ => self.anything(&call.range),
        }
    }

    fn kubectl(&mut self, call: &Call<'_>) {
        let flags = [
            "-n",
            "--namespace",
            "-c",
            "--context",
            "--timeout",
            "-p",
            "--patch",
            "--type",
            "-o",
            "-l",
            "--selector",
            "--replicas",
            "--to-revision",
        ];
        let namespace = call
            .value(&["-n", "--namespace"])
            .map_or("", |(name, _)| name)
            .to_owned();
        let words = call.plain(1, &flags);
        let named = |words: &[(Option<&str>, Range<usize>)]| -> Option<(String, Range<usize>)> {
            let (first, range) = words.first()?;
            let (kind, name, range) = match first.as_ref()?.split_once('/') {
                Some((kind, name)) => (kind, name, range),
                None => (first.as_ref().copied()?, words.get(1)?.0?, &words.get(1)?.1),
            };
            let kind = match kind.to_lowercase().split('.').next().unwrap_or_default() {
                "deploy" | "deployments" => "deployment".to_owned(),
                "svc" | "services" => "service".to_owned(),
                "cm" | "configmaps" => "configmap".to_owned(),
                "sts" | "statefulsets" => "statefulset".to_owned(),
                "secrets" => "secret".to_owned(),
                "pvc" | "persistentvolumeclaims" => "persistentvolumeclaim".to_owned(),
                "jobs" => "job".to_owned(),
                "cronjobs" | "cj" => "cronjob".to_owned(),
                "ing" | "ingresses" => "ingress".to_owned(),
                other => other.to_owned(),
            };
            Some((format!("k/{namespace} {kind}/{name}"), range.clone()))
        };
        match words.first().and_then(|(word, _)| *word) {
            Some("delete") if !call.has(&["-f", "-k", "-l", "--all", "--selector"]) => {
                if let Some((key, range)) = named(&words[1..]) {
                    self.add(GONE, key, &range);
                }
            }
            Some("scale" | "patch" | "label" | "annotate" | "get" | "autoscale") => {
                if let Some((key, range)) = named(&words[1..])
                    && !call.has(&["-f", "-k", "-l", "--selector", "--ignore-not-found"])
                {
                    self.add(NEEDED, key, &range);
                }
            }
            Some("rollout" | "set") => {
                if let Some((key, range)) = words.get(2..).and_then(named) {
                    self.add(NEEDED, key, &range);
                }
            }
            Some("apply" | "create" | "replace" | "run" | "expose") => {
                if let Some((file, range)) = call.value(&["-f", "--filename"]) {
                    self.file(NEEDED, Some(file), &range);
                }
                self.add(MADE, "k".to_owned(), &call.range);
            }
            Some("exec" | "cp") => self.anything(&call.range),
            _ => {}
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
