//! Entra does not know the URL of an Exchange server as a resource: it is no SPN of the Exchange application.
//!
//! Not to be confused with another API that is unknown to the tenant (`aad-resource-not-found`): the same codes, but
//! the resource is no Exchange of the organisation. What counts as one: a host seen to be Exchange in this capture, a
//! resource that a mail client asks for, or a name that only a mail server bears.

use crate::diagnosis::audience::is_microsoft;
use crate::diagnosis::refusal::{GATE, asked, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule, Subject};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spn-missing",
    title: Text {
        en: "The Exchange URL is not registered in Entra ID",
        ja: "Exchange の URL が Entra ID に登録されていない",
    },
    explanation: Text {
        en: "The client asked Entra ID for a token for {url}, and Entra ID knows no application of that name: the \
             URL is missing from the service principal names of the Exchange application \
             (00000002-0000-0ff1-ce00-000000000000) in this tenant. Every host name under which clients reach \
             Exchange, inside and outside, must stand there. If the name does stand there, the client asked the \
             wrong tenant.",
        ja: "クライアントは Entra ID に {url} のトークンを要求しましたが、Entra ID にはその名前のアプリケーションが\
             ありません。このテナントの Exchange アプリケーション (00000002-0000-0ff1-ce00-000000000000) のサービス \
             プリンシパル名に URL が登録されていません。社内・社外を問わず、クライアントが Exchange への接続に使うす\
             べてのホスト名を登録する必要があります。登録済みであれば、クライアントが別のテナントに要求しています。",
    },
    remedy: Text {
        en: "Add the URL to the list (never replace the list):\n\
             Connect-MgGraph -Scopes Application.Read.All,Application.ReadWrite.All\n\
             $exo = Get-MgServicePrincipal -Filter \"AppId eq '00000002-0000-0ff1-ce00-000000000000'\"\n\
             $exo.ServicePrincipalNames\n\
             $exo.ServicePrincipalNames += '{url}'\n\
             Update-MgServicePrincipal -ServicePrincipalId $exo.Id -ServicePrincipalNames $exo.ServicePrincipalNames\n\
             Do the same for the other names of Exchange (Autodiscover too). With several tenants register them in \
             each. The MSOnline cmdlets of older instructions no longer exist.",
        ja: "一覧に URL を追加します (一覧を置き換えないでください)。\n\
             Connect-MgGraph -Scopes Application.Read.All,Application.ReadWrite.All\n\
             $exo = Get-MgServicePrincipal -Filter \"AppId eq '00000002-0000-0ff1-ce00-000000000000'\"\n\
             $exo.ServicePrincipalNames\n\
             $exo.ServicePrincipalNames += '{url}'\n\
             Update-MgServicePrincipal -ServicePrincipalId $exo.Id -ServicePrincipalNames $exo.ServicePrincipalNames\n\
             Exchange のほかの名前 (自動検出を含む) も同じように登録します。テナントが複数ある場合は、それぞれに登録\
             します。古い手順にある MSOnline のコマンドレットはすでに使えません。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authen\
         tication",
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin],
    gate: GATE,
    supersedes: &["aad-resource-not-found"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// The application id of Exchange, as it begins audiences between servers.
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000/";

/// What the first label of a mail server's name is, numbers aside.
const MAIL_NAMES: [&str; 12] =
    ["autodiscover", "mail", "webmail", "owa", "outlook", "exchange", "exch", "ex", "email", "eas", "mapi", "ews"];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &[50001, 500_011])?;
    let resource = named(&refused.said.words).or_else(|| refused.resource())?;
    let own = Resource::read(resource.as_str())?;
    let certainty = own.own_exchange(case)?;
    let subject = Subject { server: Some(resource.part(own.host).lower()), ..Subject::default() };
    Some(refused.failure(certainty, Actor::EntraAdmin).on(subject).naming("url", resource))
}

/// The resource in the words of the error.
fn named(words: &Clean) -> Option<Clean> {
    let all = words.as_str();
    let tokens = all.split(|letter: char| letter.is_whitespace() || "'\"\u{2018}\u{2019}".contains(letter));
    let mut resources =
        tokens.map(|token| token.trim_end_matches(['.', ',', ';'])).filter(|token| Resource::read(token).is_some());
    resources.next().map(|token| words.part(token))
}

/// A resource that can be an Exchange server: a URL, or Exchange's application id with a host.
struct Resource<'a> {
    host: &'a str,
    between_servers: bool,
}

impl<'a> Resource<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let secure = text.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let plain = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
        let between_servers = text.get(..EXCHANGE.len()).is_some_and(|id| id.eq_ignore_ascii_case(EXCHANGE));
        let start = match (secure.or(plain), between_servers) {
            (Some(scheme), _) => scheme.len(),
            (None, true) => EXCHANGE.len(),
            (None, false) => return None,
        };
        let rest = &text[start..];
        let authority = &rest[..rest.find(['/', '?', '#', '@']).unwrap_or(rest.len())];
        let host = match authority.rfind(':') {
            Some(at) if !authority[at..].contains(']') => &authority[..at],
            _ => authority,
        };
        (!host.is_empty()).then_some(Self { host, between_servers })
    }

    /// How sure it is that this is an Exchange server of the organisation; nothing where it looks like another API.
    fn own_exchange(&self, case: &Case<'_>) -> Option<Certainty> {
        let host = self.host.to_ascii_lowercase();
        if is_microsoft(&host) {
            return None;
        }
        if self.between_servers || case.past().is_exchange(&host) || asked_by_mail_client(case) {
            return Some(Certainty::Certain);
        }
        let first = host.split('.').next().unwrap_or_default();
        let stem = first.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
        let likely = MAIL_NAMES.contains(&stem) || only_answer_to_native_client(case);
        (likely && host.contains('.')).then_some(Certainty::Likely)
    }
}

/// Whether an application that asks for nothing but mail servers asked: Outlook, Outlook Mobile, Apple Mail, the
/// calendar service of Teams.
fn asked_by_mail_client(case: &Case<'_>) -> bool {
    const CLIENTS: [&str; 4] = [
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        "27922004-5251-4030-b22d-91ecd9a37ea4",
        "f8d98a96-0999-43f5-8af3-69971c7bb423",
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    ];
    asked(case, "client_id")
        .is_some_and(|client| CLIENTS.iter().any(|known| client.as_str().eq_ignore_ascii_case(known)))
}

/// Whether nothing but the redirect to a client on the device was captured: what asks there for a bare host is a mail
/// client, as web applications have redirects of their own.
fn only_answer_to_native_client(case: &Case<'_>) -> bool {
    let location = case.response_header("location").map(|location| location.as_str().to_ascii_lowercase());
    let native = ["urn:ietf:wg:oauth:2.0:oob", "ms-appx-web://microsoft.aad.brokerplugin"];
    case.exchange.url.is_none() && location.is_some_and(|to| native.iter().any(|redirect| to.starts_with(redirect)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook is refused a token for the mail host",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://login.windows.net/common/oauth2/authorize?\
                 resource=https%3A%2F%2Fmail.contoso.com%2F&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&\
                 response_type=code",
                "302 Found\n\
                 Location: urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&\
                 error_description=AADSTS50001%3a+The+application+named+https%3a%2f%2fmail.contoso.com%2f+\
                 was+not+found+in+the+tenant+named+contoso.com.++This+can+happen.%0d%0aTrace+ID%3a+\
                 cf03a6bd-610b-47d5-bf0b-90e59d0e0100",
            )],
        ),
        Example::fires(
            "the host was seen to be Exchange",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[
                Raw::new(
                    "POST https://x7.contoso.co.jp/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                     Content-Type: application/x-www-form-urlencoded\n\n\
                     grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a07",
                    "400 Bad Request\n\
                     Content-Type: application/json; charset=utf-8\n\n\
                     {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                     principal named https://X7.contoso.co.jp:443/ was not found in the tenant named \
                     Contoso.\\r\\nTrace ID: 3e1b7f60-0000-4000-8000-000000500011\",\"error_codes\":[500011]}",
                ),
            ],
        ),
        Example::fires(
            "the name alone looks like a mail server",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=refresh_token&client_id=5a4b3c2d-0000-4000-8000-000000000a07",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                 principal named 'https://autodiscover.fabrikam.com' was not found in the tenant named \
                 Contoso.\\r\\nTrace ID: 3e1b7f60-0000-4000-8000-000000500011\",\"error_codes\":[500011]}",
            )],
        ),
        Example::fires(
            "another Exchange asked between servers",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a07",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                 principal named 00000002-0000-0ff1-ce00-000000000000/mail.contoso.com was not found in \
                 the tenant named Contoso.\\r\\nTrace ID: 3e1b7f60-0000-4000-8000-000000500011\",\
                 \"error_codes\":[500011]}",
            )],
        ),
        Example::fires(
            "only the redirect to an application on the device was pasted",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "302 Found\n\
                 Location: urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&\
                 error_description=AADSTS500011%3a+The+resource+principal+named+\
                 https%3a%2f%2fpost.adatum.com%2f+was+not+found",
            )],
        ),
        Example::fires(
            "the words do not name it, the scope does",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x&\
                 scope=https%3A%2F%2Fmail.contoso.com%2F.default+openid" =>
                50001: "The resource is disabled or does not exist."
            )],
        ),
        Example::silent(
            "a Microsoft API is unknown to the tenant",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a07",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                 principal named https://reports.office365.com/ecp/reporting was not found in the tenant \
                 named Contoso.\\r\\nTrace ID: 3e1b7f60-0000-4000-8000-000000500011\",\
                 \"error_codes\":[500011]}",
            )],
        ),
        Example::silent(
            "a tool's own API is unknown to the tenant",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=password&client_id=5a4b3c2d-0000-4000-8000-000000000a07",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource \
                 principal named api://mig-tool was not found in the tenant named Contoso.\\r\\nTrace ID: \
                 3e1b7f60-0000-4000-8000-000000500011\",\"error_codes\":[500011]}",
            )],
        ),
        Example::silent(
            "a web application of the organisation is unknown",
            &[Raw::new(
                "GET https://login.windows.net/common/oauth2/authorize?\
                 resource=https%3A%2F%2Fportal.contoso.com%2F&\
                 client_id=5a4b3c2d-0000-4000-8000-000000000a07&response_type=code",
                "302 Found\n\
                 Location: urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&\
                 error_description=AADSTS50001%3a+The+application+named+\
                 https%3a%2f%2fportal.contoso.com%2f+was+not+found+in+the+tenant+named+contoso.com.++This+\
                 can+happen.%0d%0aTrace+ID%3a+cf03a6bd-610b-47d5-bf0b-90e59d0e0100",
            )],
        ),
        Example::silent(
            "the same host, refused for another reason",
            &[Raw::new(
                "GET https://login.windows.net/common/oauth2/authorize?\
                 resource=https%3A%2F%2Fmail.contoso.com%2F&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&\
                 response_type=code",
                "302\n\
                 Location: urn:ietf:wg:oauth:2.0:oob?error=consent_required&\
                 error_description=AADSTS65001%3a+The+user+has+not+consented+to+\
                 https%3a%2f%2fmail.contoso.com%2f",
            )],
        ),
    ];
}
