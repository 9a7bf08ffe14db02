//! Entra stops a client that asks for the same again and again.
//!
//! Not to be confused with being asked too much by many (`aad-throttled`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-loop",
    title: Text {
        en: "The client asks for the same token in a loop",
        ja: "クライアントが同じトークンを繰り返し要求している",
    },
    explanation: Text {
        en: "The same client asked for the same thing many times within a few minutes, and Entra ID ends that for a \
             while. The client does not keep its tokens (a broken or read-only cache), or throws each away because \
             the server that it is for refuses it: then that refusal is the cause.",
        ja: "同じクライアントが数分のうちに同じ要求を何度も繰り返したため、Entra ID が一時的に打ち切りました。クライア\
             ントがトークンを保存していない (キャッシュの破損や書き込み不可) か、取得したトークンを相手サーバーに拒否\
             されて毎回破棄しています。後者の場合、その拒否が本当の原因です。",
    },
    remedy: Text {
        en: "Look in this capture at what follows each token: a 401 of the server tells the true cause. Else clear \
             and repair the token cache (Outlook: sign out of Office, remove MicrosoftOffice16_Data:* from Credential \
             Manager; a tool: let it keep tokens and honour expires_in). Entra ID answers again after some minutes \
             without requests.",
        ja: "このキャプチャで、トークン取得後の応答を確認します。サーバーが 401 を返していれば、それが本当の原因です。\
             そうでなければトークン キャッシュを消去して修復します (Outlook では Office からサインアウトし、資格情報マ\
             ネージャーの MicrosoftOffice16_Data:* を削除。ツールではトークンを保存し expires_in に従うようにします)。\
             要求を数分止めると、再び応答します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-breaking-changes",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 1] = [50196];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    Some(refused.failure(Certainty::Certain, refused.caller()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a client loops",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50196: "The server terminated an operation because it encountered a client request loop."
            )],
        ),
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(50196: "The server terminated an operation because it encountered a client request loop.")],
        ),
        Example::silent(
            "too many requests of all",
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                90055: "The server is terminating the request because there are too many requests."
            )],
        ),
    ];
}
