//! Plans that nobody wrote: the loader and all rules must answer each with findings, at once, without a panic and
//! without keeping memory.
//!
//! `tests/fuzz --seconds 3600` mutates the plans of the corpus: bytes, lines, indentation, words of the schema, pieces of
//! other plans. Each input has a number, and the seed and the number make it again. Within `cargo test` it runs for a
//! second. An input that panics, takes too long or yields a finding outside of the file is kept, and its path is printed.
//!
//! `fuzz/` asks the same of inputs that libFuzzer finds; its dictionary is made here: `tests/fuzz --dictionary`.

mod fuzz_input;

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use orchestrate::plan::schema::schema;
use serde_json::Value;

use fuzz_input::ask;

/// An input that takes longer hangs.
const TOO_LONG: Duration = Duration::from_secs(10);

/// How often it is looked whether one hangs.
const LOOK: Duration = Duration::from_millis(500);

/// Inputs are cut to this size.
const MOST_BYTES: usize = 48 * 1024;

/// How much the process may grow after its first quarter, in KiB.
const MOST_GROWTH_KIB: u64 = 128 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|a| a == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if arguments.iter().any(|a| a == "--list") {
        return ExitCode::SUCCESS;
    }
    let dictionary = dictionary();
    if arguments.iter().any(|a| a == "--dictionary") {
        print!("{dictionary}");
        return ExitCode::SUCCESS;
    }
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/loader.dict");
    if fs::read_to_string(committed).is_ok_and(|committed| committed != dictionary) {
        println!("the schema has changed: tests/fuzz --dictionary > fuzz/loader.dict");
        return ExitCode::FAILURE;
    }
    let seconds = number("--seconds").unwrap_or(1);
    let seed = number("--seed").unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}, {seconds} s");
    let corpus = Corpus::read();
    let folder = tempfile::tempdir().expect("a folder for the inputs");
    let path = folder.path().join("plan.yaml");
    let watched = Arc::new(Watched::default());
    watched.clone().watch(seed);
    std::panic::set_hook(Box::new(|_| {}));
    let begun = Instant::now();
    let (mut inputs, mut findings, mut warm) = (0_u64, 0_usize, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        inputs += 1;
        let input = corpus.input(&mut Dice::new(seed, inputs));
        watched.begins(inputs, &input);
        let outcome = catch_unwind(AssertUnwindSafe(|| ask(&path, &input)));
        watched.ends();
        match outcome {
            Ok(Ok(found)) => findings += found,
            Ok(Err(why)) => return kept(&input, seed, inputs, &why),
            Err(panic) => {
                let why = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
                    .unwrap_or_default();
                return kept(&input, seed, inputs, &format!("panic: {why}"));
            }
        }
        if warm == 0 && begun.elapsed() * 4 > Duration::from_secs(seconds) {
            warm = resident_kib();
        }
    }
    let grown = resident_kib().saturating_sub(warm);
    println!("{inputs} inputs, {findings} findings, grown by {grown} KiB");
    if grown > MOST_GROWTH_KIB {
        println!("the process keeps memory");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn kept(input: &[u8], seed: u64, number: u64, why: &str) -> ExitCode {
    let path = std::env::temp_dir().join(format!("fuzz-{seed}-{number}.yaml"));
    let written = fs::write(&path, input);
    println!(
        "seed {seed}, input {number}: {why}\nkept as {} ({written:?})",
        path.display()
    );
    ExitCode::FAILURE
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or_default()
}

/// The input that is being answered, and its number.
#[derive(Default)]
struct Watched {
    asked: Mutex<Option<(u64, Vec<u8>)>>,
}

impl Watched {
    fn begins(&self, number: u64, input: &[u8]) {
        *self.asked.lock().expect("nobody panics with it") = Some((number, input.to_vec()));
    }

    fn ends(&self) {
        *self.asked.lock().expect("nobody panics with it") = None;
    }

    /// Looks twice a second. Looks are counted, not time: a machine that was suspended, or a stopped process, is no
    /// hang.
    fn watch(self: Arc<Self>, seed: u64) {
        thread::spawn(move || {
            let (mut same, mut looks) = (0, 0);
            loop {
                thread::sleep(LOOK);
                let asked = self.asked.lock().expect("nobody panics with it").clone();
                let Some((number, input)) = asked else {
                    continue;
                };
                looks = if number == same { looks + 1 } else { 0 };
                same = number;
                if LOOK * looks > TOO_LONG {
                    kept(&input, seed, number, "it hangs");
                    std::process::exit(1);
                }
            }
        });
    }
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, number: u64) -> Self {
        Self((seed ^ number.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
    }
}

struct Corpus {
    plans: Vec<Vec<u8>>,
    words: Vec<String>,
}

impl Corpus {
    fn read() -> Self {
        let mut files = Vec::new();
        for folder in ["tests/plans", "plans", "examples"] {
            collect(
                &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
                &mut files,
            );
        }
        files.sort();
        let plans = files
            .iter()
            .filter_map(|path| fs::read(path).ok())
            .collect();
        let words = words();
        Self { plans, words }
    }

    /// One input: a plan, changed in a few places.
    fn input(&self, dice: &mut Dice) -> Vec<u8> {
        let mut input = self.plan(dice).to_vec();
        for _ in 0..=dice.roll(6) {
            self.change(&mut input, dice);
            input.truncate(MOST_BYTES);
        }
        input
    }

    fn plan(&self, dice: &mut Dice) -> &[u8] {
        &self.plans[dice.roll(self.plans.len())]
    }

    fn change(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        match dice.roll(12) {
            0 => {
                let at = dice.roll(input.len().max(1));
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << dice.roll(8);
                }
            }
            1 => {
                let from = dice.roll(input.len() + 1);
                let to = (from + dice.roll(40)).min(input.len());
                input.drain(from..to);
            }
            2 => {
                let at = dice.roll(input.len() + 1);
                let word = &self.words[dice.roll(self.words.len())];
                input.splice(at..at, word.bytes());
            }
            3 => {
                let other = self.plan(dice);
                let from = dice.roll(other.len() + 1);
                let to = (from + dice.roll(600)).min(other.len());
                let at = dice.roll(input.len() + 1);
                input.splice(at..at, other[from..to].iter().copied());
            }
            4 => input.truncate(dice.roll(input.len() + 1)),
            5 | 6 => self.word(input, dice),
            _ => lines(input, dice),
        }
    }

    /// Puts a word of the format in the place of another.
    fn word(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let at = dice.roll(input.len() + 1);
        let Some(begin) = input[at..].iter().position(is_word).map(|i| at + i) else {
            return;
        };
        let end = input[begin..]
            .iter()
            .position(|byte| !is_word(byte))
            .map_or(input.len(), |i| begin + i);
        let word = &self.words[dice.roll(self.words.len())];
        input.splice(begin..end, word.bytes());
    }
}

/// Changes lines: deletes, doubles, moves and indents them.
fn lines(input: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = input
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let from = dice.roll(lines.len());
    let to = (from + 1 + dice.roll(6)).min(lines.len());
    match dice.roll(6) {
        0 => {
            lines.drain(from..to);
        }
        1 => {
            let copy = lines[from..to].to_vec();
            for _ in 0..=dice.roll(4) {
                lines.splice(to..to, copy.iter().cloned());
            }
        }
        2 => {
            let moved: Vec<_> = lines.drain(from..to).collect();
            let at = dice.roll(lines.len() + 1);
            lines.splice(at..at, moved);
        }
        3 => {
            let by = 1 + dice.roll(4);
            for line in &mut lines[from..to] {
                line.splice(0..0, std::iter::repeat_n(b' ', by));
            }
        }
        4 => {
            let by = 1 + dice.roll(4);
            for line in &mut lines[from..to] {
                let spaces = line.iter().take_while(|byte| **byte == b' ').count();
                line.drain(..spaces.min(by));
            }
        }
        _ => {
            // Only the key of a line is left.
            if let Some(colon) = lines[from].iter().position(|byte| *byte == b':') {
                lines[from].truncate(colon + 1);
                lines[from].push(b'\n');
            }
        }
    }
    *input = lines.concat();
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            into.push(path);
        }
    }
}

/// What is put between and in the place of other things: signs and words of YAML and of the format.
fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "<<",
        "*a",
        "&a ",
        "- ",
        "? ",
        ": ",
        "[",
        "]",
        "{",
        "}",
        "|",
        ">-",
        "null",
        "~",
        "true",
        "yes",
        "-1",
        "99999999999999999999",
        "1e400",
        ".inf",
        "0x",
        "\t",
        "\u{a0}",
        "\u{feff}",
        "\0",
        "\u{1f680}",
        "\r\n",
        "\"",
        "'",
        "#",
        "!!str ",
        "!x ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<<<<<< a\n",
        "=======\n",
        ">>>>>>> b\n",
        "5m",
        "3 days",
        "2026-02-30",
        "error_rate > 5%",
        "Phase 1 passed",
        "# orchestrate: allow OR0501 because x",
    ]
    .map(str::to_owned)
    .to_vec();
    vocabulary(schema(), &mut words);
    words.sort();
    words.dedup();
    words
}

/// The words as a dictionary of libFuzzer.
fn dictionary() -> String {
    let mut text = "# Made by `tests/fuzz --dictionary`.\n".to_owned();
    for word in words() {
        text.push('"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => {
                    text.push('\\');
                    text.push(char::from(byte));
                }
                b' '..=b'~' => text.push(char::from(byte)),
                // Writing to a string cannot fail.
                _ => drop(write!(text, "\\x{byte:02X}")),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// Every key and every choice of the format.
fn vocabulary(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                if let ("properties", Value::Object(properties)) = (key.as_str(), inner) {
                    into.extend(properties.keys().map(|key| format!("{key}: ")));
                }
                if let ("enum", Value::Array(choices)) = (key.as_str(), inner) {
                    into.extend(choices.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                vocabulary(inner, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| vocabulary(item, into)),
        _ => {}
    }
}
