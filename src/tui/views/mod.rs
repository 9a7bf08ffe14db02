//! Where the panes stand, and the drawing of one frame.

mod bar;
mod body;
mod cells;
mod comparing;
mod copying;
pub(super) mod findings;
mod flows;
mod handshake;
mod help;
pub(super) mod message;
mod readiness;
mod welcome;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};

use super::Source;
use super::focus::{Pane, Task, pane_of};
use super::state::State;
use super::theme;
use super::words::text;

/// From this size on all panes are on the screen at once.
const WIDE: (u16, u16) = (120, 30);
/// The list's frame, headings and two rows.
const LEAST_LIST: u16 = 5;
/// The frame of the pane below it and one row; with less, the pane in focus has the screen for itself.
const LEAST_BELOW: u16 = 3;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, source: &dyn Source) {
    state.prepare(source);
    let area = frame.area();
    let problems = bar::problems_of(state).count().min(4) as u16;
    let [status, warnings, body, hints] = area.layout(&Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(problems),
        Constraint::Fill(1),
        Constraint::Length(1),
    ]));
    state.tabbed = area.width < WIDE.0 || area.height < WIDE.1;
    bar::status(frame, status, state);
    bar::problems(frame, warnings, state);
    bar::hints(frame, hints, state);
    if state.task == Task::Help {
        help::draw(frame, body, state);
    } else if state.task == Task::Compare {
        comparing::draw(frame, body, state);
    } else if state.task == Task::Copy {
        copying::draw(frame, body, state);
    } else if state.task == Task::Readiness {
        readiness::draw(frame, body, state);
    } else if state.flows.len() == 0 {
        welcome::draw(frame, body, state);
    } else {
        panes(frame, body, state, source);
    }
}

fn panes(frame: &mut Frame<'_>, body: Rect, state: &mut State, source: &dyn Source) {
    if state.zoomed {
        pane(frame, body, state, source, state.focus);
    } else if !state.tabbed {
        let [left, right] = body.layout(&Layout::horizontal([Constraint::Percentage(54), Constraint::Fill(1)]));
        let ladder = handshake::height(state, left.height);
        let [flows, handshake, findings] =
            left.layout(&Layout::vertical([Constraint::Fill(4), Constraint::Length(ladder), Constraint::Fill(5)]));
        let [request, response] = right.layout(&Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]));
        for (area, one) in [
            (flows, Pane::Flows),
            (handshake, Pane::Handshake),
            (findings, Pane::Findings),
            (request, Pane::Request),
            (response, Pane::Response),
        ] {
            pane(frame, area, state, source, one);
        }
    } else {
        let list = ((body.height * 2 + 2) / 5).max(LEAST_LIST);
        if body.height < list + LEAST_BELOW {
            pane(frame, body, state, source, state.focus);
            state.bring_into_view = false;
            return;
        }
        let [flows, below] = body.layout(&Layout::vertical([Constraint::Length(list), Constraint::Fill(1)]));
        pane(frame, flows, state, source, Pane::Flows);
        pane(frame, below, state, source, state.below);
    }
    state.bring_into_view = false;
}

fn pane(frame: &mut Frame<'_>, area: Rect, state: &mut State, source: &dyn Source, pane: Pane) {
    match pane {
        Pane::Flows => flows::draw(frame, area, state, source),
        Pane::Handshake => handshake::draw(frame, area, state),
        Pane::Findings | Pane::Request | Pane::Response => document(frame, area, state, pane),
    }
}

/// Draws a pane that is a text, scrolled to what one wants to see of it.
fn document(frame: &mut Frame<'_>, area: Rect, state: &mut State, pane: Pane) {
    let mark =
        state.mark.clone().filter(|mark| pane_of(&mark.place) == pane && Some(mark.exchange) == state.looked.id());
    let evidence = state.evidence.filter(|_| pane == Pane::Findings);
    let inner = inside(area);
    let mut text = std::mem::take(match pane {
        Pane::Request => &mut state.looked.request,
        Pane::Response => &mut state.looked.response,
        _ => &mut state.looked.findings,
    });
    let rows = text.height(inner.width);
    if state.bring_into_view {
        let wanted = match &mark {
            Some(mark) => {
                text.find(mark).and_then(|found| text.row_of(inner.width, |line, _| line == found.lines.start))
            }
            None => evidence.and_then(|_| text.row_of(inner.width, |_, line| line.evidence == evidence)),
        };
        if let Some(row) = wanted {
            state.scroll_to(pane, row, inner.height);
        }
    }
    let top = state.scroll(pane, rows, inner.height);
    frame_of(pane, state, Some((top, inner.height, rows))).render(area, frame.buffer_mut());
    text.draw(frame.buffer_mut(), inner, top, mark.as_ref(), evidence);
    match pane {
        Pane::Request => state.looked.request = text,
        Pane::Response => state.looked.response = text,
        _ => state.looked.findings = text,
    }
}

/// The frame of a pane, with its title and, where not all of a text fits, how far one is.
fn frame_of(pane: Pane, state: &State, extent: Option<(usize, u16, usize)>) -> Block<'static> {
    let style = if state.focus == pane { theme::FOCUSED } else { theme::UNFOCUSED };
    let mut title = Vec::new();
    for one in titles(pane, state) {
        let style = if one == pane { style } else { theme::UNFOCUSED };
        let number = state.looked.id().filter(|_| one == pane && pane != Pane::Flows);
        let number = number.map(|id| format!(" #{id}")).unwrap_or_default();
        title.push(Span::styled(format!(" {}{number} ", one.title().to(state.language)), style));
    }
    let block = Block::bordered()
        .border_type(if state.focus == pane { BorderType::Thick } else { BorderType::Plain })
        .border_style(style)
        .title_top(Line::from(title));
    match extent {
        Some((top, fit, rows)) if rows > usize::from(fit) => {
            let last = (top + usize::from(fit)).min(rows);
            block.title_bottom(Line::styled(format!(" {last}/{rows} "), style).right_aligned())
        }
        _ => block,
    }
}

/// The panes named in the frame of one: on a small screen all those that take turns there.
fn titles(pane: Pane, state: &State) -> impl Iterator<Item = Pane> {
    let all = state.tabbed && pane != Pane::Flows;
    Pane::ALL.into_iter().filter(move |one| *one == pane || (all && *one != Pane::Flows))
}

/// The area inside a frame.
fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1).min(area.right()),
        y: area.y.saturating_add(1).min(area.bottom()),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// What stands in a pane that has nothing to show.
fn nothing(frame: &mut Frame<'_>, area: Rect, words: &str) {
    let style = theme::Tone::Quiet.style();
    if area.height > 0 {
        frame.buffer_mut().set_stringn(area.x, area.y, words, usize::from(area.width), style);
    }
}

const NOTHING_SELECTED: crate::text::Text = text("Nothing selected.", "何も選択されていません。");
