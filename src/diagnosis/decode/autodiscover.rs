//! What an Autodiscover address answers: settings, another address, or an error; in its three dialects (POX, SOAP, and
//! the JSON of version 2).

use super::view::Decoded;
use super::xml;
use crate::diagnosis::{Case, Directory, Place};
use crate::redact::{Clean, Content};

/// An answer as its body tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnosis) enum Answer<'a> {
    /// Settings, or the URL that was asked for.
    Settings,
    /// Ask again: for another mail address, or at another URL. The word that says so.
    Redirect(&'a str),
    /// An error, by its code.
    Error(&'a str),
}

impl<'a> Answer<'a> {
    /// Reads it off the body; nothing where that is not the body of an Autodiscover answer, or was not kept.
    pub(in crate::diagnosis) fn of(case: &Case<'a>) -> Option<Self> {
        if case.directory() != Some(Directory::Autodiscover) {
            return None;
        }
        let body = case.response_body().trim_start_matches('\u{feff}').trim_start();
        if body.starts_with('{') { Self::of_json(body) } else { Self::of_xml(body) }
    }

    fn of_json(body: &'a str) -> Option<Self> {
        if let Some(code) = json_text(body, "ErrorCode") {
            return Some(Self::Error(code));
        }
        json_text(body, "Url").map(|_| Self::Settings)
    }

    fn of_xml(body: &'a str) -> Option<Self> {
        // Each setting of a SOAP answer may be missing without harm to the answer.
        let harmless = ["NoError", "SettingIsNotAvailable", "InvalidSetting"];
        if let Some(code) = xml::leaves(body, "ErrorCode").find(|code| !harmless.contains(code)) {
            let redirect = code.eq_ignore_ascii_case("RedirectAddress") || code.eq_ignore_ascii_case("RedirectUrl");
            return Some(if redirect { Self::Redirect(code) } else { Self::Error(code) });
        }
        let action = xml::leaf(body, "Action")
            .filter(|action| action.eq_ignore_ascii_case("redirectAddr") || action.eq_ignore_ascii_case("redirectUrl"));
        if let Some(word) = action {
            return Some(Self::Redirect(word));
        }
        // For devices the redirect is an element of its own.
        if let Some(word) = xml::leaf(body, "Redirect") {
            return Some(Self::Redirect(word));
        }
        let device_error = body.contains("<Error") && body.contains("mobilesync");
        if let Some(code) = xml::leaf(body, "Status").filter(|_| device_error) {
            return Some(Self::Error(code));
        }
        let settings = ["<Account", "UserSettings", "<Settings", ":Settings", "DomainSettings"];
        settings.iter().any(|element| body.contains(element)).then_some(Self::Settings)
    }
}

/// Whether this is a healthy answer of an Autodiscover address: settings or a redirect inside it, or an answer whose
/// body was not kept and is no page for people.
pub(in crate::diagnosis) fn is_good(case: &Case<'_>) -> bool {
    if case.directory() != Some(Directory::Autodiscover) || case.status() != Some(200) {
        return false;
    }
    let page = case.response_header("content-type").is_some_and(|kind| kind.as_str().contains("html"));
    match Answer::of(case) {
        Some(Answer::Error(_)) => false,
        Some(_) => true,
        None => !page && !keeps_text(case),
    }
}

/// Whether it says that the mailbox is here: a good answer that leads nowhere else.
pub(in crate::diagnosis) fn is_final(case: &Case<'_>) -> bool {
    is_good(case) && !matches!(Answer::of(case), Some(Answer::Redirect(_)))
}

fn keeps_text(case: &Case<'_>) -> bool {
    let body = case.exchange.response.seen().map(|response| &response.message.body.content);
    matches!(body, Some(Content::Text { .. }))
}

/// What was asked.
pub(super) fn asked(case: &Case<'_>) -> Option<Decoded> {
    if case.directory() != Some(Directory::Autodiscover) {
        return None;
    }
    let path = case.path().to_ascii_lowercase();
    let dialect = match path {
        path if path.contains(".json") => "version 2 (JSON)",
        path if path.contains(".svc") => "SOAP",
        _ => "POX",
    };
    let content = case.exchange.request.seen().map(|message| &message.body.content);
    let body = match content {
        Some(Content::Text { text, .. }) => Some(text),
        _ => None,
    };
    let leaf = |name| body.and_then(|body| Some(body.part(xml::leaf(body.as_str(), name)?)));
    let url = case.exchange.url.as_ref();
    let query = |name: &str| {
        let url = url?;
        let pair = url
            .query()?
            .split('&')
            .find(|pair| pair.split_once('=').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)))?;
        Some(url.text().part(pair.split_once('=')?.1).percent_decoded())
    };
    let mailbox = leaf("EMailAddress").or_else(|| leaf("Mailbox")).or_else(|| query("Email"));
    let part = Decoded::new("Autodiscover", Place::RequestUrl).row("dialect", dialect).row_if("mailbox", mailbox);
    let part = part.row_if("AcceptableResponseSchema", leaf("AcceptableResponseSchema"));
    Some(part.row_if("Protocol", query("Protocol")).row_if("RedirectCount", query("RedirectCount")))
}

/// What was answered.
pub(super) fn answered(case: &Case<'_>) -> Option<Decoded> {
    const LEAVES: [&str; 18] = [
        "ErrorCode",
        "ErrorMessage",
        "Message",
        "Action",
        "RedirectAddr",
        "RedirectUrl",
        "RedirectTarget",
        "Redirect",
        "MicrosoftOnline",
        "Server",
        "AuthPackage",
        "InternalUrl",
        "ExternalUrl",
        "EwsUrl",
        "ASUrl",
        "OABUrl",
        "CertPrincipalName",
        "Url",
    ];
    Answer::of(case)?;
    let Content::Text { text, .. } = &case.exchange.response.seen()?.message.body.content else { return None };
    let part = Decoded::new("Autodiscover answer", Place::ResponseBody);
    if text.as_str().trim_start().starts_with('{') {
        let names = ["Protocol", "Url", "ErrorCode", "ErrorMessage"];
        return Some(
            names.into_iter().fold(part, |part, name| {
                part.row_if(name, json_text(text.as_str(), name).map(|value| text.part(value)))
            }),
        );
    }
    let mut protocols = protocols(text).into_iter();
    let part = protocols.next().map_or_else(|| part.clone(), |first| part.clone().row("Protocol", first));
    let part = protocols.fold(part, |part, protocol| part.row("Protocol", protocol));
    Some(LEAVES.iter().fold(part, |part, name| {
        let mut values: Vec<&str> = xml::leaves(text.as_str(), name).filter(|value| !value.is_empty()).collect();
        values.dedup();
        values.into_iter().take(4).fold(part, |part, value| part.row(name, meaning(name, text, value)))
    }))
}

/// The protocols of a POX answer: an attribute in the newer form, an element in the older one.
fn protocols(text: &Clean) -> Vec<Clean> {
    let whole = text.as_str();
    let attributes = whole.match_indices("Protocol Type=\"").filter_map(|(at, mark)| {
        let rest = &whole[at + mark.len()..];
        rest.split_once('"').map(|(value, _)| value)
    });
    let types =
        xml::leaves(whole, "Type").filter(|kind| ["EXCH", "EXPR", "WEB", "EXHTTP", "MobileSync"].contains(kind));
    types.chain(attributes).map(|kind| text.part(kind)).collect()
}

/// A POX error code with what it means.
fn meaning(name: &str, text: &Clean, value: &str) -> Clean {
    let words = if name == "ErrorCode" { pox_error(value) } else { None };
    let value = text.part(value);
    match words {
        Some(words) => Clean::concat([value, " ".into(), words.into()]),
        None => value,
    }
}

/// What the number of a POX error means.
pub(in crate::diagnosis) fn pox_error(code: &str) -> Option<&'static str> {
    Some(match code {
        "500" => "(no such mail address)",
        "501" => "(no server found for the mailbox)",
        "600" => "(invalid request)",
        "601" => "(no provider for the schema asked for)",
        "602" => "(bad address)",
        "603" => "(active directory error)",
        _ => return None,
    })
}

/// The string called `name` at the top of a JSON object, in any letter case.
fn json_text<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    body.match_indices('"').find_map(|(at, _)| {
        let rest = body.get(at + 1..)?;
        let key = rest.get(..name.len()).filter(|key| key.eq_ignore_ascii_case(name))?;
        let value = rest[key.len()..].strip_prefix('"')?.trim_start().strip_prefix(':')?.trim_start();
        value.strip_prefix('"')?.split_once('"').map(|(value, _)| value)
    })
}

/// The host that a redirect leads to, in lower case: `Location`, or the URL inside the answer.
pub(in crate::diagnosis) fn redirect_host(case: &Case<'_>) -> Option<Clean> {
    let target = match case.status()? {
        301 | 302 | 303 | 307 | 308 => case.response_header("location")?.clone(),
        200 => {
            let body = case.response_body();
            let inside = xml::leaf(body, "RedirectUrl").or_else(|| xml::leaf(body, "RedirectTarget"));
            case.evidence_body(inside.or_else(|| xml::leaf(body, "Redirect"))?).text
        }
        _ => return None,
    };
    let (_, after) = target.as_str().split_once("://")?;
    let host = after.split(['/', ':', '?']).next().filter(|host| !host.is_empty())?;
    Some(target.part(host).lower())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    const POST: &str = "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml";

    fn asking<T>(response: &'static str, ask: impl Fn(&Case<'_>) -> T) -> T {
        let exchange = exchanges(&[Raw::new(POST, response)]).remove(0);
        ask(&Case::new(&exchange, &Past::default(), Capture::Imported))
    }

    #[test]
    fn the_three_dialects_are_told_apart() {
        let said = |response| asking(response, |case| format!("{:?}", Answer::of(case)));
        for (response, expected) in [
            (
                "200\nContent-Type: text/xml\n\n<Autodiscover><Response><Account><Action>settings</Action></Account>\
                 </Response></Autodiscover>",
                "Some(Settings)",
            ),
            (
                "200\nContent-Type: text/xml\n\n<Autodiscover><Response><Account><Action>redirectAddr</Action>\
                 <RedirectAddr>avery@contoso.mail.onmicrosoft.com</RedirectAddr></Account></Response></Autodiscover>",
                "Some(Redirect(\"redirectAddr\"))",
            ),
            (
                "200\nContent-Type: text/xml\n\n<Autodiscover><Response><Error><ErrorCode>600</ErrorCode>\
                 <Message>Invalid Request</Message></Error></Response></Autodiscover>",
                "Some(Error(\"600\"))",
            ),
            (
                "200\nContent-Type: text/xml\n\n<s:Envelope><a:UserResponse><a:ErrorCode>NoError</a:ErrorCode>\
                 <a:UserSettingErrors><a:ErrorCode>SettingIsNotAvailable</a:ErrorCode></a:UserSettingErrors>\
                 <a:UserSettings></a:UserSettings></a:UserResponse></s:Envelope>",
                "Some(Settings)",
            ),
            (
                "200\nContent-Type: application/json\n\n{\"Protocol\":\"EWS\",\"Url\":\"https://mail.contoso.com/EWS/\"}",
                "Some(Settings)",
            ),
            (
                "400\nContent-Type: application/json\n\n{\"ErrorCode\":\"InvalidProtocol\",\"ErrorMessage\":\"x\"}",
                "Some(Error(\"InvalidProtocol\"))",
            ),
            ("200\nContent-Type: text/html\n\n<html><body>Welcome</body></html>", "None"),
        ] {
            assert_eq!(said(response), expected, "{response}");
        }
    }

    #[test]
    fn a_page_for_people_is_no_good_answer() {
        assert!(asking("200 OK", is_good));
        assert!(!asking("200 OK\nContent-Type: text/html\n\n<html><body>Welcome</body></html>", is_good));
        assert!(!asking("401", is_good));
    }

    #[test]
    fn an_answer_is_shown_by_its_elements() {
        let part = asking(
            "200\nContent-Type: text/xml\n\n<Autodiscover><Response><Account><Action>settings</Action>\
             <Protocol><Type>EXCH</Type><EwsUrl>https://mail.contoso.com/EWS/Exchange.asmx</EwsUrl>\
             <AuthPackage>Ntlm</AuthPackage></Protocol></Account></Response></Autodiscover>",
            |case| answered(case).unwrap(),
        );
        let rows: Vec<_> = part.rows.iter().map(|row| format!("{}={}", row.name, row.value)).collect();
        assert_eq!(
            rows,
            [
                "Protocol=EXCH",
                "Action=settings",
                "AuthPackage=Ntlm",
                "EwsUrl=https://mail.contoso.com/EWS/Exchange.asmx"
            ]
        );
    }

    #[test]
    fn a_redirect_names_its_host() {
        let to = |response| asking(response, |case| redirect_host(case).map(|host| host.to_string()));
        assert_eq!(
            to("302 Found\nLocation: https://Autodiscover-s.outlook.com/autodiscover/autodiscover.xml").as_deref(),
            Some("autodiscover-s.outlook.com")
        );
        assert_eq!(to("302 Found\nLocation: /my.policy"), None);
    }
}
