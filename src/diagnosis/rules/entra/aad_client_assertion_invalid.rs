//! The assertion that an application signed with its certificate is not accepted.
//!
//! Not to be confused with a wrong secret (`aad-client-secret-invalid`), the same for Exchange's own certificate
//! (`auth-cert-missing`), or a certificate of TLS that was lost on the way (`aad-client-certificate-lost`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-client-assertion-invalid",
    title: Text {
        en: "The client assertion is not accepted", ja: "クライアント アサーションが受け入れられない"
    },
    explanation: Text {
        en: "The application proved itself with a signed assertion, and Entra ID cannot take it: the certificate is \
             not registered for this application (the thumbprint in the answer names it), it has expired, the \
             assertion is for another audience or application, or its time is not the present one.",
        ja: "アプリケーションが署名付きアサーションで認証しようとしましたが、Entra ID が受け入れませんでした。証明書が\
             このアプリケーションに登録されていない (応答の拇印で分かります)、有効期限が切れている、アサーションの宛先\
             やアプリケーションが異なる、または時刻がずれていることが原因です。",
    },
    remedy: Text {
        en: "Compare the thumbprint that was used with those registered, then upload the public part of the \
             certificate that the tool signs with (add, do not replace the others):\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.KeyCredentials | Format-Table DisplayName,EndDateTime,@{ n = 'Thumbprint'; e = { \
             [BitConverter]::ToString($_.CustomKeyIdentifier) -replace '-' } }\n\
             Get-ChildItem Cert:\\LocalMachine\\My,Cert:\\CurrentUser\\My | Format-Table \
             Thumbprint,Subject,NotAfter,HasPrivateKey\n\
             Used: {thumbprint}. If the thumbprints agree, check the clock of the machine and the audience, which is \
             the token endpoint of the same tenant.",
        ja: "使われた拇印を登録済みのものと照合し、ツールが署名に使う証明書の公開部分を登録します (置き換えずに追加し\
             ます)。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.KeyCredentials | Format-Table DisplayName,EndDateTime,@{ n = 'Thumbprint'; e = { \
             [BitConverter]::ToString($_.CustomKeyIdentifier) -replace '-' } }\n\
             Get-ChildItem Cert:\\LocalMachine\\My,Cert:\\CurrentUser\\My | Format-Table \
             Thumbprint,Subject,NotAfter,HasPrivateKey\n\
             使われた拇印: {thumbprint}。一致している場合は、コンピューターの時刻と、アサーションの宛先 (同じテナント\
             のトークン エンドポイント) を確認します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::EntraAdmin, Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Signature, key, certificate, audience, application, time.
const CODES: [u32; 7] = [50012, 700_027, 700_030, 5_002_730, 700_021, 700_023, 700_024];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    // What is registered is the tenant's matter, what is signed is the program's.
    let registered = refused.said.is_any(&[700_027]) || refused.said.says("key was not found");
    let actor = if registered { Actor::EntraAdmin } else { refused.caller() };
    let hit = refused.failure(Certainty::Certain, actor).naming("thumbprint", refused.thumbprint());
    // The request would tell whether Exchange asked.
    Some(if case.exchange.request.seen().is_none() { hit.or("auth-cert-missing") } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the certificate is not registered",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                700_027: "The certificate with identifier used to sign the client assertion is not registered on \
                          application. [Reason - The key was not found., Thumbprint of key used by client: \
                          '0BADC0DE00000000000000000000000000000001']"
            )],
        ),
        Example::fires(
            "an old wrapper before it",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70002: "Error validating credentials. AADSTS50012: Client assertion contains an invalid \
                        signature. [Reason - The key was not found.]"
            )],
        ),
        Example::fires(
            "the clock of the machine is wrong",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                700_024: "Client assertion is not within its valid time range."
            )],
        ),
        Example::silent(
            "a secret is wrong under the same number",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                50012: "Invalid client secret is provided."
            )],
        ),
        Example::silent(
            "the certificate of TLS was lost",
            &[token_error!(50192: "Invalid request - the client certificate was not found in the request.")],
        ),
    ];
}
