//! Limits: "< 0.1%", "99.99% match".

use std::fmt;

use super::{Amount, Comparator, Unit};
use crate::base::quantity::{NotUnderstood, as_text, tidy};

const EXAMPLES: &[&str] = &["\"< 0.1%\"", "\"<= 200 ms\"", "\"99.99% match\"", "\"> 0\""];

/// A limit: a number with a unit and, where one was written, the comparison that must hold.
///
/// `alert_threshold: "0.5%"` has no comparator; its direction comes from the normal range (SPEC section 7).
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The comparison, if one was written.
    pub comparator: Option<Comparator>,
    /// The limit.
    pub amount: Amount,
}

as_text!(Threshold);

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    ///
    /// The text does not begin with a number, with or without a comparator before it.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let tidied = tidy(text).to_lowercase();
        let (comparator, rest) = Comparator::at_start(&tidied)
            .map_or((None, tidied.as_str()), |(found, rest)| (Some(found), rest));
        Amount::read(rest)
            .map(|amount| Self { comparator, amount })
            .map_err(|because| NotUnderstood {
                text: text.to_owned(),
                wanted: "a threshold",
                because,
                examples: EXAMPLES,
            })
    }

    /// Whether a measured number satisfies this threshold, a missing comparator read as `otherwise`.
    ///
    /// None where that cannot be said: NaN, or units of different kinds.
    #[must_use]
    pub fn holds(&self, measured: f64, unit: &Unit, otherwise: Comparator) -> Option<bool> {
        let limit = self.amount.value_in(unit)?;
        self.comparator.unwrap_or(otherwise).holds(measured, limit)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(comparator) = self.comparator {
            write!(out, "{comparator} ")?;
        }
        self.amount.fmt(out)
    }
}
