//! Tasks, as their workers and operators see them.

use tokio::sync::watch;

use super::{
    super::{
        CLAIM_TASKS_MAX, Lease, Queue, Task, TaskPage,
        agenda::{self, Planned, lane_of},
        claim::{self, Want},
        overlay::Pending,
        tasks,
    },
    Embedded, StoreError,
};
use crate::ids::{PartnerId, TaskId};

impl Embedded {
    pub async fn claim(
        &self,
        queue: Queue,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Lease, Task)>, StoreError> {
        let want = Want { queue, now_ms, lease_ms, limit: limit.min(CLAIM_TASKS_MAX) };
        let core = std::sync::Arc::clone(&self.shared.core);
        let is_nothing = {
            let desk = core.desk();
            desk.is_sure(queue) && desk.next_due(queue).is_none_or(|due_ms| due_ms > now_ms)
        };
        if is_nothing || want.limit == 0 {
            return Ok(Vec::new());
        }
        self.read(move |db| claim::claim(&core, db, want)).await
    }

    pub fn release(&self, leases: &[Lease]) {
        let mut desk = self.shared.core.desk();
        for lease in leases {
            desk.release(lease);
        }
    }

    pub async fn next_due(&self, queue: Queue) -> Result<Option<i64>, StoreError> {
        let core = std::sync::Arc::clone(&self.shared.core);
        {
            let desk = core.desk();
            if desk.is_sure(queue) {
                return Ok(desk.next_due(queue));
            }
        }
        self.read(move |db| claim::next_due(&core, db, queue)).await
    }

    pub fn wake(&self, queue: Queue) -> watch::Receiver<u64> {
        self.shared.core.desk().watch(queue)
    }

    pub async fn tasks(
        &self,
        partner: &PartnerId,
        queue: Queue,
        is_dead: bool,
        (offset, limit): (u64, u64),
    ) -> Result<TaskPage, StoreError> {
        self.applied().await?;
        let partner = partner.clone();
        self.read(move |db| tasks::page(db, (&partner, queue), is_dead, (offset, limit))).await
    }

    pub async fn hasten(
        &self,
        partner: &PartnerId,
        wanted: Vec<TaskId>,
        due_ms: i64,
    ) -> Result<(), StoreError> {
        let far: Vec<TaskId> =
            wanted.into_iter().filter(|id| !self.hasten_near(partner, id, due_ms)).collect();
        if far.is_empty() {
            return Ok(());
        }
        let (core, partner) = (std::sync::Arc::clone(&self.shared.core), partner.clone());
        self.work(move |db| {
            for id in far {
                let is_ours = tasks::task(db, &id)?.is_some_and(|(task, _)| task.partner == partner);
                if is_ours && let Some(lane) = tasks::hasten(db, &id, due_ms)? {
                    core.hastened(&lane);
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether the overlay knows of the task; then it is due earlier.
    fn hasten_near(&self, partner: &PartnerId, id: &TaskId, due_ms: i64) -> bool {
        let core = &self.shared.core;
        let mut layers = core.layers_mut();
        let Some(known) = agenda::planned(layers.agendas(), id) else { return false };
        let open = known.filter(|one| one.task.dead_ms.is_none() && one.task.partner == *partner);
        if let Some(one) = open
            && one.task.due_ms > due_ms
            && !core.desk().is_lent(id)
        {
            let task = Task { due_ms, ..Task::clone(&one.task) };
            let lane = lane_of(&task);
            // What is being taken in by the database is changed there after that.
            let is_new = layers.current.agenda.tasks.get(id).is_some_and(Option::is_some) && one.is_new;
            let planned = Planned { task: task.into(), seq: one.seq, is_new };
            layers.current.agenda.put(&planned.task.clone(), Some(planned));
            layers.pending.add(Pending { batches: 1, ..Pending::default() });
            drop(layers);
            core.hastened(&lane);
        }
        true
    }
}
