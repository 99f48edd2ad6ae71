//! SQL, read by a parser of PostgreSQL's dialect: what cannot be parsed, and what a reviewer of a
//! migration objects to.

mod parsed;
mod rules;
mod split;

use super::Linted;
use super::collect::{Content, Language, Text, collect};
use super::report::source;
use crate::base::diagnostic::{Finding, Level, Skipped, codes};
use crate::plan::load::Loaded;
use parsed::{Parsed, Unclear, parse};

/// Parsing takes deep calls; a thread of its own has this much room for them.
const STACK: usize = 64 * 1024 * 1024;

/// Reviews everything that would be sent to a database.
#[must_use]
pub fn sql(loaded: &Loaded) -> Linted {
    let texts = collect(loaded, &[Language::Sql]).texts;
    let mut linted = Linted::default();
    if texts.is_empty() {
        return linted;
    }
    let outcome = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || review(loaded, &texts))
            .map(std::thread::ScopedJoinHandle::join)
    });
    let why = match outcome {
        Ok(Ok(found)) => return found,
        Ok(Err(_)) => "stopped unexpectedly".to_owned(),
        Err(error) => format!("could not be started ({error})"),
    };
    linted.skipped.push(Skipped {
        tool: "the SQL parser",
        texts: texts.len(),
        why,
    });
    linted
}

fn review(loaded: &Loaded, texts: &[Text]) -> Linted {
    let mut linted = Linted::default();
    let scripts: Vec<(&Text, Parsed)> = texts
        .iter()
        .map(|text| (text, parse(text.source().text())))
        .collect();
    let mut findings = Vec::new();
    for (text, parsed) in &scripts {
        for unclear in &parsed.unclear {
            findings.push((*text, not_parsed(loaded, text, unclear)));
        }
    }
    findings.extend(rules::check(loaded, &scripts));
    for (text, finding) in findings {
        source(&mut linted, text);
        linted.findings.push(with_label(loaded, text, finding));
    }
    linted
}

fn not_parsed(loaded: &Loaded, text: &Text, unclear: &Unclear) -> Finding {
    let place = text.place(loaded, unclear.range.clone());
    let help = if unclear.certain {
        "the database would refuse it: mend it before the window"
    } else {
        "a parser of PostgreSQL's dialect stops here: if it is meant, try it on a copy; the other statements are reviewed all the same"
    };
    Finding::new(codes::SQL_SYNTAX, place, unclear.message.clone()).help(help)
}

/// An error in a file is shown with what runs the file.
fn with_label(loaded: &Loaded, text: &Text, finding: Finding) -> Finding {
    match &text.content {
        Content::File { .. } if finding.level == Level::Error => {
            finding.label(loaded.arena.locate(&text.pointer), "it runs here")
        }
        Content::File { .. } | Content::Embedded { .. } => finding,
    }
}
