//! Exchange Online refuses a password because the account has multi-factor authentication.
//!
//! Not to be confused with the same status for OAuth (`oauth-not-enabled-for-client`, which says so in x-ms-diagnostics),
//! with a blocked Basic (`basic-retired-exo`), and with MFA asked for by the issuer of tokens (`aad-mfa-required`).

use crate::diagnosis::decode::LiveId;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "basic-app-password-required",
    title: Text {
        en: "The account has multi-factor authentication: a password alone is refused",
        ja: "多要素認証のアカウントのため、パスワードだけの認証を拒否",
    },
    explanation: Text {
        en: "Exchange Online checked the user name and password sent by Basic and found that the account needs \
             multi-factor authentication (AppPasswordRequired, mostly with status 456). Basic knows no second factor. \
             App passwords, which older articles name as the cure, no longer help: Basic itself is gone there.",
        ja: "Exchange Online は、基本認証で送られたユーザー名とパスワードを確認し、アカウントに多要素認証が必要だと判断\
             しました (AppPasswordRequired、多くは状態コード 456)。基本認証には 2 つ目の要素がありません。古い記事が対\
             処法とするアプリ パスワードも、基本認証そのものが廃止されたため使えません。",
    },
    remedy: Text {
        en: "Use modern authentication. Interactive programs: a version that signs in through the browser. Unattended \
             tools: an app registration with application permissions (full_access_as_app with admin consent, limited \
             by RBAC for Applications), not a user's password. In MigrationWiz set ModernAuthClientIdImport and \
             ModernAuthTenantIdImport, or ...Export for the source.",
        ja: "先進認証を使ってください。対話型のプログラムは、ブラウザーでサインインするバージョンにします。無人のツール\
             は、ユーザーのパスワードではなく、アプリケーションのアクセス許可を持つアプリ登録 (full_access_as_app と管理\
             者の同意、RBAC for Applications で範囲を制限) を使います。MigrationWiz では ModernAuthClientIdImport と \
             ModernAuthTenantIdImport (移行元は ...Export) を設定します。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403, 456]).showing(Signs::EXCHANGE.or(Signs::NO_HOST)),
    supersedes: &["basic-retired-exo", "basic-bad-credentials", "hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    const WORDS: [&str; 3] =
        ["logonfailed-apppasswordrequired", "must use multi-factor authentication", "apppasswordrequired"];
    let said = LiveId::of(case);
    let named = said.as_ref().is_some_and(|said| {
        said.is("AppPasswordRequired")
            || said.has("LogonFailed-AppPasswordRequired")
            || said.has("AS:AppPasswordRequired")
    });
    let body = || {
        let lower = case.response_body().to_ascii_lowercase();
        let word = WORDS.iter().find(|word| lower.contains(**word))?;
        let at = lower.find(word)?;
        case.response_body().get(at..at + word.len())
    };
    let basic = matches!(case.authorization(), Sent::Credential(Credential::Basic { .. }));
    let hit = if named {
        Hit::failure(Certainty::Certain, Actor::Client).because(case.evidence_header("x-autodiscovery-error"))
    } else if let Some(words) = body() {
        Hit::failure(Certainty::Certain, Actor::Client).because(case.evidence_body(words))
    } else if case.status() == Some(456) && basic && said.is_none() && case.diagnostics().is_none() {
        Hit::failure(Certainty::Likely, Actor::Client).because(case.evidence_status())
    } else {
        return None;
    };
    Some(hit.on(case.on_user()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const CERTAIN: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the header says so",
            CERTAIN,
            &[Raw::new(
                "POST https://autodiscover-s.outlook.com/Autodiscover/Autodiscover.xml\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "456\nx-autodiscovery-error: LiveIdBasicAuth:AppPasswordRequired:<UserType:ManagedBusiness>;",
            )],
        ),
        Example::fires(
            "the body says so, to a program that got 401",
            CERTAIN,
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "401\nContent-Type: text/html\n\n<p>You must use multi-factor authentication to access this \
                 mailbox.</p>",
            )],
        ),
        Example::fires(
            "the status alone",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "OPTIONS https://outlook.office365.com/Microsoft-Server-ActiveSync\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "456",
            )],
        ),
        Example::silent(
            "456 because OAuth is not on",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "456\nx-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"",
            )],
        ),
        Example::silent(
            "Basic is blocked",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "401\nX-AutoDiscovery-Error: LiveIdBasicAuth:BasicAuthBlocked:<UserType:ManagedBusiness>;",
            )],
        ),
    ];
}
