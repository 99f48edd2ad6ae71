//! Coverage as text: a table of phases and gates, then what is missing.

use super::{Coverage, GateCoverage, Part, PhaseCoverage, Report, Way};
use crate::show::preview::{draw_checks, way_back};
use crate::show::text::{Look, Page, Tone, columns, cut, visible};
use crate::show::words;

/// So many steps of a phase are named; the rest are counted.
const NAMED: usize = 5;

/// The columns of numbers: checks by machine, covered, by people; steps with a way back.
const HEADS: [(&str, usize); 4] = [
    ("machine", 8),
    ("covered", 8),
    ("people", 7),
    ("way back", 11),
];

impl Report {
    /// As text for 60 columns and more, ending in a line break. With `each`, every check is listed.
    #[must_use]
    pub fn text(&self, look: Look, each: bool) -> String {
        let mut page = Page::new(look);
        page.line(
            0,
            Some(Tone::Strong),
            &format!("coverage of {}", self.migration),
        );
        self.table(&mut page, look);
        page.blank();
        self.totals(&mut page);
        for phase in &self.phases {
            draw_phase(&mut page, phase);
        }
        self.back(&mut page);
        if each {
            self.each(&mut page);
        }
        page.finish()
    }

    fn table(&self, page: &mut Page, look: Look) {
        let numbers: usize = HEADS.iter().map(|(_, width)| width).sum();
        let names = self
            .phases
            .iter()
            .flat_map(|phase| {
                let gates = phase.gates.iter().map(|gate| gate.id.len() + 7);
                std::iter::once(columns(&phase.id) + 1 + columns(&phase.name)).chain(gates)
            })
            .max()
            .unwrap_or_default()
            .clamp(22, look.width.saturating_sub(numbers).max(22));
        let mut row = |name: &str, coverage: &Coverage, tone: Option<Tone>| {
            let name = cut(&visible(name), names);
            let pad = names - columns(&name);
            let back = match coverage.steps {
                0 => "-".to_owned(),
                steps => format!("{} of {steps}", coverage.steps_with_a_way_back),
            };
            let cells = [
                coverage.automated.to_string(),
                // What the plan calls verified is nobody's judgement now, like what is covered.
                (coverage.covered + coverage.recorded).to_string(),
                coverage.persons.to_string(),
                back,
            ];
            let cells: String = HEADS
                .iter()
                .zip(cells)
                .map(|((_, width), cell)| format!("{cell:>width$}"))
                .collect();
            page.row_of(tone, &format!("{name}{:pad$}{cells}", ""));
        };
        if self.before.coverage.checks() > 0 {
            row("before the first phase", &self.before.coverage, None);
        }
        for phase in &self.phases {
            let name = format!("{} {}", phase.id, phase.name);
            row(&name, &phase.part.coverage, None);
            for gate in &phase.gates {
                row(&format!("  gate {}", gate.id), &gate.part.coverage, None);
            }
        }
        for gate in &self.completion {
            row("completion", &gate.part.coverage, None);
        }
        row("in all", &self.total, Some(Tone::Strong));
        let heads: String = HEADS
            .iter()
            .map(|(head, width)| format!("{head:>width$}"))
            .collect();
        page.head(1, &format!("{:names$}{heads}", ""));
    }

    fn totals(&self, page: &mut Page) {
        let t = &self.total;
        let recorded = match t.recorded {
            0 => String::new(),
            n => format!(", {n} taken as verified"),
        };
        page.field(
            0,
            "checks:",
            &format!(
                "{} judged by a machine, {} covered by other evidence, {} by people{recorded}",
                t.automated, t.covered, t.persons
            ),
        );
        page.field(
            0,
            "way back:",
            &format!("{} of {} steps", t.steps_with_a_way_back, t.steps),
        );
        let mut people = self.before.people.clone();
        let gates = self.phases.iter().flat_map(|phase| &phase.gates);
        let parts = self
            .phases
            .iter()
            .map(|phase| &phase.part)
            .chain(gates.chain(&self.completion).map(|gate| &gate.part));
        for part in parts {
            for (who, times) in &part.people {
                *people.entry(who.clone()).or_default() += times;
            }
        }
        if !people.is_empty() {
            page.field(0, "people are asked:", &asked(&people));
        }
    }

    fn back(&self, page: &mut Page) {
        page.blank();
        if self.points_of_no_return.is_empty() {
            page.field(
                0,
                "points of no return:",
                "none, the whole way back is there",
            );
        } else {
            page.line(
                0,
                Some(Tone::Strong),
                "points of no return, for the migration as a whole",
            );
            for wall in self.points_of_no_return.iter().take(2 * NAMED) {
                let at = match &wall.step {
                    Some(step) => format!("from {step} on:"),
                    None => format!("from the start of {} on:", wall.phase),
                };
                page.field(2, &at, &wall.why);
            }
            more(
                page,
                2,
                self.points_of_no_return.len(),
                2 * NAMED,
                "point",
                "points",
            );
        }
        let then = match self.on_failure {
            "phase" => "its own undo, then its phase is undone",
            "full" => "its own undo, then everything is undone",
            _ => "its own undo, then the run stops",
        };
        page.field(0, "a step that fails:", then);
        for level in &self.levels {
            let mut facts = vec![format!(
                "decided by {}",
                level.decision_maker.as_deref().unwrap_or("nobody named")
            )];
            if level.approval_required {
                facts.push("waits for that approval".to_owned());
            }
            if let Some(estimate) = &level.estimate {
                facts.push(format!("takes {estimate}"));
            }
            if level.replaces_steps {
                facts.push("by its own script instead of the steps' undo".to_owned());
            }
            if let Some(script) = &level.contingency {
                facts.push(format!("contingency {script}"));
            }
            let checks = &level.part.coverage;
            if checks.checks() > 0 {
                facts.push(format!("then checked: {}", counts(checks)));
            }
            page.field(
                0,
                &format!("rollback level {}:", level.level),
                &facts.join(", "),
            );
        }
    }

    fn each(&self, page: &mut Page) {
        let mut list = |title: &str, part: &Part| {
            if part.checks.is_empty() {
                return;
            }
            page.blank();
            page.line(
                0,
                Some(Tone::Strong),
                &format!("how the checks of {title} are judged"),
            );
            draw_checks(page, 2, &part.checks);
        };
        list("the start", &self.before);
        for phase in &self.phases {
            list(&phase.id, &phase.part);
            for gate in &phase.gates {
                list(&format!("gate {}", gate.id), &gate.part);
            }
        }
        for gate in &self.completion {
            list("completion", &gate.part);
        }
        for level in &self.levels {
            list(&format!("rollback level {}", level.level), &level.part);
        }
    }
}

fn draw_phase(page: &mut Page, phase: &PhaseCoverage) {
    page.blank();
    page.line(
        0,
        Some(Tone::Strong),
        &format!("{} {}", phase.id, phase.name),
    );
    let ways: Vec<String> = phase
        .ways
        .iter()
        .map(|(way, count)| format!("{count} {}", said(*way)))
        .collect();
    if !ways.is_empty() {
        page.field(2, "steps undone:", &ways.join(", "));
    }
    let whole = match (phase.undo, &phase.why) {
        ("procedure", _) => "by its own procedure".to_owned(),
        ("none", Some(why)) => format!("NOT possible: {why}"),
        _ => "by the undo of each step, last first".to_owned(),
    };
    page.field(2, "phase undone:", &whole);
    if phase.back.wall.is_none() {
        page.field(2, "full rollback from its end:", &way_back(&phase.back));
    }
    for gate in &phase.gates {
        draw_gate(page, gate);
    }
    if !phase.part.people.is_empty() {
        page.field(2, "people are asked:", &asked(&phase.part.people));
    }
    let missing = || {
        phase
            .steps
            .iter()
            .filter(|step| matches!(step.undo, Way::None | Way::Phase))
    };
    for step in missing().take(NAMED) {
        let why = step.why.as_deref().unwrap_or_default();
        let label = match step.undo {
            Way::Phase => format!("{} is undone only with its phase:", step.id),
            _ => format!("{} has NO way back:", step.id),
        };
        page.field(2, &label, why);
    }
    more(page, 2, missing().count(), NAMED, "step", "steps");
}

fn draw_gate(page: &mut Page, gate: &GateCoverage) {
    let mut facts = vec![counts(&gate.part.coverage)];
    facts.push(match (gate.approvals_needed, gate.approvers.len()) {
        (0, _) => "no approval".to_owned(),
        (needed, all) if needed == all => format!("approval of {}", gate.approvers.join(", ")),
        (needed, _) => format!("{needed} approvals of {}", gate.approvers.join(", ")),
    });
    facts.push(
        match gate.on_failure {
            "rollback" => "a fail undoes the phase",
            "ask" => "a fail asks a person",
            _ => "a fail keeps it closed",
        }
        .to_owned(),
    );
    page.field(2, &format!("gate {}:", gate.id), &facts.join("; "));
}

fn counts(coverage: &Coverage) -> String {
    let said: Vec<String> = [
        (coverage.automated, "by machine"),
        (coverage.covered, "covered"),
        (coverage.persons, "by people"),
        (coverage.recorded, "taken as verified"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if said.is_empty() {
        "no criteria".to_owned()
    } else {
        said.join(", ")
    }
}

fn said(way: Way) -> &'static str {
    match way {
        Way::Script => "by script",
        Way::Commands => "by commands",
        Way::Mixed => "by machine and hand",
        Way::ByHand => "by hand",
        Way::Phase => "only with the phase",
        Way::Nothing => "with nothing to undo",
        Way::None => "NOT AT ALL",
    }
}

fn asked(people: &std::collections::BTreeMap<String, usize>) -> String {
    let all: Vec<String> = people
        .iter()
        .map(|(who, times)| {
            format!(
                "{who} {times} {}",
                if *times == 1 { "time" } else { "times" }
            )
        })
        .collect();
    let shown = all
        .iter()
        .take(2 * NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match all.len() {
        n if n > 2 * NAMED => format!("{shown} and {} more", n - 2 * NAMED),
        _ => shown,
    }
}

fn more(page: &mut Page, indent: usize, all: usize, named: usize, one: &str, many: &str) {
    if all > named {
        let rest = words::count(all - named, one, many);
        page.line(indent, Some(Tone::Dim), &format!("and {rest} more"));
    }
}
