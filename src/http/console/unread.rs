//! A body between its sender and a parser that reads whatever has arrived: it is handed over in portions, so that a fast sender fills no
//! memory, and it breaks off if the parser makes nothing of a whole portion, as of a head that never ends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_core::Stream;

/// The size of a portion, in bytes; the piece that fills it may go beyond it.
const PORTION_BYTES: usize = 256 << 10;

/// A body ended early, or its parser made nothing of a whole portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body broke off")]
pub(super) struct BrokenOff;

/// What a parser has been given since it made something of it.
#[derive(Clone, Default)]
pub(super) struct Unread {
    bytes: Arc<AtomicUsize>,
    is_held: Arc<AtomicBool>,
}

impl Unread {
    /// The pieces of a body, in portions.
    pub(super) fn portions<S>(&self, body: S) -> Portions<S> {
        Portions { body, unread: self.clone() }
    }

    /// The parser made something of what it was given, and may have the next portion.
    pub(super) fn progressed(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.is_held.store(false, Ordering::Relaxed);
    }
}

/// The pieces of a body, in portions.
pub(super) struct Portions<S> {
    body: S,
    unread: Unread,
}

impl<S: Stream<Item = Result<Bytes, E>> + Unpin, E> Stream for Portions<S> {
    type Item = Result<Bytes, BrokenOff>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.unread.bytes.load(Ordering::Relaxed) >= PORTION_BYTES {
            // The first time, the parser looks at what it has. If it makes nothing of it, it asks again.
            if self.unread.is_held.swap(true, Ordering::Relaxed) {
                return Poll::Ready(Some(Err(BrokenOff)));
            }
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.body).poll_next(context);
        next.map(|piece| {
            piece.map(|piece| {
                let piece = piece.map_err(|_| BrokenOff)?;
                self.unread.bytes.fetch_add(piece.len(), Ordering::Relaxed);
                Ok(piece)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use multer::Multipart;

    use super::*;

    /// A body whose pieces have all arrived.
    struct Arrived {
        head: &'static [u8],
        pieces: usize,
        tail: &'static [u8],
    }

    static PIECE: [u8; 10_000] = [b'x'; 10_000];

    impl Stream for Arrived {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let next = if !self.head.is_empty() {
                std::mem::take(&mut self.head)
            } else if self.pieces == 0 {
                std::mem::take(&mut self.tail)
            } else {
                self.pieces -= 1;
                &PIECE[..]
            };
            Poll::Ready((!next.is_empty()).then(|| Ok(Bytes::from_static(next))))
        }
    }

    #[tokio::test]
    async fn a_fast_sender_is_read_portion_by_portion() {
        let head = b"--line\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
        let unread = Unread::default();
        let body = unread.portions(Arrived { head, pieces: 1_000, tail: b"\r\n--line--\r\n" });
        let mut form = Multipart::new(body, "line");
        let mut field = form.next_field().await.expect("a form").expect("a field");
        unread.progressed();
        let mut read = 0;
        while let Some(piece) = field.chunk().await.expect("a piece") {
            unread.progressed();
            assert!(piece.len() <= 3 * PORTION_BYTES, "{} bytes were gathered", piece.len());
            read += piece.len();
        }
        assert_eq!(read, 10_000_000);
    }

    #[tokio::test]
    async fn a_head_without_end_breaks_off() {
        let unread = Unread::default();
        let body = unread.portions(Arrived { head: b"--line\r\nContent-Disposition: ", pieces: 1_000, tail: b"" });
        assert!(Multipart::new(body, "line").next_field().await.is_err());
        assert!(unread.bytes.load(Ordering::Relaxed) < 2 * PORTION_BYTES);
    }
}
