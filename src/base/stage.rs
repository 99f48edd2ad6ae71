//! How long the stages of a long job take, for whoever sets `ORCHESTRATE_LOG=orchestrate=debug`.

use std::time::Instant;

/// Does a piece of work, and logs how long it took if such logs are wanted.
pub fn stage<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return work();
    }
    let begun = Instant::now();
    let result = work();
    tracing::debug!(stage = name, took_us = begun.elapsed().as_micros());
    result
}
