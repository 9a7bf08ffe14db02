//! Programs that a test talks to and this machine may lack.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use super::apache;

/// Whether all `programs` are there. Where not, the test says so and is over; with CI=true it fails.
pub(crate) fn need(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().copied().filter(|name| !on_path(name)).collect();
    missing.is_empty() || skip(&missing.join(", "))
}

/// The Python of the virtual environment that `.ci/run` makes, or any other that has the packages.
pub(crate) fn need_python() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/partners/bin/python3");
    let found = [ours, PathBuf::from("python3")].into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import exchangelib, hpack, httpx, hyperframe, pyactivesync, requests_ntlm, spnego"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if found.is_none() {
        skip("python3 with the packages of tests/partners/requirements.txt");
    }
    found
}

/// The folder with mitmproxy's programs and a Python that has its packages and pyzipper.
pub(crate) fn need_mitmproxy() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/partners-mitm/bin");
    let there = ours.join("mitmdump").exists() && ours.join("python3").exists();
    (there || skip("target/partners-mitm with the packages of tests/partners/requirements-formats.txt")).then_some(ours)
}

/// Where the packages of `tests/partners/node` are, as `.ci/run` installs them; Node finds them from there.
pub(crate) fn need_node() -> Option<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/partners/node");
    if need(&["node"]) && (packages.join("node_modules/ews-javascript-api").is_dir() || skip("tests/partners/node")) {
        return Some(packages);
    }
    None
}

/// Whether Apache is there with `modules`; with the one for GSSAPI it must know NTLM, too.
pub(crate) fn need_apache(modules: &[&str]) -> bool {
    let ntlm = || {
        fs::read_dir("/etc/gss/mech.d").is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().contains("ntlmssp")))
        })
    };
    let there = on_path("apache2")
        && modules.iter().all(|name| apache::modules().join(format!("mod_{name}.so")).exists())
        && (!modules.contains(&"auth_gssapi") || ntlm());
    there || skip("apache2 with libapache2-mod-auth-gssapi and gss-ntlmssp")
}

fn on_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file()) || Path::new("/usr/sbin").join(name).is_file()
}

/// Written to the handle itself, because what is printed by a test that passes is not shown.
pub(super) fn skip(missing: &str) -> bool {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test").to_owned();
    assert!(env::var("CI").as_deref() != Ok("true"), "{test} needs {missing}");
    let _ = io::stderr().write_all(format!("skipped: {test} needs {missing}\n").as_bytes());
    false
}
