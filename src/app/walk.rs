//! All tasks of a partner for an operator who asks, a page at a time: a queue may hold more than fits into memory.

use std::ops::ControlFlow;

use crate::{
    exchange::Gateway,
    ids::PartnerId,
    store::{Queue, StoreError, Task},
};

/// Tasks of one page.
const PAGE: u64 = 500;

/// Shows `each` the tasks of a queue in their order, the dead or the others, until it breaks off or was shown `most`;
/// how many there are in all.
///
/// # Errors
/// As the store says.
pub(super) async fn walk(
    gateway: &Gateway,
    partner: &PartnerId,
    (queue, is_dead): (Queue, bool),
    most: u64,
    mut each: impl FnMut(Task) -> ControlFlow<()>,
) -> Result<u64, StoreError> {
    let mut offset = 0;
    loop {
        let limit = PAGE.min(most.saturating_sub(offset));
        let page = gateway.store.tasks(partner, queue, is_dead, (offset, limit)).await?;
        offset = offset.saturating_add(PAGE);
        let is_broken_off = page.tasks.into_iter().any(|task| each(task).is_break());
        if is_broken_off || offset >= page.total.min(most) {
            return Ok(page.total);
        }
    }
}
