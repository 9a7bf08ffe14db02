//! A made-up session: an Outlook whose token is refused behind a load balancer that offloads SSL, and its neighbours.

use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{
    Actor, Certainty, Evidence, Finding, Gate, Handshake, HandshakeStep, Judgement, Kind, Place, Readiness, Rule,
    Scheme, StepState, Subject, Verdict,
};
use crate::exchange::{
    Certificate, ClientTls, Connection, Exchange, Failure, FailureKind, Head, Message, Oddities, Response, Seen,
    Server, Side, SniForm, Step, Timestamp, Timings, Tls, Unseen,
};
use crate::redact::{
    Body, Clean, Content, Credential, Field, Fields, Jwt, Label, Ntlm, NtlmMessage, Password, Redactor, Syntax, Token,
    User, Withheld,
};
use crate::text::Text;
use crate::tui::{CopyForm, Row, Source, State};

/// All that the app would own.
pub(super) struct Sample {
    exchanges: Vec<Arc<Exchange>>,
    judgements: Vec<Judgement>,
}

impl Source for Sample {
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        self.exchanges.iter().find(|exchange| exchange.id == id).cloned()
    }

    fn judgement(&self, id: u64) -> Option<Judgement> {
        self.judgements.iter().find(|judgement| judgement.exchange == id).cloned()
    }

    fn handshakes(&self, id: u64) -> Vec<Handshake> {
        [oauth(), ntlm()]
            .into_iter()
            .filter(|handshake| handshake.steps.iter().any(|step| step.exchange == Some(id)))
            .collect()
    }

    fn readiness(&self) -> Vec<Readiness> {
        let full = ["bearer", "negotiate", "ntlm"];
        vec![
            endpoint("mapi", "EX01", &full, (4, 401, Verdict::Failure)),
            endpoint("mapi", "EX02", &full[1..], (6, 200, Verdict::Ok)),
            endpoint("mapi", "EX03", &full, (2, 401, Verdict::Step)),
            endpoint("ews", "EX01", &full, (1, 401, Verdict::Step)),
            endpoint("autodiscover", "EX01", &["bearer", "negotiate", "ntlm", "basic"], (1, 401, Verdict::Step)),
            endpoint("activesync", "EX01", &[], (5, 200, Verdict::Ok)),
        ]
    }

    fn snippet(&self, id: u64, form: CopyForm) -> Option<String> {
        self.exchange(id).map(|exchange| format!("{form:?} {}\n", exchange.id))
    }

    fn reveal(&self, _: u64, text: &Clean) -> String {
        text.as_str().replace("user#1", "avery")
    }
}

impl Sample {
    /// Adds everything to a screen, in order.
    pub(super) fn play(&self, state: &mut State) {
        for exchange in &self.exchanges {
            state.add(Row::of(exchange));
        }
        for judgement in &self.judgements {
            state.judge(judgement);
        }
    }
}

const OFFLOAD: &str = "2000003;reason=\"The hostname component of the audience claim value is invalid. Expected 'https://mail.contoso.com'. Actual 'http://mail.contoso.com'.\";error_category=\"invalid_resource\"";
const BEARER: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@8da56bec-0d27-4cac-ab06-52ee2c40ea22\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"";

pub(super) fn sample() -> Sample {
    let mail = connection(1, "mail.contoso.com:443");
    let login = connection(2, "login.microsoftonline.com:443");
    let ntlm_line = connection(3, "mail.contoso.com:443");
    let mut exchanges = vec![
        exchange(
            1,
            &mail,
            "GET https://mail.contoso.com/autodiscover/autodiscover.xml",
            request(vec![field("User-Agent", "Microsoft Office/16.0 (Outlook 16.0.17928)")], Content::Empty),
            response(
                401,
                "Unauthorized",
                vec![field("WWW-Authenticate", "Negotiate"), field("WWW-Authenticate", "NTLM")],
            ),
        ),
        exchange(
            2,
            &mail,
            "POST https://mail.contoso.com/EWS/Exchange.asmx",
            request(
                vec![
                    field("User-Agent", "Microsoft Office/16.0 (Outlook 16.0.17928)"),
                    credential("Authorization", "Bearer [empty]", Credential::Bearer(Token::Empty)),
                    field("X-User-Identity", "[upn:user#1@contoso.com]"),
                    field("Content-Length", "0"),
                ],
                Content::Empty,
            ),
            response(
                401,
                "Unauthorized",
                vec![
                    field("Content-Length", "0"),
                    field("Server", "Microsoft-IIS/10.0"),
                    field("WWW-Authenticate", BEARER),
                    field("WWW-Authenticate", "Negotiate"),
                    field("WWW-Authenticate", "NTLM"),
                ],
            ),
        ),
        exchange(
            3,
            &login,
            "POST https://login.microsoftonline.com/common/oauth2/token",
            request(
                vec![field("Content-Type", "application/x-www-form-urlencoded")],
                body(
                    Syntax::Form,
                    "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&resource=https://mail.contoso.com/&refresh_token=[opaque #4]",
                ),
            ),
            with_body(
                response(200, "OK", vec![field("Content-Type", "application/json; charset=utf-8")]),
                body(
                    Syntax::Json,
                    r#"{"token_type":"Bearer","expires_in":"4799","resource":"https://mail.contoso.com/","access_token":"[jwt #3 aud=http://mail.contoso.com/]","refresh_token":"[opaque #5]"}"#,
                ),
            ),
        ),
        exchange(
            4,
            &mail,
            "POST https://mail.contoso.com/EWS/Exchange.asmx",
            request(
                vec![
                    field("User-Agent", "Microsoft Office/16.0 (Outlook 16.0.17928)"),
                    credential(
                        "Authorization",
                        "Bearer [jwt #3 alg=RS256 aud=http://mail.contoso.com/ appid=d3590ed6-52b3-4102-aeff-aad2292ab01c upn=upn:user#1@contoso.com exp=2026-11-22T10:00:00Z]",
                        Credential::Bearer(Token::Jwt(Box::new(Jwt { label: Some(Label(3)), ..Jwt::default() }))),
                    ),
                    field("Content-Type", "text/xml; charset=utf-8"),
                ],
                body(
                    Syntax::Xml,
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Header><t:RequestServerVersion Version=\"Exchange2013\"/></soap:Header><soap:Body><m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape></m:GetFolder></soap:Body></soap:Envelope>",
                ),
            ),
            response(
                401,
                "Unauthorized",
                vec![
                    field("Content-Length", "0"),
                    field("Server", "Microsoft-IIS/10.0"),
                    field("request-id", "2323088f-8838-4f97-a88d-559bfcf92866"),
                    field("X-FEServer", "CONTOSOEX16"),
                    field("WWW-Authenticate", BEARER),
                    field("x-ms-diagnostics", OFFLOAD),
                    field("Date", "Sun, 22 Nov 2026 09:00:02 GMT"),
                ],
            ),
        ),
        exchange(
            5,
            &ntlm_line,
            "GET https://mail.contoso.com/mapi/nspi/",
            request(
                vec![credential(
                    "Authorization",
                    "NTLM [type1 flags=0xe2088297]",
                    Credential::Ntlm(Ntlm::Message(Box::new(NtlmMessage::Negotiate { flags: 0xe208_8297 }))),
                )],
                Content::Empty,
            ),
            response(401, "Unauthorized", vec![field("WWW-Authenticate", "NTLM [type2 domain=CONTOSO]")]),
        ),
        exchange(
            6,
            &ntlm_line,
            "GET https://mail.contoso.com/mapi/nspi/",
            request(
                vec![credential(
                    "Authorization",
                    "NTLM [type3 v2 cbt=ours user=down-level:CONTOSO\\user#1]",
                    Credential::Ntlm(Ntlm::Message(Box::new(NtlmMessage::Authenticate {
                        flags: 0,
                        version: 2,
                        user: User::Bare("user#1".into()),
                        domain: "CONTOSO".into(),
                        binding: crate::redact::Binding::Ours,
                        target: None,
                        time: None,
                        mic: false,
                        label: Label(7),
                    }))),
                )],
                Content::Empty,
            ),
            with_body(
                response(200, "OK", vec![field("Content-Type", "application/mapi-http")]),
                Content::Withheld(Withheld::Binary),
            ),
        ),
        exchange(
            7,
            &mail,
            "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=OPTIONS",
            request(
                vec![credential(
                    "Authorization",
                    "Basic [user=upn:user#1@contoso.com password=set #2]",
                    Credential::Basic {
                        user: User::Upn("user#1@contoso.com".into()),
                        password: Password::Set { label: Label(2), padded: false, non_ascii: false },
                    },
                )],
                Content::Empty,
            ),
            with_body(
                response(401, "Unauthorized", vec![field("WWW-Authenticate", "Basic realm=\"mail.contoso.com\"")]),
                body(
                    Syntax::Text,
                    "アクセスが拒否されました。資格情報が無効なため、このディレクトリまたはページを表示するアクセス許可がありません。",
                ),
            ),
        ),
        exchange(
            8,
            &connection(5, "old.fabrikam.com:443"),
            "CONNECT https://old.fabrikam.com/",
            Seen::Unseen(Unseen::ServerTlsTooOld),
            Seen::Unseen(Unseen::ServerTlsTooOld),
        ),
        exchange(
            9,
            &Arc::new(Connection {
                id: 6,
                target: Some("autodiscover.fabrikam.com:443".into()),
                ..Connection::default()
            }),
            "CONNECT https://autodiscover.fabrikam.com/",
            request(vec![field("Host", "autodiscover.fabrikam.com:443")], Content::Empty),
            Seen::Unseen(Unseen::NeverCame),
        ),
        exchange(
            10,
            &mail,
            "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Ping",
            request(vec![], Content::Withheld(Withheld::Binary)),
            Seen::Unseen(Unseen::NeverCame),
        ),
    ];
    exchanges[8].error = Some(Failure {
        side: Side::Server,
        step: Step::Resolve,
        kind: FailureKind::NameNotFound,
        text: "autodiscover.fabrikam.com has no address".into(),
    });
    exchanges[9].running = true;
    Sample { exchanges: exchanges.into_iter().map(Arc::new).collect(), judgements: judgements() }
}

fn judgements() -> Vec<Judgement> {
    let judged = |exchange, verdict, findings| Judgement { exchange, verdict, findings };
    vec![
        judged(
            1,
            Verdict::Step,
            vec![found(
                &PROBE,
                Kind::Step,
                Certainty::Certain,
                Actor::Nobody,
                vec![proof(1, Place::RequestHeader("authorization"), "")],
            )],
        ),
        judged(
            2,
            Verdict::Step,
            vec![found(
                &EMPTY_BEARER,
                Kind::Step,
                Certainty::Certain,
                Actor::Nobody,
                vec![
                    proof(2, Place::RequestHeader("authorization"), "Bearer [empty]"),
                    proof(
                        2,
                        Place::ResponseHeader("www-authenticate"),
                        "authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"",
                    ),
                ],
            )],
        ),
        judged(3, Verdict::Ok, vec![]),
        judged(
            4,
            Verdict::Failure,
            vec![found(
                &SSL_OFFLOAD,
                Kind::Failure,
                Certainty::Certain,
                Actor::Network,
                vec![
                    proof(
                        4,
                        Place::ResponseHeader("x-ms-diagnostics"),
                        "Expected 'https://mail.contoso.com'. Actual 'http://mail.contoso.com'",
                    ),
                    proof(4, Place::RequestHeader("authorization"), "aud=http://mail.contoso.com/"),
                    proof(3, Place::RequestBody, "resource=https://mail.contoso.com/"),
                ],
            )],
        ),
        judged(5, Verdict::Step, vec![]),
        judged(6, Verdict::Ok, vec![]),
        judged(7, Verdict::Pending, vec![]),
        judged(8, Verdict::Unknown, vec![]),
        judged(9, Verdict::Failure, vec![]),
    ]
}

fn found(rule: &'static Rule, kind: Kind, certainty: Certainty, actor: Actor, evidence: Vec<Evidence>) -> Finding {
    let names = vec![("server", Clean::from("mail.contoso.com"))];
    Finding { rule, kind, certainty, actor, subject: Subject::default(), evidence, names, candidates: Vec::new() }
}

fn proof(exchange: u64, place: Place, text: &'static str) -> Evidence {
    Evidence { exchange, place, text: text.into() }
}

const fn rule(id: &'static str, title: Text, explanation: Text, remedy: Text) -> Rule {
    Rule {
        id,
        title,
        explanation,
        remedy,
        sources: &["https://learn.microsoft.com/exchange/example", "RFC 6750"],
        kinds: &[],
        certainties: &[],
        actors: &[],
        gate: Gate::ANY,
        supersedes: &[],
        find: |_| None,
        examples: &[],
    }
}

static PROBE: Rule = rule(
    "hs-anonymous-probe",
    Text { en: "First request without credentials", ja: "資格情報なしの最初の要求" },
    Text {
        en: "The client asks which schemes the server takes.",
        ja: "クライアントがサーバーの対応方式を尋ねています。",
    },
    Text { en: "Nothing to do.", ja: "対処は不要です。" },
);
static EMPTY_BEARER: Rule = rule(
    "hma-empty-bearer",
    Text { en: "Empty Bearer asks for OAuth discovery", ja: "空の Bearer による OAuth の検出" },
    Text {
        en: "The client offers OAuth and has no token yet.",
        ja: "クライアントは OAuth に対応し、まだトークンがありません。",
    },
    Text { en: "Nothing to do.", ja: "対処は不要です。" },
);
static SSL_OFFLOAD: Rule = rule(
    "ssl-offload-audience-scheme",
    Text {
        en: "SSL offloading changes the scheme that the token is checked against",
        ja: "SSL オフロードにより、トークンの検証に使われるスキームが変わっている",
    },
    Text {
        en: "The load balancer sends requests to {server} on over http. Exchange compares the audience of the token with the URL it sees itself, and the schemes differ.",
        ja: "負荷分散装置が {server} への要求を http で転送しています。Exchange はトークンの対象ユーザーを自身が受け取った URL と比べるため、スキームが一致しません。",
    },
    Text {
        en: "Use SSL bridging: let the load balancer encrypt again towards Exchange.\nCheck with:\n  Get-MapiVirtualDirectory -Server {server} | fl IISAuthenticationMethods",
        ja: "SSL ブリッジングを使い、負荷分散装置から Exchange への通信も暗号化します。\n確認:\n  Get-MapiVirtualDirectory -Server {server} | fl IISAuthenticationMethods",
    },
);

fn oauth() -> Handshake {
    let step = |name, state, exchange| HandshakeStep { name, state, exchange };
    Handshake {
        server: "mail.contoso.com".into(),
        scheme: Scheme::OAuth,
        preemptive: false,
        steps: vec![
            step("empty-bearer", StepState::Done, Some(2)),
            step("challenge", StepState::Done, Some(2)),
            step("sign-in", StepState::Unseen, None),
            step("token", StepState::Done, Some(3)),
            step("retry", StepState::Failed, Some(4)),
        ],
        verdict: Verdict::Failure,
    }
}

fn endpoint(
    endpoint: &'static str,
    server: &'static str,
    schemes: &[&'static str],
    (exchange, status, verdict): (u64, u16, Verdict),
) -> Readiness {
    let bearer = schemes.contains(&"bearer");
    Readiness {
        endpoint,
        host: "mail.contoso.com".into(),
        server: Some(server.into()),
        schemes: schemes.iter().map(|scheme| (*scheme).into()).collect(),
        bearer_asked: !schemes.is_empty(),
        authorization_uri: bearer.then(|| "https://login.windows.net/common/oauth2/authorize".into()),
        realm: schemes.contains(&"basic").then(|| "mail.contoso.com".into()),
        last: (exchange, status),
        verdict,
        end: None,
    }
}

fn ntlm() -> Handshake {
    let step = |name, state, exchange| HandshakeStep { name, state, exchange };
    Handshake {
        server: "mail.contoso.com".into(),
        scheme: Scheme::Ntlm,
        preemptive: false,
        steps: vec![
            step("probe", StepState::Missing, None),
            step("negotiate", StepState::Done, Some(5)),
            step("challenge", StepState::Done, Some(5)),
            step("authenticate", StepState::Done, Some(6)),
        ],
        verdict: Verdict::Ok,
    }
}

fn exchange(
    id: u64,
    connection: &Arc<Connection>,
    line: &'static str,
    request: Seen<Message>,
    response: Seen<Response>,
) -> Exchange {
    let (method, url) = line.split_once(' ').unwrap();
    Exchange {
        id,
        started: Timestamp::parse("2026-11-22T09:00:00.123Z")
            .map(|at| Timestamp(at.0 + id.cast_signed() * 640_000))
            .unwrap(),
        connection: Arc::clone(connection),
        method: Some(method.into()),
        url: Some(Redactor::new().own().url(url.as_bytes())),
        request,
        response,
        error: None,
        timings: Timings { done: Some(Duration::from_millis(87)), ..Timings::default() },
        running: false,
    }
}

fn connection(id: u32, target: &'static str) -> Arc<Connection> {
    let certificate = Certificate {
        subject: "CN=mail.contoso.com".into(),
        issuer: "CN=Contoso Issuing CA,O=Contoso".into(),
        names: vec!["mail.contoso.com".into(), "autodiscover.contoso.com".into()],
        not_before: Timestamp::parse("2026-06-01T00:00:00Z").unwrap(),
        not_after: Timestamp::parse("2027-06-01T00:00:00Z").unwrap(),
        sha256: [7; 32],
    };
    Arc::new(Connection {
        id,
        client: Some("127.0.0.1:50123".into()),
        target: Some(target.into()),
        client_tls: Some(ClientTls {
            version: "TLS 1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            alpn: Some("http/1.1".into()),
            sni: Some(target.split(':').next().unwrap().into()),
            sni_form: SniForm::Name,
            legacy: None,
        }),
        server: Some(Server {
            address: "192.0.2.10:443".into(),
            tls: Some(Tls {
                version: "TLS 1.2".into(),
                cipher: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".into(),
                alpn: Some("http/1.1".into()),
                ..Tls::of_certificate(certificate)
            }),
        }),
        presented: None,
    })
}

fn request(fields: Vec<Field>, content: Content) -> Seen<Message> {
    Seen::Seen(message(fields, content))
}

fn response(status: u16, reason: &'static str, fields: Vec<Field>) -> Seen<Response> {
    let message = message(fields, Content::Empty);
    Seen::Seen(Response {
        status: Some(status),
        reason: reason.into(),
        message,
        interim: Vec::new(),
        early: false,
        socket: None,
    })
}

fn with_body(response: Seen<Response>, content: Content) -> Seen<Response> {
    match response {
        Seen::Seen(mut response) => {
            response.message.body = Body { length: 1234, content };
            Seen::Seen(response)
        }
        Seen::Unseen(reason) => Seen::Unseen(reason),
    }
}

fn message(fields: Vec<Field>, content: Content) -> Message {
    let length = u64::from(content != Content::Empty) * 1234;
    Message {
        version: "HTTP/1.1".into(),
        head: Head::Whole,
        fields: fields.into(),
        body: Body { length, content },
        trailers: Fields::default(),
        odd: Oddities::NONE,
    }
}

fn body(syntax: Syntax, text: &'static str) -> Content {
    Content::Text { syntax, text: text.into(), complete: true }
}

fn field(name: &'static str, value: &'static str) -> Field {
    Field { name: name.into(), value: value.into(), credential: None }
}

fn credential(name: &'static str, value: &'static str, credential: Credential) -> Field {
    Field { credential: Some(credential), ..field(name, value) }
}
