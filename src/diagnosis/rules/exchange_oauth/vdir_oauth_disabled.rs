//! One virtual directory of Exchange, on one server or on all, does not offer Bearer to a client that asks for it.
//!
//! Not to be confused with a device in front of Exchange that answers itself (`preauth-device`), with Outlook
//! Anywhere, which never does OAuth (`hma-mapihttp-disabled`), or with a Bearer challenge that only lacks its
//! authorization_uri (`hma-no-authorization-uri`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::token::is_unexplained;
use crate::diagnosis::{
    Actor, BearerSeen, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Next, Place, Rule, Signs,
};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "vdir-oauth-disabled",
    title: Text { en: "OAuth is off on a virtual directory", ja: "仮想ディレクトリで OAuth が無効" },
    explanation: Text {
        en: "The client asked for OAuth with an empty Bearer, and {directory} on {host} answered without any Bearer \
             challenge. OAuth is missing from the authentication methods of this virtual directory, on this server \
             or on all. One such server among ten is enough to make users prompt now and then.",
        ja: "クライアントが空の Bearer で OAuth を要求しましたが、{host} の {directory} は Bearer チャレンジを返しま\
             せんでした。この仮想ディレクトリの認証方法に OAuth が含まれていません。このサーバーだけの場合も、すべて\
             のサーバーの場合もあります。10 台のうち 1 台だけでも、資格情報の入力がときどき求められる原因になります。",
    },
    remedy: Text {
        en: "The directory in question, on every server (without -ADPropertiesOnly), and the others:\n\
             Get-{cmdlet} | Format-List Server,Name,*auth*\n\
             Get-MapiVirtualDirectory | Format-List Server,*auth*\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*auth*\n\
             Get-OabVirtualDirectory | Format-List Server,*auth*\n\
             Get-AutodiscoverVirtualDirectory | Format-List Server,*auth*\n\
             Get-ActiveSyncVirtualDirectory | Format-List Server,*auth*\n\
             Switch OAuth on where it is missing; the one that answered here was {server}:\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory -OAuthAuthentication \
             $true\n\
             Get-OabVirtualDirectory -Server {server} | Set-OabVirtualDirectory -OAuthAuthentication $true\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -OAuthAuthentication $true\n\
             For /mapi write the whole list, with what it held before, instead of @{Add=...}:\n\
             Get-MapiVirtualDirectory -Server {server} | Set-MapiVirtualDirectory -IISAuthenticationMethods \
             Ntlm,OAuth,Negotiate",
        ja: "該当の仮想ディレクトリをすべてのサーバーで確認し、ほかのものとも比べます (-ADPropertiesOnly は付けませ\
             ん)。\n\
             Get-{cmdlet} | Format-List Server,Name,*auth*\n\
             Get-MapiVirtualDirectory | Format-List Server,*auth*\n\
             Get-WebServicesVirtualDirectory | Format-List Server,*auth*\n\
             Get-OabVirtualDirectory | Format-List Server,*auth*\n\
             Get-AutodiscoverVirtualDirectory | Format-List Server,*auth*\n\
             Get-ActiveSyncVirtualDirectory | Format-List Server,*auth*\n\
             OAuth がないところで有効にします。今回応答したサーバーは {server} です。\n\
             Get-WebServicesVirtualDirectory -Server {server} | Set-WebServicesVirtualDirectory -OAuthAuthentication \
             $true\n\
             Get-OabVirtualDirectory -Server {server} | Set-OabVirtualDirectory -OAuthAuthentication $true\n\
             Get-AutodiscoverVirtualDirectory -Server {server} | Set-AutodiscoverVirtualDirectory \
             -OAuthAuthentication $true\n\
             /mapi では @{Add=...} を使わず、元の値も含めて一覧全体を指定します。\n\
             Get-MapiVirtualDirectory -Server {server} | Set-MapiVirtualDirectory -IISAuthenticationMethods \
             Ntlm,OAuth,Negotiate",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::EMPTY_BEARER.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    use Directory::{ActiveSync, Api, Autodiscover, Ews, Mapi, Oab};
    let directory = case.directory()?;
    let unavailable =
        case.diagnostics().is_some_and(|diagnostics| diagnostics.is_exchange(4_000_000, "oauth_not_available"));
    let silent = !matches!(directory, ActiveSync | Api | Autodiscover | Ews | Mapi | Oab)
        || case.challenge("bearer").is_some()
        || !case.would_show_response_header("www-authenticate")
        // A token that Exchange refuses without naming Bearer was never looked at.
        || !(case.asks_for_oauth() || is_unexplained(case))
        || unavailable
        || !by_exchange(case)
        || !case.is_exchange()
        || case.is_exchange_online();
    if silent {
        return None;
    }
    let server = case.server_name();
    let differs = |seen: &&BearerSeen| {
        seen.directory != Some(directory) || seen.server != server || Some(&seen.host) != case.host_name().as_ref()
    };
    // The same directory on another server tells most.
    let elsewhere = case
        .past()
        .bearer_seen(case.host())
        .filter(differs)
        .max_by_key(|seen| (seen.directory == Some(directory), seen.server == server, seen.exchange));
    let sure = elsewhere.is_some() && case.asks_for_oauth();
    let certainty = if sure { Certainty::Certain } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin)
        .on(case.on_directory())
        .naming("host", case.host_name())
        .naming("directory", Clean::from(directory.path()))
        .naming("server", server.clone())
        .naming("cmdlet", Clean::from(directory.cmdlet()))
        .because(case.evidence_schemes());
    let named = ["x-feserver", "x-calculatedbetarget"].into_iter().find(|name| case.response_header(name).is_some());
    let hit = named.map(|name| case.evidence_header(name)).into_iter().fold(hit, Hit::because);
    // The others may be met only later.
    let hit = if sure || !case.asks_for_oauth() { hit } else { hit.sure_once(Next::BearerOffered(server)) };
    Some(elsewhere.map(offered).into_iter().fold(hit, Hit::because))
}

/// Another directory or server of the organisation, offering Bearer.
fn offered(seen: &BearerSeen) -> Evidence {
    let directory = seen.directory.map_or("", Directory::path);
    let server = seen.server.clone().unwrap_or_else(|| "".into());
    let at = if seen.server.is_some() { " at " } else { "" };
    let text = Clean::concat(["Bearer offered by ".into(), seen.host.clone(), directory.into(), at.into(), server]);
    Evidence { exchange: seen.exchange, place: Place::ResponseHeader("www-authenticate"), text }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "one directory offers no Bearer while another does",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "GET https://mail.contoso.com/OAB/9c1d/oab.xml\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: Negotiate\n\
                     WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::fires(
            "one server of several offers no Bearer",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX02\n\
                     WWW-Authenticate: Negotiate\n\
                     WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::fires(
            "no other directory was seen",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.fabrikam.com:444/MAPI/nspi/\nAUTHORIZATION: bearer",
                "401\n\
                 server: Microsoft-IIS/10.0\n\
                 X-FESERVER: FAB-EX3\n\
                 X-Extra: 1\n\
                 www-authenticate: Negotiate, NTLM, Basic realm=\"mail.fabrikam.com\"",
            )],
        ),
        Example::fires(
            "a token is refused, and nothing speaks of tokens",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "401\nServer: Microsoft-IIS/10.0\nX-CalculatedBETarget: ex03.contoso.com\nWWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "a token is refused by what looks into it",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "401\nServer: Microsoft-IIS/10.0\nX-FEServer: EX03\nWWW-Authenticate: Negotiate\n\
                 x-ms-diagnostics: 2000002;reason=\"The token has expired.\";error_category=\"token_expired\"",
            )],
        ),
        Example::silent(
            "Bearer is offered",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "nobody asked for OAuth",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "GET https://mail.contoso.com/OAB/9c1d/oab.xml",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: Negotiate\n\
                     WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::silent(
            "a gateway answers in its place",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "GET https://mail.contoso.com/OAB/9c1d/oab.xml\nAuthorization: Bearer",
                    "401\nServer: BigIP\nWWW-Authenticate: Basic realm=\"gateway\"",
                ),
            ],
        ),
        Example::silent(
            "Outlook Anywhere has no OAuth to switch on",
            &[Raw::new(
                "RPC_IN_DATA https://mail.contoso.com/rpc/rpcproxy.dll?ex01:6001\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "4000000 shows that the directory does OAuth",
            &[Raw::new(
                "GET https://mail.contoso.com/OAB/9c1d/oab.xml\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
    ];
}
