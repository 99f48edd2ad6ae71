//! Secrets in a byte stream become `***`, wherever the reads happen to cut it.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

const MASK: &[u8] = b"***";

/// Lines of a secret that is longer than one line are masked on their own from this length on: programs like to print
/// keys and certificates line by line, with something in front.
const SHORTEST_LINE: usize = 8;

/// The texts to mask. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    finder: AhoCorasick,
    texts: Vec<Vec<u8>>,
    longest: usize,
}

impl Secrets {
    /// Empty texts are left out: they would occur everywhere.
    pub(super) fn new(texts: &[String]) -> Result<Self, String> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for text in texts {
            if text.is_empty() {
                continue;
            }
            all.push(text.as_bytes().to_vec());
            let lines = text.lines().filter(|l| l.len() >= SHORTEST_LINE);
            all.extend(lines.map(|l| l.as_bytes().to_vec()));
        }
        all.sort();
        all.dedup();
        let Some(longest) = all.iter().map(Vec::len).max() else {
            return Ok(Self::default());
        };
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&all)
            .map_err(|e| e.to_string())?;
        Ok(Self {
            inner: Some(Arc::new(Inner {
                finder,
                texts: all,
                longest,
            })),
        })
    }

    /// Masks a text that is whole.
    pub(super) fn mask_text(&self, text: &str) -> String {
        match &self.inner {
            None => text.to_owned(),
            Some(inner) => {
                let mut out = Vec::with_capacity(text.len());
                inner
                    .finder
                    .replace_all_with_bytes(text.as_bytes(), &mut out, |_, _, out| {
                        out.extend_from_slice(MASK);
                        true
                    });
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }
}

impl Inner {
    /// The first position from `from` on where the rest of the buffer could be the beginning of a secret.
    fn undecided(&self, bytes: &[u8], from: usize) -> usize {
        let earliest = bytes.len().saturating_sub(self.longest - 1).max(from);
        (earliest..bytes.len())
            .find(|&at| {
                let rest = &bytes[at..];
                self.texts
                    .iter()
                    .any(|text| text.len() > rest.len() && text.starts_with(rest))
            })
            .unwrap_or(bytes.len())
    }
}

/// The mask of one stream: holds back only what could still become a secret.
#[derive(Debug, Default)]
pub(super) struct Masker {
    secrets: Secrets,
    held: Vec<u8>,
    out: Vec<u8>,
}

impl Masker {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            held: Vec::new(),
            out: Vec::new(),
        }
    }

    /// The next bytes of the stream; returns what can be shown now.
    pub(super) fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> &'a [u8] {
        let Some(inner) = &self.secrets.inner else {
            return chunk;
        };
        self.out.clear();
        // Without something held back the chunk need not be copied in front.
        let taken = std::mem::take(&mut self.held);
        let joined;
        let bytes: &[u8] = if taken.is_empty() {
            chunk
        } else {
            joined = [&taken, chunk].concat();
            &joined
        };
        let mut undecided = inner.undecided(bytes, 0);
        let mut done = 0;
        for found in inner.finder.find_iter(bytes) {
            if found.start() >= undecided {
                break;
            }
            self.out.extend_from_slice(&bytes[done..found.start()]);
            self.out.extend_from_slice(MASK);
            done = found.end();
            if done > undecided {
                undecided = inner.undecided(bytes, done);
            }
        }
        self.out.extend_from_slice(&bytes[done..undecided]);
        self.held.extend_from_slice(&bytes[undecided..]);
        &self.out
    }

    /// The stream has ended: what was held back, masked as far as it holds whole secrets.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let Some(inner) = &self.secrets.inner else {
            return held;
        };
        let mut out = Vec::with_capacity(held.len());
        inner
            .finder
            .replace_all_with_bytes(&held, &mut out, |_, _, out| {
                out.extend_from_slice(MASK);
                true
            });
        out
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        Secrets::new(&texts).unwrap()
    }

    fn in_chunks(secrets: &Secrets, text: &[u8], size: usize) -> Vec<u8> {
        let mut masker = Masker::new(secrets.clone());
        let mut out = Vec::new();
        for chunk in text.chunks(size) {
            out.extend_from_slice(masker.feed(chunk));
        }
        out.extend(masker.finish());
        out
    }

    #[test]
    fn whatever_the_cut() {
        let secrets = secrets(&["hunter2", "hunter2-and-more", "s3cr3t"]);
        let text = b"a hunter2 b hunter2-and-mor hunter2-and-more s3cr3ts3cr3t s3cr3 end hunter";
        for size in 1..text.len() {
            assert_eq!(
                String::from_utf8(in_chunks(&secrets, text, size)).unwrap(),
                "a *** b ***-and-mor *** ****** s3cr3 end hunter",
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn only_what_may_become_a_secret_is_held_back() {
        let mut masker = Masker::new(secrets(&["hunter2"]));
        assert_eq!(
            masker.feed(b"a prompt without end: "),
            b"a prompt without end: "
        );
        assert_eq!(masker.feed(b"xhunt"), b"x");
        assert_eq!(masker.feed(b"ing"), b"hunting");
        assert_eq!(masker.finish(), b"");
    }

    #[test]
    fn secrets_of_several_lines_and_empty_ones() {
        let secrets = secrets(&["", "-----BEGIN\nabcdefghij\nx\n-----END"]);
        assert_eq!(secrets.mask_text("1: abcdefghij"), "1: ***");
        assert_eq!(secrets.mask_text("x"), "x");
        let whole = b"<-----BEGIN\nabcdefghij\nx\n-----END>";
        assert_eq!(in_chunks(&secrets, whole, 3), b"<***>");
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            texts in prop::collection::vec("[ab]{1,5}", 1..4),
            text in "[abc]{0,60}",
            size in 1_usize..20,
        ) {
            let secrets = Secrets::new(&texts).unwrap();
            let whole = in_chunks(&secrets, text.as_bytes(), text.len().max(1));
            prop_assert_eq!(&whole, &in_chunks(&secrets, text.as_bytes(), size));
            prop_assert_eq!(whole, secrets.mask_text(&text).into_bytes());
        }
    }
}
