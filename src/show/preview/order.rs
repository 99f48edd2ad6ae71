//! Which steps of a phase may run at the same time.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::program::{After, Program};

/// Every step that each step of a phase waits for, directly or through others.
pub(super) struct Order {
    /// None where only `order` decides, as in most plans.
    before: Option<BTreeMap<usize, BTreeSet<usize>>>,
}

impl Order {
    pub(super) fn of(program: &Program, steps: &[usize]) -> Self {
        let exact = |&s: &usize| matches!(program.steps[s].after, After::Exactly(_));
        if !steps.iter().any(exact) {
            return Self { before: None };
        }
        let mut before = BTreeMap::new();
        for &from in steps {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(at) = open.pop() {
                let direct: Vec<usize> = match &program.steps[at].after {
                    After::Exactly(all) => all.clone(),
                    After::LowerOrders => steps
                        .iter()
                        .copied()
                        .filter(|&s| program.steps[s].order < program.steps[at].order)
                        .collect(),
                };
                open.extend(direct.into_iter().filter(|&s| seen.insert(s)));
            }
            before.insert(from, seen);
        }
        Self {
            before: Some(before),
        }
    }

    /// Whether two steps may run at the same time: neither waits for the other.
    pub(super) fn together(&self, program: &Program, a: usize, b: usize) -> bool {
        match &self.before {
            None => program.steps[a].order == program.steps[b].order,
            Some(before) => {
                let waits = |x: usize, y: usize| before.get(&x).is_some_and(|s| s.contains(&y));
                !waits(a, b) && !waits(b, a)
            }
        }
    }
}
