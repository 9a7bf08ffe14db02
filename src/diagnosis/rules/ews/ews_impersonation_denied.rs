//! The account may not act as the user whose mailbox it asks for.
//!
//! Not to be confused with an account that lacks rights on a mailbox it opens as itself
//! (`migration-account-permission`).

use crate::diagnosis::ews::{code_of, error, evidence_of, mailbox, printed};
use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ews-impersonation-denied",
    title: Text {
        en: "The account may not impersonate this user",
        ja: "アカウントに偽装 (impersonation) の権限がない",
    },
    explanation: Text {
        en: "The request asks to act as another user (ExchangeImpersonation), and Exchange answers {code}: who signed \
             in has no right to impersonate this user. On servers of your own that right is the management role \
             ApplicationImpersonation. In Exchange Online the role is gone: no new assignments since May 2024, \
             retired in February 2025; there an app with its own permission takes its place.",
        ja: "要求は別のユーザーとして動作すること (ExchangeImpersonation) を求めていますが、Exchange は {code} と応答しま\
             した。サインインしたアカウントにこのユーザーを偽装する権限がありません。オンプレミスのサーバーでは管理の役\
             割 ApplicationImpersonation が必要です。Exchange Online ではこの役割は廃止され (新規割り当ては 2024 年 5 月\
             で終了、2025 年 2 月に廃止)、アプリ自身のアクセス許可を使います。",
    },
    remedy: Text {
        en: "On servers of your own:\n\
             Get-ManagementRoleAssignment -Role ApplicationImpersonation -GetEffectiveUsers | Format-Table \
             RoleAssigneeName,EffectiveUserName,CustomRecipientWriteScope\n\
             New-ManagementRoleAssignment -Name Migration-Impersonation -Role ApplicationImpersonation -User '{user}'\n\
             A recipient scope of the assignment must contain {mailbox}. In Exchange Online give the app \
             full_access_as_app with admin consent, or limit it with RBAC for Applications (role Application \
             EWS.AccessAsApp); a tool without impersonation needs FullAccess on each mailbox.",
        ja: "オンプレミスのサーバーの場合:\n\
             Get-ManagementRoleAssignment -Role ApplicationImpersonation -GetEffectiveUsers | Format-Table \
             RoleAssigneeName,EffectiveUserName,CustomRecipientWriteScope\n\
             New-ManagementRoleAssignment -Name Migration-Impersonation -Role ApplicationImpersonation -User '{user}'\n\
             割り当ての受信者スコープには {mailbox} が含まれる必要があります。Exchange Online では、アプリに \
             full_access_as_app と管理者の同意を与えるか、RBAC for Applications (役割 Application EWS.AccessAsApp) で範囲\
             を限定します。偽装を使わないツールには各メールボックスの FullAccess が必要です。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode",
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-configure-impersonation",
        "https://learn.microsoft.com/exchange/permissions-exo/application-rbac",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 400, 401, 403, 500]).showing(Signs::XML.or(Signs::NO_HOST)),
    supersedes: &["migration-account-permission"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    by_soap(case).or_else(|| {
        let printed = printed(case, "does not have permission to impersonate the requested user")?;
        let hit = Hit::failure(Certainty::Certain, Actor::ExchangeAdmin).because(printed);
        Some(hit.naming("code", Clean::from("ErrorImpersonateUserDenied")))
    })
}

fn by_soap(case: &Case<'_>) -> Option<Hit> {
    let denied = error(case, &["ErrorImpersonateUserDenied", "ErrorImpersonationDenied"]);
    // Failed for another reason: the user is of another forest, or cannot be looked up.
    let failed = || error(case, &["ErrorImpersonationFailed"]);
    let (error, certainty) = match denied {
        Some(error) => (error, Certainty::Certain),
        None => (failed()?, Certainty::Likely),
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin);
    let hit = evidence_of(case, error).into_iter().fold(hit, Hit::because).on(case.on_user());
    let hit = hit.naming("code", code_of(case, error)).naming("user", case.user().map(upn_of));
    Some(hit.naming("mailbox", mailbox(case)))
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
            "a fault says so",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\mig:secret}\n\
                 Content-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>\
                 <t:ExchangeImpersonation xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
                 <t:ConnectingSID><t:SmtpAddress>avery@contoso.com</t:SmtpAddress></t:ConnectingSID>\
                 </t:ExchangeImpersonation></s:Header></s:Envelope>",
                "500\nContent-Type: text/xml; charset=utf-8\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode \
                 xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">a:ErrorImpersonateUserDenied\
                 </faultcode><faultstring xml:lang=\"en-US\">The account does not have permission to impersonate the \
                 requested user.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::fires(
            "an answer of status 200 holds it",
            found(Certainty::Certain),
            &[Raw::new(
                "POST https://outlook.office365.com/ews/exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "200\nContent-Type: text/xml\n\n<soap:Envelope \
                 xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body><m:GetFolderResponse \
                 xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><m:ResponseMessages>\
                 <m:GetFolderResponseMessage ResponseClass=\"Error\"><m:MessageText>Denied.</m:MessageText>\
                 <m:ResponseCode>ErrorImpersonationDenied</m:ResponseCode></m:GetFolderResponseMessage>\
                 </m:ResponseMessages></m:GetFolderResponse></soap:Body></soap:Envelope>",
            )],
        ),
        Example::fires(
            "impersonation failed for another reason",
            found(Certainty::Likely),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>a:ErrorImpersonationFailed\
                 </faultcode><faultstring>Failed.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "the account lacks rights on the mailbox",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "500\nX-FEServer: EX01\nContent-Type: text/xml\n\n<s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>a:ErrorAccessDenied\
                 </faultcode><faultstring>Denied.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "another SOAP service uses the word",
            &[Raw::new(
                "POST https://crm.fabrikam.com/Organization.svc",
                "500\nContent-Type: text/xml\n\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                 <s:Body><s:Fault><faultcode>ErrorImpersonateUserDenied</faultcode><faultstring>x</faultstring></s:Fault>\
                 </s:Body></s:Envelope>",
            )],
        ),
    ];
}
