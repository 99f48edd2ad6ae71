//! No key twice in one object.

use std::borrow::Cow;

use super::super::refusal::{Flaw, place};
use super::super::text::{plain, word};
use super::naming::shorten;
use super::{Fault, Scanner};

/// So many keys of an object are compared as they come; where there are more, all of them are sorted at its end.
const FEW_KEYS: usize = 24;

/// A key of an object that is open: a hash of what it says, and where it stands between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) hash: u64,
    // 256 MiB is the end of every text.
    pub(super) start: u32,
    pub(super) end: u32,
}

impl<const KEYS: bool> Scanner<'_, KEYS> {
    /// Takes the key that stands between these bytes into the object whose keys begin at `first`. `seen` has a bit for
    /// the hash of each key before it, so that few of them are looked at.
    #[inline]
    pub(super) fn remember(
        &mut self,
        first: usize,
        seen: &mut u64,
        escaped: bool,
        [start, end]: [usize; 2],
    ) -> Result<(), Fault> {
        let hash = if escaped {
            let said = plain(&self.text[start..end]);
            hash(said.as_bytes(), 0, said.len())
        } else {
            hash(self.text, start, end)
        };
        let key = Key {
            hash,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        };
        let bit = 1 << (hash >> 58);
        if *seen & bit != 0 && self.keys.len() - first <= FEW_KEYS {
            let before = &self.keys[first..];
            let twin = before
                .iter()
                .find(|k| k.hash == hash && self.said(k) == self.said(&key));
            if let Some(twin) = twin {
                return self.twice(twin, &key);
            }
        }
        *seen |= bit;
        self.keys.push(key);
        Ok(())
    }

    /// Ends the object whose keys begin at `first`.
    #[inline]
    pub(super) fn forget(&mut self, first: usize) -> Result<(), Fault> {
        if self.keys.len() - first > FEW_KEYS {
            self.sorted(first)?;
        }
        self.keys.truncate(first);
        Ok(())
    }

    fn sorted(&mut self, first: usize) -> Result<(), Fault> {
        let mut keys = self.keys.split_off(first);
        // The keys themselves are looked at where hashes are the same alone. Somebody who makes them the same on
        // purpose gets them sorted too, not compared each with each.
        keys.sort_unstable_by(|a, b| {
            a.hash
                .cmp(&b.hash)
                .then_with(|| self.said(a).cmp(&self.said(b)))
                .then(a.start.cmp(&b.start))
        });
        keys.windows(2)
            .map(|pair| (pair[0], pair[1]))
            .filter(|(a, b)| a.hash == b.hash && self.said(a) == self.said(b))
            .min_by_key(|(_, b)| b.start)
            .map_or(Ok(()), |(a, b)| self.twice(&a, &b))
    }

    fn said(&self, key: &Key) -> Cow<'_, str> {
        plain(&self.text[key.start as usize..key.end as usize])
    }

    #[cold]
    fn twice(&self, a: &Key, b: &Key) -> Result<(), Fault> {
        let flaw = Flaw::DuplicateKey {
            key: shorten(&self.said(a)),
            first_line: place(self.text, a.start as usize).0,
        };
        self.fault(flaw, b.start as usize - 1)
    }
}

/// A quick hash of the key at these bytes: its length and its first, middle and last bytes. Different keys may have the
/// same one.
#[inline]
fn hash(text: &[u8], start: usize, end: usize) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, word: u64| (h.rotate_left(29) ^ word).wrapping_mul(K);
    let n = end - start;
    // Read as a whole, for what follows the key is nearly always there, and then cut.
    let head = word(text, start);
    let h = (n as u64).wrapping_mul(K);
    if n < 8 {
        return mix(h, head & ((1 << (8 * n)) - 1));
    }
    let h = mix(mix(h, head), word(text, end - 8));
    if n <= 16 {
        return h;
    }
    mix(
        mix(h, word(text, start + n / 2 - 4)),
        word(text, start + n / 3),
    )
}
