//! The orchestrator's end: start a supervisor or find the one that is there, give orders, hear what happens.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc};

use super::protocol::{JobEnd, JobSpec, Message, Refusal, Request, RunningJob};
use super::serve::{READY, SOCKET};
use crate::base::durable::Lock;

/// The hidden verb under which the binary becomes a supervisor; its one argument is the run's folder.
pub const SUPERVISE_VERB: &str = "__supervise";
/// What a supervisor itself has to say (only troubles), in the run's folder.
pub const SUPERVISOR_LOG: &str = "supervisor.log";

/// Messages that may wait for the reader before the connection is not read further.
const WAITING: usize = 1024;

/// Why there is no supervisor to talk to.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// It is there and said no.
    #[error("get control of the run: {0}")]
    Refused(#[from] Refusal),
    /// None is there, and without the run's lock none may be started.
    #[error("get control of the run: no supervisor answers, and the run's lock is not held")]
    NotServing,
    /// It could not be started.
    #[error("start the supervisor {binary}: {what}", binary = binary.display())]
    NotStarted {
        /// The program.
        binary: PathBuf,
        /// What it said, or what the system said.
        what: String,
    },
    /// The connection broke, so what the supervisor did with the last orders is to be read from its records.
    #[error("talk to the supervisor of the run: {0}")]
    Connection(#[from] io::Error),
    /// It sent something that this version does not understand.
    #[error("understand the supervisor of the run (is it of another version?): {0}")]
    Protocol(String),
}

/// How to get at a supervisor.
#[derive(Debug)]
pub struct Attach<'a> {
    /// The run's folder; its name is the run's id.
    pub run_dir: &'a Path,
    /// The program to start as supervisor, with [`SUPERVISE_VERB`] and the folder.
    pub binary: &'a Path,
    /// The run's lock if this process holds it. The supervisor then holds it too. Without it none is started.
    pub lock: Option<&'a Lock>,
    /// Higher than every epoch before; 0 takes the next one.
    pub epoch: u64,
    /// Push out a controller that is still connected.
    pub takeover: bool,
}

/// What was found on arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The epoch that was taken.
    pub epoch: u64,
    /// Jobs of earlier controllers that are still running; their ends will arrive as messages.
    pub running: Vec<RunningJob>,
    /// Durable jobs that have ended since the run began.
    pub finished: Vec<JobEnd>,
    /// True if the supervisor was started just now; then nothing is running.
    pub started: bool,
}

/// A connection with control over a run's processes.
///
/// Dropping it without [`SupervisorClient::leave`] is what a crash looks like: running durable jobs are carried to their
/// end, probes are ended, then the supervisor leaves.
#[derive(Debug)]
pub struct SupervisorClient {
    writer: Mutex<OwnedWriteHalf>,
    reader: tokio::task::JoinHandle<()>,
    child: Option<Child>,
}

impl SupervisorClient {
    /// Attaches to the supervisor of the run, or starts one if none answers and the lock is at hand.
    ///
    /// Must be called within a tokio runtime with I/O enabled. The receiver yields everything the supervisor says from
    /// then on, and [`Message::Disconnected`] last.
    ///
    /// # Errors
    /// When a controller is there and `takeover` is not set, when the epoch is stale, when no supervisor is there and none
    /// may or can be started, or when the connection breaks.
    pub async fn start_or_attach(
        how: Attach<'_>,
    ) -> Result<(Self, Arrival, mpsc::Receiver<Message>), SupervisorError> {
        let mut child = None;
        let mut started = false;
        let stream = match connect(how.run_dir) {
            Some(stream) => match greet(stream, &how).await {
                // It was leaving when the connection was made.
                Err(SupervisorError::Connection(_) | SupervisorError::Refused(Refusal::Ending)) => {
                    None
                }
                other => Some(other?),
            },
            None => None,
        };
        let (reader, writer, mut arrival) = match stream {
            Some(greeted) => greeted,
            None => {
                let lock = how.lock.ok_or(SupervisorError::NotServing)?;
                child = Some(start(&how, lock).await?);
                started = true;
                let stream = connect(how.run_dir).ok_or(SupervisorError::NotServing)?;
                greet(stream, &how).await?
            }
        };
        arrival.started = started;
        let (sender, receiver) = mpsc::channel(WAITING);
        let client = Self {
            writer: Mutex::new(writer),
            reader: tokio::spawn(listen(reader, sender)),
            child,
        };
        Ok((client, arrival, receiver))
    }

    async fn ask(&self, request: &Request) -> Result<(), SupervisorError> {
        write(&mut *self.writer.lock().await, request).await
    }

    /// Sets the environment and the secrets of the jobs that are started from now on.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn base(
        &self,
        env: Vec<(String, String)>,
        secrets: Vec<String>,
    ) -> Result<(), SupervisorError> {
        self.ask(&Request::Base { env, secrets }).await
    }

    /// Orders a job. [`Message::Accepted`] or [`Message::Refused`] follows, then [`Message::Ended`].
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn start(&self, job: JobSpec) -> Result<(), SupervisorError> {
        self.ask(&Request::Start(job)).await
    }

    /// Orders the end of a job and all that it started; [`Message::Ended`] follows. `grace_ms` lies between TERM and
    /// KILL.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn kill(&self, job: &str, grace_ms: Option<u64>) -> Result<(), SupervisorError> {
        let job = job.to_owned();
        self.ask(&Request::Kill { job, grace_ms }).await
    }

    /// Orders the end of all jobs.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn kill_all(&self, grace_ms: Option<u64>) -> Result<(), SupervisorError> {
        self.ask(&Request::KillAll { grace_ms }).await
    }

    /// Asks for a [`Message::Status`].
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn status(&self) -> Result<(), SupervisorError> {
        self.ask(&Request::Status).await
    }

    /// Asks the supervisor to leave. [`Message::Left`] and [`Message::Disconnected`] follow, or [`Message::Refused`] while
    /// a job is running. By the time of `Disconnected` it has released the run's lock.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn leave(&self) -> Result<(), SupervisorError> {
        self.ask(&Request::Leave).await
    }
}

impl Drop for SupervisorClient {
    fn drop(&mut self) {
        // Both halves have to go for the supervisor to see the end.
        self.reader.abort();
        if let Some(child) = &mut self.child {
            // If it has left already it is collected; if not, whoever collects our own children will.
            drop(child.try_wait());
        }
    }
}

/// Asks the supervisor of a run what is running, without taking control. `None` if none is there.
///
/// # Errors
/// When the connection breaks or the answer is not understood.
pub async fn look(run_dir: &Path) -> Result<Option<(u64, Vec<RunningJob>)>, SupervisorError> {
    let Some(stream) = connect(run_dir) else {
        return Ok(None);
    };
    let (reader, mut writer) = UnixStream::from_std(stream)?.into_split();
    write(&mut writer, &Request::Status).await?;
    let mut reader = BufReader::new(reader);
    match read(&mut reader).await? {
        Some(Message::Status { epoch, running }) => Ok(Some((epoch, running))),
        Some(other) => Err(SupervisorError::Protocol(format!("{other:?}"))),
        None => Ok(None),
    }
}

/// Connects by way of an open folder, because the folder's full path may be longer than a socket's may be.
fn connect(run_dir: &Path) -> Option<StdUnixStream> {
    let dir = File::open(run_dir).ok()?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd());
    let stream = StdUnixStream::connect(path).ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(stream)
}

type Greeted = (BufReader<OwnedReadHalf>, OwnedWriteHalf, Arrival);

async fn greet(stream: StdUnixStream, how: &Attach<'_>) -> Result<Greeted, SupervisorError> {
    let (reader, mut writer) = UnixStream::from_std(stream)?.into_split();
    let hello = Request::Hello {
        epoch: how.epoch,
        pid: std::process::id(),
        takeover: how.takeover,
    };
    write(&mut writer, &hello).await?;
    let mut reader = BufReader::with_capacity(64 * 1024, reader);
    match read(&mut reader).await? {
        Some(Message::HelloOk {
            epoch,
            running,
            finished,
        }) => {
            let arrival = Arrival {
                epoch,
                running,
                finished,
                started: false,
            };
            Ok((reader, writer, arrival))
        }
        Some(Message::Refused { why, .. }) => Err(why.into()),
        Some(other) => Err(SupervisorError::Protocol(format!("{other:?}"))),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    }
}

async fn write(to: &mut OwnedWriteHalf, request: &Request) -> Result<(), SupervisorError> {
    let mut line =
        serde_json::to_vec(request).map_err(|e| SupervisorError::Protocol(e.to_string()))?;
    line.push(b'\n');
    Ok(to.write_all(&line).await?)
}

async fn read(from: &mut BufReader<OwnedReadHalf>) -> Result<Option<Message>, SupervisorError> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line).await? == 0 || line.last() != Some(&b'\n') {
        return Ok(None);
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(|e| SupervisorError::Protocol(e.to_string()))
}

async fn listen(mut reader: BufReader<OwnedReadHalf>, to: mpsc::Sender<Message>) {
    loop {
        match read(&mut reader).await {
            Ok(Some(message)) => {
                if to.send(message).await.is_err() {
                    return;
                }
            }
            other => {
                if let Err(error) = other {
                    tracing::debug!(%error, "the connection to the supervisor ended");
                }
                // If nobody listens any more there is nobody to tell.
                drop(to.send(Message::Disconnected).await);
                return;
            }
        }
    }
}

async fn start(how: &Attach<'_>, lock: &Lock) -> Result<Child, SupervisorError> {
    let failed = |what: String| SupervisorError::NotStarted {
        binary: how.binary.to_owned(),
        what,
    };
    let system = |e: io::Error| failed(e.to_string());
    let path = how.run_dir.join(SUPERVISOR_LOG);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| failed(format!("open {}: {e}", path.display())))?;
    let said_before = log.metadata().map_err(system)?.len();
    let (sender, mut ready) = pipe::pipe().map_err(system)?;
    // What the caller of the orchestrator has open (somebody's lock, the pipe of a CI job) must not stay open for as long
    // as the supervisor, or a service that a step starts, happens to live.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let child = Command::new(how.binary)
        .arg(SUPERVISE_VERB)
        .arg(how.run_dir)
        .stdin(lock.as_stdin().map_err(system)?)
        .stdout(Stdio::from(sender.into_blocking_fd().map_err(system)?))
        .stderr(Stdio::from(log))
        .spawn();
    let mut child = child.map_err(system)?;
    // The pipe ends when the supervisor is ready and has closed it, or when it has died.
    let mut said = Vec::new();
    ready.read_to_end(&mut said).await.map_err(system)?;
    if said == READY {
        return Ok(child);
    }
    let status = child.wait().map_err(system)?;
    let words = std::fs::read(&path).map_err(system)?;
    let from = usize::try_from(said_before).unwrap_or(usize::MAX);
    let words = String::from_utf8_lossy(words.get(from..).unwrap_or_default())
        .trim()
        .to_owned();
    Err(failed(format!("{status}; it said: {words}")))
}
