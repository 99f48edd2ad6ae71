//! Where an index lives, as people say it, and how that is printed: without its password.

use std::fmt;
use std::path::{Path, PathBuf};

use super::IndexError;

/// The file that holds the index of a tree unless another database is given, from the tree's root.
const DEFAULT_FILE: &str = ".orchestrate/manifests.sqlite";

/// Where an index lives. `Display` and `Debug` mask the password of a URL.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite {
        /// The file; it is made if it is not there.
        file: PathBuf,
        /// True for the file that is taken when none is given; only its folder is made too.
        default: bool,
    },
    /// A PostgreSQL database.
    Postgres {
        /// The URL, password and all. Never print it.
        url: String,
    },
}

impl Target {
    /// The SQLite file inside the tree.
    #[must_use]
    pub fn of_tree(root: &Path) -> Self {
        Self::Sqlite {
            file: root.join(DEFAULT_FILE),
            default: true,
        }
    }

    /// What was given for `--database` or in the variable that `--database-env` names: `postgres://…`, `postgresql://…`,
    /// `sqlite:FILE`, or the path of a SQLite file.
    ///
    /// # Errors
    /// [`IndexError::Target`] if it is empty or a URL of something else.
    pub fn parse(given: &str) -> Result<Self, IndexError> {
        let refused = |why: &str| IndexError::Target {
            target: mask(given),
            why: why.to_owned(),
        };
        let scheme = given
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("postgres" | "postgresql") => {
                return Ok(Self::Postgres {
                    url: given.to_owned(),
                });
            }
            Some("sqlite" | "file") => {
                return Err(refused(
                    "write a SQLite file as `sqlite:FILE` or just as its path, without `//`",
                ));
            }
            Some(scheme) if !scheme.contains('/') => {
                return Err(refused(
                    "only PostgreSQL (`postgres://…`) and SQLite (a path) are spoken",
                ));
            }
            _ => {}
        }
        let file = given.strip_prefix("sqlite:").unwrap_or(given);
        if file.is_empty() {
            return Err(refused("it is empty"));
        }
        if file.starts_with(":memory:") {
            return Err(refused("an index in memory would be gone with the command"));
        }
        Ok(Self::Sqlite {
            file: PathBuf::from(file),
            default: false,
        })
    }

    /// The secrets in it, which no message may show.
    #[cfg(feature = "postgres")]
    pub(super) fn secrets(&self) -> Vec<String> {
        let Self::Postgres { url } = self else {
            return Vec::new();
        };
        let mut secrets = Vec::new();
        let mut note = |range: Option<std::ops::Range<usize>>| {
            if let Some(raw) = range.map(|r| &url[r]) {
                secrets.push(raw.to_owned());
                secrets.push(decode(raw));
            }
        };
        note(user_password(url));
        note(parameter_password(url));
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { file, .. } => write!(f, "{}", file.display()),
            Self::Postgres { url } => f.write_str(&mask(url)),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// The URL with `***` for its password, wherever it may stand. Rather too much is masked than too little: a password
/// with a bare `/`, `?` or `@` breaks a URL, and it is then that messages are printed.
fn mask(url: &str) -> String {
    let mut text = url.to_owned();
    // From the back, so that the first range stays right.
    if let Some(range) = parameter_password(&text) {
        text.replace_range(range, "***");
    }
    if let Some(range) = user_password(&text) {
        text.replace_range(range, "***");
    }
    text
}

/// Where the password of `scheme://user:password@` stands: up to the last `@`.
fn user_password(url: &str) -> Option<std::ops::Range<usize>> {
    let start = url.find("://")? + 3;
    let end = start + url[start..].rfind('@')?;
    let colon = start + url[start..end].find(':')?;
    Some(colon + 1..end)
}

/// Where the value of `?password=` stands.
fn parameter_password(url: &str) -> Option<std::ops::Range<usize>> {
    let query = url.find('?')?;
    let lower = url[query..].to_ascii_lowercase();
    let start = query
        + ["?password=", "&password="]
            .iter()
            .find_map(|key| lower.find(key).map(|at| at + key.len()))?;
    let end = url[start..].find('&').map_or(url.len(), |at| start + at);
    Some(start..end)
}

/// The text with its `%41` as characters.
#[cfg(feature = "postgres")]
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let code = (first == b'%')
            .then(|| rest.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[2..];
            }
            None => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn no_password_is_printed() {
        for url in [
            "postgres://anna:hunter2@db/x",
            "postgres://anna:hun/ter2@db/x",
            "postgres://anna:hunt?er2@db/x",
            "postgres://anna:hunter2@x@db/x",
            "postgres://anna@db/x?password=hunter2",
            "postgres://anna@db/x?sslmode=require&PASSWORD=hunter2&application_name=a",
            "postgres://anna:hunter2@db/x?password=hunter2",
            "mysql://anna:hunter2@db/x",
        ] {
            let shown = match Target::parse(url) {
                Ok(target) => format!("{target} {target:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            for piece in ["hunter2", "hun/", "ter2", "er2"] {
                assert!(!shown.contains(piece), "{url} is shown as {shown}");
            }
            assert!(shown.contains("anna") && shown.contains("***"), "{shown}");
        }
        let plain = "postgresql://postgres@/test?host=/tmp/pg";
        assert_eq!(Target::parse(plain).unwrap().to_string(), plain);
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn secrets_are_known_in_both_spellings() {
        let target = Target::parse("postgres://a:p%40ss@db/x?password=other").unwrap();
        assert_eq!(target.secrets(), ["p%40ss", "other", "p@ss"]);
    }

    #[test]
    fn what_can_be_given() {
        let file = |given| match Target::parse(given) {
            Ok(Target::Sqlite { file, default }) => {
                assert!(!default);
                file
            }
            other => panic!("{given}: {other:?}"),
        };
        assert_eq!(file("a/b.sqlite"), Path::new("a/b.sqlite"));
        assert_eq!(file("sqlite:a.db"), Path::new("a.db"));
        assert_eq!(file("a/b://c"), Path::new("a/b://c"));
        for refused in ["", "sqlite:", "mysql://x", "sqlite://x", ":memory:"] {
            let error = Target::parse(refused).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{refused}");
        }
    }
}
