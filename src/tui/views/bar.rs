//! The lines at the top and bottom: state of the run, its problems, the keys that matter now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::text::Text;
use crate::tui::banner::{Identities, Mode, Reading};
use crate::tui::comparing::Side;
use crate::tui::document::harmless;
use crate::tui::focus::Task;
use crate::tui::keys;
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

const QUIT: Text = text("Stop and quit?", "停止して終了しますか?");
const IDENTITIES: Text = text(" IDENTITIES SHOWN ", " 利用者名を表示中 ");
const IDENTITIES_SHORT: Text = text(" IDENTITIES ", " 利用者名 ");
const NAMELESS: Text = text(" NO NAMES: this session holds none ", " 利用者名なし: このセッションには含まれません ");
const NAMELESS_SHORT: Text = text(" NO NAMES HERE ", " 利用者名なし ");
const KEPT: Text = text(
    "identities kept in this file: do not share it; `authtap convert` removes them",
    "利用者名がこのファイルに残っています。共有禁止 (authtap convert で除去できます)",
);
const PAUSED: Text =
    text(" PAUSED: nothing is recorded, traffic goes on ", " 一時停止中: 通信は続き、記録はされません ");
const PAUSED_SHORT: Text = text(" PAUSED ", " 一時停止中 ");

pub(super) fn status(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let language = state.language;
    let right = counts(state);
    let mut left = vec![Span::styled(" authtap ", theme::BRAND), Span::raw(" ")];
    left.extend(doing(state, area.width >= 120));
    if state.revealed {
        let words = match (state.banner.identities, area.width >= 120) {
            (Identities::Unknown, true) => NAMELESS,
            (Identities::Unknown, false) => NAMELESS_SHORT,
            (_, true) => IDENTITIES,
            (_, false) => IDENTITIES_SHORT,
        };
        left.push(Span::raw(" "));
        left.push(Span::styled(words.to(language), theme::ALERT));
    }
    let room = |left: &[Span<'_>]| usize::from(area.width).saturating_sub(width(left) + width(&right) + 3);
    for address in &state.banner.addresses {
        if room(&left) >= address.width() {
            left.push(Span::styled(format!("  {address}"), Tone::Strong.style()));
        }
    }
    if let Some(proxy) = state.banner.upstream_proxy.as_ref().filter(|proxy| room(&left) >= proxy.width() + 4) {
        left.push(Span::styled(format!("  \u{2192} {proxy}"), Tone::Quiet.style()));
    }
    // On a small screen the session stands in the frame of the list, once there is one.
    if let Some(session) = state.banner.session.as_ref().filter(|_| !state.tabbed || state.flows.len() == 0) {
        let shown = shortened(session, room(&left));
        left.push(Span::styled(format!("  {shown}"), Tone::Quiet.style()));
    }
    let buffer = frame.buffer_mut();
    let start = area.right().saturating_sub(width(&right) as u16);
    Line::from(left).render(Rect { width: start.saturating_sub(area.x + 1), ..area }, buffer);
    Line::from(right).render(Rect { x: start, width: area.right().saturating_sub(start), ..area }, buffer);
}

fn doing(state: &State, wide: bool) -> Vec<Span<'static>> {
    let language = state.language;
    if state.paused {
        let words = if wide { PAUSED } else { PAUSED_SHORT };
        return vec![Span::styled(words.to(language), theme::ALERT)];
    }
    let (glyph, words, tone) = match state.banner.mode {
        Mode::Capture | Mode::Reverse => ("●", text("recording", "記録中"), Tone::Bad),
        Mode::Replay => ("▶", text("replaying", "再生中"), Tone::Good),
        Mode::Demo => ("▶", text("demonstration", "デモ"), Tone::Good),
        Mode::Open => ("■", text("saved session", "保存済みセッション"), Tone::Quiet),
        Mode::Compare => ("≠", text("comparison", "比較"), Tone::Name),
        Mode::Side(Side::Good) => ("■", text("good session", "正常なセッション"), Tone::Good),
        Mode::Side(Side::Bad) => ("■", text("bad session", "異常なセッション"), Tone::Bad),
    };
    let mut spans = vec![Span::styled(format!("{glyph} "), tone.style()), Span::raw(words.to(language))];
    let reading = state.reading.map(|reading| match reading {
        Reading::Listed(percent) => (text("  listing {percent} %", "  一覧を読み込み中 {percent} %"), percent),
        Reading::Judged(percent) => (text("  diagnosing {percent} %", "  診断中 {percent} %"), percent),
    });
    spans.extend(reading.map(|(words, percent)| {
        Span::styled(words.fill(language, &[("percent", &percent.to_string())]), Tone::Warning.style())
    }));
    spans
}

fn counts(state: &State) -> Vec<Span<'static>> {
    let language = state.language;
    let (failures, lost) = (state.flows.failures(), state.counts.lost);
    let mut spans = Vec::new();
    let mut add = |count: u64, words: Text, style: Style| {
        spans.push(Span::styled(count.to_string(), style.patch(Tone::Strong.style())));
        spans.push(Span::styled(words.to(language), Tone::Quiet.style()));
    };
    if let Some(comparing) = &state.comparing {
        let differ = comparing.steps().iter().filter(|step| step.is_telling()).count() as u64;
        add(comparing.steps().len() as u64, text(" steps  ", " 手順  "), Tone::Plain.style());
        add(differ, text(" differ ", " 件相違 "), if differ > 0 { Tone::Bad } else { Tone::Plain }.style());
        return spans;
    }
    add(state.flows.len() as u64, text(" exchanges  ", " 件  "), Tone::Plain.style());
    add(state.flows.challenges() as u64, text(" × 401  ", " × 401  "), Tone::Warning.style());
    add(failures as u64, text(" failures ", " 件失敗 "), if failures > 0 { Tone::Bad } else { Tone::Plain }.style());
    if state.counts.passed > 0 {
        add(state.counts.passed, text(" passed by ", " 件素通し "), Tone::Plain.style());
    }
    if state.counts.refused > 0 {
        add(state.counts.refused, text(" refused ", " 件拒否 "), Tone::Plain.style());
    }
    if lost > 0 {
        add(lost, text(" lost ", " 件欠落 "), theme::ALERT);
    }
    spans
}

/// What must be said all the time: that the file is not to be given away, and what is wrong with the run.
pub(super) fn problems_of(state: &State) -> impl Iterator<Item = String> {
    let kept = (state.banner.identities == Identities::InFile).then(|| KEPT.to(state.language).to_owned());
    let wrong = state.problems.iter().map(|problem| {
        let names: Vec<(&str, &str)> = problem.names.iter().map(|(name, value)| (*name, value.as_str())).collect();
        problem.words.fill(state.language, &names)
    });
    kept.into_iter().chain(wrong)
}

/// The same, a line each.
pub(super) fn problems(frame: &mut Frame<'_>, area: Rect, state: &State) {
    for (words, y) in problems_of(state).zip(area.top()..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        frame.buffer_mut().set_style(line, theme::ALERT);
        let words: String = format!(" ! {words}").chars().map(harmless).collect();
        Line::styled(words, theme::ALERT).render(line, frame.buffer_mut());
    }
}

/// The keys that hold now, from the key table, until the line is full.
pub(super) fn hints(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let mut spans = Vec::new();
    if state.task == Task::Quit {
        spans.push(Span::styled(format!(" {} ", QUIT.to(state.language)), theme::ALERT));
    }
    for entry in keys::entries(state.task, state.focus) {
        let hint = entry.hint.to(state.language);
        let key = format!(" {} ", entry.short_name());
        if hint.is_empty()
            || !state.has(entry)
            || width(&spans) + key.width() + hint.width() + 1 > usize::from(area.width)
        {
            continue;
        }
        spans.push(Span::styled(key, theme::KEY));
        spans.push(Span::raw(format!("{hint} ")));
    }
    Line::from(spans).render(area, frame.buffer_mut());
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// The end of a path that fits, from a folder's start where possible.
pub(super) fn shortened(path: &str, room: usize) -> String {
    if path.width() <= room {
        return path.to_owned();
    }
    let tails = path.char_indices().filter(|(_, char)| matches!(char, '/' | '\\')).map(|(at, _)| &path[at..]);
    let mut fitting = tails.filter(|tail| tail.width() < room);
    match fitting.next() {
        Some(tail) => format!("…{tail}"),
        None => {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            if name.width() <= room { name.to_owned() } else { String::new() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(shortened("/home/avery/.local/share/authtap/one.authtap", 24), "…/authtap/one.authtap");
        assert_eq!(shortened("/home/avery/one.authtap", 11), "one.authtap");
        assert_eq!(shortened("/home/avery/one.authtap", 5), "");
    }

    #[test]
    fn every_language_has_its_own_words_for_a_pause() {
        assert_ne!(PAUSED.to(Language::En), PAUSED.to(Language::Ja));
    }
}
