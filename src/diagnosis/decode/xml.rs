//! A tolerant walk through XML as it is kept: redacted, and cut off anywhere. Not a parser: nothing is checked.

/// What the walk meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A start tag, or an empty element, after which its [`Part::Close`] comes at once.
    Open(Tag<'a>),
    /// The end of the innermost open element.
    Close,
    /// Text between tags, trimmed and never empty.
    Text(&'a str),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Without its prefix.
    pub(super) name: &'a str,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of an attribute, whatever its prefix, in any letter case.
    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.attributes().find(|(found, _)| local(found).eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The namespaces that the tag declares.
    pub(super) fn namespaces(self) -> impl Iterator<Item = &'a str> {
        self.attributes()
            .filter(|(name, _)| name.eq_ignore_ascii_case("xmlns") || name.starts_with("xmlns:"))
            .map(|(_, value)| value)
    }

    /// Whether the element has this name, in any letter case.
    pub(super) fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, after) = after[1..].split_once(quote)?;
            rest = after;
            Some((name.trim(), value))
        })
    }
}

/// The parts of `text` in order, up to where it is cut.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut closes = false;
    std::iter::from_fn(move || {
        if std::mem::take(&mut closes) {
            return Some(Part::Close);
        }
        loop {
            let at = memchr::memchr(b'<', rest.as_bytes())?;
            let (before, from) = rest.split_at(at);
            if !before.trim().is_empty() {
                rest = from;
                return Some(Part::Text(before.trim()));
            }
            if let Some(inner) = from.strip_prefix("<![CDATA[") {
                let (shown, after) = inner.split_once("]]>")?;
                rest = after;
                if !shown.trim().is_empty() {
                    return Some(Part::Text(shown.trim()));
                }
                continue;
            }
            if from.starts_with("<!--") {
                rest = from.split_once("-->")?.1;
                continue;
            }
            let end = tag_end(from)?;
            let (tag, after) = (&from[1..end], &from[end + 1..]);
            rest = after;
            match tag.as_bytes().first()? {
                b'!' | b'?' => {}
                b'/' => return Some(Part::Close),
                _ => {
                    let inner = tag.strip_suffix('/');
                    closes = inner.is_some();
                    let inner = inner.unwrap_or(tag);
                    let name = inner.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(inner.len());
                    let (name, attributes) = inner.split_at(name);
                    return Some(Part::Open(Tag { name: local(name), attributes }));
                }
            }
        }
    })
}

/// The texts of the elements called `name`, in any letter case, that hold nothing but text; in order.
pub(super) fn leaves<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let (mut open, mut inside) = (false, None);
    parts(text).filter_map(move |part| {
        match part {
            Part::Open(tag) => (open, inside) = (tag.is(name), None),
            Part::Text(text) => inside = Some(text),
            Part::Close => return std::mem::take(&mut open).then_some(inside.take()).flatten(),
        }
        None
    })
}

/// The first of them.
pub(super) fn leaf<'t>(text: &'t str, name: &'t str) -> Option<&'t str> {
    leaves(text, name).next()
}

/// Where the `>` of a tag stands: outside of quotation marks.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes().position(|byte| match (quote, byte) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), byte) => {
            quote = (open != byte).then_some(open);
            false
        }
        (None, _) => false,
    })
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Vec<String> {
        parts(text)
            .map(|part| match part {
                Part::Open(tag) => format!("<{} {:?}", tag.name, tag.attribute("name")),
                Part::Close => ">".to_owned(),
                Part::Text(text) => text.to_owned(),
            })
            .collect()
    }

    #[test]
    fn tags_texts_and_attributes_come_in_order() {
        assert_eq!(
            walk("<?xml version=\"1.0\"?><!-- a > b --><s:a Name='x > y' o=\"'\"> one <b/><![CDATA[ two ]]></s:a>"),
            ["<a Some(\"x > y\")", "one", "<b None", ">", "two", ">"]
        );
    }

    #[test]
    fn what_is_cut_off_ends_the_walk() {
        assert_eq!(walk("<a><b>text"), ["<a None", "<b None"]);
        assert_eq!(walk("<a b=\"c"), Vec::<String>::new());
        assert_eq!(walk("<a></a><![CDATA[x"), ["<a None", ">"]);
        assert_eq!(walk("<>x</>< />"), Vec::<String>::new());
    }

    #[test]
    fn leaves_are_found_by_their_local_name() {
        let text = "<r><a:Status x=\"1\"> 142 </a:Status><Status>1</Status><Statuses>2</Statuses><Status/>\
                    <Status><b>3</b></Status>Status>4</Status>";
        assert_eq!(leaves(text, "Status").collect::<Vec<_>>(), ["142", "1"]);
        assert_eq!(leaf("<Status></Status><Status>7</Status>", "Status"), Some("7"));
        assert_eq!(leaf("<Status>cut", "Status"), None);
    }
}
