//! A leg of Negotiate (Kerberos, or NTLM inside SPNEGO) that the server answers with a token of its own.
//!
//! Not to be confused with a bare `Negotiate` in answer to a token, which is a refusal.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Credential, Negotiate};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "negotiate-continue",
    title: Text { en: "Negotiate: the handshake goes on", ja: "Negotiate: ハンドシェイクの継続" },
    explanation: Text {
        en: "The 401 carries a token in the Negotiate scheme: the server wants another message. With NTLM inside \
             Negotiate this is the challenge; with Kerberos it is rare, since one ticket is enough. The client \
             answers on the same TCP connection.",
        ja: "401 が Negotiate 方式のトークンを運んでおり、サーバーは次のメッセージを求めています。Negotiate の中の \
             NTLM ではこれがチャレンジです。Kerberos ではチケット 1 つで足りるため、まれです。クライアントは同じ \
             TCP 接続で応答します。",
    },
    remedy: Text {
        en: "Nothing to do. If Kerberos was expected and NTLM is used, check the SPN HTTP/{host} and the client's \
             Local intranet zone.",
        ja: "対処は不要です。Kerberos を想定しているのに NTLM が使われている場合は、SPN HTTP/{host} とクライアントの\
             ローカル イントラネット ゾーンを確認してください。",
    },
    sources: &["RFC 4559 section 5", "MS-SPNG section 3.1.5"],
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
    let sent = match case.authorization() {
        Sent::Credential(Credential::Negotiate(sent)) => *sent != Negotiate::Empty,
        // A token answers a token, whatever a tool left out of what it wrote.
        Sent::Unseen | Sent::Absent => true,
        Sent::Credential(_) => false,
    };
    let reply = case.challenges().iter().find(|challenge| challenge.is("negotiate") && challenge.goes_on())?;
    sent.then(|| {
        Hit::step()
            .on(case.on_server())
            .because(case.evidence(Place::ResponseHeader("www-authenticate"), reply.text()))
            .naming("host", case.host_name())
            .until(Next::SameConnection)
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "NTLM messages travel inside Negotiate",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {ntlm1}",
                "401\nWWW-Authenticate: Negotiate {ntlm2}",
            )],
        ),
        Example::fires(
            "the tool left Authorization out",
            STEP,
            &[Raw::new("GET https://mail.contoso.com/owa/\nAccept: */*", "401\nWWW-Authenticate: Negotiate {ntlm2}")],
        ),
        Example::silent(
            "the token is refused",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "SPNEGO says in so many bytes that it refuses",
            &[Raw::new(
                "GET https://mail.contoso.com/owa/\nAuthorization: Negotiate {ntlm3 avery}",
                // NegTokenResp with negState reject.
                "401\nWWW-Authenticate: Negotiate oQcwBaADCgEC",
            )],
        ),
        Example::silent(
            "the server only offers the scheme",
            &[Raw::new("GET https://mail.contoso.com/owa/", "401\nWWW-Authenticate: Negotiate")],
        ),
    ];
}
