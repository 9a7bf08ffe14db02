//! What is public: services everybody uses, their applications, top levels of names, and the headers that name servers.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::redact::header;

/// Whose the labels below a public domain are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// The service's own.
    Own,
    /// Its customers'.
    Customers,
}

use Below::{Customers, Own};

/// Public domains. The longest that fits counts.
static SERVICES: &[(Below, &str)] = &[
    (
        Own,
        "microsoft.com microsoft.us microsoft.net microsoftonline.com microsoftonline-p.com microsoftonline-p.net \
         microsoftonline.us microsoftonline.cn microsoftonline.de office.com office.net office365.com office365.us \
         office365.cn outlook.com outlook.cn outlook.office.com hotmail.com live.com live.net msn.com passport.com \
         passport.net windows.net windows.com windowsazure.com azure.com azure.us azure.cn azure.net chinacloudapi.cn \
         usgovcloudapi.net microsoftazuread-sso.com msauth.net msftauth.net msftauthimages.net msauthimages.net aadcdn.net \
         msocdn.com msecnd.net msftconnecttest.com msftncsi.com skype.com lync.com onenote.com onedrive.com bing.com \
         powerbi.com powerapps.com exchangelabs.com exchangelabs.live-int.com aka.ms ms.net sfx.ms 1drv.com sharepointonline.com \
         w3.org xmlsoap.org oasis-open.org datacontract.org tempuri.org ietf.org iana.org openid.net oauth.net json.org \
         schema.org docker.io docker.com ghcr.io github.com githubusercontent.com gitlab.com quay.io gcr.io google.com \
         googleapis.com gstatic.com googleusercontent.com gmail.com googlemail.com yahoo.com icloud.com apple.com \
         mozilla.org mozilla.com firefox.com digicert.com letsencrypt.org lencr.org globalsign.com globalsign.net \
         sectigo.com comodoca.com verisign.com symantec.com entrust.net godaddy.com usertrust.com geotrust.com thawte.com \
         pki.goog bittitan.com migrationwiz.com opendns.com bluecoat.com npmjs.org npmjs.com pypi.org python.org nodejs.org \
         jwt.io curl.se asp.net vb.net ado.net fiddler2.com telerik.com mitmproxy.org authtap.test",
    ),
    (
        Customers,
        "onmicrosoft.com mail.onmicrosoft.com onmicrosoft.us onmicrosoft.de onmschina.cn partner.onmschina.cn \
         partner.mail.onmschina.cn sharepoint.com sharepoint.us sharepoint-mil.us sharepoint.cn sharepoint.de \
         sharepoint-df.com mail.protection.outlook.com mail.protection.office365.us mail.protection.partner.outlook.cn \
         mail.eo.outlook.com mx.microsoft r-v1.mx.microsoft b2clogin.com ciamlogin.com msappproxy.net \
         resource.mailboxmigration.his.msappproxy.net azurewebsites.net cloudapp.net cloudapp.azure.com trafficmanager.net \
         azureedge.net azurefd.net azure-api.net azurecontainerapps.io vault.azure.net blob.core.windows.net \
         file.core.windows.net table.core.windows.net queue.core.windows.net web.core.windows.net database.windows.net \
         servicebus.windows.net crm.dynamics.com dynamics.com visualstudio.com vo.msecnd.net amazonaws.com cloudfront.net \
         elasticbeanstalk.com herokuapp.com appspot.com web.app run.app github.io gitlab.io okta.com oktapreview.com \
         okta-emea.com auth0.com onelogin.com pingone.com pingidentity.com duosecurity.com my.salesforce.com force.com \
         zendesk.com service-now.com atlassian.net zscaler.net zscloud.net mimecast.com pphosted.com messagelabs.com \
         cloudflareaccess.com workers.dev pages.dev netlify.app vercel.app azurestaticapps.net",
    ),
];

static DOMAINS: LazyLock<HashMap<&str, Below>> = LazyLock::new(|| {
    SERVICES.iter().flat_map(|(below, domains)| domains.split_whitespace().map(|domain| (domain, *below))).collect()
});

/// The words that public domains are made of.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    DOMAINS.keys().flat_map(|domain| domain.split(['.', '-']))
}

/// The public domain that `lower` is or lies in: its length, and whose the labels below are.
pub(super) fn service(lower: &str) -> Option<(usize, Below)> {
    let mut from = 0;
    loop {
        let rest = &lower[from..];
        if let Some(below) = DOMAINS.get(rest) {
            return Some((rest.len(), *below));
        }
        from += rest.find('.')? + 1;
    }
}

/// Endings of the names of SharePoint's hosts: `contoso-my`.
pub(super) const SITES: [&str; 6] = ["-my", "-admin", "-files", "-myfiles", "-public", "-web"];

/// Top levels of private networks. They stay.
pub(super) fn is_private_top(lower: &str) -> bool {
    const TOPS: [&str; 14] = [
        "local",
        "lan",
        "internal",
        "corp",
        "home",
        "intra",
        "intranet",
        "intern",
        "private",
        "localdomain",
        "test",
        "priv",
        "dom",
        "ads",
    ];
    TOPS.contains(&lower)
}

/// Top levels that a word in a sentence may have to be a host's name.
pub(super) fn is_usual_top(lower: &str) -> bool {
    const TOPS: [&str; 38] = [
        "com",
        "net",
        "org",
        "edu",
        "gov",
        "mil",
        "int",
        "info",
        "biz",
        "example",
        "cloud",
        "online",
        "site",
        "tech",
        "app",
        "dev",
        "email",
        "group",
        "global",
        "company",
        "systems",
        "solutions",
        "services",
        "network",
        "digital",
        "software",
        "agency",
        "health",
        "bank",
        "law",
        "xyz",
        "berlin",
        "tokyo",
        "london",
        "paris",
        "nyc",
        "swiss",
        "asia",
    ];
    TOPS.contains(&lower)
        || is_private_top(lower)
        || (lower.len() == 2 && lower.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Top levels that endings of files have as well.
pub(super) fn is_ending(lower: &str) -> bool {
    const ENDINGS: [&str; 22] = [
        "js", "py", "sh", "pl", "rs", "cs", "vb", "md", "gz", "db", "ts", "ps", "so", "go", "cc", "mm", "ui", "rb",
        "app", "id", "is", "in",
    ];
    ENDINGS.contains(&lower)
}

/// GUIDs that are the same for everybody (in lower case): Microsoft's applications, services and tenants.
pub(super) fn is_public_guid(lower: &str) -> bool {
    const GUIDS: &[&str] = &[
        // Tenants: consumers' accounts, Microsoft's services, Microsoft itself.
        "9188040d-6c67-4c5b-b112-36a304b66dad",
        "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "cdc5aeea-15c5-4db6-b079-fcadd2505dc2",
        // Clients and services.
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        "27922004-5251-4030-b22d-91ecd9a37ea4",
        "f8d98a96-0999-43f5-8af3-69971c7bb423",
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
        "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
        "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
        "ab9b8c07-8f02-4f72-87fa-80105867a763",
        "4765445b-32c6-49b0-83e6-1d93765276ca",
        "29d9ed98-a469-4536-ade2-f981bc1d605e",
        "9bc3ab49-b65d-410a-85ad-de819febfddc",
        "57fb890c-0dab-4253-a5e0-7188c88b2bb4",
        "08e18876-6177-487e-b8b5-cf950c1e598c",
        "fb78d390-0c51-40cd-8e17-fdbfab77341b",
        "a0c73c16-a7e3-4564-9a95-2bdf47383716",
        "1b730954-1685-4b74-9bfd-dac224a7b894",
        "1950a258-227b-4e31-a9cf-717495945fc2",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        "872cd9fa-d31f-45e0-9eab-6e460a02d1f1",
        "de8bc8b5-d9f9-48b1-a8ad-b748da725064",
        "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7",
        "00b41c95-dab0-4487-9791-b9d2c32c80f2",
        "d3ce4cf8-6810-442d-b42e-375e14710095",
        "497effe9-df71-4043-a8bb-14cf78c4b63b",
        "93d53678-613d-4013-afc1-62e9e444a0a5",
        "b669c6ea-1adf-453f-b8bc-6d526592b419",
        "268761a2-03f3-40df-8a8b-c3db24145b6b",
        "26a7ee05-5602-4d76-a7ba-eae8b7b67941",
        "98db8bd6-0cc0-4e67-9de5-f187f1cd1b41",
        "d73f4b35-55c9-48c7-8b10-651f6f2acb2e",
        "e9c51622-460d-4d3d-952d-966a5b1da34c",
        "4345a7b9-9a63-4910-a426-35363201d503",
        "65d91a3d-ab74-42e6-8a2f-0add61688c74",
        "944f0bd1-117b-4b1c-af26-804ed95e767e",
        "38aa3b87-a06d-4817-b275-7a316988d93b",
        "5d661950-3475-41cd-a2c3-d671a3162bc1",
        "82864fa0-ed49-4711-8395-a0e6003dca1f",
        "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87",
    ];
    let of_microsoft =
        lower.starts_with("000000") && lower.get(8..14) == Some("-0000-") && lower.ends_with("-000000000000");
    of_microsoft || GUIDS.contains(&lower)
}

/// Whether a name of a server is one that Microsoft's data centers give: `DM5PR18MB1004`, `AM2PEPF0001C9E3`.
pub(super) fn is_data_center(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let digits =
        |from: usize, to: usize| lower.get(from..to).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let letters = lower.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(11..=16).contains(&lower.len()) || letters < 2 || !lower.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let region =
        ["pr", "eur", "nam", "apc", "jpn", "gbr", "aus", "can", "ind", "kor", "lam", "deu", "fra", "che", "are", "zaf"]
            .iter()
            .any(|region| {
                lower[2..].find(region).is_some_and(|at| digits(2 + at + region.len(), 4 + at + region.len()))
            });
    (region && digits(lower.len() - 3, lower.len())) || lower.contains("pepf0") || lower.contains("epf0")
}

/// What a header's value is.
pub(super) enum Header {
    /// Hosts, separated by commas.
    Host,
    /// Proxies (RFC 9110 section 7.6.3).
    Via,
    /// Names of servers.
    Server,
    /// Products and versions, which may look like addresses.
    Version,
    /// Anything else.
    Other,
}

/// What the value of the header `name` is.
pub(super) fn header(name: &str) -> Header {
    const HOSTS: [&str; 5] = ["host", ":authority", "x-forwarded-host", "x-forwarded-server", "x-original-host"];
    const SERVERS: [&str; 9] = [
        "x-feserver",
        "x-beserver",
        "x-targetbeserver",
        "x-calculatedbetarget",
        "x-calculatedfetarget",
        "x-diaginfo",
        "x-feproxyinfo",
        "x-ms-server-fqdn",
        "x-ms-ppserver",
    ];
    const VERSIONS: [&str; 19] = [
        "server",
        "user-agent",
        "x-owa-version",
        "x-serverapplication",
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "microsoftsharepointteamservices",
        "x-ms-version",
        "x-client-cpu",
        "x-client-os",
        "x-client-sku",
        "x-client-ver",
        "x-powered-by",
        "proxy-agent",
        "sec-ch-ua",
        "x-mailer",
        "x-generator",
        "x-owa-clientbuildversion",
        "x-ms-ests-server",
    ];
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    if HOSTS.iter().any(is) {
        Header::Host
    } else if name.eq_ignore_ascii_case("via") {
        Header::Via
    } else if SERVERS.iter().any(is) {
        Header::Server
    } else if VERSIONS.iter().any(is) {
        Header::Version
    } else {
        Header::Other
    }
}

/// Whether everybody knows a header of this name.
pub(super) fn is_header(name: &str) -> bool {
    header::is_known(name)
}
