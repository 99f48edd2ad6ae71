//! The meaning rules: what a reviewer would object to.
//!
//! A rule is an error only where the run could not start or would act wrongly, a warning where a
//! reviewer would object, else a note. Rules look at the plan and at the files beside it; they run
//! nothing. Each family has a file of its own, and each rule a code, a plan that triggers it and a
//! near miss under `tests/plans`.

mod allow;
mod approvals;
mod catalogues;
mod channels;
mod checks;
mod claims;
mod commands;
mod completeness;
mod cycles;
mod datasets;
mod expressions;
mod files;
mod gates;
mod hollow;
mod ids;
pub mod lint;
mod manifests;
mod metrics;
mod moments;
mod names;
mod outcomes;
mod probes;
mod references;
mod removals;
mod risks;
mod safety;
mod schedule;
mod scripts;
mod sentences;
mod shell;
mod slips;
mod times;
mod timing;
mod undo;
mod variables;
mod words;

pub use allow::allow;
pub use manifests::migration_files;
pub use safety::{Explored, explored};

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use crate::base::config::{Config, ConfigFile};
use crate::base::diagnostic::{Code, Finding, Location, sort};
use crate::plan::condition::Index;
use crate::plan::load::Loaded;
use crate::plan::model::{Phase, Plan, Step};
use crate::plan::program::{Program, names as names_of};
use crate::plan::source::join;

/// What a review knows beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// When the review takes place: deadlines are judged by it.
    pub now: Timestamp,
    /// The operator's configuration: people, channels, connections.
    pub config: &'a Config,
}

/// Everything that the rules find in what the author wrote, ordered by place.
#[must_use]
pub fn review(loaded: &Loaded, surroundings: Surroundings<'_>) -> Vec<Finding> {
    let mut cx = Context::new(loaded, surroundings);
    ids::check(&mut cx);
    names::check(&mut cx);
    references::check(&mut cx);
    cycles::check(&mut cx);
    scripts::check(&mut cx);
    commands::check(&mut cx);
    shell::check(&mut cx);
    moments::check(&mut cx);
    expressions::check(&mut cx);
    approvals::check(&mut cx);
    claims::check(&mut cx);
    outcomes::check(&mut cx);
    checks::check(&mut cx);
    gates::check(&mut cx);
    undo::check(&mut cx);
    files::check(&mut cx);
    manifests::check(&mut cx);
    times::check(&mut cx);
    sentences::check(&mut cx);
    metrics::check(&mut cx);
    channels::check(&mut cx);
    risks::check(&mut cx);
    completeness::check(&mut cx);
    catalogues::check(&mut cx);
    probes::check(&mut cx);
    variables::check(&mut cx);
    hollow::check(&mut cx);
    slips::check(&mut cx);
    cx.sorted()
}

/// Everything that only the lowered plan shows, ordered by place: what a run would do with it.
///
/// `program` is `loaded` as [`lower`](crate::plan::program::lower) gives it.
#[must_use]
pub fn review_program(
    loaded: &Loaded,
    program: &Program,
    surroundings: Surroundings<'_>,
) -> Vec<Finding> {
    let mut cx = Context::new(loaded, surroundings);
    safety::check(&mut cx, program);
    removals::check(&mut cx, program);
    schedule::check(&mut cx, program);
    cx.sorted()
}

/// What a rule sees, and where it puts what it finds.
struct Context<'a> {
    loaded: &'a Loaded,
    surroundings: Surroundings<'a>,
    /// The names that sentences may mention, made when the first rule asks.
    index: OnceCell<Rc<Index>>,
    findings: Vec<Finding>,
}

impl<'a> Context<'a> {
    fn new(loaded: &'a Loaded, surroundings: Surroundings<'a>) -> Self {
        Self {
            loaded,
            surroundings,
            index: OnceCell::new(),
            findings: Vec::new(),
        }
    }

    fn sorted(mut self) -> Vec<Finding> {
        sort(&mut self.findings);
        self.findings
    }

    fn plan(&self) -> &'a Plan {
        &self.loaded.plan
    }

    fn folder(&self) -> &'a Path {
        self.loaded.folder()
    }

    fn config(&self) -> &'a ConfigFile {
        &self.surroundings.config.values
    }

    /// The names that sentences of the plan may mention.
    fn index(&self) -> Rc<Index> {
        Rc::clone(
            self.index
                .get_or_init(|| Rc::new(names_of(&self.loaded.plan))),
        )
    }

    /// Whether the plan or the place asks that nobody approves his own work.
    fn separates_duties(&self) -> bool {
        self.plan().separation_of_duties == Some(true)
            || self.config().policy.separation_of_duties == Some(true)
    }

    /// Whether every environment that the plan knows is for practice: what production asks for is then only worth
    /// knowing.
    fn is_practice(&self) -> bool {
        let environments = &self.plan().environments;
        !environments.is_empty()
            && environments
                .values()
                .all(|environment| environment.production == Some(false))
    }

    fn locate(&self, pointer: &str) -> Location {
        self.loaded.arena.locate(pointer)
    }

    /// A finding at a value, with the way out.
    fn find(
        &mut self,
        code: Code,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Finding::new(code, self.locate(pointer), message).help(help);
        self.findings.push(finding);
    }

    /// A finding at a value that has to do with another one.
    fn find_with(
        &mut self,
        code: Code,
        pointer: &str,
        message: impl Into<String>,
        (other, label): (&str, &str),
        help: impl Into<String>,
    ) {
        let finding = Finding::new(code, self.locate(pointer), message)
            .label(self.locate(other), label)
            .help(help);
        self.findings.push(finding);
    }

    /// One finding for a slip made in several places: the first is underlined, a few more are labelled.
    fn find_all(
        &mut self,
        code: Code,
        pointers: &[String],
        label: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        const SHOWN: usize = 5;
        let Some((first, others)) = pointers.split_first() else {
            return;
        };
        let mut finding = Finding::new(code, self.locate(first), message).help(help);
        for other in others.iter().take(SHOWN) {
            finding = finding.label(self.locate(other), label);
        }
        self.findings.push(finding);
    }

    /// Phases with their pointers.
    fn phases(&self) -> impl Iterator<Item = (String, &'a Phase)> + use<'a> {
        self.plan()
            .migration_phases
            .iter()
            .enumerate()
            .map(|(p, phase)| (join("/migration_phases", p), phase))
    }

    /// Steps with their pointers.
    fn steps(&self) -> impl Iterator<Item = (String, &'a Step)> + use<'a> {
        self.phases().flat_map(|(pointer, phase)| {
            phase
                .steps
                .iter()
                .enumerate()
                .map(move |(s, step)| (format!("{pointer}/steps/{s}"), step))
        })
    }
}
