//! Bodies in lines one can read. Only blanks and line breaks are added or taken; every other character stays.

use std::borrow::Cow;

use crate::redact::Syntax;
use crate::tui::document::Line;
use crate::tui::theme::Tone;

/// The lines of a body: JSON and XML indented, forms with one pair a line, other text as it is.
pub(super) fn lines(syntax: Syntax, text: &str) -> Vec<String> {
    let laid_out: Cow<'_, str> = match syntax {
        Syntax::Json => json(text).into(),
        Syntax::Xml => xml(text).into(),
        Syntax::Form => text.replace('&', "&\n").into(),
        Syntax::Html | Syntax::Text | Syntax::Wbxml | Syntax::Mapi | Syntax::Rpc => text.into(),
    };
    laid_out.lines().map(str::to_owned).collect()
}

/// A line with its names in another tone than its values.
pub(super) fn toned(syntax: Syntax, text: &str) -> Line {
    let name_end = match syntax {
        Syntax::Json => json_name(text),
        Syntax::Form => text.find('='),
        Syntax::Xml | Syntax::Wbxml => return tags(text),
        Syntax::Mapi => text.find(':'),
        Syntax::Html | Syntax::Text | Syntax::Rpc => return Line::of(Tone::Plain, text),
    };
    let (name, value) = text.split_at(name_end.unwrap_or(0));
    Line::new().put(Tone::Name, name).put(Tone::Plain, value)
}

/// Where the name of a `"name": value` line ends.
fn json_name(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start().len();
    let end = start + 1 + text[start..].strip_prefix('"')?.find('"')? + 1;
    text[end..].starts_with(':').then_some(end)
}

/// Tags in one tone, what stands between them in another.
fn tags(text: &str) -> Line {
    let mut line = Line::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let close = rest[open..].find('>').map_or(rest.len(), |length| open + length + 1);
        line = line.put(Tone::Plain, &rest[..open]).put(Tone::Name, &rest[open..close]);
        rest = &rest[close..];
    }
    line.put(Tone::Plain, rest)
}

/// Indents JSON token by token, so that numbers, escapes and a cut end stay as they came.
fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        if in_string {
            out.push(char);
            in_string = escaped || char != '"';
            escaped = char == '\\' && !escaped;
            continue;
        }
        match char {
            '"' => {
                in_string = true;
                out.push(char);
            }
            '{' | '[' => {
                out.push(char);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                match rest.next_if(|next| matches!(next, '}' | ']')) {
                    Some(close) => out.push(close),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

/// Puts each element on its own line, short ones with their text.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut rest = text.trim();
    let mut after_text = true;
    while let Some(open) = rest.find('<') {
        let words = &rest[..open];
        out.push_str(words);
        after_text |= !words.trim().is_empty();
        let tag_end = rest[open..].find('>').map_or(rest.len(), |length| open + length + 1);
        let tag = &rest[open..tag_end];
        let closes = tag.starts_with("</");
        let stands_alone = tag.ends_with("/>") || tag.starts_with("<?") || tag.starts_with("<!");
        if closes {
            depth = depth.saturating_sub(1);
        }
        if !after_text {
            out.truncate(out.trim_end().len());
            new_line(&mut out, depth);
        }
        out.push_str(tag);
        depth += usize::from(!closes && !stands_alone);
        rest = &rest[tag_end..];
        // An element without elements keeps its text and its end on its own line.
        let next_is_end = rest.find('<').is_some_and(|at| rest[at..].starts_with("</"));
        after_text = !closes && !stands_alone && next_is_end;
    }
    out.push_str(rest);
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(20)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_no_token_changes() {
        let text = r#"{"error":"invalid_grant","n":1.0e5,"empty":{ },"list":[1,"a,\"}b"],"cut":"Trace"#;
        let lines = lines(Syntax::Json, text);
        assert_eq!(
            lines,
            [
                "{",
                r#"  "error": "invalid_grant","#,
                r#"  "n": 1.0e5,"#,
                r#"  "empty": {},"#,
                r#"  "list": ["#,
                "    1,",
                r#"    "a,\"}b""#,
                "  ],",
                r#"  "cut": "Trace"#,
            ]
        );
    }

    #[test]
    fn xml_is_indented_and_short_elements_stay_whole() {
        let text = "<?xml version=\"1.0\"?><s:Envelope><s:Body><m:Code>NoError</m:Code><m:None/></s:Body></s:Envelope>";
        assert_eq!(
            lines(Syntax::Xml, text),
            [
                "<?xml version=\"1.0\"?>",
                "<s:Envelope>",
                "  <s:Body>",
                "    <m:Code>NoError</m:Code>",
                "    <m:None/>",
                "  </s:Body>",
                "</s:Envelope>",
            ]
        );
    }

    #[test]
    fn a_form_has_one_pair_a_line() {
        assert_eq!(lines(Syntax::Form, "grant_type=password&username=x"), ["grant_type=password&", "username=x"]);
    }
}
