//! Why a text is not taken as a document: a word that stays the same, a place, a sentence.

use std::fmt;

/// A text that is left alone, with the reason and the place.
///
/// Written with `{}` it is a sentence without the place, fit for after "failed to read the document: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub flaw: Flaw,
    /// Byte at which it is wrong, from 0.
    pub offset: usize,
    /// Line, from 1. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: usize,
    /// Column, from 1, in characters. A byte order mark counts for nothing.
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// More bytes than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("the file has {0} bytes, and documents are read up to 256 MiB")]
    TooLarge(usize),
    /// No byte, or whitespace alone.
    #[error(
        "the file is empty: it may have been cut off while it was written; restore it from a backup"
    )]
    Empty,
    /// UTF-16 or UTF-32, by its byte order mark or its zero bytes.
    #[error("the file is {0}, and a document is UTF-8: convert it first")]
    Encoding(&'static str),
    /// Bytes that are no UTF-8.
    #[error("the file is not UTF-8: the byte 0x{0:02x} cannot stand here")]
    NotUtf8(u8),
    /// The text ends too early.
    #[error(
        "the document ends too early: it may have been cut off while it was written; restore it from a backup"
    )]
    Truncated,
    /// `//`, `/*` or `#`.
    #[error("there is a comment, and JSON has none: remove it, or move it into a field")]
    Comment,
    /// `NaN`, `Infinity`.
    #[error("`{0}` is no JSON number: write `null` or a string instead")]
    NotFinite(String),
    /// A comma before `}` or `]`.
    #[error("there is a comma with nothing after it: remove the comma")]
    TrailingComma,
    /// `'text'`.
    #[error("there is text in single quotes: JSON has double quotes alone")]
    SingleQuotes,
    /// `{key: 1}`.
    #[error("the key `{0}` has no quotes: write `\"{0}\"`")]
    UnquotedKey(String),
    /// Half of a pair of escapes.
    #[error(
        "the escape `{0}` is one half of a pair (a lone surrogate), which is no character: readers disagree on what it \
         means; mend the text"
    )]
    LoneSurrogate(String),
    /// `\x`, `\u12`.
    #[error("`{0}` is no JSON escape: a backslash itself is written `\\\\`")]
    BadEscape(String),
    /// A byte below 0x20 inside a string.
    #[error(
        "there is a control character (U+{0:04X}) inside a string: it is written as an escape there, and a line break \
         often means a missing quote before it"
    )]
    ControlCharacter(u8),
    /// One key twice in one object, compared after escapes are resolved.
    #[error(
        "the key `{key}` stands twice in one object, first on line {first_line}: readers disagree on which one counts; \
         remove one of them"
    )]
    DuplicateKey {
        /// The key, shortened if it is long.
        key: String,
        /// Line of the first one, from 1.
        first_line: usize,
    },
    /// Deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error(
        "objects and arrays are nested more than 127 deep, which many readers refuse: flatten the document"
    )]
    TooDeep,
    /// Something after the document that starts another one.
    #[error("a second document follows the first one in the same file: keep one of them")]
    TwoDocuments,
    /// `01`, `1.`, `+1`, `0x10`.
    #[error(
        "this is no JSON number: no leading zeros or plus sign, digits on both sides of the point"
    )]
    BadNumber,
    /// `True`, `None`, `undefined`.
    #[error(
        "`{0}` is no JSON value: a word is `true`, `false` or `null`, anything else stands in double quotes"
    )]
    BadWord(String),
    /// Two members without a comma.
    #[error("there is no comma between this and what comes before it")]
    MissingComma,
    /// A key without a colon.
    #[error("there is no colon after the key")]
    MissingColon,
    /// A byte order mark elsewhere than at the very start.
    #[error("a byte order mark stands inside the document: remove it")]
    StrayMark,
    /// Anything else that cannot stand there.
    #[error("`{}` cannot stand here", .0.escape_debug())]
    Unexpected(char),
}

impl Flaw {
    /// The name of this kind of flaw, which stays the same in every version: for counts and scripts.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::Empty => "empty",
            Self::Encoding(_) | Self::NotUtf8(_) => "not_utf8",
            Self::Truncated => "truncated",
            Self::Comment => "comment",
            Self::NotFinite(_) => "not_finite",
            Self::TrailingComma => "trailing_comma",
            Self::SingleQuotes => "single_quotes",
            Self::UnquotedKey(_) => "unquoted_key",
            Self::LoneSurrogate(_) => "lone_surrogate",
            Self::BadEscape(_) => "bad_escape",
            Self::ControlCharacter(_) => "control_character",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::TwoDocuments => "two_documents",
            Self::BadNumber => "bad_number",
            Self::BadWord(_) => "bad_word",
            Self::MissingComma => "missing_comma",
            Self::MissingColon => "missing_colon",
            Self::StrayMark | Self::Unexpected(_) => "unexpected",
        }
    }
}

impl Refusal {
    pub(super) fn new(text: &[u8], offset: usize, flaw: Flaw) -> Self {
        let (line, column) = place(text, offset);
        Self {
            flaw,
            offset,
            line,
            column,
        }
    }

    /// The name of this kind of refusal: see [`Flaw::class`].
    #[must_use]
    pub const fn class(&self) -> &'static str {
        self.flaw.class()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.flaw.fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// Line and column of a byte, both from 1.
pub(super) fn place(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let before = before.strip_prefix(super::text::MARK).unwrap_or(before);
    let mut line = 1;
    let mut start = 0;
    for (i, byte) in before.iter().enumerate() {
        // The `\r` of `\r\n` ends no line of its own, not even if the place is right between the two.
        let lone = *byte == b'\r' && before.get(i + 1) != Some(&b'\n');
        if *byte == b'\n' || lone {
            line += 1;
            start = i + 1;
        }
    }
    // Continuation bytes do not start a character.
    let characters = before[start..].iter().filter(|b| **b & 0xc0 != 0x80);
    (line, characters.count() + 1)
}
