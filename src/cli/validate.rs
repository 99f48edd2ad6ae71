//! `validate`: everything that is wrong with a plan, in one go.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use crate::base::diagnostic::{
    Finding, Level, Sources, Style, any_error, codes, render, sort, to_json,
};
use crate::plan::load;
use crate::plan::program::{Program, lower};
use crate::review::{Surroundings, allow, review, review_program};
use crate::run::drive::PlanFolder;

/// What `validate` found.
#[derive(Debug)]
pub struct Validated {
    /// Findings in the order of their places.
    pub findings: Vec<Finding>,
    /// The texts that they point into.
    pub sources: Sources,
    /// The plan, when it could be read.
    pub loaded: Option<load::Loaded>,
    /// What a run would walk, when the plan could be lowered.
    pub program: Option<Program>,
}

impl Validated {
    /// Whether a run would be refused: an error, or with `strict` a warning.
    #[must_use]
    pub fn refused(&self, strict: bool) -> bool {
        any_error(&self.findings, strict)
    }
}

/// Reads and reviews the plan at a path.
#[must_use]
pub fn check(path: &Path, surroundings: Surroundings<'_>) -> Validated {
    let mut validated = match load::load(path) {
        Ok(loaded) => {
            let (mut findings, program) = judge(&loaded, surroundings, true);
            allow(&loaded, &mut findings, program.is_some());
            Validated {
                findings,
                sources: loaded.sources().clone(),
                loaded: Some(loaded),
                program,
            }
        }
        Err(refused) => {
            let mut findings = refused.findings;
            if let Some(rest) = refused.salvaged {
                let (found, _) = judge(rest.loaded(), surroundings, rest.is_whole());
                findings.extend(rest.keep(found));
                allow(rest.loaded(), &mut findings, false);
            }
            Validated {
                findings,
                sources: refused.sources,
                loaded: None,
                program: None,
            }
        }
    };
    sort(&mut validated.findings);
    validated
}

/// What the rules say of a plan, and what a run would walk. A plan that is not `whole` is not walked.
fn judge(
    loaded: &load::Loaded,
    surroundings: Surroundings<'_>,
    whole: bool,
) -> (Vec<Finding>, Option<Program>) {
    let mut findings = review(loaded, surroundings);
    let structural = findings.iter().any(is_structural);
    match lower(&loaded.plan, &PlanFolder(loaded.folder().to_owned())) {
        Ok(program) if whole && !structural => {
            findings.extend(review_program(loaded, &program, surroundings));
            (findings, Some(program))
        }
        Ok(_) => (findings, None),
        // What a run would refuse although no rule objects there: what `validate` accepts, `run` must be able to start.
        Err(errors) => {
            let known: HashSet<String> = findings
                .iter()
                .filter(|finding| finding.level == Level::Error)
                .flat_map(|finding| neighbours(&finding.primary.pointer))
                .map(str::to_owned)
                .collect();
            let unknown = errors
                .into_iter()
                .filter(|error| !neighbours(&error.pointer).any(|pointer| known.contains(pointer)));
            findings.extend(unknown.map(|error| {
                let at = loaded.arena.locate(&error.pointer);
                Finding::new(codes::CANNOT_ACT, at, error.message)
                    .help("write it in a form that the run understands, or leave it out")
            }));
            (findings, None)
        }
    }
}

/// A pointer and that of the mapping or list that holds it.
fn neighbours(pointer: &str) -> impl Iterator<Item = &str> {
    let above = pointer.rsplit_once('/').map(|(above, _)| above);
    std::iter::once(pointer).chain(above.filter(|above| !above.is_empty()))
}

/// Whether ids, references or order are wrong, so that there is no graph to speak of.
fn is_structural(finding: &Finding) -> bool {
    finding.level == Level::Error && finding.code.as_str().starts_with("OR02")
}

/// The verb: prints the findings and returns the exit code, 0 or 3.
///
/// With `json`, each finding and then the result is one line of JSON on `out`.
///
/// # Errors
///
/// Whatever writing to `out` fails with.
pub fn validate(
    path: &Path,
    surroundings: Surroundings<'_>,
    strict: bool,
    json: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<u8> {
    let validated = check(path, surroundings);
    let refused = validated.refused(strict);
    let exit_code = if refused { 3 } else { 0 };
    if json {
        for finding in &validated.findings {
            writeln!(out, "{}", to_json(finding))?;
        }
        let result = json!({
            "format_version": 1,
            "type": "result",
            "verb": "validate",
            "exit_code": exit_code,
            "run": null,
            "state": if refused { "invalid" } else { "valid" },
        });
        writeln!(out, "{result}")?;
        return Ok(exit_code);
    }
    print_findings(&validated.findings, &validated.sources, style, out)?;
    writeln!(
        out,
        "{}: {}, {}",
        path.display(),
        if refused { "not valid" } else { "valid" },
        tally(&validated.findings)
    )?;
    if let Some(line) = super::explain::more_about(&validated.findings) {
        writeln!(out, "{line}")?;
    }
    Ok(exit_code)
}

/// Prints findings as people read them, a blank line between each two.
///
/// # Errors
///
/// Whatever writing to `out` fails with.
pub fn print_findings(
    findings: &[Finding],
    sources: &Sources,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{}", render(finding, sources, style))?;
    }
    Ok(())
}

/// How many errors, warnings and notes there are, in words.
#[must_use]
pub fn tally(findings: &[Finding]) -> String {
    let count = |level: Level| findings.iter().filter(|f| f.level == level).count();
    let words = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    format!(
        "{}, {}, {}",
        words(count(Level::Error), "error"),
        words(count(Level::Warning), "warning"),
        words(count(Level::Note), "note")
    )
}

pub(super) fn verb(
    context: &super::context::Context,
    arguments: &super::arguments::ValidateArgs,
) -> Result<u8, super::Failure> {
    let mut style = context.style();
    // Findings go to standard output, which may be a file although standard error is a terminal.
    style.color &= io::stdout().is_terminal();
    let mut text = Vec::new();
    let config = context.config(folder_of(&arguments.plan))?;
    let exit_code = validate(
        &arguments.plan,
        Surroundings {
            now: Timestamp::now(),
            config: &config,
        },
        arguments.strict,
        context.json(),
        style,
        &mut text,
    )
    .map_err(super::Failure::io)?;
    context.print(&String::from_utf8_lossy(&text));
    Ok(exit_code)
}

/// The folder that a plan is in.
pub(super) fn folder_of(plan: &Path) -> &Path {
    match plan.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
