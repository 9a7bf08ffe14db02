//! The server is an Exchange 2013 or 2016 too old for hybrid modern authentication.
//!
//! Not to be confused with a server that could and is not set up for it (`hma-no-authorization-uri`,
//! `vdir-oauth-disabled`), or with Exchange 2010 (`hma-exchange2010-coexist`).

use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-server-version",
    title: Text {
        en: "This Exchange build is too old for modern authentication",
        ja: "この Exchange のビルドは先進認証に対応していない",
    },
    explanation: Text {
        en: "{server} runs build {build}. Hybrid modern authentication begins with Exchange 2013 CU19 (15.0.1365) \
             and Exchange 2016 CU8 (15.1.1415). An older server among newer ones breaks every connection that the \
             load balancer sends to it.",
        ja: "{server} のビルドは {build} です。ハイブリッド先進認証に対応するのは Exchange 2013 CU19 (15.0.1365) と \
             Exchange 2016 CU8 (15.1.1415) からです。新しいサーバーの中に古いサーバーが 1 台でもあると、そのサーバー\
             に振り分けられた接続はすべて失敗します。",
    },
    remedy: Text {
        en: "List the builds of all servers, and bring every one to the same, supported level:\n\
             Get-ExchangeServer | Sort-Object AdminDisplayVersion | Format-Table Name,AdminDisplayVersion,ServerRole\n\
             Exchange 2013, 2016 and 2019 are out of support; the way ahead is Exchange Server Subscription Edition. \
             Until then take {server} out of the load balancer.",
        ja: "すべてのサーバーのビルドを確認し、サポートされる同じレベルに揃えます。\n\
             Get-ExchangeServer | Sort-Object AdminDisplayVersion | Format-Table Name,AdminDisplayVersion,ServerRole\n\
             Exchange 2013、2016、2019 のサポートは終了しています。移行先は Exchange Server Subscription Edition で\
             す。それまでの間、{server} をロード バランサーから外してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview",
        "https://learn.microsoft.com/en-us/exchange/new-features/build-numbers-and-release-dates",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::EMPTY_BEARER),
    supersedes: &["hma-no-authorization-uri", "vdir-oauth-disabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (_, evidence) = Build::of(case).filter(|(build, _)| build.before_hybrid_modern_authentication())?;
    let named = case.challenges().iter().any(|challenge| challenge.param("authorization_uri").is_some());
    if !case.asks_for_oauth() || named {
        return None;
    }
    Some(
        Hit::failure(Certainty::Certain, Actor::ExchangeAdmin)
            .on(case.on_server())
            .naming("server", case.server_name().or_else(|| case.host_name()))
            .naming("build", evidence.text.clone())
            .because(evidence)
            .because(case.evidence_challenge("bearer")),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange 2013 CU17 lacks the address",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/8.5\n\
                 X-OWA-Version: 15.0.1320.4\n\
                 X-FEServer: FAB13\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::fires(
            "Exchange 2016 CU7 offers no Bearer, and tells its build in another header",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 authorization: bearer",
                "401\n\
                 server: Microsoft-IIS/10.0\n\
                 x-serverapplication: Exchange/15.01.1261.035\n\
                 www-authenticate: Negotiate, NTLM",
            )],
        ),
        Example::silent(
            "Exchange 2013 CU19 lacks the address",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.0.1365.1\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::silent(
            "an old build in front hands the address on",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.0.1320.4\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "nobody asked for OAuth",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.0.1320.4\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
    ];
}
