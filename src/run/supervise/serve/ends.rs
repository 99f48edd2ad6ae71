//! The ends of jobs: recorded first, told afterwards; and what jobs leave behind.

use std::collections::HashSet;
use std::path::PathBuf;

use rustix::process::{WaitId, WaitIdOptions, WaitOptions, waitid, waitpid};

use super::super::job::{Around, Job};
use super::super::log::JobLog;
use super::super::mask::Secrets;
use super::super::pipe::Pipe;
use super::super::protocol::{JobEnd, Message};
use super::super::records::Record;
use super::super::tree;
use super::Server;

/// Output of processes that outlived their job.
#[derive(Debug)]
pub(super) struct Late {
    path: PathBuf,
    log: Option<JobLog>,
    secrets: Secrets,
    pub(super) pipes: Vec<Pipe>,
}

impl Server {
    /// Lets every job go on; those that have ended are recorded with one sync, then told.
    pub(super) fn advance(&mut self) {
        let around = self.around();
        let mut ends: Vec<(u64, JobEnd)> = Vec::new();
        let mut lines = Vec::new();
        for (key, job) in &mut self.jobs {
            if let Some(end) = job.advance(around, &mut self.buffer) {
                ends.push((*key, end));
            } else if let Some(latest) = job.show() {
                lines.push(Message::Line {
                    job: job.spec.job.clone(),
                    process: latest.process,
                    stream: latest.stream,
                    text: latest.text,
                });
            }
        }
        for line in &lines {
            self.tell(line);
        }
        if ends.is_empty() {
            return;
        }
        let children = self.collect_orphans();
        let mut durable = Vec::new();
        for (key, end) in &mut ends {
            self.names.remove(&end.job);
            if let Some(job) = self.jobs.remove(key) {
                durable.push(job.spec.durable);
                self.look_behind(job, end, children);
            }
        }
        self.record_ends(&mut ends, &durable);
        for (_, end) in ends {
            self.tell(&Message::Ended(Box::new(end)));
        }
    }

    pub(super) fn record_ends(&mut self, ends: &mut [(u64, JobEnd)], durable: &[bool]) {
        let mut failed = None;
        for ((_, end), _) in ends.iter_mut().zip(durable).filter(|(_, d)| **d) {
            // The tail is in the log, and what was captured may hold secrets.
            let kept = JobEnd {
                tail: String::new(),
                captured: None,
                ..end.clone()
            };
            failed = failed.or(self.records.append(&Record::Ended(kept)).err());
        }
        if durable.contains(&true) {
            failed = failed.or(self.records.sync().err());
        }
        for ((_, end), _) in ends.iter_mut().zip(durable).filter(|(_, d)| **d) {
            end.not_recorded.clone_from(&failed);
        }
    }

    /// What the job leaves behind: processes that live on, and pipes that they hold.
    pub(super) fn look_behind(&mut self, mut job: Job, end: &mut JobEnd, children_left: bool) {
        let pipes = job.take_open_pipes();
        if !children_left && pipes.is_empty() {
            return;
        }
        let mine: HashSet<i32> = self
            .jobs
            .values()
            .filter_map(|j| i32::try_from(j.pid()?).ok())
            .collect();
        let children = children();
        self.left.retain(|pid| children.contains(pid));
        let new: Vec<i32> = children
            .into_iter()
            .filter(|pid| !mine.contains(pid) && !self.left.contains(pid) && !ended(*pid))
            .collect();
        if !new.is_empty() || !pipes.is_empty() {
            end.left_behind = job.count_survivors(Around { alone: false });
            self.left.extend(new);
        }
        if !pipes.is_empty() {
            self.late.push(Late {
                path: job.spec.log.with_extension("late.log"),
                log: None,
                secrets: job.secrets(),
                pipes,
            });
        }
    }

    pub(super) fn late_ready(&mut self, at: usize) {
        let Some(late) = self.late.get_mut(at) else {
            return;
        };
        // Made only when there is something to write.
        let log = late
            .log
            .get_or_insert_with(|| JobLog::open(&late.path, late.secrets.clone()));
        for pipe in &mut late.pipes {
            pipe.read(log, &mut None, &mut self.buffer);
        }
        log.take_latest();
        log.flush();
        late.pipes.retain(Pipe::is_open);
    }

    /// Collects adopted children. While a job keeps its own ended process, that one would always be named first, so the
    /// orphans wait for the moment it is let go. Returns false if there are no children at all.
    pub(super) fn collect_orphans(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while !self.jobs.values().any(Job::holds_zombie) {
            match waitid(WaitId::All, options) {
                Ok(Some(_)) => {}
                Err(rustix::io::Errno::CHILD) => return false,
                _ => return true,
            }
            // A job's process may have ended this very moment: it must be seen by its job first.
            let mine: HashSet<u32> = self.jobs.values().filter_map(Job::pid).collect();
            let Some(orphan) = children().into_iter().find(|pid| {
                !u32::try_from(*pid).is_ok_and(|pid| mine.contains(&pid)) && ended(*pid)
            }) else {
                return true;
            };
            let Some(pid) = rustix::process::Pid::from_raw(orphan) else {
                return true;
            };
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        true
    }
}

/// The children of this (single-threaded) process.
fn children() -> Vec<i32> {
    let me = std::process::id();
    match std::fs::read_to_string(format!("/proc/self/task/{me}/children")) {
        Ok(list) => list
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect(),
        // A kernel without that list: look at all processes instead.
        Err(_) => tree::all()
            .iter()
            .filter(|p| u32::try_from(p.parent) == Ok(me))
            .map(|p| p.pid)
            .collect(),
    }
}

fn ended(pid: i32) -> bool {
    tree::look(pid).is_none_or(|p| p.dead)
}
