//! What follows Bearer is no token that Exchange can read: 2000001, or by its form alone.
//!
//! Not to be confused with the empty Bearer of the discovery (`hma-empty-bearer`), with a token that is read and does not
//! verify (`token-invalid-signature`), or with what Graph says of such tokens (`graph-token-malformed`).

use crate::diagnosis::answered::by_exchange;
use crate::diagnosis::token::{is_unexplained, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::redact::{OpaqueForm, Token};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "token-malformed",
    title: Text { en: "Exchange cannot read the token", ja: "Exchange がトークンを解釈できない" },
    explanation: Text {
        en: "{host} could not make a token out of what was sent. Exchange takes signed JWTs for itself alone: three \
             parts with dots between them, beginning with eyJ. What came was damaged on its way into the header, is \
             a token of another sort, or lacks claims that every token for Exchange has.",
        ja: "{host} は送られた値をトークンとして解釈できませんでした。Exchange が受け入れるのは Exchange 向けの署名\
             付き JWT だけで、eyJ で始まり、ドットで区切られた 3 つの部分から成ります。ヘッダーに入れる過程で壊れた\
             か、別の種類のトークンか、必要なクレームがないことが考えられます。",
    },
    remedy: Text {
        en: "The evidence shows the form of what was sent:\n\
             - form=double-bearer: the program adds the word Bearer to a value that already has it.\n\
             - form=quoted: it sends the quotation marks of the JSON; take the value of access_token alone.\n\
             - form=broken: blanks or line breaks inside, mostly from copying; remove them.\n\
             - form=damaged-jwt: cut off or decoded on the way; send access_token unchanged and whole.\n\
             - form=microsoft-account: an encrypted token of a personal account (Ew...); sign in with the work \
             account, at https://login.microsoftonline.com/<tenant id>/.\n\
             - jwe: encrypted for somebody else; request the token for the resource https://{host}/ .\n\
             - jwt: it can be read here; see that it is the access_token and not the id_token, and is for \
             https://{host}/ .",
        ja: "送られた値の形式は根拠に示されています。\n\
             - form=double-bearer: Bearer が付いている値に、プログラムがさらに Bearer を付けています。\n\
             - form=quoted: JSON の引用符ごと送っています。access_token の値だけを使います。\n\
             - form=broken: 途中に空白や改行があります (多くはコピーによるもの)。取り除きます。\n\
             - form=damaged-jwt: 途中で切れたか、デコードされています。access_token を変更せずにすべて送ります。\n\
             - form=microsoft-account: 個人アカウントの暗号化トークン (Ew...) です。\
             https://login.microsoftonline.com/<tenant id>/ で職場アカウントを使ってサインインします。\n\
             - jwe: 別のサービス用に暗号化されています。リソース https://{host}/ のトークンを要求します。\n\
             - jwt: 形式は正しいため、id_token ではなく access_token であること、https://{host}/ 向けであることを確\
             認します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
        "RFC 6750 section 2.1",
        "RFC 7519 section 7.2",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[400, 401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    use OpaqueForm::{Broken, DamagedJwt, DoubleBearer, Quoted};
    if let Some(hit) = refused(case, TokenFault::Malformed, Actor::Client) {
        return Some(hit);
    }
    // A blank or line break in a header is refused by IIS before Exchange sees it.
    let by_iis = case.status() == Some(400) && by_exchange(case) && case.is_exchange();
    let untold = is_unexplained(case) && case.token_fault().is_none();
    if !(by_iis || untold) {
        return None;
    }
    let certainty = match case.bearer()? {
        Token::Opaque { form: DoubleBearer | Quoted | Broken | DamagedJwt, .. } => Certainty::Certain,
        // Exchange Online serves personal mailboxes too.
        Token::Opaque { form: OpaqueForm::MicrosoftAccount, .. } if by_iis || case.is_exchange_online() => return None,
        Token::Opaque { .. } | Token::Jwe { .. } if !by_iis => Certainty::Likely,
        _ => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence_request("authorization")).because(case.evidence_status()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an encrypted token of a personal account",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer EwA4A8l6BAAUSYNTHETICopaque==",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000001;reason=\"OAuth token submitted with the request can not be \
                 parsed.\";error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "a claim is missing",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 X-MS-DIAGNOSTICS: 2000001;reason=\"The token is missing the claim type \
                 'aud'.\";error_category=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the category is known",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://Mail.Fabrikam.com:444/mapi/emsmdb/\n\
                 AUTHORIZATION: bearer {jwt aud=https://mail.fabrikam.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000077;reason=\"Not a token.\";error_type=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the word Bearer stands twice and no reason is given",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer Bearer {jwt aud=https://mail.contoso.com/}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "quotation marks were sent with it",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer \"{jwt aud=https://mail.contoso.com/}\"",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "a random string",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer 0123456789abcdef",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "IIS refuses a broken one",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer eyJ0 eXAi",
                "400 Bad Request\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01",
            )],
        ),
        Example::silent(
            "the token is in order",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "the discovery",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the audience is named invalid",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000001;reason=\"The audience claim value is invalid \
                 'https://graph.microsoft.com'.\";error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "GitHub refuses a random string",
            &[Raw::new(
                "GET https://api.github.com/user\n\
                 Authorization: Bearer ghp_0000000000000000000000000000",
                "401\n\
                 Server: github.com\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"message\":\"Bad credentials\"}",
            )],
        ),
    ];
}
