//! `authtap ca`: the root certificate, made on first use.

use std::fmt::Write as _;
use std::path::PathBuf;

use x509_parser::time::ASN1Time;

use super::output::Output;
use super::{CaDeed, Exit, Fault};
use crate::proxy::{Authority, AuthorityError};
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
    let unreadable = |reason| AuthorityError::Read { path: path.to_owned(), error: reason };
    let pem = std::fs::read_to_string(path).map_err(unreadable)?;
    let (_, root) = x509_parser::parse_x509_certificate(authority.certificate())
        .map_err(|_| AuthorityError::NotACertificate { path: path.to_owned() })?;
    let day = |time: &ASN1Time| time.to_datetime().date().to_string();
    let mut page = String::new();
    for (label, value) in [
        (Text { en: "Name", ja: "名前" }, root.subject().to_string()),
        (Text { en: "Valid from", ja: "有効期間の開始" }, day(&root.validity().not_before)),
        (Text { en: "Valid until", ja: "有効期間の終了" }, day(&root.validity().not_after)),
        (Text { en: "SHA-256", ja: "SHA-256" }, authority.fingerprint()),
        (Text { en: "File", ja: "ファイル" }, path.display().to_string()),
    ] {
        let _ = writeln!(page, "{}: {value}", label.to(language));
    }
    let _ = write!(page, "\n{pem}");
    Ok(page)
}
