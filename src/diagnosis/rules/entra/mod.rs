//! Refusals of token issuers: Entra ID, ACS and AD FS.

use crate::diagnosis::Rule;

/// Answers of Entra for the examples of its rules, so that each shows no more than what it is about.
#[cfg(test)]
macro_rules! token_error {
    ($code:literal: $words:literal) => {
        token_error!("grant_type=password&client_id=5a4b3c2d-0000-4000-8000-000000000a07&username=avery%40contoso.com&\
                      password=x&scope=https%3A%2F%2Foutlook.office365.com%2F.default" => $code: $words)
    };
    ($form:literal => $code:literal: $words:literal) => {
        $crate::diagnosis::rules::kit::Raw::new(
            concat!(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n",
                "Content-Type: application/x-www-form-urlencoded\n\n",
                $form
            ),
            concat!(
                "400 Bad Request\nContent-Type: application/json; charset=utf-8\n\n",
                "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS",
                $code,
                ": ",
                $words,
                "\\r\\nTrace ID: 3e1b7f60-0000-4000-8000-000000000001\\r\\nCorrelation ID: ",
                "7d20c4aa-0000-4000-9000-000000000001\\r\\nTimestamp: 2026-11-20 09:12:44Z\",\"error_codes\":[",
                $code,
                "]}"
            ),
        )
    };
}

/// A redirect from the authorize endpoint, in a browser. The words stand as in a query.
#[cfg(test)]
macro_rules! redirect_error {
    ($code:literal: $words:literal) => {
        $crate::diagnosis::rules::kit::Raw::new(
            "GET https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code&\
             client_id=5a4b3c2d-0000-4000-8000-000000000a07&redirect_uri=https%3A%2F%2Fapp.contoso.com%2Fcb\n\
             User-Agent: Mozilla/5.0",
            concat!(
                "302 Found\nLocation: https://app.contoso.com/cb?error=access_denied&error_description=AADSTS",
                $code,
                "%3A+",
                $words,
                "%0D%0ATrace+ID%3A+3e1b7f60-0000-4000-8000-000000000001&state=x"
            ),
        )
    };
}

/// A sign-in page, in a browser.
#[cfg(test)]
macro_rules! page_error {
    ($code:literal: $words:literal) => {
        $crate::diagnosis::rules::kit::Raw::new(
            "GET https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code&\
             client_id=5a4b3c2d-0000-4000-8000-000000000a07\nUser-Agent: Mozilla/5.0",
            concat!(
                "200 OK\nContent-Type: text/html; charset=utf-8\n\n<!DOCTYPE html><html><head><script>//<![CDATA[\n",
                "$Config={\"strServiceExceptionMessage\":\"AADSTS",
                $code,
                ": ",
                $words,
                " Trace ID: 3e1b7f60-0000-4000-8000-000000000001\",\"iErrorCode\":",
                $code,
                ",\"correlationId\":\"7d20c4aa-0000-4000-9000-000000000001\"};\n//]]></script></head></html>"
            ),
        )
    };
}

mod aad_account_disabled;
mod aad_account_locked;
mod aad_account_picker;
mod aad_app_disabled;
mod aad_app_not_found;
mod aad_bad_password;
mod aad_client_assertion_invalid;
mod aad_client_certificate_lost;
mod aad_client_credential_missing;
mod aad_client_secret_expired;
mod aad_client_secret_invalid;
mod aad_conditional_access;
mod aad_consent_missing;
mod aad_device_code_expired;
mod aad_device_state;
mod aad_federation_failure;
mod aad_first_party_preauth;
mod aad_grant_invalid;
mod aad_grant_revoked;
mod aad_logon_hours;
mod aad_loop;
mod aad_mfa_required;
mod aad_no_password_in_directory;
mod aad_not_multitenant;
mod aad_obo_not_allowed;
mod aad_password_expired;
mod aad_refresh_expired;
mod aad_reply_url;
mod aad_resource_not_found;
mod aad_scope_invalid;
mod aad_security_defaults;
mod aad_strict_idp_other;
mod aad_tenant_not_found;
mod aad_throttled;
mod aad_unreachable;
mod aad_user_not_assigned;
mod aad_user_not_found;
mod adfs_bad_password;
mod adfs_extended_protection_mitm;
mod adfs_resource_unknown;
mod auth_cert_missing;
mod modern_auth_not_configured;
mod spn_missing;
mod spo_acs_retired;
mod tenant_restrictions;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &spo_acs_retired::RULE,
    &aad_unreachable::RULE,
    &spn_missing::RULE,
    &auth_cert_missing::RULE,
    &tenant_restrictions::RULE,
    &aad_client_certificate_lost::RULE,
    &adfs_bad_password::RULE,
    &adfs_resource_unknown::RULE,
    &aad_grant_revoked::RULE,
    &aad_refresh_expired::RULE,
    &aad_grant_invalid::RULE,
    &aad_account_disabled::RULE,
    &aad_account_locked::RULE,
    &aad_account_picker::RULE,
    &aad_password_expired::RULE,
    &aad_bad_password::RULE,
    &aad_no_password_in_directory::RULE,
    &aad_user_not_found::RULE,
    &aad_logon_hours::RULE,
    &aad_security_defaults::RULE,
    &aad_mfa_required::RULE,
    &aad_conditional_access::RULE,
    &aad_device_state::RULE,
    &aad_federation_failure::RULE,
    &aad_client_secret_expired::RULE,
    &aad_client_secret_invalid::RULE,
    &aad_client_assertion_invalid::RULE,
    &aad_client_credential_missing::RULE,
    &aad_app_disabled::RULE,
    &aad_app_not_found::RULE,
    &aad_consent_missing::RULE,
    &aad_first_party_preauth::RULE,
    &aad_user_not_assigned::RULE,
    &aad_obo_not_allowed::RULE,
    &aad_not_multitenant::RULE,
    &aad_reply_url::RULE,
    &aad_resource_not_found::RULE,
    &aad_scope_invalid::RULE,
    &aad_tenant_not_found::RULE,
    &aad_device_code_expired::RULE,
    &aad_loop::RULE,
    &aad_throttled::RULE,
    &modern_auth_not_configured::RULE,
    &adfs_extended_protection_mitm::RULE,
    &aad_strict_idp_other::RULE,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use std::sync::Arc;

    use crate::diagnosis::rules::kit;
    use crate::diagnosis::{Capture, Diagnosis, Finding, Kind, Verdict};
    use crate::exchange::{Connection, Ids, Timestamp};
    use crate::redact::Redactor;

    /// Numbers, and what they mean wherever they are met.
    const MEANINGS: [(&[u32], &str); 36] = [
        (&[50126, 50064], "aad-bad-password"),
        (&[50034, 51004, 50020, 50014, 90072, 16003], "aad-user-not-found"),
        (&[50053], "aad-account-locked"),
        (&[50057], "aad-account-disabled"),
        (&[50055, 50144, 50135], "aad-password-expired"),
        (&[50076, 50079, 50074, 50072, 50078, 53004], "aad-mfa-required"),
        (&[530_035], "aad-security-defaults"),
        (&[53003, 53000, 53001, 53002, 50158, 50131, 50005, 53011, 530_032, 530_034], "aad-conditional-access"),
        (&[50173, 50132, 50133, 50089], "aad-grant-revoked"),
        (&[70008, 700_082, 70043, 700_084], "aad-refresh-expired"),
        (&[70000, 54005, 50013, 500_133, 9_002_313, 501_481], "aad-grant-invalid"),
        (&[65001, 65004, 650_056, 650_057, 90094, 90095, 90008, 650_052], "aad-consent-missing"),
        (&[50105], "aad-user-not-assigned"),
        (&[7_000_215, 70002], "aad-client-secret-invalid"),
        (&[7_000_222], "aad-client-secret-expired"),
        (&[50012, 700_027, 700_030, 5_002_730], "aad-client-assertion-invalid"),
        (&[7_000_218, 900_144, 700_025], "aad-client-credential-missing"),
        (&[700_016, 70001, 700_011], "aad-app-not-found"),
        (&[7_000_112], "aad-app-disabled"),
        (&[7_000_114], "aad-obo-not-allowed"),
        (&[50056], "aad-no-password-in-directory"),
        (&[80012], "aad-logon-hours"),
        (&[50187, 135_010, 135_011], "aad-device-state"),
        (&[50192], "aad-client-certificate-lost"),
        (&[90002, 50128, 50059, 90019, 900_382, 90038], "aad-tenant-not-found"),
        (&[50001, 500_011], "aad-resource-not-found"),
        (&[70011, 28002, 28003, 1_002_012, 65005], "aad-scope-invalid"),
        (&[50011, 500_112, 70004], "aad-reply-url"),
        (&[65002], "aad-first-party-preauth"),
        (&[50194, 9_001_023, 9_002_332], "aad-not-multitenant"),
        (&[50196], "aad-loop"),
        (&[16002, 160_021, 50136], "aad-account-picker"),
        (&[70019, 70018], "aad-device-code-expired"),
        (
            &[20001, 20012, 40008, 40009, 40015, 50008, 50107, 80001, 80002, 80005, 80007, 80010, 80013, 80014],
            "aad-federation-failure",
        ),
        (&[90055, 90024, 50166], "aad-throttled"),
        (&[500_021, 500_022, 50002, 500_212, 500_213], "tenant-restrictions"),
    ];

    /// One number in every form that issuers give it, with what is different from one capture to the next.
    fn forms(code: u32) -> Vec<(&'static str, String, String)> {
        let words = format!("AADSTS{code}: Something is wrong.");
        let token = "POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: login.microsoftonline.com\r\n\r\n";
        let page =
            "GET /common/oauth2/authorize HTTP/1.1\r\nhost: LOGIN.WINDOWS.NET\r\nuser-agent: Mozilla/5.0\r\n\r\n";
        let answer = |status: &str, kind: &str, body: &str| {
            format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        let escaped = words.replace(' ', "%20").replace(':', "%3a");
        vec![
            (
                "JSON",
                token.to_owned(),
                answer(
                    "400 Bad Request",
                    "application/json; charset=utf-8",
                    &format!(
                        "{{\"error\":\"invalid_grant\",\"error_description\":\"{words}\\r\\nTrace ID: 3e1b7f60\",\
                         \"error_codes\":[{code}],\"suberror\":\"message_only\"}}"
                    ),
                ),
            ),
            (
                "JSON over several lines, with 401",
                token.to_owned(),
                answer(
                    "401 Unauthorized",
                    "text/plain",
                    &format!("{{\r\n  \"error_codes\" : [\r\n    {code}\r\n  ],\r\n  \"error\" : \"x\"\r\n}}"),
                ),
            ),
            (
                "JSON that was cut off",
                token.to_owned(),
                answer(
                    "400",
                    "application/json",
                    &format!("{{\"error\":\"x\",\"error_description\":\"{words}\",\"error_co"),
                ),
            ),
            (
                "a wrapped number",
                token.to_owned(),
                answer(
                    "400",
                    "application/json",
                    &format!(
                        "{{\"error\":\"x\",\"error_description\":\"AADSTS70002: Error validating credentials. {words}\",\
                         \"error_codes\":[70002,{code}]}}"
                    ),
                ),
            ),
            (
                "a redirect",
                page.to_owned(),
                format!(
                    "HTTP/1.1 302 Found\r\nLOCATION: https://localhost/?state=x&error=y&error_description={escaped}\
                     \r\nContent-Length: 0\r\n\r\n"
                ),
            ),
            (
                "a redirect with a fragment",
                page.to_owned(),
                format!(
                    "HTTP/1.1 303 See Other\r\nlocation: msauth://x/y#error_description={escaped}&error=y\r\n\
                     Content-Length: 0\r\n\r\n"
                ),
            ),
            (
                "a page's data",
                page.to_owned(),
                answer(
                    "200 OK",
                    "text/html; charset=utf-8",
                    &format!("<html><script>$Config={{\"a\":[1],\"iErrorCode\":{code},\"b\":2}};</script></html>"),
                ),
            ),
            (
                "a page for people",
                page.to_owned(),
                answer("200 OK", "text/html", &format!("<html><body><h2>Sorry</h2><p>{words}</p></body></html>")),
            ),
            (
                "a fault of WS-Trust",
                "POST /rst2.srf HTTP/1.1\r\nHost: login.microsoftonline.com\r\n\r\n".to_owned(),
                answer(
                    "500 Internal Server Error",
                    "application/soap+xml; charset=utf-8",
                    &format!(
                        "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body><S:Fault><S:Detail>\
                         <psf:error xmlns:psf=\"http://schemas.microsoft.com/Passport/SoapServices/SOAPFault\">\
                         <psf:value>0x80048821</psf:value><psf:internalerror><psf:code>0x80041012</psf:code>\
                         <psf:text>{words}</psf:text></psf:internalerror></psf:error></S:Detail></S:Fault></S:Body>\
                         </S:Envelope>"
                    ),
                ),
            ),
            (
                "a service that passes it on",
                "POST /api/sync HTTP/1.1\r\nHost: tool.fabrikam.com\r\n\r\n".to_owned(),
                answer("502 Bad Gateway", "text/plain", &format!("Token request failed: {words}")),
            ),
        ]
    }

    #[test]
    fn a_number_means_the_same_in_every_form() {
        let mut wrong = Vec::new();
        for (codes, id) in MEANINGS {
            for (code, (form, request, answer)) in
                codes.iter().flat_map(|code| forms(*code).into_iter().map(move |form| (code, form)))
            {
                let found = first(&request, &answer);
                if found != (Some(id), Verdict::Failure) {
                    wrong.push(format!("{code} in {form}: {found:?} instead of {id}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The first finding, if it is a failure, and the verdict.
    fn first(request: &str, answer: &str) -> (Option<&'static str>, Verdict) {
        let (redactor, ids) = (Redactor::new(), Ids::default());
        let authority = request.to_ascii_lowercase();
        let authority = authority.split("host: ").nth(1).unwrap().split('\r').next().unwrap();
        let setting = kit::setting(&redactor, Arc::new(Connection::default()), ids, "https", authority);
        let exchange = kit::record(setting, request.as_bytes(), Some(answer.as_bytes()), None, Timestamp(0));
        let judgement = Diagnosis::new(Capture::Imported).observe(&exchange).judgement;
        let failure = judgement.findings.first().filter(|finding| finding.kind == Kind::Failure);
        (failure.map(Finding::id), judgement.verdict)
    }
}
