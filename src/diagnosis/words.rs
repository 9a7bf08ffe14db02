//! The words for verdicts, kinds, certainties and actors, wherever a person reads them.

use super::{Actor, Certainty, Kind, Verdict};
use crate::text::Text;

const fn text(en: &'static str, ja: &'static str) -> Text {
    Text { en, ja }
}

impl Verdict {
    /// A word of a sentence.
    pub const fn words(self) -> Text {
        match self {
            Self::Ok => text("ok", "正常"),
            Self::Step => text("step", "手順どおり"),
            Self::Failure => text("failure", "失敗"),
            Self::Pending => text("pending", "判定待ち"),
            Self::Unknown => text("unknown", "不明"),
        }
    }
}

impl Kind {
    /// A word of a sentence.
    pub const fn words(self) -> Text {
        match self {
            Self::Step => text("step", "手順"),
            Self::Note => text("note", "注記"),
            Self::Failure => text("failure", "失敗"),
        }
    }
}

impl Certainty {
    /// A word of a sentence.
    pub const fn words(self) -> Text {
        match self {
            Self::Certain => text("certain", "確実"),
            Self::Likely => text("likely", "可能性が高い"),
            Self::Possible => text("possible", "可能性がある"),
        }
    }
}

impl Actor {
    /// Who must act.
    pub const fn words(self) -> Text {
        match self {
            Self::ExchangeAdmin => text("the Exchange administrator", "Exchange の管理者"),
            Self::EntraAdmin => text("the Entra administrator", "Entra の管理者"),
            Self::AdAdmin => {
                text("the Active Directory or AD FS administrator", "Active Directory または AD FS の管理者")
            }
            Self::Network => text(
                "whoever runs the network (load balancer, firewall, reverse proxy, DNS)",
                "ネットワーク (ロード バランサー、ファイアウォール、リバース プロキシ、DNS) の担当者",
            ),
            Self::Client => text("whoever runs the client machine", "クライアント マシンの担当者"),
            Self::MigrationTool => text("whoever runs the migration tool", "移行ツールの担当者"),
            Self::User => text("the user", "ユーザー本人"),
            Self::Microsoft => text("Microsoft", "Microsoft"),
            Self::ThisProxy => text("you, in this proxy's settings", "このプロキシの設定をする人"),
            Self::CaptureTool => {
                text("whoever ran the tool that made this capture", "このキャプチャを取ったツールの担当者")
            }
            Self::Nobody => text("nobody", "対応不要"),
        }
    }
}
