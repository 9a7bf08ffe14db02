//! The server insists on a certificate of the client's, and the proxy has none to give.
//!
//! Not to be confused with a client that refuses the certificate that it is shown (`tls-trust-failure`), with the
//! server's own certificate (`certificate-invalid`), or with a server that merely asks and serves without.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::{ClientCertificate, Side, Step, Unseen};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "client-certificate-required",
    title: Text {
        en: "The server insists on a client certificate", ja: "サーバーがクライアント証明書を要求している"
    },
    explanation: Text {
        en: "{host} asks for a certificate of the client's in the TLS handshake and does not serve without one. The \
             client's own cannot pass through a proxy that decrypts: it proves itself with a signature over the one \
             handshake that it takes part in. Where only a tunnel is shown, the client's own handshake was passed on \
             untouched, with its certificate, and what went on inside cannot be seen.",
        ja: "{host} は TLS ハンドシェイクでクライアント証明書を要求し、証明書なしでは応答しません。クライアント自身の証明\
             書は復号するプロキシを通れません。証明書の所有は、クライアントが参加するハンドシェイクへの署名で証明されるた\
             めです。トンネルだけが表示されている場合は、クライアントのハンドシェイクを証明書ごとそのまま転送しており、そ\
             の内容は見えません。",
    },
    remedy: Text {
        en: "To look inside, give the proxy the client's certificate with its key (PEM or PFX):\n\
             authtap --client-cert {host}=client.pfx\n\
             To leave it to the client, pass the host through:\n\
             authtap --skip-decrypt {host}",
        ja: "内容を見るには、クライアントの証明書とキー (PEM または PFX) をプロキシに渡します。\n\
             authtap --client-cert {host}=client.pfx\n\
             クライアントに任せる場合は、そのホストを復号せずに通します。\n\
             authtap --skip-decrypt {host}",
    },
    sources: &["RFC 8446 section 4.3.2", "RFC 5246 section 7.4.4"],
    kinds: &[Kind::Note, Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ThisProxy],
    gate: Gate::ANY,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let exchange = case.exchange;
    let about = |hit: Hit| hit.on(case.on_server()).naming("host", case.host_name());
    if exchange.request.unseen() == Some(Unseen::ServerWantsCertificate) {
        let text = "passed through: the server asked for a client certificate and refused the handshake without";
        let hit = about(Hit::note(Certainty::Certain, Actor::ThisProxy));
        return Some(hit.because(case.evidence(Place::ConnectionServer, text)));
    }
    let tls = exchange.connection.server.as_ref().and_then(|server| server.tls.as_ref())?;
    if tls.client_certificate != ClientCertificate::Asked {
        return None;
    }
    let failure = exchange.error.as_ref().filter(|failure| {
        failure.side == Side::Server
            && failure.step == Step::Tls
            && failure.text.as_str().contains("CertificateRequired")
    })?;
    let hit = about(Hit::failure(Certainty::Certain, Actor::ThisProxy));
    let asked = Clean::from("the server asked for a client certificate, and none was given");
    Some(
        hit.because(case.evidence(Place::ConnectionServer, failure.text.clone()))
            .because(case.evidence(Place::ConnectionServer, asked)),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::{Certificate, ClientCertificate, Connection, FailureKind, Server, Side, Step, Tls, Unseen};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the tunnel passed undecrypted",
            (Kind::Note, Certainty::Certain, Actor::ThisProxy),
            &[Raw::tunnel("CONNECT https://certs.contoso.com/", Unseen::ServerWantsCertificate)],
        )
        .live(),
        Example::silent(
            "the server is too old",
            &[Raw::tunnel("CONNECT https://certs.contoso.com/", Unseen::ServerTlsTooOld)],
        )
        .live(),
        Example::silent(
            "the server refuses the handshake for another reason",
            &[Raw::failed(
                "CONNECT https://certs.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::TlsIncompatible,
                "the server refuses the client's ClientHello: received fatal alert: HandshakeFailure",
            )],
        )
        .live(),
    ];

    #[test]
    fn a_server_that_says_so_after_the_handshake_fails_the_request() {
        let raw = Raw::failed(
            "GET https://certs.contoso.com/",
            Side::Server,
            Step::Tls,
            FailureKind::TlsFailed,
            "the server ended the TLS connection: received fatal alert: CertificateRequired",
        );
        let mut exchange = exchanges(&[raw]).remove(0);
        for (client_certificate, fires) in [(ClientCertificate::Asked, true), (ClientCertificate::NotAsked, false)] {
            let tls = Tls { client_certificate, ..Tls::of_certificate(Certificate::of_fingerprint([1; 32])) };
            let server = Some(Server { address: "192.0.2.1:443".into(), tls: Some(tls) });
            exchange.connection = Arc::new(Connection { server, ..Connection::default() });
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported));
            assert_eq!(hit.map(|hit| hit.kind), fires.then_some(Kind::Failure));
        }
    }
}
