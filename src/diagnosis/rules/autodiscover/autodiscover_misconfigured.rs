//! Exchange answers under an Autodiscover address, and cannot tell where the mailbox is.
//!
//! Not to be confused with a web server that has no Autodiscover and says so (404: healthy), with one bad address beside a
//! good one (`autodiscover-probe-401`), with a mailbox that Exchange Online does not know (`exo-user-not-found`), or with
//! `GET` in a browser, to which error 600 is the right answer.

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::decode::autodiscover::{Answer, pox_error};
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Next, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "autodiscover-misconfigured",
    title: Text { en: "Autodiscover fails on {host}", ja: "{host} の自動検出が失敗" },
    explanation: Text {
        en: "Exchange answered the Autodiscover request with an error ({reason}) and no settings, and no other \
             address of the organisation has answered well in this capture. The mail address is unknown to it, its \
             mailbox server is not found, the directory or its handlers are damaged, or the URLs are wrong. Outlook, \
             phones and migrations find nothing without it.",
        ja: "Exchange が自動検出の要求に、設定ではなくエラー ({reason}) を返しました。このキャプチャでは、同じ組織の他\
             の候補も正しく応答していません。メール アドレスが不明、メールボックス サーバーが見つからない、仮想ディレ\
             クトリやハンドラーの破損、URL の誤りが考えられます。自動検出が機能しないと、Outlook、電話、移行ツールは接\
             続先を見つけられません。",
    },
    remedy: Text {
        en: "Test it from outside with the Remote Connectivity Analyzer (Outlook Connectivity), and on the server:\n\
             Test-OutlookWebServices -Identity <address> -MailboxCredential (Get-Credential)\n\
             Get-AutodiscoverVirtualDirectory | fl Server,*Authentication*,InternalUrl,ExternalUrl\n\
             Get-ClientAccessService | fl Name,AutoDiscoverServiceInternalUri\n\
             Get-WebServicesVirtualDirectory | fl Server,InternalUrl,ExternalUrl\n\
             Resolve-DnsName _autodiscover._tcp.<domain> -Type SRV\n\
             405 for autodiscover.svc means that the handler for .svc is missing in IIS. For a broken directory: \
             Remove-AutodiscoverVirtualDirectory, then New-AutodiscoverVirtualDirectory, then iisreset.",
        ja: "社外からは Remote Connectivity Analyzer (Outlook Connectivity) で、サーバーでは次のコマンドで確認します。\n\
             Test-OutlookWebServices -Identity <アドレス> -MailboxCredential (Get-Credential)\n\
             Get-AutodiscoverVirtualDirectory | fl Server,*Authentication*,InternalUrl,ExternalUrl\n\
             Get-ClientAccessService | fl Name,AutoDiscoverServiceInternalUri\n\
             Get-WebServicesVirtualDirectory | fl Server,InternalUrl,ExternalUrl\n\
             Resolve-DnsName _autodiscover._tcp.<ドメイン> -Type SRV\n\
             autodiscover.svc に対する 405 は、IIS の .svc ハンドラーがないことを示します。仮想ディレクトリが壊れてい\
             る場合は、Remove-AutodiscoverVirtualDirectory、New-AutodiscoverVirtualDirectory、iisreset の順に実行しま\
             す。",
    },
    sources: &[
        "MS-OXDSCLI section 2.2.4",
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/handling-autodiscover-error-messages",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 400, 403, 404, 405, 500, 501, 502, 503, 504]).showing(Signs::AUTODISCOVER),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.directory() != Some(Directory::Autodiscover) || case.past().autodiscover(case.host()).is_some() {
        return None;
    }
    let (certainty, reason, evidence) = told(case).or_else(|| refused(case))?;
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_server()).naming("reason", reason);
    let hit = hit.naming("host", case.host_name()).because(evidence).because(case.evidence_status());
    Some(hit.until(Next::Candidate))
}

/// What Exchange says itself.
fn told(case: &Case<'_>) -> Option<(Certainty, Clean, Evidence)> {
    if let Some(code) = case.response_header("x-caserrorcode") {
        let other = ["UnauthenticatedRequest", "UserNotFound"];
        let wrong = !other.iter().any(|word| code.as_str().trim().eq_ignore_ascii_case(word));
        let refused = case.status().is_none_or(|status| status >= 400);
        if wrong && refused {
            return Some((Certainty::Certain, code.clone(), case.evidence_header("x-caserrorcode")));
        }
    }
    let Some(Answer::Error(code)) = Answer::of(case) else { return None };
    // A browser, or a test with nothing in it, gets 600 from a healthy server; a busy one is not misconfigured.
    let asked_nothing = code == "600" && !case.method().is_empty() && case.method() != "POST";
    let exchange = case.is_exchange() || case.response_body().contains("schemas.microsoft.com/exchange/");
    if asked_nothing || code.eq_ignore_ascii_case("ServerBusy") || !exchange {
        return None;
    }
    let evidence = case.evidence_body(code);
    let reason = match pox_error(code) {
        Some(words) => Clean::concat([evidence.text.clone(), " ".into(), words.into()]),
        None => evidence.text.clone(),
    };
    Some((Certainty::Likely, reason, evidence))
}

/// A refusal that Exchange itself wrote; what IIS alone answers may be any web site's, but for the name of the host.
fn refused(case: &Case<'_>) -> Option<(Certainty, Clean, Evidence)> {
    const MARKS: [&str; 6] =
        ["x-feserver", "x-owa-version", "x-diaginfo", "x-calculatedbetarget", "x-beserver", "x-soap-enabled"];
    let status = case.status().filter(|status| matches!(status, 404 | 405 | 500..=504))?;
    let mark = MARKS.into_iter().find(|mark| case.response_header(mark).is_some());
    // Nothing but Autodiscover lives under that name.
    let by_name = || (case.host().starts_with("autodiscover.") && by_exchange(case)).then_some("server");
    let mark = mark.or_else(by_name)?;
    if case.is_exchange_online() || case.response_header("retry-after").is_some() || case.soap().is_some() {
        return None;
    }
    let reason = Clean::concat(["HTTP ".into(), Clean::from(status)]);
    Some((Certainty::Likely, reason, case.evidence_header(mark)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const POST: &str = "POST https://autodiscover.contoso.com/Autodiscover/Autodiscover.xml";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the mailbox server is not found",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(POST, "500 Internal Server Error\nX-CasErrorCode: ServerNotFound\nServer: Microsoft-IIS/10.0")],
        ),
        Example::fires(
            "the handler of the SOAP service is missing",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.svc",
                "405 Method Not Allowed\nAllow: GET, HEAD\nServer: Microsoft-IIS/10.0\nX-FEServer: EX01",
            )],
        ),
        Example::fires(
            "the answer says that the address is unknown",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                POST,
                "200 OK\nX-FEServer: EX01\nContent-Type: text/xml\n\n<Autodiscover><Response><Error><ErrorCode>500\
                 </ErrorCode><Message>The email address can't be found.</Message></Error></Response></Autodiscover>",
            )],
        ),
        Example::fires(
            "the IIS under the Autodiscover name has no such directory",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(POST, "404 Not Found\nServer: Microsoft-IIS/10.0\nX-Powered-By: ASP.NET")],
        ),
        Example::silent(
            "a browser asks without a body",
            &[Raw::new(
                "GET https://autodiscover.contoso.com/Autodiscover/Autodiscover.xml",
                "200 OK\nX-FEServer: EX01\nContent-Type: text/xml\n\n<Autodiscover><Response><Error><ErrorCode>600\
                 </ErrorCode><Message>Invalid Request</Message></Error></Response></Autodiscover>",
            )],
        ),
        Example::silent(
            "the company's web site has no Autodiscover",
            &[Raw::new(
                "POST https://contoso.com/autodiscover/autodiscover.xml",
                "404 Not Found\nServer: Microsoft-IIS/10.0",
            )],
        ),
        Example::silent(
            "another address of the organisation answered well",
            &[
                Raw::new("POST https://mail.contoso.com/autodiscover/autodiscover.xml", "200 OK\nX-FEServer: EX01"),
                Raw::new(POST, "500 Internal Server Error\nX-CasErrorCode: ServerNotFound"),
            ],
        ),
        Example::silent(
            "the answer is a healthy one",
            &[Raw::new(
                POST,
                "200 OK\nX-FEServer: EX01\nContent-Type: text/xml\n\n<Autodiscover><Response><Account>\
                 <Action>settings</Action></Account></Response></Autodiscover>",
            )],
        ),
    ];
}
