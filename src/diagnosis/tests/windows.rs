//! Windows authentication over several exchanges: what later logons make of earlier refusals, and which failure stands
//! first when OAuth failed before.

use super::{REFUSED, Run, TYPE1, states};
use crate::diagnosis::rules::kit::Raw;
use crate::diagnosis::{Actor, Capture, Certainty, Entries, Judgement, StepState, Verdict};

const LIVE: Capture = Capture::Live { loopback: true, windows: true };
const OURS: Raw = Raw::new(
    "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3ours avery}",
    "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
)
.decrypted();

/// The first finding, how sure it is, and the verdict, of each exchange at the end.
fn said(capture: Capture, raw: &[Raw]) -> Vec<(&'static str, Option<Certainty>, Verdict)> {
    let first = |judgement: &Judgement| match judgement.findings.first() {
        Some(finding) => (finding.id(), Some(finding.certainty), judgement.verdict),
        None => ("", None, judgement.verdict),
    };
    Run::all(capture, raw).judgements.values().map(first).collect()
}

#[test]
fn a_binding_to_our_certificate_is_certain_once_the_same_person_is_let_in_otherwise() {
    for other in [
        Raw::new(
            "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery@contoso.com:right}",
            "200 OK",
        ),
        Raw::new(
            "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\avery:right}",
            "200 OK",
        ),
        Raw::new(
            "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
             aud=https://mail.contoso.com/ upn=avery@contoso.com}",
            "200 OK",
        ),
        Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3server avery}", "200 OK"),
    ] {
        let other = other.on(2);
        let expected = ("ep-channel-binding", Some(Certainty::Certain), Verdict::Failure);
        assert_eq!(said(LIVE, &[OURS, other])[0], expected);
        assert_eq!(said(LIVE, &[other, OURS])[1], expected);
    }
    let other_person = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\blake:right}",
        "200 OK",
    );
    assert_eq!(said(LIVE, &[OURS, other_person])[0], ("ep-channel-binding", Some(Certainty::Likely), Verdict::Failure));
}

#[test]
fn a_foreign_binding_that_is_accepted_later_clears_the_interception() {
    let accepted = |url| Raw::new(url, "200 OK").decrypted().on(2);
    let ews = accepted("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {ntlm3ours blake}");
    let judgements = said(LIVE, &[OURS, ews]);
    assert_eq!(judgements[0], ("ntlm-rejected", Some(Certainty::Likely), Verdict::Failure));
    // Autodiscover asks for no binding, so what it takes says nothing.
    let autodiscover =
        accepted("POST https://mail.contoso.com/autodiscover/autodiscover.xml\nAuthorization: NTLM {ntlm3ours avery}");
    assert_eq!(said(LIVE, &[OURS, autodiscover])[0].0, "ep-channel-binding");
}

#[test]
fn the_server_s_own_binding_that_is_accepted_later_leaves_a_wrong_password() {
    let refused = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3server avery}",
        "401\nWWW-Authenticate: NTLM",
    );
    let accepted =
        Raw::new("POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3server blake}", "200 OK");
    assert_eq!(said(Capture::Imported, &[refused])[0].0, "ep-channel-binding-network");
    assert_eq!(said(Capture::Imported, &[refused, accepted.on(2)])[0].0, "ntlm-rejected");
    assert_eq!(said(Capture::Imported, &[accepted.on(2), refused])[1].0, "ntlm-rejected");
}

#[test]
fn a_missing_binding_is_likely_once_others_with_one_are_let_in() {
    let refused = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: NTLM {ntlm3zero avery}",
        "401\nWWW-Authenticate: NTLM",
    );
    let accepted =
        Raw::new("POST https://mail.contoso.com/mapi/nspi/\nAuthorization: NTLM {ntlm3bound blake}", "200 OK");
    let first = &said(Capture::Imported, &[refused])[0];
    assert_eq!(*first, ("ntlm-rejected", Some(Certainty::Likely), Verdict::Failure));
    let expected = ("ep-binding-missing", Some(Certainty::Likely), Verdict::Failure);
    assert_eq!(said(Capture::Imported, &[refused, accepted.on(2)])[0], expected);
    assert_eq!(said(Capture::Imported, &[accepted.on(2), refused])[1], expected);
}

#[test]
fn a_challenge_that_closes_its_connection_was_a_step_where_the_client_goes_on_there() {
    let closing = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
        "401\nConnection: close\nWWW-Authenticate: NTLM {ntlm2}",
    );
    let accepted =
        Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}", "200 OK");
    let broken = ("ntlm-connection-broken", Some(Certainty::Likely), Verdict::Failure);
    assert_eq!(said(Capture::Imported, &[closing])[0], broken);
    let step = ("ntlm-type1-type2", Some(Certainty::Certain), Verdict::Step);
    assert_eq!(said(Capture::Imported, &[closing, accepted])[0], step);
    assert_eq!(said(Capture::Imported, &[closing, REFUSED.on(2)])[0], broken);
}

#[test]
fn the_ladders_show_which_leg_went_astray() {
    let (done, failed) = (StepState::Done, StepState::Failed);
    let (missing, unseen) = (StepState::Missing, StepState::Unseen);
    let closing = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
        "401\nConnection: close\nWWW-Authenticate: NTLM {ntlm2}",
    );
    let ladders = |raw: &[Raw]| -> Vec<_> {
        let run = Run::all(Capture::Imported, raw);
        run.diagnosis.handshakes().iter().map(|ladder| (ladder.verdict, states(ladder))).collect()
    };
    assert_eq!(ladders(&[closing]), [(Verdict::Failure, vec![unseen, done, done, missing])]);
    let legs = ladders(&[TYPE1, REFUSED.on(2)]);
    assert_eq!(legs[1], (Verdict::Failure, vec![unseen, unseen, missing, failed]));
    let too_long = Raw::new(
        "GET https://intranet.contoso.com/\nAuthorization: Negotiate {kerberos 18}",
        "400 Bad Request\nContent-Type: text/html\n\n<h2>Bad Request - Request Too Long</h2>",
    );
    assert_eq!(ladders(&[too_long]), [(Verdict::Failure, vec![done, done, failed])]);
}

#[test]
fn a_token_that_is_taken_later_speaks_for_a_policy() {
    let refused = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\avery:secret}",
        "401\nX-FEServer: EX01\nX-OWA-Version: 15.2.1748.39\nWWW-Authenticate: Basic realm=\"x\"",
    );
    let token = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=https://mail.contoso.com/ \
         upn=avery@contoso.com}",
        "200 OK",
    );
    assert_eq!(said(Capture::Imported, &[refused])[0].0, "basic-bad-credentials");
    let expected = ("legacy-auth-blocked-policy", Some(Certainty::Likely), Verdict::Failure);
    assert_eq!(said(Capture::Imported, &[refused, token.on(2)])[0], expected);
}

#[test]
fn the_oauth_failure_that_was_there_first_stays_first() {
    let oauth = Raw::new(
        "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\nAuthorization: Bearer",
        "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer}\nWWW-Authenticate: NTLM",
    );
    let password = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic CONTOSO\\avery:right}",
        "200 OK",
    );
    let run = Run::all(LIVE, &[oauth, TYPE1.on(2), OURS.on(2), password.on(3)]);
    let bound = &run.judgements[&3].findings[0];
    assert_eq!(
        (bound.id(), bound.certainty, bound.actor),
        ("ep-channel-binding", Certainty::Certain, Actor::ThisProxy)
    );
    assert_eq!(bound.candidates[0], "hma-no-authorization-uri");
    assert!(bound.evidence.iter().any(|evidence| evidence.exchange == 1));
    let mut entries = Entries::default();
    for judgement in run.judgements.values() {
        entries.add(judgement, None);
    }
    let list = entries.list();
    assert_eq!(list[0].rule.id, "hma-no-authorization-uri");
    assert_eq!(list[1].rule.id, "ep-channel-binding");
}

#[test]
fn an_instrument_hides_nothing_about_oauth_in_the_same_exchange() {
    let both = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3ours avery}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
         WWW-Authenticate: NTLM\nx-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token \
         does not exist.\";error_category=\"invalid_user\"",
    )
    .decrypted();
    let run = Run::all(LIVE, &[both]);
    let ids: Vec<_> = run.judgements[&1].findings.iter().map(crate::diagnosis::Finding::id).collect();
    assert_eq!(ids, ["user-not-in-directory", "ep-channel-binding"]);
}

#[test]
fn a_password_refused_on_every_directory_of_one_host_is_one_cause_each_time() {
    let refused = |url: &'static str| Raw::new(url, "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM").decrypted();
    // EWS took a foreign binding, so Extended Protection is off where it would be on: what is refused then is refused
    // for another reason, on whatever connection.
    let taken = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3ours avery}",
        "200 OK\nX-FEServer: EX01",
    )
    .decrypted();
    let exchanges = [
        taken,
        refused("GET https://mail.contoso.com/OAB/oab.xml\nAuthorization: NTLM {ntlm3ours blake}").on(2),
        refused("POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Negotiate {ntlm3ours blake}").on(3),
    ];
    let ids: Vec<_> = said(LIVE, &exchanges).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids[1..], ["ntlm-rejected", "ntlm-rejected"]);
}

#[test]
fn a_ticket_that_is_accepted_later_leaves_kerberos_itself() {
    let ticket = |answer| {
        Raw::new("POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Negotiate {kerberos 18}", answer)
            .decrypted()
    };
    let refused = ticket(
        "401\nX-FEServer: EX01\nX-OWA-Version: 15.2.1748.39\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
    );
    assert_eq!(said(LIVE, &[refused])[0].0, "ep-channel-binding");
    let accepted = ticket("200 OK\nX-FEServer: EX01").on(2);
    assert_eq!(said(LIVE, &[refused, accepted])[0].0, "kerberos-failure");
    assert_eq!(said(LIVE, &[accepted, refused])[1].0, "kerberos-failure");
}
