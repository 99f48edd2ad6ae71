//! Safety: states of a run from which there is neither a way forward nor a way back.

use super::Context;
use crate::plan::program::Program;

/// Walks the program.
pub(super) fn check(cx: &mut Context<'_>, program: &Program) {
    let _ = (cx, program);
}
