//! An error line of MigrationWiz, or the message of a migration wizard, with nothing of the traffic: which end failed, what
//! can be behind it, and how to get a capture that says which.
//!
//! Not to be confused with an issuer's sentence, which names its cause by number, or with the analyzer's words about
//! ActiveSync (`basic-bad-credentials`).

use crate::diagnosis::decode::migration_line::{End, MigrationLine, Reason, Teller, told};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "migrationwiz-error-line",
    title: Text {
        en: "A migration tool's error line: which end failed, not why",
        ja: "移行ツールのエラー行: わかるのは失敗した側だけで、原因ではない",
    },
    explanation: Text {
        en: "The end that failed: {end}. Host asked: {host}. The line passes on that the tool was refused, and nothing of \
             what the server said: a wrong password, a missing permission, modern authentication that is not set up and \
             an overloaded server all read alike in it. The candidates stand in the order of their likelihood; the \
             server's own answer (x-ms-diagnostics, AADSTS, the schemes offered) tells them apart.",
        ja: "失敗した側: {end_ja}。接続先: {host}。この行が伝えるのは、ツールが拒否されたことだけで、サーバーの応答内容は含まれ\
             ません。パスワードの誤り、アクセス許可の不足、先進認証の未構成、サーバーの過負荷は、いずれも同じ文面になります。\
             候補は可能性の高い順です。どれであるかは、サーバー自身の応答 (x-ms-diagnostics、AADSTS、提示された認証方式) で\
             わかります。",
    },
    remedy: Text {
        en: "Send the same requests through this program and diagnose what comes back. MigrationWiz calls Exchange Online \
             from its own cloud, so that traffic cannot be captured; repeat it with the tenant, app and mailbox of the \
             endpoint:\n\
             authtap --save repro.authtap\n\
             $p = 'http://127.0.0.1:8080'\n\
             $b = @{ grant_type='client_credentials'; client_id='<app id>'; client_secret='<secret>'; \
             scope='https://outlook.office365.com/.default' }\n\
             $t = Invoke-RestMethod -Proxy $p -Method Post -Body $b \
             'https://login.microsoftonline.com/<tenant id>/oauth2/v2.0/token'\n\
             $x = '<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
             xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Header>\
             <t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress><mailbox></t:SmtpAddress></t:ConnectingSID>\
             </t:ExchangeImpersonation></s:Header><s:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>\
             </m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:FolderIds></m:GetFolder></s:Body>\
             </s:Envelope>'\n\
             $h = @{ Authorization=\"Bearer $($t.access_token)\"; 'X-AnchorMailbox'='<mailbox>' }\n\
             Invoke-WebRequest -Proxy $p -Method Post -Headers $h -ContentType 'text/xml; charset=utf-8' -Body $x \
             'https://outlook.office365.com/EWS/Exchange.asmx'\n\
             Invoke-WebRequest -Proxy $p \
             'https://autodiscover-s.outlook.com/autodiscover/autodiscover.json/v1.0/<mailbox>?Protocol=EWS'\n\
             For a server of your own send the body $x with the account of the endpoint instead:\n\
             Invoke-WebRequest -Proxy $p -Method Post -Credential (Get-Credential) -ContentType 'text/xml; charset=utf-8' \
             -Body $x 'https://<server>/EWS/Exchange.asmx'\n\
             Then: authtap diagnose repro.authtap",
        ja: "同じ要求をこのプログラム経由で送り、応答を診断してください。MigrationWiz は自社のクラウドから Exchange Online に\
             接続するため、その通信はキャプチャできません。エンドポイントと同じテナント、アプリ、メールボックスで再現します。\n\
             authtap --save repro.authtap\n\
             $p = 'http://127.0.0.1:8080'\n\
             $b = @{ grant_type='client_credentials'; client_id='<app id>'; client_secret='<secret>'; \
             scope='https://outlook.office365.com/.default' }\n\
             $t = Invoke-RestMethod -Proxy $p -Method Post -Body $b \
             'https://login.microsoftonline.com/<tenant id>/oauth2/v2.0/token'\n\
             $x = '<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
             xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Header>\
             <t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress><mailbox></t:SmtpAddress></t:ConnectingSID>\
             </t:ExchangeImpersonation></s:Header><s:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape>\
             </m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:FolderIds></m:GetFolder></s:Body>\
             </s:Envelope>'\n\
             $h = @{ Authorization=\"Bearer $($t.access_token)\"; 'X-AnchorMailbox'='<mailbox>' }\n\
             Invoke-WebRequest -Proxy $p -Method Post -Headers $h -ContentType 'text/xml; charset=utf-8' -Body $x \
             'https://outlook.office365.com/EWS/Exchange.asmx'\n\
             Invoke-WebRequest -Proxy $p \
             'https://autodiscover-s.outlook.com/autodiscover/autodiscover.json/v1.0/<mailbox>?Protocol=EWS'\n\
             自社サーバーの場合は、代わりにエンドポイントのアカウントで本文 $x を送ります。\n\
             Invoke-WebRequest -Proxy $p -Method Post -Credential (Get-Credential) -ContentType 'text/xml; charset=utf-8' \
             -Body $x 'https://<server>/EWS/Exchange.asmx'\n\
             最後に: authtap diagnose repro.authtap",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth",
        "https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getfolder-operation",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Possible],
    actors: &[Actor::MigrationTool],
    gate: Gate::status(&[]).showing(Signs::NO_HOST),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A number of the issuer's says more.
    if case.aadsts().is_some() {
        return None;
    }
    let line = told(case).filter(|line| line.teller != Teller::Analyzer)?;
    let (end, end_ja) = end(&line);
    let evidence = case.evidence_body(line.line);
    let host = line.host.map_or_else(|| Clean::from("-"), |host| evidence_host(case, host));
    let hit = Hit::failure(Certainty::Possible, Actor::MigrationTool)
        .because(evidence)
        .naming("end", Clean::from(end))
        .naming("end_ja", Clean::from(end_ja))
        .naming("host", host);
    Some(candidates(&line).iter().fold(hit, |hit, id| hit.or(id)))
}

/// `host` borrows from the body.
fn evidence_host(case: &Case<'_>, host: &str) -> Clean {
    case.evidence_body(host).text
}

const fn end(line: &MigrationLine<'_>) -> (&'static str, &'static str) {
    match (line.teller, line.end) {
        (Teller::Wizard, _) => {
            ("source, the server of your own that the wizard was given", "移行元 (ウィザードに指定した自社サーバー)")
        }
        (_, Some(End::Source)) => ("source", "移行元"),
        (_, Some(End::Destination)) => ("destination", "移行先"),
        (_, None) => ("not named in the line", "この行には示されていない"),
    }
}

/// What can be behind the line, likeliest first.
fn candidates(line: &MigrationLine<'_>) -> &'static [&'static str] {
    let online = line.is_online() || (line.host.is_none() && line.end != Some(End::Source));
    match (line.teller, line.reason, line.status) {
        (Teller::Wizard, ..) => &[
            "outlook-anywhere-not-enabled",
            "rpc-proxy-address-wrong",
            "certificate-invalid",
            "autodiscover-misconfigured",
            "server-unreachable",
            "migration-account-permission",
        ],
        (_, Reason::NoDatabase, _) => &["mailbox-not-provisioned", "migration-account-permission"],
        (_, Reason::BasicDisabled, _) => &["modern-auth-not-configured", "basic-retired-exo"],
        _ if line.is_share_point() => &[
            "onedrive-not-provisioned",
            "modern-auth-not-configured",
            "aad-mfa-required",
            "aad-bad-password",
            "spo-app-only-unsupported",
            "migration-account-permission",
            "throttled",
        ],
        _ if line.is_graph() => &[
            "modern-auth-not-configured",
            "aad-mfa-required",
            "aad-bad-password",
            "graph-permission-missing",
            "graph-app-policy-blocked",
            "throttled",
        ],
        (.., Some(403)) if online => &["ews-app-blocked", "ews-disabled", "migration-account-permission", "throttled"],
        (.., Some(429 | 503)) if online => &["throttled", "ews-disabled"],
        _ if online => &[
            "modern-auth-not-configured",
            "aad-mfa-required",
            "aad-security-defaults",
            "aad-bad-password",
            "ews-disabled",
            "ews-app-blocked",
            "migration-account-permission",
            "throttled",
        ],
        (.., Some(429 | 503)) => &["server-overloaded", "throttled"],
        (.., Some(403)) => &["migration-account-permission", "ews-impersonation-denied", "basic-bad-credentials"],
        _ => &[
            "basic-bad-credentials",
            "ntlm-rejected",
            "migration-account-permission",
            "ews-impersonation-denied",
            "server-overloaded",
        ],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::RULE;
    use crate::diagnosis::rules::kit::{self, Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const POSSIBLE: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Possible, Actor::MigrationTool);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the destination refuses MigrationWiz",
            POSSIBLE,
            &[Raw::pasted(
                "Your migration failed while checking destination credentials. Http POST request to \
                 'autodiscover-s.outlook.com' failed - 401 Unauthorized",
            )],
        ),
        Example::fires(
            "the wizard cannot connect",
            POSSIBLE,
            &[Raw::pasted(
                "Unable to connect to the server. Please check the connection settings you supplied and try again.",
            )],
        ),
        Example::silent(
            "an issuer says why in the same line",
            &[Raw::pasted(
                "Your migration failed while checking destination credentials. AADSTS50126: Error validating credentials.",
            )],
        ),
        Example::silent(
            "the analyzer speaks of ActiveSync",
            &[Raw::pasted("An HTTP 401 Unauthorized response was received from the remote IIS server.")],
        ),
        Example::silent(
            "a server quotes such a line in its answer",
            &[Raw::new(
                "GET https://help.fabrikam.com/migration",
                "401\nContent-Type: text/plain\n\nYour migration failed while checking source credentials.",
            )],
        ),
    ];

    fn candidates(text: &'static str) -> Vec<&'static str> {
        kit::find(&RULE, crate::diagnosis::Capture::Imported, &[Raw::pasted(text)]).unwrap().candidates
    }

    #[test]
    fn the_end_and_the_words_rank_the_candidates() {
        for (text, first) in [
            (
                "Your migration failed while checking source credentials. Http POST request to 'mail.fabrikam.com' failed - \
              401 Unauthorized",
                "basic-bad-credentials",
            ),
            (
                "Your migration failed while checking source credentials. Http POST request to 'outlook.office365.com' failed \
              - 401 Unauthorized",
                "modern-auth-not-configured",
            ),
            (
                "DatabaseNotFoundException - 401 Unauthorized - Http POST request to 'outlook.office365.com' failed",
                "mailbox-not-provisioned",
            ),
            ("Http POST request to 'outlook.office365.com' failed - 403 Forbidden", "ews-app-blocked"),
            (
                "移行元の資格情報を確認できませんでした。「mail.adatum.com」へのHttp POSTリクエストが失敗しました - 503",
                "server-overloaded",
            ),
        ] {
            assert_eq!(candidates(text).first(), Some(&first), "{text}");
        }
        let own = candidates(
            "移行元の資格情報を確認できませんでした。「mail.adatum.com」へのHttp POSTリクエストが失敗しました - 401",
        );
        assert!(!own.iter().any(|id| id.starts_with("aad-") || id.contains("exo")), "{own:?}");
    }
}
