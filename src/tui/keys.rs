//! The one table of keys. What a key does, the hints and the help are all made from it.

mod table;

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::focus::{Pane, Task};
use crate::text::Text;

pub(super) use table::KEYS;

/// Something that happened at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key went down.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
}

impl Input {
    /// A letter, digit or sign, as typed.
    pub const fn typed(char: char) -> Self {
        Self::Key(KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE))
    }

    /// A key that is not a character.
    pub const fn pressed(code: KeyCode) -> Self {
        Self::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Left,
    Right,
    Enter,
    Back,
    NextPane,
    PreviousPane,
    Zoom,
    Next401,
    Previous401,
    NextFailure,
    PreviousFailure,
    Filter,
    KeepFilter,
    ClearFilter,
    EraseFilter,
    Pause,
    Identities,
    Language,
    Help,
    CloseHelp,
    Readiness,
    CloseReadiness,
    FollowReadiness,
    Copy,
    NextForm,
    CloseCopy,
    OpenSide,
    NextDifference,
    PreviousDifference,
    Compare,
    Quit,
    Confirm,
    Refuse,
    Leave,
}

/// Where an entry of the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Whatever one is doing.
    Always,
    /// While browsing, in any pane.
    Browsing,
    /// While browsing one of two sessions that are compared.
    Beside,
    /// While browsing, in one of these panes.
    In(&'static [Pane]),
    /// While moving about: in the panes, in the help and in the readiness of the endpoints.
    Moving,
    /// Whatever one is doing, unless a question is open.
    Unasked,
    /// While doing this.
    While(Task),
}

impl When {
    fn holds(self, task: Task, pane: Pane) -> bool {
        match self {
            Self::Always => true,
            Self::Browsing | Self::Beside => task == Task::Browse,
            Self::In(panes) => task == Task::Browse && panes.contains(&pane),
            Self::Moving => matches!(task, Task::Browse | Task::Help | Task::Readiness | Task::Copy | Task::Compare),
            Self::Unasked => task != Task::Quit,
            Self::While(wanted) => task == wanted,
        }
    }
}

/// One key with what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Chord {
    code: KeyCode,
    control: bool,
}

/// One entry: keys that belong together.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) keys: &'static [(Chord, Action)],
    pub(super) when: When,
    /// A word or two for the hints; empty for what is in the help alone.
    pub(super) hint: Text,
    /// A sentence for the help.
    pub(super) help: Text,
}

/// What `event` does now; nothing for keys that are not in the table.
pub(super) fn action(event: KeyEvent, task: Task, pane: Pane) -> Option<Action> {
    let pressed = Chord { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) };
    entries(task, pane).flat_map(|entry| entry.keys).find(|(chord, _)| *chord == pressed).map(|(_, action)| *action)
}

/// The entries that hold now, in order.
pub(super) fn entries(task: Task, pane: Pane) -> impl Iterator<Item = &'static Entry> {
    KEYS.iter().filter(move |entry| entry.when.holds(task, pane))
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("Ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(char) => write!(f, "{char}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            other => write!(f, "{other}"),
        }
    }
}

impl Entry {
    /// All its keys: `n N`.
    pub(super) fn names(&self) -> String {
        self.keys.iter().map(|(chord, _)| chord.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// The first of its keys, or the first pair where it leads two ways.
    pub(super) fn short_name(&self) -> String {
        let pair = self.keys.len() > 1 && self.keys[0].1 != self.keys[1].1 && self.keys[1].0.code != KeyCode::BackTab;
        self.keys[..if pair { 2 } else { 1 }].iter().map(|(chord, _)| chord.to_string()).collect::<Vec<_>>().join("/")
    }
}
