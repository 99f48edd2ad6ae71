//! Conditions over metrics: "error_rate > 0.5%".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Doubt, Index, Judgement};
use crate::base::quantity::{Amount, Comparator, Threshold, Unit};

/// A comparison of a defined metric with a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The metric's key: its `id`, or its `metric_name` where it has no id.
    pub metric: String,
    /// How the measured number is compared with the limit.
    pub comparator: Comparator,
    /// The limit, with its unit and without further words.
    pub threshold: Amount,
    /// What the metric reports in; [`Unit::None`] if the plan does not say, then the threshold's unit is taken.
    pub unit: Unit,
}

impl Condition {
    /// Judges a number that the metric reported, in the metric's own unit.
    ///
    /// NaN, no number at all and units of different kinds are inconclusive (SPEC section 2).
    #[must_use]
    pub fn judge(&self, measured: Option<f64>) -> Judgement {
        let Some(measured) = measured else {
            return Judgement::inconclusive(format!(
                "the metric {} reported no number",
                self.metric
            ));
        };
        let Some(limit) = self.threshold.value_in(&self.unit) else {
            return Judgement::inconclusive(format!(
                "the metric {} reports in{} and the limit is {}, which cannot be compared",
                self.metric,
                match &self.unit {
                    Unit::Percent => " %".to_owned(),
                    unit => unit.to_string(),
                },
                self.threshold
            ));
        };
        self.comparator.holds(measured, limit).map_or_else(
            || Judgement::inconclusive(format!("the metric {} is not a number", self.metric)),
            Judgement::of,
        )
    }

    /// Reads the condition of a `metric:` probe or of a string that must be one.
    ///
    /// # Errors
    ///
    /// What keeps the text from being a condition over a metric of this plan.
    pub fn parse(text: &str, index: &Index) -> Result<Self, ConditionError> {
        match read(text, index) {
            Reading::Condition(condition) => Ok(condition),
            Reading::Doubt(Doubt::UndefinedMetric { name }) => {
                Err(ConditionError::UndefinedMetric { name })
            }
            Reading::Doubt(Doubt::UnclearThreshold { because, .. }) => {
                Err(ConditionError::Threshold { because })
            }
            Reading::Doubt(_) | Reading::Prose => Err(ConditionError::Shape {
                text: text.to_owned(),
            }),
        }
    }
}

/// Why a text is not a condition over a metric of the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// It is no comparison at all.
    #[error(
        "read {text:?} as a condition: write a metric, a comparator and a number, such as error_rate < 0.1%"
    )]
    Shape {
        /// The text as written.
        text: String,
    },
    /// No metric, or more than one, has that name.
    #[error(
        "find one metric named {name:?} under monitoring_and_observability.migration_monitoring"
    )]
    UndefinedMetric {
        /// The name as written.
        name: String,
    },
    /// The right side is not a plain number with a unit.
    #[error("read the limit of a condition: {because}")]
    Threshold {
        /// What is in the way.
        because: String,
    },
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {} {}",
            self.metric, self.comparator, self.threshold
        )
    }
}

pub(super) enum Reading {
    Condition(Condition),
    Doubt(Doubt),
    Prose,
}

/// Words, a comparator and a number, whatever they mean.
pub(super) fn shape(text: &str) -> Option<(String, Comparator, Amount)> {
    let (left, comparator, right) = Comparator::split(text)?;
    let limit = Threshold::parse(&right).ok()?;
    let has_letters = left.contains(char::is_alphabetic);
    (has_letters && limit.comparator.is_none()).then_some((left, comparator, limit.amount))
}

pub(super) fn read(text: &str, index: &Index) -> Reading {
    let text = text.trim().trim_end_matches('.');
    let Some((left, comparator, right)) = Comparator::split(text) else {
        return Reading::Prose;
    };
    let [metric] = index.metrics(&left) else {
        return match shape(text) {
            Some(_) => Reading::Doubt(Doubt::UndefinedMetric { name: left }),
            None => Reading::Prose,
        };
    };
    let unclear = |because: String| {
        Reading::Doubt(Doubt::UnclearThreshold {
            metric: metric.key.clone(),
            because,
        })
    };
    match Threshold::parse(&right) {
        Ok(Threshold {
            comparator: None,
            amount,
        }) if amount.label.is_empty() => {
            // "error rate over 5 minutes" is as likely a span of time as a limit.
            if metric.unit == Unit::None
                && matches!(amount.unit, Unit::Time(_))
                && text.to_lowercase().contains(" over ")
            {
                return unclear(format!(
                    "{amount} may be a limit or a time over which to look; write `>` for a limit, \
                     and give the metric a `unit`"
                ));
            }
            if amount.value_in(&metric.unit).is_none() {
                return unclear(format!(
                    "the metric's unit is{}, which cannot be compared with {amount}",
                    metric.unit
                ));
            }
            Reading::Condition(Condition {
                metric: metric.key.clone(),
                comparator,
                threshold: amount,
                unit: metric.unit.clone(),
            })
        }
        Ok(Threshold { amount, .. }) => unclear(format!(
            "{right:?} says more than a number and its unit ({:?})",
            amount.label
        )),
        Err(error) => unclear(error.because),
    }
}
