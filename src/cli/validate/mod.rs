//! `validate`: everything that is wrong with a plan, in one go.

mod plans;
mod print;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::base::diagnostic::{
    Finding, Level, Report, Skipped, Sources, Style, any_error, codes, render, sort,
};
use crate::base::stage::stage;
use crate::cli::arguments::{CoverageForm, Output};
use crate::plan::load;
use crate::plan::program::{Program, lower};
use crate::review::lint::{self, Linted, Programs, Tools};
use crate::review::{Surroundings, allow, migration_files, review, review_program};
use crate::run::drive::PlanFolder;
use crate::show::coverage;

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
    /// Scripts and commands that linters did not look at.
    pub skipped: Vec<Skipped>,
}

impl Validated {
    /// Whether a run would be refused: an error, or with `strict` a warning.
    #[must_use]
    pub fn refused(&self, strict: bool) -> bool {
        any_error(&self.findings, strict)
    }
}

/// Reads and reviews the plan at a path. No program is started.
#[must_use]
pub fn check(path: &Path, surroundings: Surroundings<'_>) -> Validated {
    check_with(path, surroundings, None)
}

/// Reads and reviews the plan at a path; `tools` look at its scripts and commands too.
#[must_use]
pub fn check_with(
    path: &Path,
    surroundings: Surroundings<'_>,
    tools: Option<&dyn Tools>,
) -> Validated {
    let mut validated = match load::load(path) {
        Ok(loaded) => {
            let (mut findings, program) = judge(&loaded, surroundings, true);
            let mut linted = stage("sql", || lint::sql(&loaded));
            if let Some(tools) = tools {
                linted.extend(lint::programs(&loaded, tools));
            }
            let Linted {
                findings: found,
                sources: scripts,
                skipped,
            } = linted;
            findings.extend(found);
            let mut sources = loaded.sources().clone();
            for script in scripts {
                sources.add(script);
            }
            let (found, migrations) = stage("migrations", || migration_files(&loaded));
            findings.extend(found);
            for text in migrations.all() {
                sources.add(std::sync::Arc::clone(text));
            }
            stage("allow", || {
                allow(&loaded, &mut findings, program.is_some());
            });
            Validated {
                findings,
                sources,
                loaded: Some(loaded),
                program,
                skipped,
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
                skipped: Vec::new(),
            }
        }
    };
    sort(&mut validated.findings);
    // What an alias shares stands once in the file, and in several places of the plan.
    validated.findings.dedup_by(|one, other| {
        let place = |found: &Finding| {
            let at = &found.primary;
            (at.line, at.column, at.end_line, at.end_column)
        };
        one.code == other.code
            && one.message == other.message
            && place(one) == place(other)
            && one.primary.file == other.primary.file
    });
    validated
}

/// What the rules say of a plan, and what a run would walk. A plan that is not `whole` is not walked.
fn judge(
    loaded: &load::Loaded,
    surroundings: Surroundings<'_>,
    whole: bool,
) -> (Vec<Finding>, Option<Program>) {
    let folder = PlanFolder(loaded.folder().to_owned());
    let reviews = || stage("review", || review(loaded, surroundings));
    let lowers = || stage("lower", || lower(&loaded.plan, &folder));
    let (mut findings, lowered) = if loaded.arena.is_large() {
        std::thread::scope(|scope| {
            let lowered = scope.spawn(lowers);
            let findings = reviews();
            let lowered = lowered
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (findings, lowered)
        })
    } else {
        (reviews(), lowers())
    };
    let structural = findings.iter().any(is_structural);
    match lowered {
        Ok(program) if whole && !structural => {
            let mut more = stage("walk", || review_program(loaded, &program, surroundings));
            // That the run stands still there is only what follows from an error that a rule has named.
            more.retain(|found| {
                found.code != codes::NEVER_COMPLETES
                    || !findings.iter().any(|named| {
                        named.level == Level::Error
                            && named.primary.pointer == found.primary.pointer
                    })
            });
            findings.extend(more);
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

/// Prints findings as people read them, a blank line between each two.
///
/// # Errors
///
/// Whatever writing to `out` fails with.
pub fn print_findings<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    sources: &Sources,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{}", render(finding, sources, style))?;
    }
    Ok(())
}

/// The coverage of each plan that was asked for; none where a plan has errors that keep it from being walked.
struct Covered {
    plans: Vec<Option<coverage::Report>>,
    /// Whether to list every check.
    each: bool,
}

/// The verb: reviews every plan that is named, and prints what it found.
pub(super) fn verb(
    context: &super::context::Context,
    arguments: &super::arguments::ValidateArgs,
) -> Result<u8, super::Failure> {
    let now = Timestamp::now();
    let mut reports = Vec::new();
    let mut covered = Vec::new();
    if arguments.coverage.is_some() && !matches!(context.output(), Output::Text | Output::Json) {
        return Err(
            super::Failure::usage("coverage is shown as text or JSON only")
                .next("use --output json"),
        );
    }
    let programs = Programs::new(std::env::var_os("PATH"), std::env::var_os("HOME"));
    let tools = (!arguments.no_lint).then_some(&programs as &dyn Tools);
    let plans = plans::named(&arguments.plans)?;
    let only = plans.len() == 1;
    for plan in plans {
        let config = context.config(folder_of(&plan))?;
        let surroundings = Surroundings {
            now,
            config: &config,
        };
        let Validated {
            findings,
            sources,
            loaded,
            program,
            skipped,
        } = check_with(&plan, surroundings, tools);
        let name = plan.display().to_string();
        if arguments.coverage.is_some() {
            let program = program.as_ref();
            covered.push(program.map(|program| coverage::Report::of(&name, program, now)));
        }
        if only {
            // The process ends soon: taking a large plan apart piece by piece would be a tenth of its time.
            std::mem::forget((loaded, program));
        }
        let report = Report::new(
            name,
            findings,
            sources,
            arguments.strict,
            arguments.level.into(),
        );
        reports.push(report.skipping(skipped));
    }
    let covered = arguments.coverage.map(|form| Covered {
        plans: covered,
        each: form == CoverageForm::Checks,
    });
    print::print(context, &reports, covered.as_ref())
}

/// The folder that a plan is in.
pub(super) fn folder_of(plan: &Path) -> &Path {
    match plan.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
