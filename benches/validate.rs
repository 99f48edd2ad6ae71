//! `orchestrate validate`, process against process: a large plan beside libyaml's bare event parse of the same file, in C,
//! and a small plan beside the start of a process that does nothing.
//!
//! `cargo bench --bench validate`. The targets: 10,000 steps (11 MB) within 4 times of libyaml's parse and within 30 times
//! the file in memory, a small plan within twice a bare process start and 5 ms, linear growth from 1,000 to 50,000 steps.
//! libyaml is Debian's `libyaml-dev`; external linters are left out on both sides.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{BINARY, Failure, Figures, LAUNCHER, Run, build, run};

mod support;

const STEPS: usize = 10_000;
const ROUNDS: usize = 11;
const SMALL_ROUNDS: usize = 60;
const STEPS_OF_A_PHASE: usize = 100;

/// Reads all events of a file and says how many there are.
const PARSER: &str = r#"
#include <stdio.h>
#include <yaml.h>
int main(int argc, char **argv) {
    yaml_parser_t parser;
    yaml_event_t event;
    long events = 0;
    int done = 0;
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file || !yaml_parser_initialize(&parser)) return 2;
    yaml_parser_set_input_file(&parser, file);
    while (!done) {
        if (!yaml_parser_parse(&parser, &event)) return 1;
        done = event.type == YAML_STREAM_END_EVENT;
        events++;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    printf("%ld\n", events);
    return 0;
}
"#;

fn main() -> Result<(), Failure> {
    if std::env::args().any(|a| a == "--test") {
        // `cargo test --benches` only wants to know that it starts.
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let scratch = scratch.path();
    let parser = build(scratch, "libyaml", PARSER, &["-lyaml"]).map_err(|error| {
        format!(
            "{error}\nthe comparison needs a C compiler and libyaml: apt-get install libyaml-dev"
        )
    })?;
    let launcher = build(scratch, "launcher", LAUNCHER, &[])?;
    let bare = build(scratch, "bare", "int main(void) { return 0; }", &[])?;
    let mut small_enough = true;
    println!("large plans, {ROUNDS} rounds of each, alternating:");
    let mut each = Vec::new();
    for steps in [1_000, STEPS, 50_000] {
        let path = scratch.join(format!("{steps}.yaml"));
        fs::write(&path, plan(steps))?;
        let bytes = fs::metadata(&path)?.len();
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            theirs.push(run(&launcher, &parser, &[path.as_os_str()])?);
            ours.push(validate(&launcher, &path)?);
        }
        let (theirs, ours) = (Figures::of(theirs), Figures::of(ours));
        let ratio = ours.median.as_secs_f64() / theirs.median.as_secs_f64();
        let memory = ours.kib as f64 * 1024.0 / bytes as f64;
        each.push((steps, ours.median.as_secs_f64() / steps as f64));
        println!("  {steps} steps, {:.1} MB", bytes as f64 / 1e6);
        println!("    libyaml      {theirs}");
        println!("    orchestrate  {ours}");
        println!(
            "    {ratio:.2} times as long (target: 4), {memory:.1} times the file in memory (target: 30)"
        );
        if steps == STEPS {
            small_enough &= ratio <= 4.0 && memory <= 30.0;
        }
    }
    println!("growth, microseconds a step:");
    for (steps, seconds) in &each {
        println!("  {steps:>6} steps  {:.1}", seconds * 1e6);
    }
    let (least, most) = (each[1].1.min(each[2].1), each[1].1.max(each[2].1));
    small_enough &= most <= least * 1.3;
    println!("small plans, {SMALL_ROUNDS} rounds of each, alternating:");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["examples/minimal", "plans/quickstart"] {
        let path = root.join(name).join("migration-strategy.yaml");
        let (mut nothing, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..SMALL_ROUNDS {
            nothing.push(run(&launcher, &bare, &[])?);
            ours.push(validate(&launcher, &path)?);
        }
        let (nothing, ours) = (Figures::of(nothing), Figures::of(ours));
        let most = 2 * nothing.median + Duration::from_millis(5);
        println!("  {name}");
        println!("    bare process {nothing}");
        println!("    orchestrate  {ours}");
        println!("    target: {most:.2?} (twice the bare process and 5 ms)");
        small_enough &= ours.median <= most;
    }
    if small_enough {
        Ok(())
    } else {
        Err("a target was missed".into())
    }
}

fn validate(launcher: &str, path: &Path) -> Result<Run, Failure> {
    let arguments = ["validate".as_ref(), "--no-lint".as_ref(), path.as_os_str()];
    run(launcher, BINARY, &arguments)
}

/// A plan as teams write them, only longer: about a kilobyte a step, a gate and a way back for each phase.
fn plan(steps: usize) -> String {
    let mut text = String::with_capacity(steps * 1_200);
    text.push_str(
        "# yaml-language-server: $schema=migration-strategy.schema.json
metadata:
  version: \"1.0.0\"
  migration_name: Carts move to the new schema
migration_overview:
  name: Carts move to the new schema
  description: |
    Every shard of the cart store is moved to the new schema, one after the other.
    Reads stay possible all the time.
  approach: phased
monitoring_and_observability:
  migration_monitoring:
    - metric_name: Error Rate
      id: error_rate
      unit: \"%\"
      measurement_method: {command: ./measure-errors.sh}
      alert_threshold: \"> 1%\"
migration_phases:
",
    );
    for step in 0..steps {
        let phase = step / STEPS_OF_A_PHASE;
        if step % STEPS_OF_A_PHASE == 0 {
            let order = phase + 1;
            let _ = write!(
                text,
                "  - phase_id: PHASE-{phase}
    name: Shard group {phase}
    description: Moves the shards of group {phase}
    order: {order}
    start_condition:
      - check: the group is not busy
        command: ./group-is-quiet.sh {phase}
    validation_gate:
      gate_id: GATE-{phase}
      name: Group {phase} is right
      criteria:
        - check: all rows are there
          command: ./compare-rows.sh {phase}
        - error_rate < 1%
      failure_response: block
    rollback_point:
      can_rollback_from_here: true
      estimated_rollback_duration: 30 minutes
    steps:
"
            );
        }
        let at = step % STEPS_OF_A_PHASE;
        let order = at + 1;
        let before = match at {
            0 => String::new(),
            _ => format!("\"STEP-{}\"", step - 1),
        };
        let _ = write!(
            text,
            "      - step_id: STEP-{step}
        name: Move shard {step}
        description: >-
          Copies the carts of shard {step} into the new tables, compares both and
          switches the readers of the shard over when they are equal.
        order: {order}
        type: data_migration
        depends_on: [{before}]
        preconditions:
          - check: shard {step} answers
            command: ./shard-answers.sh {step}
        execution_details:
          method: online copy, then a switch of the readers
          commands:
            - run: ./copy-shard.sh --from old --to new --shard {step}
              timeout: 30m
              env: {{SHARD: \"{step}\", BATCH: \"500\"}}
            - ./switch-readers.sh --shard {step} --to new
        validation:
          validation_checks:
            - check: both have the same number of rows
              command: ./compare-shard.sh {step}
              timeout: 2m
          success_criteria:
            - error_rate < 0.5%
        rollback_procedure:
          can_rollback: true
          rollback_steps:
            - run: ./switch-readers.sh --shard {step} --to old
              timeout: 5m
        estimated_duration: 10 minutes
        responsible_party: Platform Team
        idempotent: true
        retry: {{attempts: 2, backoff: 10s}}
"
        );
    }
    text
}
