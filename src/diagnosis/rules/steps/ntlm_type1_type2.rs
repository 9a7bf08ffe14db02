//! The second leg of NTLM: the server answers a NEGOTIATE message with a CHALLENGE.
//!
//! Not to be confused with a bare `NTLM` after an AUTHENTICATE message, which is a refusal (`ntlm-rejected`), and not
//! with the same messages inside the scheme Negotiate (`negotiate-continue`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::redact::{Credential, Ntlm, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ntlm-type1-type2",
    title: Text {
        en: "NTLM: challenge to the first message", ja: "NTLM: 1 番目のメッセージへのチャレンジ"
    },
    explanation: Text {
        en: "NTLM takes three messages on one TCP connection. The client sent the first, and this 401 carries the \
             second, the server's challenge. The client answers it with the third on the same connection.",
        ja: "NTLM は 1 本の TCP 接続の上で 3 つのメッセージを交わします。クライアントが 1 番目を送り、この 401 が 2 番目、\
             つまりサーバーのチャレンジを運んでいます。クライアントは同じ接続で 3 番目を返します。",
    },
    remedy: Text {
        en: "Nothing to do. If the third message never follows, look at what the client does with this connection.",
        ja: "対処は不要です。3 番目のメッセージが続かない場合は、クライアントがこの接続をどう扱ったかを確認してくだ\
             さい。",
    },
    sources: &["MS-NLMP section 3.1.5.1", "MS-NTHT section 3.2.5", "RFC 4559 section 4"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS.or(Signs::UNSEEN_CREDENTIALS).or(Signs::ANONYMOUS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let challenged = case.challenges().iter().any(|challenge| match challenge.credential {
        Some(Credential::Ntlm(Ntlm::Message(message))) => matches!(**message, NtlmMessage::Challenge { .. }),
        // In a folded line the token's facts are not known, but a token it is.
        _ => challenge.is("ntlm") && challenge.token.is_some(),
    });
    let begun = match case.authorization() {
        Sent::Credential(Credential::Ntlm(Ntlm::Message(message))) => {
            matches!(**message, NtlmMessage::Negotiate { .. })
        }
        // A challenge proves that a first message went before it; many tools leave Authorization out of what they write.
        Sent::Unseen | Sent::Absent => true,
        Sent::Credential(_) => false,
    };
    let hit = || Hit::step().on(case.on_server()).because(case.evidence_challenge("ntlm")).until(Next::SameConnection);
    (challenged && begun).then(hit)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a type 2 message answers type 1",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
                "401 Unauthorized\nWWW-Authenticate: NTLM {ntlm2}",
            )],
        ),
        Example::fires(
            "a proxy folded the challenges into one line",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
                "401\nWWW-Authenticate: Negotiate, NTLM {ntlm2}, Basic realm=\"x\"",
            )],
        ),
        Example::fires("only the answer was captured", STEP, &[Raw::new("", "401\nwww-authenticate: ntlm {ntlm2}")]),
        Example::fires(
            "the tool left Authorization out",
            STEP,
            &[Raw::new("GET https://mail.contoso.com/owa/\nAccept: */*", "401\nWWW-Authenticate: NTLM {ntlm2}")],
        ),
        Example::silent(
            "type 3 is refused",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
                "401 Unauthorized\nWWW-Authenticate: NTLM\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "the server answers type 1 without a challenge",
            &[Raw::new(
                "GET https://mail.contoso.com/owa/\nAuthorization: NTLM {ntlm1}",
                "401 Unauthorized\nWWW-Authenticate: NTLM",
            )],
        ),
    ];
}
