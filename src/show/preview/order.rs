//! Which steps of a phase may run at the same time.

use crate::plan::program::{After, Program};
use crate::plan::schedule::Waits;

/// What each step of a phase waits for.
pub(super) struct Order {
    /// None where only `order` decides, as in most plans.
    waits: Option<Waits>,
}

impl Order {
    pub(super) fn of(program: &Program, steps: &[usize]) -> Self {
        let exact = |&s: &usize| matches!(program.steps[s].after, After::Exactly(_));
        Self {
            waits: steps.iter().any(exact).then(|| Waits::of(program, steps)),
        }
    }

    /// Whether two steps may run at the same time: neither waits for the other.
    pub(super) fn together(&self, program: &Program, a: usize, b: usize) -> bool {
        match &self.waits {
            None => program.steps[a].order == program.steps[b].order,
            Some(waits) => !waits.either(a, b),
        }
    }
}
