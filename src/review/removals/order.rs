//! The texts of steps, forward and back, in the order in which a run comes to them.

use super::acts::{Act, is_shell, shell};
use super::scripts::{Process, Scripts};
use super::sql;
use crate::plan::load::Loaded;
use crate::plan::model::{
    CommandItem, CommandMapping, ExecutionDetails, Instruction, PointProcedure, Scalar, Script,
    Shell,
};
use crate::plan::program::{After, PhaseUndo, Program, UndoWay};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// A way back, with the forward texts of the steps that it takes back.
pub(super) struct Unit<'a> {
    pub(super) whose: Whose<'a>,
    pub(super) phase: usize,
    /// Units of one stretch are undone one after another; a wall lies between two stretches.
    pub(super) stretch: usize,
    pub(super) forward: Vec<(usize, Piece<'a>)>,
    pub(super) back: Vec<Piece<'a>>,
    /// Whether the way back is always gone when it is asked for.
    pub(super) always: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// A step, by its place in the program.
    Step(usize, &'a str),
    /// A phase with a procedure of its own.
    Phase(&'a str),
}

impl std::fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(_, id) => write!(f, "the undo of `{id}`"),
            Self::Phase(id) => write!(f, "the rollback of `{id}`"),
        }
    }
}

/// Something that one process or one person does.
pub(super) struct Piece<'a> {
    /// Phase, step, and the rest of the pointer.
    at: (usize, Option<usize>),
    place: Place,
    pub(super) what: What<'a>,
}

enum Place {
    Command(usize, bool),
    Script(&'static str, bool),
    Step(&'static str, usize),
}

pub(super) enum What<'a> {
    /// A command in the plan.
    Written {
        text: &'a str,
        shell: Option<&'a Shell>,
        env: &'a BTreeMap<String, Scalar>,
    },
    File {
        script: &'a Script,
    },
    /// A person does what these words say.
    Person(&'a str),
}

/// What a piece does, as far as its text tells.
pub(super) enum Told {
    Acts(Rc<[Act]>),
    /// Only its words are known.
    Words(Arc<str>),
    Nothing,
}

impl Piece<'_> {
    pub(super) fn pointer(&self) -> String {
        let (phase, step) = self.at;
        let mut pointer = format!("/migration_phases/{phase}");
        if let Some(step) = step {
            pointer.push_str(&format!("/steps/{step}"));
        }
        pointer.push_str(&match self.place {
            Place::Command(at, false) => format!("/execution_details/commands/{at}"),
            Place::Command(at, true) => format!("/execution_details/commands/{at}/run"),
            Place::Script(key, false) => format!("/{key}"),
            Place::Script(key, true) => format!("/{key}/path"),
            Place::Step(key, at) => format!("/{key}/{at}/run"),
        });
        pointer
    }

    pub(super) fn told(&self, scripts: &Scripts<'_>) -> Told {
        match &self.what {
            What::Person(words) => Told::Words(Arc::from(*words)),
            What::Written { text, shell, env } => written(text, *shell, env, scripts),
            What::File { script } => in_file(script, scripts).unwrap_or(Told::Nothing),
        }
    }
}

/// Who reads a text.
enum Reads {
    Shell,
    Sql,
    Other,
}

fn chosen(shell: &Shell) -> Reads {
    match shell {
        Shell::Name(name) => match name.as_str() {
            "bash" | "sh" => Reads::Shell,
            "sql" => Reads::Sql,
            _ => Reads::Other,
        },
        Shell::Argv(_) => Reads::Other,
    }
}

fn process(env: &BTreeMap<String, Scalar>) -> Process<'_> {
    let env = env.iter();
    Process {
        env: env
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        args: Vec::new(),
    }
}

fn written(
    text: &str,
    by: Option<&Shell>,
    env: &BTreeMap<String, Scalar>,
    scripts: &Scripts<'_>,
) -> Told {
    match by.map_or(Reads::Shell, chosen) {
        Reads::Shell => Told::Acts(shell(text, scripts, &process(env)).into()),
        Reads::Sql => Told::Acts(sql::acts(text, "", scripts).into()),
        Reads::Other => Told::Words(Arc::from(text)),
    }
}

/// None where the file cannot be read, or not any more.
fn in_file(script: &Script, scripts: &Scripts<'_>) -> Option<Told> {
    let (path, text) = scripts.script(script.path())?;
    let settings = script.settings();
    let reads = match settings.and_then(|settings| settings.shell.as_ref()) {
        Some(shell) => chosen(shell),
        None if is_shell(&path, &text) => Reads::Shell,
        None if path.ends_with(".sql") => Reads::Sql,
        None => Reads::Other,
    };
    let acts = match reads {
        Reads::Shell => {
            let mut process = settings.map_or_else(Process::default, |s| process(&s.env));
            let args = settings.iter().flat_map(|settings| &settings.args);
            process.args = args.map(Scalar::as_str).collect();
            scripts.outcome(&path, &text, &process)?.acts.clone()
        }
        Reads::Sql => scripts.statements(&path, &text, "")?,
        Reads::Other => return Some(Told::Words(text)),
    };
    scripts
        .may_act(&path, acts.len())
        .then_some(Told::Acts(acts))
}

/// The units of a plan, in the order in which their forward texts run.
pub(super) fn units<'a>(loaded: &'a Loaded, program: &Program) -> Vec<Unit<'a>> {
    let plan = &loaded.plan;
    let mut places: HashMap<&str, (usize, usize)> = HashMap::new();
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            places.insert(&step.step_id, (p, s));
        }
    }
    let mut units: Vec<Unit<'a>> = Vec::new();
    let mut stretch = 0;
    // A script that replaces undoing everything leaves phases to themselves; one that replaces undoing a phase, steps.
    let by_phase = program.levels.full.replaces.is_some();
    let by_step = program.levels.phase.replaces.is_some();
    for (p, phase) in program.phases.iter().enumerate() {
        if by_phase {
            stretch += 1;
        }
        let mut steps = phase.steps.clone();
        steps.sort_by_key(|&i| program.steps[i].order);
        let point = match &phase.undo {
            PhaseUndo::Wall(_) => {
                stretch += 1;
                None
            }
            PhaseUndo::EachStep => None,
            PhaseUndo::Procedure(_) => steps
                .first()
                .and_then(|&i| places.get(program.steps[i].id.as_str()))
                .map(|&(written, _)| (written, &plan.migration_phases[written])),
        };
        if let Some((written, phase)) = point {
            let mut unit = Unit {
                whose: Whose::Phase(&phase.phase_id),
                phase: p,
                stretch,
                forward: Vec::new(),
                back: procedure(phase.rollback_point.as_ref(), written),
                always: true,
            };
            for i in steps {
                if let Some(&(p, s)) = places.get(program.steps[i].id.as_str()) {
                    let details = plan.migration_phases[p].steps[s].execution_details.as_ref();
                    unit.forward.extend(
                        forward(details, (p, Some(s)))
                            .into_iter()
                            .map(|piece| (i, piece)),
                    );
                }
            }
            units.push(unit);
            continue;
        }
        for i in steps {
            let step = &program.steps[i];
            let Some(&(wp, ws)) = places.get(step.id.as_str()) else {
                continue;
            };
            let written = &plan.migration_phases[wp].steps[ws];
            let wall = matches!(step.undo.way, UndoWay::Wall(_));
            if wall || by_step {
                stretch += 1;
            }
            let at = (wp, Some(ws));
            let back = match &written.rollback_procedure {
                Some(undo) if !wall => match &undo.rollback_script {
                    Some(script) => vec![file(script, at, "rollback_procedure/rollback_script")],
                    None => instructions(
                        &undo.rollback_steps,
                        at,
                        "rollback_procedure/rollback_steps",
                    ),
                },
                _ => Vec::new(),
            };
            units.push(Unit {
                whose: Whose::Step(i, &written.step_id),
                phase: p,
                stretch,
                forward: forward(written.execution_details.as_ref(), at)
                    .into_iter()
                    .map(|piece| (i, piece))
                    .collect(),
                back,
                always: step.undo.only_if.is_none(),
            });
            if wall {
                stretch += 1;
            }
        }
        if matches!(phase.undo, PhaseUndo::Wall(_)) {
            stretch += 1;
        }
    }
    units
}

fn file<'a>(script: &'a Script, at: (usize, Option<usize>), key: &'static str) -> Piece<'a> {
    Piece {
        at,
        place: Place::Script(key, script.settings().is_some()),
        what: What::File { script },
    }
}

fn mapping(command: &CommandMapping) -> What<'_> {
    What::Written {
        text: &command.run,
        shell: command.shell.as_ref(),
        env: &command.env,
    }
}

fn instructions<'a>(
    items: &'a [Instruction],
    at: (usize, Option<usize>),
    key: &'static str,
) -> Vec<Piece<'a>> {
    items
        .iter()
        .enumerate()
        .map(|(i, item)| Piece {
            at,
            place: Place::Step(key, i),
            what: match item {
                Instruction::Run(command) => mapping(command),
                Instruction::Prose(words) => What::Person(words),
            },
        })
        .collect()
}

fn procedure(point: Option<&crate::plan::model::RollbackPoint>, phase: usize) -> Vec<Piece<'_>> {
    let Some(PointProcedure::Mapping(procedure)) =
        point.and_then(|point| point.rollback_procedure.as_ref())
    else {
        return Vec::new();
    };
    let at = (phase, None);
    let mut pieces: Vec<Piece<'_>> = procedure
        .script
        .iter()
        .map(|script| file(script, at, "rollback_point/rollback_procedure/script"))
        .collect();
    pieces.extend(instructions(
        &procedure.steps,
        at,
        "rollback_point/rollback_procedure/steps",
    ));
    pieces
}

fn forward(details: Option<&ExecutionDetails>, at: (usize, Option<usize>)) -> Vec<Piece<'_>> {
    static NO_ENV: BTreeMap<String, Scalar> = BTreeMap::new();
    let Some(details) = details else {
        return Vec::new();
    };
    if let Some(script) = &details.automation_script {
        return vec![file(script, at, "execution_details/automation_script")];
    }
    details
        .commands
        .iter()
        .enumerate()
        .map(|(i, command)| Piece {
            at,
            place: Place::Command(i, command.settings().is_some()),
            what: match command {
                CommandItem::Text(text) => What::Written {
                    text,
                    shell: None,
                    env: &NO_ENV,
                },
                CommandItem::Mapping(command) => mapping(command),
            },
        })
        .collect()
}

/// Whether one step surely starts before another of its phase; none when there is no patience left to tell.
pub(super) fn surely_before(
    program: &Program,
    earlier: usize,
    later: usize,
    patience: &mut usize,
) -> Option<bool> {
    let mut open = vec![later];
    let mut seen = std::collections::HashSet::new();
    while let Some(at) = open.pop() {
        if *patience == 0 {
            return None;
        }
        *patience -= 1;
        match &program.steps[at].after {
            After::LowerOrders => {
                if program.steps[earlier].order < program.steps[at].order {
                    return Some(true);
                }
            }
            After::Exactly(steps) => {
                for &step in steps {
                    if step == earlier {
                        return Some(true);
                    }
                    if seen.insert(step) {
                        open.push(step);
                    }
                }
            }
        }
    }
    Some(false)
}
