//! Exchange Online has no mailbox of this address.
//!
//! Not to be confused with a path that does not exist (404 without `X-CasErrorCode`), nor with a user whom a token names
//! and a server of one's own does not know (`user-not-in-directory`).

use crate::diagnosis::decode::activesync::Status;
use crate::diagnosis::decode::autodiscover::Answer;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "exo-user-not-found",
    title: Text {
        en: "Exchange Online knows no mailbox of this address",
        ja: "Exchange Online にこのアドレスのメールボックスがない",
    },
    explanation: Text {
        en: "The sign-in may be fine; there is no mailbox behind the address in Exchange Online. It is misspelled, \
             its domain is no accepted domain of the tenant, the user has no licence with Exchange Online, or the \
             mailbox is still on a server of the organisation and the client asked the wrong place.",
        ja: "サインインに問題がなくても、このアドレスのメールボックスは Exchange Online にありません。アドレスの誤り、\
             ドメインがテナントの承認済みドメインではない、Exchange Online を含むライセンスがない、またはメールボック\
             スがまだオンプレミスにあり接続先が違う、のいずれかです。",
    },
    remedy: Text {
        en: "Look the address up in Exchange Online:\n\
             Get-Recipient -Identity '{user}' | fl RecipientTypeDetails,PrimarySmtpAddress,ExternalEmailAddress\n\
             Get-AcceptedDomain | ft DomainName,DomainType\n\
             Get-MgUserLicenseDetail -UserId '{user}' | ft SkuPartNumber\n\
             MailUser means that the mailbox is elsewhere: let Autodiscover of the domain point there.",
        ja: "Exchange Online でアドレスを調べます。\n\
             Get-Recipient -Identity '{user}' | fl RecipientTypeDetails,PrimarySmtpAddress,ExternalEmailAddress\n\
             Get-AcceptedDomain | ft DomainName,DomainType\n\
             Get-MgUserLicenseDetail -UserId '{user}' | ft SkuPartNumber\n\
             MailUser の場合、メールボックスは別の場所にあります。ドメインの自動検出がそちらを指すようにしてください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/exchange-activesync/exchange-activesync",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 401, 403, 404]).showing(Signs::EXCHANGE),
    supersedes: &["autodiscover-misconfigured"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A name of the domain's own may lead to Exchange Online too, so the header counts on any host.
    let online = case.is_exchange_online();
    let evidence = said_by_header(case).or_else(|| online.then(|| said_inside(case))?)?;
    let certainty = if online { Certainty::Certain } else { Certainty::Likely };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user()).because(evidence);
    Some(hit.because(case.evidence_status()).naming("user", case.user().cloned()))
}

fn said_by_header(case: &Case<'_>) -> Option<Evidence> {
    let code = case.response_header("x-caserrorcode")?;
    code.as_str().trim().eq_ignore_ascii_case("UserNotFound").then(|| case.evidence_header("x-caserrorcode"))
}

fn said_inside(case: &Case<'_>) -> Option<Evidence> {
    if let Some(Answer::Error(code)) = Answer::of(case) {
        let unknown = ["UserNotFound", "MailboxNotFound", "InvalidUser"];
        return unknown.iter().any(|word| code.eq_ignore_ascii_case(word)).then(|| case.evidence_body(code));
    }
    // UserHasNoMailbox, UserPrincipalCouldNotBeFound.
    let status = Status::refusal(case).filter(|status| matches!(status.code, 123 | 125))?;
    Some(case.evidence_body(status.text))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Autodiscover says so in a header",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n\
                 Authorization: Bearer {jwt upn=avery@contoso.com}",
                "404 Not Found\nX-CasErrorCode: UserNotFound\nX-FEServer: AM9P195CA0011",
            )],
        ),
        Example::fires(
            "version 2 of Autodiscover says so in its answer",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "GET https://outlook.office365.com/autodiscover/autodiscover.json?Email=avery@contoso.com&Protocol=EWS",
                "404 Not Found\nContent-Type: application/json\n\n\
                 {\"ErrorCode\":\"UserNotFound\",\"ErrorMessage\":\"The given user is not found\"}",
            )],
        ),
        Example::fires(
            "only the answer was copied",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new("", "404 Not Found\nx-caserrorcode: UserNotFound")],
        ),
        Example::fires(
            "a name of the domain leads to Exchange Online",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 Authorization: Bearer {jwt upn=avery@contoso.com}",
                "404 Not Found\nX-CasErrorCode: UserNotFound",
            )],
        ),
        Example::silent(
            "the path does not exist",
            &[Raw::new("GET https://outlook.office365.com/ews/none", "404 Not Found\nX-FEServer: AM9P195CA0011")],
        ),
        Example::silent(
            "the caller has not signed in",
            &[Raw::new(
                "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
                "401\nX-CasErrorCode: UnauthenticatedRequest",
            )],
        ),
    ];
}
