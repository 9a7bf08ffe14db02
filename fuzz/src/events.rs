//! What the readers of the wire see, in words: the same words, however the bytes are cut.

use authtap::wire::http1::{Asked, Reader};
use authtap::wire::http2::{Connection, Side, Sight};
use authtap::wire::{Event, Fields};

/// The fields of one head are bounded, whatever they unpack to.
const HEAD: usize = 300 * 1024;

/// What is seen of HTTP/2: turns, each with a byte that says whose it is and how long; fed in pieces of `size`.
pub fn of_http2(mut rest: &[u8], size: usize) -> Vec<String> {
    let mut connection = Connection::new();
    let mut seen: Vec<String> = Vec::new();
    // A client's connection begins with the preface: without it nothing more would be read.
    connection.read(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &mut |sight| see(&mut seen, &sight));
    while let Some((turn, more)) = rest.split_first() {
        let side = if turn & 0x80 == 0 { Side::Client } else { Side::Server };
        let (piece, after) = more.split_at(more.len().min(usize::from(turn & 0x7f) + 1));
        rest = after;
        for piece in piece.chunks(size) {
            connection.read(side, piece, &mut |sight| see(&mut seen, &sight));
        }
    }
    seen
}

/// What is seen of HTTP/1's requests, and which answers they ask for; fed in pieces of `size`.
pub fn of_requests(bytes: &[u8], size: usize) -> (Vec<String>, Vec<Asked>) {
    let (mut seen, mut asked) = (Vec::new(), Vec::new());
    let mut reader = Reader::requests();
    let mut sink = |event: Event<'_>| {
        if let Event::Request(head) = &event {
            asked.push(Asked::by(head.method));
        }
        push(&mut seen, "", &event);
    };
    bytes.chunks(size).for_each(|piece| reader.read(piece, &mut sink));
    reader.close(&mut sink);
    (seen, asked)
}

/// What is seen of HTTP/1's answers to these; fed in pieces of `size`.
pub fn of_responses(bytes: &[u8], asked: &[Asked], size: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut reader = Reader::responses();
    asked.iter().for_each(|asked| reader.expect(*asked));
    let mut sink = |event: Event<'_>| push(&mut seen, "", &event);
    bytes.chunks(size).for_each(|piece| reader.read(piece, &mut sink));
    reader.close(&mut sink);
    seen
}

fn see(seen: &mut Vec<String>, sight: &Sight<'_>) {
    match sight {
        Sight::Stream { id, side, event } => push(seen, &format!("{id} {side:?} "), event),
        Sight::GoAway { side, last, code } => seen.push(format!("{side:?} goes away {last} {code}")),
        Sight::Lost(side, loss) => seen.push(format!("{side:?} lost {loss}")),
        _ => {}
    }
}

/// Bodies in one piece.
fn push(seen: &mut Vec<String>, whose: &str, event: &Event<'_>) {
    let Event::Body(bytes) = event else { return seen.push(format!("{whose}{}", words(event))) };
    let body = format!("{whose}body ");
    let words = bytes.escape_ascii();
    match seen.last_mut() {
        Some(last) if last.starts_with(&body) => last.push_str(&words.to_string()),
        _ => seen.push(format!("{body}{words}")),
    }
}

fn words(event: &Event<'_>) -> String {
    match event {
        Event::Request(head) => {
            let line = [head.method, head.target].map(|part| part.escape_ascii().to_string()).join(" ");
            format!("{line} {}", fields(head.fields))
        }
        Event::Interim(head) => format!("interim {} {}", head.status, fields(head.fields)),
        Event::Response(head) => format!("{} {}", head.status, fields(head.fields)),
        Event::Odd(oddity) => format!("odd {oddity:?}"),
        Event::Trailers(trailers) => format!("trailers {}", fields(*trailers)),
        Event::Reset(code) => format!("reset {code}"),
        Event::Lost(loss) => format!("lost {loss}"),
        Event::End => "end".to_owned(),
        Event::Upgraded => "upgraded".to_owned(),
        Event::Body(_) => String::new(),
    }
}

fn fields(fields: Fields<'_>) -> String {
    let mut length = 0;
    let mut digest = 0_u64;
    for field in fields {
        length += field.name.len() + field.value.len();
        for byte in field.name.iter().chain(field.value.iter()) {
            digest = digest.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(*byte));
        }
    }
    assert!(length <= HEAD, "{length} bytes in one head");
    format!("{length} {digest:x}")
}
