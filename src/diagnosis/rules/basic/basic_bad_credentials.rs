//! Basic credentials refused by an Exchange server of one's own.
//!
//! Not to be confused with Exchange Online (`basic-retired-exo`), with servers that are not Exchange
//! (`generic-bad-credentials`), or with a server that does not offer Basic.

use crate::diagnosis::decode::migration_line::{Teller, told};
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Clean, Credential, Password, User};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "basic-bad-credentials",
    title: Text {
        en: "Exchange refuses the user name or password", ja: "Exchange がユーザー名またはパスワードを拒否"
    },
    explanation: Text {
        en: "The request carried a user name and password, and Exchange asked for them again. Usual reasons: a \
             mistyped or changed password, the wrong form of the name (UPN, DOMAIN\\user, or bare), a locked, \
             disabled or expired account, blanks copied along, or letters beyond ASCII in an encoding that the \
             server does not expect.",
        ja: "要求にはユーザー名とパスワードが含まれていましたが、Exchange が再度要求しました。よくある理由は、パスワ\
             ードの誤りまたは変更、ユーザー名の形式 (UPN、DOMAIN\\user、ユーザー名のみ) の誤り、アカウントのロック\
             ・無効・期限切れ、コピー時に混入した空白、サーバーが想定しない文字コードの非 ASCII 文字です。",
    },
    remedy: Text {
        en: "Check the name for {user} in the other form (UPN instead of DOMAIN\\user, or the reverse). On a \
             domain controller and on the Exchange server look for event 4625 and its sub status: 0xC000006A wrong \
             password, 0xC0000064 unknown user, 0xC0000234 locked, 0xC0000071 password expired, 0xC0000072 \
             disabled. If the same password works at other times, the server is overloaded instead.",
        ja: "{user} の名前を別の形式 (DOMAIN\\user の代わりに UPN、またはその逆) で試してください。ドメイン コント\
             ローラーと Exchange サーバーでイベント 4625 のサブ ステータスを確認します: 0xC000006A はパスワードの誤\
             り、0xC0000064 は不明なユーザー、0xC0000234 はロック、0xC0000071 はパスワードの期限切れ、0xC0000072 は\
             無効なアカウント。同じパスワードで成功するときもあるなら、サーバーの過負荷が疑われます。",
    },
    sources: &[
        "RFC 7617 section 2",
        "https://learn.microsoft.com/windows/security/threat-protection/auditing/event-4625",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::User],
    gate: Gate::status(&[401]).showing(Signs::BASIC.or(Signs::NO_HOST)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.host().is_empty()
        && let Some(hit) = told_by_analyzer(case)
    {
        return Some(hit);
    }
    let Sent::Credential(Credential::Basic { user, password }) = case.authorization() else { return None };
    let offered = case.challenges().is_empty() || case.challenge("basic").is_some();
    if !offered || !is_own_exchange(case) || case.diagnostics().is_some() {
        return None;
    }
    let hit = Hit::failure(Certainty::Likely, Actor::User).on(case.on_user());
    let hit = hit.because(case.evidence_request("authorization")).because(case.evidence_schemes());
    let hit = slips(user, *password)
        .fold(hit, |hit, slip| hit.because(case.evidence(Place::RequestHeader("authorization"), slip)));
    let hit = match refused_before(case, *password) {
        0 => hit,
        times => {
            let text = Clean::concat(["the same password was refused before, times: ".into(), times.into()]);
            hit.because(case.evidence(Place::RequestHeader("authorization"), text))
        }
    };
    let hit = hit.naming("user", case.user().cloned());
    Some(match password {
        Password::Set { label, .. } => hit.until(Next::SameCredential(*label)),
        Password::Missing | Password::Empty => hit,
    })
}

/// What is odd about the credentials themselves.
fn slips(user: &User, password: Password) -> impl Iterator<Item = &'static str> {
    let (padded, non_ascii) = match password {
        Password::Set { padded, non_ascii, .. } => (padded, non_ascii),
        Password::Missing | Password::Empty => (false, false),
    };
    [
        (*user == User::Empty, "the user name is empty"),
        (matches!(user, User::Bare(_)), "the user name has no domain"),
        (password == Password::Missing, "there is no colon, so no password"),
        (password == Password::Empty, "the password is empty"),
        (padded, "the password begins or ends with a blank"),
        (non_ascii, "the password has letters beyond ASCII: UTF-8 or Latin-1 is the server's guess"),
    ]
    .into_iter()
    .filter_map(|(is, words)| is.then_some(words))
}

/// How often the server refused this password before.
fn refused_before(case: &Case<'_>, password: Password) -> u32 {
    match password {
        Password::Set { label, .. } => case.past().record(case.host(), label).refused,
        Password::Missing | Password::Empty => 0,
    }
}

/// The analyzer's words about ActiveSync alone: what its test stands for, and what else comes to the same.
fn told_by_analyzer(case: &Case<'_>) -> Option<Hit> {
    let line = told(case).filter(|line| line.teller == Teller::Analyzer)?;
    let hit = Hit::failure(Certainty::Possible, Actor::User).because(case.evidence_body(line.line));
    Some(hit.or("basic-bad-credentials").or("eas-upn-required").or("eas-2003-backend-iwa"))
}

/// Exchange by its answer; or a path that nothing but Exchange has, on a server that does not say it is another.
fn is_own_exchange(case: &Case<'_>) -> bool {
    let path = case.directory().is_some_and(|directory| {
        !matches!(directory, Directory::Autodiscover | Directory::Api | Directory::Rpc | Directory::PowerShell)
    });
    !case.is_exchange_online() && (case.is_exchange() || (path && case.response_header("server").is_none()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "ActiveSync refuses a password",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\nAuthorization: Basic {basic \
                 avery:secret}",
                "401\nServer: Microsoft-IIS/8.5\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::fires(
            "Outlook Anywhere refuses a password",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01.contoso.com:6001\n\
                 Authorization: Basic {basic avery:secret}",
                "401\nServer: Microsoft-IIS/7.5\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::fires(
            "the connectivity analyzer was refused by ActiveSync",
            (Kind::Failure, Certainty::Possible, Actor::User),
            &[Raw::pasted("An HTTP 401 Unauthorized response was received from the remote IIS server.")],
        ),
        Example::silent(
            "a Remote Desktop gateway refuses a password",
            &[Raw::new(
                "RPC_IN_DATA https://rdg.contoso.com/rpc/rpcproxy.dll?localhost:3388\n\
                 Authorization: Basic {basic avery:secret}",
                "401\nServer: Microsoft-IIS/10.0\nWWW-Authenticate: Basic realm=\"rdg.contoso.com\"",
            )],
        ),
        Example::silent(
            "the server is no Exchange",
            &[Raw::new(
                "GET https://jenkins.fabrikam.com/job/exchange-sync/\nAuthorization: Basic {basic avery:secret}",
                "401\nServer: Jetty(12.0.9)\nWWW-Authenticate: Basic realm=\"Jenkins\"",
            )],
        ),
        Example::silent(
            "the server does not offer Basic",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
