//! A job's log: every line stamped and masked, in bounded memory, without a system call per line.
//!
//! ```text
//! 2026-11-21T04:05:06.123Z == process 1 of 1 started: load (pid 4711)
//! 2026-11-21T04:05:06.130Z out| a line of standard output
//! 2026-11-21T04:05:06.131Z err| a line of standard error
//! 2026-11-21T04:05:06.140Z out+ the rest of a line that was longer than 64 KiB
//! ```
//!
//! After the five characters of `out| ` the bytes are exactly those that the process wrote (secrets apart), whatever
//! they are. The stamp is the time at which they were read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::mask::{Masker, Secrets};
use super::protocol::{LogInfo, Stream};
use super::records::hex;
use crate::base::durable::create_dir_private;

/// Longest piece of a line that is kept in memory.
const PIECE: usize = 64 * 1024;
/// Buffered bytes that are worth a write.
const BUFFER: usize = 64 * 1024;
/// Bytes of output that the end of a job quotes, and the longest line that is shown live.
pub(super) const QUOTED: usize = 4 * 1024;

/// The file. A failing disk never stops the job: the first failure is kept and reported with its end.
#[derive(Debug)]
pub(super) struct JobLog {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
    hash: Sha256,
    bytes: u64,
    lines: u64,
    error: Option<String>,
    stamp: Stamp,
    tail: Vec<u8>,
    secrets: Secrets,
    /// The last line that was seen and not shown yet.
    latest: Option<Latest>,
}

/// A line to show.
#[derive(Debug)]
pub(super) struct Latest {
    pub(super) process: usize,
    pub(super) stream: Stream,
    pub(super) text: String,
}

impl JobLog {
    /// `path` is relative to the current folder, which is the run's. The file is opened when there is something to write.
    pub(super) fn open(path: &Path, secrets: Secrets) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            buffer: Vec::new(),
            hash: Sha256::new(),
            bytes: 0,
            lines: 0,
            error: None,
            stamp: Stamp::default(),
            tail: Vec::new(),
            secrets,
            latest: None,
        }
    }

    /// A line of the supervisor's own.
    pub(super) fn remark(&mut self, text: &str) {
        self.stamp.set(Timestamp::now());
        let text = neutral(&self.secrets.mask_text(text));
        self.line(b"== ", text.as_bytes());
    }

    fn line(&mut self, prefix: &[u8], text: &[u8]) {
        self.lines += 1;
        if self.error.is_some() {
            return;
        }
        self.buffer.extend_from_slice(&self.stamp.text);
        self.buffer.extend_from_slice(prefix);
        self.buffer.extend_from_slice(text);
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Hands the buffered bytes to the system.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if self.file.is_none() && self.error.is_none() {
            match open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) => self.error = Some(format!("open {}: {error}", self.path.display())),
            }
        }
        if let Some(file) = &mut self.file {
            match file.write_all(&self.buffer) {
                Ok(()) => {
                    self.hash.update(&self.buffer);
                    self.bytes += self.buffer.len() as u64;
                }
                Err(error) => {
                    // How much of the buffer arrived is not known, so the digest covers what is certain.
                    self.error = Some(format!("write to {}: {error}", self.path.display()));
                    self.file = None;
                }
            }
        }
        self.buffer.clear();
    }

    /// True if something waits for [`JobLog::flush`] or to be shown.
    pub(super) fn is_dirty(&self) -> bool {
        !self.buffer.is_empty() || self.latest.is_some()
    }

    pub(super) fn take_latest(&mut self) -> Option<Latest> {
        self.latest.take()
    }

    fn remember(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(QUOTED)..];
        if self.tail.len() + text.len() > 4 * QUOTED {
            let keep = self.tail.len().min(QUOTED);
            self.tail.drain(..self.tail.len() - keep);
        }
        self.tail.extend_from_slice(text);
    }

    /// The last output as text to show.
    pub(super) fn tail(&self) -> String {
        let mut tail = &self.tail[self.tail.len().saturating_sub(QUOTED)..];
        if tail.len() < self.tail.len() {
            // Do not begin inside a character.
            while let [first, rest @ ..] = tail
                && first & 0xC0 == 0x80
            {
                tail = rest;
            }
        }
        String::from_utf8_lossy(tail)
            .split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => neutral(line.strip_suffix('\r').unwrap_or(line)) + "\n",
                None => neutral(line),
            })
            .collect()
    }

    /// Writes out what is buffered and says what the file is now.
    pub(super) fn close(&mut self) -> LogInfo {
        self.flush();
        LogInfo {
            path: self.path.clone(),
            bytes: self.bytes,
            lines: self.lines,
            sha256: hex(&self.hash.finalize_reset()),
            error: self.error.take(),
        }
    }
}

fn open(path: &Path) -> Result<File, String> {
    let create = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
    };
    match create() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(dir) = path.parent() {
                create_dir_private(dir).map_err(|e| e.to_string())?;
            }
            create().map_err(|e| e.to_string())
        }
        other => other.map_err(|e| e.to_string()),
    }
}

/// One stream of one process on its way into the log.
#[derive(Debug)]
pub(super) struct StreamLog {
    process: usize,
    stream: Stream,
    masker: Masker,
    partial: Vec<u8>,
    continued: bool,
}

impl StreamLog {
    pub(super) fn new(process: usize, stream: Stream, secrets: Secrets) -> Self {
        Self {
            process,
            stream,
            masker: Masker::new(secrets),
            partial: Vec::new(),
            continued: false,
        }
    }

    /// Standard output or standard error.
    pub(super) fn stream(&self) -> Stream {
        self.stream
    }

    fn prefix(&self) -> &'static [u8] {
        match (self.stream, self.continued) {
            (Stream::Out, false) => b"out| ",
            (Stream::Out, true) => b"out+ ",
            (Stream::Err, false) => b"err| ",
            (Stream::Err, true) => b"err+ ",
        }
    }

    /// The next bytes that the process wrote.
    pub(super) fn feed(&mut self, log: &mut JobLog, chunk: &[u8]) {
        // The masker is taken out so that its buffer can be read while the rest of `self` is written.
        let mut masker = std::mem::take(&mut self.masker);
        self.masked(log, masker.feed(chunk));
        self.masker = masker;
    }

    fn masked(&mut self, log: &mut JobLog, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        log.stamp.set(Timestamp::now());
        log.remember(text);
        let mut start = 0;
        let mut last_line = None;
        for end in memchr::memchr_iter(b'\n', text) {
            if self.partial.is_empty() {
                log.line(self.prefix(), &text[start..end]);
            } else {
                let mut partial = std::mem::take(&mut self.partial);
                partial.extend_from_slice(&text[start..end]);
                log.line(self.prefix(), &partial);
                partial.clear();
                self.partial = partial;
            }
            self.continued = false;
            last_line = Some(&text[start..end]);
            start = end + 1;
        }
        let mut rest = &text[start..];
        while self.partial.len() + rest.len() > PIECE {
            let (piece, after) = rest.split_at(PIECE - self.partial.len());
            self.partial.extend_from_slice(piece);
            rest = after;
            self.write_partial(log);
            self.continued = true;
        }
        self.partial.extend_from_slice(rest);
        let shown = match last_line {
            Some(line) if self.partial.is_empty() => line,
            _ => &self.partial,
        };
        if let Some(text) = showable(shown) {
            log.latest = Some(Latest {
                process: self.process,
                stream: self.stream,
                text,
            });
        }
    }

    fn write_partial(&mut self, log: &mut JobLog) {
        let mut partial = std::mem::take(&mut self.partial);
        log.line(self.prefix(), &partial);
        partial.clear();
        self.partial = partial;
    }

    /// The stream has ended, or is not followed further in this log.
    pub(super) fn finish(&mut self, log: &mut JobLog) {
        let rest = self.masker.finish();
        self.masked(log, &rest);
        if !self.partial.is_empty() {
            self.write_partial(log);
            self.continued = true;
        }
        if self.continued {
            let name = match self.stream {
                Stream::Out => "output",
                Stream::Err => "error",
            };
            log.remark(&format!(
                "process {}: standard {name} ended without a newline",
                self.process + 1
            ));
            self.continued = false;
        }
    }
}

/// The part of a line that a terminal would show in the end: what follows the last carriage return.
fn showable(line: &[u8]) -> Option<String> {
    let mut line = line;
    while let [rest @ .., b'\r'] = line {
        line = rest;
    }
    if let Some(at) = memchr::memrchr(b'\r', line) {
        line = &line[at + 1..];
    }
    let cut = &line[..line.len().min(QUOTED)];
    let text = neutral(&String::from_utf8_lossy(cut));
    let end = text.floor_char_boundary(QUOTED);
    (!text.trim().is_empty()).then(|| text[..end].to_owned())
}

/// Makes control characters visible instead of effective, those that reorder text included.
pub(super) fn neutral(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// The time as text, formatted once per millisecond at most.
#[derive(Debug, Default)]
struct Stamp {
    millisecond: i64,
    text: Vec<u8>,
}

impl Stamp {
    fn set(&mut self, now: Timestamp) {
        let millisecond = now.as_millisecond();
        if millisecond == self.millisecond && !self.text.is_empty() {
            return;
        }
        self.millisecond = millisecond;
        let at = TimeZone::UTC.to_datetime(now);
        self.text.clear();
        // Writing into memory cannot fail.
        drop(write!(
            self.text,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z ",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        ));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    struct Fixture {
        dir: tempfile::TempDir,
        log: JobLog,
    }

    impl Fixture {
        fn new(secrets: &[&str]) -> (Self, StreamLog) {
            let dir = tempfile::tempdir().unwrap();
            let texts: Vec<String> = secrets.iter().map(|s| (*s).to_owned()).collect();
            let secrets = Secrets::new(&texts).unwrap();
            let log = JobLog::open(&dir.path().join("deep/a.log"), secrets.clone());
            let stream = StreamLog::new(0, Stream::Out, secrets);
            (Self { dir, log }, stream)
        }

        fn lines(&mut self) -> Vec<Vec<u8>> {
            let info = self.log.close();
            let bytes = std::fs::read(self.dir.path().join("deep/a.log")).unwrap();
            assert_eq!(info.error, None);
            assert_eq!(info.bytes, bytes.len() as u64);
            assert_eq!(info.sha256, hex(&Sha256::digest(&bytes)));
            assert_eq!(
                info.lines,
                memchr::memchr_iter(b'\n', &bytes).count() as u64
            );
            let body = bytes.strip_suffix(b"\n").unwrap();
            body.split(|b| *b == b'\n')
                .map(|l| {
                    assert_eq!(&l[23..25], b"Z ", "{}", String::from_utf8_lossy(l));
                    l[25..].to_vec()
                })
                .collect()
        }
    }

    #[test]
    fn bytes_are_kept_as_they_are() {
        let (mut f, mut out) = Fixture::new(&[]);
        for byte in b"a\x1b[31m\0\xff\r\nsecond\n\nno newline" {
            out.feed(&mut f.log, &[*byte]);
        }
        out.finish(&mut f.log);
        assert_eq!(
            f.lines(),
            [
                b"out| a\x1b[31m\0\xff\r".to_vec(),
                b"out| second".to_vec(),
                b"out| ".to_vec(),
                b"out| no newline".to_vec(),
                b"== process 1: standard output ended without a newline".to_vec(),
            ]
        );
    }

    #[test]
    fn a_secret_across_reads() {
        let (mut f, mut out) = Fixture::new(&["hunter2"]);
        out.feed(&mut f.log, b"pass: hun");
        out.feed(&mut f.log, b"ter2\n");
        out.finish(&mut f.log);
        assert_eq!(f.lines(), [b"out| pass: ***".to_vec()]);
        assert_eq!(f.log.tail(), "pass: ***\n");
    }

    #[test]
    fn a_line_without_end_flows_through() {
        let (mut f, mut out) = Fixture::new(&[]);
        let chunk = vec![b'x'; 50_000];
        for _ in 0..100 {
            out.feed(&mut f.log, &chunk);
            assert!(out.partial.len() <= PIECE);
        }
        out.feed(&mut f.log, b"\nnext\n");
        out.finish(&mut f.log);
        let lines = f.lines();
        let (next, long) = lines.split_last().unwrap();
        assert_eq!(next, b"out| next");
        assert!(long[0].starts_with(b"out| "));
        assert!(long[1..].iter().all(|l| l.starts_with(b"out+ ")));
        assert_eq!(long.iter().map(|l| l.len() - 5).sum::<usize>(), 5_000_000);
    }

    #[test]
    fn a_full_disk_is_reported_not_suffered() {
        let mut log = JobLog::open(Path::new("/dev/full"), Secrets::default());
        let mut out = StreamLog::new(0, Stream::Out, Secrets::default());
        for _ in 0..10_000 {
            out.feed(&mut log, b"a line of output\n");
        }
        let info = log.close();
        assert!(info.error.unwrap().contains("No space left"));
        assert_eq!(info.bytes, 0);
        assert!(log.tail().ends_with("a line of output\n"));
    }

    #[test]
    fn what_is_shown_has_no_effect_on_the_terminal() {
        assert_eq!(showable(b"10%\r20%\r").unwrap(), "20%");
        assert_eq!(showable(b"\x1b[2Jred\x07").unwrap(), "␛[2Jred␇");
        assert_eq!(showable(b"  "), None);
        assert!(showable(&[0xff; 10_000]).unwrap().len() <= QUOTED);
    }
}
