//! Reloading: on a change of files, on SIGHUP, on `POST /reload`; one at a time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    time::Instant,
};

use super::{maker::Maker, watch_files::Watch};
use crate::{
    admin::ReloadRequest,
    config::{Changed, Gateway},
    legacy::Backends,
    plan::PlanHandle,
    telemetry::metrics::Metrics,
};

/// Builds the next plan and puts it in the place of the live one. A plan with an error is not installed: the last
/// good one stays, and the diagnostics are logged and told to who asked.
pub struct Reloader {
    config: PathBuf,
    plan: PlanHandle,
    backends: Arc<Backends>,
    metrics: Arc<Metrics>,
    maker: Maker,
}

impl Reloader {
    /// A reloader of the settings in `config`, with the maker of the plan that is live.
    pub(super) fn new(
        config: &Path,
        plan: PlanHandle,
        backends: Arc<Backends>,
        metrics: Arc<Metrics>,
        maker: Maker,
    ) -> Self {
        Self { config: config.to_owned(), plan, backends, metrics, maker }
    }

    /// Reloads when told, until `stopped` says so.
    pub async fn run(self, mut asked: mpsc::Receiver<ReloadRequest>, mut stopped: watch::Receiver<bool>) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut files = self.watch();
        // What no installed plan was read after.
        let mut changed = Changed::nowhere();
        if files.is_some() {
            // What changed between the reading for the start and the watch.
            self.reload_changed(Changed::Anywhere, &mut changed).await;
        }
        loop {
            let (request, is_asked, has_changed) = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                request = asked.recv() => match request {
                    Some(request) => (Some(request), true, false),
                    None => return,
                },
                () = next_hangup(&mut hangup) => (None, true, false),
                () = next_change(&mut files) => (None, false, true),
            };
            if let (true, Some(watch)) = (has_changed, &files) {
                let (seen, is_moved) = watch.take();
                changed.and(if is_moved { Changed::Anywhere } else { seen });
                // A folder that was replaced is another one under the old name, so the watch begins again; before the
                // files are read, or a change in between would be missed.
                if is_moved {
                    files = self.watch();
                }
            }
            let watched = self.watched();
            // Who asks does so because something was not seen, so everything is looked at.
            let looked_at = if is_asked { Changed::Anywhere } else { changed.clone() };
            let result = self.reload(is_asked, looked_at).await;
            if result.is_ok() {
                changed = Changed::nowhere();
            } else if is_asked {
                changed = Changed::Anywhere;
            }
            if self.watched() != watched {
                files = self.watch();
                // Told in the log, as every reload that nobody waits for.
                self.reload_changed(Changed::Anywhere, &mut changed).await;
            }
            if let Some(request) = request {
                // Who asked may have gone; the reload stands all the same.
                let _ = request.send(result);
            }
        }
    }

    /// What the live plan wants watched, and for how long it must be quiet.
    fn watched(&self) -> Option<(PathBuf, Duration)> {
        let plan = self.plan.load();
        let settings = &plan.settings().gateway;
        settings.reload.watch.then(|| (settings.mappings.clone(), settings.reload.debounce))
    }

    fn watch(&self) -> Option<Watch> {
        let (mappings, debounce) = self.watched()?;
        Watch::start(&[self.config.clone(), mappings], debounce)
            .inspect_err(|error| tracing::warn!(%error, "files are not watched; use SIGHUP or POST /reload"))
            .ok()
    }

    /// Reloads where nobody waits for it; where that fails, what was to be looked at is still to be.
    async fn reload_changed(&self, looked_at: Changed, changed: &mut Changed) {
        *changed = match self.reload(false, looked_at.clone()).await {
            Ok(_) => Changed::nowhere(),
            Err(_) => looked_at,
        };
    }

    /// Builds and installs; `Ok` the generation that is live now, `Err` the diagnostics.
    async fn reload(&self, asked: bool, changed: Changed) -> Result<u64, String> {
        let begun = Instant::now();
        let before = self.plan.load();
        // Compiling takes milliseconds of pure computation: off the threads that serve.
        let built = self.maker.make(&self.config, &before, changed).await?;
        let diagnostics = built.diagnostics.render_text(&built.sources);
        let Some(plan) = built.plan else {
            self.metrics.reload(false);
            tracing::error!(
                generation = before.generation(),
                diagnostics,
                "not reloaded: the last good plan stays"
            );
            return Err(diagnostics);
        };
        // A secret may have changed behind its reference: who asks for a reload gets one.
        if plan.hash() == before.hash() && !asked {
            return Ok(before.generation());
        }
        if let Err(reason) = super::running::prepare(&plan, &self.backends) {
            self.metrics.reload(false);
            tracing::error!(reason, "not reloaded: the last good plan stays");
            return Err(reason);
        }
        let generation = plan.generation();
        self.metrics.plan(generation, plan.hash());
        self.metrics.reload(true);
        let hash = plan.hash().to_owned();
        let later = needs_restart(&before.settings().gateway, &plan.settings().gateway);
        self.plan.install(plan);
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(generation, hash, took_us, diagnostics, "reloaded");
        if !later.is_empty() {
            tracing::warn!(settings = later.join(", "), "changed, but takes effect at the next start only");
        }
        self.maker.retire(before);
        Ok(generation)
    }
}

/// What is set up once and stays as it was started.
fn needs_restart(before: &Gateway, after: &Gateway) -> Vec<&'static str> {
    let addresses = |gateway: &Gateway| {
        let listeners = &gateway.listeners;
        [listeners.sonata.address, listeners.admin.address, listeners.internal.address]
    };
    let of_listeners = |gateway: &Gateway| {
        let limits = &gateway.limits;
        let counts = (limits.in_flight_max, limits.connections_max, limits.header_bytes_max);
        (counts, limits.header_read_max, limits.answer_write_max, limits.drain_max)
    };
    let rows = [
        ("listeners", addresses(before) != addresses(after)),
        ("limits of listeners", of_listeners(before) != of_listeners(after)),
        ("store", before.store != after.store),
        ("telemetry", before.telemetry != after.telemetry),
        ("demonstration", before.demonstration != after.demonstration),
    ];
    rows.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

async fn next_hangup(hangup: &mut Option<Signal>) {
    match hangup {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

async fn next_change(files: &mut Option<Watch>) {
    if let Some(watch) = files
        && watch.changed().await
    {
        return;
    }
    // Nothing is watched, or the watch has ended.
    std::future::pending::<()>().await;
}
