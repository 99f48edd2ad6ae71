//! The signs and words between a number and its limit.

use std::fmt;

use crate::base::quantity::tidy;

/// How a measured number is held against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Comparator {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
}

/// Signs and words for each comparator. Longer spellings stand before those that begin them.
const SPELLINGS: &[(&str, Comparator)] = &[
    ("<=", Comparator::AtMost),
    ("=<", Comparator::AtMost),
    ("\u{2264}", Comparator::AtMost),
    (">=", Comparator::AtLeast),
    ("=>", Comparator::AtLeast),
    ("\u{2265}", Comparator::AtLeast),
    ("==", Comparator::Equal),
    ("!=", Comparator::NotEqual),
    ("<>", Comparator::NotEqual),
    ("\u{2260}", Comparator::NotEqual),
    ("<", Comparator::Less),
    (">", Comparator::Greater),
    ("=", Comparator::Equal),
    ("does not exceed", Comparator::AtMost),
    ("do not exceed", Comparator::AtMost),
    ("must not exceed", Comparator::AtMost),
    ("never exceeds", Comparator::AtMost),
    ("not above", Comparator::AtMost),
    ("not over", Comparator::AtMost),
    ("not below", Comparator::AtLeast),
    ("not under", Comparator::AtLeast),
    ("no more than", Comparator::AtMost),
    ("not more than", Comparator::AtMost),
    ("at most", Comparator::AtMost),
    ("up to", Comparator::AtMost),
    ("no less than", Comparator::AtLeast),
    ("not less than", Comparator::AtLeast),
    ("at least", Comparator::AtLeast),
    ("fewer than", Comparator::Less),
    ("lower than", Comparator::Less),
    ("smaller than", Comparator::Less),
    ("higher than", Comparator::Greater),
    ("larger than", Comparator::Greater),
    ("exceeds", Comparator::Greater),
    ("exceed", Comparator::Greater),
    ("less than", Comparator::Less),
    ("below", Comparator::Less),
    ("under", Comparator::Less),
    ("more than", Comparator::Greater),
    ("greater than", Comparator::Greater),
    ("above", Comparator::Greater),
    ("over", Comparator::Greater),
    ("exactly", Comparator::Equal),
    ("equals", Comparator::Equal),
];

/// Verbs that add nothing to the comparator behind them: "stays below".
const VERBS: &[&str] = &[
    " is",
    " are",
    " stays",
    " stay",
    " remains",
    " remain",
    " must be",
    " should be",
    " has to be",
    " drops",
    " falls",
    " rises",
    " goes",
];

impl Comparator {
    /// The comparator at the start of a lower-case text, and what follows it.
    pub(super) fn at_start(text: &str) -> Option<(Self, &str)> {
        SPELLINGS.iter().find_map(|(spelling, comparator)| {
            let rest = text.strip_prefix(spelling)?;
            let is_word = spelling.as_bytes()[0].is_ascii_alphabetic();
            (!is_word || rest.starts_with(' ')).then(|| (*comparator, rest.trim_start()))
        })
    }

    /// Splits "error_rate < 0.1%" at its first comparator: what is left of it, the comparator, what is right of it.
    ///
    /// Words count only when spaces stand around them; a leading "is" belongs to the comparator ("is below").
    #[must_use]
    pub fn split(text: &str) -> Option<(String, Self, String)> {
        let text = tidy(text);
        let lower = text.to_lowercase();
        // Offsets are shared between the two, which holds only where lower-casing changed no length.
        let text = if lower.len() == text.len() {
            text
        } else {
            lower.clone()
        };
        for (at, _) in lower.char_indices().skip(1) {
            let Some(tail) = text.is_char_boundary(at).then(|| &lower[at..]) else {
                continue;
            };
            let Some((comparator, rest)) = Self::at_start(tail) else {
                continue;
            };
            let is_word = tail.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_word && !lower[..at].ends_with(' ') {
                continue;
            }
            let left = text[..at].trim();
            let left = if is_word {
                VERBS
                    .iter()
                    .find_map(|verb| left.strip_suffix(verb))
                    .unwrap_or(left)
            } else {
                left
            };
            if left.is_empty() {
                return None;
            }
            let right = &text[text.len() - rest.len()..];
            return Some((left.to_owned(), comparator, right.to_owned()));
        }
        None
    }

    /// Whether `left` stands in this relation to `right`; none if either is not a number (NaN), because no data is
    /// never a pass and never a fail (SPEC section 2).
    #[must_use]
    #[expect(
        clippy::float_cmp,
        reason = "an author who writes == means exactly that number"
    )]
    pub fn holds(self, left: f64, right: f64) -> Option<bool> {
        if left.is_nan() || right.is_nan() {
            return None;
        }
        Some(match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        })
    }

    /// Its sign, in ASCII.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.sign())
    }
}
