//! Who answers a call for which a case has no response: the simulated BSS, wherever the plan says the backend is.

use std::{io, sync::Arc};

use tokio::time::Instant;

use crate::{
    exchange::ports::{Calling, LegacyPort},
    legacy::{BackendSettings, Backends, BaseUrl, LegacyRequest},
    simulate::bss,
    telemetry::Metrics,
};

/// A simulated BSS of its own, reached through the real client.
pub struct Stand {
    backends: Backends,
    base_url: BaseUrl,
    /// The simulator; it ends with this.
    pub running: bss::Running,
}

impl Stand {
    /// Starts a simulator on a free loopback port that opens on `today`.
    ///
    /// # Errors
    /// The system's, when it gives no port.
    pub async fn start(today: jiff::civil::Date) -> io::Result<Arc<Self>> {
        let running = bss::start(([127, 0, 0, 1], 0).into(), bss::Settings::on(today)).await?;
        let base_url = BaseUrl::parse(&format!("http://{}", running.local_addr)).map_err(io::Error::other)?;
        let backends = Backends::new(Arc::new(Metrics::new().map_err(io::Error::other)?));
        Ok(Arc::new(Self { backends, base_url, running }))
    }
}

impl LegacyPort for Stand {
    fn call<'c>(
        &'c self,
        backend: &'c BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Calling<'c> {
        Box::pin(async move {
            let settings = BackendSettings { base_url: self.base_url.clone(), ..backend.clone() };
            self.backends.call(&settings, request, deadline).await
        })
    }
}
