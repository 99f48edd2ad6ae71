//! The names of things, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// Names of more bytes, or of more parts, than any path or table has are not compared: all that a thing is part of is
/// remembered with it, which of a path without end would be its square.
const LONGEST: usize = 512;
const MOST_PARTS: usize = 32;

/// The name of a thing.
///
/// It begins with the kind of the thing and goes from the whole to the part: `f/backup/data.json`,
/// `q/<database>/<schema>/<table>/<column>`. A name's beginnings up to a `/` are what it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(usize);

/// All there is.
pub(super) const EVERYTHING: Key = Key(0);

#[derive(Debug)]
pub(super) struct Keys {
    known: HashMap<Arc<str>, Key>,
    /// The name, and what it is part of.
    all: Vec<(Arc<str>, Option<Key>)>,
}

impl Default for Keys {
    fn default() -> Self {
        let name: Arc<str> = Arc::from("");
        Self {
            known: HashMap::from([(name.clone(), EVERYTHING)]),
            all: vec![(name, None)],
        }
    }
}

impl Keys {
    /// None for a name that is too long to be compared.
    pub(super) fn key(&mut self, name: &str) -> Option<Key> {
        if let Some(&key) = self.known.get(name) {
            return Some(key);
        }
        let fits = name.len() <= LONGEST && name.matches('/').count() <= MOST_PARTS;
        fits.then(|| self.add(name))
    }

    /// All of the kind that a name begins with.
    pub(super) fn kind(&mut self, name: &str) -> Key {
        let (kind, _) = name.split_once('/').unwrap_or((name, ""));
        self.key(kind).unwrap_or(EVERYTHING)
    }

    fn add(&mut self, name: &str) -> Key {
        if let Some(&key) = self.known.get(name) {
            return key;
        }
        let whole = name.rsplit_once('/').map_or("", |(whole, _)| whole);
        let whole = self.add(whole);
        let key = Key(self.all.len());
        let name: Arc<str> = Arc::from(name);
        self.all.push((name.clone(), Some(whole)));
        self.known.insert(name, key);
        key
    }

    pub(super) fn name(&self, key: Key) -> &Arc<str> {
        &self.all[key.0].0
    }

    /// The last part of a name, by which a text would mention the thing.
    pub(super) fn last_part(&self, key: Key) -> &str {
        let name = self.name(key);
        name.rsplit('/').next().unwrap_or(name)
    }

    /// A thing, and what it is part of, from the nearest; the last is everything.
    pub(super) fn above(&self, key: Key) -> impl Iterator<Item = Key> {
        std::iter::successors(Some(key), |key| self.all[key.0].1)
    }

    /// Whether it is a thing, and not all things of a kind.
    pub(super) fn is_one(&self, key: Key) -> bool {
        self.all[key.0].1.is_some_and(|whole| whole != EVERYTHING)
    }
}

/// Something about each thing.
#[derive(Debug)]
pub(super) struct By<T>(Vec<Option<T>>);

impl<T> Default for By<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> By<T> {
    pub(super) fn get(&self, key: Key) -> Option<&T> {
        self.0.get(key.0)?.as_ref()
    }

    pub(super) fn set(&mut self, key: Key, value: T) {
        if self.0.len() <= key.0 {
            self.0.resize_with(key.0 + 1, || None);
        }
        self.0[key.0] = Some(value);
    }
}
