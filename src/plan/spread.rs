//! Work that is spread over the cores of the machine.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Threads that work side by side at most.
const THREADS_MAX: usize = 16;

/// What the work makes of each task, in the order of the tasks. Where no thread can be had, this one does it all.
pub(super) fn spread<T: Sync, R: Send>(tasks: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { return done };
            done.push((index, work(task)));
        }
    };
    let others = cores.min(THREADS_MAX).min(tasks.len()).saturating_sub(1);
    let mut all = thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().name("plan".to_owned()).spawn_scoped(scope, take).ok();
        let threads: Vec<_> = (0..others).filter_map(spawn).collect();
        let mut all = take();
        for thread in threads {
            match thread.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn every_task_is_done_once_and_in_order() {
        let tasks: Vec<usize> = (0..1000).collect();
        assert_eq!(spread(&tasks, |task| task * 2), (0..1000).map(|task| task * 2).collect::<Vec<_>>());
        assert_eq!(spread(&Vec::<u8>::new(), |task| *task), Vec::<u8>::new());
    }
}
