//! The fold over whole conversations: verdicts and their revision, ladders, readiness, grouping, bounds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::rules::kit::{self, Raw};
use super::{Capture, Certainty, Diagnosis, Entries, Judgement, Kind, Scheme, StepState, Verdict};
use crate::exchange::{Failure, FailureKind, Seen, Side, Socket, Step, Tally};

mod windows;

const LIVE: Capture = Capture::Live { loopback: true, windows: true };
const PROBE: Raw = Raw::new(
    "POST https://mail.contoso.com/EWS/Exchange.asmx",
    "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
);
const TYPE1: Raw = Raw::new(
    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}",
    "401\nX-FEServer: EX01\nWWW-Authenticate: NTLM {ntlm2}",
);
const TYPE3: Raw =
    Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}", "200 OK");
const REFUSED: Raw = Raw::new(
    "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
    "401\nX-FEServer: EX01\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
);
const EMPTY_BEARER: Raw = Raw::new(
    "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
    concat!(
        "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", ",
        "authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\nWWW-Authenticate: NTLM"
    ),
);
const SIGN_IN: Raw = Raw::new(
    "GET https://login.windows.net/common/oauth2/authorize?resource=https%3A%2F%2Fmail.contoso.com%2F",
    "302 Found\nLocation: urn:ietf:wg:oauth:2.0:oob?code=abcdefgh",
);
const TOKEN: Raw = Raw::new(
    concat!(
        "POST https://login.windows.net/common/oauth2/token\nContent-Type: application/x-www-form-urlencoded\n\n",
        "grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh"
    ),
    "200 OK\nContent-Type: application/json\n\n{\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
);
const RETRY: Raw = Raw::new(
    "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer {jwt aud=https://mail.contoso.com/}",
    "200 OK\nX-FEServer: EX01",
);

#[test]
fn a_probe_is_pending_until_the_client_carries_on() {
    let mut run = Run::new(LIVE, &[PROBE, TYPE1]);
    assert_eq!(run.step().verdict, Verdict::Pending);
    assert_eq!(run.step().verdict, Verdict::Pending);
    assert_eq!(run.verdicts(), [Verdict::Step, Verdict::Pending]);
    run.finish();
    assert_eq!(run.verdicts(), [Verdict::Step, Verdict::Unknown]);
}

#[test]
fn an_imported_step_at_the_end_is_unknown_and_a_proven_failure_is_one_at_once() {
    assert_eq!(Run::all(Capture::Imported, &[PROBE]).verdicts(), [Verdict::Unknown]);
    assert_eq!(Run::all(Capture::Imported, &[REFUSED]).verdicts(), [Verdict::Failure]);
    let mut live = Run::new(LIVE, &[REFUSED]);
    assert_eq!(live.step().verdict, Verdict::Failure);
}

#[test]
fn type_3_on_another_connection_does_not_make_the_challenge_a_step() {
    let run = Run::all(LIVE, &[TYPE1, TYPE3.on(2)]);
    assert_eq!(run.verdicts()[0], Verdict::Unknown);
}

#[test]
fn another_program_s_credentials_do_not_answer_a_probe() {
    let theirs = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nUser-Agent: b\nAuthorization: Basic {basic avery:x1}",
        "200 OK",
    );
    let probe =
        Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx\nUser-Agent: a", "401\nWWW-Authenticate: Basic");
    assert_eq!(Run::all(LIVE, &[probe, theirs.on(2)]).verdicts(), [Verdict::Unknown, Verdict::Ok]);
}

#[test]
fn one_refused_logon_among_twenty_is_one_failure() {
    let mut exchanges = Vec::new();
    for connection in 1..=21 {
        let last = if connection == 13 { REFUSED } else { TYPE3 };
        exchanges.extend([PROBE, TYPE1, last].map(|raw| raw.on(connection)));
    }
    let run = Run::all(Capture::Imported, &exchanges);
    let count = |verdict| run.verdicts().iter().filter(|other| **other == verdict).count();
    assert_eq!((count(Verdict::Failure), count(Verdict::Step), count(Verdict::Ok)), (1, 42, 20));
    let ladders = run.diagnosis.handshakes();
    assert_eq!(ladders.len(), 21);
    assert!(ladders.iter().all(|ladder| ladder.scheme == Scheme::Ntlm));
    let failed: Vec<_> = ladders.iter().filter(|ladder| ladder.verdict == Verdict::Failure).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(states(failed[0]), [StepState::Done, StepState::Done, StepState::Done, StepState::Failed]);
}

#[test]
fn oauth_is_followed_across_hosts_to_the_token_s_use() {
    let run = Run::all(LIVE, &[EMPTY_BEARER, SIGN_IN.on(2), TOKEN.on(3), RETRY]);
    assert_eq!(run.verdicts(), [Verdict::Step, Verdict::Ok, Verdict::Ok, Verdict::Ok]);
    let ladders = run.diagnosis.handshakes();
    assert_eq!(ladders.len(), 1);
    assert_eq!((ladders[0].server.as_str(), ladders[0].verdict), ("mail.contoso.com", Verdict::Ok));
    assert_eq!(states(&ladders[0]), [StepState::Done; 5]);
    assert_eq!(ladders[0].steps.iter().map(|step| step.exchange).collect::<Vec<_>>(), [1, 1, 2, 3, 4].map(Some));
}

#[test]
fn what_should_have_followed_an_oauth_challenge_is_missing() {
    let run = Run::all(LIVE, &[EMPTY_BEARER, PROBE]);
    let ladders = run.diagnosis.handshakes();
    let missing = StepState::Missing;
    assert_eq!(states(&ladders[0]), [StepState::Done, StepState::Done, missing, missing, missing]);
    let run = Run::all(LIVE, &[EMPTY_BEARER]);
    let unseen = StepState::Unseen;
    assert_eq!(states(&run.diagnosis.handshakes()[0]), [StepState::Done, StepState::Done, unseen, unseen, unseen]);
}

#[test]
fn a_step_whose_response_was_not_captured_is_unseen() {
    let ladder = |request| {
        let run = Run::all(Capture::Imported, &[Raw::new(request, "")]);
        run.diagnosis.handshakes().first().map(|ladder| (ladder.verdict, states(ladder)))
    };
    let (done, unseen) = (StepState::Done, StepState::Unseen);
    assert_eq!(
        ladder("POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer"),
        Some((Verdict::Unknown, vec![done, unseen, unseen, unseen, unseen]))
    );
    assert_eq!(
        ladder("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm1}"),
        Some((Verdict::Unknown, vec![unseen, done, unseen, unseen]))
    );
    for request in [
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: NTLM {ntlm3 avery}",
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {kerberos}",
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
        "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Provision",
    ] {
        assert_eq!(ladder(request), None, "{request}");
    }
}

#[test]
fn what_a_client_did_without_is_not_called_unseen() {
    let (done, failed, unseen) = (StepState::Done, StepState::Failed, StepState::Unseen);
    let basic = "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}";
    let kerberos = "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {kerberos}";
    let bearer =
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=https://mail.fabrikam.com/}";
    let refused = "401\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"x\"";
    let refused_token = "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer error=\"invalid_token\"\n\
                         x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid\";error_category=\"invalid_resource\"";
    for capture in [LIVE, Capture::Imported] {
        for (request, response, steps) in [
            (basic, "200 OK", &[("authenticate", done)][..]),
            (basic, refused, &[("challenge", done), ("authenticate", failed)]),
            (kerberos, "200 OK", &[("negotiate", done), ("challenge", done), ("authenticate", done)]),
            (bearer, refused_token, &[("sign-in", unseen), ("token", unseen), ("retry", failed)]),
        ] {
            let run = Run::all(capture, &[Raw::new(request, response)]);
            let ladders = run.diagnosis.handshakes();
            let found: Vec<_> = ladders[0].steps.iter().map(|step| (step.name, step.state)).collect();
            assert_eq!(found, steps, "{request}");
            // A capture of another tool may have begun after the challenge.
            assert_eq!(ladders[0].preemptive, capture == LIVE, "{request}");
        }
        // Asked first, it is a handshake as any.
        let asked = Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx", refused);
        let ladder = &Run::all(capture, &[asked, Raw::new(basic, "200 OK")]).diagnosis.handshakes()[0];
        assert_eq!((states(ladder), ladder.preemptive), (vec![done; 3], false));
    }
}

#[test]
fn a_failed_sign_in_fails_the_ladder_of_the_server_it_was_for() {
    let refused = Raw::new(
        "GET https://login.windows.net/common/oauth2/authorize?resource=https%3A%2F%2Fmail.contoso.com%2F",
        "302\nLocation: urn:ietf:wg:oauth:2.0:oob?error=invalid_resource&error_description=AADSTS500011%3A+The+resource+principal+named+https%3A%2F%2Fmail.contoso.com%2F+was+not+found",
    );
    let run = Run::all(Capture::Imported, &[EMPTY_BEARER, refused.on(2)]);
    assert_eq!(run.verdicts(), [Verdict::Step, Verdict::Failure]);
    let ladder = &run.diagnosis.handshakes()[0];
    assert_eq!((ladder.verdict, states(ladder)[2]), (Verdict::Failure, StepState::Failed));
}

#[test]
fn one_bad_autodiscover_address_beside_a_good_one_is_a_step() {
    let root = Raw::new(
        "POST https://contoso.com/autodiscover/autodiscover.xml\nAuthorization: Basic {basic avery:secret}",
        "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"web\"",
    );
    let good = Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK").on(2);
    let mut run = Run::new(Capture::Imported, &[root, good]);
    assert_eq!(run.step().verdict, Verdict::Failure);
    run.step();
    let judgement = run.judgements.first_key_value().unwrap().1;
    assert_eq!((judgement.verdict, judgement.findings[0].id()), (Verdict::Step, "autodiscover-probe-401"));
    assert_eq!(judgement.findings.len(), 1);
}

#[test]
fn a_client_may_leave_a_websocket_with_a_reset_once_the_server_has_spoken() {
    const OPENED: Raw = Raw::new("GET https://mail.contoso.com/owa/signalr", "101 Switching Protocols");
    let failure = |side| Failure { side, step: Step::Receive, kind: FailureKind::Reset, text: "reset".into() };
    let verdict = |side, spoken: u64| {
        let socket = Socket { server: Tally { messages: spoken, bytes: 9 }, ..Socket::default() };
        let mut exchange = kit::exchanges(&[OPENED]).remove(0);
        exchange.error = Some(failure(side));
        let Seen::Seen(response) = &mut exchange.response else { unreachable!() };
        response.socket = Some(socket.into());
        Diagnosis::new(LIVE).observe(&exchange).judgement.verdict
    };
    assert_eq!(verdict(Side::Client, 2), Verdict::Ok);
    assert_eq!(verdict(Side::Client, 0), Verdict::Unknown, "it was never answered");
    assert_eq!(verdict(Side::Server, 2), Verdict::Unknown);
}

#[test]
fn an_answer_that_fails_inside_is_not_ok() {
    let verdict = |request, response| Run::all(Capture::Imported, &[Raw::new(request, response)]).verdicts()[0];
    let mapi = "POST https://mail.contoso.com/mapi/emsmdb/\nX-RequestType: Connect";
    assert_eq!(verdict(mapi, "200 OK\nX-ResponseCode: 0"), Verdict::Ok);
    assert_eq!(verdict(mapi, "200 OK\nX-ResponseCode: 10"), Verdict::Ok);
    assert_eq!(verdict(mapi, "200 OK\nX-ResponseCode: 16"), Verdict::Unknown);
    let sync = "POST https://mail.contoso.com/Microsoft-Server-ActiveSync?Cmd=Sync";
    let success = "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                   \x03\x01\x6a\x00\x00\x00\x45\x4e\x031\x00\x01\x01";
    let wants_to_know_the_device = "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                                    \x03\x01\x6a\x00\x00\x00\x45\x4e\x03165\x00\x01\x01";
    let mailbox_is_elsewhere = "200 OK\nContent-Type: application/vnd.ms-sync.wbxml\n\n\
                                \x03\x01\x6a\x00\x00\x00\x45\x4e\x03127\x00\x01\x01";
    assert_eq!(verdict(sync, success), Verdict::Ok);
    assert_eq!(verdict(sync, wants_to_know_the_device), Verdict::Ok);
    assert_eq!(verdict(sync, mailbox_is_elsewhere), Verdict::Unknown);
}

#[test]
fn autodiscover_fails_only_where_no_address_answers() {
    let broken = Raw::new(
        "POST https://mail.contoso.com/autodiscover/autodiscover.xml",
        "500 Internal Server Error\nX-CasErrorCode: ServerNotFound",
    );
    let nothing = Raw::new("POST https://contoso.com/autodiscover/autodiscover.xml", "404 Not Found\nServer: nginx");
    let good = Raw::new("POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml", "200 OK");
    let alone = Run::all(Capture::Imported, &[nothing, broken]);
    assert_eq!(alone.verdicts(), [Verdict::Unknown, Verdict::Failure]);
    assert_eq!(alone.judgements[&2].findings[0].id(), "autodiscover-misconfigured");
    for exchanges in [[nothing, broken, good], [good, nothing, broken]] {
        let run = Run::all(Capture::Imported, &exchanges);
        let steps = run.judgements.values().filter(|judgement| judgement.verdict == Verdict::Step);
        let ids: Vec<_> =
            steps.map(|judgement| judgement.findings.iter().map(super::Finding::id).collect::<Vec<_>>()).collect();
        assert_eq!(ids, [["autodiscover-probe-401"], ["autodiscover-probe-401"]]);
    }
}

#[test]
fn a_redirect_makes_another_host_a_candidate_of_the_organisation() {
    let web = Raw::new(
        "POST https://contoso.com/autodiscover/autodiscover.xml\nAuthorization: Basic {basic avery:secret}",
        "401\nServer: Apache\nWWW-Authenticate: Basic realm=\"web\"",
    );
    let redirect = Raw::new(
        "GET http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
        "302\nLocation: https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
    );
    let online = Raw::new("POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", "200 OK");
    let run = Run::all(Capture::Imported, &[web, redirect, online]);
    assert_eq!(run.verdicts(), [Verdict::Step, Verdict::Step, Verdict::Ok]);
    let run = Run::all(Capture::Imported, &[web, online]);
    assert_eq!(run.judgements[&1].findings[0].id(), "autodiscover-foreign-host");
}

#[test]
fn a_sign_in_that_comes_after_all_was_not_kept_away() {
    let mut run = Run::new(LIVE, &[EMPTY_BEARER, EMPTY_BEARER.on(2), SIGN_IN.on(3)]);
    run.step();
    let second = run.step();
    assert_eq!((second.verdict, second.findings[0].id()), (Verdict::Failure, "wam-loopback-blocked"));
    run.step();
    assert_eq!(run.judgements[&2].verdict, Verdict::Step);
    assert!(run.judgements[&2].findings.iter().all(|finding| finding.id() != "wam-loopback-blocked"));
}

#[test]
fn outlook_at_the_wrong_cloud_is_told_once_its_own_server_answers() {
    const PROMPT: Raw = Raw::new(
        "POST https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml\n\
         User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
         Authorization: Basic {basic CONTOSO\\avery:secret}",
        "401\nX-FEServer: AM9P195\nWWW-Authenticate: Basic realm=\"\"",
    );
    const OWN: Raw = Raw::new(
        "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
         User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)\n\
         Authorization: Basic {basic CONTOSO\\avery:secret}",
        "200 OK\nX-FEServer: EX01",
    );
    let ids = |run: &Run| run.judgements[&1].findings.iter().map(super::Finding::id).collect::<Vec<_>>();
    assert_eq!(ids(&Run::all(Capture::Imported, &[PROMPT])), ["basic-retired-exo"]);
    let run = Run::all(Capture::Imported, &[PROMPT, OWN]);
    assert_eq!(ids(&run), ["outlook-o365-endpoint", "basic-retired-exo"]);
    assert_eq!(run.verdicts(), [Verdict::Failure, Verdict::Ok]);
}

#[test]
fn a_password_that_works_later_was_not_the_cause() {
    let refused = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Basic realm=\"x\"",
    );
    let accepted = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
        "200 OK",
    );
    let other =
        Raw::new("POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:right}", "200 OK");
    let run = Run::all(Capture::Imported, &[refused, accepted]);
    let first = run.judgements.first_key_value().unwrap().1;
    assert_eq!((first.verdict, first.findings[0].id()), (Verdict::Unknown, "basic-bad-credentials"));
    assert_eq!(first.findings[0].certainty, Certainty::Possible);
    assert_eq!(first.findings[0].candidates, ["server-overloaded"]);
    assert_eq!(Run::all(Capture::Imported, &[refused, other]).verdicts(), [Verdict::Failure, Verdict::Ok]);
}

#[test]
fn a_generic_finding_stands_only_where_no_cause_is_named() {
    let refused = |answer| {
        let request = "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}";
        Run::all(Capture::Imported, &[Raw::new(request, answer)]).judgements.remove(&1).unwrap()
    };
    let ids = |judgement: &Judgement| judgement.findings.iter().map(super::Finding::id).collect::<Vec<_>>();
    for answer in [
        "401\nX-FEServer: EX01\nx-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value \
         'https://mail.contoso.com' is invalid\";error_category=\"invalid_resource\"",
        "401\nX-FEServer: EX01\nx-ms-diagnostics: 2000008;reason=\"The user specified by the user-context in the token \
         does not exist.\";error_category=\"invalid_user\"",
        "401\nX-FEServer: EX01\nx-ms-diagnostics: 2000004;reason=\"The mailbox version is not \
         supported.\";error_category=\"invalid_grant\"",
    ] {
        let ids = ids(&refused(answer));
        assert_eq!((ids.len(), ids[0] == "generic-bad-credentials"), (1, false), "{answer}");
    }
    let judgement = refused(
        "401\nX-FEServer: EX01\nx-ms-diagnostics: 2999999;reason=\"Something new.\";error_category=\"something_new\"",
    );
    assert_eq!(ids(&judgement), ["generic-bad-credentials"]);
    assert_eq!(judgement.findings[0].certainty, Certainty::Possible);
    assert!(judgement.findings[0].evidence[0].text.as_str().starts_with("2999999;reason=\"Something new.\""));
}

const WITHOUT: Raw = Raw::new(
    "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
    "401\nServer: Microsoft-IIS/10.0\nX-FEServer: EX02\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM",
);
const ANOTHER: Raw = Raw::new(
    "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
    concat!(
        "401\nX-FEServer: EX03\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", ",
        "authorization_uri=\"https://login.windows.net/common/oauth2/authorize\""
    ),
);

#[test]
fn the_one_server_of_three_without_oauth_is_named_whenever_it_was_met() {
    for order in [[EMPTY_BEARER, WITHOUT, ANOTHER], [WITHOUT, EMPTY_BEARER, ANOTHER], [EMPTY_BEARER, ANOTHER, WITHOUT]]
    {
        let run = Run::all(Capture::Imported, &order);
        let failures: Vec<_> = run.judgements.values().filter(|said| said.verdict == Verdict::Failure).collect();
        assert_eq!(failures.len(), 1);
        let finding = &failures[0].findings[0];
        assert_eq!((finding.id(), finding.certainty), ("vdir-oauth-disabled", Certainty::Certain));
        let named = |place| finding.names.iter().find(|(name, _)| *name == place).unwrap().1.to_string();
        assert_eq!((named("server"), named("directory")), ("EX02".to_owned(), "/mapi".to_owned()));
        let offered = finding.evidence.last().unwrap().text.as_str();
        assert!(offered.starts_with("Bearer offered by mail.contoso.com/mapi at EX0"), "{offered}");
    }
    let alone = Run::all(Capture::Imported, &[WITHOUT, WITHOUT]);
    let certainties: Vec<_> = alone.judgements.values().map(|said| said.findings[0].certainty).collect();
    assert_eq!(certainties, [Certainty::Likely; 2]);
}

#[test]
fn a_token_that_is_used_after_all_takes_the_note_back() {
    let ids = |run: &Run, id: u64| run.judgements[&id].findings.iter().map(super::Finding::id).collect::<Vec<_>>();
    let unused = Run::all(Capture::Imported, &[TOKEN, PROBE]);
    assert_eq!(ids(&unused, 2), ["hs-anonymous-probe", "client-did-not-authenticate"], "Bearer was not offered");
    let asked = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/",
        "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\"",
    );
    let unused = Run::all(Capture::Imported, &[TOKEN, asked]);
    assert_eq!(ids(&unused, 2), ["hs-anonymous-probe", "token-not-used", "client-did-not-authenticate"]);
    assert_eq!(unused.verdicts()[1], Verdict::Unknown);
    let used = Run::all(Capture::Imported, &[TOKEN, asked, RETRY]);
    assert_eq!(ids(&used, 2), ["hs-anonymous-probe"]);
    assert_eq!(used.verdicts()[1], Verdict::Step);
    assert!(Run::all(Capture::Imported, &[TOKEN]).judgements[&1].findings.is_empty());
}

#[test]
fn a_reason_that_nobody_knows_is_a_refusal_all_the_same() {
    let told = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=https://mail.contoso.com}",
        "401\nX-FEServer: EX01\nx-ms-diagnostics: 2999999;reason=\"New.\";error_category=\"something_new\"",
    );
    let pasted = Raw::new("", "401\nx-ms-diagnostics: 2999999;reason=\"New.\";error_category=\"something_new\"");
    for raw in [told, pasted] {
        let run = Run::all(Capture::Imported, &[raw]);
        let said = &run.judgements[&1];
        assert_eq!((said.verdict, said.findings[0].certainty), (Verdict::Failure, Certainty::Possible));
        assert!(said.findings[0].rule.is_generic());
    }
    // Nothing was told: a cause that is merely possible makes no verdict.
    let silent = Raw::new("GET https://login.live.com/x\nAuthorization: Bearer {jwt aud=x}", "401");
    assert_eq!(Run::all(Capture::Imported, &[silent]).verdicts(), [Verdict::Unknown]);
}

#[test]
fn findings_are_grouped_and_follow_revisions() {
    let run = Run::all(LIVE, &[PROBE, TYPE1, REFUSED, PROBE.on(2), TYPE1.on(2), REFUSED.on(2)]);
    let mut entries = Entries::default();
    for judgement in run.judgements.values() {
        entries.add(judgement, None);
    }
    let of = |entries: &Entries, id: &str| -> Vec<u64> {
        let all = entries.list().into_iter().filter(|entry| entry.rule.id == id);
        all.flat_map(|entry| entry.exchanges.clone()).collect()
    };
    assert_eq!(of(&entries, "ntlm-rejected"), [3, 6]);
    assert_eq!(entries.list()[0].kind, Kind::Failure);
    entries.add(&Judgement { exchange: 3, verdict: Verdict::Ok, findings: Vec::new() }, None);
    assert_eq!(of(&entries, "ntlm-rejected"), [6]);
}

#[test]
fn readiness_has_a_row_for_each_server_behind_a_name() {
    let without = Raw::new(
        "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
        "401\nX-FEServer: EX02\nWWW-Authenticate: Negotiate, NTLM",
    );
    let run = Run::all(Capture::Imported, &[EMPTY_BEARER, without, RETRY]);
    let rows = run.diagnosis.readiness();
    let names: Vec<_> = rows.iter().map(|row| (row.endpoint, row.name().to_string())).collect();
    assert_eq!(names, [("mapi", "mail.contoso.com (EX01)".to_owned()), ("mapi", "mail.contoso.com (EX02)".to_owned())]);
    assert_eq!(rows[0].schemes.iter().map(crate::redact::Clean::as_str).collect::<Vec<_>>(), ["bearer", "ntlm"]);
    assert!(rows[0].authorization_uri.is_some() && rows[1].authorization_uri.is_none());
    assert_eq!(rows[0].last, (3, 200));
}

#[test]
fn what_is_open_is_bounded_and_what_must_go_is_said() {
    let exchanges: Vec<Raw> = (0..200).map(|_| PROBE).collect();
    let mut run = Run::new(LIVE, &exchanges);
    for _ in 0..200 {
        run.step();
    }
    let unknown = run.verdicts().iter().filter(|verdict| **verdict == Verdict::Unknown).count();
    assert_eq!(unknown, 200 - 128);
}

fn states(handshake: &super::Handshake) -> Vec<StepState> {
    handshake.steps.iter().map(|step| step.state).collect()
}

/// A diagnosis over texts, with what was said last of each exchange.
struct Run {
    diagnosis: Diagnosis,
    waiting: std::vec::IntoIter<crate::exchange::Exchange>,
    judgements: BTreeMap<u64, Judgement>,
}

impl Run {
    fn new(capture: Capture, raw: &[Raw]) -> Self {
        let waiting = kit::exchanges(raw).into_iter();
        Self { diagnosis: Diagnosis::new(capture), waiting, judgements: BTreeMap::new() }
    }

    fn all(capture: Capture, raw: &[Raw]) -> Self {
        let mut run = Self::new(capture, raw);
        for _ in raw {
            run.step();
        }
        run.finish();
        run
    }

    fn step(&mut self) -> Judgement {
        let observed = self.diagnosis.observe(&self.waiting.next().unwrap());
        let judgement = observed.judgement;
        self.judgements.insert(judgement.exchange, judgement.clone());
        self.judgements.extend(observed.revised.into_iter().map(|revised| (revised.exchange, revised)));
        judgement
    }

    fn finish(&mut self) {
        let last = self.diagnosis.finish();
        self.judgements.extend(last.into_iter().map(|revised| (revised.exchange, revised)));
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.judgements.values().map(|judgement| judgement.verdict).collect()
    }
}

#[test]
fn the_clock_of_a_replayed_server_says_nothing_of_ours() {
    const LATE: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Negotiate {kerberos}",
        "401\nX-FEServer: EX01\nDate: Sun, 22 Nov 2026 09:20:00 GMT\nWWW-Authenticate: Negotiate",
    );
    const EXPIRED: Raw = Raw::new(
        "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=https://mail.contoso.com/ \
         nbf=1510860000 exp=1510868268}",
        "401\nX-FEServer: EX01\nDate: Thu, 16 Nov 2017 20:37:48 GMT\nWWW-Authenticate: Bearer error=\"invalid_token\"",
    );
    let says = |capture, raw, id| {
        let findings = &Run::all(capture, &[raw]).judgements[&1].findings;
        findings.iter().any(|finding| finding.id() == id)
    };
    let is_skewed = |capture| says(capture, LATE, "clock-skew");
    assert_eq!([is_skewed(LIVE), is_skewed(Capture::Replayed)], [true, false]);
    // What a client sends is judged by the clock that it lives by now.
    let is_expired = |capture| says(capture, EXPIRED, "token-expired");
    assert_eq!([is_expired(LIVE), is_expired(Capture::Replayed)], [false, true]);
}
