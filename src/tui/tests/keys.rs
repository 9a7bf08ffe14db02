//! What keys do, and that the table explains them.

use super::*;

#[test]
fn pausing_tells_the_app_and_shows() {
    let mut stage = Stage::playing(Language::En, LARGE);
    assert_eq!(stage.send(Input::pressed(KeyCode::F(12))), Some(Command::Pause(true)));
    assert!(stage.text().contains("PAUSED: nothing is recorded, traffic goes on"));
    assert_eq!(stage.send(Input::pressed(KeyCode::F(12))), Some(Command::Pause(false)));
    assert!(!stage.text().contains("PAUSED"));
}

#[test]
fn the_language_is_switched_at_once() {
    let mut stage = Stage::playing(Language::En, SMALL);
    assert_eq!(stage.send(Input::typed('L')), Some(Command::SetLanguage(Language::Ja)));
    assert!(squeezed(&stage.text()).contains("記録中"));
    assert_eq!(stage.send(Input::typed('L')), Some(Command::SetLanguage(Language::En)));
}

#[test]
fn quitting_asks_only_while_clients_are_served() {
    let mut stage = Stage::playing(Language::En, SMALL);
    assert_eq!(stage.send(Input::typed('q')), None);
    assert!(stage.text().contains("Stop and quit?"));
    assert_eq!(stage.send(Input::typed('n')), None);
    assert_eq!(stage.state.task, Task::Browse);
    stage = stage.typed("q");
    assert_eq!(stage.send(Input::typed('y')), Some(Command::Quit));
    let control_c = Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert_eq!(Stage::playing(Language::En, SMALL).send(control_c), Some(Command::Quit));
    assert_eq!(Stage::new(Mode::Open, Language::En, SMALL).send(Input::typed('q')), Some(Command::Quit));
}

#[test]
fn every_key_means_one_thing_at_a_time() {
    for task in [Task::Browse, Task::Filter, Task::Help, Task::Readiness, Task::Copy, Task::Compare, Task::Quit] {
        for pane in Pane::ALL {
            let keys: Vec<_> =
                crate::tui::keys::entries(task, pane).flat_map(|entry| entry.keys).map(|(key, _)| key).collect();
            for (at, key) in keys.iter().enumerate() {
                assert!(!keys[at + 1..].contains(key), "{key} twice in {task:?} {pane:?}");
            }
        }
    }
}

#[test]
fn every_key_is_explained_in_both_languages() {
    for entry in crate::tui::keys::KEYS {
        assert!(!entry.help.en.is_empty() && !entry.help.ja.is_empty(), "{}", entry.names());
        assert_eq!(entry.hint.en.is_empty(), entry.hint.ja.is_empty(), "{}", entry.names());
    }
}
