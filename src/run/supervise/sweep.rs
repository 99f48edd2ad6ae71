//! After the death of a supervisor: find what it had started, and end it before anything else is decided.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::records::{RECORDS, RecordsError, read_records};
use super::tree::{self, Process, Run, Target};

/// How long processes that got KILL are waited for.
const PATIENCE_AFTER_KILL: Duration = Duration::from_secs(10);

/// A process that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its id.
    pub pid: i32,
    /// The job whose mark it carries; absent for a descendant that lost its marks.
    pub job: Option<String>,
    /// Its command line, for people.
    pub command: String,
}

/// What a sweep has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Found and ended.
    pub ended: Vec<Stray>,
    /// Found, and still there: of another user, or stuck in the kernel.
    pub remaining: Vec<Stray>,
}

/// How long a supervisor that may be dying is given to be gone.
const PATIENCE_WITH_THE_DYING: Duration = Duration::from_secs(1);

/// Why a sweep was not done.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The run's supervisor is alive: its processes are its own affair.
    #[error("end left-over processes of the run: its supervisor is alive")]
    SupervisorAlive,
    /// What had ended cannot be told.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The records cannot be looked at.
    #[error("look at {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Ends the processes of a run whose supervisor has died: TERM, `grace`, KILL. Returns when they are gone.
///
/// Processes of jobs whose end is recorded are left alone: they are services that a step has started on purpose. It
/// blocks for up to `grace` and ten seconds.
///
/// # Errors
/// When the supervisor is alive, or its records cannot be read.
pub fn sweep(run_dir: &Path, grace: Duration) -> Result<Swept, SweepError> {
    let path = run_dir.join(RECORDS);
    let failed = |source| SweepError::Io {
        path: path.clone(),
        source,
    };
    // Held until the end, so that no supervisor begins meanwhile.
    let guard = match File::open(&path) {
        Ok(file) => Some(file),
        // Nothing was ever started under a supervisor that did not even write its epoch.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Swept::default()),
        Err(error) => return Err(failed(error)),
    };
    if let Some(file) = &guard {
        match file.try_lock() {
            Ok(()) => {}
            // A supervisor that was killed keeps its files a moment longer than its connections.
            Err(TryLockError::WouldBlock) if freed(file).map_err(failed)? => {}
            Err(TryLockError::WouldBlock) => return Err(SweepError::SupervisorAlive),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    let ended: HashSet<String> = read_records(run_dir)?
        .ended
        .into_iter()
        .map(|e| e.job)
        .collect();
    let run = Run::of(run_dir).map_err(failed)?;
    Ok(end_all(&run, &ended, grace))
}

/// Waits for a dying supervisor to let go of its records; the lock is held then.
fn freed(file: &File) -> io::Result<bool> {
    let waiting = file.try_clone()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    // The kernel wakes this thread. If the patience has ended by then, nobody listens and the lock goes with the file.
    std::thread::spawn(move || {
        let locked = waiting.lock();
        drop(sender.send(locked));
    });
    match receiver.recv_timeout(PATIENCE_WITH_THE_DYING) {
        Ok(locked) => locked.map(|()| true),
        Err(_) => Ok(false),
    }
}

fn strays(run: &Run, ended: &HashSet<String>) -> Vec<Process> {
    let all = tree::all();
    tree::with_descendants(&all, |p| {
        !p.dead && tree::job_of(p.pid, run).is_some_and(|job| !ended.contains(&job))
    })
}

fn end_all(run: &Run, ended: &HashSet<String>, grace: Duration) -> Swept {
    let mut found: Vec<(Process, Stray)> = Vec::new();
    let mut deadline = Instant::now() + grace;
    let mut forced = false;
    let mut targets = Vec::new();
    loop {
        let now = strays(run, ended)
            .into_iter()
            .filter_map(Target::of)
            .collect();
        targets = Target::joined(now, targets);
        let due = deadline <= Instant::now();
        if targets.is_empty() || (due && forced) {
            return sorted(found, &targets);
        }
        if due {
            forced = true;
            deadline = Instant::now() + PATIENCE_AFTER_KILL;
        }
        for target in &targets {
            let process = target.process;
            let known = found
                .iter()
                .any(|(p, _)| p.pid == process.pid && p.started == process.started);
            if forced {
                target.signal(Signal::KILL);
            } else if !known {
                target.signal(Signal::TERM);
            }
            if !known {
                let stray = Stray {
                    pid: process.pid,
                    job: tree::job_of(process.pid, run),
                    command: tree::command_of(process.pid),
                };
                found.push((process, stray));
            }
        }
        wait_for_one(&targets, deadline);
    }
}

fn wait_for_one(targets: &[Target], deadline: Instant) {
    let mut fds: Vec<PollFd<'_>> = targets
        .iter()
        .map(|t| PollFd::new(&t.fd, PollFlags::IN))
        .collect();
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).ok();
    // A failure (it can only be an interruption) leads to another look, which is all that follows anyway.
    let _ = poll(&mut fds, timeout.as_ref());
}

fn sorted(found: Vec<(Process, Stray)>, there: &[Target]) -> Swept {
    let mut swept = Swept::default();
    for (process, stray) in found {
        let alive = there
            .iter()
            .any(|t| t.process.pid == process.pid && t.process.started == process.started);
        if alive {
            swept.remaining.push(stray);
        } else {
            swept.ended.push(stray);
        }
    }
    swept
}
