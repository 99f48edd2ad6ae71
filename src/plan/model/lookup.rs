//! Finding phases and steps by what people call them.

use super::Plan;

/// A phase or step of a plan, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A phase.
    Phase(usize),
    /// A step: the phase's index, then its own.
    Step(usize, usize),
}

impl Plan {
    /// The phase or step that a text names: an id, `Phase <order>`, or a phase's or step's name;
    /// ids match exactly, the rest ignores case. `None` when nothing, or no single thing, is meant.
    #[must_use]
    pub fn place(&self, text: &str) -> Option<Place> {
        let text = text.trim();
        let phases = self.migration_phases.iter().enumerate();
        for (p, phase) in phases.clone() {
            if phase.phase_id == text {
                return Some(Place::Phase(p));
            }
            if let Some(s) = phase.steps.iter().position(|step| step.step_id == text) {
                return Some(Place::Step(p, s));
            }
        }
        let lower = text.to_lowercase();
        let order = lower
            .strip_prefix("phase ")
            .and_then(|rest| rest.trim().parse::<i64>().ok());
        if let Some(order) = order {
            return phases
                .clone()
                .find(|(_, phase)| phase.order == order)
                .map(|(p, _)| Place::Phase(p));
        }
        let mut named = phases.clone().filter_map(|(p, phase)| {
            (phase.name.to_lowercase() == lower).then_some(Place::Phase(p))
        });
        if let Some(first) = named.next() {
            return named.next().is_none().then_some(first);
        }
        let mut named = phases.flat_map(|(p, phase)| {
            let lower = lower.as_str();
            phase.steps.iter().enumerate().filter_map(move |(s, step)| {
                (step.name.to_lowercase() == lower).then_some(Place::Step(p, s))
            })
        });
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }
}
