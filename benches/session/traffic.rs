//! Made-up traffic of Outlook, phones and a migration tool, with heads and bodies as long as theirs, recorded through
//! the same door as live traffic.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use authtap::exchange::{Connection, Exchange, Ids, Recorder, Setting, Timestamp};
use authtap::redact::{Bindings, Redactor};
use authtap::session::{Export, Form, Manifest, Origin, Provenance, Recorded};

const MAIL: &str = "mail.contoso.com";
const LOGIN: &str = "login.microsoftonline.com";
const GRAPH: &str = "graph.microsoft.com";
/// Microseconds between two requests.
const PACE: i64 = 40_000;
/// 22 November 2026, 00:00 UTC.
const BEGINNING: i64 = 1_795_305_600_000_000;

/// Writes `count` exchanges into the file at `path`, in the form that its extension names.
pub(crate) fn write(path: &Path, count: u64) {
    let mut export = Export::begin(path, Form::of_name(path).unwrap(), None).unwrap();
    let origin = Origin::of(Provenance::HERE);
    let mut stage = Stage::new();
    let mut written = 0;
    'all: for number in 0.. {
        for exchange in stage.conversation(number) {
            if written == count {
                break 'all;
            }
            export.add(Recorded { origin: Arc::clone(&origin), exchange }).unwrap();
            written += 1;
        }
    }
    let manifest = Manifest { share: "support", source: "authtap", exchanges: written, ..Manifest::default() };
    export.finish(&manifest).unwrap();
}

struct Stage {
    redactor: Redactor,
    ids: Ids,
    now: i64,
    connection: u32,
}

impl Stage {
    fn new() -> Self {
        Self { redactor: Redactor::new(), ids: Ids::default(), now: BEGINNING, connection: 0 }
    }

    /// A client signs in and works for a while; one in forty is refused.
    fn conversation(&mut self, number: u64) -> Vec<Exchange> {
        let user = number % 5000;
        let token = format!("{}{number:08}", "b3BhcXVlLXRva2Vu".repeat(80));
        let (mut mail, mut graph) = (self.client(MAIL), self.client(GRAPH));
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let mut all = vec![
            self.exchange(&mut mail, &ews(user, "Authorization: Bearer\r\n"), &challenge(number)),
            {
                let mut login = self.client(LOGIN);
                self.exchange(&mut login, &sign_in(user, number), &issued(&token))
            },
            self.exchange(
                &mut mail,
                &ews(user, &bearer),
                &if number % 40 == 7 { refused(number) } else { items(number) },
            ),
            self.exchange(&mut mail, &mapi(user, number, &bearer), &executed(number)),
            self.exchange(&mut mail, &mapi(user, number + 1, &bearer), &executed(number + 1)),
            self.exchange(&mut graph, &messages(number, &bearer), &listed(number)),
            self.exchange(&mut graph, &messages(number + 1, &bearer), &listed(number)),
            self.exchange(&mut mail, &sync(user, &bearer), &synced(number)),
        ];
        if number.is_multiple_of(4) {
            all.push(self.exchange(&mut mail, &probe(user), &asked(number)));
        }
        all
    }

    fn client(&mut self, host: &str) -> Recorder {
        self.connection += 1;
        Recorder::new(Setting {
            redactor: self.redactor.clone(),
            connection: Arc::new(Connection { id: self.connection, ..Connection::default() }),
            ids: self.ids.clone(),
            scheme: "https",
            authority: Some(host.as_bytes().to_vec()),
            body_limit: 256 << 10,
            own: false,
            bindings: Bindings::UNKNOWN,
        })
    }

    fn exchange(&mut self, recorder: &mut Recorder, request: &str, response: &str) -> Exchange {
        self.now += PACE;
        recorder.request_bytes(request.as_bytes(), Timestamp(self.now));
        recorder.response_bytes(response.as_bytes(), Timestamp(self.now + 9000));
        let mut exchange = recorder.finished().remove(0).finish();
        exchange.timings.done = Some(Duration::from_millis(9));
        exchange
    }
}

fn message(first: &str, fields: &str, body: &str) -> String {
    format!("{first}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn ews(user: u64, credential: &str) -> String {
    let body = format!(
        "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <GetFolder xmlns=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><FolderIds>\
         <DistinguishedFolderId Id=\"inbox\"/></FolderIds><Mailbox>user{user}@contoso.com</Mailbox></GetFolder>\
         </soap:Body></soap:Envelope>"
    );
    let fields = format!(
        "Host: {MAIL}\r\nUser-Agent: ExchangeServicesClient/15.01.2507.000\r\nContent-Type: text/xml; charset=utf-8\r\n\
         X-AnchorMailbox: user{user}@contoso.com\r\n{credential}"
    );
    message("POST /EWS/Exchange.asmx HTTP/1.1", &fields, &body)
}

fn mapi(user: u64, number: u64, credential: &str) -> String {
    let fields = format!(
        "Host: {MAIL}\r\nUser-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\r\n\
         Accept: */*\r\nAccept-Language: en-US, ja-JP\r\nX-RequestType: Execute\r\n\
         X-ClientApplication: Outlook/16.0.18227\r\n\
         client-request-id: {{7C1E0F7A-94C5-4E5F-8E77-{number:012X}}}\r\n\
         Cookie: MapiContext=MAPIAAAAAOu3yJ0{number}; MapiSequence={number}-Jz8kFA==\r\n{credential}"
    );
    let first = format!("POST /mapi/emsmdb/?MailboxId=00000000-0000-0000-0000-{user:012}@contoso.com HTTP/1.1");
    message(&first, &fields, "")
}

fn messages(number: u64, credential: &str) -> String {
    let fields = format!(
        "Host: {GRAPH}\r\nUser-Agent: MigrationTool/4.2\r\nAccept: application/json\r\n\
         client-request-id: 7c1e0f7a-94c5-4e5f-8e77-{number:012x}\r\n{credential}"
    );
    let first = format!(
        "GET /v1.0/users/00000000-0000-0000-0000-{:012}/mailFolders/inbox/messages?$top=50&$skip={} HTTP/1.1",
        number % 5000,
        number * 50
    );
    message(&first, &fields, "")
}

fn sync(user: u64, credential: &str) -> String {
    let fields = format!(
        "Host: {MAIL}\r\nUser-Agent: Apple-iPhone14C2/2201.65\r\nMS-ASProtocolVersion: 16.1\r\nX-MS-PolicyKey: 307\r\n\
         {credential}"
    );
    let first = format!(
        "POST /Microsoft-Server-ActiveSync?Cmd=Ping&User=user{user}%40contoso.com&DeviceId=D{user:08}&DeviceType=iPhone HTTP/1.1"
    );
    message(&first, &fields, "")
}

fn probe(user: u64) -> String {
    let fields =
        format!("Host: {MAIL}\r\nUser-Agent: Microsoft Office/16.0\r\nX-AnchorMailbox: user{user}@contoso.com\r\n");
    message("GET /oab/00000000-0000-0000-0000-000000000001/oab.xml HTTP/1.1", &fields, "")
}

fn sign_in(user: u64, number: u64) -> String {
    let body = format!(
        "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token={}{number}\
         &resource=https%3A%2F%2Fmail.contoso.com%2F&username=user{user}%40contoso.com",
        "cmVmcmVzaA".repeat(40)
    );
    let fields =
        format!("Host: {LOGIN}\r\nContent-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n");
    message("POST /8da56bec-0d27-4cac-ab06-52ee2c40ea22/oauth2/token HTTP/1.1", &fields, &body)
}

fn server(number: u64) -> String {
    format!(
        "Server: Microsoft-IIS/10.0\r\nrequest-id: c1b0d8f2-7d0e-4b58-8a55-{number:012x}\r\nX-FEServer: EX0{}\r\n\
         X-CalculatedBETarget: ex02.contoso.com\r\nX-Powered-By: ASP.NET\r\nDate: Sun, 22 Nov 2026 09:00:00 GMT\r\n",
        number % 4 + 1
    )
}

const OFFER: &str = "WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
     trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", token_types=\"app_asserted_user_v1 \
     service_asserted_app_v1\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\r\n";

fn challenge(number: u64) -> String {
    message("HTTP/1.1 401 Unauthorized", &format!("{}{OFFER}", server(number)), "")
}

fn refused(number: u64) -> String {
    let diagnostics = "x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is invalid. \
         Expected 'https://mail.contoso.com'. Actual 'http://mail.contoso.com'.\";error_category=\"invalid_resource\"\r\n";
    message("HTTP/1.1 401 Unauthorized", &format!("{}{OFFER}{diagnostics}", server(number)), "")
}

fn asked(number: u64) -> String {
    let fields = format!("{}WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n", server(number));
    message("HTTP/1.1 401 Unauthorized", &fields, "")
}

fn issued(token: &str) -> String {
    let body = format!(
        "{{\"token_type\":\"Bearer\",\"expires_in\":\"3599\",\"resource\":\"https://mail.contoso.com/\",\"access_token\":\"{token}\"}}"
    );
    message("HTTP/1.1 200 OK", "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n", &body)
}

fn items(number: u64) -> String {
    let item = "<t:Folder><t:FolderId Id=\"inbox\"/><t:DisplayName>Inbox</t:DisplayName><t:TotalCount>42</t:TotalCount></t:Folder>";
    let body = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{}</s:Body></s:Envelope>",
        item.repeat(6)
    );
    message("HTTP/1.1 200 OK", &format!("{}Content-Type: text/xml; charset=utf-8\r\n", server(number)), &body)
}

fn executed(number: u64) -> String {
    let fields = format!("{}X-ResponseCode: 0\r\nContent-Type: application/mapi-http\r\n", server(number));
    message("HTTP/1.1 200 OK", &fields, &"\u{1}".repeat(900))
}

fn listed(number: u64) -> String {
    let item = "{\"id\":\"AQMkADAw\",\"subject\":\"Minutes\",\"isRead\":true,\"importance\":\"normal\",\"hasAttachments\":false},";
    let body = format!("{{\"value\":[{}{number:>20}]}}", item.repeat(12));
    message("HTTP/1.1 200 OK", &format!("{}Content-Type: application/json; charset=utf-8\r\n", server(number)), &body)
}

fn synced(number: u64) -> String {
    message("HTTP/1.1 200 OK", &format!("{}MS-Server-ActiveSync: 15.2\r\n", server(number)), "")
}
