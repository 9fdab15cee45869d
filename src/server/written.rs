//! Word of an answer that is written: for what must not happen before.

use std::sync::Arc;

use tokio::sync::Notify;

/// Among the extensions of an answer: told once its bytes are with the operating system. Where the connection ends
/// before, it never is. Cloning shares.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<Notify>);

impl Written {
    /// The answer is written.
    pub fn tell(&self) {
        self.0.notify_one();
    }

    /// Returns once it is; also where it was before this is called. One may wait.
    pub async fn told(&self) {
        self.0.notified().await;
    }
}
