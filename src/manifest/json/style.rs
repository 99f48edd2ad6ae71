//! How new members are written: as their siblings are, else as the surroundings are.

use serde_json::Value;

use super::node::{Bytes, Container, Item};
use super::text::quoted;

/// How the members of one container are laid out.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Whether each member has lines of its own.
    pub(super) lines: bool,
    /// The line end.
    newline: Vec<u8>,
    /// Indentation of the line on which members stand.
    indent: Vec<u8>,
    /// By how much a level is indented.
    unit: Vec<u8>,
    /// Whitespace after the opening bracket, for the first member of an empty container.
    pub(super) first: Vec<u8>,
    /// Whitespace before the closing bracket, for the same.
    pub(super) last: Vec<u8>,
    /// Whitespace after a comma.
    pub(super) between: Vec<u8>,
    /// Whitespace before a comma.
    pub(super) after: Vec<u8>,
    /// The colon with the whitespace around it.
    pub(super) colon: Vec<u8>,
    /// Whitespace after a comma on one line.
    gap: Vec<u8>,
    /// Whitespace inside the braces of an object on one line.
    pad: Vec<u8>,
    /// Whether arrays of plain values stand on one line although objects do not.
    short: bool,
}

/// From the last line break on; `None` if there is none.
fn from_break(space: &[u8]) -> Option<&[u8]> {
    let at = memchr::memrchr2(b'\n', b'\r', space)?;
    let crlf = at > 0 && &space[at - 1..=at] == b"\r\n";
    Some(&space[at - usize::from(crlf)..])
}

/// A line break and the indentation after it.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let breaks = line
        .iter()
        .take_while(|b| matches!(b, b'\n' | b'\r'))
        .count();
    line.split_at(breaks)
}

impl Layout {
    /// The layout around the root of a text.
    pub(super) fn outermost(text: &[u8]) -> Self {
        let newline = match memchr::memchr2(b'\n', b'\r', text) {
            Some(at) if text[at..].starts_with(b"\r\n") => &b"\r\n"[..],
            Some(at) => &text[at..=at],
            None => b"\n",
        };
        Self {
            lines: false,
            newline: newline.to_vec(),
            indent: Vec::new(),
            unit: b"  ".to_vec(),
            first: Vec::new(),
            last: Vec::new(),
            between: b" ".to_vec(),
            after: Vec::new(),
            colon: b": ".to_vec(),
            gap: b" ".to_vec(),
            pad: Vec::new(),
            short: false,
        }
    }

    /// The layout in a container that stands as a member in this layout.
    pub(super) fn inside(&self, container: &Container<'_>) -> Self {
        let mut layout = self.clone();
        layout.after.clear();
        match container.items.as_slice() {
            [] => match &container.emptied {
                Some(item) => {
                    layout.learn(container.object, std::slice::from_ref(item));
                    layout.first = item.before.to_vec();
                    layout.last = item.after.to_vec();
                }
                None => layout.fill(&container.inner, self),
            },
            items => layout.learn(container.object, items),
        }
        layout
    }

    /// The layout in an empty container with this whitespace in it.
    fn fill(&mut self, inner: &Bytes<'_>, outer: &Self) {
        if let Some(line) = from_break(inner) {
            let (newline, indent) = split(line);
            self.open(newline.to_vec(), indent);
            self.last = inner.to_vec();
        } else if outer.lines {
            self.open(outer.newline.clone(), &outer.indent);
        } else {
            self.first = if inner.is_empty() {
                outer.pad.clone()
            } else {
                inner.to_vec()
            };
            self.last.clone_from(&self.first);
            self.between.clone_from(&outer.gap);
        }
    }

    /// Each member on a line of its own, one level deeper than `indent`.
    fn open(&mut self, newline: Vec<u8>, indent: &[u8]) {
        self.lines = true;
        self.last = [&newline, indent].concat();
        self.first = [&self.last[..], &self.unit].concat();
        self.between.clone_from(&self.first);
        self.indent = self.first[newline.len()..].to_vec();
        self.newline = newline;
    }

    /// The layout that these members have. `self` is that around their container.
    fn learn(&mut self, object: bool, items: &[Item<'_>]) {
        let n = items.len();
        let Some(last) = items.last() else { return };
        let line = from_break(&last.before);
        self.lines = line.is_some();
        if object {
            self.colon = colon(items, &self.colon);
        }
        if let Some(line) = line {
            let (newline, indent) = split(line);
            if let Some(unit) = indent.strip_prefix(self.indent.as_slice()) {
                self.unit = unit.to_vec();
            }
            self.newline = newline.to_vec();
            self.indent = indent.to_vec();
            // An empty line before the last member alone sets that one apart; before all of them it is the style.
            let same = n > 2 && items[n - 2].before == last.before;
            self.between = if same { &last.before } else { line }.to_vec();
        } else {
            if n > 1 {
                self.gap = last.before.to_vec();
            } else if object {
                let spaced = self.colon.last() != Some(&b':');
                self.gap = if spaced { b" ".to_vec() } else { Vec::new() };
            }
            if object {
                self.pad = if from_break(&items[0].before).is_none() {
                    items[0].before.to_vec()
                } else {
                    Vec::new()
                };
            }
            self.between.clone_from(&self.gap);
        }
        if n > 1 {
            let after = &items[n - 2].after;
            // Commas at the start of lines have the line break before them; a break on both sides is an accident.
            if !(self.lines && from_break(after).is_some()) {
                self.after = after.to_vec();
            }
        }
        let arrays = || {
            items
                .iter()
                .map(|item| item.value.raw())
                .filter(|raw| plain_array(raw))
        };
        if self.lines && arrays().next().is_some() {
            self.short = arrays().all(|raw| from_break(raw).is_none());
        }
    }

    /// The layout of what holds this container, if that is the root of the text.
    pub(super) fn around(mut self) -> Self {
        self.indent.clear();
        self
    }

    /// A value as it is written as a member in this layout.
    pub(super) fn render(&self, value: &Value, ascii: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.value(value, self.lines, &self.indent, ascii, &mut out);
        out
    }

    fn value(&self, value: &Value, lines: bool, indent: &[u8], ascii: bool, out: &mut Vec<u8>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let pad = &self.pad;
                let members = map.iter().map(|(key, value)| (Some(key.as_str()), value));
                self.members(*b"{}", members, pad, lines, indent, ascii, out);
            }
            Value::Array(list) if !list.is_empty() => {
                let nested = list.iter().any(|v| v.is_object() || v.is_array());
                let lines = lines && (nested || !self.short);
                let members = list.iter().map(|value| (None, value));
                self.members(*b"[]", members, &[], lines, indent, ascii, out);
            }
            Value::Object(_) => out.extend_from_slice(b"{}"),
            Value::Array(_) => out.extend_from_slice(b"[]"),
            plain => out.extend_from_slice(&plain_bytes(plain, ascii)),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call site for each kind of bracket"
    )]
    fn members<'v>(
        &self,
        [open, close]: [u8; 2],
        members: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        pad: &[u8],
        lines: bool,
        indent: &[u8],
        ascii: bool,
        out: &mut Vec<u8>,
    ) {
        let deeper = [indent, &self.unit].concat();
        out.push(open);
        for (i, (key, value)) in members.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            if lines {
                out.extend_from_slice(&self.newline);
                out.extend_from_slice(&deeper);
            } else {
                out.extend_from_slice(if i > 0 { &self.gap } else { pad });
            }
            if let Some(key) = key {
                quoted(key, ascii, out);
                out.extend_from_slice(&self.colon);
            }
            self.value(value, lines, &deeper, ascii, out);
        }
        if lines {
            out.extend_from_slice(&self.newline);
            out.extend_from_slice(indent);
        } else {
            out.extend_from_slice(pad);
        }
        out.push(close);
    }
}

/// A value that holds no others, as it is written everywhere. (Of a container, what serde_json writes.)
pub(super) fn plain_bytes(value: &Value, ascii: bool) -> Vec<u8> {
    match value {
        Value::String(text) => {
            let mut out = Vec::with_capacity(text.len() + 2);
            quoted(text, ascii, &mut out);
            out
        }
        other => other.to_string().into_bytes(),
    }
}

/// A non-empty array of plain values.
fn plain_array(raw: &[u8]) -> bool {
    raw.first() == Some(&b'[')
        && raw
            .get(1..raw.len() - 1)
            .is_some_and(|inner| !inner.trim_ascii().is_empty())
        && memchr::memchr2(b'{', b'[', &raw[1..]).is_none()
}

/// The colon that these members have. Where they are aligned, each has its own, and the shortest is the plainest.
fn colon(items: &[Item<'_>], outer: &[u8]) -> Vec<u8> {
    let one_line = || {
        items
            .iter()
            .map(|i| &i.colon)
            .filter(|c| from_break(c).is_none())
    };
    let mut last = one_line().rev();
    match (last.next(), last.next()) {
        (Some(a), Some(b)) if a == b => a.to_vec(),
        (Some(a), None) => a.to_vec(),
        (None, _) => outer.to_vec(),
        _ => one_line()
            .min_by_key(|c| c.len())
            .map_or_else(|| outer.to_vec(), |c| c.to_vec()),
    }
}
