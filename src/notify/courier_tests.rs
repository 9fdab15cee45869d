use super::*;

const HOUR_MS: i64 = 3_600_000;

fn age(age_ms: i64, attempts: u32) -> Age {
    Age { made_ms: 1000, now_ms: 1000 + age_ms, attempts, retry_ms_max: 24 * HOUR_MS, chance: 0.0 }
}

fn later() -> Outcome {
    Outcome::Later { why: "w".to_owned() }
}

fn wait_ms(age: Age, outcome: Outcome) -> Option<i64> {
    match age.next(outcome) {
        Some(Next::Wait { due_ms, .. }) => Some(due_ms - age.now_ms),
        _ => None,
    }
}

#[test]
fn the_pause_grows_with_the_age_up_to_a_bound() {
    for (age_ms, pause_ms) in [(0, 1000), (4000, 2000), (60_000, 30_000), (HOUR_MS, 900_000), (-5, 1000)] {
        assert_eq!(wait_ms(age(age_ms, 1), later()), Some(pause_ms), "{age_ms}");
    }
    let jittered = Age { chance: 1.0, ..age(60_000, 1) };
    assert_eq!(wait_ms(jittered, later()), Some(37_500));
}

#[test]
fn an_event_is_tried_for_a_day_and_not_for_ever() {
    let (mut now_ms, mut tries) = (0, 0);
    loop {
        tries += 1;
        match age(now_ms, tries - 1).next(later()) {
            Some(Next::Wait { due_ms, .. }) => now_ms = due_ms - 1000,
            _ => break,
        }
    }
    assert!((100..130).contains(&tries), "{tries}");
    assert!((24 * HOUR_MS..25 * HOUR_MS).contains(&now_ms), "{now_ms}");
    // One that an operator tries anew, or that waited for others all the time, has a second chance.
    assert!(wait_ms(age(48 * HOUR_MS, 0), later()).is_some());
    assert_eq!(wait_ms(age(48 * HOUR_MS, 1), later()), None);
    // What is not tried at all ends, too.
    assert!(wait_ms(age(47 * HOUR_MS, 9), Outcome::Busy).is_some());
    assert_eq!(wait_ms(age(48 * HOUR_MS, 9), Outcome::Busy), None);
    let never = Outcome::Never { why: "gone".to_owned() };
    assert_eq!(age(0, 0).next(never), Some(Next::Bury { why: "gone".to_owned() }));
    assert_eq!(age(0, 0).next(Outcome::Delivered { status: 204 }), None);
}

#[test]
fn statuses_are_told_apart() {
    let of = |status: u16| of_status(StatusCode::from_u16(status).unwrap()).as_str();
    for status in [200, 201, 204] {
        assert_eq!(of(status), "delivered", "{status}");
    }
    for status in [401, 403, 408, 425, 429, 500, 502, 503, 504] {
        assert_eq!(of(status), "failed", "{status}");
    }
    for status in [301, 302, 307, 308, 400, 404, 405, 410, 413, 415, 422, 501] {
        assert_eq!(of(status), "refused", "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_is_left_alone_and_tried_by_one() {
    let (courier, id) = (Courier::default(), BackendId::parse("d").unwrap());
    for _ in 1..FAILURES_MAX {
        courier.note(&id, &later());
        assert_eq!(courier.enter(&id), Ok(false));
    }
    courier.note(&id, &later());
    assert_eq!(courier.open(), 1);
    assert_eq!(courier.enter(&id), Err(Duration::from_millis(OPEN_MS_LEAST)));
    assert_eq!(courier.enter(&BackendId::parse("other").unwrap()), Ok(false));
    tokio::time::advance(Duration::from_millis(OPEN_MS_LEAST)).await;
    assert_eq!((courier.open(), courier.enter(&id)), (0, Ok(true)));
    assert!(courier.enter(&id).is_err(), "a second one probes");
    drop(Probe(&courier, &id));
    assert_eq!(courier.enter(&id), Ok(true));
    drop(Probe(&courier, &id));
    courier.note(&id, &later());
    assert_eq!(courier.enter(&id), Err(Duration::from_millis(2 * OPEN_MS_LEAST)));
    for _ in 0..40 {
        courier.note(&id, &later());
    }
    assert_eq!(courier.enter(&id), Err(Duration::from_millis(OPEN_MS_MOST)));
    tokio::time::advance(Duration::from_millis(OPEN_MS_MOST)).await;
    assert_eq!(courier.enter(&id), Ok(true));
    drop(Probe(&courier, &id));
    // That it refuses is an answer.
    courier.note(&id, &Outcome::Never { why: String::new() });
    assert_eq!(courier.enter(&id), Ok(false));
    courier.forget();
    assert!(courier.circuits().is_empty());
}
