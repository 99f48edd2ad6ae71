//! Whole processes, measured by the kernel: their time, and their peak of memory.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_orchestrate");

pub(crate) type Failure = Box<dyn Error>;

/// Runs a program without output, and prints its exit code, its nanoseconds and its peak of resident memory in KiB.
pub(crate) const LAUNCHER: &str = r#"
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
extern char **environ;
int main(int argc, char **argv) {
    posix_spawn_file_actions_t files;
    struct timespec begun, ended;
    struct rusage usage;
    pid_t pid;
    int status;
    if (argc < 2 || posix_spawn_file_actions_init(&files)) return 2;
    if (posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)) return 2;
    if (posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0)) return 2;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    if (posix_spawn(&pid, argv[1], &files, NULL, argv + 1, environ)) return 2;
    if (wait4(pid, &status, 0, &usage) != pid) return 2;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%d %lld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 255,
           (ended.tv_sec - begun.tv_sec) * 1000000000LL + ended.tv_nsec - begun.tv_nsec, usage.ru_maxrss);
    return 0;
}
"#;

/// How long a process took, and its peak of memory.
pub(crate) struct Run {
    pub(crate) took: Duration,
    pub(crate) kib: u64,
}

pub(crate) struct Figures {
    least: Duration,
    pub(crate) median: Duration,
    most: Duration,
    pub(crate) kib: u64,
}

impl Figures {
    pub(crate) fn of(runs: Vec<Run>) -> Self {
        let kib = runs.iter().map(|run| run.kib).max().unwrap_or_default();
        let mut took: Vec<Duration> = runs.into_iter().map(|run| run.took).collect();
        took.sort();
        Self {
            least: took[0],
            median: took[took.len() / 2],
            most: took[took.len() - 1],
            kib,
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "min {:.2?}  median {:.2?}  max {:.2?}  peak {} KiB",
            self.least, self.median, self.most, self.kib
        )
    }
}

/// Compiles a small C program and returns its path.
pub(crate) fn build(
    folder: &Path,
    name: &str,
    text: &str,
    libraries: &[&str],
) -> Result<String, Failure> {
    let source = folder.join(name).with_extension("c");
    let binary = folder.join(name);
    fs::write(&source, text)?;
    let output = Command::new("cc")
        .arg("-O2")
        .arg("-o")
        .arg(&binary)
        .arg(&source)
        .args(libraries)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(binary.to_string_lossy().into_owned())
}

/// Runs a program to its end. The launcher measures: it sees the time of the program alone, and waits with `wait4`,
/// which alone still knows the peak of memory.
pub(crate) fn run(launcher: &str, program: &str, arguments: &[&OsStr]) -> Result<Run, Failure> {
    let output = Command::new(launcher)
        .arg(program)
        .args(arguments)
        .env_remove("ORCHESTRATE_LOG")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = said
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [exit_code, nanoseconds, kib] = numbers[..] else {
        return Err(format!("{program} {arguments:?} was not measured: `{said}`").into());
    };
    if exit_code != 0 {
        return Err(format!("{program} {arguments:?} ended with exit code {exit_code}").into());
    }
    if nanoseconds == 0 || kib == 0 {
        return Err(format!("{program} {arguments:?} cannot have needed `{said}`").into());
    }
    Ok(Run {
        took: Duration::from_nanos(nanoseconds),
        kib,
    })
}
