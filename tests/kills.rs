//! Sudden deaths at planned moments (see `crash`), a few in each run of the tests.

use super::{
    crash::{self, Run, check, desk::Done, ear::Heard, load::Known, plan},
    support::postgres,
};

/// One run; it must find nothing wrong.
async fn survives(run: Run) {
    let told = format!("{} kills of {} instances, seed {}", run.kills, run.instances, run.seed);
    let (tally, faults) = crash::run(&run).await;
    println!("{told}: {tally:?}");
    assert!(faults.is_empty(), "{told}: {tally:?}\n{}", faults.join("\n"));
    if run.postgres.is_none() {
        assert_eq!((tally.unsure, tally.attention), (0, 0), "{told}: what was made is looked up: {tally:?}");
    }
    assert!(
        tally.kills >= run.kills && tally.acknowledged > run.kills && tally.events.0 > run.kills,
        "{tally:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_is_kept_across_sudden_deaths() {
    survives(Run { seed: 1, kills: 14, instances: 1, postgres: None }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_instances_keep_what_any_of_them_promised() {
    let Some(server) = postgres::get() else { return };
    let url = server.url(&server.database().await);
    survives(Run { seed: 2, kills: 10, instances: 3, postgres: Some(url) }).await;
}

/// What a run that went wrong would look like is told: a fault of the harness would hide those of the program.
#[test]
fn what_is_wrong_is_told() {
    let mut done = Done::default();
    done.made.insert("order1/10".to_owned(), vec!["P-1".to_owned(), "P-2".to_owned()]);
    assert_eq!(check::once(&done), [r#"order1/10 was done more than once: ["P-1", "P-2"]"#]);
    done.undone.insert("P-1".to_owned(), 1);
    assert!(check::once(&done).is_empty());
    done.withdrawn.insert("Q-1".to_owned(), 2);
    assert_eq!(check::once(&done).len(), 1);

    let step = |state: &str, at: &str| (state.to_owned(), at.to_owned());
    let history = vec![
        step("acknowledged", "1"),
        step("inProgress", "1"),
        step("approved.orderable", "2"),
        step("expired", "3"),
    ];
    let known = Known { kind: "quote", name: "expire1".to_owned(), history, is_cancelled: false };
    let heard = |at: &str| Heard {
        event_type: "quoteStateChangeEvent".to_owned(),
        id: "id".to_owned(),
        at: at.to_owned(),
    };
    assert_eq!(check::untold(&known, &[heard("2"), heard("3")]), None);
    for wrong in [&[][..], &[heard("2")], &[heard("3"), heard("2")], &["2", "3", "4", "5"].map(heard)] {
        assert!(check::untold(&known, wrong).is_some(), "{wrong:?}");
    }
}

#[test]
fn a_plan_follows_from_its_seed() {
    let drawn = plan::plan(7, 500, 3);
    assert_eq!(drawn, plan::plan(7, 500, 3));
    assert_ne!(drawn, plan::plan(8, 500, 3));
    for moment in plan::Moment::DRAWN {
        assert!(drawn.iter().any(|kill| kill.moment == moment), "{moment:?}");
    }
    assert!((0..3).all(|instance| drawn.iter().any(|kill| kill.instance == instance)));
}
