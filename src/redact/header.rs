//! Which header values may be shown: an allow list by name, then the shape, else nothing.

use super::door::Door;
use super::json::Sort;
use super::memory::Kind;
use super::names::{self, Treatment};
use super::net::Class;
use super::{Clean, Credential, Field, challenge, cookie, shape};

/// How the value of a header is read.
#[derive(Clone, Copy)]
enum Rule {
    Treat(Treatment),
    Credentials,
    Challenges,
    Parameters,
    Cookie,
    SetCookie,
    Host,
    Json,
    Disposition,
    PolicyKey,
}

/// One header field of a request or a response.
pub(super) fn field(door: &Door<'_>, name: &str, value: &str) -> Field {
    let mut out = String::with_capacity(value.len() + 32);
    let mut credential = None;
    let field_name = field_name(door, name);
    // What stands under a name that is not shown is hidden as well, and is so when it is read again.
    let rule = if field_name == name { rule(name) } else { SECRET };
    match rule {
        Rule::Credentials => credential = Some(credentials(door, value, &mut out)),
        Rule::Challenges => credential = challenge::challenges(door, value, &mut out),
        Rule::Parameters => challenge::parameters(door, value, &mut out),
        Rule::Cookie => cookie::cookie(door, value, &mut out),
        Rule::SetCookie => cookie::set_cookie(door, value, &mut out),
        Rule::Disposition => disposition(door, value, &mut out),
        Rule::Host => door.authority(value, &mut out),
        // Nothing is provisioned yet; any other key is a device's.
        Rule::PolicyKey if value == "0" => out.push_str(value),
        Rule::PolicyKey => door.hide(value, &mut out),
        Rule::Json => super::body::json(door, value, Sort::Data, &mut out),
        Rule::Treat(treatment) => door.treat(treatment, value, &mut out),
    }
    let shown = if out == value { Clean::vouch(value) } else { Clean::vouch(&out) };
    Field { name: field_name, value: shown, credential }
}

/// A name as spelled. One that is none may be a secret in the wrong place.
fn field_name(door: &Door<'_>, name: &str) -> Clean {
    let plain = name.len() <= 80
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!$%&'*+^`|~:".contains(&b))
        && (place(name).is_some() || !shape::is_opaque(name, 16));
    if plain {
        return Clean::vouch(name);
    }
    let mut out = String::new();
    door.hide(name, &mut out);
    Clean::vouch(&out)
}

/// `Content-Disposition`: what it is stays, the name of the file goes.
fn disposition(door: &Door<'_>, value: &str, out: &mut String) {
    for (at, part) in value.split(';').enumerate() {
        out.push_str(if at > 0 { ";" } else { "" });
        let text = part.trim_start();
        out.push_str(&part[..part.len() - text.len()]);
        match text.split_once('=') {
            None if at == 0 && shape::is_words(text) => out.push_str(text),
            Some((name, value)) if shape::is_name(name) => {
                out.extend([name, "="]);
                door.treat(Treatment::Shape, value.trim_matches([' ', '"']), out);
            }
            _ => door.hide(text, out),
        }
    }
}

/// `Authorization` and `Proxy-Authorization`.
fn credentials(door: &Door<'_>, value: &str, out: &mut String) -> Credential {
    let scheme = value.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
    let own = read_own(door, value);
    if let Some((class, label)) = own.as_ref().and_then(Credential::mark) {
        door.meet_mark(class, Some(label));
    }
    let credential = own.unwrap_or_else(|| super::credential::of(door, scheme, value[scheme.len()..].trim()));
    let bracket = credential.bracket();
    match &credential {
        Credential::Empty => {}
        // A scheme keeps its spelling where it is one.
        Credential::Other { scheme, .. } => out.extend([scheme.as_str(), " ", &bracket]),
        _ => out.extend([scheme, " ", &bracket]),
    }
    credential
}

fn read_own(door: &Door<'_>, value: &str) -> Option<Credential> {
    door.is_own().then(|| Credential::read(value)).flatten()
}

/// Whether a header of this name is in the table.
pub(super) fn is_known(name: &str) -> bool {
    place(name).is_some()
}

/// The words that names in the table are made of.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    HEADERS.iter().flat_map(|(name, _)| name.split('-'))
}

fn rule(name: &str) -> Rule {
    place(name).map_or_else(|| unknown(name), |place| HEADERS[place].1)
}

/// Where a name of any letter case stands in the table.
fn place(name: &str) -> Option<usize> {
    let mut lower = [0_u8; 40];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    HEADERS.binary_search_by(|(known, _)| known.as_bytes().cmp(lower)).ok()
}

fn unknown(name: &str) -> Rule {
    Rule::Treat(names::secret(name).unwrap_or(Treatment::Shape))
}

const WORDS: Rule = Rule::Treat(Treatment::Words);
const DIAGNOSTICS: Rule = Rule::Treat(Treatment::Diagnostics);
const PRODUCT: Rule = Rule::Treat(Treatment::Product);
const ID: Rule = Rule::Treat(Treatment::Id);
const URL: Rule = Rule::Treat(Treatment::Url);
const SECRET: Rule = Rule::Treat(Treatment::Secret);
const KEY: Rule = Rule::Treat(Treatment::Credential(Class::Key));
const USER: Rule = Rule::Treat(Treatment::Identity(Kind::User));
const ADDRESS: Rule = Rule::Treat(Treatment::Identity(Kind::Address));
const DEVICE: Rule = Rule::Treat(Treatment::Identity(Kind::Device));
const SHAPE: Rule = Rule::Treat(Treatment::Shape);

/// In the order of their bytes, for the search.
static HEADERS: &[(&str, Rule)] = &[
    (":authority", Rule::Host),
    (":method", WORDS),
    (":path", URL),
    (":scheme", WORDS),
    (":status", WORDS),
    ("accept", WORDS),
    ("accept-charset", WORDS),
    ("accept-encoding", WORDS),
    ("accept-language", WORDS),
    ("accept-patch", WORDS),
    ("accept-post", WORDS),
    ("accept-ranges", WORDS),
    ("access-control-allow-credentials", WORDS),
    ("access-control-allow-headers", WORDS),
    ("access-control-allow-methods", WORDS),
    ("access-control-allow-origin", URL),
    ("access-control-expose-headers", WORDS),
    ("access-control-max-age", WORDS),
    ("access-control-request-headers", WORDS),
    ("access-control-request-method", WORDS),
    ("age", WORDS),
    ("allow", WORDS),
    ("alt-svc", WORDS),
    ("authentication-info", Rule::Parameters),
    ("authorization", Rule::Credentials),
    ("cache-control", WORDS),
    ("cf-connecting-ip", ADDRESS),
    ("cf-ray", ID),
    ("client-request-id", ID),
    ("connection", WORDS),
    ("content-base", URL),
    ("content-disposition", Rule::Disposition),
    ("content-encoding", WORDS),
    ("content-language", WORDS),
    ("content-length", WORDS),
    ("content-location", URL),
    ("content-md5", SECRET),
    ("content-range", WORDS),
    ("content-security-policy", SECRET),
    ("content-security-policy-report-only", SECRET),
    ("content-transfer-encoding", WORDS),
    ("content-type", WORDS),
    ("cookie", Rule::Cookie),
    ("cookie2", Rule::Cookie),
    ("correlation-id", ID),
    ("cross-origin-embedder-policy", WORDS),
    ("cross-origin-opener-policy", WORDS),
    ("cross-origin-resource-policy", WORDS),
    ("date", WORDS),
    ("dav", WORDS),
    ("depth", WORDS),
    ("destination", URL),
    ("digest", SECRET),
    ("dnt", WORDS),
    ("docker-distribution-api-version", WORDS),
    ("etag", SECRET),
    ("expect", WORDS),
    ("expires", WORDS),
    ("forwarded", Rule::Parameters),
    ("from", USER),
    ("host", Rule::Host),
    ("if-match", SECRET),
    ("if-modified-since", WORDS),
    ("if-none-match", SECRET),
    ("if-range", SECRET),
    ("if-unmodified-since", WORDS),
    ("keep-alive", WORDS),
    ("last-modified", WORDS),
    ("link", URL),
    ("location", URL),
    ("mapicontext", SECRET),
    ("max-forwards", WORDS),
    ("microsoftsharepointteamservices", PRODUCT),
    ("mime-version", WORDS),
    ("ms-asprotocolcommands", WORDS),
    ("ms-asprotocolversion", WORDS),
    ("ms-asprotocolversions", WORDS),
    ("ms-author-via", WORDS),
    ("ms-correlationvector", ID),
    ("ms-cv", ID),
    ("ms-server-activesync", WORDS),
    ("nel", WORDS),
    ("odata-maxversion", WORDS),
    ("odata-version", WORDS),
    ("origin", URL),
    ("p3p", WORDS),
    ("permissions-policy", WORDS),
    ("persistent-auth", WORDS),
    ("pragma", WORDS),
    ("prefer", WORDS),
    ("preference-applied", WORDS),
    ("priority", WORDS),
    ("proxy-agent", PRODUCT),
    ("proxy-authenticate", Rule::Challenges),
    ("proxy-authentication-info", Rule::Parameters),
    ("proxy-authorization", Rule::Credentials),
    ("proxy-connection", WORDS),
    ("proxy-support", WORDS),
    ("range", WORDS),
    ("referer", URL),
    ("referrer-policy", WORDS),
    ("refresh", URL),
    ("remote-user", USER),
    ("report-to", WORDS),
    ("reporting-endpoints", WORDS),
    ("request-id", ID),
    ("restrict-access-confirm", WORDS),
    ("restrict-access-context", WORDS),
    ("restrict-access-to-tenants", WORDS),
    ("retry-after", WORDS),
    ("return-client-request-id", ID),
    ("save-data", WORDS),
    ("sec-ch-ua", PRODUCT),
    ("sec-ch-ua-mobile", WORDS),
    ("sec-ch-ua-platform", WORDS),
    ("sec-fetch-dest", WORDS),
    ("sec-fetch-mode", WORDS),
    ("sec-fetch-site", WORDS),
    ("sec-fetch-user", WORDS),
    ("sec-gpc", WORDS),
    ("sec-purpose", WORDS),
    ("sec-restrict-tenant-access-policy", WORDS),
    ("sec-websocket-accept", SECRET),
    ("sec-websocket-key", SECRET),
    ("sec-websocket-protocol", WORDS),
    ("sec-websocket-version", WORDS),
    ("server", PRODUCT),
    ("server-timing", WORDS),
    ("set-cookie", Rule::SetCookie),
    ("set-cookie2", Rule::SetCookie),
    ("soapaction", WORDS),
    ("spiislatency", WORDS),
    ("sprequestduration", WORDS),
    ("sprequestguid", ID),
    ("strict-transport-security", WORDS),
    ("te", WORDS),
    ("timing-allow-origin", WORDS),
    ("traceparent", ID),
    ("trailer", WORDS),
    ("transfer-encoding", WORDS),
    ("translate", WORDS),
    ("true-client-ip", ADDRESS),
    ("upgrade", WORDS),
    ("upgrade-insecure-requests", WORDS),
    ("user-agent", PRODUCT),
    ("vary", WORDS),
    ("via", PRODUCT),
    ("warning", WORDS),
    ("www-authenticate", Rule::Challenges),
    ("x-accepted-oauth-scopes", WORDS),
    ("x-amz-id-2", ID),
    ("x-amz-request-id", ID),
    ("x-amzn-requestid", ID),
    ("x-amzn-trace-id", ID),
    ("x-anchormailbox", USER),
    ("x-aspnet-version", WORDS),
    ("x-aspnetmvc-version", WORDS),
    ("x-authenticated-user", USER),
    ("x-autodiscover-user", USER),
    ("x-autodiscovery-error", DIAGNOSTICS),
    ("x-azure-clientip", ADDRESS),
    ("x-azure-fdid", ID),
    ("x-azure-ref", ID),
    ("x-azure-socketip", ADDRESS),
    ("x-backendcookie", Rule::Treat(Treatment::Credential(Class::Cookie))),
    ("x-backendhttpstatus", WORDS),
    ("x-backoff", WORDS),
    ("x-backoffduration", WORDS),
    ("x-bep", WORDS),
    ("x-beserver", ID),
    ("x-besku", WORDS),
    ("x-bluecoat-via", WORDS),
    ("x-cache", WORDS),
    ("x-cache-lookup", WORDS),
    ("x-calculatedbetarget", ID),
    ("x-calculatedfetarget", ID),
    ("x-caserrorcode", WORDS),
    ("x-client-cpu", PRODUCT),
    ("x-client-ip", ADDRESS),
    ("x-client-os", PRODUCT),
    ("x-client-request-id", ID),
    ("x-client-sku", PRODUCT),
    ("x-client-ver", PRODUCT),
    ("x-clientapplication", WORDS),
    ("x-clientip", ADDRESS),
    ("x-content-type-options", WORDS),
    ("x-correlation-id", ID),
    ("x-csrf-token", KEY),
    ("x-deviceid", DEVICE),
    ("x-diaginfo", ID),
    ("x-dns-prefetch-control", WORDS),
    ("x-docker-registry-version", ID),
    ("x-download-options", WORDS),
    ("x-elapsedtime", WORDS),
    ("x-ews-policy-reason", WORDS),
    ("x-ews-targetversion", PRODUCT),
    ("x-expirationinfo", WORDS),
    ("x-fd-int-roxy-purgeid", ID),
    ("x-feefzinfo", ID),
    ("x-feproxyinfo", ID),
    ("x-feserver", ID),
    ("x-firsthopcafeefz", ID),
    ("x-forms_based_auth_accepted", WORDS),
    ("x-forms_based_auth_required", URL),
    ("x-forms_based_auth_return_url", URL),
    ("x-forwarded-for", ADDRESS),
    ("x-forwarded-host", Rule::Host),
    ("x-forwarded-port", WORDS),
    ("x-forwarded-proto", WORDS),
    ("x-forwarded-scheme", WORDS),
    ("x-forwarded-server", Rule::Host),
    ("x-frame-options", WORDS),
    ("x-generator", PRODUCT),
    ("x-github-media-type", WORDS),
    ("x-gitlab-meta", Rule::Json),
    ("x-grafana-id", WORDS),
    ("x-idcrl_accepted", WORDS),
    ("x-idcrl_auth_params_v1", WORDS),
    ("x-jenkins", PRODUCT),
    ("x-mailer", PRODUCT),
    ("x-mapihttpcapability", WORDS),
    ("x-mapisequence", SHAPE),
    ("x-ms-activity-id", ID),
    ("x-ms-ags-diagnostic", Rule::Json),
    ("x-ms-aserror", WORDS),
    ("x-ms-asthrottle", WORDS),
    ("x-ms-client-principal-name", USER),
    ("x-ms-client-request-id", ID),
    ("x-ms-clitelem", WORDS),
    ("x-ms-correlation-id", ID),
    ("x-ms-correlation-request-id", ID),
    ("x-ms-deviceid", DEVICE),
    ("x-ms-diagnostics", DIAGNOSTICS),
    ("x-ms-ests-server", PRODUCT),
    ("x-ms-forwarded-client-ip", ADDRESS),
    ("x-ms-invokeapp", WORDS),
    ("x-ms-keepalive", WORDS),
    ("x-ms-location", URL),
    ("x-ms-policykey", Rule::PolicyKey),
    ("x-ms-ppserver", ID),
    ("x-ms-request-id", ID),
    ("x-ms-rp", WORDS),
    ("x-ms-server-fqdn", PRODUCT),
    ("x-ms-srs", WORDS),
    ("x-ms-throttle", WORDS),
    ("x-ms-tracking-id", ID),
    ("x-ms-user", USER),
    ("x-ms-version", PRODUCT),
    ("x-msdavext", WORDS),
    ("x-msdavext_error", WORDS),
    ("x-msedge-ref", ID),
    ("x-oauth-enabled", WORDS),
    ("x-oauth-scopes", WORDS),
    ("x-openidconnect-user", USER),
    ("x-original-host", Rule::Host),
    ("x-original-url", URL),
    ("x-originating-ip", ADDRESS),
    ("x-owa-canary", KEY),
    ("x-owa-clientbuildversion", PRODUCT),
    ("x-owa-error", WORDS),
    ("x-owa-version", PRODUCT),
    ("x-pendingperiod", WORDS),
    ("x-permitted-cross-domain-policies", WORDS),
    ("x-powered-by", PRODUCT),
    ("x-prefer-mailbox", USER),
    ("x-preferdnsrecordtype", WORDS),
    ("x-preferred-username", USER),
    ("x-proxy-backendserverstatus", WORDS),
    ("x-proxy-routingcorrectness", WORDS),
    ("x-publicfoldermailbox", USER),
    ("x-ratelimit-limit", WORDS),
    ("x-ratelimit-remaining", WORDS),
    ("x-ratelimit-reset", WORDS),
    ("x-real-ip", ADDRESS),
    ("x-redirectreason", WORDS),
    ("x-remote-user", USER),
    ("x-request-id", ID),
    ("x-requested-with", WORDS),
    ("x-requestid", ID),
    ("x-requesttype", WORDS),
    ("x-responsecode", WORDS),
    ("x-robots-tag", WORDS),
    ("x-routeto-mailbox", USER),
    ("x-routingcorrectness", WORDS),
    ("x-rum-notupdatequerieddbcopy", WORDS),
    ("x-rum-notupdatequeriedpath", WORDS),
    ("x-rum-validated", WORDS),
    ("x-serverapplication", PRODUCT),
    ("x-sharepointhealthscore", WORDS),
    ("x-soap-enabled", WORDS),
    ("x-sourcemailbox", USER),
    ("x-squid-cache", WORDS),
    ("x-squid-error", WORDS),
    ("x-targetbeserver", ID),
    ("x-trace-id", ID),
    ("x-ua-compatible", WORDS),
    ("x-user-identity", USER),
    ("x-wssecurity-enabled", WORDS),
    ("x-wssecurity-for", WORDS),
    ("x-xss-protection", WORDS),
];

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(HEADERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn shows_by_name_or_shape_in_any_letter_case_and_hides_the_rest() {
        let redactor = Redactor::new();
        for (name, value, shown) in [
            ("X-FEServer", "CONTOSOEX16", "CONTOSOEX16"),
            ("x-feserver", "CONTOSOEX16", "CONTOSOEX16"),
            ("request-id", "a8e9dfb4-cb06-4b18-80a0-b110220177e1", "a8e9dfb4-cb06-4b18-80a0-b110220177e1"),
            ("Server", "Microsoft-IIS/8.5 Microsoft-HTTPAPI/2.0", "Microsoft-IIS/8.5 Microsoft-HTTPAPI/2.0"),
            ("X-Whatever", "15.2.1544.11", "15.2.1544.11"),
            ("X-Whatever", "hunter2", "[hidden #1]"),
            ("X-Api-Key", "12345678", "[hidden #2]"),
            ("X-OWA-CANARY", "hunter2", "[hidden #1]"),
            ("X-MS-PolicyKey", "0", "0"),
            ("X-MS-PolicyKey", "1307199584", "[hidden #3]"),
            ("request-id", "Basic aHVudGVyMjpodW50ZXIy", "Basic [hidden #4]"),
            ("X-AnchorMailbox", "SMTP:avery@contoso.com", "SMTP:user#1@contoso.com"),
            ("X-Forwarded-For", "203.0.113.5, 127.0.0.1", "ip#1, 127.0.0.1"),
            ("Host", "avery:hunter2@mail.contoso.com:8443", "[hidden%20%235]@mail.contoso.com:8443"),
            ("Content-Length", "0", "0"),
            (
                "x-ms-diagnostics",
                "4000000;reason=\"Flighting is not enabled for domain 'avery@contoso.com'.\";error_category=\"oauth_not_available\"",
                "4000000;reason=\"Flighting is not enabled for domain 'user#1@contoso.com'.\";error_category=\"oauth_not_available\"",
            ),
        ] {
            let field = redactor.wire().field(name.as_bytes(), value.as_bytes());
            assert_eq!(field.value, shown, "{name}");
            assert_eq!(field.name, name);
            assert_eq!(redactor.own().field(name.as_bytes(), shown.as_bytes()), field, "own door on our own output");
        }
    }

    #[test]
    fn an_empty_header_an_empty_bearer_and_a_bearer_that_says_so_stay_apart() {
        let redactor = Redactor::new();
        let value = |raw: &str| redactor.wire().field(b"authorization", raw.as_bytes()).value.as_str().to_owned();
        assert_eq!(value(""), "");
        assert_eq!(value("Bearer"), "Bearer [empty]");
        assert_eq!(value("bearer "), "bearer [empty]");
        assert_eq!(value("Bearer [empty]"), "Bearer [opaque #1]");
    }

    #[test]
    fn names_of_files_are_content() {
        let redactor = Redactor::new();
        for (value, shown) in [
            ("attachment; filename=\"The merger.docx\"", "attachment; filename=[hidden #1]"),
            ("inline", "inline"),
            ("form-data; name=\"a;b\"", "form-data; name=[hidden #2];[hidden #3]"),
            ("<html>\"\"C02Co502C; hunter2", "[hidden #4]; [hidden #5]"),
        ] {
            let field = redactor.wire().field(b"Content-Disposition", value.as_bytes());
            assert_eq!(field.value, shown);
            assert_eq!(redactor.own().field(b"Content-Disposition", shown.as_bytes()), field);
        }
    }

    #[test]
    fn a_parameter_in_the_place_of_an_id_is_none() {
        let field = Redactor::new().wire().field(b"X-Client-Request-Id", b"token=hunter2");
        assert_eq!(field.value, "token=[hidden #1]");
    }
}
