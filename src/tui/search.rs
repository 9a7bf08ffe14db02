//! Words that are looked for in an exchange itself.

use super::filter::contains;
use crate::exchange::{Exchange, Message};
use crate::redact::{Content, Field};

/// Whether address, heads, bodies or failure of `exchange` hold `part`, which is in lower case, in any letter case.
pub fn holds(exchange: &Exchange, part: &str) -> bool {
    let response = exchange.response.seen();
    let messages = [exchange.request.seen(), response.map(|response| &response.message)];
    exchange.url.as_ref().is_some_and(|url| contains(url.text().as_str(), part))
        || exchange.error.as_ref().is_some_and(|error| contains(error.text.as_str(), part))
        || response.is_some_and(|response| contains(response.reason.as_str(), part))
        || messages.into_iter().flatten().any(|message| message_holds(message, part))
}

fn message_holds(message: &Message, part: &str) -> bool {
    // As the line stands in the pane, so that `name: value` is found as well.
    let line = |field: &Field| {
        let (name, value) = (field.name.as_str(), field.value.as_str());
        contains(name, part)
            || contains(value, part)
            || (part.contains(':') && contains(&format!("{name}: {value}"), part))
    };
    message.fields.iter().chain(message.trailers.iter()).any(line)
        || matches!(&message.body.content, Content::Text { text, .. } if contains(text.as_str(), part))
}
