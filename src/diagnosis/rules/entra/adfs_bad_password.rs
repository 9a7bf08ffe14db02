//! AD FS refuses the user name or the password.
//!
//! Not to be confused with Entra doing so (`aad-bad-password`), or with Windows authentication at AD FS that a
//! decrypting proxy breaks (`adfs-extended-protection-mitm`).

use crate::diagnosis::person::upn_of;
use crate::diagnosis::refusal::{ANSWERS, asked, refused_by_adfs};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "adfs-bad-password",
    title: Text {
        en: "AD FS refuses the user name or password",
        ja: "AD FS がユーザー名またはパスワードを拒否している",
    },
    explanation: Text {
        en: "AD FS checked the password against Active Directory and was told no: wrong name or password, an account \
             that is locked, disabled or expired, or a name in a form that the domain does not know. AD FS gives the \
             same answer for all of them, and so it does while its extranet lockout holds the account.",
        ja: "AD FS が Active Directory でパスワードを確認した結果、拒否されました。名前やパスワードの誤り、アカウント\
             のロック・無効化・期限切れ、またはドメインが認識できない形式の名前が原因です。AD FS の応答はいずれも同じ\
             で、エクストラネット ロックアウト中も同様です。",
    },
    remedy: Text {
        en: "Ask on the AD FS server why (event 411 in AD FS > Admin, 1203 of the audits, 4625 of the Security log), \
             and unlock if that is it:\n\
             Get-WinEvent -FilterHashtable @{ LogName = 'AD FS/Admin'; Id = 411, 342 } -MaxEvents 20 | Format-List \
             TimeCreated,Message\n\
             Get-AdfsAccountActivity '{user}'\n\
             Reset-AdfsAccountLockout '{user}' -Location Unknown\n\
             Get-ADUser -Identity '<sAMAccountName>' -Properties LockedOut,PasswordExpired,Enabled,UserPrincipalName\n\
             Name the user as DOMAIN\\name or by the user principal name.",
        ja: "AD FS サーバーで理由 ([AD FS] > [Admin] のイベント 411、監査の 1203、セキュリティ ログの 4625) を確認し、\
             ロックアウトであれば解除します。\n\
             Get-WinEvent -FilterHashtable @{ LogName = 'AD FS/Admin'; Id = 411, 342 } -MaxEvents 20 | Format-List \
             TimeCreated,Message\n\
             Get-AdfsAccountActivity '{user}'\n\
             Reset-AdfsAccountLockout '{user}' -Location Unknown\n\
             Get-ADUser -Identity '<sAMAccountName>' -Properties LockedOut,PasswordExpired,Enabled,UserPrincipalName\n\
             ユーザー名は DOMAIN\\name またはユーザー プリンシパル名で指定します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/operations/configure-ad-fs-extranet-smart-loc\
         kout-protection",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::User],
    gate: Gate::status(ANSWERS).showing(Signs::ISSUER_ERROR.or(Signs::SIGN_IN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 1] = [9659];

/// What AD FS says elsewhere: the fault of WS-Trust, and the form, which is told in the language of the browser.
const SAID: [&str; 4] = [
    "ID3242: ",
    "Incorrect user ID or password",
    "ユーザー ID またはパスワードが正しくありません",
    "ユーザー ID またはパスワードが間違っています",
];

fn find(case: &Case<'_>) -> Option<Hit> {
    if let Some(refused) = refused_by_adfs(case, &CODES) {
        return Some(refused.failure(Certainty::Certain, Actor::User));
    }
    if !case.is_adfs() {
        return None;
    }
    let body = case.response_body();
    let words = SAID.iter().find_map(|words| body.find(words).map(|at| &body[at..at + words.len()]))?;
    let user = asked(case, "UserName").map(|user| upn_of(&user));
    let hit = Hit::failure(Certainty::Likely, Actor::User).on(case.on_server()).because(case.evidence_body(words));
    Some(hit.naming("host", case.host_name()).naming("user", user))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password grant is refused",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/oauth2/token/\nContent-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=password&username=avery%40fabrikam.com&password=x",
                "400\nContent-Type: application/json;charset=UTF-8\n\n{\"error\":\"invalid_grant\",\
                 \"error_description\":\"MSIS9659: Invalid \\u0027username\\u0027 or \\u0027password\\u0027.\"}",
            )],
        ),
        Example::fires(
            "the form shows it again",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/ls/?wa=wsignin1.0\nContent-Type: \
                 application/x-www-form-urlencoded\n\nUserName=avery%40fabrikam.com&Password=x",
                "200 OK\nContent-Type: text/html\n\n<html><body><span id=\"errorText\">Incorrect user ID or password. \
                 Type the correct user ID and password, and try again.</span></body></html>",
            )],
        ),
        Example::fires(
            "WS-Trust tells it as a fault",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/services/trust/13/usernamemixed",
                "500\nContent-Type: application/soap+xml\n\n<s:Envelope \
                 xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Reason><s:Text \
                 xml:lang=\"en-US\">ID3242: The security token could not be authenticated or \
                 authorized.</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "the resource is unknown",
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/oauth2/token/",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_resource\",\
                 \"error_description\":\"MSIS9602: The received 'resource' parameter is invalid.\"}",
            )],
        ),
        Example::silent(
            "Entra refuses the password",
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
    ];
}
