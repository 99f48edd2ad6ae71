//! From what the author wrote to what the engine walks.

use std::collections::{BTreeSet, HashMap};

use super::digest::plan_digest;
use super::names::names;
use super::types::{
    Action, After, Check, Estimate, Gate, GateAt, GateResponse, How, InputKind, Level, Levels,
    Observe, OnFailure, OnInterrupt, Phase, Program, Retry, Step, WindowRule, Work,
};
use crate::base::id::{GateId, ItemId, PhaseId, StepId};
use crate::base::quantity::{HumanDuration, Window};
use crate::plan::condition::Index;
use crate::plan::model::{self, Plan};

/// How old automated evidence may be when a gate opens, unless the plan says otherwise (SPEC section 4).
const EVIDENCE_MAX_AGE_MS: u64 = 10 * 60 * 1000;

/// The item that a person answers when the window's text is not understood.
const WINDOW_ITEM: &str = "migration_window";

/// Where the files beside a plan are read from: the plan's folder, or a run's snapshot of it.
pub trait Files {
    /// Whether there is such a file.
    fn exists(&self, path: &str) -> bool;
    /// Its text.
    ///
    /// # Errors
    /// What the system said.
    fn read(&self, path: &str) -> std::io::Result<String>;
    /// The migration files of a folder (`*.yaml`, `*.yml`, `*.json`, not those that begin with a dot), as paths that
    /// begin with the folder's own, in order. A folder that is not there has none.
    fn list(&self, folder: &str) -> Vec<String>;
}

/// Something that a run would act on and that cannot be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LowerError {
    /// JSON pointer into the plan.
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Lowers a plan.
///
/// # Errors
/// Everything that a run would act on and cannot, all in one go. A plan that passed the review has none.
pub fn lower(plan: &Plan, files: &dyn Files) -> Result<Program, Vec<LowerError>> {
    let mut lowering = Lowering {
        plan,
        files,
        index: names(plan),
        inputs: BTreeSet::new(),
        errors: Vec::new(),
    };
    let program = lowering.program();
    if lowering.errors.is_empty() {
        Ok(program)
    } else {
        Err(lowering.errors)
    }
}

/// One lowering, and what went wrong in it.
pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) files: &'a dyn Files,
    pub(super) index: Index,
    inputs: BTreeSet<(String, InputKind)>,
    pub(super) errors: Vec<LowerError>,
}

impl Lowering<'_> {
    pub(super) fn error(&mut self, at: &str, message: String) {
        self.errors.push(LowerError {
            pointer: at.to_owned(),
            message,
        });
    }

    pub(super) fn input(&mut self, path: &str, kind: InputKind) {
        self.inputs.insert((path.to_owned(), kind));
    }

    pub(super) fn item(&mut self, text: &str, at: &str) -> Option<ItemId> {
        ItemId::parse(text)
            .map_err(|why| self.error(at, format!("{text:?}: {why}")))
            .ok()
    }

    fn program(&mut self) -> Program {
        let plan = self.plan;
        let mut program = Program {
            name: plan.metadata.migration_name.clone(),
            digest: plan_digest(plan),
            prerequisites: Vec::new(),
            window: None,
            phases: Vec::new(),
            steps: Vec::new(),
            gates: Vec::new(),
            on_failure: match plan.rollback_strategy.as_ref().and_then(|r| r.on_failure) {
                None | Some(model::OnFailure::Stop) => OnFailure::Stop,
                Some(model::OnFailure::Phase) => OnFailure::Phase,
                Some(model::OnFailure::Full) => OnFailure::Full,
            },
            levels: Levels::default(),
            separation_of_duties: plan.separation_of_duties.unwrap_or(false),
            blocked: Vec::new(),
            files: Vec::new(),
            index: super::types::Index::default(),
        };
        self.prerequisites(&mut program);
        program.window = self.window();
        let mut order: Vec<usize> = (0..plan.migration_phases.len()).collect();
        order.sort_by_key(|&i| plan.migration_phases[i].order);
        for i in order {
            self.phase(i, &mut program);
        }
        self.dependencies(&mut program);
        self.strategy_gates(&mut program);
        self.completion(&mut program);
        super::manifest::mark_judged(&mut program);
        program.levels = Levels {
            step: self.level(Level::Step),
            phase: self.level(Level::Phase),
            full: self.level(Level::Full),
        };
        program.files = std::mem::take(&mut self.inputs).into_iter().collect();
        program.reindex();
        program
    }

    fn prerequisites(&mut self, program: &mut Program) {
        for (i, written) in self.plan.prerequisites.iter().enumerate() {
            let at = format!("/prerequisites/{i}");
            let owner = written.prerequisite_id.as_str();
            let who: Vec<String> = written.owner.iter().cloned().collect();
            let validation = written.validation.clone().unwrap_or_default();
            if validation.status == Some(model::PrerequisiteStatus::Blocked) {
                program.blocked.push(format!("{owner} ({})", written.name));
            }
            let method = validation.verification_method.as_ref();
            if let Some(test) = &validation.verification_test_id {
                let at = format!("{at}/validation/verification_test_id");
                if let Some(mut check) = self.dataset_check(owner, test, &at) {
                    check.title = format!("{} (dataset {test})", written.name);
                    program.prerequisites.push(check);
                }
                if let Some(model::Check::Probe(probe)) = method {
                    let at = format!("{at}/validation/verification_method");
                    if let Some(id) = self.item(&format!("{owner}.verification_method"), &at) {
                        program.prerequisites.push(self.probe(id, probe, &at, &who));
                    }
                }
                continue;
            }
            let Some(id) = self.item(owner, &at) else {
                continue;
            };
            let at = format!("{at}/validation/verification_method");
            let check = match method {
                Some(model::Check::Probe(probe)) => self.probe(id, probe, &at, &who),
                _ => {
                    let evidence = method.and_then(model::Check::title);
                    let how = if validation.status == Some(model::PrerequisiteStatus::Verified) {
                        How::Recorded(evidence.unwrap_or("the plan says so").to_owned())
                    } else {
                        How::Attest
                    };
                    let title = match evidence {
                        Some(evidence) => format!("{} ({evidence})", written.name),
                        None => written.name.clone(),
                    };
                    Check {
                        id,
                        title,
                        how,
                        who,
                    }
                }
            };
            program.prerequisites.push(check);
        }
    }

    fn window(&mut self) -> Option<WindowRule> {
        let constraints = self.plan.migration_overview.constraints.as_ref()?;
        let written = constraints.migration_window.as_ref()?;
        let at = "/migration_overview/constraints/migration_window";
        match written {
            model::MigrationWindow::Text(text) => match Window::parse(text) {
                Ok(window) => Some(WindowRule::Window {
                    text: text.clone(),
                    window,
                }),
                Err(_) => {
                    let id = self.item(WINDOW_ITEM, at)?;
                    let title = format!("the migration window is open now: {text}");
                    Some(WindowRule::Person(Check {
                        id,
                        title,
                        how: How::Attest,
                        who: Vec::new(),
                    }))
                }
            },
            model::MigrationWindow::Mapping(mapping) => {
                let days: Vec<String> = match &mapping.days {
                    None => Vec::new(),
                    Some(model::WindowDays::Text(text)) => vec![text.clone()],
                    Some(model::WindowDays::List(list)) => list.clone(),
                };
                let joined = days.join(", ");
                let text = [
                    (!days.is_empty()).then_some(joined.as_str()),
                    mapping.start.as_deref(),
                    mapping.end.as_deref(),
                    mapping.timezone.as_deref(),
                ]
                .iter()
                .flatten()
                .copied()
                .collect::<Vec<_>>()
                .join(" ");
                match Window::from_parts(
                    &days,
                    mapping.start.as_deref().unwrap_or("00:00"),
                    mapping.end.as_deref().unwrap_or("24:00"),
                    mapping.timezone.as_deref().unwrap_or_default(),
                ) {
                    Ok(window) => Some(WindowRule::Window { text, window }),
                    Err(why) => {
                        self.error(at, format!("this window is not understood: {why}"));
                        None
                    }
                }
            }
        }
    }

    fn phase(&mut self, i: usize, program: &mut Program) {
        let plan = self.plan;
        let written = &plan.migration_phases[i];
        let at = format!("/migration_phases/{i}");
        let Ok(id) = PhaseId::parse(&written.phase_id) else {
            self.error(&format!("{at}/phase_id"), "this is not an id".to_owned());
            return;
        };
        let index = program.phases.len();
        let (undo, undo_test) = self.phase_undo(written, &at);
        let mut phase = Phase {
            id,
            name: written.name.clone(),
            order: written.order,
            start: self.checks(
                &written.phase_id,
                "start_condition",
                &written.start_condition,
                &[],
                &[],
                &format!("{at}/start_condition"),
            ),
            steps: Vec::new(),
            gates: Vec::new(),
            undo,
            undo_test,
            estimate: estimate(written.duration_estimate.as_deref()),
            undo_estimate: estimate(
                written
                    .rollback_point
                    .as_ref()
                    .and_then(|point| point.estimated_rollback_duration.as_deref()),
            ),
        };
        let mut order: Vec<usize> = (0..written.steps.len()).collect();
        order.sort_by_key(|&s| written.steps[s].order);
        for s in order {
            let at = format!("{at}/steps/{s}");
            if let Some(step) = self.step(&written.steps[s], index, &at) {
                phase.steps.push(program.steps.len());
                program.steps.push(step);
            }
        }
        if let Some(gate) = &written.validation_gate
            && let Some(gate) =
                self.gate(gate, GateAt::Phase(index), &format!("{at}/validation_gate"))
        {
            phase.gates.push(program.gates.len());
            program.gates.push(gate);
        }
        program.phases.push(phase);
    }

    fn step(&mut self, written: &model::Step, phase: usize, at: &str) -> Option<Step> {
        let owner = written.step_id.as_str();
        let Ok(id) = StepId::parse(owner) else {
            self.error(&format!("{at}/step_id"), "this is not an id".to_owned());
            return None;
        };
        if !written.applies.is_empty() {
            self.error(
                &format!("{at}/applies"),
                "this version cannot execute `applies` yet".to_owned(),
            );
        }
        let who: Vec<String> = written.responsible_party.iter().cloned().collect();
        let timeout = self.duration(written.timeout.as_deref(), &format!("{at}/timeout"));
        let (action, confirm) = self.action(written, &id, timeout, &who, at);
        // A step of type `validation` that names no way back changes nothing: that is what its type says.
        let effect_none = written.effect.is_some()
            || written
                .manifest_migration
                .as_ref()
                .is_some_and(model::ManifestMigration::is_dry_run)
            || (written.r#type == model::StepType::Validation
                && written.rollback_procedure.is_none());
        let observe = written.observe.as_ref().map(|observe| {
            let for_ms = self
                .duration(Some(&observe.r#for), &format!("{at}/observe/for"))
                .unwrap_or(0);
            let every = self.duration(observe.every.as_deref(), &format!("{at}/observe/every"));
            Observe {
                for_ms,
                every_ms: every.unwrap_or(60_000).max(100),
            }
        });
        let retry = written
            .retry
            .as_ref()
            .map_or_else(Retry::default, |retry| Retry {
                attempts: retry.attempts.get(),
                backoff_ms: self
                    .duration(retry.backoff.as_deref(), &format!("{at}/retry/backoff"))
                    .unwrap_or(0),
            });
        let done_if = written.done_if.as_ref().and_then(|check| {
            let at = format!("{at}/done_if");
            let id = self.item(&format!("{owner}.done_if"), &at)?;
            Some(self.probe(id, check, &at, &who))
        });
        Some(Step {
            id,
            name: written.name.clone(),
            phase,
            order: written.order,
            after: After::LowerOrders,
            preconditions: self.checks(
                owner,
                "preconditions",
                &written.preconditions,
                &[],
                &who,
                &format!("{at}/preconditions"),
            ),
            confirm,
            action,
            validation: self.validation(written, timeout, &who, at),
            observe,
            retry,
            // What is at the target version is left alone, so a manifest migration may run any number of times.
            idempotent: written
                .idempotent
                .unwrap_or(written.manifest_migration.is_some()),
            effect_none,
            done_if,
            on_interrupt: match written.on_interrupt {
                None | Some(model::OnInterrupt::Finish) => OnInterrupt::Finish,
                Some(model::OnInterrupt::Stop) => OnInterrupt::Stop,
            },
            undo: self.step_undo(written, effect_none, at),
            gates: Vec::new(),
            estimate: estimate(written.estimated_duration.as_deref()),
            responsible: written.responsible_party.clone(),
        })
    }

    /// Exactly one of: manifest migration, script, else commands in order, else manual steps. Manual steps beside the
    /// others are confirmed before.
    fn action(
        &mut self,
        written: &model::Step,
        id: &StepId,
        timeout_ms: Option<u64>,
        who: &[String],
        at: &str,
    ) -> (Action, Vec<Check>) {
        let manifest = written.manifest_migration.as_ref().map(|manifest| {
            let at = format!("{at}/manifest_migration");
            self.manifest(manifest, id, timeout_ms, &at)
        });
        let Some(details) = &written.execution_details else {
            let action = manifest.map_or(Action::Nothing, Action::Run);
            return (action, Vec::new());
        };
        let at = format!("{at}/execution_details");
        let by_hand = self.by_hand(
            &written.step_id,
            "manual_steps",
            &details.manual_steps,
            who,
            &format!("{at}/manual_steps"),
        );
        if let Some(work) = manifest {
            if details.automation_script.is_some() || !details.commands.is_empty() {
                self.error(
                    &at,
                    "a step has one action: the `manifest_migration`, or a script or commands"
                        .to_owned(),
                );
            }
            return (Action::Run(work), by_hand);
        }
        if let Some(script) = &details.automation_script {
            let process = self.script(script, &format!("{at}/automation_script"));
            return (Action::Run(Self::one(process, timeout_ms)), by_hand);
        }
        if !details.commands.is_empty() {
            let processes = details
                .commands
                .iter()
                .enumerate()
                .map(|(i, command)| self.command(command, &format!("{at}/commands/{i}")))
                .collect();
            return (
                Action::Run(Work {
                    processes,
                    timeout_ms,
                }),
                by_hand,
            );
        }
        if by_hand.is_empty() {
            (Action::Nothing, by_hand)
        } else {
            (Action::Person(by_hand), Vec::new())
        }
    }

    fn validation(
        &mut self,
        written: &model::Step,
        timeout: Option<u64>,
        who: &[String],
        at: &str,
    ) -> Vec<Check> {
        let Some(validation) = &written.validation else {
            return Vec::new();
        };
        let at = format!("{at}/validation");
        let owner = written.step_id.as_str();
        let mut evidence: Vec<String> = validation
            .validation_script
            .iter()
            .map(|s| s.path().to_owned())
            .collect();
        evidence.extend(validation.test_dataset_ids.iter().cloned());
        let mut all = Vec::new();
        if let Some(script) = &validation.validation_script {
            let item = format!("{owner}.validation_script");
            all.extend(self.script_check(
                &item,
                script,
                timeout,
                &format!("{at}/validation_script"),
            ));
        }
        all.extend(self.datasets(
            owner,
            "test_dataset_ids",
            &validation.test_dataset_ids,
            &format!("{at}/test_dataset_ids"),
        ));
        for (field, checks) in [
            ("validation_checks", &validation.validation_checks),
            ("success_criteria", &validation.success_criteria),
        ] {
            all.extend(self.checks(
                owner,
                field,
                checks,
                &evidence,
                who,
                &format!("{at}/{field}"),
            ));
        }
        all
    }

    fn dependencies(&mut self, program: &mut Program) {
        let plan = self.plan;
        let index: HashMap<String, usize> = program
            .steps
            .iter()
            .enumerate()
            .map(|(i, step)| (step.id.as_str().to_owned(), i))
            .collect();
        let position = |id: &str| index.get(id).copied();
        for (p, phase) in plan.migration_phases.iter().enumerate() {
            for (s, written) in phase.steps.iter().enumerate() {
                let Some(depends_on) = &written.depends_on else {
                    continue;
                };
                let mut exactly = Vec::new();
                for (d, id) in depends_on.iter().enumerate() {
                    match position(id) {
                        Some(i) => exactly.push(i),
                        None => {
                            let at = format!("/migration_phases/{p}/steps/{s}/depends_on/{d}");
                            self.errors.push(LowerError {
                                pointer: at,
                                message: format!("there is no step {id:?}"),
                            });
                        }
                    }
                }
                if let Some(i) = position(&written.step_id) {
                    program.steps[i].after = After::Exactly(exactly);
                }
            }
        }
    }

    fn gate(&mut self, written: &model::ValidationGate, gate_at: GateAt, at: &str) -> Option<Gate> {
        let Ok(id) = GateId::parse(&written.gate_id) else {
            self.error(&format!("{at}/gate_id"), "this is not an id".to_owned());
            return None;
        };
        let owner = written.gate_id.as_str();
        let mut criteria = self.datasets(
            owner,
            "test_dataset_ids",
            &written.test_dataset_ids,
            &format!("{at}/test_dataset_ids"),
        );
        criteria.extend(self.checks(
            owner,
            "criteria",
            &written.criteria,
            &written.test_dataset_ids,
            &written.approvers,
            &format!("{at}/criteria"),
        ));
        let age = self.duration(
            written.evidence_max_age.as_deref(),
            &format!("{at}/evidence_max_age"),
        );
        Some(Gate {
            id,
            name: written.name.clone(),
            at: gate_at,
            criteria,
            approvals_needed: approvals_needed(
                written.approval_required,
                &written.approvers,
                written.approvals_needed,
            ),
            approvers: written.approvers.clone(),
            evidence_max_age_ms: age.unwrap_or(EVIDENCE_MAX_AGE_MS),
            response: match written.failure_response {
                None | Some(model::FailureResponse::Block) => GateResponse::Block,
                Some(model::FailureResponse::Rollback) => GateResponse::Rollback,
                Some(model::FailureResponse::ManualDecision) => GateResponse::Ask,
            },
        })
    }

    fn strategy_gates(&mut self, program: &mut Program) {
        let Some(strategy) = &self.plan.validation_strategy else {
            return;
        };
        for (i, written) in strategy.validation_gates.iter().enumerate() {
            let at = format!("/validation_strategy/validation_gates/{i}");
            let Ok(id) = GateId::parse(&written.gate_id) else {
                self.error(&format!("{at}/gate_id"), "this is not an id".to_owned());
                continue;
            };
            let phases = &self.plan.migration_phases;
            let named = match self.plan.place(&written.location) {
                Some(model::Place::Phase(p)) => program
                    .phases
                    .iter()
                    .position(|phase| phase.id.as_str() == phases[p].phase_id)
                    .map(GateAt::Phase),
                Some(model::Place::Step(p, s)) => program
                    .steps
                    .iter()
                    .position(|step| step.id.as_str() == phases[p].steps[s].step_id)
                    .map(GateAt::Step),
                None => None,
            };
            let gate_at = match named {
                Some(gate_at) => gate_at,
                None => {
                    let message = format!("there is no phase or step {:?}", written.location);
                    self.error(&format!("{at}/location"), message);
                    continue;
                }
            };
            let criteria = self.criteria(&written.gate_id, &written.criteria, &at);
            let gate = program.gates.len();
            match gate_at {
                GateAt::Phase(p) => program.phases[p].gates.push(gate),
                GateAt::Step(s) => program.steps[s].gates.push(gate),
                GateAt::Completion => {}
            }
            program.gates.push(Gate {
                id,
                name: written.name.clone(),
                at: gate_at,
                criteria,
                approvers: Vec::new(),
                approvals_needed: 0,
                evidence_max_age_ms: EVIDENCE_MAX_AGE_MS,
                response: match written.failure_handling.as_ref().and_then(|f| f.response) {
                    None | Some(model::GateResponse::Block) => GateResponse::Block,
                    Some(model::GateResponse::Rollback) => GateResponse::Rollback,
                    Some(model::GateResponse::ManualReview) => GateResponse::Ask,
                },
            });
        }
    }

    /// Criteria with a measurement, a threshold, a dataset of their own: the dataset covers the sentence; a measurement
    /// that a machine can do is the probe.
    fn criteria(&mut self, owner: &str, written: &[model::GateCriterion], at: &str) -> Vec<Check> {
        let mut all = Vec::new();
        for (i, criterion) in written.iter().enumerate() {
            let at = format!("{at}/criteria/{i}");
            all.extend(self.criterion(
                &format!("{owner}.criteria.{i}"),
                &criterion.criterion,
                criterion.measurement.as_ref(),
                criterion.threshold.as_deref(),
                criterion.test_dataset_id.as_deref(),
                &at,
            ));
        }
        all
    }

    fn criterion(
        &mut self,
        item: &str,
        sentence: &str,
        measurement: Option<&model::Measurement>,
        threshold: Option<&str>,
        dataset: Option<&str>,
        at: &str,
    ) -> Vec<Check> {
        let mut all = Vec::new();
        let Some(id) = self.item(item, at) else {
            return all;
        };
        if let Some(dataset) = dataset {
            all.extend(self.dataset_check(
                &format!("{item}.test_dataset_id"),
                dataset,
                &format!("{at}/test_dataset_id"),
            ));
        }
        if let Some(model::Measurement::Mapping(mapping)) = measurement {
            let at = format!("{at}/measurement");
            match mapping.to_check() {
                Some(check) => {
                    let mut check = self.probe(id, &check, &at, &[]);
                    sentence.clone_into(&mut check.title);
                    all.push(check);
                }
                None => self.error(
                    &at,
                    "this version cannot execute `promql` measurements yet".to_owned(),
                ),
            }
            return all;
        }
        let evidence: Vec<String> = dataset.iter().map(|d| (*d).to_owned()).collect();
        let mut check = self.sentence(id, sentence, &evidence, &[], at);
        if matches!(check.how, How::Attest) {
            // Whoever attests it must see all that the author wrote about it.
            let text = measurement.and_then(|m| match m {
                model::Measurement::Text(text) => Some(text.as_str()),
                model::Measurement::Mapping(_) => None,
            });
            let more: Vec<&str> = [text, threshold].into_iter().flatten().collect();
            if !more.is_empty() {
                check.title = format!("{sentence} ({})", more.join(": "));
            }
        }
        all.push(check);
        all
    }

    /// What decides that the migration is complete: technical success, then the definition of completion.
    fn completion(&mut self, program: &mut Program) {
        let Some(success) = &self.plan.success_criteria else {
            return;
        };
        let mut criteria = Vec::new();
        for (i, written) in success.technical_success.iter().enumerate() {
            let at = format!("/success_criteria/technical_success/{i}");
            criteria.extend(self.criterion(
                &format!("success_criteria.technical_success.{i}"),
                &written.criterion,
                written.measurement.as_ref(),
                written.target.as_deref(),
                written.test_dataset_id.as_deref(),
                &at,
            ));
        }
        let definition = success
            .migration_complete_definition
            .clone()
            .unwrap_or_default();
        let at = "/success_criteria/migration_complete_definition";
        let owner = "migration_complete_definition";
        criteria.extend(self.datasets(
            owner,
            "validation_required",
            &definition.validation_required,
            &format!("{at}/validation_required"),
        ));
        criteria.extend(self.checks(
            owner,
            "criteria",
            &definition.criteria,
            &definition.validation_required,
            &definition.approvers,
            &format!("{at}/criteria"),
        ));
        let needed = approvals_needed(
            definition.approval_required,
            &definition.approvers,
            definition.approvals_needed,
        );
        if criteria.is_empty() && needed == 0 {
            return;
        }
        let Ok(id) = GateId::parse(owner) else { return };
        program.gates.push(Gate {
            id,
            name: "the migration is complete".to_owned(),
            at: GateAt::Completion,
            criteria,
            approvers: definition.approvers.clone(),
            approvals_needed: needed,
            evidence_max_age_ms: EVIDENCE_MAX_AGE_MS,
            response: GateResponse::Block,
        });
    }
}

/// All approvers unless `approvals_needed` says fewer; approvers without `approval_required` count as required.
fn approvals_needed(required: Option<bool>, approvers: &[String], needed: Option<u32>) -> usize {
    if required == Some(false) || approvers.is_empty() {
        return 0;
    }
    needed.map_or(approvers.len(), |n| {
        usize::try_from(n)
            .unwrap_or(usize::MAX)
            .min(approvers.len())
    })
}

/// An estimate; a text that is not understood is none, and the review says so.
pub(super) fn estimate(text: Option<&str>) -> Option<Estimate> {
    let duration = HumanDuration::parse(text?).ok()?;
    Some(Estimate {
        min_ms: duration.min_ms().unsigned_abs(),
        max_ms: duration.max_ms().unsigned_abs(),
        watching: duration.is_observation(),
    })
}
