//! Processes as jobs for the supervisor, and what their ends mean.

use std::path::PathBuf;

use super::{Jobs, Judged, Place, Purpose, environment, manifest, script};
use crate::base::id::file_stem;
use crate::plan::condition::Judgement;
use crate::plan::program::{CommandProbe, Expect, MetricProbe, Process, Run, Work};
use crate::run::engine::{Outcome, Proof, Verdict};
use crate::run::supervise::{
    DEFAULT_GRACE_MS, JobEnd, JobSpec, ProcessEnd, ProcessExit, ProcessSpec,
};

/// How much of a probe's output is judged. What is longer is inconclusive for whoever looks at it.
const CAPTURE_BYTES: u64 = 1024 * 1024;

/// The job that runs `work` once. `key` is unique in the run.
///
/// # Errors
/// When a script cannot be run: nothing was started.
pub fn job(
    place: &Place,
    purpose: &Purpose,
    key: &str,
    work: &Work,
) -> Result<JobSpec, script::ScriptError> {
    let own = environment::own(place, purpose);
    let mut processes = Vec::with_capacity(work.processes.len());
    for process in &work.processes {
        processes.push(spec(place, purpose, process, &own)?);
    }
    Ok(JobSpec {
        job: key.to_owned(),
        durable: true,
        processes,
        log: PathBuf::from("logs").join(format!("{}.log", file_stem(key))),
        capture: 0,
        timeout_ms: work.timeout_ms,
        grace_ms: DEFAULT_GRACE_MS,
    })
}

fn spec(
    place: &Place,
    purpose: &Purpose,
    process: &Process,
    own: &[(String, String)],
) -> Result<ProcessSpec, script::ScriptError> {
    let mut env = own.to_vec();
    if script::needs_connection(&process.run) {
        env.extend(place.postgres.iter().cloned());
    }
    env.extend(process.env.iter().cloned());
    let argv = match &process.run {
        Run::Manifest(own) => manifest::argv(place, purpose, own),
        Run::Shell { .. } | Run::Script { .. } => {
            script::argv(&process.run, |path: &str| place.locate(path))?
        }
    };
    Ok(ProcessSpec {
        name: process.name.clone(),
        argv,
        dir: place.plan_dir.clone(),
        env,
        timeout_ms: process.timeout_ms,
        accept_codes: Vec::new(),
    })
}

/// What the end of a step's or an undo's job means. Ended by a limit, a kill or a signal: nobody can say what it did.
#[must_use]
pub fn outcome(end: &JobEnd) -> (Outcome, Proof) {
    let proof = |detail: String| Proof {
        detail,
        duration_ms: Some(end.duration_ms),
        log: Some(end.log.path.to_string_lossy().into_owned()),
        log_sha256: Some(end.log.sha256.clone()),
        tail: (!end.tail.is_empty()).then(|| last_lines(&end.tail)),
        manifest: None,
    };
    let mut more = String::new();
    if let Some(error) = &end.log.error {
        more = format!("; its log is not complete: {error}");
    }
    let Some(last) = end.processes.last() else {
        let outcome = if end.accepted {
            Outcome::Succeeded
        } else {
            Outcome::Unknown
        };
        return (outcome, proof(format!("nothing was run{more}")));
    };
    if end.accepted {
        return (Outcome::Succeeded, proof(format!("exit 0{more}")));
    }
    let outcome = match last.exit {
        ProcessExit::Exited { .. } | ProcessExit::SpawnFailed { .. } => Outcome::Failed,
        ProcessExit::Signaled { .. } | ProcessExit::TimedOut | ProcessExit::Killed => {
            Outcome::Unknown
        }
    };
    (outcome, proof(format!("{}{more}", how(last))))
}

/// How a process ended, in one sentence.
#[must_use]
pub fn how(end: &ProcessEnd) -> String {
    match &end.exit {
        ProcessExit::Exited { code: 126 } => {
            format!("`{}` exited with 126: it may not be executed", end.name)
        }
        ProcessExit::Exited { code: 127 } => {
            format!("`{}` exited with 127: command not found", end.name)
        }
        ProcessExit::Exited { code } => format!("`{}` exited with {code}", end.name),
        ProcessExit::Signaled { signal } => format!("`{}` was ended by signal {signal}", end.name),
        ProcessExit::TimedOut => format!("`{}` exceeded its time and was ended", end.name),
        ProcessExit::Killed => format!("`{}` was ended on request", end.name),
        ProcessExit::SpawnFailed { message, .. } => {
            format!("`{}` could not be started: {message}", end.name)
        }
    }
}

/// The last lines, for the record and the screen; the log has them all.
fn last_lines(tail: &str) -> String {
    let lines: Vec<&str> = tail.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Runs a probe's process and gives its end back.
pub(super) async fn run_probe(
    jobs: &impl Jobs,
    place: &Place,
    purpose: &Purpose,
    key: &str,
    process: &Process,
) -> Result<JobEnd, Judged> {
    let broken = |why: String| (Verdict::Inconclusive, Proof::of(why));
    let work = Work {
        processes: vec![process.clone()],
        timeout_ms: None,
    };
    let mut job = job(place, purpose, key, &work).map_err(|error| broken(error.to_string()))?;
    job.durable = false;
    job.log = PathBuf::from("logs")
        .join("checks")
        .join(format!("{}.log", file_stem(key)));
    job.capture = CAPTURE_BYTES;
    jobs.run(job).await.map_err(broken)
}

/// Judges a `command` probe: exit 0, or as expected. A probe that broke, was ended or timed out is inconclusive.
pub(super) async fn probe(
    jobs: &impl Jobs,
    place: &Place,
    purpose: &Purpose,
    key: &str,
    probe: &CommandProbe,
) -> Judged {
    match run_probe(jobs, place, purpose, key, &probe.process).await {
        Ok(end) => judge(&end, &probe.expect),
        Err(judged) => judged,
    }
}

/// Measures a metric and judges the condition over it.
pub(super) async fn measure(
    jobs: &impl Jobs,
    place: &Place,
    purpose: &Purpose,
    key: &str,
    metric: &MetricProbe,
) -> Judged {
    let end = match run_probe(jobs, place, purpose, key, &metric.process).await {
        Ok(end) => end,
        Err(judged) => return judged,
    };
    let (outcome, proof) = outcome(&end);
    if outcome != Outcome::Succeeded {
        return (Verdict::Inconclusive, proof);
    }
    let text = stdout(&end);
    let value: Option<f64> = text.trim().trim_end_matches('%').trim().parse().ok();
    let (verdict, detail) = match metric.condition.judge(value) {
        Judgement::Pass => (Verdict::Pass, format!("measured {}", text.trim())),
        Judgement::Fail => (Verdict::Fail, format!("measured {}", text.trim())),
        Judgement::Inconclusive { why } => (Verdict::Inconclusive, why),
    };
    (verdict, Proof { detail, ..proof })
}

fn stdout(end: &JobEnd) -> String {
    end.captured.as_ref().map_or_else(String::new, |c| {
        String::from_utf8_lossy(&c.bytes).into_owned()
    })
}

fn judge(end: &JobEnd, expect: &Expect) -> Judged {
    let (_, proof) = outcome(end);
    let with = |verdict, detail: String| {
        (
            verdict,
            Proof {
                detail,
                ..proof.clone()
            },
        )
    };
    let Some(last) = end.processes.last() else {
        return with(Verdict::Inconclusive, "nothing was run".to_owned());
    };
    let code = match &last.exit {
        // 126 and 127 are the shell's own: the probe could not be run.
        ProcessExit::Exited { code }
            if matches!(code, 126 | 127) && expect.exit_code != Some(*code) =>
        {
            return with(Verdict::Inconclusive, how(last));
        }
        ProcessExit::Exited { code } => *code,
        _ => return with(Verdict::Inconclusive, how(last)),
    };
    let wanted = expect.exit_code.unwrap_or(0);
    if code != wanted {
        let said = proof
            .tail
            .as_deref()
            .and_then(|t| t.lines().last())
            .unwrap_or_default();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": {said}")
        };
        let instead = if wanted == 0 {
            String::new()
        } else {
            format!(", {wanted} is wanted")
        };
        return with(Verdict::Fail, format!("exit {code}{instead}{said}"));
    }
    let output = stdout(end);
    let looks = expect.stdout.is_some()
        || expect.stdout_contains.is_some()
        || expect.stdout_matches.is_some()
        || expect.json.is_some();
    if looks && end.captured.as_ref().is_some_and(|c| c.truncated) {
        return with(
            Verdict::Inconclusive,
            "it printed more than 1 MiB, which is not judged".to_owned(),
        );
    }
    match demands(&output, expect) {
        Ok(None) => with(Verdict::Pass, format!("exit {code}")),
        Ok(Some(missed)) => with(Verdict::Fail, missed),
        Err(broken) => with(Verdict::Inconclusive, broken),
    }
}

/// The first demand on the output that is not met, or why it cannot be told.
fn demands(output: &str, expect: &Expect) -> Result<Option<String>, String> {
    if let Some(wanted) = &expect.stdout
        && output.trim() != wanted.trim()
    {
        return Ok(Some(format!(
            "it printed {}, {} is wanted",
            quoted(output.trim()),
            quoted(wanted.trim())
        )));
    }
    if let Some(part) = &expect.stdout_contains
        && !output.contains(part.as_str())
    {
        return Ok(Some(format!(
            "it printed {}, without {}",
            quoted(output.trim()),
            quoted(part)
        )));
    }
    if let Some(pattern) = &expect.stdout_matches {
        let regex = regex_lite::Regex::new(pattern)
            .map_err(|e| format!("the pattern {pattern:?} is not understood: {e}"))?;
        // The line end that every program prints must not keep `$` from matching.
        if !regex.is_match(output.trim_end()) && !regex.is_match(output) {
            return Ok(Some(format!(
                "it printed {}, which does not match {pattern:?}",
                quoted(output.trim())
            )));
        }
    }
    if let Some(wanted) = &expect.json {
        let found: serde_json::Value =
            serde_json::from_str(output).map_err(|e| format!("it did not print JSON: {e}"))?;
        if !includes(&found, wanted) {
            return Ok(Some(format!(
                "it printed {}, {wanted} is wanted",
                quoted(output.trim())
            )));
        }
    }
    Ok(None)
}

/// Whether `found` has everything that is wanted: members of objects that are not named do not matter. Keys that begin
/// with `/` are JSON pointers into the answer.
fn includes(found: &serde_json::Value, wanted: &serde_json::Value) -> bool {
    match (found, wanted) {
        (_, serde_json::Value::Object(wanted)) if !wanted.is_empty() => {
            wanted.iter().all(|(key, value)| {
                let part = if key.starts_with('/') {
                    found.pointer(key)
                } else {
                    found.get(key)
                };
                part.is_some_and(|part| includes(part, value))
            })
        }
        (serde_json::Value::Number(a), serde_json::Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64()
        }
        _ => found == wanted,
    }
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(120).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    #[test]
    fn demands_are_met_or_named() {
        let expect = |e: Expect| e;
        let out = "{\"replicas\": 3, \"ok\": true}\n";
        assert_eq!(demands(out, &Expect::default()), Ok(None));
        let json = expect(Expect {
            json: Some(json!({"replicas": 3})),
            ..Expect::default()
        });
        assert_eq!(demands(out, &json), Ok(None));
        let json = expect(Expect {
            json: Some(json!({"/replicas": 4})),
            ..Expect::default()
        });
        assert!(demands(out, &json).unwrap().is_some());
        assert!(demands("not json", &json).is_err());
        let matches = expect(Expect {
            stdout_matches: Some("^v[0-9]+$".to_owned()),
            ..Expect::default()
        });
        assert_eq!(demands("v12", &matches), Ok(None));
        assert_eq!(demands("v12\n", &matches), Ok(None));
        assert!(demands("w12", &matches).unwrap().is_some());
        let equals = expect(Expect {
            stdout: Some("5".to_owned()),
            ..Expect::default()
        });
        assert_eq!(demands(" 5\n", &equals), Ok(None));
        assert!(demands("50", &equals).unwrap().is_some());
        let contains = expect(Expect {
            stdout_contains: Some("ll".to_owned()),
            ..Expect::default()
        });
        assert_eq!(demands("hello", &contains), Ok(None));
        assert!(demands("help", &contains).unwrap().is_some());
    }
}
