//! Credentials of any scheme, refused by a server of which nothing more is known.
//!
//! Not to be confused with the legs of a handshake. It names no cause of Exchange or Entra; where one of those answers, it
//! is only possible, and every rule that knows more comes before it.

use crate::diagnosis::past::sent_label;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Credential, Negotiate, Ntlm, NtlmMessage, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "generic-bad-credentials",
    title: Text { en: "The server refuses the credentials", ja: "サーバーが資格情報を拒否" },
    explanation: Text {
        en: "The request carried credentials, and the server answered 401. It gave no reason, or one that stands in \
             the evidence and is not among the causes known here. Mostly the credentials are wrong, expired, \
             revoked, or meant for another service.",
        ja: "要求には資格情報が含まれていましたが、サーバーは 401 を返しました。理由は示されていないか、既知の原因に当\
             てはまらないものです (示された場合は根拠に表示します)。多くの場合、資格情報が誤っている、期限切れまた\
             は取り消し済みである、または別のサービス用のものです。",
    },
    remedy: Text {
        en: "Check the password, key or token that {host} expects, and that it was issued for this service.",
        ja: "{host} が求めるパスワード、キー、またはトークンを確認し、それがこのサービス用に発行されたものか確かめて\
             ください。",
    },
    sources: &["RFC 9110 section 15.5.2"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::User],
    gate: Gate::status(&[400, 401, 403]).showing(SENT.or(Signs::DIAGNOSTICS).or(Signs::ANONYMOUS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Whatever was sent in `Authorization`.
const SENT: Signs = Signs::TOKEN.or(Signs::BASIC).or(Signs::WINDOWS).or(Signs::OTHER_SCHEME);

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = case.status().is_none_or(|status| status == 401);
    let told = told_in_body(case);
    if !refused && told.is_none() {
        return None;
    }
    let credential = match case.authorization() {
        Sent::Credential(credential) => Some(credential),
        // Only what refuses credentials has a reason to tell.
        Sent::Unseen if refused && case.has_unknown_diagnostics() => None,
        Sent::Absent => return by_key(case),
        Sent::Unseen => return None,
    };
    let begins = matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. }));
    let goes_on = case.goes_on();
    if credential.is_some_and(is_empty) || begins || goes_on {
        return None;
    }
    let certainty = if is_microsoft(case) { Certainty::Possible } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::User).on(case.on_user()).naming("host", case.host_name());
    let hit = told.or_else(|| reason(case)).into_iter().fold(hit, Hit::because);
    if credential.is_none() {
        return Some(hit);
    }
    let hit = hit.because(case.evidence_request("authorization")).because(case.evidence_status());
    Some(match sent_label(case) {
        Some(label) => hit.until(Next::SameCredential(label)),
        None => hit,
    })
}

/// The scheme's name alone.
const fn is_empty(credential: &Credential) -> bool {
    matches!(
        credential,
        Credential::Empty
            | Credential::Bearer(Token::Empty)
            | Credential::Ntlm(Ntlm::Empty)
            | Credential::Negotiate(Negotiate::Empty)
            | Credential::Other { label: None, .. }
    )
}

/// A key in a header of its own, refused without a challenge.
fn by_key(case: &Case<'_>) -> Option<Hit> {
    const KEYS: [&str; 10] = [
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "private-token",
        "job-token",
        "x-vault-token",
        "x-functions-key",
        "ocp-apim-subscription-key",
        "x-goog-api-key",
    ];
    if !case.challenges().is_empty() || is_microsoft(case) {
        return None;
    }
    let key = KEYS.into_iter().find(|name| case.request_header(name).is_some_and(|key| !key.as_str().is_empty()))?;
    let hit = Hit::failure(Certainty::Likely, Actor::User).on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence_request(key)).because(case.evidence_status()))
}

/// Codes by which services say that it is the credentials, whatever the status.
fn told_in_body(case: &Case<'_>) -> Option<Evidence> {
    const CODES: [&str; 8] = [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredToken",
        "API_KEY_INVALID",
        "Bad credentials",
    ];
    let body = case.response_body();
    if body.is_empty() || is_microsoft(case) {
        return None;
    }
    let found = CODES.iter().find_map(|code| body.find(code).map(|at| &body[at..at + code.len()]))?;
    Some(case.evidence_body(found))
}

/// What the server itself says of the refusal.
fn reason(case: &Case<'_>) -> Option<Evidence> {
    if case.diagnostics().is_some() {
        return Some(case.evidence_header("x-ms-diagnostics"));
    }
    let says = case.challenges().iter().find(|challenge| challenge.param("error").is_some())?;
    Some(case.evidence(Place::ResponseHeader("www-authenticate"), says.text()))
}

/// Services whose refusals mean more than a wrong password.
fn is_microsoft(case: &Case<'_>) -> bool {
    case.is_exchange()
        || case.is_sign_in()
        || case.diagnostics().is_some()
        || ["microsoft.com", "sharepoint.com", "windows.net", "azure.com"]
            .iter()
            .any(|domain| case.host().ends_with(domain))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "GitHub refuses a token without a challenge",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "GET https://api.github.com/user\nAuthorization: Bearer ghp_0000000000000000000000000000",
                "401\nContent-Type: application/json\n\n{\"message\":\"Bad credentials\"}",
            )],
        ),
        Example::fires(
            "a Microsoft service refuses a token and says no more",
            (Kind::Failure, Certainty::Possible, Actor::User),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\nAuthorization: Bearer {jwt aud=x}",
                "401 Unauthorized",
            )],
        ),
        Example::fires(
            "a key has a header of its own",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new("GET https://gitlab.fabrikam.com/api/v4/user\nPRIVATE-TOKEN: glpat-000000000000", "401")],
        ),
        Example::fires(
            "S3 does not know the key and says 403",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "GET https://a.s3.amazonaws.com/x\nAuthorization: AWS4-HMAC-SHA256 Credential=A, Signature=00",
                "403\nServer: AmazonS3\nContent-Type: application/xml\n\n<Error><Code>InvalidAccessKeyId</Code></Error>",
            )],
        ),
        Example::silent(
            "S3 does not allow it",
            &[Raw::new(
                "GET https://a.s3.amazonaws.com/x\nAuthorization: AWS4-HMAC-SHA256 Credential=A, Signature=00",
                "403\nServer: AmazonS3\nContent-Type: application/xml\n\n<Error><Code>AccessDenied</Code></Error>",
            )],
        ),
        Example::fires(
            "a reason that nobody knows was pasted alone",
            (Kind::Failure, Certainty::Possible, Actor::User),
            &[Raw::new("", "401\nx-ms-diagnostics: 2999999;reason=\"New.\";error_category=\"new\"")],
        ),
        Example::silent(
            "NTLM is under way",
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nAuthorization: NTLM {ntlm1}",
                "401\nWWW-Authenticate: NTLM {ntlm2}",
            )],
        ),
        Example::silent(
            "nothing was sent",
            &[Raw::new("GET https://erp.fabrikam.com/", "401\nWWW-Authenticate: Basic realm=\"x\"")],
        ),
    ];
}
