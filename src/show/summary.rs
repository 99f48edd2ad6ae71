//! What every end of a run prints: what was done, what was undone, which rollback decision was taken and why, what
//! waits, and the journal's head (SPEC sections 5 and 6).

use super::answer::{Address, answer_command, next_command, other_answers};
use super::text::{Look, Page, Tone, between, millis, quote};
use super::words;
use crate::plan::program::{GateResponse, Level, OnFailure, PhaseUndo, Program, UndoWay};
use crate::run::engine::{
    Effect, Event, GateDecision, Outcome, Record, RunState, Stage, Standing, State, Then, UndoStage,
};

/// What an exit code means (SPEC section 10).
#[must_use]
pub const fn exit_code_means(code: u8) -> &'static str {
    match code {
        0 => "done",
        1 => "internal or I/O error",
        2 => "usage",
        3 => "the plan is invalid",
        4 => "failed, and everything this run did is undone",
        5 => "stopped, some effects remain",
        6 => "waiting for a person, a decision or the window",
        7 => "an undo failed, or the state of the system is uncertain",
        8 => "a claim was disproven",
        9 => "refused",
        130 => "interrupted and saved",
        _ => "not one of the documented codes",
    }
}

/// The rollback decisions that were taken, in order, each in a sentence. Never empty.
#[must_use]
pub fn rollback_decisions(program: &Program, state: &State, records: &[Record]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut ground: Option<String> = None;
    let mut last_why: Option<String> = None;
    for record in records {
        match &record.event {
            Event::RollbackRequested { by, .. } => {
                ground = Some(format!("asked for by hand by {}", by.name));
            }
            Event::GateDecided {
                gate,
                decision: GateDecision::Rollback,
                by,
                ..
            } => ground = Some(format!("decision of {} on gate {gate}", by.name)),
            Event::GateFailed {
                gate,
                response: GateResponse::Rollback,
                ..
            } => ground = Some(format!("failure response of gate {gate}")),
            Event::UnwindingStarted {
                level,
                units,
                why,
                then,
                ..
            } => {
                let policy = || match (level, then) {
                    (_, Then::Retry(_)) => "before the step is tried again".to_owned(),
                    (Level::Step, _) => format!(
                        "own undo of the failed step; policy on_failure: {}",
                        policy_word(state.on_failure(program))
                    ),
                    _ => format!(
                        "policy on_failure: {}",
                        policy_word(state.on_failure(program))
                    ),
                };
                let ground = ground.take().unwrap_or_else(policy);
                let what = if units.is_empty() {
                    "nothing was to be undone".to_owned()
                } else {
                    words::count(units.len(), "undo", "undos")
                };
                let because = if last_why.as_ref() == Some(why) {
                    "for the same reason".to_owned()
                } else {
                    format!("because {why}")
                };
                last_why = Some(why.clone());
                all.push(format!("{level} rollback, {what} ({ground}), {because}"));
            }
            Event::UnwindingRefused { level, by, .. } => {
                all.push(format!("{} refused the {level} rollback", by.name));
            }
            Event::UnwindingHalted { level, why, .. } => {
                all.push(format!("the {level} rollback halted: {why}"));
            }
            Event::UndoFailed { unit, why } => {
                all.push(format!("the undo of {unit} failed: {why}"))
            }
            Event::RunStopped { why } => all.push(format!(
                "none (policy on_failure: {}), because {why}",
                policy_word(state.on_failure(program))
            )),
            Event::BlockFailed { block, .. } => all.push(format!(
                "none: {} failed, so the run stopped before going on",
                words::block(block)
            )),
            Event::RunAbandoned { by, .. } => {
                all.push(format!("none: {} gave the run up", by.name));
            }
            Event::RunCompleted if all.is_empty() => all.push("none needed".to_owned()),
            _ => {}
        }
    }
    if all.is_empty() {
        all.push("none taken: the run has not ended".to_owned());
    }
    all
}

const fn policy_word(policy: OnFailure) -> &'static str {
    match policy {
        OnFailure::Stop => "stop",
        OnFailure::Phase => "phase",
        OnFailure::Full => "full",
    }
}

/// What every end of a run prints. `head` is the digest of the journal's last record.
#[must_use]
pub fn summary(
    program: &Program,
    state: &State,
    standing: &Standing,
    records: &[Record],
    head: Option<&str>,
    address: &Address,
    look: Look,
) -> String {
    let mut page = Page::new(look);
    heading(&mut page, program, state, standing);
    effects(&mut page, program, state, standing, records);
    let decisions = rollback_decisions(program, state, records);
    // A run that was resumed often has a long history; the last decisions are the ones that count now.
    let earlier = decisions.len().saturating_sub(5);
    if earlier > 0 {
        let n = words::count(earlier, "earlier decision is", "earlier decisions are");
        page.field(0, "rollback decisions:", &format!("{n} in the history"));
    }
    for (i, decision) in decisions.iter().skip(earlier).enumerate() {
        let label = if i == 0 && earlier == 0 {
            "rollback decision:"
        } else {
            "then:"
        };
        page.field(0, label, decision);
    }
    let ends_badly = !matches!(
        standing.state,
        RunState::Completed | RunState::Running | RunState::Interrupted | RunState::Waiting
    ) || state
        .steps
        .iter()
        .any(|s| matches!(s.stage, Stage::Failed { .. }));
    if ends_badly {
        tree(&mut page, program, state, standing, address);
    }
    deviations(&mut page, state, records);
    if let (false, Some(start)) = (standing.waiting.is_empty(), &state.started) {
        page.line(0, Some(Tone::Strong), "waits for");
        for wait in &standing.waiting {
            let text = format!("{} (who: {})", wait.what, words::who(&wait.who));
            page.line(2, Some(Tone::Asks), &text);
            page.command(4, "answer:", &answer_command(&start.run, wait, address));
            for choice in other_answers(&start.run, wait, address) {
                page.command(4, "or:", &choice.command);
                page.line(8, Some(Tone::Dim), &format!("({})", choice.means));
            }
        }
    }
    if let Some(head) = head {
        page.command(0, "journal head:", head);
    }
    let next = state
        .started
        .as_ref()
        .and_then(|s| next_command(&s.run, standing, state, address));
    match next {
        Some(next) => page.command(0, "next:", &next),
        None => page.field(0, "next:", "nothing; the run is over"),
    }
    page.finish()
}

fn heading(page: &mut Page, program: &Program, state: &State, standing: &Standing) {
    let tone = match standing.exit_code {
        0 => Tone::Good,
        6 | 130 => Tone::Asks,
        _ => Tone::Bad,
    };
    let word = standing.state.to_string().to_uppercase().replace('_', " ");
    let code = standing.exit_code;
    page.line(
        0,
        Some(tone),
        &format!(
            "{word}: {} (exit code {code}: {})",
            program.name,
            exit_code_means(code)
        ),
    );
    let Some(start) = &state.started else { return };
    let environment = start.environment.as_deref().unwrap_or("none given");
    let time = state
        .started_at
        .zip(state.last)
        .map_or_else(String::new, |(from, (_, to))| {
            format!(", {}", millis(between(from, to)))
        });
    page.line(
        0,
        None,
        &format!("run {}, environment {environment}{time}", start.run),
    );
    if let Some(why) = &standing.why {
        page.field(0, "why:", why);
    }
}

/// "3 steps: A, B, C", or all ids of a long list cut in the middle.
fn list(ids: &[String]) -> String {
    let n = words::count(ids.len(), "step", "steps");
    if ids.len() > 12 {
        let (head, last) = (ids[..10].join(", "), &ids[ids.len() - 1]);
        format!("{n}: {head}, ..., {last}")
    } else {
        format!("{n}: {}", ids.join(", "))
    }
}

fn effects(
    page: &mut Page,
    program: &Program,
    state: &State,
    standing: &Standing,
    records: &[Record],
) {
    let pick = |keep: &dyn Fn(usize) -> bool| -> Vec<String> {
        (0..program.steps.len())
            .filter(|&i| keep(i))
            .map(|i| program.steps[i].id.to_string())
            .collect()
    };
    let done = pick(&|i| state.steps[i].stage == Stage::Succeeded);
    if done.len() == program.steps.len() && !done.is_empty() {
        page.field(
            0,
            "done:",
            &format!("all {}", words::count(done.len(), "step", "steps")),
        );
    } else if !done.is_empty() {
        page.field(0, "done:", &list(&done));
    }
    let mut failed: Vec<(String, String)> = Vec::new();
    for record in records {
        match &record.event {
            Event::StepFailed { step, why, .. } => {
                failed.retain(|(id, _)| id != step.as_str());
                failed.push((step.to_string(), why.clone()));
            }
            Event::ActionEnded {
                step,
                outcome: Outcome::Failed,
                proof,
                ..
            } => {
                failed.retain(|(id, _)| id != step.as_str());
                failed.push((step.to_string(), proof.detail.clone()));
            }
            Event::StepSucceeded { step, .. } => failed.retain(|(id, _)| id != step.as_str()),
            _ => {}
        }
    }
    for (id, why) in failed {
        page.field(0, "failed:", &format!("{id}: {why}"));
    }
    let undone = pick(&|i| state.steps[i].effect == Effect::Undone);
    if !undone.is_empty() {
        page.field(0, "undone:", &list(&undone));
    }
    let left = pick(&|i| state.steps[i].effect == Effect::Left);
    if !left.is_empty() {
        page.field(
            0,
            "left as it is, because its only_if did not hold:",
            &list(&left),
        );
    }
    let unknown: Vec<String> = {
        let mut all = pick(&|i| matches!(state.steps[i].stage, Stage::Unknown { .. }));
        if let Some(unwinding) = &state.unwinding {
            all.extend(
                unwinding
                    .progress
                    .iter()
                    .filter(|(_, p)| matches!(p.stage, UndoStage::Unknown | UndoStage::Failed(_)))
                    .map(|(unit, _)| format!("undo of {unit}")),
            );
        }
        all
    };
    if standing.state != RunState::Completed {
        let remaining: Vec<String> = standing
            .remaining
            .iter()
            .map(|&i| program.steps[i].id.to_string())
            .collect();
        if !remaining.is_empty() {
            page.field(0, "not undone:", &list(&remaining));
        }
    }
    if !unknown.is_empty() {
        page.field(0, "unknown:", &unknown.join(", "));
    }
}

/// The declared levels as a decision tree: when each is meant, how long it takes, who decides, what to type.
fn tree(page: &mut Page, program: &Program, state: &State, standing: &Standing, address: &Address) {
    let levels: Vec<Level> = [Level::Step, Level::Phase, Level::Full]
        .into_iter()
        .filter(|&l| program.levels.of(l).declared)
        .collect();
    if levels.is_empty() {
        return;
    }
    page.line(
        0,
        Some(Tone::Strong),
        "rollback levels of the plan, and when each is meant",
    );
    let can_undo = !standing.remaining.is_empty() && state.unwinding.is_none();
    for level in levels {
        let rule = program.levels.of(level);
        let when = if rule.triggers.is_empty() {
            "the plan does not say when".to_owned()
        } else {
            rule.triggers.join("; or: ")
        };
        page.field(2, &format!("{level}:"), &when);
        let mut facts = Vec::new();
        if let Some(estimate) = &rule.estimate {
            facts.push(format!("takes {estimate}"));
        }
        let maker = rule.decision_maker.as_deref().unwrap_or("nobody named");
        facts.push(format!("decided by {maker}"));
        facts.push(if rule.approval_required {
            "approval required".to_owned()
        } else {
            "no approval required".to_owned()
        });
        page.line(4, None, &facts.join(", "));
        if let Some(script) = &rule.contingency {
            page.field(4, "contingency, not run by itself:", script);
        }
        if let (true, Some(start)) = (can_undo, &state.started) {
            let run = quote(start.run.as_str());
            let last = standing.remaining.last().map(|&i| &program.steps[i]);
            let concerned: Vec<usize> = match (level, last) {
                (Level::Step, _) => standing.remaining.last().copied().into_iter().collect(),
                (Level::Phase, Some(step)) => standing
                    .remaining
                    .iter()
                    .copied()
                    .filter(|&i| program.steps[i].phase == step.phase)
                    .collect(),
                _ => standing.remaining.clone(),
            };
            if let Some(id) = wall(program, level, &concerned) {
                page.field(
                    4,
                    "by hand:",
                    &format!("it would stop at {id}, which has no way back"),
                );
                continue;
            }
            let target = match (level, last) {
                (Level::Step, Some(step)) => format!("step --step {}", quote(step.id.as_str())),
                (Level::Phase, Some(step)) => {
                    let phase = &program.phases[step.phase].id;
                    format!("phase --phase {}", quote(phase.as_str()))
                }
                (Level::Full, _) | (_, None) => "full".to_owned(),
            };
            page.command(
                4,
                "by hand:",
                &address.command(&format!("orchestrate rollback {run} --level {target}")),
            );
        }
    }
}

/// The first thing on the way back that cannot be undone.
fn wall(program: &Program, level: Level, steps: &[usize]) -> Option<String> {
    if level == Level::Full && program.levels.full.replaces.is_some() {
        return None;
    }
    steps.iter().rev().find_map(|&i| {
        let (step, phase) = (&program.steps[i], &program.phases[program.steps[i].phase]);
        match (&phase.undo, level) {
            (PhaseUndo::Wall(_), Level::Phase | Level::Full) => Some(phase.id.to_string()),
            (PhaseUndo::Procedure(_), Level::Phase | Level::Full) => None,
            _ => matches!(step.undo.way, UndoWay::Wall(_)).then(|| step.id.to_string()),
        }
    })
}

fn deviations(page: &mut Page, state: &State, records: &[Record]) {
    for deviation in &state.deviations {
        page.field(0, "deviation:", &deviation.what);
    }
    let unattested = records
        .iter()
        .filter(|r| {
            matches!(
                r.event,
                Event::Attested {
                    unattended: true,
                    ..
                }
            )
        })
        .count();
    if unattested > 0 {
        let n = words::count(unattested, "check", "checks");
        page.field(
            0,
            "unattested:",
            &format!("{n} passed without a person (--unattested record)"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::testing::Story;

    const HEAD: &str = "5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c";

    fn of(story: &Story, width: usize) -> String {
        let standing = story.standing();
        summary(
            &story.program,
            &story.state,
            &standing,
            &story.records,
            Some(HEAD),
            &Address::default(),
            Look::plain(width),
        )
    }

    #[test]
    fn every_end() {
        let mut drawn = String::new();
        for (name, story) in Story::all() {
            drawn.push_str(&format!("=== {name}\n{}\n", of(&story, 80)));
        }
        insta::assert_snapshot!(drawn);
    }

    #[test]
    fn narrow_and_wide() {
        let mut drawn = String::new();
        for width in [40, 200] {
            for story in [Story::stuck(), Story::to_the_end(&["STEP-2-1"], &[])] {
                drawn.push_str(&format!("=== {width}\n{}\n", of(&story, width)));
            }
        }
        insta::assert_snapshot!(drawn);
    }

    #[test]
    fn a_completed_run_says_little() {
        let story = Story::to_the_end(&[], &[]);
        assert!(of(&story, 80).lines().count() <= 12);
    }
}
