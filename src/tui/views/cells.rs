//! Rows of a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::tui::document::harmless;

/// Cells of one row, written from left to right.
pub(super) struct Cells<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    pub(super) x: u16,
}

impl<'a> Cells<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, area: Rect) -> Self {
        Self { buffer, area, x: area.x }
    }

    /// Words in a cell that is so wide, the gap behind it included; what does not fit is cut.
    pub(super) fn cell(&mut self, words: &str, width: u16, style: Style) {
        let end = self.x.saturating_add(width).min(self.area.right());
        let words: String = words.chars().map(harmless).collect();
        let mut room = usize::from(end.saturating_sub(self.x));
        if end < self.area.right() {
            room = room.saturating_sub(1);
        }
        if words.width() > room && room > 1 {
            let (x, _) = self.buffer.set_stringn(self.x, self.area.y, &words, room - 1, style);
            self.buffer.set_stringn(x, self.area.y, "…", 1, style);
        } else {
            self.buffer.set_stringn(self.x, self.area.y, &words, room, style);
        }
        self.x = end;
    }

    pub(super) fn skip(&mut self, columns: u16) {
        self.x = self.x.saturating_add(columns).min(self.area.right());
    }
}
