//! TLS on both sides of an exchange: what the handshakes settled, and the certificates that were shown.

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::exchange::{Certificate, ClientCertificate, SniForm};
use crate::redact::Clean;

/// A view of TLS with the client.
pub(super) fn with_client(case: &Case<'_>) -> Option<Decoded> {
    let connection = &case.exchange.connection;
    let part = Decoded::new("TLS with the client", Place::ConnectionClient);
    let part = match &connection.client_tls {
        Some(tls) => {
            let name = match (&tls.sni, form(tls.sni_form)) {
                (Some(name), "") => name.clone(),
                (Some(name), form) => Clean::concat([name.clone(), " (".into(), form.into(), ")".into()]),
                (None, form) => form.into(),
            };
            part.row("version", tls.version.clone())
                .row("cipher", tls.cipher.clone())
                .row_if("ALPN", tls.alpn.clone())
                .row("SNI", name)
                .row_if("engine for old TLS", tls.legacy.clone())
        }
        None => part,
    };
    let part = connection.presented.iter().fold(part, |part, shown| certificate(part, "certificate shown", shown));
    (!part.rows.is_empty()).then_some(part)
}

/// A view of TLS with the server.
pub(super) fn with_server(case: &Case<'_>) -> Option<Decoded> {
    let server = case.exchange.connection.server.as_ref()?;
    let tls = server.tls.as_ref()?;
    let known = |text: &Clean| (!text.as_str().is_empty()).then(|| text.clone());
    let wanted = match &tls.client_certificate {
        ClientCertificate::NotAsked => None,
        ClientCertificate::Asked => Some("asked for, none given".into()),
        ClientCertificate::Given(subject) => Some(subject.clone()),
    };
    let part = Decoded::new("TLS with the server", Place::ConnectionServer)
        .row_if("version", known(&tls.version))
        .row_if("cipher", known(&tls.cipher))
        .row_if("ALPN", tls.alpn.clone())
        .row_if("engine for old TLS", tls.legacy.clone())
        .row_if("session", tls.resumed.then_some("resumed"))
        .row_if("renegotiation", tls.renegotiated.then_some("by the server, later on this connection"))
        .row_if("client certificate", wanted);
    let part = certificate(part, "certificate", &tls.certificate);
    let part = tls
        .chain
        .iter()
        .fold(part, |part, above| part.row("sent with it", above.subject.clone()).row("issuer", above.issuer.clone()));
    Some(part.row_if("accepted despite", tls.accepted_despite.clone()))
}

fn certificate(part: Decoded, name: &'static str, certificate: &Certificate) -> Decoded {
    if certificate.subject.as_str().is_empty() {
        // Nothing but its fingerprint is known.
        return part;
    }
    part.row(name, certificate.subject.clone())
        .row("issuer", certificate.issuer.clone())
        .row("subjectAltName", Clean::list(certificate.names.iter().cloned(), ", "))
        .row("notBefore", Clean::moment(certificate.not_before.seconds()))
        .row("notAfter", Clean::moment(certificate.not_after.seconds()))
}

/// What is odd about the form in which a client names its server; empty where nothing is.
const fn form(form: SniForm) -> &'static str {
    match form {
        SniForm::Name => "",
        SniForm::Absent => "none",
        SniForm::TrailingDot => "with a dot at its end",
        SniForm::Port => "with a port",
        SniForm::Address => "an IP address",
        SniForm::Odd => "no host name",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnosis::decode::decoded;
    use crate::exchange::{ClientTls, Connection, Exchange, Ids, Server, Timestamp, Tls};
    use crate::redact::Redactor;
    use crate::session::paste;

    fn over(connection: Connection) -> Exchange {
        let text = b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        let mut read = paste::read(text, &Redactor::new(), &Ids::default(), Timestamp(0));
        Exchange { connection: Arc::new(connection), ..read.remove(0) }
    }

    fn rows(exchange: &Exchange, place: &Place) -> Vec<(&'static str, String)> {
        let parts = decoded(exchange);
        let part = parts.iter().find(|part| part.place == *place).unwrap();
        part.rows.iter().map(|row| (row.name, row.value.to_string())).collect()
    }

    #[test]
    fn both_sides_are_shown_with_what_is_odd_about_them() {
        let root = Certificate { subject: "CN=Contoso Root".into(), ..Certificate::of_fingerprint([1; 32]) };
        let leaf = Certificate {
            subject: "CN=mail.contoso.com".into(),
            names: vec!["mail.contoso.com".into(), "contoso.com".into()],
            ..Certificate::of_fingerprint([2; 32])
        };
        let exchange = over(Connection {
            client_tls: Some(ClientTls {
                version: "TLS 1.0".into(),
                cipher: "TLS_RSA_WITH_AES_128_CBC_SHA".into(),
                alpn: None,
                sni: Some("mail.contoso.com:443".into()),
                sni_form: SniForm::Port,
                legacy: Some("the client speaks nothing newer than TLS 1.0".into()),
            }),
            server: Some(Server {
                address: "192.0.2.1:443".into(),
                tls: Some(Tls {
                    version: "TLS 1.0".into(),
                    chain: vec![root],
                    client_certificate: ClientCertificate::Asked,
                    ..Tls::of_certificate(leaf)
                }),
            }),
            ..Connection::default()
        });
        let client = rows(&exchange, &Place::ConnectionClient);
        assert!(client.contains(&("SNI", "mail.contoso.com:443 (with a port)".to_owned())), "{client:?}");
        assert!(client.iter().any(|(name, _)| *name == "engine for old TLS"), "{client:?}");
        let server = rows(&exchange, &Place::ConnectionServer);
        assert!(server.contains(&("subjectAltName", "mail.contoso.com, contoso.com".to_owned())), "{server:?}");
        assert!(server.contains(&("sent with it", "CN=Contoso Root".to_owned())), "{server:?}");
        assert!(server.contains(&("client certificate", "asked for, none given".to_owned())), "{server:?}");
        assert!(!server.iter().any(|(name, _)| *name == "session" || *name == "cipher"), "{server:?}");
    }

    #[test]
    fn plain_http_has_no_tls_to_show() {
        let none = |place: Place| !decoded(&over(Connection::default())).iter().any(|part| part.place == place);
        assert!(none(Place::ConnectionClient) && none(Place::ConnectionServer));
    }
}
