//! SharePoint does not know the kind of token that was sent.
//!
//! Not to be confused with an app-only token obtained with a secret (`spo-app-only-unsupported`).

use crate::diagnosis::sharepoint::Refusal;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-unsupported-token",
    title: Text {
        en: "SharePoint does not support this kind of token",
        ja: "SharePoint が対応していない種類のトークン",
    },
    explanation: Text {
        en: "SharePoint answers Unsupported security token. What was sent is not an access token that it issues \
             sessions for: an id token, a token of another issuer or of a personal account, or a token for another \
             resource. The token that was sent is for {audience}.",
        ja: "SharePoint は Unsupported security token と応答しています。送信されたのは SharePoint が受け付けるアクセス\
             トークンではなく、ID トークン、別の発行者や個人アカウントのトークン、または別のリソース用のトークンで\
             す。送信されたトークンの対象は {audience} です。",
    },
    remedy: Text {
        en: "Let the client send the access_token (not the id_token) that Entra ID issued for the scope \
             https://{host}/.default, by the work account or the app of this tenant.",
        ja: "クライアントが、このテナントの職場アカウントまたはアプリに対して、スコープ https://{host}/.default で \
             Entra ID が発行した access_token (id_token ではなく) を送るようにしてください。",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/dev/solution-guidance/security-apponly-azuread",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::SHARE_POINT.or(Signs::NO_HOST)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let refusal = Refusal::of(case).filter(|refusal| refusal.says("unsupported security token"))?;
    let hit = Hit::failure(Certainty::Certain, Actor::Client).on(case.on_server());
    let hit = refusal.evidence().fold(hit, Hit::because);
    let audience = case.jwt().and_then(|jwt| jwt.aud.clone());
    Some(hit.naming("host", case.host_name()).naming("audience", audience))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the body says so beside the general number",
            FOUND,
            &[Raw::new(
                "GET https://contoso.sharepoint.cn/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\nx-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the request.\"\n\
                 Content-Type: application/json\n\n{\"error_description\":\"Unsupported security token.\"}",
            )],
        ),
        Example::fires(
            "the header says so",
            FOUND,
            &[Raw::new(
                "GET https://portal.contoso.com/_api/web\nAuthorization: Bearer EwB0A8l6BAAUO9chh8cJscQLmU",
                "401\nMicrosoftSharePointTeamServices: 16.0.0.10417\nx-ms-diagnostics: \
                 3001001;reason=\"UNSUPPORTED security token.\";category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "it is an app-only token",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\nContent-Type: application/json\n\n{\"error_description\":\"Unsupported app only token.\"}",
            )],
        ),
        Example::silent(
            "another service uses the same words",
            &[Raw::new(
                "GET https://sts.fabrikam.com/\nAuthorization: Bearer {jwt aud=x}",
                "401\nContent-Type: application/json\n\n{\"error_description\":\"Unsupported security token.\"}",
            )],
        ),
    ];
}
