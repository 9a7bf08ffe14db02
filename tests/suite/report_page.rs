//! The report as a page, in headless Chromium: at three widths, in both languages, light, dark and printed. It fits, it
//! asks for nothing, and nothing that is smuggled into it comes to life.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kit::{Chromium, Way, Workshop, demonstration, need};

/// Conversations of the corpus that show something different each.
const SHOWN: [&str; 3] = ["ntlm-loop", "hma-one-vdir-only", "hma-broken-refresh-revoked"];

#[test]
fn pages_fit_every_width_and_ask_for_nothing() {
    if !need(&["chromium", "certutil", "python3"]) {
        return;
    }
    let workshop = Workshop::new();
    let demo = demonstration(&workshop);
    let [ntlm, one, revoked] = SHOWN.map(|id| archive(&workshop, id));
    // What was made to be given away states what it is.
    let given = workshop.path("given.saz");
    let converted = workshop.run(&["convert", &revoked.to_string_lossy(), &given.to_string_lossy()]);
    assert_eq!(converted.code, Some(0), "{}", converted.error());
    let pages: Vec<_> = [(&demo, "en"), (&demo, "ja"), (&ntlm, "en"), (&one, "en"), (&given, "ja")]
        .into_iter()
        .map(|(session, language)| {
            let finished =
                workshop.run(&["diagnose", "--format", "html", "--lang", language, &session.to_string_lossy()]);
            assert_eq!(finished.code, Some(1), "{}", finished.error());
            let page = session.with_extension(format!("{language}.html"));
            fs::write(&page, finished.stdout).unwrap();
            (page, language)
        })
        .collect();
    let mut arguments = vec!["look".as_ref()];
    arguments.extend(pages.iter().map(|(page, _)| page.as_os_str()));
    let way = Way::straight(&workshop, ([127, 0, 0, 1], 9).into());
    let said = Chromium::new(&workshop, &way, &[]).driven(&arguments, None);
    assert_eq!(said.len(), pages.len());
    for ((page, language), said) in pages.iter().zip(said) {
        let said: Value = serde_json::from_str(&said).unwrap();
        let name = page.file_stem().unwrap().to_string_lossy();
        assert_eq!(said["asked"], json!([format!("file://{}", page.display())]), "{name}");
        assert_eq!(said["issues"], json!([]), "{name}");
        let smuggling = json!({"smuggled": false, "refused": [
            "connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem",
        ]});
        assert_eq!(said["smuggling"], smuggling, "{name}");
        for (look, seen) in said["seen"].as_object().unwrap() {
            assert!(seen["overflow"] == 0 && seen["wide"] == json!([]), "{name}, {look}: {seen}");
            assert_eq!(seen["language"], *language);
            assert!(seen["heading"].as_str().unwrap().chars().count() > 5, "{name}: {seen}");
            assert!(!seen["drawn"].as_array().unwrap().is_empty(), "{name}, {look}: {seen}");
            let [paper, ink] = ["paper", "ink"].map(|name| brightness(seen[name].as_str().unwrap()));
            assert_eq!(paper < ink, look.starts_with("dark"), "{name}, {look}: {seen}");
        }
        // Of what is folded away on the screen, nothing is missing on paper.
        assert!(said["sheets"].as_u64().unwrap() > 1 && said["hidden"] == 0, "{name}: {said}");
    }
}

/// The sum of a colour's parts.
fn brightness(colour: &str) -> u32 {
    colour.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok()).sum()
}

/// A conversation as a session file.
fn archive(workshop: &Workshop, id: &str) -> PathBuf {
    let conversations = include_str!("../data/corpus/conversations.jsonl").lines();
    let conversation: Value = conversations
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|conversation| conversation["id"] == id)
        .unwrap();
    let entry = |one: &Value| {
        let mut response = one["response"].clone();
        response["content"] = json!({"text": response["body"], "mimeType": ""});
        json!({"startedDateTime": one["started"], "time": 20, "connection": one["connection"],
               "request": one["request"], "response": response, "timings": {"send": 1, "wait": 18, "receive": 1}})
    };
    let entries: Vec<_> = conversation["exchanges"].as_array().unwrap().iter().map(entry).collect();
    let path = workshop.path(&format!("{id}.har"));
    fs::write(&path, json!({"log": {"entries": entries}}).to_string()).unwrap();
    path
}
