//! What is said of a file stays the same in every format that the file is written in.

use std::sync::Arc;

use serde_json::Value;

use super::{cases, conversations, exchange, text};
use crate::diagnosis::rules::kit;
use crate::diagnosis::{Capture, Diagnosis, Judgement};
use crate::exchange::Ids;
use crate::redact::{Hit, Redactor};
use crate::session::{Export, Form, Manifest, Opening, Origin, Provenance, Reader, Recorded, texts};

#[test]
fn every_case_and_conversation_is_judged_alike_in_every_format() {
    let net = Redactor::with_net();
    let recorded = recorded(&net);
    assert!(net.met().count() > 50, "{:?}", net.met());
    let before = said(&recorded);
    let failures = before.iter().filter(|said| said.contains("verdict: Failure")).count();
    assert!(recorded.len() > 300 && failures > 100, "{} exchanges, {failures} failures", recorded.len());
    let folder = tempfile::tempdir().unwrap();
    // From a session of ours to another format and back, and from that to the third.
    for ways in [
        [Form::Authtap, Form::Har, Form::Authtap],
        [Form::Authtap, Form::Saz, Form::Authtap],
        [Form::Har, Form::Saz, Form::Har],
    ] {
        let mut now = recorded.clone();
        for (step, form) in ways.into_iter().enumerate() {
            let path = folder.path().join(format!("{ways:?}{step}"));
            let mut export = Export::begin(&path, form, None).unwrap();
            now.drain(..).for_each(|recorded| export.add(recorded).unwrap());
            export.finish(&Manifest::default()).unwrap();
            // Nothing of ordinary traffic is taken for a secret.
            texts(&path, None, &mut |place, text| {
                let hits = net.find(text);
                let shown = |hit: &Hit| {
                    format!("{place:?} {:?} {}", hit.class, String::from_utf8_lossy(&text[hit.range.clone()]))
                };
                assert!(hits.is_empty(), "{:?}", hits.iter().map(shown).collect::<Vec<_>>());
                Ok(())
            })
            .unwrap();
            let redactor = Redactor::new();
            let reader = Reader::open(&path, &Opening::quietly(&redactor)).unwrap();
            now = reader.exchanges().map(Result::unwrap).collect();
        }
        for (one, other) in recorded.iter().zip(&now) {
            assert_eq!(one, other, "{ways:?}");
        }
        assert_eq!(now.len(), recorded.len());
        assert_eq!(before, said(&now), "{ways:?}");
    }
}

/// All of the corpus as one session, a run for each case and each conversation.
pub(super) fn recorded(redactor: &Redactor) -> Vec<Recorded> {
    let ids = Ids::default();
    let conversations = conversations().map(|conversation| {
        let capture = provenance(&conversation["capture"]);
        (capture, conversation["exchanges"].as_array().unwrap().clone())
    });
    let runs = cases().map(|case| (Provenance::Imported, vec![case])).chain(conversations);
    let mut recorded = Vec::new();
    for (run, (provenance, exchanges)) in (1..).zip(runs) {
        let origin = Arc::new(Origin { run, provenance, ..*Origin::of(provenance) });
        for value in exchanges {
            let mut exchange = exchange(&value, redactor, &ids);
            if value["request"].is_null() {
                kit::forget_request(&mut exchange);
            }
            recorded.push(Recorded { origin: Arc::clone(&origin), exchange });
        }
    }
    recorded
}

fn provenance(capture: &Value) -> Provenance {
    if capture["mode"] == "live" {
        return Provenance::HERE;
    }
    let tool = if capture["tool"].is_string() { text(&capture["tool"]) } else { String::new() };
    Provenance::of_tool(&tool)
}

pub(super) fn capture(provenance: Provenance) -> Capture {
    match provenance {
        Provenance::Live { loopback, windows } => Capture::Live { loopback, windows: windows.unwrap_or(false) },
        Provenance::Imported => Capture::Imported,
        Provenance::Intercepted => Capture::Intercepted,
    }
}

/// What is said of all exchanges in the end, run by run, with all its evidence.
fn said(recorded: &[Recorded]) -> Vec<String> {
    let mut all = Vec::new();
    for run in recorded.chunk_by(|one, next| one.origin.run == next.origin.run) {
        let mut diagnosis = Diagnosis::new(capture(run[0].origin.provenance));
        let mut note = |judgement: &Judgement| all.push(format!("{judgement:?}"));
        for Recorded { exchange, .. } in run {
            let observed = diagnosis.observe(exchange);
            note(&observed.judgement);
            observed.revised.iter().for_each(&mut note);
        }
        diagnosis.finish().iter().for_each(&mut note);
        for handshake in diagnosis.handshakes() {
            all.push(format!("{handshake:?}"));
        }
    }
    all
}
