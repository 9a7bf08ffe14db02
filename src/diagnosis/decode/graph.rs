//! The errors of Microsoft Graph and its kin (OData JSON): a code, a message, and what stands inside.
//!
//! Read from text that may be cut off anywhere; not the errors of token issuers, whose `error` is a word.

use super::http_date;
use super::view::{Decoded, Row};
use crate::diagnosis::{Case, Place};
use crate::exchange::{Exchange, Timestamp};
use crate::redact::{Clean, Content, Syntax};

/// One error of Graph, of Exchange's or SharePoint's REST, or of another OData service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// `code`, as in `InvalidAuthenticationToken`.
    pub code: Clean,
    /// `message`; empty where there is none.
    pub message: Clean,
    /// The codes inside, the outer ones first.
    pub inner: Vec<Clean>,
    /// When the server says it happened, in seconds since 1970: its own clock.
    pub date: Option<i64>,
    /// What it means, where that is known.
    pub fault: Option<GraphFault>,
    rows: Vec<Row>,
}

/// What Graph finds wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFault {
    /// The token is wrong, and no more is said.
    Token,
    /// It is no token that can be read, or there is none.
    Malformed,
    /// Its time is over, or has not begun.
    Expired,
    /// It is for another resource.
    Audience,
    /// It must be fetched anew, with further claims.
    Claims,
    /// Its tenant is not known.
    Tenant,
    /// A policy keeps the application from this mailbox.
    Policy,
    /// It does not allow what was asked.
    Permission,
}

impl GraphError {
    /// Reads it from a response's body.
    pub fn read(exchange: &Exchange) -> Option<Self> {
        let response = exchange.response.seen()?;
        match &response.message.body.content {
            Content::Text { syntax: Syntax::Json, text, .. } => Self::of(text),
            Content::Text { syntax: Syntax::Text, text, .. } if response.status.is_none() => Self::told(text),
            _ => None,
        }
    }

    /// Reads it from what a tool prints of it, which somebody copied: `ErrorCode: …`, `code='…'`, `[…] : …`.
    fn told(text: &Clean) -> Option<Self> {
        const CODES: [&str; 4] = [
            "InvalidAuthenticationToken",
            "Authentication_ExpiredToken",
            "Authorization_RequestDenied",
            "OrganizationFromTenantGuidNotFound",
        ];
        let all = text.as_str();
        let announced = |at: usize, code: &str| is_printed(&all[..at], &all[at + code.len()..]);
        let (at, code) = CODES.iter().find_map(|code| {
            let at = all.match_indices(code).find(|(at, _)| announced(*at, code))?.0;
            Some((at, code))
        })?;
        let code = text.part(&all[at..at + code.len()]);
        let mut error =
            Self { code, message: text.clone(), inner: Vec::new(), date: None, fault: None, rows: Vec::new() };
        error.fault = error.fault();
        Some(error)
    }

    /// Reads it from JSON.
    fn of(body: &Clean) -> Option<Self> {
        const SHOWN: [&str; 5] = ["message", "date", "request-id", "client-request-id", "errorUrl"];
        let (mut code, mut message) = (None, None);
        let (mut inner, mut date, mut rows) = (Vec::new(), None, Vec::new());
        let mut values = Values::of(body.as_str());
        while let Some((name, value)) = values.next() {
            let Some(within) = values.within_error() else { continue };
            let named = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            let clean = || body.part(value);
            if named("code") && within == 0 {
                code = code.or_else(|| Some(clean()));
            } else if named("code") && inner.len() < 8 {
                inner.push(clean());
            } else if (named("message") && within == 0) || (named("value") && values.parent_is("message")) {
                message = message.or_else(|| Some(clean()));
            } else if named("date") {
                date = date.or_else(|| moment(value));
            }
            let shown = SHOWN.iter().find(|shown| within > 0 && named(shown) && rows.len() < 8);
            rows.extend(shown.map(|shown| Row { name: shown, value: clean() }));
        }
        let mut error =
            Self { code: code?, message: message.unwrap_or_else(|| "".into()), inner, date, fault: None, rows };
        error.fault = error.fault();
        Some(error)
    }

    /// By the code what it is about, by the words what exactly.
    fn fault(&self) -> Option<GraphFault> {
        const OF_TOKENS: [&str; 5] = [
            "InvalidAuthenticationToken",
            "Authentication_ExpiredToken",
            "AuthenticationError",
            "unauthenticated",
            "InvalidMsaTicket",
        ];
        const OF_RIGHTS: [&str; 7] = [
            "Authorization_RequestDenied",
            "ErrorAccessDenied",
            "accessDenied",
            "Forbidden",
            "ErrorInsufficientPermissionsInAccessToken",
            "AuthorizationFailed",
            "NoPermissionsInAccessToken",
        ];
        const OF_A_TOKEN: [(&[&str], GraphFault); 4] = [
            (&["continuous access", "OutdatedPolicies", "BeforeRevocation", "InteractionRequired"], GraphFault::Claims),
            (&["audience", "IDX10214", "IDX10206"], GraphFault::Audience),
            (&["expired", "not yet valid", "lifetime", "IDX10222", "IDX10223"], GraphFault::Expired),
            (
                &[
                    "CompactToken",
                    "well formed",
                    "well-formed",
                    "IDX14",
                    "IDX127",
                    "token is empty",
                    "pars",
                    "malformed",
                ],
                GraphFault::Malformed,
            ),
        ];
        if self.is("OrganizationFromTenantGuidNotFound") {
            Some(GraphFault::Tenant)
        } else if OF_TOKENS.iter().any(|code| self.is(code)) {
            let worded = OF_A_TOKEN.iter().find(|(words, _)| self.says(words));
            let by_code = if self.is("Authentication_ExpiredToken") { GraphFault::Expired } else { GraphFault::Token };
            Some(worded.map_or(by_code, |(_, fault)| *fault))
        } else if OF_RIGHTS.iter().any(|code| self.is(code)) {
            let policy = self.says(&["[RAOP]", "AppOnly AccessPolicy", "application access policy"]);
            Some(if policy { GraphFault::Policy } else { GraphFault::Permission })
        } else {
            None
        }
    }

    /// Whether the code is this, in any letter case.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_str().eq_ignore_ascii_case(code)
    }

    /// Whether the message or a code inside holds one of these words, in any letter case.
    pub fn says(&self, words: &[&str]) -> bool {
        let holds = |text: &Clean| {
            let text = text.as_str().to_ascii_lowercase();
            words.iter().any(|words| text.contains(&words.to_ascii_lowercase()))
        };
        holds(&self.message) || self.inner.iter().any(holds)
    }
}

/// The error in its parts.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let error = case.graph_error()?;
    let part = Decoded::new("OData error", Place::ResponseBody).row("code", error.code.clone());
    let part = part.row_if("message", Some(error.message.clone()).filter(|message| !message.as_str().is_empty()));
    let part = error.inner.iter().fold(part, |part, code| part.row("innerError.code", code.clone()));
    Some(error.rows.iter().fold(part, |part, row| part.row(row.name, row.value.clone())))
}

/// Whether the word between is printed as a code: named so, or in brackets before the message. Words about a code, and
/// programs that compare it, are not.
fn is_printed(before: &str, after: &str) -> bool {
    let bare = before.trim_end_matches(['\'', '"']);
    if bare.ends_with('[') {
        return after.strip_prefix(']').is_some_and(|rest| rest.trim_start().starts_with(':'));
    }
    let named = bare.trim_end().strip_suffix([':', '=']).unwrap_or_default().trim_end();
    let is_named = named.get(named.len().saturating_sub(4)..).is_some_and(|name| name.eq_ignore_ascii_case("code"));
    let rest = after.trim_start_matches(['\'', '"']).trim_start_matches([' ', '\t']);
    let is_whole = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    // The next thing that is printed has its own name.
    let ends = rest.is_empty() || rest.starts_with(['\r', '\n', ',', ';', ')', '}']);
    is_named && is_whole && (ends || rest.split_whitespace().next().is_some_and(|word| word.ends_with(':')))
}

/// `2026-11-20T09:12:44`, in UTC without saying so, or with its zone; or the form of a header.
fn moment(text: &str) -> Option<i64> {
    let stamp = |text: &str| Timestamp::parse(text).map(Timestamp::seconds);
    stamp(text).or_else(|| stamp(&format!("{text}Z"))).or_else(|| http_date::seconds(text))
}

/// Walks the texts of a JSON document with their names. What follows the first mistake is left out.
struct Values<'t> {
    rest: &'t str,
    /// The names that the objects and arrays around stand under.
    around: Vec<&'t str>,
    name: &'t str,
}

/// Deeper nesting is not followed.
const DEEPEST: usize = 32;

impl<'t> Values<'t> {
    const fn of(text: &'t str) -> Self {
        Self { rest: text, around: Vec::new(), name: "" }
    }

    /// The next text and its name. The value is as it stands between its quotation marks.
    fn next(&mut self) -> Option<(&'t str, &'t str)> {
        loop {
            let at = self.rest.find(['"', '{', '[', '}', ']', ','])?;
            let sign = self.rest.as_bytes()[at];
            self.rest = &self.rest[at + 1..];
            match sign {
                b'{' | b'[' if self.around.len() == DEEPEST => return None,
                b'{' | b'[' => self.around.push(std::mem::take(&mut self.name)),
                b'}' | b']' => self.name = self.around.pop()?,
                b',' => {}
                _ => {
                    let text = &self.rest[..end_of_text(self.rest)?];
                    self.rest = &self.rest[text.len() + 1..];
                    if let Some(after) = self.rest.trim_start().strip_prefix(':') {
                        (self.rest, self.name) = (after, text);
                    } else {
                        return Some((self.name, text));
                    }
                }
            }
        }
    }

    /// How many objects stand between `error` and this place; nothing outside of it.
    fn within_error(&self) -> Option<usize> {
        let error = |name: &&str| name.eq_ignore_ascii_case("error") || name.eq_ignore_ascii_case("odata.error");
        self.around.iter().position(error).map(|at| self.around.len() - 1 - at)
    }

    fn parent_is(&self, name: &str) -> bool {
        self.around.last().is_some_and(|parent| parent.eq_ignore_ascii_case(name))
    }
}

fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Option<GraphError> {
        GraphError::of(&Clean::from(text))
    }

    #[test]
    fn codes_outside_and_inside_are_told_apart() {
        let error = read(
            r#"{"error": {"message": "Say \"no\", [now].", "innererror": {"code": "TokenExpired", "date":
               "2026-11-20T09:12:44", "request-id": "0c8f", "innerError": {"code": "deeper"}}, "code" : "accessDenied"}}"#,
        )
        .unwrap();
        assert!(error.is("AccessDenied") && error.says(&["SAY \\\"NO"]) && error.says(&["tokenexpired"]));
        assert_eq!(error.inner.iter().map(Clean::as_str).collect::<Vec<_>>(), ["TokenExpired", "deeper"]);
        assert_eq!(error.date, Some(1_795_165_964));
        let rows: Vec<_> = error.rows.iter().map(|row| (row.name, row.value.as_str())).collect();
        assert_eq!(rows, [("date", "2026-11-20T09:12:44"), ("request-id", "0c8f")]);
    }

    #[test]
    fn the_code_says_what_it_is_about_and_the_words_what_exactly() {
        for (text, fault) in [
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"CompactToken parsing failed with error code: 80049217"}}"#,
                Some(GraphFault::Malformed),
            ),
            (
                r#"{"error":{"code":"invalidauthenticationtoken","message":"IDX14100: JWT is not well formed"}}"#,
                Some(GraphFault::Malformed),
            ),
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"Access token is empty."}}"#,
                Some(GraphFault::Malformed),
            ),
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed, the token is expired."}}"#,
                Some(GraphFault::Expired),
            ),
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"Access token validation failure. Invalid audience."}}"#,
                Some(GraphFault::Audience),
            ),
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"Access token validation failure."}}"#,
                Some(GraphFault::Token),
            ),
            (
                r#"{"error":{"code":"InvalidAuthenticationToken","message":"x","innerError":{"code":"TokenCreatedWithOutdatedPolicies"}}}"#,
                Some(GraphFault::Claims),
            ),
            (
                r#"{"error":{"code":"ErrorAccessDenied","message":"Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."}}"#,
                Some(GraphFault::Policy),
            ),
            (
                r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges."}}"#,
                Some(GraphFault::Permission),
            ),
            (r#"{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"expired"}}"#, None),
        ] {
            assert_eq!(read(text).unwrap().fault, fault, "{text}");
        }
    }

    #[test]
    fn older_odata_names_its_language() {
        let error =
            read(r#"{"odata.error":{"code":"Authentication_ExpiredToken","message":{"lang":"en","value":"Over."}}}"#);
        assert_eq!(error.unwrap().message.as_str(), "Over.");
    }

    #[test]
    fn what_was_cut_is_read_as_far_as_it_goes_and_other_errors_are_none() {
        assert!(read(r#"{"error":{"code":"ErrorAccessDenied","message":"Access to OData is di[cut]"#).is_some());
        for other in [
            r#"{"error":"invalid_grant","error_description":"AADSTS50126"}"#,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"x"}]}"#,
            r#"{"code":"InvalidAuthenticationToken"}"#,
            r#"{"error":{"message":"no code"}}"#,
            "",
            "]",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        let mut deep = Values::of("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"x\"");
        assert_eq!(deep.next(), None);
    }
}
