//! Who opened TLS between the client and the server, and what a client's channel binding says of that.
//!
//! Extended Protection refuses credentials that are bound to another certificate than the server's own. NTLM shows what
//! it is bound to; in Kerberos the binding is encrypted, so there only the certificates themselves tell.

use super::{Actor, Capture, Case, Sent};
use crate::exchange::Certificate;
use crate::redact::{Binding, Credential, Negotiate, NtlmMessage, Token};

/// What the credentials of a request say of the certificate that the client saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// NTLM, bound to a certificate that is not the server's.
    Foreign,
    /// NTLM, bound to the certificate that the server showed.
    Right,
    /// NTLM, bound to a certificate of which nothing is known here.
    Somehow,
    /// NTLM without a binding.
    Nothing,
    /// NTLM version 1 or older, which has no place for one.
    Version1,
    /// A Kerberos ticket: its binding cannot be read.
    Hidden,
    /// A password or token, which Extended Protection does not look at.
    Free,
}

impl Bound {
    /// What the request in `case` sent; nothing for no credentials, and for messages that are no proof yet.
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        let Sent::Credential(credential) = case.authorization() else { return None };
        if let Some(message) = case.ntlm() {
            let NtlmMessage::Authenticate { version, binding, .. } = message else { return None };
            return (!message.is_anonymous()).then(|| match binding {
                _ if *version < 2 => Self::Version1,
                Binding::None | Binding::Zero => Self::Nothing,
                Binding::Ours => Self::Foreign,
                Binding::Server => Self::Right,
                Binding::Other if is_foreign(case) => Self::Foreign,
                Binding::Other => Self::Somehow,
            });
        }
        match credential {
            Credential::Basic { .. } | Credential::Digest { .. } => Some(Self::Free),
            Credential::Bearer(token) if *token != Token::Empty => Some(Self::Free),
            Credential::Negotiate(Negotiate::Kerberos { .. }) => Some(Self::Hidden),
            _ => None,
        }
    }
}

/// Who showed the client a certificate that is not the server's, as far as the capture tells.
pub(super) fn interceptor(case: &Case<'_>) -> Option<Actor> {
    let (presented, server) = certificates(case);
    if presented.is_some() && presented == server {
        return None;
    }
    match case.capture() {
        Capture::Live { .. } | Capture::Replayed => presented.map(|_| Actor::ThisProxy),
        Capture::Imported => presented.map(|_| Actor::CaptureTool),
        Capture::Intercepted => Some(Actor::CaptureTool),
    }
}

/// Who showed the client the certificate that a foreign binding is of.
pub(super) fn binder(case: &Case<'_>) -> Actor {
    let ours = matches!(case.ntlm(), Some(NtlmMessage::Authenticate { binding: Binding::Ours, .. }));
    if !ours && certificates(case).0.is_some() {
        // Neither what was presented here nor the server's: somebody else stands between the client and this capture.
        return Actor::Network;
    }
    if case.capture().is_live() { Actor::ThisProxy } else { Actor::CaptureTool }
}

/// Whether a binding that is neither ours nor the server's is known to be none of the server's.
fn is_foreign(case: &Case<'_>) -> bool {
    let (presented, server) = certificates(case);
    server.is_some() || (case.capture() == Capture::Intercepted && presented.is_none())
}

/// The fingerprints of the certificate shown to the client and of the server's own.
fn certificates(case: &Case<'_>) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
    let connection = &case.exchange.connection;
    let server = connection.server.as_ref().and_then(|server| server.tls.as_ref()).map(|tls| &tls.certificate);
    let fingerprint = |certificate: &Certificate| certificate.sha256;
    (connection.presented.as_ref().map(fingerprint), server.map(fingerprint))
}
