//! The meaning rules: what a reviewer would object to.
//!
//! A rule is an error only where the run could not start or would act wrongly, a warning where a
//! reviewer would object, else a note. Rules look at the plan and at the files beside it; they run
//! nothing. Each family has a file of its own, and each rule a code, a plan that triggers it and a
//! near miss under `tests/plans`.

mod checks;
mod commands;
mod cycles;
mod files;
mod gates;
mod ids;
mod names;
mod references;
mod scripts;
mod support;
mod times;
mod undo;

use std::path::Path;

use crate::base::diagnostic::{Code, Finding, Location, sort};
use crate::plan::load::Loaded;
use crate::plan::model::{Phase, Plan, Step};
use crate::plan::source::join;

/// Everything that the rules find, ordered by place.
#[must_use]
pub fn review(loaded: &Loaded) -> Vec<Finding> {
    let mut cx = Context {
        loaded,
        findings: Vec::new(),
    };
    ids::check(&mut cx);
    names::check(&mut cx);
    references::check(&mut cx);
    cycles::check(&mut cx);
    scripts::check(&mut cx);
    commands::check(&mut cx);
    checks::check(&mut cx);
    gates::check(&mut cx);
    undo::check(&mut cx);
    files::check(&mut cx);
    support::check(&mut cx);
    times::check(&mut cx);
    let mut findings = cx.findings;
    sort(&mut findings);
    findings
}

/// What a rule sees, and where it puts what it finds.
struct Context<'a> {
    loaded: &'a Loaded,
    findings: Vec<Finding>,
}

impl<'a> Context<'a> {
    fn plan(&self) -> &'a Plan {
        &self.loaded.plan
    }

    fn folder(&self) -> &'a Path {
        self.loaded.folder()
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
