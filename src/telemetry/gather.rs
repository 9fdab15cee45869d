//! Lines on their way out, gathered so that many are one system call.
//!
//! A line of information waits a moment for others: under load a line per exchange would otherwise be a write per
//! exchange. A warning or an error waits for nothing and takes with it what waits, in order, so that the last words
//! before a sudden end are there.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Time that a line of information waits for others, in milliseconds.
pub(super) const WAIT_MS_MAX: u64 = 20;

/// Bytes that may wait; the line that makes them more writes all of them itself.
const WAITING_BYTES_MAX: usize = 256 << 10;

/// Where lines wait, and where they go.
#[derive(Debug)]
pub(super) struct Gather<W> {
    waiting: Mutex<Vec<u8>>,
    begun: Condvar,
    /// Locked before `waiting` is emptied, so that nobody writes later lines first.
    out: Mutex<(W, Vec<u8>)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Write> Gather<W> {
    pub(super) fn new(out: W) -> Self {
        Self { waiting: Mutex::default(), begun: Condvar::new(), out: Mutex::new((out, Vec::new())) }
    }

    /// Writes what waits.
    pub(super) fn flush(&self) {
        let mut out = locked(&self.out);
        let (out, lines) = &mut *out;
        lines.clear();
        std::mem::swap(lines, &mut *locked(&self.waiting));
        // There is nobody to tell that the log cannot be written.
        let _ = out.write_all(lines).and_then(|()| out.flush());
    }

    /// Writes what waits whenever it has waited long enough; never ends.
    pub(super) fn run(&self) -> ! {
        loop {
            let waiting = locked(&self.waiting);
            drop(self.begun.wait_while(waiting, |waiting| waiting.is_empty()));
            std::thread::sleep(Duration::from_millis(WAIT_MS_MAX));
            self.flush();
        }
    }

    fn add(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = locked(&self.waiting);
        let is_first = waiting.is_empty();
        waiting.extend_from_slice(line);
        let is_full = waiting.len() > WAITING_BYTES_MAX;
        drop(waiting);
        if is_urgent || is_full {
            self.flush();
        } else if is_first {
            self.begun.notify_one();
        }
    }
}

/// What the formatter of events writes one line to.
#[derive(Debug)]
pub(super) struct Line<W> {
    gather: Arc<Gather<W>>,
    is_urgent: bool,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gather.add(bytes, self.is_urgent);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the writers of lines.
#[derive(Debug)]
pub(super) struct Lines<W>(pub(super) Arc<Gather<W>>);

impl<'l, W: Write + 'l> MakeWriter<'l> for Lines<W> {
    type Writer = Line<W>;

    fn make_writer(&'l self) -> Line<W> {
        Line { gather: Arc::clone(&self.0), is_urgent: true }
    }

    fn make_writer_for(&'l self, meta: &Metadata<'_>) -> Line<W> {
        Line { gather: Arc::clone(&self.0), is_urgent: *meta.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_waits_and_warnings_do_not() {
        let gather = Arc::new(Gather::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt().with_writer(Lines(Arc::clone(&gather))).finish();
        let written = || String::from_utf8(locked(&gather.out).0.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("one");
            assert_eq!(written(), "");
            tracing::warn!("two");
            let lines = written();
            assert!(lines.find("one").unwrap() < lines.find("two").unwrap(), "{lines}");
            tracing::info!("three");
            assert!(!written().contains("three"));
            gather.flush();
            assert!(written().contains("three"));
        });
    }

    #[test]
    fn what_waits_is_bounded() {
        let gather = Gather::new(Vec::new());
        let line = [b'x'; 1000];
        for _ in 0..1000 {
            gather.add(&line, false);
            assert!(locked(&gather.waiting).len() <= WAITING_BYTES_MAX);
        }
        gather.flush();
        assert_eq!(locked(&gather.out).0.len(), 1_000_000);
    }

    #[test]
    fn what_waits_is_written_by_itself() {
        let gather: &'static Gather<_> = Box::leak(Box::new(Gather::new(Vec::new())));
        std::thread::spawn(|| gather.run());
        gather.add(b"a line", false);
        for _ in 0..500 {
            if !locked(&gather.out).0.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(WAIT_MS_MAX));
        }
        panic!("the line still waits");
    }
}
