//! What is known of backends: what their last calls came to, and where that says nothing good, whether they accept a
//! connection.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{BackendSettings, LegacyErrorKind};

/// An answer that is younger than this shows that a backend is up, in milliseconds.
const HEARD_MS_MAX: u64 = 10_000;

/// Whether a backend is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendState {
    /// It answered lately, or accepts connections.
    Up,
    /// It accepts connections, but its last call came to nothing.
    Failing(LegacyErrorKind),
    /// It accepts no connection.
    Down,
}

/// What the last call of a backend came to.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Option<(Instant, Result<(), LegacyErrorKind>)>>);

impl Heard {
    /// Notes what a call came to. What is our own doing (permits, deadlines, limits) says nothing of the backend.
    pub(super) fn note(&self, result: Result<(), LegacyErrorKind>) {
        use LegacyErrorKind as Kind;
        if matches!(result, Err(Kind::Deadline | Kind::Overloaded | Kind::TooLarge | Kind::BadEncoding)) {
            return;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), result));
    }

    fn last(&self) -> Option<(Instant, Result<(), LegacyErrorKind>)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks anew only where the last call does not answer the question.
    pub(super) async fn state(&self, settings: &BackendSettings) -> BackendState {
        let last = self.last();
        if let Some((at, Ok(()))) = last
            && at.elapsed() < Duration::from_millis(HEARD_MS_MAX)
        {
            return BackendState::Up;
        }
        let connect_max = Duration::from_millis(settings.connect_ms_max);
        let address = settings.base_url.host_and_port();
        match timeout(connect_max, TcpStream::connect(address)).await {
            Ok(Ok(_)) => match last {
                Some((_, Err(kind))) => BackendState::Failing(kind),
                _ => BackendState::Up,
            },
            _ => BackendState::Down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_did_ourselves_says_nothing_of_a_backend() {
        let heard = Heard::default();
        heard.note(Ok(()));
        for kind in [LegacyErrorKind::Deadline, LegacyErrorKind::Overloaded, LegacyErrorKind::TooLarge] {
            heard.note(Err(kind));
            assert_eq!(heard.last().unwrap().1, Ok(()), "{kind}");
        }
        heard.note(Err(LegacyErrorKind::AnswerTimeout));
        assert_eq!(heard.last().unwrap().1, Err(LegacyErrorKind::AnswerTimeout));
    }
}
