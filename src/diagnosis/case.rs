//! One exchange with its past: the questions a rule may ask.
//!
//! Every question is cheap; what takes reading is read once, when first asked for. "Unseen" is never answered as
//! "absent".

use std::borrow::Cow;
use std::cell::OnceCell;

use super::decode::{Aadsts, Challenge, Diagnostics, Family, GraphError, RestError, Soap, TokenFault, http_date};
use super::directory::Directory;
use super::key::key;
use super::past::Past;
use super::{Capture, Certainty, Evidence, Place, Signs, Subject};
use crate::exchange::Exchange;
use crate::redact::{Clean, Content, Credential, Field, Jwt, Negotiate, Ntlm, NtlmMessage, Syntax, Token, Url, User};

/// One exchange with what came before it.
pub struct Case<'a> {
    /// The exchange in question.
    pub exchange: &'a Exchange,
    past: &'a Past,
    capture: Capture,
    host: OnceCell<Cow<'a, str>>,
    host_name: OnceCell<Option<Clean>>,
    host_key: OnceCell<u64>,
    directory: OnceCell<Option<Directory>>,
    authorization: OnceCell<Sent<'a>>,
    asked_names: OnceCell<Names>,
    answered_names: OnceCell<Names>,
    sign_in: OnceCell<bool>,
    is_exchange: OnceCell<bool>,
    challenges: OnceCell<Vec<Challenge<'a>>>,
    diagnostics: OnceCell<Option<Diagnostics<'a>>>,
    token_fault: OnceCell<Option<(TokenFault, Certainty)>>,
    aadsts: OnceCell<Option<Aadsts>>,
    graph_error: OnceCell<Option<GraphError>>,
    server_time: OnceCell<Option<i64>>,
    soap: OnceCell<Option<Soap<'a>>>,
    rest_error: OnceCell<Option<RestError>>,
    signs: OnceCell<Signs>,
}

/// What a request carried in one of its credential headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// The request was not captured.
    Unseen,
    /// The request had no such header.
    Absent,
    /// This.
    Credential(&'a Credential),
}

impl<'a> Case<'a> {
    /// `exchange` after `past`.
    pub const fn new(exchange: &'a Exchange, past: &'a Past, capture: Capture) -> Self {
        Self {
            exchange,
            past,
            capture,
            host: OnceCell::new(),
            host_name: OnceCell::new(),
            host_key: OnceCell::new(),
            directory: OnceCell::new(),
            authorization: OnceCell::new(),
            asked_names: OnceCell::new(),
            answered_names: OnceCell::new(),
            sign_in: OnceCell::new(),
            is_exchange: OnceCell::new(),
            challenges: OnceCell::new(),
            diagnostics: OnceCell::new(),
            token_fault: OnceCell::new(),
            aadsts: OnceCell::new(),
            graph_error: OnceCell::new(),
            server_time: OnceCell::new(),
            soap: OnceCell::new(),
            rest_error: OnceCell::new(),
            signs: OnceCell::new(),
        }
    }

    /// What is known of earlier exchanges.
    pub const fn past(&self) -> &'a Past {
        self.past
    }

    /// Where the exchanges come from.
    pub const fn capture(&self) -> Capture {
        self.capture
    }

    /// The final status, if a response was seen.
    pub fn status(&self) -> Option<u16> {
        self.exchange.status()
    }

    /// What it shows at a glance.
    pub fn signs(&self) -> Signs {
        *self.signs.get_or_init(|| Signs::of(self))
    }

    /// The method, empty if unseen.
    pub fn method(&self) -> &'a str {
        self.exchange.method.as_ref().map_or("", Clean::as_str)
    }

    /// The host asked, in lower case; empty if unknown.
    pub fn host(&self) -> &str {
        self.host.get_or_init(|| {
            let host = self.exchange.url.as_ref().map_or("", Url::host);
            if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Owned(host.to_ascii_lowercase())
            } else {
                Cow::Borrowed(host)
            }
        })
    }

    /// The same as clean text.
    pub fn host_name(&self) -> Option<Clean> {
        let read = || self.exchange.url.as_ref().map(|url| url.text().part(url.host()).lower());
        self.host_name.get_or_init(read).clone()
    }

    /// The host asked as a number, for looking up.
    pub(super) fn host_key(&self) -> u64 {
        *self.host_key.get_or_init(|| key(self.host()))
    }

    /// The path as spelled; empty if unknown.
    pub fn path(&self) -> &'a str {
        self.exchange.url.as_ref().map_or("", Url::path)
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.exchange.url.as_ref().and_then(Url::query)
    }

    /// The Exchange virtual directory that the path lies in.
    pub fn directory(&self) -> Option<Directory> {
        *self.directory.get_or_init(|| Directory::of(self.path()))
    }

    /// The credential in `Authorization`.
    pub fn authorization(&self) -> Sent<'a> {
        *self.authorization.get_or_init(|| self.sent("authorization", Exchange::authorization))
    }

    /// The credential in `Proxy-Authorization`.
    pub fn proxy_authorization(&self) -> Sent<'a> {
        self.sent("proxy-authorization", Exchange::proxy_authorization)
    }

    fn sent(&self, name: &'static str, credential: fn(&Exchange) -> Option<&Credential>) -> Sent<'a> {
        match self.asked_names().may_hold(name).then(|| credential(self.exchange)).flatten() {
            Some(credential) => Sent::Credential(credential),
            None if self.lacks_request_header(name) => Sent::Absent,
            None => Sent::Unseen,
        }
    }

    /// Whether the request asks for OAuth discovery: `Bearer` without a token, or, as iOS Mail writes it, an empty
    /// `Authorization` beside `X-User-Identity`.
    pub fn asks_for_oauth(&self) -> bool {
        match self.authorization() {
            Sent::Credential(Credential::Bearer(Token::Empty)) => true,
            Sent::Credential(Credential::Empty) => self.request_header("x-user-identity").is_some(),
            _ => false,
        }
    }

    /// Whether Exchange refuses OAuth to a user's client (4000000). For ActiveSync, and where the identity is no more
    /// than a host name, the same words are harmless beside an authorization_uri.
    pub fn is_oauth_off_for_user(&self) -> bool {
        let off = self.diagnostics().filter(|said| said.is_exchange(4_000_000, "oauth_not_available"));
        let identity = off.map(|said| said.reason.split('\'').nth(1).unwrap_or("@"));
        self.directory() != Some(Directory::ActiveSync) && identity.is_some_and(|identity| identity.contains('@'))
    }

    /// The token in `Authorization: Bearer`, if there is one that is not empty.
    pub fn bearer(&self) -> Option<&'a Token> {
        match self.authorization() {
            Sent::Credential(Credential::Bearer(token)) if *token != Token::Empty => Some(token),
            _ => None,
        }
    }

    /// The claims of the token in `Authorization: Bearer`, where it is a JWT.
    pub fn jwt(&self) -> Option<&'a Jwt> {
        match self.bearer() {
            Some(Token::Jwt(jwt)) => Some(jwt),
            _ => None,
        }
    }

    /// The NTLM message in `Authorization`, in the scheme NTLM or Negotiate.
    pub fn ntlm(&self) -> Option<&'a NtlmMessage> {
        match self.authorization() {
            Sent::Credential(credential) => ntlm_message(credential),
            _ => None,
        }
    }

    /// The NTLM message in the server's challenges, in the scheme NTLM or Negotiate.
    pub fn ntlm_reply(&self) -> Option<&'a NtlmMessage> {
        self.challenges().iter().find_map(|challenge| ntlm_message(challenge.credential?))
    }

    /// Whether the server's answer carries an NTLM challenge, in the scheme NTLM or Negotiate. In a folded line a token's
    /// facts are not known; there the message that it answers tells.
    pub fn gives_ntlm_challenge(&self) -> bool {
        let begun = || matches!(self.ntlm(), Some(NtlmMessage::Negotiate { .. }));
        self.challenges().iter().any(|challenge| match challenge.credential {
            Some(credential) => matches!(ntlm_message(credential), Some(NtlmMessage::Challenge { .. })),
            None => challenge.token.is_some() && (challenge.is("ntlm") || (challenge.is("negotiate") && begun())),
        })
    }

    /// Whether the server's answer carries a token of a handshake that goes on.
    pub fn goes_on(&self) -> bool {
        self.challenges().iter().any(Challenge::goes_on)
    }

    /// The user named in `Authorization`, as a pseudonym.
    pub fn user(&self) -> Option<&'a Clean> {
        let Sent::Credential(credential) = self.authorization() else { return None };
        let user = match credential {
            Credential::Basic { user, .. } | Credential::Digest { user, .. } => Some(user),
            Credential::Bearer(Token::Jwt(jwt)) => jwt.user.as_ref(),
            _ => match ntlm_message(credential) {
                Some(NtlmMessage::Authenticate { user, .. }) => Some(user),
                _ => None,
            },
        };
        user.and_then(User::name)
    }

    /// The challenges of `WWW-Authenticate`, all lines together.
    pub fn challenges(&self) -> &[Challenge<'a>] {
        let read = || match self.response_header("www-authenticate") {
            Some(_) => Challenge::all(self.exchange.response_fields(), "www-authenticate"),
            None => Vec::new(),
        };
        self.challenges.get_or_init(read)
    }

    /// The first challenge of this scheme, in any letter case.
    pub fn challenge(&self, scheme: &str) -> Option<&Challenge<'a>> {
        self.challenges().iter().find(|challenge| challenge.is(scheme))
    }

    /// The challenges of `Proxy-Authenticate`.
    pub fn proxy_challenges(&self) -> Vec<Challenge<'a>> {
        match self.response_header("proxy-authenticate") {
            Some(_) => Challenge::all(self.exchange.response_fields(), "proxy-authenticate"),
            None => Vec::new(),
        }
    }

    /// `x-ms-diagnostics`.
    pub fn diagnostics(&self) -> Option<&Diagnostics<'a>> {
        let read = || {
            self.response_header("x-ms-diagnostics")?;
            let mut fields = self.exchange.response_fields().iter();
            fields.find_map(|f| named(f.name.as_str(), "x-ms-diagnostics").then(|| Diagnostics::read(&f.value))?)
        };
        self.diagnostics.get_or_init(read).as_ref()
    }

    /// What Exchange finds wrong with the token, by its `x-ms-diagnostics`, and how sure that is.
    pub fn token_fault(&self) -> Option<(TokenFault, Certainty)> {
        *self.token_fault.get_or_init(|| self.diagnostics().and_then(TokenFault::of))
    }

    /// Whether Exchange or SharePoint says why it refuses, in `x-ms-diagnostics`, and the reason is not known here.
    pub fn has_unknown_diagnostics(&self) -> bool {
        self.diagnostics().is_some_and(|said| match said.family {
            Family::Exchange => self.token_fault().is_none(),
            Family::SharePoint => true,
            Family::Lync | Family::Other => false,
        })
    }

    /// What the server's clock said, in seconds since 1970: its `Date`, or the date in an error of Graph. In a replay that
    /// is the time of the recording; there it counts when it was said.
    pub fn server_time(&self) -> Option<i64> {
        *self.server_time.get_or_init(|| {
            let told = self.response_header("date").and_then(|date| http_date::seconds(date.as_str()));
            let told = told.or_else(|| self.graph_error()?.date);
            if self.capture == Capture::Replayed { told.map(|_| self.exchange.started.seconds()) } else { told }
        })
    }

    /// The error of Graph, or of another service that words its errors so.
    pub fn graph_error(&self) -> Option<&GraphError> {
        self.graph_error.get_or_init(|| GraphError::read(self.exchange)).as_ref()
    }

    /// The error of a token issuer, from a redirect, a JSON body or a page.
    pub fn aadsts(&self) -> Option<&Aadsts> {
        self.aadsts.get_or_init(|| Aadsts::read(self.exchange, self.is_sign_in() || self.host().is_empty())).as_ref()
    }

    /// The SOAP message in the response.
    pub fn soap(&self) -> Option<&Soap<'a>> {
        let xml = || self.exchange.response.seen().is_some_and(|response| is_xml(&response.message.body.content));
        self.soap.get_or_init(|| xml().then(|| Soap::read(self.response_body()))?).as_ref()
    }

    /// The error of a REST service (SharePoint, Graph, Exchange) in the response.
    pub fn rest_error(&self) -> Option<&RestError> {
        self.rest_error.get_or_init(|| RestError::read(self.exchange)).as_ref()
    }

    /// The SOAP message in the request.
    pub fn request_soap(&self) -> Option<Soap<'a>> {
        Soap::read(self.request_body())
    }

    /// Whether something shows that an Exchange server, on-premises or online, answered.
    pub fn is_exchange(&self) -> bool {
        *self.is_exchange.get_or_init(|| self.shows_exchange())
    }

    fn shows_exchange(&self) -> bool {
        const HEADERS: [&str; 11] = [
            "x-feserver",
            "x-calculatedbetarget",
            "x-calculatedfetarget",
            "x-beserver",
            "x-diaginfo",
            "x-owa-version",
            "x-caserrorcode",
            "x-autodiscovery-error",
            "x-ews-policy-reason",
            "x-soap-enabled",
            "x-backendhttpstatus",
        ];
        const CLIENT_ID: &str = "00000002-0000-0ff1-ce00-000000000000";
        self.is_exchange_online()
            || HEADERS.iter().any(|name| self.response_header(name).is_some())
            || self.response_header("x-serverapplication").is_some_and(|value| value.as_str().starts_with("Exchange"))
            || self.challenge("bearer").and_then(|bearer| bearer.param("client_id")).is_some_and(|id| id == CLIENT_ID)
            || self.diagnostics().is_some_and(|diagnostics| diagnostics.family == Family::Exchange)
            || (self.is_iis() && self.looks_like_exchange())
            || self.is_exchange_activesync()
            || self.past.is_exchange(self.host())
            || self.soap().is_some_and(|soap| soap.exchange)
    }

    /// Whether the host is one of Exchange Online's.
    pub fn is_exchange_online(&self) -> bool {
        const DOMAINS: [&str; 6] = [
            "outlook.office365.com",
            "outlook.office.com",
            "outlook.com",
            "office365.us",
            "outlook.cn",
            "office365.cn",
        ];
        DOMAINS.iter().any(|domain| within(self.host(), domain))
    }

    /// Whether the request went to an issuer of tokens: Entra, ACS or AD FS.
    pub fn is_sign_in(&self) -> bool {
        *self.sign_in.get_or_init(|| is_sign_in_host(self.host()) || self.is_adfs())
    }

    /// Whether the request went to AD FS.
    pub fn is_adfs(&self) -> bool {
        let path = self.path().as_bytes();
        path.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"/adfs/"))
    }

    /// What on IIS speaks for Exchange: its request ids, which SharePoint has too, and its directories, some of which
    /// other programs have as well (`/rpc` of Remote Desktop Gateway, any `/api`).
    fn looks_like_exchange(&self) -> bool {
        let share_point = ["sprequestguid", "microsoftsharepointteamservices"];
        let directory = self.directory().is_some_and(|found| match found {
            Directory::Api => false,
            // The ports of the information store, the referral and the directory service.
            Directory::Rpc => {
                self.query().is_some_and(|to| [":6001", ":6002", ":6004"].iter().any(|port| to.ends_with(port)))
            }
            _ => true,
        });
        !share_point.iter().any(|name| self.response_header(name).is_some())
            && (directory || self.response_header("request-id").is_some())
    }

    /// Whether it is Exchange that speaks ActiveSync. SOGo and others do, too, on other servers and without ASP.NET; where
    /// nothing tells which server it is, it is taken for Exchange.
    fn is_exchange_activesync(&self) -> bool {
        let asp_net = self.response_header("x-aspnet-version").is_some()
            || self.response_header("x-powered-by").is_some_and(|value| value.as_str().contains("ASP.NET"));
        self.response_header("ms-server-activesync").is_some()
            && (asp_net || self.is_iis() || self.response_header("server").is_none())
    }

    fn is_iis(&self) -> bool {
        self.response_header("server").is_some_and(|server| server.as_str().contains("Microsoft-IIS"))
    }

    /// The first request header of this name, in any letter case.
    #[inline]
    pub fn request_header(&self, name: &str) -> Option<&'a Clean> {
        self.asked_names().may_hold(name).then(|| value_of(self.exchange.request_fields(), name))?
    }

    fn asked_names(&self) -> Names {
        *self.asked_names.get_or_init(|| Names::of(self.exchange.request_fields()))
    }

    /// The first response header of this name, in any letter case.
    #[inline]
    pub fn response_header(&self, name: &str) -> Option<&'a Clean> {
        let fields = self.exchange.response_fields();
        let names = self.answered_names.get_or_init(|| Names::of(fields));
        names.may_hold(name).then(|| value_of(fields, name))?
    }

    /// Whether the request is known to have had no header of this name: what was not captured is not absent.
    pub fn lacks_request_header(&self, name: &str) -> bool {
        let shown = self.exchange.request.seen().is_some_and(|message| message.head.would_show(name));
        shown && self.request_header(name).is_none()
    }

    /// Whether the response is known to have had no header of this name.
    pub fn lacks_response_header(&self, name: &str) -> bool {
        let shown = self.exchange.response.seen().is_some_and(|response| response.message.head.would_show(name));
        shown && self.response_header(name).is_none()
    }

    /// Whether a response header of this name would be there, had it been sent.
    pub fn would_show_response_header(&self, name: &str) -> bool {
        self.exchange.response.seen().is_some_and(|response| response.message.head.would_show(name))
    }

    /// The kept text of the request's body, empty where there is none.
    pub fn request_body(&self) -> &'a str {
        self.exchange.request.seen().map_or("", |message| content(&message.body.content))
    }

    /// The kept text of the response's body, empty where there is none.
    pub fn response_body(&self) -> &'a str {
        self.exchange.response.seen().map_or("", |response| content(&response.message.body.content))
    }

    /// The Exchange server that answered: the first name in `X-FEServer`, else the one that it handed the request to.
    pub fn server_name(&self) -> Option<Clean> {
        let value = self.response_header("x-feserver").or_else(|| self.response_header("x-calculatedbetarget"))?;
        let first = value.as_str().split(',').next().unwrap_or_default().trim();
        (!first.is_empty()).then(|| value.part(first))
    }

    /// About the server alone.
    pub fn on_server(&self) -> Subject {
        Subject { server: self.host_name(), directory: None, user: None }
    }

    /// About one virtual directory of the server.
    pub fn on_directory(&self) -> Subject {
        let directory = self.directory().map(|directory| directory.path().into());
        Subject { directory, ..self.on_server() }
    }

    /// About one user on the server.
    pub fn on_user(&self) -> Subject {
        Subject { user: self.user().cloned(), ..self.on_server() }
    }

    /// Evidence of this exchange: what stands at `place`.
    pub fn evidence(&self, place: Place, text: impl Into<Clean>) -> Evidence {
        Evidence { exchange: self.exchange.id, place, text: text.into() }
    }

    /// The first response header of this name (in lower case), or that it is missing.
    pub fn evidence_header(&self, name: &'static str) -> Evidence {
        self.evidence(Place::ResponseHeader(name), self.response_header(name).cloned().unwrap_or_else(|| "".into()))
    }

    /// The first request header of this name (in lower case), or that it is missing.
    pub fn evidence_request(&self, name: &'static str) -> Evidence {
        self.evidence(Place::RequestHeader(name), self.request_header(name).cloned().unwrap_or_else(|| "".into()))
    }

    /// One challenge of `WWW-Authenticate`, or that it is missing.
    pub fn evidence_challenge(&self, scheme: &str) -> Evidence {
        let text = self.challenge(scheme).map_or_else(|| "".into(), Challenge::text);
        self.evidence(Place::ResponseHeader("www-authenticate"), text)
    }

    /// The names of all schemes in `WWW-Authenticate`, as far as needed to show that one is not among them.
    pub fn evidence_schemes(&self) -> Evidence {
        let challenges = self.challenges();
        // Digest comes once for each algorithm.
        let first = |at: usize, it: &Challenge<'_>| challenges[..at].iter().all(|earlier| !earlier.is(it.scheme));
        let names = challenges.iter().enumerate().filter(|(at, it)| first(*at, it)).map(|(_, it)| it.scheme_name());
        let text = Clean::list(names, ", ");
        self.evidence(Place::ResponseHeader("www-authenticate"), text)
    }

    /// Words of the response's body: `words` borrows from [`Case::response_body`].
    pub fn evidence_body(&self, words: &str) -> Evidence {
        let text = self.exchange.response.seen().and_then(|response| match &response.message.body.content {
            Content::Text { text, .. } => Some(text.part(words)),
            Content::Empty | Content::Withheld(_) => None,
        });
        self.evidence(Place::ResponseBody, text.unwrap_or_else(|| "".into()))
    }

    /// The status.
    pub fn evidence_status(&self) -> Evidence {
        self.evidence(Place::ResponseStatus, self.status().map_or_else(|| "".into(), Clean::from))
    }

    /// The URL.
    pub fn evidence_url(&self) -> Evidence {
        let text = self.exchange.url.as_ref().map_or_else(|| "".into(), |url| url.text().clone());
        self.evidence(Place::RequestUrl, text)
    }

    /// The error of a token issuer.
    pub fn evidence_aadsts(&self) -> Evidence {
        match self.aadsts() {
            Some(aadsts) => self.evidence(aadsts.place.clone(), aadsts.words.clone()),
            None => self.evidence(Place::ResponseBody, ""),
        }
    }
}

/// Which names fields may have, in 64 bits: rules ask for many headers, and most of them are not there.
#[derive(Clone, Copy, Debug)]
struct Names(u64);

impl Names {
    fn of(fields: &[Field]) -> Self {
        Self(fields.iter().fold(0, |names, field| names | Self::bit(field.name.as_str())))
    }

    #[inline]
    fn may_hold(self, name: &str) -> bool {
        self.0 & Self::bit(name) != 0
    }

    /// The same bit for a name in any letter case. Of a constant it is one.
    #[inline]
    fn bit(name: &str) -> u64 {
        let bytes = name.as_bytes();
        let letter = |at: usize| usize::from(bytes.get(at).copied().unwrap_or_default() | 0x20);
        let (first, middle, last) = (letter(0), letter(bytes.len() / 2), letter(bytes.len().wrapping_sub(1)));
        1 << ((bytes.len() * 7 + first * 3 + middle * 5 + last * 11) % 64)
    }
}

fn value_of<'a>(fields: &'a [Field], name: &str) -> Option<&'a Clean> {
    fields.iter().find(|field| named(field.name.as_str(), name)).map(|field| &field.value)
}

/// The NTLM message inside a credential of the scheme NTLM or Negotiate.
pub(super) fn ntlm_message(credential: &Credential) -> Option<&NtlmMessage> {
    match credential {
        Credential::Ntlm(Ntlm::Message(message))
        | Credential::Negotiate(Negotiate::Ntlm(message) | Negotiate::SpnegoNtlm(message, _)) => Some(message),
        _ => None,
    }
}

/// Whether `host` (in lower case) issues tokens for Microsoft's clouds.
pub(super) fn is_sign_in_host(host: &str) -> bool {
    const DOMAINS: [&str; 13] = [
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "login.microsoftonline.us",
        "login-us.microsoftonline.com",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "sts.windows.net",
        "login.live.com",
        "accesscontrol.windows.net",
        "autologon.microsoftazuread-sso.com",
        "b2clogin.com",
        "ciamlogin.com",
    ];
    DOMAINS.iter().any(|domain| within(host, domain))
}

fn within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn named(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

fn is_xml(content: &Content) -> bool {
    matches!(content, Content::Text { syntax: Syntax::Xml, .. })
}

fn content(content: &Content) -> &str {
    match content {
        Content::Text { text, .. } => text.as_str(),
        Content::Empty | Content::Withheld(_) => "",
    }
}
