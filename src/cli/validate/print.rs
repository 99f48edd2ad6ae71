//! Reports in each form that `validate` has.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::{Failure, explain};
use super::{Covered, print_findings};
use crate::base::diagnostic::{
    Code, Finding, Report, Root, Tally, straight, to_github, to_json, to_junit, to_sarif,
};
use crate::cli::arguments::Output;
use crate::show::text::Look;

/// Prints what was found, and returns the exit code: 3 if a plan is refused, else 0.
pub(super) fn print(
    context: &Context,
    reports: &[Report],
    covered: Option<&Covered>,
) -> Result<u8, Failure> {
    let exit_code = if reports.iter().any(Report::refused) {
        3
    } else {
        0
    };
    let mut out = Vec::new();
    match context.output() {
        Output::Json => lines(reports, covered, exit_code, &mut out),
        Output::Sarif => writeln!(out, "{}", to_sarif(reports, &root(reports)?, exit_code)),
        Output::Junit => out.write_all(to_junit(reports, &root(reports)?).as_bytes()),
        Output::Github => {
            let root = root(reports)?;
            let findings = reports.iter().flat_map(|report| &report.findings);
            // What several plans find in a file that they share is said once.
            let mut said = HashSet::new();
            findings
                .filter_map(|finding| to_github(finding, &root))
                .filter(|command| said.insert(command.clone()))
                .try_for_each(|command| out.write_all(command.as_bytes()))
        }
        _ => text(context, reports, covered, &mut out),
    }
    .map_err(Failure::io)?;
    context.print(&String::from_utf8_lossy(&out));
    // Where standard output is for machines, people read the sums on standard error.
    if matches!(
        context.output(),
        Output::Sarif | Output::Junit | Output::Github
    ) {
        for report in reports {
            context.say(&verdict(report));
            report
                .skipped
                .iter()
                .for_each(|skipped| context.say(&skipped.to_string()));
        }
        if let Some(sum) = sum(reports) {
            context.say(&sum);
        }
    }
    Ok(exit_code)
}

fn text(
    context: &Context,
    reports: &[Report],
    covered: Option<&Covered>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut style = context.style();
    // Findings go to standard output, which may be a file although standard error is a terminal.
    style.color &= io::stdout().is_terminal();
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (shown, more) = first_of_each(report.standing(), MOST_OF_A_CODE);
        print_findings(shown, &report.sources, style, out)?;
        for (code, more) in more {
            writeln!(
                out,
                "{}: {more} more are not shown here; `--output json` lists them",
                code.as_str()
            )?;
        }
        writeln!(out, "{}", verdict(report))?;
        for skipped in &report.skipped {
            writeln!(out, "{skipped}")?;
        }
        let Some(covered) = covered else { continue };
        match covered.plans.get(index).and_then(Option::as_ref) {
            Some(coverage) => {
                let look = Look {
                    width: style.width,
                    colour: style.color,
                };
                write!(out, "\n{}", coverage.text(look, covered.each))?;
            }
            None => writeln!(
                out,
                "\ncoverage of {}: not known before its errors are mended",
                report.plan
            )?,
        }
    }
    if let Some(sum) = sum(reports) {
        writeln!(out, "\n{sum}")?;
    }
    if let Some(line) = explain::more_about(reports.iter().flat_map(Report::standing)) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// As many findings of one code are shown to people: a plan that a program wrote may have the same slip in each of a
/// hundred thousand places.
const MOST_OF_A_CODE: usize = 200;

/// The first findings of each code, and how many more there are of those that have more.
fn first_of_each<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    most: usize,
) -> (Vec<&'a Finding>, Vec<(Code, usize)>) {
    let mut met: BTreeMap<Code, usize> = BTreeMap::new();
    let first = findings
        .filter(|finding| {
            let met = met.entry(finding.code).or_default();
            *met += 1;
            *met <= most
        })
        .collect();
    let more = met
        .into_iter()
        .filter_map(|(code, met)| Some((code, met.checked_sub(most)?)))
        .filter(|(_, more)| *more > 0);
    (first, more.collect())
}

fn verdict(report: &Report) -> String {
    let word = if report.refused() {
        "not valid"
    } else {
        "valid"
    };
    format!("{}: {word}, {}", report.plan, report.tally.words())
}

/// The line over several plans.
fn sum(reports: &[Report]) -> Option<String> {
    let refused = reports.iter().filter(|report| report.refused()).count();
    let word = match refused {
        0 => "all valid".to_owned(),
        _ => format!("{refused} not valid"),
    };
    let words = total(reports).words();
    (reports.len() > 1).then(|| format!("{} plans: {word}, {words}", reports.len()))
}

fn total(reports: &[Report]) -> Tally {
    reports
        .iter()
        .fold(Tally::default(), |sum, report| sum.and(report.tally))
}

/// One object a line: findings, then the plan they are of; at last the result.
fn lines(
    reports: &[Report],
    covered: Option<&Covered>,
    exit_code: u8,
    out: &mut dyn Write,
) -> io::Result<()> {
    let state = |refused: bool| if refused { "invalid" } else { "valid" };
    for report in reports {
        for finding in &report.findings {
            writeln!(out, "{}", to_json(finding))?;
        }
        let plan = Plan {
            format_version: 1,
            kind: "plan",
            plan: &report.plan,
            state: state(report.refused()),
            tally: report.tally,
            not_linted: report
                .skipped
                .iter()
                .map(|skipped| {
                    json!({
                        "tool": skipped.tool,
                        "texts": skipped.texts,
                        "why": skipped.why,
                    })
                })
                .collect(),
        };
        line(&plan, out)?;
    }
    for coverage in covered
        .into_iter()
        .flat_map(|all| all.plans.iter().flatten())
    {
        line(coverage, out)?;
    }
    let result = Ended {
        format_version: 1,
        kind: "result",
        verb: "validate",
        exit_code,
        run: None,
        state: state(exit_code != 0),
        plans: reports.len(),
        sum: total(reports),
    };
    line(&result, out)
}

/// One line of JSON.
fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

/// The line about a plan, behind those about its findings.
#[derive(Serialize)]
struct Plan<'r> {
    format_version: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    plan: &'r str,
    state: &'static str,
    #[serde(flatten)]
    tally: Tally,
    not_linted: Vec<Value>,
}

/// The last line.
#[derive(Serialize)]
struct Ended {
    format_version: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    verb: &'static str,
    exit_code: u8,
    run: Option<&'static str>,
    state: &'static str,
    plans: usize,
    #[serde(flatten)]
    sum: Tally,
}

/// The root of the first repository that a plan is in, else the current folder.
fn root(reports: &[Report]) -> Result<Root, Failure> {
    let here = std::env::current_dir()
        .map_err(|e| Failure::io(format!("the current folder is not readable: {e}")))?;
    let repository = |report: &Report| -> Option<PathBuf> {
        let plan = straight(&here.join(&report.plan));
        let above = plan.ancestors().skip(1);
        above
            .map(Path::to_owned)
            .find(|folder| folder.join(".git").exists())
    };
    let root = reports.iter().find_map(repository);
    Ok(Root::new(root.as_deref().unwrap_or(&here), &here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diagnostic::{Location, codes};

    #[test]
    fn what_is_not_shown_is_counted() {
        let found = [
            codes::UNKNOWN_KEY,
            codes::UNKNOWN_KEY,
            codes::WRONG_TYPE,
            codes::UNKNOWN_KEY,
            codes::UNKNOWN_KEY,
            codes::WRONG_TYPE,
        ]
        .map(|code| Finding::new(code, Location::file("plan.yaml"), "found"));
        let (shown, more) = first_of_each(found.iter(), 2);
        assert_eq!(shown.len(), 4);
        assert_eq!(more, [(codes::UNKNOWN_KEY, 2)]);
        let (shown, more) = first_of_each(found.iter(), 4);
        assert_eq!((shown.len(), more.len()), (6, 0));
    }
}
