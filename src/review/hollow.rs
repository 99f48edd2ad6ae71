//! What looks like care and is none: checks that pass whatever happens, a way back that goes the same way again, texts
//! in which nothing stands.

use std::fs;

use super::Context;
use super::checks::{each_check, each_probe};
use super::metrics::loose;
use crate::base::diagnostic::codes;
use crate::base::quantity::{Comparator, Range, Side};
use crate::plan::condition::{
    BlockEvidence, Condition, Understanding, looks_like_condition, understand,
};
use crate::plan::model::{
    Check, CheckMapping, CommandItem, Expect, Instruction, Metric, Probe, Scalar, Script,
    ScriptMapping, Step,
};
use crate::plan::source::{Arena, Kind, NodeId, join};

pub(super) fn check(cx: &mut Context<'_>) {
    passes_always(cx);
    against_normal(cx);
    for (pointer, step) in cx.steps() {
        same_again(cx, &pointer, step);
    }
    blank(cx);
}

/// Probes that cannot say no.
fn passes_always(cx: &mut Context<'_>) {
    let mut found: Vec<(String, &'static str)> = Vec::new();
    each_probe(cx.plan(), &mut |pointer, probe| {
        if let Some(key) = cannot_fail(probe) {
            found.push((join(&pointer(), key), key));
        }
    });
    for (pointer, _) in found {
        let (message, help) = if pointer.contains("/done_if/") {
            (
                "this is true whatever happened: after a crash the step would count as done, even if it never began",
                "look for the step's own effect, or leave `done_if` out: then a person is asked",
            )
        } else {
            (
                "this passes whatever happens, so it checks nothing",
                "look at what must hold, or let a person attest it with `manual: true`",
            )
        };
        cx.find(codes::PASSES_ALWAYS, &pointer, message, help);
    }
}

fn cannot_fail(probe: &CheckMapping) -> Option<&'static str> {
    match probe.probe()? {
        Probe::Command(text) => {
            let looks = |expect: &Expect| {
                expect.exit_code.is_some()
                    || expect.stdout.is_some()
                    || expect.stdout_contains.is_some()
                    || expect.stdout_matches.is_some()
                    || expect.json.is_some()
            };
            let looked_at = probe.expect.as_ref().is_some_and(looks);
            (!looked_at && probe.shell.is_none() && always_succeeds(text)).then_some("command")
        }
        Probe::When(text) => {
            let text = text.trim().to_lowercase();
            matches!(&*text, "true" | "not false" | "1" | "1 == 1").then_some("when")
        }
        _ => None,
    }
}

/// Whether a command succeeds by its own words.
fn always_succeeds(text: &str) -> bool {
    let text = text.trim().trim_end_matches(';').trim_end();
    let nothing = |word: &str| {
        matches!(
            word.trim(),
            "true" | ":" | "exit 0" | "/bin/true" | "/usr/bin/true"
        )
    };
    if nothing(text) {
        return true;
    }
    if text.contains('\n') {
        return false;
    }
    // Only an `||` at the end speaks for the whole: `a || true; b` fails with `b`.
    text.rsplit_once("||")
        .is_some_and(|(before, after)| nothing(after) && !before.contains("if "))
}

/// Conditions that must hold, and hold only while their metric is not normal.
fn against_normal(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let metrics: &[Metric] = plan
        .monitoring_and_observability
        .as_ref()
        .map_or(&[], |monitoring| &monitoring.migration_monitoring);
    if metrics.iter().all(|metric| metric.normal_range.is_none()) {
        return;
    }
    let index = cx.index();
    let nothing = BlockEvidence::default();
    let mut found = Vec::new();
    each_check(plan, &mut |pointer, check| {
        let Check::Text(text) = check else { return };
        if !looks_like_condition(text) {
            return;
        }
        let Understanding::Condition(condition) = understand(text, &nothing, &index) else {
            return;
        };
        let metric = metrics.iter().position(|metric| {
            let name = metric.id.as_deref().unwrap_or(&metric.metric_name);
            loose(name) == loose(&condition.metric)
        });
        if let Some(at) = metric
            && let Some(range) = metrics[at].normal_range.as_deref()
            && Range::parse(range).is_ok_and(|range| never_within(&condition, &range))
        {
            found.push((pointer(), text.as_str(), at, range));
        }
    });
    for (pointer, text, at, range) in found {
        let normal =
            format!("/monitoring_and_observability/migration_monitoring/{at}/normal_range");
        cx.find_with(
            codes::HOLDS_IN_TROUBLE,
            &pointer,
            format!(
                "`{text}` must hold here, and while `{}` is normal ({range}) it does not",
                metrics[at].metric_name
            ),
            (&normal, "this is normal"),
            "turn the comparison around, or mend the limit or the range",
        );
    }
}

/// Whether no normal number satisfies the condition.
fn never_within(condition: &Condition, range: &Range) -> bool {
    let Some(limit) = condition.threshold.value_in(range.unit()) else {
        return false;
    };
    let step = (limit.abs() * 1e-9).max(1e-12);
    let side = |value: f64| range.side_of(value);
    match condition.comparator {
        Comparator::Greater => side(limit + step) == Some(Side::Above),
        Comparator::AtLeast => side(limit) == Some(Side::Above),
        Comparator::Less => side(limit - step) == Some(Side::Below),
        Comparator::AtMost => side(limit) == Some(Side::Below),
        Comparator::Equal | Comparator::NotEqual => false,
    }
}

/// A way back that does what the way there did.
fn same_again(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let (Some(details), Some(undo)) = (&step.execution_details, &step.rollback_procedure) else {
        return;
    };
    if undo.can_rollback == Some(false) {
        return;
    }
    let (there, settings) = match &details.automation_script {
        Some(script) => (vec![of_script(script)], script.settings()),
        None => (
            details
                .commands
                .iter()
                .map(|command| plain(command_text(command)))
                .collect(),
            None,
        ),
    };
    let (back, at) = match &undo.rollback_script {
        Some(script) => {
            let other = script.settings();
            if environment(settings) != environment(other) {
                return;
            }
            (vec![of_script(script)], "rollback_script")
        }
        None => {
            let mut texts = Vec::new();
            for item in &undo.rollback_steps {
                match item {
                    Instruction::Run(mapping) if mapping.env.is_empty() => {
                        texts.push(plain(&mapping.run));
                    }
                    _ => return,
                }
            }
            (texts, "rollback_steps/0")
        }
    };
    if there.is_empty() || there != back || there.iter().any(|text| may_be_its_own_undo(text)) {
        return;
    }
    if reads_direction(cx, &there[0]) {
        return;
    }
    let forward = match details.automation_script {
        Some(_) => "automation_script",
        None => "commands/0",
    };
    cx.find_with(
        codes::UNDO_REPEATS,
        &format!("{pointer}/rollback_procedure/{at}"),
        format!("the way back of `{}` does what the way there did", step.step_id),
        (
            &format!("{pointer}/execution_details/{forward}"),
            "the same, forwards",
        ),
        "write what takes the step back; the undo of a script learns its direction only from its arguments or \
         ORCHESTRATE_DIRECTION",
    );
}

fn environment(settings: Option<&ScriptMapping>) -> Vec<(&String, &Scalar)> {
    settings.map_or_else(Vec::new, |settings| settings.env.iter().collect())
}

fn command_text(command: &CommandItem) -> &str {
    match command {
        CommandItem::Text(text) => text,
        CommandItem::Mapping(mapping) => &mapping.run,
    }
}

fn of_script(script: &Script) -> String {
    let mut text = script.path().to_owned();
    if let Some(settings) = script.settings() {
        for arg in &settings.args {
            text.push(' ');
            text.push_str(&arg.to_string());
        }
    }
    plain(&text)
}

/// A text without line ends and runs of white space.
fn plain(text: &str) -> String {
    let mut words = text.split_whitespace().filter(|word| *word != "\\");
    let mut plain = words.next().unwrap_or_default().to_owned();
    for word in words {
        plain.push(' ');
        plain.push_str(word);
    }
    plain
}

/// What twice in a row is as if it were never done, or does no more than bring something up to date.
fn may_be_its_own_undo(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "toggle",
        "swap",
        "flip",
        "exchange",
        "invert",
        "restart",
        "reload",
        "refresh",
        "sync",
        "flush",
        "purge",
        "clear",
        "invalidate",
        "notify",
        "echo",
        "true",
        "clean",
        "reset",
        "rebuild",
        "reindex",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Whether a script asks which way it goes.
fn reads_direction(cx: &Context<'_>, command: &str) -> bool {
    let path = command.split(' ').next().unwrap_or_default();
    let path = cx.folder().join(path);
    path.is_file() && fs::read_to_string(path).is_ok_and(|text| text.contains("ORCHESTRATE_"))
}

/// Keys whose text somebody reads or runs; where it is blank, nobody meant it.
fn must_say_something(key: &str) -> bool {
    matches!(
        key,
        "name"
            | "check"
            | "criterion"
            | "title"
            | "migration_name"
            | "metric_name"
            | "responsible_party"
            | "owner"
            | "decision_maker"
            | "run"
            | "command"
            | "path"
            | "automation_script"
            | "validation_script"
            | "rollback_script"
            | "approvers"
            | "commands"
            | "manual_steps"
            | "criteria"
            | "validation_checks"
            | "success_criteria"
            | "preconditions"
            | "start_condition"
            | "rollback_steps"
            | "post_rollback_checks"
            | "version"
    )
}

/// Texts in which nothing stands, where something should.
fn blank(cx: &mut Context<'_>) {
    let loaded = cx.loaded;
    let mut walk = Walk {
        arena: &loaded.arena,
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.enter(loaded.arena.root(), "");
    for (pointer, key) in walk.found {
        cx.find(
            codes::BLANK_TEXT,
            &pointer,
            format!("nothing stands here, and people or the run go by `{key}`"),
            "write it, or remove the entry",
        );
    }
}

/// A walk through everything that is written. Pointers are made only for what is found.
struct Walk<'a> {
    arena: &'a Arena,
    path: Vec<(Option<&'a str>, usize)>,
    found: Vec<(String, &'a str)>,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, node: NodeId, key: &'a str) {
        match &self.arena.node(node).kind {
            Kind::Text(text) if text.trim().is_empty() && must_say_something(key) => {
                let pointer = self
                    .path
                    .iter()
                    .fold(String::new(), |above, (key, at)| match key {
                        Some(key) => join(&above, key),
                        None => join(&above, at),
                    });
                self.found.push((pointer, key));
            }
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.path.push((None, at));
                    self.enter(*item, key);
                    self.path.pop();
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    let key: &'a str = &entry.key;
                    // Names and values of the author's own choice may well be empty.
                    if key.starts_with("x-")
                        || matches!(
                            key,
                            "variables" | "environments" | "env" | "expect" | "connections"
                        )
                    {
                        continue;
                    }
                    self.path.push((Some(key), 0));
                    self.enter(entry.value, key);
                    self.path.pop();
                }
            }
            Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Number(..) => {}
        }
    }
}
