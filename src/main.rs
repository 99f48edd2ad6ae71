//! The binary: everything it does is in the library.

use std::path::Path;
use std::process::ExitCode;

use orchestrate::run::supervise::{SUPERVISE_VERB, serve};

/// A large plan is a million small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: a supervisor reads neither settings nor the terminal.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|verb| verb == SUPERVISE_VERB) {
        return match arguments.next() {
            Some(run_dir) => serve(Path::new(&run_dir)),
            None => ExitCode::from(2),
        };
    }
    orchestrate::cli::main()
}
