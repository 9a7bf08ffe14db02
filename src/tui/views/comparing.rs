//! Two sessions side by side: the step where they part first, all steps, and what differs in the selected one.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Widget};
use unicode_width::UnicodeWidthStr;

use super::cells::Cells;
use super::inside;
use crate::diagnosis::comparison::{Difference, Moment, Pair};
use crate::diagnosis::rules;
use crate::redact::Clean;
use crate::text::{Language, Text};
use crate::tui::comparing::{Comparing, Side};
use crate::tui::document::{Document, Line};
use crate::tui::state::State;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

/// From this width on the two sessions have a column each.
const WIDE: u16 = 100;
/// The rows of a step that differs, where the sessions stand one above the other.
const STACKED: u16 = 3;
/// With less there is room for the steps or for what differs, not for both.
const TALL: u16 = 14;
/// The sentence takes no more rows.
const SENTENCE: u16 = 3;

const STEPS: Text = text("Steps", "手順");
const ABSENT: Text = text("did not come", "ありません");
const MISSING: Text = text("(missing)", "(ありません)");
const ALIKE: Text = text("Both went the same way here.", "この手順に違いはありません。");
const NOTHING: Text = text("Neither session has anything to compare.", "比較できるものがありません。");
const SAME: Text = text("no step differs", "どの手順にも違いはありません");
const HARMLESS: Text =
    text("the steps went alike; what differs are circumstances", "手順の進み方は同じです。違いは周辺の事柄だけです");
const ELSE: Text = text("Circumstances that differ", "そのほかの違い");
const CUT: Text = text("only the beginning is compared", "比較したのは始めの部分だけです");

/// The signs before the steps, and what they mean.
pub(super) const MARKS: [(&str, Tone, Text); 4] = [FIRST, TELLING, HARMLESS_MARK, EQUAL];
const FIRST: (&str, Tone, Text) = ("▶", Tone::Bad, text("the first step that can be why", "原因となりうる最初の手順"));
const TELLING: (&str, Tone, Text) = ("≠", Tone::Bad, text("differs further on", "その先の異なる手順"));
const HARMLESS_MARK: (&str, Tone, Text) = ("~", Tone::Quiet, text("circumstances differ", "周辺の事柄が異なる手順"));
const EQUAL: (&str, Tone, Text) = ("=", Tone::Quiet, text("no difference", "違いのない手順"));

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let language = state.language;
    let Some(comparing) = &mut state.comparing else { return };
    let mut headline = headline(comparing, language);
    let said = (headline.height(area.width) as u16).min(SENTENCE).min(area.height / 2);
    let [sentence, body] = area.layout(&Layout::vertical([Constraint::Length(said), Constraint::Fill(1)]));
    headline.draw(frame.buffer_mut(), sentence, 0, None, None);
    if comparing.steps().is_empty() {
        return super::nothing(frame, body, NOTHING.to(language));
    }
    if body.height < TALL {
        if comparing.in_details {
            details(frame, body, comparing, language);
        } else {
            steps(frame, body, comparing, language);
        }
        return;
    }
    let wide = is_wide(body);
    let rows = comparing.steps().iter().map(|step| usize::from(height(step, wide))).sum::<usize>();
    let whole = u16::try_from(rows + 2 + usize::from(wide)).unwrap_or(u16::MAX).max(4);
    let [list, below] =
        body.layout(&Layout::vertical([Constraint::Length(whole.min(body.height / 2)), Constraint::Fill(1)]));
    steps(frame, list, comparing, language);
    details(frame, below, comparing, language);
}

/// Where they part first.
fn headline(comparing: &Comparing, language: Language) -> Document {
    let compared = &comparing.compared;
    let (tone, words) = match compared.comparison.first() {
        Some(first) => (Tone::Bad, first.sentence(&compared.good.name, &compared.bad.name, language)),
        None if compared.comparison.divergences().next().is_none() => (Tone::Good, SAME.to(language).to_owned()),
        None => (Tone::Good, HARMLESS.to(language).to_owned()),
    };
    let mut page = Document::default();
    let mut line = Line::new().put(tone, " ").put(tone, &words);
    if compared.good.cut || compared.bad.cut {
        line = line.put(Tone::Quiet, &format!(" ({})", CUT.to(language)));
    }
    page.push(line.indent(1));
    page
}

fn steps(frame: &mut Frame<'_>, area: Rect, comparing: &mut Comparing, language: Language) {
    let focused = !comparing.in_details;
    let inner = inside(area);
    let place = format!(" {}/{} ", comparing.at + 1, comparing.steps().len());
    block(STEPS.to(language), focused)
        .title_top(ratatui::text::Line::raw(place).right_aligned())
        .render(area, frame.buffer_mut());
    let wide = is_wide(area);
    let headed = u16::from(wide && inner.height > 1);
    let list = Rect { y: inner.y + headed, height: inner.height.saturating_sub(headed), ..inner };
    let columns = Columns::of(comparing, list.width);
    let buffer = frame.buffer_mut();
    if headed > 0 {
        headings(buffer, Rect { height: 1, ..inner }, comparing, columns, language);
    }
    comparing.top = top(comparing, usize::from(list.height), wide);
    let mut y = list.y;
    let mut shown = 0;
    for (at, step) in comparing.steps().iter().enumerate().skip(comparing.top) {
        let height = height(step, wide).min(list.bottom().saturating_sub(y));
        if height == 0 {
            break;
        }
        let place = Rect { y, height, ..list };
        let chosen = (at == comparing.at).then_some((comparing.side(), focused));
        if wide {
            beside(buffer, place, step, comparing.is_first(step), columns, chosen, language);
        } else {
            stacked(buffer, place, step, comparing.is_first(step), columns, chosen, language);
        }
        y += height;
        shown += 1;
    }
    if focused {
        comparing.page = shown;
    }
}

/// The first step on the screen: as before, as far as the selected one can be seen whole and nothing is left empty below.
fn top(comparing: &Comparing, room: usize, wide: bool) -> usize {
    let tall = |step: &Pair| usize::from(height(step, wide));
    let (above, below) = comparing.steps().split_at((comparing.at + 1).min(comparing.steps().len()));
    let mut top = comparing.top.min(comparing.at);
    let mut rows: usize = above[top..].iter().map(tall).sum();
    while top < comparing.at && rows > room {
        rows -= tall(&above[top]);
        top += 1;
    }
    rows += below.iter().take(room).map(tall).sum::<usize>();
    while top > 0 && rows + tall(&above[top - 1]) <= room {
        top -= 1;
        rows += tall(&above[top]);
    }
    top
}

fn is_wide(area: Rect) -> bool {
    area.width >= WIDE
}

/// How many rows a step takes.
fn height(step: &Pair, wide: bool) -> u16 {
    if wide || !step.differs() { 1 } else { STACKED }
}

/// How wide what is.
#[derive(Clone, Copy)]
struct Columns {
    number: u16,
    title: u16,
    side: u16,
}

impl Columns {
    fn of(comparing: &Comparing, width: u16) -> Self {
        let number = comparing.steps().len().to_string().len() as u16 + 1;
        let longest = comparing.steps().iter().map(|step| step.title().width()).max().unwrap_or_default() as u16;
        let title = (longest + 1).clamp(8, (width / 4).max(8));
        let side = width.saturating_sub(2 + number + title) / 2;
        Self { number, title, side }
    }
}

fn headings(buffer: &mut Buffer, area: Rect, comparing: &Comparing, columns: Columns, language: Language) {
    let mut cells = Cells::new(buffer, area);
    cells.skip(2 + columns.number + columns.title);
    for (side, named) in [(Side::Good, &comparing.compared.good), (Side::Bad, &comparing.compared.bad)] {
        let words = format!("{}: {}", side.words().to(language), named.name);
        cells.cell(&words, columns.side, Tone::Heading.style());
    }
}

/// A step in one row, with a column for each session.
fn beside(
    buffer: &mut Buffer,
    area: Rect,
    step: &Pair,
    first: bool,
    columns: Columns,
    chosen: Option<(Side, bool)>,
    language: Language,
) {
    let mut cells = Cells::new(buffer, area);
    title(&mut cells, step, first, columns);
    for side in Side::ALL {
        let start = cells.x;
        cell(&mut cells, step.side(side), columns.side, language);
        cells.x = start.saturating_add(columns.side).min(area.right());
    }
    if let Some((side, focused)) = chosen {
        buffer.set_style(area, theme::SELECTED_ASIDE);
        let left = area.x + 2 + columns.number + columns.title + if side == Side::Bad { columns.side } else { 0 };
        let width = columns.side.min(area.right().saturating_sub(left));
        buffer.set_style(Rect { x: left, width, ..area }, marked(focused));
    }
}

/// A step with the sessions one above the other; where they do not differ, in one row.
fn stacked(
    buffer: &mut Buffer,
    area: Rect,
    step: &Pair,
    first: bool,
    columns: Columns,
    chosen: Option<(Side, bool)>,
    language: Language,
) {
    let row = |at: u16| Rect { y: area.y + at, height: 1, ..area };
    let mut cells = Cells::new(buffer, row(0));
    // A step that differs has the row for itself.
    title(&mut cells, step, first, Columns { title: if step.differs() { u16::MAX } else { columns.title }, ..columns });
    if !step.differs() {
        cell(&mut cells, step.bad.as_ref(), u16::MAX, language);
        if let Some((_, focused)) = chosen {
            buffer.set_style(area, marked(focused));
        }
        return;
    }
    let names = Side::ALL.map(|side| side.words().to(language));
    let name = names.iter().map(|name| name.width()).max().unwrap_or_default() as u16 + 1;
    for ((side, words), at) in Side::ALL.into_iter().zip(names).zip(1..area.height) {
        let mut cells = Cells::new(buffer, row(at));
        cells.skip(2 + columns.number);
        cells.cell(words, name, Tone::Quiet.style());
        cell(&mut cells, step.side(side), u16::MAX, language);
        if let Some((_, focused)) = chosen.filter(|(chosen, _)| *chosen == side) {
            buffer.set_style(row(at), marked(focused));
        }
    }
    if chosen.is_some() {
        buffer.set_style(row(0), theme::SELECTED_ASIDE);
    }
}

fn title(cells: &mut Cells<'_>, step: &Pair, first: bool, columns: Columns) {
    let (mark, tone, _) = match (first, step.is_telling(), step.differs()) {
        (true, ..) => FIRST,
        (_, true, _) => TELLING,
        (_, _, true) => HARMLESS_MARK,
        _ => EQUAL,
    };
    cells.cell(mark, 2, tone.style());
    cells.cell(&step.number.to_string(), columns.number, Tone::Quiet.style());
    cells.cell(&step.title(), columns.title, if first { Tone::Strong } else { Tone::Name }.style());
}

/// `✗ 401 #4 EX02 The challenge has no authorization_uri`
fn cell(cells: &mut Cells<'_>, moment: Option<&Moment>, width: u16, language: Language) {
    let end = cells.x.saturating_add(width);
    let mut put = |words: &str, style: Style| {
        let room = end.saturating_sub(cells.x);
        cells.cell(words, room.min(words.width() as u16 + 1), style);
    };
    let Some(moment) = moment else {
        return put(&format!("\u{2014} {}", ABSENT.to(language)), Tone::Quiet.style());
    };
    let verdict = Tone::of_verdict(moment.verdict).style();
    let status = moment.status.map_or_else(|| "\u{2014}".to_owned(), |status| status.to_string());
    put(&format!("{} {status}", theme::verdict_glyph(moment.verdict)), verdict);
    put(&format!("#{}", moment.exchange), Tone::Quiet.style());
    if let Some(server) = &moment.server {
        put(server.as_str(), Tone::Plain.style());
    }
    if let Some(finding) = finding(moment, language) {
        put(finding, Tone::Plain.style());
    }
}

/// What differs in the selected step.
fn details(frame: &mut Frame<'_>, area: Rect, comparing: &mut Comparing, language: Language) {
    let Some(step) = comparing.selected() else { return };
    let mut page = lay_out(step, language);
    let title = text("Step {number}: {title}", "手順 {number}: {title}");
    let title = title.fill(language, &[("number", &step.number.to_string()), ("title", &step.title())]);
    let inner = inside(area);
    let rows = page.height(inner.width);
    comparing.scroll = comparing.scroll.min(rows.saturating_sub(usize::from(inner.height)));
    if comparing.in_details {
        comparing.page = inner.height;
    }
    let mut block = block(&title, comparing.in_details);
    if rows > usize::from(inner.height) {
        let last = comparing.scroll + usize::from(inner.height);
        block = block.title_bottom(ratatui::text::Line::raw(format!(" {last}/{rows} ")).right_aligned());
    }
    block.render(area, frame.buffer_mut());
    page.draw(frame.buffer_mut(), inner, comparing.scroll, None, None);
}

fn lay_out(step: &Pair, language: Language) -> Document {
    let mut page = Document::default();
    for side in Side::ALL {
        let words = side.words().to(language);
        let line = Line::new().put(Tone::Heading, &format!("{words}: "));
        page.push(match step.side(side) {
            None => line.put(Tone::Quiet, ABSENT.to(language)),
            Some(moment) => told(line, moment, language),
        });
    }
    if !step.differs() {
        page.blank();
        page.push(Line::of(Tone::Quiet, ALIKE.to(language)));
    }
    let (telling, circumstances): (Vec<_>, Vec<_>) = step.differences.iter().partition(|difference| difference.telling);
    for difference in telling {
        page.blank();
        fact(&mut page, difference, language);
    }
    if !circumstances.is_empty() {
        page.blank();
        page.push(Line::of(Tone::Heading, ELSE.to(language)));
        for difference in circumstances {
            fact(&mut page, difference, language);
        }
    }
    page
}

fn told(line: Line, moment: &Moment, language: Language) -> Line {
    let tone = Tone::of_verdict(moment.verdict);
    let status = moment.status.map(|status| format!(" {status}")).unwrap_or_default();
    let verdict = moment.verdict.words().to(language);
    let mut line = line.put(tone, &format!("{}{status} {verdict}", theme::verdict_glyph(moment.verdict)));
    line = line.put(Tone::Quiet, &format!(" #{}", moment.exchange));
    if let Some(server) = &moment.server {
        let words = text(", server {server}", "、サーバー {server}");
        line = line.put(Tone::Plain, &words.fill(language, &[("server", server.as_str())]));
    }
    if let Some(finding) = finding(moment, language) {
        line = line.put(Tone::Plain, &format!(" \u{2014} {finding}"));
    }
    line.indent(4)
}

fn fact(page: &mut Document, difference: &Difference, language: Language) {
    let place = difference.place.to_string();
    page.push(Line::new().put(Tone::Quiet, &place).put(Tone::Name, &format!(" {}", difference.name)).indent(2));
    for (side, value) in [(Side::Good, &difference.good), (Side::Bad, &difference.bad)] {
        let line = Line::new().put(Tone::Quiet, &format!("  {}: ", side.words().to(language))).indent(4);
        page.push(match value {
            Some(value) => line.put(Tone::Plain, Clean::as_str(value)),
            None => line.put(Tone::Warning, MISSING.to(language)),
        });
    }
}

/// The finding that explains it best, by its title.
fn finding(moment: &Moment, language: Language) -> Option<&'static str> {
    let id = moment.answer?;
    Some(rules::rule(id).map_or(id, |rule| rule.title.to(language)))
}

fn block(title: &str, focused: bool) -> Block<'static> {
    let style = if focused { theme::FOCUSED } else { theme::UNFOCUSED };
    Block::bordered()
        .border_type(if focused { BorderType::Thick } else { BorderType::Plain })
        .border_style(style)
        .title_top(ratatui::text::Line::styled(format!(" {title} "), style))
}

const fn marked(focused: bool) -> Style {
    if focused { theme::SELECTED } else { theme::SELECTED_ASIDE }
}

impl Side {
    const fn words(self) -> Text {
        match self {
            Self::Good => text("good", "正常"),
            Self::Bad => text("bad", "異常"),
        }
    }
}
