//! Ids of causes that are no rule, each with its reason: nothing on the wire shows them, or another finding says it.

use crate::text::Text;

/// A cause that no rule can tell.
#[derive(Debug)]
pub struct NoRule {
    /// Kebab-case, as those of the rules, and never one of them.
    pub id: &'static str,
    /// What it is, in one line.
    pub title: Text,
    /// Why there is no rule for it, and what to do all the same.
    pub reason: Text,
    /// The findings to read instead, the nearest first.
    pub instead: &'static [&'static str],
}

/// All of them.
pub static NONE: &[NoRule] = &[
    NoRule {
        id: "eas-options-401",
        title: Text {
            en: "ActiveSync answers OPTIONS without credentials with 401",
            ja: "ActiveSync の資格情報なしの OPTIONS に 401 が返る",
        },
        reason: Text {
            en: "It is the first request of a healthy handshake, as with any other method: Exchange lets nobody ask \
                 for the protocol versions without signing in. With credentials the same request gets 200 and \
                 MS-ASProtocolVersions. A 401 to credentials is a refused password.",
            ja: "他のメソッドと同じく、正常なハンドシェイクの最初の要求です。Exchange はサインインしていない相手にプロ\
                 トコルのバージョンを返しません。資格情報を付けた同じ要求には 200 と MS-ASProtocolVersions が返ります。\
                 資格情報に対する 401 は、パスワードの拒否です。",
        },
        instead: &["hs-anonymous-probe", "basic-bad-credentials"],
    },
    NoRule {
        id: "vdir-setting-lost",
        title: Text {
            en: "A setting made in IIS Manager was overwritten by Exchange",
            ja: "IIS マネージャーでの設定が Exchange に上書きされた",
        },
        reason: Text {
            en: "Traffic shows which schemes a virtual directory offers now, never who changed them. Exchange keeps \
                 the settings of its directories in Active Directory and writes them to IIS again, on updates too. \
                 Change them with Set-...VirtualDirectory (on Exchange 2003 with Exchange System Manager) and not \
                 in IIS Manager.",
            ja: "通信から分かるのは、仮想ディレクトリが現在どの方式を提示しているかであり、誰が変更したかは分かりませ\
                 ん。Exchange は仮想ディレクトリの設定を Active Directory に保存し、更新プログラムの適用時などに IIS に\
                 書き戻します。IIS マネージャーではなく、Set-...VirtualDirectory (Exchange 2003 では Exchange システム \
                 マネージャー) で変更してください。",
        },
        instead: &["vdir-oauth-disabled", "outlook-anywhere-basic-required", "basic-bad-credentials"],
    },
];

/// The one with this id.
pub fn none(id: &str) -> Option<&'static NoRule> {
    NONE.iter().find(|none| none.id == id)
}
