//! The pace of a connection: the slowest rate at which a reader may take what is written to them.
//!
//! Promises that a connection which takes next to nothing for a while is closed, so that nobody can
//! occupy memory or a place among the connections by not reading. It sits between TLS and the socket,
//! so that it applies with and without TLS, and it ignores connections to which nothing is written.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The slowest rate at which a reader may take data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The smallest number of bytes to take in each window of time while more data waits to be written.
    pub bytes_min: usize,
    /// The length of the window.
    pub window: Duration,
}

/// The window in seconds during which a reader must take at least [`BYTES_MIN`].
const WINDOW_SECONDS: u64 = 30;
/// The number of bytes that a reader must take in that time: about half a kilobyte per second.
const BYTES_MIN: usize = 16 << 10;

impl Default for Pace {
    fn default() -> Self {
        Self { bytes_min: BYTES_MIN, window: Duration::from_secs(WINDOW_SECONDS) }
    }
}

/// A stream whose reader must keep to a pace.
pub struct Paced<S> {
    io: S,
    pace: Pace,
    /// The end of the present window; `None` while nothing waits to be written.
    end: Option<Pin<Box<Sleep>>>,
    /// The number of bytes taken in the present window.
    taken: usize,
}

impl<S> Paced<S> {
    /// Requires whoever reads from the other end of `io` to keep to a pace.
    pub fn new(io: S, pace: Pace) -> Self {
        Self { io, pace, end: None, taken: 0 }
    }

    /// Accounts for the outcome of a write: counts what was taken, and times out if data has waited for a whole window.
    fn paced<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match &written {
            Poll::Ready(Ok(taken)) => {
                self.taken += bytes(taken);
                if self.end.is_none() || self.taken >= self.pace.bytes_min {
                    self.rest();
                }
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let window = self.pace.window;
                let end = self.end.get_or_insert_with(|| Box::pin(sleep(window)));
                match end.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Err(ErrorKind::TimedOut.into())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    /// Ends the window: nothing waits, or enough was taken. The next wait begins a new one.
    fn rest(&mut self) {
        (self.end, self.taken) = (None, 0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.paced(context, written, |taken| *taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.paced(context, written, |taken| *taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// A completed flush means that nothing waits.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if flushed.is_ready() {
            self.rest();
        }
        self.paced(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.io).poll_shutdown(context);
        self.paced(context, closed, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// An end that takes what it is told to take, and then nothing.
    struct Reader {
        takes: Vec<usize>,
    }

    impl AsyncWrite for Reader {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            match self.takes.pop() {
                Some(taken) => Poll::Ready(Ok(taken.min(bytes.len()))),
                None => Poll::Pending,
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn paced(takes: &[usize]) -> Paced<Reader> {
        let pace = Pace { bytes_min: 100, window: Duration::from_secs(3_600) };
        Paced::new(Reader { takes: takes.iter().rev().copied().collect() }, pace)
    }

    fn write(stream: &mut Paced<Reader>) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), &[0; 1_000])
    }

    #[tokio::test]
    async fn a_window_ends_with_enough_bytes_and_not_with_a_few() {
        let mut stream = paced(&[]);
        assert!(write(&mut stream).is_pending());
        let begun = stream.end.as_ref().expect("a window").deadline();
        stream.io.takes = vec![40, 59];
        assert!(write(&mut stream).is_ready() && write(&mut stream).is_ready() && write(&mut stream).is_pending());
        assert_eq!(stream.end.as_ref().expect("the same window").deadline(), begun, "99 bytes are too few");
        stream.io.takes = vec![1];
        assert!(write(&mut stream).is_ready());
        assert!(stream.end.is_none() && stream.taken == 0, "the hundredth ends it");
    }

    #[tokio::test]
    async fn a_connection_that_nothing_is_written_to_has_no_window() {
        let mut stream = paced(&[10, 10]);
        assert!(write(&mut stream).is_ready() && stream.end.is_none() && stream.taken == 0);
        assert!(write(&mut stream).is_ready() && write(&mut stream).is_pending() && stream.end.is_some());
        let flushed = Pin::new(&mut stream).poll_flush(&mut Context::from_waker(Waker::noop()));
        assert!(flushed.is_ready() && stream.end.is_none(), "all of it was handed over");
    }

    #[tokio::test]
    async fn who_takes_nothing_is_broken_off() {
        let mut stream = paced(&[10]);
        stream.pace.window = Duration::from_millis(1);
        assert!(write(&mut stream).is_ready());
        let broken = std::future::poll_fn(|context| Pin::new(&mut stream).poll_write(context, &[0; 1_000])).await;
        assert_eq!(broken.expect_err("a fault").kind(), ErrorKind::TimedOut);
    }
}
