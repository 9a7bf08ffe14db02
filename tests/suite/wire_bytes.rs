//! The tap: what a client sent is what the server gets, byte for byte, and the other way round. A client and a server by
//! hand on both sides of the proxy; the session shows the heads as they were, redacted.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use authtap::exchange::Exchange;
use authtap::redact::Field;

use crate::kit::{DEADLINE, Origin, Request, Talk, Tunnel, Workshop, saved};

const HOST: &str = "mail.contoso.com";

/// Odd order, spelling, duplicates, bytes above 127, blanks, an empty value, a folded line, a bare name.
const HEAD: &[u8] = b"pOsT /EWS/Exchange.asmx?Cmd=Sync&b=%41 HTTP/1.1\r\n\
    X-Dup: 1\r\n\
    hOsT: mail.contoso.com\r\n\
    x-dUP: 2\r\n\
    Accept:text/xml\r\n\
    User-Agent:   Microsoft Office/16.0 (Outlook)  \r\n\
    X-Bytes: caf\xe9 \xff\xfe\r\n\
    X-Folded: one\r\n\t two\r\n\
    ACCEPT: */*\r\n\
    Pragma:\r\n\
    content-LENGTH: 5\r\n\
    \r\n";

const HEAD_NAMES: [&str; 10] =
    ["X-Dup", "hOsT", "x-dUP", "Accept", "User-Agent", "X-Bytes", "X-Folded", "ACCEPT", "Pragma", "content-LENGTH"];

const ANSWER: &[u8] = b"HTTP/1.1 401 Acc\xe8s refus\xe9, d\xe9sol\xe9\r\n\
    dATE: Thu, 13 Jul 2017 18:22:13 GMT\r\n\
    www-AUTHENTICATE: Negotiate\r\n\
    WWW-Authenticate: NTLM\r\n\
    Server:Microsoft-IIS/8.5\r\n\
    www-authenticate:   Basic realm=\"mail.contoso.com\"  \r\n\
    X-Odd: \x80\x81\r\n\
    Content-Length: 3\r\n\
    \r\n\
    no\n";

#[test]
fn heads_arrive_as_they_were_sent_and_are_shown_so() {
    let sent = [HEAD, b"hello"].concat();
    let (request, answer, exchange) = one_exchange(&sent, ANSWER);
    assert_same(&request, &sent);
    assert_same(&answer, ANSWER);

    let names: Vec<&str> = exchange.request_fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, HEAD_NAMES);
    assert_eq!(exchange.method.as_ref().unwrap(), "pOsT");
    assert_eq!(values(exchange.request_fields(), "accept"), ["text/xml", "*/*"]);
    assert_eq!(values(exchange.request_fields(), "user-agent"), ["Microsoft Office/16.0 (Outlook)"]);
    assert_eq!(values(exchange.request_fields(), "pragma"), [""]);
    assert_eq!(values(exchange.request_fields(), "content-length"), ["5"]);

    let response = exchange.response.seen().unwrap();
    assert_eq!(response.reason.to_wire(), b"Acc\xe8s refus\xe9, d\xe9sol\xe9");
    let names: Vec<&str> = exchange.response_fields().iter().map(|field| field.name.as_str()).collect();
    let spelled =
        ["dATE", "www-AUTHENTICATE", "WWW-Authenticate", "Server", "www-authenticate", "X-Odd", "Content-Length"];
    assert_eq!(names, spelled);
    let challenges = values(exchange.response_fields(), "www-authenticate");
    assert_eq!(challenges, ["Negotiate", "NTLM", "Basic realm=\"mail.contoso.com\""]);
    assert_eq!(values(exchange.response_fields(), "date"), ["Thu, 13 Jul 2017 18:22:13 GMT"]);
}

#[test]
fn chunks_with_extensions_and_trailers_arrive_as_they_were_sent() {
    let chunks =
        b"5;ext=1\r\nhello\r\n0006 ; name=\"va;lue\"\r\n world\r\n0;last\r\nX-Check: 1\r\ngrpc-status:0\r\n\r\n";
    let sent = [&b"POST /chunks HTTP/1.1\r\nHost: mail.contoso.com\r\ntransfer-ENCODING: Chunked\r\n\r\n"[..], chunks]
        .concat();
    let answer = [&b"HTTP/1.1 200 \r\nTransfer-Encoding:chunked\r\ntrailer: X-Check\r\n\r\n"[..], chunks].concat();
    let (request, received, exchange) = one_exchange(&sent, &answer);
    assert_same(&request, &sent);
    assert_same(&received, &answer);
    let message = exchange.request.seen().unwrap();
    assert_eq!(message.body.length, 11, "the length of a body is without its chunk headers");
    let names: Vec<&str> = message.trailers.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["X-Check", "grpc-status"]);
    assert_eq!(exchange.response.seen().unwrap().message.trailers.len(), 2);
}

#[test]
fn bytes_that_come_one_by_one_arrive_as_they_were_sent() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    let sent = [HEAD, b"hello"].concat();
    for byte in &sent {
        tunnel.send(std::slice::from_ref(byte));
    }
    let head = tunnel.head().unwrap();
    assert_same(&[head.clone(), tunnel.body(&head)].concat(), ANSWER);
    let request = origin.received();
    assert_same(&[request.head, request.body].concat(), &sent);
    assert_eq!(proxy.exchanges(1)[0]["status"], 401);
}

#[test]
fn a_client_that_waits_for_100_continue_is_told_by_the_server() {
    let workshop = Workshop::new();
    let interim = b"HTTP/1.1 100 Go ahead\r\nX-Interim: yes\r\n\r\n";
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), move |talk: &mut Talk| {
        let head = talk.head().unwrap();
        talk.send(interim);
        let body = talk.body(&head);
        talk.note_parts(head, body);
        talk.send(ANSWER);
        assert!(talk.head().is_none());
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    let head = b"PUT /wait HTTP/1.1\r\nhost: mail.contoso.com\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    tunnel.send(head);
    // Nothing of the body is sent before this came, so it cannot have been made by the proxy out of impatience.
    assert_same(&tunnel.head().unwrap(), interim);
    tunnel.send(b"body");
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 401 Acc\xe8s"));
    let request = origin.received();
    assert_same(&request.head, head);
    assert_same(&request.body, b"body");
    proxy.exchanges(1);
    let session = proxy.session.clone();
    proxy.stop();
    let exchanges = saved(&session);
    let response = exchanges[0].response.seen().unwrap();
    assert_eq!(response.status, Some(401));
    assert_eq!(response.interim.len(), 1);
    assert_eq!(response.interim[0].status, 100);
    assert_eq!(response.interim[0].reason.as_str(), "Go ahead");
    assert_eq!(response.interim[0].fields[0].name.as_str(), "X-Interim");
}

#[test]
fn an_answer_before_the_end_of_the_request_reaches_the_client_at_once() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        let head = talk.head().unwrap();
        talk.send(ANSWER);
        let body = talk.body(&head);
        talk.note_parts(head, body);
        let next: Request = talk.request().unwrap();
        talk.note(next);
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(talk.head().is_none());
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(b"POST /early HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 10\r\n\r\nfirst");
    let head = tunnel.head().unwrap();
    assert_same(&[head.clone(), tunnel.body(&head)].concat(), ANSWER);
    // The rest of the request still goes through, and the connection serves the next one.
    tunnel.send(b"-restGET /next HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    assert_same(&tunnel.head().unwrap(), b"HTTP/1.1 204 No Content\r\n\r\n");
    assert_same(&origin.received().body, b"first-rest");
    assert_eq!(origin.received().target(), "/next");
    proxy.exchanges(2);
    let session = proxy.session.clone();
    proxy.stop();
    let exchanges = saved(&session);
    assert_eq!(exchanges.len(), 2);
    let early: Vec<bool> = exchanges.iter().map(|exchange| exchange.response.seen().unwrap().early).collect();
    assert_eq!(early, [true, false]);
    assert_eq!(exchanges[0].request.seen().unwrap().body.length, 10);
    assert_eq!(exchanges[0].error, None, "an early answer is no failure");
}

#[test]
fn in_absolute_form_the_request_line_and_what_is_meant_for_the_proxy_change_and_nothing_else() {
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 80)]);
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let rest =
        "X-Dup: 1\r\nhOsT: mail.contoso.com\r\nx-dUP:2\r\nAccept:   */*  \r\nPragma:\r\nContent-Length: 5\r\n\r\nhello";
    let asked = format!("pOsT http://{HOST}/a%41?Cmd=Sync HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n{rest}");
    client.write_all(asked.as_bytes()).unwrap();
    let mut answer = vec![0; ANSWER.len()];
    client.read_exact(&mut answer).unwrap();
    assert_same(&answer, ANSWER);
    let request = origin.received();
    assert_same(&[request.head, request.body].concat(), format!("pOsT /a%41?Cmd=Sync HTTP/1.1\r\n{rest}").as_bytes());
    let said = proxy.exchanges(1).remove(0);
    assert_eq!(
        (said["method"].as_str(), said["url"].as_str()),
        (Some("pOsT"), Some("http://mail.contoso.com/a%41?Cmd=Sync"))
    );
}

#[test]
fn a_pipeline_of_requests_and_answers_of_every_framing_arrives_as_it_was_sent() {
    let workshop = Workshop::new();
    let answers: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\
        HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n\
        HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n\
        HTTP/1.1 401\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
        HTTP/1.0 200 until the end\r\n\r\nas long as it lasts";
    let requests: &[u8] = b"HEAD /1 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n\
        DELETE /2 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n\
        \r\nGET /3 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n\
        POST /4 HTTP/1.1\nHost: mail.contoso.com\nContent-Length: 2\n\nhi\
        GET /5 HTTP/1.0\r\nHost: mail.contoso.com\r\n\r\n";
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), move |talk: &mut Talk| {
        let mut received = vec![0; requests.len()];
        talk.reader().read_exact(&mut received).unwrap();
        talk.note_parts(received, Vec::new());
        talk.send(answers);
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(requests);
    assert_same(&tunnel.bytes(answers.len()), answers);
    assert_eq!(tunnel.reader().read(&mut [0]).unwrap(), 0, "and then the end, in order");
    drop(tunnel);
    assert_same(&origin.received().head, requests);
    let said = proxy.exchanges(5);
    let seen: Vec<_> =
        said.iter().map(|said| (said["url"].as_str().unwrap(), said["status"].as_u64().unwrap())).collect();
    let url = |number: u32| format!("https://{HOST}/{number}");
    let expected = [(url(1), 200), (url(2), 204), (url(3), 304), (url(4), 401), (url(5), 200)];
    assert_eq!(seen, expected.each_ref().map(|(url, status)| (url.as_str(), *status)));
    assert!(said.iter().all(|said| said["error"].is_null()), "{said:?}");
}

#[test]
fn every_client_connection_has_one_server_connection_of_its_own() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnels = [Tunnel::open(&proxy, HOST), Tunnel::open(&proxy, HOST)];
    let mut connections = Vec::new();
    for round in 0..3 {
        for tunnel in &mut tunnels {
            tunnel.send(format!("GET /{round} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
            let head = tunnel.head().unwrap();
            tunnel.body(&head);
            connections.push(origin.received().connection);
        }
    }
    let (one, other) = (connections[0], connections[1]);
    assert_ne!(one, other);
    assert_eq!(connections, [one, other, one, other, one, other]);
    let seen: Vec<_> = proxy.exchanges(6).iter().map(|said| said["connection"].as_u64().unwrap()).collect();
    assert_eq!(seen.iter().filter(|connection| **connection == seen[0]).count(), 3, "{seen:?}");
}

#[test]
fn what_is_no_http_passes_and_says_so() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        let mut greeting = vec![0; 9];
        talk.reader().read_exact(&mut greeting).unwrap();
        assert_eq!(greeting, b"\x00\x01binary\xff");
        talk.send(b"\xfe\x00pong");
        assert!(talk.head().is_none());
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(b"\x00\x01binary\xff");
    assert_eq!(tunnel.bytes(6), b"\xfe\x00pong");
    drop(tunnel);
    let said = proxy.exchanges(1).remove(0);
    assert_eq!(said["url"], format!("https://{HOST}/"), "{said}");
}

/// Sends `sent` through a proxy of its own and answers with `answer`; gives what the server and the client received,
/// and what the session has of it.
fn one_exchange(sent: &[u8], answer: &[u8]) -> (Vec<u8>, Vec<u8>, Exchange) {
    let answer = answer.to_vec();
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), move |_| answer.clone());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(sent);
    let head = tunnel.head().unwrap();
    let received = [head.clone(), tunnel.body(&head)].concat();
    let request = origin.received();
    proxy.exchanges(1);
    let session = proxy.session.clone();
    proxy.stop();
    let exchange = saved(&session).remove(0);
    ([request.head, request.body].concat(), received, exchange)
}

fn values<'a>(fields: &'a [Field], name: &str) -> Vec<&'a str> {
    let named = fields.iter().filter(|field| field.name.as_str().eq_ignore_ascii_case(name));
    named.map(|field| field.value.as_str()).collect()
}

/// Compares bytes and shows them readably where they differ.
fn assert_same(received: &[u8], sent: &[u8]) {
    assert_eq!(received.escape_ascii().to_string(), sent.escape_ascii().to_string());
}
