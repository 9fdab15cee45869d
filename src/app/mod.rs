//! Wires the rooms: the order of start, of reload and of drain.
//!
//! [`serve`] is the program: one per process, with its log, its panic hook and its signals. [`start`] is what it
//! serves, and touches nothing that a process has only once, so that a test runs as many as it likes.

use std::path::Path;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    config::{Gateway as GatewaySettings, LogFormat, LogLevel},
    plan::Plan,
    telemetry::log,
};

mod attention;
mod deliver;
mod events;
mod forget;
mod internal;
mod maker;
mod record;
mod reload;
mod running;
mod subscriptions;
mod walk;
mod watch_files;
mod watches;
mod work_list;
pub mod workers;
mod works;

use maker::Maker;
pub use reload::Reloader;
pub use running::Running;

/// Serves until a signal asks to stop, then drains.
///
/// # Errors
/// What keeps it from starting, with the place to mend; nothing is served then.
pub async fn serve(config: &Path) -> anyhow::Result<()> {
    let mut termination = Termination::expect()?;
    let maker = Maker::start().context("the thread of plans")?;
    let plan = load(config, &maker).await?;
    install_log(&plan.settings().gateway)?;
    log_panics();
    // The first provider stays; there is no other in this program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let running = Running::start(config, plan, maker).await?;
    termination.told().await;
    tracing::info!("stopping: finishing what is in flight");
    let cut = running.stop().await?;
    tracing::info!(cut, "stopped");
    Ok(())
}

/// Starts everything that the configuration names and returns once it serves.
///
/// # Errors
/// As [`serve`].
pub async fn start(config: &Path) -> anyhow::Result<Running> {
    let maker = Maker::start().context("the thread of plans")?;
    let plan = load(config, &maker).await?;
    Running::start(config, plan, maker).await
}

/// The plan of the configuration; what is to be said of it is printed, all at once.
async fn load(config: &Path, maker: &Maker) -> anyhow::Result<Plan> {
    let built = maker.begin(config).await.map_err(anyhow::Error::msg)?;
    let diagnostics = built.diagnostics.render_text(&built.sources);
    let Some(plan) = built.plan else {
        anyhow::bail!("cannot start on {}:\n{diagnostics}", config.display());
    };
    if !diagnostics.is_empty() {
        crate::cli::output::complain(&diagnostics);
    }
    Ok(plan)
}

fn install_log(settings: &GatewaySettings) -> anyhow::Result<()> {
    let level = match settings.telemetry.log_level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    match settings.telemetry.log_format {
        LogFormat::Json => log::install(level),
        LogFormat::Text => log::install_text(level),
    }
    .context("the log")
}

/// A panic is a line of the log like any other failure, with the place in our source: the guard around exchanges
/// sees only its text.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = info.payload_as_str().unwrap_or("no text");
        tracing::error!(place, panic = text, "panicked");
    }));
}

/// SIGTERM and SIGINT, caught from the first moment: one that comes while we start is not lost.
struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    fn expect() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
