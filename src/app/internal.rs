//! The internal listener, for our own legacy systems. It opens where somebody is heard there: where the configuration names
//! its address, or a mapping receives something, from the reload on that brings the first.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    config,
    exchange::{
        Gateway,
        stack::{self, Unfinished},
    },
    plan::Plan,
    server::{self, Listener},
};

/// How often is looked whether something is received by now, in milliseconds.
const LOOK_MS: u64 = 500;

/// The listener, open or not.
pub struct Internal {
    /// Where it listened from the start, with the real port; none where nobody was to be heard then.
    pub address: Option<SocketAddr>,
    served: JoinHandle<()>,
    unfinished: Unfinished,
}

impl Internal {
    /// Opens it, or waits until somebody is to be heard.
    ///
    /// # Errors
    /// Those of binding to its address, where somebody is.
    pub async fn start(
        gateway: &Arc<Gateway>,
        limits: server::Limits,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let plan = gateway.plan.load();
        let settings = &plan.settings().gateway;
        let at = settings.listeners.internal.address;
        let listener = if is_needed(&plan, &settings.listeners) {
            Some(Listener::bind(at).await.context("the internal listener")?)
        } else {
            None
        };
        let address = listener.as_ref().map(Listener::address);
        let (service, unfinished) = stack::internal(Arc::clone(gateway), settings.limits.in_flight_max);
        let gateway = Arc::clone(gateway);
        let served = tokio::spawn(async move {
            let listener = match listener {
                Some(listener) => Some(listener),
                None => opened(&gateway, stopped.clone()).await,
            };
            let Some(listener) = listener else { return };
            let mut stopped = stopped;
            // An error means that the sender is gone, which is a stop as well.
            let told = async move { drop(stopped.wait_for(|stop| *stop).await) };
            server::serve(listener, service, told, limits).await;
        });
        Ok(Self { address, served, unfinished })
    }

    /// Waits until it has stopped accepting; what is not at its end by then is told by the second.
    ///
    /// # Errors
    /// It panicked.
    pub async fn stopped(self) -> anyhow::Result<Unfinished> {
        self.served.await.context("the internal listener")?;
        Ok(self.unfinished)
    }
}

fn is_needed(plan: &Plan, listeners: &config::Listeners) -> bool {
    let is_named = listeners.internal.span.is_some();
    is_named
        || plan
            .shared_partners()
            .any(|partner| !(partner.receivers().is_empty() && partner.exposers().is_empty()))
}

/// The listener from when something is received; none where everything stops before.
async fn opened(gateway: &Gateway, mut stopped: watch::Receiver<bool>) -> Option<Listener> {
    let mut seen = None;
    loop {
        let plan = gateway.plan.load();
        let listeners = &plan.settings().gateway.listeners;
        if seen != Some(plan.generation()) && is_needed(&plan, listeners) {
            match Listener::bind(listeners.internal.address).await {
                Ok(listener) => {
                    tracing::info!(internal = %listener.address(), "listening for legacy systems");
                    return Some(listener);
                }
                Err(error) => {
                    tracing::error!(%error, internal = %listeners.internal.address, "legacy systems are not heard");
                }
            }
        }
        seen = Some(plan.generation());
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return None,
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
    }
}
