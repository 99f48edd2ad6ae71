//! Starting one process: its own group, no standard input, its output into two pipes, and a clear word when it fails.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;

use super::protocol::{ProcessSpec, SpawnProblem};
use super::tree::Marks;

/// A process that was started.
#[derive(Debug)]
pub(super) struct Spawned {
    /// Kept until the end was dealt with: as long as it is not waited for, the process id is not given to another.
    pub(super) handle: duct::Handle,
    pub(super) pid: Pid,
    pub(super) out: OwnedFd,
    pub(super) err: OwnedFd,
}

/// Why it was not.
#[derive(Debug)]
pub(super) struct SpawnError {
    pub(super) kind: SpawnProblem,
    pub(super) message: String,
}

impl SpawnError {
    fn new(kind: SpawnProblem, message: String) -> Self {
        Self { kind, message }
    }
}

/// Starts the process with the base environment, its own laid over it, and the marks by which it is found again.
pub(super) fn spawn(
    spec: &ProcessSpec,
    base: &[(String, String)],
    marks: &Marks,
) -> Result<Spawned, SpawnError> {
    // "Program not found" and "directory not found" are the same error later on, so the directory is looked at first.
    match std::fs::metadata(&spec.dir) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            let message = format!(
                "the working directory {} is not a directory",
                spec.dir.display()
            );
            return Err(SpawnError::new(SpawnProblem::DirectoryNotFound, message));
        }
        Err(error) => {
            let message = format!("the working directory {}: {error}", spec.dir.display());
            return Err(SpawnError::new(SpawnProblem::DirectoryNotFound, message));
        }
    }
    let Some(program) = spec.argv.first() else {
        let message = "the command is empty".to_owned();
        return Err(SpawnError::new(SpawnProblem::ProgramNotFound, message));
    };
    let mut env: HashMap<&str, &str> = HashMap::with_capacity(base.len() + spec.env.len() + 2);
    for (name, value) in base.iter().chain(&spec.env).chain(marks.env()) {
        env.insert(name, value);
    }
    let found = resolve(program, &spec.dir, env.get("PATH").copied())?;
    let other = |what: &str, error: io::Error| {
        SpawnError::new(SpawnProblem::Other, format!("{what}: {error}"))
    };
    let pipe = || {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        Ok((reader, writer))
    };
    let (out, out_writer) = pipe().map_err(|e: io::Error| other("making a pipe", e))?;
    let (err, err_writer) = pipe().map_err(|e: io::Error| other("making a pipe", e))?;
    let name = program.clone();
    let handle = duct::cmd(&found, &spec.argv[1..])
        .dir(&spec.dir)
        .full_env(env)
        .stdin_null()
        .stdout_file(out_writer)
        .stderr_file(err_writer)
        .before_spawn(move |command| {
            command.process_group(0).arg0(&name);
            Ok(())
        })
        .unchecked()
        .start()
        .map_err(|e| explain(program, &found, &e))?;
    let pid = handle
        .pids()
        .first()
        .and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?))
        .ok_or_else(|| SpawnError::new(SpawnProblem::Other, "it has no process id".to_owned()))?;
    Ok(Spawned {
        handle,
        pid,
        out,
        err,
    })
}

/// Finds the program as a shell would, but in the `PATH` that the process itself will have.
///
/// Resolving it here also lets the standard library take its quick way of starting processes, which it leaves when it
/// would have to search a changed `PATH` itself.
fn resolve(program: &str, dir: &Path, path: Option<&str>) -> Result<PathBuf, SpawnError> {
    let access = |file: &Path| rustix::fs::accessat(CWD, file, Access::EXEC_OK, AtFlags::empty());
    let runs = |file: &Path| access(file).is_ok();
    if program.contains('/') {
        let file = dir.join(program);
        return match std::fs::metadata(&file) {
            Err(error) => Err(SpawnError::new(
                SpawnProblem::ProgramNotFound,
                format!("the program {}: {error}", file.display()),
            )),
            Ok(meta) if meta.is_dir() => Err(SpawnError::new(
                SpawnProblem::NotExecutable,
                format!("{} is a directory", file.display()),
            )),
            Ok(_) if !runs(&file) => Err(SpawnError::new(
                SpawnProblem::NotExecutable,
                format!("{} has no permission to run (chmod +x)", file.display()),
            )),
            Ok(_) => Ok(file),
        };
    }
    let path = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let mut forbidden = None;
    for folder in path.split(':') {
        // An empty entry means the working directory, as for a shell.
        let file = dir.join(folder).join(program);
        match access(&file) {
            Ok(()) if file.is_file() => return Ok(file),
            Err(rustix::io::Errno::ACCESS) if file.is_file() => forbidden = Some(file),
            _ => {}
        }
    }
    Err(match forbidden {
        Some(file) => SpawnError::new(
            SpawnProblem::NotExecutable,
            format!("{} has no permission to run (chmod +x)", file.display()),
        ),
        None => SpawnError::new(
            SpawnProblem::ProgramNotFound,
            format!("the program `{program}` is not in PATH ({path})"),
        ),
    })
}

fn explain(program: &str, found: &Path, error: &io::Error) -> SpawnError {
    const NOT_A_PROGRAM: i32 = rustix::io::Errno::NOEXEC.raw_os_error();
    if error.raw_os_error() == Some(NOT_A_PROGRAM) {
        return SpawnError::new(
            SpawnProblem::NotExecutable,
            format!(
                "{} is not a program: it needs a first line such as `#!/usr/bin/env bash`",
                found.display()
            ),
        );
    }
    match error.kind() {
        // It was there a moment ago, so what is missing is what its first line names.
        io::ErrorKind::NotFound => SpawnError::new(
            SpawnProblem::ProgramNotFound,
            format!(
                "{} cannot be run: the interpreter in its first line (or its loader) is not there",
                found.display()
            ),
        ),
        io::ErrorKind::PermissionDenied => SpawnError::new(
            SpawnProblem::NotExecutable,
            format!("{} may not be run: {error}", found.display()),
        ),
        _ => SpawnError::new(SpawnProblem::Other, format!("`{program}`: {error}")),
    }
}
