//! The real program, started as a person or a CI job without a terminal starts it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where the program is.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_orchestrate");

/// Longest that one command may take. Nothing here takes a quarter of it, even on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// How long to rest between two looks at something that gives no sign when it happens.
pub(crate) const REST: Duration = Duration::from_millis(10);

/// Commands typed in one folder, with an environment of their own.
#[derive(Clone)]
pub(crate) struct Cli {
    folder: PathBuf,
    env: Vec<(String, String)>,
    patience: Duration,
}

/// A command that was started.
pub(crate) struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    what: String,
    began: Instant,
    patience: Duration,
}

/// A command that has ended.
pub(crate) struct Ended {
    /// The exit code, or 128 and the number of the signal.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    what: String,
}

impl Cli {
    /// Commands typed in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            env: Vec::new(),
            patience: LONGEST,
        }
    }

    /// The same, with one more variable in the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, for commands that may take longer than others.
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = self.patience.max(patience);
        self
    }

    /// Runs `orchestrate` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// Starts `orchestrate`.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(BINARY);
        command.args(arguments);
        self.spawn(command, format!("orchestrate {}", arguments.join(" ")))
    }

    /// Pastes a command line into a shell, as printed. Its `orchestrate` is the program under test.
    pub(crate) fn paste(&self, line: &str) -> Ended {
        let mut command = Command::new("bash");
        command.args(["-c", line]);
        self.spawn(command, line.to_owned()).wait()
    }

    fn spawn(&self, mut command: Command, what: String) -> Running {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ORCHESTRATE_") {
                command.env_remove(name);
            }
        }
        let programs = Path::new(BINARY).parent().expect("it is in a folder");
        let own = self.env.iter().find(|(name, _)| name == "PATH");
        let path = own.map_or_else(
            || std::env::var("PATH").unwrap_or_default(),
            |(_, path)| path.clone(),
        );
        command
            .current_dir(&self.folder)
            // The user's own settings have no say in a test.
            .env("XDG_CONFIG_HOME", self.folder.join(".no-configuration"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env("PATH", format!("{}:{path}", programs.display()))
            .stdin(Stdio::null());
        let (stdout, stderr) = (scratch(), scratch());
        command.stdout(stdout.try_clone().expect("failed to share a file"));
        command.stderr(stderr.try_clone().expect("failed to share a file"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {what}: {error}"));
        Running {
            child,
            stdout,
            stderr,
            what,
            began: Instant::now(),
            patience: self.patience,
        }
    }
}

impl Running {
    /// Its process.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("failed to send a signal");
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&mut self) -> String {
        text(&mut self.stderr)
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("failed to wait").is_some()
    }

    /// Waits until it has said something on standard error. Panics if it ends before.
    pub(crate) fn wait_for(&mut self, words: &str) {
        wait_until(&format!("{} says {words:?}", self.what), || {
            if text(&mut self.stderr).contains(words) {
                return true;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = text(&mut self.stderr);
                assert!(
                    said.contains(words),
                    "{} ended ({status}) and did not say {words:?}:\n{said}",
                    self.what
                );
                return true;
            }
            false
        });
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let status = loop {
            match self.child.try_wait().expect("failed to wait") {
                Some(status) => break status,
                None if self.began.elapsed() > self.patience => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    panic!(
                        "{} did not end within {:?}:\n{}\n{}",
                        self.what,
                        self.patience,
                        text(&mut self.stdout),
                        text(&mut self.stderr)
                    );
                }
                None => std::thread::sleep(REST),
            }
        };
        let signal = status.signal().map(|signal| 128 + signal);
        Ended {
            code: status.code().or(signal).expect("it has ended"),
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
            took: self.began.elapsed(),
            what: self.what,
        }
    }
}

impl Ended {
    /// Panics with everything that was printed unless this is the exit code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "{} ended with {}, not {code}:\n{}{}",
            self.what, self.code, self.stdout, self.stderr
        );
        self
    }

    /// Panics unless this was said to people.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words) || self.stdout.contains(words),
            "{} did not say {words:?}:\n{}{}",
            self.what,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The lines of `--output json`; each must be an object with a version and a type.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                let value: Value = serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{}: {error}: {line:?}", self.what));
                assert!(value["format_version"].is_u64(), "{line}");
                assert!(value["type"].is_string(), "{line}");
                value
            })
            .collect()
    }

    /// What the run waits for, by its last status line.
    #[track_caller]
    pub(crate) fn waiting(&self) -> Vec<Value> {
        let lines = self.json();
        let status = lines.iter().rev().find(|line| line["type"] == "status");
        let status = status.unwrap_or_else(|| panic!("{} printed no status", self.what));
        status["waiting"]
            .as_array()
            .expect("waiting is a list")
            .clone()
    }
}

/// Waits for something that gives no sign when it happens.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(
            began.elapsed() < LONGEST,
            "waited {LONGEST:?} in vain until {what}"
        );
        std::thread::sleep(REST);
    }
}

/// Answers everything that waits with the commands that were printed for it, an approval by everybody who is named.
pub(crate) fn answer(cli: &Cli, waiting: &[Value]) {
    for wait in waiting {
        let command = wait["answer"].as_str().expect("there is an answer");
        let who: Vec<&str> = wait["who"]
            .as_array()
            .expect("who is a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let who = if who.is_empty() {
            vec!["Somebody"]
        } else {
            who
        };
        let all = command.starts_with("orchestrate approve");
        for name in &who[..if all { who.len() } else { 1 }] {
            cli.paste(&command.replace("<name>", name)).with_code(0);
        }
    }
}

/// A file without a name, for output: nothing is lost, and nobody has to read along.
fn scratch() -> File {
    tempfile::tempfile().expect("failed to create a scratch file")
}

fn text(file: &mut File) -> String {
    // The child writes through the same open file: reading through it would move the place where it writes.
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    let mut own = File::open(path).expect("failed to open a scratch file again");
    let mut bytes = Vec::new();
    own.rewind()
        .and_then(|()| own.read_to_end(&mut bytes))
        .expect("failed to read a scratch file");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a folder holds anything that a run leaves.
pub(crate) fn has_state(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(".orchestrate")).is_ok()
}
