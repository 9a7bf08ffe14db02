//! The exchange as something to paste. Without a frame at its sides: what is selected by hand there is the text alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::copying::CopyForm;
use crate::tui::state::State;
use crate::tui::theme;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let [title, text] = [
        Rect { height: area.height.min(1), ..area },
        Rect { y: area.y + area.height.min(2), height: area.height.saturating_sub(2), ..area },
    ];
    let mut forms = Vec::new();
    for form in CopyForm::ALL {
        let style = if form == state.copying.form { theme::FOCUSED } else { theme::UNFOCUSED };
        forms.push(Span::styled(format!(" {} ", form.title().to(state.language)), style));
    }
    Line::from(forms).render(title, frame.buffer_mut());
    let mut page = state.copying.lay_out(state.language);
    let rows = page.height(text.width);
    state.copying.scroll = state.copying.scroll.min(rows.saturating_sub(usize::from(text.height)));
    page.draw(frame.buffer_mut(), text, state.copying.scroll, None, None);
}
