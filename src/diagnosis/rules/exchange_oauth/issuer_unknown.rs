//! Exchange trusts nobody of the name that issued the token.
//!
//! Its number, 2000009, stood for a certificate in older builds: the words and the category decide. Where Exchange gives no
//! reason, the token's issuer is compared with the trusted_issuers of its challenge. Not to be confused with an unknown
//! tenant (`tenant-unknown`), or with a bad signature (`token-invalid-signature`).

use crate::diagnosis::decode::trusted_issuers::trusts_tenant;
use crate::diagnosis::token::{is_unexplained, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "issuer-unknown",
    title: Text {
        en: "Exchange does not trust the issuer of the token",
        ja: "トークンの発行者を Exchange が信頼していない",
    },
    explanation: Text {
        en: "The token was issued by {issuer}, and {host} has no AuthServer for it. The organisation trusts another \
             tenant (there are several, or it was created anew), the AuthServer of ACS or Entra ID was removed, or \
             the user signed in to the wrong tenant. The trusted_issuers of the challenge say whom Exchange does \
             trust.",
        ja: "トークンの発行者は {issuer} ですが、{host} にはその AuthServer がありません。組織が別のテナントを信頼\
             している (テナントが複数ある、または作り直された)、ACS や Entra ID の AuthServer が削除された、または\
             ユーザーが別のテナントにサインインしたことが考えられます。Exchange が信頼する発行者は、チャレンジの \
             trusted_issuers に示されます。",
    },
    remedy: Text {
        en: "Compare the issuer with those that Exchange trusts:\n\
             Get-AuthServer | Format-List Name,Type,IssuerIdentifier,Realm,DomainName,TokenIssuingEndpoint,Enabled\n\
             If the tenant is right and the AuthServer is missing, run the Hybrid Configuration Wizard again, or \
             create what it creates:\n\
             New-AuthServer -Name 'WindowsAzureACS' -AuthMetadataUrl \
             'https://accounts.accesscontrol.windows.net/<tenant domain>/metadata/json/1'\n\
             New-AuthServer -Name 'evoSTS - {tenant}' -Type AzureAD -AuthMetadataUrl \
             'https://login.windows.net/{tenant}/federationmetadata/2007-06/federationmetadata.xml'\n\
             Then run iisreset on each server. If the tenant is wrong, the client must sign in to the one that \
             Exchange trusts.",
        ja: "トークンの発行者と Exchange が信頼する発行者を比べます。\n\
             Get-AuthServer | Format-List Name,Type,IssuerIdentifier,Realm,DomainName,TokenIssuingEndpoint,Enabled\n\
             テナントが正しく AuthServer がない場合は、ハイブリッド構成ウィザードを再実行するか、ウィザードが作成す\
             るものを手動で作成します。\n\
             New-AuthServer -Name 'WindowsAzureACS' -AuthMetadataUrl \
             'https://accounts.accesscontrol.windows.net/<tenant domain>/metadata/json/1'\n\
             New-AuthServer -Name 'evoSTS - {tenant}' -Type AzureAD -AuthMetadataUrl \
             'https://login.windows.net/{tenant}/federationmetadata/2007-06/federationmetadata.xml'\n\
             その後、各サーバーで iisreset を実行します。テナントが誤っている場合は、クライアントが Exchange の信頼\
             するテナントにサインインする必要があります。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/configure-oauth-authentication-between-exchange-and-exchange-online-organizations-exchange-2013-help",
        "https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/new-authserver",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let told = refused(case, TokenFault::Issuer, Actor::ExchangeAdmin);
    let hit = told.or_else(|| is_not_among_the_trusted(case).then(|| by_comparing(case)))?.on(case.on_server());
    let jwt = case.jwt();
    Some(hit.naming("issuer", named(case)).naming("tenant", jwt.and_then(|jwt| jwt.tid.clone())))
}

/// Whether Exchange names the tenants it trusts, and the token's is none of them.
fn is_not_among_the_trusted(case: &Case<'_>) -> bool {
    if !is_unexplained(case) {
        return false;
    }
    let Some(tenant) = case.jwt().and_then(|jwt| jwt.tid.as_ref()) else { return false };
    let issuers = case.challenge("bearer").and_then(|bearer| bearer.clean_param("trusted_issuers"));
    issuers.and_then(|issuers| trusts_tenant(&issuers, tenant.as_str())) == Some(false)
}

fn by_comparing(case: &Case<'_>) -> Hit {
    Hit::failure(Certainty::Likely, Actor::ExchangeAdmin)
        .naming("host", case.host_name())
        .because(case.evidence_request("authorization"))
        .because(case.evidence_challenge("bearer"))
}

/// The issuer in the reason, or in the token.
fn named(case: &Case<'_>) -> Option<Clean> {
    let quoted = || {
        let reason = case.diagnostics()?.clean_reason();
        reason.as_str().split(['\'', '"']).nth(1).map(|inside| reason.part(inside))
    };
    quoted().or_else(|| case.jwt()?.iss.clone())
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange names the issuer",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000009;reason=\"The issuer of the token is unknown. Issuer was \
                 'https://sts.windows.net/a7f0e4c2-91bd-4c58-8e3a-2d6b7f905c12/'.\";error_category=\"invalid_issuer\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "an older build has another number",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000001;reason=\"The issuer of the token is unknown. Issuer was \
                 '00000001-0000-0000-c000-000000000000@f31f3647-5d87-4b69-a0b6-73f62aeab14c'.\";error_category=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the category alone is known",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://Mail.Fabrikam.com:444/mapi/emsmdb/\n\
                 AUTHORIZATION: bearer {jwt aud=https://mail.fabrikam.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000009;reason=\"Nobody knows them.\";error_category=\"INVALID_ISSUER\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "no reason is given and the tenant is none of the trusted",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ tid=a7f0e4c2-91bd-4c58-8e3a-2d6b7f905c12}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "the tenant is trusted",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ tid=8DA56BEC-0d27-4cac-ab06-52ee2c40ea22}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "Exchange gives another reason",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ tid=a7f0e4c2-91bd-4c58-8e3a-2d6b7f905c12}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000002;reason=\"The token has expired.\";error_category=\"token_expired\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the number stands for a certificate",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000009;reason=\"The certificate is not \
                 good.\";error_category=\"invalid_certificate\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
