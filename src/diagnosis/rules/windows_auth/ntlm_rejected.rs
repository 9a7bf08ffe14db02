//! The third NTLM message is answered with 401 and no new challenge: the server refused the logon.
//!
//! Not to be confused with a 401 that carries a challenge, which is a step, and with Extended Protection, which refuses a
//! right password because of the certificate that the client saw.

use crate::diagnosis::{Actor, Bound, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::NtlmMessage;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ntlm-rejected",
    title: Text { en: "NTLM: the server refuses the logon", ja: "NTLM: サーバーがログオンを拒否" },
    explanation: Text {
        en: "The client finished the handshake with its third message, and the server refused it. Usual reasons: \
             wrong password or domain, a locked, disabled or expired account, clocks that differ, NTLM restricted \
             by policy (LmCompatibilityLevel, Protected Users, Restrict NTLM), or Extended Protection, where TLS is \
             opened on the way, as by this proxy. A message without a user name comes from a program that runs \
             without an account of its own.",
        ja: "クライアントは 3 番目のメッセージでハンドシェイクを終えましたが、サーバーが拒否しました。よくある理由\
             は、パスワードまたはドメインの誤り、アカウントのロック・無効・期限切れ、時刻のずれ、ポリシーによる \
             NTLM の制限 (LmCompatibilityLevel、Protected Users、NTLM の制限)、そしてこのプロキシのように途中で TLS \
             が終端される場合の拡張保護です。ユーザー名のないメッセージは、アカウントを持たずに動いているプログラムか\
             ら送られたものです。",
    },
    remedy: Text {
        en: "On the server that answered look for event 4625 and its sub status: 0xC000006A wrong password, \
             0xC0000064 unknown user, 0xC0000234 locked, 0xC0000133 clock skew, 0xC000035B channel binding \
             (Extended Protection). To exclude this proxy as the cause, let the host pass undecrypted and try \
             again:\nauthtap --skip-decrypt {host}",
        ja: "応答したサーバーでイベント 4625 のサブ ステータスを確認します: 0xC000006A はパスワードの誤り、\
             0xC0000064 は不明なユーザー、0xC0000234 はロック、0xC0000133 は時刻のずれ、0xC000035B はチャネル バイン\
             ド (拡張保護)。このプロキシが原因でないことを確かめるには、ホストを復号せずに通して再試行します:\n\
             authtap --skip-decrypt {host}",
    },
    sources: &[
        "MS-NLMP section 3.1.5.1",
        "MS-NTHT section 3.2.5",
        "https://learn.microsoft.com/windows/security/threat-protection/auditing/event-4625",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::User, Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let message = case.ntlm().filter(|_| case.status() == Some(401) && !case.goes_on())?;
    let NtlmMessage::Authenticate { .. } = message else { return None };
    let actor = if message.is_anonymous() { Actor::Client } else { Actor::User };
    let hit = Hit::failure(Certainty::Likely, actor).on(case.on_user());
    let hit = hit.because(case.evidence_request("authorization")).because(case.evidence_schemes());
    let hit = hit.naming("user", case.user().cloned()).naming("host", case.host_name());
    let known = case.past().windows(case.host());
    Some(match Bound::of(case) {
        // A binding that is known to be taken there is none of the reasons.
        Some(Bound::Foreign) if known.is_some_and(|known| known.took_foreign(case).is_some()) => hit,
        Some(Bound::Right | Bound::Somehow) if known.is_some_and(|known| known.took_bound(case).is_some()) => hit,
        Some(Bound::Foreign | Bound::Somehow) => hit.or("ep-channel-binding"),
        Some(Bound::Right) => hit.or("ep-channel-binding-network"),
        _ => hit,
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the third message is refused",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "the same inside Negotiate",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::fires(
            "SPNEGO says in so many bytes that it refuses",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "GET https://mail.contoso.com/owa/\nAuthorization: Negotiate {ntlm3 avery}",
                // NegTokenResp with negState reject.
                "401\nWWW-Authenticate: Negotiate oQcwBaADCgEC",
            )],
        ),
        Example::silent(
            "the first message is answered",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
                "401\nWWW-Authenticate: NTLM {ntlm2}",
            )],
        ),
    ];
}
