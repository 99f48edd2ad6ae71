//! Laying out the steps of one phase: what waits for what, how early it can begin, how much slack it has.

use std::collections::HashMap;

use super::{Between, StepTime, Sum};
use crate::plan::program::{After, Program, Step};

/// What the steps of a phase come to.
pub(super) struct Laid {
    /// From the first beginning to the last end.
    pub(super) length: Between,
    /// The same as if nothing were watched, by the cautious figures.
    pub(super) work_ms: u64,
    /// The longest chain.
    pub(super) critical: Vec<usize>,
}

/// A step's own times, before anything is known of its neighbours.
pub(super) fn alone(step: &Step, left_out: bool, unknown_ms: Option<u64>) -> StepTime {
    let observed = step.observe.map(|observe| Between::exactly(observe.for_ms));
    let (work, watch) = match step.estimate {
        _ if left_out => (Some(Between::ZERO), Between::ZERO),
        // "3 days observation" and `observe: {for: 3 days}` say the same thing twice.
        Some(estimate) if estimate.watching => {
            (Some(Between::ZERO), observed.unwrap_or(estimate.into()))
        }
        estimate => (
            estimate
                .map(Between::from)
                .or(unknown_ms.map(Between::exactly)),
            observed.unwrap_or(Between::ZERO),
        ),
    };
    StepTime {
        start: Between::ZERO,
        sure: true,
        work,
        watch,
        end: Between::ZERO,
        slack_ms: 0,
        critical: false,
        undo: Sum::default(),
    }
}

/// The waiting graph of a phase. A barrier stands between each two orders, so that "every lower order" is one edge and
/// the graph stays linear.
struct Graph {
    /// Nodes that wait for this one.
    after: Vec<Vec<usize>>,
    /// How many nodes this one waits for.
    waits: Vec<usize>,
}

impl Graph {
    /// `steps` are those of a phase, by rising order.
    fn of(program: &Program, steps: &[usize]) -> Self {
        let mut graph = Self {
            after: vec![Vec::new(); steps.len()],
            waits: vec![0; steps.len()],
        };
        // Most plans name no step, and then no table is needed.
        let exact = |&s: &usize| matches!(program.steps[s].after, After::Exactly(_));
        let place: HashMap<usize, usize> = if steps.iter().any(exact) {
            steps.iter().enumerate().map(|(i, &s)| (s, i)).collect()
        } else {
            HashMap::new()
        };
        let mut barrier: Option<usize> = None;
        let mut first = 0;
        while first < steps.len() {
            let order = program.steps[steps[first]].order;
            let last = steps[first..]
                .iter()
                .position(|&s| program.steps[s].order != order)
                .map_or(steps.len(), |n| first + n);
            for (at, &step) in steps.iter().enumerate().take(last).skip(first) {
                match &program.steps[step].after {
                    After::LowerOrders => {
                        if let Some(barrier) = barrier {
                            graph.edge(barrier, at);
                        }
                    }
                    // Steps of earlier phases have ended when this phase begins.
                    After::Exactly(all) => {
                        for on in all.iter().filter_map(|s| place.get(s)) {
                            graph.edge(*on, at);
                        }
                    }
                }
            }
            let next = graph.after.len();
            graph.after.push(Vec::new());
            graph.waits.push(0);
            for at in first..last {
                graph.edge(at, next);
            }
            if let Some(barrier) = barrier {
                graph.edge(barrier, next);
            }
            barrier = Some(next);
            first = last;
        }
        graph
    }

    fn edge(&mut self, from: usize, to: usize) {
        self.after[from].push(to);
        self.waits[to] += 1;
    }

    /// Every node after all those it waits for. Nodes of a circle are left out.
    fn sorted(&self) -> Vec<usize> {
        let mut waits = self.waits.clone();
        let mut sorted: Vec<usize> = (0..waits.len()).filter(|&n| waits[n] == 0).collect();
        let mut next = 0;
        while next < sorted.len() {
            for &to in &self.after[sorted[next]] {
                waits[to] -= 1;
                if waits[to] == 0 {
                    sorted.push(to);
                }
            }
            next += 1;
        }
        sorted
    }
}

/// Which steps of a phase wait for which, directly or through others.
#[derive(Debug)]
pub struct Waits {
    place: HashMap<usize, usize>,
    /// By node, a bit for each step that comes before it.
    before: Vec<Vec<u64>>,
}

impl Waits {
    /// Of the steps of a phase, by rising order: indices into [`Program::steps`].
    #[must_use]
    pub fn of(program: &Program, steps: &[usize]) -> Self {
        let graph = Graph::of(program, steps);
        let mut before = vec![vec![0_u64; steps.len().div_ceil(64)]; graph.after.len()];
        for node in graph.sorted() {
            let mut own = std::mem::take(&mut before[node]);
            for &to in &graph.after[node] {
                for (into, from) in before[to].iter_mut().zip(&own) {
                    *into |= from;
                }
                if node < steps.len() {
                    before[to][node / 64] |= 1 << (node % 64);
                }
            }
            std::mem::swap(&mut before[node], &mut own);
        }
        Self {
            place: steps.iter().enumerate().map(|(i, &s)| (s, i)).collect(),
            before,
        }
    }

    /// Whether either of two steps waits for the other; not for steps of another phase.
    #[must_use]
    pub fn either(&self, a: usize, b: usize) -> bool {
        let (Some(&a), Some(&b)) = (self.place.get(&a), self.place.get(&b)) else {
            return false;
        };
        let bit = |x: usize, y: usize| self.before[x][y / 64] & (1 << (y % 64)) != 0;
        bit(a, b) || bit(b, a)
    }
}

/// Fills in the times of the steps of a phase that begins at `start`; `sure` says whether that is known.
pub(super) fn lay_out(
    program: &Program,
    steps: &[usize],
    (start, sure): (Between, bool),
    times: &mut [StepTime],
) -> Laid {
    let graph = Graph::of(program, steps);
    let nodes = graph.after.len();
    // What each node takes, and how much of it is work; a barrier takes no time.
    let own: Vec<(Between, u64)> = steps
        .iter()
        .map(|&step| {
            let work = times[step].work.unwrap_or_default();
            (work.plus(times[step].watch), work.max_ms)
        })
        .collect();
    let takes = |node: usize| own.get(node).copied().unwrap_or_default();
    let mut begins = vec![Between::ZERO; nodes];
    let mut works = vec![0_u64; nodes];
    let mut by: Vec<Option<usize>> = vec![None; nodes];
    let mut surely = vec![sure; nodes];
    let sorted = graph.sorted();
    let mut length = Between::ZERO;
    let mut work_ms = 0;
    let mut last: Option<(u64, usize)> = None;
    for &node in &sorted {
        let (own, own_work) = takes(node);
        let end = begins[node].plus(own);
        let work_end = works[node] + own_work;
        length = length.at_least(end);
        work_ms = work_ms.max(work_end);
        if node < steps.len() && last.is_none_or(|(latest, _)| end.max_ms >= latest) {
            last = Some((end.max_ms, node));
        }
        let known = steps.get(node).is_none_or(|&s| times[s].work.is_some());
        for &to in &graph.after[node] {
            surely[to] &= surely[node] && known;
            if by[to].is_none() || end.max_ms >= begins[to].max_ms {
                by[to] = Some(node);
            }
            begins[to] = begins[to].at_least(end);
            works[to] = works[to].max(work_end);
        }
    }
    // Backwards: the latest end of each node that delays nothing.
    let mut latest = vec![length.max_ms; nodes];
    for &node in sorted.iter().rev() {
        for &to in &graph.after[node] {
            let begins_by = latest[to].saturating_sub(takes(to).0.max_ms);
            latest[node] = latest[node].min(begins_by);
        }
    }
    let mut critical = Vec::new();
    let mut at = last.map(|(_, node)| node);
    while let Some(node) = at {
        critical.extend(steps.get(node));
        at = by[node];
    }
    critical.reverse();
    for (node, &step) in steps.iter().enumerate() {
        let time = &mut times[step];
        time.start = start.plus(begins[node]);
        time.sure = surely[node];
        time.end = time.start.plus(own[node].0);
        time.slack_ms = latest[node].saturating_sub(begins[node].max_ms + own[node].0.max_ms);
    }
    Laid {
        length,
        work_ms,
        critical,
    }
}
