//! Many moments at which something is killed, several tried at a time.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many moments are tried: `ORCHESTRATE_KILLS`, else this many.
pub(crate) fn moments(default: usize) -> usize {
    std::env::var("ORCHESTRATE_KILLS").map_or(default, |n| n.parse().unwrap())
}

/// Tries each of so many moments, some together, and names the moment of a failure.
pub(crate) fn each_moment(together: usize, count: usize, one: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..together {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count || !failed.lock().unwrap().is_empty() {
                        return;
                    }
                    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(i)));
                    if result.is_err() {
                        failed.lock().unwrap().push(i);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "moments that failed: {failed:?}");
}

/// The moments of a run of this length, spread evenly.
pub(crate) fn moment(length: Duration, i: usize, count: usize) -> Duration {
    length.mul_f64(i as f64 / count as f64)
}
