//! The endpoints and what they offer.

use super::*;

#[test]
fn the_server_that_differs_stands_out() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        for (size_name, size) in [("80x24", SMALL), ("160x48", LARGE)] {
            let stage = Stage::playing(language, size).typed("rjjj");
            assert_snapshot!(format!("readiness_{size_name}_{name}"), stage.terminal.backend());
        }
    }
}

#[test]
fn a_row_leads_to_its_last_exchange() {
    let mut stage = Stage::playing(Language::En, SMALL).typed("r");
    stage.send(Input::pressed(KeyCode::End));
    stage.send(Input::pressed(KeyCode::Enter));
    assert_eq!((stage.state.task, stage.selected()), (Task::Browse, Some(5)));
}

#[test]
fn the_selected_row_stays_in_sight_and_selected_when_news_come() {
    let mut stage = Stage::playing(Language::En, (64, 9)).typed("rG");
    assert!(stage.text().contains("activesync"), "{}", stage.text());
    let judgement = stage.sample.judgement(4).unwrap();
    stage.state.judge(&judgement);
    stage.draw();
    assert_eq!(stage.state.matrix.selected().map(|row| row.endpoint), Some("activesync"));
    let stage = stage.typed("r");
    assert_eq!(stage.state.task, Task::Browse);
}

#[test]
fn the_messages_show_what_was_decoded() {
    let mut stage = Stage::playing(Language::En, LARGE).typed("FF");
    let shown = stage.text();
    assert!(shown.contains("Decoded: JWT") && shown.contains("Decoded: WWW-Authenticate"), "{shown}");
    stage.send(Input::typed('L'));
    assert!(squeezed(&stage.text()).contains("デコード: WWW-Authenticate"), "{}", squeezed(&stage.text()));
}
