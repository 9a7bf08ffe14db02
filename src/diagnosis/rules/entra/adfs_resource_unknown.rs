//! AD FS has no relying party or web API of the name that a token was asked for.
//!
//! Not to be confused with Entra not knowing it (`spn-missing`, `aad-resource-not-found`).

use crate::diagnosis::refusal::{GATE, refused_by_adfs};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "adfs-resource-unknown",
    title: Text {
        en: "The resource is not registered in AD FS", ja: "リソースが AD FS に登録されていない"
    },
    explanation: Text {
        en: "The client asked AD FS for a token for {resource}, and no web API or relying party trust there has this \
             identifier. Identifiers are compared letter by letter, with the final slash. Where Exchange uses modern \
             authentication with AD FS, every host name under which clients reach it must be among the identifiers of \
             its web API.",
        ja: "クライアントは AD FS に {resource} のトークンを要求しましたが、この識別子を持つ Web API または証明書利用\
             者信頼がありません。識別子は末尾のスラッシュまで完全に一致する必要があります。Exchange で AD FS による先\
             進認証を使う場合は、クライアントが使うすべてのホスト名を Web API の識別子に登録します。",
    },
    remedy: Text {
        en: "On the AD FS server read the identifiers first, then write old and new together (the list is replaced):\n\
             Get-AdfsWebApiApplication | Format-List Name,Identifier\n\
             Get-AdfsRelyingPartyTrust | Format-Table Name,Identifier\n\
             $api = Get-AdfsWebApiApplication -Name '<name of the Exchange web API>'\n\
             Set-AdfsWebApiApplication -TargetName $api.Name -Identifier ($api.Identifier + '{resource}')\n\
             This is no matter of Entra ID: nothing is registered there.",
        ja: "AD FS サーバーで先に識別子を確認し、既存と新規をまとめて設定します (一覧は置き換えられます)。\n\
             Get-AdfsWebApiApplication | Format-List Name,Identifier\n\
             Get-AdfsRelyingPartyTrust | Format-Table Name,Identifier\n\
             $api = Get-AdfsWebApiApplication -Name '<name of the Exchange web API>'\n\
             Set-AdfsWebApiApplication -TargetName $api.Name -Identifier ($api.Identifier + '{resource}')\n\
             Entra ID の問題ではありません。Entra ID への登録は不要です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/enable-modern-auth-in-exch\
         ange-server-on-premises",
        "https://learn.microsoft.com/en-us/powershell/module/adfs/set-adfswebapiapplication",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::AdAdmin],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// A resource of OAuth, a relying party of WS-Federation and SAML.
const CODES: [u32; 2] = [9602, 7007];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused_by_adfs(case, &CODES)?.failure(Certainty::Certain, Actor::AdAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook is sent back",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/oauth2/authorize?response_type=code&\
                 client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&resource=https%3A%2F%2Fmail.fabrikam.com%2F",
                "302\nServer: Microsoft-HTTPAPI/2.0\nLocation: urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&\
                 error_description=MSIS9602%3a+The+received+%27resource%27+parameter+is+invalid.",
            )],
        ),
        Example::fires(
            "at the token endpoint",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/oauth2/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_resource\",\
                 \"error_description\":\"MSIS9602: The received \\u0027resource\\u0027 parameter is invalid. The \
                 authorization server can not find a registered resource with the specified identifier.\"}",
            )],
        ),
        Example::fires(
            "a page about a relying party",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "GET https://sts.fabrikam.com/adfs/ls/?wa=wsignin1.0&wtrealm=https%3A%2F%2Fmail.fabrikam.com%2Fowa%2F",
                "200 OK\nContent-Type: text/html\n\n<html><body><div>MSIS7007: The requested relying party trust &#39;\
                 https://mail.fabrikam.com/owa/&#39; is unspecified or unsupported.</div></body></html>",
            )],
        ),
        Example::silent(
            "the client is not allowed",
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/oauth2/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"unauthorized_client\",\
                 \"error_description\":\"MSIS9611: The client is not allowed to access the requested resource.\"}",
            )],
        ),
        Example::silent(
            "Entra does not know it",
            &[token_error!(500_011: "The resource principal named https://mail.fabrikam.com/ was not found in the \
                                       tenant named Contoso.")],
        ),
    ];
}
