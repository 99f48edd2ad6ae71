//! Identities: parsed once, then trusted.
//!
//! An id is what a person typed into a plan or onto a command line. It is checked where it enters and carried as a
//! type of its own, so that a step's id is never taken for a gate's. Files are never named by an id alone: see
//! [`file_stem`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Nothing but white space.
    #[error("an id must not be empty")]
    Empty,
    /// A control character would make terminals and logs lie.
    #[error("an id must not contain control characters")]
    Control,
    /// Longer than 200 bytes.
    #[error("an id must not be longer than 200 bytes")]
    Long,
}

fn check(text: &str) -> Result<(), BadId> {
    if text.trim().is_empty() {
        Err(BadId::Empty)
    } else if text.chars().any(char::is_control) {
        Err(BadId::Control)
    } else if text.len() > 200 {
        Err(BadId::Long)
    } else {
        Ok(())
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and keeps it.
            ///
            /// # Errors
            /// [`BadId`] when it is empty, too long, or holds control characters.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The text as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", &self.0)
            }
        }
    )*};
}

ids! {
    /// A step, unique in a plan.
    StepId;
    /// A phase, unique in a plan.
    PhaseId;
    /// A gate, unique in a plan.
    GateId;
    /// What a person can answer: a gate's or step's id, or `BLOCK.field.index` (SPEC section 10).
    ItemId;
    /// A run: the first 12 hex digits of its inputs' hash, then `-<n>` (SPEC section 6).
    RunId;
}

/// A SHA-256 digest as 64 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(Sha256::digest(bytes).as_slice())
    }

    /// The digest of everything `reader` gives, in bounded memory.
    ///
    /// # Errors
    /// What reading returns.
    pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => hasher.update(&buffer[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self::from_hash(hasher.finalize().as_slice()))
    }

    fn from_hash(hash: &[u8]) -> Self {
        use fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in hash {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `n` digits, for people.
    #[must_use]
    pub fn short(&self, n: usize) -> &str {
        self.0.get(..n).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.short(12))
    }
}

/// A file name stem for an id: readable where the id is plain, and always distinct, because it ends in a part of the
/// id's digest whenever a character had to be replaced. It never contains a path separator and never starts with a dot.
#[must_use]
pub fn file_stem(id: &str) -> String {
    let safe: String = id
        .chars()
        .take(80)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if safe == id {
        safe
    } else {
        format!("{safe}~{}", Digest::of(id.as_bytes()).short(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_terminals_and_files_would_misread() {
        assert_eq!(StepId::parse(" "), Err(BadId::Empty));
        assert_eq!(StepId::parse("a\u{1b}[2J"), Err(BadId::Control));
        assert_eq!(StepId::parse(&"x".repeat(201)), Err(BadId::Long));
        assert!(StepId::parse("Schritt 1/ä").is_ok());
    }

    #[test]
    fn file_stems_stay_in_their_folder_and_apart() {
        assert_eq!(file_stem("STEP-1-1"), "STEP-1-1");
        assert!(!file_stem("../../etc/passwd").contains(['/', '.']));
        assert_ne!(file_stem("a/b"), file_stem("a.b"));
    }
}
