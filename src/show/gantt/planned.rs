//! The chart of a schedule.

use jiff::{SignedDuration, Timestamp};

use super::{Band, Bar, BarKind, Chart, Group, Row};
use crate::base::quantity::{Occurrence, Window};
use crate::plan::program::{Gate, GateAt, Program, WindowRule};
use crate::plan::schedule::{Schedule, Sum};
use crate::show::text::millis;
use crate::show::words::{self, length, sum};

/// More steps than this are drawn as their phases.
const MOST_STEPS: usize = 200;
/// More phases than this are counted.
const MOST_PHASES: usize = 300;
/// More openings of the window than this are not drawn.
const MOST_BANDS: usize = 60;

/// What the chart is made of.
struct Sight<'a> {
    program: &'a Program,
    /// The figures.
    schedule: Schedule,
    /// Where things are drawn: steps without an estimate have a length here.
    drawn: Schedule,
    left_out: &'a [bool],
    window: Option<(&'a Window, Vec<Occurrence>)>,
}

/// The chart of a program as it is planned, seen at `now`. `left_out` says by index which steps the run leaves out;
/// empty where none is.
#[must_use]
pub fn planned(program: &Program, left_out: &[bool], now: Timestamp) -> Chart {
    let schedule = Schedule::without(program, left_out);
    // Where most steps have an estimate, one without begins where it can and has no length; where most have none, only
    // an invented length lets anybody see the order.
    let unknown = schedule.steps.iter().filter(|t| t.work.is_none()).count();
    let axis = unknown * 2 <= schedule.steps.len();
    let drawn = Schedule::assuming(program, left_out, (!axis).then(|| typical(&schedule)));
    let sight = Sight {
        program,
        left_out,
        window: window(program, &drawn, now),
        schedule,
        drawn,
    };
    let few = program.steps.len() <= MOST_STEPS;
    let mut chart = Chart {
        title: program.name.clone(),
        facts: facts(&sight),
        groups: (0..program.phases.len().min(MOST_PHASES))
            .map(|p| group(&sight, p, few))
            .collect(),
        bands: if axis { bands(&sight) } else { Vec::new() },
        axis,
        notes: notes(&sight, (axis, unknown), few),
    };
    if few {
        completion(&sight, &mut chart);
    }
    chart
}

/// A length for what has none, so that it can be seen: a quarter of what steps take on average.
fn typical(schedule: &Schedule) -> u64 {
    let known: Vec<u64> = schedule
        .steps
        .iter()
        .filter_map(|time| time.work)
        .map(|work| work.max_ms)
        .filter(|&ms| ms > 0)
        .collect();
    let count = u64::try_from(known.len()).unwrap_or(1);
    match known.iter().sum::<u64>().checked_div(count) {
        Some(mean) => (mean / 4).max(1),
        None => 60_000,
    }
}

fn window<'a>(
    program: &'a Program,
    drawn: &Schedule,
    now: Timestamp,
) -> Option<(&'a Window, Vec<Occurrence>)> {
    let Some(WindowRule::Window { window, .. }) = &program.window else {
        return None;
    };
    let first = window.next_opening(now)?;
    let length = i64::try_from(drawn.length.known.max_ms).ok()?;
    let until = first
        .opens
        .checked_add(SignedDuration::from_millis(length))
        .ok()?;
    let mut all = window.openings(first.opens, until, MOST_BANDS);
    if all.is_empty() {
        all.push(first);
    }
    Some((window, all))
}

fn after(start: Timestamp, at: Timestamp) -> u64 {
    u64::try_from(at.duration_since(start).as_millis()).unwrap_or(0)
}

fn bands(sight: &Sight<'_>) -> Vec<Band> {
    let Some((window, openings)) = &sight.window else {
        return Vec::new();
    };
    let Some(start) = openings.first().map(|first| first.opens) else {
        return Vec::new();
    };
    openings
        .iter()
        .map(|opening| Band {
            from: after(start, opening.opens),
            to: after(start, opening.closes),
            label: format!("closes {}", window.clock(opening.closes)),
        })
        .collect()
}

fn facts(sight: &Sight<'_>) -> Vec<String> {
    let (program, schedule) = (sight.program, &sight.schedule);
    let mut facts = vec![format!(
        "{}, {}; planned: {}",
        words::count(program.phases.len(), "phase", "phases"),
        words::count(program.steps.len(), "step", "steps"),
        sum(schedule.length, "step", "steps")
    )];
    if let Some((window, openings)) = &sight.window
        && let Some(first) = openings.first()
    {
        facts.push(format!(
            "drawn as if it began when the window opens: {} to {}",
            window.day_and_clock(first.opens),
            window.clock(first.closes)
        ));
    }
    if let Some(wall) = schedule.no_return.first() {
        let from = match wall.step {
            Some(step) => program.steps[step].id.to_string(),
            None => program.phases[wall.phase].id.to_string(),
        };
        facts.push(format!("no full rollback from {from} on: {}", wall.why));
    }
    facts
}

fn notes(sight: &Sight<'_>, (axis, unknown): (bool, usize), few: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if axis && unknown > 0 {
        notes.push(
            "Dashed bars have no estimate and take no time here: what follows them begins then or later."
                .to_owned(),
        );
    }
    if !axis {
        notes.push(
            "Dashed bars have no estimate: how wide they are means nothing, so there is no time axis."
                .to_owned(),
        );
    }
    let asked = sight
        .program
        .gates
        .iter()
        .filter(|gate| gate.approvals_needed > 0)
        .count();
    if asked > 0 {
        notes.push(format!(
            "What people take to approve {} is not in it.",
            words::count(asked, "gate", "gates")
        ));
    }
    if !few {
        notes.push(format!(
            "{} steps are too many for a row each: phases are shown.",
            sight.program.steps.len()
        ));
    }
    if sight.program.phases.len() > MOST_PHASES {
        notes.push(format!(
            "{} more phases are not shown.",
            sight.program.phases.len() - MOST_PHASES
        ));
    }
    notes
}

fn group(sight: &Sight<'_>, index: usize, few: bool) -> Group {
    let phase = &sight.program.phases[index];
    let time = &sight.schedule.phases[index];
    let drawn = &sight.drawn.phases[index];
    let mut note = Vec::new();
    if !few {
        let gates = phase.gates.len()
            + phase
                .steps
                .iter()
                .map(|&s| sight.program.steps[s].gates.len())
                .sum::<usize>();
        note.push(format!(
            "{}, {}",
            words::count(phase.steps.len(), "step", "steps"),
            words::count(gates, "gate", "gates")
        ));
    }
    note.push(sum(time.length, "step", "steps"));
    let mut back_by = None;
    let mut back_until = None;
    if let Some(wall) = time.back.wall.and_then(|w| sight.schedule.no_return.get(w)) {
        let from = wall.step.map_or_else(
            || sight.program.phases[wall.phase].id.to_string(),
            |s| sight.program.steps[s].id.to_string(),
        );
        note.push(format!("no full rollback past {from}"));
    } else if time.back.takes != Sum::default() {
        note.push(format!(
            "full rollback: {}",
            sum(time.back.takes, "undo", "undos")
        ));
        let takes = time.back.takes.known.max_ms;
        if takes > 0 {
            back_until = Some(drawn.end.max_ms + takes);
            if let Some((at, said)) = by(sight, drawn.end.max_ms, takes) {
                back_by = at;
                note.push(said);
            }
        }
    }
    Group {
        label: format!("{} {}", phase.id, phase.name),
        note: note.join(" · "),
        span: (drawn.start.max_ms, drawn.end.max_ms),
        back_until,
        back_by,
        rows: if few { rows(sight, index) } else { Vec::new() },
    }
}

/// The last moment for a way back that takes so long: on the window's clock, and where the phase ends in a window that
/// is drawn, its place there.
fn by(sight: &Sight<'_>, end: u64, takes: u64) -> Option<(Option<u64>, String)> {
    let (window, openings) = sight.window.as_ref()?;
    let first = openings.first()?;
    let holds = |opening: &&Occurrence| {
        (after(first.opens, opening.opens)..=after(first.opens, opening.closes)).contains(&end)
    };
    let here = openings.iter().find(holds);
    let opening = here.unwrap_or(first);
    let takes = i64::try_from(takes).ok()?;
    let at = opening
        .closes
        .checked_sub(SignedDuration::from_millis(takes))
        .ok()?;
    if at < opening.opens {
        return Some((None, "longer than a window".to_owned()));
    }
    Some((
        here.map(|_| after(first.opens, at)),
        format!("start back by {}", window.clock(at)),
    ))
}

fn rows(sight: &Sight<'_>, index: usize) -> Vec<Row> {
    let phase = &sight.program.phases[index];
    let mut rows = Vec::new();
    for &s in &phase.steps {
        rows.push(step(sight, s));
        for &g in &sight.program.steps[s].gates {
            rows.push(gate(&sight.program.gates[g], sight.drawn.gates[g].max_ms));
        }
    }
    for &g in &phase.gates {
        rows.push(gate(&sight.program.gates[g], sight.drawn.gates[g].max_ms));
    }
    rows
}

fn step(sight: &Sight<'_>, index: usize) -> Row {
    let step = &sight.program.steps[index];
    let (time, drawn) = (&sight.schedule.steps[index], &sight.drawn.steps[index]);
    let label = format!("{} {}", step.id, step.name);
    if sight.left_out.get(index).copied().unwrap_or(false) {
        return Row {
            tip: label.clone(),
            label,
            note: "left out".to_owned(),
            gate: None,
            bars: Vec::new(),
            critical: false,
        };
    }
    let (from, to) = (drawn.start.max_ms, drawn.end.max_ms);
    let watch_from = to - drawn.watch.max_ms;
    let mut bars = Vec::new();
    let mut said = Vec::new();
    let kind = if time.work.is_some() {
        BarKind::Work
    } else {
        BarKind::Unknown
    };
    if watch_from > from || kind == BarKind::Unknown {
        bars.push(Bar {
            from,
            to: watch_from,
            kind,
        });
    }
    match time.work {
        Some(work) if work.max_ms > 0 => said.push(length(work)),
        Some(_) => {}
        None => said.push("no estimate".to_owned()),
    }
    if drawn.watch.max_ms > 0 {
        bars.push(Bar {
            from: watch_from,
            to,
            kind: BarKind::Watch,
        });
        said.push(format!("watched {}", length(drawn.watch)));
    }
    if drawn.slack_ms > 0 {
        bars.push(Bar {
            from: to,
            to: to + drawn.slack_ms,
            kind: BarKind::Slack,
        });
    }
    let undo = time.undo.known.max_ms;
    if undo > 0 {
        bars.push(Bar {
            from,
            to: from + undo,
            kind: BarKind::Undo,
        });
    }
    let wall = sight
        .schedule
        .no_return
        .iter()
        .any(|wall| wall.step == Some(index));
    let note = said.join(", ");
    if wall {
        said.push("no way back".to_owned());
    }
    let mut tip = vec![label.clone(), said.join(", ")];
    if undo > 0 {
        tip.push(format!("undo {}", sum(time.undo, "piece", "pieces")));
    }
    if time.slack_ms > 0 {
        tip.push(format!("may end {} later", millis(time.slack_ms)));
    }
    Row {
        label,
        note: if wall {
            format!("{note}, no way back")
        } else {
            note
        },
        tip: tip.join("; "),
        bars,
        gate: None,
        critical: drawn.critical,
    }
}

fn gate(gate: &Gate, at: u64) -> Row {
    let label = format!("{} {}", gate.id, gate.name);
    let note = if gate.approvals_needed > 0 {
        format!(
            "{} of {}",
            gate.approvals_needed,
            words::count(gate.approvers.len(), "approver", "approvers")
        )
    } else {
        String::new()
    };
    let mut tip = format!("gate {label}");
    if gate.approvals_needed > 0 {
        tip.push_str(&format!("; approved by {}", gate.approvers.join(", ")));
    }
    Row {
        label,
        note,
        tip,
        bars: Vec::new(),
        gate: Some(at),
        critical: false,
    }
}

/// The gate that decides completion stands below the last phase.
fn completion(sight: &Sight<'_>, chart: &mut Chart) {
    let Some(last) = chart.groups.last_mut() else {
        return;
    };
    for (g, gate_) in sight.program.gates.iter().enumerate() {
        if gate_.at == GateAt::Completion {
            last.rows.push(Row {
                label: gate_.name.clone(),
                ..gate(gate_, sight.drawn.gates[g].max_ms)
            });
        }
    }
}
