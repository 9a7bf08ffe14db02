//! Archives as every Fiddler lays them out, and as hostile ones might be.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use zeroize::Zeroizing;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::exchange::{Exchange, FailureKind, Head, Seen, Step, Unseen};
use crate::redact::{Content, Credential, Syntax, Token, Withheld};

mod encrypted;
mod layouts;

type Members<'m> = Vec<(&'m str, Vec<u8>)>;
type Read = Vec<Result<Exchange, SessionError>>;

const REQUEST: &[u8] =
    b"GET https://mail.contoso.com/owa/ HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: Bearer\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";

fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn try_read(bytes: &[u8], password: Option<&str>) -> Result<Read, SessionError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.saz");
    std::fs::write(&path, bytes).unwrap();
    let redactor = Redactor::new();
    let password = |_: &Path| password.map(|password| Zeroizing::new(password.to_owned()));
    let opening = Opening { redactor: &redactor, password: &password, progress: Progress::default() };
    let archive = Saz::open(&path, &opening)?;
    Ok(archive.recorded().map(|read| read.map(|read| read.exchange)).collect())
}

fn read(members: &[(&str, Vec<u8>)]) -> Vec<Exchange> {
    try_read(&archive(members), None).unwrap().into_iter().map(Result::unwrap).collect()
}

fn one(request: &[u8], response: &[u8], timers: &str) -> Exchange {
    let members = [("raw/1_c.txt", request), ("raw/1_s.txt", response), ("raw/1_m.xml", timers.as_bytes())];
    let mut read = read(&members.map(|(name, content)| (name, content.to_vec())));
    assert_eq!(read.len(), 1);
    read.remove(0)
}

fn timers(bits: &str, flags: &[(&str, &str)]) -> String {
    let flags: String =
        flags.iter().flat_map(|(name, value)| ["<SessionFlag N=\"", name, "\" V=\"", value, "\"/>"]).collect();
    format!(
        "<Session SID=\"1\"{bits}><SessionTimers ClientBeginRequest=\"2026-11-22T10:00:00.1234567+01:00\" \
         ClientDoneRequest=\"2026-11-22T10:00:00.2234567+01:00\" ServerBeginResponse=\"2026-11-22T10:00:00.3234567+01:00\" \
         ClientDoneResponse=\"2026-11-22T10:00:00.6234567+01:00\"/><SessionFlags>{flags}</SessionFlags></Session>"
    )
}

fn text_of(exchange: &Exchange) -> (Syntax, String, bool) {
    match &exchange.response.seen().unwrap().message.body.content {
        Content::Text { syntax, text, complete } => (*syntax, text.as_str().to_owned(), *complete),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_is_an_exchange() {
    let flags =
        [("x-clientip", "::ffff:10.1.2.3"), ("x-clientport", "50123"), ("X-HostIP", "192.0.2.7"), ("ui-comments", "x")];
    let exchange = one(REQUEST, RESPONSE, &timers(" BitFlags=\"1\"", &flags));
    assert_eq!((exchange.id, exchange.started.to_string()), (1, "2026-11-22T09:00:00.123Z".to_owned()));
    assert_eq!(exchange.url.as_ref().unwrap().text(), "https://mail.contoso.com/owa/");
    assert_eq!((exchange.method.as_ref().unwrap().as_str(), exchange.status()), ("GET", Some(401)));
    assert_eq!(exchange.authorization(), Some(&Credential::Bearer(Token::Empty)));
    assert_eq!(exchange.response_fields()[0].value, "NTLM");
    let millis = |time: Option<std::time::Duration>| time.unwrap().as_millis();
    let timings = exchange.timings;
    assert_eq!([timings.sent, timings.first_byte, timings.done].map(millis), [100, 200, 500]);
    let connection = &exchange.connection;
    assert_eq!(connection.client.as_ref().unwrap(), "ip#1");
    assert_eq!(connection.server.as_ref().unwrap().address, "192.0.2.7:443");
    assert_eq!(connection.target.as_ref().unwrap(), "mail.contoso.com:443");
}

#[test]
fn parts_that_are_missing_and_gaps_in_the_numbers_are_put_up_with() {
    let found = read(&[
        ("[Content_Types].xml", Vec::new()),
        ("_index.htm", b"<a href='raw/1_c.txt'>".to_vec()),
        ("raw/", Vec::new()),
        ("raw/007_c.txt", REQUEST.to_vec()),
        (r"raw\3_c.txt", REQUEST.to_vec()),
        (r"raw\3_s.txt", RESPONSE.to_vec()),
        ("raw/5_s.txt", RESPONSE.to_vec()),
        ("raw/5_w.txt", b"Request-Length: 3\r\n".to_vec()),
        ("raw/6_m.xml", b"<Session/>".to_vec()),
        ("raw/9_c.txt", REQUEST.to_vec()),
        ("raw/9_s.txt", Vec::new()),
        ("raw/9_m.xml", b"<Session Aborted=\"true\"/>".to_vec()),
    ]);
    let told: Vec<_> =
        found.iter().map(|one| (one.id, one.status(), one.request.unseen(), one.response.unseen())).collect();
    assert_eq!(
        told,
        [
            (1, Some(401), None, None),
            (2, Some(401), Some(Unseen::NotInSource), None),
            (3, None, None, Some(Unseen::NotInSource)),
            (4, None, None, Some(Unseen::NeverCame)),
        ]
    );
}

#[test]
fn targets_in_origin_form_have_the_scheme_of_flags_and_tunnels() {
    let origin = b"GET /owa/ HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n";
    let url = |bits: &str| one(origin, RESPONSE, &timers(bits, &[])).url.unwrap().text().as_str().to_owned();
    assert_eq!(url(" BitFlags=\"59\""), "https://mail.contoso.com/owa/");
    assert_eq!(url(" BitFlags=\"18\""), "http://mail.contoso.com/owa/");
    assert_eq!(url(""), "https://mail.contoso.com/owa/");
    let two =
        one(b"POST https://mail.contoso.com/x HTTP/2\r\nhost: mail.contoso.com\r\n\r\n", b"HTTP/2 200\r\n\r\n", "");
    assert_eq!(two.request.seen().unwrap().version, "HTTP/2");
    assert_eq!((two.status(), two.response.seen().unwrap().message.version.as_str()), (Some(200), "HTTP/2"));
}

#[test]
fn bodies_are_taken_out_of_chunks_and_codings_or_stand_as_they_are() {
    let body = |head: &str, body: &[u8]| {
        text_of(&one(REQUEST, &[format!("HTTP/1.1 400 Bad Request\r\n{head}\r\n").as_bytes(), body].concat(), ""))
    };
    let json = "Content-Type: application/json\r\n";
    let expected = (Syntax::Json, "{\"error\":\"invalid_grant\"}".to_owned(), true);
    let plain = b"{\"error\":\"invalid_grant\"}";
    assert_eq!(body(json, plain), expected);
    let chunked = format!("{json}Transfer-Encoding: chunked\r\n");
    assert_eq!(body(&chunked, b"5\r\n{\"err\r\n14\r\nor\":\"invalid_grant\"}\r\n0\r\nX-T: 1\r\n\r\n"), expected);
    assert_eq!(body(&chunked, plain), expected, "taken apart before it was saved");
    let (_, _, complete) = body(&format!("{json}Content-Length: 9999\r\n"), plain);
    assert!(!complete, "its end is missing");
    let trailers = one(
        REQUEST,
        &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &b"0\r\nX-T: 1\r\n\r\n"[..]].concat(),
        "",
    );
    assert_eq!(trailers.response.seen().unwrap().message.trailers.len(), 1);
}

#[test]
fn a_body_that_was_dropped_is_not_called_empty() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 71\r\n\r\n";
    let body = |request: &[u8], timers: &str| one(request, head, timers).response.seen().unwrap().message.body.clone();
    let dropped = body(REQUEST, &timers(" BitFlags=\"20001\"", &[("x-responsebodytransferlength", "1,234")]));
    assert_eq!((dropped.length, dropped.content), (1234, Content::Withheld(Withheld::NotRecorded)));
    assert_eq!(body(REQUEST, "").length, 71);
    assert_eq!(body(b"HEAD https://a/ HTTP/1.1\r\n\r\n", "").content, Content::Empty);
}

#[test]
fn heads_in_other_charsets_are_read() {
    let exchange = one(REQUEST, b"HTTP/1.1 200 caf\xe9\r\nX-Odd: \xff\xfe\r\nServer: IIS\r\n\r\n", "");
    assert_eq!((exchange.status(), exchange.response_fields().len()), (Some(200), 2));
}

#[test]
fn connections_are_rebuilt_of_the_ports_at_both_ends() {
    let session =
        |client: &str, server: &str, bits: &str| timers(bits, &[("x-clientport", client), ("x-egressport", server)]);
    let all = [
        session("50001", "60001", " BitFlags=\"1\""),
        session("50001", "60001", " BitFlags=\"19\""),
        session("50002", "60001", " BitFlags=\"11\""),
        session("50001", "60002", " BitFlags=\"9\""),
        session("50001", "60001", " BitFlags=\"1\""),
        session("50001", "60001", ""),
        timers("", &[]),
        timers("", &[]),
    ];
    let names: Vec<_> =
        (1..=all.len()).map(|number| (format!("raw/{number}_c.txt"), format!("raw/{number}_m.xml"))).collect();
    let members: Members<'_> = names
        .iter()
        .zip(&all)
        .flat_map(|((c, m), timers)| [(c.as_str(), REQUEST.to_vec()), (m.as_str(), timers.clone().into_bytes())])
        .collect();
    let mut found = read(&members);
    found.sort_by_key(|exchange| exchange.id);
    let ids: Vec<_> = found.iter().map(|exchange| exchange.connection.id).collect();
    assert_eq!(ids, [1, 1, 2, 3, 4, 4, 5, 5]);
}

#[test]
fn tunnels_are_exchanges_where_nobody_looked_into_them() {
    let connect = |host: &str| format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").into_bytes();
    let opened = b"HTTP/1.1 200 Connection Established\r\n\r\nsome words of Fiddler's".to_vec();
    let found = read(&[
        ("raw/1_c.txt", connect("mail.contoso.com")),
        ("raw/1_s.txt", opened.clone()),
        ("raw/2_c.txt", REQUEST.to_vec()),
        ("raw/3_c.txt", connect("www.fabrikam.com")),
        ("raw/3_s.txt", opened.clone()),
        ("raw/4_c.txt", connect("mail.contoso.com")),
        ("raw/4_s.txt", opened),
        ("raw/4_m.xml", b"<Session BitFlags=\"1000\"/>".to_vec()),
    ]);
    let told: Vec<_> = found.iter().map(|one| (one.url.as_ref().unwrap().authority(), one.request.unseen())).collect();
    assert_eq!(
        told,
        [
            ("mail.contoso.com", None),
            ("www.fabrikam.com", Some(Unseen::NotDecrypted)),
            ("mail.contoso.com", Some(Unseen::NotDecrypted)),
        ]
    );
}

#[test]
fn answers_that_fiddler_made_up_are_failures() {
    let answer = b"HTTP/1.1 502 Fiddler - DNS Lookup Failed\r\nContent-Type: text/html\r\n\r\n[Fiddler] DNS Lookup for \"mail.contoso.com\" failed. No such host is known ";
    for request in [REQUEST, b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n"] {
        let exchange = one(request, answer, &timers(" BitFlags=\"100\"", &[]));
        let error = exchange.error.as_ref().unwrap();
        assert_eq!((error.step, error.kind), (Step::Resolve, FailureKind::NameNotFound));
        assert_eq!((exchange.status(), exchange.response.unseen()), (None, Some(Unseen::NeverCame)));
        assert!(error.text.as_str().contains("mail.contoso.com"), "{}", error.text);
    }
    let theirs = one(REQUEST, b"HTTP/1.1 502 Bad Gateway\r\n\r\n<h1>502</h1>", "");
    assert_eq!((theirs.status(), theirs.error), (Some(502), None));
}

#[test]
fn what_somebody_masked_is_unseen() {
    let masked = b"GET https://mail.contoso.com/ HTTP/1.1\r\nAuthorization: [REDACTED]\r\n\r\n";
    let exchange = one(masked, RESPONSE, "");
    assert_eq!(exchange.request.seen().unwrap().head, Head::Stripped);
    assert!(matches!(exchange.response, Seen::Seen(_)));
}

#[test]
fn a_zip_file_of_something_else_is_said_to_be_one() {
    let other = archive(&[("word/document.xml", b"<w/>".to_vec())]);
    assert!(matches!(try_read(&other, None), Err(SessionError::NoSessions { .. })));
    assert!(matches!(try_read(b"PK\x03\x04 and nothing else", None), Err(SessionError::NoSessions { .. })));
}

#[test]
fn a_member_that_is_a_bomb_costs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("bomb.saz");
    let mut archive = ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("raw/1_m.xml", options).unwrap();
    let zeros = vec![b' '; 1 << 20];
    (0..8).for_each(|_| archive.write_all(&zeros).unwrap());
    archive.start_file("raw/1_c.txt", options).unwrap();
    archive.write_all(REQUEST).unwrap();
    // A head that never ends.
    archive.start_file("raw/2_c.txt", options).unwrap();
    (0..8).for_each(|_| archive.write_all(&vec![b'a'; 1 << 20]).unwrap());
    archive.finish().unwrap();
    let found = try_read(&std::fs::read(&path).unwrap(), None).unwrap();
    let bad = |read: &Result<Exchange, SessionError>| matches!(read, Err(SessionError::BadEntry { number: 2, .. }));
    assert!(found.len() == 2 && found.iter().any(Result::is_ok) && found.iter().any(bad), "{found:?}");
}

#[test]
fn what_stands_before_a_cut_is_read_and_the_rest_is_said() {
    let names: Vec<_> = (1..=9).map(|number| (format!("raw/{number}_c.txt"), format!("raw/{number}_s.txt"))).collect();
    let members: Members<'_> =
        names.iter().flat_map(|(c, s)| [(c.as_str(), REQUEST.to_vec()), (s.as_str(), RESPONSE.to_vec())]).collect();
    let whole = archive(&members);
    let mut most = 0;
    for cut in (0..whole.len()).step_by(37) {
        let Ok(found) = try_read(&whole[..cut], None) else { continue };
        let readable = found.iter().flatten().count();
        // One of which only the response is cut is said to be bad, and one without a response is not.
        assert!(readable + 1 >= most, "more bytes, fewer sessions: {cut}");
        most = readable;
        assert!(found.iter().any(Result::is_err), "what was lost is said: {cut}");
    }
    assert_eq!(most, 9);
}

#[test]
fn flipped_bits_bring_nothing_down() {
    let members = [("raw/1_c.txt", REQUEST), ("raw/1_s.txt", RESPONSE), ("raw/1_m.xml", b"<Session BitFlags=\"1\"/>")];
    let whole = archive(&members.map(|(name, content)| (name, content.to_vec())));
    for at in (0..whole.len()).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        let _ = try_read(&flipped, None);
    }
}
