//! What the orchestrator and the supervisor say to each other: one JSON object a line, over a unix socket.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The grace between TERM and KILL when a job does not name its own, in milliseconds.
pub const DEFAULT_GRACE_MS: u64 = 5_000;

/// What a controller asks of the supervisor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The first word on every connection.
    Hello {
        /// Must be higher than every epoch that was ever taken for this run. 0 asks for the next one.
        epoch: u64,
        /// Process id of the controller, to name it to others.
        pid: u32,
        /// Push out a controller that is still connected.
        takeover: bool,
    },
    /// The environment and the secrets that the jobs of this controller share. Held in memory only.
    Base {
        /// The whole environment of the processes; a process lays its own over it.
        env: Vec<(String, String)>,
        /// Texts that are written as `***` wherever they occur in output.
        secrets: Vec<String>,
    },
    /// Start a job.
    Start(JobSpec),
    /// End a job and everything it started. The outcome arrives as [`Message::Ended`].
    Kill {
        /// The job.
        job: String,
        /// Milliseconds between TERM and KILL; the job's own if absent. A second, shorter one shortens the first.
        grace_ms: Option<u64>,
    },
    /// End all jobs.
    KillAll {
        /// As for [`Request::Kill`].
        grace_ms: Option<u64>,
    },
    /// Ask for a [`Message::Status`].
    Status,
    /// Leave. Refused while a job is running.
    Leave,
}

/// Processes that run in order as one unit, with one log and one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Unique within the run, chosen by the caller.
    pub job: String,
    /// True: start and end are recorded before they are relied on, and the job outlives its controller. False (probes):
    /// nothing is recorded, and the job is ended when its controller goes.
    pub durable: bool,
    /// Run in order; the first whose outcome is not accepted is the last.
    pub processes: Vec<ProcessSpec>,
    /// The log file, relative to the run's folder. Missing folders are created; an existing file is appended to.
    pub log: PathBuf,
    /// How many bytes of standard output are kept, unmasked and in memory only, for [`JobEnd::captured`].
    pub capture: u64,
    /// Limit for the whole job, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Milliseconds between TERM and KILL.
    pub grace_ms: u64,
}

/// One process of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessSpec {
    /// What the log calls it.
    pub name: String,
    /// Program and arguments. A program without a slash is looked up in the `PATH` of its own environment.
    pub argv: Vec<String>,
    /// Working directory, absolute.
    pub dir: PathBuf,
    /// Laid over the base environment.
    pub env: Vec<(String, String)>,
    /// Limit for this process, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Exit codes after which the job goes on; only 0 when empty.
    pub accept_codes: Vec<i32>,
}

impl ProcessSpec {
    /// True if the job goes on after this exit.
    #[must_use]
    pub fn accepts(&self, exit: &ProcessExit) -> bool {
        match exit {
            ProcessExit::Exited { code } if self.accept_codes.is_empty() => *code == 0,
            ProcessExit::Exited { code } => self.accept_codes.contains(code),
            _ => false,
        }
    }
}

/// What the supervisor says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Message {
    /// The controller is the one that is listened to from now on.
    HelloOk {
        /// Its epoch.
        epoch: u64,
        /// Jobs that are running, from earlier controllers.
        running: Vec<RunningJob>,
        /// Durable jobs that ended since the run began.
        finished: Vec<JobEnd>,
    },
    /// A request was not carried out, and nothing has happened because of it.
    Refused {
        /// The job it was about, if any.
        job: Option<String>,
        /// Why.
        why: Refusal,
    },
    /// A job was taken: from now on it ends with a [`Message::Ended`].
    Accepted {
        /// The job.
        job: String,
        /// Its first process; absent if that could not be started (the end follows).
        pid: Option<u32>,
    },
    /// The latest line that a job has printed, at most one in 50 ms. For eyes only: the log has them all.
    Line {
        /// The job.
        job: String,
        /// Index of the process, from 0.
        process: usize,
        /// Where it came from.
        stream: Stream,
        /// At most 4 KiB, masked, control characters made visible.
        text: String,
    },
    /// A job has ended.
    Ended(Box<JobEnd>),
    /// The answer to [`Request::Status`].
    Status {
        /// The epoch that is listened to.
        epoch: u64,
        /// Jobs that are running.
        running: Vec<RunningJob>,
    },
    /// Somebody took over. Later requests on this connection are refused.
    Fenced {
        /// The new epoch.
        epoch: u64,
        /// The new controller.
        pid: u32,
    },
    /// The supervisor leaves now, as asked.
    Left,
    /// The connection is gone. Never sent: the client itself reports it, as the last message.
    Disconnected,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Refusal {
    /// Another controller has taken over.
    #[error(
        "process {pid} has taken over this run (epoch {epoch}); this one gives no orders any more"
    )]
    Fenced {
        /// The epoch that is listened to.
        epoch: u64,
        /// Its controller.
        pid: u32,
    },
    /// The epoch is not higher than those taken before.
    #[error("epoch {asked} is not newer than {highest}, which was taken before")]
    StaleEpoch {
        /// What was asked for.
        asked: u64,
        /// The highest one so far.
        highest: u64,
    },
    /// Another controller is connected and alive.
    #[error("process {pid} is controlling this run (epoch {epoch})")]
    Controlled {
        /// Its epoch.
        epoch: u64,
        /// Its process id.
        pid: u32,
    },
    /// A request came before [`Request::Hello`], or a line was not a request.
    #[error("the request was not understood: {what}")]
    Protocol {
        /// What was wrong.
        what: String,
    },
    /// The job's name was used before in this run.
    #[error("a job of this name was started before")]
    Duplicate,
    /// No such job is running.
    #[error("no such job is running")]
    NotRunning,
    /// Jobs are running.
    #[error("{running} job(s) are still running")]
    Busy {
        /// How many.
        running: usize,
    },
    /// The acceptance could not be recorded, so the job was not started.
    #[error("the start could not be recorded, so nothing was started: {message}")]
    NotRecorded {
        /// What failed.
        message: String,
    },
    /// The supervisor was told to end.
    #[error("the supervisor is ending")]
    Ending,
}

/// A job that is running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// The job.
    pub job: String,
    /// The epoch that started it.
    pub epoch: u64,
    /// Index of its current process, from 0.
    pub process: usize,
    /// The current process's id.
    pub pid: Option<u32>,
    /// When the job was started.
    pub started_at: Timestamp,
    /// True while it is being ended.
    pub ending: bool,
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum ProcessExit {
    /// By itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// By a signal that the supervisor did not send.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It exceeded its limit (or the job's) and was ended with all its descendants.
    TimedOut,
    /// It was ended, with all its descendants, because somebody asked for that.
    Killed,
    /// It was never started.
    SpawnFailed {
        /// What kind of obstacle.
        kind: SpawnProblem,
        /// In words.
        message: String,
    },
}

/// Why a process could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpawnProblem {
    /// The working directory is not there, or is not a folder.
    DirectoryNotFound,
    /// The program is not there.
    ProgramNotFound,
    /// The program is there but may not be run.
    NotExecutable,
    /// Anything else (limits, arguments too long, a wrong format).
    Other,
}

/// How one process of a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessEnd {
    /// Index in [`JobSpec::processes`], from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// How.
    pub exit: ProcessExit,
    /// When it was started (or was to be).
    pub started_at: Timestamp,
    /// When its end was seen.
    pub ended_at: Timestamp,
    /// Milliseconds between them, on the monotonic clock.
    pub duration_ms: u64,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnd {
    /// The job.
    pub job: String,
    /// The epoch that started it.
    pub epoch: u64,
    /// True if every process was run and its exit accepted.
    pub accepted: bool,
    /// The processes that were started, or were to be, in order.
    pub processes: Vec<ProcessEnd>,
    /// Milliseconds from the start of the first to the end of the last.
    pub duration_ms: u64,
    /// The log as it was at the end of the job.
    pub log: LogInfo,
    /// The last output, at most 4 KiB, masked. Not recorded: empty in ends that are read back.
    #[serde(default)]
    pub tail: String,
    /// The first bytes of standard output as they were, as far as [`JobSpec::capture`] asked. Never recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// Descendants that outlived their process: still alive after a normal end, ended after a timeout or a kill.
    pub left_behind: usize,
    /// Why this end could not be recorded durably, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_recorded: Option<String>,
}

impl JobEnd {
    /// The exit that decided the job: the last one.
    #[must_use]
    pub fn last_exit(&self) -> Option<&ProcessExit> {
        self.processes.last().map(|p| &p.exit)
    }
}

/// A log file at the moment its job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// Relative to the run's folder.
    pub path: PathBuf,
    /// Length of what this job wrote, in bytes.
    pub bytes: u64,
    /// Lines of it, remarks included.
    pub lines: u64,
    /// SHA-256 of it, lower-case hex.
    pub sha256: String,
    /// Why (a part of) the log is missing, if so. The processes were run all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The first bytes of a job's standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The bytes, not masked. On the wire: text where they are UTF-8, else numbers.
    #[serde(with = "wire_bytes")]
    pub bytes: Vec<u8>,
    /// True if there was more.
    pub truncated: bool,
}

mod wire_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Wire<T, B> {
        Text(T),
        Bytes(B),
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Wire::<_, &[u8]>::Text(text).serialize(to),
            Err(_) => Wire::<&str, _>::Bytes(bytes).serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Wire::<String, Vec<u8>>::deserialize(from)? {
            Wire::Text(text) => text.into_bytes(),
            Wire::Bytes(bytes) => bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn captured_bytes_survive_the_wire() {
        for bytes in [b"plain\n".to_vec(), vec![0, 255, 10, 128]] {
            let sent = Captured {
                bytes,
                truncated: false,
            };
            let wire = serde_json::to_string(&sent).unwrap();
            assert!(!wire.contains('\n'));
            assert_eq!(serde_json::from_str::<Captured>(&wire).unwrap(), sent);
        }
    }

    #[test]
    fn accepted_codes() {
        let mut spec = ProcessSpec {
            name: String::new(),
            argv: vec![],
            dir: PathBuf::new(),
            env: vec![],
            timeout_ms: None,
            accept_codes: vec![],
        };
        assert!(spec.accepts(&ProcessExit::Exited { code: 0 }));
        assert!(!spec.accepts(&ProcessExit::Exited { code: 3 }));
        spec.accept_codes = vec![3];
        assert!(spec.accepts(&ProcessExit::Exited { code: 3 }));
        assert!(!spec.accepts(&ProcessExit::Exited { code: 0 }));
        assert!(!spec.accepts(&ProcessExit::Killed));
    }
}
