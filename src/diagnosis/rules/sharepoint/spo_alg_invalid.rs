//! The token names no signature algorithm that SharePoint accepts.
//!
//! Not to be confused with a signature that it cannot verify (`spo-invalid-signature`).

use crate::diagnosis::sharepoint::Refusal;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-alg-invalid",
    title: Text {
        en: "The token names no valid signature algorithm", ja: "トークンの署名アルゴリズムが無効"
    },
    explanation: Text {
        en: "The header of the token has no alg that SharePoint accepts (it says {alg}). Unsigned tokens (alg none) \
             were once used between servers with trusted certificates; since the security updates of 2023 \
             SharePoint refuses them. A token that nobody signed is also what attacks on SharePoint send.",
        ja: "トークンのヘッダーに SharePoint が受け付ける alg がありません (値は {alg})。署名のないトークン (alg none) \
             は、かつて信頼された証明書を持つサーバー間で使われていましたが、2023 年のセキュリティ更新プログラム以降は\
             拒否されます。署名のないトークンは SharePoint への攻撃でも送られます。",
    },
    remedy: Text {
        en: "Let the client or the provider-hosted add-in sign its tokens (RS256) with the certificate that is \
             registered as trusted security token issuer. On the farm look at the issuers:\n\
             Get-SPTrustedSecurityTokenIssuer | Format-List Name,NameId,IsSelfIssuer\n\
             If nobody of yours sends such tokens, treat the caller as an attacker and check that the farm is \
             patched.",
        ja: "クライアントまたはプロバイダー向けのホスト型アドインが、信頼できるセキュリティ トークン発行者として登録さ\
             れた証明書でトークンに署名 (RS256) するようにします。ファームで発行者を確認します。\n\
             Get-SPTrustedSecurityTokenIssuer | Format-List Name,NameId,IsSelfIssuer\n\
             心当たりのない送信元であれば攻撃とみなし、ファームが更新済みか確認してください。",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/dev/sp-add-ins/create-high-trust-sharepoint-add-ins",
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
    let refusal = Refusal::of(case)?;
    if !refusal.says("valid algorithm") && (refusal.code != Some(3_005_004) || refusal.is_telling()) {
        return None;
    }
    let hit = Hit::failure(Certainty::Certain, Actor::Client).on(case.on_server());
    let hit = refusal.evidence().fold(hit, Hit::because);
    Some(hit.naming("alg", case.jwt().and_then(|jwt| jwt.alg.clone())))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an unsigned token comes to a farm of one's own",
            FOUND,
            &[Raw::new(
                "GET http://10.10.10.166/_api/web/currentuser\nAuthorization: Bearer eyJhbGciOiAibm9uZSJ9.eyJhdWQiOiAiYSJ9.",
                "401\nWWW-Authenticate: NTLM, Bearer realm=\"5637f856-255d-4039-b165-224f3371d1d4\",\
                 client_id=\"00000003-0000-0ff1-ce00-000000000000\"\nx-ms-diagnostics: 3005004;reason=\"The token does \
                 not contain valid algorithm in header.\";category=\"invalid_client\"",
            )],
        ),
        Example::fires(
            "only the body says so",
            FOUND,
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\ncontent-type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\"The token \
                 does not contain valid algorithm in header.\"}",
            )],
        ),
        Example::silent(
            "the signature is not valid",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\nx-ms-diagnostics: 3000006;reason=\"Token contains invalid signature.\"",
            )],
        ),
    ];
}
