//! A bare 403 of Exchange Online on EWS: among its reasons is a mailbox that nobody has ever opened.
//!
//! Not to be confused with a 403 that says why (`ews-disabled`, `ews-app-blocked`, x-ms-diagnostics, an error in the
//! body), with calls of Exchange servers (`hybrid-shared-sp-blocked`), or with a token whose permissions do not cover EWS.

use crate::diagnosis::person::upn_of;
use crate::diagnosis::token::is_from_server;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::redact::{Credential, Jwt};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ews-403-mailbox-not-initialised",
    title: Text {
        en: "EWS answers 403: perhaps the mailbox was never opened",
        ja: "EWS の 403: メールボックスが一度も開かれていない可能性",
    },
    explanation: Text {
        en: "Exchange Online answers 403 and gives no reason. With the account of a service that was just created or \
             migrated the mailbox may have no licence yet, or nobody has chosen its language and time zone, which \
             happens at the first sign-in to Outlook on the web. A policy against EWS would have said so in \
             X-EWS-Policy-Reason.",
        ja: "Exchange Online が理由を示さずに 403 を返しています。作成または移行した直後のサービス アカウントでは、ライ\
             センスがまだないか、Outlook on the web への初回サインインで設定される言語とタイム ゾーンが未設定である可能\
             性があります。EWS のポリシーが原因であれば X-EWS-Policy-Reason に示されます。",
    },
    remedy: Text {
        en: "Check licence and language; then sign in once to Outlook on the web as this account:\n\
             Get-Mailbox -Identity '{user}' | Format-List Languages,SKUAssigned,WhenMailboxCreated\n\
             Set-MailboxRegionalConfiguration -Identity '{user}' -Language en-US -TimeZone UTC\n\
             If that is in order, look at the token: its permissions must cover EWS (EWS.AccessAsUser.All or \
             full_access_as_app), and at the settings:\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-CASMailbox -Identity '{user}' | Format-List EwsEnabled",
        ja: "ライセンスと言語を確認し、このアカウントで Outlook on the web に一度サインインします。\n\
             Get-Mailbox -Identity '{user}' | Format-List Languages,SKUAssigned,WhenMailboxCreated\n\
             Set-MailboxRegionalConfiguration -Identity '{user}' -Language en-US -TimeZone UTC\n\
             問題がなければ、トークンのアクセス許可が EWS を含むか (EWS.AccessAsUser.All または full_access_as_app)、設定\
             が正しいかを確認します。\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-CASMailbox -Identity '{user}' | Format-List EwsEnabled",
    },
    sources: &["https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailboxregionalconfiguration"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[403]).showing(Signs::EWS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let silent = case.lacks_response_header("x-ews-policy-reason") && case.lacks_response_header("x-ms-diagnostics");
    let refused = case.status() == Some(403) && case.directory() == Some(Directory::Ews) && case.is_exchange_online();
    if !refused || !silent || says_why(case) || is_from_server(case) {
        return None;
    }
    let jwt = match case.authorization() {
        Sent::Credential(Credential::Bearer(_)) => case.jwt(),
        Sent::Credential(Credential::Empty) | Sent::Absent => return None,
        Sent::Credential(_) | Sent::Unseen => None,
    };
    // A token for something else, or an add-in's, is refused for what it is.
    if jwt.is_some_and(|jwt| !covers_ews(jwt) || is_add_in(jwt)) {
        return None;
    }
    // Where the same host serves others, app and permissions are right, and this mailbox is not.
    let other = case.past().accepted(case.host()).iter().find(|accepted| {
        accepted.scheme == "bearer"
            && case.user().is_some()
            && accepted.user.is_some()
            && accepted.user.as_ref() != case.user()
    });
    let certainty = if other.is_some() { Certainty::Likely } else { Certainty::Possible };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user());
    let hit = hit.because(case.evidence_status()).because(case.evidence_header("x-ews-policy-reason"));
    let served = other.map(|other| Evidence {
        exchange: other.exchange,
        place: Place::RequestHeader("authorization"),
        text: other.user.clone().unwrap_or_else(|| "".into()),
    });
    let hit = served.into_iter().fold(hit, Hit::because).naming("user", case.user().map(upn_of));
    Some(hit.or("token-scope-insufficient"))
}

/// An error of its own stands in the body.
fn says_why(case: &Case<'_>) -> bool {
    case.soap().is_some_and(|soap| !soap.errors.is_empty())
        || case.rest_error().is_some()
        || case.response_body().to_ascii_lowercase().contains("<html")
}

/// Whether the permissions in the token open EWS, as far as they are known.
fn covers_ews(jwt: &Jwt) -> bool {
    let listed = [&jwt.scp, &jwt.roles];
    let mut names = listed.into_iter().flatten().flat_map(|list| list.as_str().split_whitespace()).peekable();
    names.peek().is_none()
        || names.any(|name| {
            ["ews.accessasuser.all", "full_access_as_app", "full_access_as_user"]
                .contains(&name.to_ascii_lowercase().as_str())
        })
}

/// A token that Exchange itself made for an Outlook add-in.
fn is_add_in(jwt: &Jwt) -> bool {
    jwt.iss.as_ref().is_some_and(|issuer| issuer.as_str().starts_with("00000002-0000-0ff1-ce00-000000000000@"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::ExchangeAdmin)
    }

    const BARE: &str = "403\nServer: Microsoft-IIS/10.0\nX-FEServer: AM9P195CA0011\nX-BackEndHttpStatus: 403,403";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a new service account is refused without a reason",
            found(Certainty::Possible),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
                 scp=EWS.AccessAsUser.All upn=newsvc@contoso.com}",
                BARE,
            )],
        ),
        Example::fires(
            "another user is served on the same host",
            found(Certainty::Likely),
            &[
                Raw::new(
                    "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
                     scp=EWS.AccessAsUser.All upn=avery@contoso.com}",
                    "200",
                ),
                Raw::new(
                    "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
                     scp=EWS.AccessAsUser.All upn=newsvc@contoso.com}",
                    BARE,
                ),
            ],
        ),
        Example::silent(
            "the policy says why",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt scp=EWS.AccessAsUser.All}",
                "403\nX-EWS-Policy-Reason: EWS is disabled for this user or tenant",
            )],
        ),
        Example::silent(
            "an Exchange server calls",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nUser-Agent: ASProxy/CrossForest/EmailDomain//15.02\n\
                 Authorization: Bearer {jwt appid=00000002-0000-0ff1-ce00-000000000000}",
                BARE,
            )],
        ),
        Example::silent(
            "the permissions do not cover EWS",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt scp=Mail.Read}",
                BARE,
            )],
        ),
        Example::silent(
            "a server of one's own refuses",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt scp=EWS.AccessAsUser.All}",
                "403\nX-FEServer: EX01",
            )],
        ),
        Example::silent("lines of the answer were copied, not all", &[Raw::new("", "403\nX-FEServer: AM9P195CA0011")]),
    ];
}
