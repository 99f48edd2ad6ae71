//! The supervisor itself: one thread, one poll loop.

mod ends;
mod orders;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ends::Late;
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::job::{Around, Base, Job, earliest};
use super::pipe::{Pipe, READ};
use super::protocol::{JobSpec, Message, Refusal};
use super::records::RecordFile;
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
}
