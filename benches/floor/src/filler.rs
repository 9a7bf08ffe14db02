//! Bodies of any size out of one piece of memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// How large the bodies are whose throughput is measured.
pub const LARGE: u64 = 256 << 20;

/// A body that gives the same piece until it is long enough.
pub struct Filler {
    piece: Bytes,
    missing: u64,
}

impl Filler {
    /// Exactly `piece`.
    pub fn of(piece: Bytes) -> Self {
        Self { missing: piece.len() as u64, piece }
    }

    /// [`LARGE`] bytes that do not compress.
    pub fn large() -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()
        };
        let piece: Vec<u8> = (0..8192).flat_map(|_| next()).collect();
        Self { piece: piece.into(), missing: LARGE }
    }
}

impl Body for Filler {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let length = this.missing.min(this.piece.len() as u64);
        this.missing -= length;
        let piece = || this.piece.slice(..usize::try_from(length).unwrap_or_default());
        Poll::Ready((length > 0).then(|| Ok(Frame::data(piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.missing)
    }
}
