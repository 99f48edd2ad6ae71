//! Asks programs about texts: which, how many at a time, until when, and what becomes a finding.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Linted;
use super::collect::{Content, Language, Role, Text, collect};
use super::report::{Raw, elsewhere, first_of_each, source};
use super::shellcheck::{self, Comment, Weight};
use super::syntax::{self, Fault};
use super::tools::{Call, Tools, Trouble};
use crate::base::diagnostic::{Finding, Skipped, codes};
use crate::plan::load::Loaded;

/// For all programs together.
const PATIENCE: Duration = Duration::from_secs(10);

/// As many programs run at once.
const TOGETHER: usize = 4;

/// Lets programs look at everything that shells and Python would run.
#[must_use]
pub fn programs(loaded: &Loaded, tools: &dyn Tools) -> Linted {
    let collected = collect(loaded, &[Language::Bash, Language::Sh, Language::Python]);
    let mut linted = Linted::default();
    if !collected.too_large.is_empty() {
        linted.skipped.push(Skipped {
            tool: "the review",
            texts: collected.too_large.len(),
            why: format!("reads at most 16 MiB ({})", collected.too_large.join(", ")),
        });
    }
    let texts = collected.texts;
    if texts.is_empty() {
        return linted;
    }
    let files = match Files::write(loaded, &texts) {
        Ok(files) => files,
        Err(error) => {
            linted.skipped.push(Skipped {
                tool: "the review",
                texts: texts.len(),
                why: format!("could not write commands into a temporary folder ({error})"),
            });
            return linted;
        }
    };
    let answers = ask(loaded, tools, &texts, &files);
    judge(loaded, &texts, answers, &mut linted);
    linted
}

/// Each text as a file that programs can be given.
struct Files {
    /// By the index of the text.
    names: Vec<String>,
    /// Kept until the programs have ended.
    _folder: tempfile::TempDir,
}

impl Files {
    fn write(loaded: &Loaded, texts: &[Text]) -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("orchestrate-").tempdir()?;
        // Commands of the plan are linted by the rules of the repository that they are in.
        if let Some(rules) = rules_above(loaded.folder()) {
            std::fs::copy(rules, folder.path().join(".shellcheckrc"))?;
        }
        let mut names = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            names.push(match &text.content {
                Content::File { path, .. } if path.starts_with('-') => format!("./{path}"),
                Content::File { path, .. } => path.clone(),
                Content::Embedded { text: written, .. } => {
                    let ending = match text.language {
                        Language::Python => "py",
                        _ => "sh",
                    };
                    let file = folder.path().join(format!("{at}.{ending}"));
                    std::fs::write(&file, written.text())?;
                    file.to_string_lossy().into_owned()
                }
            });
        }
        Ok(Self {
            names,
            _folder: folder,
        })
    }
}

/// shellcheck's configuration, as it looks for it itself.
fn rules_above(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find_map(|above| {
        [".shellcheckrc", "shellcheckrc"]
            .into_iter()
            .map(|name| above.join(name))
            .find(|file| file.is_file())
    })
}

/// One call of a program.
enum Job {
    /// A shell reads many, with extended patterns or without.
    Syntax(Language, bool, Vec<usize>),
    /// Python reads many.
    Python(Vec<usize>),
    /// shellcheck reads many of one dialect.
    ShellCheck(Language, Vec<usize>),
}

impl Job {
    fn tool(&self) -> &'static str {
        match self {
            Self::Syntax(Language::Sh, ..) => "sh",
            Self::Syntax(..) => "bash",
            Self::Python(_) => "python3",
            Self::ShellCheck(..) => "shellcheck",
        }
    }

    fn texts(&self) -> &[usize] {
        match self {
            Self::Syntax(_, _, many) | Self::Python(many) | Self::ShellCheck(_, many) => many,
        }
    }
}

/// What all programs said, by the index of the text.
#[derive(Default)]
struct Answers {
    faults: HashMap<usize, Fault>,
    comments: Vec<(usize, Comment)>,
    /// Texts that shellcheck has read.
    checked: HashSet<usize>,
    /// Texts without an answer.
    skipped: BTreeMap<(&'static str, Trouble), usize>,
    /// Texts that are too large for shellcheck.
    large: usize,
}

/// The calls in the order of their worth: the syntax of what goes back, the rest of the syntax,
/// then opinions.
fn jobs(texts: &[Text]) -> (Vec<Job>, usize) {
    let of = |language: Language| {
        let all = texts.iter().enumerate();
        all.filter(move |(_, text)| text.language == language)
            .map(|(at, _)| at)
    };
    let mut jobs = Vec::new();
    for undo in [true, false] {
        for (language, patterns) in [
            (Language::Bash, false),
            (Language::Bash, true),
            (Language::Sh, false),
        ] {
            let many: Vec<usize> = of(language)
                .filter(|at| (texts[*at].role == Role::Undo) == undo)
                .filter(|at| syntax::has_patterns(&texts[*at]) == patterns)
                .collect();
            let batches = many.chunks(syntax::BATCH);
            jobs.extend(batches.map(|many| Job::Syntax(language, patterns, many.to_vec())));
        }
    }
    let python: Vec<usize> = of(Language::Python).collect();
    jobs.extend(
        python
            .chunks(syntax::BATCH)
            .map(|many| Job::Python(many.to_vec())),
    );
    let size = |at: usize| texts[at].source().text().len();
    let mut large = 0;
    for language in [Language::Bash, Language::Sh] {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for at in of(language) {
            if size(at) > shellcheck::LARGEST {
                large += 1;
                continue;
            }
            batch.push(at);
            bytes += size(at);
            // A batch that runs out of time is lost as a whole.
            if batch.len() == shellcheck::BATCH || bytes > shellcheck::LARGEST / 4 {
                jobs.push(Job::ShellCheck(language, std::mem::take(&mut batch)));
                bytes = 0;
            }
        }
        if !batch.is_empty() {
            jobs.push(Job::ShellCheck(language, batch));
        }
    }
    (jobs, large)
}

fn ask(loaded: &Loaded, tools: &dyn Tools, texts: &[Text], files: &Files) -> Answers {
    let (jobs, large) = jobs(texts);
    let asking = Asking {
        tools,
        texts,
        files,
        folder: loaded.folder(),
        index: files
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect(),
        until: Instant::now() + PATIENCE,
    };
    let answers = Mutex::new(Answers {
        large,
        ..Answers::default()
    });
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(TOGETHER).min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let heard = asking.one(job);
                    // A thread that panicked leaves what others wrote as it is.
                    let mut all = answers
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    match heard {
                        Ok(heard) => all.take(job, heard),
                        Err(trouble) => {
                            let key = (job.tool(), trouble);
                            *all.skipped.entry(key).or_default() += job.texts().len();
                        }
                    }
                }
            });
        }
    });
    answers
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What one call said.
#[derive(Default)]
struct Heard {
    faults: Vec<(usize, Fault)>,
    comments: Vec<(usize, Comment)>,
}

impl Answers {
    fn take(&mut self, job: &Job, heard: Heard) {
        self.faults.extend(heard.faults);
        self.comments.extend(heard.comments);
        if let Job::ShellCheck(_, many) = job {
            self.checked.extend(many);
        }
    }
}

struct Asking<'a> {
    tools: &'a dyn Tools,
    texts: &'a [Text],
    files: &'a Files,
    folder: &'a Path,
    index: HashMap<&'a str, usize>,
    until: Instant,
}

impl Asking<'_> {
    fn one(&self, job: &Job) -> Result<Heard, Trouble> {
        if Instant::now() >= self.until {
            return Err(Trouble::OutOfTime);
        }
        let name = |at: &usize| OsString::from(&self.files.names[*at]);
        let (program, mut arguments) = match job {
            Job::Syntax(language, patterns, _) => syntax::shell(*language, *patterns),
            Job::Python(_) => ("python3", syntax::python()),
            Job::ShellCheck(language, _) => ("shellcheck", shellcheck::arguments(*language)),
        };
        arguments.extend(job.texts().iter().map(name));
        let answer = self.tools.run(&Call {
            program,
            arguments,
            folder: self.folder,
            until: self.until,
        })?;
        let mut heard = Heard::default();
        match job {
            Job::Syntax(_, _, many) => {
                let each = syntax::read_each(&answer);
                if each.len() != many.len() {
                    let said = String::from_utf8_lossy(&answer.stderr);
                    let last = said.lines().last().unwrap_or("it was ended by a signal");
                    return Err(Trouble::Failed(last.to_owned()));
                }
                for (file, code, said) in each {
                    if let Some(at) = self.index.get(file.as_str()) {
                        let text = self.texts[*at].source();
                        let fault = syntax::read_shell(code, &said, &file, text);
                        heard.faults.extend(fault.map(|fault| (*at, fault)));
                    }
                }
            }
            Job::Python(_) => {
                if answer.code != Some(0) {
                    let said = String::from_utf8_lossy(&answer.stderr);
                    let last = said.lines().last().unwrap_or("it was ended by a signal");
                    return Err(Trouble::Failed(last.to_owned()));
                }
                for (file, fault) in syntax::read_python(&answer) {
                    let at = self.index.get(file.as_str());
                    heard.faults.extend(at.map(|at| (*at, fault)));
                }
            }
            Job::ShellCheck(..) => {
                for comment in shellcheck::read(&answer.stdout, &answer.stderr)? {
                    let at = self.index.get(comment.file.as_str());
                    heard.comments.extend(at.map(|at| (*at, comment)));
                }
            }
        }
        Ok(heard)
    }
}

/// Answers become findings.
fn judge(loaded: &Loaded, texts: &[Text], answers: Answers, linted: &mut Linted) {
    for ((tool, trouble), count) in answers.skipped {
        let why = match trouble {
            Trouble::NotInstalled => "is not installed".to_owned(),
            Trouble::OutOfTime => format!("ran out of time after {} s", PATIENCE.as_secs()),
            Trouble::Failed(why) => format!("failed ({why})"),
        };
        linted.skipped.push(Skipped {
            tool,
            texts: count,
            why,
        });
    }
    if answers.large > 0 {
        linted.skipped.push(Skipped {
            tool: "shellcheck",
            texts: answers.large,
            why: "takes too long for scripts of more than 128 KiB".to_owned(),
        });
    }
    let mut raw = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let Some(fault) = answers.faults.get(&at) else {
            continue;
        };
        if fault.refused {
            source(linted, text);
            linted.findings.push(refused(loaded, text, fault));
        } else if !answers.checked.contains(&at) {
            source(linted, text);
            let place = text.place(loaded, fault.range(text.source()));
            let message = format!("bash wonders: {}", fault.message);
            let help = format!(
                "nothing of it is an error, but is it meant?{}",
                elsewhere(text)
            );
            raw.push(Raw {
                finding: Finding::new(codes::SHELL_OBJECTION, place, message).help(help),
                kind: "this".to_owned(),
            });
        }
    }
    let plan = &loaded.plan;
    let known = |name: &str| {
        name.starts_with("ORCHESTRATE_")
            || plan.variables.contains_key(name)
            || plan
                .environments
                .values()
                .any(|environment| environment.variables.contains_key(name))
    };
    let couldnt_parse: HashSet<usize> = answers
        .comments
        .iter()
        .filter(|(_, comment)| comment.code == 1073)
        .map(|(at, _)| *at)
        .collect();
    for (at, comment) in &answers.comments {
        let text = &texts[*at];
        let refused = answers.faults.get(at).is_some_and(|fault| fault.refused);
        // Said better by the interpreter itself, or by the remark that comes with it.
        let said = (comment.is_syntax() && refused)
            || (comment.code == 1072 && couldnt_parse.contains(at));
        if said || !shellcheck::holds(comment, text, &known) {
            continue;
        }
        source(linted, text);
        raw.push(remark(loaded, text, comment));
    }
    linted.findings.extend(first_of_each(raw));
}

fn refused(loaded: &Loaded, text: &Text, fault: &Fault) -> Finding {
    let place = text.place(loaded, fault.range(text.source()));
    let (code, who) = match text.language {
        Language::Python => (codes::PYTHON_SYNTAX, "Python"),
        Language::Sh => (codes::SHELL_SYNTAX, "sh"),
        Language::Bash | Language::Sql => (codes::SHELL_SYNTAX, "bash"),
    };
    let what = match text.role {
        Role::Undo => "this way back",
        Role::Forward | Role::Probe => "this",
    };
    let message = format!("{who} cannot parse {what}: {}", fault.message);
    let help = match text.language {
        Language::Python => "nothing of it would run: mend the syntax".to_owned(),
        _ => "a shell runs what stands before the error, then stops: mend the syntax".to_owned(),
    };
    let finding = Finding::new(code, place, message).help(help + &elsewhere(text));
    match &text.content {
        Content::File { .. } => finding.label(loaded.arena.locate(&text.pointer), "it runs here"),
        Content::Embedded { .. } => finding,
    }
}

fn remark(loaded: &Loaded, text: &Text, comment: &Comment) -> Raw {
    let place = text.place(loaded, comment.range(text.source()));
    let code = match comment.weight() {
        Weight::Objects => codes::SHELL_OBJECTION,
        Weight::Remarks => codes::SHELL_REMARK,
    };
    let kind = format!("SC{}", comment.code);
    let message = comment.message.trim_end_matches([' ', '.']);
    let help = format!(
        "https://www.shellcheck.net/wiki/{kind} explains it; where it is meant, write `# shellcheck disable={kind}` on the line before{}",
        elsewhere(text)
    );
    Raw {
        finding: Finding::new(code, place, format!("{message} ({kind})")).help(help),
        kind,
    }
}
