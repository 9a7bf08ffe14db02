//! The client is Microsoft's cloud, on behalf of Outlook on a phone or of the new Outlook.
//!
//! A note, beside whatever else is found. Not to be confused with mail programs that call from the device, as Apple Mail,
//! nor with the sign-in of the same application, which does come from the device.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Token;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "outlook-mobile-cloud",
    title: Text {
        en: "This call comes from Microsoft's cloud, not from the device",
        ja: "この要求はデバイスではなく Microsoft のクラウドから届いている",
    },
    explanation: Text {
        en: "Outlook for iOS and Android, and the new Outlook for Windows, hand the account to a service in \
             Microsoft's cloud, which talks to Exchange for them. A capture on the phone or the PC shows the sign-in \
             and no call to the server, and firewall rules for the device do not apply: the server must be \
             reachable from Microsoft 365.",
        ja: "Outlook for iOS / Android と新しい Outlook for Windows では、Microsoft のクラウド上のサービスがアカウントを\
             預かり、代わりに Exchange と通信します。電話や PC でのキャプチャに見えるのはサインインだけで、サーバーへの\
             要求は現れません。デバイス用のファイアウォール規則も効かず、サーバーは Microsoft 365 から到達できる必要が\
             あります。",
    },
    remedy: Text {
        en: "Nothing to do where the call goes well. To look for a failure, capture in front of the server and not \
             on the device, and read its IIS log. Let the addresses of Exchange Online (Microsoft 365 endpoints, \
             service area Exchange) reach {host} without pre-authentication.",
        ja: "要求が成功していれば対処は不要です。失敗を調べる場合は、デバイスではなくサーバーの手前でキャプチャし、IIS \
             のログも確認します。Exchange Online のアドレス (Microsoft 365 エンドポイント、サービス領域 Exchange) から \
             {host} に、事前認証なしで到達できるようにしてください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/outlook-for-ios-and-android/use-hybrid-modern-auth",
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges",
    ],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::ANY.showing(Signs::ACTIVE_SYNC.or(Signs::AUTODISCOVER).or(Signs::EWS).or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// The application id of Outlook for iOS and Android.
const APPLICATION: &str = "27922004-5251-4030-b22d-91ecd9a37ea4";
const AGENTS: [&str; 3] = ["Outlook-iOS", "Outlook-Android", "OutlookMobileCloudService"];

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.directory().is_none() || case.is_sign_in() {
        return None;
    }
    let named = case.request_header("user-agent").is_some_and(|agent| {
        let agent = agent.as_str().as_bytes();
        let at = |at: usize, name: &str| {
            agent.get(at..at + name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name.as_bytes()))
        };
        memchr::memchr2_iter(b'O', b'o', agent).any(|start| AGENTS.iter().any(|name| at(start, name)))
    });
    let evidence = if named {
        case.evidence_request("user-agent")
    } else {
        let Some(Token::Jwt(token)) = case.bearer() else { return None };
        token.appid.as_ref().filter(|appid| appid.as_str().eq_ignore_ascii_case(APPLICATION))?;
        case.evidence_request("authorization")
    };
    let hit = Hit::note(Certainty::Certain, Actor::Nobody).on(case.on_server()).because(evidence);
    Some(hit.naming("host", case.host_name()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the cloud service names itself",
            (Kind::Note, Certainty::Certain, Actor::Nobody),
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync\n\
                 user-agent: outlook-ios-android/1.0\nAuthorization: Bearer",
                "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "the token is that of Outlook Mobile",
            (Kind::Note, Certainty::Certain, Actor::Nobody),
            &[Raw::new(
                "GET https://mail.contoso.com/autodiscover/autodiscover.json?Protocol=ActiveSync\n\
                 Authorization: Bearer {jwt appid=27922004-5251-4030-b22d-91ecd9a37ea4}",
                "200 OK",
            )],
        ),
        Example::silent(
            "a phone's own mail program calls",
            &[Raw::new(
                "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync\n\
                 User-Agent: Apple-iPhone16C1/2302.92\nAuthorization: Bearer",
                "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "Outlook Mobile signs in from the device",
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/authorize?\
                 client_id=27922004-5251-4030-b22d-91ecd9a37ea4\nUser-Agent: Outlook-iOS/4.2",
                "200 OK",
            )],
        ),
    ];
}
