//! The command line: the only place that reads environment, terminal and user configuration.
//!
//! One file per group of verbs. A verb returns its exit code (SPEC section 10) or a [`Failure`], which says what
//! happened, what it means for the migration, and what to do next.

mod answer;
mod arguments;
mod context;
mod failure;
mod help;
mod people;
mod pick;
mod prepare;
mod records;
mod resume;
mod run;
pub mod schema;
mod status;
pub mod validate;
mod variables;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

pub use arguments::Arguments;
use arguments::Verb;
use context::Context;
pub use failure::Failure;

/// Parses the command line, does what it says, and prints what went wrong if something did.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not errors.
            let code = if error.use_stderr() { 2 } else { 0 };
            // A closed pipe is nothing to complain about.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let context = Context::new(&arguments);
    let verb = arguments.verb.name();
    let result = match arguments.verb {
        Verb::Validate(a) => validate::verb(&context, &a),
        Verb::Run(a) => run::verb(&context, &a),
        Verb::Resume(a) => resume::resume(&context, &a),
        Verb::Rollback(a) => resume::rollback(&context, &a),
        Verb::Approve(a) => answer::approve(&context, &a),
        Verb::Attest(a) => answer::attest(&context, &a),
        Verb::Resolve(a) => answer::resolve(&context, &a),
        Verb::Status(a) => status::status(&context, &a),
        Verb::History(a) => records::history(&context, &a),
        Verb::Logs(a) => records::logs(&context, &a),
        Verb::Audit(a) => records::audit(&context, &a),
        Verb::Schema => schema::verb(&context),
        Verb::Completions(a) => help::completions(&context, &a),
        Verb::Man(a) => help::man(&context, &a),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            context.failed(verb, &failure);
            ExitCode::from(failure.exit_code)
        }
    }
}
