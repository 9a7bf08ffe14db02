//! A web filter on the way answers in the place of the server: access denied.
//!
//! Not to be confused with a 403 of the server itself, with a device that pre-authenticates in front of it
//! (`preauth-device`), or with a proxy that asks for credentials (407).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::audience::is_microsoft;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "http-proxy-blocked",
    title: Text {
        en: "A web filter on the way blocks the request", ja: "経路上の Web フィルターが要求を遮断"
    },
    explanation: Text {
        en: "The answer does not come from {host} but from a proxy or web filter between: its mark is {mark}, and \
             nothing of the server's own headers is there. The filter's rules deny this address, this program, or \
             requests without a signed-in user.",
        ja: "応答は {host} ではなく、途中のプロキシまたは Web フィルターから返されています。その印は {mark} で、サーバー自\
             身のヘッダーはありません。フィルターの規則が、このアドレス、このプログラム、またはサインインしていないユー\
             ザーの要求を拒否しています。",
    },
    remedy: Text {
        en: "Let {host} and the other endpoints of Microsoft 365 pass the filter, without TLS inspection and without \
             proxy authentication: https://aka.ms/o365endpoints lists them, category Optimize first. The filter's \
             log names the rule. For Exchange on premises allow its names too, or exclude them from the proxy:\n\
             netsh winhttp show proxy",
        ja: "{host} および Microsoft 365 のほかのエンドポイントを、TLS 検査とプロキシ認証なしでフィルターを通過させます。\
             一覧は https://aka.ms/o365endpoints にあり、カテゴリ Optimize が最優先です。該当する規則はフィルターのログで\
             確認できます。オンプレミスの Exchange の名前も許可するか、プロキシの対象から除外します。\n\
             netsh winhttp show proxy",
    },
    sources: &[
        "https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges",
        "https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-network-connectivity-principles",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[302, 307, 403, 451, 502, 503]),
    supersedes: &["preauth-device", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let status = case.status()?;
    let (certainty, mark) = if case.method() == "CONNECT" {
        // What answers a CONNECT is a proxy by definition. That a sign-in host is out of reach is said elsewhere.
        (matches!(status, 403 | 451 | 502 | 503) && !case.is_sign_in())
            .then(|| (Certainty::Certain, case.evidence_status()))?
    } else if is_own_answer(case) {
        return None;
    } else if let Some(error) = error_header(case).filter(|_| status >= 400) {
        (Certainty::Certain, error)
    } else if matches!(status, 302 | 307) {
        (Certainty::Likely, block_page(case)?)
    } else {
        of_page(case, status)?
    };
    Some(
        Hit::failure(certainty, Actor::Network)
            .on(case.on_server())
            .naming("host", case.host_name())
            .naming("mark", mark.text.clone())
            .because(mark)
            .because(case.evidence_status()),
    )
}

/// Something of the server itself is in the answer.
fn is_own_answer(case: &Case<'_>) -> bool {
    const MARKS: [&str; 6] = [
        "sprequestguid",
        "microsoftsharepointteamservices",
        "x-ms-request-id",
        "x-ms-ags-diagnostic",
        "ms-server-activesync",
        "x-ews-policy-reason",
    ];
    let iis = case.response_header("server").is_some_and(|server| server.as_str().contains("Microsoft-IIS"));
    iis || by_exchange(case) || MARKS.iter().any(|mark| case.response_header(mark).is_some())
}

/// Headers that proxies write when it is they who refuse.
fn error_header(case: &Case<'_>) -> Option<Evidence> {
    let squid = case.response_header("x-squid-error").is_some_and(|value| value.as_str().contains("DENIED"));
    if squid {
        return Some(case.evidence_header("x-squid-error"));
    }
    let status = case.response_header("proxy-status").is_some_and(|value| {
        ["http_request_denied", "destination_ip_prohibited"].iter().any(|error| value.as_str().contains(error))
    });
    status.then(|| case.evidence_header("proxy-status"))
}

/// A redirect to the page of a filter.
fn block_page(case: &Case<'_>) -> Option<Evidence> {
    const PAGES: [&str; 8] = [
        "zscaler",
        "blockpage",
        "block-page",
        "blocked.html",
        "accessdenied.html",
        "/usercheck/",
        "block.opendns.com",
        "notify.bluecoat.com",
    ];
    let location = case.response_header("location")?.as_str().to_ascii_lowercase();
    PAGES.iter().any(|page| location.contains(page)).then(|| case.evidence_header("location"))
}

/// How much of a page is read: what matters stands at its beginning.
const PAGE: usize = 8 * 1024;

/// The page of a filter: by the product's name, or, in the place of a service of Microsoft, by what it says.
fn of_page(case: &Case<'_>, status: u16) -> Option<(Certainty, Evidence)> {
    const PRODUCTS: [&str; 17] = [
        "squid",
        "zscaler",
        "bluecoat",
        "blue coat",
        "proxysg",
        "mcafee web gateway",
        "skyhigh",
        "forcepoint",
        "websense",
        "fortiguard",
        "fortiproxy",
        "netskope",
        "ironport",
        "cisco umbrella",
        "barracuda",
        "iboss",
        "forefront tmg denied",
    ];
    const DENIED: [&str; 6] =
        ["access denied", "access blocked", "web page blocked", "has been blocked", "is blocked", "not allowed"];
    let text = case.response_body();
    let text = &text[..text.floor_char_boundary(PAGE)];
    let page = text.to_ascii_lowercase();
    let html = page.contains("<html") || page.contains("<title") || page.contains("<h1");
    let denied = DENIED.iter().find_map(|words| Some((page.find(words)?, words.len())));
    let denied = denied.filter(|_| html);
    let server = ["server", "via", "x-bluecoat-via", "x-cache"].into_iter().find(|name: &&'static str| {
        case.response_header(name).is_some_and(|value| {
            let value = value.as_str().to_ascii_lowercase();
            name.contains("bluecoat") || PRODUCTS.iter().any(|product| value.contains(product))
        })
    });
    let of_product = PRODUCTS.iter().any(|product| page.contains(product)) && html;
    match (denied, server) {
        (None, _) => None,
        (Some(_), None) if !of_product && (status != 403 || !is_microsoft(case.host())) => None,
        (Some(_), Some(name)) => Some((Certainty::Certain, case.evidence_header(name))),
        // Letter for letter: lower case does not change where ASCII stands.
        (Some((at, length)), None) => Some((Certainty::Likely, case.evidence_body(text.get(at..at + length)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::Network)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Squid denies the address",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://outlook.office365.com/mapi/emsmdb/",
                "403\nServer: squid/5.7\nX-Squid-Error: ERR_ACCESS_DENIED 0\nContent-Type: text/html\n\n<html><head>\
                 <title>ERROR: Access Denied</title></head></html>",
            )],
        ),
        Example::fires(
            "a filter names itself in its page",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "403\nContent-Type: text/html\n\n<html><title>Access Denied</title><p>Zscaler: this site is blocked by \
                 your organization.</p></html>",
            )],
        ),
        Example::fires(
            "a page without a name stands in the place of Exchange Online",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://outlook.office.com/autodiscover/autodiscover.json?Protocol=EWS",
                "403 Forbidden\ncontent-type: text/html; charset=utf-8\n\n<HTML><H1>Access Blocked</H1></HTML>",
            )],
        ),
        Example::fires(
            "a redirect goes to the page of a filter",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/",
                "307\nLocation: https://gateway.zscaler.net/block?url=contoso.sharepoint.com",
            )],
        ),
        Example::silent(
            "Exchange itself refuses",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "403\nX-FEServer: EX01\nContent-Type: text/html\n\n<html><title>403 - Forbidden: Access is denied.\
                 </title></html>",
            )],
        ),
        Example::silent(
            "SharePoint itself refuses",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/sites/x",
                "403\nSPRequestGuid: 1\nContent-Type: text/html\n\n<html><title>Access Denied</title></html>",
            )],
        ),
        Example::silent(
            "a web server of one's own has such a page",
            &[Raw::new(
                "GET https://www.fabrikam.com/admin",
                "403\nServer: nginx\nContent-Type: text/html\n\n<html><h1>Access Denied</h1></html>",
            )],
        ),
        Example::silent(
            "S3 denies access",
            &[Raw::new(
                "GET https://bucket.s3.amazonaws.com/x",
                "403\nContent-Type: application/xml\n\n<Error><Message>Access Denied</Message></Error>",
            )],
        ),
    ];

    #[test]
    fn a_proxy_that_does_not_open_the_tunnel_blocks_it() {
        let past = Past::default();
        let found = |url: &'static str, response: &'static str| {
            let mut exchange = exchanges(&[Raw::new(url, response)]).remove(0);
            exchange.method = Some("CONNECT".into());
            (RULE.find)(&Case::new(&exchange, &past, Capture::Imported)).map(|hit| hit.certainty)
        };
        assert_eq!(found("GET https://outlook.office365.com/", "403"), Some(Certainty::Certain));
        assert_eq!(found("GET https://outlook.office365.com/", "407\nProxy-Authenticate: NTLM"), None);
        assert_eq!(found("GET https://login.microsoftonline.com/", "403"), None);
    }
}
