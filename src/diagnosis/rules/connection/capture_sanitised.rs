//! The exporter took out what would decide: credentials of a refused request, or the body of an issuer's refusal.
//!
//! Not to be confused with a request that really had no credentials (`hs-anonymous-probe`), or with pasted lines, of
//! which nobody expects to be complete.

use crate::diagnosis::{Actor, Capture, Case, Certainty, Gate, Hit, Kind, Place, Rule, Signs};
use crate::exchange::Head;
use crate::redact::{Content, Withheld};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "capture-sanitised",
    title: Text {
        en: "The exporter left out what would decide", ja: "判断に必要な情報がエクスポート時に除かれている"
    },
    explanation: Text {
        en: "The tool that wrote this trace took out or masked credentials (Authorization, Cookie), did not save the \
             bodies of answers, or, as browsers do, wrote a whole logon as one request without its credentials. Whether {host} was sent credentials, which, and why it refused them, cannot be seen. \
             What is missing here says nothing about the traffic.",
        ja: "このトレースを書き出したツールは、資格情報 (Authorization、Cookie) を除去または伏せ字にしたか、応答の本文を保存し\
             ていないか、ブラウザーのようにログオン全体を資格情報のない 1 つの要求として書き出しています。{host} に資格情報が送られたか、それがどのようなもので、なぜ拒否されたかは確認できません。ここにない情報\
             から、通信の内容を判断することはできません。",
    },
    remedy: Text {
        en: "Export it again with everything in it; this program replaces credentials by markers when it reads the file.\n\
             Chrome, Edge: in the developer tools turn on Settings > Preferences > Network > Allow to generate HAR with \
             sensitive data, then hold the export button of the network panel and choose the export with sensitive data.\n\
             Firefox: Save All As HAR; in about:config devtools.netmonitor.har.includeResponseBodies is true.\n\
             Logons that a browser makes by itself (NTLM, Negotiate, Basic) are in none of its exports; record those, or \
             all, with this program: authtap --only {host}",
        ja: "すべてを含めて書き出し直してください。このプログラムは、ファイルを読むときに資格情報を目印に置き換えます。\n\
             Chrome、Edge: 開発者ツールの Settings > Preferences > Network > Allow to generate HAR with sensitive data を\
             有効にし、ネットワーク パネルのエクスポート ボタンを長押しして、機密データを含むエクスポートを選ぶ\n\
             Firefox: Save All As HAR を使う (about:config の devtools.netmonitor.har.includeResponseBodies は true)\n\
             ブラウザー自身が行うログオン (NTLM、Negotiate、Basic) はどのエクスポートにも含まれないため、このプログラムで記録する: \
             authtap --only {host}",
    },
    sources: &[
        "https://developer.chrome.com/blog/new-in-devtools-130",
        "https://developer.chrome.com/docs/devtools/network/reference#save-as-har",
    ],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::CaptureTool],
    gate: Gate::status(&[400, 401, 407]).showing(Signs::UNSEEN_CREDENTIALS.or(Signs::SIGN_IN)),
    // Nobody can say that the request was anonymous.
    supersedes: &["hs-anonymous-probe", "hma-empty-bearer"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let request = case.exchange.request.seen()?;
    let taken_out = match case.status()? {
        401 if case.exchange.authorization().is_none() => Some("authorization"),
        407 if case.exchange.proxy_authorization().is_none() => Some("proxy-authorization"),
        _ => None,
    };
    let evidence = match taken_out.filter(|_| request.head == Head::Stripped) {
        Some(name) => case.evidence_request(name),
        None if lacks_reason(case) => case.evidence(Place::ResponseBody, ""),
        None => return None,
    };
    let hit = Hit::note(Certainty::Certain, Actor::CaptureTool).on(case.on_server());
    Some(hit.naming("host", case.host_name()).because(evidence))
}

/// Whether an issuer's refusal came with a body that was not saved.
fn lacks_reason(case: &Case<'_>) -> bool {
    let body = case.exchange.response.seen().map(|response| &response.message.body.content);
    case.capture() == Capture::Imported
        && case.is_sign_in()
        && case.aadsts().is_none()
        && matches!(body, Some(Content::Withheld(Withheld::NotRecorded)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the browser left Authorization out",
            (Kind::Note, Certainty::Certain, Actor::CaptureTool),
            &[Raw::new(
                "GET https://mail.contoso.com/owa/\nAccept: */*",
                "401 Unauthorized\nWWW-Authenticate: Negotiate",
            )
            .stripped()],
        ),
        Example::fires(
            "the proxy's credentials are out",
            (Kind::Note, Certainty::Certain, Actor::CaptureTool),
            &[Raw::new(
                "GET http://mail.contoso.com/\nAccept: */*",
                "407 Proxy Authentication Required\nProxy-Authenticate: NTLM",
            )
            .stripped()],
        ),
        Example::silent(
            "all was captured, and nothing was sent",
            &[Raw::new("GET https://mail.contoso.com/owa/", "401 Unauthorized\nWWW-Authenticate: Negotiate")],
        ),
        Example::silent(
            "what was sent is there",
            &[Raw::new(
                "GET https://mail.contoso.com/owa/\nAuthorization: Basic {basic avery:secret}",
                "401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"",
            )
            .stripped()],
        ),
        Example::silent(
            "the response alone was pasted",
            &[Raw::new("", "401 Unauthorized\nWWW-Authenticate: Negotiate")],
        ),
        Example::silent(
            "the issuer says why",
            &[Raw::new(
                "POST https://login.microsoftonline.com/common/oauth2/token",
                "400 Bad Request\nContent-Type: application/json\n\n{\"error\":\"invalid_grant\"}",
            )],
        ),
    ];
}
