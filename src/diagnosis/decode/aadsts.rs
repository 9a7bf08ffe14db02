//! The errors of Entra, ACS and AD FS as their endpoints give them: JSON, a redirect's query or fragment, a page.

use serde_json::Value;

use super::view::{Decoded, json_word};
use crate::diagnosis::{Case, Place};
use crate::exchange::Exchange;
use crate::redact::{Clean, Content, Syntax, percent_decoded, query_value};

/// One error of a token issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aadsts {
    /// AADSTS numbers, the most specific last. Empty where the issuer gave none.
    pub codes: Vec<u32>,
    /// `error`; empty where there is none.
    pub error: String,
    /// `suberror`; empty where there is none.
    pub suberror: String,
    /// `error_description`, or the sentence of a page, decoded.
    pub description: String,
    /// The same as clean text in the spelling of the wire, without trace ids.
    pub words: Clean,
    /// Whether `claims` stands beside it: a step-up can be asked for.
    pub claims: bool,
    /// Where it was found.
    pub place: Place,
}

impl Aadsts {
    /// Reads it from a response. A page of another than an issuer may quote such errors: there only a refusal counts.
    pub fn read(exchange: &Exchange, issuer: bool) -> Option<Self> {
        let response = exchange.response.seen()?;
        let location =
            exchange.response_fields().iter().find(|field| field.name.as_str().eq_ignore_ascii_case("location"));
        if let Some(found) = location.and_then(|field| in_redirect(&field.value)) {
            return Some(found);
        }
        if !issuer && response.status.is_some_and(|status| status < 400) {
            return None;
        }
        match &response.message.body.content {
            Content::Text { syntax, text, .. } => match syntax {
                Syntax::Json => in_json(text).or_else(|| in_prose(text)),
                _ => in_prose(text),
            },
            _ => None,
        }
    }

    /// The most specific number.
    pub fn code(&self) -> Option<u32> {
        self.codes.last().copied()
    }

    /// Whether the most specific number is one of these.
    pub fn is_any(&self, codes: &[u32]) -> bool {
        self.code().is_some_and(|code| codes.contains(&code))
    }
}

/// The issuer's error in its parts.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let error = case.aadsts()?;
    let body = case.exchange.response.seen().and_then(|response| match &response.message.body.content {
        Content::Text { syntax: Syntax::Json, text, .. } => Some(text),
        _ => None,
    });
    let word = |name| body.and_then(|body| json_word(body, name)).filter(|word| !word.as_str().is_empty());
    let codes = error.codes.iter().map(|code| Clean::concat(["AADSTS".into(), (*code).into()]));
    let codes = codes.reduce(|text, code| Clean::concat([text, " ".into(), code]));
    let part = Decoded::new("Token issuer's error", error.place.clone());
    let part = part.row_if("codes", codes).row_if("error", word("error")).row_if("suberror", word("suberror"));
    let part = part.row_if("error_description", (!error.words.as_str().is_empty()).then(|| error.words.clone()));
    Some(part.row_if("claims", error.claims.then_some("asked for")))
}

fn in_redirect(location: &Clean) -> Option<Aadsts> {
    let text = location.as_str();
    let parameters = &text[text.find(['?', '#'])? + 1..];
    // `response_mode=fragment` puts them behind the number sign.
    let parameters = parameters.strip_prefix('#').unwrap_or(parameters);
    let parameter = |name: &str| parameters.split('#').find_map(|part| query_value(part, name));
    let error = parameter("error")?;
    let description = parameter("error_description").unwrap_or_default();
    let raw = raw_parameter(parameters, "error_description").unwrap_or(parameters);
    Some(Aadsts {
        codes: numbers(&description),
        error: error.into_owned(),
        suberror: parameter("error_subcode").or_else(|| parameter("suberror")).unwrap_or_default().into_owned(),
        words: location.part(without_trace(raw)).percent_decoded(),
        description: description.into_owned(),
        claims: parameter("claims").is_some(),
        place: Place::ResponseHeader("location"),
    })
}

fn raw_parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(['&', '#']).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        percent_decoded(key).eq_ignore_ascii_case(name).then_some(value)
    })
}

fn in_json(body: &Clean) -> Option<Aadsts> {
    let value: Value = serde_json::from_str(body.as_str()).ok()?;
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (error, description) = (word("error"), word("error_description"));
    if error.is_empty() && !description.contains("AADSTS") {
        return None;
    }
    let text = body.as_str();
    let words = text.find("\"error_description\"").map_or(text, |at| {
        let from = &text[at + "\"error_description\"".len()..];
        let from = from.trim_start().trim_start_matches(':').trim_start().trim_start_matches('"');
        &from[..from.find("\",").or_else(|| from.find('"')).unwrap_or(from.len())]
    });
    let named = numbers(description);
    let listed = value.get("error_codes").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(Value::as_u64).filter_map(|code| u32::try_from(code).ok());
    let mut codes: Vec<u32> = listed.filter(|code| !named.contains(code)).collect();
    codes.extend(named);
    Some(Aadsts {
        codes,
        error: error.to_owned(),
        suberror: word("suberror").to_owned(),
        description: description.to_owned(),
        words: body.part(without_trace(words)),
        claims: value.get("claims").is_some(),
        place: Place::ResponseBody,
    })
}

fn in_prose(body: &Clean) -> Option<Aadsts> {
    let text = body.as_str();
    let Some(at) = text.find("AADSTS") else { return in_page_data(body) };
    let codes = numbers(&text[at..]);
    let sentence = without_trace(text[at..].split(['<', '"', '\n']).next().unwrap_or_default());
    (!codes.is_empty()).then(|| Aadsts {
        codes,
        error: String::new(),
        suberror: String::new(),
        description: sentence.to_owned(),
        words: body.part(sentence),
        claims: false,
        place: Place::ResponseBody,
    })
}

/// The number that a sign-in page of Entra keeps for its scripts.
fn in_page_data(body: &Clean) -> Option<Aadsts> {
    let text = body.as_str();
    let (at, name) = ["\"sErrorCode\":", "\"iErrorCode\":"].iter().find_map(|name| Some((text.find(name)?, name)))?;
    let value = text[at + name.len()..].trim_start().trim_start_matches('"');
    let digits = &value[..value.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(value.len())];
    let code = digits.parse().ok().filter(|code| *code >= 10_000)?;
    Some(Aadsts {
        codes: vec![code],
        error: String::new(),
        suberror: String::new(),
        description: String::new(),
        words: body.part(&text[at..text.len() - value.len() + digits.len()]),
        claims: false,
        place: Place::ResponseBody,
    })
}

/// The numbers after `AADSTS`, each once, in order.
fn numbers(text: &str) -> Vec<u32> {
    let mut codes = Vec::new();
    for (at, word) in text.match_indices("AADSTS") {
        let digits = &text[at + word.len()..];
        let digits = &digits[..digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len())];
        if let Ok(code) = digits.parse::<u32>() {
            codes.retain(|known| *known != code);
            codes.push(code);
        }
    }
    codes
}

/// The part before trace id, correlation id and timestamp, which say nothing about the cause.
fn without_trace(text: &str) -> &str {
    let ends = ["\\r\\n", "%0d%0a", "%0D%0A", "\r\n", "\n", "+Trace+ID", "%20Trace%20ID", " Trace ID"];
    let end = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    text[..end].trim_end()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_gives_the_most_specific_code_last() {
        let body = Clean::from(
            r#"{"error":"invalid_grant","error_description":"AADSTS70002: Error validating credentials. AADSTS50126: Invalid.\r\nTrace ID: 1","error_codes":[70002,50126],"suberror":"bad_token"}"#,
        );
        let found = in_json(&body).unwrap();
        assert_eq!((found.codes.as_slice(), found.code()), (&[70002, 50126][..], Some(50126)));
        assert_eq!((found.error.as_str(), found.suberror.as_str()), ("invalid_grant", "bad_token"));
        assert_eq!(found.words.as_str(), "AADSTS70002: Error validating credentials. AADSTS50126: Invalid.");
    }

    #[test]
    fn codes_that_stand_in_the_list_alone_count() {
        let body = Clean::from(r#"{"error":"unicorn_rampage","error_codes":[50173],"error_description":"Oops"}"#);
        assert_eq!(in_json(&body).unwrap().code(), Some(50173));
    }

    #[test]
    fn redirects_are_read_in_query_and_fragment() {
        let query = Clean::from(
            "urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&error_description=AADSTS50001%3a+The+application+x.%0d%0aTrace+ID%3a+1",
        );
        let found = in_redirect(&query).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50001), "AADSTS50001: The application x."));
        let fragment = Clean::from("https://app/#error=login_required&error_description=AADSTS50058%3A%20x");
        assert_eq!(in_redirect(&fragment).unwrap().code(), Some(50058));
        assert!(in_redirect(&Clean::from("https://app/?code=[hidden]")).is_none());
    }

    #[test]
    fn pages_are_read_too() {
        let page = Clean::from("<div>Sorry, AADSTS50011: The redirect URI <b>x</b></div>");
        let found = in_prose(&page).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50011), "AADSTS50011: The redirect URI"));
        assert!(in_prose(&Clean::from("AADSTS without number")).is_none());
        let data = Clean::from(r#"<script>$Config={"fOk":1,"sErrorCode":"50058","x":1}</script>"#);
        let found = in_prose(&data).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50058), "\"sErrorCode\":\"50058"));
        assert!(in_prose(&Clean::from(r#"{"iErrorCode":0}"#)).is_none());
        assert!(in_json(&Clean::from(r#"{"error":{"code":"InvalidAuthenticationToken"}}"#)).is_none());
    }
}
