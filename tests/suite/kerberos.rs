//! Kerberos for real: a KDC, Apache with the service's key, and curl with a user's ticket. The logon goes through the
//! proxy as it goes without it, what the ticket says of itself is shown, and the ticket never is.

use std::fs;

use authtap::redact::Field;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::kit::{Answer, Realm, Way, need, saved};

const HOST: &str = Realm::HOST;
const WORD: &str = Realm::WORD;

#[test]
fn curl_logs_on_with_a_ticket_and_not_without_one() {
    let Some(realm) = need_realm() else { return };
    let ways = realm.both_ways();
    realm.kdc.log_on("avery", WORD);
    let said = ways.alike(|way| curl(&realm, way), &["0 200 avery@CONTOSO.COM GET /index.txt"]);
    assert_eq!(said, ["200 served\n"]);
    realm.kdc.log_off();
    ways.alike(|way| curl(&realm, way), &["0 401 - GET /index.txt"]);
    ways.judged(&["200 ok", "401 unknown client-did-not-authenticate"]);
}

#[test]
fn what_a_ticket_says_of_itself_is_kept_and_the_ticket_is_not() {
    let Some(realm) = need_realm() else { return };
    let ways = realm.both_ways();
    realm.kdc.log_on("avery", WORD);
    let answer = negotiate(&realm, &ways.through, &["--verbose"]);
    let tokens: Vec<_> = ["> Authorization: Negotiate ", "< WWW-Authenticate: Negotiate "]
        .map(|start| answer.error.lines().find_map(|line| line.strip_prefix(start)).unwrap().trim().to_owned())
        .into();
    assert!(tokens.iter().all(|token| token.len() > 100), "{tokens:?}");

    let session = ways.proxy.session.clone();
    let finished = ways.proxy.stop();
    let exchange = saved(&session).remove(0);
    let value = |fields: &[Field], name: &str| {
        let field = fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name));
        field.unwrap().value.as_str().to_owned()
    };
    assert_eq!(
        value(&exchange.request.seen().unwrap().fields, "authorization"),
        "Negotiate [spnego offered=kerberos kerberos ap-req realm=CONTOSO.COM service=HTTP/mail.contoso.com etype=18 \
         kvno=2 #1]"
    );
    let reply = value(exchange.response_fields(), "www-authenticate");
    assert!(reply.contains("state=accept-completed kerberos ap-rep etype=18"), "{reply}");

    // Its text, and the bytes that it stands for, wherever in them one begins to read.
    let kept = [fs::read(&session).unwrap(), finished.stdout, finished.stderr].concat();
    let holds = |piece: &[u8]| kept.windows(piece.len()).any(|window| window == piece);
    assert!(holds(b"kerberos ap-req"), "what is searched holds what is looked for");
    for token in tokens {
        let bytes = STANDARD.decode(&token).unwrap();
        let found = token.as_bytes().chunks_exact(16).chain(bytes.chunks_exact(16)).find(|piece| holds(piece));
        assert!(found.is_none(), "{found:?}");
    }
}

#[test]
fn a_ticket_for_a_key_that_the_server_has_not_is_refused() {
    let Some(realm) = need_realm() else { return };
    let ways = realm.both_ways();
    realm.kdc.admin(&format!("change_password -randkey HTTP/{HOST}"));
    realm.kdc.log_on("avery", WORD);
    ways.alike(|way| curl(&realm, way), &["0 401 - GET /index.txt"]);
    let session = ways.proxy.session.clone();
    ways.judged(&["401 failure kerberos-failure"]);
    let finding = &realm.workshop.diagnose(&session)["findings"][0];
    let parts = finding["decoded"].as_array().unwrap();
    let rows: Vec<_> = parts.iter().flat_map(|part| part["rows"].as_array().unwrap()).map(row).collect();
    for expected in ["realm CONTOSO.COM", "sname HTTP/mail.contoso.com", "kvno 3"] {
        assert!(rows.iter().any(|row| row == expected), "{expected}: {rows:?}");
    }
}

fn row(row: &Value) -> String {
    format!("{} {}", row["name"].as_str().unwrap(), row["value"].as_str().unwrap())
}

fn need_realm() -> Option<Realm> {
    need(&["curl"]).then(Realm::new).flatten()
}

fn curl(realm: &Realm, way: &Way) -> Vec<String> {
    let answer = negotiate(realm, way, &[]);
    vec![format!("{} {}", answer.status, answer.text())]
}

fn negotiate(realm: &Realm, way: &Way, options: &[&str]) -> Answer {
    let url = format!("https://{HOST}/index.txt");
    let (name, file) = realm.kdc.environment();
    let arguments = [options, &["--negotiate", "--user", ":", &url]].concat();
    let answer = way.curl_with(&[(name, &file)], &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.error);
    answer
}
