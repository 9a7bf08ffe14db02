//! An Outlook that keeps to Basic, NTLM or Kerberos although the server offers OAuth.
//!
//! A note while the old scheme is accepted, a failure when it is refused. A Kerberos ticket that is accepted needs no note:
//! it is single sign-on as it should be, and no password is at stake. Not to be confused with a client that did offer
//! Bearer on that host and fell back.

use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::{Clean, Credential, NtlmMessage};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "client-no-bearer",
    title: Text {
        en: "Outlook does not use modern authentication here", ja: "Outlook が先進認証を使っていない"
    },
    explanation: Text {
        en: "The server offers Bearer with an authorization_uri, but the client only sends {scheme}. Outlook 2010 \
             knows no modern authentication, Outlook 2013 needs it switched on, later versions have it unless it \
             was switched off by registry, policy or preference. With Hybrid Modern Authentication the old schemes \
             still work, unless they are blocked.",
        ja: "サーバーは authorization_uri 付きの Bearer を提示していますが、クライアントは {scheme} しか送っていませ\
             ん。Outlook 2010 は先進認証に対応せず、Outlook 2013 では有効化が必要です。以降のバージョンでは、レジス\
             トリ、ポリシー、環境設定で無効にされていない限り有効です。ハイブリッド先進認証でも、ブロックされていな\
             ければ従来の方式は引き続き使えます。",
    },
    remedy: Text {
        en: "Outlook 2010: upgrade. Outlook 2013, on the user's machine:\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Office\\15.0\\Common\\Identity /v EnableADAL /t REG_DWORD /d 1 /f\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Office\\15.0\\Common\\Identity /v Version /t REG_DWORD /d 1 /f\n\
             Outlook 2016 and later, where a registry value or policy switched it off:\n\
             reg delete HKCU\\SOFTWARE\\Microsoft\\Office\\16.0\\Common\\Identity /v EnableADAL /f\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Exchange /v AlwaysUseMSOAuthForAutoDiscover /t REG_DWORD /d 1 /f\n\
             Outlook for Mac:\n\
             defaults write com.microsoft.Outlook DisableModernAuth -bool NO",
        ja: "Outlook 2010 はアップグレードしてください。Outlook 2013 では、ユーザーの端末で次を実行します。\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Office\\15.0\\Common\\Identity /v EnableADAL /t REG_DWORD /d 1 /f\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Office\\15.0\\Common\\Identity /v Version /t REG_DWORD /d 1 /f\n\
             Outlook 2016 以降で、レジストリ値またはポリシーにより無効化されている場合:\n\
             reg delete HKCU\\SOFTWARE\\Microsoft\\Office\\16.0\\Common\\Identity /v EnableADAL /f\n\
             reg add HKCU\\SOFTWARE\\Microsoft\\Exchange /v AlwaysUseMSOAuthForAutoDiscover /t REG_DWORD /d 1 /f\n\
             Outlook for Mac:\n\
             defaults write com.microsoft.Outlook DisableModernAuth -bool NO",
    },
    sources: &[
        "https://learn.microsoft.com/microsoft-365/admin/security-and-compliance/enable-modern-authentication",
        "https://learn.microsoft.com/microsoft-365/enterprise/hybrid-modern-auth-overview",
    ],
    kinds: &[Kind::Note, Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::ANY.showing(Signs::BASIC.or(Signs::WINDOWS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Sent::Credential(credential) = case.authorization() else { return None };
    let scheme = match credential {
        Credential::Basic { .. } => "Basic",
        Credential::Ntlm(_) => "NTLM",
        Credential::Negotiate(_) => "Negotiate",
        _ => return None,
    };
    let agent = case.request_header("user-agent")?;
    let directory = matches!(
        case.directory(),
        Some(Directory::Mapi | Directory::Ews | Directory::Autodiscover | Directory::Oab | Directory::Rpc)
    );
    if !directory || !is_outlook(agent) || case.past().sent_bearer(case.host()) {
        return None;
    }
    let offer = case.challenge("bearer").and_then(|bearer| bearer.clean_param("authorization_uri"));
    let offered = offer.is_some() || case.past().authorization_uri(case.host()).is_some();
    let goes_on = matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. })) || case.goes_on();
    let hit = match case.status()? {
        401 if !goes_on => Hit::failure(Certainty::Likely, Actor::Client),
        200..=399 if !is_ticket(case) => Hit::note(Certainty::Likely, Actor::Client),
        _ => return None,
    };
    offered.then(|| {
        let hit = hit.on(case.on_server()).because(case.evidence_request("user-agent"));
        hit.because(case.evidence_request("authorization")).naming("scheme", Clean::from(scheme))
    })
}

/// Outlook on a PC or a Mac, and not the cloud service that bears its name.
fn is_outlook(agent: &Clean) -> bool {
    let agent = agent.as_str().as_bytes();
    let at = |at: usize, word: &str| {
        agent.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    let has = |word: &str| memchr::memchr2_iter(b'O', b'o', agent).any(|start| at(start, word));
    has("outlook") && !has("outlook-") && !has("outlookmobile")
}

/// Negotiate with anything but an NTLM message in it.
fn is_ticket(case: &Case<'_>) -> bool {
    matches!(case.authorization(), Sent::Credential(Credential::Negotiate(_))) && case.ntlm().is_none()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const NTLM: &str = "POST https://mail.contoso.com/EWS/Exchange.asmx\nUser-Agent: Microsoft Office/15.0 (Windows \
         NT 6.3; Microsoft Outlook 15.0)\nAuthorization: NTLM {ntlm3 avery}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook 2010 is refused with a password",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.xml\nUser-Agent: Microsoft Office/14.0 \
                 (Windows NT 6.1; Microsoft Outlook 14.0)\nAuthorization: Basic {basic avery:secret}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
                 client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                 trusted_issuers=\"00000001-0000-0000-c000-000000000000@00c118a9-2de9-41d3-0000-000000000000\", \
                 authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\nWWW-Authenticate: Basic \
                 realm=\"x\"",
            )],
        ),
        Example::fires(
            "NTLM is accepted although Bearer is offered",
            (Kind::Note, Certainty::Likely, Actor::Client),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
                     client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                     trusted_issuers=\"00000001-0000-0000-c000-000000000000@00c118a9-2de9-41d3-0000-000000000000\", \
                     authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"",
                ),
                Raw::new(NTLM, "200 OK"),
            ],
        ),
        Example::silent(
            "a Kerberos ticket is accepted although Bearer is offered",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/mapi/emsmdb/",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer \
                     https://login.windows.net/common/oauth2/authorize}\nWWW-Authenticate: Negotiate",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/mapi/emsmdb/\nUser-Agent: Microsoft Office/16.0 (Windows NT 10.0; \
                     Microsoft Outlook 16.0)\nAuthorization: Negotiate {kerberos}",
                    "200 OK",
                ),
            ],
        ),
        Example::silent(
            "Bearer is not offered",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM",
                ),
                Raw::new(NTLM, "200 OK"),
            ],
        ),
        Example::silent(
            "the client asked for OAuth before it fell back",
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
                     client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                     trusted_issuers=\"00000001-0000-0000-c000-000000000000@00c118a9-2de9-41d3-0000-000000000000\", \
                     authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"",
                ),
                Raw::new(NTLM, "200 OK"),
            ],
        ),
    ];
}
