//! Text in a pane: lines of several tones, wrapped to the pane's width, some of them places that evidence points to.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::looked::Shown;
use super::theme::{self, Tone};
use super::wrap::wrap;
use crate::diagnosis::Place;

/// Lines, and how they wrap at the width last asked for.
#[derive(Debug, Default)]
pub(super) struct Document {
    lines: Vec<Line>,
    wrapped: Vec<Piece>,
    width: u16,
}

/// One line before wrapping.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// Where each tone ends in `text`.
    tones: Vec<(usize, Tone)>,
    /// How far continuation rows are set in.
    indent: u16,
    spot: Option<Spot>,
    /// Which piece of evidence the line tells of.
    pub(super) evidence: Option<usize>,
}

/// What a line is, for evidence to point to.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// A header field; the name in any letter case.
    Header(Direction, String),
    /// Any other place.
    Other(Place),
}

/// The way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// One row on the screen: a part of a line.
#[derive(Debug)]
struct Piece {
    line: usize,
    range: Range<usize>,
    indent: u16,
}

/// Words at a place, to be made visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The exchange it stands in.
    pub(super) exchange: u64,
    /// Where in it.
    pub(super) place: Place,
    /// The words there; may be empty.
    pub(super) words: String,
}

/// Where a mark points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) lines: Range<usize>,
    /// The words in the only line; empty where none are found.
    words: Range<usize>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A line of one tone.
    pub(super) fn of(tone: Tone, text: &str) -> Self {
        Self::new().put(tone, text)
    }

    /// Adds text. What could move the cursor or turn the reading direction becomes visible instead.
    pub(super) fn put(mut self, tone: Tone, text: &str) -> Self {
        self.text.extend(text.chars().map(harmless));
        self.tones.push((self.text.len(), tone));
        self
    }

    /// Adds a text in which the names of people stand out.
    pub(super) fn put_shown(self, tone: Tone, shown: &Shown) -> Self {
        let (before, name, after) = shown.parts();
        self.put(tone, before).put(Tone::Identity, name).put(tone, after)
    }

    /// Sets continuation rows in by so many columns.
    pub(super) fn indent(mut self, columns: u16) -> Self {
        self.indent = columns;
        self
    }

    /// The line stands at a place that evidence can point to.
    pub(super) fn at(mut self, spot: Spot) -> Self {
        self.spot = Some(spot);
        self
    }

    /// The line tells of a piece of evidence.
    pub(super) fn tells(mut self, evidence: usize) -> Self {
        self.evidence = Some(evidence);
        self
    }
}

impl Spot {
    fn is(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Header(Direction::Request, name), Place::RequestHeader(wanted))
            | (Self::Header(Direction::Response, name), Place::ResponseHeader(wanted)) => {
                name.eq_ignore_ascii_case(wanted)
            }
            (Self::Other(own), wanted) => own == wanted,
            (Self::Header(..), _) => false,
        }
    }
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        Self::Other(place)
    }
}

impl Document {
    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
        self.width = 0;
    }

    pub(super) fn blank(&mut self) {
        self.push(Line::new());
    }

    /// How many rows it takes at `width`.
    pub(super) fn height(&mut self, width: u16) -> usize {
        self.wrap(width);
        self.wrapped.len()
    }

    /// The first row of the lines that `wanted` picks.
    pub(super) fn row_of(&mut self, width: u16, wanted: impl Fn(usize, &Line) -> bool) -> Option<usize> {
        self.wrap(width);
        self.wrapped.iter().position(|piece| wanted(piece.line, &self.lines[piece.line]))
    }

    /// What a mark points to: the line that holds its words, or all fields of the name, or the body's first line.
    pub(super) fn find(&self, mark: &Mark) -> Option<Found> {
        let words: String = mark.words.chars().map(harmless).collect();
        let beginning = &words[..words.floor_char_boundary(24)];
        let is_there = |line: &&Line| line.spot.as_ref().is_some_and(|spot| spot.is(&mark.place));
        let at_place = || self.lines.iter().enumerate().filter(|(_, line)| is_there(line));
        let holding = |part: &str| {
            at_place().filter(|_| !part.is_empty()).find_map(|(at, line)| {
                line.text.find(part).map(|from| Found { lines: at..at + 1, words: from..from + part.len() })
            })
        };
        let whole = || {
            let (first, line) = at_place().next()?;
            let is_field = matches!(line.spot, Some(Spot::Header(..)));
            let last = at_place().next_back().filter(|_| is_field).map_or(first, |(last, _)| last);
            Some(Found { lines: first..last + 1, words: 0..0 })
        };
        holding(&words).or_else(|| holding(beginning)).or_else(whole)
    }

    /// Whether a line is one that a mark points to: within its lines there may be fields of other names.
    fn is_marked(&self, at: usize, found: &Found, mark: &Mark) -> bool {
        found.lines.contains(&at) && self.lines[at].spot.as_ref().is_some_and(|spot| spot.is(&mark.place))
    }

    /// Draws the rows from `top` on.
    pub(super) fn draw(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        top: usize,
        mark: Option<&Mark>,
        evidence: Option<usize>,
    ) {
        self.wrap(area.width);
        let marked = mark.and_then(|mark| self.find(mark).map(|found| (mark, found)));
        for (piece, y) in self.wrapped.iter().skip(top).zip(area.top()..area.bottom()) {
            let line = &self.lines[piece.line];
            let words = marked
                .as_ref()
                .filter(|(mark, found)| self.is_marked(piece.line, found, mark))
                .map(|(_, found)| &found.words);
            let mut x = area.x + piece.indent;
            let mut from = piece.range.start;
            while from < piece.range.end {
                let (tone_end, tone) =
                    line.tones.iter().find(|(end, _)| *end > from).copied().unwrap_or((usize::MAX, Tone::Plain));
                let mut end = tone_end.min(piece.range.end);
                let mut style = tone.style();
                if let Some(words) = words {
                    let inside = words.contains(&from);
                    let edge = if inside { words.end } else { words.start };
                    end = if edge > from { end.min(edge) } else { end };
                    style = if inside { theme::MARKED_WORDS } else { theme::MARKED_LINE };
                }
                let room = usize::from(area.right().saturating_sub(x));
                (x, _) = buffer.set_stringn(x, y, &line.text[from..end], room, style);
                from = end;
            }
            let row = Rect { y, height: 1, ..area };
            if words.is_some() && x < area.right() {
                buffer.set_style(Rect { x, width: area.right() - x, ..row }, theme::MARKED_LINE);
            }
            if evidence.is_some() && line.evidence == evidence {
                buffer.set_style(row, theme::SELECTED);
            }
        }
    }

    fn wrap(&mut self, width: u16) {
        if self.width == width {
            return;
        }
        self.width = width;
        self.wrapped.clear();
        for (at, line) in self.lines.iter().enumerate() {
            wrap(&line.text, width.max(1), line.indent.min(width / 2), &mut |range, indent| {
                self.wrapped.push(Piece { line: at, range, indent });
            });
        }
    }
}

/// Control characters as pictures, direction marks as a replacement character, tabs and line breaks as blanks.
pub(super) fn harmless(char: char) -> char {
    match char {
        '\t' | '\n' | '\r' => ' ',
        '\0'..'\u{20}' => char::from_u32(0x2400 + char as u32).unwrap_or('.'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..'\u{a0}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}
