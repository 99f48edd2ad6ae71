//! Probes that could never give an honest answer, and settings that no probe reads.

use regex_lite::Regex;

use super::Context;
use super::checks::{At, each_probe};
use crate::base::diagnostic::codes;
use crate::base::quantity::Percentage;
use crate::plan::model::{
    Check, CheckMapping, FileProbe, HttpProbe, Measurement, Plan, StateProbe,
};
use crate::plan::source::join;

/// What is wrong, where below the probe, and the way out.
type Slip = (&'static str, String, &'static str);

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut senseless: Vec<(String, String, &'static str)> = Vec::new();
    let mut unread: Vec<(String, &'static str, &'static str)> = Vec::new();
    let mut see = |pointer: At<'_>, probe: &CheckMapping| {
        slips(probe, &mut |(below, message, help)| {
            senseless.push((join_path(&pointer(), below), message, help));
        });
        for (key, of) in settings(probe) {
            unread.push((join(&pointer(), key), key, of));
        }
    };
    each_probe(plan, &mut see);
    beside(plan, &mut see);
    for (pointer, message, help) in senseless {
        cx.find(codes::PROBE_SENSELESS, &pointer, message, help);
    }
    for (pointer, key, of) in unread {
        cx.find(
            codes::SETTING_UNREAD,
            &pointer,
            format!("`{key}` belongs to a `{of}` probe, and this is none: nothing reads it"),
            "write it inside the probe that it is meant for, or remove it",
        );
    }
    captures(cx);
}

fn join_path(pointer: &str, below: &str) -> String {
    below
        .split('/')
        .fold(pointer.to_owned(), |at, key| join(&at, key))
}

/// Calls back with the probes that a run evaluates outside its lists of checks.
fn beside(plan: &Plan, see: &mut dyn FnMut(At<'_>, &CheckMapping)) {
    let mut measured = |measurement: &Option<Measurement>, at: &dyn Fn() -> String| {
        if let Some(Measurement::Mapping(mapping)) = measurement
            && let Some(check) = mapping.to_check()
        {
            see(at, &check);
        }
    };
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (m, metric) in monitoring.migration_monitoring.iter().enumerate() {
            measured(&metric.measurement_method, &|| {
                format!("/monitoring_and_observability/migration_monitoring/{m}/measurement_method")
            });
        }
    }
    if let Some(success) = &plan.success_criteria {
        for (c, criterion) in success.technical_success.iter().enumerate() {
            measured(&criterion.measurement, &|| {
                format!("/success_criteria/technical_success/{c}/measurement")
            });
        }
        for (c, criterion) in success.business_success.iter().enumerate() {
            measured(&criterion.measurement, &|| {
                format!("/success_criteria/business_success/{c}/measurement")
            });
        }
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            for (c, criterion) in gate.criteria.iter().enumerate() {
                measured(&criterion.measurement, &|| {
                    format!("/validation_strategy/validation_gates/{g}/criteria/{c}/measurement")
                });
            }
        }
        for (v, validation) in strategy.continuous_validation.iter().enumerate() {
            for (key, checks) in [
                ("checks", &validation.checks),
                ("alert_conditions", &validation.alert_conditions),
            ] {
                for (i, check) in checks.iter().enumerate() {
                    if let Check::Probe(probe) = check {
                        let at =
                            || format!("/validation_strategy/continuous_validation/{v}/{key}/{i}");
                        see(&at, probe);
                    }
                }
            }
        }
    }
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (h, health) in monitoring.health_checks.iter().enumerate() {
            if let Some(Check::Probe(probe)) = &health.check_procedure {
                let at =
                    || format!("/monitoring_and_observability/health_checks/{h}/check_procedure");
                see(&at, probe);
            }
        }
    }
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            let survive = step
                .rehearsal
                .iter()
                .flat_map(|r| r.must_survive.iter().enumerate());
            for (i, check) in survive {
                if let Check::Probe(probe) = check {
                    let at =
                        || format!("/migration_phases/{p}/steps/{s}/rehearsal/must_survive/{i}");
                    see(&at, probe);
                }
            }
        }
    }
}

/// Settings without the probe that would read them.
fn settings(probe: &CheckMapping) -> impl Iterator<Item = (&'static str, &'static str)> {
    let no_command = probe.command.is_none();
    [
        (probe.expect.is_some() && no_command, "expect", "command"),
        (probe.shell.is_some() && no_command, "shell", "command"),
        (!probe.env.is_empty() && no_command, "env", "command"),
        (
            probe.min_pass.is_some() && probe.dataset.is_none(),
            "min_pass",
            "dataset",
        ),
    ]
    .into_iter()
    .filter(|(unread, ..)| *unread)
    .map(|(_, key, of)| (key, of))
}

fn slips(probe: &CheckMapping, found: &mut dyn FnMut(Slip)) {
    if let Some(pattern) = probe
        .expect
        .as_ref()
        .and_then(|e| e.stdout_matches.as_ref())
        && let Err(error) = Regex::new(pattern)
    {
        found((
            "expect/stdout_matches",
            format!("this is no regular expression: {error}"),
            "escape what is meant as it stands: `\\.`, `\\(`, `\\[`; look-around and back-references do not exist",
        ));
    }
    if let Some(http) = &probe.http {
        of_http(http, found);
    }
    if let Some(file) = &probe.file {
        of_file(file, found);
    }
    if let Some(baseline) = &probe.baseline {
        if baseline.file.is_none() {
            found((
                "baseline",
                "there is no `file` with the figure to compare with".to_owned(),
                "add `file: baselines/latency.json`, recorded before the migration",
            ));
        }
        if baseline.measure.is_none() {
            found((
                "baseline",
                "there is nothing to `measure`".to_owned(),
                "add `measure:` with a metric's name, or with `command`, `sql`, `http` or `promql`",
            ));
        }
        if let Some(margin) = &baseline.max_regression
            && let Err(error) = Percentage::parse(margin.as_str())
        {
            found((
                "baseline/max_regression",
                format!("`{margin}` is no percentage: {}", error.because),
                "write a share such as `10%`",
            ));
        }
    }
    if let Some(share) = &probe.min_pass
        && let Ok(share) = Percentage::parse(share.as_str())
        && (share.percent() <= 0.0 || share.percent() > 100.0)
    {
        let what = if share.percent() > 100.0 {
            "can never be reached"
        } else {
            "is always reached, also when every case fails"
        };
        found((
            "min_pass",
            format!("a share of {share} {what}"),
            "write a share above 0% and up to 100%",
        ));
    }
    if probe.manual == Some(false) {
        found((
            "manual",
            "`manual: false` asks nobody and nothing".to_owned(),
            "write `manual: true`, or the probe that a machine evaluates",
        ));
    }
}

fn of_http(http: &HttpProbe, found: &mut dyn FnMut(Slip)) {
    let url = http.url.trim();
    let lower = url.to_ascii_lowercase();
    let host = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
        found((
            "http/url",
            format!("`{url}` is no address of a web server"),
            "write the whole address, such as `http://localhost:8080/healthz`",
        ));
    }
    if let Some(status) = http.status
        && !(100..=599).contains(&status)
    {
        found((
            "http/status",
            format!("no answer has the status {status}"),
            "statuses are 100 to 599; 200 is the default",
        ));
    }
}

fn of_file(file: &FileProbe, found: &mut dyn FnMut(Slip)) {
    if let Some(sum) = &file.sha256 {
        let digits = sum.trim().trim_start_matches("sha256:");
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            found((
                "file/sha256",
                format!(
                    "this is no SHA-256: it has 64 hexadecimal digits, and here are {} characters",
                    digits.chars().count()
                ),
                "take it from `sha256sum FILE`",
            ));
        }
    }
    if file.exists == Some(false) {
        let key = if file.contains.is_some() {
            "file/contains"
        } else if file.min_bytes.is_some() {
            "file/min_bytes"
        } else if file.sha256.is_some() {
            "file/sha256"
        } else {
            return;
        };
        found((
            key,
            "the file must not exist, so nothing can be asked of its content".to_owned(),
            "remove `exists: false`, or what is asked of the content",
        ));
    }
}

/// State probes: what a rehearsal compares.
fn captures(cx: &mut Context<'_>) {
    let plan = cx.plan();
    of_captures(cx, "/state_probes", &plan.state_probes);
    for (pointer, phase) in cx.phases() {
        of_captures(cx, &join(&pointer, "state_probes"), &phase.state_probes);
        for (s, step) in phase.steps.iter().enumerate() {
            if !step.state_probes.is_empty() {
                let at = format!("{pointer}/steps/{s}/state_probes");
                of_captures(cx, &at, &step.state_probes);
            }
        }
    }
}

fn of_captures(cx: &mut Context<'_>, pointer: &str, probes: &[StateProbe]) {
    for (i, probe) in probes.iter().enumerate() {
        let at = join(pointer, i);
        let sources = [
            probe.command.is_some(),
            probe.sql.is_some(),
            probe.file.is_some(),
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            cx.find(
                codes::PROBE_SENSELESS,
                &join(&at, "name"),
                format!(
                    "the state probe `{}` needs exactly one of `command`, `sql` and `file`",
                    probe.name
                ),
                "say what is captured, once; a second capture is a probe of its own",
            );
        }
        for (n, pattern) in probe.ignore.iter().enumerate() {
            if let Err(error) = Regex::new(pattern) {
                cx.find(
                    codes::PROBE_SENSELESS,
                    &format!("{at}/ignore/{n}"),
                    format!("this is no regular expression: {error}"),
                    "escape what is meant as it stands: `\\.`, `\\(`, `\\[`",
                );
            }
        }
    }
}
