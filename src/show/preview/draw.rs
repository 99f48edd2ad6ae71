//! A preview as text.

use super::undo::PiecePreview;
use super::{
    BackPreview, CheckPreview, GatePreview, PhasePreview, Preview, ProcessPreview, StepPreview,
    UndoPreview,
};
use crate::plan::schedule::{Between, Sum};
use crate::show::text::{Look, Mark, Page, Tone, columns, millis, visible};
use crate::show::words::{self, length, sum};

impl Preview {
    /// As text for 40 columns and more, ending in a line break.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let mut page = Page::new(look);
        page.line(
            0,
            Some(Tone::Strong),
            &if self.probed {
                format!(
                    "PREVIEW of {}: checks that can be measured before a run were measured; nothing else is performed",
                    self.migration
                )
            } else {
                format!("DRY RUN of {}: nothing is performed", self.migration)
            },
        );
        let environment = self.environment.as_deref().unwrap_or("none given");
        page.field(0, "environment:", environment);
        page.command(0, "plan digest:", &self.plan_digest);
        page.field(
            0,
            "window:",
            self.window
                .as_deref()
                .unwrap_or("none; it starts at any time"),
        );
        self.times(&mut page);
        for (name, value) in &self.variables {
            let value = value.as_deref().unwrap_or("(secret)");
            page.field(0, "variable:", &format!("{name}={value}"));
        }
        for name in &self.by_command {
            let line = format!("{name} (known to its command only, which was not run)");
            page.field(0, "variable:", &line);
        }
        for blocked in &self.blocked {
            page.field(0, "blocked, no run starts:", blocked);
        }
        if !self.prerequisites.is_empty() {
            page.blank();
            page.line(0, Some(Tone::Strong), "before the first phase");
            draw_checks(&mut page, 2, &self.prerequisites);
        }
        for phase in &self.phases {
            draw_phase(&mut page, phase);
        }
        if !self.completion.is_empty() {
            page.blank();
        }
        for gate in &self.completion {
            draw_gate(&mut page, 0, gate);
        }
        self.levels(&mut page);
        self.totals(&mut page);
        page.finish()
    }

    fn times(&self, page: &mut Page) {
        let planned = &self.planned;
        if let Some(window) = &planned.next_window {
            let clocks = match window.shift_ms {
                0 => String::new(),
                ms if ms > 0 => format!(
                    ", while the clocks go forward by {}",
                    millis(ms.unsigned_abs())
                ),
                ms => format!(
                    ", while the clocks go back by {}",
                    millis(ms.unsigned_abs())
                ),
            };
            page.field(0, "next window:", &format!("{}{clocks}", window.said));
        }
        let mut takes = sum(planned.length, "step", "steps");
        let watched = planned.length.known.max_ms > planned.work_ms;
        if watched {
            takes.push_str(&format!(", {} of it work", millis(planned.work_ms)));
        }
        if self.people.iter().any(|person| person.approvals > 0) {
            takes.push_str(", and what people take to approve");
        }
        page.field(0, "planned:", &takes);
        const SHOWN: usize = 12;
        let path = &planned.critical;
        if path.len() > 1 {
            let mut shown: Vec<&str> = path.iter().take(SHOWN).map(String::as_str).collect();
            let more = format!("{} more", path.len().saturating_sub(SHOWN));
            if path.len() > SHOWN {
                shown.push(&more);
            }
            page.field(0, "critical path:", &shown.join(", "));
        }
        for wall in planned.no_return.iter().take(SHOWN) {
            let from = wall.step.as_ref().unwrap_or(&wall.phase);
            page.field(0, "no return from:", &format!("{from} on: {}", wall.why));
        }
        if planned.no_return.len() > SHOWN {
            let more = planned.no_return.len() - SHOWN;
            page.field(0, "no return from:", &format!("{more} more"));
        }
    }

    fn levels(&self, page: &mut Page) {
        page.blank();
        let then = match self.on_failure {
            "phase" => "its own undo, then its phase is undone",
            "full" => "its own undo, then everything is undone",
            _ => "its own undo, then the run stops",
        };
        page.field(
            0,
            "if a step fails:",
            &format!("{then} (on_failure: {})", self.on_failure),
        );
        for level in &self.levels {
            let when = if level.triggers.is_empty() {
                "the plan does not say when".to_owned()
            } else {
                level.triggers.join("; or: ")
            };
            page.field(2, &format!("{} rollback:", level.level), &when);
            let mut facts = Vec::new();
            if let Some(estimate) = &level.estimate {
                facts.push(format!("takes {estimate}"));
            }
            let maker = level.decision_maker.as_deref().unwrap_or("nobody named");
            facts.push(format!("decided by {maker}"));
            facts.push(if level.approval_required {
                "approval required".to_owned()
            } else {
                "no approval required".to_owned()
            });
            page.line(4, None, &facts.join(", "));
            if let Some(undo) = &level.replaced_by {
                draw_undo(page, 4, "stands for the steps' undo:", undo);
            }
            if let Some(script) = &level.contingency {
                page.field(4, "contingency, not run by itself:", script);
            }
            draw_checks(page, 4, &level.post_checks);
        }
    }

    fn totals(&self, page: &mut Page) {
        page.blank();
        let c = &self.coverage;
        page.field(
            0,
            "checks:",
            &format!(
                "{} judged by a machine, {} covered by other evidence, {} by people, {} taken as verified",
                c.automated, c.covered, c.persons, c.recorded
            ),
        );
        page.field(
            0,
            "way back:",
            &format!("{} of {} steps", c.steps_with_a_way_back, c.steps),
        );
        if self.people.is_empty() {
            page.field(0, "people:", "nobody will be asked");
        }
        for person in &self.people {
            let mut asks = Vec::new();
            if person.attestations > 0 {
                asks.push(words::count(
                    person.attestations,
                    "attestation",
                    "attestations",
                ));
            }
            if person.approvals > 0 {
                asks.push(words::count(person.approvals, "approval", "approvals"));
            }
            let name = person.name.as_deref().unwrap_or("anyone");
            page.field(0, "asked:", &format!("{name}: {}", asks.join(", ")));
        }
    }
}

fn draw_phase(page: &mut Page, phase: &PhasePreview) {
    page.blank();
    let planned = &phase.planned;
    page.line(
        0,
        Some(Tone::Strong),
        &format!(
            "{} {} ({}, takes {})",
            phase.id,
            phase.name,
            offset(planned.start, planned.sure),
            sum(planned.length, "step", "steps")
        ),
    );
    if !phase.start_conditions.is_empty() {
        page.line(2, None, "starts when");
        draw_checks(page, 4, &phase.start_conditions);
    }
    for step in &phase.steps {
        draw_step(page, step);
    }
    for gate in &phase.gates {
        draw_gate(page, 2, gate);
    }
    draw_undo(page, 2, "phase undo:", &phase.undo);
    page.field(2, "full rollback from here:", &way_back(&planned.back));
}

/// How long the way back to the start takes, and how late it can begin.
pub(in crate::show) fn way_back(back: &BackPreview) -> String {
    match (&back.wall, &back.said) {
        (Some(why), _) => format!("NOT possible: {why}"),
        (None, _) if back.takes == Sum::default() => "nothing to undo".to_owned(),
        (None, said) => {
            let takes = sum(back.takes, "undo", "undos");
            match (said, back.start_by) {
                (Some(by), Some(_)) => format!("takes {takes}; start back by {by}"),
                (Some(never), None) => format!("takes {takes}; {never}"),
                (None, _) => format!("takes {takes}"),
            }
        }
    }
}

/// "at +30 min", by the longer figures; "at +30 min or later" where something before it has no estimate.
fn offset(start: Between, sure: bool) -> String {
    let at = match start.max_ms {
        0 => "at the start".to_owned(),
        ms => format!("at +{}", millis(ms)),
    };
    if sure { at } else { format!("{at} or later") }
}

fn draw_step(page: &mut Page, step: &StepPreview) {
    let mut facts = Vec::new();
    if step.left_out {
        facts.push("LEFT OUT of this run".to_owned());
    }
    let planned = &step.planned;
    if !step.left_out {
        facts.push(offset(planned.start, planned.sure));
        match planned.work {
            Some(work) if work.max_ms > 0 => facts.push(format!("takes {}", length(work))),
            Some(_) => {}
            None => facts.push("no estimate".to_owned()),
        }
        if planned.critical {
            facts.push("critical".to_owned());
        }
    }
    match step.together_count {
        0 => {}
        1..=4 => facts.push(format!("may run beside {}", step.together_with.join(", "))),
        n => facts.push(format!("may run beside {n} others")),
    }
    match step.depends_on.as_deref() {
        Some([]) => facts.push("waits for no step".to_owned()),
        Some(all) => facts.push(format!("after {}", all.join(", "))),
        None => {}
    }
    if step.attempts > 1 {
        facts.push(format!("up to {} attempts", step.attempts));
    }
    if step.idempotent {
        facts.push("idempotent".to_owned());
    }
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!(" ({})", facts.join("; "))
    };
    page.line(
        2,
        Some(Tone::Busy),
        &format!("{} {}{facts}", step.id, step.name),
    );
    if let Some(who) = &step.responsible {
        page.field(4, "responsible:", who);
    }
    for (label, checks) in [
        ("requires", &step.preconditions),
        ("first, by hand", &step.confirm),
    ] {
        if !checks.is_empty() {
            page.line(4, None, label);
            draw_checks(page, 6, checks);
        }
    }
    match step.action {
        "run" => draw_processes(page, 4, "runs:", &step.processes, step.timeout_ms),
        "person" => {
            page.line(4, None, "done by a person");
            draw_checks(page, 6, &step.by_hand);
        }
        _ => page.line(4, None, "runs nothing of its own: its checks are its work"),
    }
    if !step.validation.is_empty() {
        page.line(4, None, "then checks");
        draw_checks(page, 6, &step.validation);
    }
    if step.planned.watch.max_ms > 0 {
        page.field(4, "watched for:", &length(step.planned.watch));
    }
    if let Some(check) = &step.done_if {
        page.field(4, "done if:", &format!("{} ({})", check.title, check.how));
    }
    draw_undo(page, 4, "undo:", &step.undo);
    if step.planned.undo.is_complete() && step.planned.undo.known.max_ms > 0 {
        page.field(6, "takes:", &length(step.planned.undo.known));
    }
    for gate in &step.gates {
        draw_gate(page, 4, gate);
    }
}

fn draw_processes(
    page: &mut Page,
    indent: usize,
    label: &str,
    processes: &[ProcessPreview],
    timeout_ms: Option<u64>,
) {
    for process in processes {
        let mut facts = vec![process.with.clone()];
        if let Some(ms) = process.timeout_ms.or(timeout_ms) {
            facts.push(format!("at most {}", millis(ms)));
        }
        if !process.env.is_empty() {
            facts.push(format!("sets {}", process.env.join(", ")));
        }
        let facts = facts.join(", ");
        let line = format!("{}  ({facts})", process.run);
        let one = !process.run.contains(['\n', '\t']);
        if one && columns(label) + 1 + columns(&line) <= page.room(indent) {
            page.command(indent, label, &visible(&line));
        } else {
            page.field(indent, label, &format!("({facts})"));
            page.verbatim(indent + 4, &process.run);
        }
    }
}

fn draw_undo(page: &mut Page, indent: usize, label: &str, undo: &UndoPreview) {
    match undo.way {
        "nothing" => page.field(indent, label, "nothing to undo"),
        "each_step" => page.field(indent, label, "the undo of each step, last first"),
        "none" => {
            let why = undo.why.as_deref().unwrap_or_default();
            page.field(indent, label, &format!("NOT possible: {why}"));
        }
        _ => {
            for piece in &undo.pieces {
                match piece {
                    PiecePreview::Run(processes) => {
                        draw_processes(page, indent, label, processes, None);
                    }
                    PiecePreview::ByHand(check) => page.field(
                        indent,
                        label,
                        &format!("by hand: {} (who: {})", check.title, words::who(&check.who)),
                    ),
                }
            }
        }
    }
    if let Some(check) = &undo.only_if {
        page.field(
            indent + 2,
            "only if:",
            &format!("{} ({})", check.title, check.how),
        );
    }
    if let Some(check) = &undo.test {
        page.field(
            indent + 2,
            "then tested by:",
            &format!("{} ({})", check.title, check.how),
        );
    }
}

fn draw_gate(page: &mut Page, indent: usize, gate: &GatePreview) {
    let response = match gate.on_failure {
        "rollback" => "undoes the phase if a criterion fails",
        "ask" => "asks a person if a criterion fails",
        _ => "stays closed if a criterion fails",
    };
    page.line(
        indent,
        Some(Tone::Asks),
        &format!("gate {} {} ({response})", gate.id, gate.name),
    );
    draw_checks(page, indent + 2, &gate.criteria);
    if gate.approvals_needed > 0 {
        let needed = if gate.approvals_needed == gate.approvers.len() {
            "all of".to_owned()
        } else {
            format!("{} of", gate.approvals_needed)
        };
        page.field(
            indent + 2,
            "approval:",
            &format!("{needed} {}", gate.approvers.join(", ")),
        );
    }
}

/// Checks, each with how it is judged and, where they were asked, what they say now.
pub(in crate::show) fn draw_checks(page: &mut Page, indent: usize, checks: &[CheckPreview]) {
    for check in checks {
        let (word, tone) = match check.kind {
            "probe" => ("probe", Tone::Good),
            "fact" => ("fact", Tone::Good),
            "covered" => ("covered", Tone::Dim),
            "recorded" => ("recorded", Tone::Dim),
            _ => ("person", Tone::Asks),
        };
        let detail = match check.kind {
            "person" => words::who(&check.who),
            // A title that names the probe needs no second naming.
            _ if names(&check.title, &check.how) => String::new(),
            _ => check.how.clone(),
        };
        page.row(indent, Mark { word, tone }, &check.title, &detail);
        if let Some(measured) = &check.measured {
            let (word, tone) = match measured.verdict {
                "pass" => ("now: yes", Tone::Good),
                "fail" => ("now: no", Tone::Bad),
                "inconclusive" => ("now: ?", Tone::Asks),
                _ => ("now: -", Tone::Dim),
            };
            page.row(indent + 2, Mark { word, tone }, &measured.detail, "");
        }
    }
}

/// Whether a title already says what `how` would add.
fn names(title: &str, how: &str) -> bool {
    let what = how
        .strip_prefix("command `")
        .and_then(|rest| rest.strip_suffix('`'))
        .unwrap_or(how);
    title.contains(what)
}
