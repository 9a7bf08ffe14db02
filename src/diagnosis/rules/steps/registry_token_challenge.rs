//! A container registry, or another service of that kind, names the service that issues its tokens.
//!
//! Not to be confused with Bearer challenges of Microsoft's services, which name an authorization_uri.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "registry-token-challenge",
    title: Text {
        en: "A registry names its token service", ja: "レジストリがトークン サービスを提示"
    },
    explanation: Text {
        en: "Container registries answer the first request with a Bearer challenge whose realm is the address of a \
             token service. The client fetches a token there, often without any credentials, and repeats the \
             request. This has nothing to do with Exchange.",
        ja: "コンテナー レジストリは最初の要求に対し、realm がトークン サービスのアドレスである Bearer チャレンジを\
             返します。クライアントはそこで、多くは資格情報なしにトークンを取得し、要求を繰り返します。Exchange とは\
             関係ありません。",
    },
    remedy: Text { en: "Nothing to do.", ja: "対処は不要です。" },
    sources: &["https://distribution.github.io/distribution/spec/auth/token/", "RFC 6750 section 3"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::CHALLENGED),
    supersedes: &["hs-anonymous-probe"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let bearer = case.challenge("bearer")?;
    let realm = bearer.clean_param("realm")?;
    let (_, after) = realm.as_str().split_once("://")?;
    let host = realm.part(after.split(['/', ':']).next().unwrap_or(after)).lower();
    let registry = bearer.param("service").is_some()
        || case
            .response_header("docker-distribution-api-version")
            .is_some_and(|version| version.as_str().contains("registry"));
    let hit = match case.authorization() {
        // Some registries say invalid_token where there was none.
        Sent::Absent => Hit::step(),
        Sent::Unseen if bearer.param("error").is_none() => Hit::likely_step(),
        Sent::Unseen | Sent::Credential(_) => return None,
    };
    let hit = || hit.on(case.on_server()).because(case.evidence_challenge("bearer")).until(Next::Host(host));
    registry.then(hit)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, LIKELY_STEP, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a pull begins",
            STEP,
            &[Raw::new(
                "GET https://registry-1.docker.io/v2/library/alpine/manifests/latest",
                "401\nWww-Authenticate: Bearer \
                 realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/alpine:pull,push\"",
            )],
        ),
        Example::fires(
            "the answer alone was pasted",
            LIKELY_STEP,
            &[Raw::new(
                "",
                "401\nWww-Authenticate: Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
            )],
        ),
        Example::fires(
            "a registry that names no service says that no token was none",
            STEP,
            &[Raw::new(
                "GET https://registry.fabrikam.com/v2/",
                "401\nDocker-Distribution-Api-Version: registry/2.0\n\
                 WWW-Authenticate: Bearer realm=\"https://gitlab.fabrikam.com/jwt/auth\",error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "Exchange names its authority",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                 trusted_issuers=\"00000001-0000-0000-c000-000000000000@00c118a9-2de9-41d3-0000-000000000000\", \
                 authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"",
            )],
        ),
        Example::silent(
            "the token does not reach far enough",
            &[Raw::new(
                "GET https://registry.contoso.com/v2/app/manifests/1\nAuthorization: Bearer {jwt \
                 aud=registry.contoso.com}",
                "401\nWWW-Authenticate: Bearer \
                 realm=\"https://auth.contoso.com/token\",service=\"registry.contoso.com\",error=\"insufficient_scope\"",
            )],
        ),
    ];
}
