//! The way back: steps, phases, levels (SPEC section 5).

use super::lower::{Lowering, estimate};
use super::types::{Check, How, Level, LevelRule, PhaseUndo, Undo, UndoPiece, UndoWay, Work};
use crate::plan::model;

impl Lowering<'_> {
    pub(super) fn step_undo(&mut self, step: &model::Step, effect_none: bool, at: &str) -> Undo {
        let Some(written) = &step.rollback_procedure else {
            let way = match &step.manifest_migration {
                _ if effect_none => UndoWay::NothingToUndo,
                Some(manifest) => Self::manifest_undo(manifest, step, None),
                None => UndoWay::Wall("the plan gives it no rollback_procedure".to_owned()),
            };
            return Undo {
                way,
                only_if: None,
                test: None,
            };
        };
        let at = format!("{at}/rollback_procedure");
        let owner = step.step_id.as_str();
        let who: Vec<String> = step.responsible_party.iter().cloned().collect();
        let timeout = self.duration(written.timeout.as_deref(), &format!("{at}/timeout"));
        let only_if = written.only_if.as_ref().and_then(|check| {
            let at = format!("{at}/only_if");
            let id = self.item(&format!("{owner}.only_if"), &at)?;
            Some(self.probe(id, check, &at, &who))
        });
        let test = written.rollback_test_id.as_ref().and_then(|id| {
            self.dataset_check(
                &format!("{owner}.rollback_test_id"),
                id,
                &format!("{at}/rollback_test_id"),
            )
        });
        let runs = written.rollback_script.is_some()
            || written.rollback_steps.iter().any(|s| s.command().is_some());
        // A procedure that only adds conditions or a time leaves a manifest step its built-in way back.
        let built_in = step.manifest_migration.as_ref().filter(|_| {
            !effect_none && written.rollback_script.is_none() && written.rollback_steps.is_empty()
        });
        let way = match (written.can_rollback, built_in) {
            (Some(false), _) => UndoWay::Wall("the plan says can_rollback: false".to_owned()),
            (Some(true) | None, Some(manifest)) => Self::manifest_undo(manifest, step, timeout),
            (None, None) if !runs => {
                UndoWay::Wall("it has neither a rollback_script nor a `- run:` step".to_owned())
            }
            (Some(true) | None, None) => {
                let pieces = match &written.rollback_script {
                    Some(script) => {
                        let process = self.script(script, &format!("{at}/rollback_script"));
                        vec![UndoPiece::Run(Self::one(process, timeout))]
                    }
                    None => self.pieces(
                        owner,
                        &written.rollback_steps,
                        timeout,
                        &who,
                        &format!("{at}/rollback_steps"),
                    ),
                };
                if pieces.is_empty() {
                    UndoWay::Wall(
                        "can_rollback is true, but there is nothing to run or to do".to_owned(),
                    )
                } else {
                    UndoWay::Pieces(pieces)
                }
            }
        };
        Undo { way, only_if, test }
    }

    /// `run` steps that follow one another become one piece; prose between them is a person's.
    fn pieces(
        &mut self,
        owner: &str,
        steps: &[model::RollbackStepItem],
        timeout_ms: Option<u64>,
        who: &[String],
        at: &str,
    ) -> Vec<UndoPiece> {
        let mut pieces: Vec<UndoPiece> = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            let at = format!("{at}/{i}");
            match step {
                model::Instruction::Run(command) => {
                    let process = self.mapping(command, &at);
                    if let Some(UndoPiece::Run(work)) = pieces.last_mut() {
                        work.processes.push(process);
                    } else {
                        pieces.push(UndoPiece::Run(Work {
                            processes: vec![process],
                            timeout_ms,
                        }));
                    }
                }
                model::Instruction::Prose(text) => {
                    if let Some(id) = self.item(&format!("{owner}.rollback_steps.{i}"), &at) {
                        let check = Check {
                            id,
                            title: text.clone(),
                            how: How::Attest,
                            who: who.to_vec(),
                        };
                        pieces.push(UndoPiece::Person(check));
                    }
                }
            }
        }
        pieces
    }

    pub(super) fn phase_undo(
        &mut self,
        phase: &model::Phase,
        at: &str,
    ) -> (PhaseUndo, Option<Check>) {
        let Some(point) = &phase.rollback_point else {
            return (PhaseUndo::EachStep, None);
        };
        let at = format!("{at}/rollback_point");
        let owner = phase.phase_id.as_str();
        let test = point.rollback_test_id.as_ref().and_then(|id| {
            self.dataset_check(
                &format!("{owner}.rollback_test_id"),
                id,
                &format!("{at}/rollback_test_id"),
            )
        });
        if point.can_rollback_from_here == Some(false) {
            let why =
                format!("{owner} cannot be undone: the plan says can_rollback_from_here: false");
            return (PhaseUndo::Wall(why), test);
        }
        let Some(model::PointProcedure::Mapping(procedure)) = &point.rollback_procedure else {
            return (PhaseUndo::EachStep, test);
        };
        let at = format!("{at}/rollback_procedure");
        let timeout = self.duration(procedure.timeout.as_deref(), &format!("{at}/timeout"));
        let mut pieces = Vec::new();
        if let Some(script) = &procedure.script {
            let process = self.script(script, &format!("{at}/script"));
            pieces.push(UndoPiece::Run(Self::one(process, timeout)));
        }
        pieces.extend(self.pieces(
            owner,
            &procedure.steps,
            timeout,
            &[],
            &format!("{at}/steps"),
        ));
        let way = if pieces.is_empty() {
            UndoWay::Wall("its rollback_procedure has nothing to run or to do".to_owned())
        } else {
            UndoWay::Pieces(pieces)
        };
        (
            PhaseUndo::Procedure(Undo {
                way,
                only_if: None,
                test: None,
            }),
            test,
        )
    }

    pub(super) fn level(&mut self, level: Level) -> LevelRule {
        let wanted = match level {
            Level::Step => model::Level::Step,
            Level::Phase => model::Level::Phase,
            Level::Full => model::Level::Full,
        };
        let strategy = self.plan.rollback_strategy.as_ref();
        let found = strategy.and_then(|s| {
            s.rollback_levels
                .iter()
                .enumerate()
                .find(|(_, l)| l.level == wanted)
        });
        let Some((i, written)) = found else {
            return LevelRule::default();
        };
        let written = written.clone();
        let at = format!("/rollback_strategy/rollback_levels/{i}");
        let mut rule = LevelRule {
            declared: true,
            triggers: written
                .trigger_conditions
                .iter()
                .map(|t| t.title().unwrap_or_default().to_owned())
                .collect(),
            decision_maker: written.decision_maker.clone(),
            approval_required: written.approval_required.unwrap_or(false),
            ..LevelRule::default()
        };
        if let Some(procedure) = &written.rollback_procedure {
            let at = format!("{at}/rollback_procedure");
            rule.estimate.clone_from(&procedure.estimated_duration);
            rule.takes = estimate(procedure.estimated_duration.as_deref());
            let timeout = self.duration(procedure.timeout.as_deref(), &format!("{at}/timeout"));
            if let Some(script) = &procedure.automation_script {
                if written.script_replaces_steps() {
                    let process = self.script(script, &format!("{at}/automation_script"));
                    let pieces = vec![UndoPiece::Run(Self::one(process, timeout))];
                    rule.replaces = Some(Undo {
                        way: UndoWay::Pieces(pieces),
                        only_if: None,
                        test: None,
                    });
                } else {
                    rule.contingency = Some(script.path().to_owned());
                }
            }
        }
        if let Some(validation) = &written.validation {
            let owner = format!("rollback.{level}");
            let at = format!("{at}/validation");
            let evidence: Vec<String> = validation.test_dataset_ids.clone();
            let who: Vec<String> = written.decision_maker.iter().cloned().collect();
            rule.post_checks = self.datasets(
                &owner,
                "test_dataset_ids",
                &validation.test_dataset_ids,
                &format!("{at}/test_dataset_ids"),
            );
            rule.post_checks.extend(self.checks(
                &owner,
                "post_rollback_checks",
                &validation.post_rollback_checks,
                &evidence,
                &who,
                &format!("{at}/post_rollback_checks"),
            ));
        }
        rule
    }
}
