//! Logs of any size to standard output, in bounded memory.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::show::text::visible;

const BLOCK: usize = 64 * 1024;

/// Where the bytes of logs go. To a terminal they go with control characters made visible, elsewhere as they are.
pub(super) struct Sink {
    out: io::StdoutLock<'static>,
    terminal: bool,
    /// The beginning of a character whose rest has not been read yet.
    split: Vec<u8>,
    /// Whether the cursor is at the start of a line.
    fresh: bool,
}

impl Sink {
    pub(super) fn new() -> Self {
        let out = io::stdout();
        Self {
            terminal: out.is_terminal(),
            out: out.lock(),
            split: Vec::new(),
            fresh: true,
        }
    }

    /// A line of our own above a log, after an empty one if something stands before it.
    pub(super) fn header(&mut self, text: &str, apart: bool) -> io::Result<()> {
        self.finish()?;
        if apart {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{}", visible(text))
    }

    /// Everything of the file from `from` on; returns where it ended.
    pub(super) fn copy(&mut self, path: &Path, from: u64) -> io::Result<u64> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut at = from;
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block) {
                Ok(0) => return Ok(at),
                Ok(n) => {
                    self.write(&block[..n])?;
                    at += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.fresh = bytes.last().map_or(self.fresh, |&b| b == b'\n');
        if !self.terminal {
            return self.out.write_all(bytes);
        }
        let mut text = std::mem::take(&mut self.split);
        text.extend_from_slice(bytes);
        let whole = whole_characters(&text);
        self.split = text.split_off(whole);
        self.out.write_all(super::harmless(&text).as_bytes())
    }

    /// Ends an unfinished line and writes everything out.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let split = std::mem::take(&mut self.split);
        self.out.write_all(super::harmless(&split).as_bytes())?;
        if !self.fresh {
            self.out.write_all(b"\n")?;
            self.fresh = true;
        }
        self.flush()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The length without a character at the end that is not there entirely.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|b| b & 0xC0 != 0x80).unwrap_or(0);
    let tail = &bytes[last..];
    match std::str::from_utf8(tail) {
        // Not an error but the beginning of something.
        Err(error) if error.error_len().is_none() && error.valid_up_to() == 0 => last,
        _ => bytes.len(),
    }
}

/// Where the last `lines` lines of a file begin. Reads from the end, no more than it has to.
pub(super) fn last_lines(path: &Path, lines: usize) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(length);
    }
    let mut block = vec![0; BLOCK];
    let (mut end, mut found) = (length, 0_usize);
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        // At most BLOCK.
        let size = usize::try_from(end - start).unwrap_or(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..size])?;
        for at in memchr::memrchr_iter(b'\n', &block[..size]) {
            let after = start + at as u64 + 1;
            // The break at the very end ends the last line; it does not begin one.
            if after == length {
                continue;
            }
            found += 1;
            if found == lines {
                return Ok(after);
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for (text, lines, from) in [
            ("", 3, 0),
            ("a\nb\nc\n", 0, 6),
            ("a\nb\nc\n", 1, 4),
            ("a\nb\nc", 1, 4),
            ("a\nb\nc\n", 2, 2),
            ("a\nb\nc\n", 9, 0),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(last_lines(&path, lines).unwrap(), from, "{text:?} {lines}");
        }
        let long = format!("{}\n", "x".repeat(99)).repeat(5000);
        std::fs::write(&path, &long).unwrap();
        assert_eq!(last_lines(&path, 2000).unwrap(), 300_000);
    }

    #[test]
    fn a_character_that_is_cut_in_two_waits_for_its_rest() {
        let text = "aß\u{1F4A5}".as_bytes();
        assert_eq!(whole_characters(text), 7);
        assert_eq!(whole_characters(&text[..6]), 3);
        assert_eq!(whole_characters(&text[..2]), 1);
        // Rubbish is no beginning of anything.
        assert_eq!(whole_characters(b"a\xff"), 2);
        assert_eq!(whole_characters(b"\x80\x80"), 2);
    }
}
