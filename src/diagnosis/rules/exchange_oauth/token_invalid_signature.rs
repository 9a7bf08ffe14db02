//! Exchange cannot verify the signature of a token: 2000000.
//!
//! Not to be confused with SharePoint's refusal of the same words (`spo-invalid-signature`, 3000006), with a token that
//! cannot be read at all (`token-malformed`), or with an issuer whom Exchange does not trust (`issuer-unknown`).

use crate::diagnosis::token::refused;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "token-invalid-signature",
    title: Text { en: "The signature of the token does not verify", ja: "トークンの署名を検証できない" },
    explanation: Text {
        en: "{host} trusts the issuer and knows no key that fits the signature. The keys it cached are older than \
             the issuer's, it cannot fetch the new ones, the signing certificate was replaced on one side alone, or \
             the token is one for Microsoft Graph (with a nonce in its header), which nobody but Graph can verify.",
        ja: "{host} は発行者を信頼していますが、署名に合うキーを持っていません。キャッシュされたキーが古い、新しい\
             キーを取得できない、署名証明書が片側だけ更新されている、または Microsoft Graph 用のトークン (ヘッダー\
             に nonce がある) であることが考えられます。Graph 用のトークンは Graph 以外では検証できません。",
    },
    remedy: Text {
        en: "If the token in the evidence carries a nonce or is for https://graph.microsoft.com: request one for \
             this server instead. Otherwise refresh the keys, and see that each server reaches the metadata \
             document of the issuer:\n\
             Get-AuthServer | Format-Table Name,Type,Enabled,AuthMetadataUrl\n\
             Get-AuthServer | Where-Object { $_.AuthMetadataUrl } | ForEach-Object { Set-AuthServer -Identity \
             $_.Name -RefreshAuthMetadata }\n\
             Get-AuthServer | Where-Object { $_.AuthMetadataUrl } | ForEach-Object { Invoke-WebRequest \
             -UseBasicParsing $_.AuthMetadataUrl | Select-Object StatusCode }\n\
             For calls between servers compare the certificate that signs with the one published:\n\
             Get-AuthConfig | Format-List \
             CurrentCertificateThumbprint,PreviousCertificateThumbprint,NextCertificateThumbprint\n\
             Then run iisreset on each server.",
        ja: "根拠に示されたトークンに nonce がある場合や、https://graph.microsoft.com 向けの場合は、このサーバー向\
             けのトークンを要求し直します。それ以外の場合はキーを更新し、各サーバーから発行者のメタデータ ドキュメ\
             ントに到達できるか確認します。\n\
             Get-AuthServer | Format-Table Name,Type,Enabled,AuthMetadataUrl\n\
             Get-AuthServer | Where-Object { $_.AuthMetadataUrl } | ForEach-Object { Set-AuthServer -Identity \
             $_.Name -RefreshAuthMetadata }\n\
             Get-AuthServer | Where-Object { $_.AuthMetadataUrl } | ForEach-Object { Invoke-WebRequest \
             -UseBasicParsing $_.AuthMetadataUrl | Select-Object StatusCode }\n\
             サーバー間の要求では、署名に使う証明書と公開されている証明書を比べます。\n\
             Get-AuthConfig | Format-List \
             CurrentCertificateThumbprint,PreviousCertificateThumbprint,NextCertificateThumbprint\n\
             その後、各サーバーで iisreset を実行します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
        "https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-authserver",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin, Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A token with a nonce is Graph's own; the keys of Exchange Online are Microsoft's affair.
    let foreign = case.jwt().is_some_and(|jwt| jwt.nonce);
    let actor = if foreign || case.is_exchange_online() { Actor::Client } else { Actor::ExchangeAdmin };
    refused(case, TokenFault::Signature, actor)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange says so",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000000; reason=\"The token has an invalid \
                 signature.\";error_category=\"invalid_signature\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "a cmdlet printed the value",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000000;reason=\"The token has an invalid \
                 signature.\";error_category=\"invalid_signature\"",
            )],
        ),
        Example::fires(
            "the number stood for a certificate once",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://Mail.Fabrikam.com:444/mapi/emsmdb/\n\
                 AUTHORIZATION: bearer {jwt aud=https://mail.fabrikam.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000009;reason=\"The certificate is not \
                 good.\";error_category=\"invalid_certificate\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "in Exchange Online the client took the wrong token",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000000;reason=\"The token has an invalid \
                 signature.\";error_category=\"invalid_signature\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "SharePoint says it",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 x-ms-diagnostics: 3000006;reason=\"Token contains invalid signature.\";category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "a part of the token had to be signed and was not",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000001;reason=\"The inner actor token must be \
                 signed.\";error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
