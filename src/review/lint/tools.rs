//! Programs that look at a text: run with a deadline, behind a trait that tests replace.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Instant;

/// A program to run.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Its name, looked for in `PATH`.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: &'a Path,
    /// When it is stopped.
    pub until: Instant,
}

/// What a program answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said on standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Trouble {
    /// There is no such program.
    #[error("not installed")]
    NotInstalled,
    /// It took too long and was stopped.
    #[error("out of time")]
    OutOfTime,
    /// It could not be started, or its answer is not understood.
    #[error("failed: {0}")]
    Failed(String),
}

/// Runs programs.
pub trait Tools: Sync {
    /// Runs one to its end or its deadline.
    ///
    /// # Errors
    ///
    /// [`Trouble`] when there is no answer. An exit code other than 0 is an answer.
    fn run(&self, call: &Call<'_>) -> Result<Answer, Trouble>;
}

/// The programs of this machine. They get nothing of the caller's environment but what is given
/// here: variables such as `BASH_ENV` would make a shell run something before it looks.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    environment: Vec<(OsString, OsString)>,
}

impl Programs {
    /// Programs found in `path`; `home` is where their own configuration is.
    #[must_use]
    pub fn new(path: Option<OsString>, home: Option<OsString>) -> Self {
        let given = [("PATH", path), ("HOME", home)];
        let mut environment: Vec<(OsString, OsString)> = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value?)))
            .collect();
        environment.push(("LC_ALL".into(), "C.UTF-8".into()));
        Self { environment }
    }
}

impl Tools for Programs {
    fn run(&self, call: &Call<'_>) -> Result<Answer, Trouble> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::NotInstalled,
            _ => Trouble::Failed(error.to_string()),
        };
        let handle = duct::cmd(call.program, &call.arguments)
            .dir(call.folder)
            .full_env(self.environment.iter().cloned())
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .start()
            .map_err(failed)?;
        match handle.wait_deadline(call.until).map_err(failed)? {
            Some(output) => Ok(Answer {
                code: output.status.code(),
                stdout: output.stdout.clone(),
                stderr: output.stderr.clone(),
            }),
            None => {
                handle.kill().map_err(failed)?;
                Err(Trouble::OutOfTime)
            }
        }
    }
}
