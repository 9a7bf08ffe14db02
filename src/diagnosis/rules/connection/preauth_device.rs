//! A device in front of Exchange answers itself and asks for credentials, where it should pass the request through.
//!
//! Not to be confused with Exchange's own refusals (they carry `X-FEServer`, `request-id` or IIS), with redirects of
//! Autodiscover, with a web server of the company that happens to bear the Autodiscover name
//! (`autodiscover-foreign-host`), or with other mail servers that speak ActiveSync.

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Evidence, Gate, Hit, Kind, Place, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "preauth-device",
    title: Text {
        en: "A device in front of Exchange asks for credentials itself",
        ja: "Exchange の手前の機器が事前認証を求めている",
    },
    explanation: Text {
        en: "The answer for {directory} on {host} does not come from Exchange: none of its headers is there, and \
             {mark} points to a reverse proxy or gateway that pre-authenticates. Outlook, ActiveSync and servers \
             cannot fill in its form or follow its sign-in, and it hides the Bearer challenge from them.",
        ja: "{host} の {directory} に対する応答は Exchange のものではありません。Exchange のヘッダーがなく、{mark} \
             から、リバース プロキシやゲートウェイが事前認証を行っていると考えられます。Outlook、ActiveSync、サーバ\
             ー間の要求は、その機器のフォームやサインインに対応できません。Bearer チャレンジもクライアントに届かなく\
             なります。",
    },
    remedy: Text {
        en: "Publish these paths in pass-through, without pre-authentication: /autodiscover, /ews, /mapi, /oab, \
             /microsoft-server-activesync, /rpc. On Web Application Proxy:\n\
             Get-WebApplicationProxyApplication | Format-Table Name,ExternalUrl,ExternalPreauthentication\n\
             The mode of an application cannot be changed: remove it and add it again with \
             -ExternalPreauthentication PassThrough. On F5 APM, NetScaler and the like exempt the paths from the \
             access policy. Then compare with a server reached directly:\n\
             authtap --resolve {host}=<address of one Exchange server>",
        ja: "次のパスは事前認証なしのパススルーで公開します: /autodiscover、/ews、/mapi、/oab、\
             /microsoft-server-activesync、/rpc。Web アプリケーション プロキシの場合:\n\
             Get-WebApplicationProxyApplication | Format-Table Name,ExternalUrl,ExternalPreauthentication\n\
             既存のアプリケーションのモードは変更できないため、削除してから -ExternalPreauthentication PassThrough \
             で追加し直します。F5 APM や NetScaler などでは、これらのパスをアクセス ポリシーの対象から外します。その\
             後、サーバーに直接接続した結果と比べます。\n\
             authtap --resolve {host}=<Exchange サーバーのアドレス>",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/calendaring/resolve-free-busy-errors",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Network],
    gate: Gate::status(&[200, 301, 302, 303, 307, 401, 403, 440]).showing(
        Signs::ACTIVE_SYNC.or(Signs::AUTODISCOVER).or(Signs::EWS).or(Signs::MAPI).or(Signs::OAB).or(Signs::RPC),
    ),
    supersedes: &["basic-bad-credentials", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    use Directory::{ActiveSync, Autodiscover, Ews, Mapi, Oab, Rpc};
    let directory = case.directory()?;
    let for_programs = matches!(directory, ActiveSync | Autodiscover | Ews | Mapi | Oab | Rpc);
    let answered = case.status() == Some(200) && !is_page(case);
    if !for_programs || answered || by_exchange(case) || case.is_exchange_online() || redirects_within(case) {
        return None;
    }
    // Balancers set cookies and strip headers; what offers these schemes is Exchange behind one all the same.
    let offers = ["bearer", "negotiate", "ntlm"].iter().any(|scheme| case.challenge(scheme).is_some());
    let mark = if offers {
        own_header(case).or_else(|| own_words(case))
    } else {
        own_header(case).or_else(|| own_words(case)).or_else(|| own_cookie(case)).or_else(|| foreign_server(case))
    }?;
    Some(
        Hit::failure(Certainty::Likely, Actor::Network)
            .on(case.on_directory())
            .naming("host", case.host_name())
            .naming("directory", Clean::from(directory.path()))
            .naming("mark", mark.text.clone())
            .because(mark)
            .because(case.evidence_header("x-feserver")),
    )
}

/// Whether the answer only sends the client to the same directory elsewhere.
fn redirects_within(case: &Case<'_>) -> bool {
    let Some((location, directory)) = case.response_header("location").zip(case.directory()) else { return false };
    let location = location.as_str().to_ascii_lowercase();
    let path = location.split(['?', '#']).next().unwrap_or_default();
    path.contains(directory.path())
}

/// Whether the answer is a page for people.
fn is_page(case: &Case<'_>) -> bool {
    case.response_header("content-type").is_some_and(|kind| holds(kind, &["text/html"]))
}

/// A header that only a product for pre-authentication writes.
fn own_header(case: &Case<'_>) -> Option<Evidence> {
    const SERVERS: [&str; 6] = ["bigip", "big-ip", "netscaler", "citrix", "kemp", "fortiweb"];
    const PLACES: [&str; 12] = [
        "/my.policy",
        "/my.logout.php3",
        "/vpn/",
        "/logon/logonpoint",
        "/cgi/",
        "/cookieauth.dll",
        "urn%3aappproxy",
        "msappproxy.net",
        // Pulse, Cisco, AD FS through a gateway, Entra application proxy: a sign-in page in front of a directory for programs.
        "/dana-na/",
        "/+cscoe+/",
        "/adfs/ls",
        "://login.microsoftonline.",
    ];
    let marks = [("server", &SERVERS[..]), ("www-authenticate", &SERVERS[..]), ("location", &PLACES[..])];
    let mut written =
        marks.into_iter().filter(|(name, marks)| case.response_header(name).is_some_and(|value| holds(value, marks)));
    written.next().map(|(name, _)| case.evidence_header(name))
}

/// The sentence that ISA Server and Forefront TMG write behind the status of a listener that authenticates.
fn own_words(case: &Case<'_>) -> Option<Evidence> {
    const WORDS: &str = "server requires authorization to fulfill the request";
    let reason = &case.exchange.response.seen()?.reason;
    let told = reason.as_str().len() > WORDS.len() && holds(reason, &[WORDS]);
    told.then(|| case.evidence(Place::ResponseStatus, reason.clone()))
}

/// A cookie that only such a product sets.
fn own_cookie(case: &Case<'_>) -> Option<Evidence> {
    const COOKIES: [&str; 6] = ["mrhsession=", "lastmrh_session=", "nsc_", "f5_st=", "appproxy", "isawplb"];
    let cookies = case.exchange.response_fields().iter().filter(|f| f.name.as_str().eq_ignore_ascii_case("set-cookie"));
    let cookie = cookies.map(|field| &field.value).find(|value| holds(value, &COOKIES))?;
    Some(case.evidence(Place::ResponseHeader("set-cookie"), cookie.clone()))
}

/// Whether one of `marks` (in lower case) stands in `value`.
fn holds(value: &Clean, marks: &[&str]) -> bool {
    let value = value.as_str().to_ascii_lowercase();
    marks.iter().any(|mark| value.contains(mark))
}

/// A refusal by another server than IIS: HTTP.sys alone (Web Application Proxy), or any server where the same host has
/// shown itself to be Exchange before.
fn foreign_server(case: &Case<'_>) -> Option<Evidence> {
    let server = case.response_header("server")?;
    let http_sys_alone = server.as_str().eq_ignore_ascii_case("Microsoft-HTTPAPI/2.0");
    let refused = matches!(case.status(), Some(401 | 440));
    let known = refused && case.past().is_exchange(case.host());
    (refused && http_sys_alone || known).then(|| case.evidence_header("server"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "F5 APM sends a server to its policy page",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.fabrikam.com/EWS/Exchange.asmx\n\
                 Authorization: Basic {basic FABRIKAM\\pat:x}",
                "302 Found\n\
                 Location: /my.policy\n\
                 Server: BigIP\n\
                 Set-Cookie: MRHSession=0; path=/; secure",
            )],
        ),
        Example::fires(
            "Web Application Proxy sends Autodiscover to AD FS",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                "307\n\
                 SERVER: Microsoft-HTTPAPI/2.0\n\
                 LOCATION: https://adfs.contoso.com/adfs/ls?version=1.0&action=signin&\
                 realm=urn%3AAppProxy%3Acom&returnUrl=https%3A%2F%2Fautodiscover.contoso.com%2F",
            )],
        ),
        Example::fires(
            "the application proxy of Entra signs people in",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "302 Found\n\
                 Location: https://login.microsoftonline.com/5b1c2a90-6f3e-4d27-9a55-0c7e1f4b8d01/oauth2/authorize?\
                 response_type=code",
            )],
        ),
        Example::fires(
            "HTTP.sys alone refuses",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com:8443/mapi/emsmdb/",
                "401\n\
                 server: Microsoft-HTTPAPI/2.0\n\
                 www-authenticate: Basic realm=\"portal\"",
            )],
        ),
        Example::fires(
            "another server refuses where Exchange answered before",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\n\
                     Server: Microsoft-IIS/10.0\n\
                     X-FEServer: EX01\n\
                     WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                    "401\nServer: nginx\nWWW-Authenticate: Basic realm=\"Restricted\"",
                ),
            ],
        ),
        Example::fires(
            "a listener of Forefront TMG asks for credentials",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.xml",
                "401 Unauthorized ( The server requires authorization to fulfill the request. Access to the Web \
                 server is denied. Contact the server administrator.  )\n\
                 Via: 1.1 TMG01\n\
                 WWW-Authenticate: Basic realm=\"mail.contoso.com\"\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "Exchange itself refuses",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Server: Microsoft-IIS/8.5 Microsoft-HTTPAPI/2.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "a balancer hands the answer of Exchange on",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\nServer: nginx\nX-FEServer: EX01\nWWW-Authenticate: Negotiate",
            )],
        ),
        Example::silent(
            "a balancer strips the headers of Exchange and sets a cookie",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Set-Cookie: NSC_mail=ffffffff; path=/\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
        Example::silent(
            "Autodiscover is redirected",
            &[Raw::new(
                "GET http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                "302\n\
                 Server: BigIP\n\
                 Location: https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
            )],
        ),
        Example::silent(
            "another mail server speaks ActiveSync",
            &[Raw::new(
                "OPTIONS https://mail.litware.example/Microsoft-Server-ActiveSync",
                "401\n\
                 Server: Apache/2.4.62 (Debian)\n\
                 WWW-Authenticate: Basic realm=\"ZPush\"",
            )],
        ),
        Example::silent(
            "another mail server says its version before it refuses a password",
            &[
                Raw::new(
                    "OPTIONS https://mail.litware.example/Microsoft-Server-ActiveSync\n\
                     Authorization: Basic YXZlcnk6UmlnaHQ=",
                    "200\nServer: Apache/2.4.62 (Debian)\nMS-Server-ActiveSync: 14.1\nX-Powered-By: PHP/8.2",
                ),
                Raw::new(
                    "POST https://mail.litware.example/Microsoft-Server-ActiveSync?Cmd=FolderSync\n\
                     Authorization: Basic YXZlcnk6V3Jvbmc=",
                    "401\nServer: Apache/2.4.62 (Debian)\nWWW-Authenticate: Basic realm=\"SOGo\"",
                ),
            ],
        ),
        Example::silent(
            "a browser gets a form for Outlook on the web",
            &[Raw::new("GET https://mail.contoso.com/owa/", "302\nServer: BigIP\nLocation: /my.policy")],
        ),
    ];
}
