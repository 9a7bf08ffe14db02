use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::super::stage::{
    Line, ServerAuthority, Stage, client_config, expect, patiently, read_head, rest, self_signed, server,
};
use super::*;
use crate::exchange::Exchange;

const HOST: &str = "mail.contoso.com";
const REQUEST: &[u8] = b"GET /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

/// Answers every request with [`RESPONSE`].
async fn answering(mut line: Box<dyn Line>) {
    while read_head(&mut line).await.ends_with("\r\n\r\n") {
        if line.write_all(RESPONSE).await.is_err() {
            return;
        }
    }
}

async fn exchange_with(stage: &mut Stage, client: &mut (impl Line + ?Sized)) -> Exchange {
    client.write_all(REQUEST).await.unwrap();
    expect(&mut Box::pin(client), RESPONSE).await;
    stage.ended_one().await
}

#[tokio::test]
async fn a_request_through_tls_is_read_and_its_connection_known() {
    let servers = ServerAuthority::new();
    let mut config = servers.server(HOST);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut stage = Stage::new(server(Some(config), answering).await, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let exchange = exchange_with(&mut stage, &mut client).await;
    assert_eq!(exchange.url.unwrap().text().as_str(), "https://mail.contoso.com/EWS/Exchange.asmx");
    assert_eq!(exchange.response.seen().unwrap().status, 401);
    assert_eq!(exchange.error, None);
    let connection = exchange.connection;
    let tls = connection.server.as_ref().unwrap().tls.as_ref().unwrap();
    assert_eq!((tls.version.as_str(), tls.alpn.as_ref().unwrap().as_str()), ("TLS 1.3", "http/1.1"));
    assert_eq!(tls.certificate.names, [HOST]);
    assert_eq!(tls.accepted_despite, None);
    let shown = &client.get_ref().1.peer_certificates().unwrap()[0];
    assert_eq!(connection.presented.as_ref().unwrap().sha256, crypto::sha256(shown));
    assert_eq!(connection.target.as_ref().unwrap(), &"mail.contoso.com:443");
}
