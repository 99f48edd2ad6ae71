//! The names that the tool gives to files beside a manifest, and how it knows them again.
//!
//! `X.backup` (SPEC section 8), `X.backup.<from_version>` if other bytes have that name, `X.backup.<from_version>.2` and
//! so on if they have that one too; `X.dropped` for what a downgrade left out; temporary names that begin with a dot.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

const TEMPORARY: &str = ".orchestrate-new.";
const GUARD: &str = ".orchestrate-old.";
const BACKUP: &[u8] = b".backup";
const SIDE: &[u8] = b".dropped";

/// How many backups of one manifest may stand side by side before a person has to look.
const MOST_BACKUPS: u32 = 99;

fn joined(parts: &[&OsStr]) -> OsString {
    let mut all = OsString::new();
    for part in parts {
        all.push(part);
    }
    all
}

/// The new file before it has its name.
pub(super) fn temporary(name: &OsStr) -> OsString {
    joined(&[OsStr::new(TEMPORARY), name])
}

/// The old file while it has no other name of ours.
pub(super) fn guard(name: &OsStr) -> OsString {
    joined(&[OsStr::new(GUARD), name])
}

/// What a downgrade left out of the manifest.
pub(super) fn side(name: &OsStr) -> OsString {
    joined(&[name, OsStr::from_bytes(SIDE)])
}

/// The names a backup may have, in the order in which they are tried.
pub(super) fn backups(name: &OsStr, from: &str) -> impl Iterator<Item = OsString> {
    let plain = joined(&[name, OsStr::from_bytes(BACKUP)]);
    // A version that is no plain word would lead out of the directory.
    let safe: String = from
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || ".-+_".contains(*c))
        .take(64)
        .collect();
    let versioned = joined(&[&plain, OsStr::new("."), OsStr::new(&safe)]);
    let numbered = {
        let versioned = versioned.clone();
        (2..=MOST_BACKUPS).map(move |n| joined(&[&versioned, OsStr::new(&format!(".{n}"))]))
    };
    [plain, versioned].into_iter().chain(numbered)
}

/// True for names that only this tool uses and that mean nothing once the run that made them is dead.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(TEMPORARY.as_bytes()) || name.starts_with(GUARD.as_bytes())
}

/// The manifest whose backup this would be, judged by the name alone.
pub(super) fn backup_of(name: &OsStr) -> Option<&OsStr> {
    let bytes = name.as_bytes();
    let at = memchr::memmem::rfind(bytes, BACKUP)?;
    let rest = &bytes[at + BACKUP.len()..];
    let versioned = rest.len() > 1
        && rest[0] == b'.'
        && rest[1].is_ascii_digit()
        && rest[1..]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b".-+_".contains(b));
    (at > 0 && (rest.is_empty() || versioned)).then(|| OsStr::from_bytes(&bytes[..at]))
}

/// True for files of ours that stand beside a manifest: they are never taken for manifests, whatever the pattern.
pub(super) fn is_ours(name: &OsStr) -> bool {
    is_temporary(name) || backup_of(name).is_some() || name.as_bytes().ends_with(SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_are_known_again() {
        let name = OsStr::new("manifest.json");
        for backup in backups(name, "1.0.0").take(5) {
            assert_eq!(backup_of(&backup), Some(name), "{backup:?}");
            assert!(is_ours(&backup));
        }
        for other in [
            "manifest.json",
            "manifest.json.backup.d",
            ".backup",
            "a.backups",
        ] {
            assert_eq!(backup_of(OsStr::new(other)), None, "{other}");
        }
        assert!(
            is_ours(&side(name)) && is_temporary(&temporary(name)) && is_temporary(&guard(name))
        );
    }

    #[test]
    fn a_version_cannot_lead_out_of_the_directory() {
        let names: Vec<OsString> = backups(OsStr::new("m"), "../../x").take(2).collect();
        assert_eq!(names[1], "m.backup.....x");
    }
}
