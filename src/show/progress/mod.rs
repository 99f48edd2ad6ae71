//! Watching a run while it goes on: plain lines, a live display, or JSON lines.

mod frame;
mod json;
mod live;
mod plain;
#[cfg(test)]
mod tests;

pub use frame::{Frame, Manifests, Outputs, frame};
pub use json::{JsonAudience, json_line};
pub use live::{LiveAudience, Size};
pub use plain::PlainAudience;
