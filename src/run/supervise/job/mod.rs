//! One job from its first process to its end: output, limits, kills, and what it leaves behind.
//!
//! A job never blocks. The loop in `serve` tells it what has happened (a pipe is readable, a child has ended, a time has
//! come) and asks it, once per turn, whether it has ended.

mod ending;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::log::{JobLog, Latest};
use super::mask::Secrets;
use super::pipe::{Capture, Pipe};
use super::protocol::{JobEnd, JobSpec, ProcessEnd, ProcessExit, RunningJob, SpawnProblem, Stream};
use super::spawn::{Spawned, spawn};
use super::tree::{Marks, Run};
pub(super) use ending::Around;
use ending::Killing;

/// How long a pipe that somebody still holds is listened to after the process itself has ended.
const DRAIN: Duration = Duration::from_millis(200);
/// How long output may wait before it is written to the file and its last line shown.
const SHOW_EVERY: Duration = Duration::from_millis(50);

/// What the jobs of one controller share.
#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    pub(super) env: Arc<Vec<(String, String)>>,
    pub(super) secrets: Secrets,
}

/// The process that is running, or whose end is being dealt with.
#[derive(Debug)]
struct Running {
    index: usize,
    /// Dropped, and the process collected with it, only when nothing in its group needs to be found any more.
    _handle: duct::Handle,
    pid: Pid,
    started_at: Timestamp,
    started: Instant,
    deadline: Option<Instant>,
    ended: Option<(ProcessExit, Timestamp, Instant)>,
    drain_until: Option<Instant>,
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) spec: JobSpec,
    pub(super) epoch: u64,
    base: Base,
    marks: Marks,
    log: JobLog,
    pipes: Vec<Pipe>,
    running: Option<Running>,
    next: usize,
    ends: Vec<ProcessEnd>,
    killing: Option<Killing>,
    capture: Option<Capture>,
    started_at: Timestamp,
    started: Instant,
    deadline: Option<Instant>,
    show_at: Option<Instant>,
    left_behind: usize,
}

impl Job {
    /// Starts the first process.
    pub(super) fn start(spec: JobSpec, epoch: u64, base: Base, run: &Run) -> Self {
        let started = Instant::now();
        let limit = usize::try_from(spec.capture).unwrap_or(usize::MAX);
        let mut job = Self {
            marks: Marks::new(run, &spec.job),
            log: JobLog::open(&spec.log, base.secrets.clone()),
            pipes: Vec::new(),
            running: None,
            next: 0,
            ends: Vec::new(),
            killing: None,
            capture: Capture::new(limit),
            started_at: Timestamp::now(),
            started,
            deadline: after(started, spec.timeout_ms),
            show_at: None,
            left_behind: 0,
            spec,
            epoch,
            base,
        };
        job.start_next();
        job
    }

    /// Creates the log while the process is busy starting: creating a file takes longer than anything else here.
    pub(super) fn open_log(&mut self) {
        self.log.flush();
    }

    /// The current process, if one was started.
    pub(super) fn pid(&self) -> Option<u32> {
        let pid = self.running.as_ref()?.pid.as_raw_nonzero().get();
        u32::try_from(pid).ok()
    }

    /// For those who ask.
    pub(super) fn status(&self) -> RunningJob {
        RunningJob {
            job: self.spec.job.clone(),
            epoch: self.epoch,
            process: self.next.saturating_sub(1),
            pid: self.pid(),
            started_at: self.started_at,
            ending: self.killing.is_some(),
        }
    }

    fn start_next(&mut self) {
        let Some(spec) = self.spec.processes.get(self.next) else {
            return;
        };
        let (index, total) = (self.next, self.spec.processes.len());
        self.next += 1;
        let (started_at, started) = (Timestamp::now(), Instant::now());
        match spawn(spec, &self.base.env, &self.marks) {
            Ok(Spawned {
                handle,
                pid,
                out,
                err,
            }) => {
                self.log.remark(&format!(
                    "process {} of {total} started: {} (pid {pid})",
                    index + 1,
                    spec.name
                ));
                let secrets = &self.base.secrets;
                self.pipes.push(Pipe::new(out, index, Stream::Out, secrets));
                self.pipes.push(Pipe::new(err, index, Stream::Err, secrets));
                self.running = Some(Running {
                    index,
                    _handle: handle,
                    pid,
                    started_at,
                    started,
                    deadline: after(started, spec.timeout_ms),
                    ended: None,
                    drain_until: None,
                });
            }
            Err(error) => {
                let message = self.base.secrets.mask_text(&error.message);
                self.log.remark(&format!(
                    "process {} of {total} could not be started: {}: {message}",
                    index + 1,
                    spec.name
                ));
                let exit = ProcessExit::SpawnFailed {
                    kind: error.kind,
                    message,
                };
                self.push_end(index, exit, started_at, Timestamp::now(), started.elapsed());
            }
        }
    }

    fn push_end(
        &mut self,
        index: usize,
        exit: ProcessExit,
        started_at: Timestamp,
        ended_at: Timestamp,
        took: Duration,
    ) {
        let name = self.spec.processes.get(index).map(|p| p.name.clone());
        self.ends.push(ProcessEnd {
            index,
            name: name.unwrap_or_default(),
            exit,
            started_at,
            ended_at,
            duration_ms: millis(took),
        });
    }

    /// The pipes to listen to, by their place.
    pub(super) fn pipes(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        let open = |(at, pipe): (usize, &'_ Pipe)| pipe.is_open().then_some(at);
        self.pipes
            .iter()
            .enumerate()
            .filter_map(open)
            .filter_map(|at| Some((at, self.pipes[at].fd()?)))
    }

    /// A pipe has something to read, or was closed.
    pub(super) fn pipe_ready(&mut self, at: usize, buffer: &mut [u8]) {
        if let Some(pipe) = self.pipes.get_mut(at) {
            pipe.read(&mut self.log, &mut self.capture, buffer);
        }
    }

    /// Some child of the supervisor has ended; is it this one's?
    pub(super) fn child_ended(&mut self) {
        if let Some(killing) = &mut self.killing {
            killing.look = true;
        }
        let Some(running) = &mut self.running else {
            return;
        };
        if running.ended.is_some() {
            return;
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let exit = match waitid(WaitId::Pid(running.pid), options) {
            Ok(None) => return,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ProcessExit::Exited { code },
                (None, signal) => ProcessExit::Signaled {
                    signal: signal.unwrap_or(0),
                },
            },
            Err(rustix::io::Errno::INTR) => return,
            // It cannot be waited for, so how it ended will never be known: that must not pass for a success.
            Err(error) => ProcessExit::SpawnFailed {
                kind: SpawnProblem::Other,
                message: format!("waiting for it failed: {}", io::Error::from(error)),
            },
        };
        running.ended = Some((exit, Timestamp::now(), Instant::now()));
    }

    /// Is the current process ended and kept, so that its id stays its own?
    pub(super) fn holds_zombie(&self) -> bool {
        self.running.as_ref().is_some_and(|r| r.ended.is_some())
    }

    /// The next moment at which something is due.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let limits = || {
            let running = self.running.as_ref()?;
            if running.ended.is_some() {
                return running.drain_until;
            }
            earliest([running.deadline, self.deadline])
        };
        let due = match &self.killing {
            Some(killing) => Some(killing.deadline),
            None => limits(),
        };
        earliest([due, self.show_at])
    }

    /// Deals with everything that is due. Returns the end when the job has ended.
    pub(super) fn advance(&mut self, around: Around, buffer: &mut [u8]) -> Option<JobEnd> {
        let now = Instant::now();
        loop {
            let Some(running) = &self.running else {
                // Nothing was started, or starting failed.
                return self.finish();
            };
            if self.killing.is_none()
                && running.ended.is_none()
                && earliest([running.deadline, self.deadline]).is_some_and(|at| at <= now)
            {
                self.kill(ProcessExit::TimedOut, None, around);
            }
            let settled = match self.killing {
                Some(_) => self.kill_settled(around),
                None => self.exit_settled(now, buffer),
            };
            if !settled {
                return None;
            }
            if !self.process_done(buffer) {
                return self.finish();
            }
            self.start_next();
        }
    }

    /// After a normal end: is everything that was printed here?
    fn exit_settled(&mut self, now: Instant, buffer: &mut [u8]) -> bool {
        let Some(running) = &mut self.running else {
            return true;
        };
        if running.ended.is_none() {
            return false;
        }
        let index = running.index;
        let mut open = false;
        for pipe in self.pipes.iter_mut().filter(|p| p.process() == index) {
            pipe.read(&mut self.log, &mut self.capture, buffer);
            open |= pipe.is_open();
        }
        if !open {
            return true;
        }
        let until = *running.drain_until.get_or_insert(now + DRAIN);
        until <= now
    }

    /// Files the end of the current process. True if the next one is to be started.
    fn process_done(&mut self, buffer: &mut [u8]) -> bool {
        let Some(running) = self.running.take() else {
            return false;
        };
        let index = running.index;
        for pipe in self.pipes.iter_mut().filter(|p| p.process() == index) {
            pipe.read(&mut self.log, &mut self.capture, buffer);
            if pipe.is_open() {
                // What somebody who holds it prints later is followed, but this process's own text is complete.
                pipe.pause(&mut self.log);
            }
        }
        self.pipes.retain(Pipe::is_open);
        let (exit, ended_at, ended) = match (running.ended, &self.killing) {
            // It was being ended when it ended, however it put it.
            (Some((_, at, when)), Some(killing)) if !killing.too_late => {
                (killing.cause.clone(), at, when)
            }
            (Some(end), _) => end,
            (None, killing) => {
                let cause = killing.as_ref().map(|k| k.cause.clone());
                (
                    cause.unwrap_or(ProcessExit::Killed),
                    Timestamp::now(),
                    Instant::now(),
                )
            }
        };
        let took = ended.saturating_duration_since(running.started);
        self.log.remark(&format!(
            "process {} ended: {} after {} ms",
            index + 1,
            in_words(&exit),
            millis(took)
        ));
        let go_on = self
            .spec
            .processes
            .get(index)
            .is_some_and(|p| p.accepts(&exit));
        self.push_end(index, exit, running.started_at, ended_at, took);
        if !go_on || self.next >= self.spec.processes.len() {
            return false;
        }
        if let Some(killing) = &self.killing {
            // It had ended well when the order came: what was stopped is the rest of the job.
            let (cause, now) = (killing.cause.clone(), Timestamp::now());
            self.push_end(self.next, cause, now, now, Duration::ZERO);
            return false;
        }
        true
    }

    fn finish(&mut self) -> Option<JobEnd> {
        if self.running.is_some() {
            return None;
        }
        let accepted = self.ends.len() == self.spec.processes.len()
            && self
                .ends
                .iter()
                .zip(&self.spec.processes)
                .all(|(end, spec)| spec.accepts(&end.exit));
        Some(JobEnd {
            job: self.spec.job.clone(),
            epoch: self.epoch,
            accepted,
            processes: std::mem::take(&mut self.ends),
            duration_ms: millis(self.started.elapsed()),
            log: self.log.close(),
            tail: self.log.tail(),
            captured: self.capture.take().map(Capture::into_captured),
            left_behind: self.left_behind,
            not_recorded: None,
        })
    }

    /// What is masked in its output.
    pub(super) fn secrets(&self) -> Secrets {
        self.base.secrets.clone()
    }

    /// The pipes that somebody still holds, for whoever goes on listening to them.
    pub(super) fn take_open_pipes(&mut self) -> Vec<Pipe> {
        std::mem::take(&mut self.pipes)
    }

    /// Writes out what has waited long enough. Returns the line to show.
    pub(super) fn show(&mut self) -> Option<Latest> {
        let now = Instant::now();
        match self.show_at {
            None if self.log.is_dirty() => {
                self.show_at = Some(now + SHOW_EVERY);
                None
            }
            Some(at) if at <= now => {
                self.show_at = None;
                self.log.flush();
                self.log.take_latest()
            }
            _ => None,
        }
    }
}

fn in_words(exit: &ProcessExit) -> String {
    match exit {
        ProcessExit::Exited { code } => format!("exit {code}"),
        ProcessExit::Signaled { signal } => format!("killed by signal {signal}"),
        ProcessExit::TimedOut => "its time was over".to_owned(),
        ProcessExit::Killed => "ended as asked".to_owned(),
        ProcessExit::SpawnFailed { message, .. } => message.clone(),
    }
}

pub(super) fn earliest<const N: usize>(times: [Option<Instant>; N]) -> Option<Instant> {
    times.into_iter().flatten().min()
}

fn after(start: Instant, limit: Option<u64>) -> Option<Instant> {
    start.checked_add(Duration::from_millis(limit?))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
