//! A stream whose peer must take what is written to it in time.
//!
//! Progress alone is not enough: a peer that reads one byte a second makes progress for hours. The clock
//! starts when a write first has to wait and stops when everything buffered was taken.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::activity::Activity;

/// See the module.
#[derive(Debug)]
pub(super) struct TimedIo<S> {
    stream: S,
    activity: Arc<Activity>,
    write_max: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedIo<S> {
    /// Gives each answer `write_max` to be taken, and tells `activity` of bytes that arrive.
    pub(super) fn new(stream: S, activity: Arc<Activity>, write_max: Duration) -> Self {
        Self { stream, activity, write_max, waiting: None }
    }

    /// Passes `result` on, unless it waits and has waited too long.
    fn timed<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() && self.waiting.is_none() {
            return result;
        }
        let write_max = self.write_max;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(write_max)));
        if waiting.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the answer was not taken in time",
            )));
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.bytes();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.timed(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.timed(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when its own buffer is empty: the answer is with the system.
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if result.is_ready() {
            self.waiting = None;
            if matches!(result, Poll::Ready(Ok(()))) {
                self.activity.flushed();
            }
        }
        self.timed(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.timed(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dripping_reader_is_cut_off() {
        let (near, mut far) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let mut byte = [0];
            while far.read_exact(&mut byte).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let start = Instant::now();
        let mut stream = TimedIo::new(near, Arc::new(Activity::new()), Duration::from_secs(5));
        let error = stream.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_the_whole_time() {
        let (near, mut far) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let mut some = [0; 100];
            while far.read_exact(&mut some).await.is_ok() {
                sleep(Duration::from_secs(3)).await;
            }
        });
        let mut stream = TimedIo::new(near, Arc::new(Activity::new()), Duration::from_secs(5));
        for _ in 0..10 {
            stream.write_all(&[0; 100]).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}
