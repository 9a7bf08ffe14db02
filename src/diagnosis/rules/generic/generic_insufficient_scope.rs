//! A server takes the token and wants more than it allows: `insufficient_scope` of RFC 6750.
//!
//! Not to be confused with Exchange's and Graph's own ways to say it (`token-scope-insufficient`,
//! `graph-permission-missing`), or with the first challenge of a registry, which comes before any token.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "generic-insufficient-scope",
    title: Text { en: "The token does not reach far enough", ja: "トークンのスコープが不足している" },
    explanation: Text {
        en: "The server accepts the token and refuses the request, because the token was issued for less than this \
             needs. The challenge names the scope that is wanted, where the server tells it: {scope}.",
        ja: "サーバーはトークンを受け入れましたが、必要なスコープが含まれていないため要求を拒否しました。必要なスコ\
             ープは、サーバーが示していればチャレンジに含まれます: {scope}。",
    },
    remedy: Text {
        en: "Request a token with the scope that is wanted (for a registry: pull or push on this very repository), \
             or give the key or personal access token of {host} that right and use the new one.",
        ja: "必要なスコープを指定してトークンを取得し直すか (レジストリの場合は対象リポジトリへの pull または push)\
             、{host} の API キーや個人用アクセス トークンにその権限を付与して、新しいものを使います。",
    },
    sources: &["RFC 6750 section 3.1"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::CHALLENGED.or(Signs::BODY).or(Signs::DIAGNOSTICS)),
    supersedes: &["generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if matches!(case.authorization(), Sent::Absent) {
        return None;
    }
    let hit = by_challenge(case).or_else(|| by_body(case)).or_else(|| by_github(case)).or_else(|| untold(case))?;
    let hit = hit.on(case.on_user()).naming("host", case.host_name());
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

fn by_challenge(case: &Case<'_>) -> Option<Hit> {
    let says = |error: &str| error.eq_ignore_ascii_case("insufficient_scope");
    let mut challenges = case.challenges().iter();
    let found = challenges.find(|challenge| challenge.param("error").is_some_and(|error| says(&error)))?;
    let hit = Hit::failure(Certainty::Certain, Actor::Client).naming("scope", found.clean_param("scope"));
    Some(hit.because(case.evidence(Place::ResponseHeader("www-authenticate"), found.text())))
}

/// The same word as the error of a JSON body.
fn by_body(case: &Case<'_>) -> Option<Hit> {
    let body = Some(case.response_body()).filter(|body| !body.is_empty())?;
    let from = &body[body.find("\"insufficient_scope\"")?..];
    let error = from.get(1..19)?;
    Some(Hit::failure(Certainty::Certain, Actor::Client).because(case.evidence_body(error)))
}

/// GitHub names the scopes that would do beside those that the token has.
fn by_github(case: &Case<'_>) -> Option<Hit> {
    let listed = |name| case.response_header(name).filter(|_| case.status() == Some(403));
    let (accepted, granted) = (listed("x-accepted-oauth-scopes")?, listed("x-oauth-scopes")?);
    let mut wanted = accepted.as_str().split(',').map(str::trim).filter(|scope| !scope.is_empty()).peekable();
    let has = |scope: &str| granted.as_str().split(',').any(|one| one.trim() == scope);
    let lacks = wanted.peek().is_some() && !wanted.any(has);
    lacks.then(|| {
        Hit::failure(Certainty::Likely, Actor::Client)
            .naming("scope", accepted.clone())
            .because(case.evidence_header("x-accepted-oauth-scopes"))
            .because(case.evidence_header("x-oauth-scopes"))
    })
}

/// Exchange refuses what was asked, for a reason that is not known here.
fn untold(case: &Case<'_>) -> Option<Hit> {
    let unknown = case.status() == Some(403) && case.has_unknown_diagnostics();
    unknown.then(|| {
        let reason = case.evidence_header("x-ms-diagnostics");
        Hit::failure(Certainty::Possible, Actor::Client).because(reason)
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a registry wants the right to pull",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://registry-1.docker.io/v2/a/b/manifests/latest\n\
                 Authorization: Bearer {jwt aud=registry.docker.io}",
                "401\n\
                 www-authenticate: Bearer \
                 realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull\",error=\"insufficient_scope\"",
            )],
        ),
        Example::fires(
            "GitLab says it in the body alone",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://gitlab.fabrikam.com/api/v4/projects\n\
                 authorization: Bearer glpat-SYNTHETIC",
                "403\n\
                 server: nginx\n\
                 content-type: application/json\n\
                 \n\
                 {\"error\":\"insufficient_scope\",\"error_description\":\"The request requires higher privileges \
                 than provided by the access token.\"}",
            )],
        ),
        Example::fires(
            "GitHub lists the scopes",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://api.github.com/orgs/contoso/members\n\
                 Authorization: token ghp_0000000000000000000000000000",
                "403\n\
                 Server: github.com\n\
                 X-OAuth-Scopes: gist, repo\n\
                 X-Accepted-OAuth-Scopes: admin:org, read:org\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"message\":\"Forbidden\"}",
            )],
        ),
        Example::fires(
            "Exchange gives a reason that nobody knows",
            (Kind::Failure, Certainty::Possible, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com}",
                "403\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2999999;reason=\"Something new.\";error_category=\"something_new\"",
            )],
        ),
        Example::silent(
            "the token is invalid",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer x",
                "401\n\
                 WWW-Authenticate: Bearer realm=\"x\", error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "nothing was sent yet",
            &[Raw::new(
                "GET https://registry.fabrikam.com/v2/",
                "401\n\
                 WWW-Authenticate: Bearer \
                 realm=\"https://auth.fabrikam.com/token\",service=\"r\",error=\"insufficient_scope\"",
            )],
        ),
        Example::silent(
            "GitHub's scope is there",
            &[Raw::new(
                "GET https://api.github.com/orgs/contoso/members\n\
                 Authorization: token ghp_0000000000000000000000000000",
                "403\n\
                 Server: github.com\n\
                 X-OAuth-Scopes: read:org\n\
                 X-Accepted-OAuth-Scopes: admin:org, read:org",
            )],
        ),
    ];
}
