//! Many changes in any order, held against the plainest thing that keeps the same promises.

use super::{
    tasks::{change, schedule, task},
    *,
};
use crate::ids::TaskId;

/// Numbers that look like chance and come again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What should be there: open tasks in order, dead ones, and who has what until when.
#[derive(Default)]
struct Model {
    open: Vec<Task>,
    dead: Vec<Task>,
    held: Vec<(Lease, TaskId, i64)>,
}

impl Model {
    fn is_held(&self, id: &TaskId, now_ms: i64) -> bool {
        self.held.iter().any(|(_, held, until_ms)| held == id && *until_ms > now_ms)
    }

    fn heads(&self) -> Vec<(i64, usize, &Task)> {
        let mut lanes: Vec<&str> = Vec::new();
        let mut heads = Vec::new();
        for (at, task) in self.open.iter().enumerate() {
            if !lanes.contains(&task.lane.as_str()) {
                lanes.push(&task.lane);
                heads.push((task.due_ms, at, task));
            }
        }
        heads.sort_by_key(|(due_ms, at, _)| (*due_ms, *at));
        heads
    }

    fn due(&self, now_ms: i64, limit: usize) -> Vec<Task> {
        let due = self
            .heads()
            .into_iter()
            .filter(|(due_ms, _, task)| *due_ms <= now_ms && !self.is_held(&task.id, now_ms));
        due.take(limit).map(|(_, _, task)| task.clone()).collect()
    }

    fn next_due(&self) -> Option<i64> {
        let heads = self.heads().into_iter().filter(|(_, _, task)| !self.is_held(&task.id, i64::MIN));
        heads.map(|(due_ms, ..)| due_ms).chain(self.held.iter().map(|(.., until_ms)| *until_ms)).min()
    }

    fn take(&mut self, id: &TaskId) -> Task {
        self.held.retain(|(_, held, _)| held != id);
        let at = self.open.iter().position(|task| task.id == *id).unwrap();
        self.open.remove(at)
    }
}

async fn step(store: &Store, model: &mut Model, chance: &mut Chance, now_ms: &mut i64, number: u64) {
    let now = *now_ms;
    match chance.below(12) {
        0..=3 => {
            let quote = sonata(&format!("q-{}", chance.below(4)));
            let due_ms = now + i64::try_from(chance.below(60)).unwrap() - 20;
            let new = Task {
                subject: (chance.below(2) == 0).then(|| (kind(), quote)),
                ..task(&format!("t-{number}"), &format!("l-{}", chance.below(6)), due_ms)
            };
            store.commit(schedule([new.clone()])).await.unwrap();
            model.open.push(new);
        }
        4 | 5 => {
            let limit = usize::try_from(1 + chance.below(4)).unwrap();
            let expected = model.due(now, limit);
            let claimed = store.claim(Queue::Delivery, now, 50, limit).await.unwrap();
            let tasks: Vec<Task> = claimed.iter().map(|(_, task)| task.clone()).collect();
            assert_eq!(tasks, expected, "step {number}");
            for (lease, task) in claimed {
                model.held.retain(|(_, held, _)| *held != task.id);
                model.held.push((lease, task.id, now + 50));
            }
        }
        6..=8 if !model.held.is_empty() => {
            let at = usize::try_from(chance.below(model.held.len() as u64)).unwrap();
            let (lease, id, _) = model.held[at].clone();
            let former = model.open.iter().position(|task| task.id == id).unwrap();
            let task = model.take(&id);
            let (due_ms, note) = (now + 30, "why".to_owned());
            let what = match chance.below(4) {
                0 => {
                    model.open.insert(former, task.postponed(due_ms, Some(note.clone())));
                    Change::Postpone { lease, due_ms, note: Some(note) }
                }
                1 => {
                    model.dead.push(task.buried(now, note.clone()));
                    Change::Bury { lease, note, at_ms: now }
                }
                _ => Change::Settle { lease },
            };
            store.commit(change(what)).await.unwrap();
        }
        9 => {
            let quote = sonata(&format!("q-{}", chance.below(4)));
            let subject = Some((kind(), quote.clone()));
            let give_up = Change::Unschedule { queue: Queue::Delivery, kind: kind(), id: quote };
            store.commit(change(give_up)).await.unwrap();
            let Model { open, held, .. } = model;
            open.retain(|task| task.subject != subject);
            held.retain(|(_, id, _)| open.iter().any(|task| task.id == *id));
        }
        10 if !model.dead.is_empty() => {
            let at = usize::try_from(chance.below(model.dead.len() as u64)).unwrap();
            let dead = model.dead.remove(at);
            store.commit(change(Change::Revive { id: dead.id.clone(), due_ms: now })).await.unwrap();
            model.open.push(dead.revived(now).unwrap());
        }
        11 => {
            let at = usize::try_from(chance.below(50)).unwrap();
            let held: Vec<TaskId> = model.held.iter().map(|(_, id, _)| id.clone()).collect();
            if let Some(task) = model.open.get_mut(at).filter(|task| !held.contains(&task.id)) {
                store.hasten(&partner("globex"), vec![task.id.clone()], now).await.unwrap();
                task.due_ms = task.due_ms.min(now);
            }
        }
        _ => *now_ms += i64::try_from(chance.below(25)).unwrap(),
    }
}

async fn play(store: &Store, seed: u64, flushes: u64) {
    let (mut model, mut chance, mut now_ms) = (Model::default(), Chance(seed), 1000);
    for number in 0..500 {
        step(store, &mut model, &mut chance, &mut now_ms, seed * 10_000 + number).await;
        if chance.below(flushes) == 0 {
            store.flush().await;
        }
        if chance.below(5) == 0 {
            // It may be too early, where what was known to be due is gone: never too late.
            let (told, due) = (store.next_due(Queue::Delivery).await.unwrap(), model.next_due());
            assert!(
                due.is_none_or(|due| told.is_some_and(|told| told <= due)),
                "{told:?} {due:?} at {number} of {seed}"
            );
        }
    }
    let page = store.tasks(&partner("globex"), Queue::Delivery, false, (0, 10_000)).await.unwrap();
    let mut kept: Vec<&str> = page.tasks.iter().map(|task| task.id.as_str()).collect();
    let mut expected: Vec<&str> = model.open.iter().map(|task| task.id.as_str()).collect();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected, "seed {seed}");
    // Leave nothing behind for the next seed.
    for (lease, ..) in model.held.clone() {
        store.commit(change(Change::Settle { lease })).await.unwrap();
    }
    loop {
        let claimed = store.claim(Queue::Delivery, i64::MAX - 100, 1, 100).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        for (lease, _) in claimed {
            store.commit(change(Change::Settle { lease })).await.unwrap();
        }
    }
}

#[tokio::test]
async fn any_order_of_changes_does_what_the_plainest_store_does() {
    on_each(async |store| {
        for (seed, flushes) in [(1, 1_000_000), (2, 30), (3, 3), (4, 8)] {
            play(&store, seed, flushes).await;
        }
    })
    .await;
}
