//! A WebSocket that an exchange opened: how much either side said, and how it ended.

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::exchange::{SocketKind, Tally};
use crate::redact::{Clean, Content};

/// A view of it.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let socket = case.exchange.response.seen()?.socket.as_deref()?;
    let part = Decoded::new("WebSocket", Place::ResponseBody)
        .row("from the client", tally(socket.client))
        .row("from the server", tally(socket.server));
    let closes = socket.messages.iter().filter(|message| message.kind == SocketKind::Close);
    let part = closes.fold(part, |part, close| {
        let code = close.code.map_or_else(|| "no code".into(), |code| Clean::from(u64::from(code)));
        let reason = match &close.body.content {
            Content::Text { text, .. } => Clean::concat([" ".into(), text.clone()]),
            _ => "".into(),
        };
        part.row(
            "close",
            Clean::concat([close.side.code().into(), ": ".into(), code, meaning(close.code).into(), reason]),
        )
    });
    Some(part.row_if("not understood from", socket.lost.map(|side| Clean::from(side.code()))))
}

fn tally(tally: Tally) -> Clean {
    Clean::concat([tally.messages.into(), " messages, ".into(), tally.bytes.into(), " bytes".into()])
}

/// The names of RFC 6455 section 7.4.1, as far as they say why somebody was turned away.
const fn meaning(code: Option<u16>) -> &'static str {
    match code {
        Some(1000) => " (normal)",
        Some(1001) => " (going away)",
        Some(1002) => " (protocol error)",
        Some(1003) => " (unsupported data)",
        Some(1008) => " (policy violation)",
        Some(1009) => " (message too big)",
        Some(1011) => " (server error)",
        Some(1012) => " (service restart)",
        Some(1013) => " (try again later)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_say_why_have_their_names() {
        assert_eq!(meaning(Some(1008)), " (policy violation)");
        assert_eq!((meaning(Some(4001)), meaning(None)), ("", ""));
        assert_eq!(tally(Tally { messages: 2, bytes: 30 }).as_str(), "2 messages, 30 bytes");
    }
}
