//! Risks and prerequisites: what may go wrong is met by something that was tried, what must be there is there in time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{
    MigrationRisk, Prerequisite, PrerequisiteStatus, RiskImpact, RiskProbability,
};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    if let Some(section) = &plan.risk_mitigation {
        for (r, risk) in section.migration_risks.iter().enumerate() {
            of_risk(cx, &format!("/risk_mitigation/migration_risks/{r}"), risk);
        }
    }
    for (p, prerequisite) in plan.prerequisites.iter().enumerate() {
        of_prerequisite(cx, &format!("/prerequisites/{p}"), prerequisite);
    }
}

/// Whether a risk weighs so much that its answer must have been tried.
fn is_high(risk: &MigrationRisk) -> bool {
    match risk.impact {
        RiskImpact::Critical => true,
        RiskImpact::High => risk.probability != RiskProbability::Low,
        RiskImpact::Medium => risk.probability == RiskProbability::High,
        RiskImpact::Low => false,
    }
}

fn of_risk(cx: &mut Context<'_>, pointer: &str, risk: &MigrationRisk) {
    let id = &risk.risk_id;
    let mitigation = risk.mitigation.as_ref().filter(|mitigation| {
        !mitigation.preventive_measures.is_empty()
            || mitigation.detection_method.is_some()
            || mitigation.response_procedure.is_some()
    });
    let at = join(pointer, "risk_id");
    let Some(mitigation) = mitigation else {
        cx.find(
            codes::RISK_OPEN,
            &at,
            format!("nothing is done against the risk `{id}`"),
            "add a `mitigation`: what prevents it, how it is noticed, what is done then",
        );
        return;
    };
    if !is_high(risk) {
        return;
    }
    let validation = mitigation.validation.as_ref();
    let tested = validation.is_some_and(|validation| {
        validation.tested == Some(true)
            || validation.tested.is_none() && validation.test_dataset_id.is_some()
    });
    let missing = match (tested, risk.contingency.is_some()) {
        (true, true) => return,
        (false, true) => "its mitigation was never tested",
        (true, false) => "there is no contingency for the day it happens",
        (false, false) => {
            "its mitigation was never tested, and there is no contingency for the day it happens"
        }
    };
    cx.find(
        codes::RISK_UNTRIED,
        &at,
        format!("`{id}` is a high risk, and {missing}"),
        "record the test under `mitigation.validation`, and say under `contingency` who does what when it happens",
    );
}

fn of_prerequisite(cx: &mut Context<'_>, pointer: &str, prerequisite: &Prerequisite) {
    let id = &prerequisite.prerequisite_id;
    let validation = prerequisite.validation.as_ref();
    let status = validation.and_then(|validation| validation.status);
    if let Some(text) = &prerequisite.deadline
        && let Some(deadline) = moment(text)
        && deadline < cx.surroundings.now
        && status != Some(PrerequisiteStatus::Verified)
    {
        cx.find(
            codes::DEADLINE_PASSED,
            &join(pointer, "deadline"),
            format!("the deadline of `{id}` has passed, and it is not verified"),
            "verify it and write `status: verified`, or agree on a new deadline",
        );
    }
    if let Some(text) = &prerequisite.deadline
        && text.trim().starts_with(|c: char| c.is_ascii_digit())
        && moment(text).is_none()
    {
        cx.find(
            codes::TIME_UNCLEAR,
            &join(pointer, "deadline"),
            format!("`{text}` is no moment, so nobody notices when this deadline passes"),
            "write it as in \"2026-03-31\" or \"2026-03-31T17:00:00Z\"",
        );
    }
    if status == Some(PrerequisiteStatus::Verified)
        && validation
            .is_some_and(|v| v.verification_method.is_none() && v.verification_test_id.is_none())
    {
        cx.find(
            codes::VERIFIED_UNSHOWN,
            &format!("{pointer}/validation/status"),
            format!("`{id}` is called verified, and nothing says how"),
            "add `verification_method` with the evidence, or a `verification_test_id` that is run before the start",
        );
    }
}

/// A moment as ISO 8601 writes it. A date means its end; what has no zone is read as UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil = if text.contains([':', 'T']) {
        text.parse::<DateTime>().ok()?
    } else {
        text.parse::<Date>().ok()?.at(23, 59, 59, 0)
    };
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_end_with_the_day() {
        let end = moment("2026-06-01").map(|m| m.to_string());
        assert_eq!(end.as_deref(), Some("2026-06-01T23:59:59Z"));
        let exact = moment("2026-06-01T10:00:00+02:00").map(|m| m.to_string());
        assert_eq!(exact.as_deref(), Some("2026-06-01T08:00:00Z"));
        assert_eq!(moment("next week"), None);
    }
}
