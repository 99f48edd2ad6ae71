//! The supervisor as a real process: orders over its socket, kills from outside, and what is on the disk afterwards.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orchestrate::base::durable::{Holder, Lock, create_dir_private};
use orchestrate::run::supervise::{
    Arrival, Attach, JobEnd, JobSpec, Message, ProcessExit, ProcessSpec, Refusal, SpawnProblem,
    SupervisorClient, SupervisorError, look, read_records, sweep,
};
use tokio::sync::mpsc::Receiver;

const BINARY: &str = env!("CARGO_BIN_EXE_orchestrate");

struct Bench {
    folder: tempfile::TempDir,
    run: PathBuf,
}

struct Control {
    client: SupervisorClient,
    arrival: Arrival,
    messages: Receiver<Message>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs").join(name);
        create_dir_private(&run).unwrap();
        Self { folder, run }
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.path().join("lock")
    }

    fn lock(&self) -> Lock {
        let me = Holder::this_process("test");
        Lock::acquire_within(&self.lock_path(), &me, Duration::from_secs(10)).unwrap()
    }

    fn locked(&self) -> bool {
        Lock::holder(&self.lock_path()).unwrap().is_some()
    }

    async fn attach(
        &self,
        lock: Option<&Lock>,
        epoch: u64,
        takeover: bool,
    ) -> Result<Control, SupervisorError> {
        let how = Attach {
            run_dir: &self.run,
            binary: Path::new(BINARY),
            lock,
            epoch,
            takeover,
        };
        let (client, arrival, messages) = SupervisorClient::start_or_attach(how).await?;
        let env = std::env::vars().collect();
        client.base(env, vec!["hunter2".to_owned()]).await?;
        Ok(Control {
            client,
            arrival,
            messages,
        })
    }

    /// Starts a supervisor that alone holds the lock from then on.
    async fn start(&self) -> Control {
        let lock = self.lock();
        self.attach(Some(&lock), 0, false).await.unwrap()
    }

    fn log(&self, job: &str) -> String {
        String::from_utf8_lossy(&self.log_bytes(job)).into_owned()
    }

    fn log_bytes(&self, job: &str) -> Vec<u8> {
        std::fs::read(self.run.join(format!("logs/{job}.log"))).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for a file that a process of the job writes; its content.
    async fn appears(&self, name: &str) -> String {
        let path = self.file(name);
        until(|| {
            std::fs::read_to_string(&path)
                .ok()
                .filter(|t| t.ends_with('\n'))
        })
        .await
    }
}

/// The only way to wait for something that sends no event to this process.
async fn until<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it never happened"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|s| !s.contains(") Z "))
}

fn job(bench: &Bench, name: &str, scripts: &[&str]) -> JobSpec {
    JobSpec {
        job: name.to_owned(),
        durable: true,
        processes: scripts
            .iter()
            .map(|script| ProcessSpec {
                name: "a script".to_owned(),
                argv: [
                    "bash",
                    "--noprofile",
                    "--norc",
                    "-eo",
                    "pipefail",
                    "-c",
                    script,
                ]
                .map(str::to_owned)
                .to_vec(),
                dir: bench.folder.path().to_owned(),
                env: vec![],
                timeout_ms: None,
                accept_codes: vec![],
            })
            .collect(),
        log: format!("logs/{name}.log").into(),
        capture: 0,
        timeout_ms: None,
        grace_ms: 5_000,
    }
}

impl Control {
    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(60), self.messages.recv());
        next.await.unwrap().unwrap()
    }

    async fn end(&mut self) -> JobEnd {
        loop {
            match self.next().await {
                Message::Ended(end) => return *end,
                Message::Line { .. } | Message::Accepted { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn run(&mut self, job: JobSpec) -> JobEnd {
        self.client.start(job).await.unwrap();
        self.end().await
    }

    async fn refusal(&mut self) -> Refusal {
        loop {
            match self.next().await {
                Message::Refused { why, .. } => return why,
                Message::Line { .. } | Message::Accepted { .. } | Message::Fenced { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn leave(mut self) {
        self.client.leave().await.unwrap();
        loop {
            match self.next().await {
                Message::Left => {}
                Message::Disconnected => return,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn exits(end: &JobEnd) -> Vec<ProcessExit> {
    end.processes.iter().map(|p| p.exit.clone()).collect()
}

const fn exited(code: i32) -> ProcessExit {
    ProcessExit::Exited { code }
}

/// Prints the highest memory of its parent so far in KiB, without the pages of the program's own file: how much of that
/// stays resident depends on the size of the build and on what else the machine does.
const PEAK: &str = r#"awk '/^VmHWM/ {all=$2} /^RssFile/ {file=$2} END {print "peak", all-file}' /proc/$PPID/status"#;

#[tokio::test]
async fn a_sequence_stops_at_the_first_failure() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    assert!(control.arrival.started);
    let end = control
        .run(job(
            &bench,
            "s",
            &["echo one", "echo two >&2; exit 3", "echo never"],
        ))
        .await;
    assert_eq!(exits(&end), [exited(0), exited(3)]);
    assert!(!end.accepted);
    assert_eq!(end.tail, "one\ntwo\n");
    let log = bench.log("s");
    assert!(
        log.contains("Z out| one\n") && log.contains("Z err| two\n"),
        "{log}"
    );
    assert!(!log.contains("never"));
    assert_eq!(end.log.bytes, log.len() as u64);
    assert_eq!(end.log.lines, log.lines().count() as u64);
    let end = control.run(job(&bench, "t", &["true", "true"])).await;
    assert!(end.accepted);
    control
        .client
        .start(job(&bench, "t", &["true"]))
        .await
        .unwrap();
    assert_eq!(control.refusal().await, Refusal::Duplicate);
    control.leave().await;
    assert!(!bench.locked());
    let records = read_records(&bench.run).unwrap();
    assert_eq!(records.ended.len(), 2);
    assert!(records.open_jobs().is_empty());
}

#[tokio::test]
async fn a_timeout_ends_the_whole_tree() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let script = "trap '' TERM; setsid bash -c 'trap \"\" TERM; echo $$ > far; sleep 1000 & wait; sleep 1000' &
        env -i setsid sleep 1001 & echo $! > bare
        while true; do sleep 1000; done";
    let mut spec = job(&bench, "t", &[script, "echo never"]);
    spec.processes[0].timeout_ms = Some(600);
    spec.grace_ms = 300;
    let start = Instant::now();
    let end = control.run(spec).await;
    assert_eq!(exits(&end), [ProcessExit::TimedOut]);
    assert!(start.elapsed() >= Duration::from_millis(900));
    assert!(start.elapsed() < Duration::from_secs(8));
    assert!(end.left_behind >= 1, "{end:?}");
    assert!(!alive(&bench.appears("far").await));
    assert!(!alive(&bench.appears("bare").await));
    let mut whole = job(&bench, "w", &["true", "sleep 1000"]);
    whole.timeout_ms = Some(200);
    let end = control.run(whole).await;
    assert_eq!(exits(&end), [exited(0), ProcessExit::TimedOut]);
    control.leave().await;
}

#[tokio::test]
async fn a_kill_is_not_a_failure_of_its_own() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let spec = job(
        &bench,
        "k",
        &[
            "trap 'exit 0' TERM; echo $$ > up; sleep 1000 & wait",
            "true",
        ],
    );
    control.client.start(spec).await.unwrap();
    bench.appears("up").await;
    control.client.kill("k", None).await.unwrap();
    let end = control.end().await;
    assert_eq!(exits(&end), [ProcessExit::Killed]);
    assert!(!end.accepted);
    control.client.kill("k", None).await.unwrap();
    assert_eq!(control.refusal().await, Refusal::NotRunning);
    // A second order shortens the grace of the first.
    let spec = job(
        &bench,
        "h",
        &["trap '' TERM; echo $$ > hard; while true; do sleep 1000; done"],
    );
    control.client.start(spec).await.unwrap();
    bench.appears("hard").await;
    control.client.kill_all(Some(60_000)).await.unwrap();
    control.client.kill("h", Some(0)).await.unwrap();
    assert_eq!(exits(&control.end().await), [ProcessExit::Killed]);
    control.leave().await;
}

#[tokio::test]
async fn a_lost_controller_leaves_the_job_to_its_end() {
    let bench = Bench::new("abc-1");
    let control = bench.start().await;
    let script = "echo $$ > up; while [ ! -e go ]; do sleep 0.02; done; echo done";
    control
        .client
        .start(job(&bench, "j", &[script, "echo second"]))
        .await
        .unwrap();
    let mut probe = job(&bench, "p", &["echo $$ > probe; sleep 1000"]);
    probe.durable = false;
    control.client.start(probe).await.unwrap();
    let probe = bench.appears("probe").await;
    bench.appears("up").await;
    drop(control);
    until(|| (!alive(&probe)).then_some(())).await;
    assert!(bench.locked());
    assert_eq!(look(&bench.run).await.unwrap().unwrap().1[0].job, "j");
    std::fs::write(bench.file("go"), "").unwrap();
    until(|| (!bench.locked()).then_some(())).await;
    let records = read_records(&bench.run).unwrap();
    assert!(records.end_of("j").unwrap().accepted);
    assert!(!records.was_accepted("p"));
    assert!(look(&bench.run).await.unwrap().is_none());
    // The next supervisor knows it, and the epoch goes on.
    let control = bench.start().await;
    assert_eq!(
        (control.arrival.epoch, control.arrival.finished.len()),
        (2, 1)
    );
    control.leave().await;
}

#[tokio::test]
async fn a_new_controller_hears_the_end_of_an_old_job() {
    let bench = Bench::new("abc-1");
    let control = bench.start().await;
    let script = "echo $$ > up; while [ ! -e go ]; do sleep 0.02; done";
    control
        .client
        .start(job(&bench, "j", &[script]))
        .await
        .unwrap();
    bench.appears("up").await;
    drop(control);
    let mut control = loop {
        // The old connection may not have been missed yet.
        match bench.attach(None, 7, false).await {
            Ok(control) => break control,
            Err(SupervisorError::Refused(Refusal::Controlled { .. })) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert!(!control.arrival.started);
    assert_eq!(control.arrival.epoch, 7);
    assert_eq!(control.arrival.running[0].job, "j");
    std::fs::write(bench.file("go"), "").unwrap();
    let end = control.end().await;
    assert!(end.accepted && end.epoch == 1);
    control.leave().await;
}

#[tokio::test]
async fn only_the_newest_epoch_is_listened_to() {
    let bench = Bench::new("abc-1");
    let mut old = bench.start().await;
    match bench.attach(None, 2, false).await.map(drop) {
        Err(SupervisorError::Refused(Refusal::Controlled { pid, epoch: 1 })) => {
            assert_eq!(pid, std::process::id());
        }
        other => panic!("{other:?}"),
    }
    match bench.attach(None, 1, true).await.map(drop) {
        Err(SupervisorError::Refused(Refusal::StaleEpoch { highest: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
    let mut new = bench.attach(None, 2, true).await.unwrap();
    old.client
        .start(job(&bench, "x", &["touch x"]))
        .await
        .unwrap();
    assert!(matches!(
        old.refusal().await,
        Refusal::Fenced { epoch: 2, .. }
    ));
    assert!(new.run(job(&bench, "y", &["true"])).await.accepted);
    assert!(!bench.file("x").exists());
    assert!(!read_records(&bench.run).unwrap().was_accepted("x"));
    drop(old);
    new.client.status().await.unwrap();
    assert!(matches!(new.next().await, Message::Status { epoch: 2, .. }));
    new.leave().await;
}

#[tokio::test]
async fn secrets_are_masked_everywhere_but_in_what_is_judged() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let mut spec = job(
        &bench,
        "m",
        &[
            "printf 'a hun'; sleep 0.1; echo 'ter2 b'; echo hunter2 >&2; sleep 0.15; exec no-hunter2",
        ],
    );
    spec.capture = 100;
    control.client.start(spec).await.unwrap();
    let mut shown = String::new();
    let end = loop {
        match control.next().await {
            Message::Line { text, .. } => shown += &text,
            Message::Ended(end) => break end,
            _ => {}
        }
    };
    assert_eq!(end.captured.as_ref().unwrap().bytes, b"a hunter2 b\n");
    let log = bench.log("m");
    assert!(
        log.contains("out| a *** b\n") && log.contains("err| ***\n"),
        "{log}"
    );
    let records = std::fs::read_to_string(bench.run.join("supervisor.jsonl")).unwrap();
    for text in [log, end.tail, shown, records] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    control.leave().await;
}

#[tokio::test]
async fn much_output_in_little_memory() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let pid = std::fs::read_to_string(format!("/proc/{}/task/{0}/children", std::process::id()));
    drop(pid);
    let end = control
        .run(job(
            &bench,
            "big",
            &["set +o pipefail; yes 'a line of output as it may be' | head -c 50000000; head -c 50000000 /dev/zero"],
        ))
        .await;
    assert!(end.accepted, "{end:?}");
    let log = bench.log_bytes("big");
    assert_eq!(end.log.bytes, log.len() as u64);
    let zeros = log.iter().filter(|b| **b == 0).count();
    assert_eq!(zeros, 50_000_000);
    // The supervisor reports its own peak when it is asked to: it is the parent of this process.
    let end = control.run(job(&bench, "peak", &[PEAK])).await;
    let peak: u64 = end.tail.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 16_000, "{peak} KiB");
    control.leave().await;
}

#[tokio::test]
async fn bytes_that_are_not_text() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let mut spec = job(&bench, "b", &[r"printf 'a\0b\xff\xfe\e[31mred\r\nx'"]);
    spec.capture = 8;
    let end = control.run(spec).await;
    let captured = end.captured.unwrap();
    assert_eq!(
        (captured.bytes.as_slice(), captured.truncated),
        (&b"a\0b\xff\xfe\x1b[3"[..], true)
    );
    let log = bench.log_bytes("b");
    let wanted = b"out| a\0b\xff\xfe\x1b[31mred\r\n";
    assert!(log.windows(wanted.len()).any(|w| w == wanted));
    assert!(
        bench
            .log("b")
            .contains("standard output ended without a newline")
    );
    assert!(!end.tail.contains('\x1b'));
    control.leave().await;
}

#[tokio::test]
async fn a_service_that_keeps_the_pipe_does_not_hold_the_job() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let script = "(while [ ! -e go ]; do sleep 0.02; done; echo late; sleep 1000) & echo $! > service; echo up";
    let start = Instant::now();
    let end = control.run(job(&bench, "d", &[script])).await;
    assert!(end.accepted && start.elapsed() < Duration::from_secs(3));
    assert!(end.left_behind >= 1);
    assert_eq!(end.tail, "up\n");
    let service = bench.appears("service").await;
    assert!(alive(&service));
    std::fs::write(bench.file("go"), "").unwrap();
    let late = bench.run.join("logs/d.late.log");
    until(|| {
        std::fs::read_to_string(&late)
            .ok()
            .filter(|t| t.contains("out| late\n"))
    })
    .await;
    assert_eq!(bench.log_bytes("d").len() as u64, end.log.bytes);
    // One that lets go of the pipes is counted as well.
    let end = control
        .run(job(
            &bench,
            "e",
            &["sleep 1000 > /dev/null 2>&1 & echo $! > quiet"],
        ))
        .await;
    assert!(end.accepted && end.left_behind == 1, "{end:?}");
    assert!(control.run(job(&bench, "f", &["true"])).await.left_behind == 0);
    control.leave().await;
    for pid in [service, bench.appears("quiet").await] {
        assert!(alive(&pid));
        std::process::Command::new("pkill")
            .args(["-P", pid.trim()])
            .status()
            .unwrap();
        std::process::Command::new("kill")
            .arg(pid.trim())
            .status()
            .unwrap();
    }
}

#[tokio::test]
async fn nothing_is_read_from_the_terminal() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let end = control
        .run(job(&bench, "i", &["read -r line || echo \"end of input: $?\"; ps -o sid= -p $$ | grep -vqx \" *$$\"; ls /proc/self/fd"]))
        .await;
    assert!(end.accepted);
    assert!(end.tail.starts_with("end of input: 1\n"));
    // 0, 1, 2 and the folder that `ls` itself reads: nothing of the supervisor, and nothing that its caller had open.
    let fds: Vec<&str> = end.tail.lines().skip(1).collect();
    assert_eq!(fds, ["0", "1", "2", "3"]);
    control.leave().await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    std::fs::write(bench.file("plain"), "echo hello").unwrap();
    std::fs::write(bench.file("nowhere"), "#!/no/such/interpreter\n").unwrap();
    std::fs::write(bench.file("text"), "echo hello").unwrap();
    for name in ["nowhere", "text"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bench.file(name), mode).unwrap();
    }
    let cases = [
        ("no-such-program", None, SpawnProblem::ProgramNotFound),
        ("./missing", None, SpawnProblem::ProgramNotFound),
        ("./plain", None, SpawnProblem::NotExecutable),
        ("./text", None, SpawnProblem::NotExecutable),
        ("./nowhere", None, SpawnProblem::ProgramNotFound),
        (
            "true",
            Some("/no/such/folder"),
            SpawnProblem::DirectoryNotFound,
        ),
    ];
    for (at, (program, dir, wanted)) in cases.into_iter().enumerate() {
        let mut spec = job(&bench, &format!("c{at}"), &["", "true"]);
        spec.processes[0].argv = vec![program.to_owned()];
        if let Some(dir) = dir {
            spec.processes[0].dir = dir.into();
        }
        let end = control.run(spec).await;
        match &exits(&end)[..] {
            [ProcessExit::SpawnFailed { kind, message }] => {
                assert_eq!(*kind, wanted, "{program}: {message}");
            }
            other => panic!("{program}: {other:?}"),
        }
    }
    control.leave().await;
}

#[tokio::test]
async fn a_run_folder_with_a_long_path() {
    let bench = Bench::new(&format!(
        "{}/{}/abc-1",
        "long".repeat(30),
        "deep".repeat(30)
    ));
    let mut control = bench.start().await;
    assert!(control.run(job(&bench, "j", &["true"])).await.accepted);
    control.leave().await;
}

#[tokio::test]
async fn jobs_side_by_side() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    for n in 0..50 {
        let spec = job(
            &bench,
            &format!("j{n}"),
            &["sleep 0.05; echo $ORCHESTRATE_RUN_ID-$ORCHESTRATE_JOB"],
        );
        control.client.start(spec).await.unwrap();
    }
    for _ in 0..50 {
        let end = control.end().await;
        assert!(end.accepted);
        assert_eq!(end.tail, format!("abc-1-{}\n", end.job));
    }
    control.leave().await;
    assert_eq!(read_records(&bench.run).unwrap().ended.len(), 50);
}

fn supervisor_pid(bench: &Bench) -> String {
    let run = bench.run.to_str().unwrap();
    let found = std::process::Command::new("pgrep")
        .args(["-f", run])
        .output()
        .unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn what_a_dead_supervisor_leaves_is_swept() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let service = "sleep 1000 > /dev/null 2>&1 & echo $! > service";
    assert!(control.run(job(&bench, "done", &[service])).await.accepted);
    let script = "trap '' TERM; setsid sleep 1000 & echo $! > far; echo $$ > up; while true; do sleep 1000; done";
    control
        .client
        .start(job(&bench, "open", &[script]))
        .await
        .unwrap();
    let (far, up) = (bench.appears("far").await, bench.appears("up").await);
    assert!(
        sweep(&bench.run, Duration::ZERO).is_err(),
        "the supervisor is alive"
    );
    let status = std::process::Command::new("kill")
        .args(["-9", &supervisor_pid(&bench)])
        .status();
    assert!(status.unwrap().success());
    loop {
        if matches!(control.next().await, Message::Disconnected) {
            break;
        }
    }
    let swept = sweep(&bench.run, Duration::from_millis(100)).unwrap();
    assert!(
        swept.remaining.is_empty() && swept.ended.len() >= 2,
        "{swept:?}"
    );
    assert!(swept.ended.iter().any(|s| s.job.as_deref() == Some("open")));
    assert!(!alive(&far) && !alive(&up));
    let service = bench.appears("service").await;
    assert!(
        alive(&service),
        "a service of a job that ended well is not touched"
    );
    std::process::Command::new("kill")
        .arg(service.trim())
        .status()
        .unwrap();
    let records = read_records(&bench.run).unwrap();
    assert_eq!(records.open_jobs()[0].job, "open");
    assert!(!bench.locked());
    // The run goes on under a new supervisor, in which the old name is not used twice.
    let mut control = bench.start().await;
    control
        .client
        .start(job(&bench, "open", &["true"]))
        .await
        .unwrap();
    assert_eq!(control.refusal().await, Refusal::Duplicate);
    control.leave().await;
}

#[tokio::test]
async fn a_supervisor_that_is_told_to_end_ends_its_jobs() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    control
        .client
        .start(job(&bench, "j", &["echo $$ > up; sleep 1000"]))
        .await
        .unwrap();
    bench.appears("up").await;
    let pid = supervisor_pid(&bench);
    for signal in ["-HUP", "-INT", "-QUIT"] {
        std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap();
    }
    std::process::Command::new("kill")
        .arg(&pid)
        .status()
        .unwrap();
    assert_eq!(exits(&control.end().await), [ProcessExit::Killed]);
    assert!(matches!(control.next().await, Message::Disconnected));
    assert!(!bench.locked());
    assert_eq!(read_records(&bench.run).unwrap().ended.len(), 1);
}

#[tokio::test]
async fn a_supervisor_that_cannot_start_says_why() {
    let bench = Bench::new("abc-1");
    std::fs::create_dir(bench.run.join("supervisor.jsonl")).unwrap();
    let lock = bench.lock();
    match bench.attach(Some(&lock), 0, false).await.map(drop) {
        Err(SupervisorError::NotStarted { what, .. }) => {
            assert!(what.contains("gave up"), "{what}")
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        bench.attach(None, 0, false).await.map(drop),
        Err(SupervisorError::NotServing)
    ));
}

#[tokio::test]
async fn a_log_that_cannot_be_written_does_not_stop_the_job() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    std::fs::create_dir_all(bench.run.join("logs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", bench.run.join("logs/j.log")).unwrap();
    let end = control
        .run(job(&bench, "j", &["echo hello; touch done"]))
        .await;
    assert!(end.accepted && bench.file("done").exists());
    assert!(end.log.error.unwrap().contains("No space left"));
    assert_eq!(end.tail, "hello\n");
    control.leave().await;
}

/// Not a test but a measurement, for a release build on a quiet machine:
/// `cargo test --release --test main -- --ignored --nocapture thousand_jobs`.
#[tokio::test]
#[ignore = "a measurement"]
async fn thousand_jobs() {
    use std::io::Write;

    const JOBS: u32 = 1000;
    let argv = ["--noprofile", "--norc", "-eo", "pipefail", "-c", "true"];
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let mut bare_log = std::fs::File::create(bench.file("bare")).unwrap();
    let mut ratios = Vec::new();
    for round in 0..5 {
        let start = Instant::now();
        for _ in 0..JOBS {
            bare_log.write_all(b"a line before\n").unwrap();
            bare_log.sync_data().unwrap();
            let output = std::process::Command::new("bash").args(argv).output();
            assert!(output.unwrap().status.success());
            bare_log.write_all(b"a line after\n").unwrap();
            bare_log.sync_data().unwrap();
        }
        let bare = start.elapsed();
        let start = Instant::now();
        for n in 0..JOBS {
            let spec = job(&bench, &format!("{round}-{n}"), &["true"]);
            assert!(control.run(spec).await.accepted);
        }
        let ours = start.elapsed();
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        println!(
            "bare {:?}, supervised {:?} a job: {ratio:.2}",
            bare / JOBS,
            ours / JOBS
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median {:.2}", ratios[2]);
    control.leave().await;
}

/// A measurement, as above: `cargo test --release --test main -- --ignored --nocapture gigabyte`.
#[tokio::test]
#[ignore = "a measurement"]
async fn gigabyte() {
    let bench = Bench::new("abc-1");
    let mut control = bench.start().await;
    let lines = "set +o pipefail; yes 'a line of output as it may well be in a real log of a step' | head -c 1000000000";
    for (name, script) in [
        ("lines", lines),
        ("one-line", "head -c 1000000000 /dev/zero"),
    ] {
        let end = control.run(job(&bench, name, &[script])).await;
        assert!(end.accepted);
        println!(
            "{name}: {} MB in {} ms",
            end.log.bytes / 1_000_000,
            end.duration_ms
        );
        std::fs::remove_file(bench.run.join(end.log.path)).unwrap();
    }
    let end = control.run(job(&bench, "peak", &[PEAK])).await;
    println!("{}", end.tail);
    control.leave().await;
}
