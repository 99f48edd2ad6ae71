//! `kill -9` at any moment of `plans/discount-code` on a real PostgreSQL, then `resume`: same end, nothing runs twice.
//!
//! `ORCHESTRATE_KILLS=200 tests/run kill_discount::` tries more moments.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use orchestrate::run::engine::{Event, Record};
use rustix::process::Signal;

use crate::support::cli::{Cli, Ended, REST, answer};
use crate::support::moments::{each_moment, moment, moments};
use crate::support::plans::Shop;
use crate::support::practice::{is_sound, kill, lines, processes, records, run_dir, settles};

/// How many shops are open at the same time: each has services and traffic that need a processor.
const TOGETHER: usize = 3;

const RUN: [&str; 9] = [
    "run",
    "migration-strategy.yaml",
    "--env",
    "local",
    "--yes",
    "--var",
    "OBSERVE_SECONDS=0.1",
    "--output",
    "json",
];

/// How a shell tells that a program was killed.
const KILLED: i32 = 128 + 9;

/// What waits for people, the verb that answers, and who they are; in order.
const ITEMS: [(&str, &str, &[&str]); 4] = [
    ("GATE-1", "approve", &["DBA Lead", "Engineering Manager"]),
    ("GATE-2", "approve", &["Engineering Manager"]),
    ("STEP-3-3.preconditions.1", "attest", &["Product Team"]),
    (
        "GATE-3",
        "approve",
        &["Product Manager", "Engineering Manager"],
    ),
];

/// What each step must have run: counted by the scripts themselves, and by the database.
const ACTIONS: [(&str, &str); 6] = [
    ("STEP-1-1", "backup-cart.sh"),
    ("STEP-2-1", "deploy-discount-service.sh"),
    ("STEP-2-2", "deploy-cart-service.sh"),
    ("STEP-3-1", "configure-feature-flag.sh"),
    ("STEP-3-2", "configure-feature-flag.sh"),
    ("STEP-3-3", "configure-feature-flag.sh"),
];

/// Put at the end of what the scripts share: what truly began, in a file; and time to be struck by a kill in its midst.
const COUNT: &str = r#"
if [[ -n ${ORCHESTRATE_STEP_ID:-} ]]; then
  echo "$ORCHESTRATE_STEP_ID $(basename "$0")" >> ran
  case $(basename "$0") in backup-* | deploy-* | configure-*) sleep 0.3 ;; esac
fi
"#;

/// What becomes of a run that waits for people.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Waits {
    /// It saves itself and ends; they answer, and it is resumed.
    Away,
    /// It stays, and takes the answers as they come.
    There,
}

/// A shop that keeps count of what truly ran. Whatever still runs there when it goes is ended.
struct Counted {
    shop: Shop,
    cli: Cli,
    waits: Waits,
}

impl Counted {
    fn open(waits: Waits) -> Self {
        let shop = Shop::open();
        let common = shop.plan().folder().join("scripts/common.sh");
        let text = fs::read_to_string(&common).expect("the scripts share it") + COUNT;
        fs::write(&common, text).expect("failed to let the scripts keep count");
        shop.database().psql(
            "CREATE TABLE public.altered (); \
             CREATE FUNCTION public.count_altered() RETURNS event_trigger LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO public.altered DEFAULT VALUES; END'; \
             CREATE EVENT TRIGGER count_altered ON ddl_command_end WHEN TAG IN ('ALTER TABLE') \
             EXECUTE FUNCTION public.count_altered()",
        );
        let cli = shop.cli();
        Self { shop, cli, waits }
    }

    fn records(&self) -> Vec<Record> {
        records(self.shop.plan().folder())
    }

    /// What to type next.
    fn next(&self) -> Vec<&'static str> {
        let mut arguments = if run_dir(self.shop.plan().folder()).is_some() {
            vec!["resume", "--output", "json"]
        } else {
            RUN.to_vec()
        };
        if self.waits == Waits::There {
            arguments.push("--wait");
        }
        arguments
    }

    /// Types what is next, and answers what a run that stays waits for. Kills it, only it, once it has been there for
    /// `left`, which is lowered by the time that it was; nothing comes back then.
    fn go_on(&self, left: &mut Duration, answered: &mut BTreeSet<&'static str>) -> Option<Ended> {
        let began = Instant::now();
        let mut running = self.cli.start(&self.next());
        while !running.has_ended() {
            if began.elapsed() >= *left {
                running.signal(Signal::KILL);
                break;
            }
            if self.waits == Waits::There {
                self.answer(&running.said(), answered);
            }
            std::thread::sleep(REST);
        }
        let ended = running.wait();
        *left = left.saturating_sub(began.elapsed());
        (ended.code != KILLED).then_some(ended)
    }

    /// Answers what was asked for, each once: an answer that was given counts, whatever is killed then.
    fn answer(&self, said: &str, answered: &mut BTreeSet<&'static str>) {
        for (item, verb, names) in ITEMS {
            if said.contains(&format!("{item} --as \"<name>\"")) && answered.insert(item) {
                for name in names {
                    self.cli
                        .run(&[verb, "latest", item, "--as", name])
                        .with_code(0);
                }
            }
        }
    }

    /// Goes on until it is over, and kills it once on the way. What the journal held then.
    fn to_the_end(&self, left: &mut Duration) -> Option<Vec<Record>> {
        let mut answered = BTreeSet::new();
        let mut held = None;
        loop {
            match self.go_on(left, &mut answered) {
                None => {
                    held = Some(self.records());
                    *left = Duration::MAX;
                }
                Some(ended) if ended.code == 6 => answer(&self.cli, &ended.waiting()),
                Some(ended) => {
                    ended.with_code(0);
                    return held;
                }
            }
        }
    }

    /// Everything is as after a run that nobody disturbed.
    fn check(&self) {
        let folder = self.shop.plan().folder();
        settles(folder, |pid, words| !is_of_service(pid, words), String::new);
        let columns = self.shop.columns();
        assert!(
            columns.ends_with(",discount_code,discount_amount"),
            "{columns}"
        );
        let flag = fs::read_to_string(folder.join("work/flags/discount-enabled.json"));
        let flag = flag.expect("the flag was set");
        assert!(flag.contains("\"percentage\": 100"), "{flag}");
        assert_eq!(self.shop.live(), "green");

        let ran = lines(&folder.join("ran"));
        for (step, script) in ACTIONS {
            assert_eq!(ran.get(&format!("{step} {script}")), Some(&1), "{ran:?}");
        }
        let database = self.shop.database();
        let altered = database.psql("SELECT count(*) FROM public.altered");
        assert_eq!(altered, "1", "the columns were added once");

        let records = self.records();
        is_sound(&records);
        let ended = |step: &str| {
            let of_step = |r: &&Record| matches!(&r.event, Event::StepSucceeded { step: s, .. } if s.to_string() == step);
            records.iter().filter(of_step).count()
        };
        for step in ACTIONS.map(|(step, _)| step).iter().chain(&["STEP-1-2"]) {
            assert_eq!(ended(step), 1, "{step}");
        }
        let over = |r: &&Record| matches!(r.event, Event::RunCompleted);
        assert_eq!(records.iter().filter(over).count(), 1);
        self.cli.run(&["audit"]).with_code(0);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for (pid, words) in processes(self.shop.plan().folder()) {
            if !is_of_service(pid, &words) {
                kill(pid);
            }
        }
    }
}

/// Whether it is a service, which the plan leaves running on purpose, or a service's own connection.
fn is_of_service(pid: i32, words: &str) -> bool {
    let is_service = |words: &str| words.contains("services/");
    let parent = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        fs::read_to_string(format!("/proc/{}/cmdline", parent.trim())).ok()
    };
    is_service(words) || parent().is_some_and(|words| is_service(&words))
}

/// The step whose action had begun and had not ended by then, as far as the journal tells.
fn was_running(records: &[Record]) -> Option<String> {
    let mut running = None;
    for record in records {
        match &record.event {
            Event::StepStarted { step, .. } => running = Some(step.to_string()),
            Event::ActionEnded { .. } => running = None,
            _ => {}
        }
    }
    running
}

const BOTH: [Waits; 2] = [Waits::Away, Waits::There];

/// How long each takes beside the other, the time apart in which it is not there.
fn lengths() -> [Duration; 2] {
    let both = Mutex::new([Duration::ZERO; 2]);
    each_moment(BOTH.len(), BOTH.len(), |i| {
        let counted = Counted::open(BOTH[i]);
        let mut left = Duration::MAX;
        assert!(counted.to_the_end(&mut left).is_none(), "nobody killed it");
        counted.check();
        both.lock().expect("nobody panics with it")[i] = Duration::MAX - left;
    });
    both.into_inner().expect("nobody panics with it")
}

#[test]
fn a_killed_orchestrator_loses_nothing_of_a_real_migration() {
    let count = moments(10);
    let lengths = lengths();
    let seen = Mutex::new(Vec::new());
    each_moment(TOGETHER, count, |i| {
        let counted = Counted::open(BOTH[i % 2]);
        // Some are faster than those measured; the last moments shall not come after the end.
        let length = lengths[i % 2].mul_f64(0.9);
        let mut left = moment(length, 2 * i + 1, 2 * count);
        let held = counted.to_the_end(&mut left);
        counted.check();
        let held = held.map(|records| (records.len(), was_running(&records)));
        let mut seen = seen.lock().expect("nobody panics with it");
        seen.push((i, held));
    });
    let seen = seen.into_inner().expect("nobody panics with it");
    println!("{lengths:?}; moments, records by then, the step that ran: {seen:?}");
    let held: Vec<_> = seen.iter().filter_map(|(_, held)| held.as_ref()).collect();
    let different: BTreeSet<_> = held.iter().map(|(records, _)| *records).collect();
    assert!(
        different.len() >= count.min(10) / 2,
        "the moments are not different: {seen:?}"
    );
    // Of ten moments about two strike a running action, on a loaded machine none may: only many moments must.
    assert!(
        count < 50 || held.iter().any(|(_, running)| running.is_some()),
        "no moment struck a step: {seen:?}"
    );
}
