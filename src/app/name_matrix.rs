//! The matrix of names: a private name of its own in every place where one can stand, looked for in files for strangers.
//!
//! Everything goes the way that the command goes. That a name stands in the file for support shows that its place is one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "a test that writes files of its own"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Convert, Share, convert};
use crate::exchange::{
    Certificate, ClientCertificate, ClientTls, Connection, Exchange, Failure, FailureKind, Seen, Server, Side, SniForm,
    Step, Timestamp, Timings, Tls, Unseen,
};
use crate::redact::Redactor;
use crate::session::{Export, Form, Manifest, Opening, Origin, Progress, Provenance, Reader, Recorded, texts};
use crate::text::Language;

const FORMS: [(Form, &str); 3] = [(Form::Authtap, "authtap"), (Form::Har, "har"), (Form::Saz, "saz")];

/// Where a name stands in an entry of an archive, with `{h}` for a host, `{d}` for its domain, `{n}` for a NetBIOS name,
/// `{w}` for the name as a word, `{g}` for a GUID.
enum At {
    Url,
    Request(&'static str),
    Response(&'static str),
    Sent(&'static str),
    Got(&'static str),
    /// A member of the entry.
    Entry(&'static str),
}

use At::{Entry, Got, Request, Response, Sent, Url};

const XML: &str = "text/xml";
const JSON: &str = "application/json";
const HTML: &str = "text/html";
const FORM: &str = "application/x-www-form-urlencoded";
const TEXT: &str = "text/plain";

const PLACES: &[(At, &str)] = &[
    (Url, "https://{h}/EWS/Exchange.asmx"),
    (Url, "https://{n}/EWS/Exchange.asmx"),
    (Url, "https://{h}:8443/owa/"),
    (Url, "https://{w}.onmicrosoft.com/"),
    (Url, "https://{w}-my.sharepoint.com/personal/user/Documents"),
    (Url, "https://{w}.mail.protection.outlook.com/"),
    (Url, "https://{w}.museum/"),
    (Url, "https://login.microsoftonline.com/{w}.museum/oauth2/token"),
    (Url, "https://login.microsoftonline.com/{g}/oauth2/token"),
    (Url, "https://login.microsoftonline.com/common/oauth2/authorize?redirect_uri=https%3A%2F%2F{h}%2Fowa"),
    (Url, "https://login.microsoftonline.com/common/oauth2/authorize?client_id={g}"),
    (Url, "https://login.microsoftonline.com/common/oauth2/authorize?domain_hint={d}"),
    (Url, "https://login.microsoftonline.com/common/oauth2/authorize?login_hint=avery%40{d}"),
    (Url, "https://login.microsoftonline.com/common/oauth2/authorize?resource=https%3A%2F%2F{n}%2F"),
    (Url, "https://mail.contoso.com/rpc/rpcproxy.dll?{h}:6001"),
    (Url, "https://mail.contoso.com/autodiscover/autodiscover.json?Email=avery%40{d}&Protocol=Ews&RedirectCount=1"),
    (Request("Host"), "{h}"),
    (Request("Referer"), "https://{h}/owa/"),
    (Request("Origin"), "https://{h}"),
    (Request("X-Forwarded-Host"), "{h}"),
    (Request("X-Forwarded-Server"), "{n}"),
    (Request("X-AnchorMailbox"), "avery@{d}"),
    (Request("X-User-Identity"), "avery@{d}"),
    (Request("Restrict-Access-To-Tenants"), "{d}, {w}.onmicrosoft.com"),
    (Request("Restrict-Access-Context"), "{g}"),
    (Request("X-Never-Heard-Of"), "{h}"),
    (Request("User-Agent"), "Migrator/1.0 (+https://{h}/)"),
    (Request("Authorization"), "Basic {basic-upn}"),
    (Request("Authorization"), "Basic {basic-down}"),
    (Request("Authorization"), "Bearer {jwt}"),
    (Request("Authorization"), "Bearer {jwt-tenant}"),
    (Request("Authorization"), "NTLM {type3}"),
    (Request("Authorization"), "Negotiate {type3-host}"),
    (Request("client-request-id"), "{g}"),
    (Response("WWW-Authenticate"), "NTLM {type2}"),
    (Response("WWW-Authenticate"), "Negotiate {type2-dns}"),
    (Response("WWW-Authenticate"), "Basic realm=\"{h}\""),
    (Response("WWW-Authenticate"), "Basic realm=\"{w}\""),
    (Response("WWW-Authenticate"), "Basic realm=\"{w} Intranet Zone\""),
    (Response("WWW-Authenticate"), "Bearer realm={w}, error=\"invalid_token\""),
    (Response("WWW-Authenticate"), "Bearer client_id=\"00000003-0000-0ff1-ce00-000000000000\", realm=\"{g}\""),
    (Response("WWW-Authenticate"), "Bearer trusted_issuers=\"00000001-0000-0000-c000-000000000000@{d}\", error=\"x\""),
    (Response("WWW-Authenticate"), "Bearer trusted_issuers=\"00000001-0000-0000-c000-000000000000@{g}\""),
    (Response("WWW-Authenticate"), "Bearer authorization_uri=\"https://login.windows.net/{d}/oauth2/authorize\""),
    (Response("WWW-Authenticate"), "Bearer authorization_uri=\"https://{h}/adfs/oauth2/authorize\""),
    (Response("WWW-Authenticate"), "Bearer claims=\"{claims}\""),
    (
        Response("x-ms-diagnostics"),
        "2000003;reason=\"The audience claim value 'https://{h}' is invalid\";error_category=\"x\"",
    ),
    (
        Response("x-ms-diagnostics"),
        "4000000;reason=\"Flighting is not enabled for domain 'avery@{d}'.\";error_category=\"x\"",
    ),
    (Response("X-AutoDiscovery-Error"), "LiveIdBasicAuth:FederatedStsUnreachable:https://{h}/adfs/services/trust"),
    (Response("X-FEServer"), "{n}"),
    (Response("X-BEServer"), "{n}"),
    (Response("X-DiagInfo"), "{n}"),
    (Response("X-CalculatedBETarget"), "{h}"),
    (Response("X-MS-Location"), "https://{h}/Microsoft-Server-ActiveSync"),
    (Response("Location"), "https://{h}/adfs/ls/?wtrealm=urn%3Afederation%3AMicrosoftOnline&wctx=x"),
    (Response("Location"), "https://login.microsoftonline.com/?whr={d}"),
    (Response("Set-Cookie"), "a=b; domain=.{d}; path=/"),
    (Response("Set-Cookie"), "a=b; Domain={w}.museum; path=/"),
    (Response("Via"), "1.1 {h} (squid/4.1)"),
    (Response("Via"), "1.1 {n}"),
    (Response("Link"), "<https://{h}/x>; rel=next"),
    (Response("Access-Control-Allow-Origin"), "https://{h}"),
    (Response("x-ms-server-fqdn"), "{h}"),
    (Response("request-id"), "{g}"),
    (Response("X-Never-Heard-Of"), "{h}"),
    (Sent(FORM), "grant_type=client_credentials&resource=https%3A%2F%2F{h}%2F&scope=x"),
    (Sent(FORM), "grant_type=client_credentials&client_id={g}"),
    (Sent(FORM), "grant_type=password&username=avery%40{d}&password=x"),
    (
        Sent(XML),
        "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>avery@{d}</EMailAddress></Request></Autodiscover>",
    ),
    (
        Got(JSON),
        "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource principal named https://{h}/ was not found in the tenant named {w}.\"}",
    ),
    (Got(JSON), "{\"error\":\"x\",\"error_description\":\"AADSTS90002: Tenant '{d}' not found.\"}"),
    (
        Got(JSON),
        "{\"error\":\"x\",\"error_description\":\"AADSTS50020: User account does not exist in tenant '{w} Ltd'.\"}",
    ),
    (
        Got(JSON),
        "{\"error\":\"x\",\"error_description\":\"AADSTS65001: not consented to use the application with ID '{g}' named 'x'.\"}",
    ),
    (Got(JSON), "{\"error\":\"x\",\"error_description\":\"AADSTS50034: x\\r\\nTrace ID: {g}\"}"),
    (Got(JSON), "{\"Protocol\":\"Ews\",\"Url\":\"https://{h}/EWS/Exchange.asmx\"}"),
    (
        Got(JSON),
        "{\"NameSpaceType\":\"Federated\",\"DomainName\":\"{d}\",\"FederationBrandName\":\"{w} Ltd\",\"AuthURL\":\"https://{h}/adfs/ls/\"}",
    ),
    (Got(JSON), "{\"message\":\"no route to {h}\"}"),
    (Got(JSON), "{\"message\":\"logon failed for {n}\\\\avery\"}"),
    (
        Got(XML),
        "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\"><Response><Account><Protocol><Type>EXCH</Type><Server>{n}</Server><EwsUrl>https://{h}/EWS/Exchange.asmx</EwsUrl></Protocol></Account></Response></Autodiscover>",
    ),
    (Got(XML), "<a><RedirectUrl>https://{h}/autodiscover/autodiscover.xml</RedirectUrl></a>"),
    (Got(XML), "<a><CertPrincipalName>msstd:{h}</CertPrincipalName></a>"),
    (Got(HTML), "<html><body><h1>Access denied</h1><p>The gateway {h} refused the request.</p></body></html>"),
    (Got(HTML), "<html><body><a href=\"https://{h}/help\">help</a></body></html>"),
    (Got(TEXT), "cannot reach {h} from here"),
    (Got(TEXT), "https://{h}/ failed for avery@{d}"),
    (Entry("serverIPAddress"), "{ip}"),
    (Entry("comment"), "the traffic of {h}"),
    (Entry("_error"), "server resolve: the name {h} could not be resolved"),
];

/// A name of its own for each place.
struct Planted {
    entry: Value,
    /// What must not be found, in lower case.
    names: Vec<String>,
    place: String,
}

fn planted(number: usize) -> Planted {
    let (at, template) = &PLACES[number];
    let letters: String =
        [number / 20 % 20, number % 20].map(|at| char::from(b"bcdfghjklmnpqrstvwxz"[at])).iter().collect();
    // Nine letters that are no word, and a NetBIOS name that shares none of them.
    let (word, netbios) = (format!("zu{letters}orvex"), format!("QY{}YAX", letters.to_uppercase()));
    let guid = format!("{number:08x}-7b9d-4e2f-8a6c-0d4b2e6f8a1c");
    let address = format!("81.2.{number}.7");
    let (host, domain) = (format!("srvq{letters}.{word}.com"), format!("{word}.com"));
    let jwt = |aud: &str, iss: &str| {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"aud": aud, "iss": iss, "exp": 4_102_444_800_u64, "upn": format!("avery@{domain}"), "tid": guid, "appid": guid});
        format!("{}.{}.c2lnbmF0dXJl", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims))
    };
    let text = template
        .replace("{jwt}", &jwt(&format!("https://{host}/"), "https://sts.windows.net/common/"))
        .replace("{jwt-tenant}", &jwt("https://outlook.office365.com/", &format!("https://sts.windows.net/{guid}/")))
        .replace("{basic-upn}", &STANDARD.encode(format!("avery@{domain}:x")))
        .replace("{basic-down}", &STANDARD.encode(format!("{netbios}\\avery:x")))
        .replace("{type3}", &type3(&netbios, ""))
        .replace("{type3-host}", &type3(&netbios, &format!("HTTP/{host}")))
        .replace("{type2}", &type2(&netbios, &[(1, &netbios), (2, &netbios)]))
        .replace("{type2-dns}", &type2("CONTOSO", &[(3, &host), (4, &domain)]))
        .replace(
            "{claims}",
            &STANDARD.encode(format!("{{\"access_token\":{{\"capolids\":{{\"values\":[\"{guid}\"]}}}}}}")),
        )
        .replace("{h}", &host)
        .replace("{d}", &domain)
        .replace("{n}", &netbios)
        .replace("{w}", &word)
        .replace("{g}", &guid)
        .replace("{ip}", &address);
    let field = |name: &str| json!([{"name": name, "value": text}]);
    let body = |kind: &str| json!({"mimeType": kind, "text": text, "size": text.len()});
    let mut entry = json!({
        "startedDateTime": "2026-11-22T09:00:00Z", "time": 5, "timings": {"send": 1, "wait": 2, "receive": 2},
        "request": {"method": "POST", "url": "https://mail.contoso.com/EWS/Exchange.asmx", "httpVersion": "HTTP/1.1", "headers": []},
        "response": {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1", "headers": [], "content": {"size": 0, "mimeType": ""}},
    });
    match at {
        Url => entry["request"]["url"] = text.as_str().into(),
        Request(name) => entry["request"]["headers"] = field(name),
        Response(name) => entry["response"]["headers"] = field(name),
        Sent(kind) => {
            entry["request"]["headers"] = json!([{"name": "Content-Type", "value": kind}]);
            entry["request"]["postData"] = body(kind);
        }
        Got(kind) => {
            entry["response"]["headers"] = json!([{"name": "Content-Type", "value": kind}]);
            entry["response"]["content"] = body(kind);
        }
        Entry(name) => {
            entry[*name] = text.as_str().into();
            if *name == "_error" {
                entry["response"]["status"] = 0.into();
            }
        }
    }
    let names = vec![word, netbios.to_ascii_lowercase(), guid, address, format!("srvq{letters}")];
    Planted { entry, names, place: template.to_string() }
}

/// An NTLM message of type 3.
fn type3(domain: &str, target: &str) -> String {
    let mut response = [vec![7; 16], vec![1, 1, 0, 0, 0, 0, 0, 0], vec![0; 16], vec![0; 4]].concat();
    if !target.is_empty() {
        response.extend(pair(9, target));
    }
    response.extend([0; 8]);
    let parts = [vec![0; 24], response, wide(domain), wide("avery"), wide("PC1"), vec![0; 16]];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 64_u32;
    for part in &parts {
        let length = u16::try_from(part.len()).unwrap().to_le_bytes();
        message.extend([length, length].concat());
        message.extend(at.to_le_bytes());
        at += u32::try_from(part.len()).unwrap();
    }
    message.extend(0xe288_8215_u32.to_le_bytes());
    message.extend(parts.concat());
    STANDARD.encode(message)
}

/// An NTLM message of type 2.
fn type2(target: &str, pairs: &[(u16, &str)]) -> String {
    let target = wide(target);
    let info = [pairs.iter().flat_map(|(id, text)| pair(*id, text)).collect::<Vec<u8>>(), vec![0; 4]].concat();
    let part = |bytes: &[u8], at: usize| {
        let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        [&length[..], &length, &u32::try_from(at).unwrap().to_le_bytes()].concat()
    };
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend(part(&target, 48));
    message.extend(0xe289_8215_u32.to_le_bytes());
    message.extend([[9; 8], [0; 8]].concat());
    message.extend(part(&info, 48 + target.len()));
    message.extend(target);
    message.extend(info);
    STANDARD.encode(message)
}

fn pair(id: u16, text: &str) -> Vec<u8> {
    let text = wide(text);
    [&id.to_le_bytes()[..], &u16::try_from(text.len()).unwrap().to_le_bytes(), &text].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn archive(entries: &[&Value], folder: &Path) -> PathBuf {
    let path = folder.join("source.har");
    let log = json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}});
    std::fs::write(&path, log.to_string()).unwrap();
    path
}

fn converted(from: &Path, to: &Path, form: Form, share: Share) {
    let order = Convert { from: from.to_owned(), to: to.to_owned(), form, encrypt: false, share };
    convert::copy(&order, None, &Progress::default(), Language::En).unwrap();
}

/// All that stands in a file, in lower case, also in base64.
fn content(path: &Path) -> String {
    let mut all = std::fs::read(path).unwrap();
    texts(path, None, &mut |_, text| {
        all.push(b'\n');
        all.extend(text);
        Ok(())
    })
    .unwrap();
    let text = String::from_utf8_lossy(&all);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).filter(|word| word.len() > 40);
    let decoded: Vec<u8> = words.filter_map(|word| STANDARD.decode(word).ok()).flatten().collect();
    format!("{text}\n{}", String::from_utf8_lossy(&decoded)).to_ascii_lowercase()
}

fn read(path: &Path) -> Vec<Recorded> {
    let redactor = Redactor::new();
    let reader = Reader::open(path, &Opening::quietly(&redactor)).unwrap();
    reader.exchanges().map(Result::unwrap).collect()
}

/// Each place alone, so that no other place has taught the name.
#[test]
fn no_private_name_is_left_whatever_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (support, public) = (folder.path().join("support.har"), folder.path().join("public.har"));
    let (mut left, mut vain) = (Vec::new(), Vec::new());
    for number in 0..PLACES.len() {
        let Planted { entry, names, place } = planted(number);
        let source = archive(&[&entry], folder.path());
        converted(&source, &support, Form::Har, Share::Support);
        converted(&source, &public, Form::Har, Share::Public);
        let (before, after) = (content(&support), content(&public));
        if !names.iter().any(|name| before.contains(name)) {
            vain.push(place.clone());
        }
        for name in names.iter().filter(|name| after.contains(*name)) {
            left.push(format!("{name} of {place}"));
        }
    }
    // What the door leaves out for everybody.
    let kept_by_nobody = ["{ip}", "the traffic of {h}"];
    vain.retain(|place| !kept_by_nobody.contains(&&**place));
    assert!(left.is_empty(), "{} are left:\n{}", left.len(), left.join("\n"));
    assert!(vain.is_empty(), "places that keep no name prove nothing:\n{}", vain.join("\n"));
}

/// What no archive of other tools tells: what was settled on connections, and why one failed.
#[test]
fn no_private_name_is_left_of_a_connection() {
    const NAMES: [&str; 8] =
        ["srvqa", "zuqorvex", "qyleaf", "qyissuer", "qyother", "81.2.9.7", "192.168.77.5", "1717171717171717"];
    let redactor = Redactor::new();
    let door = redactor.own();
    let certificate = |subject: &str, issuer: &str, name: &str| Certificate {
        subject: door.prose(subject.as_bytes()),
        issuer: door.prose(issuer.as_bytes()),
        names: vec![door.host(name.as_bytes())],
        sha256: [0x17; 32],
        ..Certificate::of_fingerprint([0; 32])
    };
    let leaf = certificate(
        "CN=srvqa.zuqorvex.com,O=Zuqorvex GmbH,L=Qyother,C=DE",
        "CN=Qyissuer Root,DC=zuqorvex,DC=local",
        "srvqa.zuqorvex.com",
    );
    let servers = ["srvqa.zuqorvex.com:443"];
    let connection = Connection {
        id: 1,
        client: Some("127.0.0.1:50000".into()),
        target: Some(door.host(servers[0].as_bytes())),
        client_tls: Some(ClientTls {
            version: "TLS 1.3".into(),
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            alpn: None,
            sni: Some(door.host(b"SRVQA.zuqorvex.com")),
            sni_form: SniForm::Name,
            legacy: Some(door.prose(b"nothing else is spoken by srvqa.zuqorvex.com")),
        }),
        server: Some(Server {
            address: door.host(b"81.2.9.7:443"),
            tls: Some(Tls {
                chain: vec![certificate("CN=QYISSUER", "CN=QYISSUER", "qyother.zuqorvex.com")],
                accepted_despite: Some(
                    door.failure(b"not for srvqa.zuqorvex.com but for 192.168.77.5 and *.qyother.net", &servers),
                ),
                client_certificate: ClientCertificate::Given(door.prose(b"CN=QYLEAF,O=Zuqorvex GmbH,C=DE")),
                ..Tls::of_certificate(leaf.clone())
            }),
        }),
        presented: Some(leaf),
    };
    let exchange = Exchange {
        id: 1,
        started: Timestamp::from_seconds(1_795_338_000),
        connection: Arc::new(connection),
        method: Some("CONNECT".into()),
        url: Some(door.url(b"https://srvqa.zuqorvex.com/")),
        request: Seen::Unseen(Unseen::NeverCame),
        response: Seen::Unseen(Unseen::NeverCame),
        error: Some(Failure {
            side: Side::Server,
            step: Step::Connect,
            kind: FailureKind::Refused,
            text: door
                .failure(b"cannot connect to srvqa.zuqorvex.com: 81.2.9.7:443 refuses, 192.168.77.5:443 too", &servers),
        }),
        timings: Timings::default(),
        running: false,
    };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.authtap");
    let mut export = Export::begin(&source, Form::Authtap, None).unwrap();
    export.add(Recorded { origin: Origin::of(Provenance::HERE), exchange }).unwrap();
    export.finish(&Manifest::default()).unwrap();
    let before = content(&source);
    assert!(NAMES.iter().all(|name| before.contains(name)), "{before}");
    for (form, kind) in FORMS {
        let public = folder.path().join(format!("public.{kind}"));
        converted(&source, &public, form, Share::Public);
        let after = content(&public);
        let left: Vec<_> = NAMES.iter().filter(|name| after.contains(**name)).collect();
        assert!(left.is_empty(), "{kind}: {left:?}");
        assert!(after.contains("srv1.org1.example:443") && after.contains("cn=srv1.org1.example"), "{kind}: {after}");
    }
}

/// All of them in one file, in every form, and made again of what was made.
#[test]
fn a_public_file_of_any_kind_has_no_private_name_and_stays_as_it_is_when_it_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let planted: Vec<Planted> = (0..PLACES.len()).map(planted).collect();
    let entries: Vec<&Value> = planted.iter().map(|planted| &planted.entry).collect();
    let source = archive(&entries, folder.path());
    for (form, kind) in FORMS {
        let [public, again] = ["public", "again"].map(|name| folder.path().join(format!("{name}.{kind}")));
        converted(&source, &public, form, Share::Public);
        let content = content(&public);
        assert!(content.contains("org1.example"));
        let left: Vec<&String> =
            planted.iter().flat_map(|planted| &planted.names).filter(|name| content.contains(*name)).collect();
        assert!(left.is_empty(), "{kind}: {left:?}");
        converted(&public, &again, form, Share::Public);
        for (one, other) in read(&public).iter().zip(read(&again)) {
            assert_eq!(format!("{:?}", one.exchange), format!("{:?}", other.exchange), "{kind}");
        }
    }
}
