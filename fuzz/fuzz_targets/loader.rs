//! Bytes as a plan, through the loader and all rules: no panic, no hang, no finding that cannot be shown.
//!
//! `fuzz/run` starts it with the plans of the corpus and with the words of the format.

#![no_main]

#[path = "../../tests/fuzz_input.rs"]
mod fuzz_input;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for the inputs"));
static PLAN: LazyLock<PathBuf> = LazyLock::new(|| FOLDER.path().join("plan.yaml"));

fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = fuzz_input::ask(&PLAN, bytes) {
        panic!("{why}");
    }
});
