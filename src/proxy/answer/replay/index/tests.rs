//! Requests, and which recorded exchange answers them.

#![allow(clippy::panic)]

use super::*;
use crate::exchange::Timestamp;
use crate::redact::{Credential, Label, Ntlm, NtlmMessage, OpaqueForm, Redactor, Token};

fn token() -> Credential {
    Credential::Bearer(Token::Opaque { label: Label(1), form: OpaqueForm::Plain })
}

fn ntlm(last: bool) -> Credential {
    let message = if last {
        NtlmMessage::Authenticate {
            flags: 0,
            version: 2,
            user: crate::redact::User::Empty,
            domain: "".into(),
            binding: crate::redact::Binding::None,
            target: None,
            time: None,
            mic: false,
            label: Label(1),
        }
    } else {
        NtlmMessage::Negotiate { flags: 0 }
    };
    Credential::Ntlm(Ntlm::Message(Box::new(message)))
}

fn outline(id: u64, connection: u32, url: &str, authorization: Option<Credential>, status: u16) -> Outline {
    Outline {
        id,
        connection,
        started: Timestamp(0),
        method: Some("GET".into()),
        url: Some(Redactor::new().wire().url(url.as_bytes())),
        authorization,
        proxy_authorization: None,
        status: Some(status),
        running: false,
        broken: false,
        request_seen: true,
        response_seen: true,
        client: None,
    }
}

/// What a client that keeps its connection gets.
struct Client {
    authenticated: bool,
    after: Option<Step>,
    name: Option<Clean>,
}

impl Client {
    const fn new() -> Self {
        Self { authenticated: false, after: None, name: None }
    }

    fn ask(&mut self, index: &mut Index, url: &str, authorization: Option<&Credential>) -> Option<u64> {
        let redactor = Redactor::new();
        // Numbers other than those of the recording.
        redactor.wire().url(b"https://x.contoso.com/?code=aaaaaaaaaaaaaaaaaaaaaaaa1");
        let asked = Asked {
            method: &"GET".into(),
            url: &redactor.wire().url(url.as_bytes()),
            front: None,
            carried: Carried::of(authorization, None),
            authenticated: self.authenticated,
            after: self.after,
            client: self.name.as_ref(),
            said: Said::default(),
        };
        let found = index.find(&asked, |_| Said::default());
        let Found::Answer(step) = found else { return None };
        self.after = Some(step);
        Some(step.id)
    }
}

const EWS: &str = "https://mail.contoso.com/EWS/Exchange.asmx";

#[test]
fn the_same_dance_happens_again_and_goes_on_as_it_ended() {
    let mut index = Index::default();
    for (id, authorization, status) in
        [(1, Some(Credential::Bearer(Token::Empty)), 401), (2, Some(token()), 401), (3, Some(token()), 200)]
    {
        // Every request on its own connection, as curl makes them.
        index.add(outline(id, id as u32, EWS, authorization, status));
    }
    index.finish();
    let mut ask = |authorization: &Credential| Client::new().ask(&mut index, EWS, Some(authorization));
    let empty = Credential::Bearer(Token::Empty);
    assert_eq!(
        [ask(&empty), ask(&token()), ask(&token()), ask(&token()), ask(&empty), ask(&Credential::Empty)],
        [Some(1), Some(2), Some(3), Some(3), Some(1), Some(1)]
    );
}

#[test]
fn ntlm_is_a_matter_of_the_connection() {
    let mut index = Index::default();
    for connection in [1, 2] {
        let id = u64::from(connection) * 10;
        for (step, authorization, status) in
            [(0, None, 401), (1, Some(ntlm(false)), 401), (2, Some(ntlm(true)), 200), (3, None, 200)]
        {
            index.add(outline(id + step, connection, EWS, authorization, status));
        }
    }
    index.finish();
    let (mut one, mut two) = (Client::new(), Client::new());
    let mut got = Vec::new();
    for authorization in [None, Some(ntlm(false)), Some(ntlm(true)), None] {
        let last = authorization == Some(ntlm(true));
        for client in [&mut one, &mut two] {
            got.push(client.ask(&mut index, EWS, authorization.as_ref()));
            client.authenticated |= last;
        }
    }
    assert_eq!(got, [10, 20, 11, 21, 12, 22, 13, 23].map(Some));
    let mut anonymous = Client::new();
    assert_eq!(anonymous.ask(&mut index, EWS, None), Some(20), "never the answer of an authenticated connection");
}

#[test]
fn numbers_of_labels_do_not_count_in_a_url_but_what_is_shown_does() {
    let mut index = Index::default();
    index.add(outline(1, 1, "https://Mail.contoso.com/a?code=bbbbbbbbbbbbbbbbbbbbbbbb2&Cmd=Ping", None, 200));
    index.finish();
    let mut ask = |url: &str| Client::new().ask(&mut index, url, None);
    assert_eq!(ask("https://mail.contoso.com/a?code=cccccccccccccccccccccccc3&Cmd=Ping"), Some(1));
    assert_eq!(ask("https://mail.contoso.com/a?code=cccccccccccccccccccccccc3&Cmd=Sync"), None);
    assert_eq!(ask("https://mail.contoso.com/A?code=cccccccccccccccccccccccc3&Cmd=Ping"), None);
}

#[test]
fn says_with_what_an_endpoint_was_asked() {
    let mut index = Index::default();
    index.add(outline(1, 1, EWS, Some(token()), 200));
    index.add(outline(2, 1, EWS, None, 401));
    index.finish();
    let url = Redactor::new().wire().url(EWS.as_bytes());
    let asked = Asked {
        method: &"GET".into(),
        url: &url,
        front: None,
        carried: Carried::of(Some(&ntlm(false)), None),
        authenticated: false,
        after: None,
        client: None,
        said: Said::default(),
    };
    let Found::OtherCredentials(others) = index.find(&asked, |_| Said::default()) else { panic!("found") };
    let words: Vec<_> = others.iter().map(|carried| carried.words().to_string()).collect();
    assert_eq!(words, ["a Bearer token", "no credentials"]);
}

#[test]
fn every_client_gets_what_it_got_from_the_beginning() {
    let mut index = Index::default();
    let (outlook, migration) = (Clean::from("Outlook"), Clean::from("MigrationWiz"));
    for (id, client, status) in [(1, &outlook, 401), (2, &migration, 503), (3, &outlook, 200), (4, &migration, 200)] {
        index.add(Outline { client: Some(client.clone()), ..outline(id, id as u32, EWS, Some(token()), status) });
    }
    index.finish();
    let mut ask =
        |name: &Clean| Client { name: Some(name.clone()), ..Client::new() }.ask(&mut index, EWS, Some(&token()));
    let stranger = Clean::from("curl");
    let got = [&outlook, &stranger, &outlook, &migration, &outlook, &stranger].map(&mut ask);
    assert_eq!(got, [1, 1, 3, 2, 3, 2].map(Some));
}

#[test]
fn a_value_that_is_masked_on_one_side_stands_for_any() {
    let mut index = Index::default();
    index.add(outline(1, 1, "https://mail.contoso.com/a?code=bbbbbbbbbbbbbbbbbbbbbbbb2&Cmd=Ping", None, 200));
    index.finish();
    let mut ask = |url: &str| Client::new().ask(&mut index, url, None);
    assert_eq!(ask("https://mail.contoso.com/a?code=1&Cmd=Ping"), Some(1));
    assert_eq!(ask("https://mail.contoso.com/a?code=1&Cmd=Sync"), None);
    assert_eq!(ask("https://mail.contoso.com/a?state=1&Cmd=Ping"), None);
}

#[test]
fn in_the_place_of_a_server_its_name_is_what_the_recording_calls_it() {
    let url = Redactor::new().wire().url(b"https://localhost:9443/EWS/Exchange.asmx");
    for (recorded, front, other) in [
        (EWS, "https://mail.contoso.com", None),
        ("https://localhost:8080/EWS/Exchange.asmx", "https://mail.contoso.com", None),
        (EWS, "https://mail.contoso.com", Some("https://localhost:9443/EWS/Exchange.asmx")),
    ] {
        let mut index = Index::default();
        index.add(outline(1, 1, recorded, None, 401));
        if let Some(other) = other {
            index.add(outline(2, 2, other, None, 200));
        }
        index.finish();
        let asked = Asked {
            method: &"GET".into(),
            url: &url,
            front: Some(front),
            carried: Carried::of(None, None),
            authenticated: false,
            after: None,
            client: None,
            said: Said::default(),
        };
        let Found::Answer(step) = index.find(&asked, |_| Said::default()) else { panic!("{recorded}") };
        assert_eq!(step.id, if other.is_some() { 2 } else { 1 });
        assert!(
            matches!(index.find(&Asked { front: None, ..asked }, |_| Said::default()), Found::Answer(_))
                == other.is_some()
        );
    }
}

#[test]
fn what_the_body_asks_for_tells_requests_of_one_endpoint_apart() {
    let mut index = Index::default();
    for id in [1, 2, 3] {
        index.add(outline(id, id as u32, EWS, Some(token()), 200));
    }
    index.finish();
    let said = |operation: &str, whole| Said { operation: Some(operation.to_owned()), whole };
    let recorded = [said("GetFolder", 10), said("FindItem", 11), said("FindItem", 12)];
    let redactor = Redactor::new();
    let mut ask = |said: &Said| {
        let asked = Asked {
            method: &"GET".into(),
            url: &redactor.wire().url(EWS.as_bytes()),
            front: None,
            carried: Carried::of(Some(&token()), None),
            authenticated: false,
            after: None,
            client: None,
            said: said.clone(),
        };
        match index.find(&asked, |step| recorded[step.id as usize - 1].clone()) {
            Found::Answer(step) => step.id,
            _ => 0,
        }
    };
    let asked = [said("FindItem", 12), said("FindItem", 99), said("GetFolder", 99), said("FindItem", 99)];
    assert_eq!(asked.each_ref().map(&mut ask), [3, 2, 1, 3]);
}
