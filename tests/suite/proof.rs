//! What is stated of a file that was made to be given away: on standard error, in the file, and when it is read again.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::kit::Workshop;

/// A word that no door can know for a password before it was met as one.
const PASSWORD: &str = "Winterzeit2026";

#[test]
fn what_was_met_and_found_is_said_and_stands_in_the_file() {
    let workshop = Workshop::new();
    let from = workshop.path("clean.har");
    fs::write(&from, har("nothing is the matter")).unwrap();
    for form in ["authtap", "har", "saz"] {
        let to = workshop.path(&format!("clean.{form}")).with_extension(format!("out.{form}"));
        let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        let said = "findings before, the same 2 after; 3 secrets met, 0 found (password 1, token 1, cookie 1)";
        assert!(finished.error().contains(said), "{}", finished.error());

        // Whoever gets the file sees it there.
        let text = on_one_line(&workshop.run(&["diagnose", &to.to_string_lossy()]).output());
        assert!(text.contains("2 findings before, 2 after (the same)"), "{text}");
        assert!(text.contains("3 secrets met, 0 found"), "{text}");
        let page = workshop.run(&["diagnose", "--format", "markdown", &to.to_string_lossy()]).output();
        assert!(page.contains("**Taken out before:** password 1, token 1, cookie 1"), "{page}");
        let japanese = workshop.run(&["diagnose", "--format", "html", "--lang", "ja", &to.to_string_lossy()]).output();
        assert!(
            japanese.contains("検知した秘密 3 件、見つかったもの 0 件 (パスワード 1, トークン 1, Cookie 1)"),
            "{japanese}"
        );
    }
    let manifest: Value = serde_json::from_slice(&fs::read(workshop.path("clean.out.har")).unwrap()).unwrap();
    let manifest = &manifest["log"]["_authtap"]["manifest"];
    assert_eq!(manifest["met"]["secrets"], json!({"cookie": 1, "password": 1, "token": 1}));
    assert_eq!((&manifest["found"], &manifest["same"]), (&json!({}), &json!(true)));
}

/// The word stands in an error message, as a word, before anybody signs in with it.
#[test]
fn a_secret_that_was_shown_before_it_was_known_is_masked_and_reported() {
    let workshop = Workshop::new();
    let from = workshop.path("leak.har");
    fs::write(&from, har(&format!("cannot find {PASSWORD} here"))).unwrap();
    for form in ["authtap", "har", "saz"] {
        let to = workshop.path(&format!("leak.out.{form}"));
        let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
        assert_eq!(finished.code, Some(3), "{}", finished.error());
        assert!(finished.error().contains("3 secrets met, 1 found"), "{}", finished.error());
        assert!(finished.error().contains("password in exchange 1 ("), "{}", finished.error());
        assert!(!finished.error().contains(PASSWORD));
        assert!(!holds(&to, PASSWORD), "{form}");
        let again = on_one_line(&workshop.run(&["diagnose", &to.to_string_lossy()]).output());
        assert!(again.contains("3 secrets met, 1 found"), "{again}");
    }
    for format in ["text", "markdown", "html", "json"] {
        let report = workshop.run(&["diagnose", "--format", format, &from.to_string_lossy()]);
        assert_eq!(report.code, Some(3), "{format}: {}", report.error());
        assert!(report.error().contains("password in line"), "{}", report.error());
        assert!(!report.output().contains(PASSWORD), "{}", report.output());
        assert!(report.output().contains("hidden"), "{}", report.output());
        if format == "json" {
            let document: Value = serde_json::from_str(&report.output()).unwrap();
            assert_eq!(document["exchanges"].as_array().unwrap().len(), 2, "it is whole");
        }
    }
}

/// Text without the breaks of its lines.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Two refusals; the first has `message` in its URL and in its body.
fn har(message: &str) -> String {
    let basic = format!("Basic {}", STANDARD.encode(format!("avery@contoso.com:{PASSWORD}")));
    let url = format!("https://mail.contoso.com/EWS/Exchange.asmx?error_description={}", message.replace(' ', "+"));
    let entries = [
        entry(&url, "Bearer Ew0a1b2c3d4e5f6g7h8i9j0", message),
        entry("https://mail.contoso.com/EWS/Exchange.asmx", &basic, "no"),
    ];
    json!({"log": {"version": "1.2", "creator": {"name": "Fiddler", "version": "1"}, "entries": entries}}).to_string()
}

fn entry(url: &str, authorization: &str, message: &str) -> Value {
    let field = |name: &str, value: &str| json!({"name": name, "value": value});
    json!({
        "startedDateTime": "2026-11-22T09:00:00.000Z", "time": 5, "connection": "1",
        "request": {"method": "POST", "url": url, "httpVersion": "HTTP/1.1",
                    "headers": [field("Authorization", authorization), field("Cookie", "cadata=q1w2e3r4t5y6u7i8o9")]},
        "response": {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1",
                     "headers": [field("WWW-Authenticate", "Basic realm=\"mail.contoso.com\""),
                                 field("Content-Type", "text/plain")],
                     "content": {"mimeType": "text/plain", "size": message.len(), "text": message}},
        "timings": {"send": 1, "wait": 1, "receive": 1},
    })
}

/// Whether the file has the word anywhere, an archive unpacked.
fn holds(path: &Path, word: &str) -> bool {
    let mut all = fs::read(path).unwrap();
    if let Ok(mut archive) = zip::ZipArchive::new(fs::File::open(path).unwrap()) {
        for number in 0..archive.len() {
            std::io::copy(&mut archive.by_index(number).unwrap(), &mut all).unwrap();
        }
    }
    all.windows(word.len()).any(|found| found == word.as_bytes())
}
