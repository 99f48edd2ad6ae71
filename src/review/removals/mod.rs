//! What is gone when the way back needs it.
//!
//! A rollback undoes steps in the reverse order of their start. An undo that comes early may remove what a later one
//! needs, and a step may remove, going forward, what the way back needs. Both are found by the names that commands and SQL
//! give to things: [`words`](super::words) cuts a shell text, [`acts`] and [`sql`] say what it removes, needs and makes, [`order`] in
//! which order a run comes to it. A thing that may have been made again in between is not gone; neither is one whose name
//! only a running shell knows.

mod acts;
mod first_look;
mod keys;
mod marks;
mod order;
mod scripts;
mod sql;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::acts::{Act, Deed};
use self::first_look::FirstLook;
use self::keys::Key;
use self::marks::{Forward, Gone, Mark, Spot, Way};
use self::order::{Told, Unit, Whose, surely_before, units};
use self::scripts::{Scripts, Unread};
use super::Context;
use crate::plan::program::Program;

/// Steps that are looked at, for one plan, to tell which of two starts first.
const MOST_STEPS: usize = 1_000_000;

/// Bytes of prose and of programs that are searched, for one plan, for the names of things.
const MOST_WORDS: usize = 64 * 1024 * 1024;

pub(super) fn check(cx: &mut Context<'_>, program: &Program) {
    if program.levels.step.replaces.is_some() {
        return;
    }
    let loaded = cx.loaded;
    let scripts = Scripts::new(loaded);
    let units = units(loaded, program);
    if !FirstLook::new(&scripts).finds_removal(&units) {
        return;
    }
    let mut sweep = Sweep {
        cx,
        program,
        scripts: &scripts,
        units: &units,
        forward: Forward::default(),
        now: 0,
        steps_left: MOST_STEPS,
        words_left: MOST_WORDS,
    };
    sweep.go_forward();
    sweep.go_back();
}

struct Sweep<'s, 'c, 'a> {
    cx: &'s mut Context<'c>,
    program: &'s Program,
    scripts: &'s Scripts<'a>,
    units: &'s [Unit<'a>],
    forward: Forward,
    now: usize,
    steps_left: usize,
    words_left: usize,
}

/// Something that is needed on the way back, where it is, and when.
struct Need<'n> {
    act: &'n Act,
    exists: bool,
    unit: usize,
    piece: usize,
}

impl Sweep<'_, '_, '_> {
    fn go_forward(&mut self) {
        let scripts = self.scripts;
        for (u, unit) in self.units.iter().enumerate() {
            for (p, (_, piece)) in unit.forward.iter().enumerate() {
                let told = piece.told(scripts);
                self.tell_unread(piece);
                let Told::Acts(acts) = told else {
                    continue;
                };
                let keys = scripts.keys();
                for act in &*acts {
                    self.now += 1;
                    let mark = Mark {
                        at: self.now,
                        unit: u,
                    };
                    match act.deed {
                        Deed::Remove { emptied } => {
                            let spot = Spot {
                                unit: u,
                                forward: true,
                                piece: p,
                                range: act.range.clone(),
                            };
                            self.forward.gone.set(
                                act.key,
                                Gone {
                                    at: mark.at,
                                    emptied,
                                    spot,
                                },
                            );
                        }
                        // That something unknown makes just this again is not likely: the names have to say it.
                        Deed::Make { below } if keys.is_one(act.key) => {
                            self.forward.made.add(&keys, act.key, below, mark);
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
            way.enter(unit.stretch, self.now);
            let mut checked: HashSet<Key> = HashSet::new();
            for p in 0..unit.back.len() {
                self.undo((u, p), &mut way, &mut checked, &mut said);
                self.tell_unread(&unit.back[p]);
            }
        }
    }

    /// One text of a way back.
    fn undo(
        &mut self,
        (u, p): (usize, usize),
        way: &mut Way,
        checked: &mut HashSet<Key>,
        said: &mut HashSet<(usize, usize)>,
    ) {
        let (scripts, units) = (self.scripts, self.units);
        let unit = &units[u];
        self.now += 1;
        let mark = Mark {
            at: self.now,
            unit: u,
        };
        let acts = match unit.back[p].told(scripts) {
            Told::Acts(acts) => acts,
            Told::Words(words) => {
                way.hear(mark, words);
                return;
            }
            Told::Nothing => {
                let keys = scripts.keys();
                way.made.add(&keys, keys::EVERYTHING, true, mark);
                return;
            }
        };
        let keys = scripts.keys();
        for act in &*acts {
            self.now += 1;
            let mark = Mark {
                at: self.now,
                unit: u,
            };
            match act.deed {
                Deed::Check => {
                    checked.insert(act.key);
                }
                Deed::Make { below } => way.made.add(&keys, act.key, below, mark),
                Deed::Remove { emptied } => {
                    if unit.always {
                        let spot = Spot {
                            unit: u,
                            forward: false,
                            piece: p,
                            range: act.range.clone(),
                        };
                        let gone = Gone {
                            at: mark.at,
                            emptied,
                            spot,
                        };
                        way.gone.set(act.key, gone);
                    }
                }
                Deed::Need { exists } => {
                    let need = Need {
                        act,
                        exists,
                        unit: u,
                        piece: p,
                    };
                    let asks = !checked.is_empty()
                        && keys.above(act.key).any(|above| checked.contains(&above));
                    if !asks && !self.asks_first(unit, keys.last_part(act.key)) {
                        self.need(way, &need, said);
                    }
                }
            }
        }
    }

    /// Whether the undo's `only_if` looks at a thing.
    fn asks_first(&self, unit: &Unit<'_>, name: &str) -> bool {
        use crate::plan::program::How;
        let Whose::Step(step, _) = unit.whose else {
            return false;
        };
        let Some(check) = &self.program.steps[step].undo.only_if else {
            return false;
        };
        match &check.how {
            How::Command(probe) => match &probe.process.run {
                crate::plan::program::Run::Shell { text, .. } => text.contains(name),
                crate::plan::program::Run::Script { .. }
                | crate::plan::program::Run::Manifest(_) => true,
            },
            How::File(probe) => probe.path.ends_with(name),
            _ => true,
        }
    }

    /// Something is needed on the way back: is it gone?
    fn need(&mut self, way: &Way, need: &Need<'_>, said: &mut HashSet<(usize, usize)>) {
        let scripts = self.scripts;
        let keys = scripts.keys();
        let (key, u) = (need.act.key, need.unit);
        let name = keys.last_part(key);
        if let Some(gone) = way.last_gone(&keys, key, need.exists) {
            let one = (gone.at, u);
            let again = || way.last_made(&keys, key).is_some_and(|m| m.at > gone.at);
            if said.contains(&one)
                || again()
                || self.mentions(way, name, |mark| mark.at > gone.at)
                || !self.in_order(u, gone.spot.unit)
            {
                return;
            }
            said.insert(one);
            let finding = self.undone_too_early(need, gone);
            self.cx.findings.push(finding);
            return;
        }
        let Some(gone) = self.forward.last_gone(&keys, key, need.exists) else {
            return;
        };
        let (unit, one) = (gone.spot.unit, (gone.at, u));
        if unit < u || self.units[unit].stretch != self.units[u].stretch || said.contains(&one) {
            return;
        }
        let forward = self.forward.made.last(&keys, key, 0);
        let back = way.last_made(&keys, key);
        if forward.is_some_and(|made| made.at > gone.at)
            || back.is_some_and(|made| made.unit <= unit)
        {
            return;
        }
        let gone = gone.clone();
        if self.mentions(way, name, |mark| mark.unit <= unit) || !self.in_order(u, unit) {
            return;
        }
        said.insert(one);
        let finding = self.gone_going_forward(need, &gone);
        self.cx.findings.push(finding);
    }

    /// Whether the words of the way so far speak of a thing.
    fn mentions(&mut self, way: &Way, name: &str, when: impl Fn(Mark) -> bool) -> bool {
        for (mark, words) in &way.words {
            if !when(*mark) {
                continue;
            }
            let Some(left) = self.words_left.checked_sub(words.len()) else {
                self.scripts.leave_out(Unread::TooMany);
                return true;
            };
            self.words_left = left;
            if words.contains(name) {
                return true;
            }
        }
        false
    }

    /// Whether the steps of two units surely start in this order.
    fn in_order(&mut self, earlier: usize, later: usize) -> bool {
        let (earlier, later) = (&self.units[earlier], &self.units[later]);
        match (earlier.whose, later.whose) {
            (Whose::Step(a, _), Whose::Step(b, _)) if a != b && earlier.phase == later.phase => {
                let known = surely_before(self.program, a, b, &mut self.steps_left);
                if known.is_none() {
                    self.scripts.leave_out(Unread::TooMany);
                }
                known.unwrap_or(false)
            }
            _ => true,
        }
    }
}
