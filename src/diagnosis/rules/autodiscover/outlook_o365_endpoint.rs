//! Outlook asks Exchange Online for Autodiscover first, and prompts there, although the mailbox is on a server of the
//! organisation.
//!
//! Said only when that server has answered the same program's Autodiscover, before or later. Not to be confused with a
//! mailbox that is in Exchange Online, to which the server redirects.

use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Next, Place, Rule, Sent, Signs};
use crate::redact::{Credential, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "outlook-o365-endpoint",
    title: Text {
        en: "Outlook asks Exchange Online first, and the mailbox is on-premises",
        ja: "メールボックスはオンプレミスなのに Outlook が先に Exchange Online に問い合わせている",
    },
    explanation: Text {
        en: "Outlook 2016 and later try the Autodiscover of Exchange Online ({host}) before the addresses of the \
             domain when they take the account for one of Microsoft 365. Exchange Online does not accept the \
             credentials of a mailbox that is not there, and the user sees a prompt. The server of the organisation \
             answers the same Outlook ({other}).",
        ja: "Outlook 2016 以降は、アカウントを Microsoft 365 のものと判断すると、ドメインの候補より先に Exchange Online \
             の自動検出 ({host}) に問い合わせます。メールボックスがそこにない場合、Exchange Online は資格情報を受け付け\
             ず、ユーザーに入力画面が表示されます。同じ Outlook に、組織のサーバー ({other}) は応答しています。",
    },
    remedy: Text {
        en: "Keep Outlook from asking there, by policy or on the machine, while the mailbox is on-premises:\n\
             reg add HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeExplicitO365Endpoint /t \
             REG_DWORD /d 1 /f\n\
             Remove the value before the mailbox is moved to Exchange Online:\n\
             reg delete HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeExplicitO365Endpoint /f",
        ja: "メールボックスがオンプレミスにある間は、ポリシーまたは端末の設定で Outlook が問い合わせないようにします。\n\
             reg add HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeExplicitO365Endpoint /t \
             REG_DWORD /d 1 /f\n\
             メールボックスを Exchange Online に移動する前に、この値を削除します。\n\
             reg delete HKCU\\Software\\Microsoft\\Office\\16.0\\Outlook\\AutoDiscover /v ExcludeExplicitO365Endpoint /f",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/profiles-and-accounts/unexpected-autodiscover-behavior",
        "https://support.microsoft.com/kb/3211279",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::AUTODISCOVER),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if !case.is_exchange_online() || case.directory() != Some(Directory::Autodiscover) {
        return None;
    }
    let agent = case.request_header("user-agent")?;
    let outlook = agent.as_str().starts_with("Microsoft Office/") || agent.as_str().contains("Outlook 1");
    let hit = match case.authorization() {
        // A challenge alone shows no prompt.
        Sent::Absent | Sent::Credential(Credential::Empty | Credential::Bearer(Token::Empty)) => {
            Hit::note(Certainty::Likely, Actor::Client)
        }
        Sent::Credential(Credential::Bearer(_)) | Sent::Unseen => return None,
        Sent::Credential(_) => Hit::failure(Certainty::Likely, Actor::Client),
    };
    if !outlook {
        return None;
    }
    let hit = hit.on(case.on_server()).because(case.evidence_url()).because(case.evidence_status());
    let hit = hit.naming("host", case.host_name());
    let own = case.past().own_server().filter(|own| own.agent.as_ref() == Some(agent));
    Some(match own {
        Some(own) => {
            let answered = Evidence { exchange: own.exchange, place: Place::RequestUrl, text: own.host.clone() };
            hit.because(answered).naming("other", own.host.clone())
        }
        None => hit.once(Next::OwnServer),
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const PROMPT: Raw = Raw::new(
        "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n\
         User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
         Authorization: Basic {basic CONTOSO\\avery:secret}",
        "401\nX-FEServer: AM9P195CA0011\nWWW-Authenticate: Basic realm=\"\"",
    );

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the server of the organisation answered the same Outlook before",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[
                Raw::new(
                    "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                     User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
                     Authorization: NTLM {ntlm3 avery}",
                    "200 OK\nX-FEServer: EX01",
                ),
                PROMPT,
            ],
        ),
        Example::silent(
            "the server of the organisation sends Outlook to Exchange Online",
            &[
                Raw::new(
                    "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                     User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
                     Authorization: NTLM {ntlm3 avery}",
                    "200 OK\nX-FEServer: EX01\nContent-Type: text/xml\n\n<Autodiscover><Response><Account>\
                     <Action>redirectAddr</Action></Account></Response></Autodiscover>",
                ),
                Raw::new(
                    "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n\
                     User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
                     Authorization: Bearer {jwt upn=avery@contoso.com}",
                    "401\nX-FEServer: AM9P195CA0011\nWWW-Authenticate: Basic realm=\"\"",
                ),
            ],
        ),
        Example::silent(
            "a migration tool asks there",
            &[Raw::new(
                "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n\
                 User-Agent: ExchangeServicesClient/15.00\nAuthorization: Basic {basic avery@contoso.com:secret}",
                "401\nX-FEServer: AM9P195CA0011\nWWW-Authenticate: Basic realm=\"\"",
            )],
        ),
    ];
}
