//! The token is for another API or application altogether: Graph, Azure management, the client's own id.
//!
//! Not to be confused with a token for another name of the same Exchange (`audience-host-mismatch`), or for its https name
//! where plain HTTP arrives (`ssl-offload-audience-scheme`): the names are compared.

use crate::diagnosis::audience::{Refusal, other_resource};
use crate::diagnosis::token::{is_unexplained, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "audience-wrong-resource",
    title: Text {
        en: "The token is for another service", ja: "トークンが別のサービス向けに発行されている"
    },
    explanation: Text {
        en: "The token is for {audience}, and {host} takes only tokens for itself. The client asked the sign-in \
             host for the wrong resource or scope, sent its id token, or sent one program's token to the service of \
             another. A token is good for one resource alone, whatever permissions stand in it.",
        ja: "トークンは {audience} 向けですが、{host} は自身に向けたトークンしか受け入れません。クライアントがサイ\
             ンイン先で誤ったリソースまたはスコープを指定したか、ID トークンや別のサービス用のトークンを送っていま\
             す。含まれるアクセス許可にかかわらず、トークンは 1 つのリソースでしか使えません。",
    },
    remedy: Text {
        en: "Request the token for Exchange, and send its access_token. Exchange Online:\n\
             scope=https://outlook.office365.com/.default (v2.0 endpoint; interactive: \
             https://outlook.office365.com/EWS.AccessAsUser.All)\n\
             resource=https://outlook.office365.com (v1 endpoint)\n\
             Exchange on-premises: the same with https://{host}/ , which must be registered as SPN in the tenant. \
             Permissions of Microsoft Graph do not count here: those for EWS are under Office 365 Exchange Online.",
        ja: "Exchange 向けのトークンを要求し、その access_token を送ります。Exchange Online の場合:\n\
             scope=https://outlook.office365.com/.default (v2.0 エンドポイント。対話型では \
             https://outlook.office365.com/EWS.AccessAsUser.All)\n\
             resource=https://outlook.office365.com (v1 エンドポイント)\n\
             オンプレミスの Exchange の場合は https://{host}/ を指定します (テナントに SPN として登録されている必要\
             があります)。Microsoft Graph のアクセス許可はここでは有効ではありません。EWS のアクセス許可は Office \
             365 Exchange Online にあります。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth",
        "https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let told = refused(case, TokenFault::Audience, Actor::Client);
    let untold = told.is_none() && case.token_fault().is_none() && is_unexplained(case);
    if (told.is_none() && !untold) || Refusal::of(case).is_some() {
        return None;
    }
    let other = other_resource(case);
    let hit = match told {
        Some(hit) if other.is_some() => hit,
        // Exchange says that the audience is wrong, and nothing shows what it is.
        Some(hit) => Hit { certainty: Certainty::Likely, ..hit },
        None => Hit::failure(other.is_some().then_some(Certainty::Likely)?, Actor::Client)
            .naming("host", case.host_name())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_challenge("bearer")),
    };
    Some(hit.on(case.on_server()).naming("audience", other))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the token is for the directory",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=00000002-0000-0000-c000-000000000000}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid \
                 'aud'.\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the reason names Graph, under another number",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000001;reason=\"The audience claim value is invalid \
                 'https://graph.microsoft.com'.\";error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "nothing shows what it is for",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid \
                 'aud'.\";error_category=\"invalid_resource\"",
            )],
        ),
        Example::fires(
            "no reason is given, and the token is for Graph",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "the token is for another name of Exchange",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\n\
                 Authorization: Bearer {jwt aud=https://autodiscover.contoso.com/}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
                 'https://autodiscover.contoso.com' is invalid\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "only the scheme differs",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is invalid. \
                 Expected 'https://mail.contoso.com'. Actual \
                 'http://mail.contoso.com'.\";error_category=\"invalid_resource\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "Exchange gives another reason",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000000;reason=\"The token has an invalid \
                 signature.\";error_category=\"invalid_signature\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the token is for Exchange Online by another of its names",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: AM0PR02CA0099\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
    ];
}
