//! What is gone when the way back needs it.
//!
//! A rollback undoes steps in the reverse order of their start. An undo that comes early may remove what a later one
//! needs, and a step may remove, going forward, what the way back needs. Both are found by the names that commands and SQL
//! give to things: [`words`](super::words) cuts a shell text, [`acts`] and [`sql`] say what it removes, needs and makes, [`order`] in
//! which order a run comes to it. A thing that may have been made again in between is not gone; neither is one whose name
//! only a running shell knows.

mod acts;
mod order;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use self::acts::{Act, Deed, Scripts, last_part};
use self::order::{Piece, Told, Unit, What, Whose, surely_before, units};
use super::Context;
use crate::base::diagnostic::{Finding, Location, codes};
use crate::plan::program::Program;

/// Steps that are looked at, for one plan, to tell which of two starts first.
const PATIENCE: usize = 100_000;

/// Texts between a removal and a need that are searched for a name.
const MOST_WORDS: usize = 200;

/// What every text that removes something has in it.
const SIGNS: [&str; 18] = [
    "rm", "unlink", "delete", "shred", "truncate", "mv", "gzip", "gunzip", "bzip2", "bunzip2",
    "xz", "worktree", "drop", "rename", ">", "branch", "tag", "DROP",
];

pub(super) fn check(cx: &mut Context<'_>, program: &Program) {
    if program.levels.step.replaces.is_some() {
        return;
    }
    let loaded = cx.loaded;
    let scripts = Scripts::new(loaded);
    let units = units(loaded, program);
    let removes = |piece: &Piece<'_>| piece.text(&scripts).is_some_and(|text| may_remove(&text));
    let any = units.iter().any(|unit| {
        unit.back.iter().any(removes) || unit.forward.iter().any(|(_, piece)| removes(piece))
    });
    if !any {
        return;
    }
    let mut sweep = Sweep {
        cx,
        program,
        scripts: &scripts,
        units: &units,
        forward: Forward::default(),
        now: 0,
        patience: PATIENCE,
    };
    sweep.go_forward();
    // What was not read may have made again what is gone.
    if !scripts.is_weary() {
        sweep.go_back();
    }
}

fn may_remove(text: &str) -> bool {
    let holds = |text: &str| SIGNS.iter().any(|sign| text.contains(sign));
    holds(text) || (text.contains(|c: char| c.is_ascii_uppercase()) && holds(&text.to_lowercase()))
}

/// Where something is done: which unit and piece, and by which range of the text.
#[derive(Debug, Clone)]
struct Spot {
    unit: usize,
    /// Of the forward texts, or of those of the way back.
    forward: bool,
    piece: usize,
    range: Range<usize>,
}

#[derive(Debug, Clone)]
struct Gone {
    at: usize,
    emptied: bool,
    spot: Spot,
}

/// What was last made, by when.
#[derive(Debug, Default)]
struct Made {
    exactly: HashMap<String, Mark>,
    with_all_below: HashMap<String, Mark>,
    /// Something below it.
    below: HashMap<String, Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    at: usize,
    unit: usize,
}

impl Made {
    fn add(&mut self, key: &str, with_all: bool, mark: Mark) {
        let map = if with_all {
            &mut self.with_all_below
        } else {
            &mut self.exactly
        };
        map.insert(key.to_owned(), mark);
        for above in above(key).skip(1) {
            match self.below.get_mut(above) {
                Some(known) => *known = mark,
                None => {
                    self.below.insert(above.to_owned(), mark);
                }
            }
        }
    }

    /// When it, or what it is part of, or a part of it, was last made.
    fn last(&self, key: &str) -> Option<Mark> {
        let whole = above(key).filter_map(|above| self.with_all_below.get(above));
        whole
            .chain(self.exactly.get(key))
            .chain(self.below.get(key))
            .max()
            .copied()
    }
}

/// A key, and what it is part of, from the nearest; the last is everything.
fn above(key: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(key);
    std::iter::from_fn(move || {
        let now = rest?;
        rest = match now.rfind('/') {
            Some(at) => Some(&now[..at]),
            None if now.is_empty() => None,
            None => Some(""),
        };
        Some(now)
    })
}

#[derive(Debug, Default)]
struct Forward {
    gone: HashMap<String, Gone>,
    made: Made,
}

impl Forward {
    fn last_gone(&self, key: &str, exists: bool) -> Option<&Gone> {
        above(key)
            .filter_map(|above| self.gone.get(above))
            .filter(|gone| !(gone.emptied && exists))
            .max_by_key(|gone| gone.at)
    }
}

struct Sweep<'s, 'c, 'a> {
    cx: &'s mut Context<'c>,
    program: &'s Program,
    scripts: &'s Scripts<'a>,
    units: &'s [Unit<'a>],
    forward: Forward,
    now: usize,
    patience: usize,
}

impl Sweep<'_, '_, '_> {
    fn go_forward(&mut self) {
        for (u, unit) in self.units.iter().enumerate() {
            for (p, (_, piece)) in unit.forward.iter().enumerate() {
                let Told::Acts(acts) = piece.told(self.scripts) else {
                    continue;
                };
                for act in acts {
                    self.now += 1;
                    let at = self.now;
                    match act.deed {
                        Deed::Remove { emptied } => {
                            let spot = Spot {
                                unit: u,
                                forward: true,
                                piece: p,
                                range: act.range,
                            };
                            self.forward
                                .gone
                                .insert(act.key, Gone { at, emptied, spot });
                        }
                        // That something unknown makes just this again is not likely: the names have to say it.
                        Deed::Make { below } if act.key.contains('/') => {
                            self.forward.made.add(&act.key, below, Mark { at, unit: u });
                        }
                        Deed::Make { .. } | Deed::Need { .. } | Deed::Check => {}
                    }
                }
            }
        }
    }

    fn go_back(&mut self) {
        let mut way = Way::default();
        let mut said: HashSet<(usize, usize)> = HashSet::new();
        for (u, unit) in self.units.iter().enumerate().rev() {
            if way.stretch != Some(unit.stretch) {
                way = Way {
                    stretch: Some(unit.stretch),
                    ..Way::default()
                };
            }
            let mut checked: HashSet<String> = HashSet::new();
            for (p, piece) in unit.back.iter().enumerate() {
                self.now += 1;
                let acts = match piece.told(self.scripts) {
                    Told::Acts(acts) => acts,
                    Told::Words(words) => {
                        way.words.push((
                            Mark {
                                at: self.now,
                                unit: u,
                            },
                            words,
                        ));
                        continue;
                    }
                    Told::Nothing => {
                        way.made.add(
                            "",
                            true,
                            Mark {
                                at: self.now,
                                unit: u,
                            },
                        );
                        continue;
                    }
                };
                for act in acts {
                    self.now += 1;
                    let mark = Mark {
                        at: self.now,
                        unit: u,
                    };
                    match act.deed {
                        Deed::Check => {
                            checked.insert(act.key);
                        }
                        Deed::Make { below } => way.made.add(&act.key, below, mark),
                        Deed::Remove { emptied } => {
                            if unit.always {
                                let spot = Spot {
                                    unit: u,
                                    forward: false,
                                    piece: p,
                                    range: act.range,
                                };
                                way.gone.gone.insert(
                                    act.key,
                                    Gone {
                                        at: mark.at,
                                        emptied,
                                        spot,
                                    },
                                );
                            }
                        }
                        Deed::Need { exists } => {
                            let asks = above(&act.key).any(|above| checked.contains(above))
                                || self.asks_first(unit, &act.key);
                            if !asks {
                                self.need(&way, &act, exists, (u, p), &mut said);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether the undo's `only_if` looks at a thing.
    fn asks_first(&self, unit: &Unit<'_>, key: &str) -> bool {
        use crate::plan::program::How;
        let Whose::Step(step, _) = unit.whose else {
            return false;
        };
        let Some(check) = &self.program.steps[step].undo.only_if else {
            return false;
        };
        match &check.how {
            How::Command(probe) => match &probe.process.run {
                crate::plan::program::Run::Shell { text, .. } => text.contains(last_part(key)),
                crate::plan::program::Run::Script { .. } => true,
            },
            How::File(probe) => probe.path.ends_with(last_part(key)),
            _ => true,
        }
    }

    /// Something is needed on the way back: is it gone?
    fn need(
        &mut self,
        way: &Way,
        act: &Act,
        exists: bool,
        (u, p): (usize, usize),
        said: &mut HashSet<(usize, usize)>,
    ) {
        let made = way.made.last(&act.key);
        let here = Spot {
            unit: u,
            forward: false,
            piece: p,
            range: act.range.clone(),
        };
        let before = way.gone.last_gone(&act.key, exists);
        if let Some(gone) = before {
            let again = made.is_some_and(|made| made.at > gone.at)
                || way.mentions(last_part(&act.key), |mark| mark.at > gone.at);
            if !again && !said.contains(&(gone.at, u)) && self.in_order(u, gone.spot.unit) {
                said.insert((gone.at, u));
                let finding = self.undone_too_early(&here, gone, act);
                self.cx.findings.push(finding);
            }
            return;
        }
        let Some(gone) = self.forward.last_gone(&act.key, exists) else {
            return;
        };
        let unit = gone.spot.unit;
        if unit < u || self.units[unit].stretch != self.units[u].stretch {
            return;
        }
        let forward = self
            .forward
            .made
            .last(&act.key)
            .is_some_and(|made| made.at > gone.at);
        let back = made.is_some_and(|made| made.unit <= unit);
        let by_words = way.mentions(last_part(&act.key), |mark| mark.unit <= unit);
        if forward || back || by_words || said.contains(&(gone.at, u)) {
            return;
        }
        let gone = gone.clone();
        if self.in_order(u, unit) {
            said.insert((gone.at, u));
            let finding = self.gone_going_forward(&here, &gone, act);
            self.cx.findings.push(finding);
        }
    }

    /// Whether the steps of two units surely start in this order.
    fn in_order(&mut self, earlier: usize, later: usize) -> bool {
        let (earlier, later) = (&self.units[earlier], &self.units[later]);
        match (earlier.whose, later.whose) {
            (Whose::Step(a, _), Whose::Step(b, _)) if a != b && earlier.phase == later.phase => {
                surely_before(self.program, a, b, &mut self.patience)
            }
            _ => true,
        }
    }

    fn piece(&self, spot: &Spot) -> &Piece<'_> {
        let unit = &self.units[spot.unit];
        match spot.forward {
            true => &unit.forward[spot.piece].1,
            false => &unit.back[spot.piece],
        }
    }

    /// Where it is written; inside a file, the place that runs it, and where in the file.
    fn place(&self, spot: &Spot) -> (Location, String) {
        let piece = self.piece(spot);
        let pointer = piece.pointer();
        match &piece.what {
            What::File { script } => {
                let text = self
                    .scripts
                    .text(script.path())
                    .unwrap_or_else(|| Arc::from(""));
                let before = text.get(..spot.range.start).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                (
                    self.cx.locate(&pointer),
                    format!(" (`{}`, line {line})", script.path()),
                )
            }
            What::Written { .. } | What::Person(_) => (
                self.cx
                    .loaded
                    .arena
                    .locate_within(&pointer, spot.range.clone()),
                String::new(),
            ),
        }
    }

    fn undone_too_early(&self, here: &Spot, gone: &Gone, act: &Act) -> Finding {
        let (place, at) = self.place(here);
        let (other, other_at) = self.place(&gone.spot);
        let needing = self.units[here.unit].whose;
        let thing = thing(&act.key);
        let what = if gone.emptied { "empties" } else { "removes" };
        let state = if gone.emptied { "empty" } else { "gone" };
        if gone.spot.unit == here.unit {
            let message =
                format!("{needing} needs {thing}{at}, which it {what} itself before{other_at}");
            return Finding::new(codes::REMOVED_BY_UNDO, place, message)
                .label(other, format!("it is {state} from here on"))
                .help("use it first and remove it afterwards");
        }
        let removing = self.units[gone.spot.unit].whose;
        let message = format!(
            "{thing} is {state} when {needing} needs it{at}: {removing} comes before and {what} it{other_at}"
        );
        let help = match (needing, removing) {
            (Whose::Step(_, first), Whose::Step(_, second)) => format!(
                "a rollback undoes in reverse: `{second}`, then `{first}`; let the undo that comes last remove it"
            ),
            _ => "a rollback undoes in reverse; let the undo that comes last remove it".to_owned(),
        };
        Finding::new(codes::REMOVED_BY_UNDO, place, message)
            .label(other, format!("{what} it, earlier in a rollback"))
            .help(help)
    }

    fn gone_going_forward(&self, here: &Spot, gone: &Gone, act: &Act) -> Finding {
        let (place, at) = self.place(&gone.spot);
        let (other, other_at) = self.place(here);
        let unit = &self.units[gone.spot.unit];
        let step = self.program.steps[unit.forward[gone.spot.piece].0]
            .id
            .as_str();
        let needing = self.units[here.unit].whose;
        let thing = thing(&act.key);
        let what = if gone.emptied { "empties" } else { "removes" };
        let message = format!("`{step}` {what} {thing}{at}, and {needing} needs it{other_at}");
        Finding::new(codes::REMOVED_BEFORE_UNDO, place, message)
            .label(other, "the way back needs it")
            .help("keep it as long as that way back is open: remove it after the migration, or behind a step that says `can_rollback: false`")
    }
}

/// What a way back has come through.
#[derive(Default)]
struct Way {
    stretch: Option<usize>,
    gone: Forward,
    made: Made,
    /// What only words tell about.
    words: Vec<(Mark, Arc<str>)>,
}

impl Way {
    fn mentions(&self, name: &str, when: impl Fn(Mark) -> bool) -> bool {
        let recent: Vec<_> = self.words.iter().rev().take(MOST_WORDS).collect();
        self.words.len() > MOST_WORDS
            || recent
                .iter()
                .any(|(mark, words)| when(*mark) && words.contains(name))
    }
}

/// A key as people name the thing.
fn thing(key: &str) -> String {
    let (kind, rest) = key.split_once('/').unwrap_or(("", key));
    match kind {
        "q" => {
            let mut parts = rest.split('/').skip(1);
            let schema = parts.next().unwrap_or_default();
            let (table, column) = (parts.next(), parts.next());
            let dot = if schema.is_empty() { "" } else { "." };
            match (table, column) {
                (Some(table), Some(column)) => {
                    format!("column `{column}` of `{schema}{dot}{table}`")
                }
                (Some(table), None) => format!("`{schema}{dot}{table}`"),
                (None, _) => format!("schema `{schema}`"),
            }
        }
        "d" => format!("database `{rest}`"),
        "i" => format!("image `{}`", rest.replace(':', "/")),
        "v" => format!("volume `{rest}`"),
        "g" => format!("`{rest}`"),
        "k" => {
            let (_, name) = rest.split_once(' ').unwrap_or(("", rest));
            format!("`{name}`")
        }
        _ => format!(
            "`{}`",
            rest.strip_prefix("s3:/")
                .map_or_else(|| rest.to_owned(), |rest| format!("s3://{rest}"))
        ),
    }
}
