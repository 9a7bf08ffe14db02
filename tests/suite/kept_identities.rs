//! `--keep-identities`: who is who is in one table of the recording and in nothing that is made of it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::kit::{Origin, Proxy, Terminal, Tunnel, Workshop, need};

const HOST: &str = "mail.contoso.com";
const PASSWORD: &str = "quill-Pa55-w0rd";

/// Everybody and everything that is named, by the kind of the name: each once.
const PEOPLE: [&str; 11] = [
    "upnquill",
    "downquill",
    "smtpquill",
    "Dora Quillfeather",
    "0a1b2c3d-aaaa-4bbb-8ccc-d1c1a1b1e101",
    "S-1-5-21-1004336348-1177238915-682003330-51234",
    "1003BFFD98765432",
    "198.51.100.77",
    "203.0.113.201",
    "ApplQUILL99",
    "5a1c3a62-1f0e-4e0b-9d37-0c5f7a0e6d99",
];

fn requests() -> [String; 4] {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let token = format!("{}.{}.{}", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(&claims()), part("signature"));
    let basic = STANDARD.encode(format!("CONTOSO\\{}:{PASSWORD}", PEOPLE[1]));
    [
        format!(
            "GET /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\
             X-User-Identity: {}@contoso.com\r\n\r\n",
            PEOPLE[0]
        ),
        format!(
            "GET /EWS/Exchange.asmx HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {basic}\r\n\
             X-AnchorMailbox: SMTP:{}@contoso.com\r\nX-Forwarded-For: {}\r\n\r\n",
            PEOPLE[2], PEOPLE[8]
        ),
        format!(
            "OPTIONS /Microsoft-Server-ActiveSync?Cmd=Sync&User=CONTOSO%5C{}&DeviceId={}&DeviceType=iPhone HTTP/1.1\r\n\
             Host: {HOST}\r\n\r\n",
            PEOPLE[1], PEOPLE[9]
        ),
        format!("GET /mapi/emsmdb/?MailboxId={}@contoso.com HTTP/1.1\r\nHost: {HOST}\r\n\r\n", PEOPLE[10]),
    ]
}

/// In a token, of which they are not kept, and in an answer, of which they are.
fn claims() -> String {
    format!(
        r#"{{"aud":"https://{HOST}/","oid":"{}","onprem_sid":"{}","puid":"{}","ipaddr":"{}"}}"#,
        PEOPLE[4], PEOPLE[5], PEOPLE[6], PEOPLE[7]
    )
}

fn answer(request: &crate::kit::Request) -> Vec<u8> {
    if request.target().starts_with("/mapi") {
        let body = claims();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        return format!("{head}\r\n\r\n{body}").into_bytes();
    }
    if !request.target().starts_with("/autodiscover") {
        return b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"\"\r\nContent-Length: 0\r\n\r\n"
            .to_vec();
    }
    let body = format!(
        "<Autodiscover><Response><User><DisplayName>{}</DisplayName></User></Response></Autodiscover>",
        PEOPLE[3]
    );
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Has all of them named through a proxy that saves into `session`.
fn record(workshop: &Workshop, session: &str, options: &[&str]) -> Proxy {
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), answer);
    let resolve = origin.resolve(HOST, 443);
    let mut proxy = workshop.proxy_beside(session, &[&["--resolve", &resolve], options].concat());
    ask(&proxy);
    proxy.exchanges(4);
    proxy
}

fn ask(proxy: &Proxy) {
    let mut tunnel = Tunnel::open(proxy, HOST);
    for request in requests() {
        tunnel.send(request.as_bytes());
        let head = tunnel.head().unwrap();
        tunnel.body(&head);
    }
}

#[test]
fn who_is_who_stays_in_one_table_of_one_file() {
    let workshop = Workshop::new();
    let proxy = record(&workshop, "kept.authtap", &["--keep-identities"]);
    let kept = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0));
    assert!(finished.error().contains("do not give that file away"), "{}", finished.error());
    let (table, rest) = tables(&kept);
    for name in PEOPLE {
        assert!(table.contains(name), "{name} is not kept:\n{table}");
    }
    assert!(!table.contains(PASSWORD) && !table.contains(&STANDARD.encode(PASSWORD)), "{table}");
    nobody("the other tables", rest.as_bytes());
    nobody("standard output", &finished.stdout);
    nobody("standard error", &finished.stderr);
    nobody("the log", &fs::read(workshop.path("authtap.log")).unwrap());

    let path = |name: &str| workshop.path(name).to_string_lossy().into_owned();
    let kept = path("kept.authtap");
    for name in ["out.authtap", "out.har", "out.saz"] {
        let converted = workshop.run(&["convert", &kept, &path(name)]);
        assert_eq!(converted.code, Some(0), "{}", converted.error());
        nobody(name, &unpacked(&workshop.path(name)));
        nobody(name, &converted.stderr);
    }
    let (table, _) = tables(&workshop.path("out.authtap"));
    assert_eq!(table, "", "the copy knows nobody");
    for format in ["text", "json", "markdown", "html"] {
        let page = workshop.run(&["diagnose", "--format", format, &kept]);
        assert_eq!(page.code, Some(1), "{format}");
        nobody(format, &page.stdout);
    }
    for format in ["text", "json"] {
        nobody("compare", &workshop.run(&["compare", "--format", format, &kept, &path("out.har")]).stdout);
    }
    // A replay asks and answers with stand-ins; what it saves knows nobody, whichever session it answers from.
    for name in ["replayed.authtap", "replayed.har"] {
        let replay = workshop.replay_with(Path::new(&kept), &["--save", &path(name)]);
        let mut tunnel = Tunnel::open(&replay, HOST);
        tunnel.send(format!("GET /mapi/emsmdb/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
        tunnel.head().unwrap();
        drop(tunnel);
        let finished = replay.stop();
        nobody("a replay", &[finished.stdout, finished.stderr].concat());
        nobody(name, &unpacked(&workshop.path(name)));
    }
}

#[test]
fn an_archive_that_is_written_at_the_end_of_such_a_capture_knows_nobody() {
    let workshop = Workshop::new();
    for name in ["end.har", "end.saz"] {
        let finished = record(&workshop, name, &["--keep-identities"]).stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        nobody(name, &unpacked(&workshop.path(name)));
    }
}

#[test]
fn without_the_option_the_file_knows_nobody_also_where_it_is_continued() {
    let workshop = Workshop::new();
    record(&workshop, "a.authtap", &[]).stop();
    nobody("a session", &unpacked(&workshop.path("a.authtap")));
    // Continued with it, killed, continued without it: each run keeps to its own.
    let killed = record(&workshop, "a.authtap", &["--keep-identities"]);
    wait_until_saved(&killed, 8);
    let path = killed.kill();
    record(&workshop, "a.authtap", &[]).stop();
    let store = rusqlite::Connection::open(&path).unwrap();
    let runs = |sql: &str| -> Vec<i64> {
        let mut select = store.prepare(sql).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(runs("SELECT run FROM runs WHERE identities ORDER BY run"), [2]);
    assert_eq!(runs("SELECT DISTINCT run FROM identities"), [2]);
    let (table, rest) = tables(&path);
    assert!(PEOPLE.iter().all(|name| table.contains(name)), "killed, and yet there: {table}");
    nobody("the other tables", rest.as_bytes());
}

#[test]
fn such_a_file_says_so_and_a_key_shows_who_is_who() {
    if !need(&["tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let kept = record(&workshop, "kept.authtap", &["--keep-identities"]).stop();
    assert_eq!(kept.code, Some(0));
    let path = |name: &str| workshop.path(name).to_string_lossy().into_owned();
    assert_eq!(workshop.run(&["convert", &path("kept.authtap"), &path("shared.authtap")]).code, Some(0));
    for (columns, rows) in [(80, 24), (160, 48)] {
        let mut terminal = Terminal::start(&workshop, columns, rows, &["open", &path("kept.authtap")]);
        let screen = terminal.screen("the list", |screen| screen.contains("/mapi/emsmdb"));
        assert!(screen.contains("identities kept in this file: do not share it"), "{screen}");
        nobody("the screen before the key", screen.as_bytes());
        terminal.press("i");
        terminal.screen("a mailbox", |screen| screen.contains("IDENTITIES") && screen.contains("MailboxId=5"));
        terminal.press("c");
        let copied = terminal.screen("what is copied", |screen| screen.contains("curl "));
        nobody("what is copied", copied.as_bytes());
        terminal.press("q");
        terminal.screen("the list again", |screen| screen.contains("MailboxId=5"));
    }
    let mut terminal = Terminal::start(&workshop, 80, 24, &["open", &path("shared.authtap")]);
    let screen = terminal.screen("the list", |screen| screen.contains("/mapi/emsmdb"));
    assert!(!screen.contains("identities kept"), "{screen}");
    terminal.press("i");
    let screen = terminal.screen("that it has none", |screen| screen.contains("NO NAMES"));
    nobody("a copy's screen", screen.as_bytes());
}

/// What the table of people holds, and what all other tables hold.
fn tables(path: &Path) -> (String, String) {
    let store = rusqlite::Connection::open(path).unwrap();
    let mut names = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let (mut people, mut others) = (String::new(), String::new());
    for name in names {
        let mut select = store.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let rusqlite::types::ValueRef::Text(text) = row.get_ref(column).unwrap() {
                    let out = if name == "identities" { &mut people } else { &mut others };
                    out.push_str(std::str::from_utf8(text).unwrap());
                    out.push('\n');
                }
            }
        }
    }
    (people, others)
}

/// Waits until so many exchanges are in the file.
fn wait_until_saved(proxy: &Proxy, count: i64) {
    let store = rusqlite::Connection::open(&proxy.session).unwrap();
    let saved = || store.query_row("SELECT count(*) FROM exchanges", [], |row| row.get::<_, i64>(0)).unwrap();
    while saved() < count {
        std::thread::yield_now();
    }
}

/// The bytes of a file, an archive's members unpacked.
fn unpacked(path: &Path) -> Vec<u8> {
    if path.extension().is_none_or(|extension| extension != "saz") {
        return fs::read(path).unwrap();
    }
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut all = Vec::new();
    for number in 0..archive.len() {
        archive.by_index(number).unwrap().read_to_end(&mut all).unwrap();
    }
    assert!(!all.is_empty());
    all
}

/// None of them is named, in any letter case, as text or as UTF-16.
fn nobody(what: &str, bytes: &[u8]) {
    assert!(!bytes.is_empty(), "{what} is empty");
    let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<_>>().to_ascii_lowercase();
    for name in PEOPLE {
        let at = memchr::memmem::find(&narrow, name.to_ascii_lowercase().as_bytes());
        assert!(at.is_none(), "{what} names {name}");
        let encoded = STANDARD.encode(name);
        assert!(memchr::memmem::find(bytes, &encoded.as_bytes()[..encoded.len() - 4]).is_none(), "{what} names {name}");
    }
}
