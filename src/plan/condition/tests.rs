//! What check strings mean, and what expressions say.

use super::*;
use proptest::prelude::*;
use serde_json::json;

use crate::base::quantity::Comparator;

/// The example plan of the format document, with a metric more.
fn example() -> Index {
    let mut index = Index::default();
    index.add_metric(None, "Discount Validation Error Rate", None);
    index.add_metric(Some("error_rate"), "API Errors", Some("%"));
    index.add_metric(Some("p99"), "Latency", Some("ms"));
    for (order, id, name) in [
        (1, "PHASE-1", "Database Schema Migration"),
        (2, "PHASE-2", "Code Deployment"),
        (3, "PHASE-3", "Feature Rollout"),
    ] {
        index.add_phase(id, order, name);
    }
    index.add_phase("PHASE-4", 4, "Cleanup");
    for (id, name) in [
        ("STEP-1-1", "Database Backup"),
        ("STEP-1-11", "Load"),
        ("STEP-11-1", "Check"),
        ("STEP-2-1", "Deploy DiscountService"),
        ("STEP-3-1", "Enable for Internal Users (5%)"),
        ("STEP-3-2", "Twice"),
        ("STEP-3-3", "Twice"),
    ] {
        index.add_step(id, name);
    }
    index.add_gate(
        "GATE-1",
        Some("Schema Migration Validation"),
        Some("PHASE-1"),
    );
    index.add_gate("GATE-2", Some("Deployment Validation"), Some("PHASE-2"));
    index.add_gate("GATE-3", None, Some("PHASE-3"));
    index
}

fn alone() -> BlockEvidence {
    BlockEvidence::default()
}

fn covered() -> BlockEvidence {
    BlockEvidence {
        covered_by: vec!["scripts/validate.sh".to_owned()],
    }
}

#[test]
fn facts_match_whole_names() {
    let index = example();
    let step = |id: &str| Fact::StepSucceeded(id.to_owned());
    let phase = |id: &str| Fact::PhaseSucceeded(id.to_owned());
    let gate = |id: &str| Fact::PhaseGatePassed(id.to_owned());
    for (text, fact) in [
        ("STEP-3-1 successful", step("STEP-3-1")),
        ("step_3_1 SUCCEEDED", step("STEP-3-1")),
        ("Step 3 1 passed.", step("STEP-3-1")),
        ("step STEP-3-1 completed", step("STEP-3-1")),
        ("STEP-1-11 verified", step("STEP-1-11")),
        ("step-11-1 verified", step("STEP-11-1")),
        ("Database backup completed", step("STEP-1-1")),
        ("Phase 1 validation gate passed", gate("PHASE-1")),
        ("Phase 2 Validation Gate passed", gate("PHASE-2")),
        ("PHASE-1 gate passed", gate("PHASE-1")),
        ("Feature Rollout validation gate passed", gate("PHASE-3")),
        ("Phase 2 completed", phase("PHASE-2")),
        ("phase-2 succeeded", phase("PHASE-2")),
        ("Database Schema Migration verified", phase("PHASE-1")),
        ("GATE-1 passed", Fact::GatePassed("GATE-1".into())),
        ("gate 1 passed", Fact::GatePassed("GATE-1".into())),
        (
            "Schema Migration Validation passed",
            Fact::GatePassed("GATE-1".into()),
        ),
        (
            "Deployment Validation gate passed",
            Fact::GatePassed("GATE-2".into()),
        ),
        ("All validation gates passed", Fact::AllGatesPassed),
        ("all gates passed", Fact::AllGatesPassed),
        ("All steps successful", Fact::AllStepsSucceeded),
        ("All phases completed", Fact::AllPhasesSucceeded),
    ] {
        assert_eq!(
            understand(text, &covered(), &index),
            Understanding::Fact(fact),
            "{text}"
        );
        assert_eq!(doubt(text, &index), None, "{text}");
    }
}

#[test]
fn prose_that_sounds_like_a_fact_is_prose() {
    let index = example();
    for text in [
        "DBA approval received",
        "Backup completed",
        "100% rollout successful",
        "100% feature flag rollout",
        "Deployment complete",
        "Schema updated successfully",
        "All test datasets pass",
        "Regression tests passed",
        "The STEP-3-1 was successful",
        "passed",
        " successful",
        "unverified",
        "All smoke tests passed",
        "No critical issues",
        "CI/CD pipeline green",
        "New columns exist",
        "",
    ] {
        assert_eq!(
            understand(text, &alone(), &index),
            Understanding::Attest,
            "{text}"
        );
        assert!(
            matches!(
                understand(text, &covered(), &index),
                Understanding::Covered { .. }
            ),
            "{text}"
        );
        assert_eq!(doubt(text, &index), None, "{text}");
    }
}

#[test]
fn slips_in_facts_are_told() {
    let index = example();
    for text in [
        "STEP-3-1 not successful",
        "STEP-9-9 successful",
        "Phase 7 completed",
        "GATE-12 passed",
        "Phase 9 validation gate passed",
    ] {
        assert!(
            matches!(doubt(text, &index), Some(Doubt::UnknownReference { .. })),
            "{text}"
        );
        assert!(
            !matches!(understand(text, &alone(), &index), Understanding::Fact(_)),
            "{text}"
        );
    }
    let Some(Doubt::AmbiguousName { candidates, .. }) = doubt("Twice completed", &index) else {
        panic!("two steps share the name");
    };
    assert_eq!(candidates.len(), 2);
    // Without dashes it may be either.
    assert!(matches!(
        doubt("STEP 111 passed", &index),
        Some(Doubt::AmbiguousName { .. })
    ));
    assert_eq!(
        doubt("Phase 4 validation gate passed", &index),
        Some(Doubt::NoGate {
            phase: "PHASE-4".into()
        })
    );
}

#[test]
fn conditions_need_a_defined_metric() {
    let index = example();
    for (text, metric, comparator, value) in [
        ("error_rate > 0.5%", "error_rate", Comparator::Greater, 0.5),
        ("Error-Rate < 0.1%", "error_rate", Comparator::Less, 0.1),
        ("API errors below 1%", "error_rate", Comparator::Less, 1.0),
        (
            "discount validation error rate <= 1",
            "Discount Validation Error Rate",
            Comparator::AtMost,
            1.0,
        ),
        ("p99 < 0.2s", "p99", Comparator::Less, 0.2),
    ] {
        let Understanding::Condition(condition) = understand(text, &covered(), &index) else {
            panic!("{text} is a condition");
        };
        assert_eq!(condition.metric, metric);
        assert_eq!(condition.comparator, comparator);
        assert_eq!(condition.threshold.value.to_string(), value.to_string());
        assert_eq!(doubt(text, &index), None);
        assert_eq!(Condition::parse(text, &index), Ok(condition));
    }
    for text in [
        "connections > 80%",
        "calculation_errors > 0",
        "Backup file size > 0",
        "Error rate below 0.1%",
    ] {
        let mut bare = Index::default();
        bare.add_metric(None, "Other", None);
        assert!(looks_like_condition(text), "{text}");
        assert!(
            matches!(doubt(text, &bare), Some(Doubt::UndefinedMetric { .. })),
            "{text}"
        );
        assert!(
            matches!(
                understand(text, &covered(), &bare),
                Understanding::Covered { .. }
            ),
            "{text}"
        );
        Condition::parse(text, &bare).unwrap_err();
    }
    for text in [
        "error_rate < 0.1% for 48 hours",
        "error_rate < low",
        "error_rate < 5 ms",
        "error_rate > 5 > 3",
    ] {
        assert!(
            matches!(doubt(text, &index), Some(Doubt::UnclearThreshold { .. })),
            "{text}"
        );
        assert!(
            !matches!(
                understand(text, &covered(), &index),
                Understanding::Condition(_)
            ),
            "{text}"
        );
    }
    for text in [
        "5% of requests use discount code path",
        "Error rate stable",
        "> 5",
        "a -> b",
        "Performance within SLA",
    ] {
        assert!(!looks_like_condition(text), "{text}");
    }
}

#[test]
fn conditions_judge_numbers() {
    let index = example();
    let condition = Condition::parse("p99 <= 0.2 s", &index).unwrap();
    assert_eq!(condition.judge(Some(200.0)), Judgement::Pass);
    assert_eq!(condition.judge(Some(200.1)), Judgement::Fail);
    assert!(matches!(
        condition.judge(Some(f64::NAN)),
        Judgement::Inconclusive { .. }
    ));
    assert!(matches!(
        condition.judge(None),
        Judgement::Inconclusive { .. }
    ));
    let json = serde_json::to_string(&condition).unwrap();
    assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
}

#[test]
fn time_bound_prose_is_never_covered() {
    let index = example();
    for text in [
        "No critical issues for 48 hours",
        "No customer complaints",
        "no complaints",
        "Stable for at least 2 days",
        "Error budget intact over the next two weeks",
        "Quiet for 30s",
        "Monitored overnight",
        "error_rate < 0.1% for 48 hours",
    ] {
        assert!(is_time_bound(text), "{text}");
        assert_eq!(
            understand(text, &covered(), &index),
            Understanding::Attest,
            "{text}"
        );
    }
    for text in [
        "Health check responds within 5 seconds",
        "Schema ready for users",
        "Monitoring confirms stability",
        "All metrics within normal range",
        "Scripts for s3 exist",
        "Ready for M and D teams",
    ] {
        assert!(!is_time_bound(text), "{text}");
    }
}

#[test]
fn expressions_pass_only_on_true() {
    let facts = json!({
        "steps": {"STEP-1-1": {"succeeded": true, "attempts": 2, "duration_ms": 1500.5}},
        "phases": {"PHASE-1": {"succeeded": false}},
        "gates": {},
        "vars": {"LIMIT": "5", "NAME": "blue", "EMPTY": null, "LIST": [1, 2]},
        "manifest": {"migrated": 12},
    });
    for (expression, holds) in [
        ("steps['STEP-1-1'].succeeded", true),
        (
            "steps['STEP-1-1'].succeeded and not phases['PHASE-1'].succeeded",
            true,
        ),
        ("phases['PHASE-1'].succeeded or vars.NAME == 'blue'", true),
        ("vars.NAME != 'blue'", false),
        ("1 < steps['STEP-1-1'].attempts <= 2", true),
        ("1 < steps['STEP-1-1'].attempts < 2", false),
        ("vars.LIMIT|int < 10", true),
        ("(vars.LIMIT|int) + 5 == 10.0", true),
        ("not (vars.NAME == 'green' or manifest.migrated < 12)", true),
        ("vars.NAME in ['blue', 'green']", true),
        ("vars.MISSING is not defined", true),
        ("vars.MISSING is defined and vars.MISSING > 3", false),
        ("vars.LIST == [1, 2]", true),
        ("true if vars.NAME == 'blue' else false", true),
        ("manifest.migrated is gt 10", true),
        ("0.1 + 0.2 > 0.3", true),
        ("-0.0 == 0", true),
    ] {
        let expected = if holds {
            Judgement::Pass
        } else {
            Judgement::Fail
        };
        assert_eq!(judge(expression, &facts), expected, "{expression}");
    }
    for (expression, why) in [
        ("vars.LIMIT < 10", "cannot be compared"),
        ("10 > vars.LIMIT", "cannot be compared"),
        ("vars.LIMIT < '10'", "letter by letter"),
        ("vars.LIMIT == 5", "cannot be compared"),
        ("vars.LIMIT is lt 10", "cannot be compared"),
        ("vars.EMPTY < 5", "cannot be compared"),
        ("manifest.migrated > none", "cannot be compared"),
        (
            "steps['STEP-1-1'].succeeded == 'true'",
            "cannot be compared",
        ),
        ("vars.MISSING", "undefined"),
        ("vars.MISSING == 'x'", "undefined"),
        ("steps['STEP-9'].succeeded", "undefined"),
        ("not vars.MISSING", "undefined"),
        ("vars.EMPTY", "none"),
        ("vars.NAME", "not true or false"),
        ("1", "not true or false"),
        ("vars.NAME and true", "not true or false"),
        ("vars.NAME|nothing", "nothing"),
        ("1 / 0 > 1", ""),
        ("(0.0 / 0.0) == 1", ""),
        ("range(99999999) == 5", "no value"),
        ("'x' * 999999999999 == 'x'", "no value"),
        ("vars.", "parse"),
        ("", "empty"),
        ("1%", "remainder"),
    ] {
        let Judgement::Inconclusive { why: said } = judge(expression, &facts) else {
            panic!(
                "{expression} is not inconclusive: {:?}",
                judge(expression, &facts)
            );
        };
        assert!(said.contains(why), "{expression}: {said}");
    }
}

#[test]
fn syntax_errors_have_a_place_and_a_hint() {
    let error = check_syntax("vars.A == 1 and\n  vars.B == ]").unwrap_err();
    assert_eq!((error.line, error.column), (2, 13), "{error}");
    assert!(
        check_syntax("vars.A && vars.B")
            .unwrap_err()
            .hint
            .unwrap()
            .contains("and")
    );
    assert!(
        check_syntax("{{ vars.A }}")
            .unwrap_err()
            .hint
            .unwrap()
            .contains("without")
    );
    check_syntax(&"(".repeat(4_000)).unwrap_err();
    check_syntax(&"x".repeat(10_000)).unwrap_err();
    check_syntax("steps['A'].succeeded").unwrap();
}

#[test]
fn unknown_names_are_listed() {
    let expression =
        Expression::parse("setps.A and vars.B and range(3) and error_rate < 1").unwrap();
    assert_eq!(expression.unknown_names(), ["error_rate", "setps"]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let index = example();
        let _ = understand(&text, &covered(), &index);
        let _ = doubt(&text, &index);
        let _ = judge(&text, &json!({}));
    }

    #[test]
    fn nearly_expressions_never_panic(text in "(vars\\.A|steps|'5'|10|<|==|and|or|not|in|is|\\(|\\)|\\[|,|if|else| |\\|int|\\\\|\"){1,12}") {
        let _ = judge(&text, &json!({"vars": {"A": 5}, "steps": {}}));
    }

    /// Where all operands are bools or numbers of one kind, the verdict is minijinja's own.
    #[test]
    fn agrees_with_minijinja_on_sound_input(a in 0..4_i32, b in 0..4_i32, c: bool,
        shape in "(a < b|a == b|not a >= b|a < b and c|c or a > b|\\(c or a != b\\) and not c|a <= b <= 2|not \\(a < b or c\\))",
    ) {
        let shape = shape.replace('a', "vars.x").replace('b', "vars.y").replace('c', "vars.z");
        let shape = shape.replace("vars.xnd", "and");
        let facts = json!({"vars": {"x": a, "y": b, "z": c}});
        let own = minijinja::Environment::new();
        let expected = own.compile_expression(&shape).unwrap()
            .eval(minijinja::Value::from(minijinja::value::Serde(&facts))).unwrap().is_true();
        prop_assert_eq!(judge(&shape, &facts), Judgement::of(expected));
    }
}
