//! The live plan: read by every exchange, replaced whole.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Plan;

/// Where exchanges find the live plan. Cheap to clone; all clones see the same plan.
#[derive(Clone)]
pub struct PlanHandle(Arc<ArcSwap<Plan>>);

impl PlanHandle {
    /// Starts with the first plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(plan)))
    }

    /// The live plan. An exchange calls this once and keeps what it got.
    #[must_use]
    pub fn load(&self) -> Arc<Plan> {
        self.0.load_full()
    }

    /// Puts `plan` in the place of the live one; running exchanges keep theirs.
    pub fn install(&self, plan: Plan) {
        self.0.store(Arc::new(plan));
    }
}
