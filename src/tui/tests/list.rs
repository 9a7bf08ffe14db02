//! The list: filter, jumps, following, and what a row costs.

use super::*;

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

/// Each tenth holds the word; it counts what is asked for.
struct Held(Sample, std::cell::Cell<usize>);
impl Source for Held {
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        self.0.exchange(1 + id % 10)
    }
    fn judgement(&self, _: u64) -> Option<Judgement> {
        None
    }
    fn handshakes(&self, _: u64) -> Vec<Handshake> {
        Vec::new()
    }
    fn readiness(&self) -> Vec<Readiness> {
        Vec::new()
    }
    fn snippet(&self, _: u64, _: CopyForm) -> Option<String> {
        None
    }
    fn holding(&self, ids: &[u64], part: &str) -> HashSet<u64> {
        self.1.set(self.1.get() + ids.len());
        ids.iter().copied().filter(|id| part == "wanted" && id % 10 == 0).collect()
    }
    fn reveal(&self, _: u64, text: &Clean) -> String {
        text.as_str().to_owned()
    }
}

#[test]
fn a_search_looks_into_the_exchanges_bit_by_bit_and_is_given_up_when_one_types_on() {
    let mut stage = Stage::new(Mode::Open, Language::En, SMALL);
    let rows = |ids: std::ops::RangeInclusive<u64>| {
        ids.map(|id| Row::of(&stage.sample.exchange(1 + id % 10).unwrap()).numbered(id))
    };
    let rows: Vec<_> = rows(1..=1000).collect();
    let held = Held(sample(), std::cell::Cell::new(0));
    stage.state.add_all(rows);
    for typed in "/text:Wanted".chars() {
        stage.state.input(Input::typed(typed));
    }
    assert!(!stage.state.flows.catch_up(&held) && stage.state.flows.shown_len() > 5);
    assert!(held.1.get() < 500, "not all at once");
    let mut terminal = Terminal::new(TestBackend::new(100, 24)).unwrap();
    while stage.state.is_dirty() {
        terminal.draw(|frame| views::draw(frame, &mut stage.state, &held)).unwrap();
    }
    assert_eq!((stage.state.flows.shown_len(), held.1.get()), (100, 1000));
    // What ends anew is looked into again; what is merely judged is not.
    let judgement = Judgement { exchange: 10, verdict: Verdict::Failure, findings: Vec::new() };
    stage.state.judge(&judgement);
    while stage.state.is_dirty() {
        terminal.draw(|frame| views::draw(frame, &mut stage.state, &held)).unwrap();
    }
    assert_eq!((stage.state.flows.shown_len(), held.1.get()), (100, 1000));
    stage.state.input(Input::typed('x'));
    assert!(!stage.state.flows.catch_up(&held));
    stage.state.input(Input::pressed(KeyCode::Esc));
    let before = held.1.get();
    while stage.state.is_dirty() {
        terminal.draw(|frame| views::draw(frame, &mut stage.state, &held)).unwrap();
    }
    assert_eq!((stage.state.flows.shown_len(), held.1.get()), (1000, before), "Esc ends the search");
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
fn a_row_is_small() {
    assert!(size_of::<Row>() <= 80, "{}", size_of::<Row>());
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
        fn readiness(&self) -> Vec<Readiness> {
            Vec::new()
        }
        fn snippet(&self, _: u64, _: CopyForm) -> Option<String> {
            None
        }
        fn reveal(&self, _: u64, text: &Clean) -> String {
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
    assert!(!state.flows.catch_up(&source), "filtering is spread over drawings");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    while state.is_dirty() {
        terminal.draw(|frame| views::draw(frame, &mut state, &source)).unwrap();
    }
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
