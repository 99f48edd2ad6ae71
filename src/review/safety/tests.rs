//! Small plans, the stories that are told of them, and a second walk that holds the first to its word.

use std::path::Path;

use crate::plan::load::load_text;
use crate::plan::program::{Files, Program, lower};

use super::graph::Graph;
use super::story::{DeadEnd, HalfBack, Root, dead_ends, half_backs};
use super::{happy, model};

struct Nowhere;

impl Files for Nowhere {
    fn exists(&self, _: &str) -> bool {
        false
    }

    fn read(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn step(id: &str, order: u32, more: &str) -> String {
    let undo = if more.contains("rollback_procedure") {
        ""
    } else {
        ", rollback_procedure: {rollback_steps: [{run: back}]}"
    };
    let details = if more.contains("execution_details") {
        ""
    } else {
        ", execution_details: {commands: ['do it']}"
    };
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {more}")
    };
    format!(
        "{{step_id: {id}, name: {id}, order: {order}, type: configuration{details}{undo}{more}}}"
    )
}

pub(super) fn phase(order: u32, more: &str, steps: &[String]) -> String {
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {more}")
    };
    format!(
        "  - {{phase_id: P{order}, name: p, order: {order}{more}, steps: [{}]}}\n",
        steps.join(", ")
    )
}

pub(super) fn plan(phases: &[String], more: &str) -> Program {
    let text = format!(
        "metadata: {{version: '1', migration_name: m}}\nmigration_overview: {{name: n}}\n{more}\nmigration_phases:\n{}",
        phases.concat()
    );
    let loaded = load_text(Path::new("plan.yaml"), &text).unwrap_or_else(|refused| {
        let all: Vec<&str> = refused
            .findings
            .iter()
            .map(|f| f.message.as_str())
            .collect();
        panic!("{all:?}\n{text}")
    });
    lower(&loaded.plan, &Nowhere).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

const WALL: &str = "rollback_procedure: {can_rollback: false}";
const SAFE_WALL: &str = "rollback_procedure: {can_rollback: false}, idempotent: true";

fn gate(more: &str) -> String {
    format!(
        "validation_gate: {{gate_id: G, name: g, criteria: [{{check: good, command: test}}]{more}}}"
    )
}

fn walked(program: &Program) -> (Vec<DeadEnd>, Vec<HalfBack>) {
    let model = model::of(program);
    let graph = Graph::of(&model, 3_000);
    assert!(!graph.broken, "the engine refused what it had asked for");
    assert!(!graph.cut);
    (dead_ends(&model, &graph), half_backs(&model, &graph))
}

fn stories(program: &Program) -> String {
    let (dead, half) = walked(program);
    let mut all: Vec<String> = dead.iter().map(|d| d.story.join("\n")).collect();
    all.extend(half.iter().map(|h| h.story.join("\n")));
    all.join("\n--\n")
}

fn one(steps: &[String]) -> Program {
    plan(&[phase(1, "", steps)], "")
}

#[test]
fn a_plan_whose_every_step_can_be_undone_is_safe() {
    let policy = |name: &str| format!("rollback_strategy: {{on_failure: {name}}}");
    for more in [String::new(), policy("phase"), policy("full")] {
        for response in ["block", "rollback", "manual_decision"] {
            let gate = gate(&format!(", approvers: [Ada], failure_response: {response}"));
            let program = plan(
                &[
                    phase(1, &gate, &[step("A", 1, ""), step("B", 1, "")]),
                    phase(2, "", &[step("C", 1, ""), step("D", 2, "")]),
                ],
                &more,
            );
            assert_eq!(stories(&program), "", "{response} {more}");
        }
    }
}

#[test]
fn a_wall_that_may_be_half_done_is_a_dead_end() {
    let program = one(&[step("A", 1, ""), step("W", 2, WALL), step("C", 3, "")]);
    insta::assert_snapshot!(stories(&program));
    for way_out in [
        "idempotent: true",
        "done_if: {check: done, command: test}",
        "effect: none",
    ] {
        let program = one(&[
            step("A", 1, ""),
            step("W", 2, &format!("{WALL}, {way_out}")),
        ]);
        assert_eq!(stories(&program), "", "{way_out}");
    }
    let by_hand = format!("{WALL}, execution_details: {{manual_steps: [turn the key]}}");
    assert_eq!(stories(&one(&[step("W", 1, &by_hand)])), "");
}

#[test]
fn a_phase_procedure_takes_a_wall_back() {
    let point = "rollback_point: {rollback_procedure: {steps: [{run: x}]}}";
    let steps = [step("A", 1, ""), step("W", 2, WALL)];
    let before = || phase(1, "", &[step("Z", 1, SAFE_WALL)]);
    assert_eq!(stories(&plan(&[phase(1, point, &steps)], "")), "");
    assert_eq!(
        stories(&plan(&[before(), phase(2, point, &steps)], "")),
        "",
        "once the phase is undone the run goes on again"
    );
}

#[test]
fn a_gate_that_says_no_needs_a_way_back() {
    let steps = [step("A", 1, ""), step("W", 2, SAFE_WALL)];
    insta::assert_snapshot!(stories(&plan(&[phase(1, &gate(""), &steps)], "")));
    insta::assert_snapshot!(stories(&plan(
        &[phase(1, &gate(", failure_response: rollback"), &steps)],
        ""
    )));
    // People may go on over a criterion, not over a refusal.
    let ask = gate(", failure_response: manual_decision");
    assert_eq!(stories(&plan(&[phase(1, &ask, &steps)], "")), "");
    let asked = gate(", failure_response: manual_decision, approvers: [Ada]");
    insta::assert_snapshot!(stories(&plan(&[phase(1, &asked, &steps)], "")));
    // A gate that is open is far enough back.
    let later = phase(
        2,
        "validation_gate: {gate_id: H, name: h, criteria: [{check: good, command: test}]}",
        &[step("C", 1, "")],
    );
    assert_eq!(
        stories(&plan(&[phase(1, &ask, &steps), later.clone()], "")),
        ""
    );
    // Without one it is not.
    insta::assert_snapshot!(stories(&plan(&[phase(1, "", &steps), later], "")));
}

#[test]
fn a_rollback_that_stops_half_way_is_told() {
    let steps = [step("A", 1, ""), step("W", 2, SAFE_WALL), step("C", 3, "")];
    let full = "rollback_strategy: {on_failure: full}";
    insta::assert_snapshot!(stories(&plan(&[phase(1, "", &steps)], full)));
    // A phase that ends before the wall can be undone.
    let phases = [
        phase(
            1,
            "",
            &[
                step("A", 1, ""),
                step("W", 2, &format!("{SAFE_WALL}, effect: none")),
            ],
        ),
        phase(2, "", &[step("C", 1, "")]),
    ];
    assert_eq!(
        stories(&plan(&phases, "rollback_strategy: {on_failure: phase}")),
        ""
    );
    // The procedure of the phase would do, and is not reached.
    let point = "rollback_point: {rollback_procedure: {steps: [{run: x}]}}";
    insta::assert_snapshot!(stories(&plan(
        &[phase(1, point, &[step("A", 1, ""), step("W", 2, WALL)])],
        "rollback_strategy: {on_failure: phase}",
    )));
}

#[test]
fn a_plan_that_waits_for_itself_never_completes() {
    let itself = one(&[step("A", 1, "preconditions: ['A successful']")]);
    insta::assert_debug_snapshot!(happy::play(&itself));
    let later = plan(
        &[
            phase(
                1,
                "start_condition: ['Phase 2 completed']",
                &[step("A", 1, "")],
            ),
            phase(2, "", &[step("B", 1, "")]),
        ],
        "",
    );
    insta::assert_debug_snapshot!(happy::play(&later));
    let fine = plan(
        &[
            phase(1, &gate(""), &[step("A", 1, "")]),
            phase(
                2,
                "start_condition: ['Phase 1 validation gate passed']",
                &[
                    step(
                        "B",
                        1,
                        "preconditions: [{check: a, when: \"steps['A'].succeeded\"}]",
                    ),
                    step("C", 1, "preconditions: ['B successful']"),
                ],
            ),
        ],
        "success_criteria: {migration_complete_definition: {criteria: ['All validation gates passed']}}",
    );
    assert_eq!(happy::play(&fine), None);
}

#[test]
fn steps_that_are_alike_are_walked_twice_and_named_all() {
    let steps: Vec<String> = (0..40)
        .map(|i| step(&format!("S{i}"), i + 1, if i % 4 == 3 { WALL } else { "" }))
        .collect();
    let model = model::of(&one(&steps));
    assert!(model.reduced);
    assert_eq!(model.program.steps.len(), 4);
    let graph = Graph::of(&model, 3_000);
    let dead = dead_ends(&model, &graph);
    let Some(Root::Step(first)) = dead.first().map(|d| d.root) else {
        panic!("{dead:?}")
    };
    assert_eq!(model.traits[first].original, 3);
    assert_eq!(model.traits[first].alike.len(), 8);
}

/// A walk without merging, without a graph: every path is walked to its end.
mod brute {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::graph::{FAULTS, Graph};
    use super::super::model::{self, Model};
    use super::super::story::{Root, dead_ends};
    use super::super::walk::{Choice, Fork, Place};
    use super::{gate, phase, plan, step};
    use crate::run::engine::{Outcome, Verdict};

    fn go(model: &Model, place: &Place, choice: &Choice) -> Option<(Place, Fork)> {
        let mut place = place.clone();
        place.choose(model, choice).ok()?;
        let fork = place.advance(&model.program, &mut |_| {}).ok()?;
        Some((place, fork))
    }

    /// Whether good luck and so many decisions lead out.
    fn escapes(model: &Model, place: &Place, fork: &Fork, decisions: u8) -> bool {
        let rest = *fork == Fork::Rest;
        if rest && place.is_well(&model.program) {
            return true;
        }
        if rest && decisions == 0 {
            return false;
        }
        let mut choices = place.choices(model, fork);
        if rest {
            choices.extend(place.ways_back(model));
        }
        choices
            .into_iter()
            .filter(|choice| choice.is_good() || place.repeats(choice))
            .filter_map(|choice| go(model, place, &choice))
            .any(|(next, fork)| escapes(model, &next, &fork, decisions - u8::from(rest)))
    }

    fn walk(
        model: &Model,
        place: &Place,
        fork: &Fork,
        (faults, decisions): (u8, u8),
        root: Option<Root>,
        found: &mut BTreeSet<Root>,
    ) {
        let rest = *fork == Fork::Rest;
        if rest {
            if place.is_well(&model.program) {
                return;
            }
            if !escapes(model, place, fork, 3) {
                found.extend(root);
                return;
            }
            if decisions == 0 {
                return;
            }
        }
        for choice in place.choices(model, fork) {
            let fault = choice.is_fault() && !place.repeats(&choice);
            if fault && faults == FAULTS {
                continue;
            }
            let root = match &choice {
                Choice::Step(step, outcome) if *outcome != Outcome::Succeeded => {
                    Some(Root::Step(*step))
                }
                Choice::Gate(gate, verdict) if *verdict != Verdict::Pass => Some(Root::Gate(*gate)),
                Choice::Approve(gate, false) => Some(Root::Gate(*gate)),
                _ => root,
            };
            let (next, fork) = go(model, place, &choice).expect("what is offered is possible");
            let left = (faults + u8::from(fault), decisions - u8::from(rest));
            walk(model, &next, &fork, left, root, found);
        }
    }

    const TRAITS: [&str; 6] = [
        "",
        "idempotent: true",
        "done_if: {check: d, command: t}",
        "rollback_procedure: {can_rollback: false}",
        "rollback_procedure: {can_rollback: false}, idempotent: true",
        "rollback_procedure: {can_rollback: false}, done_if: {check: d, command: t}",
    ];
    const RESPONSES: [&str; 4] = [
        "",
        ", failure_response: rollback",
        ", failure_response: manual_decision",
        ", failure_response: manual_decision, approvers: [Ada]",
    ];
    const POINTS: [&str; 3] = [
        "rollback_point: {can_rollback_from_here: true}",
        "rollback_point: {can_rollback_from_here: false}",
        "rollback_point: {rollback_procedure: {steps: [{run: x}]}}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_a_walk_over_every_path(
            steps in proptest::collection::vec((0..6_usize, 1..3_u32), 1..5),
            cut in 0..4_usize,
            response in 0..4_usize,
            point in 0..3_usize,
            policy in 0..3_usize,
            level in 0..3_usize,
        ) {
            let steps: Vec<String> = (0..)
                .zip(&steps)
                .map(|(i, (traits, order))| step(&format!("S{i}"), *order, TRAITS[*traits]))
                .collect();
            let cut = cut.min(steps.len() - 1);
            let mut phases = Vec::new();
            if cut > 0 {
                phases.push(phase(1, "", &steps[..cut]));
            }
            let more = format!("{}, {}", gate(RESPONSES[response]), POINTS[point]);
            phases.push(phase(2, &more, &steps[cut..]));
            let policy = ["stop", "phase", "full"][policy];
            let level = [
                "",
                "{level: full, approval_required: true}",
                "{level: phase, replaces_steps: true, rollback_procedure: {automation_script: x.sh}}",
            ][level];
            let program = plan(
                &phases,
                &format!("rollback_strategy: {{on_failure: {policy}, rollback_levels: [{level}]}}"),
            );
            let model = model::of(&program);
            let graph = Graph::of(&model, 3_000);
            prop_assert!(!graph.broken && !graph.cut);
            let walked: BTreeSet<Root> = dead_ends(&model, &graph).iter().map(|d| d.root).collect();
            let mut every = BTreeSet::new();
            let mut place = Place::start(&model.program).expect("a run starts");
            let fork = place.advance(&model.program, &mut |_| {}).expect("it goes on");
            walk(&model, &place, &fork, (0, 2), None, &mut every);
            prop_assert_eq!(walked, every);
        }
    }
}

/// A thousand steps of four kinds in twenty phases of a few shapes: what is walked is as small as for one phase of each shape.
#[test]
fn a_long_plan_is_walked_in_few_states() {
    let kinds = [
        "idempotent: true",
        "done_if: {check: d, command: t}",
        "",
        SAFE_WALL,
    ];
    let phases: Vec<String> = (0..20)
        .map(|p| {
            let steps: Vec<String> = (0..50)
                .map(|s| {
                    step(
                        &format!("S{p}-{s}"),
                        s / 2 + 1,
                        kinds[(s as usize * 7 + p) % 4],
                    )
                })
                .collect();
            let gate = format!(
                "validation_gate: {{gate_id: G{p}, name: g, criteria: [{{check: c, command: t}}]}}"
            );
            phase(p as u32 + 1, &gate, &steps)
        })
        .collect();
    let model = model::of(&plan(&phases, ""));
    let graph = Graph::of(&model, 3_000);
    assert!(!graph.broken);
    assert!(!dead_ends(&model, &graph).is_empty());
    assert!(graph.nodes.len() < 7_000, "{}", graph.nodes.len());
    assert!(
        model.program.steps.len() <= 64,
        "{}",
        model.program.steps.len()
    );
}
