//! HTTP/2, both directions in pieces. Any split gives the same events, and a head is never longer than its bound.

#![no_main]

use authtap::wire::http2::{Connection, Side, Sight};
use authtap::wire::{Event, Fields};
use libfuzzer_sys::fuzz_target;

/// The fields of one head are bounded, whatever they unpack to.
const HEAD: usize = 300 * 1024;

// The first byte is the size of the pieces; then turns, each with a byte that says whose it is and how long.
fuzz_target!(|bytes: &[u8]| {
    let Some((size, rest)) = bytes.split_first() else { return };
    let whole = sights(rest, usize::MAX);
    assert!(sights(rest, usize::from(*size).max(1)) == whole, "in pieces of {size}");
});

/// What is seen, in words; bodies in one piece.
fn sights(mut rest: &[u8], size: usize) -> Vec<String> {
    let mut connection = Connection::new();
    let mut seen: Vec<String> = Vec::new();
    // A client's connection begins with the preface: without it nothing more would be read.
    connection.read(Side::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &mut |sight| push(&mut seen, &sight));
    while let Some((turn, more)) = rest.split_first() {
        let side = if turn & 0x80 == 0 { Side::Client } else { Side::Server };
        let (piece, after) = more.split_at(more.len().min(usize::from(turn & 0x7f) + 1));
        rest = after;
        for piece in piece.chunks(size) {
            connection.read(side, piece, &mut |sight| push(&mut seen, &sight));
        }
    }
    seen
}

fn push(seen: &mut Vec<String>, sight: &Sight<'_>) {
    let (key, words) = match sight {
        Sight::Stream { id, side, event: Event::Body(bytes) } => {
            (format!("{id} {side:?} body "), bytes.escape_ascii().to_string())
        }
        Sight::Stream { id, side, event } => (format!("{id} {side:?} "), words(event)),
        Sight::GoAway { side, last, code } => (format!("{side:?} goes away {last} "), code.to_string()),
        Sight::Lost(side, loss) => (format!("{side:?} lost "), loss.to_string()),
        _ => return,
    };
    match seen.last_mut() {
        Some(last) if key.ends_with("body ") && last.starts_with(&key) => last.push_str(&words),
        _ => seen.push(key + &words),
    }
}

fn words(event: &Event<'_>) -> String {
    match event {
        Event::Request(head) => {
            let line = [head.method, head.target].map(|part| part.escape_ascii().to_string()).join(" ");
            format!("{line} {}", fields(head.fields))
        }
        Event::Interim(head) | Event::Response(head) => format!("{} {}", head.status, fields(head.fields)),
        Event::Trailers(trailers) => fields(*trailers),
        Event::Reset(code) => format!("reset {code}"),
        Event::Lost(loss) => format!("lost {loss}"),
        Event::End => "end".to_owned(),
        Event::Body(_) | Event::Upgraded => String::new(),
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
