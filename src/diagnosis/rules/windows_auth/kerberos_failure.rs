//! A Kerberos ticket is refused: answered by a bare `Negotiate`, by an error of Kerberos, or by HTTP.sys because it is too
//! big for it.
//!
//! Not to be confused with a leg that goes on (`negotiate-continue`), with NTLM inside Negotiate (`ntlm-rejected`), and
//! with Extended Protection behind an interceptor (`ep-channel-binding`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Sent, Signs};
use crate::redact::{Clean, Credential, Kerberos, NegState, Negotiate};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "kerberos-failure",
    title: Text { en: "The server refuses the Kerberos ticket", ja: "サーバーが Kerberos チケットを拒否" },
    explanation: Text {
        en: "The client sent a Kerberos ticket (service {service}, encryption type {etype}), and the server did not take it. Usual reasons: the SPN \
             HTTP/{host} is registered on another account than the one that Exchange runs the site with (or twice), the \
             ASA credential is missing or differs between servers, clocks differ by more than five minutes, or the \
             ticket is too big for HTTP.sys. A ticket of encryption type 23 is RC4: since 2026 domain controllers \
             refuse it for accounts without AES keys (CVE-2026-20833).",
        ja: "クライアントが Kerberos チケット (サービス {service}、暗号化の種類 {etype}) を送りましたが、サーバーが受け付けませんでした。よくある理由は、SPN \
             HTTP/{host} がサイトを実行するものとは別のアカウントに登録されている (または重複している)、ASA 資格情報が\
             ないかサーバー間で異なる、時刻が 5 分以上ずれている、チケットが HTTP.sys の上限を超えている、のいずれかで\
             す。暗号化の種類が 23 のチケットは RC4 で、2026 年以降 AES キーのないアカウントでは拒否されます \
             (CVE-2026-20833)。",
    },
    remedy: Text {
        en: "Who owns the SPN, and is it there once:\n\
             setspn -Q HTTP/{host}\n\
             setspn -X\n\
             The ASA credential on every server:\n\
             Get-ClientAccessService -IncludeAlternateServiceAccountCredentialStatus | Format-List \
             Name,AlternateServiceAccountConfiguration\n\
             AES for the ASA account (then reset its password and roll it out with \
             RollAlternateServiceAccountPassword.ps1):\n\
             Set-ADComputer <ASA account> -KerberosEncryptionType AES128,AES256\n\
             Compare the clocks (w32tm /stripchart /computer:<domain controller>). Too big a ticket: fewer groups, or \
             MaxFieldLength and MaxRequestBytes of HTTP.sys on the server.",
        ja: "SPN の所有者と重複の有無を確認します。\n\
             setspn -Q HTTP/{host}\n\
             setspn -X\n\
             各サーバーの ASA 資格情報:\n\
             Get-ClientAccessService -IncludeAlternateServiceAccountCredentialStatus | Format-List \
             Name,AlternateServiceAccountConfiguration\n\
             ASA アカウントの AES を有効にします (その後パスワードを変更し、RollAlternateServiceAccountPassword.ps1 で\
             展開します)。\n\
             Set-ADComputer <ASA アカウント> -KerberosEncryptionType AES128,AES256\n\
             時刻を比べます (w32tm /stripchart /computer:<ドメイン コントローラー>)。チケットが大きすぎる場合は、所属\
             グループを減らすか、サーバーの HTTP.sys の MaxFieldLength と MaxRequestBytes を増やします。",
    },
    sources: &[
        "RFC 4559 section 5",
        "RFC 4120 section 7.5.9",
        "https://learn.microsoft.com/exchange/architecture/client-access/kerberos-auth-for-load-balanced-client-access",
        "https://learn.microsoft.com/troubleshoot/windows-server/windows-security/kerberos-authentication-problems-if-user-belongs-to-groups",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::AdAdmin],
    gate: Gate::status(&[400, 401, 431]).showing(Signs::WINDOWS),
    supersedes: &["generic-bad-credentials", "hs-anonymous-probe", "negotiate-continue"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let Sent::Credential(Credential::Negotiate(sent @ Negotiate::Kerberos { .. })) = case.authorization() else {
        return None;
    };
    let hit = match case.status()? {
        401 => refused(case)?,
        400 | 431 => too_long(case)?,
        _ => return None,
    };
    let hit = hit.on(case.on_server()).because(case.evidence_request("authorization"));
    let hit = hit.naming("host", case.host_name());
    let Some(Kerberos::Request { service, etype, .. }) = sent.kerberos() else { return Some(hit) };
    let etype = etype.and_then(|etype| u32::try_from(etype).ok());
    Some(hit.naming("service", service.clone()).naming("etype", etype.map(Clean::from)))
}

fn refused(case: &Case<'_>) -> Option<Hit> {
    let reply = case.challenges().iter().find(|challenge| challenge.token.is_some() && challenge.is("negotiate"));
    let Some(reply) = reply else {
        let hit = Hit::failure(Certainty::Likely, Actor::AdAdmin);
        return (!case.goes_on()).then(|| hit.because(case.evidence_schemes()));
    };
    let Some(Credential::Negotiate(said)) = reply.credential else { return None };
    let certain = || {
        let evidence = case.evidence(Place::ResponseHeader("www-authenticate"), reply.text());
        Hit::failure(Certainty::Certain, Actor::AdAdmin).because(evidence)
    };
    match said.kerberos() {
        Some(Kerberos::Error { code: Some(37), .. }) => Some(certain().or("clock-skew")),
        Some(Kerberos::Error { .. }) => Some(certain()),
        _ => said.spnego().filter(|spnego| spnego.state == Some(NegState::Reject)).map(|_| certain()),
    }
}

/// HTTP.sys, Apache and nginx each have words of their own.
fn too_long(case: &Case<'_>) -> Option<Hit> {
    const WORDS: [&str; 4] =
        ["request too long", "headers is too long", "header too long", "header or cookie too large"];
    let hit = || Hit::failure(Certainty::Likely, Actor::AdAdmin).because(case.evidence_status());
    if case.status() == Some(431) {
        return Some(hit());
    }
    let body = case.response_body();
    let lower = body.to_ascii_lowercase();
    let (word, at) = WORDS.iter().find_map(|word| Some((word, lower.find(word)?)))?;
    Some(hit().because(case.evidence_body(body.get(at..at + word.len())?)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const LIKELY: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Likely, Actor::AdAdmin);
    const CERTAIN: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::AdAdmin);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a ticket is answered by a bare Negotiate",
            LIKELY,
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Negotiate {kerberos 23}",
                "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
            )],
        ),
        Example::fires(
            "the server says that the clocks differ",
            CERTAIN,
            &[Raw::new(
                "GET https://intranet.contoso.com/\nauthorization: negotiate {kerberos 18}",
                "401\nwww-authenticate: Negotiate {kerberoserror 37}",
            )],
        ),
        Example::fires(
            "HTTP.sys finds the ticket too long",
            LIKELY,
            &[Raw::new(
                "GET https://intranet.contoso.com/\nAuthorization: Negotiate {kerberos}",
                "400 Bad Request\nServer: Microsoft-HTTPAPI/2.0\nContent-Type: text/html\n\n<h2>Bad Request - Request \
                 Too Long</h2>",
            )],
        ),
        Example::silent(
            "NTLM is inside",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Negotiate {ntlm3 avery}",
                "401\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "another bad request with a ticket",
            &[Raw::new(
                "GET https://intranet.contoso.com/\nAuthorization: Negotiate {kerberos}",
                "400 Bad Request\nContent-Type: text/html\n\n<h2>Bad Request - Invalid Hostname</h2>",
            )],
        ),
        Example::silent(
            "the ticket is accepted",
            &[Raw::new("GET https://intranet.contoso.com/\nAuthorization: Negotiate {kerberos 18}", "200 OK")],
        ),
    ];
}
