//! Free/busy between organisations by a federation trust: the SAML token in the SOAP message is refused at a /WSSecurity
//! endpoint.
//!
//! Not to be confused with OAuth between servers, which uses the plain endpoints, or with a gateway that answers itself
//! (`preauth-device`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hybrid-wssecurity",
    title: Text {
        en: "The federation token is refused at the WSSecurity endpoint",
        ja: "WSSecurity エンドポイントでフェデレーション トークンが拒否された",
    },
    explanation: Text {
        en: "The other organisation calls {host} with a token of the Microsoft Federation Gateway inside the SOAP \
             message, and it could not be verified: the metadata of the federation trust is stale, WSSecurity \
             authentication is off on the virtual directory or damaged in IIS, the clocks differ, or the domain is \
             registered with another application identifier.",
        ja: "相手の組織は、SOAP メッセージに Microsoft Federation Gateway のトークンを入れて {host} を呼び出してい\
             ますが、検証できませんでした。フェデレーション信頼のメタデータが古い、仮想ディレクトリの WSSecurity 認\
             証が無効または IIS 側で壊れている、時計がずれている、ドメインが別のアプリケーション識別子で登録されて\
             いることが考えられます。",
    },
    remedy: Text {
        en: "Refresh the metadata, twice, and set WSSecurity off and on again on both virtual directories:\n\
             Get-FederationTrust | Set-FederationTrust -RefreshMetadata\n\
             Get-FederationTrust | Set-FederationTrust -RefreshMetadata\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory \
             -WSSecurityAuthentication $false\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory \
             -WSSecurityAuthentication $true\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -WSSecurityAuthentication $false\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -WSSecurityAuthentication $true\n\
             iisreset\n\
             Then test, and compare the identifiers; the certificate of the trust must be on every server:\n\
             Test-FederationTrust -UserIdentity '<mailbox>' -Verbose\n\
             Get-FederationTrust | Format-List \
             ApplicationIdentifier,ApplicationUri,OrgPrivCertificate,TokenIssuerUri\n\
             Get-FederatedOrganizationIdentifier | Format-List AccountNamespace,Domains,Enabled\n\
             w32tm /query /status\n\
             A reverse proxy must pass /EWS/Exchange.asmx/WSSecurity and /autodiscover/autodiscover.svc/WSSecurity \
             through without asking for credentials.",
        ja: "メタデータを 2 回更新し、両方の仮想ディレクトリで WSSecurity を無効にしてから再び有効にします。\n\
             Get-FederationTrust | Set-FederationTrust -RefreshMetadata\n\
             Get-FederationTrust | Set-FederationTrust -RefreshMetadata\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory \
             -WSSecurityAuthentication $false\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory \
             -WSSecurityAuthentication $true\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -WSSecurityAuthentication $false\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -WSSecurityAuthentication $true\n\
             iisreset\n\
             その後テストし、識別子を比べます。信頼の証明書はすべてのサーバーに必要です。\n\
             Test-FederationTrust -UserIdentity '<mailbox>' -Verbose\n\
             Get-FederationTrust | Format-List \
             ApplicationIdentifier,ApplicationUri,OrgPrivCertificate,TokenIssuerUri\n\
             Get-FederatedOrganizationIdentifier | Format-List AccountNamespace,Domains,Enabled\n\
             w32tm /query /status\n\
             リバース プロキシでは、/EWS/Exchange.asmx/WSSecurity と /autodiscover/autodiscover.svc/WSSecurity を資\
             格情報を求めずにパススルーする必要があります。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/calendaring/resolve-free-busy-errors",
        "https://learn.microsoft.com/en-us/exchange/troubleshoot/calendars/cannot-see-free-busy-information",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[400, 401, 403, 500]).showing(Signs::EWS.or(Signs::AUTODISCOVER).or(Signs::XML)),
    supersedes: &["vdir-oauth-disabled"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let there = ends_with(case.path().trim_end_matches('/'), "/wssecurity");
    let words = words(case).filter(|_| there || case.exchange.url.is_none());
    let certainty = match words {
        Some(_) => Certainty::Certain,
        // The endpoint itself asks for no credentials; whoever answers 401 does not get as far as the token.
        None if there
            && matches!(case.status(), Some(401 | 403))
            && by_exchange(case)
            && !case.is_exchange_online() =>
        {
            Certainty::Likely
        }
        None => return None,
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin)
        .on(case.on_directory())
        .naming("host", case.host_name())
        .naming("server", case.server_name());
    let hit = match words {
        Some(words) => hit.because(case.evidence_body(words)),
        None => hit.because(case.evidence_status()),
    };
    Some(if there { hit.because(case.evidence_url()) } else { hit })
}

/// The fault of WS-Security, by its code or in its sentence.
fn words<'a>(case: &Case<'a>) -> Option<&'a str> {
    const SENTENCES: [&str; 2] = [
        "An error occurred when verifying security for the message",
        "An error occurred when processing the security tokens",
    ];
    const CODES: [&str; 5] = [
        ":InvalidSecurity<",
        ":InvalidSecurityToken<",
        ":FailedAuthentication<",
        ":MessageExpired<",
        ":SecurityTokenUnavailable<",
    ];
    let body = case.response_body();
    if !body.contains("Fault") {
        return None;
    }
    let sentence = SENTENCES.iter().find_map(|words| body.find(words).map(|at| &body[at..at + words.len()]));
    let code = || CODES.iter().find_map(|code| body.find(code).map(|at| &body[at + 1..at + code.len() - 1]));
    sentence.or_else(code)
}

fn ends_with(path: &str, end: &str) -> bool {
    let at = path.len().checked_sub(end.len());
    at.and_then(|at| path.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the message cannot be verified",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx/WSSecurity\n\
                 User-Agent: ASProxy/CrossForest/EmailDomain//15.20.8000",
                "500\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Content-Type: application/soap+xml\n\
                 \n\
                 <s:Envelope \
                 xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text \
                 xml:lang=\"en-US\">An error occurred when verifying security for the \
                 message.</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "the fault is worded in another language",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.svc/wssecurity",
                "500\n\
                 Server: Microsoft-IIS/10.0\n\
                 Content-Type: text/xml\n\
                 \n\
                 <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode \
                 xmlns:a=\"x\">a:InvalidSecurity</faultcode><faultstring \
                 xml:lang=\"de\">Fehler.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "Exchange asks for credentials there",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx/WSSecurity",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "a gateway asks for credentials",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx/WSSecurity",
                "401\n\
                 Server: BigIP\n\
                 WWW-Authenticate: Basic realm=\"gateway\"",
            )],
        ),
        Example::silent(
            "the plain endpoint has another fault",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\n\
                 Server: Microsoft-IIS/10.0\n\
                 Content-Type: text/xml\n\
                 \n\
                 <s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>a:ErrorAccessDenied</faultcode><faultstring>Access \
                 is denied.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
    ];
}
