//! The demo's Exchange: a front end that checks tokens against what its own configuration says.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::identity::BLOCKED_HOST;
use super::organisation::{Fault, Organisation};
use super::server::{Answer, Request};

/// Exchange, as Entra knows it.
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// Entra's token service, as Exchange knows it.
const TOKEN_SERVICE: &str = "00000001-0000-0000-c000-000000000000";

pub(super) fn answer(request: &Request) -> Answer {
    match Organisation::of_host(request.host()) {
        Some(organisation) => Server { organisation, request }.answer(),
        None => Answer::new("404 Not Found"),
    }
}

struct Server<'a> {
    organisation: &'static Organisation,
    request: &'a Request,
}

impl Server<'_> {
    fn answer(&self) -> Answer {
        match self.request.bearer() {
            _ if !self.takes_oauth() => self.refuse(Challenge::None, None),
            Some("") if self.organisation.fault == Fault::ClientProfileOff => {
                let user = self.request.field("x-user-identity").unwrap_or(self.request.host());
                let reason = format!("Flighting is not enabled for domain '{user}'.");
                self.refuse(Challenge::Plain, Some(("4000000", reason, "oauth_not_available")))
            }
            None | Some("") => self.refuse(Challenge::Plain, None),
            Some(token) => self.check(token),
        }
    }

    fn takes_oauth(&self) -> bool {
        !(self.organisation.fault == Fault::OabWithoutOAuth && self.request.target.starts_with("/OAB"))
    }

    fn check(&self, token: &str) -> Answer {
        let claims = claims(token);
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let audience = claim("aud");
        let audience = audience.trim_end_matches('/');
        let (scheme, host) = self.as_seen_by_iis();
        let (audience_scheme, audience_host) = audience.split_once("://").unwrap_or_default();
        if audience_host != host {
            let reason = format!("The hostname component of the audience claim value '{audience}' is invalid");
            return self.refuse(Challenge::InvalidToken, Some(("2000003", reason, "invalid_resource")));
        }
        if audience_scheme != scheme {
            let reason = format!(
                "The hostname component of the audience claim value is invalid. Expected '{audience}'. Actual \
                 '{scheme}://{host}'."
            );
            return self.refuse(Challenge::InvalidToken, Some(("2000003", reason, "invalid_resource")));
        }
        match self.organisation.fault {
            Fault::UnknownUser => {
                let reason = "The user specified by the user-context in the token does not exist.".to_owned();
                self.refuse(Challenge::Plain, Some(("2000005", reason, "invalid_user")))
            }
            Fault::Exchange2010 => {
                let reason = "The user's mailbox version is not supported for access using OAuth.".to_owned();
                let answer = self.refuse(Challenge::InvalidToken, Some(("2000005", reason, "invalid_user")));
                answer.with("X-CalculatedBETarget", format!("cvex10.{}", self.organisation.domain))
            }
            _ => self.content(),
        }
    }

    /// Scheme and host that the web server behind the balancer or publishing device sees.
    fn as_seen_by_iis(&self) -> (&'static str, String) {
        let host = self.request.host();
        match self.organisation.fault {
            Fault::SslOffload => ("http", host.to_owned()),
            Fault::NameRewritten => ("https", self.organisation.mail()),
            _ => ("https", host.to_owned()),
        }
    }

    fn refuse(&self, challenge: Challenge, diagnostics: Option<(&str, String, &str)>) -> Answer {
        let mut answer = self.head(Answer::new("401 Unauthorized"));
        if let Some((number, reason, category)) = diagnostics {
            let value = format!("{number};reason=\"{reason}\";error_category=\"{category}\"");
            answer = answer.with("x-ms-diagnostics", value);
        }
        if let Some(bearer) = self.bearer_challenge(challenge) {
            answer = answer.with("WWW-Authenticate", bearer);
        }
        if self.organisation.fault != Fault::SslOffload {
            answer = answer.with("WWW-Authenticate", "Negotiate").with("WWW-Authenticate", "NTLM");
        }
        answer.with("WWW-Authenticate", format!("Basic realm=\"{}\"", self.request.host()))
    }

    fn bearer_challenge(&self, challenge: Challenge) -> Option<String> {
        let error = match challenge {
            Challenge::None => return None,
            Challenge::Plain => "",
            Challenge::InvalidToken => ", error=\"invalid_token\"",
        };
        let tenant = self.organisation.tenant;
        let endpoint = match self.organisation.fault {
            Fault::NoDefaultEndpoint => String::new(),
            Fault::SignInBlocked => format!(", authorization_uri=\"https://{BLOCKED_HOST}/common/oauth2/authorize\""),
            _ => ", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"".to_owned(),
        };
        Some(format!(
            "Bearer client_id=\"{EXCHANGE}\", trusted_issuers=\"{TOKEN_SERVICE}@{tenant}\", \
             token_types=\"app_asserted_user_v1 service_asserted_app_v1\"{endpoint}{error}"
        ))
    }

    fn content(&self) -> Answer {
        let answer = self.head(Answer::new("200 OK"));
        let path = self.request.target.split('?').next().unwrap_or_default().to_ascii_lowercase();
        match path.as_str() {
            "/autodiscover/autodiscover.xml" => answer.body("text/xml; charset=utf-8", self.autodiscover()),
            "/ews/exchange.asmx" => answer.body("text/xml; charset=utf-8", FOLDER),
            "/oab/oab.xml" => answer.body("text/xml", "<OAB></OAB>"),
            path if path.starts_with("/mapi/") => answer
                .with("X-RequestType", self.request.field("x-requesttype").unwrap_or("Connect"))
                .with("X-ResponseCode", "0")
                .with("X-ServerApplication", "Exchange/15.02.2562.041")
                .with("Set-Cookie", "MapiContext=MAPIAAAAAIDemo=; path=/mapi/emsmdb; secure; HttpOnly")
                .body("application/mapi-http", &b"PROCESSING\r\nDONE\r\n\r\n\0\0\0\0\0\0\0\0"[..]),
            _ => answer.body("text/html", "<html><body>OK</body></html>"),
        }
    }

    fn autodiscover(&self) -> String {
        let (mail, user, server) = (self.organisation.mail(), self.organisation.user(), self.organisation.server);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
             <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\
             <User><DisplayName>Avery Howard</DisplayName><AutoDiscoverSMTPAddress>{user}</AutoDiscoverSMTPAddress></User>\
             <Account><AccountType>email</AccountType><Action>settings</Action>\
             <Protocol Type=\"mapiHttp\" Version=\"1\"><MailStore><ExternalUrl>https://{mail}/mapi/emsmdb/</ExternalUrl>\
             </MailStore></Protocol><Protocol><Type>EXPR</Type><Server>{server}</Server>\
             <EwsUrl>https://{mail}/EWS/Exchange.asmx</EwsUrl><OABUrl>https://{mail}/OAB/</OABUrl></Protocol>\
             </Account></Response></Autodiscover>"
        )
    }

    fn head(&self, answer: Answer) -> Answer {
        answer
            .with("Server", "Microsoft-IIS/10.0")
            .with("request-id", "a8e9dfb4-cb06-4b18-80a0-b110220177e1")
            .with("X-FEServer", self.organisation.server)
            .with("X-OWA-Version", "15.2.2562.41")
            .with("X-Powered-By", "ASP.NET")
    }
}

#[derive(Clone, Copy)]
enum Challenge {
    /// The virtual directory does not know OAuth.
    None,
    Plain,
    InvalidToken,
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
}

const FOLDER: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
    <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
    <m:GetFolderResponse xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">\
    <m:ResponseMessages><m:GetFolderResponseMessage ResponseClass=\"Success\">\
    <m:ResponseCode>NoError</m:ResponseCode></m:GetFolderResponseMessage></m:ResponseMessages>\
    </m:GetFolderResponse></s:Body></s:Envelope>";
