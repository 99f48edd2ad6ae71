//! Durations, windows, percentages, thresholds and ranges as people write them.
//!
//! Everything here is pure: text in, a typed quantity or [`NotUnderstood`] out. Nothing reads the clock; whoever asks
//! about an instant passes it. Each quantity prints in a short form that parses back to the same quantity.
//!
//! * [`duration`]: "30 minutes", "2-3 hours", "3 days observation"
//! * [`window`]: "Weekday 10am-4pm EST", and whether an instant lies inside
//! * [`number`]: "0.5%", "< 0.1%", "0-0.1%", and comparing a measured number with them
//! * [`frequency`]: "every 15 minutes", "hourly"

pub mod duration;
pub mod frequency;
pub mod number;
pub mod window;

pub use duration::HumanDuration;
pub use frequency::Frequency;
pub use number::{Amount, Comparator, Percentage, Range, Side, Threshold, Unit};
pub use window::{ClockChange, Occurrence, Window, WindowVerdict};

/// A text that is not a quantity of the wanted kind.
///
/// The message carries the text, the reason, and texts that would have been understood, so that a finding can show all
/// three without knowing the kind of quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "understand {text:?} as {wanted}: {because} (understood are, for example, {})",
    examples.join(", ")
)]
pub struct NotUnderstood {
    /// The text as it was given.
    pub text: String,
    /// What was wanted, with its article: "a duration".
    pub wanted: &'static str,
    /// What is in the way.
    pub because: String,
    /// Texts of this kind that are understood.
    pub examples: &'static [&'static str],
}

/// Spaces of every kind become one space, dashes of every kind become `-`, the ends are trimmed.
///
/// People paste from documents; a no-break space or an en dash must not change what a text means.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => tidied.push('-'),
            other if other.is_whitespace() => {
                if !tidied.ends_with(' ') {
                    tidied.push(' ');
                }
            }
            other => tidied.push(other),
        }
    }
    tidied
}

/// Serialises a quantity as the text that parses back to it.
macro_rules! as_text {
    ($quantity:ty) => {
        impl std::str::FromStr for $quantity {
            type Err = $crate::base::quantity::NotUnderstood;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $quantity {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $quantity {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text =
                    <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
use as_text;
