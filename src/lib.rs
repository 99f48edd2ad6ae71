//! # The house
//!
//! `orchestrate` runs a migration document. A team writes what it would otherwise do by hand at night (phases, steps,
//! checks, approvals, how to undo each step) into a `migration-strategy.yaml`; this crate reviews it, executes it,
//! holds it at gates until the evidence and the named people are there, undoes it where it must be undone, goes on
//! after a crash, and keeps a record of all that. This page explains how it is built and why; the README explains how
//! it is used.
//!
//! ## One direction
//!
//! A plan flows through the house once, from left to right, and every room knows only the rooms before it.
//!
//! ```text
//!  plan text ──> plan ──> program ──> engine ──> perform      effects: commands, probes, people
//!  (YAML)       written   lowered    pure:         │
//!               + located graph      decide/apply/next
//!                                      │  ▲        │
//!                                      ▼  └────────┘ outcomes come back as inputs
//!                                    journal ──> show: status, history, summary, live display
//! ```
//!
//! | wing | rooms | what they are for |
//! | --- | --- | --- |
//! | [`base`] | [`id`](base::id), [`diagnostic`](base::diagnostic), [`quantity`](base::quantity), [`durable`](base::durable), [`watch`](base::watch), [`config`](base::config), [`stage`](base::stage) | what every other wing stands on: identities, findings as plain data, times and thresholds as people write them, bytes that survive a crash, folders that tell of changes, `orchestrate.yaml`, how long stages take |
//! | [`manifest`] | [`json`](manifest::json), [`version`](manifest::version), [`kind`](manifest::kind), [`migration`](manifest::migration), [`registry`](manifest::registry), [`transform`](manifest::transform), [`files`](manifest::files), [`index`](manifest::index), [`sketch`](manifest::sketch) | JSON documents that carry a version, brought from one version to another without touching any other byte; the trees of files that hold them, the databases that index them, and drafts of migrations |
//! | [`plan`] | [`model`](plan::model), [`source`](plan::source), [`load`](plan::load), [`schema`](plan::schema), [`migrations`](plan::migrations), [`format`](plan::format), [`condition`](plan::condition), [`program`](plan::program), [`schedule`](plan::schedule) | what the author wrote, where each value stands in the text, whether its shape is right, how it is laid out, what its sentences mean, what all of it becomes for the engine, and when everything should happen |
//! | [`run`] | [`engine`](run::engine), [`journal`](run::journal), [`supervise`](run::supervise), [`perform`](run::perform), [`drive`](run::drive) | the rules of a run, its record, its processes, its effects, and the one loop that joins them |
//! | [`review`] | a file per family of rules; `safety`, which plays the engine; `schedule`, which holds estimates against limits; `lint`, which asks readers of shell and SQL; `allow`, the comments that let findings stand | what a reviewer would object to in a plan |
//! | [`show`] | [`status`](show::status), [`plain`](show::plain), [`progress`](show::progress), [`summary`](show::summary), [`preview`](show::preview), [`coverage`](show::coverage), [`gantt`](show::gantt), [`mermaid`](show::mermaid), [`dialog`](show::dialog), [`answer`](show::answer), [`manifest`](show::manifest) | pictures of a run, made of its records; of a migration of documents, made of its counts |
//! | [`cli`] | a file per group of verbs | the only place that reads environment, terminal and user configuration |
//!
//! A wing imports only wings above it in this table, `run::engine` imports nothing else of `run`, and the rooms of `run`
//! that touch the world (`journal`, `supervise`, `perform`) do not know one another's insides: `drive` joins them. A test
//! reads every `use` and holds this (`tests/house.rs`).
//!
//! Rooms that have no duty yet are not there yet: clients of databases and metrics (`run::connect`), rehearsal and its
//! certificate (`rehearse`, `plan::certificate`).
//!
//! ## From text to program
//!
//! [`plan::source`] parses YAML once into an arena in which every key and value knows its place; [`plan::load`] checks
//! the shape against the schema that [`plan::model`] generates (one source of truth) and gives *all* findings in one go.
//! [`plan::program::lower`] then says what each part means when it runs: a check becomes a probe, a fact, something that
//! other evidence covers, or a question for a person, in an order that is fixed and shown; a rollback becomes pieces; a
//! way back that does not exist becomes a wall. A [`Program`](plan::program::Program) is plain data and never changes
//! while a run goes on. Commands are never templated: values travel as environment variables, so no value becomes code.
//!
//! ## Documents that carry a version
//!
//! Beside plans there are the documents that a migration leaves behind by the thousand: manifests of runs. The
//! [`manifest`] wing brings them from version to version by declared [`operations`](manifest::migration), and is pure in
//! the same way: [`Engine::migrate`](manifest::Engine::migrate) turns bytes into bytes, edits only what an operation
//! names ([`manifest::json`]), and reads its own result again before anybody may write it. The way back is derived from
//! the way there, and what it drops is kept beside the document.
//!
//! ## The engine: three pure functions
//!
//! ```text
//! decide(&Program, &State, Input, at)  -> Result<Vec<Event>, Rejected>   what an input means now
//! State::apply(&mut self, &Program, &Record) -> Result<(), Illegal>      the one table of what may follow what
//! next(&Program, &State, at)           -> Vec<Action>                    what to do now, derived from state alone
//! ```
//!
//! State is the fold of records. A live run, a resumed one, `status` and `audit` use the same fold, so there is no
//! recovery code that could differ from the normal path: a crash between deciding and doing loses nothing, because
//! [`next`](run::engine::next()) asks again. Time is data: records carry it, timers are
//! [`WakeAt`](run::engine::Action::WakeAt), and no rule reads a clock. Consequences (a gate opens, an undo begins, a run
//! stops) are [`Action::Record`](run::engine::Action::Record): the driver records the first one that is due and asks
//! again, before it starts anything new.
//!
//! A verdict is pass, fail or inconclusive, and only a pass opens anything. An outcome is succeeded, failed (it may have
//! had effect) or unknown (killed, timed out, machine died). Unknown is never guessed; it is settled by, in order: the
//! exit record, the live process, `done_if`, a rerun if the step is `idempotent`, a person.
//!
//! What is promised, word for word: **every outcome is recorded once; an idempotent step runs at least once; any other
//! runs at most once per recorded decision.** Never "exactly once".
//!
//! ## Whether the run can get out again
//!
//! Because the engine is pure, a review can play it. [`review`] walks a plan's program through every outcome of every
//! step, gate and undo, two faults deep, and asks of each state at rest whether there is a way on (the run completes, and
//! nobody has to lie or to run a step again over its own half-done effect) or a way back (a rollback comes to nothing, or
//! to an open gate, without meeting a wall). Accidents pass, answers stay: a step that failed may succeed the next time, a
//! gate that said no goes on saying it. A state with neither way is a finding, told as the shortest path to it. Of steps
//! and phases that are alike two are walked, so the walk is as small for ten thousand steps as for forty.
//!
//! ## The record
//!
//! A run is a folder ([`run::journal::RunFolder`]): `journal.jsonl` (append-only; each line carries the SHA-256 of the
//! line before it and a checksum of itself), `inputs/` (plan, scripts and datasets as they were when the run started),
//! `logs/`, `evidence/`, `inbox/` (answers that other processes leave), and the supervisor's own records. It appears
//! whole, with its first record, or not at all. The program of a run is always made from its snapshot, so an edit of the
//! plan's folder changes nothing under a run's feet: going forward stops before a script that changed, and going back
//! uses the script as it was.
//!
//! Intent before effect, outcome after: the driver appends the intent, syncs, and only then starts anything. A failed
//! append stops all new effects at once.
//!
//! ## Steps outlive the orchestrator
//!
//! Steps are not children of the orchestrator but of a supervisor in a session of its own (the same binary, one per
//! run): see [`run::supervise`]. `kill -9` of the orchestrator, a closed terminal, a lost connection: the running job is
//! carried to its end, its exit is on the disk before anybody is told, and the run's lock is held until then. `resume`
//! reads its records or attaches again.
//!
//! A step of `type: manifest_migration` is such a process as well: this same binary, with a state folder of its own below
//! the run's ([`run::perform::manifest`]). What it counted goes from its result file into the record of its end, so
//! `manifest.failed == 0` is judged from the records alone, also on a replay. It runs again after a crash without a
//! person, because what is at its version is left alone; its undo restores what that state folder names. A document that
//! failed fails the step, unless a check or gate of the phase looks at `manifest.failed`: then the evidence decides.
//!
//! ## Where to add what
//!
//! * A new field of the format: [`plan::model`] (its doc comment becomes the editor's hover text), then
//!   [`plan::program`] if a run acts on it, then the schema (`orchestrate schema`).
//! * A new kind of check: [`plan::program::How`], `plan/program/checks.rs`, a file in [`run::perform`].
//! * A new rule of review: a file in `src/review/`, a code in [`base::diagnostic`], a plan in `tests/plans/invalid/` that
//!   triggers it and a near miss in `tests/plans/valid/`.
//! * A new thing that can happen in a run: a variant of [`Event`](run::engine::Event), its row in `apply`, a sentence in
//!   [`show::plain`]; old journals must still be read.
//! * A new operation on documents: [`manifest::migration`], its way there and back in `manifest/transform/apply.rs`, then
//!   the schema (`orchestrate schema --manifest-migration`).
//! * A new verb: `src/cli/arguments.rs` and a function that returns its exit code.

pub mod base;
pub mod cli;
pub mod manifest;
pub mod plan;
pub mod review;
pub mod run;
pub mod show;
