//! Errors of REST services, SharePoint's above all: OData in JSON and XML, the short JSON of its token check, and the
//! headers of its WebDAV.
//!
//! Microsoft Graph and the REST interface of Exchange write the same OData form.

use serde_json::Value;

use super::xml::{Part, parts};
use super::{Decoded, Row};
use crate::diagnosis::{Case, Place};
use crate::exchange::Exchange;
use crate::redact::{Clean, Content, Syntax, percent_decoded};

/// The error in the body of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestError {
    /// `-2147024891, System.UnauthorizedAccessException`, `ApplicationThrottled`, `invalid_client`; may be empty.
    pub code: String,
    /// In words; may be empty.
    pub message: String,
}

impl RestError {
    /// Reads it from a refusal.
    pub fn read(exchange: &Exchange) -> Option<Self> {
        let response =
            exchange.response.seen().filter(|response| response.status.is_none_or(|status| status >= 400))?;
        match &response.message.body.content {
            Content::Text { syntax: Syntax::Json, text, .. } => Self::in_json(text.as_str()),
            Content::Text { syntax: Syntax::Xml, text, .. } => Self::in_xml(text.as_str()),
            // Tools paste bodies without saying what they are.
            Content::Text { text, .. } if text.as_str().starts_with('{') => Self::in_json(text.as_str()),
            _ => None,
        }
    }

    /// Whether the code, or one of the parts it is made of, is this, in any letter case.
    pub fn has_code(&self, wanted: &str) -> bool {
        self.code.split([',', ' ']).any(|part| part.eq_ignore_ascii_case(wanted))
    }

    /// Whether the words hold these, in any letter case.
    pub fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(&words.to_ascii_lowercase())
    }

    fn in_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let error = value.get("odata.error").or_else(|| value.get("error"));
        let found = match error {
            Some(Value::Object(error)) => {
                let part = |name: &str| error.get(name).unwrap_or(&Value::Null);
                let message = part("message");
                Self { code: word(part("code")), message: word(message.get("value").unwrap_or(message)) }
            }
            error => Self {
                code: error.map(word).unwrap_or_default(),
                message: value.get("error_description").map(word).unwrap_or_default(),
            },
        };
        (found != Self::default()).then_some(found)
    }

    fn in_xml(text: &str) -> Option<Self> {
        let (mut found, mut path) = (Self::default(), Vec::new());
        for part in parts(text) {
            match part {
                Part::Open(tag) if path.is_empty() && !tag.is("error") => return None,
                Part::Open(tag) => path.push(tag.name),
                Part::Close => {
                    path.pop();
                }
                Part::Text(words) => match (path.len(), path.last()) {
                    (2, Some(name)) if name.eq_ignore_ascii_case("code") => words.clone_into(&mut found.code),
                    (2, Some(name)) if name.eq_ignore_ascii_case("message") => words.clone_into(&mut found.message),
                    _ => {}
                },
            }
        }
        (found != Self::default()).then_some(found)
    }
}

/// The number and the words of `X-MSDAVEXT_Error`: `917656; Access+denied.+Before+opening+files…`.
pub(in crate::diagnosis) fn dav_error(value: &str) -> Option<(u32, String)> {
    let (number, words) = value.split_once(';').unwrap_or((value, ""));
    Some((number.trim().parse().ok()?, percent_decoded(words.trim()).into_owned()))
}

/// What SharePoint says of a response, as a person reads it.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    const HEADERS: [&str; 8] = [
        "MicrosoftSharePointTeamServices",
        "SPRequestGuid",
        "SPRequestDuration",
        "SPIisLatency",
        "X-SharePointHealthScore",
        "X-MSDAVEXT_Error",
        "X-Forms_Based_Auth_Required",
        "X-IDCRL_AUTH_PARAMS_V1",
    ];
    let exchange = case.exchange;
    let fields = exchange.response_fields();
    let field = |name: &'static str| {
        let found = fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name))?;
        Some(Row { name, value: found.value.clone() })
    };
    let mut rows: Vec<Row> = HEADERS.into_iter().filter_map(field).collect();
    if rows.is_empty() {
        return None;
    }
    // An OData error has a part of its own.
    let error = RestError::read(exchange).filter(|_| case.graph_error().is_none());
    if let (Some(error), Some(body)) = (error, body(exchange)) {
        let told = [("error", &error.code), ("message", &error.message)];
        // In the spelling of the wire: what is escaped there cannot be told apart from what was made up.
        let row = |(name, words): (&'static str, &String)| {
            let at = body.as_str().find(words.as_str()).filter(|_| !words.is_empty())?;
            Some(Row { name, value: body.slice(at..at + words.len()) })
        };
        rows.extend(told.into_iter().filter_map(row));
    }
    Some(Decoded { title: "SharePoint", place: Place::ResponseHeader("sprequestguid"), rows })
}

fn body(exchange: &Exchange) -> Option<&Clean> {
    match &exchange.response.seen()?.message.body.content {
        Content::Text { text, .. } => Some(text),
        Content::Empty | Content::Withheld(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    fn error(response: &'static str) -> Option<(String, String)> {
        let exchange = exchanges(&[Raw::new("GET https://contoso.sharepoint.com/_api/web", response)]).remove(0);
        RestError::read(&exchange).map(|error| (error.code, error.message))
    }

    fn told(code: &str, message: &str) -> (String, String) {
        (code.to_owned(), message.to_owned())
    }

    #[test]
    fn every_form_of_an_error_is_read_from_what_is_kept() {
        let denied = "-2147024891, System.UnauthorizedAccessException";
        assert_eq!(
            error(
                "403\nContent-Type: application/json;odata=verbose;charset=utf-8\n\n{\"error\":{\"code\":\
                 \"-2147024891, System.UnauthorizedAccessException\",\"message\":{\"lang\":\"en-US\",\"value\":\
                 \"Access denied. You do not have permission.\"}}}"
            ),
            Some(told(denied, "Access denied. You do not have permission."))
        );
        assert_eq!(
            error(
                "403\nContent-Type: application/json\n\n{\"odata.error\":{\"code\":\"-2147024891, \
                 System.UnauthorizedAccessException\",\"message\":{\"lang\":\"en-US\",\"value\":\"Access denied.\"}}}"
            ),
            Some(told(denied, "Access denied."))
        );
        assert_eq!(
            error(
                "403\nContent-Type: application/xml;charset=utf-8\n\n<?xml version=\"1.0\" encoding=\"utf-8\"?>\
                 <m:error xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\"><m:code>\
                 -2147024891, System.UnauthorizedAccessException</m:code><m:message xml:lang=\"en-US\">Access denied.\
                 </m:message></m:error>"
            ),
            Some(told(denied, "Access denied."))
        );
        assert_eq!(
            error("401\nContent-Type: application/json\n\n{\"error_description\":\"Unsupported app only token.\"}"),
            Some(told("", "Unsupported app only token."))
        );
        assert_eq!(
            error("401\n\n{\"error\":\"invalid_client\",\"error_description\":\"Invalid issuer or signature.\"}"),
            Some(told("invalid_client", "Invalid issuer or signature."))
        );
        assert_eq!(
            error(
                "429\nContent-Type: application/json\n\n{\"error\":{\"code\":\"activityLimitReached\",\"message\":\
                 \"The request has been throttled\",\"innerError\":{\"code\":\"x\"}}}"
            ),
            Some(told("activityLimitReached", "The request has been throttled"))
        );
    }

    #[test]
    fn what_is_no_error_is_none() {
        for other in [
            "401\nContent-Type: application/json\n\n{\"value\":1}",
            "401\nContent-Type: application/json\n\n{\"error\":",
            "401\nContent-Type: text/xml\n\n<x><code>1</code></x>",
            "401",
            "200\nContent-Type: application/json\n\n{\"error\":\"invalid_client\"}",
        ] {
            assert_eq!(error(other), None, "{other}");
        }
    }

    #[test]
    fn webdav_says_a_number_and_words() {
        let found = dav_error("917656; Access+denied.+Before%2c").unwrap();
        assert_eq!(found, (917_656, "Access denied. Before,".to_owned()));
        assert_eq!(dav_error("917656"), Some((917_656, String::new())));
        assert_eq!(dav_error("[hidden #1]"), None);
    }

    #[test]
    fn a_person_reads_rows() {
        let raw = Raw::new(
            "GET https://contoso.sharepoint.com/_api/web",
            "401\nSPRequestGuid: 5fd0a1a1-0000-4000-8000-000000000031\nContent-Type: application/json\n\n\
             {\"error_description\":\"Unsupported security token.\"}",
        );
        let past = Past::default();
        let view = |raw| decoded(&Case::new(&exchanges(&[raw]).remove(0), &past, Capture::Imported));
        let seen = view(raw).unwrap();
        let rows: Vec<_> = seen.rows.iter().map(|row| (row.name, row.value.as_str())).collect();
        assert_eq!(
            rows,
            [("SPRequestGuid", "5fd0a1a1-0000-4000-8000-000000000031"), ("message", "Unsupported security token.")]
        );
        assert!(view(Raw::new("GET https://www.contoso.com/", "200")).is_none());
    }
}
