//! Where secrets sit in traffic, a row each: what carries one, with a hole for it.

use super::planted::{Form, Outside};

/// The part of an exchange that a secret is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A field of the request.
    Request(&'static str),
    /// A field of the response.
    Response(&'static str),
    /// The target of the request.
    Target,
    /// The whole first line of a CONNECT.
    Connect,
    /// A request's body of this type.
    Sent(&'static str),
    /// A response's body of this type.
    Got(&'static str),
    /// A field of a 103 before the response.
    Interim,
    /// A field behind the response's body.
    Trailer,
    /// What tools write beside the traffic: comments, fields of their own.
    Aside,
    /// Messages of a web socket that tools record.
    Socket,
    /// What is said of traffic that failed.
    Failure,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) at: At,
    /// `{}` is the secret; `{basic}`, `{jwt}`, `{ntlm}`, `{kerberos}` and `{query}` are what it is wrapped in.
    pub(super) text: &'static str,
}

impl Place {
    /// What stands around the secret, which must be able to hold it.
    pub(super) fn outside(&self) -> Outside {
        match self.at {
            At::Target | At::Connect => Outside::Url,
            At::Sent(kind) | At::Got(kind) if kind.ends_with("urlencoded") => Outside::Url,
            At::Request(_) | At::Response(_) | At::Interim | At::Trailer => Outside::Field,
            At::Sent(_) | At::Got(_) | At::Aside | At::Socket | At::Failure => Outside::Text,
        }
    }

    /// Whether a secret in this form can stand here at all.
    pub(super) fn takes(&self, form: Form) -> bool {
        match form {
            Form::Gzip | Form::Utf16Body => matches!(self.at, At::Sent(_) | At::Got(_)) && !self.is_binary(),
            _ => true,
        }
    }

    pub(super) fn is_binary(&self) -> bool {
        matches!(self.at, At::Sent(kind) | At::Got(kind) if kind.contains("wbxml") || kind.contains("octet") || kind.contains("mapi") || kind.contains("rpc"))
    }
}

const fn request(name: &'static str, text: &'static str) -> Place {
    Place { at: At::Request(name), text }
}

const fn response(name: &'static str, text: &'static str) -> Place {
    Place { at: At::Response(name), text }
}

const fn at(at: At, text: &'static str) -> Place {
    Place { at, text }
}

const FORM: At = At::Sent("application/x-www-form-urlencoded");
const JSON: At = At::Got("application/json; charset=utf-8");
const SOAP: At = At::Sent("text/xml");
const PAGE: At = At::Got("text/html");

/// All rows.
pub(super) const PLACES: &[Place] = &[
    request("Authorization", "Basic {basic}"),
    request("Authorization", "Basic {}"),
    request("Authorization", "Bearer {}"),
    request("authorization", "bearer {jwt}"),
    request("aUTHORIZATION", "BEARER {jwe}"),
    request("Authorization", "Bearer Bearer {}"),
    request("Authorization", "Bearer \"{}\""),
    request("Authorization", "NTLM {ntlm}"),
    request("Authorization", "Negotiate {ntlm}"),
    request("Authorization", "Negotiate {kerberos}"),
    request("Authorization", "Negotiate {}"),
    request(
        "Authorization",
        "Digest username=\"{}\", realm=\"a\", nonce=\"{}\", uri=\"/\", cnonce=\"{}\", response=\"{}\"",
    ),
    request("Authorization", "AWS4-HMAC-SHA256 Credential={}/20261120/us/s3, SignedHeaders=host, Signature={}"),
    request("Authorization", "SharedKey account:{}"),
    request("Authorization", "MSAuth1.0 actortoken=\"Bearer {jwt}\", accesstoken=\"Bearer {jwt}\", type=\"PFAT\""),
    request("Authorization", "PoP {}"),
    request("Authorization", "{}"),
    request("Proxy-Authorization", "Basic {basic}"),
    request("proxy-authorization", "Bearer {}"),
    request("Cookie", "ClientId={}; cadata={}"),
    request("cookie", "{}"),
    request("X-OWA-CANARY", "{}"),
    request("X-BackEndCookie", "{}"),
    request("X-AnchorMailbox", "SMTP:{}@contoso.com"),
    request("X-AnchorMailbox", "OID:{}@contoso.com"),
    request("X-User-Identity", "{}@contoso.com"),
    request("X-MS-TokenIssuer-User", "{}"),
    request("X-MS-Client-Principal", "{}"),
    request("X-MS-RefreshTokenCredential", "{jwt}"),
    request("x-ms-PolicyKey", "{}"),
    request("Ocp-Apim-Subscription-Key", "{}"),
    request("X-Api-Key", "{}"),
    request("X-Never-Heard-Of", "{}"),
    request("X-Never-Heard-Of", "a=1; token={}, b={}"),
    request("Referer", "https://login.contoso.com/cb?code={}&session_state={}#access_token={}"),
    request("Referer", "https://avery:{}@mail.contoso.com/owa/"),
    request("Origin", "https://avery:{}@mail.contoso.com"),
    request("Host", "avery:{}@mail.contoso.com"),
    request("Forwarded", "for={};by={}"),
    request("From", "{}@contoso.com"),
    request("If-None-Match", "\"{}\""),
    request("Range", "bytes={}"),
    request("Content-Disposition", "attachment; filename=\"{}.pdf\""),
    request("request-id", "{}{}{}{}"),
    request("User-Agent", "agent/1.0 (token={})"),
    response("WWW-Authenticate", "NTLM {challenge}"),
    response("WWW-Authenticate", "Negotiate {}"),
    response("WWW-Authenticate", "Digest realm=\"a\", nonce=\"{}\", opaque=\"{}\""),
    response(
        "WWW-Authenticate",
        "Bearer realm=\"a\", nonce=\"{}\", error=\"invalid_token\", error_description=\"token {} refused\"",
    ),
    response("www-authenticate", "Basic realm=\"a\", PoP nonce=\"{}\""),
    response("Proxy-Authenticate", "Negotiate {}"),
    response("Authentication-Info", "rspauth=\"{}\", nextnonce=\"{}\""),
    response("Proxy-Authentication-Info", "nextnonce={}"),
    response("Set-Cookie", "ESTSAUTHPERSISTENT={}; path=/; HttpOnly"),
    response("set-cookie", "cadata={}; domain=contoso.com; path=/owa/{}"),
    response("Location", "https://login.contoso.com/cb?code={}&state={}&error_description=no+{}#id_token={jwt}"),
    response("Location", "urn:ietf:wg:oauth:2.0:oob?code={}"),
    response("Location", "/owa/auth/logon.aspx?url=https%3a%2f%2fmail.contoso.com%2f%3ftoken%3d{}"),
    response("Content-Location", "/a?sig={}"),
    response("Link", "<https://mail.contoso.com/a?token={}>; rel=next"),
    response("Refresh", "0; url=https://mail.contoso.com/?code={}"),
    response("X-AutoDiscovery-Error", "LiveIdBasicAuth:AuthFailed:{}@contoso.com"),
    response("x-ms-diagnostics", "2000003;reason=\"The token '{}' is refused.\";error_category=\"invalid_token\""),
    response("X-MSDAVEXT_Error", "917656; Access+denied.+{}"),
    response("X-CalculatedBETarget", "{}@contoso.com"),
    response("X-Never-Heard-Of", "{}"),
    response("ETag", "\"{}\""),
    at(At::Target, "/EWS/Exchange.asmx?code={}&sig={}&tempauth={}&access_token={jwt}"),
    at(At::Target, "/EWS/Exchange.asmx?login_hint={}&id_token_hint={jwt}&User={}&DeviceId={}"),
    at(At::Target, "/EWS/Exchange.asmx?{}"),
    at(At::Target, "/Microsoft-Server-ActiveSync?{query}"),
    at(At::Target, "/token/{}/a"),
    at(At::Target, "/mapi/emsmdb/?MailboxId={}@contoso.com"),
    at(At::Target, "/personal/{}/_api/web"),
    at(At::Target, "/a/#access_token={}"),
    at(At::Target, "https://avery:{}@mail.contoso.com/EWS/Exchange.asmx"),
    at(At::Connect, "avery:{}@mail.contoso.com:443"),
    at(FORM, "grant_type=password&username={}%40contoso.com&password={}&client_secret={}&never_heard_of={}"),
    at(FORM, "client_assertion={jwt}&refresh_token={}&code={}&code_verifier={}&device_code={}&assertion={}"),
    at(FORM, "login=avery&passwd={}&flowToken={}&canary={}&ctx={}&wresult={}&SAMLResponse={}&RequestedRST={}"),
    at(At::Sent("application/json"), r#"{"password":"{}","a":[{"b":{"client_secret":"{}","c":"{}"}}]}"#),
    at(At::Sent("application/json"), r#"{"password":"{}"#),
    at(At::Sent("text/plain"), "username=avery&password={}"),
    at(
        At::Sent("multipart/form-data; boundary=b"),
        "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{}\r\n--b--",
    ),
    at(
        JSON,
        r#"{"token_type":"Bearer","access_token":"{jwt}","refresh_token":"{}","id_token":"{jwt}","x":{"y":"{}"}}"#,
    ),
    at(JSON, r#"{"error":"invalid_grant","error_description":"AADSTS50126: token {} refused","{}":1}"#),
    at(
        JSON,
        r#"{"error":{"code":"InvalidAuthenticationToken","message":"Token {} is not valid","innerError":{"token":"{}"}}}"#,
    ),
    at(
        JSON,
        r#"{"value":[{"subject":"{}","body":{"content":"{}"},"from":{"emailAddress":{"address":"{}@contoso.com"}}}]}"#,
    ),
    at(
        PAGE,
        "<form><input name=\"flowToken\" value=\"{}\"><input type=hidden name=passwd value='{}'></form><!-- {} -->",
    ),
    at(PAGE, "<script>$Config={\"sFT\":\"{}\",\"canary\":\"{}\",\"urlPost\":\"/a?ctx={}\"};var ESTSAUTH='{}'</script>"),
    at(PAGE, "<p>The token {} was refused.</p><a href=\"https://mail.contoso.com/?code={}\">x</a>"),
    at(
        SOAP,
        "<s:Envelope><s:Header><wsse:UsernameToken><wsse:Username>{}</wsse:Username><wsse:Password>{}</wsse:Password></wsse:UsernameToken></s:Header></s:Envelope>",
    ),
    at(
        SOAP,
        "<s:Envelope><s:Header><wsse:BinarySecurityToken>{}</wsse:BinarySecurityToken><saml:Assertion ID=\"{}\"><saml:NameID>{}</saml:NameID></saml:Assertion></s:Header></s:Envelope>",
    ),
    at(
        SOAP,
        "<s:Envelope><s:Header><t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>{}@contoso.com</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header><s:Body><t:Subject>{}</t:Subject><t:Body BodyType=\"Text\">{}</t:Body><!-- {} --><![CDATA[{}]]></s:Body></s:Envelope>",
    ),
    at(
        At::Got("text/xml"),
        "<Autodiscover><Response><User><DisplayName>{}</DisplayName><LegacyDN>/o=a/cn={}</LegacyDN><AutoDiscoverSMTPAddress>{}@contoso.com</AutoDiscoverSMTPAddress></User><Account><Protocol><Type>EXCH</Type><Server>{}@contoso.com</Server></Protocol></Account></Response></Autodiscover>",
    ),
    at(At::Got("application/octet-stream"), "{}"),
    at(
        At::Sent("application/vnd.ms-sync.wbxml"),
        "\u{3}\u{1}j\0E\u{5c}\u{4f}\u{4b}\u{3}{}\0\u{1}\u{4e}\u{3}{}\0\u{1}\u{5d}\0\u{2}\u{54}\u{3}{}\0\u{1}",
    ),
    at(At::Got("application/mapi-http"), "PROCESSING\r\nDONE\r\nX-Any: {}\r\nSet-Cookie: MapiContext={}\r\n\r\n{}"),
    at(At::Got("application/rpc"), "\u{5}\0\0\u{3}\u{10}\0\0\0\u{7f}\0\u{8}\0\u{1}\0\0\0{}"),
    at(At::Interim, "</a?token={}>; rel=preload"),
    at(At::Trailer, "{}"),
    at(At::Aside, "password={} of {}@contoso.com"),
    at(At::Aside, "{}"),
    at(At::Socket, "{\"access_token\":\"{}\",\"text\":\"{}\"}"),
    at(At::Failure, "the token {} was refused by avery:{}@mail.contoso.com"),
];
