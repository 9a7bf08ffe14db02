//! The demo's identity provider: an authorize endpoint and a token endpoint in the manner of Entra.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::organisation::{Fault, Organisation};
use super::server::{Answer, Request};
use crate::redact::query_value;

/// The names it answers to.
pub(super) const HOSTS: &[&str] = &["login.windows.net", "login.microsoftonline.com"];
/// A sign-in host that the demo's firewall blocks.
pub(super) const BLOCKED_HOST: &str = "login.microsoftonline.us";
/// Outlook on the desktop, as Entra knows it.
const OUTLOOK: &str = "d3590ed6-52b3-4102-aeff-aad2292ab01c";

pub(super) fn answer(request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path.rsplit('/').next()) {
        ("GET", Some("authorize")) => authorize(query),
        ("POST", Some("token")) => token(&String::from_utf8_lossy(&request.body)),
        _ => Answer::new("404 Not Found"),
    }
}

fn authorize(query: &str) -> Answer {
    let resource = query_value(query, "resource").unwrap_or_default();
    let location = match Organisation::of_resource(&resource) {
        Some(organisation) if organisation.fault != Fault::SpnMissing => {
            "urn:ietf:wg:oauth:2.0:oob?code=0.AXkAkCocWz5vJ02aVQx-H0uNAZb6WdOyUgJBrv-q0ikqsBwBAAA.AgABAAIAAAAm\
             &session_state=1f0c2d3e-4b5a-4697-8877-a6b5c4d3e2f1"
                .to_owned()
        }
        _ => {
            let host = resource.trim_start_matches("https://").trim_end_matches('/');
            let tenant = host.strip_prefix("mail.").or(host.strip_prefix("autodiscover.")).unwrap_or(host);
            format!(
                "urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&error_description=AADSTS500011%3a+The+resource+\
                 principal+named+https%3a%2f%2f{host}%2f+was+not+found+in+the+tenant+named+{tenant}.+%0d%0aTrace+ID%3a+\
                 8f9e0d1c-2b3a-4495-8677-685940312200%0d%0aCorrelation+ID%3a+0d1c2b3a-4958-4677-8685-94031221f0e9"
            )
        }
    };
    signed(Answer::new("302 Found")).with("Location", location)
}

fn token(form: &str) -> Answer {
    let resource = query_value(form, "resource").unwrap_or_default();
    let organisation = Organisation::of_resource(&resource);
    let refused = |reason, error: &str, description: &str| {
        let description = format!(
            "{description}\r\nTrace ID: 4a5b6c7d-8e9f-4a0b-9c1d-2e3f4a5b6c7d\r\nCorrelation ID: \
             9c8b7a69-5847-4635-a241-302f1e0d9c8b\r\nTimestamp: 2026-11-22 09:00:16Z"
        );
        let body = json!({"error": error, "error_description": description, "error_codes": [50173]});
        signed(Answer::new(reason)).body("application/json; charset=utf-8", body.to_string())
    };
    match organisation.map(|organisation| organisation.fault) {
        Some(Fault::PasswordChanged) => refused(
            "400 Bad Request",
            "invalid_grant",
            "AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. The user \
             might have changed or reset their password. The grant was issued on '2026-10-28T17:20:13.2960000Z' and the \
             TokensValidFrom date for this user is '2026-11-16T20:27:45.0000000Z'.",
        ),
        Some(Fault::Unicorns) => {
            refused("400 Bad Unicorn", "unicorn_rampage", "A herd of unicorns trampled every token there was.")
        }
        _ => {
            let access_token = access_token(&resource, organisation);
            let body = json!({
                "token_type": "Bearer",
                "scope": "full_access_as_user user_impersonation",
                "expires_in": "4500",
                "resource": resource,
                "access_token": access_token,
                "refresh_token": "0.AXkAkCocWz5vJ02aVQx-H0uNAZb6WdOyUgJBrv-q0ikqsBwBAAA.demo-refresh-token",
            });
            signed(Answer::new("200 OK")).body("application/json; charset=utf-8", body.to_string())
        }
    }
}

/// A token with the claims Outlook's have; nobody in the demo checks its signature.
fn access_token(resource: &str, organisation: Option<&Organisation>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let tenant = organisation.map_or("common", |organisation| organisation.tenant);
    let user = organisation.map(Organisation::user).unwrap_or_default();
    let head = json!({"typ": "JWT", "alg": "RS256", "kid": "demo"});
    let claims = json!({
        "aud": resource, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now, "nbf": now,
        "exp": now + 4500, "acr": "1", "amr": ["pwd", "mfa"], "appid": OUTLOOK, "appidacr": "0",
        "name": "Avery Howard", "oid": "2c9d7e10-5a4b-4c3d-8e2f-1a0b9c8d7e6f",
        "onprem_sid": "S-1-5-21-1004336348-1177238915-682003330-1157", "puid": "1003200000DEM000",
        "scp": "full_access_as_user user_impersonation", "sub": "demo-subject", "tid": tenant,
        "unique_name": user, "upn": user, "ver": "1.0"
    });
    [head.to_string(), claims.to_string(), format!("signature of {user} at {now}")]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn signed(answer: Answer) -> Answer {
    answer
        .with("Cache-Control", "no-store, no-cache")
        .with("x-ms-request-id", "f840b3e7-8740-4698-b252-d759825e0300")
        .with("x-ms-ests-server", "2.1.22334.5 - NEULR1 ProdSlices")
        .with("Set-Cookie", "esctx=PAQABBwEAAADemoDemoDemoDemo; domain=.login.windows.net; path=/; secure; HttpOnly")
        .with("Set-Cookie", "stsservicecookie=estsfd; path=/; secure; HttpOnly")
}
