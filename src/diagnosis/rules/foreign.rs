//! Refusals of servers that are not Microsoft's: nothing of Exchange, Outlook or Windows mail is said of them.

#![allow(clippy::indexing_slicing)]

use super::kit::{self, Raw};
use super::{activesync, basic, ews, exchange_oauth, graph, outlook, sharepoint};
use crate::diagnosis::{Capture, Diagnosis, Finding, Judgement, Rule, Verdict};

/// Name, request, response, whether it is a failure, and the first finding where one is wanted.
#[rustfmt::skip]
const REFUSALS: &[(&str, &str, &str, Option<&str>)] = &[
    ("Docker Hub, first pull", "GET https://registry-1.docker.io/v2/library/alpine/manifests/latest", "401\nDocker-Distribution-Api-Version: registry/2.0\nWww-Authenticate: Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/alpine:pull\"\nContent-Type: application/json\n\n{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}", Some("registry-token-challenge")),
    ("GitLab registry, no token", "GET https://registry.fabrikam.com/v2/", "401\nDocker-Distribution-Api-Version: registry/2.0\nWww-Authenticate: Bearer realm=\"https://gitlab.fabrikam.com/jwt/auth\",service=\"container_registry\",error=\"invalid_token\"", Some("registry-token-challenge")),
    ("Harbor, wrong password at its token service", "GET https://harbor.fabrikam.com/service/token?service=harbor-registry\nAuthorization: Basic {basic robot:x1}", "401\nServer: nginx\nContent-Type: application/json\n\n{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"unauthorized\"}]}", Some("generic-bad-credentials")),
    ("registry, scope", "GET https://ghcr.io/v2/a/b/manifests/1\nAuthorization: Bearer {jwt access=x}", "401\nWWW-Authenticate: Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:a/b:pull\",error=\"insufficient_scope\"", Some("generic-insufficient-scope")),
    ("GitHub", "GET https://api.github.com/user\nAuthorization: token ghp_000000000000000000000000000000000000", "401\nServer: github.com\nX-GitHub-Request-Id: 1\nContent-Type: application/json; charset=utf-8\n\n{\"message\":\"Bad credentials\",\"documentation_url\":\"https://docs.github.com/rest\"}", Some("generic-bad-credentials")),
    ("GitLab API", "GET https://gitlab.fabrikam.com/api/v4/user\nPRIVATE-TOKEN: glpat-000000000000", "401\nserver: nginx\ncontent-type: application/json\n\n{\"message\":\"401 Unauthorized\"}", Some("generic-bad-credentials")),
    ("GitLab over git", "GET https://gitlab.fabrikam.com/a/b.git/info/refs?service=git-upload-pack", "401\nServer: nginx\nWWW-Authenticate: Basic realm=\"GitLab\"\nContent-Type: text/plain\n\nHTTP Basic: Access denied", Some("hs-anonymous-probe")),
    ("npm", "PUT https://registry.npmjs.org/a\nAuthorization: Bearer npm_000000000000", "401\nwww-authenticate: OTP\nContent-Type: application/json\n\n{\"error\":\"You must provide a one-time pass.\"}", None),
    ("nginx", "GET https://www.fabrikam.com/private/\nAuthorization: Basic {basic avery:x1}", "401\nServer: nginx/1.25.3\nWWW-Authenticate: Basic realm=\"Restricted\"\nContent-Type: text/html\n\n<html><head><title>401 Authorization Required</title></head></html>", Some("generic-bad-credentials")),
    ("Apache with a folder called autodiscover", "POST https://fabrikam.com/autodiscover/autodiscover.xml\nAuthorization: Basic {basic avery:x1}", "401\nServer: Apache/2.4\nWWW-Authenticate: Basic realm=\"Members\"", None),
    ("Apache, Digest", "GET https://dav.fabrikam.com/\nAuthorization: Digest username=\"avery\", realm=\"dav\", nonce=\"a\", uri=\"/\", response=\"00112233445566778899aabbccddeeff\"", "401\nServer: Apache\nWWW-Authenticate: Digest realm=\"dav\", nonce=\"b\", qop=\"auth\"", Some("generic-bad-credentials")),
    ("camera", "GET http://192.0.2.41/ISAPI/System/deviceInfo\nAuthorization: Digest username=\"admin\", realm=\"IP Camera(C1234)\", nonce=\"4e5a\", uri=\"/ISAPI/System/deviceInfo\", response=\"00112233445566778899aabbccddee00\"", "401\nWWW-Authenticate: Digest qop=\"auth\", realm=\"IP Camera(C1234)\", nonce=\"4e5b\", stale=\"FALSE\"\nWWW-Authenticate: Basic realm=\"IP Camera(C1234)\"", Some("generic-bad-credentials")),
    ("camera, first leg", "GET http://192.0.2.41/axis-cgi/mjpg/video.cgi", "401\nWWW-Authenticate: Digest realm=\"AXIS_ACCC8E000001\", nonce=\"a\", algorithm=MD5, qop=\"auth\"", Some("digest-challenge")),
    ("S3, unknown key", "GET https://backup.s3.eu-west-1.amazonaws.com/mail.pst\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIASYNTHETIC/20261120/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00ff", "403\nx-amz-request-id: 1\nServer: AmazonS3\nContent-Type: application/xml\n\n<?xml version=\"1.0\"?><Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message></Error>", Some("generic-bad-credentials")),
    ("S3, anonymous", "GET https://backup.s3.amazonaws.com/ews/x", "403\nServer: AmazonS3\nContent-Type: application/xml\n\n<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", None),
    ("AWS API gateway", "GET https://abc.execute-api.eu-west-1.amazonaws.com/prod/api\nAuthorization: Bearer {jwt aud=api}", "401\nx-amzn-RequestId: 1\nx-amzn-ErrorType: UnauthorizedException\nContent-Type: application/json\n\n{\"message\":\"Unauthorized\"}", Some("generic-bad-credentials")),
    ("Google", "GET https://www.googleapis.com/calendar/v3/users/me\nAuthorization: Bearer ya29.a0000000000000000", "401\nVary: X-Origin\nWWW-Authenticate: Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"\nServer: ESF\nContent-Type: application/json\n\n{\"error\":{\"code\":401,\"message\":\"Request had invalid authentication credentials.\",\"status\":\"UNAUTHENTICATED\"}}", Some("generic-bearer-invalid-token")),
    ("Google, scope", "GET https://gmail.googleapis.com/gmail/v1/users/me\nAuthorization: Bearer ya29.a0000000000000000", "403\nWWW-Authenticate: Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"https://mail.google.com/\"\nContent-Type: application/json\n\n{\"error\":{\"code\":403,\"message\":\"Request had insufficient authentication scopes.\",\"status\":\"PERMISSION_DENIED\"}}", Some("generic-insufficient-scope")),
    ("Keycloak", "GET https://id.fabrikam.com/realms/a/protocol/openid-connect/userinfo\nAuthorization: Bearer {jwt aud=account iss=https://id.fabrikam.com/realms/a exp=1795046400}", "401\nWWW-Authenticate: Bearer realm=\"a\", error=\"invalid_token\", error_description=\"Token verification failed\"\nContent-Type: application/json\n\n{\"error\":\"invalid_token\",\"error_description\":\"Token verification failed\"}", Some("generic-bearer-invalid-token")),
    ("Spring", "GET https://api.fabrikam.com/api/orders\nAuthorization: Bearer {jwt aud=items exp=1795046400}", "401\nWWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"Jwt expired at 2026-11-19T00:00:00Z\", error_uri=\"https://tools.ietf.org/html/rfc6750#section-3.1\"", Some("generic-bearer-invalid-token")),
    ("a token from the future", "GET https://api.fabrikam.com/api/orders\nAuthorization: Bearer {jwt aud=items nbf=1999999999 exp=2000000000}", "401\nDate: Fri, 20 Nov 2026 09:12:44 GMT\nServer: Kestrel\nWWW-Authenticate: Bearer error=\"invalid_token\"", Some("generic-bearer-invalid-token")),
    ("Jenkins", "GET https://ci.fabrikam.com/job/a/api/json\nAuthorization: Basic {basic avery:x1}", "401\nX-Content-Type-Options: nosniff\nWWW-Authenticate: Basic realm=\"Jenkins\"\nServer: Jetty(10.0.18)", Some("generic-bad-credentials")),
    ("Nextcloud CalDAV", "PROPFIND https://cloud.fabrikam.com/remote.php/dav/calendars/avery/\nAuthorization: Basic {basic avery:x1}", "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"Nextcloud\", charset=\"UTF-8\"\nContent-Type: application/xml\n\n<?xml version=\"1.0\"?><d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"><s:exception>Sabre\\DAV\\Exception\\NotAuthenticated</s:exception></d:error>", Some("generic-bad-credentials")),
    ("CardDAV, first leg", "PROPFIND https://dav.fabrikam.com/.well-known/carddav", "401\nServer: Radicale\nWWW-Authenticate: Basic realm=\"Radicale - Password Required\"", Some("hs-anonymous-probe")),
    ("Zimbra, ActiveSync", "OPTIONS https://zimbra.fabrikam.com/Microsoft-Server-ActiveSync\nAuthorization: Basic {basic avery:x1}", "401\nServer: nginx\nWWW-Authenticate: BASIC realm=\"Zimbra\"", None),
    ("Kubernetes", "GET https://10.0.0.1:6443/api/v1/pods\nAuthorization: Bearer {jwt iss=kubernetes/serviceaccount exp=1795194000}", "401\nAudit-Id: 1\nContent-Type: application/json\n\n{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}", Some("generic-bad-credentials")),
    ("Elasticsearch", "GET https://search.fabrikam.com:9200/_search\nAuthorization: ApiKey 0123456789abcdef", "401\nX-elastic-product: Elasticsearch\nWWW-Authenticate: Basic realm=\"security\" charset=\"UTF-8\"\nWWW-Authenticate: Bearer realm=\"security\"\nWWW-Authenticate: ApiKey\nContent-Type: application/json\n\n{\"error\":{\"root_cause\":[{\"type\":\"security_exception\",\"reason\":\"unable to authenticate\"}],\"type\":\"security_exception\"},\"status\":401}", Some("generic-bad-credentials")),
    ("IIS of an intranet", "GET https://erp.contoso.com/default.aspx\nAuthorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795046400}", "401\nServer: Microsoft-IIS/10.0\nDate: Fri, 20 Nov 2026 09:12:44 GMT\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM\nX-Powered-By: ASP.NET", Some("generic-bearer-invalid-token")),
    ("IIS with an application called api", "GET https://erp.contoso.com/api/orders\nAuthorization: Bearer", "401\nServer: Microsoft-IIS/10.0\nWWW-Authenticate: Negotiate\nX-Powered-By: ASP.NET", None),
    ("Remote Desktop Gateway", "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388", "401\nServer: Microsoft-IIS/10.0\nWWW-Authenticate: NTLM", None),
    ("squid", "CONNECT https://mail.fabrikam.com/", "", None),
    ("squid, over plain HTTP", "GET http://www.fabrikam.com/\nProxy-Authorization: Basic {basic avery:x1}", "407 Proxy Authentication Required\nServer: squid/6.6\nProxy-Authenticate: Basic realm=\"Squid proxy\"\nX-Squid-Error: ERR_CACHE_ACCESS_DENIED 0", None),
    ("Grafana", "GET https://grafana.fabrikam.com/api/dashboards/home\nAuthorization: Bearer glsa_SYNTHETIC", "401\nContent-Type: application/json\n\n{\"extra\":null,\"message\":\"Invalid API key\",\"messageId\":\"api-key.invalid\",\"statusCode\":401}", Some("generic-bad-credentials")),
    ("HashiCorp Vault", "GET https://vault.fabrikam.com:8200/v1/secret/data/a\nX-Vault-Token: hvs.000000000000", "403\nContent-Type: application/json\n\n{\"errors\":[\"permission denied\"]}", None),
    ("Slack", "POST https://slack.com/api/chat.postMessage\nAuthorization: Bearer xoxb-000000000000", "401\nContent-Type: application/json\n\n{\"ok\":false,\"error\":\"invalid_auth\"}", Some("generic-bad-credentials")),
    ("somebody else's OData", "GET https://odata.fabrikam.com/v4/Orders\nAuthorization: Bearer {jwt aud=orders}", "403\nContent-Type: application/json\n\n{\"error\":{\"code\":\"Forbidden\",\"message\":\"Access denied.\"}}", None),
];

/// Families whose every rule is about Microsoft's mail and files; of the others `windows_auth` names IIS and Kerberos,
/// which anybody may have.
const MICROSOFTS: &[&[&Rule]] =
    &[exchange_oauth::RULES, graph::RULES, sharepoint::RULES, ews::RULES, activesync::RULES, outlook::RULES];

#[test]
fn nothing_of_exchange_is_said_of_servers_that_are_none() {
    assert!(REFUSALS.len() >= 25);
    let mut wrong = Vec::new();
    for (name, request, response, first) in REFUSALS {
        let judgement = judge(request, response);
        let ids: Vec<_> = judgement.findings.iter().map(Finding::id).collect();
        let of_exchange = |id: &&&str| MICROSOFTS.iter().any(|family| family.iter().any(|rule| rule.id == **id));
        let retired =
            |id: &&&str| basic::RULES.iter().any(|rule| rule.id == **id && rule.id != "basic-bad-credentials");
        // What a web server answers where Autodiscover is looked for is not called Exchange's, and has an id of its own.
        let foreign = |id: &&&str| **id != "autodiscover-foreign-host";
        if let Some(id) = ids.iter().find(|id| (of_exchange(id) || retired(id)) && foreign(id)) {
            wrong.push(format!("{name}: {id}"));
        }
        if first.is_some_and(|first| ids.first() != Some(&first)) {
            wrong.push(format!("{name}: {ids:?} instead of {first:?}"));
        }
        let generic = ids.first().is_some_and(|id| id.starts_with("generic-"));
        if generic && judgement.verdict != Verdict::Failure {
            wrong.push(format!("{name}: {}", judgement.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_token_of_anybody_s_is_not_measured_by_exchange() {
    let request =
        "GET https://api.fabrikam.com/ews/exchange.asmx\nAuthorization: Bearer {jwt aud=items exp=1795046400}";
    let response = "401\nServer: Kestrel\nDate: Fri, 20 Nov 2026 09:12:44 GMT\nWWW-Authenticate: Bearer";
    assert_eq!(judge(request, response).findings[0].id(), "generic-bearer-invalid-token");
}

fn judge(request: &'static str, response: &'static str) -> Judgement {
    let raw = if request.starts_with("CONNECT") {
        Raw::tunnel(request, crate::exchange::Unseen::NotInSource)
    } else {
        Raw::new(request, response)
    };
    Diagnosis::new(Capture::Imported).observe(&kit::exchanges(&[raw])[0]).judgement
}
