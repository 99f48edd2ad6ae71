//! One line per record, for logs of a build server and for `history`.

use super::text::{between, instant, millis, visible};
use super::words;
use crate::plan::program::{GateResponse, Level, Program};
use crate::run::engine::{
    Actor, Event, GateDecision, Ground, Outcome, Proof, Record, Settled, State, Then, Verdict,
};

/// How many of the last output lines a failed action shows.
const TAIL_LINES: usize = 10;

/// The lines of a record: one, and the last output below it where an action or an undo did not succeed. `state` is the
/// state after the record. Everything that a plan or a process wrote is made harmless.
#[must_use]
pub fn line(program: &Program, state: &State, record: &Record) -> Vec<String> {
    let (subject, sentence) = sentence(program, state, &record.event);
    let mut lines = vec![format!(
        "{}  {}  {}",
        instant(record.at),
        visible(&subject),
        visible(&sentence)
    )];
    if let Event::ActionEnded { outcome, proof, .. } | Event::UndoEnded { outcome, proof, .. } =
        &record.event
        && *outcome != Outcome::Succeeded
        && let Some(tail) = &proof.tail
    {
        let all: Vec<&str> = tail.lines().filter(|l| !l.trim().is_empty()).collect();
        let from = all.len().saturating_sub(TAIL_LINES);
        lines.extend(all[from..].iter().map(|l| format!("    | {}", visible(l))));
    }
    lines
}

fn because(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn took(proof: &Proof) -> String {
    proof
        .duration_ms
        .map_or_else(String::new, |ms| format!(", {}", millis(ms)))
}

fn detail(proof: &Proof) -> String {
    if proof.detail.is_empty() {
        String::new()
    } else {
        format!(": {}", proof.detail)
    }
}

fn settled(how: Settled) -> &'static str {
    match how {
        Settled::Done => "settled as done: its effect happened",
        Settled::Undone => "settled as undone: it has no effect",
        Settled::Retry => "will run again",
    }
}

fn then(then: &Then) -> String {
    match then {
        Then::Stop => "then the run stops".to_owned(),
        Then::Escalate(level, _) => format!("then the {level} rollback"),
        Then::Retry(step) => format!("then {step} is tried again"),
        Then::Finish => "then the run is over".to_owned(),
    }
}

fn by(actor: &Actor) -> String {
    if actor.name.to_lowercase() == actor.user.to_lowercase() {
        actor.name.clone()
    } else {
        format!("{} ({})", actor.name, actor.user)
    }
}

fn level_subject(level: Level) -> String {
    format!("{level} rollback")
}

/// Who or what a record is about, and what it says, in plain English.
#[expect(clippy::too_many_lines, reason = "one table, one arm per event")]
pub(super) fn sentence(program: &Program, state: &State, event: &Event) -> (String, String) {
    let run = || "run".to_owned();
    match event {
        Event::RunStarted(start) => {
            let environment = match (&start.environment, start.production) {
                (Some(name), true) => format!("environment {name} (production)"),
                (Some(name), false) => format!("environment {name}"),
                (None, _) => "no environment given (counts as production)".to_owned(),
            };
            let left_out = if start.left_out.is_empty() {
                String::new()
            } else {
                let n = words::count(start.left_out.len(), "step", "steps");
                format!(
                    ", leaving out {n}{}",
                    because(start.left_out_because.as_ref())
                )
            };
            (
                run(),
                format!(
                    "{} started: {}, {environment}, by {}{left_out}",
                    start.run,
                    start.migration,
                    by(&start.by)
                ),
            )
        }
        Event::DriverAttached {
            epoch,
            by: actor,
            pid,
            jobs,
        } => {
            let verb = if *epoch == 1 { "driven" } else { "resumed" };
            let jobs = words::count(*jobs, "step at a time", "steps at a time");
            (
                run(),
                format!(
                    "{verb} by {} on {} (process {pid}, {jobs})",
                    by(actor),
                    actor.host
                ),
            )
        }
        Event::DriverLeft { exit_code, why } => {
            (run(), format!("left with exit code {exit_code}: {why}"))
        }
        Event::InterruptRequested { signal } => (
            run(),
            format!(
                "interrupted by {signal}: what runs is brought to its end, then the run is saved"
            ),
        ),
        Event::WindowEntered { closes_at } => {
            let closes =
                closes_at.map_or_else(String::new, |at| format!("; it closes at {}", instant(at)));
            (
                "window".to_owned(),
                format!("the migration window is open{closes}"),
            )
        }
        Event::WindowOverridden { by: actor, reason } => (
            "window".to_owned(),
            format!("overridden by {}: {reason}", by(actor)),
        ),
        Event::CheckJudged {
            item,
            block,
            index,
            verdict,
            proof,
        } => {
            let title = words::title(program, block, *index, item.as_str());
            let word = match verdict {
                Verdict::Pass => "pass",
                Verdict::Fail => "FAIL",
                Verdict::Inconclusive => "INCONCLUSIVE",
            };
            (
                words::block_owner(block),
                format!("check {word}: {title}{}", in_brackets(&proof.detail)),
            )
        }
        Event::Attested {
            item,
            block,
            index,
            by: actor,
            accepted,
            reason,
            evidence,
            unattended,
        } => {
            let title = words::title(program, block, *index, item.as_str());
            let evidence = evidence
                .as_ref()
                .map_or_else(String::new, |file| format!(" (evidence: {file})"));
            let said = match (accepted, unattended) {
                (true, true) => format!("passed without a person (--unattested record): {title}"),
                (true, false) => {
                    format!(
                        "attested by {}: {title}{evidence}{}",
                        by(actor),
                        reason_clause(reason)
                    )
                }
                (false, _) => {
                    format!(
                        "rejected by {}: {title}{evidence}{}",
                        by(actor),
                        reason_clause(reason)
                    )
                }
            };
            (words::block_owner(block), said)
        }
        Event::CheckReset {
            item,
            block,
            index,
            by: actor,
            reason,
        } => (
            words::block_owner(block),
            format!(
                "check is to be measured again, asked by {}: {}{}",
                by(actor),
                words::title(program, block, *index, item.as_str()),
                reason_clause(reason)
            ),
        ),
        Event::BlockFailed { block, failed } => {
            let failed: Vec<&str> = failed.iter().map(|f| f.as_str()).collect();
            (
                words::block_owner(block),
                format!(
                    "{} failed ({}): the run stops",
                    words::block(block),
                    failed.join(", ")
                ),
            )
        }
        Event::PhaseStarted { phase } => {
            let name = program
                .phase_index(phase)
                .map_or("", |i| program.phases[i].name.as_str());
            (phase.to_string(), format!("phase started: {name}"))
        }
        Event::PhasePassed { phase } => (
            phase.to_string(),
            "phase passed: its steps succeeded and its gates are open".to_owned(),
        ),
        Event::StepStarted { step, attempt } => {
            let name = program.step(step).map_or("", |s| s.name.as_str());
            (
                step.to_string(),
                format!("started (attempt {attempt}): {name}"),
            )
        }
        Event::ActionEnded {
            step,
            attempt,
            outcome,
            proof,
        } => {
            let said = match outcome {
                Outcome::Succeeded => {
                    // What a manifest migration counted is worth a line of its own.
                    let counted = proof.manifest.as_ref().map(|_| detail(proof));
                    format!(
                        "action ended well (attempt {attempt}{}){}",
                        took(proof),
                        counted.unwrap_or_default()
                    )
                }
                Outcome::Failed => format!(
                    "action FAILED (attempt {attempt}{}){}",
                    took(proof),
                    detail(proof)
                ),
                Outcome::Unknown => format!(
                    "outcome UNKNOWN (attempt {attempt}{}){}",
                    took(proof),
                    detail(proof)
                ),
            };
            (step.to_string(), said)
        }
        Event::StepObserving { step, until } => (
            step.to_string(),
            format!("is watched until {}", instant(*until)),
        ),
        Event::StepRemeasured { step } => (
            step.to_string(),
            "is measured again while it is watched".to_owned(),
        ),
        Event::StepSucceeded { step, attempt } => {
            let time = program
                .step_index(step)
                .map(|i| &state.steps[i])
                .and_then(|s| s.started_at.zip(s.ended_at))
                .map_or_else(String::new, |(from, to)| {
                    format!(", {}", millis(between(from, to)))
                });
            (
                step.to_string(),
                format!("succeeded (attempt {attempt}{time})"),
            )
        }
        Event::StepFailed {
            step,
            attempt,
            effect,
            why,
        } => {
            let effect = if *effect {
                "it may have had effect"
            } else {
                "its action did not run"
            };
            (
                step.to_string(),
                format!("FAILED (attempt {attempt}, {effect}): {why}"),
            )
        }
        Event::StepSettled {
            step,
            attempt,
            how,
            ground,
            reason,
        } => {
            let ground = match ground {
                Ground::NeverStarted => "its action was never started".to_owned(),
                Ground::DoneIf => "its done_if said so".to_owned(),
                Ground::Idempotent => "it is idempotent".to_owned(),
                Ground::Person(actor) => format!("{} said so", by(actor)),
            };
            (
                step.to_string(),
                format!(
                    "attempt {attempt} {}, because {ground}{}",
                    settled(*how),
                    reason_clause(reason)
                ),
            )
        }
        Event::StepRetried { step } => (step.to_string(), "is tried again".to_owned()),
        Event::GateOpened { gate, attempt } => (
            gate.to_string(),
            format!("gate is being decided (attempt {attempt}): its criteria are measured"),
        ),
        Event::GateMeasured { gate } => {
            let who = program
                .gate_index(gate)
                .map(|i| &program.gates[i])
                .map_or_else(String::new, |gate| {
                    format!(" of {}", words::who(&gate.approvers))
                });
            (
                gate.to_string(),
                format!("criteria hold; waits for approval{who}"),
            )
        }
        Event::Approved {
            gate,
            by: actor,
            digest,
            reason,
            evidence,
        } => {
            let evidence = evidence
                .as_ref()
                .map_or_else(String::new, |file| format!(" (evidence: {file})"));
            (
                gate.to_string(),
                format!(
                    "approved by {} for plan {}{evidence}{}",
                    by(actor),
                    digest.short(12),
                    reason_clause(reason)
                ),
            )
        }
        Event::GateRefused {
            gate,
            by: actor,
            reason,
        } => (
            gate.to_string(),
            format!("approval REFUSED by {}{}", by(actor), reason_clause(reason)),
        ),
        Event::GateRemeasured { gate } => (
            gate.to_string(),
            "evidence had grown too old: its criteria are measured again".to_owned(),
        ),
        Event::GatePassed { gate } => (gate.to_string(), "gate passed".to_owned()),
        Event::GateFailed {
            gate,
            failed,
            response,
        } => {
            let response = match response {
                GateResponse::Block => "it stays closed until it is measured again",
                GateResponse::Rollback => "the phase is rolled back",
                GateResponse::Ask => "a person decides",
            };
            let failed: Vec<&str> = failed.iter().map(|f| f.as_str()).collect();
            (
                gate.to_string(),
                format!("gate FAILED ({}): {response}", failed.join(", ")),
            )
        }
        Event::GateHeld { gate, left_out } => {
            let left_out: Vec<&str> = left_out.iter().map(|s| s.as_str()).collect();
            (
                gate.to_string(),
                format!(
                    "gate stays closed, because these steps were left out: {}",
                    left_out.join(", ")
                ),
            )
        }
        Event::GateDecided {
            gate,
            decision,
            by: actor,
            reason,
        } => {
            let decision = match decision {
                GateDecision::Retry => "measure and ask again",
                GateDecision::Proceed => "go on although a criterion failed (an override)",
                GateDecision::Rollback => "roll the phase back",
            };
            (
                gate.to_string(),
                format!(
                    "decided by {}: {decision}{}",
                    by(actor),
                    reason_clause(reason)
                ),
            )
        }
        Event::RollbackRequested {
            level,
            target,
            by: actor,
            reason,
        } => {
            let target = match (level, target) {
                (Level::Full, Some(keep)) => format!(" down to {keep}"),
                (_, Some(target)) => format!(" of {target}"),
                (_, None) => String::new(),
            };
            (
                level_subject(*level),
                format!(
                    "asked for by {}{target}{}",
                    by(actor),
                    reason_clause(reason)
                ),
            )
        }
        Event::UnwindingStarted {
            level,
            units,
            covers: _,
            why,
            then: after,
            approval,
        } => {
            let order: Vec<String> = units.iter().map(ToString::to_string).collect();
            let what = if order.is_empty() {
                "nothing to undo".to_owned()
            } else {
                format!("undo of {}", order.join(", "))
            };
            let approval = if *approval {
                ", once it is approved"
            } else {
                ""
            };
            (
                level_subject(*level),
                format!("decided: {what}{approval}, {} (because {why})", then(after)),
            )
        }
        Event::UnwindingApproved {
            level,
            by: actor,
            reason,
        } => (
            level_subject(*level),
            format!("approved by {}{}", by(actor), reason_clause(reason)),
        ),
        Event::UnwindingRefused {
            level,
            by: actor,
            reason,
        } => (
            level_subject(*level),
            format!(
                "REFUSED by {}: nothing is undone, the run stops{}",
                by(actor),
                reason_clause(reason)
            ),
        ),
        Event::UndoStarted {
            unit,
            attempt,
            piece,
        } => (
            unit.to_string(),
            format!("undo started (attempt {attempt}, part {})", piece + 1),
        ),
        Event::UndoEnded {
            unit,
            attempt,
            piece,
            outcome,
            proof,
        } => {
            let part = piece + 1;
            let said = match outcome {
                Outcome::Succeeded => format!("undo, part {part}, ended well{}", took(proof)),
                Outcome::Failed => format!(
                    "undo FAILED (attempt {attempt}, part {part}{}){}",
                    took(proof),
                    detail(proof)
                ),
                Outcome::Unknown => format!(
                    "outcome of the undo UNKNOWN (attempt {attempt}, part {part}{}){}",
                    took(proof),
                    detail(proof)
                ),
            };
            (unit.to_string(), said)
        }
        Event::UndoNotStarted { unit } => (
            unit.to_string(),
            "undo was never started, because the run's process died first; it will be started"
                .to_owned(),
        ),
        Event::UnitUndone { unit } => (unit.to_string(), "undone".to_owned()),
        Event::UnitLeft { unit, why } => (unit.to_string(), format!("not undone: {why}")),
        Event::UndoFailed { unit, why } => (
            unit.to_string(),
            format!("undo FAILED: {why}; everything stops"),
        ),
        Event::UndoSettled {
            unit,
            how,
            by: actor,
            reason,
        } => {
            let how = match how {
                Settled::Done => "settled: its effect is left as it is",
                Settled::Undone => "settled as undone",
                Settled::Retry => "will be undone again",
            };
            (
                unit.to_string(),
                format!("undo {how}, by {}{}", by(actor), reason_clause(reason)),
            )
        }
        Event::UnwindingHalted { level, unit, why } => {
            let at = unit
                .as_ref()
                .map_or_else(String::new, |unit| format!(" at {unit}"));
            (
                level_subject(*level),
                format!("HALTED{at}, there is no way back from here: {why}"),
            )
        }
        Event::UnwindingCompleted { level } => (
            level_subject(*level),
            "complete: everything in it is undone".to_owned(),
        ),
        Event::RunStopped { why } => (run(), format!("stopped: {why}")),
        Event::RunCompleted => (run(), "completed".to_owned()),
        Event::RunAbandoned { by: actor, reason } => (
            run(),
            format!("abandoned by {}{}", by(actor), reason_clause(reason)),
        ),
        Event::DriftFound { files } => (
            run(),
            format!(
                "files are not as they were when the run started: {}",
                files.join(", ")
            ),
        ),
        Event::DriftAccepted {
            files,
            by: actor,
            reason,
            ..
        } => (
            run(),
            format!(
                "changed files accepted by {}: {} (because {reason})",
                by(actor),
                files.join(", ")
            ),
        ),
        Event::TornTailDropped { bytes, kept_as } => (
            run(),
            format!(
                "the journal's last line was cut off ({bytes} bytes) when the machine or process died; it was set aside as {kept_as}"
            ),
        ),
    }
}

fn reason_clause(reason: &Option<String>) -> String {
    reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" (because {reason})"))
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{GateId, ItemId, StepId};
    use crate::plan::program::BlockId;
    use crate::show::testing::{Story, actor};

    const EVIL: &str = "a\r\n2026-11-21T04:05:06Z  run  completed\u{1b}[2K\u{202e}\u{7}";

    #[test]
    fn no_text_can_forge_a_line_or_move_the_cursor() -> Result<(), crate::base::id::BadId> {
        let story = Story::new();
        let evil = || EVIL.to_owned();
        let step = StepId::parse("STEP-1-1")?;
        let item = ItemId::parse("STEP-1-1.preconditions.0")?;
        let proof = Proof {
            tail: Some(evil()),
            ..Proof::of(EVIL)
        };
        let events = [
            Event::RunStopped { why: evil() },
            Event::DriverLeft {
                exit_code: 5,
                why: evil(),
            },
            Event::DriftFound {
                files: vec![evil()],
            },
            Event::StepFailed {
                step: step.clone(),
                attempt: 1,
                effect: true,
                why: evil(),
            },
            Event::ActionEnded {
                step: step.clone(),
                attempt: 1,
                outcome: Outcome::Succeeded,
                proof: proof.clone(),
            },
            Event::CheckJudged {
                item: item.clone(),
                block: BlockId::Preconditions(step.clone()),
                index: 7,
                verdict: Verdict::Fail,
                proof: proof.clone(),
            },
            Event::Attested {
                item,
                block: BlockId::Preconditions(step.clone()),
                index: 7,
                by: actor(EVIL),
                accepted: false,
                reason: Some(evil()),
                evidence: Some(evil()),
                unattended: false,
            },
            Event::GateRefused {
                gate: GateId::parse("GATE-1")?,
                by: actor(EVIL),
                reason: Some(evil()),
            },
            Event::TornTailDropped {
                bytes: 1,
                kept_as: evil(),
            },
        ];
        for event in events {
            let lines = lines_of(&story, event);
            assert_eq!(lines.len(), 1, "{lines:?}");
            for line in lines {
                assert!(!line.chars().any(char::is_control), "{line:?}");
                assert!(!line.contains('\u{202e}'), "{line:?}");
            }
        }
        let failed = Event::ActionEnded {
            step,
            attempt: 1,
            outcome: Outcome::Failed,
            proof,
        };
        let lines = lines_of(&story, failed);
        assert!(lines.len() > 1);
        assert!(lines[1..].iter().all(|l| l.starts_with("    | ")));
        Ok(())
    }

    fn lines_of(story: &Story, event: Event) -> Vec<String> {
        let record = Record {
            n: 3,
            at: story.now,
            event,
        };
        line(&story.program, &story.state, &record)
    }
}
