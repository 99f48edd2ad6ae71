//! Processes through the supervisor: who waits for which job's end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::oneshot;

use crate::run::perform::Jobs;
use crate::run::supervise::{JobEnd, JobSpec, SupervisorClient};

/// Why nothing is known of a job.
pub(super) const GONE: &str = "the supervisor ended before the process did";

type Ends = HashMap<String, oneshot::Sender<Result<JobEnd, String>>>;

/// The supervisor of this run, and the jobs whose ends somebody waits for.
#[derive(Debug, Clone)]
pub(super) struct Supervised {
    client: Rc<SupervisorClient>,
    ends: Rc<RefCell<Ends>>,
}

impl Supervised {
    pub(super) fn new(client: SupervisorClient) -> Self {
        Self {
            client: Rc::new(client),
            ends: Rc::default(),
        }
    }

    pub(super) fn client(&self) -> &SupervisorClient {
        &self.client
    }

    /// Waits for a job that was started before.
    pub(super) async fn end_of(&self, job: &str) -> Result<JobEnd, String> {
        let (sender, receiver) = oneshot::channel();
        self.ends.borrow_mut().insert(job.to_owned(), sender);
        receiver.await.unwrap_or_else(|_| Err(GONE.to_owned()))
    }

    pub(super) fn ended(&self, end: JobEnd) {
        if let Some(sender) = self.ends.borrow_mut().remove(&end.job) {
            // Whoever waited may have gone; the end is in the supervisor's records all the same.
            let _ = sender.send(Ok(end));
        }
    }

    pub(super) fn refused(&self, job: &str, why: String) {
        if let Some(sender) = self.ends.borrow_mut().remove(job) {
            let _ = sender.send(Err(why));
        }
    }

    /// The supervisor is gone: nobody will hear of these jobs any more.
    pub(super) fn lost(&self) {
        for (_, sender) in self.ends.borrow_mut().drain() {
            let _ = sender.send(Err(GONE.to_owned()));
        }
    }
}

impl Jobs for Supervised {
    async fn run(&self, job: JobSpec) -> Result<JobEnd, String> {
        let (sender, receiver) = oneshot::channel();
        self.ends.borrow_mut().insert(job.job.clone(), sender);
        let name = job.job.clone();
        if let Err(error) = self.client.start(job).await {
            self.ends.borrow_mut().remove(&name);
            return Err(format!("{GONE}: {error}"));
        }
        receiver.await.unwrap_or_else(|_| Err(GONE.to_owned()))
    }
}
