//! What a request asks for in its body, as far as it tells requests of one endpoint apart.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::redact::{Body, Content, Syntax, query_value};

/// What a body asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The SOAP operation, or the grant that a token is asked for with.
    pub(crate) operation: Option<String>,
    /// Equal for bodies that ask for the same.
    pub(crate) whole: u64,
}

impl Said {
    pub(crate) fn of(body: &Body) -> Self {
        let Content::Text { syntax, text, .. } = &body.content else { return Self::default() };
        let mut hasher = DefaultHasher::new();
        normal(text.as_str()).hash(&mut hasher);
        let operation = match syntax {
            Syntax::Xml => soap_operation(text.as_str()).map(str::to_owned),
            Syntax::Form => query_value(text.as_str(), "grant_type").map(std::borrow::Cow::into_owned),
            _ => None,
        };
        Self { operation, whole: hasher.finish() }
    }
}

/// The name of the first element in the body of a SOAP envelope.
fn soap_operation(text: &str) -> Option<&str> {
    let mut elements = text.split('<').skip(1).filter_map(|tag| {
        let name = &tag[..tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(tag.len())];
        let local = name.rsplit(':').next().unwrap_or(name);
        local.starts_with(|c: char| c.is_alphabetic()).then_some(local)
    });
    elements.find(|name| *name == "Body")?;
    elements.next()
}

/// `text` without the numbers of labels and pseudonyms, which are other ones in every run.
pub(crate) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['#', '%']) {
        let sign = if rest[at..].starts_with("%23") { 3 } else { 1 };
        let (before, after) = rest.split_at(at + sign);
        normal.push_str(before);
        rest = if sign == 3 || before.ends_with('#') {
            after.trim_start_matches(|c: char| c.is_ascii_digit())
        } else {
            after
        };
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_read_whatever_its_prefix() {
        for text in [
            "<?xml version=\"1.0\"?><s:Envelope><s:Header><t:V/></s:Header><s:Body><m:GetFolder a=\"b\"><t:Id/></m:GetFolder></s:Body></s:Envelope>",
            "<soap:Envelope>\n<soap:Body>\n<GetFolder/></soap:Body></soap:Envelope>",
        ] {
            assert_eq!(soap_operation(text), Some("GetFolder"));
        }
        assert_eq!(soap_operation("<Autodiscover><Request/></Autodiscover>"), None);
        assert_eq!(soap_operation("<s:Body>"), None);
    }

    #[test]
    fn numbers_of_labels_do_not_count() {
        assert_eq!(normal("a=[hidden #12]&b=user%2317@x&c=100%"), "a=[hidden #]&b=user%23@x&c=100%");
    }
}
