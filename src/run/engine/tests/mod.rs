//! The rules of a run, told as plans, scripts of outcomes, and the stories that follow from them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod forward;
mod gates;
mod manifest;
mod plans;
mod properties;
mod resume;
mod rollback;
mod sim;
mod uncertain;
mod words;
