//! What is left of a plan whose shape is wrong, and what may truly be said of it.
//!
//! The document is looked at and mended until it fits the types. Everything found on the way is
//! reported; what the rules find afterwards is left out where it may only follow from the mending:
//! a finding that goes away with another one is noise.

use std::collections::HashSet;

use super::Loaded;
use super::mend::{Mend, Mended, STAND_IN, is_name};
use super::shape;
use super::typed::{self, Misfit};
use crate::base::diagnostic::{Code, Finding, codes, sort};
use crate::plan::model::Plan;
use crate::plan::source::{Arena, Kind, NodeId, join};

/// How often a document is mended and looked at again: misspelt keys hide what is below them, so
/// each level may need a look of its own.
const MOST_LOOKS: usize = 40;

/// A plan with errors in its shape, mended so that the rules can be asked about the rest of it.
///
/// It can be looked at, and cannot be taken out: nothing may run what is not what its author wrote.
#[derive(Debug)]
pub struct Salvaged {
    loaded: Loaded,
    mended: Mended,
}

impl Salvaged {
    /// The mended plan. Pointers into it are not those of the file; [`Salvaged::keep`] translates.
    #[must_use]
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The plan, for when nothing was found to be wrong with it after all.
    pub(super) fn into_loaded(self) -> Loaded {
        self.loaded
    }

    /// Whether the mended plan says all that its author meant, as far as that can be told. Only
    /// then is it worth walking it as a whole.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.mended.touched.is_empty()
    }

    /// Of findings about the mended plan those that hold for the plan as it is written, at the
    /// pointers that it has there.
    #[must_use]
    pub fn keep(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let places = Places::of(&self.mended);
        let arena = &self.loaded.arena;
        findings.retain_mut(|finding| {
            let places_of_it = std::iter::once(&mut finding.primary)
                .chain(finding.labels.iter_mut().map(|label| &mut label.location));
            for place in places_of_it {
                place.pointer = self.mended.original(arena, &place.pointer);
            }
            !places.explain(finding)
        });
        findings
    }
}

/// Where a mended plan does not say what its author meant.
struct Places<'a> {
    touched: HashSet<&'a str>,
    /// Mappings and lists around them, up to the item of a list or the section they belong to.
    around: HashSet<&'a str>,
    /// Whether names may be gone that others refer to.
    names: bool,
}

impl<'a> Places<'a> {
    fn of(mended: &'a Mended) -> Self {
        let mut around = HashSet::new();
        for place in &mended.touched {
            let mut here = place.pointer.as_str();
            while let Some((above, _)) = here.rsplit_once('/') {
                around.insert(above);
                here = above;
                let is_item = above
                    .rsplit_once('/')
                    .is_none_or(|(_, token)| token.bytes().all(|b| b.is_ascii_digit()));
                if is_item {
                    break;
                }
            }
        }
        Self {
            touched: mended.touched.iter().map(|t| &*t.pointer).collect(),
            around,
            names: mended.touched.iter().any(|touched| touched.names),
        }
    }

    /// Whether a finding may follow from what was left out or stood in for.
    fn explain(&self, finding: &Finding) -> bool {
        if self.touched.is_empty() {
            return false;
        }
        let pointers = || {
            std::iter::once(&finding.primary)
                .chain(finding.labels.iter().map(|label| &label.location))
                .map(|place| place.pointer.as_str())
        };
        let speaks = |text: &str| text.contains(STAND_IN);
        if speaks(&finding.message)
            || finding.help.as_deref().is_some_and(speaks)
            || finding.labels.iter().any(|label| speaks(&label.message))
            || finding.story.iter().any(|line| speaks(line))
        {
            return true;
        }
        if pointers().any(|pointer| self.is_touched(pointer)) {
            return true;
        }
        if self.names && is_about_others(finding.code) {
            return true;
        }
        !is_about_itself(finding.code)
            && pointers().any(|pointer| {
                let above = pointer.rsplit_once('/').map(|(above, _)| above);
                self.around.contains(pointer)
                    || above.is_some_and(|above| self.around.contains(above))
            })
    }

    fn is_touched(&self, pointer: &str) -> bool {
        let mut here = pointer;
        loop {
            if self.touched.contains(here) {
                return true;
            }
            match here.rsplit_once('/') {
                Some((above, _)) => here = above,
                None => return false,
            }
        }
    }
}

/// Whether findings of this code say something about a value that stands there, whatever else the
/// plan says.
fn is_about_itself(code: Code) -> bool {
    const OTHERS: [Code; 22] = [
        codes::DUPLICATE_ID,
        codes::BAD_ID,
        codes::DUPLICATE_ORDER,
        codes::DEPENDENCY_CYCLE,
        codes::FORWARD_DEPENDENCY,
        codes::UNKNOWN_REFERENCE,
        codes::UNKNOWN_MENTION,
        codes::BAD_EXPRESSION,
        codes::UNCLEAR_CHECK,
        codes::SCRIPT_MISSING,
        codes::SCRIPT_CANNOT_RUN,
        codes::SQL_AS_COMMAND,
        codes::PROSE_AS_COMMAND,
        codes::FOLDER_MISSING,
        codes::DATASET_MISSING,
        codes::LINKED_FILE_MISSING,
        codes::NOT_EXECUTED,
        codes::ENVIRONMENT_INVALID,
        codes::TIME_UNCLEAR,
        codes::TIMEOUT_INVALID,
        codes::INCLUDE_CONFLICT,
        codes::INCLUDE_CYCLE,
    ];
    let text = code.as_str();
    OTHERS.contains(&code)
        || ["OR00", "OR01", "OR12", "OR13"]
            .iter()
            .any(|f| text.starts_with(f))
}

/// Whether findings of this code put one part of the plan against another.
fn is_about_others(code: Code) -> bool {
    const SOME: [Code; 12] = [
        codes::TRUE_BY_CHANCE,
        codes::UNKNOWN_REFERENCE,
        codes::DEPENDENCY_CYCLE,
        codes::FORWARD_DEPENDENCY,
        codes::UNKNOWN_MENTION,
        codes::BAD_EXPRESSION,
        codes::UNCLEAR_CHECK,
        codes::SQL_WITHOUT_CONNECTION,
        codes::SAME_SCRIPT,
        codes::GATE_LOCATION,
        codes::GATE_ROLLBACK_IMPOSSIBLE,
        codes::DATASETS_DIR,
    ];
    let text = code.as_str();
    let times =
        text.starts_with("OR08") && ![codes::TIME_UNCLEAR, codes::TIMEOUT_INVALID].contains(&code);
    SOME.contains(&code) || times || ["OR09", "OR10", "OR11"].iter().any(|f| text.starts_with(f))
}

/// A document on its way to a [`Salvaged`] plan.
pub(super) struct Salvage {
    findings: Vec<Finding>,
    mended: Mended,
}

impl Salvage {
    /// Begins with what reading the files found: `written` of the findings are about the plan's own
    /// text, the others about what it includes.
    pub(super) fn new(arena: &Arena, findings: Vec<Finding>, written: usize) -> Self {
        let mut mended = Mended::default();
        for (at, finding) in findings.iter().enumerate() {
            if at >= written {
                // What could not be included is not known, down to whole sections.
                mended.touch("/includes/0".to_owned(), true);
                mended.unsure.insert(String::new());
                continue;
            }
            let pointer = finding.primary.pointer.clone();
            match finding.code {
                codes::DUPLICATE_KEY => {
                    let key = pointer.rsplit('/').next().unwrap_or_default();
                    let first = arena.node(arena.follow(&pointer).node);
                    let plain = !matches!(first.kind, Kind::List(_) | Kind::Map(_));
                    let names = is_name(key) || !plain;
                    mended.touch(pointer, names);
                }
                // One side of a merge was read.
                codes::SYNTAX => {}
                codes::UNKNOWN_TAG => mended.touch(pointer, false),
                codes::RECURSIVE_ALIAS => {
                    if let Some((above, _)) = pointer.rsplit_once('/') {
                        mended.unsure.insert(above.to_owned());
                    }
                    mended.touch(pointer, true);
                }
                codes::KEY_NOT_TEXT => {
                    // Its mapping may have been meant to be something else, and that is said already.
                    mended.touch(join(&pointer, "?"), true);
                    mended.taken.insert(pointer);
                }
                _ => {
                    mended.touch(join(&pointer, "<<"), true);
                    mended.unsure.insert(pointer);
                }
            }
        }
        Self { findings, mended }
    }

    /// Looks and mends until the types can be filled.
    pub(super) fn run(
        mut self,
        mut arena: Arena,
        loaded: impl FnOnce(Plan, Arena) -> Loaded,
    ) -> (Vec<Finding>, Option<Salvaged>) {
        let mut said: HashSet<(Code, String, String)> = HashSet::new();
        let mut misfit: Option<Misfit> = None;
        let mut plan = None;
        for _ in 0..MOST_LOOKS {
            let mends = match misfit.take() {
                Some(misfit) => self.misfit(&arena, &misfit),
                None => self.look(&arena, &mut said),
            };
            if !mends.is_empty() {
                self.mended.apply(&mut arena, mends);
                continue;
            }
            if !matches!(arena.node(arena.root()).kind, Kind::Map(_)) {
                break;
            }
            match typed::fill(&arena) {
                Ok(filled) => {
                    plan = Some(filled);
                    break;
                }
                Err(error) => misfit = Some(error),
            }
        }
        sort(&mut self.findings);
        let salvaged = plan.map(|plan| Salvaged {
            loaded: loaded(plan, arena),
            mended: self.mended,
        });
        (self.findings, salvaged)
    }

    /// What the document looks like now, each finding once however often it is looked at.
    fn look(&mut self, arena: &Arena, said: &mut HashSet<(Code, String, String)>) -> Vec<Mend> {
        let look = shape::check(arena, &self.mended);
        for finding in look.findings {
            let place = finding.primary.pointer.clone();
            if said.insert((finding.code, place, finding.message.clone())) {
                self.findings.push(finding);
            }
        }
        for place in look.vague {
            let place = self.mended.original(arena, &place);
            self.mended.touch(place, false);
        }
        look.mends
    }

    /// A value that fits the schema and not its type.
    fn misfit(&mut self, arena: &Arena, misfit: &Misfit) -> Vec<Mend> {
        let pointer = misfit.node.and_then(|id| pointer_of(arena, id));
        let at = pointer.clone().unwrap_or_default();
        let mut place = arena.locate(&at);
        place.pointer = self.mended.original(arena, &at);
        self.findings.push(
            Finding::new(
                codes::SHAPE,
                place,
                format!("the value does not fit: {}", misfit.message),
            )
            .help("the JSON Schema that `orchestrate schema` prints says what fits"),
        );
        pointer
            .into_iter()
            .filter(|pointer| !pointer.is_empty())
            .map(|at| Mend::Without { at })
            .collect()
    }
}

/// A pointer that leads to a node.
fn pointer_of(arena: &Arena, wanted: NodeId) -> Option<String> {
    let mut open = vec![(arena.root(), String::new())];
    while let Some((id, pointer)) = open.pop() {
        if id == wanted {
            return Some(pointer);
        }
        match &arena.node(id).kind {
            Kind::List(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| (*item, join(&pointer, at))),
            ),
            Kind::Map(entries) => open.extend(
                entries
                    .iter()
                    .map(|entry| (entry.value, join(&pointer, &entry.key))),
            ),
            Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
        }
    }
    None
}
