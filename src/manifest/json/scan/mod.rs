//! The strict scanner: one pass over the bytes that finds every flaw, and the place of one value on the way.
//!
//! It allocates one list of keys for the whole text. Strings and runs of spaces are read eight bytes at a time, because
//! listing the versions of a tree of manifests should cost little more than reading it.

mod keys;
mod naming;

use std::ops::Range;

use super::refusal::{Flaw, Refusal};
use super::text::{MARK, hex, says, word};
use super::{MAX_BYTES, MAX_DEPTH};
use keys::Key;

/// A flaw and the byte where it is. Boxed, so that the good case is returned in a register.
pub(super) type Fault = Box<(Flaw, usize)>;

/// Judges the whole text, and finds the value at `want`.
pub(super) fn check(text: &[u8], want: &[String]) -> Result<Option<Range<usize>>, Refusal> {
    let mut scanner = Scanner::<true>::new(text);
    match scanner.document(want) {
        Ok(()) => Ok(scanner.found),
        Err(fault) => {
            let (flaw, offset) = *fault;
            Err(Refusal::new(text, offset, flaw))
        }
    }
}

/// Reads a text from front to back. With `KEYS`, duplicate keys are looked for; a text that was judged before is read
/// again without.
#[derive(Debug)]
pub(super) struct Scanner<'t, const KEYS: bool> {
    text: &'t [u8],
    at: usize,
    keys: Vec<Key>,
    found: Option<Range<usize>>,
}

impl<'t, const KEYS: bool> Scanner<'t, KEYS> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            keys: Vec::new(),
            found: None,
        }
    }

    /// The byte that comes next; 0, which can stand nowhere, at the end.
    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Where the reader is.
    #[inline]
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Goes over one byte.
    #[inline]
    pub(super) const fn step(&mut self) {
        self.at += 1;
    }

    /// The text from `start` to here.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    #[cold]
    fn fault<T>(&self, flaw: Flaw, at: usize) -> Result<T, Fault> {
        // Whatever was expected: nothing is there any more.
        let flaw = if at >= self.text.len() {
            Flaw::Truncated
        } else {
            flaw
        };
        Err(Box::new((flaw, at)))
    }

    fn document(&mut self, want: &[String]) -> Result<(), Fault> {
        if self.text.len() > MAX_BYTES {
            return Err(Box::new((Flaw::TooLarge(self.text.len()), 0)));
        }
        self.encoding()?;
        if self.text.starts_with(MARK) {
            self.at = MARK.len();
        }
        if KEYS {
            // Enough for most documents, so that there is one allocation.
            self.keys.reserve(64);
        }
        self.space();
        if self.at == self.text.len() {
            return Err(Box::new((Flaw::Empty, 0)));
        }
        self.value(0, Some(want))?;
        self.space();
        if self.at == self.text.len() {
            return Ok(());
        }
        match self.byte() {
            b'{' | b'[' | b'"' => self.fault(Flaw::TwoDocuments, self.at),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.fault(Flaw::TwoDocuments, self.at),
            _ => self.misfit(),
        }
    }

    fn encoding(&self) -> Result<(), Fault> {
        let text = self.text;
        let wide = if text.starts_with(b"\xff\xfe\0\0") || text.starts_with(b"\0\0\xfe\xff") {
            Some("UTF-32")
        } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            Some("UTF-16")
        } else if text.starts_with(b"\0\0\0")
            || (text.len() > 3 && text[1..].starts_with(b"\0\0\0"))
        {
            Some("UTF-32")
        } else if text.len() > 1 && (text[0] == 0) != (text[1] == 0) {
            // A document starts with an ASCII character: a zero beside it is half of a unit.
            Some("UTF-16")
        } else {
            None
        };
        if let Some(name) = wide {
            return Err(Box::new((Flaw::Encoding(name), 0)));
        }
        std::str::from_utf8(text).map(drop).map_err(|e| {
            let at = e.valid_up_to();
            match (e.error_len(), text.get(at)) {
                (Some(_), Some(byte)) => Box::new((Flaw::NotUtf8(*byte), at)),
                // In the middle of a character.
                _ => Box::new((Flaw::Truncated, text.len())),
            }
        })
    }

    /// Goes over whitespace. Nothing, one space, or a line break and its indentation are the usual cases.
    #[inline]
    pub(super) fn space(&mut self) {
        let byte = self.byte();
        if byte > b' ' {
            return;
        }
        if byte == b' ' && self.text.get(self.at + 1).is_some_and(|b| *b > b' ') {
            self.at += 1;
            return;
        }
        self.much_space();
    }

    fn much_space(&mut self) {
        let mut at = self.at;
        if self.byte() == b'\n' {
            at += 1;
        }
        loop {
            let other = word(self.text, at) ^ 0x2020_2020_2020_2020;
            if other == 0 {
                at += 8;
                continue;
            }
            at += other.trailing_zeros() as usize / 8;
            match self.text.get(at) {
                Some(b'\n' | b'\r' | b'\t') => at += 1,
                _ => break,
            }
        }
        self.at = at;
    }

    /// Goes over one value. `want` is what is left of the way to the wanted one, if this value is on it.
    pub(super) fn value(&mut self, depth: usize, want: Option<&[String]>) -> Result<(), Fault> {
        let start = self.at;
        match self.byte() {
            b'"' => {
                self.string()?;
            }
            b'{' => self.object(depth + 1, want)?,
            b'[' => self.array(depth + 1, want)?,
            b'-' | b'0'..=b'9' => self.number()?,
            b't' if self.takes(b"true") => {}
            b'f' if self.takes(b"false") => {}
            b'n' if self.takes(b"null") => {}
            _ => return self.misfit(),
        }
        if want.is_some_and(<[String]>::is_empty) {
            self.found = Some(start..self.at);
        }
        Ok(())
    }

    /// Goes over a value inside another one. Most are strings, and most are not looked for.
    #[inline]
    fn member(&mut self, depth: usize, want: Option<&[String]>) -> Result<(), Fault> {
        if want.is_none() && self.byte() == b'"' {
            return self.string().map(drop);
        }
        self.value(depth, want)
    }

    fn object(&mut self, depth: usize, want: Option<&[String]>) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return self.fault(Flaw::TooDeep, self.at);
        }
        let first = self.keys.len();
        let mut seen = 0;
        self.at += 1;
        self.space();
        if self.byte() == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.byte() != b'"' {
                return self.no_key();
            }
            let start = self.at + 1;
            let escaped = self.string()?;
            let end = self.at - 1;
            if KEYS {
                self.remember(first, &mut seen, escaped, [start, end])?;
            }
            let inside = match want {
                Some([token, rest @ ..]) if says(&self.text[start..end], token) => Some(rest),
                _ => None,
            };
            self.space();
            if self.byte() != b':' {
                return self.no_colon();
            }
            self.at += 1;
            self.space();
            self.member(depth, inside)?;
            self.space();
            match self.byte() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return self.no_comma(),
            }
            self.space();
        }
        self.at += 1;
        if KEYS {
            self.forget(first)?;
        }
        Ok(())
    }

    fn array(&mut self, depth: usize, want: Option<&[String]>) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return self.fault(Flaw::TooDeep, self.at);
        }
        let mut wanted = match want {
            Some([token, rest @ ..]) => index(token).map(|i| (i, rest)),
            _ => None,
        };
        self.at += 1;
        self.space();
        if self.byte() == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let inside = match &mut wanted {
                Some((0, rest)) => {
                    let rest = *rest;
                    wanted = None;
                    Some(rest)
                }
                Some((i, _)) => {
                    *i -= 1;
                    None
                }
                None => None,
            };
            self.member(depth, inside)?;
            self.space();
            match self.byte() {
                b',' => self.at += 1,
                b']' => break,
                _ => return self.no_comma(),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    /// Goes over a string, from quote to quote, and says whether it has escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<bool, Fault> {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let mut escaped = false;
        self.at += 1;
        loop {
            let word = word(self.text, self.at);
            let quote = word ^ (LOW * b'"' as u64);
            let slash = word ^ (LOW * b'\\' as u64);
            // The highest bit of each byte that is a quote, a backslash or below a space. A borrow can set bits too
            // many, but only above a true one, and the lowest one is taken.
            let stops = (quote.wrapping_sub(LOW) & !quote
                | slash.wrapping_sub(LOW) & !slash
                | word.wrapping_sub(LOW * b' ' as u64) & !word)
                & HIGH;
            if stops == 0 {
                self.at += 8;
                continue;
            }
            self.at += stops.trailing_zeros() as usize / 8;
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                byte => return self.fault(Flaw::ControlCharacter(byte), self.at),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let text = self.text;
        match text.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            Some(_) => return self.bad_escape(start, 2),
            None => return self.fault(Flaw::Truncated, text.len()),
        }
        let unit = |at: usize| text.get(at..at + 4).and_then(hex);
        let Some(high) = unit(start + 2) else {
            return self.bad_escape(start, 6);
        };
        self.at += 6;
        match high {
            0xd800..0xdc00 => {
                let follows = text.get(self.at..self.at + 2) == Some(b"\\u");
                match unit(self.at + 2).filter(|_| follows) {
                    Some(0xdc00..0xe000) => {
                        self.at += 6;
                        Ok(())
                    }
                    // Is it half of a pair, or is what follows no escape at all? The latter is told where it is.
                    _ => self.lone(start),
                }
            }
            0xdc00..0xe000 => self.lone(start),
            _ => Ok(()),
        }
    }

    pub(super) fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            b'I' | b'N' | b'i' => return self.misfit_word(start, self.at),
            _ => return self.fault(Flaw::BadNumber, self.at.min(self.text.len())),
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.some_digits(start)?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits(start)?;
        }
        if matches!(self.byte(), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' | b'_')
        {
            return self.fault(Flaw::BadNumber, start);
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) {
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, start: usize) -> Result<(), Fault> {
        if !self.byte().is_ascii_digit() {
            let at = if self.at >= self.text.len() {
                self.at
            } else {
                start
            };
            return self.fault(Flaw::BadNumber, at);
        }
        self.digits();
        Ok(())
    }

    #[inline]
    fn takes(&mut self, word: &[u8]) -> bool {
        let end = self.at + word.len();
        let is = self.text.get(self.at..end) == Some(word)
            && !self
                .text
                .get(end)
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if is {
            self.at = end;
        }
        is
    }
}

/// An index as RFC 6901 writes it: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && !token.is_empty());
    (plain && token.bytes().all(|b| b.is_ascii_digit()))
        .then(|| token.parse().ok())
        .flatten()
}
