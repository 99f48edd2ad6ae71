//! Who watches the work on a tree: failures are counted, named and told, changes counted, progress shown.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use super::super::context::Context;
use super::output::{Learnt, Meter, look};
use super::tree::{Root, shown};
use crate::manifest::files::{self, New, Problem, Watch};
use crate::show::manifest::{Change, Failed, Progress, diff};

/// How many changes a dry run shows to people; programs get all.
const DIFFS: u64 = 20;

/// The audience of a verb that works on a tree. It is shared: what reads a document tells its failures here as well.
pub(super) struct Eyes<'a> {
    context: &'a Context,
    root: &'a Root,
    learnt: RefCell<Learnt>,
    meter: RefCell<Option<Meter<'a>>>,
    diffs: Cell<u64>,
    last: Cell<Progress>,
    /// For several goes over the same documents: what was changed and what failed, by a digest of the path.
    goes: Option<RefCell<Goes>>,
    /// Whether it is known beforehand how many documents there are.
    counted: bool,
}

impl<'a> Eyes<'a> {
    /// `counted`: the work says how many documents there are before it begins.
    pub(super) fn new(
        context: &'a Context,
        root: &'a Root,
        meter: Meter<'a>,
        counted: bool,
    ) -> Self {
        Self {
            context,
            root,
            learnt: RefCell::default(),
            meter: RefCell::new(Some(meter)),
            diffs: Cell::default(),
            last: Cell::default(),
            goes: None,
            counted,
        }
    }

    /// The work goes over the same documents several times, and each is to be told of once.
    pub(super) fn several(mut self) -> Self {
        self.goes = Some(RefCell::default());
        self
    }

    /// After several goes: how many documents were changed and did not fail.
    pub(super) fn changed_once(&self) -> Option<u64> {
        let goes = self.goes.as_ref()?.borrow();
        Some(goes.changed.difference(&goes.failed).count() as u64)
    }

    /// One more failure.
    pub(super) fn failed(
        &self,
        path: &Path,
        class: &str,
        message: String,
        place: Option<(usize, usize)>,
    ) {
        let failed = Failed {
            path: shown(&self.root.join(path)),
            class: class.to_owned(),
            message,
            place,
        };
        self.learnt.borrow_mut().push(self.context, failed);
    }

    /// Changes that were not shown as a diff, because there were too many for people.
    pub(super) fn not_shown(&self) -> u64 {
        if self.context.json() {
            return 0;
        }
        self.diffs.get().saturating_sub(DIFFS)
    }

    /// Takes the display away, and gives what was learnt.
    pub(super) fn close(self) -> Learnt {
        if let Some(meter) = self.meter.into_inner() {
            meter.end(self.last.get());
        }
        self.learnt.into_inner()
    }
}

/// Documents by a digest of their path: a million take some megabytes.
#[derive(Debug, Default)]
struct Goes {
    changed: HashSet<u64>,
    failed: HashSet<u64>,
}

fn digest(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The files side wants somebody whom it may change; this one only borrows.
impl Watch for &Eyes<'_> {
    fn problem(&mut self, problem: &Problem) {
        if let Some(goes) = &self.goes
            && !goes.borrow_mut().failed.insert(digest(&problem.path))
        {
            return;
        }
        self.failed(
            &problem.path,
            problem.class.name(),
            problem.message.clone(),
            problem.place,
        );
    }

    fn changed(&mut self, path: &Path, _from: &str, _to: &str) {
        if let Some(goes) = &self.goes {
            goes.borrow_mut().changed.insert(digest(path));
        }
    }

    fn would_change(&mut self, path: &Path, old: &[u8], new: &New) {
        self.diffs.set(self.diffs.get() + 1);
        if !self.context.json() && self.diffs.get() > DIFFS {
            return;
        }
        let path = shown(&self.root.join(path));
        let change = Change {
            path: &path,
            from: &new.from,
            to: &new.to,
            before: old,
            after: &new.text,
        };
        let context = self.context;
        if context.json() {
            context.print_json(&change.json());
            return;
        }
        let text = diff(&change, look(context));
        let print = || context.print(&text);
        match &*self.meter.borrow() {
            Some(meter) => meter.suspend(print),
            None => print(),
        }
    }

    fn progress(&mut self, progress: &files::Progress) {
        let progress = Progress {
            done: progress.done,
            total: self.counted.then_some(progress.total),
            failed: progress.failed,
        };
        self.last.set(progress);
        if let Some(meter) = &mut *self.meter.borrow_mut() {
            meter.show(progress);
        }
    }
}
