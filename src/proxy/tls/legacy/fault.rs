//! Errors of OpenSSL, said as rustls says them: what stands above an engine knows one closed set.

use std::io;

use openssl::error::ErrorStack;
use openssl::ssl;
use rustls::{AlertDescription, Error, PeerIncompatible};

/// OpenSSL's own error could not begin.
pub(super) fn setup(_: ErrorStack) -> io::Error {
    said(Error::General("the engine for old TLS could not be set up".into()))
}

/// An error of the handshake.
pub(super) fn of_handshake(error: ssl::Error) -> io::Error {
    match error.into_io_error() {
        Ok(error) => error,
        Err(error) => of(&error),
    }
}

/// An error of reading or writing, inside of which OpenSSL's may be.
pub(super) fn of_stream(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ssl::Error>()) {
        Some(inner) => of(inner),
        None => error,
    }
}

// Reasons of the library's part SSL, from its sslerr.h.
const ALERTS: std::ops::Range<i32> = 1000..1256;
const UNEXPECTED_EOF: i32 = 294;
const NO_COMMON: [i32; 9] = [
    141, // excessive or unsupported elliptic curve
    191, // no protocols available
    193, // no shared cipher
    258, // unsupported protocol
    266, // wrong SSL version
    267, // wrong version number
    297, // unsafe legacy renegotiation disabled, in older releases
    338, // the same
    394, // DH key too small
];

fn of(error: &ssl::Error) -> io::Error {
    let reason = error.ssl_error().and_then(|stack| stack.errors().last()).map(openssl::error::Error::reason_code);
    match reason {
        Some(code) if ALERTS.contains(&code) => {
            let alert = u8::try_from(code - ALERTS.start).unwrap_or_default();
            said(Error::AlertReceived(AlertDescription::from(alert)))
        }
        // The connection ended without a word of TLS; so tokio-rustls says it.
        None | Some(UNEXPECTED_EOF) => io::ErrorKind::UnexpectedEof.into(),
        Some(code) if NO_COMMON.contains(&code) => {
            said(Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon))
        }
        Some(_) => said(Error::General("broken TLS".into())),
    }
}

/// As tokio-rustls wraps what rustls says.
fn said(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
