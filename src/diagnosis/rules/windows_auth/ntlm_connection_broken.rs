//! The legs of NTLM did not stay on one connection, which is what NTLM signs in.
//!
//! The connection closes after the challenge, the answer goes out on another one, a balancer hands it to another server,
//! or the connection is one of HTTP/2, which carries many requests side by side. Not to be confused with a refusal on the
//! connection that had the challenge (`ntlm-rejected`).

use std::time::Duration;

use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Given, Hit, Kind, Next, Place, Rule, Signs, Then};
use crate::exchange::Message;
use crate::redact::{Clean, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ntlm-connection-broken",
    title: Text {
        en: "NTLM: the handshake does not stay on one connection",
        ja: "NTLM: ハンドシェイクが 1 本の接続に留まっていない",
    },
    explanation: Text {
        en: "NTLM authenticates a TCP connection: challenge and response must travel on the same one, all the way to \
             the server. Here they do not: the connection is closed after the challenge, the response leaves on \
             another connection or reaches another server behind the name, or the request goes over HTTP/2. The \
             password does not matter.",
        ja: "NTLM は TCP 接続そのものを認証します。チャレンジと応答は、サーバーまで同じ接続を通らなければなりません。\
             ここではそうなっていません。チャレンジの後に接続が閉じられた、応答が別の接続で送られた、同じ名前の背後に\
             ある別のサーバーに届いた、または要求が HTTP/2 で送られています。パスワードは関係ありません。",
    },
    remedy: Text {
        en: "Find who breaks the connection: aim at one server past the load balancer and compare:\n\
             authtap --resolve {host}:443=<address of one server>\n\
             On balancers and reverse proxies keep one server connection for each client connection (no connection \
             reuse or multiplexing, keep-alive on, persistence by source address). In the client keep connections \
             alive and send the three messages on one. For HTTP/2, force HTTP/1.1:\n\
             authtap --http1 {host}",
        ja: "接続を切っている箇所を特定します。ロード バランサーを通さず 1 台のサーバーに直接つないで比べてください。\n\
             authtap --resolve {host}:443=<サーバー 1 台のアドレス>\n\
             ロード バランサーやリバース プロキシでは、クライアント接続ごとに 1 本のサーバー接続を保ちます (接続の再\
             利用や多重化をしない、keep-alive を有効にする、送信元アドレスで固定する)。クライアントでは接続を維持し、\
             3 つのメッセージを同じ接続で送ります。HTTP/2 の場合は HTTP/1.1 を強制します。\n\
             authtap --http1 {host}",
    },
    sources: &["MS-NTHT section 1.3", "RFC 4559 section 6", "RFC 9113 section 8.5"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network, Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::WINDOWS.or(Signs::CHALLENGED)),
    supersedes: &[
        "ep-channel-binding",
        "ep-channel-binding-network",
        "adfs-extended-protection-mitm",
        "ntlmv1-refused",
        "ntlm-loop",
        "mrsproxy-unauthorized",
        "ntlm-rejected",
        "generic-bad-credentials",
    ],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Between a challenge and its answer there is no person.
const AT_ONCE: Duration = Duration::from_mins(1);

fn find(case: &Case<'_>) -> Option<Hit> {
    let hit = if case.gives_ntlm_challenge() {
        closed(case)?.later(Next::SameConnection, Then::Retracted)
    } else {
        let message = case.ntlm().filter(|_| !case.goes_on())?;
        let third = matches!(message, NtlmMessage::Authenticate { .. });
        over_http2(case).or_else(|| if third { elsewhere(case).or_else(|| at_another_server(case)) } else { None })?
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name());
    Some(if case.response_header("proxy-support").is_some() {
        hit.because(case.evidence_header("proxy-support"))
    } else {
        hit
    })
}

/// The answer with the challenge, or the request for it, ends the connection.
fn closed(case: &Case<'_>) -> Option<Hit> {
    let response = &case.exchange.response.seen()?.message;
    let closes = |value: Option<&Clean>| value.is_some_and(|value| has_option(value, "close"));
    let kept = |value: Option<&Clean>| value.is_some_and(|value| has_option(value, "keep-alive"));
    let (asked, answered) = (case.request_header("connection"), case.response_header("connection"));
    let likely = |actor, evidence| Some(Hit::failure(Certainty::Likely, actor).because(evidence));
    if closes(answered) {
        likely(Actor::Network, case.evidence_header("connection"))
    } else if response.version == "HTTP/1.0" && case.lacks_response_header("connection") {
        likely(Actor::Network, case.evidence(Place::ResponseStatus, response.version.clone()))
    } else if closes(asked) && !kept(answered) {
        likely(Actor::Client, case.evidence_request("connection"))
    } else {
        None
    }
    .map(|hit| hit.because(case.evidence_header("www-authenticate")))
}

fn over_http2(case: &Case<'_>) -> Option<Hit> {
    let version = &case.exchange.request.seen().map(|message: &Message| &message.version)?;
    let number = version.as_str().trim_start_matches(|letter: char| !letter.is_ascii_digit());
    number.starts_with(['2', '3']).then(|| {
        Hit::failure(Certainty::Likely, Actor::Client)
            .because(case.evidence(Place::ConnectionClient, (*version).clone()))
            .because(case.evidence_request("authorization"))
    })
}

/// The challenge that this message should answer was given on another connection.
fn elsewhere(case: &Case<'_>) -> Option<Hit> {
    let here = case.exchange.connection.id;
    let given = case.past().windows(case.host())?.waiting_elsewhere(here)?;
    let soon = case.exchange.started.since(given.started) <= AT_ONCE;
    let certainty = if case.capture().is_live() { Certainty::Certain } else { Certainty::Likely };
    (here != 0 && soon).then(|| {
        Hit::failure(certainty, Actor::Client)
            .because(case.evidence(Place::ConnectionClient, on(here)))
            .because(challenged(given, Place::ConnectionClient, on(given.connection)))
            .because(case.evidence_request("authorization"))
    })
}

/// The challenge came from another of the servers behind the name than the refusal.
fn at_another_server(case: &Case<'_>) -> Option<Hit> {
    let given = case.past().windows(case.host())?.waiting_on(case.exchange.connection.id)?;
    let (before, now) = (given.server.clone()?, case.server_name()?);
    (before != now).then(|| {
        Hit::failure(Certainty::Likely, Actor::Network)
            .because(case.evidence(Place::ResponseHeader("x-feserver"), now))
            .because(challenged(given, Place::ResponseHeader("x-feserver"), before))
    })
}

fn on(connection: u32) -> Clean {
    Clean::concat(["connection ".into(), connection.into()])
}

fn challenged(given: &Given, place: Place, text: Clean) -> Evidence {
    Evidence { exchange: given.exchange, place, text }
}

fn has_option(value: &Clean, wanted: &str) -> bool {
    value.as_str().split(',').any(|option| option.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const TYPE1: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM {ntlm2}",
    );
    const REFUSED: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3bound avery}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );
    const NETWORK: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::Network);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the answer with the challenge closes the connection",
            NETWORK,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
                "401\nWWW-Authenticate: NTLM {ntlm2}\nconnection: Close",
            )],
        ),
        Example::fires(
            "the same inside Negotiate, in a folded line, and only the answer was captured",
            NETWORK,
            &[Raw::new("", "401\nwww-authenticate: Negotiate, NTLM {ntlm2}\nConnection: foo, close")],
        ),
        Example::fires(
            "the client asks for the end of the connection",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nConnection: close\nAuthorization: Negotiate {ntlm1}",
                "401\nWWW-Authenticate: Negotiate {ntlm2}",
            )],
        ),
        Example::fires(
            "the response leaves on another connection",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[TYPE1, REFUSED.on(2)],
        ),
        Example::fires(
            "the same in a live capture",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[TYPE1, REFUSED.on(2)],
        )
        .live(),
        Example::fires(
            "another server behind the name answers the response",
            NETWORK,
            &[
                TYPE1,
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
                    "401\nX-FEServer: EX02\nWWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::silent("the response is refused on the connection of its challenge", &[TYPE1, REFUSED]),
        Example::silent(
            "another client's handshake is under way, and this one had its challenge",
            &[TYPE1.on(2), TYPE1, REFUSED.on(2)],
        ),
        Example::silent(
            "the connection is kept",
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nConnection: keep-alive\nAuthorization: NTLM {ntlm1}",
                "401\nWWW-Authenticate: NTLM {ntlm2}\nConnection: keep-alive",
            )],
        ),
        Example::silent(
            "the connection ends after a refusal",
            &[Raw::new(
                "GET https://erp.fabrikam.com/\nAuthorization: NTLM {ntlm3 avery}",
                "401\nWWW-Authenticate: NTLM\nConnection: close",
            )],
        ),
    ];
}
