//! What the parts of a report are called, whatever it is written in.

use crate::diagnosis::{Evidence, Handshake, PREEMPTIVE, StepState};
use crate::text::{Language, Text};

pub(super) const FINDINGS: Text = Text { en: "Findings", ja: "所見" };
pub(super) const OPEN: Text = Text { en: "What is still unknown", ja: "まだ分からないこと" };
pub(super) const STEPS: Text =
    Text { en: "Steps of a healthy handshake", ja: "正常なハンドシェイクの手順" };
pub(super) const HANDSHAKES: Text = Text { en: "Handshakes", ja: "ハンドシェイク" };
pub(super) const TIMELINE: Text = Text { en: "Timeline", ja: "タイムライン" };
pub(super) const OFFERS: Text = Text { en: "What the endpoints offer", ja: "各エンドポイントの認証方式" };
pub(super) const EXCHANGES: Text = Text { en: "Exchanges", ja: "エクスチェンジ" };
pub(super) const TAKEN_OUT: Text = Text { en: "What was taken out", ja: "取り除いたもの" };

pub(super) const WHO_ACTS: Text = Text { en: "Who must act", ja: "対応する人" };
pub(super) const MEANING: Text = Text { en: "What it means", ja: "意味" };
pub(super) const EVIDENCE: Text = Text { en: "Evidence", ja: "根拠" };
pub(super) const DECODED: Text = Text { en: "Decoded", ja: "デコード結果" };
pub(super) const REMEDY: Text = Text { en: "What to do", ja: "対処" };
pub(super) const CANDIDATES: Text =
    Text { en: "Can be behind it, likeliest first", ja: "考えられる原因 (可能性の高い順)" };
pub(super) const DISPROOF: Text = Text { en: "What would disprove it", ja: "この判断が覆る条件" };
pub(super) const SOURCES: Text = Text { en: "Sources", ja: "出典" };

/// Where something should stand and does not.
pub(super) const MISSING: Text = Text { en: "(missing)", ja: "(ありません)" };

/// Columns of the table of what endpoints offer.
pub(super) const OFFER_COLUMNS: [Text; 7] = [
    Text { en: "endpoint", ja: "エンドポイント" },
    Text { en: "server", ja: "サーバー" },
    Text { en: "offers", ja: "提示" },
    Text { en: "lacks", ja: "不足" },
    Text { en: "authorization_uri", ja: "authorization_uri" },
    Text { en: "realm", ja: "realm" },
    Text { en: "last answer", ja: "最後の応答" },
];

/// Columns of the table of exchanges.
pub(super) const EXCHANGE_COLUMNS: [Text; 6] = [
    Text { en: "#", ja: "#" },
    Text { en: "time", ja: "時刻" },
    Text { en: "request", ja: "要求" },
    Text { en: "answer", ja: "応答" },
    Text { en: "verdict", ja: "判定" },
    Text { en: "findings", ja: "所見" },
];

/// What a piece of evidence says.
pub(super) fn said(evidence: &Evidence, language: Language) -> &str {
    match evidence.text.as_str() {
        "" => MISSING.to(language),
        text => text,
    }
}

/// The state of a step of a handshake, in a line of text.
pub(super) const fn state(state: StepState, language: Language) -> &'static str {
    match state {
        StepState::Done => "✓",
        StepState::Failed => "✗",
        StepState::Missing => Text { en: "missing", ja: "欠落" }.to(language),
        StepState::Unseen => Text { en: "not captured", ja: "未捕捉" }.to(language),
    }
}

/// How many exchanges or handshakes a list leaves out.
pub(super) fn not_listed(number: usize, language: Language) -> String {
    Text { en: "Not listed: {number}", ja: "ほかに: {number} 件" }.fill(language, &[("number", &number.to_string())])
}

/// What is added to a handshake's verdict where the client did not wait for a challenge.
pub(super) fn preemptive(handshake: &Handshake, language: Language) -> String {
    if handshake.preemptive { format!(", {}", PREEMPTIVE.to(language)) } else { String::new() }
}
