//! Work that goes on by itself: whatever is open moves one step on when it has stood where it stands for long enough.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Bss, caller, progress};

/// How often is looked at what stands, in a step.
const LOOKS: u32 = 5;

/// Moves everything on, without end.
pub(super) async fn run(bss: Bss, step: Duration) {
    let mut standing: HashMap<String, Instant> = HashMap::new();
    let mut looks = interval((step / LOOKS).max(Duration::from_millis(1)));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = looks.tick().await;
        let mut state = bss.lock();
        let open = progress::open(&state);
        let known: HashSet<&str> = open.iter().map(String::as_str).collect();
        standing.retain(|number, _| known.contains(number.as_str()));
        let mut moved = false;
        for number in open {
            let since = standing.entry(number.clone()).or_insert(now);
            if now.duration_since(*since) >= step {
                *since = now;
                moved |= progress::step(&mut state, Some(&number));
            }
        }
        if moved {
            caller::collect(&mut state, &[]);
            drop(state);
            bss.told.notify_one();
        }
    }
}
