//! The `file` probe.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::Judged;
use crate::base::id::Digest;
use crate::plan::program::FileProbe;
use crate::run::engine::{Proof, Verdict};

/// Judges a file: it exists (or not), is long enough, has the digest, contains the text. What cannot be read is
/// inconclusive.
#[must_use]
pub fn probe(plan_dir: &Path, probe: &FileProbe) -> Judged {
    let path = plan_dir.join(&probe.path);
    match judge(&path, probe) {
        Ok(Ok(detail)) => (Verdict::Pass, Proof::of(detail)),
        Ok(Err(detail)) => (Verdict::Fail, Proof::of(detail)),
        Err(error) => (
            Verdict::Inconclusive,
            Proof::of(format!("{} cannot be read: {error}", probe.path)),
        ),
    }
}

fn judge(path: &Path, probe: &FileProbe) -> io::Result<Result<String, String>> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            let missing = format!("{} does not exist", probe.path);
            return Ok(if probe.exists {
                Err(missing)
            } else {
                Ok(missing)
            });
        }
        Err(error) => return Err(error),
    };
    if !probe.exists {
        return Ok(Err(format!("{} exists", probe.path)));
    }
    let length = meta.len();
    if let Some(least) = probe.min_bytes
        && length < least
    {
        return Ok(Err(format!(
            "{} has {length} bytes, at least {least} are wanted",
            probe.path
        )));
    }
    if let Some(wanted) = &probe.sha256 {
        let found = Digest::of_reader(fs::File::open(path)?)?;
        let wanted = wanted.trim().trim_start_matches("sha256:").to_lowercase();
        if found.as_str() != wanted {
            return Ok(Err(format!("{} has sha256 {found}", probe.path)));
        }
    }
    if let Some(text) = &probe.contains
        && !contains(fs::File::open(path)?, text.as_bytes())?
    {
        return Ok(Err(format!("{} does not contain {text:?}", probe.path)));
    }
    Ok(Ok(format!("{} is there, {length} bytes", probe.path)))
}

/// Searches in bounded memory: what is kept between two reads is shorter than the text.
fn contains(mut file: fs::File, text: &[u8]) -> io::Result<bool> {
    if text.is_empty() {
        return Ok(true);
    }
    let mut window: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(false);
        }
        window.extend_from_slice(&buffer[..read]);
        if window.windows(text.len()).any(|part| part == text) {
            return Ok(true);
        }
        let keep = window.len().saturating_sub(text.len() - 1);
        window.drain(..keep);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn each_demand_can_fail() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "hello\n").unwrap();
        let base = FileProbe {
            path: "f".to_owned(),
            exists: true,
            min_bytes: None,
            sha256: None,
            contains: None,
        };
        let sum = Digest::of(b"hello\n").as_str().to_uppercase();
        for (probe_, wanted) in [
            (base.clone(), Verdict::Pass),
            (
                FileProbe {
                    exists: false,
                    ..base.clone()
                },
                Verdict::Fail,
            ),
            (
                FileProbe {
                    path: "g".to_owned(),
                    ..base.clone()
                },
                Verdict::Fail,
            ),
            (
                FileProbe {
                    path: "g".to_owned(),
                    exists: false,
                    ..base.clone()
                },
                Verdict::Pass,
            ),
            (
                FileProbe {
                    min_bytes: Some(6),
                    ..base.clone()
                },
                Verdict::Pass,
            ),
            (
                FileProbe {
                    min_bytes: Some(7),
                    ..base.clone()
                },
                Verdict::Fail,
            ),
            (
                FileProbe {
                    sha256: Some(sum),
                    ..base.clone()
                },
                Verdict::Pass,
            ),
            (
                FileProbe {
                    sha256: Some("00".to_owned()),
                    ..base.clone()
                },
                Verdict::Fail,
            ),
            (
                FileProbe {
                    contains: Some("ell".to_owned()),
                    ..base.clone()
                },
                Verdict::Pass,
            ),
            (
                FileProbe {
                    contains: Some("elo".to_owned()),
                    ..base.clone()
                },
                Verdict::Fail,
            ),
            (
                FileProbe {
                    path: ".".to_owned(),
                    contains: Some("x".to_owned()),
                    ..base
                },
                Verdict::Inconclusive,
            ),
        ] {
            assert_eq!(probe(dir.path(), &probe_).0, wanted, "{probe_:?}");
        }
    }

    #[test]
    fn a_text_across_two_reads_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let mut bytes = vec![b'a'; 64 * 1024 - 2];
        bytes.extend_from_slice(b"needle");
        fs::write(&path, bytes).unwrap();
        assert!(contains(fs::File::open(&path).unwrap(), b"needle").unwrap());
        assert!(!contains(fs::File::open(&path).unwrap(), b"needles").unwrap());
    }
}
