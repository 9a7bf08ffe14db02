//! The screen driven by keys and drawn on a made-up terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;

use sample::{Sample, sample};

use super::state::{Pane, Task};
use super::*;
use crate::diagnosis::Verdict;
use crate::text::{Language, Text};

fn banner(mode: Mode) -> Banner {
    Banner {
        mode,
        addresses: vec!["127.0.0.1:8080".to_owned()],
        ca: Some("/home/avery/.local/share/authtap/authtap-ca.pem".to_owned()),
        session: Some("/home/avery/.local/share/authtap/sessions/2026-11-22T09-00-00.authtap".to_owned()),
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
fn help_is_the_key_table() {
    for (name, language) in [("en", Language::En), ("ja", Language::Ja)] {
        let stage = Stage::playing(language, LARGE).typed("?");
        assert_snapshot!(format!("help_{name}"), stage.terminal.backend());
    }
}

#[test]
fn pausing_tells_the_app_and_shows() {
    let mut stage = Stage::playing(Language::En, LARGE);
    assert_eq!(stage.send(Input::pressed(KeyCode::F(12))), Some(Command::Pause(true)));
    assert!(stage.text().contains("PAUSED: nothing is recorded, traffic goes on"));
    assert_eq!(stage.send(Input::pressed(KeyCode::F(12))), Some(Command::Pause(false)));
    assert!(!stage.text().contains("PAUSED"));
}

#[test]
fn problems_and_losses_are_shown_in_plain_words() {
    let mut stage = Stage::playing(Language::Ja, SMALL);
    let words = Text { en: "The disk of {file} is full.", ja: "{file} のディスクに空きがありません。" };
    stage.state.problems(vec![Problem { words, names: vec![("file", "one.authtap".into())] }]);
    stage.state.counts(Counts { lost: 12, passed: 0 });
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
fn a_filter_narrows_as_one_types_and_escape_lifts_it() {
    let mut stage = Stage::playing(Language::En, SMALL).pressed(KeyCode::Home);
    for (typed, left) in [('/', 10), ('4', 5), ('0', 5), ('1', 5), (' ', 5), ('i', 5), ('s', 1)] {
        stage.send(Input::typed(typed));
        assert_eq!(stage.state.flows.shown_len(), left, "after {typed}");
    }
    stage = stage.typed(":fail");
    assert_eq!((stage.state.flows.shown_len(), stage.selected()), (1, Some(4)));
    assert!(stage.text().contains("/ 401 is:fail"));
    stage = stage.pressed(KeyCode::Enter);
    assert_eq!(stage.state.flows.shown_len(), 1, "kept");
    stage = stage.pressed(KeyCode::Esc);
    assert_eq!((stage.state.flows.shown_len(), stage.selected()), (10, Some(4)));
}

#[test]
fn a_filter_that_leaves_nothing_says_how_to_get_out() {
    let stage = Stage::playing(Language::En, SMALL).typed("/nowhere");
    assert!(stage.text().contains("Nothing matches. Esc clears the filter."));
    assert_eq!(stage.pressed(KeyCode::Backspace).state.flows.filter().text(), "nowher");
}

#[test]
fn letters_that_are_keys_are_letters_in_the_filter() {
    let mut stage = Stage::playing(Language::En, SMALL).typed("/");
    for letter in "qjknNfFiLz?/ gG".chars() {
        assert_eq!(stage.send(Input::typed(letter)), None);
    }
    assert_eq!(stage.state.flows.filter().text(), "qjknNfFiLz?/ gG");
    let control_u = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.send(Input::Key(control_u));
    assert_eq!(stage.state.flows.filter().text(), "qjknNfFiLz?/ gG");
}

#[test]
fn jumps_from_401_to_401_and_from_failure_to_failure() {
    let mut stage = Stage::playing(Language::En, SMALL).pressed(KeyCode::Home);
    let mut visited = Vec::new();
    for key in "nnnnnNffF".chars() {
        stage = stage.typed(&key.to_string());
        visited.push(stage.selected().unwrap());
    }
    assert_eq!(visited, [2, 4, 5, 7, 1, 7, 9, 4, 9], "past the end it begins anew");
}

#[test]
fn the_list_follows_new_traffic_until_one_moves() {
    let mut stage = Stage::new(Mode::Capture, Language::En, SMALL);
    let all: Vec<_> = (1..=10).map(|id| Row::of(&stage.sample.exchange(id).unwrap())).collect();
    stage.state.add(all[0].clone());
    stage.state.add(all[1].clone());
    stage.draw();
    assert_eq!(stage.selected(), Some(2));
    stage = stage.pressed(KeyCode::Up);
    stage.state.add(all[2].clone());
    stage.draw();
    assert_eq!(stage.selected(), Some(1));
    stage = stage.pressed(KeyCode::End);
    stage.state.add(all[3].clone());
    stage.draw();
    assert_eq!(stage.selected(), Some(4));
}

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
            for keys in ["", "FF\r", "FF\r\t", "FF\r\t\t", "z", "FF\rz", "?", "/mail", "iq"] {
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

#[test]
fn every_key_means_one_thing_at_a_time() {
    for task in [Task::Browse, Task::Filter, Task::Help, Task::Quit] {
        for pane in Pane::ALL {
            let keys: Vec<_> = keys::entries(task, pane).flat_map(|entry| entry.keys).map(|(key, _)| key).collect();
            for (at, key) in keys.iter().enumerate() {
                assert!(!keys[at + 1..].contains(key), "{key} twice in {task:?} {pane:?}");
            }
        }
    }
}

#[test]
fn every_key_is_explained_in_both_languages() {
    for entry in keys::KEYS {
        assert!(!entry.help.en.is_empty() && !entry.help.ja.is_empty(), "{}", entry.names());
        assert_eq!(entry.hint.en.is_empty(), entry.hint.ja.is_empty(), "{}", entry.names());
    }
}

#[test]
fn a_row_is_small() {
    assert!(size_of::<Row>() <= 128, "{}", size_of::<Row>());
}

#[test]
fn only_what_is_visible_is_asked_for_and_drawn() {
    struct Strict(Sample);
    impl Source for Strict {
        fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
            assert_eq!(id, 200_000, "only the selected exchange is read");
            self.0.exchange(4)
        }
        fn judgement(&self, _: u64) -> Option<Judgement> {
            None
        }
        fn handshakes(&self, _: u64) -> Vec<Handshake> {
            Vec::new()
        }
        fn reveal(&self, text: &Clean) -> String {
            text.as_str().to_owned()
        }
    }
    let source = Strict(sample());
    let mut row = Row::of(&source.0.exchange(4).unwrap());
    let mut state = State::new(Language::En, banner(Mode::Capture));
    for id in 1..=200_000 {
        row.id = id;
        state.add(row.clone());
    }
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut drawings = 0;
    while state.is_dirty() {
        terminal.draw(|frame| views::draw(frame, &mut state, &source)).unwrap();
        drawings += 1;
    }
    assert!(drawings > 1, "filtering is spread over drawings");
    assert!(terminal.backend().to_string().contains("200000/200000"));
}

#[test]
fn a_revised_verdict_changes_counts_and_filtered_rows() {
    let mut stage = Stage::playing(Language::En, SMALL).typed("/is:failure");
    assert_eq!((stage.state.flows.failures(), stage.state.flows.shown_len()), (2, 2));
    let mut judgement = stage.sample.judgement(7).unwrap();
    judgement.verdict = Verdict::Failure;
    stage.state.judge(&judgement);
    assert_eq!((stage.state.flows.failures(), stage.state.flows.shown_len()), (3, 3));
    judgement.verdict = Verdict::Step;
    stage.state.judge(&judgement);
    assert_eq!((stage.state.flows.failures(), stage.state.flows.shown_len()), (2, 2));
}

#[test]
fn a_row_that_comes_late_takes_its_place_and_one_that_comes_again_replaces_the_first() {
    let mut stage = Stage::new(Mode::Capture, Language::En, SMALL);
    for id in [1, 2, 10, 4, 7, 3] {
        stage.state.add(Row::of(&stage.sample.exchange(id).unwrap()));
        stage.draw();
    }
    let mut ended = (*stage.sample.exchange(10).unwrap()).clone();
    ended.running = false;
    stage.state.add(Row::of(&ended));
    stage.draw();
    let ids: Vec<u64> = stage.state.flows.window(20).map(|row| row.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 7, 10]);
    assert_eq!(stage.state.flows.row(10).unwrap().progress, row::Progress::Done);
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
