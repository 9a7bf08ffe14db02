//! `convert` and `--save` of other formats as somebody at a terminal meets them: what is refused, what an end in the
//! middle leaves, what a file has in it that is damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use authtap::redact::Redactor;
use authtap::session::{Opening, Reader};
use serde_json::json;

use crate::kit::{Origin, Process, Workshop, curl, need};

const FORMS: [&str; 3] = ["authtap", "har", "saz"];
const MANY: usize = 3000;

#[test]
fn a_capture_is_saved_as_any_format_when_it_is_over() {
    if !need(&["curl"]) {
        return;
    }
    for form in ["har", "saz"] {
        let workshop = Workshop::new();
        let origin = Origin::answering(Some(workshop.authority.server(&["mail.contoso.com"])), |_| {
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n".to_vec()
        });
        let name = format!("capture.{form}");
        let mut proxy = workshop.proxy_beside(&name, &["--resolve", &origin.resolve("mail.contoso.com", 443)]);
        curl(&proxy, &["-H", "Authorization: Bearer secret-token", "https://mail.contoso.com/EWS/"]);
        let live = proxy.exchanges(1);
        assert!(!workshop.path(&name).exists(), "nothing has the name before the end");
        assert!(proxy.session.extension().is_some_and(|kind| kind == "authtap"), "it is recorded all the same");
        let finished = proxy.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        let said = workshop.diagnose(&workshop.path(&name));
        assert_eq!((&said["exchanges"][0]["url"], &said["exchanges"][0]["status"]), (&live[0]["url"], &json!(401)));
        let bytes = fs::read(workshop.path(&name)).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"secret-token"));

        let mut command = workshop.authtap(&["proxy", "--headless", "--listen", "127.0.0.1:0", "--save"]);
        let again = command.arg(workshop.path(&name)).output().unwrap();
        assert_eq!(again.status.code(), Some(2), "a file that is there is refused");
        assert_eq!(fs::read(workshop.path(&name)).unwrap(), bytes);
    }
}

#[test]
fn what_cannot_be_converted_is_said_with_what_to_do() {
    let workshop = Workshop::new();
    let file = |name: &str, content: &[u8]| {
        fs::write(workshop.path(name), content).unwrap();
        workshop.path(name).to_string_lossy().into_owned()
    };
    let good = file("good.har", br#"{"log":{"entries":[]}}"#);
    let out = |name: &str| workshop.path(name).to_string_lossy().into_owned();
    for (arguments, code, words) in [
        (vec![out("none.har"), out("x.saz")], 2, "does not exist"),
        (vec![good.clone(), out("x.pcap")], 2, "use .authtap, .har or .saz"),
        (vec![good.clone(), good.clone()], 2, "cannot be made of itself"),
        (vec![good.clone(), out("no/such/folder/x.har")], 3, "choose a place you may write to"),
        (vec!["--encrypt".to_owned(), good.clone(), out("x.har")], 2, "only a .saz can be encrypted"),
        (
            vec![file("a.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), out("x.har")],
            2,
            "without Fiddler sessions",
        ),
        (vec![file("t.txt", b"HTTP/1.1 401 Unauthorized\r\n\r\n"), out("x.har")], 2, "is no authtap session, but text"),
    ] {
        let arguments: Vec<&str> = std::iter::once("convert").chain(arguments.iter().map(String::as_str)).collect();
        let finished = workshop.run(&arguments);
        assert!(finished.code == Some(code) && finished.error().contains(words), "{arguments:?}: {}", finished.error());
        assert!(finished.stdout.is_empty());
    }
    let left: Vec<_> = fs::read_dir(workshop.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('x')), "{left:?}");
}

#[test]
fn one_bad_entry_is_said_and_the_others_are_there() {
    let workshop = Workshop::new();
    let har = many(&workshop, 3).replace("\"POST\"", "7");
    let entries = har.replacen("{\"startedDateTime\"", "7,{\"startedDateTime\"", 2);
    let (from, to) = (workshop.path("bad.har"), workshop.path("good.saz"));
    fs::write(&from, entries).unwrap();
    let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
    assert_eq!(finished.code, Some(2), "{}", finished.error());
    assert!(finished.error().contains("entry 1 cannot be read"), "{}", finished.error());
    assert_eq!(count(&to), 3);
}

#[test]
fn an_end_in_the_middle_leaves_nothing_under_the_final_name() {
    let workshop = Workshop::new();
    let from = workshop.path("many.har");
    fs::write(&from, many(&workshop, MANY)).unwrap();
    let whole: Vec<u64> = FORMS.iter().map(|form| converted(&workshop, &from, form)).collect();
    // Two of three are killed, the third is asked to end.
    let parts = if std::env::var_os("AUTHTAP_LONG").is_some() { 13 } else { 6 };
    for (form, length) in FORMS.into_iter().zip(whole) {
        for part in 0..parts {
            let to = workshop.path(&format!("killed-{part}.{form}"));
            let mut command = workshop.authtap(&["convert"]);
            let mut process = Process::start(command.arg(&from).arg(&to));
            // Somewhere between the first byte and the last.
            let reached = wait_for_draft(&to, length * part / parts);
            let asked = part % 3 == 2;
            if asked {
                process.signal("INT");
                let code = process.wait().code();
                assert!(matches!(code, Some(0 | 130)), "{code:?}");
            } else {
                process.kill();
            }
            // It may have been faster than we were.
            assert!(!to.exists() || count(&to) == MANY, "{form} {part}");
            let drafts = drafts(&to);
            assert!(!asked || drafts.is_empty(), "an end that was asked for tidies up: {drafts:?}");
            assert!(reached, "{form} {part}: a draft was seen, or all of it");
        }
    }
}

#[test]
fn several_files_of_all_kinds_are_one_view_by_time() {
    let workshop = Workshop::new();
    let file = |name: &str, seconds: &[u32]| {
        let entries: Vec<_> = seconds.iter().map(|second| entry(*second)).collect();
        let path = workshop.path(name);
        fs::write(&path, json!({"log": {"entries": entries}}).to_string()).unwrap();
        path
    };
    let (one, two) = (file("one.har", &[1, 4]), file("two.har", &[2, 3]));
    let saz = workshop.path("two.saz");
    assert_eq!(workshop.run(&["convert", &two.to_string_lossy(), &saz.to_string_lossy()]).code, Some(0));
    let finished = workshop.run(&["diagnose", "--format", "json", &one.to_string_lossy(), &saz.to_string_lossy()]);
    let said: serde_json::Value = serde_json::from_slice(&finished.stdout).unwrap();
    let urls: Vec<_> =
        said["exchanges"].as_array().unwrap().iter().map(|one| (one["id"].clone(), one["url"].clone())).collect();
    let expected = (1..=4).map(|second| (json!(second), json!(format!("https://mail.contoso.com/{second}"))));
    assert_eq!(urls, expected.collect::<Vec<_>>());
    assert_eq!(said["source"], json!(["one.har", "two.saz"]));
}

fn entry(second: u32) -> serde_json::Value {
    json!({
        "startedDateTime": format!("2026-11-22T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
        "time": 20, "connection": (second / 10).to_string(),
        "request": {"method": "POST", "url": format!("https://mail.contoso.com/{second}"), "httpVersion": "HTTP/1.1",
                    "headers": [{"name": "Authorization", "value": "Bearer"}]},
        "response": {"status": 401, "statusText": "", "httpVersion": "HTTP/1.1", "headers": [],
                     "content": {"size": 0, "mimeType": ""}},
        "timings": {"send": 5, "wait": 10, "receive": 5},
    })
}

fn many(_: &Workshop, count: usize) -> String {
    let entries: Vec<_> = (1..=u32::try_from(count).unwrap()).map(entry).collect();
    json!({"log": {"version": "1.2", "entries": entries}}).to_string()
}

/// How long the file becomes.
fn converted(workshop: &Workshop, from: &Path, form: &str) -> u64 {
    let to = workshop.path(&format!("whole.{form}"));
    let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    assert_eq!(count(&to), MANY);
    fs::metadata(&to).unwrap().len()
}

fn count(path: &Path) -> usize {
    let redactor = Redactor::new();
    let reader = Reader::open(path, &Opening::quietly(&redactor)).unwrap();
    reader.exchanges().map(|read| assert!(read.is_ok(), "{read:?}")).count()
}

/// Waits until the draft of `to` is that long; whether it was seen, or `to` itself.
fn wait_for_draft(to: &Path, length: u64) -> bool {
    loop {
        if to.exists() || drafts(to).iter().any(|draft| fs::metadata(draft).is_ok_and(|file| file.len() >= length)) {
            return true;
        }
        thread::yield_now();
    }
}

/// What stands beside `to` on its way there.
fn drafts(to: &Path) -> Vec<PathBuf> {
    let name = to.file_name().unwrap().to_string_lossy().into_owned();
    let files = fs::read_dir(to.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file != to && file.file_name().unwrap().to_string_lossy().starts_with(&name)).collect()
}
