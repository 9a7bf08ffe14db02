//! Entra cannot use what the federation server or the pass-through agent says, or does not reach it.
//!
//! Not to be confused with what AD FS itself refuses (`adfs-bad-password`), or with Exchange Online failing to reach it
//! for Basic (`federated-sts-unreachable`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-federation-failure",
    title: Text {
        en: "Federation or pass-through authentication fails",
        ja: "フェデレーションまたはパススルー認証が失敗している",
    },
    explanation: Text {
        en: "The user's password is checked at home: by AD FS or another federation server, or by an agent of \
             pass-through authentication. Entra ID does not reach it, or does not take its answer: a signing \
             certificate that was renewed and not told, an issuer that does not fit the domain, a claim that is \
             missing, no agent that answers.",
        ja: "ユーザーのパスワードは組織側 (AD FS などのフェデレーション サーバー、またはパススルー認証エージェント) で\
             確認されます。Entra ID がそこに到達できないか、応答を受け入れません。更新されたトークン署名証明書の未反映\
             、ドメインと一致しない発行者、クレームの不足、応答するエージェントがないことなどが原因です。",
    },
    remedy: Text {
        en: "Numbers 8xxxx are the agent's: see that two of them run and reach their domain controllers and \
             *.msappproxy.net:\n\
             Get-Service AzureADConnectAuthenticationAgent | Format-List Status,StartType\n\
             The others are the federation's: compare certificate and issuer on both sides, and renew what Entra ID \
             knows:\n\
             Connect-MgGraph -Scopes Domain.ReadWrite.All\n\
             Get-MgDomainFederationConfiguration -DomainId '<domain>' | Format-List \
             Id,IssuerUri,PassiveSignInUri,SigningCertificate\n\
             Get-AdfsCertificate -CertificateType Token-Signing | Format-List Thumbprint,IsPrimary\n\
             Get-AdfsProperties | Format-List Identifier\n\
             Entra Connect renews it with \"Manage federation\" > \"Reset Entra ID trust\".",
        ja: "8xxxx の番号はエージェントの問題です。2 台以上が稼働し、ドメイン コントローラーと *.msappproxy.net に到達\
             できることを確認します。\n\
             Get-Service AzureADConnectAuthenticationAgent | Format-List Status,StartType\n\
             それ以外はフェデレーションの問題です。両側の証明書と発行者を照合し、Entra ID 側の情報を更新します。\n\
             Connect-MgGraph -Scopes Domain.ReadWrite.All\n\
             Get-MgDomainFederationConfiguration -DomainId '<domain>' | Format-List \
             Id,IssuerUri,PassiveSignInUri,SigningCertificate\n\
             Get-AdfsCertificate -CertificateType Token-Signing | Format-List Thumbprint,IsPrimary\n\
             Get-AdfsProperties | Format-List Identifier\n\
             Entra Connect では、[フェデレーションの管理] の [Entra ID 信頼のリセット] で更新できます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/how-to-connect-fed-o365-certs",
        "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/tshoot-connect-pass-through-authentication",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::AdAdmin],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 15] =
    [20001, 20012, 40008, 40009, 40015, 50008, 50107, 80001, 80002, 80005, 80007, 80010, 80013, 80014, 500_089];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::AdAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the assertion of AD FS is not taken",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[page_error!(50008: "SAML token is invalid.")],
        ),
        Example::fires(
            "no agent answers",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[token_error!(80002: "A password validation request timed out. Ensure that Active Directory is \
                                     available and responding to requests from the agents.")],
        ),
        Example::fires(
            "the domain's federation is unknown",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[redirect_error!(50107: "Requested+federation+realm+object+does+not+exist.")],
        ),
        Example::silent(
            "outside of the logon hours",
            &[token_error!(80012: "The user attempted to log on outside of the allowed hours.")],
        ),
        Example::silent(
            "the account has no password in the cloud",
            &[token_error!(50056: "Invalid or null password.")],
        ),
    ];
}
