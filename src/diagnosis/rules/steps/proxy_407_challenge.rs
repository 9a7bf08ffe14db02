//! A forward proxy between this one and the server, or before it, asks for credentials of its own.
//!
//! Not to be confused with a 407 to credentials that were sent: those are refused, unless the 407 carries a token.

use crate::diagnosis::decode::Challenge;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Place, Rule, Sent};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "proxy-407-challenge",
    title: Text {
        en: "A forward proxy asks for credentials", ja: "フォワード プロキシが資格情報を要求"
    },
    explanation: Text {
        en: "The 407 comes from a forward proxy on the way, not from the server. It names the schemes for \
             Proxy-Authorization. The client repeats the request with credentials for the proxy.",
        ja: "407 はサーバーではなく経路上のフォワード プロキシから来ています。Proxy-Authorization で使える方式が示さ\
             れており、クライアントはプロキシ用の資格情報を付けて要求を繰り返します。",
    },
    remedy: Text {
        en: "Nothing to do while the client goes on. Programs that run as a service often cannot answer a proxy: \
             let {host} pass without authentication there.",
        ja: "クライアントが続行していれば対処は不要です。サービスとして動くプログラムはプロキシに応答できないことが\
             多いため、その場合は {host} を認証なしで通過させてください。",
    },
    sources: &["RFC 9110 section 15.5.8"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[407]),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let challenges = case.proxy_challenges();
    let first = challenges.first()?;
    // A token in the challenge answers a message of the client's: the handshake goes on.
    let goes_on = challenges.iter().any(Challenge::goes_on);
    let hit = match case.proxy_authorization() {
        _ if goes_on => Hit::step(),
        Sent::Absent => Hit::step(),
        Sent::Unseen => Hit::likely_step(),
        Sent::Credential(_) => return None,
    };
    Some(
        hit.on(case.on_server())
            .because(case.evidence(Place::ResponseHeader("proxy-authenticate"), first.text()))
            .naming("host", case.host_name())
            .until(Next::Proxy),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, LIKELY_STEP, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the proxy asks for the first time",
            STEP,
            &[Raw::new(
                "GET http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                "407 Proxy Authentication Required\nProxy-Authenticate: Negotiate\nProxy-Authenticate: Basic \
                 realm=\"proxy\"",
            )],
        ),
        Example::fires(
            "NTLM to the proxy is under way",
            STEP,
            &[Raw::new(
                "GET http://www.contoso.com/\nProxy-Authorization: NTLM {ntlm1}",
                "407\nProxy-Authenticate: NTLM {ntlm2}",
            )],
        ),
        Example::fires(
            "the answer alone was pasted",
            LIKELY_STEP,
            &[Raw::new("", "407\nProxy-Authenticate: Basic realm=\"x\"")],
        ),
        Example::silent(
            "the proxy refuses a password",
            &[Raw::new(
                "GET http://www.contoso.com/\nProxy-Authorization: Basic {basic avery:secret}",
                "407\nProxy-Authenticate: Basic realm=\"proxy\"",
            )],
        ),
    ];
}
