//! Test datasets (SPEC section 2).

use super::{Jobs, Judged, Place, Purpose, file, work};
use crate::plan::program::{CommandProbe, Dataset, Expect, How};
use crate::run::engine::{Proof, Verdict};

/// Every case passes, or the demanded share of them; one that is not a list of cases passes on exit 0. Cases that are
/// inconclusive never count as passed: if they could change the verdict, it is inconclusive.
pub(super) async fn probe(
    jobs: &impl Jobs,
    place: &Place,
    purpose: &Purpose,
    key: &str,
    dataset: &Dataset,
) -> Judged {
    if dataset.path.is_none() {
        return (
            Verdict::Inconclusive,
            Proof::of(format!("there is no dataset {}", dataset.id)),
        );
    }
    if let Some(process) = &dataset.process {
        let probe = CommandProbe {
            process: process.clone(),
            expect: Expect::default(),
        };
        return work::probe(jobs, place, purpose, key, &probe).await;
    }
    let cases = dataset.cases.as_deref().unwrap_or_default();
    let (mut passed, mut failed, mut broken) = (0_usize, Vec::new(), Vec::new());
    for (i, case) in cases.iter().enumerate() {
        let key = format!("{key}.{i}");
        let (verdict, proof) = match &case.how {
            How::Command(probe) => work::probe(jobs, place, purpose, &key, probe).await,
            How::Metric(metric) => work::measure(jobs, place, purpose, &key, metric).await,
            How::File(probe) => file::probe(&place.plan_dir, probe),
            _ => (
                Verdict::Inconclusive,
                Proof::of("this kind of case cannot be judged"),
            ),
        };
        let line = format!("{}: {}", case.title, proof.detail);
        match verdict {
            Verdict::Pass => passed += 1,
            Verdict::Fail => failed.push(line),
            Verdict::Inconclusive => broken.push(line),
        }
    }
    let verdict = verdict(passed, failed.len(), broken.len(), dataset.min_pass);
    let mut detail = format!("{passed} of {} cases pass", cases.len());
    if dataset.min_pass < 100.0 {
        detail = format!("{detail}, {}% are wanted", dataset.min_pass);
    }
    for line in failed.iter().chain(&broken) {
        detail.push_str("; ");
        detail.push_str(line);
    }
    (verdict, Proof::of(detail))
}

fn verdict(passed: usize, failed: usize, broken: usize, min_pass: f64) -> Verdict {
    let total = passed + failed + broken;
    if total == 0 {
        return Verdict::Inconclusive;
    }
    // Counts are far below 2^52.
    #[expect(clippy::cast_precision_loss, reason = "counts of cases in a file")]
    let enough = |n: usize| n as f64 * 100.0 >= min_pass * total as f64;
    if enough(passed) {
        Verdict::Pass
    } else if enough(passed + broken) {
        Verdict::Inconclusive
    } else {
        Verdict::Fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inconclusive_cases_never_count_as_passed() {
        assert_eq!(verdict(10, 0, 0, 100.0), Verdict::Pass);
        assert_eq!(verdict(9, 1, 0, 100.0), Verdict::Fail);
        assert_eq!(verdict(9, 0, 1, 100.0), Verdict::Inconclusive);
        assert_eq!(verdict(8, 1, 1, 100.0), Verdict::Fail);
        assert_eq!(verdict(19, 1, 0, 95.0), Verdict::Pass);
        assert_eq!(verdict(18, 1, 1, 95.0), Verdict::Inconclusive);
        assert_eq!(verdict(0, 0, 0, 95.0), Verdict::Inconclusive);
    }
}
