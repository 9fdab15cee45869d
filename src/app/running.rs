//! The running gateway: what is started in which order, and how it ends.
//!
//! Start: store, backends, listeners, then the admin port last, so that nobody is told "ready" too early. Drain is
//! the way back: the Sonata listener stops accepting and finishes what is in flight, exchanges whose callers are
//! gone come to their end, then the admin port goes, then the store closes.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use hyper_util::service::TowerToHyperService;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Reloader, attention, deliver::Deliveries, events, forget, internal::Internal, maker::Maker, record,
    subscriptions, watches, work_list, workers, works,
};
use crate::{
    admin::{self, Admin, Readiness, ReadinessProbe},
    config::{self, Demonstration, Limits},
    exchange::{
        Gateway,
        ports::{Clock, Ids, LegacyPort, Ports},
        stack::{self, Unfinished},
        tape::Recorder,
    },
    legacy::{BackendState, Backends, ClientIdentity, Tls},
    plan::{Plan, PlanHandle},
    server::{self, Drained, Listener},
    simulate,
    store::{self, Store},
    telemetry::metrics::Metrics,
};

/// Reloads that may wait; one more asked for on the admin port is told to come back.
const RELOADS_WAITING_MAX: usize = 4;

/// Time that requests on the admin port get after everything else has ended, in milliseconds.
const ADMIN_DRAIN_MS_MAX: u64 = 1000;

/// Time that the store gets to show that it can acknowledge, in milliseconds.
const STORE_PROBE_MS_MAX: u64 = 2000;

/// A gateway that serves.
pub struct Running {
    sonata: SocketAddr,
    admin: SocketAddr,
    internal: Internal,
    store: Store,
    drain_max: Duration,
    stop: watch::Sender<bool>,
    partners: JoinHandle<Drained>,
    unfinished: Unfinished,
    admin_stop: oneshot::Sender<()>,
    admin_served: JoinHandle<Drained>,
    helpers: Vec<JoinHandle<()>>,
    simulator: Option<simulate::bss::Running>,
}

impl Running {
    /// Starts to serve a plan that was read from `config`; its maker makes those after it.
    pub(super) async fn start(config: &Path, plan: Plan, maker: Maker) -> anyhow::Result<Self> {
        let settings = plan.settings().gateway.clone();
        let metrics = Arc::new(Metrics::with_partner_series_max(settings.telemetry.partner_series_max)?);
        let store = open_store(&settings.store, &metrics).await?;
        let backends = Arc::new(Backends::new(Arc::clone(&metrics)));
        prepare(&plan, &backends).map_err(anyhow::Error::msg)?;
        metrics.plan(plan.generation(), plan.hash());
        let handle = PlanHandle::new(plan);

        let (stop, stopped) = watch::channel(false);
        let simulator = start_simulator(&settings.demonstration).await?;
        let gateway = gateway(handle.clone(), store.clone(), Arc::clone(&backends), Arc::clone(&metrics));
        let (sonata, admin_listener) = bound(&settings.listeners).await?;
        let sonata = sonata.counted(Arc::clone(&metrics));
        let (asked, requests) = mpsc::channel(RELOADS_WAITING_MAX);
        let reloader =
            Reloader::new(config, handle.clone(), Arc::clone(&backends), Arc::clone(&metrics), maker);
        let mut helpers = helpers(&gateway, &stopped);
        helpers.extend(works::start(&gateway, &stopped));
        helpers.push(tokio::spawn(reloader.run(requests, stopped.clone())));

        let (sonata_address, admin_address) = (sonata.address(), admin_listener.address());
        let limits = listener_limits(&settings.limits);
        let internal = Internal::start(&gateway, limits, stopped.clone()).await?;
        let heard = internal.address.map(|address| address.to_string());
        tracing::info!(sonata = %sonata_address, admin = %admin_address, internal = heard, "serving");
        let in_flight_max = settings.limits.in_flight_max;
        let asked_of = Arc::clone(&gateway);
        let (service, unfinished) = stack::sonata(gateway, in_flight_max);
        let readiness = probe(handle.clone(), store.clone(), backends, stopped.clone());
        let records = record::records(handle.clone(), Arc::clone(&asked_of.recorder), stopped.clone());
        let partners = tokio::spawn(server::serve(sonata, service, told(stopped), limits));
        let admin = Admin {
            plan: handle,
            metrics,
            readiness,
            reload: asked,
            config: config.to_owned(),
            workbench: Arc::new(tokio::sync::Semaphore::new(admin::WORKBENCH_AT_ONCE_MAX)),
            records,
            events: events::events(Arc::clone(&asked_of)),
            work: work_list::work_list(Arc::clone(&asked_of)),
            attention: attention::attention(asked_of),
        };
        let admin = TowerToHyperService::new(admin::service(admin));
        // The admin port outlives the drain, so that the drain can be watched.
        let (admin_stop, admin_stopped) = oneshot::channel::<()>();
        let admin_served = tokio::spawn(server::serve(
            admin_listener,
            admin,
            async { drop(admin_stopped.await) },
            server::Limits { drain_ms_max: ADMIN_DRAIN_MS_MAX, ..limits },
        ));
        Ok(Self {
            sonata: sonata_address,
            admin: admin_address,
            internal,
            store,
            drain_max: settings.limits.drain_max,
            stop,
            partners,
            unfinished,
            admin_stop,
            admin_served,
            helpers,
            simulator,
        })
    }

    /// Where partners call, with the real port.
    #[must_use]
    pub fn sonata_address(&self) -> SocketAddr {
        self.sonata
    }

    /// Where operators ask, with the real port.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Where our own legacy systems call, with the real port; none where nobody was to be heard at the start.
    #[must_use]
    pub fn internal_address(&self) -> Option<SocketAddr> {
        self.internal.address
    }

    /// What outlives requests.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops accepting, finishes what is in flight within `drain_ms_max`, and closes everything. Returns the
    /// number of connections that were cut off.
    ///
    /// # Errors
    /// A part of the gateway panicked.
    pub async fn stop(self) -> anyhow::Result<usize> {
        let drained_by = Instant::now() + self.drain_max;
        self.stop.send_replace(true);
        let drained = self.partners.await.context("the Sonata listener")?;
        let untold = self.internal.stopped().await?;
        let ended = async { tokio::join!(self.unfinished.done(), untold.done()) };
        if timeout_at(drained_by, ended).await.is_err() {
            tracing::error!("exchanges were still at work when the time to drain was over; see the journal");
        }
        drop(self.admin_stop);
        self.admin_served.await.context("the admin listener")?;
        for helper in self.helpers {
            helper.await.context("a helper")?;
        }
        drop(self.simulator);
        self.store.flush().await;
        Ok(drained.cut)
    }
}

/// The listeners of partners and of operators.
async fn bound(listeners: &config::Listeners) -> anyhow::Result<(Listener, Listener)> {
    let sonata = Listener::bind(listeners.sonata.address).await.context("the Sonata listener")?;
    let admin = Listener::bind(listeners.admin.address).await.context("the admin listener")?;
    Ok((sonata, admin))
}

fn gateway(plan: PlanHandle, store: Store, backends: Arc<Backends>, metrics: Arc<Metrics>) -> Arc<Gateway> {
    let legacy: Arc<dyn LegacyPort> = backends;
    let ports = Ports { clock: Clock::System, ids: Ids::Random };
    Arc::new(Gateway { plan, store, legacy, metrics, ports, recorder: Arc::new(Recorder::default()) })
}

/// What works beside the exchanges until `stopped` says so.
fn helpers(gateway: &Arc<Gateway>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let deliveries = Arc::new(Deliveries::new(Arc::clone(gateway)));
    let handlers: [Arc<dyn workers::Handler>; 1] = [Arc::clone(&deliveries) as _];
    let works = handlers.into_iter().map(|handler| {
        let (store, clock) = (gateway.store.clone(), gateway.ports.clock.clone());
        tokio::spawn(workers::run(store, clock, handler, stopped.clone()))
    });
    let mut helpers: Vec<JoinHandle<()>> = works.collect();
    helpers.push(tokio::spawn(deliveries.watch(stopped.clone())));
    helpers.push(tokio::spawn(forget::run(Arc::clone(gateway), stopped.clone())));
    helpers.push(tokio::spawn(attention::run(Arc::clone(gateway), stopped.clone())));
    helpers.push(tokio::spawn(watches::run(Arc::clone(gateway), stopped.clone())));
    helpers.push(tokio::spawn(subscriptions::run(Arc::clone(gateway), stopped.clone())));
    helpers
}

async fn open_store(settings: &config::Store, metrics: &Arc<Metrics>) -> anyhow::Result<Store> {
    let metrics = Some(Arc::clone(metrics));
    match settings {
        config::Store::Embedded(path) => Store::open(path, store::Limits::default(), metrics)
            .with_context(|| format!("cannot open the store {}", path.display())),
        config::Store::Postgres(postgres) => {
            let config::Postgres { url, connections_max, queue_max, connect_max, statement_max, .. } =
                postgres;
            let trust = |tls: &config::Tls| {
                let client = tls.client.as_ref();
                let client = client
                    .map(|client| ClientIdentity { certificate: &client.certificate, key: &client.key });
                Tls::new(tls.ca.as_deref(), client)
            };
            let tls = postgres.tls.as_ref().map(trust).transpose();
            let settings = store::PostgresSettings {
                url: url.clone(),
                tls: tls.context("TLS to the store")?.map(|tls| Arc::new(tls.config())),
                connections_max: *connections_max,
                queue_max: *queue_max,
                connect_max: *connect_max,
                statement_max: *statement_max,
            };
            Store::postgres(&settings, metrics).await.context("cannot open the store")
        }
    }
}

/// Builds the clients of all backends, so that what cannot work shows before it is needed, and forgets those that
/// the plan does not name.
pub(super) fn prepare(plan: &Plan, backends: &Backends) -> Result<(), String> {
    for backend in plan.backends() {
        backends.prepare(backend).map_err(|reason| format!("backend `{}`: {reason}", backend.id))?;
    }
    for endpoint in plan.endpoints() {
        backends.prepare(endpoint).map_err(|reason| format!("endpoint `{}`: {reason}", endpoint.id))?;
    }
    let all = plan.backends().chain(plan.endpoints());
    backends.retain(&all.map(|backend| backend.id.clone()).collect());
    Ok(())
}

fn shown(state: BackendState) -> String {
    match state {
        BackendState::Up => "up".to_owned(),
        BackendState::Failing(kind) => format!("failing: {}", kind.as_str()),
        BackendState::Down => "down".to_owned(),
    }
}

fn probe(
    plan: PlanHandle,
    store: Store,
    backends: Arc<Backends>,
    stopped: watch::Receiver<bool>,
) -> ReadinessProbe {
    Arc::new(move || {
        let (plan, store, backends) = (plan.load(), store.clone(), Arc::clone(&backends));
        let is_accepting = !*stopped.borrow();
        Box::pin(async move {
            let probed = timeout(Duration::from_millis(STORE_PROBE_MS_MAX), store.probe()).await;
            let store = probed.map_err(|_| "the store does not answer".to_owned());
            let store = store.and_then(|probed| probed.map_err(|error| error.to_string()));
            let states = plan
                .backends()
                .map(|backend| async { (backend.id.to_string(), shown(backends.state(backend).await)) });
            let backends = futures_util::future::join_all(states).await;
            Readiness { store, is_accepting, backends }
        })
    })
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
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
            match simulate::bss::start(address, settings).await {
                Ok(running) => {
                    tracing::info!(bss = %running.local_addr, "playing the legacy system of the demonstration");
                    Ok(Some(running))
                }
                Err(_) if simulate::bss::plays_at(address).await => {
                    tracing::info!(bss = %address, "somebody plays the legacy system of the demonstration already");
                    Ok(None)
                }
                Err(error) => Err(error).context("the simulated BSS"),
            }
        }
    }
}
