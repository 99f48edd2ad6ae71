//! The signals that ask the work on a tree to end soon.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::failure::Failure;

/// A flag that the first Ctrl-C, TERM or HUP sets: what has begun is finished and recorded. The second one ends the
/// process where it is, which the same command then mends.
pub(super) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the second signal finds the flag set and does what it does by default.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|error| Failure::io(format!("signals cannot be watched: {error}")))?;
    }
    Ok(flag)
}
