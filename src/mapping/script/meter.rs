//! What one evaluation may spend.
//!
//! Rhai's own count of operations is not enough: `sort` and `try` swallow its error and callbacks restart
//! it, and one native call may work on a large text. This count is per evaluation, keeps being exhausted
//! once it is, takes native work into account, and is asked again after every evaluation. It lives in the
//! thread because an evaluation never leaves its thread and the engine is shared by all.

use std::cell::RefCell;

/// Steps that one evaluation may take: an operation of Rhai, or 32 bytes of native work.
///
/// A runaway script ends within some 10 ms; the longest script of the shipped mappings takes under 1 000.
pub const STEPS_MAX: u64 = 50_000;
/// Bytes of native work that count as one step.
const BYTES_PER_STEP: usize = 32;

/// Why an evaluation was stopped from outside of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing left to spend.
    Steps,
    /// A helper of ours refused where Rhai has no way to fail, such as inside a text template.
    Refused(String),
}

struct Meter {
    left: u64,
    stop: Option<Stop>,
}

thread_local! {
    static METER: RefCell<Meter> = const { RefCell::new(Meter { left: 0, stop: None }) };
}

/// One evaluation: a full meter, emptied when the evaluation is over, however it ends.
pub(super) struct Evaluation(());

impl Evaluation {
    pub fn begin() -> Self {
        METER.with_borrow_mut(|meter| *meter = Meter { left: STEPS_MAX, stop: None });
        Self(())
    }

    /// Why it was stopped, even where the script went on to return something.
    #[expect(clippy::unused_self, reason = "asked of the evaluation that is under way")]
    pub fn stopped(&self) -> Option<Stop> {
        METER.with_borrow(|meter| meter.stop.clone())
    }

    /// Steps taken so far.
    #[expect(clippy::unused_self, reason = "asked of the evaluation that is under way")]
    pub fn spent(&self) -> u64 {
        METER.with_borrow(|meter| STEPS_MAX - meter.left)
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        METER.with_borrow_mut(|meter| *meter = Meter { left: 0, stop: None });
    }
}

/// Takes one step; `false` when the evaluation has to end.
pub(super) fn step() -> bool {
    METER.with_borrow_mut(|meter| take(meter, 1))
}

/// Takes the steps of native work on this many bytes; `false` when the evaluation has to end.
pub(super) fn work(bytes: usize) -> bool {
    let steps = u64::try_from(bytes.div_ceil(BYTES_PER_STEP)).unwrap_or(u64::MAX);
    METER.with_borrow_mut(|meter| take(meter, steps))
}

fn take(meter: &mut Meter, steps: u64) -> bool {
    if meter.stop.is_some() {
        return false;
    }
    match meter.left.checked_sub(steps) {
        Some(left) if left > 0 => meter.left = left,
        _ => {
            meter.left = 0;
            meter.stop = Some(Stop::Steps);
        }
    }
    meter.stop.is_none()
}

/// Ends the evaluation with this reason.
pub(super) fn refuse(reason: &str) {
    METER.with_borrow_mut(|meter| {
        meter.stop.get_or_insert_with(|| Stop::Refused(reason.to_owned()));
    });
}
