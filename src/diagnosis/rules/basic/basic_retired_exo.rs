//! A user name and password sent to Exchange Online, which takes neither any more.
//!
//! Not to be confused with a wrong password on a server of one's own. A `Basic Realm=""` in the answer proves nothing: it
//! is still advertised.

use crate::diagnosis::decode::LiveId;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "basic-retired-exo",
    title: Text {
        en: "Basic authentication to Exchange Online no longer exists",
        ja: "Exchange Online の基本認証は廃止済み",
    },
    explanation: Text {
        en: "The client sent a user name and password to Exchange Online. Basic authentication was switched off \
             there for all tenants between October 2022 and January 2023, for EWS, ActiveSync, MAPI, RPC, OAB, POP, \
             IMAP and remote PowerShell. The password is not even checked. That the answer still offers Basic means \
             nothing. Authentication policies with AllowBasicAuth switches, which older articles name as the cure, \
             no longer have any effect.",
        ja: "クライアントが Exchange Online にユーザー名とパスワードを送りました。EWS、ActiveSync、MAPI、RPC、OAB、\
             POP、IMAP、リモート PowerShell の基本認証は、2022 年 10 月から 2023 年 1 月にかけて全テナントで無効化さ\
             れており、パスワードは検証すらされません。応答に Basic が残っていても意味はありません。古い記事が対処法\
             とする AllowBasicAuth の認証ポリシーは、もう効果がありません。",
    },
    remedy: Text {
        en: "Use OAuth. A migration tool needs an app registration in the tenant: app-only with full_access_as_app, \
             or delegated EWS.AccessAsUser.All, with admin consent. In MigrationWiz set ModernAuthClientIdImport \
             and ModernAuthTenantIdImport (destination) or ModernAuthClientIdExport and ModernAuthTenantIdExport \
             (source). EWS itself ends in Exchange Online on 1 April 2027, and from October 2026 the app id must be \
             in EwsAllowedAppIDs.",
        ja: "OAuth を使ってください。移行ツールにはテナントのアプリ登録が必要です。アプリ専用なら \
             full_access_as_app、委任なら EWS.AccessAsUser.All とし、管理者の同意を与えます。MigrationWiz では、移行\
             先に ModernAuthClientIdImport と ModernAuthTenantIdImport、移行元に ModernAuthClientIdExport と \
             ModernAuthTenantIdExport を設定します。なお Exchange Online の EWS は 2027 年 4 月 1 日に終了し、2026 \
             年 10 月以降はアプリ ID を EwsAllowedAppIDs に含める必要があります。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: Gate::status(&[401, 403, 456]).showing(Signs::BASIC.or(Signs::EXCHANGE)),
    supersedes: &["hs-anonymous-probe", "basic-bad-credentials", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let sent = matches!(case.authorization(), Sent::Credential(Credential::Basic { .. }));
    let told = LiveId::of(case);
    let blocked = told.as_ref().is_some_and(|said| said.is("BasicAuthBlocked"));
    // Of Basic credentials alone is anything told there, though the tool left them out.
    if !(blocked || ((sent || told.is_some()) && case.is_exchange_online() && case.status() == Some(401))) {
        return None;
    }
    let office = case.request_header("user-agent").is_some_and(|agent| {
        ["Microsoft Office", "Outlook", "Apple-", "Android"].iter().any(|name| agent.as_str().contains(name))
    });
    let tool = case.directory() == Some(Directory::Ews) && !office;
    let hit = Hit::failure(Certainty::Certain, if tool { Actor::MigrationTool } else { Actor::Client });
    let hit = hit.on(case.on_user());
    let hit = if sent { hit.because(case.evidence_request("authorization")) } else { hit };
    let hit = if told.is_some() { hit.because(case.evidence_header("x-autodiscovery-error")) } else { hit };
    Some(if blocked { hit } else { hit.because(case.evidence_url()) })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a migration tool sends a password to EWS",
            (Kind::Failure, Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nUser-Agent: exchangelib/4.4.0\n\
                 Authorization: Basic {basic avery@contoso.com:secret}",
                "401\nWWW-Authenticate: Basic Realm=\"\"\nX-BackEndHttpStatus: 401, 401",
            )],
        ),
        Example::fires(
            "a phone sends a password to ActiveSync",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "OPTIONS https://outlook.office365.com/Microsoft-Server-ActiveSync\nAuthorization: Basic {basic \
                 avery:secret}",
                "401\nWWW-Authenticate: Basic Realm=\"\"",
            )],
        ),
        Example::silent(
            "the server is one's own",
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\nAuthorization: Basic {basic \
                 avery:secret}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::silent(
            "no credentials were sent",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx",
                "401\nWWW-Authenticate: Basic Realm=\"\"",
            )],
        ),
    ];
}
