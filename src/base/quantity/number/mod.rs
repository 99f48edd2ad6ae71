//! Percentages, thresholds and ranges as people write them, and comparing a measured number with them.

mod amount;
mod comparator;
mod percentage;
mod range;
mod threshold;

pub use amount::{Amount, Unit};
pub use comparator::Comparator;
pub use percentage::Percentage;
pub use range::{Range, Side};
pub use threshold::Threshold;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;
