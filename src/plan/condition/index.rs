//! The names that a check string may mention.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Fact;
use crate::base::quantity::Unit;

/// A metric that the plan defines (`monitoring_and_observability.migration_monitoring`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// What identifies it from here on: its `id`, or its `metric_name` where it has no id.
    pub key: String,
    /// What it reports in, if the plan says so.
    pub unit: Unit,
}

/// A name without case, spaces, `_` and `-`.
pub(super) fn loose(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{2010}'..='\u{2015}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// A name without case, its spaces made single.
fn close(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Names and what they stand for. A closer spelling wins over a looser one: `STEP-1-11` and `STEP-11-1` are both
/// `step111` when dashes are ignored, and must not be mistaken for each other.
#[derive(Debug, Clone)]
struct Names<T> {
    close: HashMap<String, Vec<T>>,
    loose: HashMap<String, Vec<T>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            close: HashMap::new(),
            loose: HashMap::new(),
        }
    }
}

/// From how many meanings of one name on nobody looks for the same meaning among them.
const AMBIGUOUS: usize = 16;

impl<T: Clone + PartialEq> Names<T> {
    fn add(&mut self, name: &str, meaning: &T) {
        let loosely = loose(name);
        if loosely.is_empty() {
            return;
        }
        for (names, key) in [(&mut self.close, close(name)), (&mut self.loose, loosely)] {
            let meanings = names.entry(key).or_default();
            // Ambiguous beyond doubt: one more or less, or one twice, changes nothing, and thousands of steps of one name
            // must not be compared with each other.
            if meanings.len() >= AMBIGUOUS || !meanings.contains(meaning) {
                meanings.push(meaning.clone());
            }
        }
    }

    fn find(&self, name: &str) -> &[T] {
        self.close
            .get(&close(name))
            .or_else(|| self.loose.get(&loose(name)))
            .map_or(&[], Vec::as_slice)
    }
}

/// Something with an id that a check string may mention.
#[derive(Debug, Clone)]
enum Thing {
    Step {
        id: String,
        name: String,
    },
    Phase {
        id: String,
        order: i64,
        name: String,
    },
    Gate {
        id: String,
        name: Option<String>,
    },
}

/// Steps, phases and gates by every name that they have.
#[derive(Debug, Clone, Default)]
struct Things {
    ids: Names<Fact>,
    names: Names<Fact>,
    phases: Names<String>,
}

impl Things {
    fn of(things: &[Thing]) -> Self {
        let mut all = Self::default();
        for thing in things {
            all.add(thing);
        }
        all
    }

    fn add(&mut self, thing: &Thing) {
        match thing {
            Thing::Step { id, name } => {
                let fact = Fact::StepSucceeded(id.clone());
                for spelled in [id, &format!("step {id}")] {
                    self.ids.add(spelled, &fact);
                }
                for spelled in [name, &format!("step {name}")] {
                    self.names.add(spelled, &fact);
                }
            }
            Thing::Phase { id, order, name } => {
                let fact = Fact::PhaseSucceeded(id.clone());
                let by_order = format!("phase {order}");
                for spelled in [id, &by_order, &format!("phase {id}")] {
                    self.ids.add(spelled, &fact);
                    self.phases.add(spelled, id);
                }
                for spelled in [name, &format!("phase {name}")] {
                    self.names.add(spelled, &fact);
                    self.phases.add(spelled, id);
                }
            }
            Thing::Gate { id, name } => {
                let fact = Fact::GatePassed(id.clone());
                for spelled in [id, &format!("gate {id}")] {
                    self.ids.add(spelled, &fact);
                }
                if let Some(name) = name {
                    for spelled in [name, &format!("{name} gate"), &format!("gate {name}")] {
                        self.names.add(spelled, &fact);
                    }
                }
            }
        }
    }
}

/// The metrics, steps, phases and gates of a plan, by every name under which a check string may mention them.
///
/// Ids are plain text here; the caller knows which of its typed ids they are.
#[derive(Debug, Clone, Default)]
pub struct Index {
    metrics: Names<Metric>,
    things: Vec<Thing>,
    /// Made of `things` when the first sentence speaks of one: many plans have none that does.
    by_name: OnceLock<Things>,
    gated: Vec<String>,
}

impl Index {
    /// Adds a metric: its `id` if it has one, its `metric_name`, its `unit`.
    pub fn add_metric(&mut self, id: Option<&str>, name: &str, unit: Option<&str>) {
        let metric = Metric {
            key: id.unwrap_or(name).to_owned(),
            unit: unit.map_or(Unit::None, Unit::parse),
        };
        self.metrics.add(name, &metric);
        if let Some(id) = id {
            self.metrics.add(id, &metric);
        }
    }

    /// Adds a step by its id and its name.
    pub fn add_step(&mut self, id: &str, name: &str) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.add(Thing::Step { id, name });
    }

    /// Adds a phase by its id, its order ("Phase 1") and its name.
    pub fn add_phase(&mut self, id: &str, order: i64, name: &str) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.add(Thing::Phase { id, order, name });
    }

    /// Adds a gate by its id and its name. `phase` is the phase whose `validation_gate` it is, or whose end it stands
    /// at; none for a gate at a step.
    pub fn add_gate(&mut self, id: &str, name: Option<&str>, phase: Option<&str>) {
        let (id, name) = (id.to_owned(), name.map(str::to_owned));
        self.add(Thing::Gate { id, name });
        if let Some(phase) = phase {
            self.gated.push(phase.to_owned());
        }
    }

    fn add(&mut self, thing: Thing) {
        self.things.push(thing);
        self.by_name = OnceLock::new();
    }

    fn by_name(&self) -> &Things {
        self.by_name.get_or_init(|| Things::of(&self.things))
    }

    /// The metrics of that name; more than one if authors gave two the same.
    pub(super) fn metrics(&self, name: &str) -> &[Metric] {
        self.metrics.find(name)
    }

    /// The facts that a name may stand for. An id wins over a name.
    pub(super) fn facts(&self, name: &str) -> &[Fact] {
        let things = self.by_name();
        match things.ids.find(name) {
            [] => things.names.find(name),
            found => found,
        }
    }

    /// The phases of that id, order or name.
    pub(super) fn phases(&self, name: &str) -> &[String] {
        self.by_name().phases.find(name)
    }

    /// Whether a phase has a gate.
    pub(super) fn has_gate(&self, phase: &str) -> bool {
        self.gated.iter().any(|gated| gated == phase)
    }
}
