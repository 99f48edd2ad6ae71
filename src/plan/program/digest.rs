//! The digest that approvals and certificates are bound to.

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
    let mut plan = plan.clone();
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
    Digest::of(&serde_json::to_vec(&plan).expect("plain data"))
}
