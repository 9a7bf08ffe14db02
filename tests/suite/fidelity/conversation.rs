//! Conversations of HTTP/1, generated: every way to write and to frame a message that HTTP allows, and where either side
//! may break off.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What passes over one connection.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) exchanges: Vec<Exchange>,
    /// All requests are sent before the first answer.
    pub(super) pipelined: bool,
    /// Where what is sent is cut into pieces.
    pub(super) cuts: Vec<prop::sample::Index>,
    pub(super) end: End,
}

/// A request and what answers it, as bytes.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) method: &'static str,
    /// In origin form.
    pub(super) target: String,
    /// What comes before the target, and after it: the rest of the line, the fields, the body.
    pub(super) after_target: Vec<u8>,
    pub(super) response: Vec<u8>,
    /// Line ends before it, left over from the one before: part of no request.
    pub(super) blank: &'static [u8],
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client closes after the last answer.
    Client,
    /// The server closes after its last answer, which may run up to that.
    Server,
    /// The client closes its direction before the last answer comes.
    HalfClosed,
    /// The client breaks off inside its last request, after so much of it in 256 parts.
    ClientCut(u8),
    /// The server breaks off inside its last answer.
    ServerCut(u8),
}

impl Exchange {
    /// The request with `target` in place of its own.
    pub(super) fn request(&self, target: &str) -> Vec<u8> {
        [self.method.as_bytes(), b" ", target.as_bytes(), &self.after_target].concat()
    }

    /// The same in origin form, with what stands before it.
    pub(super) fn origin_form(&self) -> Vec<u8> {
        [self.blank, &self.request(&self.target)].concat()
    }
}

/// One of up to five exchanges.
pub(super) fn any_conversation() -> impl Strategy<Value = Conversation> {
    let end = prop_oneof![
        3 => Just(End::Client),
        2 => Just(End::Server),
        1 => Just(End::HalfClosed),
        1 => any::<u8>().prop_map(End::ClientCut),
        1 => any::<u8>().prop_map(End::ServerCut),
    ];
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..9);
    (prop::collection::vec(any_exchange(), 1..5), any::<bool>(), cuts, end, any_last_answer()).prop_map(
        |(mut exchanges, pipelined, cuts, end, until_close)| {
            let last = exchanges.last_mut().unwrap();
            if end == End::Server && last.method != "HEAD" {
                last.response = until_close;
            }
            Conversation { exchanges, pipelined, cuts, end }
        },
    )
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND", "RPC_IN_DATA", "pOsT", "M-SEARCH"]);
    let target = "(/[A-Za-z0-9._~!$&'()*+,;=:@-]{0,9}|/%4[0-9a-f]){1,3}([?][A-Za-z0-9=&%._~/?-]{0,12})?";
    let version = " HTTP/1.1";
    let blank = prop_oneof![8 => Just(&b""[..]), 1 => Just(&b"\r\n"[..])];
    (method, target, any_fields(), any_framed(), any_answer(), blank).prop_map(
        move |(method, target, fields, (framing, body), answers, blank)| {
            let line_end: &[u8] = if fields.bare { b"\n" } else { b"\r\n" };
            let mut after_target = version.as_bytes().to_vec();
            after_target.extend_from_slice(line_end);
            fields.write(&framing, &mut after_target);
            after_target.extend_from_slice(&body);
            Exchange { method, target, after_target, response: answers.of(method), blank }
        },
    )
}

/// Fields of odd spelling, order and number.
#[derive(Clone, Debug)]
struct Fields {
    lines: Vec<Vec<u8>>,
    /// Where among them the ones that frame stand.
    at: prop::sample::Index,
    /// Lines end with a line feed alone.
    bare: bool,
}

impl Fields {
    fn write(&self, framing: &[Vec<u8>], into: &mut Vec<u8>) {
        let line_end: &[u8] = if self.bare { b"\n" } else { b"\r\n" };
        let mut lines = self.lines.clone();
        let at = self.at.index(lines.len() + 1);
        lines.splice(at..at, framing.iter().cloned());
        for line in lines {
            into.extend_from_slice(&line);
            into.extend_from_slice(line_end);
        }
        into.extend_from_slice(line_end);
    }
}

fn any_fields() -> impl Strategy<Value = Fields> {
    let usual = subsequence(
        vec![
            "Host: mail.contoso.com",
            "hOsT:  mail.contoso.com ",
            "Accept: */*",
            "ACCEPT:text/xml",
            "User-Agent: Microsoft Office/16.0 (Outlook 16.0; Pro)",
            "Authorization: Bearer",
            "authorization: NTLM TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
            "WWW-Authenticate: Negotiate",
            "www-authenticate: Basic realm=\"x, y\"",
            "x-ms-diagnostics: 2000003;reason=\"The token has expired.\"",
            "Set-Cookie: a=b; path=/",
            "Set-Cookie: c=d",
            "Pragma:",
            "Content-Type: application/json; charset=utf-8",
        ],
        0..7,
    );
    // Names that frame, upgrade or close are not among those that this can make.
    let odd = ("[xX]-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", "[ \t]{0,2}", any_value(), "[ \t]{0,2}");
    let odd = odd.prop_map(|(name, before, value, after)| {
        [name.as_bytes(), b":", before.as_bytes(), &value, after.as_bytes()].concat()
    });
    (usual, prop::collection::vec(odd, 0..5), any::<prop::sample::Index>(), prop::bool::weighted(0.1)).prop_map(
        |(usual, odd, at, bare)| {
            let lines = usual.into_iter().map(|line| line.as_bytes().to_vec()).chain(odd).collect();
            Fields { lines, at, bare }
        },
    )
}

/// A value with bytes above 127, tabs and blanks inside; blanks at its ends belong to no value.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => 0x21_u8..0x7f, 1 => 0x80_u8..=0xff, 1 => select(vec![b' ', b'\t'])];
    prop::collection::vec(byte, 0..20).prop_map(|value| value.trim_ascii().to_vec())
}

/// The fields that frame a body, and the body.
type Framed = (Vec<Vec<u8>>, Vec<u8>);

fn any_framed() -> impl Strategy<Value = Framed> {
    let name = |names: [&'static str; 3]| select(names.to_vec());
    let body = || prop_oneof![3 => prop::collection::vec(any::<u8>(), 0..40), 1 => prop::collection::vec(any::<u8>(), 3000..20000)];
    let fixed = (name(["Content-Length", "content-length", "CONTENT-LENGTH"]), body()).prop_map(|(name, body)| {
        let line = format!("{name}:{}{}", if name.starts_with('c') { "" } else { " " }, body.len());
        (vec![line.into_bytes()], body)
    });
    let coding =
        (name(["Transfer-Encoding", "transfer-encoding", "Transfer-ENCODING"]), select(vec!["chunked", "Chunked"]));
    let extension = select(vec!["", ";a", ";a=1", "; name=\"va;lue\"", ";\"q\"=1"]);
    let chunk = (body(), extension, any::<bool>(), 0_usize..3);
    let trailers = prop_oneof![2 => Just(Vec::new()), 1 => any_fields().prop_map(|fields| fields.lines)];
    let chunked =
        (coding, prop::collection::vec(chunk, 0..4), trailers).prop_map(|((name, coding), chunks, trailers)| {
            let mut body = Vec::new();
            for (bytes, extension, upper, zeros) in chunks.into_iter().filter(|(bytes, ..)| !bytes.is_empty()) {
                let size = if upper { format!("{:X}", bytes.len()) } else { format!("{:x}", bytes.len()) };
                body.extend(format!("{}{size}{extension}\r\n", "0".repeat(zeros)).as_bytes());
                body.extend(bytes);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n");
            for trailer in trailers {
                body.extend(trailer);
                body.extend(b"\r\n");
            }
            body.extend(b"\r\n");
            (vec![format!("{name}: {coding}").into_bytes()], body)
        });
    prop_oneof![2 => Just((Vec::new(), Vec::new())), 2 => fixed, 2 => chunked]
}

/// Interim answers, and the parts of a final one that depend on what was asked.
#[derive(Clone, Debug)]
struct Answers {
    interim: Vec<u8>,
    status: u16,
    reason: Vec<u8>,
    fields: Fields,
    framed: Framed,
}

impl Answers {
    fn of(&self, method: &str) -> Vec<u8> {
        let (mut framing, mut body) = self.framed.clone();
        match self.status {
            204 => (framing, body) = Framed::default(),
            304 => body.clear(),
            _ if method == "HEAD" => body.clear(),
            _ if framing.is_empty() => framing = vec![b"Content-Length: 0".to_vec()],
            _ => {}
        }
        let mut response = self.interim.clone();
        self.head(&framing, &mut response);
        response.extend(body);
        response
    }

    fn head(&self, framing: &[Vec<u8>], into: &mut Vec<u8>) {
        let line_end: &[u8] = if self.fields.bare { b"\n" } else { b"\r\n" };
        into.extend(format!("HTTP/1.1 {} ", self.status).as_bytes());
        into.extend_from_slice(&self.reason);
        into.extend_from_slice(line_end);
        self.fields.write(framing, into);
    }
}

fn any_answer() -> impl Strategy<Value = Answers> {
    let interim = (select(vec![100_u16, 102, 103]), any_fields()).prop_map(|(status, fields)| {
        let mut bytes = format!("HTTP/1.1 {status} Wait\r\n").into_bytes();
        Fields { bare: false, ..fields }.write(&[], &mut bytes);
        bytes
    });
    let interim =
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(interim, 1..3).prop_map(|all| all.concat())];
    let status = select(vec![200_u16, 201, 204, 207, 302, 304, 400, 401, 403, 404, 440, 456, 500, 503]);
    let reason =
        prop_oneof![Just(b"OK".to_vec()), Just(Vec::new()), Just(b"Acc\xe8s refus\xe9, d\xe9sol\xe9".to_vec())];
    (interim, status, reason, any_fields(), any_framed())
        .prop_map(|(interim, status, reason, fields, framed)| Answers { interim, status, reason, fields, framed })
}

/// One that runs up to the end of the connection.
fn any_last_answer() -> impl Strategy<Value = Vec<u8>> {
    (any_fields(), prop::collection::vec(any::<u8>(), 0..3000), any::<bool>()).prop_map(|(fields, body, old)| {
        let mut response = format!("HTTP/1.{} 200 until the end\r\n", u8::from(!old)).into_bytes();
        Fields { bare: false, ..fields }.write(&[], &mut response);
        response.extend(body);
        response
    })
}
