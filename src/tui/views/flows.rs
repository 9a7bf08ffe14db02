//! The list of exchanges.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::bar::shortened;
use super::{frame_of, inside, nothing};
use crate::diagnosis::Verdict;
use crate::text::{Language, Text};
use crate::tui::Source;
use crate::tui::document::harmless;
use crate::tui::flows::Flows;
use crate::tui::focus::{Pane, Task};
use crate::tui::looked::Names;
use crate::tui::row::{Progress, Row};
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

const NO_MATCH: Text = text("Nothing matches. Esc clears the filter.", "該当なし。Esc で絞り込みを解除します。");
const NOT_YET: Text = text("Nothing so far. Esc clears the filter.", "まだ該当なし。Esc で絞り込みを解除します。");
const SEARCHING: Text = text("searching {percent} % ", "検索中 {percent} % ");

/// How many columns each part of a row gets; those of zero are left out.
struct Columns {
    id: u16,
    time: u16,
    method: u16,
    status: u16,
    authn: u16,
    host: u16,
    path: u16,
    finding: u16,
}

impl Columns {
    fn of(width: u16, flows: &Flows) -> Self {
        let (method, host) = flows.widest();
        let id = (flows.largest_id().checked_ilog10().unwrap_or(0) + 1).max(2) as u16;
        let method = method.clamp(6, 7) as u16;
        let time = if width >= 70 { 8 } else { 0 };
        let authn = if width >= 84 { 14 } else { 8 };
        let status = 3;
        // One blank after each; before the status its glyph.
        let fixed = id + 1 + if time > 0 { time + 1 } else { 0 } + method + 1 + 2 + status + 1 + authn + 1;
        let free = width.saturating_sub(fixed);
        let finding = if free >= 70 { free * 2 / 5 } else { 0 };
        let rest = free - finding - u16::from(finding > 0);
        let host = (host.clamp(4, 40) as u16).min(rest / 2);
        Self { id, time, method, status, authn, host, path: rest.saturating_sub(host + 1), finding }
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, source: &dyn Source) {
    let inner = inside(area);
    frame_of(Pane::Flows, state, None)
        .title_top(count(state))
        .title_bottom(filter(state))
        .title_bottom(session(state, inner.width))
        .render(area, frame.buffer_mut());
    // With room for one line, a row says more than the headings.
    let headed = u16::from(inner.height > 1);
    let [header, list] =
        [Rect { height: headed, ..inner }, Rect { y: inner.y + headed, height: inner.height - headed, ..inner }];
    if state.flows.shown_len() == 0 {
        let words = if state.flows.scanned() < 100 { NOT_YET } else { NO_MATCH };
        nothing(frame, list, words.to(state.language));
        return;
    }
    state.set_page(Pane::Flows, list.height);
    let (language, selected) = (state.language, state.flows.selected());
    let highlight = if state.focus == Pane::Flows { theme::SELECTED } else { theme::SELECTED_ASIDE };
    let columns = Columns::of(inner.width, &state.flows);
    let rows = state.flows.window(usize::from(list.height));
    let buffer = frame.buffer_mut();
    headings(buffer, header, &columns, language);
    for (row, y) in rows.zip(list.top()..list.bottom()) {
        let area = Rect { y, height: 1, ..list };
        let names = Names { source, id: row.id, revealed: state.revealed };
        draw_row(buffer, area, &columns, row, &names, language);
        if Some(row.id) == selected {
            buffer.set_style(area, highlight);
        }
    }
}

/// How many are shown, and whether the list follows.
fn count(state: &State) -> Line<'static> {
    let (shown, all) = (state.flows.shown_len(), state.flows.len());
    let at = (state.flows.position() + 1).min(shown);
    let of = if shown == all { format!(" {at}/{all} ") } else { format!(" {at}/{shown} ({all}) ") };
    let scanned = state.flows.scanned();
    let searching = if scanned < 100 && state.flows.filter().looks_inside() {
        SEARCHING.fill(state.language, &[("percent", &scanned.to_string())])
    } else {
        String::new()
    };
    let follows = if state.flows.following { text("following ", "追尾中 ").to(state.language) } else { "" };
    Line::from(vec![
        Span::styled(searching, Tone::Warning.style()),
        Span::styled(of, Tone::Quiet.style()),
        Span::styled(follows, Tone::Good.style()),
    ])
    .right_aligned()
}

/// The filter as typed, in the frame below the list.
fn filter(state: &State) -> Line<'static> {
    let typed = state.flows.filter().text();
    let typing = state.task == Task::Filter;
    if typed.is_empty() && !typing {
        return Line::default();
    }
    let style = if typing { theme::ALERT } else { Tone::Warning.style() };
    let cursor = if typing { "▏" } else { " " };
    Line::styled(format!(" / {typed}{cursor}"), style)
}

/// The session file, where the status bar has no room for it.
fn session(state: &State, width: u16) -> Line<'static> {
    match state.banner.session.as_deref().filter(|_| state.tabbed && state.flows.filter().text().is_empty()) {
        Some(session) if state.task != Task::Filter => {
            let shown = shortened(session, usize::from(width).saturating_sub(2));
            Line::styled(format!(" {shown} "), Tone::Quiet.style()).right_aligned()
        }
        _ => Line::default(),
    }
}

fn headings(buffer: &mut Buffer, area: Rect, columns: &Columns, language: Language) {
    let quiet = Tone::Quiet.style();
    let mut pen = Pen::new(buffer, area);
    pen.right("#", columns.id, quiet);
    pen.left("UTC", columns.time, quiet);
    pen.left("Method", columns.method, quiet);
    pen.left("HTTP", columns.status + 2, quiet);
    pen.left("Authn", columns.authn, quiet);
    pen.left(text("Host", "ホスト").to(language), columns.host, quiet);
    pen.left(text("Path", "パス").to(language), columns.path, quiet);
    pen.left(text("Finding", "所見").to(language), columns.finding, quiet);
}

fn draw_row(buffer: &mut Buffer, area: Rect, columns: &Columns, row: &Row, names: &Names<'_>, language: Language) {
    let (plain, quiet) = (Tone::Plain.style(), Tone::Quiet.style());
    let verdict = Tone::of_verdict(row.verdict).style();
    let path = names.show(&row.path);
    let status = match (row.status, row.progress) {
        (Some(status), _) => (format!("{status}"), verdict),
        (None, Progress::Running) => ("…".to_owned(), quiet),
        (None, Progress::Broken) => ("ERR".to_owned(), verdict),
        (None, Progress::Done | Progress::Unseen) => ("—".to_owned(), quiet),
    };
    let glyph = match row.progress {
        Progress::Running => "·",
        _ => theme::verdict_glyph(row.verdict),
    };
    let mut pen = Pen::new(buffer, area);
    pen.right(&row.id.to_string(), columns.id, quiet);
    pen.left(row.started.to_string().get(11..19).unwrap_or_default(), columns.time, quiet);
    pen.left(row.kind.method.as_str(), columns.method, plain);
    pen.left(glyph, 1, verdict);
    pen.left(&status.0, columns.status, status.1);
    let authn = if columns.authn >= 14 { row.kind.authn.long() } else { row.kind.authn.short() };
    pen.left(authn, columns.authn, Tone::Name.style());
    pen.left(row.kind.host.as_str(), columns.host, plain);
    pen.left(&path.text, columns.path, if path.is_identity() { Tone::Identity.style() } else { plain });
    if let Some(rule) = row.rules.first() {
        let style = if row.verdict == Verdict::Failure { verdict } else { plain };
        pen.left(rule.title.to(language), columns.finding, style);
    }
}

/// Writes one cell of a row after the other.
struct Pen<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    x: u16,
}

impl<'a> Pen<'a> {
    fn new(buffer: &'a mut Buffer, area: Rect) -> Self {
        Self { buffer, x: area.x, area }
    }

    fn left(&mut self, words: &str, width: u16, style: Style) {
        self.write(words, width, style, 0);
    }

    fn right(&mut self, words: &str, width: u16, style: Style) {
        self.write(words, width, style, width.saturating_sub(words.width() as u16));
    }

    fn write(&mut self, words: &str, width: u16, style: Style, before: u16) {
        let width = width.min(self.area.right().saturating_sub(self.x));
        if width == 0 {
            return;
        }
        let clean: String = words.chars().map(harmless).collect();
        let fits = clean.width() <= usize::from(width);
        let room = usize::from(if fits { width } else { width - 1 });
        let (end, _) = self.buffer.set_stringn(self.x + before, self.area.y, clean, room, style);
        if !fits {
            self.buffer.set_stringn(end, self.area.y, "…", 1, Tone::Quiet.style());
        }
        self.x = self.x.saturating_add(width + 1);
    }
}
