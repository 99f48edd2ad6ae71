//! Finding everything that a job has started, and ending it, however it tried to get away.
//!
//! A process is taken for a job's own if it is in the group of the job's process, if it carries the job's marks in its
//! environment, or if an ancestor does. Signals go through pidfds whose process was compared with the one that was found,
//! so that a process id that was given away meanwhile never hits a stranger.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The environment variable that carries the run's id.
pub const RUN_MARK: &str = "ORCHESTRATE_RUN_ID";
/// The environment variable that carries the job's name.
pub const JOB_MARK: &str = "ORCHESTRATE_JOB";

/// The environment variable that tells the run's folder from every other one. The id of a run does not: the same plan in
/// two places has the same ids.
pub const PLACE_MARK: &str = "ORCHESTRATE_RUN_PLACE";

/// A run as its processes carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    id: String,
    place: String,
}

impl Run {
    /// The run whose folder this is.
    pub(super) fn of(run_dir: &Path) -> io::Result<Self> {
        let full = run_dir.canonicalize()?;
        let meta = full.metadata()?;
        let name = full.file_name().unwrap_or_default();
        Ok(Self {
            id: name.to_string_lossy().into_owned(),
            place: format!("{:x}-{:x}", meta.dev(), meta.ino()),
        })
    }
}

/// What every process of a job carries in its environment.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    run: Run,
    env: [(String, String); 3],
}

impl Marks {
    pub(super) fn new(run: &Run, job: &str) -> Self {
        Self {
            run: run.clone(),
            env: [
                (RUN_MARK.to_owned(), run.id.clone()),
                (PLACE_MARK.to_owned(), run.place.clone()),
                (JOB_MARK.to_owned(), job.to_owned()),
            ],
        }
    }

    pub(super) fn run(&self) -> &Run {
        &self.run
    }

    pub(super) fn env(&self) -> &[(String, String)] {
        &self.env
    }
}

/// One line of `/proc`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// Clock ticks since boot: with the id it names a process for good.
    pub(super) started: u64,
    /// It has ended and only waits to be collected.
    pub(super) dead: bool,
}

/// All processes of the machine that can be seen.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(look)
        .collect()
}

/// What `/proc` says about one process now.
pub(super) fn look(pid: i32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything, so the fields are counted from the last one.
    let after = memchr::memrchr(b')', &stat)? + 2;
    let text = std::str::from_utf8(stat.get(after..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    Some(Process {
        pid,
        dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// The value that a process carries for the job mark, if it belongs to the run.
pub(super) fn job_of(pid: i32, run: &Run) -> Option<String> {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut here = false;
    let mut job = None;
    for entry in environ.split(|b| *b == 0) {
        let Some(at) = memchr::memchr(b'=', entry) else {
            continue;
        };
        let (name, value) = (&entry[..at], &entry[at + 1..]);
        if name == PLACE_MARK.as_bytes() {
            here = value == run.place.as_bytes();
        } else if name == JOB_MARK.as_bytes() {
            job = Some(String::from_utf8_lossy(value).into_owned());
        }
    }
    job.filter(|_| here)
}

/// The processes that are chosen by `own`, and all their descendants, without this process and its ancestors.
pub(super) fn with_descendants(
    all: &[Process],
    mut own: impl FnMut(&Process) -> bool,
) -> Vec<Process> {
    let by_pid: HashMap<i32, &Process> = all.iter().map(|p| (p.pid, p)).collect();
    let mut spared = HashSet::new();
    let mut up = i32::try_from(std::process::id()).unwrap_or(0);
    while up != 0 && spared.insert(up) {
        up = by_pid.get(&up).map_or(0, |p| p.parent);
    }
    let mut chosen: HashSet<i32> = all
        .iter()
        .filter(|p| !spared.contains(&p.pid) && own(p))
        .map(|p| p.pid)
        .collect();
    loop {
        let before = chosen.len();
        for process in all {
            if chosen.contains(&process.parent) && !spared.contains(&process.pid) {
                chosen.insert(process.pid);
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    all.iter()
        .filter(|p| !p.dead && chosen.contains(&p.pid))
        .copied()
        .collect()
}

/// A living process that can be signalled and waited for without mistaking it for another one.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) process: Process,
    pub(super) fd: OwnedFd,
}

impl Target {
    /// `None` if it has gone meanwhile.
    pub(super) fn of(process: Process) -> Option<Self> {
        let fd = pidfd_open(Pid::from_raw(process.pid)?, PidfdFlags::empty()).ok()?;
        let now = look(process.pid)?;
        (now.started == process.started).then_some(Self { process, fd })
    }

    /// True until it has ended. An ending process loses its environment, hence its marks, before it is gone.
    pub(super) fn lives(&self) -> bool {
        look(self.process.pid).is_some_and(|p| p.started == self.process.started && !p.dead)
    }

    /// Adds those of `before` that are alive and not among `now`.
    pub(super) fn joined(mut now: Vec<Self>, before: Vec<Self>) -> Vec<Self> {
        for target in before {
            if target.lives() && !now.iter().any(|t| t.process.pid == target.process.pid) {
                now.push(target);
            }
        }
        now
    }

    /// Sends a signal; a process that is not ours to signal (it changed its user) is left to the count of survivors.
    pub(super) fn signal(&self, signal: Signal) {
        if pidfd_send_signal(&self.fd, signal) == Ok(()) && signal == Signal::TERM {
            // A stopped process would not hear of it.
            let _ = pidfd_send_signal(&self.fd, Signal::CONT);
        }
    }
}

/// The command line of a process, for people.
pub(super) fn command_of(pid: i32) -> String {
    let path = format!("/proc/{pid}/cmdline");
    let bytes = std::fs::read(Path::new(&path)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn it_sees_itself_and_spares_itself() {
        let me = i32::try_from(std::process::id()).unwrap();
        let all = all();
        assert!(all.iter().any(|p| p.pid == me && !p.dead));
        assert!(
            with_descendants(&all, |p| p.pid == me)
                .iter()
                .all(|p| p.pid != me)
        );
        assert!(!command_of(me).is_empty());
    }

    #[test]
    fn descendants_of_descendants() {
        let p = |pid, parent| Process {
            pid,
            parent,
            group: pid,
            started: 0,
            dead: false,
        };
        let all = [p(-12, -11), p(-11, -10), p(-10, 1), p(-20, 1)];
        let found = with_descendants(&all, |p| p.pid == -10);
        assert_eq!(
            found.iter().map(|p| p.pid).collect::<Vec<_>>(),
            [-12, -11, -10]
        );
    }
}
