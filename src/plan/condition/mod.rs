//! Conditions and facts: parsed once, typed, judged pass, fail or inconclusive.
//!
//! A check that an author wrote as a string is understood once, here, in the order of SPEC section 2: a condition over
//! a defined metric, a fact about the run, covered by something that runs in the same block, or for a person to attest.
//! Nothing here runs anything: a [`Condition`] is judged over a measured number, a [`Fact`] is looked up by whoever
//! knows the run, and a `when:` [`Expression`] is evaluated over facts that the caller passes.

mod comparison;
mod counts;
mod expression;
mod fact;
mod index;
mod prose;
mod split;

use serde::{Deserialize, Serialize};

pub use comparison::{Condition, ConditionError};
pub use counts::{COUNTS, Count, counts, word};
pub use expression::{Expression, FACT_ROOTS, SyntaxError, check_syntax, judge};
pub use fact::Fact;
pub use index::{Index, Metric};
pub use prose::is_time_bound;

/// What a probe, a condition or an expression says (SPEC section 2: three verdicts).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Judgement {
    /// It holds. Only this opens anything.
    Pass,
    /// It does not hold.
    Fail,
    /// It cannot be said; never opens a gate, never triggers a rollback.
    Inconclusive {
        /// Why, as a clause for a sentence: "the metric reported no number".
        why: String,
    },
}

impl Judgement {
    /// Whether it is a pass.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        matches!(self, Self::Pass)
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Pass } else { Self::Fail }
    }

    fn inconclusive(why: impl Into<String>) -> Self {
        Self::Inconclusive { why: why.into() }
    }
}

/// What stands in the same block as a check and is evidence for it when it succeeds: `validation_script`,
/// `test_dataset_ids`, `test_dataset_id`, `validation_required` (SPEC section 2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockEvidence {
    /// How each is named to people: "scripts/validate.sh", "DATA-MIG-TEST-001".
    pub covered_by: Vec<String>,
}

/// What a check string means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Understanding {
    /// A condition over a defined metric.
    Condition(Condition),
    /// A fact about the run.
    Fact(Fact),
    /// A comparison of what a manifest migration counted (`manifest.failed == 0`): an expression.
    Counts(String),
    /// The block's own evidence stands for it. Printed "covered by X", never "passed".
    Covered {
        /// The evidence, in the order given.
        by: Vec<String>,
    },
    /// A person says so.
    Attest,
}

/// Why a reviewer should look at a string that was understood as prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// It is shaped like a condition, but no metric has that name.
    UndefinedMetric {
        /// The name as written.
        name: String,
    },
    /// It is a condition over a defined metric but for its right side.
    UnclearThreshold {
        /// The metric.
        metric: String,
        /// What is wrong with the right side.
        because: String,
    },
    /// It is shaped like a fact, but the plan has no such step, phase or gate.
    UnknownReference {
        /// The name as written.
        name: String,
    },
    /// It is shaped like a fact over a name that several things share.
    AmbiguousName {
        /// The name as written.
        name: String,
        /// What it may mean, one fact each.
        candidates: Vec<Fact>,
    },
    /// It names the gate of a phase that has none, which nobody could ever satisfy.
    NoGate {
        /// The phase's id.
        phase: String,
    },
}

/// Understands a check string in the order of SPEC section 2.
///
/// Names match whole, ignoring case, spaces, `_` and `-`. Time-bound prose ("for 48 hours", "no complaints") is never
/// covered: a script that ran once says nothing about it.
///
/// ```
/// use orchestrate::plan::condition::{BlockEvidence, Fact, Index, Understanding, understand};
/// let mut index = Index::default();
/// index.add_step("STEP-3-1", "Enable for internal users");
/// let nothing = BlockEvidence::default();
/// assert_eq!(
///     understand("STEP-3-1 successful", &nothing, &index),
///     Understanding::Fact(Fact::StepSucceeded("STEP-3-1".into())),
/// );
/// assert_eq!(understand("Backup completed", &nothing, &index), Understanding::Attest);
/// ```
#[must_use]
pub fn understand(text: &str, block: &BlockEvidence, index: &Index) -> Understanding {
    if let comparison::Reading::Condition(condition) = comparison::read(text, index) {
        return Understanding::Condition(condition);
    }
    if let fact::Reading::Fact(fact) = fact::read(text, index) {
        return Understanding::Fact(fact);
    }
    if let Some(expression) = counts::sentence(text) {
        return Understanding::Counts(expression);
    }
    if block.covered_by.is_empty() || is_time_bound(text) {
        return Understanding::Attest;
    }
    Understanding::Covered {
        by: block.covered_by.clone(),
    }
}

/// What a reviewer should be told about a string that [`understand`] took for prose; none if it is plain prose, or no
/// prose at all.
#[must_use]
pub fn doubt(text: &str, index: &Index) -> Option<Doubt> {
    if counts::sentence(text).is_some() {
        return None;
    }
    match (comparison::read(text, index), fact::read(text, index)) {
        (comparison::Reading::Condition(_), _) | (_, fact::Reading::Fact(_)) => None,
        (comparison::Reading::Doubt(doubt), _) | (_, fact::Reading::Doubt(doubt)) => Some(doubt),
        (comparison::Reading::Prose, fact::Reading::Prose) => None,
    }
}

/// Whether a text has the shape of a condition (words, a comparator, a number), whatever it is a condition over.
#[must_use]
pub fn looks_like_condition(text: &str) -> bool {
    comparison::shape(text).is_some()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;
