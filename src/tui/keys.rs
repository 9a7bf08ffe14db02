//! The one table of keys. What a key does, the hints and the help are all made from it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Pane, Task};
use super::words::text;
use crate::text::Text;

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
    /// While browsing, in one of these panes.
    In(&'static [Pane]),
    /// While moving about: in the panes and in the help.
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
            Self::Browsing => task == Task::Browse,
            Self::In(panes) => task == Task::Browse && panes.contains(&pane),
            Self::Moving => matches!(task, Task::Browse | Task::Help),
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

const fn key(code: KeyCode) -> Chord {
    Chord { code, control: false }
}

const fn char(char: char) -> Chord {
    key(KeyCode::Char(char))
}

const fn control(char: char) -> Chord {
    Chord { code: KeyCode::Char(char), control: true }
}

const NO_HINT: Text = text("", "");
const TEXTS: &[Pane] = &[Pane::Request, Pane::Response];

/// All keys. The hints are shown in this order until the line is full.
pub(super) static KEYS: &[Entry] = &[
    Entry {
        keys: &[(char('y'), Action::Confirm), (key(KeyCode::Enter), Action::Confirm)],
        when: When::While(Task::Quit),
        hint: text("stop and quit", "停止して終了"),
        help: text("when asked: stop capturing and quit", "確認時: キャプチャを停止して終了する"),
    },
    Entry {
        keys: &[(char('n'), Action::Refuse), (key(KeyCode::Esc), Action::Refuse)],
        when: When::While(Task::Quit),
        hint: text("go on", "続ける"),
        help: text("when asked: go on capturing", "確認時: キャプチャを続ける"),
    },
    Entry {
        keys: &[(key(KeyCode::Enter), Action::KeepFilter)],
        when: When::While(Task::Filter),
        hint: text("keep", "確定"),
        help: text("while filtering: keep the filter", "絞り込み中: 条件を確定する"),
    },
    Entry {
        keys: &[(key(KeyCode::Esc), Action::ClearFilter)],
        when: When::While(Task::Filter),
        hint: text("clear", "解除"),
        help: text("while filtering: clear the filter", "絞り込み中: 条件を消す"),
    },
    Entry {
        keys: &[(key(KeyCode::Backspace), Action::EraseFilter)],
        when: When::While(Task::Filter),
        hint: NO_HINT,
        help: text("while filtering: take back a letter", "絞り込み中: 1 文字消す"),
    },
    Entry {
        keys: &[(char('?'), Action::CloseHelp), (key(KeyCode::Esc), Action::CloseHelp), (char('q'), Action::CloseHelp)],
        when: When::While(Task::Help),
        hint: text("close", "閉じる"),
        help: text("in the help: close it", "ヘルプ: 閉じる"),
    },
    Entry {
        keys: &[(char('?'), Action::Help)],
        when: When::Browsing,
        hint: text("help", "ヘルプ"),
        help: text("this help", "このヘルプ"),
    },
    Entry {
        keys: &[(key(KeyCode::Left), Action::Left), (key(KeyCode::Right), Action::Right)],
        when: When::In(&[Pane::Findings]),
        hint: text("evidence", "根拠"),
        help: text("in the findings: previous and next piece of evidence", "所見: 前・次の根拠"),
    },
    Entry {
        keys: &[(key(KeyCode::Enter), Action::Enter)],
        when: When::In(&[Pane::Findings]),
        hint: text("show it", "その場所へ"),
        help: text("in the findings: go to the place of the evidence", "所見: 根拠の場所へ移動する"),
    },
    Entry {
        keys: &[(key(KeyCode::Left), Action::Left), (key(KeyCode::Right), Action::Right)],
        when: When::In(TEXTS),
        hint: text("evidence", "根拠"),
        help: text(
            "in request and response: previous and next piece of evidence",
            "リクエストとレスポンス: 前・次の根拠",
        ),
    },
    Entry {
        keys: &[(key(KeyCode::Left), Action::Left), (key(KeyCode::Right), Action::Right)],
        when: When::In(&[Pane::Handshake]),
        hint: text("step", "手順"),
        help: text("in the handshake: previous and next step", "ハンドシェイク: 前・次の手順"),
    },
    Entry {
        keys: &[(key(KeyCode::Enter), Action::Enter)],
        when: When::In(&[Pane::Handshake]),
        hint: text("go to exchange", "該当フローへ"),
        help: text("in the handshake: go to the exchange of the step", "ハンドシェイク: その手順のフローへ移動する"),
    },
    Entry {
        keys: &[(key(KeyCode::Enter), Action::Enter)],
        when: When::In(&[Pane::Flows]),
        hint: text("why", "理由"),
        help: text("in the list: read the findings of the exchange", "一覧: 所見を読む"),
    },
    Entry {
        keys: &[(char('/'), Action::Filter)],
        when: When::Browsing,
        hint: text("filter", "絞り込み"),
        help: text(
            "filter as one types: words, 401, 4xx, is:failure, host: path: method: authn: finding: -not",
            "入力しながら絞り込む: 語句, 401, 4xx, is:failure, host: path: method: authn: finding: -除外",
        ),
    },
    Entry {
        keys: &[(char('n'), Action::Next401), (char('N'), Action::Previous401)],
        when: When::Browsing,
        hint: text("401", "401"),
        help: text("next and previous 401", "次・前の 401"),
    },
    Entry {
        keys: &[(char('f'), Action::NextFailure), (char('F'), Action::PreviousFailure)],
        when: When::Browsing,
        hint: text("failure", "失敗"),
        help: text("next and previous failure", "次・前の失敗"),
    },
    Entry {
        keys: &[(key(KeyCode::Tab), Action::NextPane), (key(KeyCode::BackTab), Action::PreviousPane)],
        when: When::Browsing,
        hint: text("pane", "ペイン"),
        help: text("next and previous pane", "次・前のペイン"),
    },
    Entry {
        keys: &[(key(KeyCode::F(12)), Action::Pause)],
        when: When::Unasked,
        hint: text("pause", "一時停止"),
        help: text("pause and resume the capture; traffic goes on", "キャプチャの一時停止と再開 (通信は止まらない)"),
    },
    Entry {
        keys: &[(char('q'), Action::Quit)],
        when: When::Browsing,
        hint: text("quit", "終了"),
        help: text("quit; asks first while capturing", "終了する (キャプチャ中は確認する)"),
    },
    Entry {
        keys: &[(char('L'), Action::Language)],
        when: When::Moving,
        hint: text("日本語", "English"),
        help: text("日本語に切り替える", "switch to English"),
    },
    Entry {
        keys: &[(char('z'), Action::Zoom)],
        when: When::Browsing,
        hint: text("zoom", "拡大"),
        help: text("the pane alone, and back", "ペインを全体に広げる、戻す"),
    },
    Entry {
        keys: &[(char('i'), Action::Identities)],
        when: When::Browsing,
        hint: text("identities", "利用者名"),
        help: text(
            "show who is who, from memory; nothing of it is stored",
            "利用者名をメモリから表示する (保存はしない)",
        ),
    },
    Entry {
        keys: &[(control('c'), Action::Leave)],
        when: When::Always,
        hint: NO_HINT,
        help: text("quit without being asked", "確認せずに終了する"),
    },
    Entry {
        keys: &[(key(KeyCode::Up), Action::Up), (key(KeyCode::Down), Action::Down)],
        when: When::Unasked,
        hint: NO_HINT,
        help: text("move in the list, scroll in a pane", "一覧を移動する、ペインをスクロールする"),
    },
    Entry {
        keys: &[(key(KeyCode::PageUp), Action::PageUp), (key(KeyCode::PageDown), Action::PageDown)],
        when: When::Unasked,
        hint: NO_HINT,
        help: text("by a page", "1 ページ分移動する"),
    },
    Entry {
        keys: &[(key(KeyCode::Home), Action::Home), (key(KeyCode::End), Action::End)],
        when: When::Unasked,
        hint: NO_HINT,
        help: text(
            "to the start; to the end, where the list follows new traffic",
            "先頭へ、末尾へ (一覧は末尾で新しい通信を追う)",
        ),
    },
    Entry {
        keys: &[
            (char('k'), Action::Up),
            (char('j'), Action::Down),
            (char('g'), Action::Home),
            (char('G'), Action::End),
            (char(' '), Action::PageDown),
        ],
        when: When::Moving,
        hint: NO_HINT,
        help: text("the same from the middle of the keyboard", "同上 (文字キー)"),
    },
    Entry {
        keys: &[(key(KeyCode::Esc), Action::Back)],
        when: When::Browsing,
        hint: NO_HINT,
        help: text("back to the list; there: clear the filter", "一覧に戻る。一覧では絞り込みを解除する"),
    },
];

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
