//! From a process's output pipe into its log, a bounded piece at a time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::log::{JobLog, StreamLog};
use super::mask::Secrets;
use super::protocol::{Captured, Stream};

/// Bytes taken from a pipe in one go, and how often per turn, so that one flood does not starve the rest.
pub(super) const READ: usize = 64 * 1024;
const READS_PER_TURN: usize = 8;
/// Size to which the pipe of a process that prints a lot is widened.
const WIDE_PIPE: usize = 1024 * 1024;

/// One output pipe on its way into a log.
#[derive(Debug)]
pub(super) struct Pipe {
    fd: Option<OwnedFd>,
    log: StreamLog,
    process: usize,
    wide: bool,
}

impl Pipe {
    pub(super) fn new(fd: OwnedFd, process: usize, stream: Stream, secrets: &Secrets) -> Self {
        Self {
            fd: Some(fd),
            log: StreamLog::new(process, stream, secrets.clone()),
            process,
            wide: false,
        }
    }

    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn is_open(&self) -> bool {
        self.fd.is_some()
    }

    /// Moves what is there into the log; at the end of the stream the pipe is closed.
    pub(super) fn read(
        &mut self,
        log: &mut JobLog,
        capture: &mut Option<Capture>,
        buffer: &mut [u8],
    ) {
        for _ in 0..READS_PER_TURN {
            let Some(fd) = &self.fd else { return };
            match rustix::io::read(fd, &mut *buffer) {
                Ok(0) => return self.end(log),
                Ok(n) => {
                    if let (Some(capture), Stream::Out) = (capture.as_mut(), self.log.stream()) {
                        capture.take(&buffer[..n]);
                    }
                    self.log.feed(log, &buffer[..n]);
                    if n == buffer.len() && !self.wide {
                        self.wide = true;
                        // Only a matter of speed, and limited for unprivileged users: a refusal changes nothing.
                        let _ = rustix::pipe::fcntl_setpipe_size(fd, WIDE_PIPE);
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(error) => {
                    log.remark(&format!(
                        "process {}: reading its output failed: {}",
                        self.process + 1,
                        io::Error::from(error)
                    ));
                    return self.end(log);
                }
            }
        }
    }

    /// The process it belongs to, by index.
    pub(super) fn process(&self) -> usize {
        self.process
    }

    /// What the process itself has printed is complete, though somebody else still holds the pipe.
    pub(super) fn pause(&mut self, log: &mut JobLog) {
        self.log.finish(log);
    }

    fn end(&mut self, log: &mut JobLog) {
        self.log.finish(log);
        self.fd = None;
    }
}

/// The first bytes of standard output, as they are.
#[derive(Debug)]
pub(super) struct Capture {
    limit: usize,
    bytes: Vec<u8>,
    truncated: bool,
}

impl Capture {
    /// `None` if nothing is wanted.
    pub(super) fn new(limit: usize) -> Option<Self> {
        (limit > 0).then(|| Self {
            limit,
            bytes: Vec::new(),
            truncated: false,
        })
    }

    pub(super) fn into_captured(self) -> Captured {
        Captured {
            bytes: self.bytes,
            truncated: self.truncated,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = self.limit - self.bytes.len();
        self.truncated |= bytes.len() > room;
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
