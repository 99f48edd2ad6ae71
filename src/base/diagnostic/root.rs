//! File names as machines want them: relative to a root, or as URIs.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// The folder that file names are relative to. Nothing here looks at the disk.
#[derive(Debug, Clone)]
pub struct Root {
    root: PathBuf,
    here: PathBuf,
}

impl Root {
    /// `root` is the folder, `here` what file names as shown resolve against; both absolute.
    #[must_use]
    pub fn new(root: &Path, here: &Path) -> Self {
        Self {
            root: straight(root),
            here: straight(here),
        }
    }

    /// The file's path from the root, with `/` between its parts; `None` if it is not below.
    #[must_use]
    pub fn relative(&self, file: &str) -> Option<String> {
        let full = straight(&self.here.join(file));
        let below = full.strip_prefix(&self.root).ok()?;
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    /// The file's path from the root, else as it is shown.
    #[must_use]
    pub fn shown(&self, file: &str) -> String {
        self.relative(file).unwrap_or_else(|| file.to_owned())
    }

    /// The absolute `file:` URI of a file.
    #[must_use]
    pub fn uri(&self, file: &str) -> String {
        format!(
            "file://{}",
            encode(&straight(&self.here.join(file)).to_string_lossy())
        )
    }

    /// The `file:` URI of the root; a folder's, so it ends in `/`.
    #[must_use]
    pub fn root_uri(&self) -> String {
        let path = encode(&self.root.to_string_lossy());
        let slash = if path.ends_with('/') { "" } else { "/" };
        format!("file://{path}{slash}")
    }
}

/// A path without `.` and `..`.
#[must_use]
pub fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                straight.pop();
            }
            part => straight.push(part),
        }
    }
    straight
}

/// Percent-encodes everything but what RFC 3986 leaves unreserved, and `/`.
pub(super) fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_where_they_can_be() {
        let root = Root::new(Path::new("/repo"), Path::new("/repo/a/./b"));
        assert_eq!(root.relative("plan.yaml").as_deref(), Some("a/b/plan.yaml"));
        assert_eq!(
            root.relative("../../x y%.yaml").as_deref(),
            Some("x y%.yaml")
        );
        assert_eq!(root.relative("/repo/p.yaml").as_deref(), Some("p.yaml"));
        assert_eq!(root.relative("../../../other/p.yaml"), None);
        assert_eq!(root.shown("../../../other/p.yaml"), "../../../other/p.yaml");
        assert_eq!(
            root.uri("../../../other/pläne: 1%.yaml"),
            "file:///other/pl%C3%A4ne%3A%201%25.yaml"
        );
        assert_eq!(root.root_uri(), "file:///repo/");
        assert_eq!(
            Root::new(Path::new("/"), Path::new("/")).root_uri(),
            "file:///"
        );
    }
}
