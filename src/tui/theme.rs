//! Colours and glyphs.
//!
//! The sixteen colours of the terminal's own palette, so that dark and light schemes both work. No meaning hangs on a
//! colour alone: every verdict has its glyph. (`NO_COLOR` is honoured by crossterm.)

use ratatui::style::{Color, Modifier, Style};

use crate::diagnosis::{Kind, StepState, Verdict};

/// What a stretch of text is; the theme says how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Ordinary text.
    Plain,
    /// Text of less weight: labels, separators, what repeats.
    Quiet,
    /// A heading inside a pane.
    Heading,
    /// The name of a header field.
    Name,
    /// A marker that stands for something hidden.
    Marker,
    /// A name from memory that is stored nowhere.
    Identity,
    /// Good news.
    Good,
    /// A refusal, a warning.
    Warning,
    /// Bad news.
    Bad,
    /// Something to follow: a place, a link.
    Link,
    /// Something to type in elsewhere.
    Command,
    /// The most important words of a pane.
    Strong,
}

impl Tone {
    pub(super) const fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Quiet => style.fg(Color::DarkGray),
            Self::Heading => style.fg(Color::LightBlue).add_modifier(Modifier::BOLD),
            Self::Name => style.fg(Color::Cyan),
            Self::Marker => style.fg(Color::Magenta),
            Self::Identity => style.fg(Color::Black).bg(Color::Yellow),
            Self::Good => style.fg(Color::Green),
            Self::Warning => style.fg(Color::Yellow),
            Self::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            Self::Link => style.fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
            Self::Command => style.fg(Color::LightGreen),
            Self::Strong => style.add_modifier(Modifier::BOLD),
        }
    }

    pub(super) const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Good,
            Verdict::Step => Self::Name,
            Verdict::Failure => Self::Bad,
            Verdict::Pending => Self::Warning,
            Verdict::Unknown => Self::Marker,
        }
    }

    pub(super) const fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Step => Self::Name,
            Kind::Note => Self::Warning,
            Kind::Failure => Self::Bad,
        }
    }

    pub(super) const fn of_step(state: StepState) -> Self {
        match state {
            StepState::Done => Self::Good,
            StepState::Failed => Self::Bad,
            StepState::Missing => Self::Warning,
            StepState::Unseen => Self::Quiet,
        }
    }

    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            200..300 => Self::Good,
            100..200 | 300..400 => Self::Name,
            500.. => Self::Bad,
            _ => Self::Warning,
        }
    }
}

/// One column wide in every terminal.
pub(super) const fn verdict_glyph(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "✓",
        Verdict::Step => "»",
        Verdict::Failure => "✗",
        Verdict::Pending => "~",
        Verdict::Unknown => "?",
    }
}

pub(super) const fn kind_glyph(kind: Kind) -> &'static str {
    match kind {
        Kind::Step => "»",
        Kind::Note => "!",
        Kind::Failure => "✗",
    }
}

pub(super) const fn step_glyph(state: StepState) -> &'static str {
    match state {
        StepState::Done => "✓",
        StepState::Failed => "✗",
        StepState::Missing => "○",
        StepState::Unseen => "?",
    }
}

/// The selected row.
pub(super) const SELECTED: Style = Style::new().fg(Color::Black).bg(Color::Cyan).remove_modifier(Modifier::UNDERLINED);
/// The selected row of a list that has not the focus.
pub(super) const SELECTED_ASIDE: Style = Style::new().fg(Color::White).bg(Color::DarkGray);
/// A line that evidence points to.
pub(super) const MARKED_LINE: Style = Style::new().fg(Color::White).bg(Color::Blue);
/// The words of the evidence inside that line.
pub(super) const MARKED_WORDS: Style = Style::new().fg(Color::Black).bg(Color::Yellow).add_modifier(Modifier::BOLD);
/// The frame of the pane that has the focus.
pub(super) const FOCUSED: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
/// The frames of the others.
pub(super) const UNFOCUSED: Style = Style::new().fg(Color::DarkGray);
/// A key in the hints.
pub(super) const KEY: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
/// The program's name in the status bar.
pub(super) const BRAND: Style = Style::new().fg(Color::Black).bg(Color::Cyan).add_modifier(Modifier::BOLD);
/// Something in the status bar that must not be overlooked.
pub(super) const ALERT: Style = Style::new().fg(Color::Black).bg(Color::Yellow).add_modifier(Modifier::BOLD);
