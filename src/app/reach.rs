//! Who answers the clients of a capture, and how they are reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Fault, Upstream, input, warn};
use crate::proxy::{HostPattern, Replay, Resolve, Responder};
use crate::redact::Redactor;
use crate::text::Language;

/// Who answers, and how they are reached.
#[derive(Default)]
pub(super) struct Reach {
    pub(super) responder: Responder,
    pub(super) upstream_ca: Vec<PathBuf>,
    pub(super) insecure_upstream: bool,
    pub(super) resolve: Vec<Resolve>,
    pub(super) skip_decrypt: Vec<HostPattern>,
    pub(super) http1: Vec<HostPattern>,
    pub(super) only: Vec<HostPattern>,
}

impl Reach {
    /// The servers that clients ask for.
    pub(super) fn servers(upstream: Upstream) -> Self {
        let mut skip_decrypt = HostPattern::never_decrypted();
        skip_decrypt.extend(upstream.skip_decrypt);
        Self {
            responder: Responder::Upstream,
            upstream_ca: upstream.trust,
            insecure_upstream: upstream.insecure,
            resolve: upstream.resolve,
            skip_decrypt,
            http1: upstream.http1,
            only: upstream.only,
        }
    }

    /// Nobody but the session is asked. Its labels are its own, so they get a redactor of their own.
    pub(super) fn session(file: &Path, language: Language) -> Result<Self, Fault> {
        let (replay, gaps) = Replay::new(input::session(file, &Redactor::new())?);
        for gap in gaps {
            warn(&Fault::from(gap).message(language));
        }
        Ok(Self { responder: Responder::Instead(Arc::new(replay)), ..Self::default() })
    }
}
