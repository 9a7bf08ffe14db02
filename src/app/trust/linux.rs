//! Linux: the store that most programs share, which only root may change, and the databases of Chromium and Mozilla.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Has, Line, Root, Store, line, typed};
use crate::text::Text;

/// The tools that rebuild the system's store, where each looks for roots, and how it is told that one is gone.
const SYSTEM: [(&str, &str, &str, &[&str]); 2] = [
    ("update-ca-certificates", "/usr/local/share/ca-certificates", "crt", &["--fresh"]),
    ("update-ca-trust", "/etc/pki/ca-trust/source/anchors", "pem", &[]),
];

/// Where programs keep NSS databases below the home folder; each folder of profiles is looked into.
const PROFILES: [&str; 5] = [
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ".thunderbird",
    "snap/chromium/current/.pki",
];

pub(super) fn stores(root: &Root) -> Vec<Store> {
    let mut stores = vec![system(root)];
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    stores.extend(databases(&home).into_iter().map(|database| nss(root, &database)));
    stores
}

fn system(root: &Root) -> Store {
    let found = SYSTEM.into_iter().find_map(|(tool, folder, kind, gone)| Some((find(tool)?, folder, kind, gone)));
    let tool_missing = found.is_none();
    let (tool, folder, kind, gone) = found.unwrap_or((SYSTEM[0].0.into(), SYSTEM[0].1, SYSTEM[0].2, SYSTEM[0].3));
    let file = Path::new(folder).join(format!("authtap-{}.{kind}", root.short));
    let mut rebuilt = line([tool.as_os_str()]);
    rebuilt.extend(gone.iter().map(Into::into));
    Store {
        place: Text { en: "System store", ja: "システムのストア" },
        name: folder.to_owned(),
        ready: match (tool_missing, is_root()) {
            (true, _) => Err(Text {
                en: "skipped: neither update-ca-certificates nor update-ca-trust is here",
                ja: "省略しました: update-ca-certificates も update-ca-trust もありません",
            }),
            (_, false) => Err(Text {
                en: "skipped: only root may change it",
                ja: "省略しました: 変更できるのは root だけです",
            }),
            _ => Ok(()),
        },
        has: Has::File(file.clone()),
        install: vec![
            line(["install".as_ref(), "-m".as_ref(), "644".as_ref(), root.path.as_os_str(), file.as_os_str()]),
            line([tool.as_os_str()]),
        ],
        uninstall: vec![line(["rm".as_ref(), "-f".as_ref(), file.as_os_str()]), rebuilt],
        by_hand: |lines| {
            let lines: Vec<Line> = lines.iter().map(|line| [vec!["sudo".into()], line.clone()].concat()).collect();
            typed(&lines)
        },
    }
}

fn nss(root: &Root, database: &Path) -> Store {
    let tool = find("certutil");
    let program = tool.clone().unwrap_or_else(|| "certutil".into());
    let mut place = OsString::from("sql:");
    place.push(database);
    let certutil = |words: &[&OsStr]| -> Line {
        let words = [&[program.as_os_str(), "-d".as_ref(), place.as_os_str()], words].concat();
        words.into_iter().map(OsStr::to_owned).collect()
    };
    let name: &OsStr = root.name.as_ref();
    let new = (!database.join("cert9.db").exists()).then(|| certutil(&["-N".as_ref(), "--empty-password".as_ref()]));
    let made = new.is_some().then(|| line(["mkdir".as_ref(), "-p".as_ref(), database.as_os_str()]));
    let added = certutil(&[
        "-A".as_ref(),
        "-t".as_ref(),
        "C,,".as_ref(),
        "-n".as_ref(),
        name,
        "-i".as_ref(),
        root.path.as_os_str(),
    ]);
    Store {
        place: Text { en: "Browser database", ja: "ブラウザーのデータベース" },
        name: database.display().to_string(),
        ready: if tool.is_some() {
            Ok(())
        } else {
            Err(Text {
                en: "skipped: certutil is not here (package libnss3-tools or nss-tools)",
                ja: "省略しました: certutil がありません (パッケージ libnss3-tools または nss-tools)",
            })
        },
        has: Has::Says(certutil(&["-L".as_ref(), "-n".as_ref(), name])),
        install: made.into_iter().chain(new).chain([added]).collect(),
        uninstall: vec![certutil(&["-D".as_ref(), "-n".as_ref(), name])],
        by_hand: typed,
    }
}

/// The shared database of Chromium, there or not, and those of profiles that are there.
fn databases(home: &Path) -> Vec<PathBuf> {
    let mut databases = vec![home.join(".pki/nssdb")];
    for profiles in PROFILES {
        let folders = std::fs::read_dir(home.join(profiles)).into_iter().flatten().flatten();
        let mut found: Vec<_> =
            folders.map(|folder| folder.path()).filter(|path| path.join("cert9.db").is_file()).collect();
        found.sort();
        databases.extend(found);
    }
    databases
}

/// A program on the path, or where only root has its programs.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
