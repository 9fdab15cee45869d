//! Recording: what the admin port asks of the exchanges, masked before it goes there.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{
    admin::{RecordAnswer, RecordRequest, Records},
    cases::record::{Masker, Recorded, recorded},
    config,
    exchange::{
        ports::Ids,
        tape::{EXCHANGES_MAX, Recorder, Tape, Wanted},
    },
    plan::PlanHandle,
};

/// What answers `POST /record`.
pub(super) fn records(plan: PlanHandle, recorder: Arc<Recorder>, stopped: watch::Receiver<bool>) -> Records {
    let running = Arc::clone(&recorder);
    Records {
        record: Arc::new(move |request| {
            Box::pin(record(plan.clone(), Arc::clone(&recorder), stopped.clone(), request))
        }),
        is_running: Arc::new(move || running.is_running()),
    }
}

async fn record(
    plan: PlanHandle,
    recorder: Arc<Recorder>,
    mut stopped: watch::Receiver<bool>,
    request: RecordRequest,
) -> RecordAnswer {
    let settings = plan.load().settings().gateway.recording.clone();
    if let Err(refused) = allowed(&plan, &settings, &request) {
        return refused;
    }
    let wanted = Wanted {
        partner: request.partner.clone(),
        operations: request.operations.clone(),
        count: usize::try_from(request.count).unwrap_or(EXCHANGES_MAX),
        bytes_max: settings.bytes_max,
    };
    let Some(mut recording) = recorder.start(wanted) else {
        return refused(StatusCode::CONFLICT, "another recording runs");
    };
    let (partner, operations) = (request.partner.as_str(), request.operations.join(","));
    tracing::warn!(
        partner,
        operations,
        count = request.count,
        seconds = request.seconds,
        "recording exchanges"
    );
    let end = Instant::now() + Duration::from_secs(request.seconds);
    let mut tapes: Vec<Tape> = Vec::new();
    let ended = loop {
        tokio::select! {
            tape = recording.next() => match tape {
                Some(tape) => tapes.push(tape),
                None if tapes.len() < usize::try_from(request.count).unwrap_or(0) => break "bytes",
                None => break "count",
            },
            () = tokio::time::sleep_until(end) => break "seconds",
            _ = stopped.wait_for(|stop| *stop) => break "stopped",
        }
    };
    drop(recording);
    tracing::warn!(partner, operations, exchanges = tapes.len(), ended, "recorded exchanges");
    // Masking is pure computation over what may be megabytes: off the threads that serve.
    let masked = tokio::task::spawn_blocking(move || masked(&tapes, &settings)).await;
    match masked {
        Ok(exchanges) => {
            (StatusCode::OK, json!({ "partner": request.partner, "exchanges": exchanges, "ended": ended }))
        }
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "the exchanges could not be masked"),
    }
}

/// Whether it may be recorded, and there is what is asked for.
fn allowed(
    plan: &PlanHandle,
    settings: &config::Recording,
    request: &RecordRequest,
) -> Result<(), RecordAnswer> {
    if !settings.is_allowed {
        let reason = "recording is not allowed: set `recording: { allowed: true }` in segue.yaml";
        return Err(refused(StatusCode::FORBIDDEN, reason));
    }
    let plan = plan.load();
    let Some(partner) = plan.partner(&request.partner) else {
        return Err(refused(StatusCode::NOT_FOUND, "there is no such partner"));
    };
    let is_known = |wanted: &&String| {
        partner.operations().any(|(function, id, _)| format!("{}.{id}", function.name()) == **wanted)
    };
    if let Some(unknown) = request.operations.iter().find(|wanted| !is_known(wanted)) {
        return Err(refused(StatusCode::NOT_FOUND, &format!("there is no operation `{unknown}`")));
    }
    let bounds = [
        (u64::from(request.count), EXCHANGES_MAX as u64, "count"),
        (request.seconds, settings.seconds_max, "seconds"),
    ];
    match bounds.into_iter().find(|(asked, most, _)| asked > most) {
        Some((_, most, name)) => {
            Err(refused(StatusCode::BAD_REQUEST, &format!("`{name}` is at most {most}")))
        }
        None => Ok(()),
    }
}

fn refused(status: StatusCode, reason: &str) -> RecordAnswer {
    (status, json!({ "error": reason }))
}

/// The exchanges as files; one key for all of them, so that what one names the other does as well.
fn masked(tapes: &[Tape], settings: &config::Recording) -> Vec<Value> {
    let random = [Ids::Random.next(), Ids::Random.next()].map(uuid::Uuid::into_bytes).concat();
    let mut masker = Masker::new(*blake3::hash(&random).as_bytes(), &settings.mask);
    let all = tapes.iter().map(|tape| {
        let Recorded { operation, clock, files } = recorded(tape, &mut masker, &settings.headers);
        let files: Map<String, Value> =
            files.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        json!({ "operation": operation, "clock": clock, "files": files })
    });
    all.collect()
}
