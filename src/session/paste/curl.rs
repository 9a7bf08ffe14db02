//! What command-line tools put before the lines of a message: curl's `>`, `<` and `*`, with or without times and
//! transfer numbers; the `>` of a quoted mail; the `header:` of Python's http.client.

use std::borrow::Cow;

/// The text without such prefixes, and without the lines that are the tool's own.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let is_marked = text.lines().any(|line| {
        let line = after_stamp(line);
        let marked = line.strip_prefix("> ").or_else(|| line.strip_prefix("< "));
        marked.is_some_and(|rest| rest.contains("HTTP/") || is_field(rest)) || of_python(line).is_some()
    });
    if !is_marked {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = after_stamp(line);
        if let Some(message) = of_python(bare) {
            // Fields follow on lines of their own.
            let message = if bare.starts_with("reply") { message.trim_end_matches("\\r\\n") } else { message };
            plain.push_str(&message.replace("\\r\\n", "\n"));
        } else if let Some(rest) = marked(bare) {
            plain.push_str(rest);
        } else if is_own(bare) {
            continue;
        } else {
            // A body without a line end runs into the tool's next line.
            plain.push_str(line.split_once("* Connection #").map_or(line, |(body, _)| body));
        }
        plain.push('\n');
    }
    Cow::Owned(plain)
}

/// What follows `>` or `<`; markup is none of it.
fn marked(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['>', '<'])?;
    if rest.trim().is_empty() {
        return Some("");
    }
    rest.strip_prefix(' ')
}

/// curl's remarks, and where bodies stood.
fn is_own(line: &str) -> bool {
    let data = |bracket| line.starts_with(bracket) && line.trim_end().ends_with("bytes data]");
    line.starts_with("* ") || line.trim_end() == "*" || data("{ [") || data("} [")
}

/// The line behind a time (`09:12:44.123456`) and a transfer's numbers (`[0-0]`).
fn after_stamp(line: &str) -> &str {
    let bare = line.trim_start();
    let word = |text: &str| text.find(' ').unwrap_or(text.len());
    let mut rest = bare;
    let is_time = |word: &str| {
        word.len() >= 8
            && word.contains(':')
            && word.bytes().all(|byte| byte.is_ascii_digit() || b":.,-TZ".contains(&byte))
    };
    let is_date = |word: &str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_transfer = |word: &str| {
        let inside = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        inside.is_some_and(|inside| {
            inside.contains('-') && inside.bytes().all(|byte| byte.is_ascii_digit() || b"-x".contains(&byte))
        })
    };
    for test in [&is_date as &dyn Fn(&str) -> bool, &is_time, &is_transfer] {
        let end = word(rest);
        if test(&rest[..end]) {
            rest = rest[end..].trim_start_matches(' ');
        }
    }
    let is_behind = rest.len() < bare.len() && (rest.is_empty() || rest.starts_with(['>', '<', '*', '{', '}']));
    if is_behind { rest } else { line }
}

/// A line of `http.client` with its debug level set.
fn of_python(line: &str) -> Option<&str> {
    if let Some(field) = line.strip_prefix("header: ") {
        return is_field(field).then_some(field);
    }
    let (word, rest) = line.split_once(": ")?;
    let quoted = rest.trim_start_matches('b').trim();
    let inside = quoted.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
    (matches!(word, "send" | "reply") && inside.contains("HTTP/1")).then_some(inside)
}

fn is_field(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn prefixes_go_and_bodies_stay() {
        let text = "*   Trying 192.0.2.1:443...\n* [HTTP/2] [1] [:method: GET]\n> GET / HTTP/2\r\n> Host: a\n>\n\
                    * Request completely sent off\n{ [5 bytes data]\n< HTTP/2 401 \n< a: b\n< \n<html>\n{\"a\":1}* Connection #0 to host a left intact\n";
        assert_eq!(plain(text), "GET / HTTP/2\nHost: a\n\nHTTP/2 401 \na: b\n\n<html>\n{\"a\":1}\n");
    }

    #[test]
    fn times_and_transfers_go() {
        for stamp in ["09:12:44.123456 ", "2026-11-22 09:12:44.1 [0-0] ", "[1-x] ", "12:00:00.000000 [0-1] "] {
            let text =
                format!("{stamp}> GET / HTTP/1.1\n{stamp}> Host: a\n{stamp}>\n{stamp}< HTTP/1.1 401 U\n{stamp}* x\n");
            assert_eq!(plain(&text), "GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 401 U\n", "{stamp}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["HTTP/1.1 401 U\n\n<html>\n> a\n", "09:12 it failed\n", "a > b\n", ""] {
            assert!(matches!(plain(text), std::borrow::Cow::Borrowed(_)), "{text}");
        }
        let python = "send: b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'\nreply: 'HTTP/1.1 401 U\\r\\n'\nheader: WWW-Authenticate: NTLM\n";
        assert_eq!(plain(python), "GET / HTTP/1.1\nHost: a\n\n\nHTTP/1.1 401 U\nWWW-Authenticate: NTLM\n");
    }
}
