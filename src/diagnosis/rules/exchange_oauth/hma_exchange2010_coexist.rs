//! The user's mailbox, or the server that answers, is Exchange 2010 or older, which no token opens.
//!
//! Not to be confused with a user whom Exchange does not know (`user-not-in-directory`, the same number), or with a
//! 2013 or 2016 server that only lacks an update (`hma-server-version`).

use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-exchange2010-coexist",
    title: Text {
        en: "The mailbox is on an Exchange version without OAuth",
        ja: "メールボックスが OAuth 非対応の Exchange 上にある",
    },
    explanation: Text {
        en: "{host} takes part in modern authentication, but this mailbox lies on Exchange 2010 or older. The newer \
             server refuses to hand a request with a token on to it, and the user cannot open the mailbox at all: \
             discovery is anonymous, so Exchange learns only after the sign-in where the mailbox is.",
        ja: "{host} は先進認証に対応していますが、このメールボックスは Exchange 2010 以前のサーバーにあります。新し\
             いサーバーはトークン付きの要求を古いサーバーに転送しないため、ユーザーはメールボックスを開けません。最\
             初の検出は匿名で行われるので、メールボックスの場所が分かるのはサインインの後になります。",
    },
    remedy: Text {
        en: "Find what is left of the old version, move the mailboxes and remove the servers before modern \
             authentication is switched on:\n\
             Get-ExchangeServer | Format-Table Name,AdminDisplayVersion,ServerRole\n\
             Get-Mailbox -ResultSize Unlimited | Where-Object { $_.AdminDisplayVersion -like 'Version 14.*' } | \
             Format-Table Name,Database,AdminDisplayVersion\n\
             Until then switch it off again:\n\
             Set-OrganizationConfig -OAuth2ClientProfileEnabled $false",
        ja: "古いバージョンが残っていないか確認し、先進認証を有効にする前にメールボックスを移動してサーバーを撤去し\
             ます。\n\
             Get-ExchangeServer | Format-Table Name,AdminDisplayVersion,ServerRole\n\
             Get-Mailbox -ResultSize Unlimited | Where-Object { $_.AdminDisplayVersion -like 'Version 14.*' } | \
             Format-Table Name,Database,AdminDisplayVersion\n\
             それまでの間は無効に戻します。\n\
             Set-OrganizationConfig -OAuth2ClientProfileEnabled $false",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview",
        "https://learn.microsoft.com/en-us/exchange/new-features/build-numbers-and-release-dates",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN).or(Signs::EMPTY_BEARER)),
    supersedes: &["hma-no-authorization-uri", "vdir-oauth-disabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let told = case.token_fault().is_some_and(|(fault, _)| fault == TokenFault::MailboxVersion);
    let (certainty, evidence) = if told {
        (Certainty::Certain, case.evidence_header("x-ms-diagnostics"))
    } else {
        let (_, evidence) = Build::of(case).filter(|(build, _)| build.is_2010_or_older())?;
        let by_token = case.asks_for_oauth() || case.bearer().is_some();
        (by_token.then_some(Certainty::Likely)?, evidence)
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user()).naming("host", case.host_name());
    let hit = hit.because(evidence);
    let target = case.response_header("x-calculatedbetarget").map(|_| case.evidence_header("x-calculatedbetarget"));
    Some(target.into_iter().fold(hit, Hit::because))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the mailbox version takes no token",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-CalculatedBETarget: old.contoso.com\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user's mailbox version is not supported for access \
                 using OAuth.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "an Exchange 2010 answers a client that asks for OAuth",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://legacy.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/7.5\n\
                 X-OWA-VERSION: 14.3.513.0\n\
                 WWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "the user does not exist",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token \
                 does not exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "an Exchange 2010 is used without OAuth",
            &[Raw::new(
                "POST https://legacy.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Server: Microsoft-IIS/7.5\n\
                 X-OWA-Version: 14.3.513.0\n\
                 WWW-Authenticate: Negotiate",
            )],
        ),
    ];
}
