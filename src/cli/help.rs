//! Completions and manual pages, both made from what can be typed.

use std::path::Path;

use clap::CommandFactory as _;
use serde_json::json;

use super::arguments::{Arguments, CompletionsArgs, ManArgs};
use super::context::Context;
use super::failure::Failure;

const NAME: &str = "orchestrate";

/// Prints the completion script of a shell.
pub(super) fn completions(context: &Context, arguments: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        NAME,
        &mut script,
    );
    let script = String::from_utf8_lossy(&script).into_owned();
    print_whole(
        context,
        "completions",
        &script,
        &json!({
            "format_version": 1,
            "type": "completions",
            "shell": arguments.shell.to_string(),
            "script": script,
        }),
    );
    Ok(0)
}

/// Prints the main page, or writes one page per verb into a folder.
pub(super) fn man(context: &Context, arguments: &ManArgs) -> Result<u8, Failure> {
    if let Some(folder) = &arguments.dir {
        write_all(folder).map_err(|e| {
            Failure::io(format!("write manual pages into {}: {e}", folder.display()))
        })?;
        context.say(&format!("manual pages are in {}", folder.display()));
        context.result("man", 0, None, None);
        return Ok(0);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|e| Failure::io(format!("make the manual page: {e}")))?;
    let page = String::from_utf8_lossy(&page).into_owned();
    print_whole(
        context,
        "man",
        &page,
        &json!({ "format_version": 1, "type": "man", "page": page }),
    );
    Ok(0)
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

fn print_whole(context: &Context, verb: &str, text: &str, value: &serde_json::Value) {
    if context.json() {
        context.print_json(value);
        context.result(verb, 0, None, None);
    } else {
        context.print(text);
    }
}
