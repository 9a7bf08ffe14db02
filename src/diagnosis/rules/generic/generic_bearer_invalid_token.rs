//! A server does not accept a bearer token: `invalid_token` of RFC 6750, or a token whose end is past.
//!
//! Not to be confused with what Exchange, Graph and SharePoint say of tokens in their own words, with the same error on an
//! empty Bearer, where it is harmless (`hma-empty-bearer`), or with a token that reaches not far enough
//! (`generic-insufficient-scope`).

use crate::diagnosis::past::sent_label;
use crate::diagnosis::token::{Lifetime, evidence_times};
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Credential, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "generic-bearer-invalid-token",
    title: Text { en: "The server does not accept the token", ja: "サーバーがトークンを受け入れない" },
    explanation: Text {
        en: "A bearer token was sent to {host} and refused as invalid: it is expired, revoked, damaged, or issued \
             for another service. Where the server tells more, it stands in the evidence.",
        ja: "{host} に送られた Bearer トークンが無効として拒否されました。期限切れ、取り消し済み、破損、または別の\
             サービス用であることが考えられます。サーバーが詳細を示している場合は根拠に表示します。",
    },
    remedy: Text {
        en: "Fetch a new token from the service's own issuer, for this service, and send it whole. If a new one is \
             refused as well, compare its claims with what the service expects: aud (this service), iss (the issuer \
             it trusts), exp (in the future by the Date of the answer).",
        ja: "サービスの発行元から、このサービス用の新しいトークンを取得し、そのまま送ります。新しいトークンも拒否さ\
             れる場合は、クレームをサービスの期待と比べます。aud (このサービス)、iss (信頼される発行者)、exp (応答\
             の Date より後) を確認してください。",
    },
    sources: &["RFC 6750 section 3.1", "RFC 7519 section 4.1"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::Client],
    gate: Gate::status(&[400, 401, 403]).showing(Signs::CHALLENGED.or(Signs::BODY).or(Signs::TOKEN)),
    supersedes: &["generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let carried = match case.authorization() {
        Sent::Credential(Credential::Bearer(token)) => *token != Token::Empty,
        Sent::Credential(Credential::Other { label, .. }) => label.is_some(),
        Sent::Unseen => true,
        Sent::Absent | Sent::Credential(_) => false,
    };
    if !carried || case.is_sign_in() {
        return None;
    }
    let microsoft = case.signs().has_any(Signs::EXCHANGE.or(Signs::GRAPH).or(Signs::SHARE_POINT));
    let said = by_challenge(case).or_else(|| by_body(case));
    let (evidence, certainty) = match (said, Lifetime::of(case)) {
        (Some(said), _) if case.exchange.request.seen().is_some() => (said, Certainty::Certain),
        (Some(said), _) => (said, Certainty::Likely),
        (None, Lifetime::Over(_)) if case.status() == Some(401) => (evidence_times(case)?, Certainty::Likely),
        (None, _) => return None,
    };
    let certainty = if microsoft { Certainty::Possible } else { certainty };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_user()).naming("host", case.host_name());
    let told = microsoft && case.has_unknown_diagnostics();
    let hit = if told { hit.because(case.evidence_header("x-ms-diagnostics")) } else { hit };
    let hit = hit.because(evidence);
    Some(match sent_label(case) {
        Some(label) => hit.because(case.evidence_request("authorization")).until(Next::SameCredential(label)),
        None => hit,
    })
}

fn by_challenge(case: &Case<'_>) -> Option<Evidence> {
    let says = |error: &str| error.eq_ignore_ascii_case("invalid_token") || error.eq_ignore_ascii_case("expired_token");
    // Claims that are asked for are no refusal of the token as such (`cae-claims-challenge`).
    let mut challenges = case.challenges().iter().filter(|challenge| challenge.param("claims").is_none());
    let found = challenges.find(|challenge| challenge.param("error").is_some_and(|error| says(&error)))?;
    Some(case.evidence(Place::ResponseHeader("www-authenticate"), found.text()))
}

/// The same words as the error of a JSON body.
fn by_body(case: &Case<'_>) -> Option<Evidence> {
    const WORDS: [&str; 4] =
        ["\"invalid_token\"", "\"expired_token\"", "\"token_expired\"", "\"invalid_access_token\""];
    let body = case.response_body();
    let found = WORDS.iter().find_map(|word| body.find(word).map(|at| &body[at + 1..at + word.len() - 1]));
    found.map(|word| case.evidence_body(word))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the token expired",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://api.fabrikam.com/resource\n\
                 Authorization: Bearer mF_9.B5f-4.1JqM",
                "401\n\
                 WWW-Authenticate: Bearer realm=\"example\", error=\"invalid_token\", error_description=\"The \
                 access token expired\"",
            )],
        ),
        Example::fires(
            "a body says it",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://api.fabrikam.com/resource\n\
                 Authorization: bearer x1",
                "401\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"error\":\"invalid_token\",\"error_description\":\"Token was not recognised\"}",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 Www-Authenticate: Bearer error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "no word is said and the token's end is past",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://api.fabrikam.com/resource\n\
                 Authorization: Bearer {jwt aud=items exp=1795046400}",
                "401\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT",
            )],
        ),
        Example::fires(
            "Exchange gives a reason that nobody knows",
            (Kind::Failure, Certainty::Possible, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com}",
                "401\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2999999;reason=\"Something new.\";error_category=\"something_new\"\n\
                 WWW-Authenticate: {bearer}, error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the scope is what lacks",
            &[Raw::new(
                "GET https://api.fabrikam.com/resource\n\
                 Authorization: Bearer x",
                "403\n\
                 WWW-Authenticate: Bearer error=\"insufficient_scope\"",
            )],
        ),
        Example::silent(
            "an empty Bearer asks for discovery",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer",
                "401\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer}, error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "further claims are asked for",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\n\
                 Authorization: Bearer x",
                "401\n\
                 WWW-Authenticate: Bearer error=\"invalid_token\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
            )],
        ),
        Example::silent(
            "nothing was sent",
            &[Raw::new(
                "GET https://api.fabrikam.com/resource",
                "401\n\
                 WWW-Authenticate: Bearer error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the token lasts and no word is said",
            &[Raw::new(
                "GET https://api.fabrikam.com/resource\n\
                 Authorization: Bearer {jwt aud=items exp=1795194000}",
                "401\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT",
            )],
        ),
    ];
}
