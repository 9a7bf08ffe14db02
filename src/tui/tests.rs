//! The screen driven by keys and drawn on a made-up terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use sample::sample;

use super::*;
use crate::text::Language;

fn banner(mode: Mode) -> Banner {
    Banner {
        mode,
        addresses: vec!["127.0.0.1:8080".to_owned()],
        ca: Some("/home/avery/.local/share/authtap/authtap-ca.pem".to_owned()),
        session: Some("/home/avery/.local/share/authtap/sessions/2026-11-22T09-00-00.authtap".to_owned()),
    }
}

#[test]
#[ignore]
fn look() {
    let sample = sample();
    let language = if std::env::var("LOOK_LANG").as_deref() == Ok("ja") { Language::Ja } else { Language::En };
    let mut state = State::new(language, banner(Mode::Capture));
    if std::env::var("LOOK_EMPTY").is_err() {
        sample.play(&mut state);
    }
    let mut screen = Screen::open().unwrap();
    loop {
        screen.draw(&mut state, &sample).unwrap();
        for input in screen.poll(std::time::Duration::from_millis(33)).unwrap() {
            if state.input(input) == Some(Command::Quit) {
                return;
            }
        }
    }
}
