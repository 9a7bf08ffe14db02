//! From a finding to the place it speaks of, and who is who.

use super::*;

#[test]
fn evidence_stands_out_at_its_place_while_one_walks_through_it() {
    let mut stage = Stage::playing(Language::En, LARGE).typed("FF").pressed(KeyCode::Enter);
    assert_eq!(stage.state.focus, Pane::Findings);
    assert!(stage.words_in(theme::MARKED_WORDS).contains("Expected 'https://mail.contoso.com'. Actual"));
    stage = stage.pressed(KeyCode::Right);
    assert!(stage.words_in(theme::MARKED_WORDS).contains("aud=http://mail.contoso.com/"));
    assert_eq!(stage.state.focus, Pane::Findings);
    stage = stage.pressed(KeyCode::Enter);
    assert_eq!(stage.state.focus, Pane::Request);
    stage = stage.pressed(KeyCode::Left);
    assert_eq!(stage.state.focus, Pane::Response, "the focus follows the evidence");
}

#[test]
fn evidence_far_down_is_scrolled_to() {
    let stage = Stage::playing(Language::En, (80, 20)).typed("FF").pressed(KeyCode::Enter).pressed(KeyCode::Enter);
    assert_eq!(stage.state.focus, Pane::Response);
    assert!(stage.words_in(theme::MARKED_WORDS).contains("Expected 'https://mail.contoso.com'. Actual"));
}

#[test]
fn evidence_in_other_words_marks_all_fields_of_the_name() {
    let mut stage = Stage::playing(Language::En, LARGE).pressed(KeyCode::Home);
    let place = crate::diagnosis::Place::ResponseHeader("www-authenticate");
    stage.state.mark = Some(document::Mark { exchange: 1, place, words: "Negotiate and NTLM, no Bearer".to_owned() });
    stage.draw();
    let marked = stage.words_in(theme::MARKED_LINE);
    assert!(marked.starts_with("WWW-Authenticate: Negotiate WWW-Authenticate: NTLM "), "{marked}");
}

#[test]
fn evidence_in_another_exchange_takes_one_there() {
    let mut stage = Stage::playing(Language::En, LARGE).typed("/is:failure").pressed(KeyCode::Enter).typed("F");
    stage.send(Input::pressed(KeyCode::Enter));
    stage = stage.pressed(KeyCode::Right).pressed(KeyCode::Right);
    assert_eq!(stage.selected(), Some(4));
    stage = stage.pressed(KeyCode::Enter);
    assert_eq!((stage.selected(), stage.state.focus), (Some(3), Pane::Request));
    assert!(stage.words_in(theme::MARKED_WORDS).contains("resource=https://mail.contoso.com/"));
    assert_eq!(stage.state.flows.shown_len(), 10, "a filter that would hide it is lifted");
}

#[test]
fn a_step_of_the_handshake_leads_to_its_exchange() {
    let stage = Stage::playing(Language::En, LARGE).typed("FF").pressed(KeyCode::BackTab);
    assert_eq!(stage.state.focus, Pane::Handshake);
    let stage = stage.pressed(KeyCode::Right).pressed(KeyCode::Enter);
    assert_eq!(stage.selected(), Some(2));
    let stage = stage.pressed(KeyCode::Left).pressed(KeyCode::Left).pressed(KeyCode::Left).pressed(KeyCode::Enter);
    assert_eq!(stage.selected(), Some(2), "a step without an exchange leads nowhere");
}

#[test]
fn identities_show_only_while_asked_for() {
    let mut stage = Stage::playing(Language::En, LARGE).typed("FF");
    assert!(!stage.text().contains("avery@"));
    assert_eq!(stage.send(Input::typed('i')), Some(Command::Reveal(true)));
    assert!(stage.text().contains("upn:avery@contoso.com"));
    assert!(stage.text().contains("IDENTITIES SHOWN"));
    assert!(
        stage.words_in(Style::new().bg(ratatui::style::Color::Yellow)).contains("avery "),
        "marked, and nothing else"
    );
    assert_eq!(stage.send(Input::typed('i')), Some(Command::Reveal(false)));
    assert!(!stage.text().contains("avery@"));
}
