//! What is said of a file for strangers is what is said of the file that it was made of.

use super::formats::{capture, recorded};
use crate::diagnosis::{Diagnosis, Judgement};
use crate::redact::Redactor;
use crate::session::{Public, Recorded};

#[test]
fn every_case_and_conversation_is_judged_alike_for_strangers() {
    let recorded = recorded(&Redactor::new());
    let mut wrong = Vec::new();
    for run in recorded.chunk_by(|one, next| one.origin.run == next.origin.run) {
        let public = public(run);
        let (before, after) = (said(run), said(&public));
        if before != after {
            let texts =
                |recorded: &[Recorded]| format!("{:?}", recorded.iter().map(|r| &r.exchange).collect::<Vec<_>>());
            wrong.push(format!("{before:?}\n  became {after:?}\n  {}\n  {}", texts(run), texts(&public)));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn public(recorded: &[Recorded]) -> Vec<Recorded> {
    let mut public = Public::new(&Redactor::new());
    for recorded in recorded {
        public.learn(recorded);
    }
    recorded.iter().map(|recorded| public.of(recorded.clone())).collect()
}

/// What is said of each exchange in the end, without the names.
fn said(run: &[Recorded]) -> Vec<String> {
    let mut all = Vec::new();
    let mut diagnosis = Diagnosis::new(capture(run[0].origin.provenance));
    let mut note = |judgement: &Judgement| {
        let findings: Vec<_> = judgement
            .findings
            .iter()
            .map(|finding| {
                let places: Vec<_> = finding.evidence.iter().map(|evidence| format!("{:?}", evidence.place)).collect();
                (finding.id(), finding.kind, finding.certainty, finding.actor, places)
            })
            .collect();
        all.push(format!("{} {:?} {findings:?}", judgement.exchange, judgement.verdict));
    };
    for Recorded { exchange, .. } in run {
        let observed = diagnosis.observe(exchange);
        note(&observed.judgement);
        observed.revised.iter().for_each(&mut note);
    }
    diagnosis.finish().iter().for_each(&mut note);
    for handshake in diagnosis.handshakes() {
        all.push(format!("{:?} {:?} {:?}", handshake.scheme, handshake.verdict, handshake.steps));
    }
    all
}
