//! The screen driven by keys and drawn on a made-up terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comparing;
mod copying;
mod evidence;
mod keys;
mod list;
mod readiness;
mod sample;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;

use sample::{Sample, sample};

use super::focus::{Pane, Task};
use super::*;
use crate::diagnosis::Verdict;
use crate::text::{Language, Text};

fn banner(mode: Mode) -> Banner {
    Banner {
        mode,
        addresses: vec!["127.0.0.1:8080".to_owned()],
        ca: Some("/home/avery/.local/share/authtap/authtap-ca.pem".to_owned()),
        session: Some("/home/avery/.local/share/authtap/sessions/2026-11-22T09-00-00.authtap".to_owned()),
        identities: if mode == Mode::Open { Identities::Unknown } else { Identities::InMemory },
        upstream_proxy: None,
    }
}

/// A screen of a given size, the state behind it and the app's side.
struct Stage {
    terminal: Terminal<TestBackend>,
    state: State,
    sample: Sample,
}

impl Stage {
    fn new(mode: Mode, language: Language, (width, height): (u16, u16)) -> Self {
        let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        Self { terminal, state: State::new(language, banner(mode)), sample: sample() }
    }

    /// A capture with the made-up session in it.
    fn playing(language: Language, size: (u16, u16)) -> Self {
        let mut stage = Self::new(Mode::Capture, language, size);
        stage.sample.play(&mut stage.state);
        stage.draw();
        stage
    }

    fn draw(&mut self) {
        self.terminal.draw(|frame| views::draw(frame, &mut self.state, &self.sample)).unwrap();
    }

    /// Types letters, drawing after each as the real loop may.
    fn typed(mut self, letters: &str) -> Self {
        for letter in letters.chars() {
            self.send(Input::typed(letter));
        }
        self
    }

    fn pressed(mut self, code: KeyCode) -> Self {
        self.send(Input::pressed(code));
        self
    }

    fn send(&mut self, input: Input) -> Option<Command> {
        let command = self.state.input(input);
        self.draw();
        command
    }

    fn selected(&self) -> Option<u64> {
        self.state.flows.selected()
    }

    fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    fn text(&self) -> String {
        self.terminal.backend().to_string()
    }

    /// The words drawn in a style, rows joined by blanks.
    fn words_in(&self, style: Style) -> String {
        let buffer = self.buffer();
        let mut words = String::new();
        for y in buffer.area.rows() {
            let row: String = y
                .positions()
                .map(|at| &buffer[at])
                .filter(|cell| cell.bg == style.bg.unwrap())
                .map(ratatui::buffer::Cell::symbol)
                .collect();
            if !row.is_empty() {
                words.push_str(row.trim_end());
                words.push(' ');
            }
        }
        words
    }
}

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (160, 48);

#[test]
fn shows_why_an_exchange_failed() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        for (size_name, size) in [("80x24", SMALL), ("160x48", LARGE)] {
            let stage = Stage::playing(language, size).typed("FF").pressed(KeyCode::Enter);
            assert_snapshot!(format!("failure_{size_name}_{name}"), stage.terminal.backend());
        }
    }
}

#[test]
fn shows_request_response_and_handshake_on_a_small_screen() {
    let mut stage = Stage::playing(Language::En, SMALL).typed("FF");
    stage.send(Input::pressed(KeyCode::Tab));
    for name in ["request", "response", "handshake"] {
        stage.send(Input::pressed(KeyCode::Tab));
        assert_snapshot!(format!("small_{name}"), stage.terminal.backend());
    }
}

#[test]
fn says_what_to_do_before_the_first_exchange() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        let mut stage = Stage::new(Mode::Capture, language, SMALL);
        stage.draw();
        assert_snapshot!(format!("welcome_{name}"), stage.terminal.backend());
    }
}

#[test]
fn an_opened_session_without_exchanges_says_so() {
    let mut stage = Stage::new(Mode::Open, Language::En, SMALL);
    stage.draw();
    assert!(stage.text().contains("There is no exchange in this session."));
    assert!(!stage.text().contains("curl"), "nobody listens");
}

#[test]
fn a_saved_session_says_that_it_holds_no_names() {
    for (language, size, words) in [
        (Language::En, LARGE, "NO NAMES: this session holds none"),
        (Language::En, SMALL, "NO NAMES HERE"),
        (Language::Ja, LARGE, "利用者名なし: このセッションには含まれません"),
        (Language::Ja, SMALL, "利用者名なし"),
    ] {
        let mut stage = Stage::new(Mode::Open, language, size);
        stage.sample.play(&mut stage.state);
        let stage = stage.typed("i");
        let shown = squeezed(&stage.text());
        assert!(shown.contains(words) && !shown.contains("IDENTITIES") && !shown.contains("を表示中"), "{shown}");
        assert!(!squeezed(&stage.typed("i").text()).contains(words));
    }
}

#[test]
fn the_smallest_screens_show_the_list() {
    for (size, problems) in [((40, 10), 0), ((40, 10), 3), ((40, 8), 0), ((40, 6), 0), ((40, 5), 0), ((80, 11), 1)] {
        let mut stage = Stage::playing(Language::En, size);
        let words = Text { en: "The disk is full.", ja: "空きがありません。" };
        stage.state.problems(vec![Problem { words, names: Vec::new() }; problems]);
        stage.draw();
        assert!(stage.text().contains("401"), "{size:?}\n{}", stage.text());
        let id = format!(" {} ", stage.selected().unwrap());
        assert!(stage.text().contains(&id), "the selected row at {size:?}\n{}", stage.text());
    }
}

#[test]
fn help_is_the_key_table() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        let stage = Stage::playing(language, LARGE).typed("?");
        assert_snapshot!(format!("help_{name}"), stage.terminal.backend());
    }
}

#[test]
fn problems_and_losses_are_shown_in_plain_words() {
    let mut stage = Stage::playing(Language::Ja, SMALL);
    let words = Text { en: "The disk of {file} is full.", ja: "{file} のディスクに空きがありません。" };
    stage.state.problems(vec![Problem { words, names: vec![("file", "one.authtap".into())] }]);
    stage.state.counts(Counts { lost: 12, passed: 0, refused: 0 });
    assert!(stage.state.is_dirty());
    stage.draw();
    assert!(squeezed(&stage.text()).contains("! one.authtap のディスクに空きがありません。"));
    assert!(squeezed(&stage.text()).contains("12 件欠落"));
    stage.state.problems(Vec::new());
    stage.draw();
    assert!(!stage.text().contains("one.authtap"));
}

#[test]
fn drawing_makes_it_clean_and_news_make_it_dirty() {
    let mut stage = Stage::playing(Language::En, SMALL);
    assert!(!stage.state.is_dirty());
    stage.state.counts(Counts::default());
    assert!(!stage.state.is_dirty(), "nothing changed");
    let judgement = stage.sample.judgement(4).unwrap();
    stage.state.judge(&judgement);
    assert!(stage.state.is_dirty());
}

#[test]
fn control_characters_of_the_wire_never_reach_the_terminal() {
    let mut line = document::Line::new().put(theme::Tone::Plain, "a\u{1b}[2Jb\u{7}\u{9b}c\u{202e}d\u{200b}e\r\n\tf");
    line = line.indent(2);
    let mut page = document::Document::default();
    page.push(line);
    let area = ratatui::layout::Rect::new(0, 0, 30, 1);
    let mut buffer = Buffer::empty(area);
    page.draw(&mut buffer, area, 0, None, None);
    let drawn: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    assert_eq!(drawn.trim_end(), "a␛[2Jb␇\u{fffd}c\u{fffd}d\u{fffd}e   f");
}

#[test]
fn no_size_breaks_the_frame() {
    for size in
        [(1, 1), (2, 3), (10, 4), (20, 5), (33, 11), (79, 23), (80, 24), (119, 60), (120, 30), (121, 29), (300, 90)]
    {
        for language in [Language::En, Language::Ja] {
            for keys in ["", "FF\r", "FF\r\t", "FF\r\t\t", "z", "FF\rz", "?", "r", "rG", "/mail", "iq"] {
                let mut stage = Stage::playing(language, size);
                for key in keys.chars() {
                    stage.send(match key {
                        '\r' => Input::pressed(KeyCode::Enter),
                        '\t' => Input::pressed(KeyCode::Tab),
                        letter => Input::typed(letter),
                    });
                }
                if size >= SMALL {
                    let edge = size.0 - 1;
                    let frame = (2..size.1 - 2).map(|y| stage.buffer()[(edge, y)].symbol());
                    assert!(
                        frame.into_iter().all(|sign| "│┃┐┓┘┛".contains(sign)),
                        "{size:?} {language} {keys:?}\n{}",
                        stage.text()
                    );
                }
            }
        }
    }
}

/// Text of a buffer without the blank that follows each wide character there.
fn squeezed(text: &str) -> String {
    let mut out = String::new();
    let mut skip = false;
    for char in text.chars() {
        if !(skip && char == ' ') {
            out.push(char);
        }
        skip = unicode_width::UnicodeWidthChar::width(char) == Some(2);
    }
    out
}
