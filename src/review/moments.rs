//! Sentences that state a fact about the run are asked at one moment. Some can never be true then: a start condition
//! about a step of its own phase, a gate that waits for all gates and so for itself.

use std::collections::{HashMap, HashSet};

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::condition::{BlockEvidence, Fact, Understanding, understand};
use crate::plan::model::{Check, Measurement, Phase, Place, Plan, Step};
use crate::plan::source::join;

/// When a sentence is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment<'a> {
    /// Before the first step of a phase.
    PhaseStart(usize),
    /// Before a step, or with `own` while it is validated.
    Step { phase: usize, step: usize },
    /// After a step, before what follows it.
    StepGate { phase: usize, step: usize },
    /// After the last step of a phase, by the gate of this id.
    PhaseGate { phase: usize, gate: &'a str },
}

impl Moment<'_> {
    fn phase(self) -> usize {
        match self {
            Self::PhaseStart(phase)
            | Self::Step { phase, .. }
            | Self::StepGate { phase, .. }
            | Self::PhaseGate { phase, .. } => phase,
        }
    }
}

/// What a fact is worth at a moment.
enum Worth {
    /// It may be true.
    Open,
    /// It is never true then.
    Never(&'static str),
    /// Nothing makes it true by then; it may be, by chance.
    Chance(&'static str),
}

pub(super) fn check(cx: &mut Context<'_>) {
    let mut asked: Vec<(String, Moment<'_>, &str)> = Vec::new();
    let plan = cx.plan();
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        of_phase(p, phase, &mut asked);
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            let stated = |text: &str| states_fact(text);
            let mut criteria = gate
                .criteria
                .iter()
                .enumerate()
                .filter(|(_, c)| {
                    stated(&c.criterion) && !matches!(c.measurement, Some(Measurement::Mapping(_)))
                })
                .peekable();
            // Finding a place looks through the plan: only where something is asked there.
            if criteria.peek().is_none() {
                continue;
            }
            let moment = match plan.place(&gate.location) {
                Some(Place::Phase(phase)) => Moment::PhaseGate {
                    phase,
                    gate: &gate.gate_id,
                },
                Some(Place::Step(phase, step)) => Moment::StepGate { phase, step },
                None => continue,
            };
            for (c, criterion) in criteria {
                let at =
                    format!("/validation_strategy/validation_gates/{g}/criteria/{c}/criterion");
                asked.push((at, moment, &criterion.criterion));
            }
        }
    }
    if !asked.is_empty() {
        judge(cx, &asked);
    }
}

fn of_phase<'a>(p: usize, phase: &'a Phase, asked: &mut Vec<(String, Moment<'a>, &'a str)>) {
    let mut list = |checks: &'a [Check], moment: Moment<'a>, at: &dyn Fn() -> String| {
        for (i, check) in checks.iter().enumerate() {
            if let Check::Text(text) = check
                && states_fact(text)
            {
                asked.push((join(&at(), i), moment, text.as_str()));
            }
        }
    };
    list(&phase.start_condition, Moment::PhaseStart(p), &|| {
        format!("/migration_phases/{p}/start_condition")
    });
    for (s, step) in phase.steps.iter().enumerate() {
        let moment = Moment::Step { phase: p, step: s };
        let at = |key: &str| format!("/migration_phases/{p}/steps/{s}/{key}");
        list(&step.preconditions, moment, &|| at("preconditions"));
        if let Some(validation) = &step.validation {
            list(&validation.validation_checks, moment, &|| {
                at("validation/validation_checks")
            });
            list(&validation.success_criteria, moment, &|| {
                at("validation/success_criteria")
            });
        }
    }
    if let Some(gate) = &phase.validation_gate {
        let moment = Moment::PhaseGate {
            phase: p,
            gate: &gate.gate_id,
        };
        list(&gate.criteria, moment, &|| {
            format!("/migration_phases/{p}/validation_gate/criteria")
        });
    }
}

/// Whether the last word is one that facts end with: cheap, and most sentences end otherwise.
fn states_fact(text: &str) -> bool {
    let last = text
        .trim()
        .trim_end_matches('.')
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '_' | '-'))
        .next()
        .unwrap_or_default();
    ["successful", "succeeded", "passed", "completed", "verified"]
        .iter()
        .any(|verb| last.eq_ignore_ascii_case(verb))
}

fn judge(cx: &mut Context<'_>, asked: &[(String, Moment<'_>, &str)]) {
    let index = cx.index();
    let nothing = BlockEvidence::default();
    let mut places = Places::new(cx.plan());
    for (pointer, moment, text) in asked {
        let Understanding::Fact(fact) = understand(text, &nothing, &index) else {
            continue;
        };
        match places.worth(&fact, *moment) {
            Worth::Open => {}
            Worth::Never(why) => cx.find(
                codes::NEVER_TRUE,
                pointer,
                format!("`{text}` can never be true here: {why}"),
                "ask for something that is decided before this moment, or ask it later",
            ),
            Worth::Chance(why) => cx.find(
                codes::TRUE_BY_CHANCE,
                pointer,
                format!("`{text}` may or may not be true here: {why}"),
                "name the step in `depends_on`, or give it a lower `order`",
            ),
        }
    }
}

/// Where ids stand, looked up instead of searched for.
struct Places<'a> {
    plan: &'a Plan,
    steps: HashMap<&'a str, (usize, usize)>,
    phases: HashMap<&'a str, usize>,
    /// Gates at phases, and those at steps.
    gates: HashMap<&'a str, (usize, Option<usize>)>,
    /// How many steps may still be looked at to follow `depends_on`: a plan cannot make the review slow.
    budget: usize,
}

impl<'a> Places<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut places = Self {
            plan,
            steps: HashMap::new(),
            phases: HashMap::new(),
            gates: HashMap::new(),
            budget: 1_000_000,
        };
        for (p, phase) in plan.migration_phases.iter().enumerate() {
            places.phases.insert(&phase.phase_id, p);
            for (s, step) in phase.steps.iter().enumerate() {
                places.steps.insert(&step.step_id, (p, s));
            }
            if let Some(gate) = &phase.validation_gate {
                places.gates.insert(&gate.gate_id, (p, None));
            }
        }
        for gate in plan
            .validation_strategy
            .iter()
            .flat_map(|s| &s.validation_gates)
        {
            match plan.place(&gate.location) {
                Some(Place::Phase(p)) => {
                    places.gates.insert(&gate.gate_id, (p, None));
                }
                Some(Place::Step(p, s)) => {
                    places.gates.insert(&gate.gate_id, (p, Some(s)));
                }
                None => {}
            }
        }
        places
    }

    fn order(&self, phase: usize) -> i64 {
        self.plan.migration_phases[phase].order
    }

    fn worth(&mut self, fact: &Fact, moment: Moment<'_>) -> Worth {
        let now = moment.phase();
        let is_later = |other: usize| self.order(other) > self.order(now);
        match fact {
            Fact::StepSucceeded(id) => {
                let Some(&(p, s)) = self.steps.get(id.as_str()) else {
                    return Worth::Open;
                };
                self.step(p, s, moment)
            }
            Fact::PhaseSucceeded(id) => match self.phases.get(id.as_str()) {
                Some(&p) if is_later(p) => Worth::Never("that phase comes later"),
                Some(&p) if p == now => Worth::Never("the phase it stands in is not over yet"),
                _ => Worth::Open,
            },
            Fact::PhaseGatePassed(id) => match self.phases.get(id.as_str()) {
                Some(&p) if is_later(p) => Worth::Never("that phase comes later"),
                Some(&p) if p == now => Worth::Never("that gate is decided after this"),
                _ => Worth::Open,
            },
            Fact::GatePassed(id) => {
                let Some(&(p, step)) = self.gates.get(id.as_str()) else {
                    return Worth::Open;
                };
                if let Some(s) = step {
                    // A gate at a step opens after it, so whoever asks about it asks about the step.
                    return match moment {
                        Moment::StepGate { phase, step } if (phase, step) == (p, s) => Worth::Open,
                        _ => self.step(p, s, moment),
                    };
                }
                match moment {
                    _ if is_later(p) => Worth::Never("that gate comes later"),
                    Moment::PhaseGate { gate, .. } if gate == id => {
                        Worth::Never("a gate cannot wait for itself")
                    }
                    // Several gates of one phase are measured together.
                    Moment::PhaseGate { .. } => Worth::Open,
                    _ if p == now => Worth::Never("that gate is decided after this"),
                    _ => Worth::Open,
                }
            }
            Fact::AllGatesPassed => {
                let mut gates = self.gates.values();
                match moment {
                    Moment::PhaseGate { .. } | Moment::StepGate { .. } => {
                        Worth::Never("it counts the gate that asks it, which would wait for itself")
                    }
                    _ if gates.any(|&(p, step)| is_later(p) || p == now && step.is_none()) => {
                        Worth::Never("it counts gates that are decided after this")
                    }
                    _ => Worth::Open,
                }
            }
            Fact::AllStepsSucceeded => {
                let phases = || self.plan.migration_phases.iter().enumerate();
                let more = phases().any(|(p, phase)| is_later(p) && !phase.steps.is_empty());
                match moment {
                    _ if more => Worth::Never("it counts steps that come later"),
                    Moment::PhaseStart(p) if !self.plan.migration_phases[p].steps.is_empty() => {
                        Worth::Never("it counts the steps of the phase that it would start")
                    }
                    Moment::Step { .. } => Worth::Never("it counts the step that asks it"),
                    _ => Worth::Open,
                }
            }
            Fact::AllPhasesSucceeded => {
                Worth::Never("it counts the phase it stands in, which is not over yet")
            }
        }
    }

    /// Whether a step has succeeded at a moment.
    fn step(&mut self, p: usize, s: usize, moment: Moment<'_>) -> Worth {
        let now = moment.phase();
        if self.order(p) > self.order(now) {
            return Worth::Never("that step comes in a later phase");
        }
        if p != now {
            return Worth::Open;
        }
        let own = match moment {
            Moment::PhaseStart(_) => {
                return Worth::Never("that step belongs to the phase that it would start");
            }
            Moment::PhaseGate { .. } => return Worth::Open,
            Moment::Step { step, .. } if step == s => {
                return Worth::Never("a step has not succeeded while it is going on");
            }
            Moment::StepGate { step, .. } if step == s => return Worth::Open,
            Moment::Step { step, .. } | Moment::StepGate { step, .. } => step,
        };
        let steps = &self.plan.migration_phases[p].steps;
        let (asking, asked) = (&steps[own], &steps[s]);
        if self.waits_for(p, asking, asked) {
            return Worth::Open;
        }
        if self.waits_for(p, asked, asking) {
            return Worth::Never("that step waits for this one");
        }
        if self.budget == 0 {
            return Worth::Open;
        }
        Worth::Chance("nothing makes this step wait for that one")
    }

    /// Whether a step starts only after another step of its phase.
    fn waits_for(&mut self, p: usize, from: &'a Step, to: &'a Step) -> bool {
        let steps = &self.plan.migration_phases[p].steps;
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open = vec![from];
        while let Some(step) = open.pop() {
            let Some(depends_on) = &step.depends_on else {
                // It waits for every lower order, and for what those wait for.
                if to.order < step.order {
                    return true;
                }
                for lower in steps {
                    if self.budget == 0 {
                        return false;
                    }
                    self.budget -= 1;
                    // Of those that wait by order alone, the highest stand for all: `to` is not below `step`.
                    if lower.order < step.order
                        && lower.depends_on.is_some()
                        && seen.insert(&lower.step_id)
                    {
                        open.push(lower);
                    }
                }
                continue;
            };
            for id in depends_on {
                if *id == to.step_id {
                    return true;
                }
                if self.budget == 0 {
                    return false;
                }
                self.budget -= 1;
                if let Some(&(q, s)) = self.steps.get(id.as_str())
                    && q == p
                    && seen.insert(id)
                {
                    open.push(&steps[s]);
                }
            }
        }
        false
    }
}
