//! The table itself.

use crossterm::event::KeyCode;

use super::{Action, Chord, Entry, When};
use crate::text::Text;
use crate::tui::focus::{Pane, Task};
use crate::tui::words::text;

const NO_HINT: Text = text("", "");
const TEXTS: &[Pane] = &[Pane::Request, Pane::Response];

/// All keys. The hints are shown in this order until the line is full.
pub(in crate::tui) static KEYS: &[Entry] = &[
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
        keys: &[(key(KeyCode::Enter), Action::FollowReadiness)],
        when: When::While(Task::Readiness),
        hint: text("last exchange", "最後のフローへ"),
        help: text(
            "in the endpoints: go to the last exchange of the row",
            "エンドポイント一覧: その行の最後のフローへ移動する",
        ),
    },
    Entry {
        keys: &[
            (char('r'), Action::CloseReadiness),
            (key(KeyCode::Esc), Action::CloseReadiness),
            (char('q'), Action::CloseReadiness),
        ],
        when: When::While(Task::Readiness),
        hint: text("close", "閉じる"),
        help: text("in the endpoints: close them", "エンドポイント一覧: 閉じる"),
    },
    Entry {
        keys: &[(char('c'), Action::NextForm)],
        when: When::While(Task::Copy),
        hint: text("curl, PowerShell, raw", "curl、PowerShell、生テキスト"),
        help: text("while copying: the next form", "コピー中: 次の形式"),
    },
    Entry {
        keys: &[(key(KeyCode::Esc), Action::CloseCopy), (char('q'), Action::CloseCopy)],
        when: When::While(Task::Copy),
        hint: text("close", "閉じる"),
        help: text("while copying: back to the panes", "コピー中: 閉じる"),
    },
    Entry {
        keys: &[(key(KeyCode::Enter), Action::OpenSide)],
        when: When::While(Task::Compare),
        hint: text("open it", "開く"),
        help: text(
            "in the comparison: open the exchange of the selected side in its session",
            "比較: 選択した側のフローをそのセッションで開く",
        ),
    },
    Entry {
        keys: &[(key(KeyCode::Left), Action::Left), (key(KeyCode::Right), Action::Right)],
        when: When::While(Task::Compare),
        hint: text("good, bad", "正常・異常"),
        help: text("in the comparison: the good side, the bad side", "比較: 正常側・異常側を選ぶ"),
    },
    Entry {
        keys: &[(char('n'), Action::NextDifference), (char('N'), Action::PreviousDifference)],
        when: When::While(Task::Compare),
        hint: text("difference", "違い"),
        help: text("in the comparison: next and previous step that differs", "比較: 次・前の異なる手順"),
    },
    Entry {
        keys: &[(key(KeyCode::Tab), Action::NextPane), (key(KeyCode::BackTab), Action::PreviousPane)],
        when: When::While(Task::Compare),
        hint: text("pane", "ペイン"),
        help: text("in the comparison: the steps, or what differs", "比較: 手順の一覧と違いの内容を切り替える"),
    },
    Entry {
        keys: &[(char('?'), Action::Help)],
        when: When::While(Task::Compare),
        hint: text("help", "ヘルプ"),
        help: text("in the comparison: this help", "比較: このヘルプ"),
    },
    Entry {
        keys: &[(char('q'), Action::Leave)],
        when: When::While(Task::Compare),
        hint: text("quit", "終了"),
        help: text("in the comparison: quit", "比較: 終了する"),
    },
    Entry {
        keys: &[(char('b'), Action::Compare)],
        when: When::Beside,
        hint: text("comparison", "比較へ"),
        help: text("back to the comparison; Esc in the list does so, too", "比較に戻る (一覧では Esc でも戻る)"),
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
            "filter as one types: words, 401, 4xx, is:failure, host: path: method: authn: finding: text: -not",
            "入力しながら絞り込む: 語句, 401, 4xx, is:failure, host: path: method: authn: finding: text: -除外",
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
        keys: &[(char('r'), Action::Readiness)],
        when: When::Browsing,
        hint: text("endpoints", "エンドポイント"),
        help: text(
            "what each server's endpoints offer; one that lacks what others have stands out",
            "各サーバーのエンドポイントが提示する認証方式。ほかと異なるものを目立たせる",
        ),
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
            "show who is who, from memory or from a file that keeps it; copies and exports never have it",
            "利用者名をメモリまたは保存先のファイルから表示する (コピーや変換には含まれない)",
        ),
    },
    Entry {
        keys: &[(char('c'), Action::Copy)],
        when: When::Browsing,
        hint: text("copy", "コピー"),
        help: text(
            "copy the exchange as curl, PowerShell or raw text, without its credentials",
            "資格情報を除いて curl、PowerShell、生テキストとしてコピーする",
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

const fn key(code: KeyCode) -> Chord {
    Chord { code, control: false }
}

const fn char(char: char) -> Chord {
    key(KeyCode::Char(char))
}

const fn control(char: char) -> Chord {
    Chord { code: KeyCode::Char(char), control: true }
}
