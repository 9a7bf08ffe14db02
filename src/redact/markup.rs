//! XML and HTML that may be cut off anywhere: tags stay, texts and attributes are shown by their names.

use std::borrow::Cow;

use super::door::Door;
use super::json::{self, Read, Sort};
use super::marker::HIDDEN;
use super::names::{self, Treatment};
use super::shape;

/// A longer text in HTML is content, not an error message.
const LONGEST: usize = 512;

/// Writes `text` redacted, up to its first error. Gives how far that was.
pub(super) fn write(door: &Door<'_>, text: &str, html: bool, out: &mut String) -> Read {
    Walk { door, html, open: Vec::new(), out }.run(text)
}

/// Writes the element that `text`, a part of a sentence, begins with, redacted. Gives how much of `text` that was: nothing
/// where no element of a message begins there, all of it where the element has no end.
pub(super) fn within(door: &Door<'_>, text: &str, out: &mut String) -> usize {
    let Some(html) = begins_message(text) else { return 0 };
    let mut walk = Walk { door, html, open: Vec::new(), out };
    let mut rest = text;
    let mut begun = false;
    while (rest.trim_start().starts_with('<') && !begun) || (!walk.open.is_empty() && !rest.is_empty()) {
        let Some(length) = walk.step(rest) else {
            walk.out.push_str("<?hidden?>");
            return text.len();
        };
        begun |= rest.starts_with('<') && !rest.starts_with("<?") && !rest.starts_with("<!");
        rest = &rest[length..];
    }
    text.len() - rest.len()
}

/// Whether a message of XML (`false`) or HTML (`true`) begins in the middle of a sentence, and not a word in angle
/// brackets.
fn begins_message(text: &str) -> Option<bool> {
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    if begins("<html") || begins("<!doctype html") {
        return Some(true);
    }
    // A tag that is longer begins no message.
    let head = &text[1..text.floor_char_boundary(2048)];
    let tag = &head[..head.find(['<', '>'])?];
    let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
    let is_known = ["?xml", "envelope", "autodiscover", "fault"].iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_prefixed = name.split_once(':').is_some_and(|(prefix, local)| {
        (1..=10).contains(&prefix.len())
            && !super::identity::is_prefix(prefix)
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && local.starts_with(|first: char| first.is_ascii_alphabetic())
            && shape::is_name(local)
    });
    (is_known || is_prefixed || (shape::is_name(name) && tag.contains(" xmlns="))).then_some(false)
}

struct Walk<'a, 'd> {
    door: &'a Door<'d>,
    html: bool,
    /// The local names of the open elements, in lower case.
    open: Vec<String>,
    out: &'a mut String,
}

impl Walk<'_, '_> {
    fn run(&mut self, text: &str) -> Read {
        let mut rest = text;
        while !rest.is_empty() {
            let Some(length) = self.step(rest) else {
                return Read { length: text.len() - rest.len(), complete: false };
            };
            rest = &rest[length..];
        }
        Read { length: text.len(), complete: self.html || self.open.is_empty() }
    }

    /// What `text` begins with: a text, or something in angle brackets, a script with what is in it. Gives its length;
    /// `None` where it has no end.
    fn step(&mut self, text: &str) -> Option<usize> {
        let next = text.find('<').unwrap_or(text.len());
        if next > 0 {
            self.text(&text[..next]);
            return Some(next);
        }
        let length = self.markup(text)?;
        let rest = &text[length..];
        if self.html && self.open.last().is_some_and(|name| name == "script" || name == "style") {
            let end = script_end(rest);
            self.script(&rest[..end]);
            return Some(length + end);
        }
        Some(length)
    }

    /// Anything that begins with `<`. Gives its length; `None` where it has no end.
    fn markup(&mut self, text: &str) -> Option<usize> {
        if text.starts_with("<!--") {
            self.out.push_str("<!---->");
            return text.find("-->").map(|end| end + 3).or_else(|| {
                self.out.truncate(self.out.len() - "<!---->".len());
                None
            });
        }
        if let Some(inner) = text.strip_prefix("<![CDATA[") {
            let end = inner.find("]]>")?;
            self.out.push_str("<![CDATA[");
            let shown = self.shown(&inner[..end]);
            self.out.push_str(&shown);
            self.out.push_str("]]>");
            return Some(end + 12);
        }
        if text.starts_with("<?") {
            let end = text.find("?>")? + 2;
            let plain = text[..end].starts_with("<?xml ")
                && end <= 80
                && text[5..end - 2].split_whitespace().all(|part| {
                    let value = part.split_once('=').map(|(_, value)| value.trim_matches(['"', '\'']));
                    value.is_some_and(shape::is_harmless)
                });
            self.out.push_str(if plain { &text[..end] } else { "<?hidden?>" });
            return Some(end);
        }
        if text.starts_with("<!") {
            let end = text.find('>')? + 1;
            let plain = ["<!doctype html>", "<!doctype>"].iter().any(|known| known.eq_ignore_ascii_case(&text[..end]));
            self.out.push_str(if plain { &text[..end] } else { "<!DOCTYPE>" });
            return Some(end);
        }
        let end = tag_end(text)?;
        let tag = &text[..end];
        match tag.strip_prefix("</") {
            Some(name) => {
                // What stands behind the name means nothing in an end tag.
                let name =
                    name.trim_start().split([' ', '\t', '\r', '\n', '\x0c', '/', '>']).next().unwrap_or_default();
                self.out.push_str("</");
                self.out.push_str(tag_name(name));
                self.out.push('>');
                let local = local(tag_name(name));
                if let Some(place) = self.open.iter().rposition(|open| *open == local) {
                    self.open.truncate(place);
                }
            }
            None => self.tag(tag),
        }
        Some(end)
    }

    fn tag(&mut self, tag: &str) {
        let inner = tag[1..].trim_end_matches('>');
        let (inner, close) = inner.strip_suffix('/').map_or((inner, ">"), |inner| (inner, "/>"));
        let length = inner.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(length);
        self.out.push('<');
        self.out.push_str(tag_name(name));
        let attributes = attributes(rest);
        // A field has a name, an id and a type; the one that tells of a secret counts.
        let names =
            || attributes.iter().filter(|a| ["name", "id", "type"].iter().any(|n| a.name.eq_ignore_ascii_case(n)));
        let called = names()
            .filter_map(|a| a.value)
            .find(|value| names::treatment(value).hides() || names::treatment(value) == Treatment::Token)
            .or_else(|| names().find(|a| !a.name.eq_ignore_ascii_case("type")).and_then(|a| a.value))
            .unwrap_or_default();
        for attribute in &attributes {
            self.out.push(' ');
            let name = tag_name(attribute.name);
            self.out.push_str(name);
            if let Some(value) = attribute.value {
                let value = unescaped(value);
                let mut shown = String::with_capacity(value.len());
                self.attribute(name, &value, called, &mut shown);
                self.out.push_str("=\"");
                self.out.push_str(&escaped(&shown));
                self.out.push('"');
            }
        }
        self.out.push_str(close);
        let local = local(tag_name(name));
        let void = ["meta", "link", "input", "br", "hr", "img", "base", "area", "col", "wbr"].contains(&&*local);
        if close == ">" && !(self.html && void) && self.open.len() < 256 {
            self.open.push(local);
        }
    }

    fn attribute(&self, name: &str, value: &str, called: &str, out: &mut String) {
        const PLAIN: [&str; 22] = [
            "name",
            "id",
            "class",
            "type",
            "lang",
            "xml:lang",
            "version",
            "rel",
            "method",
            "dir",
            "for",
            "role",
            "http-equiv",
            "charset",
            "encoding",
            "traversal",
            "propertyname",
            "fielduri",
            "basefolderid",
            "xsi:type",
            "target",
            "code",
        ];
        let lower = name.to_ascii_lowercase();
        let treatment = match &*lower {
            "value" if !called.is_empty() => names::treatment(called),
            "href" | "src" | "action" | "schemalocation" | "namespace" | "algorithm" | "xmlns" => Treatment::Url,
            xmlns if xmlns.starts_with("xmlns:") => Treatment::Url,
            "name" | "id" if value.contains(' ') => Treatment::Secret,
            plain if PLAIN.contains(&plain) && shape::is_plain_segment(&value.replace(':', ".")) => {
                return out.push_str(value);
            }
            "code" => Treatment::Shape,
            HIDDEN => Treatment::Secret,
            _ => names::treatment(local(name).as_str()),
        };
        self.door.treat(treatment, value, out);
    }

    fn text(&mut self, raw: &str) {
        let text = raw.trim();
        let lead = raw.len() - raw.trim_start().len();
        self.out.push_str(&raw[..lead]);
        if !text.is_empty() {
            let plain = unescaped(text);
            let shown = self.shown(&plain);
            if shown == *plain {
                self.out.push_str(text);
            } else {
                self.out.push_str(&escaped(&shown));
            }
            self.out.push_str(&raw[lead + text.len()..]);
        }
    }

    fn shown(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let name = self.open.last().map_or("", String::as_str);
        let parent = self.open.len().checked_sub(2).map_or("", |at| self.open[at].as_str());
        if self.html {
            match (name, text.len() <= LONGEST) {
                _ if name == HIDDEN => self.door.hide(text, &mut shown),
                _ if let Some(treatment) = names::secret(name) => self.door.treat(treatment, text, &mut shown),
                ("textarea" | "option", _) | (_, false) => self.door.hide(text, &mut shown),
                _ => self.door.words(text, &mut shown),
            }
            // Markers are longer than what they stand for, and what is shown is measured when it is read again.
            if shown.len() > LONGEST {
                shown.clear();
                self.door.hide(text, &mut shown);
            }
            return shown;
        }
        let treatment = match (parent, name) {
            ("reason" | "fault" | "internalerror", "text")
            | ("code" | "subcode", "value")
            | ("error" | "fault", "code") => Treatment::Words,
            (_, HIDDEN) => Treatment::Secret,
            (_, name) => names::treatment(name),
        };
        self.door.treat(treatment, text, &mut shown);
        shown
    }

    /// Of a script only the settings of a sign-in page are kept, of a style nothing.
    fn script(&mut self, text: &str) {
        let settings = text.find("$Config=").map(|at| &text[at + 8..]).filter(|settings| settings.starts_with('{'));
        if let Some(settings) = settings {
            self.out.push_str("$Config=");
            let read = json::write(self.door, settings, Sort::Data, true, self.out);
            self.out.push_str(if read.complete { ";" } else { "" });
        }
    }
}

/// Where a script or a style ends: an end tag of another name is a part of it.
fn script_end(text: &str) -> usize {
    let named = |at: usize, name: &str| {
        let end = at + 2 + name.len();
        text.get(at + 2..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && text.as_bytes().get(end).is_none_or(|next| b" \t\r\n\x0c/>".contains(next))
    };
    let mut ends = text.match_indices("</").map(|(at, _)| at);
    ends.find(|at| named(*at, "script") || named(*at, "style")).unwrap_or(text.len())
}

/// Whether the first element's name has a prefix, as in SOAP and never in HTML.
pub(super) fn has_prefixed_root(text: &str) -> bool {
    let first = text.match_indices('<').map(|(at, _)| &text[at + 1..]).find(|tag| !tag.starts_with(['?', '!']));
    first.is_some_and(|tag| {
        let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(tag.len());
        tag[..end].contains(':')
    })
}

struct Attribute<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

fn attributes(text: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        let after = after.trim_start();
        let Some(after) = after.strip_prefix('=') else {
            found.push(Attribute { name, value: None });
            rest = after;
            continue;
        };
        let after = after.trim_start();
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            _ => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
        };
        found.push(Attribute { name, value: Some(value) });
        rest = after.trim_start();
    }
    found
}

/// Where a tag ends: its `>` outside of quotation marks.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn tag_name(name: &str) -> &str {
    if shape::is_name(name) { name } else { HIDDEN }
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase()
}

/// Entities and character references resolved; what is none stays.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let resolved =
            rest.bytes().take(12).position(|byte| byte == b';').and_then(|end| Some((entity(&rest[1..end])?, end)));
        match resolved {
            Some((c, end)) => {
                plain.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

pub(super) fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::{Redactor, Syntax};

    fn shown(syntax: Syntax, text: &str) -> String {
        let redactor = Redactor::new();
        let clean = redactor.wire().body_text(syntax, text.as_bytes());
        assert_eq!(redactor.own().body_text(syntax, clean.as_str().as_bytes()), clean, "own door on our own output");
        clean.as_str().to_owned()
    }

    #[test]
    fn a_script_ends_at_its_own_end_tag() {
        assert_eq!(
            shown(Syntax::Html, "<script>var a=\"</p>\", canary=\"hunter2\";</SCRIPT><p>Denied</p>"),
            "<script></SCRIPT><p>Denied</p>"
        );
        assert_eq!(
            shown(Syntax::Html, "<script>hunter2</script x=\"1\"><p>Denied</p>"),
            "<script></script><p>Denied</p>"
        );
        assert_eq!(shown(Syntax::Html, "<p>Denied</p><script>var canary=\"hunter2"), "<p>Denied</p><script>");
    }

    #[test]
    fn a_message_in_a_sentence_is_read_by_its_names() {
        let redactor = Redactor::new();
        for (text, shown) in [
            (
                "Sent: <t:Message><t:Subject>The merger</t:Subject><t:Folder>Plans</t:Folder></t:Message> and refused",
                "Sent: <t:Message><t:Subject>[hidden #1]</t:Subject><t:Folder>[hidden #2]</t:Folder></t:Message> and refused",
            ),
            ("Sent <t:Subject>The mer", "Sent <t:Subject>[hidden #3]"),
            ("Sent <t:Subject>The mer<", "Sent <t:Subject>[hidden #3]<?hidden?>"),
            ("Run Get-Mailbox <UPN of user#1> or <mailto:help> or see <https://contoso.com>", "same"),
            (
                r#"It said {"subject": "The merger", "message": "Denied", "PolicyKey": "77"}. Why?"#,
                r#"It said {"subject": "[hidden #1]", "message": "Denied", "PolicyKey": "[hidden #4]"}. Why?"#,
            ),
            (r#"{"subject": "The mer"#, r#"{"subject": "[hidden #3]"#),
            (r#"{"error_description": "AADSTS50079: Due to"#, "same"),
            ("Cookie: a=1; b=Sesame; c, refused", "Cookie: [hidden #5]; c, refused"),
            ("Cookie: missing", "same"),
        ] {
            let clean = redactor.wire().prose(text.as_bytes());
            assert_eq!(clean.as_str(), if shown == "same" { text } else { shown });
            assert_eq!(redactor.own().prose(clean.as_str().as_bytes()), clean, "own door on our own output");
        }
    }

    #[test]
    fn a_text_that_markers_make_too_long_is_hidden_at_once() {
        let text = format!("<p>{}</p>", "hunter2@ ".repeat(50));
        assert_eq!(shown(Syntax::Html, &text), "<p>[hidden #2] </p>");
    }

    #[test]
    fn the_name_that_tells_of_a_secret_counts() {
        assert_eq!(
            shown(Syntax::Html, "<input id=\"status\" name=\"password\" value=\"hunter2\">"),
            "<input id=\"status\" name=\"password\" value=\"[hidden #1]\">"
        );
        assert_eq!(
            shown(Syntax::Html, "<input type=\"password\" id=\"message\" value=\"hunter2\">"),
            "<input type=\"password\" id=\"message\" value=\"[hidden #1]\">"
        );
        assert_eq!(
            shown(Syntax::Html, "<a><Password>hunter2</Password></a>"),
            "<a><Password>[hidden #1]</Password></a>"
        );
        assert_eq!(shown(Syntax::Xml, "<x name=\"Avery Howard\"/>"), "<x name=\"[hidden #1]\"/>");
    }
}
