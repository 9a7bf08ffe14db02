//! There is no mailbox behind the address, or none yet.
//!
//! Not to be confused with a mailbox whose database is away for a moment (`mailbox-store-unavailable`), or with an
//! address that Autodiscover and ActiveSync do not know.

use crate::diagnosis::decode::migration_line::told;
use crate::diagnosis::ews::{error, evidence_of, mailbox, printed};
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "mailbox-not-provisioned",
    title: Text {
        en: "There is no mailbox behind this address yet", ja: "このアドレスのメールボックスがまだない"
    },
    explanation: Text {
        en: "The directory knows the address, the mailbox does not exist where the request went: {code}. The account is \
             younger than 24 hours, has no licence with Exchange, was synchronised from on premises as a mail user \
             whose mailbox was never made (its ExchangeGuid still points to the old server), or its object is \
             damaged. MigrationWiz reports this as DatabaseNotFoundException.",
        ja: "ディレクトリにアドレスはありますが、要求先にメールボックスがありません ({code})。アカウントの作成から 24 時\
             間経っていない、Exchange のライセンスがない、オンプレミスからメール ユーザーとして同期されメールボックスが作\
             成されていない (ExchangeGuid が古いサーバーを指している)、またはオブジェクトが壊れている、のいずれかです。\
             MigrationWiz では DatabaseNotFoundException と表示されます。",
    },
    remedy: Text {
        en: "See what the object is, in Exchange Online and, in a hybrid organization, on premises:\n\
             Get-Recipient -Identity '{mailbox}' | Format-List RecipientTypeDetails,WhenCreated\n\
             Get-MailUser -Identity '{mailbox}' | Format-List ExchangeGuid,SKUAssigned\n\
             Get-Mailbox -Identity '{mailbox}' | Format-List Database,ExchangeGuid,WhenMailboxCreated\n\
             Assign a licence, wait up to 24 hours, and sign in once to Outlook on the web. A mail user whose \
             mailbox is still on premises is migrated, not licensed twice; an object that stays damaged is made anew.",
        ja: "オブジェクトの種類を Exchange Online で、ハイブリッドの場合はオンプレミスでも確認します。\n\
             Get-Recipient -Identity '{mailbox}' | Format-List RecipientTypeDetails,WhenCreated\n\
             Get-MailUser -Identity '{mailbox}' | Format-List ExchangeGuid,SKUAssigned\n\
             Get-Mailbox -Identity '{mailbox}' | Format-List Database,ExchangeGuid,WhenMailboxCreated\n\
             ライセンスを割り当て、最大 24 時間待ち、Outlook on the web に一度サインインします。オンプレミスにメールボッ\
             クスが残るメール ユーザーは、二重にライセンスを割り当てず移行してください。壊れたままのオブジェクトは作り直\
             します。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode",
        "https://learn.microsoft.com/graph/errors",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 400, 401, 403, 404, 500])
        .showing(Signs::XML.or(Signs::GRAPH).or(Signs::EXCHANGE).or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, evidence) = of_services(case).or_else(|| of_rest(case))?;
    let name = evidence.first().map(|first| first.text.clone());
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user());
    let hit = evidence.into_iter().fold(hit, Hit::because);
    Some(hit.naming("code", name).naming("mailbox", mailbox(case)))
}

fn of_services(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    let error = error(case, &["ErrorNonExistentMailbox"])?;
    Some((Certainty::Certain, evidence_of(case, error)))
}

/// The REST interface of Exchange Online, by Graph or by itself; and the exception that its directory throws.
fn of_rest(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    const CODES: [(&str, Certainty); 4] = [
        ("MailboxNotEnabledForRESTAPI", Certainty::Certain),
        ("MailboxNotHostedInExchangeOnline", Certainty::Certain),
        ("MailboxNotSupportedForRESTAPI", Certainty::Likely),
        ("DatabaseNotFoundException", Certainty::Likely),
    ];
    // What a migration tool makes of it is another finding.
    if case.status().is_some_and(|status| status < 400) || told(case).is_some() {
        return None;
    }
    if let Some(printed) = printed(case, "smtp address has no mailbox associated with it") {
        return Some((Certainty::Certain, vec![printed]));
    }
    let text = Some(case.response_body()).filter(|text| !text.is_empty())?;
    CODES.into_iter().find_map(|(code, certainty)| {
        let at = text.find(code)?;
        Some((certainty, vec![case.evidence_body(&text[at..at + code.len()])]))
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::ExchangeAdmin)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "EWS knows no mailbox of the address",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "500\nContent-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                 <s:Body><s:Fault><faultcode>a:ErrorNonExistentMailbox</faultcode><faultstring>The SMTP address has no \
                 mailbox associated with it.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "Graph finds the mailbox on premises or nowhere",
            found(Certainty::Certain),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/users/avery@contoso.com/messages\nAuthorization: Bearer {jwt aud=x}",
                "404\nContent-Type: application/json\n\n{\"error\":{\"code\":\"MailboxNotEnabledForRESTAPI\",\"message\":\
                 \"The mailbox is either inactive, soft-deleted, or is hosted on-premise.\"}}",
            )],
        ),
        Example::silent(
            "the database is away for a moment",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "500\nContent-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                 <s:Body><s:Fault><faultcode>a:ErrorMailboxStoreUnavailable</faultcode></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "a folder is missing",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/mailFolders/x\nAuthorization: Bearer {jwt aud=x}",
                "404\nContent-Type: application/json\n\n{\"error\":{\"code\":\"ErrorItemNotFound\",\"message\":\"x\"}}",
            )],
        ),
    ];
}
