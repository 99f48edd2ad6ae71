//! What a plan leaves out, of all that the format asks every plan for.

use super::Context;
use crate::base::diagnostic::{Finding, Level, codes};
use crate::plan::model::Plan;

pub(super) fn check(cx: &mut Context<'_>) {
    let missing = missing(cx.plan());
    let Some((last, others)) = missing.split_last() else {
        return;
    };
    let list = if others.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", others.join(", "))
    };
    let message = format!("the plan leaves out {list}");
    let mut finding = Finding::new(codes::INCOMPLETE, cx.locate("/migration_overview"), message)
        .help("a plan for production says all of it; what is empty on purpose can say why");
    if cx.is_practice() {
        finding.level = Level::Note;
    }
    cx.findings.push(finding);
}

/// Each part with what it is for.
fn missing(plan: &Plan) -> Vec<&'static str> {
    let monitors = plan
        .monitoring_and_observability
        .as_ref()
        .is_some_and(|m| !m.migration_monitoring.is_empty() || !m.health_checks.is_empty());
    let judges = plan.success_criteria.as_ref().is_some_and(|s| {
        !s.technical_success.is_empty() || s.migration_complete_definition.is_some()
    });
    let risks = plan
        .risk_mitigation
        .as_ref()
        .is_some_and(|risks| !risks.migration_risks.is_empty());
    [
        (
            plan.rollback_strategy.is_some(),
            "`rollback_strategy` (what a failure undoes)",
        ),
        (risks, "`risk_mitigation` (what may go wrong)"),
        (
            plan.communication_plan.is_some(),
            "`communication_plan` (who is told)",
        ),
        (monitors, "`monitoring_and_observability` (what is watched)"),
        (judges, "`success_criteria` (when it is done)"),
    ]
    .into_iter()
    .filter(|(given, _)| !given)
    .map(|(_, part)| part)
    .collect()
}
