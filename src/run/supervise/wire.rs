//! A connection as the supervisor sees it: whole lines in, whole lines out, never blocking.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use super::protocol::{Message, Request};

/// A request longer than this is not ours (a whole environment and its arguments are below 10 MiB on Linux).
const LONGEST_REQUEST: usize = 64 * 1024 * 1024;
/// When this much waits to be read by the other side, lines for the eye are left out.
const CROWDED: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    pub(super) open: bool,
    /// The epoch that was taken over this connection.
    pub(super) epoch: Option<u64>,
    pub(super) pid: u32,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            open: true,
            epoch: None,
            pid: 0,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) fn wants_to_write(&self) -> bool {
        !self.output.is_empty()
    }

    /// Reads what is there and returns the whole requests in it.
    pub(super) fn receive(&mut self) -> Vec<Result<Request, String>> {
        let mut chunk = [0; 16 * 1024];
        let mut searched = self.input.len();
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    self.open = false;
                    break;
                }
                Ok(n) => {
                    self.input.extend_from_slice(&chunk[..n]);
                    if n < chunk.len() {
                        break;
                    }
                    if self.input.len() > LONGEST_REQUEST {
                        self.open = false;
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.open = false;
                    break;
                }
            }
        }
        let mut requests = Vec::new();
        let mut start = 0;
        while let Some(found) = memchr::memchr(b'\n', &self.input[searched..]) {
            let end = searched + found;
            let line = &self.input[start..end];
            requests.push(serde_json::from_slice(line).map_err(|e| e.to_string()));
            start = end + 1;
            searched = start;
        }
        self.input.drain(..start);
        requests
    }

    /// Queues a message and sends what the other side takes at once.
    pub(super) fn send(&mut self, message: &Message) {
        if !self.open {
            return;
        }
        let for_the_eye = matches!(message, Message::Line { .. });
        if for_the_eye && self.output.len() > CROWDED {
            return;
        }
        match serde_json::to_vec(message) {
            Ok(mut line) => {
                line.push(b'\n');
                self.output.append(&mut line);
                self.flush();
            }
            Err(_) => self.open = false,
        }
    }

    pub(super) fn flush(&mut self) {
        while !self.output.is_empty() && self.open {
            match self.stream.write(&self.output) {
                Ok(n) => {
                    self.output.drain(..n);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }
}
