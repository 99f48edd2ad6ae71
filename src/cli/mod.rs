//! The command line: the only place that reads environment, terminal and user configuration.
//!
//! One file per group of verbs. A verb returns its exit code (SPEC section 10) or a [`Failure`], which says what
//! happened, what it means for the migration, and what to do next.

mod answer;
mod arguments;
mod context;
mod explain;
mod failure;
mod fmt;
mod help;
mod init;
mod manifest;
mod people;
mod pick;
mod prepare;
mod preview;
mod records;
mod resume;
mod run;
pub mod schema;
mod status;
mod usage;
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
            if code != 0 && usage::wants_json() {
                usage::print(&error);
            }
            return ExitCode::from(code);
        }
    };
    let context = Context::new(&arguments);
    let verb = arguments.verb.name();
    if let Err(failure) = knows_output(&arguments) {
        context.failed(verb, &failure);
        return ExitCode::from(failure.exit_code);
    }
    let result = match arguments.verb {
        Verb::Validate(a) => validate::verb(&context, &a),
        Verb::Preview(a) => preview::verb(&context, &a),
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
        Verb::Manifest(a) => manifest::verb(&context, &a),
        Verb::Init(a) => init::verb(&context, &a),
        Verb::Fmt(a) => fmt::verb(&context, &a),
        Verb::Explain(a) => explain::verb(&context, &a),
        Verb::Schema(a) => schema::verb(&context, &a),
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

/// A form that the verb does not have is an error, not silently something else.
fn knows_output(arguments: &Arguments) -> Result<(), Failure> {
    let (asked, known) = (arguments.common.output, arguments.verb.outputs());
    if known.contains(&asked) {
        return Ok(());
    }
    let names: Vec<_> = known.iter().map(|output| output.as_str()).collect();
    Err(Failure::usage(format!(
        "`{}` cannot answer as {}",
        arguments.verb.name(),
        asked.as_str()
    ))
    .next(format!("use --output {}", names.join(" or "))))
}
