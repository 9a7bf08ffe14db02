//! A saved session answers offline as the servers did: same statuses, same fields, stand-ins of the same form for what
//! was secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kit::{Answer, Origin, Proxy, Workshop, curl, field, fields, need};

const HOST: &str = "mail.contoso.com";

/// What is asked, in this order: method, path, and the credential sent.
const REQUESTS: [(&str, &str, &str); 6] = [
    ("GET", "/EWS/Exchange.asmx", "Authorization:"),
    ("POST", "/mapi/nspi/", "Authorization: Bearer"),
    ("GET", "/owa/", "Authorization: Basic YXZlcnk6c2VjcmV0"),
    ("GET", "/again", "Authorization:"),
    ("GET", "/again", "Authorization: Bearer EwAgA8l6BAAUs"),
    ("GET", "/page.json", "Authorization:"),
];

const COOKIE: &str = "s3cretC00kieValue";

fn answers() -> [Vec<u8>; 6] {
    let cookie = format!("Set-Cookie: cadata={COOKIE}; path=/; secure; HttpOnly\r\n");
    [
        format!(
            "HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/10.0\r\nrequest-id: 5fdfec03-2389-42b9-bab9-c787a49d09ca\r\n\
             Www-Authenticate: Negotiate\r\nWWW-AUTHENTICATE: NTLM\r\nX-FEServer: EX01\r\n{cookie}Content-Length: 0\r\n\r\n"
        ),
        "HTTP/1.1 401 Unauthorized\r\nx-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
         'contoso.com'.\";error_category=\"oauth_not_available\"\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        format!("HTTP/1.1 302 Moved Along\r\nLocation: /owa/auth/logon.aspx\r\n{cookie}Content-Length: 0\r\n\r\n"),
        "HTTP/1.1 401 First\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 Second\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"count\": 17}".to_owned(),
    ]
    .map(String::into_bytes)
}

#[test]
fn the_same_answers_come_with_the_server_gone() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let next = Arc::new(AtomicUsize::new(0));
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), move |_| {
        answers()[next.fetch_add(1, Ordering::SeqCst)].clone()
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let live = ask(&proxy);
    let said_live: Vec<_> = proxy.exchanges(REQUESTS.len());
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    drop(origin);
    let before = std::fs::read(&session).unwrap();

    // The name resolves nowhere and nobody listens: an answer can only come out of the session.
    let mut replay = workshop.replay(&session);
    let replayed = ask(&replay);
    for (live, replayed) in live.iter().zip(&replayed) {
        same(live, replayed);
    }
    // Plain text that explains no failure is content: it was not kept, its length was.
    assert_eq!(replayed[4].text(), "     ");
    let json: serde_json::Value = serde_json::from_slice(&replayed[5].body).unwrap();
    assert_eq!(json["count"], 17);

    // It is diagnosed as it was.
    let said = replay.exchanges(REQUESTS.len());
    let findings = |said: &[serde_json::Value]| said.iter().map(|said| said["findings"].clone()).collect::<Vec<_>>();
    assert_eq!(findings(&said), findings(&said_live));

    // What the session lacks is said to be lacking.
    let lacking = curl(&replay, &[&format!("https://{HOST}/never/asked")]);
    assert!(lacking.status >= 500, "{}", lacking.status);
    assert!(lacking.text().contains("/never/asked") || lacking.text().contains("session"), "{}", lacking.text());
    let other = curl(&replay, &["https://autodiscover.fabrikam.com/"]);
    assert!(other.status >= 500 || other.error.contains("50"), "{} {}", other.status, other.error);

    assert_eq!(replay.stop().code, Some(0));
    assert_eq!(std::fs::read(&session).unwrap(), before, "a replay saves nothing");
}

fn ask(proxy: &Proxy) -> Vec<Answer> {
    REQUESTS
        .iter()
        .map(|(method, path, credential)| {
            let answer = curl(proxy, &["-X", method, "-H", credential, &format!("https://{HOST}{path}")]);
            assert_eq!(answer.code, Some(0), "{method} {path}: {}", answer.error);
            answer
        })
        .collect()
}

fn same(live: &Answer, replayed: &Answer) {
    let line = |answer: &Answer| String::from_utf8_lossy(&answer.head).lines().next().unwrap().to_owned();
    assert_eq!(line(replayed), line(live));
    let names = |answer: &Answer| fields(&answer.head).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(replayed), names(live), "the same fields, in order and as spelled");
    for ((name, now), (_, then)) in fields(&replayed.head).into_iter().zip(fields(&live.head)) {
        if name.eq_ignore_ascii_case("set-cookie") {
            assert!(!now.contains(COOKIE), "{now}");
            assert_eq!(now.split('=').next(), then.split('=').next(), "the cookie keeps its name");
            assert_eq!(now.split_once(';').unwrap().1, then.split_once(';').unwrap().1, "and its attributes");
            let value = now.split_once(';').unwrap().0.split_once('=').unwrap().1;
            assert!(
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()),
                "a value stands in: {value}"
            );
        } else {
            assert_eq!(now, then, "{name}");
        }
    }
    assert_eq!(field(&replayed.head, "content-length"), field(&live.head, "content-length"));
}
