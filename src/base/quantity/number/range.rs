//! Ranges: "0-0.1%", "100%", "< 200 ms".

use std::fmt;

use super::amount::leading_number;
use super::{Amount, Comparator, Unit};
use crate::base::quantity::{NotUnderstood, as_text, tidy};

const EXAMPLES: &[&str] = &["\"0-0.1%\"", "\"100%\"", "\"< 200 ms\"", "\"10 to 20\""];

/// Where a number lies with respect to a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Smaller than anything in the range.
    Below,
    /// In the range.
    Within,
    /// Larger than anything in the range.
    Above,
}

/// A range of numbers, open or closed at each end (`normal_range`).
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    unit: Unit,
}

as_text!(Range);

impl Range {
    /// Reads a range: `0-0.1%`, `10 to 20 ms`, one value (`100%`) or one bound (`< 200 ms`, `>= 99.9%`).
    ///
    /// # Errors
    ///
    /// No number is there, the range runs backwards, or its ends have units of different kinds.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        Self::read(&tidy(text).to_lowercase()).map_err(|because| NotUnderstood {
            text: text.to_owned(),
            wanted: "a range",
            because,
            examples: EXAMPLES,
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        if let Some((comparator, rest)) = Comparator::at_start(text) {
            let Amount { value, unit, .. } = Amount::read(rest)?;
            let (low, high) = match comparator {
                Comparator::Less => (None, Some((value, false))),
                Comparator::AtMost => (None, Some((value, true))),
                Comparator::Greater => (Some((value, false)), None),
                Comparator::AtLeast => (Some((value, true)), None),
                Comparator::Equal => (Some((value, true)), Some((value, true))),
                Comparator::NotEqual => return Err("\"not equal\" is no range".to_owned()),
            };
            return Ok(Self { low, high, unit });
        }
        let opened = ["between ", "from "]
            .iter()
            .find_map(|open| text.strip_prefix(open));
        let text = opened.unwrap_or(text);
        let (_, after) = leading_number(text).ok_or("no number stands there")?;
        let split = ["-", " to ", " and ", ".."].iter().find_map(|dash| {
            let at = after.find(dash)?;
            Some((text.len() - after.len() + at, dash.len()))
        });
        let Some((at, dash)) = split else {
            if opened.is_some() {
                return Err("it begins like a range, and has one end only".to_owned());
            }
            let Amount { value, unit, .. } = Amount::read(text)?;
            let point = Some((value, true));
            return Ok(Self {
                low: point,
                high: point,
                unit,
            });
        };
        let first = Amount::read(text[..at].trim())?;
        let second = Amount::read(text[at + dash..].trim())?;
        let low = if first.unit == Unit::None {
            first.value
        } else {
            first
                .value_in(&second.unit)
                .filter(|_| second.unit != Unit::None)
                .ok_or("its ends have units that cannot be converted")?
        };
        if low > second.value {
            return Err("the range runs backwards".to_owned());
        }
        Ok(Self {
            low: Some((low, true)),
            high: Some((second.value, true)),
            unit: second.unit,
        })
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Where a number in the range's own unit lies; none for NaN.
    #[must_use]
    pub fn side_of(&self, value: f64) -> Option<Side> {
        if value.is_nan() {
            return None;
        }
        if let Some((low, closed)) = self.low
            && (value < low || !closed && value <= low)
        {
            return Some(Side::Below);
        }
        if let Some((high, closed)) = self.high
            && (value > high || !closed && value >= high)
        {
            return Some(Side::Above);
        }
        Some(Side::Within)
    }

    /// Where an amount lies, its unit converted; none where the units differ in kind.
    #[must_use]
    pub fn side_of_amount(&self, amount: &Amount) -> Option<Side> {
        self.side_of(amount.value_in(&self.unit)?)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => write!(out, "{}{}", low.0, self.unit),
            (Some(low), Some(high)) => write!(out, "{} to {}{}", low.0, high.0, self.unit),
            (Some((low, closed)), None) => {
                write!(
                    out,
                    "{} {low}{}",
                    if closed { ">=" } else { ">" },
                    self.unit
                )
            }
            (None, Some((high, closed))) => {
                write!(
                    out,
                    "{} {high}{}",
                    if closed { "<=" } else { "<" },
                    self.unit
                )
            }
            (None, None) => Ok(()),
        }
    }
}
