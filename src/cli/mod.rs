//! The command line: one file per command, words in, an exit status out.
//!
//! Exit status: 0 good, 1 findings or failures, 2 wrong use. Results go to standard output, diagnostics and the
//! log to standard error.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

mod attention;
mod check;
mod coverage;
mod diff;
mod events;
mod explain;
mod fmt;
mod junit;
mod map;
mod message;
mod operations;
pub mod output;
mod record;
mod releases;
mod round;
mod rules;
mod schema;
mod sdk;
mod serve;
mod show;
mod simulate;
mod store;
mod test;
mod trace;
mod work;

/// LSO Sonata mediation gateway.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Arguments {
    /// Folder of gateway, backend and partner settings.
    #[arg(long, global = true, value_name = "DIR", default_value = "config")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve partners until SIGTERM or SIGINT (the default).
    Serve,
    /// Read configuration and mappings, print every finding.
    Check(CheckArguments),
    /// Print the page of a diagnostic code: why, a wrong and a right example.
    Explain(ExplainArguments),
    /// Tell which attributes of the standard's messages the mappings have something behind.
    Coverage(CoverageArguments),
    /// Play the cases beside the mappings.
    Test(TestArguments),
    /// Map one message from standard input and print what goes on.
    Map(message::MessageArguments),
    /// Map one message from standard input and print what every rule did.
    Trace(message::MessageArguments),
    /// Print a partner's effective mapping, or the effective configuration.
    Show(ShowArguments),
    /// List every operation of the standard, how it is served and how many cases hold it.
    Operations(OperationsArguments),
    /// List the releases of the standard that the catalogue has, and which of them share contracts.
    Releases(ReleasesArguments),
    /// List the numbered requirements of the guides, who looks after each, and what a partner has set.
    Rules(RulesArguments),
    /// Play the cases of two configurations with both, and print what differs on the wire.
    Diff(DiffArguments),
    /// List, show and replay events on their way to partners' listeners.
    Events(events::EventsArguments),
    /// Write mapping and configuration files in the one layout; comments and meaning stay.
    Fmt(FmtArguments),
    /// What may have been done at a legacy system, and nobody knows: list it, show it, settle it.
    Attention(attention::AttentionArguments),
    /// What people have to do for partners: list it, show it, answer it.
    Work(work::WorkArguments),
    /// Make cases of real exchanges of a running Segue, which masks them.
    Record(RecordArguments),
    /// Back up the embedded store, also while Segue serves, or make it from a backup.
    Store(StoreArguments),
    /// Print the JSON Schema (2020-12) by which editors know mapping or configuration files.
    Schema {
        /// Which files.
        files: schema::Files,
    },
    /// Work on the catalogue of the standard.
    Sdk {
        #[command(subcommand)]
        command: SdkCommand,
    },
    /// Play another system.
    Simulate {
        #[command(subcommand)]
        command: SimulateCommand,
    },
}

/// `segue check`.
#[derive(Debug, Args)]
struct CheckArguments {
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
}

/// `segue coverage`.
#[derive(Debug, Args)]
struct CoverageArguments {
    /// An operation such as quote.createQuote: it alone, with every attribute.
    operation: Option<String>,
    /// The partner whose mapping is looked at; without it those of every partner.
    #[arg(long)]
    partner: Option<String>,
    /// How the table is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail where less of the attributes of all requests and answers is covered.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min: Option<u8>,
    /// Fail where less of the attributes of product configurations is covered.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_products: Option<u8>,
    /// Fail where less of the attributes of legacy replies is read.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_legacy: Option<u8>,
}

/// `segue diff`.
#[derive(Debug, Args)]
struct DiffArguments {
    /// Configuration folder of what is there.
    old: PathBuf,
    /// Configuration folder of what is to come.
    new: PathBuf,
    /// Only this partner.
    #[arg(long)]
    partner: Option<String>,
    /// How the changes are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `segue store`.
#[derive(Debug, Args)]
struct StoreArguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Write all that the configured store has into one file.
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
    },
    /// Make the configured store, which must not be there yet, from a backup.
    Restore {
        /// The backup.
        file: PathBuf,
    },
}

/// `segue record`.
#[derive(Debug, Args)]
struct RecordArguments {
    /// Admin listener of the running Segue; its configuration allows recording.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    admin: std::net::SocketAddr,
    /// The partner whose exchanges are recorded.
    #[arg(long)]
    partner: String,
    /// An operation, such as quote.createQuote; several where one needs what another makes.
    #[arg(long, value_name = "FUNCTION.OPERATION", required = true)]
    operation: Vec<String>,
    /// How many exchanges.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    count: u32,
    /// How long they are waited for.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Name of the case behind the operation's, or with a dot the whole name.
    #[arg(long)]
    name: Option<String>,
}

/// `segue fmt`.
#[derive(Debug, Args)]
struct FmtArguments {
    /// Write nothing, and fail where a file is not as it would be written.
    #[arg(long)]
    check: bool,
    /// Files, or folders with all their .yaml files; without any, the configuration and its mappings.
    files: Vec<PathBuf>,
}

/// `segue explain`.
#[derive(Debug, Args)]
struct ExplainArguments {
    /// A code such as M202; without it all codes are listed.
    code: Option<String>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people, with the source line and a caret.
    Text,
    /// For programs.
    Json,
    /// For code hosts and editors: SARIF 2.1.0.
    Sarif,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How the outcome of cases is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TestFormat {
    /// For people: the differences of each case that fails.
    Text,
    /// For build servers: JUnit XML.
    Junit,
    /// For tools: every case and every round trip.
    Json,
}

/// `segue test`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per flag of the command line")]
struct TestArguments {
    /// Play only cases, and try only round trips, whose name contains this; with --mutate, change only rules whose place contains it.
    filter: Option<String>,
    /// Write what was sent and answered into the cases instead of comparing it. A call that a case has no answer
    /// for is answered by the simulated BSS.
    #[arg(long)]
    update: bool,
    /// Print what was told to the operator in each case: what was left out of an answer, or is not as the standard
    /// has it. Without this they are counted, and printed for cases that fail.
    #[arg(long, conflicts_with = "mutate")]
    findings: bool,
    /// Print of every round trip what is claimed and what is not, not only what is lost.
    #[arg(long, conflicts_with_all = ["update", "mutate"])]
    round_trips: bool,
    /// What the documents of round trips are made up from: the same number makes the same documents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Change every rule of every mapped operation in turn, and list those that no case notices.
    #[arg(long, conflicts_with = "update")]
    mutate: bool,
    /// How the outcome is printed.
    #[arg(long, value_enum, default_value_t = TestFormat::Text, conflicts_with_all = ["update", "mutate", "findings", "round_trips"])]
    format: TestFormat,
}

/// `segue show`.
#[derive(Debug, Args)]
struct ShowArguments {
    /// The partner whose mapping is shown.
    #[arg(long)]
    partner: Option<String>,
    /// An operation such as quote.createQuote, `receives` or `watch`; without it the whole mapping. Or `config`: the
    /// configuration.
    what: Option<String>,
}

/// `segue rules`.
#[derive(Debug, Args)]
struct RulesArguments {
    /// The partner whose settings are shown; without it the defaults alone.
    #[arg(long)]
    partner: Option<String>,
    /// How the table is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// `segue operations`.
#[derive(Debug, Args)]
struct OperationsArguments {
    /// The partner whose operations are listed; without it those of every partner.
    #[arg(long)]
    partner: Option<String>,
    /// A release of the standard whose operations are listed, whoever is served them.
    #[arg(long, conflicts_with = "partner")]
    release: Option<String>,
    /// How the table is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `segue releases`.
#[derive(Debug, Args)]
struct ReleasesArguments {
    /// Release of a partner: what it gets of a mapping that is written for MAPPING.
    #[arg(requires = "mapping")]
    partner: Option<String>,
    /// Release that the mapping is written for.
    mapping: Option<String>,
    /// How the table is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum SdkCommand {
    /// Read the official interface files below FOLDER and write the catalogue's facts.
    Import {
        /// Folder that holds one folder per release.
        folder: PathBuf,
        /// Where the facts are written.
        #[arg(long, default_value = "src/sonata/facts")]
        into: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum SimulateCommand {
    /// The legacy system of the demonstration.
    Bss {
        /// Loopback address to listen on.
        #[arg(long, default_value = "127.0.0.1:8081")]
        address: std::net::SocketAddr,
        /// Requests kept for `GET /sim/journal`; 0 keeps none.
        #[arg(long, value_name = "ENTRIES", default_value_t = 10_000)]
        journal: usize,
        /// Offers, orders and the like kept of each sort; the oldest goes first.
        #[arg(long, value_name = "ROWS", default_value_t = 100_000)]
        rows: usize,
        /// Milliseconds after which open work moves one step on by itself; otherwise only `POST /sim/advance` moves it.
        #[arg(long, value_name = "MS")]
        step_ms: Option<u64>,
        /// Milliseconds before each answer.
        #[arg(long, value_name = "MS", default_value_t = 0)]
        latency_ms: u64,
        /// Who is told of what moved, such as `http://127.0.0.1:8082`; otherwise callers have to ask.
        #[arg(long, value_name = "URL")]
        callback: Option<String>,
    },
    /// A Buyer of a release: from the validation of an address to a ticket that is closed, or what stands in a scenario.
    #[command(after_long_help = crate::simulate::buyer::scenario::HELP)]
    Buyer(BuyerArguments),
    /// A Seller of a release, with all of its functions but catalogues, and with notifications; what it decides is easy to
    /// foresee, or stands in a scenario.
    #[command(after_long_help = crate::simulate::seller::scenario::HELP)]
    Seller(SellerArguments),
    /// A partner's listener: takes every event and prints it.
    Listener {
        /// Loopback address to listen on.
        #[arg(long, default_value = "127.0.0.1:8083")]
        address: std::net::SocketAddr,
    },
}

/// `segue simulate buyer`.
#[derive(Debug, Args)]
struct BuyerArguments {
    /// Where the Seller is, with what stands before `/mefApi` in its paths.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    seller: String,
    /// Loopback address to listen for events on.
    #[arg(long, default_value = "127.0.0.1:8083")]
    address: std::net::SocketAddr,
    /// Seconds that it waits for anything.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    patience: u64,
    /// The release that it speaks: billie, celine, dolly, ella, fergie, grace or kylie.
    #[arg(long, default_value = "grace")]
    release: String,
    /// What it sends otherwise than usual, and what it expects; `--help` tells what can stand there.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

/// `segue simulate seller`. It shows `SEGUE_PARTNER_TOKEN` with its events, where that is set.
#[derive(Debug, Args)]
struct SellerArguments {
    /// Loopback address to listen on.
    #[arg(long, default_value = "127.0.0.1:8084")]
    address: std::net::SocketAddr,
    /// Milliseconds after which what is under way moves one step on.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    step_ms: u64,
    /// What it does otherwise than usual; `--help` tells what can stand there.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Who may have tokens (`POST /oauth2/token`) and must show one: the client's id; its secret is in `SEGUE_SELLER_SECRET`.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Nobody is told of anything: hubs answer 501.
    #[arg(long)]
    no_hub: bool,
    /// The release that it speaks: billie, celine, dolly, ella, fergie, grace or kylie.
    #[arg(long, default_value = "grace")]
    release: String,
}

/// Runs the program with the process's own arguments.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = arguments.config;
    let result = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&config),
        Command::Check(arguments) => Ok(check::run(&config, &arguments)),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Coverage(arguments) => coverage::run(&config, &arguments),
        Command::Test(arguments) => test::run(&config, &arguments),
        Command::Map(arguments) => map::run(&config, &arguments),
        Command::Trace(arguments) => trace::run(&config, &arguments),
        Command::Show(arguments) => show::run(&config, &arguments),
        Command::Operations(arguments) => operations::run(&config, &arguments),
        Command::Releases(arguments) => releases::run(&arguments),
        Command::Rules(arguments) => rules::run(&config, &arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&config, &arguments),
        Command::Attention(arguments) => attention::run(&arguments),
        Command::Work(arguments) => work::run(&arguments),
        Command::Record(arguments) => record::run(&config, &arguments),
        Command::Store(arguments) => store::run(&config, &arguments),
        Command::Schema { files } => schema::run(files),
        Command::Sdk { command: SdkCommand::Import { folder, into } } => sdk::import(&folder, &into),
        Command::Simulate {
            command: SimulateCommand::Bss { address, journal, rows, step_ms, latency_ms, callback },
        } => {
            let of = |settings| crate::simulate::bss::Settings {
                journal_entries_max: journal,
                rows_max: rows,
                step_ms,
                latency_ms,
                callback,
                ..settings
            };
            simulate::run_bss(address, of)
        }
        Command::Simulate { command: SimulateCommand::Buyer(arguments) } => simulate::run_buyer(&arguments),
        Command::Simulate { command: SimulateCommand::Seller(arguments) } => simulate::run_seller(&arguments),
        Command::Simulate { command: SimulateCommand::Listener { address } } => {
            simulate::run_listener(address)
        }
    };
    let status = result.unwrap_or_else(|error| {
        output::complain(&format!("segue: {error:#}"));
        ExitCode::from(2)
    });
    crate::telemetry::log::flush();
    status
}
