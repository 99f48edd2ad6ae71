//! What a verb knows of the world: the terminal, the user, the settings.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::arguments::{Arguments, Common, Output};
use super::failure::Failure;
use crate::base::config::{Config, FILE_NAME};
use crate::base::diagnostic::Style;
use crate::run::engine::Actor;
use crate::run::journal::StateDir;

/// The folder beside a plan in which its runs are kept.
pub(super) const STATE_DIR: &str = ".orchestrate";

/// What a verb knows of the world.
#[derive(Debug)]
pub(super) struct Context {
    common: Common,
    /// Colour on standard error.
    pub(super) colour: bool,
    /// Columns of the terminal, 40 to 200.
    pub(super) width: usize,
    /// Whether questions may be asked: there is a person at standard input, and standard error shows them.
    pub(super) interactive: bool,
    /// Whether standard error is a terminal that a live display can draw on.
    pub(super) live: bool,
}

impl Context {
    pub(super) fn new(arguments: &Arguments) -> Self {
        let common = arguments.common.clone();
        let error = std::io::stderr();
        let terminal = error.is_terminal();
        let plain = common.no_color || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let size = rustix::termios::tcgetwinsize(&error)
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|&c| c > 0);
        // Only for those who ask: reading a filter takes a good part of a small command's time.
        if let Ok(log) = tracing_subscriber::EnvFilter::try_from_env("ORCHESTRATE_LOG") {
            // A second initialisation in the same process (tests) keeps the first.
            let _ = tracing_subscriber::fmt()
                .with_env_filter(log)
                .with_writer(std::io::stderr)
                .try_init();
        }
        Self {
            colour: terminal && !plain && !dumb,
            width: size.or(columns).unwrap_or(80).clamp(40, 200),
            interactive: terminal
                && std::io::stdin().is_terminal()
                && !common.no_input
                && common.output == Output::Text,
            live: terminal && !dumb && common.output == Output::Text,
            common,
        }
    }

    /// The form of the answer.
    pub(super) fn output(&self) -> Output {
        self.common.output
    }

    pub(super) fn json(&self) -> bool {
        self.common.output == Output::Json
    }

    pub(super) fn style(&self) -> Style {
        Style {
            color: self.colour,
            width: self.width,
        }
    }

    /// The OS user on this machine, under their own name.
    pub(super) fn actor(&self) -> Actor {
        let user = user();
        Actor {
            name: user.clone(),
            user,
            host: host(),
        }
    }

    /// The OS user on this machine, under the name that was given.
    pub(super) fn actor_as(&self, name: Option<&str>) -> Actor {
        let own = self.actor();
        match name.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Actor {
                name: name.to_owned(),
                ..own
            },
            None => own,
        }
    }

    /// `orchestrate.yaml` upwards from a folder, over the user's.
    pub(super) fn config(&self, folder: &Path) -> Result<Config, Failure> {
        let folder = absolute(folder)?;
        Config::load(&folder, user_config().as_deref())
            .map_err(|error| Failure::invalid(error).next(format!("mend {FILE_NAME}")))
    }

    /// Where the runs of a plan in this folder are kept: flag or environment, configuration, beside the plan.
    pub(super) fn state_dir_of(
        &self,
        plan_dir: &Path,
        config: &Config,
    ) -> Result<StateDir, Failure> {
        let path = match (&self.common.state_dir, &config.values.policy.state_dir) {
            (Some(flag), _) => absolute(flag)?,
            (None, Some(policy)) => absolute(policy)?,
            (None, None) => plan_dir.join(STATE_DIR),
        };
        Ok(StateDir::new(path))
    }

    /// Where runs are kept, for verbs that name no plan: flag or environment, configuration, or the nearest
    /// `.orchestrate` from here upwards.
    pub(super) fn state_dir(&self) -> Result<StateDir, Failure> {
        if let Some(flag) = &self.common.state_dir {
            return Ok(StateDir::new(absolute(flag)?));
        }
        let here = std::env::current_dir()
            .map_err(|e| Failure::io(format!("the current folder is not readable: {e}")))?;
        if let Some(policy) = &self.config(&here)?.values.policy.state_dir {
            return Ok(StateDir::new(absolute(policy)?));
        }
        match here
            .ancestors()
            .map(|folder| folder.join(STATE_DIR))
            .find(|folder| folder.join("runs").is_dir())
        {
            Some(found) => Ok(StateDir::new(found)),
            None => Err(
                Failure::usage(format!("there is no {STATE_DIR} folder here or above"))
                    .next("change into the plan's folder, or name the folder with --state-dir DIR"),
            ),
        }
    }

    /// Whether verbs typed in the current folder find this state folder by themselves.
    pub(super) fn finds(&self, state_dir: &StateDir) -> bool {
        let here = std::env::current_dir().ok();
        let found = here.as_deref().and_then(|here| {
            here.ancestors()
                .map(|folder| folder.join(STATE_DIR))
                .find(|folder| folder.join("runs").is_dir())
        });
        found.and_then(|f| f.canonicalize().ok()) == state_dir.path().canonicalize().ok()
    }

    /// Prints one JSON object on standard output.
    pub(super) fn print_json(&self, value: &Value) {
        self.print(&format!("{value}\n"));
    }

    /// Prints text on standard output. A reader that has gone is nothing to complain about.
    pub(super) fn print(&self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// Prints bytes on standard output, exactly.
    pub(super) fn print_bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// The state folder that was named by flag or environment, if one was.
    pub(super) fn given_state_dir(&self) -> Option<&Path> {
        self.common.state_dir.as_deref()
    }

    /// Prints text for people: on standard error, so that standard output stays for machines.
    pub(super) fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The last line of every verb with `--output json`.
    pub(super) fn result(&self, verb: &str, exit_code: u8, run: Option<&str>, state: Option<&str>) {
        if self.json() {
            self.print_json(&json!({
                "format_version": 1,
                "type": "result",
                "verb": verb,
                "exit_code": exit_code,
                "run": run,
                "state": state,
            }));
        }
    }

    /// Says what went wrong, and ends the verb.
    pub(super) fn failed(&self, verb: &str, failure: &Failure) {
        self.error(verb, failure);
        self.result(verb, failure.exit_code, None, None);
    }

    /// Says what went wrong with a part of what was asked.
    pub(super) fn error(&self, verb: &str, failure: &Failure) {
        let (red, plain) = if self.colour {
            ("\u{1b}[1;31m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        self.say(&format!("{red}error{plain}: {}", failure.message));
        if !failure.means.is_empty() {
            self.say(&format!("  so: {}", failure.means));
        }
        if let Some(next) = &failure.next {
            self.say(&format!("next: {next}"));
        }
        if self.json() {
            self.print_json(&json!({
                "format_version": 1,
                "type": "error",
                "verb": verb,
                "message": failure.message,
                "means": failure.means,
                "next": failure.next,
            }));
        }
    }
}

/// Columns and lines of the terminal on standard error.
pub(super) fn terminal_size() -> (usize, usize) {
    rustix::termios::tcgetwinsize(std::io::stderr()).map_or((80, 24), |size| {
        (
            usize::from(size.ws_col).clamp(40, 200),
            usize::from(size.ws_row).max(8),
        )
    })
}

/// A path as the system sees it from the current folder.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|e| Failure::io(format!("{}: {e}", path.display())))
}

fn user_config() -> Option<PathBuf> {
    let base = match std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".config"),
    };
    Some(base.join("orchestrate").join(FILE_NAME)).filter(|path| path.is_file())
}

/// The OS user by the user database, not by what the environment claims.
fn user() -> String {
    let id = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    named
        .or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| format!("uid {id}"))
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
