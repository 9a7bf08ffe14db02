//! The client uses a scheme that the server does not offer there.
//!
//! Told by the traffic, or by the words in which WCF (migration endpoints, MRS) reports it. Not to be confused with
//! credentials refused in a scheme that is offered, with Basic on Outlook Anywhere (`outlook-anywhere-basic-required`) or
//! to Exchange Online (`basic-retired-exo`), and with a refusal on a connection where the scheme was under way.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::redact::{Clean, Content, Credential, Negotiate, Ntlm, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "auth-scheme-mismatch",
    title: Text {
        en: "The server does not offer the scheme that the client uses",
        ja: "クライアントの認証方式をサーバーが提示していない",
    },
    explanation: Text {
        en: "The client sent {scheme}, and the server offers {offered} only. No password is right in a scheme that is \
             not accepted. Either the directory has another set of schemes than the client expects, or something in \
             front of the server answers (pre-authentication). Exchange Online offers nothing but Bearer.",
        ja: "クライアントは {scheme} を送りましたが、サーバーが提示しているのは {offered} だけです。受け付けられない方\
             式では、パスワードが正しくても認証できません。ディレクトリの認証方式がクライアントの想定と異なるか、サー\
             バーの手前にあるもの (事前認証) が応答しています。Exchange Online は Bearer しか提示しません。",
    },
    remedy: Text {
        en: "See what the directory offers, and change it with Exchange's own cmdlets, not in IIS:\n\
             Get-{cmdlet} | Format-List Server,*auth*\n\
             For migration endpoints /EWS needs Windows authentication:\n\
             Set-WebServicesVirtualDirectory -Identity '<server>\\EWS (Default Web Site)' -WindowsAuthentication $true\n\
             Otherwise let the reverse proxy pass authentication through, or set the client to a scheme that is \
             offered. From outside, test the endpoint with the scheme in question:\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)",
        ja: "ディレクトリの認証方式を確認し、IIS ではなく Exchange のコマンドレットで変更します。\n\
             Get-{cmdlet} | Format-List Server,*auth*\n\
             移行エンドポイントでは /EWS に Windows 認証が必要です。\n\
             Set-WebServicesVirtualDirectory -Identity '<サーバー>\\EWS (Default Web Site)' -WindowsAuthentication $true\n\
             または、リバース プロキシを認証のパススルーにするか、クライアントを提示されている方式に合わせます。外部か\
             らは次のように確認できます。\n\
             Test-MigrationServerAvailability -ExchangeRemoteMove -RemoteServer {host} -Credentials (Get-Credential)",
    },
    sources: &[
        "RFC 9110 section 11.6.1",
        "https://learn.microsoft.com/exchange/troubleshoot/move-or-migrate-mailboxes/migration-endpoint-authentication-errors",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin, Actor::Client],
    gate: Gate::ANY.showing(Signs::WINDOWS.or(Signs::BASIC).or(Signs::OTHER_SCHEME).or(Signs::BODY)),
    supersedes: &[
        "basic-bad-credentials",
        "ntlm-rejected",
        "kerberos-failure",
        "generic-bad-credentials",
        "hs-anonymous-probe",
    ],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Mismatch { certainty, scheme, offered, evidence } = in_traffic(case).or_else(|| in_words(case))?;
    let actor = if case.is_exchange_online() { Actor::Client } else { Actor::ExchangeAdmin };
    let hit = Hit::failure(certainty, actor).on(case.on_directory()).naming("scheme", Some(scheme));
    let hit = evidence.into_iter().fold(hit, Hit::because).naming("offered", Some(offered));
    let cmdlet = case.directory().unwrap_or(Directory::Ews).cmdlet();
    Some(hit.naming("host", case.host_name()).naming("cmdlet", Some(cmdlet.into())))
}

struct Mismatch {
    certainty: Certainty,
    scheme: Clean,
    offered: Clean,
    evidence: Vec<Evidence>,
}

/// What was sent against what the answer lists.
fn in_traffic(case: &Case<'_>) -> Option<Mismatch> {
    if case.status() != Some(401) || case.challenges().is_empty() || case.goes_on() {
        return None;
    }
    let Sent::Credential(credential) = case.authorization() else { return None };
    let windows = || case.challenge("ntlm").or_else(|| case.challenge("negotiate")).is_some();
    let scheme = match credential {
        Credential::Ntlm(Ntlm::Message(_)) => "NTLM",
        Credential::Negotiate(sent) if *sent != Negotiate::Empty => "Negotiate",
        // Against Bearer alone a password means other things: a registry's, an API's, Exchange Online's.
        Credential::Basic { .. } if windows() && case.directory() != Some(Directory::Rpc) => "Basic",
        Credential::Digest { .. } if windows() => "Digest",
        _ => return None,
    };
    let known = case.past().windows(case.host());
    let under_way = known.is_some_and(|known| known.waiting_on(case.exchange.connection.id).is_some());
    // Who answers a challenge got one in that scheme.
    let third = matches!(case.ntlm(), Some(NtlmMessage::Authenticate { .. }));
    if case.challenge(scheme).is_some() || under_way || third {
        return None;
    }
    let offered = case.evidence_schemes();
    Some(Mismatch {
        certainty: Certainty::Likely,
        scheme: scheme.into(),
        offered: offered.text.clone(),
        evidence: vec![case.evidence_request("authorization"), offered],
    })
}

/// `... unauthorized with client authentication scheme 'Negotiate'. The authentication header received from the server was
/// 'Basic realm="..."'`, in English, Japanese or a language that has the same order.
fn in_words(case: &Case<'_>) -> Option<Mismatch> {
    const MARKS: [&str; 4] =
        ["client authentication scheme", "クライアント認証方式", "クライアント認証スキーム", "does not announce "];
    static FINDERS: LazyLock<[Finder<'static>; 4]> = LazyLock::new(|| MARKS.map(Finder::new));
    let (text, place) = words(case)?;
    let mut found = MARKS.iter().zip(FINDERS.iter());
    let (mark, at) = found.find_map(|(mark, finder)| Some((*mark, finder.find(text.as_str().as_bytes())?)))?;
    let after = &text.as_str()[at + mark.len()..];
    let (scheme, offered) = if mark == MARKS[3] {
        (after.split([' ', '.', ',', '\n']).next()?, "")
    } else {
        let (scheme, rest) = quoted(after)?;
        (scheme, quoted(rest)?.0)
    };
    let sent = ["Basic", "Digest", "NTLM", "Negotiate"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
    if offers(offered, sent) {
        return None;
    }
    Some(Mismatch {
        certainty: Certainty::Certain,
        scheme: sent.into(),
        offered: text.part(offered),
        evidence: vec![case.evidence(place, text.part(&text.as_str()[at..end(text.as_str(), after, offered)]))],
    })
}

/// Where the evidence ends: behind the list of what is offered.
fn end(text: &str, after: &str, offered: &str) -> usize {
    let list = after.find(offered).filter(|_| !offered.is_empty()).map(|at| at + offered.len() + 1);
    let end = text.len() - after.len() + list.unwrap_or_else(|| after.find('.').unwrap_or(after.len()));
    (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// The text of the answer or, in what somebody pasted, of the request.
fn words<'a>(case: &Case<'a>) -> Option<(&'a Clean, Place)> {
    let text = |content: &'a Content| match content {
        Content::Text { text, .. } => Some(text),
        Content::Empty | Content::Withheld(_) => None,
    };
    let response = case.exchange.response.seen().and_then(|response| text(&response.message.body.content));
    response.map(|text| (text, Place::ResponseBody))
}

/// What stands between the first pair of quotation marks, and what follows it. Marks inside (`realm="..."`) are others.
fn quoted(text: &str) -> Option<(&str, &str)> {
    const MARKS: [(char, char); 5] =
        [('\'', '\''), ('\u{2018}', '\u{2019}'), ('\u{300c}', '\u{300d}'), ('"', '"'), ('`', '`')];
    let (at, close) = text.char_indices().find_map(|(at, letter)| {
        MARKS.iter().find(|(open, _)| *open == letter).map(|(open, close)| (at + open.len_utf8(), *close))
    })?;
    let inside = &text[at..];
    let end = inside.find(close)?;
    Some((&inside[..end], &inside[end + close.len_utf8()..]))
}

/// Whether a list as in `Negotiate,NTLM,Basic realm="x"` has `scheme`.
fn offers(list: &str, scheme: &str) -> bool {
    list.split(',').any(|part| part.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(scheme)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const LIKELY: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin);
    const CERTAIN: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a move request begins with Negotiate where only Basic is offered",
            LIKELY,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/mrsproxy.svc\nAuthorization: Negotiate {ntlm1}",
                "401\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::fires(
            "a password where only Windows schemes are offered",
            LIKELY,
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
                "401\nX-FEServer: EX01\nwww-authenticate: Negotiate, NTLM",
            )],
        ),
        Example::fires(
            "WCF reports it in a fault",
            CERTAIN,
            &[Raw::new(
                "POST https://contoso.mail.onmicrosoft.com/EWS/mrsproxy.svc",
                "500\nContent-Type: text/xml\n\n<s:Fault><faultstring>The HTTP request is unauthorized with client \
                 authentication scheme 'Negotiate'. The authentication header received from the server was 'Basic \
                 realm=\"mail.contoso.com\"'.</faultstring></s:Fault>",
            )],
        ),
        Example::silent(
            "WCF reports credentials that are refused in a scheme that is offered",
            &[Raw::new(
                "POST https://contoso.mail.onmicrosoft.com/EWS/mrsproxy.svc",
                "500\nContent-Type: text/xml\n\n<s:Fault><faultstring>The HTTP request is unauthorized with client \
                 authentication scheme 'Negotiate'. The authentication header received from the server was \
                 'Negotiate,NTLM'.</faultstring></s:Fault>",
            )],
        ),
        Example::silent(
            "the scheme is offered",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "the last message is refused, whose challenge came in the same scheme",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {ntlm3 avery}",
                "401\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "a registry wants a token in the place of a password",
            &[Raw::new(
                "GET https://registry.fabrikam.com/v2/\nAuthorization: Basic {basic avery:secret}",
                "401\nWWW-Authenticate: Bearer realm=\"https://auth.fabrikam.com/token\",service=\"registry\"",
            )],
        ),
    ];
}
