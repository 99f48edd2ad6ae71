//! The supervisor itself: one thread, one poll loop.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitId, WaitIdOptions, WaitOptions, waitid, waitpid};

use super::job::{Around, Base, Job, Pipe, READ, earliest};
use super::log::JobLog;
use super::mask::Secrets;
use super::protocol::{JobEnd, JobSpec, Message, ProcessExit, Refusal, Request};
use super::records::{Accepted, EpochTaken, Record, RecordFile, read_records};
use super::tree::Run;
use super::wire::Connection;

/// The socket's name in the run's folder.
pub(super) const SOCKET: &str = "supervisor.sock";
/// What is printed on standard output once the socket can be connected to.
pub(super) const READY: &[u8] = b"ready\n";
/// A supervisor that nobody has greeted by then leaves: the one that started it has died.
const FIRST_HELLO: Duration = Duration::from_secs(30);

/// Runs as the supervisor of the run in `run_dir` until no job is left and no controller is connected.
///
/// To be called first thing by a process that was started for this alone, by
/// [`SupervisorClient::start_or_attach`](super::SupervisorClient::start_or_attach): it becomes the leader of a session,
/// changes its folder and its signal handling, takes the open file at standard input for the run's lock and keeps it open
/// until it leaves. What goes wrong before it is ready is said on standard error, with a failing exit code.
#[must_use]
pub fn serve(run_dir: &Path) -> ExitCode {
    match Server::open(run_dir).and_then(Server::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is supervisor.log; if even that fails nobody is left to tell.
            drop(writeln!(
                io::stderr(),
                "{} the supervisor of {} gave up: {error}",
                Timestamp::now(),
                run_dir.display()
            ));
            ExitCode::FAILURE
        }
    }
}

/// What a poll has found, by place.
#[derive(Debug, Clone, Copy)]
enum Source {
    Signals,
    Listener,
    Connection(u64),
    Pipe(u64, usize),
    Watched(u64),
    Late(usize),
}

/// Output of processes that outlived their job.
#[derive(Debug)]
struct Late {
    path: PathBuf,
    log: Option<JobLog>,
    secrets: Secrets,
    pipes: Vec<Pipe>,
}

struct Server {
    run: Run,
    records: RecordFile,
    /// The run's lock, as inherited at standard input; nothing is done with it but keeping it open.
    lock: OwnedFd,
    listener: UnixListener,
    signals: UnixStream,
    terminate: Arc<AtomicBool>,
    connections: BTreeMap<u64, Connection>,
    /// The connection that gives orders.
    controller: Option<u64>,
    controller_pid: u32,
    epoch: u64,
    base: Base,
    jobs: BTreeMap<u64, Job>,
    names: HashMap<String, u64>,
    used: HashSet<String>,
    starts: Vec<(u64, JobSpec)>,
    late: Vec<Late>,
    /// Children that earlier jobs have left behind on purpose.
    left: HashSet<i32>,
    next_key: u64,
    greeted: bool,
    born: Instant,
    ending: bool,
    leaving: bool,
    buffer: Vec<u8>,
}

type Failure = Box<dyn std::error::Error>;

impl Server {
    fn open(run_dir: &Path) -> Result<Self, Failure> {
        // It fails only for a process that leads its group already, hence is apart from the terminal's anyway.
        let _ = rustix::process::setsid();
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let (signals, writer) = UnixStream::pair()?;
        signals.set_nonblocking(true)?;
        let terminate = Arc::new(AtomicBool::new(false));
        {
            use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
            // Handlers instead of "ignore", because the latter would be inherited by every process that is started.
            for signal in [SIGHUP, SIGINT, SIGQUIT] {
                signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
            }
            signal_hook::flag::register(SIGTERM, Arc::clone(&terminate))?;
            signal_hook::low_level::pipe::register(SIGTERM, writer.try_clone()?)?;
            signal_hook::low_level::pipe::register(SIGCHLD, writer)?;
        }
        let run = Run::of(run_dir)?;
        let lock = io::stdin().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
        // From here on everything is relative to the run's folder: its full path may be too long for a socket.
        std::env::set_current_dir(run_dir)?;
        let here = Path::new(".");
        let (records, known) = RecordFile::open(here)?;
        match std::fs::remove_file(SOCKET) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let listener = UnixListener::bind(SOCKET)?;
        std::fs::set_permissions(SOCKET, {
            use std::os::unix::fs::PermissionsExt;
            std::fs::Permissions::from_mode(0o600)
        })?;
        listener.set_nonblocking(true)?;
        let epoch = known.highest_epoch();
        let used = known.accepted.into_iter().map(|a| a.job).collect();
        Ok(Self {
            run,
            records,
            lock,
            listener,
            signals,
            terminate,
            connections: BTreeMap::new(),
            controller: None,
            controller_pid: 0,
            epoch,
            base: Base::default(),
            jobs: BTreeMap::new(),
            names: HashMap::new(),
            used,
            starts: Vec::new(),
            late: Vec::new(),
            left: HashSet::new(),
            next_key: 0,
            greeted: false,
            born: Instant::now(),
            ending: false,
            leaving: false,
            buffer: vec![0; READ],
        })
    }

    fn run(mut self) -> Result<(), Failure> {
        {
            let mut stdout = io::stdout();
            stdout.write_all(READY)?;
            stdout.flush()?;
        }
        // Whoever waits for readiness reads to the end of that pipe, so it is closed now.
        rustix::stdio::dup2_stdout(io::stderr())?;
        while !self.is_done() {
            let ready = self.wait()?;
            self.handle(&ready);
            self.starts();
            self.advance();
        }
        self.leave();
        Ok(())
    }

    fn is_done(&self) -> bool {
        if !self.jobs.is_empty() || !self.starts.is_empty() {
            return false;
        }
        let nobody_came = !self.greeted && self.born.elapsed() >= FIRST_HELLO;
        let nobody_left = self.greeted && self.controller.is_none();
        self.leaving || self.ending || nobody_came || nobody_left
    }

    /// Frees the locks first and says good-bye last: who sees the connection end can take the locks at once.
    fn leave(self) {
        drop(std::fs::remove_file(SOCKET));
        drop(self.records);
        drop(self.lock);
        drop(self.connections);
    }

    fn wait(&self) -> Result<Vec<Source>, Failure> {
        let mut sources = vec![Source::Signals, Source::Listener];
        let mut fds = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        for (key, connection) in &self.connections {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, connection.wants_to_write());
            fds.push(PollFd::from_borrowed_fd(connection.fd(), flags));
            sources.push(Source::Connection(*key));
        }
        for (key, job) in &self.jobs {
            for (at, fd) in job.pipes() {
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
                sources.push(Source::Pipe(*key, at));
            }
            for fd in job.watched() {
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
                sources.push(Source::Watched(*key));
            }
        }
        for (at, late) in self.late.iter().enumerate() {
            for fd in late.pipes.iter().filter_map(Pipe::fd) {
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
                sources.push(Source::Late(at));
            }
        }
        let first = (!self.greeted).then(|| self.born + FIRST_HELLO);
        let jobs = self.jobs.values().filter_map(Job::wake_at).min();
        let timeout = earliest([first, jobs]).map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 3600,
                tv_nsec: 0,
            })
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(io::Error::from(error).into()),
        }
        Ok(fds
            .iter()
            .zip(sources)
            .filter(|(fd, _)| !fd.revents().is_empty())
            .map(|(_, source)| source)
            .collect())
    }

    fn handle(&mut self, ready: &[Source]) {
        for source in ready {
            match *source {
                Source::Signals => self.signalled(),
                Source::Listener => self.accept(),
                Source::Connection(key) => self.connection_ready(key),
                Source::Pipe(key, at) => {
                    if let Some(job) = self.jobs.get_mut(&key) {
                        job.pipe_ready(at, &mut self.buffer);
                    }
                }
                Source::Watched(key) => {
                    if let Some(job) = self.jobs.get_mut(&key) {
                        job.watched_ready();
                    }
                }
                Source::Late(at) => self.late_ready(at),
            }
        }
        self.late.retain(|late| !late.pipes.is_empty());
    }

    fn signalled(&mut self) {
        let mut waste = [0; 256];
        while matches!(self.signals.read(&mut waste), Ok(n) if n == waste.len()) {}
        if self.terminate.load(Ordering::SeqCst) && !self.ending {
            self.ending = true;
            self.refuse_starts(&Refusal::Ending);
            self.kill_all(None);
        }
        for job in self.jobs.values_mut() {
            job.child_ended();
        }
        self.collect_orphans();
    }

    /// Collects adopted children. While a job keeps its own ended process, that one would always be named first, so the
    /// orphans wait for the moment it is let go. Returns false if there are no children at all.
    fn collect_orphans(&self) -> bool {
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

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if let Ok(connection) = Connection::new(stream) {
                self.next_key += 1;
                self.connections.insert(self.next_key, connection);
            }
        }
    }

    fn connection_ready(&mut self, key: u64) {
        let Some(connection) = self.connections.get_mut(&key) else {
            return;
        };
        connection.flush();
        for request in connection.receive() {
            match request {
                Ok(request) => self.request(key, request),
                Err(what) => self.refuse(key, None, Refusal::Protocol { what }),
            }
        }
        if self.connections.get(&key).is_some_and(|c| !c.open) {
            self.connections.remove(&key);
            if self.controller == Some(key) {
                self.starts();
                self.controller = None;
                self.base = Base::default();
                self.end_probes();
            }
        }
    }

    /// Nobody waits for the answers of probes any more.
    fn end_probes(&mut self) {
        let around = self.around();
        for job in self.jobs.values_mut().filter(|j| !j.spec.durable) {
            job.kill(ProcessExit::Killed, None, around);
        }
    }

    fn around(&self) -> Around {
        Around {
            alone: self.jobs.len() == 1 && self.left.is_empty(),
        }
    }

    fn send(&mut self, key: u64, message: &Message) {
        if let Some(connection) = self.connections.get_mut(&key) {
            connection.send(message);
        }
    }

    fn tell(&mut self, message: &Message) {
        if let Some(key) = self.controller {
            self.send(key, message);
        }
    }

    fn refuse(&mut self, key: u64, job: Option<String>, why: Refusal) {
        self.send(key, &Message::Refused { job, why });
    }

    fn request(&mut self, key: u64, request: Request) {
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

    fn hello(&mut self, key: u64, epoch: u64, pid: u32, takeover: bool) {
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
    fn take(&mut self, key: u64, spec: JobSpec) {
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

    fn refuse_starts(&mut self, why: &Refusal) {
        for (_, spec) in std::mem::take(&mut self.starts) {
            self.names.remove(&spec.job);
            self.tell(&Message::Refused {
                job: Some(spec.job),
                why: why.clone(),
            });
        }
    }

    /// Records all queued jobs with one sync, then starts them.
    fn starts(&mut self) {
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

    fn kill_all(&mut self, grace_ms: Option<u64>) {
        let around = self.around();
        for job in self.jobs.values_mut() {
            job.kill(ProcessExit::Killed, grace_ms, around);
        }
    }

    /// Lets every job go on; those that have ended are recorded with one sync, then told.
    fn advance(&mut self) {
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

    fn record_ends(&mut self, ends: &mut [(u64, JobEnd)], durable: &[bool]) {
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
    fn look_behind(&mut self, mut job: Job, end: &mut JobEnd, children_left: bool) {
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

    fn late_ready(&mut self, at: usize) {
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
        Err(_) => super::tree::all()
            .iter()
            .filter(|p| u32::try_from(p.parent) == Ok(me))
            .map(|p| p.pid)
            .collect(),
    }
}

fn ended(pid: i32) -> bool {
    super::tree::look(pid).is_none_or(|p| p.dead)
}
