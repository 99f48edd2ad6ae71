//! Shares: "95%".

use std::fmt;

use super::{Amount, Unit};
use crate::base::quantity::{NotUnderstood, as_text, tidy};

const EXAMPLES: &[&str] = &["\"95%\"", "\"0.5 percent\""];

/// A share in hundredths (`min_pass: 95%`, `max_regression: 10%`). Never negative; may exceed 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentage(f64);

as_text!(Percentage);

impl Percentage {
    /// Reads a percentage. The sign must be there: `0.95` may mean 95% or less than one.
    ///
    /// # Errors
    ///
    /// No `%`, words after it, or a negative number.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let refuse = |because: String| NotUnderstood {
            text: text.to_owned(),
            wanted: "a percentage",
            because,
            examples: EXAMPLES,
        };
        let amount = Amount::read(&tidy(text).to_lowercase()).map_err(refuse)?;
        if amount.unit != Unit::Percent || !amount.label.is_empty() {
            return Err(refuse("it must be a number and a percent sign".to_owned()));
        }
        if amount.value < 0.0 {
            return Err(refuse("it is negative".to_owned()));
        }
        Ok(Self(amount.value))
    }

    /// The number before the sign: 95 for 95%.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0
    }

    /// The share: 0.95 for 95%.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}%", self.0)
    }
}
