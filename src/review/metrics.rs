//! Metrics: their ranges and thresholds fit together, something can measure them, names mean one thing.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Context;
use super::checks::{each_check, each_probe};
use super::sentences::each_watched;
use crate::base::diagnostic::codes;
use crate::base::quantity::{Amount, Comparator, NotUnderstood, Range, Side, Threshold, Unit};
use crate::plan::model::{Check, Measurement, Metric, Plan, Probe};
use crate::plan::source::join;

const METRICS: &str = "/monitoring_and_observability/migration_monitoring";

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let metrics: &[Metric] = plan
        .monitoring_and_observability
        .as_ref()
        .map_or(&[], |monitoring| &monitoring.migration_monitoring);
    for (m, metric) in metrics.iter().enumerate() {
        thresholds(cx, &join(METRICS, m), metric);
    }
    twice(cx, metrics);
    measured(cx, metrics);
    watched(cx, metrics);
    unused(cx, metrics);
}

/// A name without case, white space, `_` and `-`: as conditions compare names.
pub(super) fn loose(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// A threshold as the run would use it: the number in the range's unit, and the side on which it strikes.
struct Limit {
    value: f64,
    strikes: Side,
}

fn thresholds(cx: &mut Context<'_>, pointer: &str, metric: &Metric) {
    let unclear = |cx: &mut Context<'_>, key: &str, error: &NotUnderstood| {
        cx.find(
            codes::THRESHOLD_UNCLEAR,
            &join(pointer, key),
            format!(
                "`{}` is not {}: {}",
                error.text, error.wanted, error.because
            ),
            format!("understood are, for example, {}", error.examples.join(", ")),
        );
    };
    let range = match metric.normal_range.as_deref().map(Range::parse) {
        None => None,
        Some(Ok(range)) => Some(range),
        Some(Err(error)) => {
            unclear(cx, "normal_range", &error);
            return;
        }
    };
    let unit = metric.unit.as_deref().map_or(Unit::None, Unit::parse);
    if let Some(range) = &range
        && !comparable(range.unit(), &unit)
    {
        cx.find_with(
            codes::THRESHOLD_UNCLEAR,
            &join(pointer, "normal_range"),
            format!(
                "the range is in `{}` and the metric in `{}`",
                word(range.unit()),
                word(&unit)
            ),
            (&join(pointer, "unit"), "the metric's unit"),
            "write both in units that can be converted",
        );
        return;
    }
    let mut limits: Vec<(&str, Limit)> = Vec::new();
    for (key, text) in [
        ("alert_threshold", &metric.alert_threshold),
        ("critical_threshold", &metric.critical_threshold),
    ] {
        let Some(text) = text else { continue };
        let threshold = match Threshold::parse(text) {
            Ok(threshold) => threshold,
            Err(error) => {
                unclear(cx, key, &error);
                continue;
            }
        };
        let against = range.as_ref().map_or(&unit, Range::unit);
        let Some(value) = threshold.amount.value_in(against) else {
            cx.find(
                codes::THRESHOLD_UNCLEAR,
                &join(pointer, key),
                format!(
                    "`{text}` cannot be compared with a number in `{}`",
                    word(against)
                ),
                "write the threshold in the unit of the metric and of its normal range",
            );
            continue;
        };
        match strikes(value, threshold.comparator, range.as_ref()) {
            Strikes::At(side) => limits.push((
                key,
                Limit {
                    value,
                    strikes: side,
                },
            )),
            Strikes::Normal => {
                let range = metric.normal_range.as_deref().unwrap_or_default();
                cx.find_with(
                    codes::THRESHOLD_INSIDE,
                    &join(pointer, key),
                    format!(
                        "`{text}` strikes while `{}` is normal ({range})",
                        metric.metric_name
                    ),
                    (&join(pointer, "normal_range"), "this is normal"),
                    "put the threshold outside the normal range, or mend the range",
                );
            }
            Strikes::Unknown => {
                cx.find(
                    codes::THRESHOLD_UNCLEAR,
                    &join(pointer, key),
                    format!("nothing says on which side of `{text}` the trouble lies"),
                    "add a `normal_range`, or write `> ` or `< ` before the number",
                );
                return;
            }
            Strikes::Point => {}
        }
    }
    if let [(_, alert), (_, critical)] = limits.as_slice() {
        in_order(cx, pointer, metric, alert, critical);
    }
}

/// A unit without the space that stands between it and a number.
fn word(unit: &Unit) -> String {
    unit.to_string().trim().to_owned()
}

fn comparable(one: &Unit, other: &Unit) -> bool {
    let amount = Amount {
        value: 1.0,
        unit: one.clone(),
        label: String::new(),
    };
    amount.value_in(other).is_some()
}

enum Strikes {
    At(Side),
    /// For numbers that are normal.
    Normal,
    /// Nobody can say.
    Unknown,
    /// At exactly one number, which is no direction.
    Point,
}

fn strikes(value: f64, comparator: Option<Comparator>, range: Option<&Range>) -> Strikes {
    let step = (value.abs() * 1e-9).max(1e-12);
    let around = |range: &Range| {
        (
            range.side_of(value - step),
            range.side_of(value),
            range.side_of(value + step),
        )
    };
    let Some(comparator) = comparator else {
        let Some(range) = range else {
            return Strikes::Unknown;
        };
        return match around(range) {
            (_, Some(Side::Above), _) => Strikes::At(Side::Above),
            (_, Some(Side::Below), _) => Strikes::At(Side::Below),
            // The end of the range itself: people write 0-0.5% and alert at 0.5%.
            (Some(Side::Within), _, Some(Side::Above)) => Strikes::At(Side::Above),
            (Some(Side::Below), _, Some(Side::Within)) => Strikes::At(Side::Below),
            (Some(Side::Below), _, Some(Side::Above)) => Strikes::Point,
            _ => Strikes::Normal,
        };
    };
    let side = match comparator {
        Comparator::Greater | Comparator::AtLeast => Side::Above,
        Comparator::Less | Comparator::AtMost => Side::Below,
        Comparator::Equal | Comparator::NotEqual => return Strikes::Point,
    };
    let Some(range) = range else {
        return Strikes::At(side);
    };
    let beyond = match (side, around(range)) {
        (Side::Above, (_, _, after)) => after == Some(Side::Above),
        (_, (before, _, _)) => before == Some(Side::Below),
    };
    if beyond {
        Strikes::At(side)
    } else {
        Strikes::Normal
    }
}

fn in_order(cx: &mut Context<'_>, pointer: &str, metric: &Metric, alert: &Limit, critical: &Limit) {
    let problem = if alert.strikes != critical.strikes {
        "lie on different sides of the normal range"
    } else {
        let late = match alert.strikes {
            Side::Above => critical.value < alert.value,
            Side::Below | Side::Within => critical.value > alert.value,
        };
        if !late {
            return;
        }
        "are in the wrong order: the critical one is reached first"
    };
    cx.find_with(
        codes::THRESHOLD_ORDER,
        &join(pointer, "critical_threshold"),
        format!("the thresholds of `{}` {problem}", metric.metric_name),
        (&join(pointer, "alert_threshold"), "the alert"),
        "people are told at the alert threshold, and a rollback is due at the critical one, further out",
    );
}

/// Names under which conditions find no single metric.
fn twice(cx: &mut Context<'_>, metrics: &[Metric]) {
    let mut first: HashMap<String, (usize, String)> = HashMap::new();
    for (m, metric) in metrics.iter().enumerate() {
        let id = metric.id.as_deref().map(|id| ("id", id));
        for (key, name) in id
            .into_iter()
            .chain([("metric_name", metric.metric_name.as_str())])
        {
            let at = format!("{METRICS}/{m}/{key}");
            match first.get(&loose(name)) {
                None => {
                    first.insert(loose(name), (m, at));
                }
                // Its own id and name may well be alike.
                Some((other, _)) if *other == m => {}
                // Two ids of one spelling are an error of their own.
                Some((_, other)) if key == "id" && other.ends_with("/id") => {}
                Some((_, other)) => {
                    let other = other.clone();
                    cx.find_with(
                        codes::METRIC_TWICE,
                        &at,
                        format!("two metrics are called `{name}`, so no condition over it is understood"),
                        (&other, "the other one"),
                        "names match whole, ignoring case, spaces, `_` and `-`: give each metric its own",
                    );
                }
            }
        }
    }
}

/// Metrics that only people can read off: said once.
fn measured(cx: &mut Context<'_>, metrics: &[Metric]) {
    let open: Vec<(String, &str)> = metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| !matches!(metric.measurement_method, Some(Measurement::Mapping(_))))
        .map(|(m, metric)| {
            let key = match metric.measurement_method {
                Some(_) => "measurement_method",
                None => "metric_name",
            };
            (format!("{METRICS}/{m}/{key}"), metric.metric_name.as_str())
        })
        .collect();
    let message = match open.as_slice() {
        [] => return,
        [(_, one)] => {
            format!("no machine can measure `{one}`: its thresholds are shown, not watched")
        }
        all => format!(
            "no machine can measure {} metrics: their thresholds are shown, not watched",
            all.len()
        ),
    };
    let pointers: Vec<String> = open.into_iter().map(|(pointer, _)| pointer).collect();
    cx.find_all(
        codes::METRIC_NOT_MEASURED,
        &pointers,
        "nor this one",
        message,
        "write `measurement_method: {command: ...}` (or `promql`, `sql`, `http`), whose output is the number",
    );
}

/// `metrics_to_watch` and `metrics_to_report` name metrics.
fn watched(cx: &mut Context<'_>, metrics: &[Metric]) {
    let mut known: HashSet<String> = HashSet::new();
    for metric in metrics {
        known.insert(loose(&metric.metric_name));
        known.extend(metric.id.as_deref().map(loose));
    }
    let mut unknown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    each_mention(cx.plan(), &mut |at, name| {
        if !known.contains(&loose(name)) {
            unknown.entry(name.trim()).or_default().push(at());
        }
    });
    for (name, places) in unknown {
        let names = metrics.iter().flat_map(|metric| {
            metric
                .id
                .as_deref()
                .into_iter()
                .chain([metric.metric_name.as_str()])
        });
        let help = match super::expressions::near(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "define it under `monitoring_and_observability.migration_monitoring`; until then nobody watches it"
                .to_owned(),
        };
        cx.find_all(
            codes::METRIC_UNDEFINED,
            &places,
            "and here",
            format!("no metric of this plan is called `{name}`"),
            help,
        );
    }
}

/// Calls back with each metric that some list names.
fn each_mention<'a>(plan: &'a Plan, see: &mut dyn FnMut(&dyn Fn() -> String, &'a str)) {
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            let Some(monitoring) = &step.monitoring else {
                continue;
            };
            for (i, name) in monitoring.metrics_to_watch.iter().enumerate() {
                let at =
                    || format!("/migration_phases/{p}/steps/{s}/monitoring/metrics_to_watch/{i}");
                see(&at, name);
            }
        }
    }
    if let Some(reporting) = plan
        .communication_plan
        .as_ref()
        .and_then(|communication| communication.status_reporting.as_ref())
    {
        for (i, name) in reporting.metrics_to_report.iter().enumerate() {
            let at = || format!("/communication_plan/status_reporting/metrics_to_report/{i}");
            see(&at, name);
        }
    }
}

/// Metrics without thresholds that nothing asks about.
fn unused(cx: &mut Context<'_>, metrics: &[Metric]) {
    let idle: Vec<usize> = metrics
        .iter()
        .enumerate()
        .filter(|(_, m)| m.alert_threshold.is_none() && m.critical_threshold.is_none())
        .map(|(m, _)| m)
        .collect();
    if idle.is_empty() {
        return;
    }
    let plan = cx.plan();
    let mut asked: HashSet<String> = HashSet::new();
    let mut ask = |text: &str| {
        let name = Comparator::split(text).map_or(text.to_owned(), |(name, ..)| name);
        asked.insert(loose(&name));
    };
    each_mention(plan, &mut |_, name| ask(name));
    each_check(plan, &mut |_, check| {
        if let Check::Text(text) = check {
            ask(text);
        }
    });
    each_watched(plan, &mut |_, text| ask(text));
    each_probe(plan, &mut |_, probe| match probe.probe() {
        Some(Probe::Metric(text)) => ask(text),
        Some(Probe::Baseline(baseline)) => {
            if let Some(Measurement::Text(text)) = &baseline.measure {
                ask(text);
            }
        }
        _ => {}
    });
    let displayed = plan.monitoring_and_observability.iter();
    for name in displayed
        .flat_map(|monitoring| &monitoring.dashboards)
        .flat_map(|dashboard| &dashboard.metrics_displayed)
    {
        ask(name);
    }
    let kept = plan
        .post_migration
        .iter()
        .filter_map(|after| after.monitoring_period.as_ref());
    for name in kept.flat_map(|period| &period.enhanced_monitoring) {
        ask(name);
    }
    for m in idle {
        let metric = &metrics[m];
        let used = asked.contains(&loose(&metric.metric_name))
            || metric
                .id
                .as_deref()
                .is_some_and(|id| asked.contains(&loose(id)));
        if !used {
            cx.find(
                codes::METRIC_UNUSED,
                &format!("{METRICS}/{m}/metric_name"),
                format!(
                    "nothing asks about the metric `{}`, and it has no thresholds",
                    metric.metric_name
                ),
                "add an `alert_threshold`, name it under `metrics_to_watch`, or remove it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn at(threshold: &str, range: &str) -> &'static str {
        let threshold = Threshold::parse(threshold).unwrap();
        let range = Range::parse(range).unwrap();
        let value = threshold.amount.value_in(range.unit()).unwrap();
        match strikes(value, threshold.comparator, Some(&range)) {
            Strikes::At(Side::Above) => "above",
            Strikes::At(_) => "below",
            Strikes::Normal => "normal",
            Strikes::Point => "point",
            Strikes::Unknown => "unknown",
        }
    }

    #[test]
    fn the_side_comes_from_the_range() {
        for (threshold, range, wanted) in [
            ("0.5%", "0-0.1%", "above"),
            ("99.9%", "100%", "below"),
            ("0.5%", "0-0.5%", "above"),
            ("100%", "100%", "point"),
            ("0.05%", "0-0.1%", "normal"),
            ("> 0.1%", "0-0.1%", "above"),
            ("> 0.05%", "0-0.1%", "normal"),
            ("< 0.5%", "0-0.1%", "normal"),
            ("< 99%", ">= 99.5%", "below"),
            (">= 200 ms", "< 200 ms", "above"),
            ("0.3 s", "< 200 ms", "above"),
            ("10", "10-20", "below"),
        ] {
            assert_eq!(at(threshold, range), wanted, "{threshold} {range}");
        }
    }
}
