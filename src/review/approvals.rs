//! Approvals: somebody can give them, and nobody gives them to himself.

use std::collections::{BTreeMap, HashSet};

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::condition::{BlockEvidence, Understanding, understand};
use crate::plan::model::{GateType, Measurement, Phase, StrategyGate};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut names = Names::default();
    for (pointer, phase) in cx.phases() {
        let Some(gate) = &phase.validation_gate else {
            continue;
        };
        let pointer = join(&pointer, "validation_gate");
        approvals(
            cx,
            &pointer,
            gate.approval_required,
            &gate.approvers,
            gate.approvals_needed,
        );
        names.add(&join(&pointer, "approvers"), &gate.approvers);
        if gate.criteria.is_empty()
            && gate.test_dataset_ids.is_empty()
            && gate.approvers.is_empty()
            && gate.approval_required != Some(true)
        {
            opens_on_nothing(cx, &join(&pointer, "gate_id"), &gate.gate_id);
        }
        own_work(cx, &pointer, phase, &gate.approvers);
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            let pointer = format!("/validation_strategy/validation_gates/{g}");
            if gate.criteria.is_empty() {
                opens_on_nothing(cx, &join(&pointer, "gate_id"), &gate.gate_id);
            }
            if gate.r#type == GateType::Automated {
                automated(cx, &pointer, gate);
            }
        }
    }
    if let Some(complete) = plan
        .success_criteria
        .as_ref()
        .and_then(|success| success.migration_complete_definition.as_ref())
    {
        let pointer = "/success_criteria/migration_complete_definition";
        approvals(
            cx,
            pointer,
            complete.approval_required,
            &complete.approvers,
            complete.approvals_needed,
        );
        names.add(&join(pointer, "approvers"), &complete.approvers);
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            if level.approval_required != Some(true) {
                continue;
            }
            let pointer = format!("/rollback_strategy/rollback_levels/{l}");
            match &level.decision_maker {
                Some(maker) => names.one(join(&pointer, "decision_maker"), maker),
                None => cx.find(
                    codes::DECIDER_MISSING,
                    &join(&pointer, "approval_required"),
                    "this rollback waits for approval, and nobody is named who gives it",
                    "add `decision_maker: NAME`, or write `approval_required: false`",
                ),
            }
        }
    }
    if cx.separates_duties() {
        unmapped(cx, &names);
    }
}

/// Names are compared as answers are: without case and outer white space.
fn same(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Who must answer, and where.
#[derive(Default)]
struct Names(BTreeMap<String, Vec<String>>);

impl Names {
    fn one(&mut self, pointer: String, name: &str) {
        let places = self.0.entry(name.trim().to_owned()).or_default();
        places.push(pointer);
    }

    fn add(&mut self, pointer: &str, names: &[String]) {
        for (i, name) in names.iter().enumerate() {
            self.one(join(pointer, i), name);
        }
    }
}

fn approvals(
    cx: &mut Context<'_>,
    pointer: &str,
    required: Option<bool>,
    approvers: &[String],
    needed: Option<u32>,
) {
    if required == Some(true) && approvers.is_empty() {
        cx.find(
            codes::APPROVERS_MISSING,
            &join(pointer, "approval_required"),
            "approval is required, and there are no approvers",
            "add `approvers: [NAME]`; as it is, nobody could ever open this",
        );
    }
    if required != Some(true) && !approvers.is_empty() {
        let help = match required {
            Some(_) => "nobody is asked; write `approval_required: true`, or remove them",
            None => "they count as required; write `approval_required: true`, or remove them",
        };
        cx.find(
            codes::APPROVAL_NOT_SAID,
            &join(pointer, "approvers"),
            "approvers are given, but approval is not required",
            help,
        );
    }
    let mut seen = HashSet::new();
    let twice = approvers.iter().position(|name| !seen.insert(same(name)));
    let different = seen.len();
    if let Some(needed) = needed
        && (needed == 0 || needed as usize > different)
    {
        cx.find(
            codes::APPROVALS_IMPOSSIBLE,
            &join(pointer, "approvals_needed"),
            format!(
                "`approvals_needed` is {needed}, and `approvers` lists {}",
                match different {
                    1 => "1 name".to_owned(),
                    other => format!("{other} names"),
                }
            ),
            format!("use a number from 1 to {}", different.max(1)),
        );
        return;
    }
    let Some(i) = twice else {
        return;
    };
    let at = format!("{pointer}/approvers/{i}");
    let name = &approvers[i];
    if needed.is_none() {
        // All of them must approve, and one person approves once.
        cx.find(
            codes::APPROVALS_IMPOSSIBLE,
            &at,
            format!("`{name}` is listed twice, and one person cannot give two approvals"),
            "list each approver once",
        );
    } else {
        cx.find(
            codes::APPROVER_TWICE,
            &at,
            format!("`{name}` is listed twice among the approvers"),
            "list each approver once, or name the second person who was meant",
        );
    }
}

fn opens_on_nothing(cx: &mut Context<'_>, pointer: &str, id: &str) {
    cx.find(
        codes::GATE_ON_NOTHING,
        pointer,
        format!("the gate `{id}` has nothing to decide by, so it opens every time"),
        "add `criteria`, test datasets or approvers, or remove the gate",
    );
}

/// Under separation of duties nobody approves the work of his own hands.
fn own_work(cx: &mut Context<'_>, pointer: &str, phase: &Phase, approvers: &[String]) {
    if approvers.is_empty() || !cx.separates_duties() {
        return;
    }
    for (i, approver) in approvers.iter().enumerate() {
        let name = same(approver);
        let step = phase.steps.iter().position(|step| {
            step.responsible_party
                .as_ref()
                .is_some_and(|party| same(party) == name)
        });
        let Some(s) = step else {
            continue;
        };
        let (phase_pointer, _) = pointer.rsplit_once('/').unwrap_or((pointer, ""));
        let step_at = format!("{phase_pointer}/steps/{s}/responsible_party");
        cx.find_with(
            codes::OWN_APPROVAL,
            &format!("{pointer}/approvers/{i}"),
            format!("`{approver}` approves what `{approver}` has done"),
            (&step_at, "responsible for the work here"),
            "duties are separated: let somebody approve who did not do the work",
        );
    }
}

/// A gate that calls itself automated, and criteria that only a person can judge.
fn automated(cx: &mut Context<'_>, pointer: &str, gate: &StrategyGate) {
    let index = cx.index();
    let nothing = BlockEvidence::default();
    let by_hand: Vec<String> = gate
        .criteria
        .iter()
        .enumerate()
        .filter(|(_, criterion)| {
            let measured = match &criterion.measurement {
                Some(Measurement::Mapping(mapping)) => mapping.manual.is_none(),
                Some(Measurement::Text(_)) | None => criterion.test_dataset_id.is_some(),
            };
            !measured && understand(&criterion.criterion, &nothing, &index) == Understanding::Attest
        })
        .map(|(c, _)| format!("{pointer}/criteria/{c}/criterion"))
        .collect();
    let count = match by_hand.len() {
        1 => "a criterion".to_owned(),
        other => format!("{other} criteria"),
    };
    cx.find_all(
        codes::NOT_AUTOMATED,
        &by_hand,
        "and this one",
        format!(
            "the gate `{}` is called automated, and {count} of it only a person can judge",
            gate.gate_id
        ),
        "write `measurement: {command: ...}` or `test_dataset_id: ID`, or call it `hybrid`",
    );
}

/// With separated duties a name that `people:` does not know is refused, whoever types it.
fn unmapped(cx: &mut Context<'_>, names: &Names) {
    let known: HashSet<String> = cx.config().people.keys().map(|name| same(name)).collect();
    for (name, places) in &names.0 {
        if known.contains(&same(name)) {
            continue;
        }
        cx.find_all(
            codes::NAME_UNMAPPED,
            places,
            "and here",
            format!("duties are separated, and `people:` in orchestrate.yaml does not know `{name}`"),
            format!("add `people: {{{name}: {{users: [...]}}}}`; until then every answer under this name is refused"),
        );
    }
}
