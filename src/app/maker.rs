//! The thread that makes plans and takes them apart.
//!
//! One thread for all of them, the first plan too, and neither one of those that serve nor another one each time: most of a
//! plan is what the plan before had, so what the next one lets go of is what it needs again, and the allocator finds it where
//! it was. What one thread took and another gives back the allocator keeps for the first until that takes something again: a
//! main thread that made the first plan and then only waits would keep all of it, partner by partner. And an exchange that is
//! the last to have a plan does not pay for its end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    config::Changed,
    plan::{self, Built, Plan},
};

/// Readings of files that must come to rest before a reload gives up until the next change.
const READINGS_MAX: usize = 5;

/// How often it is looked whether plans that were replaced are still in use, in milliseconds.
const RETIRED_LOOK_MS: u64 = 50;

/// Makes plans; dropping it ends the thread.
pub struct Maker(Sender<Job>);

enum Job {
    Begin { config: PathBuf, done: oneshot::Sender<Built> },
    Make { config: PathBuf, previous: Arc<Plan>, changed: Changed, done: oneshot::Sender<Built> },
    Retire(Arc<Plan>),
}

impl Maker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system has no thread left.
    pub fn start() -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel();
        thread::Builder::new().name("plans".to_owned()).spawn(move || run(&jobs))?;
        Ok(Self(sender))
    }

    /// The first plan.
    ///
    /// # Errors
    /// Making it failed in a way that nobody thought of.
    pub async fn begin(&self, config: &Path) -> Result<Built, String> {
        self.made(|done| Job::Begin { config: config.to_owned(), done }).await
    }

    /// The plan after `previous`, where it is known what changed since that was read.
    ///
    /// # Errors
    /// Making it failed in a way that nobody thought of.
    pub async fn make(&self, config: &Path, previous: &Arc<Plan>, changed: Changed) -> Result<Built, String> {
        let (config, previous) = (config.to_owned(), Arc::clone(previous));
        self.made(|done| Job::Make { config, previous, changed, done }).await
    }

    async fn made(&self, job: impl FnOnce(oneshot::Sender<Built>) -> Job) -> Result<Built, String> {
        let (done, built) = oneshot::channel();
        let failed = || "the plan could not be made".to_owned();
        self.0.send(job(done)).map_err(|_| failed())?;
        built.await.map_err(|_| failed())
    }

    /// Takes a plan that was replaced, to end it when nobody uses it any more.
    pub fn retire(&self, plan: Arc<Plan>) {
        // Without the thread it ends here.
        let _ = self.0.send(Job::Retire(plan));
    }
}

fn run(jobs: &Receiver<Job>) {
    let mut retired: Vec<Arc<Plan>> = Vec::new();
    loop {
        let next = if retired.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(Duration::from_millis(RETIRED_LOOK_MS))
        };
        match next {
            Ok(Job::Begin { config, done }) => answer(done, || plan::load(&config, None)),
            Ok(Job::Make { config, previous, changed, done }) => {
                answer(done, || settled(&config, &previous, &changed));
            }
            Ok(Job::Retire(plan)) => retired.push(plan),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        for plan in retired.extract_if(.., |plan| Arc::strong_count(plan) == 1) {
            plan.end();
        }
    }
}

fn answer(done: oneshot::Sender<Built>, make: impl FnOnce() -> Built) {
    // Without an answer who waits hears that it failed; the panic itself was logged.
    if let Ok(built) = catch_unwind(AssertUnwindSafe(make)) {
        // Who asked may have gone.
        let _ = done.send(built);
    }
}

/// Reads until the files are what was read, so that a file written in two steps is never taken in the middle.
fn settled(config: &Path, previous: &Plan, changed: &Changed) -> Built {
    let mut built = plan::load_changed(config, previous, changed);
    for _ in 1..READINGS_MAX {
        if built.plan.as_ref().is_none_or(|plan| plan.is_settled(config)) {
            break;
        }
        built = plan::load(config, Some(previous));
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan is let go of by the thread, and only once nobody else has it.
    #[tokio::test]
    async fn a_plan_that_was_replaced_lives_as_long_as_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        for (path, text) in [
            ("config/segue.yaml", "reload: { watch: false }\nmappings: ../mappings\n"),
            ("config/backends/acme.yaml", "backend: acme\nbase_url: \"https://bss.example\"\n"),
            (
                "config/partners/globex.yaml",
                "partner: globex\nidentify: { loopback: true }\nside: seller\nrelease: grace\nmapping: tiny\n\
                 routes: [ { backend: acme } ]\n",
            ),
            ("mappings/tiny/set.yaml", "language: 1\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let maker = Maker::start().unwrap();
        let first = maker.begin(&config).await.unwrap();
        let first = Arc::new(
            first.plan.unwrap_or_else(|| panic!("{}", first.diagnostics.render_text(&first.sources))),
        );
        let next = maker.make(&config, &first, Changed::Anywhere).await.unwrap();
        assert_eq!(next.plan.unwrap().generation(), 2);
        let (used, seen) = (Arc::clone(&first), Arc::downgrade(&first));
        maker.retire(first);
        // A job behind it is done after it was taken.
        drop(maker.make(&config, &used, Changed::nowhere()).await.unwrap());
        assert!(seen.upgrade().is_some());
        drop(used);
        tokio::time::timeout(Duration::from_mins(1), async {
            while seen.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }
}
