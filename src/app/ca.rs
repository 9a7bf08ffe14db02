//! `authtap ca`: the root certificate, made on first use.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::output::Output;
use super::{CaDeed, Exit, Fault};
use crate::proxy::Authority;
use crate::session::autosave;
use crate::text::{Language, Text};

pub(super) fn ca(deed: CaDeed, folder: Option<PathBuf>, language: Language) -> Result<Exit, Fault> {
    let authority = authority(folder)?;
    let page = match deed {
        CaDeed::Path => format!("{}\n", authority.certificate_path().display()),
        CaDeed::Show => show(&authority, language)?,
    };
    Output::standard().page(&page)?;
    Ok(Exit::Done)
}

/// The root that lives in `folder`, or in the user's data folder.
pub(super) fn authority(folder: Option<PathBuf>) -> Result<Authority, Fault> {
    let folder = folder.map_or_else(autosave::data_folder, Ok)?;
    Ok(Authority::load_or_create(&folder)?)
}

fn show(authority: &Authority, language: Language) -> Result<String, Fault> {
    let path = authority.certificate_path();
    let unreadable = |reason| crate::proxy::AuthorityError::Read { path: path.to_owned(), error: reason };
    let pem = std::fs::read_to_string(path).map_err(unreadable)?;
    let mut page = String::new();
    for (label, value) in [
        (Text { en: "File", ja: "ファイル" }, path.display().to_string()),
        (Text { en: "SHA-256", ja: "SHA-256" }, authority.fingerprint()),
    ] {
        let _ = writeln!(page, "{}: {value}", label.to(language));
    }
    let _ = write!(page, "\n{pem}");
    Ok(page)
}
