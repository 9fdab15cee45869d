//! `segue simulate`.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::Context as _;

use super::output::say;
use crate::{
    exchange::ports::Clock,
    simulate::{bss, listener},
};

/// Plays the legacy system of the demonstration until interrupted.
pub fn run_bss(address: SocketAddr, journal_entries_max: usize, rows_max: usize) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "the simulator asks nobody for credentials: give a loopback address"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let today = Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let settings = bss::Settings { journal_entries_max, rows_max, ..bss::Settings::on(today) };
        let running = bss::start(address, settings).await.context("the simulated BSS")?;
        say(&format!("the simulated BSS listens on {}", running.local_addr));
        tokio::signal::ctrl_c().await?;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Plays a Buyer's listener until interrupted, and prints every event.
pub fn run_listener(address: SocketAddr) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "the simulator asks nobody for credentials: give a loopback address"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let heard: listener::Heard = Arc::new(|path, message| say(&format!("{path} {message}")));
        let running = listener::start(address, heard).await.context("the simulated listener")?;
        say(&format!("the simulated listener listens on {}", running.local_addr));
        tokio::signal::ctrl_c().await?;
        drop(running);
        Ok(ExitCode::SUCCESS)
    })
}
