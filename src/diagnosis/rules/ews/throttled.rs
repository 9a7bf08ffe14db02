//! A service asks the client to slow down.
//!
//! Not to be confused with ActiveSync (`eas-throttled`) and sign-in (`aad-throttled`), which have answers of their own,
//! or with a server that breaks down under its load (`server-overloaded`): that one asks for nothing.

use crate::diagnosis::ews::{error, evidence_of, soap};
use crate::diagnosis::sharepoint::is_share_point;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "throttled",
    title: Text {
        en: "The service asks the client to slow down",
        ja: "サービスがクライアントに減速を要求 (スロットリング)",
    },
    explanation: Text {
        en: "The client makes more requests at once, or in a time, than the service grants, and is told to wait: \
             {wait}. A client that waits so long and goes on is working as it should; one that repeats at once is put \
             off longer each time. Migrations of many mailboxes in parallel meet this first, and their tools may \
             report it as refused credentials.",
        ja: "クライアントの同時要求数または一定時間の要求数がサービスの許容量を超え、待つよう指示されています ({wait})。指\
             定された時間だけ待って続行するクライアントは正常です。すぐに再試行すると待ち時間は長くなります。多数のメール\
             ボックスの並行移行でよく起こり、移行ツールが資格情報の拒否として表示することもあります。",
    },
    remedy: Text {
        en: "Wait as told, then go on with fewer mailboxes or threads at a time. In Exchange Online the admin center \
             can ease EWS throttling for a migration (Need help: EWS throttling). On servers of your own give the \
             migration account a policy of its own:\n\
             Get-ThrottlingPolicyAssociation -Identity '<migration account>'\n\
             New-ThrottlingPolicy -Name Migration -ThrottlingPolicyScope Regular -EwsMaxConcurrency 100 \
             -EwsMaxSubscriptions 5000\n\
             Set-ThrottlingPolicyAssociation -Identity '<migration account>' -ThrottlingPolicy Migration\n\
             Impersonation counts against the mailbox and not the account. Against SharePoint and Graph send a \
             User-Agent of the form ISV|Company|App/1.0 and honour Retry-After.",
        ja: "指示どおりに待ち、同時に処理するメールボックス数やスレッド数を減らします。Exchange Online では、移行のために\
             管理センター (ヘルプ: EWS throttling) で EWS の制限を緩和できます。オンプレミスでは移行アカウントに専用のポリ\
             シーを割り当てます。\n\
             Get-ThrottlingPolicyAssociation -Identity '<migration account>'\n\
             New-ThrottlingPolicy -Name Migration -ThrottlingPolicyScope Regular -EwsMaxConcurrency 100 \
             -EwsMaxSubscriptions 5000\n\
             Set-ThrottlingPolicyAssociation -Identity '<migration account>' -ThrottlingPolicy Migration\n\
             偽装を使うと、アカウントではなく対象メールボックスの枠で計算されます。SharePoint と Graph では \
             ISV|Company|App/1.0 形式の User-Agent を送り、Retry-After に従ってください。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange",
        "https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online",
        "https://learn.microsoft.com/graph/throttling",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::MigrationTool, Actor::Client],
    gate: Gate::status(&[200, 302, 400, 403, 429, 500, 503, 509])
        .showing(Signs::XML.or(Signs::SHARE_POINT).or(Signs::GRAPH).or(Signs::EXCHANGE)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Codes of Exchange Web Services, and of Autodiscover, for too much at once.
const CODES: [&str; 6] = [
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorExceededFindCountLimit",
    "ErrorExceededSubscriptionCount",
    "ServerBusy",
    "ErrorTooManyRequests",
];

fn find(case: &Case<'_>) -> Option<Hit> {
    let others = case.is_sign_in() || case.directory() == Some(Directory::ActiveSync);
    if others || case.response_header("x-ms-asthrottle").is_some() {
        return None;
    }
    let (certainty, evidence) = by_code(case).or_else(|| by_status(case)).or_else(|| by_page(case))?;
    let hit = Hit::failure(certainty, actor(case)).on(case.on_server());
    let hit = evidence.into_iter().fold(hit, Hit::because);
    Some(hit.naming("wait", wait(case)))
}

/// In SOAP.
fn by_code(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    let error = error(case, &CODES)?;
    Some((Certainty::Certain, evidence_of(case, error)))
}

/// 429 always asks to slow down, 503 and 403 where they say when to come back or why.
fn by_status(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    const LATER: [&str; 4] = ["retry-after", "x-backoffduration", "x-backoff", "x-ms-throttle"];
    let status = case.status().filter(|status| matches!(status, 403 | 429 | 503 | 509))?;
    let online = is_share_point(case) || case.signs().has_any(Signs::GRAPH);
    if !online && !case.is_exchange() {
        return None;
    }
    let later = LATER.into_iter().find(|name| case.response_header(name).is_some());
    let says = || {
        case.rest_error().is_some_and(|error| {
            let codes = ["ApplicationThrottled", "activityLimitReached", "TooManyRequests", "serviceNotAvailable"];
            codes.iter().any(|code| error.has_code(code)) || error.says("throttl")
        })
    };
    let certainty = match status {
        429 => Certainty::Certain,
        // Federation that fails, and back ends that are gone, answer 503 as well.
        503 if case.response_header("x-autodiscovery-error").is_some() => return None,
        503 if online && (later.is_some() || says()) => Certainty::Certain,
        503 if later.is_some() || says() => Certainty::Likely,
        403 | 509 if says() => Certainty::Certain,
        _ => return None,
    };
    let mut evidence = vec![case.evidence_status()];
    evidence.extend(later.map(|name| case.evidence_header(name)));
    Some((certainty, evidence))
}

/// SharePoint sends browsers, and what looks like one, to a page.
fn by_page(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    let location = case.response_header("location").filter(|_| case.status() == Some(302) && is_share_point(case))?;
    let to_page = location.as_str().to_ascii_lowercase().contains("/throttle.htm");
    to_page.then(|| (Certainty::Certain, vec![case.evidence_header("location")]))
}

/// How long to wait, as the service words it.
fn wait(case: &Case<'_>) -> Option<Clean> {
    if let Some(back_off) = soap(case).and_then(|soap| soap.back_off) {
        return Some(Clean::concat(["BackOffMilliseconds ".into(), back_off.into()]));
    }
    let header = |name: &str| case.response_header(name).cloned();
    header("retry-after").map(|value| Clean::concat(["Retry-After ".into(), value]))
}

fn actor(case: &Case<'_>) -> Actor {
    const PROGRAMS: [&str; 4] = ["Microsoft Office", "Outlook", "Mozilla", "Apple-"];
    let agent = case.request_header("user-agent").map(Clean::as_str);
    let person = agent.is_some_and(|agent| PROGRAMS.iter().any(|program| agent.contains(program)));
    if person { Actor::Client } else { Actor::MigrationTool }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty, actor: Actor) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, actor)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "EWS is busy and says for how long",
            found(Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nContent-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                 <s:Body><s:Fault><faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
                 a:ErrorServerBusy</faultcode><detail><t:MessageXml><t:Value Name=\"BackOffMilliseconds\">297749\
                 </t:Value></t:MessageXml></detail></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "Graph answers 429",
            found(Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "GET https://graph.microsoft.us/v1.0/users/avery@contoso.com/messages",
                "429\nretry-after: 17\nContent-Type: application/json\n\n{\"error\":{\"code\":\"ApplicationThrottled\",\
                 \"message\":\"Application is over its MailboxConcurrency limit.\"}}",
            )],
        ),
        Example::fires(
            "SharePoint answers 503 and says when to come back",
            found(Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nUser-Agent: Mozilla/5.0",
                "503\nRetry-After: 120\nSPRequestGuid: 1",
            )],
        ),
        Example::fires(
            "SharePoint sends to its page",
            found(Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "GET https://contoso.sharepoint.cn/_api/web",
                "302\nLocation: https://contoso.sharepoint.cn/_layouts/15/Throttle.htm",
            )],
        ),
        Example::fires(
            "Exchange answers 503 and says when to come back",
            found(Certainty::Likely, Actor::MigrationTool),
            &[Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "503\nX-FEServer: EX01\nRetry-After: 30")],
        ),
        Example::silent(
            "a 503 that asks for nothing",
            &[Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "503\nX-FEServer: EX01")],
        ),
        Example::silent(
            "ActiveSync has words of its own",
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync",
                "503\nX-MS-ASThrottle: SyncCommands\nRetry-After: 300\nMS-Server-ActiveSync: 15.2",
            )],
        ),
        Example::silent("GitHub answers 429", &[Raw::new("GET https://api.github.com/user", "429\nRetry-After: 60")]),
        Example::silent(
            "federation fails",
            &[Raw::new(
                "GET https://autodiscover-s.outlook.com/Autodiscover/Autodiscover.xml",
                "503\nX-AutoDiscovery-Error: LiveIdBasicAuth:FederatedStsUnreachable:<x>\nRetry-After: 30",
            )],
        ),
    ];
}
