//! What each operation does to a document, there and back.
//!
//! Back is derived: what was added is removed and kept, what was renamed or moved returns, what was converted is
//! converted again, and what was set or removed comes from what the upgrade kept. Operations that follow one another
//! are taken back in reverse, so that each meets the document as it left it.

use super::convert::{convert, expected, means_the_same};
use super::kept::{Asked, Kept};
use super::sha256;
use super::touched::Touched;
use crate::manifest::json::{Document, EditError, Kind, Pointer, Taken};
use crate::manifest::migration::{Conversion, Migration, Operation};

/// Why an operation cannot be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Obstacle {
    /// The document is not as the operation needs it.
    #[error("{0}")]
    Unfit(String),
    /// The way back needs what nobody kept.
    #[error("{0}")]
    NotKept(String),
}

impl From<EditError> for Obstacle {
    fn from(error: EditError) -> Self {
        Self::Unfit(error.to_string())
    }
}

impl From<crate::manifest::json::Refusal> for Obstacle {
    fn from(refusal: crate::manifest::json::Refusal) -> Self {
        Self::Unfit(format!("a kept value is damaged: {refusal}"))
    }
}

type Done = Result<(), Obstacle>;

/// A document on its way from version to version.
pub(super) struct Walk<'w, 't> {
    pub(super) document: &'w mut Document<'t>,
    pub(super) kept: &'w mut Kept,
    pub(super) touched: &'w mut Touched,
    /// Fields that must be there at the end.
    pub(super) added: &'w mut Vec<Pointer>,
    pub(super) migration: &'w Migration,
    pub(super) back: bool,
}

impl Walk<'_, '_> {
    /// Applies all operations of the migration in its direction.
    ///
    /// # Errors
    /// What stands in the way, with the operation.
    pub(super) fn run(&mut self) -> Done {
        let migration = self.migration;
        self.all(&migration.operations, &Pointer::root(), "")
    }

    fn all(&mut self, operations: &[Operation], base: &Pointer, path: &str) -> Done {
        let indices: Vec<usize> = if self.back {
            (0..operations.len()).rev().collect()
        } else {
            (0..operations.len()).collect()
        };
        for i in indices {
            let path = if path.is_empty() {
                i.to_string()
            } else {
                format!("{path}.{i}")
            };
            self.one(&operations[i], base, &path)?;
        }
        Ok(())
    }

    fn one(&mut self, operation: &Operation, base: &Pointer, path: &str) -> Done {
        match operation {
            Operation::Add { at, default } => {
                let at = self.member(&base.concat(at))?;
                if self.back {
                    self.take_back(&at, path)
                } else {
                    self.put_in(&at, path, |walk| Ok(walk.document.set(&at, default)?))
                }
            }
            Operation::Copy { from, to } => {
                let (from, to) = (base.concat(from), self.member(&base.concat(to))?);
                if self.back {
                    self.take_back(&to, path)
                } else {
                    self.put_in(&to, path, |walk| {
                        if walk.document.has(&from) {
                            let copy = walk.document.copied(&from)?;
                            walk.document.put(&to, copy)?;
                        }
                        Ok(())
                    })
                }
            }
            Operation::Rename { at, to } => {
                let at = base.concat(at);
                let to = at.parent().unwrap_or_default().join(to.as_str());
                self.bring(&at, &to, path, |walk, old, new| {
                    walk.member(old)?;
                    Ok(walk.document.rename(old, new.last().unwrap_or_default())?)
                })
            }
            Operation::Move { from, to } => {
                let (from, to) = (base.concat(from), base.concat(to));
                self.bring(&from, &to, path, |walk, old, new| {
                    let (old, new) = (walk.member(old)?, walk.member(new)?);
                    Ok(walk.document.relocate(&old, &new)?)
                })
            }
            Operation::Set { at, value } => self.set(&base.concat(at), value, path),
            Operation::Convert { at, how } => self.convert(&base.concat(at), how, path),
            Operation::Remove { at } => {
                let at = base.concat(at);
                if self.back {
                    return self.restore(&at, path);
                }
                if self.document.has(&at) {
                    self.member(&at)?;
                }
                self.take_out(&at, path)
            }
            Operation::ForEach { within, operations } => {
                self.each(&base.concat(within), operations, path)
            }
        }
    }

    /// Elements of arrays have no names: taking one out would give all others new ones.
    fn member(&self, at: &Pointer) -> Result<Pointer, Obstacle> {
        let parent = at.parent().unwrap_or_default();
        match self.document.kind(&parent) {
            Some(Kind::Array { .. }) => Err(Obstacle::Unfit(format!(
                "`{parent}` is an array, and fields are added, removed and moved in objects only"
            ))),
            _ => Ok(at.clone()),
        }
    }

    /// Brings a value from one place to the other, or back.
    ///
    /// Where nothing was to be brought although something is at its goal, that is kept: the way back must leave it there.
    fn bring(
        &mut self,
        from: &Pointer,
        to: &Pointer,
        path: &str,
        how: impl FnOnce(&mut Self, &Pointer, &Pointer) -> Done,
    ) -> Done {
        let (old, new) = if self.back { (to, from) } else { (from, to) };
        let asked = asked(self.migration, from, path);
        if !self.document.has(old) {
            if self.document.has(new) {
                self.kept.record(asked, None, None);
            }
            return Ok(());
        }
        if self.kept.take(asked).is_some() {
            return Ok(());
        }
        how(self, old, new)?;
        self.touched.mark(old);
        self.touched.mark(new);
        Ok(())
    }

    /// Puts a field where nothing is: as it was kept, else as `otherwise` makes it.
    fn put_in(
        &mut self,
        at: &Pointer,
        path: &str,
        otherwise: impl FnOnce(&mut Self) -> Done,
    ) -> Done {
        let asked = asked(self.migration, at, path);
        if self.document.has(at) {
            // Where operations may build on one another, the way back must leave what was not put in.
            if !self.migration.only_adds() {
                self.kept.record(asked, None, None);
            }
            return Ok(());
        }
        if let Some(entry) = self.kept.take(Asked {
            any_hop: true,
            ..asked
        }) {
            let Some(raw) = entry.raw else {
                // The document was without it before it was downgraded.
                return Ok(());
            };
            self.put_raw(at, &raw, entry.position)?;
        } else {
            otherwise(self)?;
        }
        self.touched.mark(at);
        if self.migration.only_adds() && self.document.has(at) {
            self.added.push(at.clone());
        }
        Ok(())
    }

    /// Takes out what was put in; what was there before stays.
    fn take_back(&mut self, at: &Pointer, path: &str) -> Done {
        let asked = asked(self.migration, at, path);
        if self.document.has(at)
            && let Some(entry) = self.kept.take(asked)
        {
            if entry.raw.is_none() {
                return Ok(());
            }
            self.kept.give_back(entry);
        }
        self.take_out(at, path)
    }

    /// Takes a field out and keeps it, or keeps that there was none.
    fn take_out(&mut self, at: &Pointer, path: &str) -> Done {
        let position = self.document.position(at);
        let taken = match position {
            Some(_) => Some(self.document.remove(at)?),
            None => None,
        };
        if taken.is_some() {
            self.touched.mark(at);
            self.added.retain(|added| !at.holds(added));
        }
        let raw = taken.as_ref().map(Taken::raw);
        let asked = asked(self.migration, at, path);
        self.kept.record(asked, raw, position);
        Ok(())
    }

    /// Brings back what an upgrade removed.
    fn restore(&mut self, at: &Pointer, path: &str) -> Done {
        let asked = asked(self.migration, at, path);
        let Some(entry) = self.kept.take(asked) else {
            return Err(not_kept(at, "removed"));
        };
        let Some(raw) = entry.raw else { return Ok(()) };
        self.put_raw(&self.member(at)?, &raw, entry.position)?;
        self.touched.mark(at);
        Ok(())
    }

    fn put_raw(&mut self, at: &Pointer, raw: &str, position: Option<usize>) -> Done {
        let taken = Taken::parse(raw.as_bytes())?;
        match position {
            Some(position) => self.document.put_at(at, position, taken)?,
            None => self.document.put(at, taken)?,
        }
        Ok(())
    }

    fn set(&mut self, at: &Pointer, value: &serde_json::Value, path: &str) -> Done {
        let position = self.document.position(at);
        let before = self.document.raw(at).map(std::borrow::Cow::into_owned);
        let asked = asked(self.migration, at, path);
        let entry = self.kept.take(asked);
        if self.back && entry.is_none() {
            return Err(not_kept(at, "overwritten"));
        }
        match entry {
            Some(entry) => match (entry.raw, before.is_some()) {
                (Some(raw), true) => self.document.replace(at, Taken::parse(raw.as_bytes())?)?,
                (Some(raw), false) => self.put_raw(at, &raw, entry.position)?,
                (None, true) => drop(self.document.remove(at)?),
                (None, false) => {}
            },
            None => self.document.set(at, value)?,
        }
        self.touched.mark(at);
        self.kept.record(asked, before.as_deref(), position);
        Ok(())
    }

    fn convert(&mut self, at: &Pointer, how: &Conversion, path: &str) -> Done {
        let Some(before) = self.document.raw(at).map(std::borrow::Cow::into_owned) else {
            return Ok(());
        };
        let answers = convert(how, self.back, &before);
        let asked = asked(self.migration, at, path);
        // What was kept is an older spelling of this value, unless the value was changed since.
        let spelled = self.kept.take(asked).and_then(|entry| {
            let raw = entry.raw.clone().filter(|raw| {
                convert(how, !self.back, raw.as_bytes())
                    .iter()
                    .any(|one| means_the_same(one, &before))
            });
            if raw.is_none() {
                self.kept.give_back(entry);
            }
            raw
        });
        let after = match (spelled, answers.as_slice()) {
            (Some(raw), _) => raw.into_bytes(),
            (None, [only]) => only.clone(),
            (None, []) => {
                return Err(Obstacle::Unfit(format!(
                    "`{at}` is {}, and must be {}",
                    shown(&before),
                    expected(how, self.back)
                )));
            }
            (None, _) => {
                return Err(Obstacle::NotKept(format!(
                    "`{at}` is {}, which several values became, and which of them it was is not kept beside the document",
                    shown(&before)
                )));
            }
        };
        if convert(how, !self.back, &after) != [before.clone()] {
            self.kept.record(asked, Some(&before), None);
        }
        if after != before {
            self.document.replace(at, Taken::parse(&after)?)?;
            self.touched.mark(at);
        }
        Ok(())
    }

    fn each(&mut self, within: &Pointer, operations: &[Operation], path: &str) -> Done {
        let (keys, array) = match self.document.kind(within) {
            None | Some(Kind::Null) => return Ok(()),
            Some(Kind::Array { len }) => ((0..len).map(|i| i.to_string()).collect(), true),
            Some(Kind::Object { .. }) => (self.document.keys(within), false),
            Some(kind) => {
                return Err(Obstacle::Unfit(format!(
                    "`{within}` is {kind}, and `for_each` needs an array or an object"
                )));
            }
        };
        for key in keys {
            let at = within.join(key);
            let watched = array && !self.kept.is_empty();
            if watched {
                let element = self.fingerprint(&at);
                self.kept.elements.push(element);
            }
            let since = self.kept.count();
            self.all(operations, &at, path)?;
            if watched {
                self.kept.elements.pop();
            }
            if array && self.kept.count() > since {
                let element = self.fingerprint(&at);
                self.kept.bind(since, &element);
            }
        }
        Ok(())
    }

    fn fingerprint(&self, at: &Pointer) -> String {
        sha256(&self.document.raw(at).unwrap_or_default())
    }
}

const fn asked<'a>(migration: &'a Migration, at: &'a Pointer, operation: &'a str) -> Asked<'a> {
    Asked {
        migration,
        operation,
        at,
        any_hop: false,
    }
}

fn not_kept(at: &Pointer, what: &str) -> Obstacle {
    Obstacle::NotKept(format!(
        "what the upgrade {what} at `{at}` is not kept beside the document; restore its backup instead"
    ))
}

/// A value as a message shows it.
fn shown(raw: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(raw);
    if text.chars().count() <= LONGEST {
        return text.into_owned();
    }
    let begin: String = text.chars().take(LONGEST).collect();
    format!("{begin}...")
}
