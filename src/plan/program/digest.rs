//! The digest that approvals and certificates are bound to.

use std::borrow::Cow;

use crate::base::id::Digest;
use crate::plan::model::Plan;

/// The plan's digest without the fields that only report what happened (SPEC section 6): `migration_status`,
/// `last_updated`, `rollback_testing`, and the milestones' `status`. Comments and layout do not count either.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "plain data with string keys: serialising it cannot fail"
)]
pub fn plan_digest(plan: &Plan) -> Digest {
    let plan = if reports(plan) {
        // Only then: a copy of a large plan is a tenth of its review.
        Cow::Owned(without_reports(plan.clone()))
    } else {
        Cow::Borrowed(plan)
    };
    Digest::of(&serde_json::to_vec(&*plan).expect("plain data"))
}

/// Whether any of the fields that do not count is filled.
fn reports(plan: &Plan) -> bool {
    let rehearsals = plan.rollback_strategy.iter();
    let milestones = plan.execution_timeline.iter();
    plan.metadata.migration_status.is_some()
        || plan.metadata.last_updated.is_some()
        || rehearsals
            .flat_map(|rollback| &rollback.rollback_testing)
            .next()
            .is_some()
        || milestones
            .flat_map(|timeline| &timeline.milestones)
            .any(|milestone| milestone.status.is_some())
}

fn without_reports(mut plan: Plan) -> Plan {
    plan.metadata.migration_status = None;
    plan.metadata.last_updated = None;
    if let Some(rollback) = &mut plan.rollback_strategy {
        rollback.rollback_testing.clear();
    }
    if let Some(timeline) = &mut plan.execution_timeline {
        for milestone in &mut timeline.milestones {
            milestone.status = None;
        }
    }
    plan
}
