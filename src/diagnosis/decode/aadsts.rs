//! The errors of Entra, ACS and AD FS as their endpoints give them: JSON, a redirect's query or fragment, a page, a
//! SOAP fault, a line that somebody copied.
//!
//! It is asked for on every exchange, so what cannot hold such an error is told by a search for a few letters.

use std::cell::OnceCell;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::Decoded;
use crate::diagnosis::{Case, Place};
use crate::exchange::Exchange;
use crate::redact::{Clean, Content, Syntax, percent_decoded, query_value};

/// One error of a token issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aadsts {
    /// Whose numbers the codes are; nothing where the issuer gave none.
    pub numbering: Option<Numbering>,
    /// The issuer's numbers, the most specific last.
    pub codes: Vec<u32>,
    /// The number that decides, once it was asked for: dozens of rules do.
    decided: OnceCell<Option<u32>>,
    /// `error`; empty where there is none.
    pub error: Clean,
    /// `suberror`; empty where there is none.
    pub suberror: Clean,
    /// `error_description`, or the sentence of a page, decoded, without trace ids.
    pub words: Clean,
    /// Whether `claims` stands beside it: a step-up can be asked for.
    pub claims: bool,
    /// The correlation id, by which the sign-in is found in the log.
    pub correlation: Option<Clean>,
    /// In which form it was given.
    pub form: Form,
    /// Where it was found.
    pub place: Place,
}

/// Whose numbers they are: the same number means another thing elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// `AADSTS`: Entra ID, and ACS in its later years.
    Entra,
    /// `AADB2C`: Azure AD B2C.
    B2c,
    /// `MSIS`: AD FS.
    AdFs,
    /// `ACS`: the Access Control Service in its own words.
    Acs,
}

/// The form of an error, which tells the kind of endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON of a token endpoint.
    Json,
    /// A redirect from a sign-in page.
    Redirect,
    /// A sign-in page.
    Page,
    /// A fault of WS-Trust.
    Fault,
    /// A line that somebody copied, or prose of anyone who was refused a token.
    Line,
    /// The telemetry header, where the body was not captured.
    Header,
}

impl Aadsts {
    /// Reads it from a response. A page of another than an issuer may quote such errors: there only a refusal counts.
    pub fn read(exchange: &Exchange, issuer: bool) -> Option<Self> {
        let response = exchange.response.seen()?;
        let header =
            |name: &str| exchange.response_fields().iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name));
        if let Some(found) = header("location").and_then(|field| in_redirect(&field.value)) {
            return Some(found);
        }
        let refused = response.status.is_none_or(|status| status >= 400);
        // The page that explains a number, asked for by somebody who looks one up.
        let explained = exchange.url.as_ref().is_some_and(|url| url.path() == "/error");
        if (!issuer && !refused) || explained {
            return None;
        }
        let copied = response.status.is_none();
        let said = match &response.message.body.content {
            Content::Text { syntax, text, .. } => match syntax {
                Syntax::Json => {
                    let said = in_json(text, issuer).filter(|said| refused || !said.codes.is_empty());
                    said.or_else(|| in_prose(text, Form::Json))
                }
                Syntax::Html => in_prose(text, Form::Page).or_else(|| issuer.then(|| in_page_data(text))?),
                Syntax::Xml => in_prose(text, Form::Fault),
                Syntax::Form => in_form(text),
                Syntax::Text => in_prose(text, Form::Line).or_else(|| bare_code(text).filter(|_| copied)),
                Syntax::Wbxml | Syntax::Mapi | Syntax::Rpc => None,
            },
            Content::Empty | Content::Withheld(_) => None,
        };
        said.or_else(|| in_telemetry(&(issuer && refused).then(|| header("x-ms-clitelem"))??.value))
    }

    /// The number that decides: the most specific one of Entra, or, where the words contradict it, that of the words.
    pub fn code(&self) -> Option<u32> {
        *self.decided.get_or_init(|| self.decide())
    }

    fn decide(&self) -> Option<u32> {
        let code = self.number().filter(|_| self.numbering == Some(Numbering::Entra));
        match self.numbering {
            Some(Numbering::Entra | Numbering::Acs) => self.told_by_words().or(code),
            _ => None,
        }
    }

    /// The most specific number as it stands, whoever gave it.
    pub fn number(&self) -> Option<u32> {
        self.codes.last().copied()
    }

    /// The most specific number with the letters before it: `AADSTS50126`.
    pub fn named(&self) -> Option<Clean> {
        self.spelled(self.number()?)
    }

    fn spelled(&self, code: u32) -> Option<Clean> {
        Some(Clean::concat([self.numbering?.letters().into(), Clean::from(code)]))
    }

    /// Whether the number that decides is one of these of Entra.
    pub fn is_any(&self, codes: &[u32]) -> bool {
        self.code().is_some_and(|code| codes.contains(&code))
    }

    /// Whether the number that decides is one of these of AD FS.
    pub fn is_any_of_adfs(&self, codes: &[u32]) -> bool {
        self.numbering == Some(Numbering::AdFs) && self.number().is_some_and(|code| codes.contains(&code))
    }

    /// Whether its words hold these, in any letter case.
    pub fn says(&self, words: &str) -> bool {
        let (all, words) = (self.words.as_str().as_bytes(), words.as_bytes());
        let same = |part: &[u8]| part[0].eq_ignore_ascii_case(&words[0]) && part.eq_ignore_ascii_case(words);
        words.is_empty() || all.windows(words.len()).any(same)
    }

    /// Whether a person sits before it who can answer: a sign-in page in what calls itself a browser.
    pub fn is_interactive(&self, user_agent: Option<&str>) -> bool {
        matches!(self.form, Form::Page | Form::Redirect) && user_agent.is_none_or(|agent| agent.starts_with("Mozilla/"))
    }

    /// Older numbers wrap several causes, and the words tell which.
    fn told_by_words(&self) -> Option<u32> {
        let wrapped = |code| self.number() == Some(code);
        if self.says("invalid client secret") {
            Some(7_000_215)
        } else if self.says("client secret") && self.says("expired") {
            Some(7_000_222)
        } else if wrapped(70001) && self.says("disabled") {
            Some(7_000_112)
        } else if wrapped(70002) && (self.says("following parameter") || self.says("marked as 'mobile'")) {
            Some(7_000_218)
        } else {
            None
        }
    }

    /// An error of which no more is known than its words.
    fn new(words: Clean, form: Form, place: Place) -> Self {
        Self {
            numbering: None,
            codes: Vec::new(),
            decided: OnceCell::new(),
            error: "".into(),
            suberror: "".into(),
            correlation: correlation(&words),
            words: words.slice(0..before_trace(words.as_str())),
            claims: false,
            form,
            place,
        }
        .numbered()
    }

    /// With the numbers that its words hold.
    fn numbered(mut self) -> Self {
        if let Some((numbering, _)) = first_number(self.words.as_str()) {
            self.numbering = Some(numbering);
            self.codes = numbers(self.words.as_str(), numbering.letters());
        }
        self
    }
}

impl Numbering {
    const ALL: [Self; 4] = [Self::Entra, Self::AdFs, Self::B2c, Self::Acs];

    const fn letters(self) -> &'static str {
        match self {
            Self::Entra => "AADSTS",
            Self::B2c => "AADB2C",
            Self::AdFs => "MSIS",
            Self::Acs => "ACS",
        }
    }
}

/// Numbers that say no more than that something was wrong with credentials, beside one that says what.
const WRAPPERS: [u32; 1] = [70002];

/// The issuer's error in its parts.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let said = case.aadsts()?;
    let text = |text: &Clean| (!text.as_str().is_empty()).then(|| text.clone());
    let codes = said.codes.iter().filter_map(|code| said.spelled(*code));
    let codes = codes.reduce(|before, code| Clean::concat([before, " ".into(), code]));
    let part = Decoded::new("Token issuer's error", said.place.clone()).row_if("codes", codes);
    let part = part.row_if("error", text(&said.error)).row_if("suberror", text(&said.suberror));
    let part = part.row_if("error_description", text(&said.words));
    let part = part.row_if("claims", said.claims.then_some("asked for"));
    Some(part.row_if("correlation id", said.correlation.clone()))
}

fn in_redirect(location: &Clean) -> Option<Aadsts> {
    let text = location.as_str();
    memmem::find(text.as_bytes(), b"error")?;
    let parameters = &text[text.find(['?', '#'])? + 1..];
    // `response_mode=fragment` puts them behind the number sign.
    let parameter = |name: &str| {
        let mut pairs = parameters.split(['&', '#', '?']).filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(key, _)| percent_decoded(key).eq_ignore_ascii_case(name))?;
        Some(location.part(value).percent_decoded())
    };
    let error = parameter("error").filter(|error| !error.as_str().is_empty())?;
    let words = parameter("error_description").unwrap_or_else(|| "".into());
    let said = Aadsts::new(words, Form::Redirect, Place::ResponseHeader("location"));
    Some(Aadsts {
        error,
        suberror: parameter("error_subcode").or_else(|| parameter("suberror")).unwrap_or_else(|| "".into()),
        claims: parameter("claims").is_some(),
        correlation: said.correlation.clone().or_else(|| parameter("client-request-id")),
        ..said
    })
}

fn in_json(body: &Clean, issuer: bool) -> Option<Aadsts> {
    let text = body.as_str();
    memmem::find(text.as_bytes(), b"\"error")?;
    let string = |name: &str| json_string(text, name).map(|raw| body.part(raw).json_decoded());
    let error = string("error").unwrap_or_else(|| "".into());
    let words = string("error_description").unwrap_or_else(|| "".into());
    let mut said = Aadsts::new(words, Form::Json, Place::ResponseBody);
    if error.as_str().is_empty() && said.codes.is_empty() {
        return None;
    }
    said.correlation = said.correlation.or_else(|| correlation(body));
    if said.numbering.is_none_or(|numbering| numbering == Numbering::Entra) && (issuer || said.correlation.is_some()) {
        let mut codes: Vec<u32> = json_numbers(text, "error_codes").filter(|code| !said.codes.contains(code)).collect();
        codes.append(&mut said.codes);
        codes.sort_by_key(|code| !WRAPPERS.contains(code));
        said.numbering = (!codes.is_empty()).then_some(Numbering::Entra).or(said.numbering);
        said.codes = codes;
    }
    let suberror = string("suberror").unwrap_or_else(|| "".into());
    let claims = json_string(text, "claims").is_some();
    Some(Aadsts { error, suberror, claims, ..said })
}

/// The callback of an error in the mode `form_post`.
fn in_form(body: &Clean) -> Option<Aadsts> {
    let text = body.as_str();
    let value = |name: &str| {
        let (_, value) = text.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
        Some(body.part(value).percent_decoded())
    };
    let error = value("error")?;
    let words = value("error_description").unwrap_or_else(|| "".into());
    Some(Aadsts {
        error,
        claims: query_value(text, "claims").is_some(),
        ..Aadsts::new(words, Form::Page, Place::ResponseBody)
    })
}

/// The sentence that begins with a number of an issuer.
fn in_prose(body: &Clean, form: Form) -> Option<Aadsts> {
    let text = body.as_str();
    let (_, at) = first_number(text)?;
    let from = &text[at..];
    let end = match form {
        // A line may have been wrapped when it was copied, and ends with its paragraph.
        Form::Line => from.find("\n\n").unwrap_or(from.len()),
        _ => from.find(['<', '"']).unwrap_or(from.len()),
    };
    let mut sentence = body.part(&from[..end]);
    if form != Form::Line {
        sentence = sentence.json_decoded().markup_decoded();
    }
    let said = Aadsts::new(sentence, form, Place::ResponseBody);
    let correlation = said.correlation.clone().or_else(|| correlation(body));
    (!said.codes.is_empty()).then_some(Aadsts { correlation, ..said })
}

/// The number that a sign-in page of Entra keeps for its scripts.
fn in_page_data(body: &Clean) -> Option<Aadsts> {
    let text = body.as_str();
    let (at, name) = ["\"sErrorCode\"", "\"iErrorCode\"", "\"strErrorCode\""]
        .iter()
        .find_map(|name| Some((memmem::find(text.as_bytes(), name.as_bytes())?, name)))?;
    let value = text[at + name.len()..].trim_start_matches([':', ' ', '"']);
    let digits = leading_digits(value);
    let code = digits.parse().ok().filter(|code| *code >= 10_000)?;
    let shown = body.part(&text[at..text.len() - value.len() + digits.len()]);
    Some(Aadsts { correlation: correlation(body), ..coded(code, shown, Form::Page, Place::ResponseBody) })
}

/// `Error code: 50126`, as the sign-in log and the page's own details word it, where somebody copied no more than that.
fn bare_code(body: &Clean) -> Option<Aadsts> {
    const ANNOUNCED: [&str; 5] = ["rror code", "rror Code", "ERROR CODE", "エラー コード", "エラーコード"];
    // Programs of all kinds have error codes.
    const OF_SIGN_IN: [&str; 6] = ["orrelation", "ign-in", "サインイン", "microsoftonline", "Entra", "Azure AD"];
    let text = body.as_str();
    OF_SIGN_IN.iter().find(|word| text.contains(*word))?;
    let (at, words) = ANNOUNCED.iter().find_map(|words| Some((text.find(words)?, words)))?;
    let value = text[at + words.len()..].trim_start_matches([':', ' ', '\t', '：', '#', '\r', '\n']);
    let digits = leading_digits(value);
    let code = digits.parse().ok().filter(|_| (5..=7).contains(&digits.len()))?;
    Some(Aadsts {
        correlation: correlation(body),
        ..coded(code, body.part(text.trim()), Form::Line, Place::ResponseBody)
    })
}

/// `x-ms-clitelem: 1,50126,0,,`: version, error, sub-error, and what else is told to clients that keep statistics.
fn in_telemetry(value: &Clean) -> Option<Aadsts> {
    let code = value.as_str().split(',').nth(1)?.trim().parse().ok().filter(|code| *code >= 10_000)?;
    Some(coded(code, value.clone(), Form::Header, Place::ResponseHeader("x-ms-clitelem")))
}

fn coded(code: u32, words: Clean, form: Form, place: Place) -> Aadsts {
    Aadsts { numbering: Some(Numbering::Entra), codes: vec![code], ..Aadsts::new(words, form, place) }
}

/// The first number of an issuer in a text, and where its letters begin.
fn first_number(text: &str) -> Option<(Numbering, usize)> {
    static FINDERS: LazyLock<[Finder<'static>; 4]> =
        LazyLock::new(|| Numbering::ALL.map(|numbering| Finder::new(numbering.letters())));
    Numbering::ALL.into_iter().zip(FINDERS.iter()).find_map(|(numbering, finder)| {
        let letters = numbering.letters();
        let mut places = finder.find_iter(text.as_bytes());
        places.find(|at| number_after(text, *at, letters).is_some()).map(|at| (numbering, at))
    })
}

/// The numbers after `letters`, each once, in order; those that wrap others first.
fn numbers(text: &str, letters: &str) -> Vec<u32> {
    let mut codes = Vec::new();
    for (at, _) in text.match_indices(letters) {
        if let Some(code) = number_after(text, at, letters) {
            codes.retain(|known| *known != code);
            codes.push(code);
        }
    }
    codes.sort_by_key(|code| !WRAPPERS.contains(code));
    codes
}

/// `AADSTS50126`, and what people make of it: `AADSTS 50126`, `AADSTS: 50126`. Other words end in `ACS` and `MSIS`.
fn number_after(text: &str, at: usize, letters: &str) -> Option<u32> {
    if text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return None;
    }
    let after = &text[at + letters.len()..];
    let digits = leading_digits(after.trim_start_matches([' ', ':', '-']));
    if digits.len() < 4 || after.len() - after.trim_start_matches([' ', ':', '-']).len() > 2 {
        return None;
    }
    digits.parse().ok()
}

fn leading_digits(text: &str) -> &str {
    &text[..text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len())]
}

/// Where trace id, correlation id and timestamp begin, which say nothing about the cause.
fn before_trace(text: &str) -> usize {
    const TRACE: [&str; 6] = ["Trace ID", "Trace Id", "TraceId", "Correlation ID", "Correlation Id", "Timestamp:"];
    let begins = |at: &usize| TRACE.iter().any(|word| text.as_bytes()[*at..].starts_with(word.as_bytes()));
    let end = memchr::memchr2_iter(b'T', b'C', text.as_bytes()).find(begins).unwrap_or(text.len());
    text[..end].trim_end().len()
}

fn correlation(text: &Clean) -> Option<Clean> {
    static COMMON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("orrelation"));
    const NAMES: [&str; 4] = ["orrelation ID", "orrelation Id", "orrelation_id", "orrelationId"];
    let all = text.as_str();
    COMMON.find(all.as_bytes())?;
    NAMES.iter().find_map(|name| {
        let at = memmem::find(all.as_bytes(), name.as_bytes())? + name.len();
        let value = all[at..].trim_start_matches(['"', '\'', ':', ' ', '=', '\t']).get(..36)?;
        let guid = value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        guid.then(|| text.part(value))
    })
}

/// The string that stands under `name` in JSON that may be cut off anywhere, as it is escaped there.
pub(super) fn json_string<'t>(text: &'t str, name: &'t str) -> Option<&'t str> {
    let value = json_values(text, name).find_map(|value| value.strip_prefix('"'))?;
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    value.get(..at.min(value.len()))
}

/// The numbers of the array that stands under `name`.
fn json_numbers<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = u32> + 't {
    let array = json_values(text, name).find_map(|value| value.strip_prefix('[')).unwrap_or_default();
    let array = &array[..array.find(']').unwrap_or(array.len())];
    array.split(',').filter_map(|number| number.trim().trim_matches('"').parse().ok())
}

/// What follows each `"name":`.
fn json_values<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> + 't {
    text.match_indices(name).filter_map(move |(at, _)| {
        let after = text[at + name.len()..].strip_prefix('"').filter(|_| text[..at].ends_with('"'))?;
        Some(after.trim_start().strip_prefix(':')?.trim_start())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn json(body: &'static str) -> Option<Aadsts> {
        in_json(&Clean::from(body), true)
    }

    fn prose(body: &'static str, form: Form) -> Option<Aadsts> {
        in_prose(&Clean::from(body), form)
    }

    #[test]
    fn json_gives_the_most_specific_code_last() {
        let found = json(
            r#"{"error":"invalid_grant","error_description":"AADSTS70002: Error validating credentials. AADSTS50126: Invalid.\r\nTrace ID: 1","error_codes":[70002,50126],"suberror":"bad_token"}"#,
        )
        .unwrap();
        assert_eq!((found.codes.as_slice(), found.code()), (&[70002, 50126][..], Some(50126)));
        assert_eq!((found.error.as_str(), found.suberror.as_str()), ("invalid_grant", "bad_token"));
        assert_eq!(found.words, "AADSTS70002: Error validating credentials. AADSTS50126: Invalid.");
    }

    #[test]
    fn a_wrapper_never_decides_beside_another_code() {
        let listed =
            r#"{"error" : "x", "error_description" : "AADSTS70002: Error.", "error_codes" : [ 50126, 70002 ]}"#;
        assert_eq!(json(listed).unwrap().code(), Some(50126));
        let told = r#"{"error":"x","error_description":"AADSTS50126: Invalid. AADSTS70002: Error."}"#;
        assert_eq!(json(told).unwrap().code(), Some(50126));
    }

    #[test]
    fn the_words_win_where_they_contradict_the_number() {
        for (body, code) in [
            (
                r#"{"error":"x","error_description":"AADSTS70002: Error. AADSTS50012: Invalid client secret is provided."}"#,
                7_000_215,
            ),
            (r#"{"error":"x","error_description":"AADSTS70002: The client secret keys are EXPIRED."}"#, 7_000_222),
            (r#"{"error":"x","error_description":"AADSTS70001: Application 'x' is disabled."}"#, 7_000_112),
            (r#"{"error":"x","error_description":"AADSTS70001: Application 'x' was not found."}"#, 70001),
            (
                r#"{"error":"x","error_description":"AADSTS70002: The request body must contain the following parameter: 'client_secret'."}"#,
                7_000_218,
            ),
        ] {
            assert_eq!(json(body).unwrap().code(), Some(code), "{body}");
        }
    }

    #[test]
    fn codes_that_stand_in_the_list_alone_count_at_an_issuer() {
        let body = r#"{"error":"unicorn_rampage","error_codes":[50173],"error_description":"Oops"}"#;
        assert_eq!(json(body).unwrap().code(), Some(50173));
        assert_eq!(in_json(&Clean::from(body), false).unwrap().code(), None);
    }

    #[test]
    fn json_that_is_cut_off_still_tells() {
        let found =
            json(r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client"#).unwrap();
        assert_eq!((found.code(), found.error.as_str()), (Some(7_000_222), "invalid_client"));
    }

    #[test]
    fn an_error_of_another_identity_provider_has_no_number() {
        let found = json(r#"{"error":"invalid_client","error_description":"Invalid client secret"}"#).unwrap();
        assert_eq!((found.code(), found.number(), found.numbering), (None, None, None));
        assert!(json(r#"{"error":{"code":"InvalidAuthenticationToken"}}"#).is_none());
        assert!(json(r#"{"status":"error"}"#).is_none());
    }

    #[test]
    fn numbers_of_ad_fs_are_no_numbers_of_entra() {
        let found =
            json(r#"{"error":"invalid_grant","error_description":"MSIS9659: Invalid \u0027username\u0027."}"#).unwrap();
        assert_eq!((found.code(), found.is_any_of_adfs(&[9659])), (None, true));
        assert_eq!(found.words, "MSIS9659: Invalid 'username'.");
        let acs =
            json(r#"{"error":"invalid_client","error_description":"ACS50012: Invalid client secret is provided."}"#);
        assert_eq!(acs.unwrap().code(), Some(7_000_215));
        assert_eq!(prose("ACS50126: other", Form::Line).unwrap().code(), None);
    }

    #[test]
    fn redirects_are_read_in_query_and_fragment() {
        let query = Clean::from(
            "urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&error_description=AADSTS50001%3a+The+application+x.%0d%0\
             aTrace+ID%3a+1%0d%0aCorrelation+ID%3a+7d20c4aa-0000-4000-9000-000000016000",
        );
        let found = in_redirect(&query).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50001), "AADSTS50001: The application x."));
        assert_eq!(found.correlation.unwrap(), "7d20c4aa-0000-4000-9000-000000016000");
        let fragment = Clean::from("https://app/#error=login_required&error_description=AADSTS50058%3A%20x");
        assert_eq!(in_redirect(&fragment).unwrap().code(), Some(50058));
        let both = Clean::from("https://app/?x=1#error=login_required&error_description=AADSTS50058%3A%20x");
        assert_eq!(in_redirect(&both).unwrap().code(), Some(50058));
        assert!(in_redirect(&Clean::from("https://app/?code=[hidden]")).is_none());
        assert!(in_redirect(&Clean::from("https://app/?errors=1&error=")).is_none());
    }

    #[test]
    fn pages_are_read_too() {
        let found = prose("<div>Sorry, AADSTS50011: The redirect URI &#39;x&#39; <b>x</b></div>", Form::Page).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50011), "AADSTS50011: The redirect URI 'x'"));
        assert!(prose("AADSTS without number", Form::Page).is_none());
        let data = Clean::from(
            r#"<script>$Config={"fOk":1,"sErrorCode":"50058","correlationId":"7d20c4aa-0000-4000-9000-000000050058"}</\
                                                                                                                   scr\
                                                                                                                   ipt\
                                                                                                                   >"#,
        );
        let found = in_page_data(&data).unwrap();
        assert_eq!((found.code(), found.words.as_str()), (Some(50058), "\"sErrorCode\":\"50058"));
        assert_eq!(found.correlation.unwrap(), "7d20c4aa-0000-4000-9000-000000050058");
        assert!(in_page_data(&Clean::from(r#"{"iErrorCode":0}"#)).is_none());
    }

    #[test]
    fn lines_are_read_as_people_copy_them() {
        let wrapped = "Message: AADSTS500011: The resource principal\nnamed https://mail.adatum.com/ was not found.\n\
                       Trace ID: 3e1b";
        let found = prose(wrapped, Form::Line).unwrap();
        assert_eq!(found.words, "AADSTS500011: The resource principal\nnamed https://mail.adatum.com/ was not found.");
        for line in ["AADSTS50105", "AADSTS 50105", "AADSTS: 50105", "x (AADSTS50105)"] {
            assert_eq!(prose(line, Form::Line).unwrap().code(), Some(50105), "{line}");
        }
        for line in
            ["Sign-in error code: 50105", "Error Code:\n50105\nCorrelation Id: x", "サインインのエラー コード: 50105"]
        {
            assert_eq!(bare_code(&Clean::from(line)).unwrap().code(), Some(50105), "{line}");
        }
        for line in ["Sign-in error code: 80049217", "Connection failed, error code: 10060"] {
            assert!(bare_code(&Clean::from(line)).is_none(), "{line}");
        }
        assert!(prose("EMSIS9659", Form::Line).is_none());
    }

    #[test]
    fn the_telemetry_header_stands_in_for_a_body() {
        let found = in_telemetry(&Clean::from("1,700082,0,,")).unwrap();
        assert_eq!((found.code(), found.form), (Some(700_082), Form::Header));
        assert!(in_telemetry(&Clean::from("1,0,0,,")).is_none());
    }
}
