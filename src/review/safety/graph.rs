//! Which states a run can reach, and from which of them there is a way on or a way back.

use std::collections::{HashMap, VecDeque};

use super::model::Model;
use super::walk::{Broken, Choice, Fork, Place};
use crate::plan::program::{Level, UndoUnit};
use crate::run::engine::Event;

/// Faults on one path: one, and one more while it is undone.
pub(super) const FAULTS: u8 = 2;

/// A state at which something is chosen.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) fork: Fork,
    /// How it was first reached: from which node, by what.
    pub(super) from: Option<(usize, Choice)>,
    /// The fewest faults on a path to it.
    pub(super) faults: u8,
    /// Whether what may happen here was tried.
    expanded: bool,
    /// Where each choice leads.
    pub(super) edges: Vec<(Choice, usize)>,
}

impl Node {
    /// A no that was said before is no second fault.
    fn is_new_fault(&self, choice: &Choice) -> bool {
        choice.is_fault() && !self.place.repeats(choice)
    }
}

/// An undo that met a wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halt {
    /// The choice that led to it, and the node where that was made.
    pub(super) from: (usize, Choice),
    /// Where the run stands then.
    pub(super) to: usize,
    pub(super) level: Level,
    pub(super) unit: UndoUnit,
    pub(super) why: String,
}

/// Everything that was reached.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    index: HashMap<u64, usize>,
    /// Every undo that met a wall, in the order in which they were found.
    pub(super) halts: Vec<Halt>,
    /// Whether the bound cut something off.
    pub(super) cut: bool,
    /// Whether the engine refused what it had asked for. Never, hold the tests.
    pub(super) broken: bool,
}

impl Graph {
    /// Explores a model, visiting at most `most` states.
    pub(super) fn of(model: &Model, most: usize) -> Self {
        let mut graph = Self::default();
        let mut queue = VecDeque::new();
        let start = Place::start(&model.program)
            .and_then(|place| graph.arrive(model, place, None, 0, &mut queue));
        if start.is_err() {
            graph.broken = true;
            return graph;
        }
        graph.explore(model, most, &mut queue);
        // Rollbacks by hand are tried only where nothing else leads out.
        loop {
            let lost: Vec<usize> = graph
                .stranded(model)
                .into_iter()
                .filter(|&n| {
                    !graph.nodes[n]
                        .edges
                        .iter()
                        .any(|(choice, _)| matches!(choice, Choice::Rollback(..)))
                })
                .collect();
            let mut tried = false;
            for n in lost {
                for choice in graph.nodes[n].place.ways_back(model) {
                    tried = true;
                    graph.take(model, n, choice, &mut queue);
                }
            }
            if !tried {
                return graph;
            }
            // They have a share of their own: a bound that is used up must not absolve what is lost.
            let share = graph.nodes.len() + most;
            graph.explore(model, share, &mut queue);
        }
    }

    /// Breadth first, with fewer faults before more: the first path to a state is a shortest one.
    fn explore(&mut self, model: &Model, most: usize, queue: &mut VecDeque<(usize, u8)>) {
        let mut later: VecDeque<(usize, u8)> = VecDeque::new();
        loop {
            let Some((n, faults)) = queue.pop_front() else {
                if later.is_empty() {
                    return;
                }
                std::mem::swap(queue, &mut later);
                continue;
            };
            if self.nodes[n].expanded || self.nodes[n].faults < faults {
                continue;
            }
            if self.nodes.len() >= most {
                self.cut = true;
                queue.clear();
                return;
            }
            self.nodes[n].expanded = true;
            let rest = self.nodes[n].fork == Fork::Rest;
            if rest && self.nodes[n].place.is_well(&model.program) {
                continue;
            }
            for choice in self.nodes[n].place.choices(model, &self.nodes[n].fork) {
                if self.nodes[n].is_new_fault(&choice) {
                    if faults < FAULTS {
                        self.take(model, n, choice, &mut later);
                    }
                } else {
                    self.take(model, n, choice, queue);
                }
            }
        }
    }

    fn take(&mut self, model: &Model, n: usize, choice: Choice, queue: &mut VecDeque<(usize, u8)>) {
        let faults = self.nodes[n].faults + u8::from(self.nodes[n].is_new_fault(&choice));
        let mut place = self.nodes[n].place.clone();
        let arrived = place
            .choose(model, &choice)
            .and_then(|()| self.arrive(model, place, Some((n, choice.clone())), faults, queue));
        match arrived {
            Ok(to) => self.nodes[n].edges.push((choice, to)),
            // A rollback that makes no sense here is no way; anything else must be possible.
            Err(Broken) => self.broken |= !matches!(choice, Choice::Rollback(..)),
        }
    }

    /// Goes on to the next fork; the node there, new or known.
    fn arrive(
        &mut self,
        model: &Model,
        mut place: Place,
        from: Option<(usize, Choice)>,
        faults: u8,
        queue: &mut VecDeque<(usize, u8)>,
    ) -> Result<usize, Broken> {
        let mut halted = None;
        let fork = place.advance(&model.program, &mut |event| {
            if let Event::UnwindingHalted {
                level,
                unit: Some(unit),
                why,
            } = event
            {
                halted = Some((*level, unit.clone(), why.clone()));
            }
        })?;
        let key = place.key(&model.program, &fork);
        let known = self.index.get(&key).copied();
        let n = known.unwrap_or(self.nodes.len());
        if let (Some((level, unit, why)), Some(from)) = (halted, &from) {
            self.halts.push(Halt {
                from: from.clone(),
                to: n,
                level,
                unit,
                why,
            });
        }
        if known.is_some() {
            return Ok(n);
        }
        self.index.insert(key, n);
        self.nodes.push(Node {
            place,
            fork,
            from,
            faults,
            expanded: false,
            edges: Vec::new(),
        });
        queue.push_back((n, faults));
        Ok(n)
    }

    /// Rests from which no good choice leads to an end that nobody minds.
    pub(super) fn stranded(&self, model: &Model) -> Vec<usize> {
        let mut backwards: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut open: Vec<usize> = Vec::new();
        let mut well = vec![false; self.nodes.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            for (choice, to) in &node.edges {
                if choice.is_good() || node.place.repeats(choice) {
                    backwards[*to].push(n);
                }
            }
            // What the bound cut off is not judged.
            let unknown = !node.expanded;
            if unknown || (node.fork == Fork::Rest && node.place.is_well(&model.program)) {
                well[n] = true;
                open.push(n);
            }
        }
        while let Some(n) = open.pop() {
            for &before in &backwards[n] {
                if !well[before] {
                    well[before] = true;
                    open.push(before);
                }
            }
        }
        (0..self.nodes.len())
            .filter(|&n| !well[n] && self.nodes[n].fork == Fork::Rest)
            .collect()
    }

    /// Where a choice made at a node comes to a halt, if nothing else goes wrong.
    pub(super) fn halt_after(&self, n: usize, choice: &Choice) -> Option<&Halt> {
        let (mut n, mut choice) = (n, choice.clone());
        for _ in 0..self.nodes.len() {
            let found = self
                .halts
                .iter()
                .find(|halt| halt.from.0 == n && halt.from.1 == choice);
            if found.is_some() {
                return found;
            }
            n = self.nodes[n]
                .edges
                .iter()
                .find(|(c, _)| *c == choice)
                .map(|(_, to)| *to)?;
            let good = self.nodes[n].edges.iter().find(|(c, _)| c.is_good())?;
            if self.nodes[n].fork == Fork::Rest {
                return None;
            }
            choice = good.0.clone();
        }
        None
    }

    /// The choices that first led to a node, from the start, with the nodes at which they were made.
    pub(super) fn path(&self, mut n: usize) -> Vec<(usize, Choice)> {
        let mut path = Vec::new();
        while let Some((before, choice)) = &self.nodes[n].from {
            path.push((*before, choice.clone()));
            n = *before;
        }
        path.reverse();
        path
    }
}
