//! Plays a program to its end without processes, files or clocks: outcomes come from a script.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::words::{want, word};
use crate::base::id::{RunId, StepId};
use crate::plan::condition::{Judgement, judge};
use crate::plan::program::{After, BlockId, GateAt, How, Level, OnFailure, Program, UndoUnit};
use crate::run::engine::{
    Action, Actor, Answer, Ask, Event, GateStage, Input, Life, ManifestCounts, Outcome, Proof,
    Record, Rejected, Resolution, RunStarted, RunState, Stage, Standing, State, UndoStage, Verdict,
    decide, facts, judge_fact, next, standing,
};

pub(super) fn who(name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        user: name.to_lowercase(),
        host: "h".to_owned(),
    }
}

pub(super) fn step_id(text: &str) -> StepId {
    StepId::parse(text).unwrap()
}

/// Something that was started and has not ended.
#[derive(Debug, Clone)]
enum Flight {
    Act(usize, u32),
    Undo(UndoUnit, u32, usize),
}

/// How a crash settles what was going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settle {
    /// By its exit record.
    Known,
    /// Nobody can say.
    Unknown,
    /// The supervisor never started it.
    NeverStarted,
}

#[derive(Debug, Clone)]
pub(super) struct Sim {
    pub(super) program: Program,
    pub(super) journal: Vec<Record>,
    pub(super) state: State,
    pub(super) now: Timestamp,
    outcomes: HashMap<String, Vec<Outcome>>,
    verdicts: HashMap<String, Vec<Verdict>>,
    /// What is not scripted is drawn with this, or goes well.
    pub(super) dice: Option<u64>,
    counts: HashMap<String, ManifestCounts>,
    flights: VecDeque<Flight>,
    ended: BTreeSet<(String, u32)>,
    /// How long a probe takes.
    pub(super) probe_takes: SignedDuration,
    told: usize,
    most: usize,
}

/// How a run is started.
pub(super) struct Start {
    pub(super) jobs: usize,
    pub(super) left_out: Vec<StepId>,
    pub(super) on_failure: Option<OnFailure>,
    pub(super) unattested: bool,
    pub(super) production: bool,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            jobs: 4,
            left_out: Vec::new(),
            on_failure: None,
            unattested: false,
            production: false,
        }
    }
}

impl Sim {
    pub(super) fn new(program: Program) -> Self {
        Self::started(program, Start::default())
    }

    pub(super) fn started(program: Program, start: Start) -> Self {
        let state = State::new(&program);
        let digest = program.digest.clone();
        let mut sim = Self {
            state,
            program,
            journal: Vec::new(),
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
            outcomes: HashMap::new(),
            verdicts: HashMap::new(),
            dice: None,
            counts: HashMap::new(),
            flights: VecDeque::new(),
            ended: BTreeSet::new(),
            probe_takes: SignedDuration::ZERO,
            told: 0,
            most: 0,
        };
        sim.record(Event::RunStarted(Box::new(RunStarted {
            run: RunId::parse("0123456789ab-1").unwrap(),
            migration: "m".to_owned(),
            plan: "plan.yaml".to_owned(),
            plan_path: "plan.yaml".to_owned(),
            plan_digest: digest.clone(),
            inputs_hash: digest,
            environment: None,
            production: start.production,
            by: who("Starter"),
            variables: std::collections::BTreeMap::new(),
            secrets: std::collections::BTreeMap::new(),
            left_out_because: (!start.left_out.is_empty()).then(|| "a reason".to_owned()),
            left_out: start.left_out,
            on_failure: start.on_failure,
            unattested: start.unattested,
            tool: "0".to_owned(),
        })));
        sim.attach(start.jobs);
        sim
    }

    /// What the action of a step (`A`) or its undo (`undo A`) leads to, one after another; then success.
    pub(super) fn outcomes(mut self, of: &str, all: &[Outcome]) -> Self {
        self.script_outcomes(of, all);
        self
    }

    pub(super) fn script_outcomes(&mut self, of: &str, all: &[Outcome]) {
        self.outcomes.insert(of.to_owned(), all.to_vec());
    }

    /// What a check is found to be, one after another; then a pass.
    pub(super) fn verdicts(mut self, of: &str, all: &[Verdict]) -> Self {
        self.script_verdicts(of, all);
        self
    }

    pub(super) fn script_verdicts(&mut self, of: &str, all: &[Verdict]) {
        self.verdicts.insert(of.to_owned(), all.to_vec());
    }

    /// What a manifest step counts from now on: so many of 10 fail, the others are migrated.
    pub(super) fn counts(mut self, of: &str, failed: u64) -> Self {
        let counts = ManifestCounts {
            total: 10,
            migrated: 10 - failed,
            failed,
            ..ManifestCounts::default()
        };
        self.counts.insert(of.to_owned(), counts);
        self
    }

    pub(super) fn at(mut self, now: &str) -> Self {
        self.now = now.parse().unwrap();
        self
    }

    fn attach(&mut self, jobs: usize) {
        self.input(Input::Attach {
            by: who("Driver"),
            pid: 1,
            jobs,
        })
        .expect("a run that is not over can be taken");
    }

    /// Records an event. The engine must accept what it emitted, and the rules that nobody may break hold.
    pub(super) fn record(&mut self, event: Event) {
        self.hold_the_rules(&event);
        self.now += SignedDuration::from_millis(1);
        let n = self.journal.len() as u64 + 1;
        let record = Record {
            n,
            at: self.now,
            event,
        };
        let over = self.state.is_final().then(|| self.state.life.clone());
        self.state
            .apply(&self.program, &record)
            .unwrap_or_else(|illegal| panic!("{illegal}\n{}", self.whole_story()));
        if let Some(life) = over
            && self.state.life != life
        {
            assert!(
                life == Life::Completed && matches!(record.event, Event::RollbackRequested { .. }),
                "a run that is over went on: {record:?}"
            );
        }
        self.journal.push(record);
    }

    /// What must be so whatever the plan says.
    fn hold_the_rules(&mut self, event: &Event) {
        let (program, state) = (&self.program, &self.state);
        match event {
            Event::StepStarted { step, attempt } => {
                let i = program.step_index(step).unwrap();
                assert!(state.unwinding.is_none(), "{step} starts during an undo");
                assert!(state.requested.is_none(), "{step} starts before an undo");
                let ended = |s: usize| {
                    state.steps[s].left_out
                        || state.steps[s].stage == Stage::Succeeded
                            && program.steps[s]
                                .gates
                                .iter()
                                .all(|&g| state.gates[g].stage == GateStage::Passed)
                };
                let here = &program.phases[program.steps[i].phase];
                match &program.steps[i].after {
                    After::LowerOrders => assert!(
                        here.steps
                            .iter()
                            .all(|&s| program.steps[s].order >= program.steps[i].order || ended(s)),
                        "{step} starts before a lower order has ended\n{}",
                        self.whole_story()
                    ),
                    After::Exactly(all) => assert!(all.iter().all(|&s| ended(s))),
                }
                for phase in &program.phases[..program.steps[i].phase] {
                    assert!(phase.steps.iter().all(|&s| ended(s)));
                    let left = phase.steps.iter().any(|&s| state.steps[s].left_out);
                    assert!(
                        left || phase
                            .gates
                            .iter()
                            .all(|&g| state.gates[g].stage == GateStage::Passed),
                        "{step} starts behind a closed gate"
                    );
                }
                assert!(
                    !state
                        .steps
                        .iter()
                        .any(|s| matches!(s.stage, Stage::Failed { handled: false, .. })),
                    "{step} starts after a failure"
                );
                assert_eq!(*attempt, state.steps[i].attempt + 1);
                let running = state
                    .steps
                    .iter()
                    .filter(|s| matches!(s.stage, Stage::Acting | Stage::Validating))
                    .count();
                assert!(running < state.jobs, "more than the allowed jobs");
            }
            Event::ActionEnded { step, attempt, .. } => {
                assert!(
                    self.ended.insert((step.to_string(), *attempt)),
                    "{step} ended twice"
                );
            }
            Event::UndoStarted { unit, .. } => {
                assert!(!state.is_acting(), "an undo under a running step");
                for id in &state.unwinding.as_ref().unwrap().covers {
                    let i = program.step_index(id).unwrap();
                    assert!(state.steps[i].attempt > 0, "undo of {unit}: never started");
                }
            }
            Event::GateOpened { gate, .. } => {
                let i = program.gate_index(gate).unwrap();
                let steps = match program.gates[i].at {
                    GateAt::Phase(p) => program.phases[p].steps.clone(),
                    GateAt::Step(s) => vec![s],
                    GateAt::Completion => (0..program.steps.len()).collect(),
                };
                assert!(
                    steps
                        .iter()
                        .all(|&s| state.steps[s].stage == Stage::Succeeded)
                );
            }
            _ => {}
        }
    }

    /// Gives an input; on a refusal nothing changes.
    pub(super) fn input(&mut self, input: Input) -> Result<(), Rejected> {
        for event in decide(&self.program, &self.state, input, self.now)? {
            self.record(event);
        }
        Ok(())
    }

    pub(super) fn answer(&mut self, item: &str, answer: Answer, by: &str) -> Result<(), Rejected> {
        self.input(Input::Answered {
            item: item.to_owned(),
            answer,
            by: who(by),
            reason: Some("because".to_owned()),
            evidence: None,
        })
    }

    pub(super) fn resolve(&mut self, item: &str, how: Resolution) -> Result<(), Rejected> {
        self.answer(item, Answer::Resolve(how), "Ada")
    }

    pub(super) fn approve(&mut self, item: &str, by: &str) -> Result<(), Rejected> {
        self.answer(item, Answer::Approve, by)
    }

    pub(super) fn attest(&mut self, item: &str) -> Result<(), Rejected> {
        self.answer(item, Answer::Attest, "Ada")
    }

    pub(super) fn reject(&mut self, item: &str) -> Result<(), Rejected> {
        self.answer(item, Answer::Reject, "Ada")
    }

    pub(super) fn rollback(&mut self, level: Level, target: Option<&str>) -> Result<(), Rejected> {
        self.input(Input::Rollback {
            level,
            target: target.map(str::to_owned),
            by: who("Ada"),
            reason: None,
        })
    }

    pub(super) fn interrupt(&mut self) {
        self.input(Input::Interrupt {
            signal: "SIGINT".to_owned(),
        })
        .unwrap();
    }

    /// One move: a record, a batch of starts, a verdict, an outcome, or the clock. False at rest.
    pub(super) fn step(&mut self) -> bool {
        let actions = next(&self.program, &self.state, self.now);
        if let Some(event) = actions.iter().find_map(|a| match a {
            Action::Record(event) => Some(event.clone()),
            _ => None,
        }) {
            self.record(event);
            return true;
        }
        let mut moved = false;
        let mut wake: Option<Timestamp> = None;
        for action in &actions {
            match action {
                Action::Act { step, attempt } => {
                    moved = true;
                    self.record(Event::StepStarted {
                        step: self.program.steps[*step].id.clone(),
                        attempt: *attempt,
                    });
                    if !State::is_manual(&self.program, *step) {
                        self.flights.push_back(Flight::Act(*step, *attempt));
                    }
                }
                Action::Undo {
                    unit,
                    attempt,
                    piece,
                } => {
                    moved = true;
                    self.record(Event::UndoStarted {
                        unit: unit.clone(),
                        attempt: *attempt,
                        piece: *piece,
                    });
                    self.flights
                        .push_back(Flight::Undo(unit.clone(), *attempt, *piece));
                }
                Action::Record(_) | Action::Probe { .. } | Action::Wait(_) => {}
                Action::WakeAt(at) => wake = Some(wake.map_or(*at, |w| w.min(*at))),
            }
        }
        self.most = self.most.max(self.flights.len());
        if moved {
            return true;
        }
        for action in actions {
            if let Action::Probe { block, index } = action {
                self.probe(block, index);
                return true;
            }
        }
        if self.land() {
            return true;
        }
        if let Some(at) = wake {
            assert!(at > self.now, "woken for what is due already");
            self.now = at;
            return true;
        }
        false
    }

    fn probe(&mut self, block: BlockId, index: usize) {
        self.now += self.probe_takes;
        let check = self.program.block(&block)[index].clone();
        // Counted in the journal: a run that is cut and resumed sees the rest of the same script.
        let nth = self.count(|e| matches!(e, Event::CheckJudged { item, .. } if *item == check.id));
        let scripted = self
            .verdicts
            .get(check.id.as_str())
            .and_then(|all| all.get(nth))
            .copied();
        let drawn = self.draw(check.id.as_str(), nth).map(|d| match d {
            0..=74 => Verdict::Pass,
            75..=89 => Verdict::Fail,
            _ => Verdict::Inconclusive,
        });
        let verdict = scripted.or(drawn).unwrap_or_else(|| match &check.how {
            How::Fact(fact) if !judge_fact(fact, &self.program, &self.state) => Verdict::Fail,
            How::When(text) if text.contains("manifest") => {
                match judge(text, &facts(&self.program, &self.state, &block)) {
                    Judgement::Pass => Verdict::Pass,
                    Judgement::Fail => Verdict::Fail,
                    Judgement::Inconclusive { .. } => Verdict::Inconclusive,
                }
            }
            How::When(_) => {
                assert!(facts(&self.program, &self.state, &block).is_object());
                Verdict::Pass
            }
            _ => Verdict::Pass,
        });
        self.input(Input::Judged {
            block,
            index,
            verdict,
            proof: Proof::of("measured"),
        })
        .unwrap();
    }

    /// The oldest of what is going on ends. False if nothing is.
    pub(super) fn land(&mut self) -> bool {
        let Some(flight) = self.flights.pop_front() else {
            return false;
        };
        let name = match &flight {
            Flight::Act(step, _) => self.program.steps[*step].id.to_string(),
            Flight::Undo(unit, ..) => format!("undo {unit}"),
        };
        let nth = self.count(|e| match (e, &flight) {
            (Event::ActionEnded { step, .. }, Flight::Act(..)) => step.as_str() == name,
            (Event::UndoEnded { unit: ended, .. }, Flight::Undo(unit, ..)) => ended == unit,
            _ => false,
        });
        let drawn = self.draw(&name, nth).map(|d| match d {
            0..=69 => Outcome::Succeeded,
            70..=89 => Outcome::Failed,
            _ => Outcome::Unknown,
        });
        let outcome = self
            .outcomes
            .get(&name)
            .and_then(|all| all.get(nth))
            .copied()
            .or(drawn)
            .unwrap_or(Outcome::Succeeded);
        self.end(flight, outcome);
        true
    }

    fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.journal.iter().filter(|r| of(&r.event)).count()
    }

    /// A number below 100 that depends on nothing but its arguments.
    fn draw(&self, name: &str, nth: usize) -> Option<u64> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (self.dice?, name, nth).hash(&mut hasher);
        Some(hasher.finish() % 100)
    }

    fn end(&mut self, flight: Flight, outcome: Outcome) {
        let mut proof = Proof::of("exit");
        if let (Flight::Act(step, _), true) = (&flight, outcome != Outcome::Unknown) {
            let counted = self.counts.get(self.program.steps[*step].id.as_str());
            proof.manifest = counted.cloned().map(Box::new);
        }
        let input = match flight {
            Flight::Act(step, attempt) => Input::ActionEnded {
                step: self.program.steps[step].id.clone(),
                attempt,
                outcome,
                proof,
            },
            Flight::Undo(unit, attempt, piece) => Input::UndoEnded {
                unit,
                attempt,
                piece,
                outcome,
                proof,
            },
        };
        self.input(input).unwrap();
    }

    /// Plays until nothing moves, and says how the run stands.
    pub(super) fn run(&mut self) -> Standing {
        for _ in 0..5_000 {
            if !self.step() {
                return self.at_rest();
            }
        }
        panic!("it never rests\n{}", self.whole_story());
    }

    /// At rest a run can say why, and the records alone say the same.
    fn at_rest(&self) -> Standing {
        let replayed = State::replay(&self.program, &self.journal).unwrap();
        assert_eq!(replayed, self.state, "replay differs from live");
        let standing = self.standing();
        let story = || self.whole_story();
        match standing.state {
            RunState::Running => panic!("a silent hang\n{}", story()),
            RunState::Waiting => assert!(!standing.waiting.is_empty(), "{}", story()),
            RunState::Stuck => assert!(
                !standing.waiting.is_empty() || matches!(self.state.life, Life::Stopped(_)),
                "{}",
                story()
            ),
            RunState::Stopped => assert!(standing.why.is_some()),
            RunState::Interrupted
            | RunState::Drifted
            | RunState::Completed
            | RunState::RolledBack
            | RunState::Abandoned => {}
        }
        standing
    }

    pub(super) fn standing(&self) -> Standing {
        standing(&self.program, &self.state, self.now)
    }

    /// The driver and the machine die: only the journal is left.
    pub(super) fn crash(&mut self) {
        self.state = State::replay(&self.program, &self.journal).unwrap();
    }

    /// Keeps only the first records, as if the rest had never been written.
    pub(super) fn cut(&self, records: usize) -> Self {
        let mut cut = self.clone();
        cut.journal.truncate(records);
        cut.flights.clear();
        cut.ended = cut
            .journal
            .iter()
            .filter_map(|r| match &r.event {
                Event::ActionEnded { step, attempt, .. } => Some((step.to_string(), *attempt)),
                _ => None,
            })
            .collect();
        cut.crash();
        cut.now = cut.journal.last().map_or(cut.now, |r| r.at);
        cut
    }

    /// A driver takes the run again and settles what was going on.
    pub(super) fn resume(&mut self, settle: Settle) {
        self.now += SignedDuration::from_secs(60);
        self.attach(4);
        self.flights.clear();
        for i in 0..self.program.steps.len() {
            if self.state.steps[i].stage != Stage::Acting || State::is_manual(&self.program, i) {
                continue;
            }
            let flight = Flight::Act(i, self.state.steps[i].attempt);
            match settle {
                Settle::Known => self.flights.push_back(flight),
                Settle::Unknown => self.end(flight, Outcome::Unknown),
                Settle::NeverStarted => self
                    .input(Input::ActionNotStarted {
                        step: self.program.steps[i].id.clone(),
                    })
                    .unwrap(),
            }
        }
        let open: Vec<(UndoUnit, u32, usize)> = self
            .state
            .unwinding
            .iter()
            .flat_map(|u| &u.progress)
            .filter(|(_, p)| p.stage == UndoStage::Acting)
            .map(|(unit, p)| (unit.clone(), p.attempt, p.piece))
            .collect();
        for (unit, attempt, piece) in open {
            match settle {
                Settle::Known => {
                    self.flights.push_back(Flight::Undo(unit, attempt, piece));
                }
                Settle::Unknown => self.end(Flight::Undo(unit, attempt, piece), Outcome::Unknown),
                Settle::NeverStarted => self.input(Input::UndoNotStarted { unit }).unwrap(),
            }
        }
    }

    /// `resume` after the run came to rest, played to its next rest.
    pub(super) fn again(&mut self) -> Standing {
        self.resume(Settle::Known);
        self.run()
    }

    /// Answers everything that waits so that the run goes on. False if nothing could be answered.
    pub(super) fn answer_all(&mut self) -> bool {
        let mut any = false;
        for wait in self.standing().waiting {
            let by = wait.who.first().map_or("Ada", String::as_str).to_owned();
            let answer = match wait.ask {
                Ask::Attest(..) | Ask::UndoByHand(..) => Answer::Attest,
                Ask::Approve => Answer::Approve,
                Ask::Recheck { .. } | Ask::DecideGate { .. } => Answer::Resolve(Resolution::Retry),
                Ask::ResolveStep { .. } => Answer::Resolve(Resolution::Done),
                Ask::ResolveUndo(_) => Answer::Resolve(Resolution::Undone),
                Ask::Reevaluate | Ask::Window => continue,
            };
            any |= self.answer(&wait.item, answer, &by).is_ok();
        }
        any
    }

    /// Runs and answers until neither moves anything.
    pub(super) fn run_and_answer(&mut self) -> Standing {
        for _ in 0..100 {
            let standing = self.run();
            if !self.answer_all() {
                return standing;
            }
        }
        panic!("it asks for ever\n{}", self.whole_story());
    }

    pub(super) fn effects(&self) -> Vec<String> {
        self.state
            .remaining(&self.program)
            .into_iter()
            .map(|i| self.program.steps[i].id.to_string())
            .collect()
    }

    /// What waits, by id.
    pub(super) fn waits(&self) -> String {
        let items: Vec<String> = self
            .standing()
            .waiting
            .iter()
            .map(|w| w.item.clone())
            .collect();
        items.join(", ")
    }

    pub(super) fn most_together(&self) -> usize {
        self.most
    }

    /// What `next` wants now.
    pub(super) fn wants(&self) -> Vec<String> {
        next(&self.program, &self.state, self.now)
            .iter()
            .map(|a| want(&self.program, a))
            .collect()
    }

    fn tell(&self, from: usize) -> String {
        let words: Vec<String> = self.journal[from..]
            .iter()
            .filter_map(|r| word(&r.event))
            .collect();
        words.join(", ")
    }

    pub(super) fn whole_story(&self) -> String {
        self.tell(0)
    }

    /// What happened since the last time this was asked.
    pub(super) fn story(&mut self) -> String {
        let story = self.tell(self.told);
        self.told = self.journal.len();
        story
    }

    /// Runs to the next rest: `"STATE EXIT"`.
    pub(super) fn ends(&mut self) -> String {
        let standing = self.run();
        format!("{} {}", standing.state, standing.exit_code)
    }
}

/// `given(program).after([..]).on(input).emits([..]).then_wants([..])`
pub(super) fn given(program: Program) -> Sim {
    Sim::new(program)
}

/// What an input led to.
pub(super) struct Emitted {
    sim: Sim,
    events: Vec<String>,
}

impl Sim {
    pub(super) fn after(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        for event in events {
            self.record(event);
        }
        self
    }

    pub(super) fn on(mut self, input: Input) -> Emitted {
        let from = self.journal.len();
        self.input(input).unwrap();
        let events = self.journal[from..]
            .iter()
            .filter_map(|r| word(&r.event))
            .collect();
        Emitted { sim: self, events }
    }

    pub(super) fn refuses(&self, input: Input) -> String {
        decide(&self.program, &self.state, input, self.now)
            .expect_err("it means nothing now")
            .to_string()
    }
}

impl Emitted {
    pub(super) fn emits<const N: usize>(self, words: [&str; N]) -> Self {
        assert_eq!(self.events, words);
        self
    }

    pub(super) fn then_wants<const N: usize>(self, words: [&str; N]) -> Sim {
        assert_eq!(self.sim.wants(), words);
        self.sim
    }
}
