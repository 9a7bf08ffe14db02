//! A message that servers read differently: two lengths, a length and a coding, a name with blanks behind it. A front
//! and the server behind it may then disagree on where it ends.
//!
//! Not to be confused with what is merely odd (folded fields, line feeds alone), which all of them take or refuse alike;
//! the message itself says that.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Signs};
use crate::exchange::{Message, Oddities};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "http-ambiguous-framing",
    title: Text {
        en: "Different servers read this message differently",
        ja: "サーバーによって解釈が分かれるメッセージがある",
    },
    explanation: Text {
        en: "A message to or from {host} leaves open where it ends or whom it is for: {what}. A load balancer, a \
             pre-authenticating proxy and the server behind it may each read it in their own way. Then the rest of one \
             request is taken for the beginning of the next, which is how requests are smuggled past a sign-in, or \
             the server answers 400 and closes. It was passed on as it came.",
        ja: "{host} とのメッセージは、終わりの位置や宛先が一通りに定まりません ({what})。ロード バランサー、事前認証を行\
             うプロキシ、その背後のサーバーがそれぞれ別の解釈をすることがあります。その場合、ある要求の残りが次の要求\
             の先頭とみなされ (要求がサインインをすり抜ける HTTP リクエスト スマグリングの手口)、またはサーバーが 400 を\
             返して接続を閉じます。メッセージは届いたまま転送しました。",
    },
    remedy: Text {
        en: "Find out who writes the message: a script or library that sets Content-Length or Transfer-Encoding by \
             hand, a device on the way that rewrites heads, or somebody who tests {host}. Let the library frame the \
             message, with one Content-Length or with chunked alone. Compare both sides of the load balancer if the \
             sender is innocent.",
        ja: "このメッセージを作っているものを特定します。Content-Length や Transfer-Encoding を自分で設定するスクリプト\
             やライブラリ、経路上でヘッダーを書き換える装置、または {host} を検査している人です。長さの指定はライブラリ\
             に任せ、1 つの Content-Length または chunked だけにします。送信側に問題がなければ、ロード バランサーの両側の\
             メッセージを比べてください。",
    },
    sources: &["RFC 9112 section 6.3", "RFC 9112 section 11.2", "RFC 9110 section 7.2"],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::Network],
    gate: Gate::ANY.showing(Signs::ODD),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let exchange = case.exchange;
    let sent = grave(exchange.request.seen());
    let answered = grave(exchange.response.seen().map(|response| &response.message));
    let (odd, actor, place) = match (sent, answered) {
        (Some(odd), _) => (odd, Actor::Client, Place::RequestUrl),
        (None, Some(odd)) => (odd, Actor::Network, Place::ResponseStatus),
        (None, None) => return None,
    };
    let what = Clean::list(odd.iter().filter(|oddity| oddity.is_grave()).map(|oddity| oddity.text().en.into()), "; ");
    let hit = Hit::note(Certainty::Certain, actor).on(case.on_server());
    let hit = hit.naming("host", case.host_name()).naming("what", Some(what.clone()));
    Some(hit.because(case.evidence(place, what)))
}

/// The oddities of a message that has at least one of those that matter.
fn grave(message: Option<&Message>) -> Option<Oddities> {
    message.map(|message| message.odd).filter(|odd| odd.iter().any(crate::exchange::Oddity::is_grave))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a request has two lengths",
            (Kind::Note, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nContent-Length: 0\nContent-Length: 5",
                "400 Bad Request",
            )],
        ),
        Example::fires(
            "a request has a length and a coding",
            (Kind::Note, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/owa/\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
                "302 Found\nLocation: /owa/auth/logon.aspx",
            )],
        ),
        Example::fires(
            "an answer has a length and a coding",
            (Kind::Note, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "GET https://mail.contoso.com/owa/",
                "200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
            )],
        ),
        Example::fires(
            "an answer to HEAD has a body",
            (Kind::Note, Certainty::Certain, Actor::Network),
            &[Raw::new("HEAD https://mail.contoso.com/owa/", "200 OK\nContent-Length: 5\n\nHello")],
        ),
        Example::silent(
            "a length is all there is",
            &[Raw::new("POST https://mail.contoso.com/owa/\nContent-Length: 2\n\nhi", "200 OK")],
        ),
        Example::silent(
            "a folded field is odd, but all read it alike or refuse it",
            &[Raw::new("GET https://mail.contoso.com/owa/\nX-Long: one\n two", "200 OK")],
        ),
    ];
}
