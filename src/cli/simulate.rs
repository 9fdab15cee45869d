//! `segue simulate`.

use std::{net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;

use super::{
    BuyerArguments, SellerArguments,
    output::{complain, say},
};
use crate::{
    exchange::ports::Clock,
    simulate::{bss, buyer, listener, seller},
};

fn today() -> jiff::civil::Date {
    Clock::System.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The text of a scenario.
fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

/// Plays the legacy system of the demonstration until interrupted.
pub fn run_bss(
    address: SocketAddr,
    of: impl FnOnce(bss::Settings) -> bss::Settings,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "the simulator asks nobody for credentials: give a loopback address"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let running =
            bss::start(address, of(bss::Settings::on(today()))).await.context("the simulated BSS")?;
        say(&format!("the simulated BSS listens on {}", running.local_addr));
        tokio::signal::ctrl_c().await?;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// What a played partner shows of itself, if it is to show something.
#[expect(clippy::disallowed_methods, reason = "a simulator has no configuration that could refer to it")]
fn token() -> Option<String> {
    std::env::var("SEGUE_PARTNER_TOKEN").ok().filter(|token| !token.is_empty())
}

/// The release of this name.
fn release(name: &str) -> anyhow::Result<seller::Release> {
    seller::Release::named(name).with_context(|| format!("no release `{name}`; `segue releases` lists them"))
}

/// Plays a Buyer's part once, and says what happens.
pub fn run_buyer(arguments: &BuyerArguments) -> anyhow::Result<ExitCode> {
    let listener = arguments.address;
    anyhow::ensure!(
        listener.ip().is_loopback(),
        "the simulator asks nobody for credentials: give a loopback address"
    );
    let scenario = match &arguments.scenario {
        Some(file) => buyer::Scenario::read(&text(file)?).with_context(|| file.display().to_string())?,
        None => buyer::Scenario::default(),
    };
    let settings = buyer::Settings {
        patience_ms: arguments.patience.saturating_mul(1000),
        release: release(&arguments.release)?,
        scenario,
        token: token(),
        ..buyer::Settings::new(arguments.seller.clone(), listener, today())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let buyer = buyer::start(&settings).await.context("the simulated Buyer's listener")?;
        match buyer::play(&buyer, say).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(unexpected) => {
                complain(&format!("segue: {unexpected}"));
                Ok(ExitCode::from(1))
            }
        }
    })
}

/// Plays a Seller until interrupted.
pub fn run_seller(arguments: &SellerArguments) -> anyhow::Result<ExitCode> {
    let address = arguments.address;
    anyhow::ensure!(
        address.ip().is_loopback(),
        "the simulator is no Seller for others: give a loopback address"
    );
    let release = release(&arguments.release)?;
    #[expect(clippy::disallowed_methods, reason = "a simulator has no configuration that could refer to it")]
    let secret = || std::env::var("SEGUE_SELLER_SECRET").context("SEGUE_SELLER_SECRET has no secret");
    let client = arguments.client.clone().map(|id| Ok::<_, anyhow::Error>((id, secret()?))).transpose()?;
    let scenario = match &arguments.scenario {
        Some(file) => {
            Arc::new(seller::Scenario::read(&text(file)?).with_context(|| file.display().to_string())?)
        }
        None => Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let step_ms = Some(arguments.step_ms.max(1));
        let has_hub = !arguments.no_hub;
        let settings = seller::Settings {
            step_ms,
            client,
            token: token(),
            has_hub,
            release,
            scenario,
            ..seller::Settings::on(today())
        };
        let running = seller::start(address, settings).await.context("the simulated Seller")?;
        say(&format!("the simulated Seller listens on {}", running.local_addr));
        tokio::signal::ctrl_c().await?;
        drop(running);
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
