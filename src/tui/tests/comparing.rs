//! Two sessions side by side.

use super::*;
use crate::diagnosis::comparison::{Comparison, Course};
use crate::diagnosis::{Capture, Diagnosis};
use crate::exchange::{Ids, Timestamp};
use crate::redact::Redactor;
use crate::session::paste;

const BEARER: &str = "WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
    trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\"";
const URI: &str = ", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"";

/// Path, `Authorization`, status, challenge, server.
type Step<'a> = (&'a str, Option<&'a str>, u16, &'a str, &'a str);

fn course(steps: &[Step<'_>]) -> Course {
    let (redactor, ids) = (Redactor::new(), Ids::default());
    let (mut diagnosis, mut course) = (Diagnosis::new(Capture::Imported), Course::default());
    for (path, authorization, status, challenge, server) in steps {
        let sent = authorization.map(|value| format!("Authorization: {value}\n")).unwrap_or_default();
        let challenge = if challenge.is_empty() { String::new() } else { format!("{challenge}\n") };
        let text = format!(
            "POST {path} HTTP/1.1\nHost: mail.contoso.com\n{sent}\nHTTP/1.1 {status} x\n{challenge}X-FEServer: {server}\n\n"
        );
        for exchange in paste::read(text.as_bytes(), &redactor, &ids, Timestamp(0)) {
            let observed = diagnosis.observe(&exchange);
            course.add(&exchange, &observed.judgement);
            observed.revised.iter().for_each(|judgement| course.revise(judgement));
        }
    }
    course
}

fn compared(bad: &[Step<'_>]) -> Compared {
    let whole = format!("{BEARER}{URI}");
    let token = "Bearer [opaque #1]";
    let good = course(&[
        ("/autodiscover/autodiscover.xml", None, 401, &whole, "EX01"),
        ("/mapi/emsmdb/", Some("Bearer"), 401, &whole, "EX01"),
        ("/mapi/emsmdb/", Some(token), 200, "", "EX01"),
        ("/EWS/Exchange.asmx", Some(token), 200, "", "EX01"),
    ]);
    let bad = course(bad);
    let named = |name: &str| Named { name: name.to_owned(), cut: false };
    Compared { good: named("good.har"), bad: named("bad.har"), comparison: Comparison::new(&good, &bad) }
}

/// The second user's challenge lacks what the first one's has.
fn parted() -> Compared {
    let whole = format!("{BEARER}{URI}");
    compared(&[
        ("/autodiscover/autodiscover.xml", None, 401, &whole, "EX02"),
        ("/mapi/emsmdb/", Some("Bearer"), 401, BEARER, "EX02"),
        ("/mapi/emsmdb/", None, 401, "WWW-Authenticate: NTLM", "EX02"),
    ])
}

fn stage(language: Language, size: (u16, u16), compared: Compared) -> Stage {
    let mut stage = Stage::new(Mode::Open, language, size);
    let banner = Banner { mode: Mode::Compare, ..Banner::of_saved("good.har | bad.har".to_owned()) };
    stage.state = State::of_comparison(language, banner, compared);
    stage.draw();
    stage
}

#[test]
fn the_first_divergence_is_on_top_and_selected() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        for (size_name, size) in [("80x24", SMALL), ("160x48", LARGE), ("40x12", (40, 12))] {
            let stage = stage(language, size, parted());
            assert_snapshot!(format!("comparison_{size_name}_{name}"), stage.terminal.backend());
        }
    }
}

#[test]
fn a_side_leads_to_its_exchange_and_the_way_there_and_back_is_asked_of_the_app() {
    let mut stage = stage(Language::En, LARGE, parted());
    let enter = Input::pressed(KeyCode::Enter);
    assert_eq!(stage.send(enter), Some(Command::Look(Side::Bad, 2)));
    stage.send(Input::pressed(KeyCode::Left));
    assert_eq!(stage.send(enter), Some(Command::Look(Side::Good, 2)));
    stage = stage.pressed(KeyCode::End);
    let last = stage.state.comparing.as_ref().unwrap().selected().unwrap();
    assert!(last.good.is_none(), "the last step is the bad session's alone");
    assert_eq!(stage.send(enter), Some(Command::Look(Side::Bad, 3)), "there is one side to open");
    stage = stage.pressed(KeyCode::Home);
    assert_eq!(stage.send(enter), Some(Command::Look(Side::Good, 1)), "the side that was chosen");
    assert_eq!(stage.send(Input::typed('q')), Some(Command::Quit));

    let mut aside = Stage::playing(Language::En, LARGE);
    aside.state.banner.mode = Mode::Side(Side::Bad);
    assert!(aside.state.show(4));
    assert_eq!((aside.state.focus, aside.selected()), (Pane::Findings, Some(4)));
    assert!(!aside.state.show(4000));
    let escape = Input::pressed(KeyCode::Esc);
    assert_eq!(aside.send(escape), None, "first back to the list");
    assert_eq!(aside.send(escape), Some(Command::Compare));
    assert!(aside.text().contains(" b comparison "), "{}", aside.text());
    assert_eq!(aside.send(Input::typed('b')), Some(Command::Compare));
    let mut alone = Stage::playing(Language::En, LARGE);
    assert_eq!((alone.send(escape), alone.send(Input::typed('b'))), (None, None));
    assert!(!alone.text().contains(" b comparison "));
}

#[test]
fn keys_go_from_difference_to_difference_and_into_what_differs() {
    let mut stage = stage(Language::En, LARGE, parted()).pressed(KeyCode::Home);
    let mut visited = Vec::new();
    for key in "nnnnNNNN".chars() {
        stage = stage.typed(&key.to_string());
        visited.push(stage.state.comparing.as_ref().unwrap().at + 1);
    }
    assert_eq!(visited, [2, 3, 4, 5, 4, 3, 2, 1]);
    stage = stage.pressed(KeyCode::Down).pressed(KeyCode::Tab).pressed(KeyCode::Down);
    let comparing = stage.state.comparing.as_ref().unwrap();
    assert_eq!((comparing.at, comparing.in_details), (1, true));
    stage = stage.typed("?");
    assert!(stage.text().contains("the first step that can be why") && !stage.text().contains("F12"));
    stage = stage.pressed(KeyCode::Esc);
    assert_eq!(stage.state.task, Task::Compare);
    for absent in ['i', 'c', 'r', '/', 'z'] {
        assert_eq!(stage.send(Input::typed(absent)), None);
        assert_eq!(stage.state.task, Task::Compare);
    }
}

#[test]
fn sessions_that_went_alike_say_so() {
    let whole = format!("{BEARER}{URI}");
    let token = "Bearer [opaque #1]";
    let same = compared(&[
        ("/autodiscover/autodiscover.xml", None, 401, &whole, "EX01"),
        ("/mapi/emsmdb/", Some("Bearer"), 401, &whole, "EX01"),
        ("/mapi/emsmdb/", Some(token), 200, "", "EX01"),
        ("/EWS/Exchange.asmx", Some(token), 200, "", "EX01"),
    ]);
    assert!(stage(Language::En, SMALL, same).text().contains("no step differs"));
    let nothing = Compared { comparison: Comparison::new(&Course::default(), &Course::default()), ..compared(&[]) };
    let mut stage = stage(Language::En, SMALL, nothing);
    assert!(stage.text().contains("Neither session has anything to compare."));
    assert_eq!(stage.send(Input::pressed(KeyCode::Enter)), None);
}

#[test]
fn no_size_breaks_it() {
    for width in [1, 2, 5, 13, 40, 64, 99, 100, 101, 300] {
        for height in [1, 2, 3, 4, 5, 7, 12, 17, 50] {
            for language in [Language::En, Language::Ja] {
                let mut stage = stage(language, (width, height), parted());
                for key in [KeyCode::End, KeyCode::Up, KeyCode::Tab, KeyCode::PageDown, KeyCode::Tab, KeyCode::Home] {
                    stage = stage.pressed(key);
                }
            }
        }
    }
}
