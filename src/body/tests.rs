use std::{
    convert::Infallible,
    io::Write,
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::Full;
use hyper::body::Frame;
use proptest::prelude::*;

use super::*;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn run(encoding: Option<&str>, data: &[u8], limits: BodyLimits) -> Result<Bytes, BodyError> {
    let mut headers = HeaderMap::new();
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
    }
    let body = Full::new(Bytes::copy_from_slice(data));
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
        let deadline = Instant::now() + Duration::from_mins(1);
        read(&headers, body, &limits, deadline).await
    })
}

/// `Content-Encoding`, body, what comes of it.
type Row<'a> = (Option<&'a str>, &'a [u8], Result<&'a [u8], BodyError>);

#[test]
fn encodings_are_decoded_or_refused() {
    let plain = b"{\"id\":1}";
    let packed = gzip(plain);
    let mut twice = gzip(b"{\"id\"");
    twice.extend(gzip(b":1}"));
    let rows: [Row<'_>; 9] = [
        (None, plain, Ok(plain)),
        (Some("identity"), plain, Ok(plain)),
        (Some("GZIP"), &packed, Ok(plain)),
        (Some("x-gzip, identity"), &packed, Ok(plain)),
        (Some("gzip"), &twice, Ok(plain)),
        (Some("gzip, gzip"), &packed, Err(BodyError::Encoding)),
        (Some("br"), plain, Err(BodyError::Encoding)),
        (Some("gzip"), plain, Err(BodyError::Corrupt)),
        (Some("gzip"), &packed[..packed.len() - 3], Err(BodyError::Corrupt)),
    ];
    for (encoding, data, expected) in rows {
        let got = run(encoding, data, BodyLimits::of(1000));
        assert_eq!(got.as_deref(), expected.as_deref(), "{encoding:?}");
    }
}

#[test]
fn a_bomb_meets_the_decoded_limit() {
    let bomb = gzip(&vec![b' '; 10_000_000]);
    assert!(bomb.len() < 20_000);
    let limits = BodyLimits { wire_bytes_max: 20_000, bytes_max: 100_000, discarded_bytes_max: 0 };
    assert_eq!(run(Some("gzip"), &bomb, limits), Err(BodyError::TooLarge { bytes_max: 100_000 }));
}

#[test]
fn limits_hold_at_the_byte() {
    for (length, good) in [(0, true), (99, true), (100, true), (101, false)] {
        let data = vec![b'x'; length];
        assert_eq!(run(None, &data, BodyLimits::of(100)).is_ok(), good, "{length}");
        let limits = BodyLimits { wire_bytes_max: 1000, bytes_max: 100, discarded_bytes_max: 0 };
        assert_eq!(run(Some("gzip"), &gzip(&data), limits).is_ok(), good, "{length} packed");
    }
}

/// Gives one byte and then nothing, for ever.
struct Stuck(bool);

impl Body for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_is_cut_off_at_the_deadline() {
    let start = Instant::now();
    let deadline = earlier(start + Duration::from_secs(30), start, 5000);
    let got = read(&HeaderMap::new(), Stuck(false), &BodyLimits::of(100), deadline).await;
    assert_eq!(got, Err(BodyError::Late));
    assert_eq!(start.elapsed().as_secs(), 5);
}

proptest! {
    #[test]
    fn what_was_packed_comes_out(data in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let got = run(Some("gzip"), &gzip(&data), BodyLimits { wire_bytes_max: 4000, bytes_max: 2000, discarded_bytes_max: 0 });
        prop_assert_eq!(got.unwrap(), data);
    }
}

#[test]
fn what_is_too_large_is_taken_so_that_its_sender_reads_why() {
    /// Counts how many frames of 100 bytes were asked for.
    struct Frames(usize, std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.0 == 0 {
                return Poll::Ready(None);
            }
            self.0 -= 1;
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 100])))))
        }
    }

    for (discarded_bytes_max, taken) in [(0, 3), (500, 9), (100_000, 50)] {
        let counter = std::sync::Arc::default();
        let body = Frames(50, std::sync::Arc::clone(&counter));
        let limits = BodyLimits { discarded_bytes_max, ..BodyLimits::of(250) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let result = runtime.block_on(async {
            read(&HeaderMap::new(), body, &limits, Instant::now() + Duration::from_mins(1)).await
        });
        assert_eq!(result, Err(BodyError::TooLarge { bytes_max: 250 }));
        assert_eq!(counter.load(std::sync::atomic::Ordering::Relaxed), taken, "{discarded_bytes_max}");
    }
}
