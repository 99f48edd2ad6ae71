//! What steps wait for: known, never later, never in a circle.

use std::collections::{BTreeMap, HashMap};

use super::Context;
use crate::base::diagnostic::codes;

/// A node of the waiting graph: a step, or the end of all steps up to an order of a phase. The
/// latter keeps the graph linear in the number of steps.
#[derive(Debug, Clone, Copy)]
enum Node {
    Step(usize),
    Barrier,
}

struct StepAt<'a> {
    id: &'a str,
    pointer: String,
    order: i64,
}

pub(super) fn check(cx: &mut Context<'_>) {
    let mut steps: Vec<StepAt<'_>> = Vec::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut phase_of: Vec<i64> = Vec::new();
    for (pointer, phase) in cx.phases() {
        for (s, step) in phase.steps.iter().enumerate() {
            by_id.entry(&step.step_id).or_insert(steps.len());
            phase_of.push(phase.order);
            steps.push(StepAt {
                id: &step.step_id,
                pointer: format!("{pointer}/steps/{s}"),
                order: step.order,
            });
        }
    }
    let mut nodes: Vec<Node> = (0..steps.len()).map(Node::Step).collect();
    let mut waits: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    let mut index = 0;
    for (_, phase) in cx.phases() {
        let first = index;
        let mut orders: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (s, step) in phase.steps.iter().enumerate() {
            orders.entry(step.order).or_default().push(first + s);
        }
        let mut barrier: Option<usize> = None;
        for same in orders.values() {
            for at in same {
                let step = &phase.steps[at - first];
                match &step.depends_on {
                    None => waits[*at].extend(barrier),
                    Some(ids) => {
                        let here = (*at, phase.order);
                        depend(cx, &steps, &by_id, &phase_of, here, ids, &mut waits);
                    }
                }
            }
            let next = nodes.len();
            nodes.push(Node::Barrier);
            waits.push(same.iter().copied().chain(barrier).collect());
            barrier = Some(next);
        }
        index += phase.steps.len();
    }
    for cycle in cycles(&waits) {
        report(cx, &steps, &nodes, &cycle);
    }
}

fn depend(
    cx: &mut Context<'_>,
    steps: &[StepAt<'_>],
    by_id: &HashMap<&str, usize>,
    phase_of: &[i64],
    (at, phase_order): (usize, i64),
    ids: &[String],
    waits: &mut [Vec<usize>],
) {
    for (i, id) in ids.iter().enumerate() {
        let pointer = format!("{}/depends_on/{i}", steps[at].pointer);
        let Some(target) = by_id.get(id.as_str()).copied() else {
            cx.find(
                codes::UNKNOWN_REFERENCE,
                &pointer,
                format!("no step has the id `{id}`"),
                "`depends_on` names steps of this plan by `step_id`",
            );
            continue;
        };
        if phase_of[target] > phase_order {
            let other = format!("{}/step_id", steps[target].pointer);
            cx.find_with(
                codes::FORWARD_DEPENDENCY,
                &pointer,
                format!(
                    "`{}` waits for `{id}`, a step of a later phase",
                    steps[at].id
                ),
                (&other, "this step runs later"),
                "move one of the steps, or change the order of the phases",
            );
            continue;
        }
        waits[at].push(target);
    }
}

/// How many cycles are reported: whoever mends some of them looks again anyway.
const MOST: usize = 10;

/// The cycles of a graph, one for each knot, found without recursion.
fn cycles(waits: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; waits.len()];
    let mut found = Vec::new();
    for start in 0..waits.len() {
        if marks[start] != Mark::New {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        marks[start] = Mark::Open;
        while let Some((node, next)) = path.last_mut() {
            let Some(target) = waits[*node].get(*next).copied() else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::Open;
                    path.push((target, 0));
                }
                Mark::Open if found.len() < MOST => {
                    let from = path.iter().position(|(node, _)| *node == target);
                    found.push(
                        path[from.unwrap_or_default()..]
                            .iter()
                            .map(|(node, _)| *node)
                            .collect(),
                    );
                }
                Mark::Open | Mark::Done => {}
            }
        }
    }
    found
}

fn report(cx: &mut Context<'_>, steps: &[StepAt<'_>], nodes: &[Node], cycle: &[usize]) {
    let circle: Vec<usize> = cycle
        .iter()
        .filter_map(|node| match nodes[*node] {
            Node::Step(step) => Some(step),
            Node::Barrier => None,
        })
        .collect();
    let Some(first) = circle.first() else {
        return;
    };
    let mut names: Vec<String> = circle
        .iter()
        .chain([first])
        .map(|step| format!("`{}`", steps[*step].id))
        .collect();
    if names.len() > 12 {
        let left_out = names.len() - 11;
        names.splice(10..names.len() - 1, [format!("({left_out} more)")]);
    }
    let path = names.join(" waits for ");
    let by_order = circle.len() < cycle.len();
    let help = if by_order {
        let orders = circle
            .iter()
            .take(10)
            .map(|step| format!("`{}` has order {}", steps[*step].id, steps[*step].order))
            .collect::<Vec<_>>()
            .join(", ");
        format!("a step without `depends_on` waits for all lower orders: {orders}")
    } else {
        "remove one of these dependencies".to_owned()
    };
    let pointer = format!("{}/depends_on", steps[*first].pointer);
    cx.find(
        codes::DEPENDENCY_CYCLE,
        &pointer,
        format!("these steps wait for each other: {path}"),
        help,
    );
}
