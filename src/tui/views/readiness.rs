//! What each endpoint of each server offers, with the one that differs made visible.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};
use unicode_width::UnicodeWidthStr;

use super::cells::Cells;
use super::inside;
use crate::diagnosis::{Difference, Readiness};
use crate::text::{Language, Text};
use crate::tui::document::{Document, Line};
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

const TITLE: Text = text("What the endpoints offer", "各エンドポイントの認証方式");
const NOTHING: Text = text(
    "No endpoint of Exchange, SharePoint, OneDrive or Graph in this session yet.",
    "このセッションには、Exchange、SharePoint、OneDrive、Graph のエンドポイントがまだありません。",
);
/// Rows below the list that tell all of the selected row, where there is room for them.
const DETAIL: u16 = 6;
/// From this height on.
const TALL: u16 = 16;
/// From this width on the list has the authorization_uri, too.
const WIDE: u16 = 120;

/// The columns: where each begins and how wide it is.
struct Columns {
    endpoint: u16,
    server: u16,
    schemes: u16,
    last: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let endpoint = if width < 60 { 9 } else { 16 };
        let last = 12.min(width / 4);
        let rest = width.saturating_sub(endpoint + last + 2);
        let schemes = (rest / 2).min(34);
        let server = (rest - schemes).min(48);
        Self { endpoint, server, schemes, last }
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let language = state.language;
    let inner = inside(area);
    let detail = if inner.height >= TALL { DETAIL } else { 0 };
    let list = Rect { height: inner.height.saturating_sub(detail), ..inner };
    state.matrix.set_page(list.height.saturating_sub(1));
    let (rows, at) = (state.matrix.rows(), state.matrix.at());
    let odd = rows.iter().filter(|(_, different)| different.is_any()).count();
    let mut title = format!(" {} ", TITLE.to(language));
    if odd > 0 {
        let said = text("! differing: {odd} ", "! ほかと異なるもの: {odd} 件 ");
        title.push_str(&said.fill(language, &[("odd", &odd.to_string())]));
    }
    let mut block = Block::bordered().border_type(BorderType::Thick).border_style(theme::FOCUSED).title_top(title);
    if rows.len() > usize::from(list.height.saturating_sub(1)) {
        let place = format!(" {}/{} ", at + 1, rows.len());
        block = block.title_bottom(ratatui::text::Line::raw(place).right_aligned());
    }
    block.render(area, frame.buffer_mut());
    let buffer = frame.buffer_mut();
    let Some((selected, different)) = rows.get(at) else {
        let mut page = Document::default();
        page.push(Line::of(Tone::Quiet, NOTHING.to(language)));
        return page.draw(buffer, inner, 0, None, None);
    };
    let columns = Columns::of(inner.width);
    headings(buffer, list, &columns, language);
    let fit = usize::from(list.height.saturating_sub(1));
    let top = (at + 1).saturating_sub(fit);
    for ((index, (row, different)), y) in rows.iter().enumerate().skip(top).zip(list.top() + 1..list.bottom()) {
        let place = Rect { y, height: 1, ..list };
        draw_row(buffer, place, &columns, (row, different), language);
        if index == at {
            buffer.set_style(place, theme::SELECTED);
        }
    }
    if detail > 0 {
        let place = Rect { y: list.bottom(), height: detail, ..inner };
        details(buffer, place, selected, different, language);
    }
}

fn headings(buffer: &mut Buffer, area: Rect, columns: &Columns, language: Language) {
    let mut cells = Cells::new(buffer, area);
    cells.skip(2);
    for (words, width) in [
        (text("endpoint", "エンドポイント"), columns.endpoint),
        (text("server", "サーバー"), columns.server),
        (text("offers", "提示"), columns.schemes),
        (text("last answer", "最後の応答"), columns.last),
    ] {
        cells.cell(words.to(language), width, Tone::Quiet.style());
    }
    if area.width >= WIDE {
        cells.cell("authorization_uri / realm", u16::MAX, Tone::Quiet.style());
    }
}

fn draw_row(
    buffer: &mut Buffer,
    area: Rect,
    columns: &Columns,
    (row, different): (&Readiness, &Difference),
    language: Language,
) {
    let mut cells = Cells::new(buffer, area);
    let mark = if different.is_any() { "! " } else { "  " };
    cells.cell(mark, 2, Tone::Bad.style());
    cells.cell(row.endpoint, columns.endpoint, Tone::Name.style());
    cells.cell(&name(row, columns.server), columns.server, Tone::Plain.style());
    let end = cells.x.saturating_add(columns.schemes);
    let mut words = Vec::new();
    for missing in &different.lacks {
        words.push((format!("✗{}", short(missing.as_str(), area.width)), Tone::Bad));
    }
    let mut schemes: Vec<&str> = row.schemes.iter().map(AsRef::as_ref).collect();
    schemes.sort_by_key(|code| SCHEMES.iter().position(|(known, _)| known == code).unwrap_or(SCHEMES.len()));
    for code in schemes {
        let tone = if code == "bearer" { Tone::Good } else { Tone::Plain };
        words.push((short(code, area.width).to_owned(), tone));
    }
    if words.is_empty() {
        words.push((text("not seen", "未確認").to(language).to_owned(), Tone::Quiet));
    }
    for (word, tone) in words {
        let room = end.saturating_sub(cells.x);
        cells.cell(&word, room.min(word.width() as u16 + 1), tone.style());
    }
    cells.x = end.min(area.right());
    let (exchange, status) = row.last;
    let glyph = theme::verdict_glyph(row.verdict);
    cells.cell(&format!("{glyph} {status} #{exchange}"), columns.last, Tone::of_verdict(row.verdict).style());
    if area.width >= WIDE {
        let style = if different.authorization_uri { Tone::Bad } else { Tone::Quiet }.style();
        let uri = row.authorization_uri.as_ref().map(AsRef::as_ref);
        let realm = row.realm.as_ref().map(|realm| format!("realm {realm}"));
        let none = if different.authorization_uri { "✗" } else { "" };
        cells.cell(uri.or(realm.as_deref()).unwrap_or(none), u16::MAX, style);
    }
}

/// All that is known of a row, a fact a line.
fn details(buffer: &mut Buffer, area: Rect, row: &Readiness, different: &Difference, language: Language) {
    let mut page = Document::default();
    page.push(Line::of(Tone::Quiet, &"─".repeat(usize::from(area.width))));
    page.push(Line::new().put(Tone::Name, row.endpoint).put(Tone::Plain, "  ").put(Tone::Strong, row.name().as_str()));
    if !different.lacks.is_empty() {
        let lacks: Vec<_> = different.lacks.iter().map(|missing| scheme(missing.as_str())).collect();
        let said = text("! lacks {lacks}, which others offer", "! ほかにはある {lacks} がありません");
        page.push(Line::of(Tone::Bad, &said.fill(language, &[("lacks", &lacks.join(", "))])));
    }
    if different.authorization_uri {
        let said = text("! its authorization_uri is not that of the others", "! authorization_uri がほかと異なります");
        page.push(Line::of(Tone::Bad, said.to(language)));
    }
    let mut fact = |name: &str, value: &str| {
        page.push(Line::new().put(Tone::Quiet, &format!("{name}: ")).put(Tone::Plain, value).indent(4));
    };
    let none = text("none", "なし").to(language);
    if row.offers("bearer") {
        fact("authorization_uri", row.authorization_uri.as_ref().map_or(none, AsRef::as_ref));
    }
    if let Some(realm) = &row.realm {
        fact("realm", realm.as_str());
    }
    if !row.bearer_asked && !row.offers("bearer") {
        let never = text(
            "no client asked for OAuth here, so a missing Bearer says nothing",
            "OAuth を要求したクライアントがないため、Bearer がなくても判断できません",
        );
        page.push(Line::of(Tone::Quiet, never.to(language)).indent(2));
    }
    page.draw(buffer, area, 0, None, None);
}

/// The schemes as they are written, in the order in which they are shown.
const SCHEMES: [(&str, &str); 5] =
    [("bearer", "Bearer"), ("negotiate", "Negotiate"), ("ntlm", "NTLM"), ("basic", "Basic"), ("digest", "Digest")];

fn scheme(code: &str) -> &str {
    SCHEMES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

/// The same as in the list of the flows, where there is little room.
fn short(code: &str, width: u16) -> &str {
    if width < WIDE && code == "negotiate" { "Nego" } else { scheme(code) }
}

/// Host and server; where they do not fit, the server first, as it tells the rows apart.
fn name(row: &Readiness, room: u16) -> String {
    let whole = row.name();
    match &row.server {
        Some(server) if whole.as_str().width() >= usize::from(room) => format!("{server} {}", row.host),
        _ => whole.as_str().to_owned(),
    }
}
