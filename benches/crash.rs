//! Sudden deaths by the thousand: the harness of the tests (`tests/crash`) as often as one likes.
//!
//! `cargo test --bench crash -- --kills 1000 --seed 7` kills the debug build, `cargo bench --bench crash -- …` the one that
//! ships. Kills come in runs of `--per-run` (20), each with a store, a legacy system and a seed of its own, which are
//! printed; `--kills 20 --seed S` of a run's line has the same plan again. `--instances 3` takes PostgreSQL, of a server of
//! its own or, with `--postgres URL`, an empty database; `--on postgres` does so for one instance.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation
)]

#[path = "../tests/crash/mod.rs"]
mod crash;
#[allow(dead_code)]
#[path = "../tests/support/mod.rs"]
mod support;

use crash::Run;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let number = |name: &str| after(name).map(|text| text.parse::<u64>().expect(name));
    // `cargo test --benches` must not run a load.
    let Some(kills) = number("--kills").or_else(|| words.iter().any(|word| word == "--bench").then_some(200))
    else {
        return;
    };
    let seed = number("--seed").unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    });
    let per_run = number("--per-run").unwrap_or(20).clamp(1, kills);
    let instances = number("--instances").unwrap_or(1).max(1);
    let is_postgres = instances > 1 || after("--on").as_deref() == Some("postgres");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{kills} kills, seed {seed}: {}", if is_postgres { "PostgreSQL" } else { "embedded store" });
    let (mut total, mut wrong) = (0, 0);
    for at in 0..kills.div_ceil(per_run) {
        let postgres = is_postgres.then(|| after("--postgres").unwrap_or_else(|| database(&runtime)));
        let run = Run {
            seed: seed.wrapping_add(at),
            kills: per_run as usize,
            instances: instances as usize,
            postgres,
        };
        let (tally, faults) = runtime.block_on(crash::run(&run));
        total += tally.kills;
        println!("--seed {} --kills {per_run}: {tally:?}", run.seed);
        for fault in &faults {
            println!("  WRONG: {fault}");
        }
        wrong += faults.len();
    }
    println!("{total} kills, {wrong} faults");
    std::process::exit(i32::from(wrong > 0));
}

fn database(runtime: &tokio::runtime::Runtime) -> String {
    let server = support::postgres::get().expect("--instances and --on postgres need a PostgreSQL server");
    server.url(&runtime.block_on(server.database()))
}
