//! `authtap ca`: the root certificate, made on first use; who trusts it; a new one in its place.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::output::Output;
use super::trust::{self, Root};
use super::{CaDeed, Exit, Fault};
use crate::proxy::{Authority, AuthorityError, Domain};
use crate::session::autosave;
use crate::text::{Language, Text};

pub(super) fn ca(deed: CaDeed, folder: Option<PathBuf>, language: Language) -> Result<Exit, Fault> {
    let folder = folder.map_or_else(autosave::data_folder, Ok)?;
    match deed {
        CaDeed::Path => say(&format!("{}\n", Authority::load_or_create(&folder)?.certificate_path().display())),
        CaDeed::Show => say(&show(&Authority::load_or_create(&folder)?, language)?),
        CaDeed::Install => install(&folder, language),
        CaDeed::Uninstall => uninstall(&folder, language),
        CaDeed::Renew { only } => renew(&folder, &only, language),
    }
}

/// The root that lives in `folder`, or in the user's data folder.
pub(super) fn authority(folder: Option<PathBuf>) -> Result<Authority, Fault> {
    let folder = folder.map_or_else(autosave::data_folder, Ok)?;
    Ok(Authority::load_or_create(&folder)?)
}

fn say(page: &str) -> Result<Exit, Fault> {
    Output::standard().page(page)?;
    Ok(Exit::Done)
}

fn show(authority: &Authority, language: Language) -> Result<String, Fault> {
    let path = authority.certificate_path();
    let unreadable = |reason| AuthorityError::Read { path: path.to_owned(), error: reason };
    let pem = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(format!("{}\n{pem}", facts(authority, language)))
}

fn facts(authority: &Authority, language: Language) -> String {
    let day = |time: OffsetDateTime| time.date().to_string();
    let (from, until) = authority.validity();
    let mut page = String::new();
    for (label, value) in [
        (Text { en: "Name", ja: "名前" }, authority.name().to_owned()),
        (Text { en: "Valid from", ja: "有効期間の開始" }, day(from)),
        (Text { en: "Valid until", ja: "有効期間の終了" }, day(until)),
        (Text { en: "Signs for", ja: "署名の対象" }, reach(authority.domains(), language)),
        (Text { en: "SHA-256", ja: "SHA-256" }, authority.fingerprint()),
        (Text { en: "File", ja: "ファイル" }, authority.certificate_path().display().to_string()),
    ] {
        let _ = writeln!(page, "{}: {value}", label.to(language));
    }
    page
}

/// What a root limited to `domains` may sign for, and what becomes of the rest.
fn reach(domains: &[Domain], language: Language) -> String {
    let names: Vec<_> = domains.iter().map(ToString::to_string).collect();
    let text = if domains.is_empty() {
        Text {
            en: "every host (authtap ca renew --only DOMAIN makes a root that is limited to some)",
            ja: "すべてのホスト (authtap ca renew --only DOMAIN で、対象を限ったルートを作れます)",
        }
    } else {
        Text {
            en: "{names} and hosts below; all other hosts pass undecrypted",
            ja: "{names} とその配下のホスト。ほかのホストは復号せずに通します",
        }
    };
    text.fill(language, &[("names", &names.join(", "))])
}

fn renew(folder: &Path, only: &[Domain], language: Language) -> Result<Exit, Fault> {
    let (authority, kept) = Authority::renew(folder, only)?;
    let mut page = facts(&authority, language);
    if let Some(kept) = kept {
        let next = Text {
            en: "\nThe root before it is kept in {kept} and signs nothing any more. A proxy that runs goes on with it until it \
                 is started anew.\nWhere it is trusted, it still is: authtap ca uninstall takes it out of the stores of this \
                 system,\nauthtap ca install puts the new one there. Then delete the folder.\n",
            ja: "\n前のルートは {kept} に保管されており、今後は署名に使われません。実行中のプロキシは、再起動するまで前のルートを使い続けます。\n\
                 前のルートを信頼済みにしたストアでは、まだ信頼されたままです。authtap ca uninstall でこのシステムのストアから取り除き、\n\
                 authtap ca install で新しいルートを登録してください。その後、フォルダーを削除してください。\n",
        };
        page.push_str(&next.fill(language, &[("kept", &kept.display().to_string())]));
    }
    say(&page)
}

fn install(folder: &Path, language: Language) -> Result<Exit, Fault> {
    let authority = Authority::load_or_create(folder)?;
    let root = Root::read(authority.certificate_path())?;
    let attempts = trust::install(&root);
    say(&trust::page(&attempts, language))?;
    if attempts.iter().any(trust::Attempt::failed) || !attempts.iter().any(trust::Attempt::done) {
        return Err(Fault::NotInstalled);
    }
    Ok(Exit::Done)
}

/// The root that is used and those before it. Nothing is made for it, and a root with a lost key goes, too.
fn uninstall(folder: &Path, language: Language) -> Result<Exit, Fault> {
    let mut certificates = Authority::replaced(folder);
    certificates.extend(Some(Authority::path_in(folder)).filter(|path| path.exists()));
    let mut attempts = Vec::new();
    for certificate in certificates {
        attempts.extend(trust::uninstall(&Root::read(&certificate)?));
    }
    say(&trust::page(&attempts, language))?;
    if attempts.iter().any(trust::Attempt::failed) { Err(Fault::NotUninstalled) } else { Ok(Exit::Done) }
}
