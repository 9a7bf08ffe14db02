//! The mailbox is there, its store cannot be reached at the moment.
//!
//! Not to be confused with a mailbox that does not exist (`mailbox-not-provisioned`), or with a server that asks to wait
//! (`throttled`).

use crate::diagnosis::ews::{code_of, error, evidence_of, mailbox};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "mailbox-store-unavailable",
    title: Text {
        en: "The mailbox's database cannot be reached at the moment",
        ja: "メールボックスのデータベースに一時的に到達できない",
    },
    explanation: Text {
        en: "Exchange answers {code}: the mailbox exists, but its database is dismounted, failing over, or being \
             moved, or the connection to it broke. That passes by itself or with the database.",
        ja: "Exchange は {code} と応答しています。メールボックスは存在しますが、データベースがマウントされていない、フェ\
             ールオーバー中、移動中、または接続が切れています。時間の経過かデータベースの復旧で解消します。",
    },
    remedy: Text {
        en: "Repeat the request after some minutes. If it stays, look at the database on servers of your own:\n\
             Get-Mailbox -Identity '{mailbox}' | Get-MailboxStatistics | Format-List Database,ServerName\n\
             Get-MailboxDatabaseCopyStatus * | Format-Table Name,Status,CopyQueueLength,ContentIndexState\n\
             Get-MoveRequest -Identity '{mailbox}'\n\
             In Exchange Online look at the service health, and do not migrate a mailbox that is being moved.",
        ja: "数分後に再試行してください。続く場合、オンプレミスではデータベースを確認します。\n\
             Get-Mailbox -Identity '{mailbox}' | Get-MailboxStatistics | Format-List Database,ServerName\n\
             Get-MailboxDatabaseCopyStatus * | Format-Table Name,Status,CopyQueueLength,ContentIndexState\n\
             Get-MoveRequest -Identity '{mailbox}'\n\
             Exchange Online ではサービスの正常性を確認し、移動中のメールボックスは移行しないでください。",
    },
    sources: &["https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 400, 500, 503]).showing(Signs::XML),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Codes that speak of the store itself.
const STORE: [&str; 4] =
    ["ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress", "ErrorMailboxFailover", "ErrorMailboxSiteFailover"];

/// Codes of broken connections behind the front end.
const BEHIND: [&str; 3] =
    ["ErrorConnectionFailed", "ErrorConnectionFailedTransientError", "ErrorInternalServerTransientError"];

fn find(case: &Case<'_>) -> Option<Hit> {
    let (error, certainty) = match error(case, &STORE) {
        Some(error) => (error, Certainty::Certain),
        None => (error(case, &BEHIND)?, Certainty::Likely),
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin);
    let hit = evidence_of(case, error).into_iter().fold(hit, Hit::because).on(case.on_user());
    Some(hit.naming("code", code_of(case, error)).naming("mailbox", mailbox(case)))
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
            "the store is not available",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "200\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:GetFolderResponseMessage \
                 ResponseClass=\"Error\"><m:MessageText>The mailbox database is temporarily unavailable.\
                 </m:MessageText><m:ResponseCode>ErrorMailboxStoreUnavailable</m:ResponseCode>\
                 </m:GetFolderResponseMessage></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "something behind the front end broke",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>\
                 a:ErrorInternalServerTransientError</faultcode></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "there is no such mailbox",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>\
                 a:ErrorNonExistentMailbox</faultcode></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent("the answer is well", &[Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", "200")]),
    ];
}
