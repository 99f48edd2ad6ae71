//! `fmt`: one layout for all plans.
//!
//! A file is replaced in one motion or left alone; a symbolic link stays, and what it points to is replaced. `--check`
//! exits with 8 (a claim was disproven) when a file is not formatted; a file that is not YAML is reported and exits
//! with 3. Of several outcomes the worst counts: 1, then 3, then 8.

use std::io::{IsTerminal as _, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use similar::TextDiff;

use super::arguments::FmtArgs;
use super::context::Context;
use super::failure::Failure;
use super::validate::print_findings;
use crate::base::diagnostic::to_json;
use crate::base::durable;
use crate::plan::format::{FormatError, format, leaves_alone};
use crate::plan::source::MAX_BYTES;

/// What became of one file.
enum Outcome {
    /// It was formatted already.
    Same,
    /// It was replaced, or would have been.
    Changed,
    /// It is not YAML.
    Invalid,
}

pub(super) fn verb(context: &Context, arguments: &FmtArgs) -> Result<u8, Failure> {
    let (mut changed, mut invalid) = (0, 0);
    let mut failed = false;
    for file in &arguments.files {
        match one(context, arguments, file) {
            Ok(Outcome::Same) => {}
            Ok(Outcome::Changed) => changed += 1,
            Ok(Outcome::Invalid) => invalid += 1,
            // The others are formatted all the same.
            Err(failure) if arguments.files.len() > 1 => {
                context.error("fmt", &failure);
                failed = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    let exit_code = match (invalid, changed) {
        _ if failed => 1,
        (1.., _) => 3,
        (0, 1..) if arguments.check => 8,
        _ => 0,
    };
    context.result("fmt", exit_code, None, None);
    Ok(exit_code)
}

fn one(context: &Context, arguments: &FmtArgs, file: &Path) -> Result<Outcome, Failure> {
    let stdin = file == Path::new("-");
    let name = match stdin {
        true => "<stdin>".to_owned(),
        false => file.display().to_string(),
    };
    let text = read(file, stdin).map_err(|error| {
        Failure::io(format!("read {name}: {error}")).means("it was left as it is")
    })?;
    let formatted = match format(&name, &text) {
        Ok(formatted) => formatted,
        Err(FormatError::Invalid { findings, sources }) => {
            if context.json() {
                for finding in &findings {
                    context.print_json(&to_json(finding));
                }
            } else {
                let mut drawn = Vec::new();
                print_findings(&findings, &sources, context.style(), &mut drawn)
                    .map_err(Failure::io)?;
                context.say(String::from_utf8_lossy(&drawn).trim_end());
                context.say(&format!("{name}: left as it is"));
            }
            return Ok(Outcome::Invalid);
        }
        Err(error @ FormatError::Defect(_)) => {
            return Err(Failure::io(format!("{name}: failed to {error}"))
                .means(
                    "the file was left as it is; this is a defect of orchestrate, not of the file",
                )
                .next("please report it with the file"));
        }
    };
    let changed = formatted != text;
    let dry = arguments.check || arguments.diff;
    if !changed && leaves_alone(&text) {
        context.say(&format!(
            "left as it is: {name} (it has a form that is not laid out: a key written `? key`, or an anchor or a tag on a \
             line of its own)"
        ));
    }
    if arguments.diff && changed {
        show_diff(context, &name, &text, &formatted);
    }
    if stdin && !dry && !context.json() {
        context.print(&formatted);
    }
    if changed && !dry && !stdin {
        write(file, &formatted)?;
    }
    if context.json() {
        let text = (stdin && !dry).then_some(&formatted);
        context.print_json(&json!({
            "format_version": 1,
            "type": "format",
            "file": name,
            "changed": changed,
            "written": changed && !dry && !stdin,
            "text": text,
        }));
    } else if changed && (dry || !stdin) {
        let what = if dry {
            "would be formatted"
        } else {
            "formatted"
        };
        context.say(&format!("{what}: {name}"));
    }
    Ok(if changed {
        Outcome::Changed
    } else {
        Outcome::Same
    })
}

fn read(file: &Path, stdin: bool) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if stdin {
        std::io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
    } else {
        // Asked before opening: opening a pipe that nobody writes to would wait forever.
        if !std::fs::metadata(file)?.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        std::fs::File::open(file)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("it is larger than 64 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))
}

/// Replaces what the path leads to, with its mode.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::io(format!("write {}: {error}", file.display())).means("it was left as it is")
    };
    let target = file.canonicalize().map_err(|e| failed(&e))?;
    let mode = std::fs::metadata(&target)
        .map_err(|e| failed(&e))?
        .permissions()
        .mode();
    durable::replace(&target, text.as_bytes(), mode & 0o7777).map_err(|e| failed(&e))
}

fn show_diff(context: &Context, name: &str, before: &str, after: &str) {
    if context.json() {
        return;
    }
    let diff = TextDiff::from_lines(before, after);
    let drawn = diff
        .unified_diff()
        .context_radius(3)
        .header(name, &format!("{name} (formatted)"))
        .to_string();
    if !(context.colour && std::io::stdout().is_terminal()) {
        context.print(&drawn);
        return;
    }
    let mut coloured = String::new();
    for line in drawn.lines() {
        let colour = match line.as_bytes().first() {
            Some(b'+') => "\u{1b}[32m",
            Some(b'-') => "\u{1b}[31m",
            Some(b'@') => "\u{1b}[36m",
            _ => "",
        };
        coloured.push_str(&format!("{colour}{line}\u{1b}[0m\n"));
    }
    context.print(&coloured);
}
