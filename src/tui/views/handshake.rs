//! The handshakes of the selected exchange, each a ladder laid on its side: a rail with a rung for every step.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::{NOTHING_SELECTED, frame_of, inside, nothing};
use crate::diagnosis::{Handshake, PREEMPTIVE, StepState, Verdict};
use crate::text::{Language, Text};
use crate::tui::focus::Pane;
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::{self, text};

const NONE: Text = text(
    "This exchange is no step of a handshake that is followed.",
    "この通信は、追跡対象のハンドシェイクの手順ではありません。",
);

/// Rows of one ladder: heading, rail, names, exchanges.
const LADDER: u16 = 4;

/// How many rows the pane wants, frame included.
pub(super) fn height(state: &State, room: u16) -> u16 {
    match state.looked.handshakes.len() as u16 {
        0 => 3,
        count => (count * LADDER + 2).min(room / 3).max(LADDER + 2),
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let inner = inside(area);
    frame_of(Pane::Handshake, state, None).render(area, frame.buffer_mut());
    let Some(here) = state.looked.id() else {
        return nothing(frame, inner, NOTHING_SELECTED.to(state.language));
    };
    if state.looked.handshakes.is_empty() {
        return nothing(frame, inner, NONE.to(state.language));
    }
    let fit = (inner.height / LADDER).max(1);
    let rows = state.looked.handshakes.len();
    let mut first = state.scroll(Pane::Handshake, rows, fit);
    let starts = state.looked.handshakes.iter().scan(0, |from, handshake| {
        let start = *from;
        *from += handshake.steps.len();
        Some(start)
    });
    let starts: Vec<usize> = starts.collect();
    if let Some(step) = state.step {
        let holding = starts.partition_point(|start| *start <= step) - 1;
        if holding < first || holding >= first + usize::from(fit) {
            first = holding;
        }
    }
    let mut y = inner.y;
    for (handshake, start) in state.looked.handshakes.iter().zip(starts).skip(first) {
        if y >= inner.bottom() {
            break;
        }
        let area = Rect { y, height: LADDER.min(inner.bottom() - y), ..inner };
        let chosen = state.step.and_then(|step| step.checked_sub(start));
        ladder(frame.buffer_mut(), area, handshake, here, chosen, state.language);
        y += LADDER;
    }
}

fn ladder(
    buffer: &mut Buffer,
    area: Rect,
    handshake: &Handshake,
    here: u64,
    chosen: Option<usize>,
    language: Language,
) {
    heading(buffer, area, handshake, language);
    let width = area.width / (handshake.steps.len().max(1) as u16);
    for (at, step) in handshake.steps.iter().enumerate() {
        let x = area.x + width * at as u16;
        let style = Tone::of_step(step.state).style();
        let is_here = step.exchange == Some(here);
        let mut put = |dy: u16, dx: u16, words: &str, style| {
            if dy < area.height && dx + 1 < width {
                buffer.set_stringn(x + dx, area.y + dy, words, usize::from(width - dx - 1), style);
            }
        };
        if at + 1 < handshake.steps.len() {
            let next = handshake.steps[at + 1].state;
            let rail = if next == StepState::Done || next == StepState::Failed { "─" } else { "┄" };
            put(1, 2, &rail.repeat(usize::from(width.saturating_sub(3))), Tone::of_step(next).style());
        }
        put(1, 0, theme::step_glyph(step.state), style);
        let name = words::step_name(step.name).to(language);
        put(2, 0, name, if is_here { Tone::Strong.style() } else { Tone::Plain.style() });
        let below = match (step.exchange, is_here) {
            (Some(id), false) => format!("#{id}"),
            (Some(id), true) => format!("#{id} {}", text("here", "ここ").to(language)),
            (None, _) if step.state == StepState::Unseen && handshake.verdict == Verdict::Pending => {
                text("not yet", "これから").to(language).to_owned()
            }
            (None, _) => words::step_state(step.state).to(language).to_owned(),
        };
        put(3, 0, &below, if is_here { Tone::Strong.style() } else { Tone::Quiet.style() });
        if chosen == Some(at) && area.height > 2 {
            let long = (name.width() as u16).min(width.saturating_sub(1));
            buffer.set_style(Rect { x, y: area.y + 2, width: long, height: 1 }, theme::SELECTED);
        }
    }
}

/// `OAuth  mail.contoso.com  ✗ failure`
fn heading(buffer: &mut Buffer, area: Rect, handshake: &Handshake, language: Language) {
    let verdict = handshake.verdict;
    let end = area.right();
    let room = |x: u16| usize::from(end.saturating_sub(x));
    let (x, _) =
        buffer.set_stringn(area.x, area.y, words::scheme(handshake.scheme), room(area.x), Tone::Heading.style());
    let (x, _) = buffer.set_stringn(x, area.y, "  ", room(x), Tone::Plain.style());
    let (x, _) = buffer.set_stringn(x, area.y, handshake.server.as_str(), room(x), Tone::Plain.style());
    let said = format!("  {} {}", theme::verdict_glyph(verdict), verdict.words().to(language));
    let (x, _) = buffer.set_stringn(x, area.y, said, room(x), Tone::of_verdict(verdict).style());
    if handshake.preemptive {
        buffer.set_stringn(x, area.y, format!("  {}", PREEMPTIVE.to(language)), room(x), Tone::Quiet.style());
    }
}
