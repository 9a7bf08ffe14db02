//! A client got a token, and asks for the resource without it.
//!
//! A note on that request; it is taken back when a token is sent after all. Not to be confused with a capture that ends before
//! the token could be used, or with the empty Bearer by which a client begins its discovery again on each connection.

use crate::diagnosis::{Actor, Case, Certainty, Evidence, Gate, Hit, Kind, Next, Place, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "token-not-used",
    title: Text { en: "A token was obtained and is not used", ja: "取得したトークンが使われていない" },
    explanation: Text {
        en: "The sign-in host gave a token for {audience} (exchange {exchange}), and this later request to {host} \
             carries none. The client may have got it for another name than the one it asks now, it fell back to \
             another scheme, two programs share the capture, or an old library does not take the token up.",
        ja: "サインイン先は {audience} 向けのトークンを発行しましたが (通信 {exchange})、その後の {host} への要求に\
             はトークンが含まれていません。トークンの対象と現在の要求先の名前が違う、クライアントが別の認証方式に切\
             り替えた、キャプチャに複数のプログラムが混在している、または古いライブラリがトークンを使っていないこと\
             が考えられます。",
    },
    remedy: Text {
        en: "Compare the name in the audience with the host of this request; they must be the same. Look whether \
             the same program (User-Agent) sent both. Outlook: update it, and look at its connection status (Ctrl + \
             right click on the icon in the notification area): the column Authn shows Bearer* when the token is \
             used.",
        ja: "オーディエンスの名前とこの要求のホストを比べます。両者は一致している必要があります。両方の要求が同じプ\
             ログラム (User-Agent) のものかも確認します。Outlook の場合は更新し、接続状態 (通知領域のアイコンを \
             Ctrl キーを押しながら右クリック) を確認します。トークンが使われていれば、[認証] 列に Bearer* と表示さ\
             れます。",
    },
    sources: &["https://learn.microsoft.com/en-us/microsoft-365/enterprise/hybrid-modern-auth-overview"],
    kinds: &[Kind::Note],
    certainties: &[Certainty::Likely, Certainty::Possible],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::ANONYMOUS.or(Signs::BASIC).or(Signs::WINDOWS)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // What does not ask for a token has no use for one.
    let offers = case.challenge("bearer").is_some() || case.past().authorization_uri(case.host()).is_some();
    if !offers {
        return None;
    }
    let token = case.past().unused_token(case.host())?;
    let audience = token.audience.as_str().to_ascii_lowercase();
    let same = audience.split(['/', ':', ' ']).any(|part| part == case.host());
    let certainty = if same { Certainty::Likely } else { Certainty::Possible };
    let obtained = Evidence { exchange: token.exchange, place: Place::ResponseBody, text: token.audience.clone() };
    Some(
        Hit::note(certainty, Actor::Client)
            .on(case.on_server())
            .naming("host", case.host_name())
            .naming("audience", token.audience.clone())
            .naming("exchange", Clean::from(token.exchange))
            .because(case.evidence_request("authorization"))
            .because(obtained)
            .unless(Next::Token),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the client asks without its token",
            (Kind::Note, Certainty::Likely, Actor::Client),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
                ),
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                )
                .on(2),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::fires(
            "it goes on with NTLM instead",
            (Kind::Note, Certainty::Likely, Actor::Client),
            &[
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
                ),
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                )
                .on(2),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: NTLM {ntlm1}",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::fires(
            "the token is for another name of the organisation",
            (Kind::Note, Certainty::Possible, Actor::Client),
            &[
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                ),
                Raw::new(
                    "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
            ],
        ),
        Example::silent(
            "it was used meanwhile",
            &[
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                    "200\n\
                 X-FEServer: EX01",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
                ),
            ],
        ),
        Example::silent(
            "the discovery begins again",
            &[
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                ),
                Raw::new(
                    "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer",
                    "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
                ),
            ],
        ),
        Example::silent(
            "the token was for somebody else",
            &[
                Raw::new(
                    "POST https://login.windows.net/common/oauth2/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\
                 \n\
                 grant_type=authorization_code&resource=https%3A%2F%2Fmail.contoso.com%2F&code=abcdefgh",
                    "200\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"token_type\":\"Bearer\",\"access_token\":\"opaque-token-1234567890\"}",
                ),
                Raw::new(
                    "GET https://www.fabrikam.com/",
                    "401\n\
                 WWW-Authenticate: Bearer realm=\"x\"",
                ),
            ],
        ),
        Example::silent(
            "no token was obtained",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}\n\
                 WWW-Authenticate: NTLM",
            )],
        ),
    ];
}
