//! What Fiddler's versions put into an archive, and leave out.

use super::*;
use crate::exchange::{Side, SocketKind};

/// The one exchange in an archive with these members beside those of every session.
fn beside(members: &[(&str, &[u8])]) -> Exchange {
    let all = [("raw/1_c.txt", REQUEST), ("raw/1_s.txt", RESPONSE)].iter().chain(members);
    let all: Members<'_> = all.map(|(name, content)| (*name, content.to_vec())).collect();
    let mut found = read(&all);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn what_stands_beside_a_session_changes_nothing() {
    let alone = beside(&[]);
    for members in [
        &[("[Content_Types].xml", &b"<Types/>"[..]), ("raw/", b""), ("_index.htm", b"<html/>"), ("metadata.xml", b"")],
        &[("raw/1_g.txt", b"grpc"), ("raw/1_x.txt", b"?"), ("raw/01_c.txt.bak", b"?"), ("raw/1_c.txt~", b"?")],
        // The first of two counts.
        &[
            ("raw/01_c.txt", b"GET http://second/ HTTP/1.1"),
            (r"RAW\001_S.TXT", b"HTTP/1.1 200 OK"),
            ("x", b""),
            ("y", b""),
        ],
    ] {
        assert_eq!(beside(members), alone, "{members:?}");
    }
    let methods = [CompressionMethod::Stored, CompressionMethod::Deflated].map(|method| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, content) in [("raw/1_c.txt", REQUEST), ("raw/1_s.txt", RESPONSE)] {
            archive.start_file(name, options).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.set_comment("told by avery").unwrap();
        try_read(&archive.finish().unwrap().into_inner(), None).unwrap().remove(0).unwrap()
    });
    assert!(methods.iter().all(|one| *one == alone));
}

#[test]
fn marks_of_byte_order_and_lines_of_all_kinds_are_read() {
    let marked = |text: &[u8]| ["\u{feff}".as_bytes(), text].concat();
    let bare = |text: &[u8]| text.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>();
    let times = timers(" BitFlags=\"1\"", &[]);
    let expected = one(REQUEST, RESPONSE, &times);
    for [request, response] in [[marked(REQUEST), marked(RESPONSE)], [bare(REQUEST), bare(RESPONSE)]] {
        let read = one(&request, &response, &format!("\u{feff}{times}"));
        assert_eq!(
            (read.url, read.request, read.response),
            (expected.url.clone(), expected.request.clone(), expected.response.clone())
        );
    }
}

#[test]
fn what_newer_versions_write_into_the_times_is_passed_over() {
    let plain = timers(" BitFlags=\"1\"", &[("x-clientport", "50123")]);
    let newer = plain.replace("<SessionTimers", "<CertificateChainInfo><Certificate>TUlJ</Certificate></CertificateChainInfo>\
        <SessionMetrics A=\"1\"><Metric/></SessionMetrics><SessionTimers GatewayTime=\"0\" DNSTime=\"12\" TCPConnectTime=\"3\"\
        HTTPSHandshakeTime=\"x\"");
    let further =
        [("x-processinfo", "outlook:6716"), ("ui-color", "red"), ("ui-comments", "secret of avery"), ("made-up", "1")];
    let flags: String =
        further.iter().flat_map(|(name, value)| ["<SessionFlag N=\"", name, "\" V=\"", value, "\"/>"]).collect();
    let newer = newer.replace("</SessionFlags>", &format!("{flags}</SessionFlags>"));
    let read = one(REQUEST, RESPONSE, &newer);
    assert_eq!(read, one(REQUEST, RESPONSE, &plain));
    assert!(!format!("{read:?}").contains("avery"));
}

#[test]
fn a_body_is_unpacked_as_it_was_sent() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"{\"error\":\"invalid_grant\"}").unwrap();
    let packed = packed.finish().unwrap();
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let (first, second) = packed.split_at(9);
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    for response in [
        [head.as_bytes(), b"\r\n", &packed].concat(),
        [head.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\n", &chunk(first), &chunk(second), b"0\r\n\r\n"].concat(),
    ] {
        assert_eq!(
            text_of(&one(REQUEST, &response, "")),
            (Syntax::Json, "{\"error\":\"invalid_grant\"}".to_owned(), true)
        );
    }
    // A body that was thrown away, of a request.
    let posted = b"POST https://mail.contoso.com/ HTTP/1.1\r\nContent-Length: 9\r\n\r\n";
    let dropped = one(posted, RESPONSE, &timers("", &[("log-drop-request-body", "yes")]));
    let body = &dropped.request.seen().unwrap().body;
    assert_eq!((body.length, &body.content), (9, &Content::Withheld(Withheld::NotRecorded)));
}

#[test]
fn a_tunnel_that_was_looked_into_is_no_exchange() {
    let connect = b"CONNECT mail.contoso.com:443 HTTP/1.1\r\nHost: mail.contoso.com:443\r\n\r\n".to_vec();
    let found = read(&[
        ("raw/1_c.txt", connect),
        ("raw/1_s.txt", b"HTTP/1.1 200 Connection Established\r\n\r\n".to_vec()),
        ("raw/1_m.xml", b"<Session BitFlags=\"2000\"/>".to_vec()),
        ("raw/2_c.txt", REQUEST.to_vec()),
    ]);
    assert_eq!(found.iter().map(|one| one.method.as_ref().unwrap().as_str()).collect::<Vec<_>>(), ["GET"]);
}

/// A message as Fiddler writes it down.
fn message(side: &str, frame: &[u8], second: u32) -> Vec<u8> {
    let head = format!(
        "{side}-Length: {}\r\nID: 1\r\nBitFlags: 0\r\nDoneRead: 2026-11-22T10:00:{second:02}.1234567+01:00\r\n\
         BeginSend: 2026-11-22T10:00:59.0000000+01:00\r\nDoneSend: 0001-01-01T00:00:00.0000000\r\n\r\n",
        frame.len()
    );
    [head.as_bytes(), frame, b"\r\n"].concat()
}

#[test]
fn messages_of_a_web_socket_are_read() {
    let member = [
        b"\r\n".to_vec(),
        message("Request", b"\x81\x85\x01\x02\x03\x04igohn", 1),
        message("Response", b"\x82\x04\0\x01\x02\xff", 2),
        message("Response", b"\x01\x02{}", 3),
        message("Response", b"\x80\x01 ", 4),
        message("Request", b"\x88\x86\0\0\0\0\x03\xe8over", 5),
    ]
    .concat();
    let upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let socket = |member: &[u8]| {
        let times = timers(" BitFlags=\"40001\"", &[]);
        let found = read(&[
            ("raw/1_c.txt", REQUEST.to_vec()),
            ("raw/1_s.txt", upgrade.to_vec()),
            ("raw/1_m.xml", times.into_bytes()),
            ("raw/1_w.txt", member.to_vec()),
        ]);
        found[0].response.seen().unwrap().socket.clone().unwrap()
    };
    let whole = socket(&member);
    let told: Vec<_> =
        whole.messages.iter().map(|one| (one.side, one.kind, one.code, one.body.length, one.at.as_secs())).collect();
    let (client, server) = (Side::Client, Side::Server);
    assert_eq!(whole.lost, None);
    // Cut in the middle of the last message, and at once.
    let cut = socket(&member[..member.len() - 6]);
    assert_eq!((cut.messages.len(), cut.lost), (3, Some(client)));
    assert_eq!(socket(b"nonsense").messages, []);
    assert_eq!(
        told,
        [
            (client, SocketKind::Text, None, 5, 1),
            (server, SocketKind::Binary, None, 4, 2),
            (server, SocketKind::Text, None, 3, 4),
            (client, SocketKind::Close, Some(1000), 6, 5),
        ],
        "{whole:?}"
    );
}

#[test]
fn more_sessions_than_an_old_directory_can_count_are_read() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 1..=66_000 {
        archive.start_file(format!("raw/{number:05}_c.txt"), options).unwrap();
        archive.write_all(b"GET https://a/ HTTP/1.1\r\n\r\n").unwrap();
    }
    let found = try_read(&archive.finish().unwrap().into_inner(), None).unwrap();
    assert!(found.len() == 66_000 && found.iter().all(Result::is_ok), "{}", found.len());
}
