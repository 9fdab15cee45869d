//! Counters and histograms of the process, in a registry of its own.
//!
//! Every name begins with `segue_`. Labels come from closed sets (functions, operations, codes, backends of
//! the configuration), never from a message: no id and no URL. Partners label counters only, up to a cap,
//! because one histogram at a thousand partners weighs tens of megabytes per scrape.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

/// The label value of everything beyond a cap.
pub const OTHER: &str = "other";

/// The label value of an exchange that ended before its function or operation was known.
pub const NONE: &str = "none";

/// Most series in which a partner's name is a label.
pub const PARTNER_SERIES_MAX: usize = 2000;

/// Bounds of the duration histograms, in seconds: from the budget of one hop to the longest deadline.
const DURATION_BUCKETS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// All metrics of one process. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: IntCounterVec,
    duration: HistogramVec,
    partner_exchanges: IntCounterVec,
    test_exchanges: IntCounterVec,
    seen: Seen,
    partner_series_max: usize,
    mapping_errors: IntCounterVec,
    findings: IntCounterVec,
    plan_generation: IntGauge,
    plan_info: IntGaugeVec,
    reloads: IntCounterVec,
    in_flight: IntGauge,
    attention: IntGauge,
    legacy_calls: IntCounterVec,
    legacy_duration: HistogramVec,
    store_commits: IntCounterVec,
    store_commit_duration: Histogram,
    store_jobs: IntCounter,
    store_bytes: IntGaugeVec,
    store_entities: IntGaugeVec,
    store_tasks: IntGaugeVec,
    store_retired: IntCounterVec,
    connections: IntGauge,
    deliveries: Deliveries,
}

/// What counts events on their way to listeners.
#[derive(Debug)]
struct Deliveries {
    attempts: IntCounterVec,
    duration: Histogram,
    waiting: IntGauge,
    dead: IntGauge,
    circuits_open: IntGauge,
}

impl Deliveries {
    fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            attempts: counters(r, "segue_deliveries_total", "Attempts to deliver events.", &["outcome"])?,
            duration: registered(
                r,
                Histogram::with_opts(options(
                    "segue_delivery_duration_seconds",
                    "Duration of attempts that were delivered.",
                ))?,
            )?,
            waiting: gauge(r, "segue_deliveries_waiting", "Events that wait to be delivered.")?,
            dead: gauge(r, "segue_deliveries_dead", "Events that were given up.")?,
            circuits_open: gauge(
                r,
                "segue_delivery_circuits_open",
                "Listeners that failed and are left alone for now.",
            )?,
        })
    }
}

/// What counts the exchanges of one operation with one outcome: looked up by their labels once.
#[derive(Debug)]
struct Series {
    count: IntCounter,
    total: Histogram,
    legacy: Histogram,
    own: Histogram,
}

/// What was counted before.
#[derive(Debug, Default)]
struct Seen {
    /// Exchanges; the address of an operation's name stands for the operation.
    exchanges: Mutex<HashMap<(usize, Outcome), Series>>,
    partners: Mutex<Partners>,
}

/// The series that name a partner, with what counts in each.
#[derive(Debug, Default)]
struct Partners {
    counters: HashMap<String, [Option<IntCounter>; Outcome::ALL.len()]>,
    series: usize,
}

/// How an exchange ended, as a label and in the log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered as the operation promises.
    Ok,
    /// Refused for a fault in the partner's request.
    Buyer,
    /// A legacy system failed or complained.
    Legacy,
    /// A fault of our own: mapping, script, store.
    Gateway,
    /// Over a limit: permits or queue.
    Overload,
    /// Not mapped or not offered: 501.
    NotImplemented,
}

impl Outcome {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Buyer, Self::Legacy, Self::Gateway, Self::Overload, Self::NotImplemented];

    /// The label value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Buyer => "buyer",
            Self::Legacy => "legacy",
            Self::Gateway => "gateway",
            Self::Overload => "overload",
            Self::NotImplemented => "not_implemented",
        }
    }
}

fn partner_exchanges(r: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let labels = ["partner", "outcome"];
    counters(r, "segue_partner_exchanges_total", "Exchanges that ended, by partner.", &labels)
}

fn test_exchanges(r: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let help = "Exchanges that ended and are a test; the others count them, too.";
    counters(r, "segue_test_exchanges_total", help, &["outcome"])
}

fn plan_info(r: &Registry) -> Result<IntGaugeVec, prometheus::Error> {
    let options = Opts::new("segue_plan_info", "Content hash of the plan.");
    registered(r, IntGaugeVec::new(options, &["hash"])?)
}

impl Metrics {
    /// Builds the registry.
    ///
    /// # Errors
    /// A name or label that the `prometheus` crate refuses; a fault in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        Self::with_partner_series_max(PARTNER_SERIES_MAX)
    }

    /// As [`Metrics::new`] with another cap on the series that name a partner.
    ///
    /// # Errors
    /// As [`Metrics::new`].
    pub fn with_partner_series_max(partner_series_max: usize) -> Result<Self, prometheus::Error> {
        let r = Registry::new();
        Ok(Self {
            exchanges: counters(
                &r,
                "segue_exchanges_total",
                "Exchanges that ended.",
                &["function", "operation", "outcome"],
            )?,
            duration: histograms(
                &r,
                "segue_exchange_duration_seconds",
                "Duration of exchanges: total, waiting for legacy systems, own.",
                &["function", "operation", "outcome", "phase"],
            )?,
            partner_exchanges: partner_exchanges(&r)?,
            test_exchanges: test_exchanges(&r)?,
            seen: Seen::default(),
            partner_series_max,
            mapping_errors: counters(
                &r,
                "segue_mapping_errors_total",
                "Failures of mapping rules.",
                &["code"],
            )?,
            findings: counters(
                &r,
                "segue_findings_total",
                "Findings that did not end an exchange.",
                &["code"],
            )?,
            plan_generation: gauge(&r, "segue_plan_generation", "Number of the plan that is live.")?,
            plan_info: plan_info(&r)?,
            reloads: counters(&r, "segue_reloads_total", "Attempts to load a plan.", &["outcome"])?,
            in_flight: gauge(&r, "segue_in_flight", "Exchanges that have begun and not ended.")?,
            attention: gauge(&r, "segue_attention", "Exchanges of which nobody knows how they ended.")?,
            legacy_calls: counters(
                &r,
                "segue_legacy_calls_total",
                "Calls to legacy systems.",
                &["backend", "outcome"],
            )?,
            legacy_duration: histograms(
                &r,
                "segue_legacy_call_duration_seconds",
                "Duration of calls to legacy systems, queueing included.",
                &["backend"],
            )?,
            store_commits: counters(&r, "segue_store_commits_total", "Commits of the store.", &["outcome"])?,
            store_commit_duration: registered(
                &r,
                Histogram::with_opts(options(
                    "segue_store_commit_duration_seconds",
                    "Duration of commits of the store, fsync included.",
                ))?,
            )?,
            store_jobs: counter(&r, "segue_store_jobs_total", "Jobs that the store's commits grouped.")?,
            store_bytes: gauges(&r, "segue_store_bytes", "Size of the store.", &["part"])?,
            store_entities: gauges(&r, "segue_store_entities", "Entities in the store.", &["kind"])?,
            store_tasks: gauges(&r, "segue_store_tasks", "Tasks in the store.", &["queue", "state"])?,
            store_retired: counters(&r, "segue_store_retired_total", "Entities past retention.", &["kind"])?,
            connections: gauge(&r, "segue_connections", "Open connections of the Sonata listener.")?,
            deliveries: Deliveries::new(&r)?,
            registry: r,
        })
    }

    /// Counts one exchange. `function` and `operation` are names of the catalogue or [`NONE`]; `legacy` is
    /// the part of `total` spent waiting for legacy systems.
    pub fn exchange(
        &self,
        function: &'static str,
        operation: &'static str,
        outcome: Outcome,
        total: Duration,
        legacy: Duration,
    ) {
        let mut seen = locked(&self.seen.exchanges);
        let series = seen.entry((operation.as_ptr().addr(), outcome)).or_insert_with(|| {
            let labels = [function, operation, outcome.as_str()];
            let phase = |phase| {
                let [function, operation, outcome] = labels;
                self.duration.with_label_values(&[function, operation, outcome, phase])
            };
            Series {
                count: self.exchanges.with_label_values(&labels),
                total: phase("total"),
                legacy: phase("legacy"),
                own: phase("own"),
            }
        });
        series.count.inc();
        series.total.observe(total.as_secs_f64());
        series.legacy.observe(legacy.as_secs_f64());
        series.own.observe(total.saturating_sub(legacy).as_secs_f64());
    }

    /// Counts one exchange of a partner; partners beyond the cap count as [`OTHER`].
    pub fn partner_exchange(&self, partner: &str, outcome: Outcome) {
        let mut seen = locked(&self.seen.partners);
        let Partners { counters, series } = &mut *seen;
        let known = counters.get(partner).and_then(|own| own.get(outcome as usize)?.as_ref());
        if let Some(known) = known {
            known.inc();
            return;
        }
        let name = if *series < self.partner_series_max { partner } else { OTHER };
        let counter = self.partner_exchanges.with_label_values(&[name, outcome.as_str()]);
        counter.inc();
        if name == partner
            && let Some(own) = counters.entry(partner.to_owned()).or_default().get_mut(outcome as usize)
        {
            *own = Some(counter);
            *series += 1;
        }
    }

    /// Counts one exchange that is a test.
    pub fn test_exchange(&self, outcome: Outcome) {
        self.test_exchanges.with_label_values(&[outcome.as_str()]).inc();
    }

    /// Counts one attempt to deliver an event.
    pub fn delivery(&self, outcome: &'static str, took: Duration) {
        self.deliveries.attempts.with_label_values(&[outcome]).inc();
        if outcome == "delivered" {
            self.deliveries.duration.observe(took.as_secs_f64());
        }
    }

    /// Shows how many events wait and were given up, and how many listeners are left alone.
    pub fn deliveries(&self, waiting: u64, dead: u64, open: usize) {
        self.deliveries.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.deliveries.dead.set(i64::try_from(dead).unwrap_or(i64::MAX));
        self.deliveries.circuits_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Counts one failure of a mapping rule, by its stable code.
    pub fn mapping_error(&self, code: &'static str) {
        self.mapping_errors.with_label_values(&[code]).inc();
    }

    /// Counts one finding, by its stable code.
    pub fn finding(&self, code: &'static str) {
        self.findings.with_label_values(&[code]).inc();
    }

    /// Says which plan is live.
    pub fn plan(&self, generation: u64, hash: &str) {
        self.plan_generation.set(i64::try_from(generation).unwrap_or(i64::MAX));
        self.plan_info.reset();
        self.plan_info.with_label_values(&[hash]).set(1);
    }

    /// Says how many exchanges need attention.
    pub fn attention(&self, exchanges: usize) {
        self.attention.set(i64::try_from(exchanges).unwrap_or(i64::MAX));
    }

    /// Counts one attempt to load a plan.
    pub fn reload(&self, installed: bool) {
        self.reloads.with_label_values(&[if installed { "installed" } else { "refused" }]).inc();
    }

    /// Counts an exchange as in flight until the guard is dropped.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        InFlight::over(&self.in_flight)
    }

    /// Counts a connection as open until the guard is dropped.
    #[must_use]
    pub fn connection(&self) -> InFlight {
        InFlight::over(&self.connections)
    }

    /// Counts one call to a legacy system. `outcome` is a status class (`2xx`) or the name of an error.
    pub fn legacy_call(&self, backend: &str, outcome: &'static str, spent: Duration) {
        self.legacy_calls.with_label_values(&[backend, outcome]).inc();
        self.legacy_duration.with_label_values(&[backend]).observe(spent.as_secs_f64());
    }

    /// Counts one commit of the store that grouped `jobs` jobs.
    pub fn store_commit(&self, jobs: usize, committed: bool, spent: Duration) {
        self.store_commits.with_label_values(&[if committed { "committed" } else { "failed" }]).inc();
        self.store_jobs.inc_by(jobs as u64);
        self.store_commit_duration.observe(spent.as_secs_f64());
    }

    /// How large a part of the store is.
    pub fn store_bytes(&self, part: &str, bytes: u64) {
        set(&self.store_bytes, &[part], bytes);
    }

    /// How many entities there are of each kind; a kind that is not told has none.
    pub fn store_entities<'k>(&self, kinds: impl Iterator<Item = (&'k str, u64)>) {
        self.store_entities.reset();
        for (kind, count) in kinds {
            set(&self.store_entities, &[kind], count);
        }
    }

    /// How many tasks a queue has: open ones, and those that were given up.
    pub fn store_tasks(&self, queue: &str, open: u64, dead: u64) {
        set(&self.store_tasks, &[queue, "open"], open);
        set(&self.store_tasks, &[queue, "dead"], dead);
    }

    /// Counts entities of a kind that were kept for long enough.
    pub fn store_retired(&self, kind: &str, entities: u64) {
        self.store_retired.with_label_values(&[kind]).inc_by(entities);
    }

    /// The text exposition of all metrics.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = Vec::new();
        // Encoding into memory fails only for an empty family, which `gather` does not return.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One unit of a gauge, given back when dropped.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl InFlight {
    fn over(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    registered(registry, IntCounter::new(name, help)?)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    registered(registry, IntGauge::new(name, help)?)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn set(gauges: &IntGaugeVec, labels: &[&str], value: u64) {
    gauges.with_label_values(labels).set(i64::try_from(value).unwrap_or(i64::MAX));
}

fn options(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(DURATION_BUCKETS.to_vec())
}

fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<HistogramVec, prometheus::Error> {
    registered(registry, HistogramVec::new(options(name, help), labels)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_ours_and_values_add_up() {
        let metrics = Metrics::new().unwrap();
        let ms = Duration::from_millis;
        metrics.exchange("quote", "createQuote", Outcome::Ok, ms(9), ms(6));
        metrics.partner_exchange("globex", Outcome::Ok);
        metrics.mapping_error("E101");
        metrics.finding("F7");
        metrics.plan(1, "old");
        metrics.plan(2, "new");
        metrics.reload(false);
        metrics.legacy_call("acme", "2xx", ms(6));
        metrics.store_commit(16, true, ms(1));
        metrics.store_bytes("log", 4096);
        metrics.store_entities([("quote", 5)].into_iter());
        metrics.store_entities([("productOrder", 6)].into_iter());
        metrics.store_tasks("delivery", 7, 8);
        metrics.store_retired("quote", 9);
        let guard = metrics.in_flight();
        let text = metrics.render();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("segue_"), "{line}");
        }
        for expected in [
            "segue_exchanges_total{function=\"quote\",operation=\"createQuote\",outcome=\"ok\"} 1",
            "segue_exchange_duration_seconds_sum{function=\"quote\",operation=\"createQuote\",outcome=\"ok\",phase=\"own\"} 0.003",
            "segue_partner_exchanges_total{outcome=\"ok\",partner=\"globex\"} 1",
            "segue_mapping_errors_total{code=\"E101\"} 1",
            "segue_findings_total{code=\"F7\"} 1",
            "segue_plan_generation 2",
            "segue_plan_info{hash=\"new\"} 1",
            "segue_reloads_total{outcome=\"refused\"} 1",
            "segue_in_flight 1",
            "segue_legacy_calls_total{backend=\"acme\",outcome=\"2xx\"} 1",
            "segue_store_jobs_total 16",
            "segue_store_bytes{part=\"log\"} 4096",
            "segue_store_entities{kind=\"productOrder\"} 6",
            "segue_store_tasks{queue=\"delivery\",state=\"dead\"} 8",
            "segue_store_retired_total{kind=\"quote\"} 9",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        assert!(!text.contains("hash=\"old\"") && !text.contains("entities{kind=\"quote\""));
        drop(guard);
        assert!(metrics.render().contains("segue_in_flight 0"));
    }

    #[test]
    fn partners_beyond_the_cap_share_one_series() {
        let metrics = Metrics::with_partner_series_max(3).unwrap();
        for round in 0..2 {
            for partner in 0..10 {
                metrics.partner_exchange(&format!("p{partner}"), Outcome::Ok);
            }
            assert!(metrics.render().contains("partner=\"p2\"} ".to_string().as_str()), "{round}");
        }
        let text = metrics.render();
        assert_eq!(text.matches("segue_partner_exchanges_total{").count(), 4, "{text}");
        assert!(text.contains("partner=\"other\"} 14"), "{text}");
    }
}
