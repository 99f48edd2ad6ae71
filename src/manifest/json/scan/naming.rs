//! What to call it when something stands where it cannot. Never on the good way.

use super::super::refusal::Flaw;
use super::{Fault, Scanner};

impl<const KEYS: bool> Scanner<'_, KEYS> {
    /// What comes next fits nowhere, or not here.
    #[cold]
    pub(super) fn misfit(&self) -> Result<(), Fault> {
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
    pub(super) fn misfit_word(&self, start: usize, from: usize) -> Result<(), Fault> {
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
    pub(super) fn no_key(&self) -> Result<(), Fault> {
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
    pub(super) fn no_colon(&self) -> Result<(), Fault> {
        match self.byte() {
            b'/' | b'#' => self.misfit(),
            _ => self.fault(Flaw::MissingColon, self.at),
        }
    }

    #[cold]
    pub(super) fn no_comma(&self) -> Result<(), Fault> {
        match self.byte() {
            b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.fault(Flaw::MissingComma, self.at)
            }
            _ => self.misfit(),
        }
    }

    #[cold]
    pub(super) fn bad_escape(&self, start: usize, length: usize) -> Result<(), Fault> {
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
    pub(super) fn lone(&self, start: usize) -> Result<(), Fault> {
        let shown = String::from_utf8_lossy(&self.text[start..start + 6]);
        self.fault(Flaw::LoneSurrogate(shown.into_owned()), start)
    }
}

/// A key or word as it is shown in a sentence.
pub(super) fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
