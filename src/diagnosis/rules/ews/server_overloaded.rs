//! An Exchange server of one's own that gives way under the load of a migration: it slows down, breaks answers off, and
//! now and then refuses what it takes at other times.
//!
//! Not to be confused with a wrong password, which is refused always, or with a server that asks to slow down
//! (`throttled`).

use std::time::Duration;

use crate::diagnosis::past::load::{broke_off, refuses_for_no_reason};
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Load, Place, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "server-overloaded",
    title: Text { en: "The server gives way under load", ja: "サーバーが過負荷で応答できない" },
    explanation: Text {
        en: "{host} answers some requests and fails on others of the same kind: answers take longer and longer, break \
             off, say 503, or refuse with 401 the very credentials that are accepted at other times. Old source \
             servers (Exchange 2010 and 2007) do this when a migration reads many mailboxes at once, or when they \
             cannot reach a domain controller in time. The password is not the cause.",
        ja: "{host} は同じ種類の要求に応答したり失敗したりしています。応答が次第に遅くなる、途中で切れる、503 を返す、ほ\
             かのときには受け付ける資格情報を 401 で拒否する、といった症状です。移行で多数のメールボックスを同時に読み取\
             ると、古い移行元サーバー (Exchange 2010 や 2007) で起こります。ドメイン コントローラーに時間内に到達できない\
             場合も同様です。パスワードが原因ではありません。",
    },
    remedy: Text {
        en: "Migrate fewer mailboxes at a time and look at the server while it runs: processor, memory, disk queues, \
             network, and the time that domain controllers take:\n\
             Get-Counter '\\Processor(_Total)\\% Processor Time','\\Memory\\Available MBytes','\\PhysicalDisk(_Total)\\Avg. \
             Disk Queue Length','\\MSExchange ADAccess Domain Controllers(*)\\LDAP Search Time'\n\
             Get-ServerHealth -Identity <server> | Where-Object AlertValue -ne Healthy\n\
             In the HTTP error log (%SystemRoot%\\System32\\LogFiles\\HTTPERR) look for Connection_Dropped and \
             QueueFull. Netlogon in the system log (events 5816 to 5819) tells of sign-ins that wait: raise \
             MaxConcurrentApi. Schedule the migration outside working hours.",
        ja: "同時に移行するメールボックスを減らし、実行中のサーバーの CPU、メモリ、ディスク キュー、ネットワーク、ドメイ\
             ン コントローラーの応答時間を確認します。\n\
             Get-Counter '\\Processor(_Total)\\% Processor Time','\\Memory\\Available MBytes','\\PhysicalDisk(_Total)\\Avg. \
             Disk Queue Length','\\MSExchange ADAccess Domain Controllers(*)\\LDAP Search Time'\n\
             Get-ServerHealth -Identity <server> | Where-Object AlertValue -ne Healthy\n\
             HTTP エラー ログ (%SystemRoot%\\System32\\LogFiles\\HTTPERR) で Connection_Dropped と QueueFull を確認します。シ\
             ステム ログの Netlogon (イベント 5816～5819) はサインインの待ちを示すため、MaxConcurrentApi を引き上げます。\
             移行は業務時間外に実行してください。",
    },
    sources: &[
        "https://learn.microsoft.com/troubleshoot/windows-server/windows-security/performance-tuning-ntlm-authentication-maxconcurrentapi",
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange",
        "https://learn.microsoft.com/troubleshoot/developer/webapps/aspnet/site-behavior-performance/error-logging-http-apis",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::ANY.showing(Signs::EXCHANGE),
    supersedes: &["basic-bad-credentials", "ntlm-rejected", "mrsproxy-unauthorized", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.status().is_some_and(|status| !matches!(status, 401 | 502..=504)) || case.is_exchange_online() {
        return None;
    }
    let load = case.past().load(case.host());
    let slower = load.and_then(Load::slower);
    let served = load.is_some_and(|load| load.served() > 0);
    let (certainty, evidence) = if case.status() == Some(401) {
        let wavers = refuses_for_no_reason(case) && load.is_some_and(|load| load.wavers(case));
        wavers.then(|| (Certainty::Likely, case.evidence_request("authorization")))?
    } else {
        let evidence = if is_unavailable(case) { case.evidence_status() } else { broken(case).filter(|_| served)? };
        let repeated = load.is_some_and(|load| load.troubles() >= 2 && load.served() >= 2);
        let certainty = if slower.is_some() || repeated { Certainty::Likely } else { Certainty::Possible };
        (certainty, evidence)
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_server()).because(evidence);
    let hit = if case.status() == Some(401) { hit.because(case.evidence_status()) } else { hit };
    let times = slower.map(|(early, late)| case.evidence(Place::ConnectionServer, times(early, late)));
    Some(times.into_iter().fold(hit, Hit::because).naming("host", case.host_name()))
}

/// The server says that it cannot, and neither until when nor that somebody else cannot.
fn is_unavailable(case: &Case<'_>) -> bool {
    const ELSEWHERE: [&str; 5] =
        ["retry-after", "x-autodiscovery-error", "x-ms-asthrottle", "x-backoffduration", "x-squid-error"];
    // These have answers of their own.
    let own = matches!(case.directory(), Some(Directory::ActiveSync | Directory::Rpc));
    matches!(case.status(), Some(502..=504))
        && !own
        && case.soap().is_none_or(|soap| soap.errors.is_empty())
        && ELSEWHERE.iter().all(|name| case.response_header(name).is_none())
}

/// The answer never came, or its connection was cut.
fn broken(case: &Case<'_>) -> Option<Evidence> {
    let failure = case.exchange.error.as_ref().filter(|_| case.status().is_none() && broke_off(case))?;
    Some(case.evidence(Place::ConnectionServer, failure.text.clone()))
}

fn times(early: Duration, late: Duration) -> Clean {
    let milliseconds = |time: Duration| Clean::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let (early, late) = (milliseconds(early), milliseconds(late));
    Clean::concat(["time to first byte: ".into(), early, " ms at first, ".into(), late, " ms of late".into()])
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};
    use crate::exchange::{FailureKind, Side, Step};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::ExchangeAdmin)
    }

    const SENT: &str =
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\mig:secret}";
    const TAKEN: Raw = Raw::new(SENT, "200\nX-FEServer: EX01");
    const REFUSED: Raw = Raw::new(SENT, "401\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"");
    const WINDOWS: &str = "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 mig}";
    const WINDOWS_TAKEN: Raw = Raw::new(WINDOWS, "200\nX-FEServer: EX01");
    const WINDOWS_REFUSED: Raw = Raw::new(WINDOWS, "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM");
    const UNAVAILABLE: Raw = Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "503\nX-FEServer: EX01");
    const RESET: Raw = Raw::failed(
        "POST https://mail.contoso.com/EWS/Exchange.asmx",
        Side::Server,
        Step::Receive,
        FailureKind::Reset,
        "the server reset the connection",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the same password is refused, taken and refused",
            found(Certainty::Likely),
            &[REFUSED, TAKEN, REFUSED],
        ),
        Example::fires(
            "an account of Windows is refused again and again between successes",
            found(Certainty::Likely),
            &[WINDOWS_TAKEN, WINDOWS_REFUSED, WINDOWS_TAKEN, WINDOWS_REFUSED],
        ),
        Example::fires("it is not available for the first time", found(Certainty::Possible), &[UNAVAILABLE]),
        Example::fires(
            "answers break off and it is not available, between successes",
            found(Certainty::Likely),
            &[TAKEN, RESET, TAKEN, UNAVAILABLE, RESET],
        ),
        Example::silent("a password is refused always", &[REFUSED, REFUSED, REFUSED]),
        Example::silent("a password was taken and is refused now: it may have been changed", &[TAKEN, TAKEN, REFUSED]),
        Example::silent("a wrong password, then a right one", &[WINDOWS_REFUSED, WINDOWS_TAKEN, WINDOWS_REFUSED]),
        Example::silent(
            "it says when to come back",
            &[Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "503\nX-FEServer: EX01\nRetry-After: 10")],
        ),
        Example::silent("no answer ever came", &[RESET]),
        Example::silent(
            "Exchange Online is not available",
            &[Raw::new("POST https://outlook.office365.com/EWS/", "503")],
        ),
    ];
}
