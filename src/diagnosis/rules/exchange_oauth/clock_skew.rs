//! The clocks of server, issuer and client differ by more than servers let pass, and a token was refused for it.
//!
//! Proved by a token that begins after the server's own time. In a live capture the Date of a refusal is also compared with
//! this machine's clock: that is a note, for the refusal may have another cause. Not to be confused with a token whose end is
//! past (`token-expired`).

use crate::diagnosis::token::{Lifetime, TOLERANCE, evidence_times};
use crate::diagnosis::{Actor, Capture, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs, TokenFault};
use crate::redact::{Clean, Credential, Negotiate, NtlmMessage, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "clock-skew",
    title: Text {
        en: "The clocks of server and client differ too much",
        ja: "サーバーとクライアントの時計のずれが大きい",
    },
    explanation: Text {
        en: "The clock behind {host} and the one that this request was made by differ by {minutes} minutes. A token \
             that is not valid yet, or is over, on the server's clock is refused, and so is a Kerberos ticket. Five \
             minutes are let pass.",
        ja: "{host} の時計と、この要求に使われた時計が {minutes} 分ずれています。サーバーの時計から見て有効期間前ま\
             たは期限切れのトークンは拒否され、Kerberos チケットも同様です。許容されるのは 5 分までです。",
    },
    remedy: Text {
        en: "Set both clocks by the same source. On the server, on the domain controller that holds the PDC role, \
             and on the client:\n\
             w32tm /query /source\n\
             w32tm /query /status\n\
             w32tm /stripchart /computer:time.windows.com /samples:5 /dataonly\n\
             w32tm /resync /rediscover\n\
             A virtual machine must not also take the time of its host:\n\
             Get-VMIntegrationService -VMName '<vm>' -Name 'Time Synchronization'",
        ja: "両方の時計を同じ時刻源に合わせます。サーバー、PDC エミュレーターのドメイン コントローラー、クライアン\
             トで確認します。\n\
             w32tm /query /source\n\
             w32tm /query /status\n\
             w32tm /stripchart /computer:time.windows.com /samples:5 /dataonly\n\
             w32tm /resync /rediscover\n\
             仮想マシンでは、ホストとの時刻同期を併用しないようにします。\n\
             Get-VMIntegrationService -VMName '<vm>' -Name 'Time Synchronization'",
    },
    sources: &[
        "RFC 7519 section 4.1.5",
        "https://learn.microsoft.com/en-us/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin, Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::TOKEN.or(Signs::WINDOWS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let microsoft = Signs::EXCHANGE.or(Signs::GRAPH).or(Signs::SHARE_POINT);
    if !case.signs().has_any(microsoft) || !can_be_time(case) {
        return None;
    }
    let (hit, seconds) = match Lifetime::of(case) {
        Lifetime::NotYet(seconds) => (Hit::failure(Certainty::Certain, whose(case)), seconds),
        _ => (Hit::note(Certainty::Likely, whose(case)), drift(case)?),
    };
    let minutes = seconds / 60;
    let hit = hit.on(case.on_server()).naming("host", case.host_name()).naming("minutes", Clean::from(minutes));
    let hit = match evidence_times(case) {
        Some(times) => hit.because(times),
        None => hit.because(case.evidence_header("date")),
    };
    Some(hit.because(case.evidence_request("authorization")))
}

/// Whether the server leaves room for it: it gives no reason, or one that time explains.
fn can_be_time(case: &Case<'_>) -> bool {
    let by_exchange = match case.token_fault() {
        Some((fault, _)) => matches!(fault, TokenFault::Expired | TokenFault::Malformed),
        None => true,
    };
    let by_graph = case.graph_error().is_none_or(|error| {
        error.message.as_str().is_empty()
            || error.says(&["expired", "not yet valid", "lifetime", "IDX10222", "IDX10223"])
    });
    by_exchange && by_graph && !case.challenges().iter().any(|challenge| challenge.param("claims").is_some())
}

/// How far the server's clock is from ours, in a capture of our own: a file of another tool says nothing sure of its.
fn drift(case: &Case<'_>) -> Option<i64> {
    let timed = match case.authorization() {
        Sent::Credential(Credential::Bearer(token)) => *token != Token::Empty,
        Sent::Credential(Credential::Negotiate(Negotiate::Kerberos { .. })) => true,
        _ => matches!(case.ntlm(), Some(NtlmMessage::Authenticate { .. })),
    };
    let live = matches!(case.capture(), Capture::Live { .. }) && case.response_header("date").is_some();
    let timings = case.exchange.timings;
    let waited = timings.done.or(timings.first_byte).map_or(0, |waited| waited.as_secs()).cast_signed();
    let (earliest, now) = (case.exchange.started.seconds(), case.server_time().filter(|_| live && timed)?);
    let away = (earliest - now).max(now - (earliest + waited));
    (away > TOLERANCE).then_some(away)
}

/// Who can mend it: the server of the organisation, or whoever got a token from the future.
fn whose(case: &Case<'_>) -> Actor {
    let on_premises = case.is_exchange() && !case.is_exchange_online();
    if on_premises { Actor::ExchangeAdmin } else { Actor::Client }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange refuses a token that begins later",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ nbf=1795167600 exp=1795171200}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000001;reason=\"OAuth token submitted with the request can not be \
                 parsed.\";error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "Graph does, and tells its time in the body",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com nbf=1795167600 exp=1795171200}",
                "401\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token has expired or is \
                 not yet valid.\",\"innerError\":{\"date\":\"2026-11-20T09:12:44\"}}}",
            )],
        ),
        Example::fires(
            "this machine's clock is far from the server's",
            (Kind::Note, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Negotiate {kerberos}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Sun, 22 Nov 2026 09:20:00 GMT\n\
                 WWW-Authenticate: Negotiate",
            )],
        )
        .live(),
        Example::silent(
            "the clocks agree",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Negotiate {kerberos}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Sun, 22 Nov 2026 09:04:00 GMT\n\
                 WWW-Authenticate: Negotiate",
            )],
        )
        .live(),
        Example::silent(
            "nobody knows the clock of an imported capture",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Negotiate {kerberos}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Sun, 22 Nov 2026 09:20:00 GMT\n\
                 WWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "the token has ended",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ nbf=1795158000 exp=1795158900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000002;reason=\"The token has expired.\";error_category=\"token_expired\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "Exchange gives another reason",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ nbf=1795167600 exp=1795171200}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token does not \
                 exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "another service refuses such a token",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer {jwt aud=items nbf=1795167600}",
                "401\n\
                 Server: Kestrel\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer error=\"invalid_token\"",
            )],
        ),
    ];
}
