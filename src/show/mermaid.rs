//! A plan as a Mermaid flowchart: phases, steps, gates, what waits for what, and how a run gets back.
//!
//! Mermaid refuses diagrams of more than 500 edges or 50,000 characters, so a plan that needs more is drawn as its
//! phases.

use std::fmt::Write as _;

use super::text::{cut, millis, visible};
use super::words;
use crate::plan::program::{After, Gate, GateAt, GateResponse, Phase, PhaseUndo, Program, UndoWay};
use crate::plan::schedule::Schedule;

/// Mermaid's own limits, with some room left.
const MOST_EDGES: usize = 450;
const MOST_TEXT: usize = 45_000;
/// Phases that are drawn where steps are too many.
const MOST_PHASES: usize = 150;
/// Columns of a label.
const LABEL: usize = 80;
/// More edges than this between two orders go through a point of their own.
const MOST_CROSSINGS: usize = 9;

/// The program as a flowchart, ending in a line break. `left_out` says by index which steps the run leaves out; empty
/// where none is.
#[must_use]
pub fn flowchart(program: &Program, left_out: &[bool]) -> String {
    let schedule = Schedule::without(program, left_out);
    let mut drawing = Drawing::new(program, &schedule, left_out);
    if program.steps.len() <= MOST_EDGES {
        drawing.steps();
        if drawing.edges <= MOST_EDGES && drawing.out.len() <= MOST_TEXT {
            return drawing.out;
        }
    }
    let mut drawing = Drawing::new(program, &schedule, left_out);
    drawing.phases();
    drawing.out
}

/// Text in a quoted label. Mermaid reads `#name;` as a character, so `#` and `;` go that way as well.
fn label(text: &str) -> String {
    let mut out = String::new();
    for c in cut(&visible(text), LABEL).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '\\' => out.push_str("#92;"),
            '%' => out.push_str("#37;"),
            c => out.push(c),
        }
    }
    out
}

struct Drawing<'a> {
    program: &'a Program,
    schedule: &'a Schedule,
    left_out: &'a [bool],
    out: String,
    edges: usize,
    joints: usize,
    critical: Vec<String>,
    walls: Vec<String>,
    omitted: Vec<String>,
}

impl<'a> Drawing<'a> {
    fn new(program: &'a Program, schedule: &'a Schedule, left_out: &'a [bool]) -> Self {
        Self {
            program,
            schedule,
            left_out,
            out: "flowchart TD\n".to_owned(),
            edges: 0,
            joints: 0,
            critical: Vec::new(),
            walls: Vec::new(),
            omitted: Vec::new(),
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn edge(&mut self, from: &str, arrow: &str, to: &str) {
        self.edges += 1;
        self.put(format_args!("  {from} {arrow} {to}"));
    }

    /// Edges from each to each, through a point where they would be many.
    fn connect(&mut self, from: &[String], to: &[String]) {
        if from.len() * to.len() <= MOST_CROSSINGS {
            for a in from {
                for b in to {
                    self.edge(a, "-->", b);
                }
            }
            return;
        }
        let joint = format!("j{}", self.joints);
        self.joints += 1;
        self.put(format_args!("  {joint}(( ))"));
        for a in from {
            self.edge(a, "---", &joint);
        }
        for b in to {
            self.edge(&joint, "-->", b);
        }
    }

    fn steps(&mut self) {
        let program = self.program;
        // What the next phase waits for.
        let mut before: Vec<String> = Vec::new();
        for (p, phase) in program.phases.iter().enumerate() {
            self.phase_box(p, phase);
            let (first, last) = self.order(phase);
            let first = if first.is_empty() {
                vec![format!("p{p}")]
            } else {
                first
            };
            self.connect(&before, &first);
            before = if last.is_empty() { first } else { last };
            for &g in &phase.gates {
                let gate = format!("g{g}");
                self.connect(&before, std::slice::from_ref(&gate));
                before = vec![gate];
            }
        }
        for (g, gate) in program.gates.iter().enumerate() {
            if gate.at == GateAt::Completion {
                self.gate_node(g, gate, "  ");
                let gate = format!("g{g}");
                self.connect(&before, std::slice::from_ref(&gate));
                before = vec![gate];
            }
        }
        self.back();
        self.classes();
    }

    fn phase_box(&mut self, p: usize, phase: &Phase) {
        let program = self.program;
        let name = label(&format!("{} {}", phase.id, phase.name));
        self.put(format_args!("  subgraph p{p}[\"{name}\"]"));
        for &s in &phase.steps {
            let step = &program.steps[s];
            let time = &self.schedule.steps[s];
            let mut text = label(&format!("{} {}", step.id, step.name));
            let mut facts = Vec::new();
            match time.work {
                Some(work) if work.max_ms > 0 => facts.push(millis(work.max_ms)),
                Some(_) => {}
                None => facts.push("no estimate".to_owned()),
            }
            if time.watch.max_ms > 0 {
                facts.push(format!("watched {}", millis(time.watch.max_ms)));
            }
            if self.left_out.get(s).copied().unwrap_or(false) {
                facts = vec!["left out".to_owned()];
                self.omitted.push(format!("s{s}"));
            } else if time.critical {
                self.critical.push(format!("s{s}"));
            }
            if !facts.is_empty() {
                text.push_str("<br/>");
                text.push_str(&label(&facts.join(", ")));
            }
            self.put(format_args!("    s{s}[\"{text}\"]"));
            for &g in &step.gates {
                self.gate_node(g, &program.gates[g], "    ");
            }
        }
        for &g in &phase.gates {
            self.gate_node(g, &program.gates[g], "    ");
        }
        self.put(format_args!("  end"));
    }

    fn gate_node(&mut self, g: usize, gate: &Gate, indent: &str) {
        let mut text = match gate.at {
            GateAt::Completion => label(&gate.name),
            GateAt::Phase(_) | GateAt::Step(_) => label(&format!("{} {}", gate.id, gate.name)),
        };
        if gate.approvals_needed > 0 {
            let asked = words::count(gate.approvals_needed, "approval", "approvals");
            text.push_str("<br/>");
            text.push_str(&label(&asked));
        }
        self.put(format_args!("{indent}g{g}{{\"{text}\"}}"));
    }

    /// A step, or the last of its gates: what those wait for that wait for the step.
    fn ends(&self, s: usize) -> String {
        match self.program.steps[s].gates.last() {
            Some(g) => format!("g{g}"),
            None => format!("s{s}"),
        }
    }

    /// The order of a phase's steps; gives back the nodes that begin it and those that end it.
    fn order(&mut self, phase: &Phase) -> (Vec<String>, Vec<String>) {
        let program = self.program;
        let mut first = Vec::new();
        let mut waited: std::collections::HashSet<usize> = std::collections::HashSet::new();
        let mut pending: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < phase.steps.len() {
            let order = program.steps[phase.steps[at]].order;
            let same: Vec<usize> = phase.steps[at..]
                .iter()
                .copied()
                .take_while(|&s| program.steps[s].order == order)
                .collect();
            at += same.len();
            let mut lower = Vec::new();
            for &s in &same {
                let step = &program.steps[s];
                let mut from = format!("s{s}");
                for g in &step.gates {
                    let gate = format!("g{g}");
                    self.edge(&from, "-->", &gate);
                    from = gate;
                }
                match &step.after {
                    After::LowerOrders => lower.push(s),
                    After::Exactly(all) => {
                        let here = all
                            .iter()
                            .filter(|&&d| program.steps[d].phase == step.phase);
                        let mut any = false;
                        for &d in here {
                            any = true;
                            waited.insert(d);
                            let end = self.ends(d);
                            self.edge(&end, "-->", &format!("s{s}"));
                        }
                        if !any {
                            first.push(format!("s{s}"));
                        }
                    }
                }
            }
            let names: Vec<String> = lower.iter().map(|s| format!("s{s}")).collect();
            if pending.is_empty() {
                first.extend(names);
            } else if !lower.is_empty() {
                let from: Vec<String> = pending.iter().map(|&s| self.ends(s)).collect();
                waited.extend(&pending);
                self.connect(&from, &names);
            }
            if !lower.is_empty() {
                pending.clear();
            }
            pending.extend(&same);
        }
        let last = phase
            .steps
            .iter()
            .filter(|s| !waited.contains(s))
            .map(|&s| self.ends(s))
            .collect();
        (first, last)
    }

    /// The way back: step by step, last first; a phase's own procedure as one; a wall where there is none.
    fn back(&mut self) {
        let program = self.program;
        // What is undone after the unit at hand.
        let mut from: Option<String> = None;
        for (p, phase) in program.phases.iter().enumerate().rev() {
            for &g in &phase.gates {
                if program.gates[g].response == GateResponse::Rollback
                    && let Some(&last) = phase.steps.last()
                {
                    self.edge(&format!("g{g}"), "-. rollback .->", &format!("s{last}"));
                }
            }
            match &phase.undo {
                PhaseUndo::EachStep => {
                    for &s in phase.steps.iter().rev() {
                        let step = &program.steps[s];
                        if step.effect_none || self.left_out.get(s).copied().unwrap_or(false) {
                            continue;
                        }
                        let node = format!("s{s}");
                        if let Some(from) = from.take() {
                            self.edge(&from, "-. undo .->", &node);
                        }
                        if let UndoWay::Wall(why) = &step.undo.way {
                            self.wall(&node, why);
                        } else {
                            from = Some(node);
                        }
                    }
                }
                PhaseUndo::Procedure(undo) => {
                    let node = format!("u{p}");
                    let name = label(&format!("undo of {} as a whole", phase.id));
                    self.put(format_args!("  {node}([\"{name}\"])"));
                    if let Some(&last) = phase.steps.last() {
                        self.edge(&format!("s{last}"), "-.->", &node);
                    }
                    if let Some(from) = from.take() {
                        self.edge(&from, "-. undo .->", &node);
                    }
                    if let UndoWay::Wall(why) = &undo.way {
                        self.wall(&node, why);
                    } else {
                        from = Some(node);
                    }
                }
                PhaseUndo::Wall(why) => {
                    if let Some(&last) = phase.steps.last() {
                        self.wall(&format!("s{last}"), why);
                    }
                    from = None;
                }
            }
        }
    }

    fn wall(&mut self, node: &str, why: &str) {
        let wall = format!("w{}", self.walls.len());
        let why = label(&format!("no way back: {why}"));
        self.put(format_args!("  {wall}[/\"{why}\"/]"));
        self.edge(node, "-.-x", &wall);
        self.walls.push(wall);
    }

    fn classes(&mut self) {
        let lists = [
            (
                "critical",
                "stroke:#d4572a,stroke-width:3px",
                std::mem::take(&mut self.critical),
            ),
            (
                "wall",
                "stroke:#a3330c,stroke-width:2px,stroke-dasharray:4 3",
                std::mem::take(&mut self.walls),
            ),
            ("omitted", "opacity:0.4", std::mem::take(&mut self.omitted)),
        ];
        for (name, style, nodes) in lists {
            if nodes.is_empty() {
                continue;
            }
            let nodes = nodes.join(",");
            self.put(format_args!("  classDef {name} {style}"));
            self.put(format_args!("  class {nodes} {name}"));
        }
    }

    /// Phases with counts, one after the other.
    fn phases(&mut self) {
        let program = self.program;
        let shown = program.phases.len().min(MOST_PHASES);
        for (p, phase) in program.phases.iter().take(shown).enumerate() {
            let gates = phase.gates.len();
            let name = label(&format!("{} {}", phase.id, phase.name));
            let facts = label(&format!(
                "{}, {}",
                words::count(phase.steps.len(), "step", "steps"),
                words::count(gates, "gate", "gates")
            ));
            self.put(format_args!("  p{p}[\"{name}<br/>{facts}\"]"));
            if p > 0 {
                self.edge(&format!("p{}", p - 1), "-->", &format!("p{p}"));
                let wall = self.schedule.phases[p - 1].back.wall.is_some();
                if !wall {
                    self.edge(&format!("p{p}"), "-. undo .->", &format!("p{}", p - 1));
                }
            }
        }
        if let Some(wall) = self.schedule.no_return.first()
            && wall.phase < shown
        {
            self.wall(&format!("p{}", wall.phase), &wall.why);
        }
        if shown < program.phases.len() {
            let more = program.phases.len() - shown;
            self.put(format_args!("  more[\"{more} more phases\"]"));
            self.edge(&format!("p{}", shown - 1), "-->", "more");
        }
        self.classes();
    }
}
