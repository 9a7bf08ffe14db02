//! Refusals of token issuers: Entra ID, ACS and AD FS.

use crate::diagnosis::Rule;

/// Answers of Entra for the examples of its rules, so that each shows no more than what it is about.
#[cfg(test)]
macro_rules! token_error {
    ($code:literal: $words:literal) => {
        token_error!("grant_type=password&client_id=5a4b3c2d-0000-4000-8000-000000000a07&username=avery%40contoso.com&password=x&scope=https%3A%2F%2Foutlook.office365.com%2F.default" => $code: $words)
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
mod tenant_restrictions;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
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
