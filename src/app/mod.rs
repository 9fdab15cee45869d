//! Wires the rooms: the order of start, of reload and of drain.
//!
//! Start: settings and plan (every finding is printed, any error ends the start), log, store, backends, listeners,
//! then the admin port last, so that nobody is told "ready" too early. Drain is the way back: the Sonata listener
//! stops accepting and finishes what is in flight, then the admin port goes, then the store closes.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    admin::{self, Admin},
    config::{Demonstration, Gateway as GatewaySettings, Limits, LogFormat, LogLevel},
    exchange::{
        Gateway,
        ports::{Clock, Ids, LegacyPort, Ports},
        stack,
    },
    legacy::Backends,
    plan::{self, Plan, PlanHandle},
    server::{self, Listener},
    simulate,
    store::{self, Store},
    telemetry::{log, metrics::Metrics},
};

mod reload;
mod watch_files;

pub use reload::Reloader;

/// Reloads that may wait; one more asked for on the admin port is told to come back.
const RELOADS_WAITING_MAX: usize = 4;

/// Serves until a signal asks to stop, then drains.
///
/// # Errors
/// What keeps it from starting, with the place to mend; nothing is served then.
pub async fn serve(config: &Path) -> anyhow::Result<()> {
    let built = plan::load(config, None);
    let diagnostics = built.diagnostics.render_text(&built.sources);
    let Some(plan) = built.plan else {
        anyhow::bail!("cannot start on {}:\n{diagnostics}", config.display());
    };
    if !diagnostics.is_empty() {
        crate::cli::output::complain(&diagnostics);
    }
    let settings = plan.settings().gateway.clone();
    install_log(&settings)?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
    let metrics = Arc::new(Metrics::with_partner_series_max(settings.telemetry.partner_series_max)?);
    let crate::config::Store::Embedded(path) = &settings.store;
    let store = Store::open(path, store::Limits::default(), Some(Arc::clone(&metrics)))
        .with_context(|| format!("cannot open the store {}", path.display()))?;
    let backends = Arc::new(Backends::new(Arc::clone(&metrics)));
    prepare(&plan, &backends).map_err(anyhow::Error::msg)?;
    metrics.plan(plan.generation(), plan.hash());
    let handle = PlanHandle::new(plan);

    let (stop, stopped) = watch::channel(false);
    let simulator = start_simulator(&settings.demonstration).await?;
    let gateway = Arc::new(Gateway {
        plan: handle.clone(),
        store: store.clone(),
        legacy: Arc::clone(&backends) as Arc<dyn LegacyPort>,
        metrics: Arc::clone(&metrics),
        ports: Ports { clock: Clock::System, ids: Ids::Random },
    });
    let sonata = Listener::bind(settings.listeners.sonata.address).await.context("the Sonata listener")?;
    let admin_listener =
        Listener::bind(settings.listeners.admin.address).await.context("the admin listener")?;
    let (asked, requests) = mpsc::channel(RELOADS_WAITING_MAX);
    let reloader = Reloader::new(config, handle.clone(), backends, Arc::clone(&metrics));
    let reloads = tokio::spawn(reloader.run(requests, stopped.clone()));

    tracing::info!(sonata = %sonata.address(), admin = %admin_listener.address(), "serving");
    let limits = listener_limits(&settings.limits);
    let service = stack::sonata(gateway, settings.limits.in_flight_max);
    let admin = admin::service(Admin { plan: handle, metrics, reload: asked });
    let partners = tokio::spawn(server::serve(sonata, service, told(stopped.clone()), limits));
    // The admin port outlives the drain, so that the drain can be watched.
    let (admin_stop, admin_stopped) = oneshot::channel::<()>();
    let admin = tokio::spawn(server::serve(
        admin_listener,
        admin,
        async { drop(admin_stopped.await) },
        server::Limits { drain_ms_max: 1000, ..limits },
    ));

    termination().await?;
    tracing::info!("stopping: finishing what is in flight");
    stop.send_replace(true);
    let drained = partners.await.context("the Sonata listener")?;
    drop(admin_stop);
    admin.await.context("the admin listener")?;
    reloads.await.context("the reloader")?;
    drop(simulator);
    store.flush().await;
    tracing::info!(cut = drained.cut, "stopped");
    Ok(())
}

/// Builds the clients of all backends, so that what cannot work shows before it is needed, and forgets those that
/// the plan does not name.
fn prepare(plan: &Plan, backends: &Backends) -> Result<(), String> {
    for backend in plan.backends() {
        backends.prepare(backend).map_err(|reason| format!("backend `{}`: {reason}", backend.id))?;
    }
    backends.retain(&plan.backends().map(|backend| backend.id.clone()).collect());
    Ok(())
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
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

fn listener_limits(limits: &Limits) -> server::Limits {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    server::Limits {
        connections_max: u32::try_from(limits.connections_max).unwrap_or(u32::MAX),
        header_read_ms_max: ms(limits.header_read_max),
        answer_write_ms_max: ms(limits.answer_write_max),
        header_bytes_max: limits.header_bytes_max,
        drain_ms_max: ms(limits.drain_max),
        ..server::Limits::default()
    }
}

async fn start_simulator(demonstration: &Demonstration) -> anyhow::Result<Option<simulate::bss::Running>> {
    match demonstration.bss {
        None => Ok(None),
        Some(address) => {
            let today = Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date();
            let settings = simulate::bss::Settings::on(today);
            let running = simulate::bss::start(address, settings).await.context("the simulated BSS")?;
            tracing::info!(bss = %running.local_addr, "playing the legacy system of the demonstration");
            Ok(Some(running))
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn termination() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
