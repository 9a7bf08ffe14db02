//! An Exchange 2007 or 2010 in front refuses an ActiveSync password: the mailbox may still be on Exchange 2003.
//!
//! Possible only, and only where the server is that old: newer ones cannot stand in front of Exchange 2003. The refusal
//! looks the same as with a wrong password (`basic-bad-credentials`, which stands before it).

use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "eas-2003-backend-iwa",
    title: Text {
        en: "ActiveSync: Exchange 2003 behind may refuse Integrated authentication",
        ja: "ActiveSync: Exchange 2003 側で統合 Windows 認証が無効の可能性",
    },
    explanation: Text {
        en: "Exchange 2007 or 2010 passes ActiveSync on to Exchange 2003 by Integrated Windows authentication. \
             There the directory Microsoft-Server-ActiveSync takes Basic alone, unless that was changed, so the \
             device gets 401 although the password is right. Whoever has no Exchange 2003 left can leave this \
             aside.",
        ja: "Exchange 2007 または 2010 は、統合 Windows 認証を使って ActiveSync を Exchange 2003 に中継します。\
             Exchange 2003 の Microsoft-Server-ActiveSync ディレクトリは、変更しない限り基本認証しか受け付けないため、\
             パスワードが正しくてもデバイスに 401 が返ります。Exchange 2003 が残っていない環境には該当しません。",
    },
    remedy: Text {
        en: "Find out where the mailbox is:\n\
             Get-Mailbox -Identity '{user}' | fl Name,ServerName,ExchangeVersion\n\
             On the Exchange 2003 server install the hotfix KB937031. Then in Exchange System Manager, under \
             Protocols, HTTP, open the properties of Microsoft-Server-ActiveSync and turn Integrated Windows \
             Authentication on. Do it there and not in IIS Manager: Exchange overwrites what is set in IIS.",
        ja: "メールボックスの場所を確認します。\n\
             Get-Mailbox -Identity '{user}' | fl Name,ServerName,ExchangeVersion\n\
             Exchange 2003 サーバーに修正プログラム KB937031 を適用し、Exchange システム マネージャーの [プロトコル]、\
             [HTTP] で Microsoft-Server-ActiveSync のプロパティを開き、統合 Windows 認証を有効にします。IIS マネージャ\
             ーではなくここで設定してください。IIS での設定は Exchange が上書きします。",
    },
    sources: &["https://support.microsoft.com/kb/937031", "public capture"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Possible],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401]).showing(Signs::BASIC),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let basic = matches!(case.authorization(), Sent::Credential(Credential::Basic { .. }));
    let asked = case.directory() == Some(Directory::ActiveSync) && case.challenge("basic").is_some();
    if !basic || !asked || case.is_exchange_online() || !case.is_exchange() {
        return None;
    }
    let evidence = old_server(case)?;
    let hit = Hit::failure(Certainty::Possible, Actor::ExchangeAdmin).on(case.on_user()).because(evidence);
    Some(hit.naming("user", case.user().cloned()))
}

/// Exchange 2007 or 2010 by its own word; else the IIS of Windows Server 2003 to 2008 R2, without the header that
/// Exchange 2013 and later write.
fn old_server(case: &Case<'_>) -> Option<crate::diagnosis::Evidence> {
    let said = case.response_header("ms-server-activesync");
    if let Some(version) = said {
        let old = ["6.5", "8.", "14."].iter().any(|start| version.as_str().trim().starts_with(start));
        return old.then(|| case.evidence_header("ms-server-activesync"));
    }
    let server = case.response_header("server")?.as_str();
    let old = ["IIS/6.0", "IIS/7.0", "IIS/7.5"].iter().any(|version| server.contains(version));
    (old && case.response_header("x-feserver").is_none()).then(|| case.evidence_header("server"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const OPTIONS: &str = "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\n\
                           Authorization: Basic {basic avery@contoso.com:secret}";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the server is of the age of Exchange 2007",
            (Kind::Failure, Certainty::Possible, Actor::ExchangeAdmin),
            &[Raw::new(OPTIONS, "401\nServer: Microsoft-IIS/7.0\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"")],
        ),
        Example::fires(
            "the server says that it is Exchange 2010",
            (Kind::Failure, Certainty::Possible, Actor::ExchangeAdmin),
            &[Raw::new(OPTIONS, "401\nMS-Server-ActiveSync: 14.3\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"")],
        ),
        Example::silent(
            "the server is newer than any that can stand before Exchange 2003",
            &[Raw::new(
                OPTIONS,
                "401\nServer: Microsoft-IIS/8.5\nX-FEServer: EX01\nMS-Server-ActiveSync: 15.0\n\
                 WWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
        Example::silent(
            "nobody has sent a password yet",
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync",
                "401\nServer: Microsoft-IIS/7.0\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"",
            )],
        ),
    ];
}
