//! macOS and Windows: each has one store for the user, and a tool that asks before it changes it.

use std::path::PathBuf;

use super::{Has, Root, Store, line, typed};
use crate::text::Text;

pub(super) fn keychain(root: &Root) -> Store {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let keychain = home.join("Library/Keychains/login.keychain-db");
    let (file, name) = (root.path.as_os_str(), root.name.as_ref());
    let security = "security".as_ref();
    Store {
        place: Text { en: "Login keychain", ja: "ログイン キーチェーン" },
        name: keychain.display().to_string(),
        ready: Ok(()),
        has: Has::Says(line([security, "find-certificate".as_ref(), "-c".as_ref(), name, keychain.as_os_str()])),
        install: vec![line([
            security,
            "add-trusted-cert".as_ref(),
            "-r".as_ref(),
            "trustRoot".as_ref(),
            "-k".as_ref(),
            keychain.as_os_str(),
            file,
        ])],
        uninstall: vec![
            line([security, "remove-trusted-cert".as_ref(), file]),
            line([security, "delete-certificate".as_ref(), "-c".as_ref(), name, keychain.as_os_str()]),
        ],
        by_hand: typed,
    }
}

pub(super) fn windows(root: &Root) -> Store {
    let certutil = "certutil".as_ref();
    let user = "-user".as_ref();
    let store = "Root".as_ref();
    let serial = root.serial.as_ref();
    Store {
        place: Text { en: "Trusted Root Certification Authorities", ja: "信頼されたルート証明機関" },
        name: r"Cert:\CurrentUser\Root".to_owned(),
        ready: Ok(()),
        has: Has::Says(line([certutil, user, "-store".as_ref(), store, serial])),
        install: vec![line([certutil, user, "-addstore".as_ref(), store, root.path.as_os_str()])],
        uninstall: vec![line([certutil, user, "-delstore".as_ref(), store, serial])],
        by_hand: typed,
    }
}
