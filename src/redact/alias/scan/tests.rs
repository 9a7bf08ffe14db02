use base64::Engine as _;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::Aliases;
use crate::redact::{Redactor, Syntax};

/// Learns all of `learned`, each as `field` of that name, `url`, `host`, `subject` or `text`.
fn settled(learned: &[(&str, &str)]) -> Aliases {
    let mut aliases = Aliases::default();
    for (kind, text) in learned {
        shown(&mut aliases, kind, text);
    }
    aliases.settle();
    aliases
}

fn shown(aliases: &mut Aliases, kind: &str, text: &str) -> String {
    match kind {
        "url" => aliases.url(text).into_owned(),
        "host" => aliases.host(text).into_owned(),
        "subject" => aliases.subject(text).into_owned(),
        "text" => aliases.prose(text).into_owned(),
        name => aliases.field(name, text).into_owned(),
    }
}

#[test]
fn hosts_keep_their_relations() {
    let mut aliases = settled(&[]);
    for (host, expected) in [
        ("mail.contoso.com", "mail.org1.example"),
        ("MAIL.CONTOSO.COM:444", "MAIL.ORG1.EXAMPLE:444"),
        ("contoso.com", "org1.example"),
        ("ex01.emea.contoso.com", "srv1.srv2.org1.example"),
        ("EX01", "SRV1"),
        ("contoso.de", "org1-2.example"),
        ("contoso.local", "org1.local"),
        ("ex01.contoso.local.", "srv1.org1.local."),
        ("*.contoso.com", "*.org1.example"),
        ("fabrikam.co.jp", "org2.example"),
        ("mail.fabrikam.co.jp", "mail.org2.example"),
        ("contoso.onmicrosoft.com", "org1.onmicrosoft.com"),
        ("contoso.mail.onmicrosoft.com", "org1.mail.onmicrosoft.com"),
        ("contoso-my.sharepoint.com", "org1-my.sharepoint.com"),
        ("contoso-com.mail.protection.outlook.com", "org1-example.mail.protection.outlook.com"),
        ("login.microsoftonline.com", "login.microsoftonline.com"),
        ("autodiscover-s.outlook.com", "autodiscover-s.outlook.com"),
        ("DM5PR18MB1004.namprd18.prod.outlook.com", "DM5PR18MB1004.namprd18.prod.outlook.com"),
        ("mail", "mail"),
        ("mail2.contoso.com", "mail2.org1.example"),
        ("localhost:8443", "localhost:8443"),
        ("127.0.0.1:443", "127.0.0.1:443"),
        ("[::1]:443", "[::1]:443"),
        ("192.168.1.5:443", "10.0.0.1:443"),
        ("8.8.8.8", "203.0.113.1"),
        ("[2600:1408::5]:443", "[2001:db8::2]:443"),
        ("[fd12::5]", "[fd00::2]"),
    ] {
        assert_eq!(aliases.host(host), expected, "{host}");
    }
}

#[test]
fn a_stand_in_stands_for_itself_and_for_no_other_name() {
    let mut aliases = settled(&[
        ("host", "srv3.org2.example"),
        ("host", "ex01.contoso.com"),
        ("x-feserver", "SRV7"),
        ("text", "203.0.113.9"),
    ]);
    assert_eq!(aliases.host("mail.org2.example"), "mail.org2.example");
    assert_eq!(aliases.host("ex01.contoso.com"), "srv8.org3.example");
    assert_eq!(aliases.host("9.9.9.9"), "203.0.113.10");
    let mut again = settled(&[("host", "srv8.org3.example"), ("text", "aaaaaaaa-0000-4000-8000-000000000004")]);
    assert_eq!(again.host("srv8.org3.example"), "srv8.org3.example");
    let tenant = "https://login.microsoftonline.com/aaaaaaaa-0000-4000-8000-000000000004/oauth2";
    assert_eq!(again.url(tenant), tenant);
}

#[test]
fn texts_lose_names_wherever_they_stand() {
    let mut aliases = settled(&[
        ("url", "https://mail.contoso.com/EWS/Exchange.asmx"),
        ("x-feserver", "CONTOSOEX16"),
        ("url", "https://login.microsoftonline.com/1f0a3c5e-7b9d-4e2f-8a6c-0d4b2e6f8a1c/oauth2/token"),
    ]);
    for (kind, text, expected) in [
        (
            "text",
            "Expected 'https://mail.contoso.com'. Actual 'http://MAIL.contoso.com'.",
            "Expected 'https://mail.org1.example'. Actual 'http://MAIL.org1.example'.",
        ),
        ("text", r"Logon failed for CONTOSO\user#1 on contosoex16", r"Logon failed for ORG1\user#1 on srv1"),
        ("text", "ContosoMigrator/1.2 at Contoso", "Org1Migrator/1.2 at Org1"),
        ("text", "user#1@contoso.com and user#2@litware.museum", "user#1@org1.example and user#2@org2.example"),
        (
            "text",
            r#"{"x":"\nCONTOSO\\user#1","tenant":"1f0a3c5e-7b9d-4e2f-8a6c-0d4b2e6f8a1c"}"#,
            r#"{"x":"\nORG1\\user#1","tenant":"aaaaaaaa-0000-4000-8000-000000000001"}"#,
        ),
        (
            "url",
            "https://x.fabrikam.com/cb?redirect_uri=https%3A%2F%2Fmail.contoso.com%2Fowa&u=user%231%40contoso.com",
            "https://srv2.org3.example/cb?redirect_uri=https%3A%2F%2Fmail.org1.example%2Fowa&u=user%231%40org1.example",
        ),
        (
            "authorization",
            r"NTLM [type3 v2 flags=0xe2888215 cbt=zero user=down-level:TARGET\user#1 domain=TARGET target=HTTP/EX02 time=1795526400 mic #266]",
            r"NTLM [type3 v2 flags=0xe2888215 cbt=zero user=down-level:ORG4\user#1 domain=ORG4 target=HTTP/SRV3 time=1795526400 mic #266]",
        ),
        (
            "authorization",
            "NTLM [type3 v2 flags=0xe2888215 cbt=zero user=empty domain= target=HTTP/mail.contoso.com mic #266]",
            "NTLM [type3 v2 flags=0xe2888215 cbt=zero user=empty domain= target=HTTP/mail.org1.example mic #266]",
        ),
        (
            "www-authenticate",
            r#"Basic realm="mail.contoso.com", Negotiate, NTLM"#,
            r#"Basic realm="mail.org1.example", Negotiate, NTLM"#,
        ),
        ("www-authenticate", r#"Basic realm="Adatum Widgets""#, r#"Basic realm="Name1""#),
        ("www-authenticate", "Bearer realm=adatum, error=invalid_token", "Bearer realm=org5, error=invalid_token"),
        (
            "text",
            "not found in the tenant named Proseware Ltd. This can",
            "not found in the tenant named Name2. This can",
        ),
        ("text", r"not in tenant \u0027Litware\u0027 and", r"not in tenant \u0027Org2\u0027 and"),
        ("text", "not found in the tenant named litware.museum.", "not found in the tenant named org2.example."),
        (
            "authorization",
            "Bearer [jwt #3 aud=https://ex05/ iss=https://sts.windows.net/*/ tid=* appid=spn:x]",
            "Bearer [jwt #3 aud=https://srv4/ iss=https://sts.windows.net/*/ tid=* appid=spn:x]",
        ),
        ("url", "https://adatum.sharepoint.com/sites/Merger2027/x", "https://org5.sharepoint.com/sites/Name3/x"),
        (
            "text",
            "https%3A%2F%2Fmail%2Econtoso%2Ecom%2F https%253A%252F%252Fmail.contoso.com%252F",
            "https%3A%2F%2Fmail.org1.example%2F https%253A%252F%252Fmail.org1.example%252F",
        ),
        (
            "text",
            "at mail&#46;contoso&#46;com, \"mail\\u002econtoso\\u002ecom\"",
            "at mail.org1.example, \"mail.org1.example\"",
        ),
        (
            "text",
            "サーバーmail.contoso.comが portal.m\u{fc}ller-gmbh.de",
            "サーバーmail.org1.exampleが portal.org6.example",
        ),
        ("text", "Server: Microsoft-IIS/10.0 Server: nginx", "Server: Microsoft-IIS/10.0 Server: nginx"),
        ("url", "https://delta/", "https://srv5/"),
        (
            "authorization",
            "Negotiate [spnego offered=kerberos kerberos ap-req realm=CONTOSO.COM service=HTTP/DELTA etype=18 #3]",
            "Negotiate [spnego offered=kerberos kerberos ap-req realm=ORG1.EXAMPLE service=HTTP/SRV5 etype=18 #3]",
        ),
        (
            "www-authenticate",
            "Negotiate [spnego chosen=ntlm type2 flags=0xe2898215 target=ADATUM computer=EX02 dns-computer=ex02.adatum.net]",
            "Negotiate [spnego chosen=ntlm type2 flags=0xe2898215 target=ORG5 computer=SRV3 dns-computer=srv3.org5.example]",
        ),
        ("set-cookie", "a=[hidden #1]; domain=.contoso.com; path=/", "a=[hidden #1]; domain=.org1.example; path=/"),
        (
            "via",
            "1.1 proxy7.contoso.com (squid/4.1.2.3), 1.1 PROXYDMZ",
            "1.1 proxy7.org1.example (squid/4.1.2.3), 1.1 SRV6",
        ),
        ("user-agent", "Chrome/120.0.0.0 Outlook/16.0.1.2", "Chrome/120.0.0.0 Outlook/16.0.1.2"),
        ("x-owa-version", "15.2.221.12", "15.2.221.12"),
        ("text", "cannot connect: 8.8.8.8:443 refuses", "cannot connect: 203.0.113.1:443 refuses"),
        (
            "text",
            "System.Net.WebException in Microsoft.Exchange.Security.dll of ASP.NET 4.0",
            "System.Net.WebException in Microsoft.Exchange.Security.dll of ASP.NET 4.0",
        ),
        (
            "text",
            "EWS.AccessAsUser.All Mail.Read https://outlook.office365.com/.default",
            "EWS.AccessAsUser.All Mail.Read https://outlook.office365.com/.default",
        ),
        ("subject", "CN=mail.contoso.com,O=Contoso Ltd,L=Redmond,C=US", "CN=mail.org1.example,O=Name4,L=Name5,C=US"),
        (
            "subject",
            "CN=DigiCert TLS RSA SHA256 2020 CA1,O=DigiCert Inc,C=US",
            "CN=DigiCert TLS RSA SHA256 2020 CA1,O=DigiCert Inc,C=US",
        ),
        (
            "url",
            "https://host.fabrikam.com/rpc/rpcproxy.dll?EX03:6001",
            "https://host.org3.example/rpc/rpcproxy.dll?SRV7:6001",
        ),
    ] {
        assert_eq!(shown(&mut aliases, kind, text), expected, "{text}");
    }
}

#[test]
fn names_of_fields_tell_of_whom_they_are_of() {
    let mut aliases = settled(&[("host", "mail.contoso.com")]);
    assert_eq!(aliases.field_name("X-Contoso-Trace"), "X-Org1-Trace");
    assert_eq!(aliases.field_name("X-FEServer"), "X-FEServer");
}

#[test]
fn what_goes_on_and_on_is_read_once() {
    let mut aliases = settled(&[("host", "mail.contoso.com")]);
    for piece in [
        "[jwt ",
        "[",
        "claims=",
        "realm=\"",
        "tenant named ",
        "tenant '",
        "%25",
        "\\u",
        "contoso.",
        "a.b-",
        "user#1@",
        "[::",
        "aaaaaaaa-",
        "//",
        "\u{fc}",
        "&#46;a",
        "https://",
        "\\x41",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        assert!(!aliases.prose(&text).is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(pieces in prop::collection::vec(select(PIECES), 0..20), other in "\\PC{0,12}") {
        let mut aliases = settled(&[("host", "mail.contoso.com"), ("x-feserver", "EX01")]);
        let text = pieces.concat() + &other;
        let once = aliases.prose(&text).into_owned();
        aliases.field("x-feserver", &text);
        aliases.field("via", &text);
        aliases.host(&text);
        aliases.url(&text);
        aliases.subject(&text);
        prop_assert!(!once.to_ascii_lowercase().contains("contoso"), "{} became {}", text, once);
    }
}

/// What the reading of texts cares about.
const PIECES: &[&str] = &[
    "contoso",
    "CONTOSO",
    "mail.contoso.com",
    "EX01",
    "\\",
    "\\\\",
    "\\n",
    "\\u0027",
    "%",
    "%2F",
    "%25",
    "%2E",
    "&#46;",
    ".",
    "-",
    "_",
    "/",
    "//",
    "://",
    "@",
    "#",
    "user#1",
    "[",
    "]",
    "[jwt ",
    "[hidden #1]",
    "=",
    "\"",
    "'",
    " ",
    ":",
    ",",
    ";",
    "<",
    ">",
    "?",
    "realm=",
    "domain=",
    "server: ",
    "tenant named ",
    "tenant '",
    "claims=\"",
    "\u{fc}",
    "\u{65e5}",
    "10.1.2.3",
    "8.8.8.8:443",
    "[2600::1]",
    "0x12",
    "*",
    "login.microsoftonline.com/",
    "8da56bec-0d27-4cac-ab06-52ee2c40ea22",
    "org1",
    "srv2.org1.example",
    ".sharepoint.com/sites/",
];

#[test]
fn claims_in_base64_are_read() {
    let mut aliases = settled(&[]);
    let claims = |id: &str| {
        crate::redact::basic::LENIENT.encode(format!(r#"{{"access_token":{{"capolids":{{"values":["{id}"]}}}}}}"#))
    };
    let value = format!(r#"Bearer realm="", claims="{}""#, claims("1f0a3c5e-7b9d-4e2f-8a6c-0d4b2e6f8a1c"));
    let expected = format!(r#"Bearer realm="", claims="{}""#, claims("cccccccc-0000-4000-8000-000000000001"));
    assert_eq!(shown(&mut aliases, "www-authenticate", &value), expected);
}

#[test]
fn what_has_a_stand_in_is_a_clean_text_as_it_is() {
    let redactor = Redactor::new();
    let mut aliases = settled(&[("host", "mail.contoso.com")]);
    for (name, value) in [
        ("X-Unknown", "mail.contoso.com"),
        ("X-FEServer", "CONTOSOEX16"),
        ("request-id", "a8e9dfb4-cb06-4b18-80a0-b110220177e1"),
        (
            "x-ms-diagnostics",
            "4000000;reason=\"not for 'user#1@contoso.com' at mail.contoso.com\";error_category=\"oauth\"",
        ),
    ] {
        let shown = aliases.field(name, value).into_owned();
        assert_ne!(shown, value);
        assert_eq!(redactor.own().field(name.as_bytes(), shown.as_bytes()).value, shown.as_str());
    }
    let body = r#"{"error_description":"AADSTS50001: The application named https://mail.contoso.com/ was not found in the tenant named contoso.com."}"#;
    let shown = aliases.prose(body).into_owned();
    assert_eq!(redactor.own().body_text(Syntax::Json, shown.as_bytes()), shown.as_str());
    assert!(!shown.contains("contoso"));
}

#[test]
fn names_are_found_in_what_was_written() {
    let aliases = settled(&[("host", "ex01.contoso.com"), ("host", "mail.target.com")]);
    let search = aliases.search();
    for (text, count) in [
        ("EX01", 1),
        ("x EX012 LEX01", 0),
        ("fromCONTOSOland", 1),
        ("contoso-ex01 mail.contoso.com", 3),
        ("the target of the request", 0),
        ("at target.com", 1),
        (r#"{"a":"\nEX01"}"#, 1),
        ("mail.org1.example", 0),
    ] {
        assert_eq!(search.count(text.as_bytes()), count, "{text}");
    }
}
