//! NTLM goes round in circles: refused again and again for the same person, or begun anew before it was finished.
//!
//! Not to be confused with a first refusal (`ntlm-rejected`), with many people who sign in one after the other, and with
//! what explains the loop: Extended Protection, broken connections, version 1.

use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Bound, Case, Certainty, Gate, Hit, Kind, Place, Rule, Signs};
use crate::redact::{Clean, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ntlm-loop",
    title: Text { en: "NTLM goes round in a loop", ja: "NTLM ハンドシェイクの繰り返し" },
    explanation: Text {
        en: "For the third time or more the handshake ends in a refusal, or is begun anew before it ends, and nobody was \
             let in between. The user sees the prompt come back. The client repeats credentials that the server does \
             not take: a stored password that is out of date, an account that is locked (often by this very loop), or \
             an NTLM policy.",
        ja: "ハンドシェイクが 3 回以上拒否で終わったか、途中で最初からやり直されており、その間に一度も成功していません。\
             利用者には資格情報の入力画面が繰り返し表示されます。クライアントは、サーバーが受け付けない資格情報 (古い\
             保存済みパスワード、この繰り返し自体でロックされたアカウント、NTLM の制限ポリシーなど) を送り続けています。",
    },
    remedy: Text {
        en: "Delete the stored credentials of {host} on the client, so that it asks anew:\n\
             cmdkey /list\n\
             cmdkey /delete:<target>\n\
             See whether {user} is locked, and which event 4625 the server writes (0xC000006A wrong password, \
             0xC0000234 locked, 0xC000035B channel binding):\n\
             Get-ADUser -Filter \"UserPrincipalName -eq '{upn}'\" -Properties LockedOut,BadPwdCount,PasswordExpired\n\
             Where TLS is opened on the way, pass the host through and try again:\n\
             authtap --skip-decrypt {host}",
        ja: "クライアントで {host} の保存済み資格情報を削除し、入力し直せるようにします。\n\
             cmdkey /list\n\
             cmdkey /delete:<ターゲット>\n\
             {user} がロックされていないか、サーバーのイベント 4625 のサブ ステータス (0xC000006A はパスワードの誤り、\
             0xC0000234 はロック、0xC000035B はチャネル バインド) を確認します。\n\
             Get-ADUser -Filter \"UserPrincipalName -eq '{upn}'\" -Properties LockedOut,BadPwdCount,PasswordExpired\n\
             途中で TLS が終端されている場合は、ホストを復号せずに通して再試行します。\n\
             authtap --skip-decrypt {host}",
    },
    sources: &[
        "MS-NTHT section 3.1.5",
        "https://learn.microsoft.com/windows/security/threat-protection/auditing/event-4625",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::User, Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS),
    supersedes: &["ntlm-rejected", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// So many rounds are a loop.
const ROUNDS: u32 = 3;

fn find(case: &Case<'_>) -> Option<Hit> {
    let known = case.past().windows(case.host())?;
    let hit = match case.ntlm()? {
        // The challenges of this connection, or this person's refusals on any, this one included.
        NtlmMessage::Authenticate { .. } if !case.goes_on() && Bound::of(case).is_some() => {
            let rounds = known.legs(case.exchange.connection.id).challenges.max(known.person(case.user()).refused + 1);
            (rounds >= ROUNDS).then(|| loops(case, Actor::User, rounds))?.or("ntlm-rejected")
        }
        NtlmMessage::Negotiate { .. } if case.gives_ntlm_challenge() => {
            // Of these challenges in a row, the one just given and the first that went unanswered included.
            let waits = known.waiting_on(case.exchange.connection.id).is_some();
            let given = known.legs(case.exchange.connection.id).unanswered + 2;
            (waits && given >= ROUNDS).then(|| loops(case, Actor::Client, given))?
        }
        _ => return None,
    };
    let hit = hit.on(case.on_user()).naming("host", case.host_name()).naming("user", case.user().cloned());
    Some(hit.naming("upn", case.user().map(upn_of)))
}

fn loops(case: &Case<'_>, actor: Actor, rounds: u32) -> Hit {
    let text = Clean::concat(["round ".into(), rounds.into()]);
    Hit::failure(Certainty::Likely, actor)
        .because(case.evidence_request("authorization"))
        .because(case.evidence(Place::ConnectionClient, text))
        .because(case.evidence_schemes())
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const TYPE1: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
        "401\nWWW-Authenticate: NTLM {ntlm2}",
    );
    const REFUSED: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
        "401\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );
    const LET_IN: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
        "200 OK\nPersistent-Auth: true",
    );
    const BLAKE: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound blake}",
        "401\nWWW-Authenticate: NTLM",
    );
    const USER: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::User);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("the third refusal on one connection", USER, &[TYPE1, REFUSED, TYPE1, REFUSED, TYPE1, REFUSED]),
        Example::fires(
            "the third refusal of one person, each on its own connection",
            USER,
            &[TYPE1, REFUSED, TYPE1.on(2), REFUSED.on(2), TYPE1.on(3), REFUSED.on(3)],
        ),
        Example::fires(
            "the client begins anew at every challenge",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[TYPE1, TYPE1, TYPE1],
        ),
        Example::silent("the second refusal", &[TYPE1, REFUSED, TYPE1, REFUSED]),
        Example::silent("the client begins anew once", &[TYPE1, TYPE1]),
        Example::silent(
            "somebody was let in between",
            &[TYPE1, REFUSED, TYPE1, REFUSED, TYPE1, LET_IN, TYPE1.on(2), REFUSED.on(2)],
        ),
        Example::silent(
            "different people are refused",
            &[TYPE1, REFUSED, TYPE1.on(2), BLAKE.on(2), TYPE1.on(3), BLAKE.on(3)],
        ),
    ];
}
