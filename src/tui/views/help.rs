//! The help: the key table and what the signs mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use super::{comparing, inside};
use crate::diagnosis::{StepState, Verdict};
use crate::tui::document::{Document, Line};
use crate::tui::focus::Task;
use crate::tui::keys::{Entry, KEYS, When};
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::{self, text};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let language = state.language;
    let inner = inside(area);
    let mut page = lay_out(state);
    let rows = page.height(inner.width);
    state.help_scroll = state.help_scroll.min(rows.saturating_sub(usize::from(inner.height)));
    let mut block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(theme::FOCUSED)
        .title_top(format!(" {} ", text("Help", "ヘルプ").to(language)));
    if rows > usize::from(inner.height) {
        let last = state.help_scroll + usize::from(inner.height);
        block = block.title_bottom(ratatui::text::Line::raw(format!(" ↑ ↓  {last}/{rows} ")).right_aligned());
    }
    block.render(area, frame.buffer_mut());
    page.draw(frame.buffer_mut(), inner, state.help_scroll, None, None);
}

fn lay_out(state: &State) -> Document {
    let language = state.language;
    let mut page = Document::default();
    page.push(Line::of(Tone::Heading, text("Keys", "キー").to(language)));
    let (typing, browsing): (Vec<_>, Vec<_>) =
        KEYS.iter().filter(|entry| state.has(entry)).partition(|entry| matches!(entry.when, When::While(_)));
    let asked = |entry: &&&Entry| entry.when == When::While(Task::Filter);
    let compared = |entry: &&&Entry| entry.when == When::While(Task::Compare);
    let everywhere = |entry: &&&Entry| matches!(entry.when, When::Always | When::Moving | When::Unasked);
    let entries: Vec<_> = if state.comparing.is_some() {
        typing.iter().filter(compared).chain(browsing.iter().filter(everywhere)).collect()
    } else {
        browsing.iter().chain(typing.iter().filter(asked)).collect()
    };
    for entry in entries {
        page.push(entry_line(&entry.names(), entry.help.to(language)));
    }
    page.blank();
    page.push(Line::of(Tone::Heading, text("Verdicts", "判定").to(language)));
    for verdict in [Verdict::Ok, Verdict::Step, Verdict::Failure, Verdict::Pending, Verdict::Unknown] {
        let meaning = match verdict {
            Verdict::Ok => text("nothing wrong", "問題なし"),
            Verdict::Step => {
                text("a refusal that belongs to a handshake going right", "正常に進むハンドシェイクの一部としての拒否")
            }
            Verdict::Failure => text("wrong; the findings say why", "失敗。所見に理由があります"),
            Verdict::Pending => text("the client's next move decides", "クライアントの次の動きで決まります"),
            Verdict::Unknown => text("what would decide was not captured", "判断に必要な通信が取得されていません"),
        };
        let tone = Tone::of_verdict(verdict);
        page.push(
            Line::new()
                .put(tone, &format!("  {} ", theme::verdict_glyph(verdict)))
                .put(tone, verdict.words().to(language))
                .put(Tone::Plain, &format!(": {}", meaning.to(language)))
                .indent(6),
        );
    }
    page.blank();
    if state.comparing.is_some() {
        page.push(Line::of(Tone::Heading, text("Steps of the comparison", "比較の手順").to(language)));
        for (mark, tone, meaning) in comparing::MARKS {
            page.push(Line::new().put(tone, &format!("  {mark} ")).put(Tone::Plain, meaning.to(language)));
        }
        return page;
    }
    page.push(Line::of(Tone::Heading, text("Handshake steps", "ハンドシェイクの手順").to(language)));
    for state in [StepState::Done, StepState::Failed, StepState::Missing, StepState::Unseen] {
        let said = format!("  {} {}", theme::step_glyph(state), words::step_state(state).to(language));
        page.push(Line::of(Tone::of_step(state), &said));
    }
    page
}

/// Keys on the left, padded; what they do on the right.
fn entry_line(keys: &str, help: &str) -> Line {
    const KEYS_WIDTH: usize = 16;
    let gap = KEYS_WIDTH.saturating_sub(keys.chars().count()).max(1);
    Line::new()
        .put(Tone::Name, &format!("  {keys}{}", " ".repeat(gap)))
        .put(Tone::Plain, help)
        .indent(KEYS_WIDTH as u16 + 2)
}
