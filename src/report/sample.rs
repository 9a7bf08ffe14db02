//! A made-up diagnosis for the tests of the writers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{
    Actor, Certainty, Entries, Evidence, Finding, Gate, Handshake, HandshakeStep, Judgement, Kind, Place, Readiness,
    Rule, Scheme, StepState, Subject, Verdict,
};
use crate::exchange::{
    Connection, Exchange, Failure, FailureKind, Head, Message, Oddities, Response, Seen, Side, Step, Timestamp,
    Timings, Unseen,
};
use crate::redact::{Body, Clean, Content, Field, Fields, Met, Redactor};
use crate::report::sanitizing::{Sanitizing, Source};
use crate::session::Stated;
use crate::session::kind;
use crate::text::Text;

pub(super) static OFFLOAD: Rule = Rule {
    id: "ssl-offload-audience-scheme",
    title: Text {
        en: "The token is for https, the server sees http", ja: "トークンは https 用、サーバーからは http"
    },
    explanation: Text {
        en: "TLS ends before {server}, so Exchange expects the audience http://{server}.",
        ja: "TLS が {server} の手前で終わるため、Exchange は http://{server} を期待します。",
    },
    remedy: Text {
        en: "Turn SSL offloading off on the load balancer:\nGet-MapiVirtualDirectory | Where {$_.Server} | Select {place}",
        ja: "ロード バランサーの SSL オフロードを止めます:\nGet-MapiVirtualDirectory | Where {$_.Server} | Select {place}",
    },
    sources: &["https://learn.microsoft.com/exchange/example", "RFC 9110"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network, Actor::ExchangeAdmin],
    gate: Gate::ANY,
    supersedes: &[],
    find: |_| None,
    examples: &[],
};

pub(super) static EMPTY_BEARER: Rule = Rule {
    id: "hma-empty-bearer",
    title: Text {
        en: "The client asks where to get a token", ja: "クライアントがトークンの取得先を尋ねている"
    },
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    ..STEP
};

const STEP: Rule = Rule {
    id: "",
    title: Text { en: "", ja: "" },
    explanation: Text { en: "A step.", ja: "手順です。" },
    remedy: Text { en: "Nothing to do.", ja: "対処は不要です。" },
    sources: &["public capture"],
    kinds: &[],
    certainties: &[],
    actors: &[],
    gate: Gate::ANY,
    supersedes: &[],
    find: |_| None,
    examples: &[],
};

/// A step, a refusal, an exchange that failed without a response, and one of which nothing was seen.
pub(super) fn exchanges() -> Vec<(Exchange, Judgement)> {
    let step = found(1, &EMPTY_BEARER, Kind::Step, Actor::Nobody, Place::RequestHeader("authorization"), "");
    let offload = found(
        2,
        &OFFLOAD,
        Kind::Failure,
        Actor::Network,
        Place::ResponseHeader("x-ms-diagnostics"),
        "Actual 'http://mail.contoso.com'",
    );
    let broken = Exchange {
        response: Seen::Unseen(Unseen::NeverCame),
        error: Some(Failure {
            side: Side::Server,
            step: Step::Tls,
            kind: FailureKind::CertificateExpired,
            text: "the certificate expired".into(),
        }),
        ..exchange(3, 0)
    };
    let nothing = Exchange {
        method: None,
        url: None,
        request: Seen::Unseen(Unseen::NotInSource),
        response: Seen::Unseen(Unseen::NotInSource),
        ..exchange(4, 0)
    };
    let mut refused = exchange(2, 401);
    if let Seen::Seen(response) = &mut refused.response {
        let said = "2000003;reason=\"Actual 'http://mail.contoso.com'\";error_category=\"invalid_resource\"";
        let field = |name: &'static str, value: &'static str| Field {
            name: name.into(),
            value: value.into(),
            credential: None,
        };
        response.message.fields =
            vec![field("WWW-Authenticate", "Negotiate, NTLM"), field("x-ms-diagnostics", said)].into();
    }
    vec![
        (exchange(1, 401), judged(1, Verdict::Step, vec![step])),
        (refused, judged(2, Verdict::Failure, vec![offload])),
        (broken, judged(3, Verdict::Unknown, vec![])),
        (nothing, judged(4, Verdict::Unknown, vec![])),
    ]
}

pub(super) fn findings() -> Entries {
    let mut entries = Entries::default();
    for (exchange, judgement) in exchanges() {
        entries.add(&judgement, Some(&exchange));
    }
    entries
}

pub(super) fn handshakes() -> Vec<Handshake> {
    let state = |name: &str| match name {
        "empty-bearer" | "challenge" => (StepState::Done, Some(1)),
        "sign-in" => (StepState::Unseen, None),
        "token" => (StepState::Missing, None),
        _ => (StepState::Failed, Some(2)),
    };
    let step = |name: &&'static str| {
        let (state, exchange) = state(name);
        HandshakeStep { name, state, exchange }
    };
    vec![Handshake {
        server: "mail.contoso.com".into(),
        scheme: Scheme::OAuth,
        preemptive: false,
        steps: Scheme::OAuth.steps().iter().map(step).collect(),
        verdict: Verdict::Failure,
    }]
}

/// Of a file that was converted by us, and of a paste.
pub(super) fn sanitizing() -> Sanitizing {
    let met = Met {
        secrets: BTreeMap::from([("password", 1), ("token", 12)]),
        plain: 1,
        marked: BTreeMap::from([("cookie", 2)]),
        ..Met::default()
    };
    let stated = Stated {
        share: "support",
        source: Some(kind::Kind::Saz),
        exchanges: 4,
        before: 3,
        after: 3,
        same: true,
        met: met.clone(),
        ..Stated::default()
    };
    let source = |name: &str, kind, stated| Source { name: name.to_owned(), kind, stated };
    let sources = vec![source("trace.authtap", Some(kind::Kind::Authtap), Some(stated)), source("-", None, None)];
    Sanitizing { sources, met, found: BTreeMap::new(), stripped: 2 }
}

pub(super) fn readiness() -> Vec<Readiness> {
    vec![Readiness {
        endpoint: "ews",
        host: "mail.contoso.com".into(),
        server: Some("EX01".into()),
        schemes: vec!["bearer".into(), "ntlm".into()],
        bearer_asked: true,
        authorization_uri: Some("https://login.windows.net/common/oauth2/authorize".into()),
        realm: None,
        last: (2, 401),
        verdict: Verdict::Failure,
        end: None,
    }]
}

fn judged(exchange: u64, verdict: Verdict, findings: Vec<Finding>) -> Judgement {
    Judgement { exchange, verdict, findings }
}

fn found(exchange: u64, rule: &'static Rule, kind: Kind, actor: Actor, place: Place, text: &'static str) -> Finding {
    Finding {
        rule,
        kind,
        certainty: Certainty::Certain,
        actor,
        subject: Subject::default(),
        evidence: vec![Evidence { exchange, place, text: text.into() }],
        names: vec![("server", Clean::from("mail.contoso.com"))],
        candidates: vec!["audience-host-mismatch"],
    }
}

fn exchange(id: u64, status: u16) -> Exchange {
    let body = Body { length: 0, content: Content::Empty };
    let message = || Message {
        version: "HTTP/1.1".into(),
        head: Head::Whole,
        fields: Fields::default(),
        body: body.clone(),
        trailers: Fields::default(),
        odd: Oddities::NONE,
    };
    let (reason, interim) = (Clean::from("Unauthorized"), Vec::new());
    Exchange {
        id,
        started: Timestamp::from_seconds(1_795_338_000),
        connection: Arc::new(Connection { id: 3, ..Connection::default() }),
        method: Some("POST".into()),
        url: Some(Redactor::new().wire().url(b"https://mail.contoso.com:443/EWS/Exchange.asmx")),
        request: Seen::Seen(message()),
        response: Seen::Seen(Response {
            status: Some(status),
            reason,
            message: message(),
            interim,
            early: false,
            socket: None,
        }),
        error: None,
        timings: Timings { done: Some(Duration::from_millis(5)), ..Timings::default() },
        running: false,
    }
}
