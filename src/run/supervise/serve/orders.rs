//! What a controller may ask, and what comes of it.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::job::{Base, Job};
use super::super::mask::Secrets;
use super::super::protocol::{JobSpec, Message, ProcessExit, Refusal, Request};
use super::super::records::{Accepted, EpochTaken, Record, read_records};
use super::Server;

impl Server {
    pub(super) fn request(&mut self, key: u64, request: Request) {
        if !matches!(request, Request::Start(_)) {
            // Orders are carried out in the order in which they were given.
            self.starts();
        }
        match request {
            Request::Hello {
                epoch,
                pid,
                takeover,
            } => return self.hello(key, epoch, pid, takeover),
            // Anybody who can open the socket may look.
            Request::Status => {
                let status = Message::Status {
                    epoch: self.epoch,
                    running: self.jobs.values().map(Job::status).collect(),
                };
                return self.send(key, &status);
            }
            _ => {}
        }
        if self.controller != Some(key) {
            let job = match &request {
                Request::Start(spec) => Some(spec.job.clone()),
                Request::Kill { job, .. } => Some(job.clone()),
                _ => None,
            };
            let greeted = self.connections.get(&key).and_then(|c| c.epoch).is_some();
            let why = if greeted {
                Refusal::Fenced {
                    epoch: self.epoch,
                    pid: self.controller_pid,
                }
            } else {
                Refusal::Protocol {
                    what: "the first request has to be a hello".to_owned(),
                }
            };
            return self.refuse(key, job, why);
        }
        match request {
            Request::Base { env, secrets } => match Secrets::new(&secrets) {
                Ok(secrets) => {
                    self.base = Base {
                        env: Arc::new(env),
                        secrets,
                    };
                }
                Err(what) => self.refuse(key, None, Refusal::Protocol { what }),
            },
            Request::Start(spec) => self.take(key, spec),
            Request::Kill { job, grace_ms } => {
                let around = self.around();
                let found = self.names.get(&job).and_then(|k| self.jobs.get_mut(k));
                match found {
                    Some(found) => found.kill(ProcessExit::Killed, grace_ms, around),
                    None => self.refuse(key, Some(job), Refusal::NotRunning),
                }
            }
            Request::KillAll { grace_ms } => self.kill_all(grace_ms),
            Request::Leave => {
                let running = self.jobs.len();
                if running > 0 {
                    self.refuse(key, None, Refusal::Busy { running });
                } else {
                    self.leaving = true;
                    self.send(key, &Message::Left);
                }
            }
            Request::Hello { .. } | Request::Status => {}
        }
    }

    pub(super) fn hello(&mut self, key: u64, epoch: u64, pid: u32, takeover: bool) {
        let highest = self.epoch;
        let asked = if epoch == 0 { highest + 1 } else { epoch };
        let other = self.controller.filter(|other| *other != key);
        let why = if self.ending || self.leaving {
            Some(Refusal::Ending)
        } else if asked <= highest {
            Some(Refusal::StaleEpoch { asked, highest })
        } else if other.is_some() && !takeover {
            Some(Refusal::Controlled {
                epoch: highest,
                pid: self.controller_pid,
            })
        } else {
            None
        };
        if let Some(why) = why {
            return self.refuse(key, None, why);
        }
        let taken = Record::Epoch(EpochTaken {
            epoch: asked,
            pid,
            at: Timestamp::now(),
        });
        let known = self
            .records
            .append(&taken)
            .and_then(|()| self.records.sync())
            .and_then(|()| read_records(Path::new(".")).map_err(|e| e.to_string()));
        let finished = match known {
            Ok(records) => records.ended,
            Err(message) => return self.refuse(key, None, Refusal::NotRecorded { message }),
        };
        self.epoch = asked;
        self.controller_pid = pid;
        self.controller = Some(key);
        self.greeted = true;
        self.base = Base::default();
        if let Some(other) = other {
            self.end_probes();
            self.send(other, &Message::Fenced { epoch: asked, pid });
        }
        if let Some(connection) = self.connections.get_mut(&key) {
            connection.epoch = Some(asked);
            connection.pid = pid;
        }
        let running = self.jobs.values().map(Job::status).collect();
        self.send(
            key,
            &Message::HelloOk {
                epoch: asked,
                running,
                finished,
            },
        );
    }

    /// Puts a job into the queue of those that are recorded and started together.
    pub(super) fn take(&mut self, key: u64, spec: JobSpec) {
        let job = Some(spec.job.clone());
        if self.ending || self.leaving {
            return self.refuse(key, job, Refusal::Ending);
        }
        let running = self.names.contains_key(&spec.job);
        if running || self.used.contains(&spec.job) {
            return self.refuse(key, job, Refusal::Duplicate);
        }
        if spec.log.is_absolute() || spec.log.components().any(|c| c.as_os_str() == "..") {
            let what = format!("the log {} is outside the run's folder", spec.log.display());
            return self.refuse(key, job, Refusal::Protocol { what });
        }
        self.next_key += 1;
        self.names.insert(spec.job.clone(), self.next_key);
        self.starts.push((self.next_key, spec));
    }

    pub(super) fn refuse_starts(&mut self, why: &Refusal) {
        for (_, spec) in std::mem::take(&mut self.starts) {
            self.names.remove(&spec.job);
            self.tell(&Message::Refused {
                job: Some(spec.job),
                why: why.clone(),
            });
        }
    }

    /// Records all queued jobs with one sync, then starts them.
    pub(super) fn starts(&mut self) {
        if self.starts.is_empty() {
            return;
        }
        let recorded = self
            .starts
            .iter()
            .filter(|(_, spec)| spec.durable)
            .try_for_each(|(_, spec)| {
                self.records.append(&Record::Accepted(Accepted {
                    job: spec.job.clone(),
                    epoch: self.epoch,
                    log: spec.log.clone(),
                    at: Timestamp::now(),
                }))
            })
            .and_then(|()| self.records.sync());
        if let Err(message) = recorded {
            return self.refuse_starts(&Refusal::NotRecorded { message });
        }
        let starts = std::mem::take(&mut self.starts);
        let keys: Vec<u64> = starts.iter().map(|(key, _)| *key).collect();
        for (key, spec) in starts {
            let name = spec.job.clone();
            if spec.durable {
                self.used.insert(name.clone());
            }
            let job = Job::start(spec, self.epoch, self.base.clone(), &self.run);
            let pid = job.pid();
            self.jobs.insert(key, job);
            self.tell(&Message::Accepted { job: name, pid });
        }
        for key in keys {
            if let Some(job) = self.jobs.get_mut(&key) {
                job.open_log();
            }
        }
    }

    pub(super) fn kill_all(&mut self, grace_ms: Option<u64>) {
        let around = self.around();
        for job in self.jobs.values_mut() {
            job.kill(ProcessExit::Killed, grace_ms, around);
        }
    }

    /// Nobody waits for the answers of probes any more.
    pub(super) fn end_probes(&mut self) {
        let around = self.around();
        for job in self.jobs.values_mut().filter(|j| !j.spec.durable) {
            job.kill(ProcessExit::Killed, None, around);
        }
    }
}
