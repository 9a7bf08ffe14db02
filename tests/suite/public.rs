//! Files for strangers: the demonstration loses its names and keeps its findings, in every form.

use std::fs;
use std::path::Path;

use authtap::session::texts;
use serde_json::{Value, json};

use crate::kit::{Workshop, demonstration};

#[test]
fn the_demonstration_loses_its_names_and_keeps_its_findings() {
    let workshop = Workshop::new();
    let session = demonstration(&workshop);
    let before = said(&workshop.diagnose(&session));
    assert!(before.len() > 40, "{}", before.len());
    for form in ["authtap", "har", "saz"] {
        let to = workshop.path(&format!("public.{form}"));
        let finished = convert(&workshop, &session, &to);
        assert!(finished.contains("have stand-ins") && finished.contains("the same"), "{finished}");
        let after = workshop.diagnose(&to);
        assert_eq!(said(&after), before, "{form}");
        let content = content(&to);
        for name in ["contoso", "fabrikam", "adatum"] {
            assert!(!content.contains(name), "{form}: {name}");
        }
        assert!(content.contains("org1.example") && content.contains("login.microsoftonline.com"), "{form}");
        assert!(content.contains("\"share\":\"public\"") && content.contains("\"organisations\":"), "{form}");
        let report = workshop.run(&["diagnose", "--format", "html", &to.to_string_lossy()]);
        let report = String::from_utf8_lossy(&report.stdout).to_lowercase();
        assert!(report.contains("org1.example") && !report.contains("contoso"), "{form}");
        let again = workshop.path(&format!("again.{form}"));
        convert(&workshop, &to, &again);
        assert_eq!(workshop.diagnose(&again)["exchanges"], after["exchanges"], "{form}: made again");
    }
}

#[test]
fn a_file_of_several_organisations_tells_them_apart_and_names_none() {
    let workshop = Workshop::new();
    let entry = |url: &str, name: &str, value: &str| {
        json!({
            "startedDateTime": "2026-11-22T09:00:00Z", "time": 5, "timings": {"send": 1, "wait": 2, "receive": 2},
            "request": {"method": "GET", "url": url, "httpVersion": "HTTP/1.1",
                        "headers": [{"name": "Authorization", "value": "Bearer"}]},
            "response": {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1",
                         "headers": [{"name": name, "value": value}], "content": {"size": 0, "mimeType": ""}},
        })
    };
    let entries = [
        entry("https://mail.proseware.com/EWS/Exchange.asmx", "X-FEServer", "PWEXCH07"),
        entry(
            "https://autodiscover.litware.co.uk/autodiscover/autodiscover.xml",
            "WWW-Authenticate",
            "Basic realm=\"litware.co.uk\"",
        ),
        entry(
            "https://proseware.sharepoint.com/",
            "Location",
            "https://login.proseware.com/adfs/ls/?whr=litware.co.uk",
        ),
    ];
    let (from, to) = (workshop.path("several.har"), workshop.path("public.har"));
    fs::write(&from, json!({"log": {"entries": entries}}).to_string()).unwrap();
    convert(&workshop, &from, &to);
    let content = content(&to);
    for name in ["proseware", "litware", "pwexch07"] {
        assert!(!content.contains(name), "{name}");
    }
    for name in ["mail.org1.example", "autodiscover.org2.example", "org1.sharepoint.com", "login.org1.example", "srv1"]
    {
        assert!(content.contains(name), "{name}");
    }
}

/// What `convert --share public` says.
fn convert(workshop: &Workshop, from: &Path, to: &Path) -> String {
    let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy(), "--share", "public"]);
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    finished.error()
}

/// What is said of each exchange, without the names.
fn said(diagnosis: &Value) -> Vec<Value> {
    let exchanges = diagnosis["exchanges"].as_array().unwrap().iter();
    let exchanges = exchanges.map(|one| json!([one["id"], one["status"], one["verdict"], one["findings"]]));
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    let findings =
        findings.map(|one| json!([one["id"], one["kind"], one["certainty"], one["actor"], one["exchanges"]]));
    exchanges.chain(findings).collect()
}

/// All texts of a file, in lower case.
fn content(path: &Path) -> String {
    let mut all = Vec::new();
    texts(path, None, &mut |_, text| {
        all.extend([text, b"\n"].concat());
        Ok(())
    })
    .unwrap();
    String::from_utf8_lossy(&all).to_lowercase()
}
