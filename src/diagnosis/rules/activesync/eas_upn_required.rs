//! An ActiveSync password is refused, and the user name is no UPN: the name may be what is wrong.
//!
//! Possible only: the refusal looks the same as with a wrong password (`basic-bad-credentials`, which stands before it).
//! Not said of Exchange Online, which takes no passwords at all (`basic-retired-exo`).

use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::{Clean, Credential, User};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-upn-required",
    title: Text {
        en: "ActiveSync may want the user name as a UPN",
        ja: "ActiveSync のユーザー名を UPN 形式にする必要がある可能性",
    },
    explanation: Text {
        en: "The user name was sent as {form}. The server may have no default domain for Basic authentication or \
             an alternate one, or a device in front of it may take nothing but user@domain. The same 401 comes for a \
             wrong password, so try that first.",
        ja: "ユーザー名が {form} の形式で送られています。サーバーの基本認証に既定のドメインがない、または別のドメイン\
             になっている、あるいは手前の機器が user@domain の形式しか受け付けないことが考えられます。パスワードの誤り\
             でも同じ 401 になるため、まずパスワードを確認してください。",
    },
    remedy: Text {
        en: "Enter the user name as the full UPN, user@domain, on the device. See what the server expects:\n\
             Get-ActiveSyncVirtualDirectory | fl Server,BasicAuthEnabled,*Domain*,*Auth*\n\
             Get-User -Identity '{user}' | fl UserPrincipalName,SamAccountName\n\
             The security log of the server (event 4625) tells a bad name (0xC0000064) from a bad password \
             (0xC000006A).",
        ja: "デバイスのユーザー名を完全な UPN (user@domain) で入力し直します。サーバーの設定は次で確認します。\n\
             Get-ActiveSyncVirtualDirectory | fl Server,BasicAuthEnabled,*Domain*,*Auth*\n\
             Get-User -Identity '{user}' | fl UserPrincipalName,SamAccountName\n\
             サーバーのセキュリティ ログ (イベント 4625) で、ユーザー名の誤り (0xC0000064) とパスワードの誤り \
             (0xC000006A) を区別できます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/troubleshoot/mobile-devices/troubleshoot-activesync-with-exchange-server",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Possible],
    actors: &[Actor::User],
    gate: Gate::status(&[401]).showing(Signs::BASIC),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Sent::Credential(Credential::Basic { user, .. }) = case.authorization() else { return None };
    let form = match user {
        User::DownLevel(_) => r"DOMAIN\user",
        User::Bare(_) => "user",
        User::Upn(_) | User::Empty => return None,
    };
    let asked = case.directory() == Some(Directory::ActiveSync) && case.challenge("basic").is_some();
    let own = !case.is_exchange_online() && case.is_exchange();
    (asked && own).then(|| {
        let hit = Hit::failure(Certainty::Possible, Actor::User).on(case.on_user());
        let hit = hit.because(case.evidence_request("authorization")).naming("form", Clean::from(form));
        hit.naming("user", case.user().cloned())
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const REFUSED: &str = "401\nServer: Microsoft-IIS/8.5\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"x\"";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the name has a domain before it",
            (Kind::Failure, Certainty::Possible, Actor::User),
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\n\
                 Authorization: Basic {basic CONTOSO\\avery:secret}",
                REFUSED,
            )],
        ),
        Example::fires(
            "the name stands alone",
            (Kind::Failure, Certainty::Possible, Actor::User),
            &[Raw::new(
                "POST https://mail.contoso.com/microsoft-server-activesync?Cmd=Sync\n\
                 Authorization: basic {basic avery:secret}",
                REFUSED,
            )],
        ),
        Example::silent(
            "the name is a UPN",
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\n\
                 Authorization: Basic {basic avery@contoso.com:secret}",
                REFUSED,
            )],
        ),
        Example::silent(
            "Exchange Online takes no password whatever the name",
            &[Raw::new(
                "OPTIONS https://outlook.office365.com/Microsoft-Server-ActiveSync\n\
                 Authorization: Basic {basic avery:secret}",
                "401\nX-FEServer: AM9P195CA0011\nWWW-Authenticate: Basic realm=\"\"",
            )],
        ),
        Example::silent(
            "another mail server speaks ActiveSync",
            &[Raw::new(
                "OPTIONS https://mail.litware.example/Microsoft-Server-ActiveSync\n\
                 Authorization: Basic {basic avery:secret}",
                "401\nServer: Apache/2.4.62 (Debian)\nWWW-Authenticate: Basic realm=\"ZPush\"",
            )],
        ),
    ];
}
