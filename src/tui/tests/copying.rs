//! An exchange as something to paste.

use super::*;

#[test]
fn the_selected_exchange_is_copied_once_in_each_form() {
    let mut stage = Stage::playing(Language::En, SMALL).pressed(KeyCode::Home).pressed(KeyCode::Down).typed("c");
    assert!(stage.text().contains("Curl 2"), "{}", stage.text());
    assert_eq!(stage.state.take_clipboard().as_deref(), Some("Curl 2\n"));
    stage.draw();
    assert_eq!(stage.state.take_clipboard(), None);
    stage = stage.typed("c");
    assert_eq!(stage.state.take_clipboard().as_deref(), Some("PowerShell 2\n"));
    stage = stage.typed("c");
    assert_eq!(stage.state.take_clipboard().as_deref(), Some("Raw 2\n"));
    stage = stage.pressed(KeyCode::Esc);
    assert_eq!((stage.state.task, stage.selected()), (Task::Browse, Some(2)));
}
