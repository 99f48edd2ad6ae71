//! A thousand steps of `true`, side by side with a bare loop that spawns and waits for the same shell commands, captures
//! their output and does one fdatasync before and after each.
//!
//! `cargo bench --bench thousand_steps`. The target is a ratio of at most 1.5, and the same memory for ten steps, for a
//! thousand, and while a step prints a gigabyte.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_orchestrate");
const STEPS: usize = 1_000;
const ROUNDS: usize = 7;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    if std::env::args().any(|a| a == "--test") {
        // `cargo test --benches` only wants to know that it starts.
        return Ok(());
    }
    // Not in /tmp where that is memory: syncing is half of what is measured.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Emptied at the end only: a file system that has just lost thousands of files is slow to make new ones.
    let scratch = tempfile::tempdir_in(scratch)?;
    let scratch = scratch.path();
    let mut bare = Vec::new();
    let mut tool = Vec::new();
    for round in 1..=ROUNDS {
        bare.push(bare_loop(&scratch.join(format!("bare-{round}")))?);
        let folder = scratch.join(format!("tool-{round}"));
        tool.push(run(&folder, &plan(STEPS, "true"), false)?.took);
        println!(
            "round {round}: bare {:.3?}, orchestrate {:.3?}",
            bare[round - 1],
            tool[round - 1]
        );
    }
    let (bare, tool) = (Figures::of(bare), Figures::of(tool));
    println!("{STEPS} steps of `true`, {ROUNDS} rounds of each, alternating:");
    println!("  bare loop    {bare}");
    println!("  orchestrate  {tool}");
    println!(
        "  ratio of medians {:.2} (target: at most 1.50)",
        tool.median.as_secs_f64() / bare.median.as_secs_f64()
    );
    println!("peak memory (resident set):");
    for (what, plan) in [
        ("10 steps", plan(10, "true")),
        ("1,000 steps", plan(STEPS, "true")),
        (
            "1 GB printed",
            plan(
                1,
                "{ yes 0123456789012345678901234567890 || true; } | head -c 1000000000",
            ),
        ),
    ] {
        let run = run(&scratch.join(what), &plan, true)?;
        println!(
            "  {what:<14} orchestrator {:>6} KiB, supervisor {:>6} KiB, {:.3?}",
            run.orchestrator_kib, run.supervisor_kib, run.took
        );
    }
    Ok(())
}

struct Figures {
    least: Duration,
    median: Duration,
    most: Duration,
}

impl Figures {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self {
            least: all[0],
            median: all[all.len() / 2],
            most: all[all.len() - 1],
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "min {:.3?}  median {:.3?}  max {:.3?}",
            self.least, self.median, self.most
        )
    }
}

/// The least that a careful script would do.
fn bare_loop(folder: &Path) -> Result<Duration, Failure> {
    fs::create_dir(folder)?;
    let mut record = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("record"))?;
    let begun = Instant::now();
    for step in 0..STEPS {
        record.write_all(format!("start {step}\n").as_bytes())?;
        record.sync_data()?;
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", "true"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()?;
        fs::write(folder.join(format!("{step}.log")), &output.stdout)?;
        record.write_all(format!("end {step} {}\n", output.status).as_bytes())?;
        record.sync_data()?;
    }
    Ok(begun.elapsed())
}

fn plan(steps: usize, command: &str) -> String {
    let mut text = "metadata: {version: \"1.0.0\", migration_name: Many}\n\
                    migration_overview: {name: Many}\n\
                    migration_phases:\n  - phase_id: P\n    name: P\n    order: 1\n    steps:\n"
        .to_owned();
    for step in 1..=steps {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "      - {{step_id: S{step}, name: S{step}, order: {step}, type: infrastructure, effect: none,\n         \
             execution_details: {{commands: [\"{command}\"]}}}}\n"
        );
    }
    text
}

struct Run {
    took: Duration,
    orchestrator_kib: u64,
    supervisor_kib: u64,
}

fn run(folder: &Path, plan: &str, watched: bool) -> Result<Run, Failure> {
    fs::create_dir(folder)?;
    fs::write(folder.join("plan.yaml"), plan)?;
    let said = File::create(folder.join("said"))?;
    let begun = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["run", "plan.yaml", "--yes"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said)
        .spawn()?;
    let pid = child.id();
    let place = folder.to_owned();
    let watcher = watched.then(|| thread::spawn(move || peaks(pid, &place)));
    let status = child.wait()?;
    let took = begun.elapsed();
    let (orchestrator_kib, supervisor_kib) = match watcher {
        Some(watcher) => watcher.join().map_err(|_| "the watcher panicked")?,
        None => (0, 0),
    };
    if !status.success() {
        let said = fs::read_to_string(folder.join("said"))?;
        return Err(format!("{status}: {said}").into());
    }
    Ok(Run {
        took,
        orchestrator_kib,
        supervisor_kib,
    })
}

/// The highest peaks seen of the two processes, until the orchestrator is gone. The kernel keeps the peak, so looking
/// now and then misses little.
fn peaks(pid: u32, folder: &Path) -> (u64, u64) {
    let (mut own, mut other, mut supervisor) = (0, 0, None);
    while let Some(now) = peak(pid) {
        own = own.max(now);
        supervisor = supervisor.or_else(|| supervisor_of(pid, folder));
        if let Some(now) = supervisor.and_then(peak) {
            other = other.max(now);
        }
        thread::sleep(Duration::from_millis(20));
    }
    (own, other)
}

fn peak(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The supervisor leads a session of its own, so it is found by its arguments.
fn supervisor_of(orchestrator: u32, folder: &Path) -> Option<u32> {
    let folder = folder.to_string_lossy().into_owned();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        if pid != orchestrator && words.contains("__supervise") && words.contains(&*folder) {
            return Some(pid);
        }
    }
    None
}
