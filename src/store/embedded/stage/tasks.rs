//! Changes of tasks.

use std::sync::{Arc, PoisonError};

use super::{
    super::{
        Lease, Task,
        agenda::{self, Agenda, Planned, is_unscheduled, subject_of},
        tasks,
    },
    Conflict, PartnerId, Stage, StoreError,
};
use crate::ids::TaskId;

impl Stage<'_> {
    pub(super) fn schedule(&mut self, partner: &PartnerId, task: Task) -> Result<(), StoreError> {
        task.check(partner)?;
        if !self.is_decided && agenda::planned(self.agendas(), &task.id).is_some() {
            return Err(Conflict::Exists.into());
        }
        self.append(task, !self.is_decided);
        Ok(())
    }

    /// Does with a task what whoever has it says; `None`: it is done.
    pub(super) fn give_back(
        &mut self,
        partner: &PartnerId,
        lease: &Lease,
        becomes: impl FnOnce(&Task) -> Option<Task>,
    ) -> Result<(), StoreError> {
        let (task, seq) = if self.is_decided {
            let lost =
                || StoreError::Failed(format!("the log changes a task that is not there: {}", lease.id));
            self.task(&lease.id)?.ok_or_else(lost)?
        } else {
            self.held(partner, lease)?
        };
        let planned = becomes(&task).map(|now| Planned { task: Arc::new(now), seq, is_new: false });
        self.batch.agenda.put(&task, planned);
        Ok(())
    }

    pub(super) fn revive(&mut self, partner: &PartnerId, id: &TaskId, due_ms: i64) -> Result<(), StoreError> {
        let (task, _) = self.task(id)?.filter(|(task, _)| task.partner == *partner).ok_or(Conflict::Task)?;
        self.append(task.revived(due_ms)?, false);
        Ok(())
    }

    /// Adds a task at the end of its lane.
    fn append(&mut self, task: Task, is_new: bool) {
        self.newest.tasks_made += 1;
        self.batch.agenda.add(Planned { task: Arc::new(task), seq: self.newest.tasks_made, is_new });
    }

    fn agendas(&self) -> impl Iterator<Item = &Agenda> {
        self.levels().map(|one| &one.agenda)
    }

    /// A task as it is, and its place.
    fn task(&self, id: &TaskId) -> Result<Option<(Arc<Task>, i64)>, StoreError> {
        if let Some(known) = agenda::planned(self.agendas(), id) {
            return Ok(known.map(|one| (Arc::clone(&one.task), one.seq)));
        }
        Ok(tasks::task(self.db()?, id)?.map(|(task, seq)| (Arc::new(task), seq)))
    }

    /// What is lent by a lease that was not given back by an earlier batch, or by this one.
    fn held(&self, partner: &PartnerId, lease: &Lease) -> Result<(Arc<Task>, i64), StoreError> {
        let held = self.desk.and_then(|desk| {
            let desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.held(lease).map(|held| (Arc::clone(&held.task), held.seq))
        });
        let (task, seq) = held.ok_or(Conflict::Lease)?;
        let staged = &self.staged.agenda;
        let is_gone = [staged, &self.batch.agenda].into_iter().any(|one| one.tasks.contains_key(&lease.id))
            || is_unscheduled([staged].into_iter(), subject_of(&task).as_ref(), seq);
        if is_gone || task.partner != *partner {
            return Err(Conflict::Lease.into());
        }
        Ok((task, seq))
    }
}
