//! From YAML events to the arena. No recursion: nesting lives on a stack of frames.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::scalar::{number, resolve_plain};
use super::{Arena, Entry, Kind, MAX_DEPTH, MAX_EXPANSION, Node, NodeId, Positions, Span, join};
use crate::base::diagnostic::{Code, Finding, SourceText, Sources, codes};

/// A mapping with more keys than this finds its duplicates by hash.
const LINEAR_KEYS: usize = 16;

/// A text of more bytes is scanned on a thread of its own.
const LARGE: usize = 256 * 1024;

/// How many events that thread hands over at once, and how many such batches may wait: a few hundred KiB.
const BATCH: usize = 512;
const BATCHES: usize = 8;

/// Parses a text. The arena is there unless parsing had to stop; findings may come with it.
#[must_use]
pub fn parse(text: &Arc<SourceText>) -> (Option<Arena>, Vec<Finding>) {
    let mut sources = Sources::default();
    sources.add(Arc::clone(text));
    let mut builder = Builder {
        arena: Arena {
            nodes: Vec::new(),
            root: NodeId(0),
            sources,
            large: Positions::default(),
        },
        weights: Vec::new(),
        written: 0,
        copied: 0,
        anchors: HashMap::new(),
        frames: Vec::new(),
        root: None,
        findings: Vec::new(),
    };
    let complete = builder.run(text);
    let Builder {
        mut arena,
        root,
        findings,
        ..
    } = builder;
    match root {
        Some(root) if complete => {
            arena.root = root;
            (Some(arena), findings)
        }
        _ => (None, findings),
    }
}

enum Frame {
    List {
        items: Vec<NodeId>,
        open: Open,
    },
    Map {
        entries: Vec<Entry>,
        seen: HashMap<Box<str>, usize>,
        pending: Option<Key>,
        merges: Vec<(NodeId, Span)>,
        open: Open,
    },
    /// A collection in the place of a key: read to its end and dropped.
    Key {
        depth: usize,
        span: Span,
    },
}

struct Open {
    start: u32,
    last_end: u32,
    weight: u64,
    anchor: usize,
    flow: bool,
}

enum Key {
    Text(Box<str>, Span),
    Merge(Span),
    /// A key that a finding was made of; its value is dropped.
    Bad,
}

struct Builder {
    arena: Arena,
    /// What each node would weigh if aliases were written out, in bytes.
    weights: Vec<u64>,
    /// What was really written.
    written: u64,
    /// Entries that merge keys copied.
    copied: u64,
    anchors: HashMap<usize, NodeId>,
    frames: Vec<Frame>,
    root: Option<NodeId>,
    findings: Vec<Finding>,
}

impl Builder {
    /// Reads all events; `false` when reading had to stop.
    fn run(&mut self, text: &SourceText) -> bool {
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            // They are no data, and as events they would be limited in number; `comments` reads them.
            emit_comments: false,
        };
        let unmerged = super::slips::unmerged(text.text());
        for at in unmerged.iter().flat_map(|unmerged| &unmerged.conflicts) {
            let (_, end) = text.line_range(text.position(*at).0);
            self.find(
                codes::SYNTAX,
                span_of(*at, end),
                "a merge left both sides here",
                "keep one of the two sides and delete the markers; what follows is about the first side",
            );
        }
        let read = unmerged
            .as_ref()
            .map_or(text.text(), |unmerged| &unmerged.text);
        let events = Parser::new_from_str_with_options(read, options);
        if read.len() < LARGE {
            return self.events(text, events);
        }
        // Scanning takes longer than what is made of the events.
        std::thread::scope(|scope| {
            let (scanned, batches) = sync_channel(BATCHES);
            scope.spawn(move || {
                let mut events = events.into_iter();
                loop {
                    let batch: Vec<_> = events.by_ref().take(BATCH).collect();
                    // Nobody listens any more once reading had to stop.
                    if batch.is_empty() || scanned.send(batch).is_err() {
                        break;
                    }
                }
            });
            self.events(text, batches.into_iter().flatten())
        })
    }

    fn events<'t>(
        &mut self,
        text: &SourceText,
        events: impl Iterator<Item = Result<(Event<'t>, granit_parser::Span), granit_parser::ScanError>>,
    ) -> bool {
        let mut documents = 0;
        for event in events {
            let (event, at) = match event {
                Ok(pair) => pair,
                Err(error) => {
                    let marker = *error.marker();
                    let byte = marker
                        .byte_offset()
                        .unwrap_or_else(|| text.byte(marker.line(), marker.col() + 1));
                    self.stopped(text, &error, byte);
                    return false;
                }
            };
            let start = at.start.byte_offset().unwrap_or_default();
            let span = span_of(start, at.end.byte_offset().unwrap_or(start));
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        self.find(
                            codes::SEVERAL_DOCUMENTS,
                            span,
                            "a second YAML document begins here",
                            "keep one plan per file; share sections with `includes:`",
                        );
                        return false;
                    }
                }
                Event::Scalar(value, style, anchor, tag) => {
                    self.scalar(&value, style, anchor, tag.as_deref(), span);
                }
                Event::SequenceStart(style, anchor, tag) => {
                    self.check_tag(tag.as_deref(), "seq", span);
                    self.open(false, span, style, anchor);
                }
                Event::MappingStart(style, anchor, tag) => {
                    self.check_tag(tag.as_deref(), "map", span);
                    self.open(true, span, style, anchor);
                }
                Event::SequenceEnd | Event::MappingEnd if !self.close(span) => return false,
                Event::Alias(anchor) => self.alias(anchor, span),
                _ => {}
            }
            if self.frames.len() > MAX_DEPTH {
                self.find(
                    codes::TOO_DEEP,
                    span,
                    format!("collections are nested more than {MAX_DEPTH} deep"),
                    "flatten the document",
                );
                return false;
            }
        }
        self.finish(text)
    }

    fn finish(&mut self, text: &SourceText) -> bool {
        let root = match self.root {
            Some(root) if self.arena.node(root).kind != Kind::Null => root,
            _ => {
                if self.findings.is_empty() {
                    self.findings.push(
                        Finding::new(
                            codes::EMPTY,
                            crate::base::diagnostic::Location::file(Arc::clone(text.name())),
                            "the plan is empty",
                        )
                        .help(
                            "a plan has at least metadata, migration_overview and migration_phases",
                        ),
                    );
                }
                return false;
            }
        };
        let expanded = self.weights[root.0 as usize];
        if expanded > self.written.saturating_mul(MAX_EXPANSION) {
            self.expanded();
            return false;
        }
        true
    }

    fn expanded(&mut self) {
        let name = Arc::clone(self.arena.sources.all()[0].name());
        self.findings.push(
            Finding::new(
                codes::ALIASES_EXPAND,
                crate::base::diagnostic::Location::file(name),
                format!("aliases make the document more than {MAX_EXPANSION} times as large as it is written"),
            )
            .help("write the repeated parts out, or move them into scripts and datasets"),
        );
    }

    fn stopped(&mut self, text: &SourceText, error: &granit_parser::ScanError, byte: usize) {
        let span = span_of(byte, byte + 1);
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => self.find(
                codes::TOO_DEEP,
                span,
                format!("collections are nested more than {MAX_DEPTH} deep"),
                "flatten the document",
            ),
            kind => {
                let message = format!("this is not YAML: {kind}");
                let slip = super::slips::cause(text, byte);
                let pointer = self.pointer();
                let location = self.arena.location(span_of(slip.at, slip.at + 1), &pointer);
                let mut finding = Finding::new(codes::SYNTAX, location, message).help(slip.help);
                if text.position(slip.at).0 != text.position(byte).0 {
                    let stopped = self.arena.location(span, &pointer);
                    finding = finding.label(stopped, "here the parser could not go on");
                }
                self.findings.push(finding);
            }
        }
    }

    fn find(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        let location = self.arena.location(span, &self.pointer());
        self.findings
            .push(Finding::new(code, location, message).help(help));
    }

    /// Pointer of the value that is being read.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            pointer = match frame {
                Frame::List { items, .. } => join(&pointer, items.len()),
                Frame::Map {
                    pending: Some(Key::Text(key, _)),
                    ..
                } => join(&pointer, key),
                Frame::Map { .. } | Frame::Key { .. } => pointer,
            };
        }
        pointer
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema_tag(expected)
        {
            self.find(
                codes::UNKNOWN_TAG,
                span,
                format!("the tag `{}` has no meaning here", tag.original()),
                "remove the tag",
            );
        }
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) {
        let plain = style == ScalarStyle::Plain;
        let kind = match tag {
            None if plain => resolve_plain(value),
            None => Kind::Text(value.into()),
            Some(tag) => {
                let fits = match tag.core_suffix() {
                    Some("str") => Some(Kind::Text(value.into())),
                    Some("null") => Some(resolve_plain(value)).filter(|kind| *kind == Kind::Null),
                    Some("bool") => {
                        Some(resolve_plain(value)).filter(|kind| matches!(kind, Kind::Bool(_)))
                    }
                    Some("int" | "float") => {
                        number(value).map(|number| Kind::Number(number, value.into()))
                    }
                    _ if tag.original() == "!" => Some(Kind::Text(value.into())),
                    _ => None,
                };
                fits.unwrap_or_else(|| {
                    self.find(
                        codes::UNKNOWN_TAG,
                        span,
                        format!("the tag `{}` does not fit this value", tag.original()),
                        "remove the tag",
                    );
                    Kind::Text(value.into())
                })
            }
        };
        if self.wants_key() {
            // An anchored key may be used as a value later.
            if anchor != 0 {
                let id = self.add(kind.clone(), span, value.len() as u64);
                self.anchors.insert(anchor, id);
            }
            self.key(kind, plain && tag.is_none(), span);
            return;
        }
        let weight = value.len() as u64 + 1;
        self.written += weight;
        let id = self.add(kind, span, weight);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.value(id, span);
    }

    fn add(&mut self, kind: Kind, span: Span, weight: u64) -> NodeId {
        self.weights.push(weight);
        self.arena.push(Node { kind, span })
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Map { pending: None, .. }))
    }

    fn key(&mut self, kind: Kind, plain: bool, span: Span) {
        let key = match kind {
            Kind::Text(text) if plain && &*text == "<<" => Key::Merge(span),
            Kind::Text(text) => self.fresh(text, span),
            other => {
                let what = match other {
                    Kind::Null => "nothing",
                    Kind::Bool(_) => "a truth value",
                    Kind::Number(..) => "a number",
                    Kind::Text(_) | Kind::List(_) | Kind::Map(_) => "a collection",
                };
                self.find(
                    codes::KEY_NOT_TEXT,
                    span,
                    format!("a key must be text, and this is {what}"),
                    "put the key in quotes",
                );
                Key::Bad
            }
        };
        if let Some(Frame::Map { pending, open, .. }) = self.frames.last_mut() {
            open.last_end = open.last_end.max(span.end);
            open.weight = open.weight.saturating_add(u64::from(span.end - span.start));
            self.written += u64::from(span.end - span.start);
            *pending = Some(key);
        }
    }

    /// The key, unless the mapping has it already.
    fn fresh(&mut self, text: Box<str>, span: Span) -> Key {
        let Some(Frame::Map { entries, seen, .. }) = self.frames.last_mut() else {
            return Key::Bad;
        };
        if entries.len() == LINEAR_KEYS && seen.is_empty() {
            seen.extend(
                entries
                    .iter()
                    .enumerate()
                    .map(|(at, e)| (e.key.clone(), at)),
            );
        }
        let earlier = if seen.is_empty() {
            entries.iter().position(|entry| entry.key == text)
        } else {
            seen.get(&text).copied()
        };
        match earlier {
            None => {
                if !seen.is_empty() {
                    seen.insert(text.clone(), entries.len());
                }
                Key::Text(text, span)
            }
            Some(at) => {
                let first = entries[at].key_span;
                let pointer = join(&self.pointer(), &text);
                let finding = Finding::new(
                    codes::DUPLICATE_KEY,
                    self.arena.location(span, &pointer),
                    format!("the key `{text}` is given twice"),
                )
                .label(self.arena.location(first, &pointer), "first given here")
                .help("remove or rename one of them");
                self.findings.push(finding);
                Key::Bad
            }
        }
    }

    fn value(&mut self, id: NodeId, span: Span) {
        let weight = self.weights[id.0 as usize];
        match self.frames.last_mut() {
            None => self.root = Some(id),
            Some(Frame::Key { .. }) => {}
            Some(Frame::List { items, open }) => {
                items.push(id);
                open.last_end = open.last_end.max(span.end);
                open.weight = open.weight.saturating_add(weight);
            }
            Some(Frame::Map {
                entries,
                pending,
                merges,
                open,
                ..
            }) => {
                open.last_end = open.last_end.max(span.end);
                match pending.take() {
                    Some(Key::Text(key, key_span)) => {
                        open.weight = open.weight.saturating_add(weight);
                        entries.push(Entry {
                            key,
                            key_span,
                            value: id,
                        });
                    }
                    Some(Key::Merge(at)) => merges.push((id, at)),
                    Some(Key::Bad) | None => {}
                }
            }
        }
    }

    fn open(&mut self, map: bool, span: Span, style: StructureStyle, anchor: usize) {
        if let Some(Frame::Key { depth, .. }) = self.frames.last_mut() {
            *depth += 1;
            return;
        }
        if self.wants_key() {
            self.find(
                codes::KEY_NOT_TEXT,
                span,
                "a key must be text, and this is a collection",
                "if a value in braces is meant, put it in quotes",
            );
            self.frames.push(Frame::Key { depth: 1, span });
            return;
        }
        self.written += 1;
        let open = Open {
            start: span.start,
            last_end: span.start,
            weight: 1,
            anchor,
            flow: style == StructureStyle::Flow,
        };
        self.frames.push(if map {
            Frame::Map {
                entries: Vec::new(),
                seen: HashMap::new(),
                pending: None,
                merges: Vec::new(),
                open,
            }
        } else {
            Frame::List {
                items: Vec::new(),
                open,
            }
        });
    }

    /// Ends a collection; `false` when merging copied more than any plan needs.
    fn close(&mut self, end: Span) -> bool {
        if let Some(Frame::Key { depth, .. }) = self.frames.last_mut() {
            *depth -= 1;
            if *depth > 0 {
                return true;
            }
        }
        let (kind, open) = match self.frames.pop() {
            None => return true,
            Some(Frame::Key { span, .. }) => {
                if let Some(Frame::Map { pending, open, .. }) = self.frames.last_mut() {
                    open.last_end = open.last_end.max(span.end);
                    *pending = Some(Key::Bad);
                }
                return true;
            }
            Some(Frame::List { items, open }) => (Kind::List(items), open),
            Some(Frame::Map {
                mut entries,
                merges,
                mut open,
                ..
            }) => {
                for (source, at) in merges {
                    self.merge(&mut entries, &mut open, source, at);
                }
                if self.copied > self.written.saturating_mul(MAX_EXPANSION) {
                    self.expanded();
                    return false;
                }
                (Kind::Map(entries), open)
            }
        };
        let last = if open.flow { end.end } else { open.last_end };
        let span = Span {
            file: 0,
            start: open.start,
            end: last.max(open.start),
        };
        let id = self.add(kind, span, open.weight);
        if open.anchor != 0 {
            self.anchors.insert(open.anchor, id);
        }
        self.value(id, span);
        true
    }

    /// Adds what the merged mappings have and this one has not; earlier ones win.
    fn merge(&mut self, entries: &mut Vec<Entry>, open: &mut Open, source: NodeId, at: Span) {
        let maps = match &self.arena.node(source).kind {
            Kind::Map(_) => vec![source],
            Kind::List(items) => items.clone(),
            _ => Vec::new(),
        };
        let all_maps = maps
            .iter()
            .all(|id| matches!(self.arena.node(*id).kind, Kind::Map(_)));
        if maps.is_empty() || !all_maps {
            self.find(
                codes::BAD_MERGE,
                at,
                "a merge key takes a mapping or a list of mappings",
                "write `<<: *name`, or quote the key if a key of that name is meant",
            );
            return;
        }
        let mut have: std::collections::HashSet<Box<str>> =
            entries.iter().map(|entry| entry.key.clone()).collect();
        for map in maps {
            let Kind::Map(from) = &self.arena.node(map).kind else {
                continue;
            };
            self.copied += from.len() as u64;
            for entry in from {
                if have.insert(entry.key.clone()) {
                    open.weight = open
                        .weight
                        .saturating_add(self.weights[entry.value.0 as usize])
                        .saturating_add(entry.key.len() as u64);
                    entries.push(entry.clone());
                }
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let target = self.anchors.get(&anchor).copied();
        if self.wants_key() {
            let kind = target.map(|id| self.arena.node(id).kind.clone());
            self.written += 1;
            self.key(kind.unwrap_or(Kind::Null), false, span);
            return;
        }
        self.written += 1;
        match target {
            Some(id) => self.value(id, span),
            None => {
                self.find(
                    codes::RECURSIVE_ALIAS,
                    span,
                    "this alias contains itself",
                    "write the value out",
                );
                let id = self.add(Kind::Null, span, 1);
                self.value(id, span);
            }
        }
    }
}

fn span_of(start: usize, end: usize) -> Span {
    // The size limit keeps offsets far below 32 bits.
    Span {
        file: 0,
        start: u32::try_from(start).unwrap_or(u32::MAX),
        end: u32::try_from(end.max(start)).unwrap_or(u32::MAX),
    }
}
