//! Ending a job with everything that it has started: TERM, grace, KILL, and a look whether anybody is left.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::protocol::ProcessExit;
use super::super::tree::{self, Process, Target};
use super::{Job, millis};

/// How long processes that got KILL are waited for: only ones stuck in the kernel, or of another user, take longer.
const PATIENCE_AFTER_KILL: Duration = Duration::from_secs(10);

/// How far it has come.
#[derive(Debug)]
pub(super) struct Killing {
    pub(super) cause: ProcessExit,
    pub(super) deadline: Instant,
    forced: bool,
    /// The process had ended by itself when the order came, so how it did is the truth about it.
    pub(super) too_late: bool,
    watch: Vec<Target>,
    /// Something has changed, so the processes have to be counted anew.
    pub(super) look: bool,
}

/// What a job needs to know about its neighbours when it looks for its processes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Around {
    /// No other job is running: children that nobody else can have started are this one's.
    pub(in super::super) alone: bool,
}

impl Job {
    /// The processes whose end is waited for while the job is being ended.
    pub(in super::super) fn watched(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.killing
            .iter()
            .flat_map(|k| k.watch.iter().map(|t| t.fd.as_fd()))
    }

    /// One of the watched processes has ended.
    pub(in super::super) fn watched_ready(&mut self) {
        if let Some(killing) = &mut self.killing {
            killing.look = true;
        }
    }

    /// Ends the job and all that it has started.
    pub(in super::super) fn kill(
        &mut self,
        cause: ProcessExit,
        grace: Option<u64>,
        around: Around,
    ) {
        let grace = Duration::from_millis(grace.unwrap_or(self.spec.grace_ms));
        let deadline = Instant::now() + grace.min(Duration::from_secs(24 * 3600));
        if let Some(killing) = &mut self.killing {
            if !killing.forced {
                killing.deadline = killing.deadline.min(deadline);
                killing.look = true;
            }
            return;
        }
        self.child_ended();
        let why = match cause {
            ProcessExit::TimedOut => "its time is over",
            _ => "it was asked to end",
        };
        self.log.remark(&format!(
            "{why}: TERM to all its processes, KILL after {} ms",
            millis(grace)
        ));
        let mut killing = Killing {
            cause,
            deadline,
            forced: false,
            too_late: self.holds_zombie(),
            watch: Vec::new(),
            look: true,
        };
        killing.watch = self.targets(around);
        for target in &killing.watch {
            target.signal(Signal::TERM);
        }
        self.killing = Some(killing);
    }

    /// Every living process that this job has started, as far as one can find out.
    fn members(&self, around: Around) -> Vec<Process> {
        let all = tree::all();
        let run = self.marks.run();
        let leader = self.running.as_ref().map(|r| r.pid.as_raw_nonzero().get());
        let me = i32::try_from(std::process::id()).unwrap_or(0);
        let born = leader.and_then(|pid| Some(all.iter().find(|p| p.pid == pid)?.started));
        tree::with_descendants(&all, |p| {
            if p.dead {
                return false;
            }
            let orphan_of_ours =
                || around.alone && p.parent == me && born.is_some_and(|born| p.started >= born);
            Some(p.pid) == leader
                || Some(p.group) == leader
                || match tree::job_of(p.pid, run) {
                    Some(job) => job == self.spec.job,
                    None => orphan_of_ours(),
                }
        })
    }

    fn targets(&self, around: Around) -> Vec<Target> {
        self.members(around)
            .into_iter()
            .filter_map(Target::of)
            .collect()
    }

    /// While it is being ended: is everything gone?
    pub(super) fn kill_settled(&mut self, around: Around) -> bool {
        let now = Instant::now();
        let Some(killing) = &self.killing else {
            return true;
        };
        let due = killing.deadline <= now;
        if !killing.look && !due {
            return false;
        }
        let targets = self.targets(around);
        let leader_ended = self.running.as_ref().is_none_or(|r| r.ended.is_some());
        let leader = self.running.as_ref().map(|r| r.pid.as_raw_nonzero().get());
        let Some(killing) = &mut self.killing else {
            return true;
        };
        killing.look = false;
        if !killing.forced {
            // Born between the look and the signal.
            let known = |t: &Target| killing.watch.iter().any(|w| w.process.pid == t.process.pid);
            for target in targets.iter().filter(|t| !known(t)) {
                target.signal(Signal::TERM);
            }
        }
        killing.watch = Target::joined(targets, std::mem::take(&mut killing.watch));
        if killing.watch.is_empty() {
            // The end of the process itself is announced on its own; the pidfds may be quicker.
            return leader_ended;
        }
        if due && killing.forced {
            let remaining = killing.watch.len();
            killing.watch.clear();
            self.log.remark(&format!(
                "{remaining} of its processes are still there after KILL; they are left"
            ));
            return true;
        }
        if due {
            killing.forced = true;
            killing.deadline = now + PATIENCE_AFTER_KILL;
            self.log.remark("the grace is over: KILL");
        }
        if killing.forced {
            for target in &killing.watch {
                target.signal(Signal::KILL);
                self.left_behind += usize::from(Some(target.process.pid) != leader && due);
            }
        }
        false
    }

    /// How many of its processes are alive after it has ended by itself.
    pub(in super::super) fn count_survivors(&self, around: Around) -> usize {
        if self.killing.is_some() {
            return self.left_behind;
        }
        self.members(around).len()
    }
}
