//! The account signed in, but has no right to the mailbox that it opens.
//!
//! Not to be confused with a right to act as somebody else (`ews-impersonation-denied`), or with a token whose
//! permissions do not cover EWS, which is refused before a mailbox is opened.

use crate::diagnosis::decode::mapi;
use crate::diagnosis::ews::{error, evidence_of, mailbox, soap};
use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "migration-account-permission",
    title: Text {
        en: "The account has no right to this mailbox",
        ja: "アカウントにこのメールボックスへのアクセス権がない",
    },
    explanation: Text {
        en: "The sign-in succeeded; what Exchange refuses is the mailbox: {code}. The account that reads or writes \
             mailboxes of others, as a migration does, needs FullAccess on each of them, or Receive-As on the \
             database, or an app that may open all. MigrationWiz words this as credentials that do not have access to \
             the configured mailbox.",
        ja: "サインインは成功しており、Exchange が拒否しているのはメールボックスへのアクセスです ({code})。移行のように他\
             人のメールボックスを読み書きするアカウントには、各メールボックスの FullAccess、データベースの Receive-As、\
             またはすべてを開けるアプリが必要です。MigrationWiz では「指定された資格情報が構成されたメールボックスへのア\
             クセス権を有していない」と表示されます。",
    },
    remedy: Text {
        en: "Look at the rights and give them; they work after up to an hour:\n\
             Get-MailboxPermission -Identity '{mailbox}' -User '{user}'\n\
             Add-MailboxPermission -Identity '{mailbox}' -User '{user}' -AccessRights FullAccess -AutoMapping $false\n\
             On servers of your own for a whole database (not in Exchange Online):\n\
             Get-MailboxDatabase | Add-ADPermission -User '{user}' -ExtendedRights Receive-As\n\
             Being an administrator is not enough: Exchange denies administrators the mailboxes of others.",
        ja: "権限を確認して付与します (反映に最大 1 時間かかります)。\n\
             Get-MailboxPermission -Identity '{mailbox}' -User '{user}'\n\
             Add-MailboxPermission -Identity '{mailbox}' -User '{user}' -AccessRights FullAccess -AutoMapping $false\n\
             オンプレミスのサーバーでデータベース全体に付与する場合 (Exchange Online では不可):\n\
             Get-MailboxDatabase | Add-ADPermission -User '{user}' -ExtendedRights Receive-As\n\
             管理者であるだけでは不十分です。Exchange は管理者に対しても他人のメールボックスを拒否します。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode",
        "https://learn.microsoft.com/exchange/mailbox-migration/assign-permissions-for-migration",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 400, 401, 403, 500]).showing(Signs::XML.or(Signs::MAPI).or(Signs::RPC)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let (certainty, evidence) = of_services(case).or_else(|| of_mapi(case))?;
    let name = evidence.first().map(|first| first.text.clone());
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin).on(case.on_user());
    let hit = evidence.into_iter().fold(hit, Hit::because).naming("code", name);
    Some(hit.naming("user", case.user().map(upn_of)).naming("mailbox", mailbox(case)))
}

/// A response code of EWS, or the words of the mailbox replication service.
fn of_services(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    if let Some(error) = error(case, &["ErrorAccessDenied"]) {
        return Some((Certainty::Certain, evidence_of(case, error)));
    }
    let error = soap(case)?.errors.iter().find(|error| no_access(error.text).is_some())?;
    Some((Certainty::Likely, vec![case.evidence_body(no_access(error.text)?), case.evidence_body(error.text)]))
}

/// The result of MAPI over HTTP, in its header or body, or the page that it sends where a request fails.
fn of_mapi(case: &Case<'_>) -> Option<(Certainty, Vec<Evidence>)> {
    const NO_PRIVILEGE: u16 = 11;
    let asked = case.signs().has_any(Signs::MAPI.or(Signs::RPC)) && case.is_exchange();
    if asked && mapi::response_code(case) == Some(NO_PRIVILEGE) {
        return Some((Certainty::Likely, vec![case.evidence_header("x-responsecode")]));
    }
    let words = asked.then(|| no_access(case.response_body()))??;
    Some((Certainty::Likely, vec![case.evidence_body(words)]))
}

/// How the store says that somebody may not open a mailbox.
fn no_access(text: &str) -> Option<&str> {
    const WORDS: [&str; 6] = [
        "MapiExceptionLogonFailed",
        "MapiExceptionNoAccess",
        "ecNoAccess",
        "ecLoginPerm",
        "ecLoginFailure",
        "0x80070005",
    ];
    if text.is_empty() {
        return None;
    }
    WORDS.into_iter().find_map(|word| {
        let at = text.find(word)?;
        text.get(at..at + word.len())
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
            "an answer of status 200 holds the refusal",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\mig:secret}",
                "200\nContent-Type: text/xml; charset=utf-8\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:GetFolderResponse \
                 xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><m:ResponseMessages>\
                 <m:GetFolderResponseMessage ResponseClass=\"Error\"><m:MessageText>Access is denied. Check credentials \
                 and try again.</m:MessageText><m:ResponseCode>ErrorAccessDenied</m:ResponseCode>\
                 </m:GetFolderResponseMessage></m:ResponseMessages></m:GetFolderResponse></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "the replication service hands on the store's words",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/mrsproxy.svc\nUser-Agent: Exchange/15.20 MRS",
                "500\nX-FEServer: EX01\nContent-Type: application/soap+xml\n\n<s:Envelope \
                 xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>\
                 </s:Code><s:Reason><s:Text xml:lang=\"en-US\">MapiExceptionLogonFailed: Unable to open message store.\
                 </s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "MAPI over HTTP answers 200 and grants nothing",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nX-RequestType: Connect\n\
                 Authorization: Basic {basic CONTOSO\\mig:secret}",
                "200 OK\nX-FEServer: EX01\nX-RequestType: Connect\nX-ResponseCode: 11",
            )],
        ),
        Example::silent(
            "the session of MAPI over HTTP ended, and the client connects anew",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nX-RequestType: Execute\n\
                 Authorization: Basic {basic CONTOSO\\mig:secret}",
                "200 OK\nX-FEServer: EX01\nX-RequestType: Execute\nX-ResponseCode: 10",
            )],
        ),
        Example::silent(
            "an item is not there: nothing is wrong with the account",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "200\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:GetItemResponse \
                 xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><m:ResponseMessages>\
                 <m:GetItemResponseMessage ResponseClass=\"Error\"><m:MessageText>Not found.</m:MessageText>\
                 <m:ResponseCode>ErrorItemNotFound</m:ResponseCode></m:GetItemResponseMessage></m:ResponseMessages>\
                 </m:GetItemResponse></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "a warning is no refusal",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "200\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:R ResponseClass=\"Success\">\
                 <m:ResponseCode>NoError</m:ResponseCode></m:R></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "S3 denies access",
            &[Raw::new(
                "GET https://bucket.s3.amazonaws.com/x",
                "403\nContent-Type: application/xml\n\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>\
                 </Error>",
            )],
        ),
    ];
}
