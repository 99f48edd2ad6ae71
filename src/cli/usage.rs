//! What programs are told when the command line itself is not understood: the same lines as of any other failure.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use serde_json::json;

use super::arguments::Arguments;

/// Whether JSON was asked for, as far as a command line that is wrong can tell.
pub(super) fn wants_json() -> bool {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    asks_for_json(&typed, std::env::var_os("ORCHESTRATE_OUTPUT").as_deref())
}

fn asks_for_json(typed: &[OsString], environment: Option<&OsStr>) -> bool {
    let mut asked = None;
    let mut words = typed
        .iter()
        .map(OsString::as_os_str)
        .take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--output" {
            asked = words.next();
        } else if let Some(form) = word
            .to_str()
            .and_then(|word| word.strip_prefix("--output="))
        {
            asked = Some(OsStr::new(form));
        }
    }
    asked.or(environment).is_some_and(|form| form == "json")
}

/// The verb that was typed; none if there is no such verb.
fn verb(typed: &[OsString]) -> Option<String> {
    let command = Arguments::command();
    let known: Vec<&str> = command
        .get_subcommands()
        .map(|verb| verb.get_name())
        .collect();
    let mut words = typed.iter().filter_map(|word| word.to_str());
    let verb = words.find(|word| known.contains(word))?;
    let group = command.find_subcommand(verb)?;
    let inner = words.find(|word| group.find_subcommand(word).is_some());
    Some(inner.map_or_else(|| verb.to_owned(), |inner| format!("{verb} {inner}")))
}

/// Prints the error and the result, as every verb does that fails.
pub(super) fn print(error: &clap::Error) {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    let verb = verb(&typed);
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let words: Vec<&str> = match error.kind() {
        // What clap says instead is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => vec!["no verb was given"],
        _ => message.split_whitespace().collect(),
    };
    let next = match &verb {
        Some(verb) => format!("orchestrate {verb} --help"),
        None => "orchestrate --help".to_owned(),
    };
    let error = json!({
        "format_version": 1,
        "type": "error",
        "verb": verb,
        "message": words.join(" "),
        "means": "nothing was started or changed",
        "next": next,
    });
    let result = json!({
        "format_version": 1,
        "type": "result",
        "verb": verb,
        "exit_code": 2,
        "run": null,
        "state": null,
    });
    // A closed pipe is nothing to complain about.
    let _ = writeln!(std::io::stdout().lock(), "{error}\n{result}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_found_in_a_wrong_command_line() {
        for (typed, environment, expected) in [
            ("init --foo --output json", None, true),
            ("--output=json explian", None, true),
            ("init --foo", None, false),
            ("init --foo", Some("json"), true),
            ("init --foo --output text", Some("json"), false),
            ("init --foo --output", None, false),
            ("init --foo -- --output json", None, false),
        ] {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            let environment = environment.map(OsStr::new);
            assert_eq!(asks_for_json(&words, environment), expected, "{typed}");
        }
        assert_eq!(
            verb(&["--x".into(), "init".into()]).as_deref(),
            Some("init")
        );
        assert_eq!(verb(&["explian".into()]), None);
        for (words, expected) in [
            (&["manifest", "migrate", "--foo"][..], "manifest migrate"),
            (&["manifest", "--foo"], "manifest"),
            (&["validate", "manifest"], "validate"),
        ] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(verb(&words).as_deref(), Some(expected));
        }
    }
}
