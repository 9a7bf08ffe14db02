//! The authorization_uri that Exchange names is not the authority whose tokens it can take.
//!
//! Not to be confused with the sovereign clouds of Entra, which are right where they are, or with AD FS in an
//! organisation on its own premises (Exchange 2019 CU13 and later), where AD FS is the authority.

use crate::diagnosis::audience::is_microsoft;
use crate::diagnosis::decode::exchange_build::Build;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-wrong-authorization-uri",
    title: Text {
        en: "The authorization_uri is not that of the expected authority",
        ja: "authorization_uri が想定と異なる発行元を指している",
    },
    explanation: Text {
        en: "{host} sends the client to {uri} for its token. In a hybrid organisation tokens come from Entra ID; AD \
             FS can be the authority only from Exchange 2019 CU13 on, and only without hybrid. The wrong AuthServer \
             object is marked as the default authorization endpoint.",
        ja: "{host} はトークンの取得先として {uri} を指定しています。ハイブリッド組織では、トークンは Entra ID が発\
             行します。AD FS を使えるのは Exchange 2019 CU13 以降で、ハイブリッドではない構成に限られます。既定の承\
             認エンドポイントに誤った AuthServer オブジェクトが設定されています。",
    },
    remedy: Text {
        en: "Mark the AuthServer of Entra ID instead of the present one:\n\
             Get-AuthServer | Format-Table Name,Type,DomainName,IsDefaultAuthorizationEndpoint\n\
             $evo = Get-AuthServer | Where-Object { $_.Type -eq 'AzureAD' }\n\
             Set-AuthServer -Identity $evo.Name -IsDefaultAuthorizationEndpoint $true\n\
             Then wait 30 minutes, or run iisreset on each server. If AD FS is meant to be the authority, bring \
             every server to Exchange 2019 CU13 or later first.",
        ja: "現在の設定に代えて、Entra ID の AuthServer を既定にします。\n\
             Get-AuthServer | Format-Table Name,Type,DomainName,IsDefaultAuthorizationEndpoint\n\
             $evo = Get-AuthServer | Where-Object { $_.Type -eq 'AzureAD' }\n\
             Set-AuthServer -Identity $evo.Name -IsDefaultAuthorizationEndpoint $true\n\
             その後 30 分待つか、各サーバーで iisreset を実行します。意図して AD FS を使う場合は、先にすべてのサーバ\
             ーを Exchange 2019 CU13 以降に更新してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication",
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/enable-modern-auth-in-exchange-server-on-premises",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::EMPTY_BEARER),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if !case.asks_for_oauth() || !case.is_exchange() || case.is_exchange_online() {
        return None;
    }
    let mut offers = case.challenges().iter().filter(|challenge| challenge.is("bearer"));
    let bearer = offers.find(|bearer| bearer.param("authorization_uri").is_some())?;
    let uri = bearer.clean_param("authorization_uri").filter(|uri| !uri.as_str().trim().is_empty())?;
    let hybrid = bearer
        .param("trusted_issuers")
        .is_some_and(|issuers| issuers.contains("00000001-0000-0000-c000-000000000000@"));
    let (build, version) = Build::of(case).unzip();
    let hit = match Authority::of(uri.as_str(), bearer.param("issuer_kind").as_deref()) {
        Authority::Entra => return None,
        Authority::AdFs => match (build, hybrid) {
            (Some(build), _) if !build.takes_adfs_tokens() => Hit::failure(Certainty::Certain, Actor::ExchangeAdmin),
            (None, true) => Hit::failure(Certainty::Likely, Actor::ExchangeAdmin),
            // The trust of a former hybrid may still stand in the list.
            (Some(_), true) => Hit::note(Certainty::Possible, Actor::ExchangeAdmin),
            (_, false) => return None,
        },
        Authority::Other => Hit::failure(Certainty::Likely, Actor::ExchangeAdmin),
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name()).naming("uri", uri);
    let hit = hit.because(case.evidence(Place::ResponseHeader("www-authenticate"), bearer.text()));
    Some(version.into_iter().fold(hit, Hit::because))
}

enum Authority {
    Entra,
    AdFs,
    Other,
}

impl Authority {
    fn of(uri: &str, issuer_kind: Option<&str>) -> Self {
        let uri = uri.trim().to_ascii_lowercase();
        let Some(rest) = uri.strip_prefix("https://") else { return Self::Other };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        if host.ends_with("accesscontrol.windows.net") {
            Self::Other
        } else if is_microsoft(host) {
            Self::Entra
        } else if path.starts_with("/adfs/") || issuer_kind.is_some_and(|kind| kind.eq_ignore_ascii_case("adfs")) {
            Self::AdFs
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a hybrid Exchange 2016 names AD FS",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.fabrikam.com/mapi/emsmdb/\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.1.2507.55\n\
                 WWW-Authenticate: {bearer https://sts.fabrikam.com/adfs/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "a hybrid Exchange of unknown build names AD FS",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.fabrikam.com/mapi/emsmdb/\nauthorization: BEARER",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://STS.fabrikam.com:443/ADFS/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "it names the access control service",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://accounts.accesscontrol.windows.net/tokens/OAuth/2}",
            )],
        ),
        Example::fires(
            "it names a stranger behind a familiar name",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer \
                 https://login.microsoftonline.com.contoso.com/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "AD FS beside the trust of a hybrid, on a build that knows both",
            (Kind::Note, Certainty::Possible, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.2.1748.39\n\
                 WWW-Authenticate: {bearer https://adfs.contoso.com/adfs/oauth2/authorize}, \
                 issuer_kind=\"ADFS\"",
            )],
        ),
        Example::silent(
            "AD FS is the authority of an organisation on its own premises",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-OWA-Version: 15.2.2562.31\n\
                 WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                 trusted_issuers=\"https://adfs.contoso.com/adfs/services/trust\", \
                 authorization_uri=\"https://adfs.contoso.com/adfs/oauth2/authorize\", issuer_kind=\"ADFS\"",
            )],
        ),
        Example::silent(
            "the cloud of the US government",
            &[Raw::new(
                "POST https://mail.contoso.us/mapi/nspi/\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.microsoftonline.us/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "the cloud of China",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer \
                 https://login.partner.microsoftonline.cn/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "the usual address",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
    ];
}
