//! Failures of traffic, in words.

use rustls::AlertDescription;

use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::redact::{Clean, Redactor};

/// The client's TLS failed: mostly because it does not trust our root.
pub(crate) fn client_tls(error: &rustls::Error, redactor: &Redactor) -> Failure {
    use AlertDescription as Alert;
    let (kind, text) = match error {
        rustls::Error::AlertReceived(
            alert @ (Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied),
        ) => (
            FailureKind::CertificateRefusedByClient,
            Clean::concat(["the client refuses our certificate: ".into(), received(*alert, redactor)]),
        ),
        rustls::Error::AlertReceived(alert) => (
            FailureKind::TlsFailed,
            Clean::concat(["the client ended the TLS handshake: ".into(), received(*alert, redactor)]),
        ),
        rustls::Error::PeerIncompatible(_) => {
            (FailureKind::TlsIncompatible, "the client speaks no TLS version or cipher that this proxy speaks".into())
        }
        _ => (FailureKind::TlsFailed, "the client broke the rules of TLS".into()),
    };
    Failure { side: Side::Client, step: Step::Tls, kind, text }
}

/// The client went away right after it was shown our certificate, without an alert.
pub(crate) fn left_at_certificate(reset: bool) -> Failure {
    let text = if reset {
        "the client reset the connection right after it was shown our certificate"
    } else {
        "the client closed the connection right after it was shown our certificate"
    };
    Failure { side: Side::Client, step: Step::Tls, kind: FailureKind::CertificateRefusedByClient, text: text.into() }
}

/// The server's TLS failed after the handshake.
pub(crate) fn server_tls(error: &rustls::Error, redactor: &Redactor) -> Failure {
    let text = match error {
        rustls::Error::AlertReceived(alert) => {
            Clean::concat(["the server ended the TLS connection: ".into(), received(*alert, redactor)])
        }
        _ => "the server broke the rules of TLS".into(),
    };
    Failure { side: Side::Server, step: Step::Tls, kind: FailureKind::TlsFailed, text }
}

/// The server and our TLS do not get along, and the client speaks none of its own.
pub(crate) fn server_tls_incompatible() -> Failure {
    let text = "the server speaks no TLS version or cipher that this proxy speaks";
    Failure { side: Side::Server, step: Step::Tls, kind: FailureKind::TlsIncompatible, text: text.into() }
}

/// The server ended the connection without a word to the client's own ClientHello.
pub(crate) fn no_answer_to_hello(reset: bool) -> Failure {
    let (kind, text) = if reset {
        (FailureKind::Reset, "the server reset the connection in answer to the client's ClientHello")
    } else {
        (FailureKind::ClosedEarly, "the server closed the connection in answer to the client's ClientHello")
    };
    Failure { side: Side::Server, step: Step::Tls, kind, text: text.into() }
}

/// The server refused the client's own ClientHello with an alert.
pub(crate) fn hello_refused(alert: u8, redactor: &Redactor) -> Failure {
    let text = Clean::concat([
        "the server refuses the client's ClientHello: ".into(),
        received(AlertDescription::from(alert), redactor),
    ]);
    Failure { side: Side::Server, step: Step::Tls, kind: FailureKind::TlsIncompatible, text }
}

/// One side reset the connection.
pub(crate) fn reset(side: Side) -> Failure {
    let text = if side == Side::Client { "the client reset the connection" } else { "the server reset the connection" };
    Failure { side, step: Step::Receive, kind: FailureKind::Reset, text: text.into() }
}

/// The client closed before the exchange was over.
pub(crate) fn client_left() -> Failure {
    Failure {
        side: Side::Client,
        step: Step::Receive,
        kind: FailureKind::ClosedEarly,
        text: "the client closed the connection before the exchange was over".into(),
    }
}

/// The server that was asked last closed its connection, and so the client's was closed, too.
pub(crate) fn never_passed_on() -> Failure {
    let text = "the server closed the connection before this request could be passed on";
    Failure { side: Side::Server, step: Step::Receive, kind: FailureKind::ClosedEarly, text: text.into() }
}

/// We cut it.
pub(crate) fn cut_by_us() -> Failure {
    Failure {
        side: Side::Proxy,
        step: Step::Receive,
        kind: FailureKind::CutByUs,
        text: "authtap was stopped while this was going on".into(),
    }
}

/// Something on our side that should not happen and is not the traffic's fault.
pub(crate) fn ours(text: &'static str) -> Failure {
    Failure { side: Side::Proxy, step: Step::Tls, kind: FailureKind::Other, text: text.into() }
}

/// The caller is this proxy: a name, a redirection or a port forwarding leads its own connection back to it.
pub(crate) fn called_by_ourselves() -> Failure {
    let text =
        "this proxy called itself: a name, a redirection or a port forwarding leads its own connection back to it";
    Failure { side: Side::Proxy, step: Step::Connect, kind: FailureKind::Other, text: text.into() }
}

/// What the client sent is no request to a proxy.
pub(crate) fn not_a_request(text: &'static str) -> Failure {
    Failure { side: Side::Client, step: Step::Receive, kind: FailureKind::NotUnderstood, text: text.into() }
}

/// The client left while the server had not finished its TLS handshake with us.
pub(crate) fn left_before_server_tls() -> Failure {
    let text = "the client gave up before the server had finished its TLS handshake";
    Failure { side: Side::Client, step: Step::Tls, kind: FailureKind::ClosedEarly, text: text.into() }
}

/// More new names came in a short time than certificates are made for.
pub(crate) fn too_many_names() -> Failure {
    let text = "clients asked for too many new host names in a short time";
    Failure { side: Side::Client, step: Step::Tls, kind: FailureKind::TooMany, text: text.into() }
}

/// The client gave this proxy another user name or password than it asks for.
pub(crate) fn wrong_login() -> Failure {
    let text = "the client gave a user name or password that this proxy does not know (--proxy-auth)";
    Failure { side: Side::Client, step: Step::Receive, kind: FailureKind::NotAdmitted, text: text.into() }
}

fn received(alert: AlertDescription, redactor: &Redactor) -> Clean {
    let name = redactor.wire().token(format!("{alert:?}").as_bytes());
    Clean::concat(["received fatal alert: ".into(), name])
}
