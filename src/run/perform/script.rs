//! How a command or a script becomes an argument list (SPEC section 3: "how a script runs", "every process").

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::plan::program::{Run, Shell};

/// bash as plans are written for: no start-up files, stopping at the first failure, also inside a pipe.
const BASH: [&str; 5] = ["bash", "--noprofile", "--norc", "-eo", "pipefail"];

/// `psql` that reads no start-up file and stops at the first error.
const PSQL: [&str; 6] = [
    "psql",
    "--no-psqlrc",
    "--quiet",
    "--no-password",
    "-v",
    "ON_ERROR_STOP=1",
];

/// Why a script cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("run {path}: {source}", path = path.display())]
    Unreadable {
        /// The script.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing says how.
    #[error(
        "run {path}: nothing says how; give it a first line like `#!/usr/bin/env bash` and the run bit, \
         one of the endings .sh, .py, .sql, or a `shell:`", path = path.display()
    )]
    NoInterpreter {
        /// The script.
        path: PathBuf,
    },
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|word| (*word).to_owned()).collect()
}

fn with(mut argv: Vec<String>, more: impl IntoIterator<Item = String>) -> Vec<String> {
    argv.extend(more);
    argv
}

/// The argument list. `locate` says where a script named in the plan is read from.
///
/// # Errors
/// [`ScriptError`] when a script cannot be read, or nothing says how to run it.
pub fn argv(run: &Run, locate: impl Fn(&str) -> PathBuf) -> Result<Vec<String>, ScriptError> {
    match run {
        Run::Shell { shell, text } => Ok(match shell {
            Shell::Bash => with(words(&BASH), ["-c".to_owned(), text.clone()]),
            Shell::Sh => with(words(&["sh", "-ec"]), [text.clone()]),
            Shell::Python => with(words(&["python3", "-c"]), [text.clone()]),
            Shell::Sql => with(words(&PSQL), ["-c".to_owned(), text.clone()]),
            Shell::Argv(argv) => with(argv.clone(), [text.clone()]),
        }),
        Run::Script { path, args, shell } => {
            let full = locate(path);
            let file = full.to_string_lossy().into_owned();
            let head = head(&full).map_err(|source| ScriptError::Unreadable {
                path: full.clone(),
                source,
            })?;
            let chosen = match shell {
                Some(shell) => Some(shell.clone()),
                None if head.runs_by_itself() => return Ok(with(vec![file], args.iter().cloned())),
                None => by_extension(path),
            };
            let argv = match chosen {
                Some(Shell::Bash) => with(words(&BASH), [file]),
                Some(Shell::Sh) => words(&["sh", "-e", &file]),
                Some(Shell::Python) => words(&["python3", &file]),
                Some(Shell::Sql) => with(words(&PSQL), ["-f".to_owned(), file]),
                Some(Shell::Argv(argv)) => with(argv, [file]),
                None if head.executable => vec![file],
                None => return Err(ScriptError::NoInterpreter { path: full }),
            };
            Ok(with(argv, args.iter().cloned()))
        }
        // Its files are known where the job is made: see `perform::manifest`.
        Run::Manifest(manifest) => Ok(with(words(&["orchestrate"]), manifest.arguments())),
    }
}

/// Whether a process speaks SQL through `psql`, and so needs the connection `default`.
#[must_use]
pub fn needs_connection(run: &Run) -> bool {
    match run {
        Run::Shell { shell, .. }
        | Run::Script {
            shell: Some(shell), ..
        } => *shell == Shell::Sql,
        Run::Script {
            path, shell: None, ..
        } => by_extension(path) == Some(Shell::Sql),
        Run::Manifest(_) => false,
    }
}

fn by_extension(path: &str) -> Option<Shell> {
    match Path::new(path).extension()?.to_str()? {
        "sh" | "bash" => Some(Shell::Bash),
        "py" => Some(Shell::Python),
        "sql" => Some(Shell::Sql),
        _ => None,
    }
}

struct Head {
    executable: bool,
    shebang: bool,
}

impl Head {
    /// A run bit with a shebang beats the extension.
    fn runs_by_itself(&self) -> bool {
        self.executable && self.shebang
    }
}

fn head(path: &Path) -> io::Result<Head> {
    let file = fs::File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut first = [0; 2];
    let read = file.take(2).read(&mut first)?;
    Ok(Head {
        executable: meta.permissions().mode() & 0o111 != 0,
        shebang: first[..read] == *b"#!",
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn script(dir: &Path, name: &str, text: &str, mode: u32) -> Run {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Run::Script {
            path: name.to_owned(),
            args: vec!["--to".to_owned(), "a b".to_owned()],
            shell: None,
        }
    }

    #[test]
    fn a_run_bit_with_a_shebang_beats_the_extension() {
        let dir = tempfile::tempdir().unwrap();
        let locate = |p: &str| dir.path().join(p);
        let own = argv(&script(dir.path(), "a.py", "#!/bin/sh\n", 0o755), locate).unwrap();
        assert!(own[0].ends_with("/a.py") && own[1..] == ["--to", "a b"]);
        let python = argv(&script(dir.path(), "b.py", "#!/bin/sh\n", 0o644), locate).unwrap();
        assert_eq!(python[0], "python3");
        let bash = argv(&script(dir.path(), "c.sh", "true\n", 0o755), locate).unwrap();
        assert_eq!(bash[..5], BASH);
        let sql = argv(&script(dir.path(), "d.sql", "select 1;\n", 0o644), locate).unwrap();
        assert_eq!(sql[0], "psql");
        assert!(matches!(
            argv(&script(dir.path(), "e", "true\n", 0o644), locate),
            Err(ScriptError::NoInterpreter { .. })
        ));
        assert!(matches!(
            argv(
                &Run::Script {
                    path: "gone.sh".to_owned(),
                    args: vec![],
                    shell: None
                },
                locate
            ),
            Err(ScriptError::Unreadable { .. })
        ));
    }

    #[test]
    fn text_is_one_argument_and_never_code_of_ours() {
        let text = "echo \"$X\"; {{ not.a.template }}".to_owned();
        let argv = argv(
            &Run::Shell {
                shell: Shell::Bash,
                text: text.clone(),
            },
            |p| p.into(),
        )
        .unwrap();
        assert_eq!(argv.last(), Some(&text));
    }
}
