//! The strict scanner: one pass over the bytes that finds every flaw, and the place of one value on the way.
//!
//! It allocates one list of keys for the whole text. Strings and runs of spaces are read eight bytes at a time, because
//! listing the versions of a tree of manifests should cost little more than reading it.

use std::ops::Range;

use super::refusal::{Flaw, Refusal};
use super::text::{MARK, hex, plain, word};
use super::{MAX_BYTES, MAX_DEPTH};

/// Up to so many keys are compared each with each; more are sorted.
const FEW_KEYS: usize = 24;

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

/// A key of an object that is open: a hash of what it says, and where it stands between its quotes.
#[derive(Debug, Clone, Copy)]
struct Key {
    hash: u64,
    // 256 MiB is the end of every text.
    start: u32,
    end: u32,
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
            // JSON starts with two ASCII characters, or one and a quote's content: a zero beside it is half of a unit.
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

    /// Goes over whitespace.
    #[inline]
    pub(super) fn space(&mut self) {
        if self.byte() > b' ' {
            return;
        }
        loop {
            let other = word(self.text, self.at) ^ 0x2020_2020_2020_2020;
            if other == 0 {
                self.at += 8;
                continue;
            }
            self.at += other.trailing_zeros() as usize / 8;
            match self.byte() {
                b'\n' | b'\r' | b'\t' => self.at += 1,
                _ => return,
            }
        }
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

    fn object(&mut self, depth: usize, want: Option<&[String]>) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return self.fault(Flaw::TooDeep, self.at);
        }
        let first = self.keys.len();
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
            let key = &self.text[start..self.at - 1];
            if KEYS {
                let hash = if escaped {
                    hash(plain(key).as_bytes())
                } else {
                    hash(key)
                };
                self.keys.push(Key {
                    hash,
                    start: u32::try_from(start).unwrap_or(u32::MAX),
                    end: u32::try_from(self.at - 1).unwrap_or(u32::MAX),
                });
            }
            let inside = match want {
                Some([token, rest @ ..]) if super::text::says(key, token) => Some(rest),
                _ => None,
            };
            self.space();
            if self.byte() != b':' {
                return self.no_colon();
            }
            self.at += 1;
            self.space();
            self.value(depth, inside)?;
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
            self.unique(first)?;
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
            self.value(depth, inside)?;
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

    #[cold]
    fn bad_escape(&self, start: usize, length: usize) -> Result<(), Fault> {
        let digits = self.text.get(start + 2..).unwrap_or_default();
        let good = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if length == 6 && digits.len() == good && good < 4 {
            return self.fault(Flaw::Truncated, self.text.len());
        }
        let shown = String::from_utf8_lossy(&self.text[start..])
            .chars()
            .take(length)
            .take_while(|c| *c != '"' && *c >= ' ')
            .collect();
        self.fault(Flaw::BadEscape(shown), start)
    }

    #[cold]
    fn lone(&self, start: usize) -> Result<(), Fault> {
        let shown = String::from_utf8_lossy(&self.text[start..start + 6]);
        self.fault(Flaw::LoneSurrogate(shown.into_owned()), start)
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

/// What to call it when something stands where it cannot. Never on the good way.
impl<const KEYS: bool> Scanner<'_, KEYS> {
    /// What comes next fits nowhere, or not here.
    #[cold]
    fn misfit(&self) -> Result<(), Fault> {
        let at = self.at;
        match self.byte() {
            b'}' | b']' if self.comma_before().is_some() => {
                self.fault(Flaw::TrailingComma, self.comma_before().unwrap_or(at))
            }
            b'\'' => self.fault(Flaw::SingleQuotes, at),
            b'#' => self.fault(Flaw::Comment, at),
            b'/' if matches!(self.text.get(at + 1), Some(b'/' | b'*')) => {
                self.fault(Flaw::Comment, at)
            }
            b'+' | b'.' => self.fault(Flaw::BadNumber, at),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => self.misfit_word(at, at),
            _ => self.fault(self.letter(), at),
        }
    }

    /// A word that is no value; `from` is where its letters begin, after a minus.
    #[cold]
    fn misfit_word(&self, start: usize, from: usize) -> Result<(), Fault> {
        let letters = self.letters(from);
        let shown = String::from_utf8_lossy(&self.text[start..from + letters]).into_owned();
        let word = &self.text[from..from + letters];
        if from + letters == self.text.len() {
            let begins = |whole: &[u8]| whole.len() > word.len() && whole.starts_with(word);
            if start == from && (begins(b"true") || begins(b"false") || begins(b"null")) {
                return self.fault(Flaw::Truncated, self.text.len());
            }
        }
        let lower = word.to_ascii_lowercase();
        if [&b"nan"[..], b"infinity", b"inf"].contains(&lower.as_slice()) {
            return self.fault(Flaw::NotFinite(shown), start);
        }
        if start < from {
            return self.fault(Flaw::BadNumber, start);
        }
        self.fault(Flaw::BadWord(shorten(&shown)), start)
    }

    fn letters(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'_' | b'$' | b'-');
        rest.iter().take_while(part).count()
    }

    /// The comma right before the place, whitespace apart.
    fn comma_before(&self) -> Option<usize> {
        let before = self.text[..self.at].trim_ascii_end();
        before.ends_with(b",").then(|| before.len() - 1)
    }

    fn letter(&self) -> Flaw {
        let rest = String::from_utf8_lossy(self.text.get(self.at..).unwrap_or_default());
        match rest.chars().next() {
            Some('\u{feff}') => Flaw::StrayMark,
            c => Flaw::Unexpected(c.unwrap_or_default()),
        }
    }

    #[cold]
    fn no_key(&self) -> Result<(), Fault> {
        let letters = self.letters(self.at);
        let word = self
            .text
            .get(self.at..self.at + letters)
            .unwrap_or_default();
        if word
            .first()
            .is_some_and(|b| !b.is_ascii_digit() && *b != b'-')
        {
            let shown = shorten(&String::from_utf8_lossy(word));
            return self.fault(Flaw::UnquotedKey(shown), self.at);
        }
        match self.byte() {
            b'.' | b'+' => self.fault(self.letter(), self.at),
            _ => self.misfit(),
        }
    }

    #[cold]
    fn no_colon(&self) -> Result<(), Fault> {
        match self.byte() {
            b'/' | b'#' => self.misfit(),
            _ => self.fault(Flaw::MissingColon, self.at),
        }
    }

    #[cold]
    fn no_comma(&self) -> Result<(), Fault> {
        match self.byte() {
            b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.fault(Flaw::MissingComma, self.at)
            }
            _ => self.misfit(),
        }
    }
}

impl<const KEYS: bool> Scanner<'_, KEYS> {
    /// Ends an object: none of its keys, from `first` on, stands twice.
    fn unique(&mut self, first: usize) -> Result<(), Fault> {
        let keys = &mut self.keys[first..];
        let said = |key: &Key| plain(&self.text[key.start as usize..key.end as usize]);
        let mut twice: Option<(Key, Key)> = None;
        if keys.len() <= FEW_KEYS {
            'all: for (i, key) in keys.iter().enumerate() {
                for other in &keys[..i] {
                    if other.hash == key.hash && said(other) == said(key) {
                        twice = Some((*other, *key));
                        break 'all;
                    }
                }
            }
        } else {
            // The keys themselves are looked at where hashes are the same alone. Somebody who makes them the same on
            // purpose gets them sorted too, not compared each with each.
            keys.sort_unstable_by(|a, b| {
                a.hash
                    .cmp(&b.hash)
                    .then_with(|| said(a).cmp(&said(b)))
                    .then(a.start.cmp(&b.start))
            });
            for pair in keys.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                let earlier = twice.is_none_or(|(_, found)| b.start < found.start);
                if a.hash == b.hash && earlier && said(&a) == said(&b) {
                    twice = Some((a, b));
                }
            }
        }
        if let Some((a, b)) = twice {
            let flaw = Flaw::DuplicateKey {
                key: shorten(&said(&a)),
                first_line: super::refusal::place(self.text, a.start as usize).0,
            };
            return self.fault(flaw, b.start as usize - 1);
        }
        self.keys.truncate(first);
        Ok(())
    }
}

/// A key or word as it is shown in a sentence.
fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// An index as RFC 6901 writes it: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && !token.is_empty());
    (plain && token.bytes().all(|b| b.is_ascii_digit()))
        .then(|| token.parse().ok())
        .flatten()
}

/// A quick hash of a key: its length and its first, middle and last bytes. Different keys may have the same one.
#[inline]
fn hash(key: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, word: u64| (h.rotate_left(29) ^ word).wrapping_mul(K);
    let n = key.len();
    let h = mix(n as u64, word(key, 0));
    if n <= 8 {
        return h;
    }
    let h = mix(h, word(key, n - 8));
    if n <= 16 {
        return h;
    }
    mix(mix(h, word(key, n / 2 - 4)), word(key, n / 3))
}
