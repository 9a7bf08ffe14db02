//! The root certificate by command: shown, renewed and kept aside, limited to domains, put into stores of trust and taken
//! out again; refused where others could get at it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use authtap::exchange::Unseen;

use crate::kit::{Finished, Origin, Workshop, curl, need, saved};

const HOST: &str = "mail.contoso.com";
const OTHER: &str = "mail.fabrikam.com";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn folder_and_key_are_for_their_owner_and_refused_when_they_are_not() {
    let workshop = Workshop::new();
    let folder = workshop.path("ca");
    assert_eq!(ca(&workshop, &["show"]).code, Some(0));
    assert_eq!((mode(&folder), mode(&folder.join("authtap-ca.key"))), (0o700, 0o600));
    for (path, open, advice) in
        [(folder.clone(), 0o777, "chmod 700"), (folder.join("authtap-ca.key"), 0o604, "chmod 600")]
    {
        let closed = mode(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        for (language, words) in [("en", "other users of this machine may"), ("ja", "ほかのユーザー")] {
            let refused = ca(&workshop, &["show", "--lang", language]);
            assert_eq!((refused.code, refused.stdout.as_slice()), (Some(3), &b""[..]), "{}", path.display());
            assert!(refused.error().contains(words) && refused.error().contains(advice), "{}", refused.error());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(closed)).unwrap();
    }
    assert_eq!(ca(&workshop, &["show"]).code, Some(0));
}

#[test]
fn a_renewed_root_takes_the_place_of_the_old_one_which_is_kept() {
    let workshop = Workshop::new();
    let folder = workshop.path("ca");
    let fingerprint = || line(&ca(&workshop, &["show"]).output(), "SHA-256: ");
    let first = fingerprint();
    let old = fs::read(folder.join("authtap-ca.key")).unwrap();
    // Whatever is wrong with the old one, a new one can be had.
    fs::write(folder.join("authtap-ca.pem"), "damaged").unwrap();
    assert_eq!(ca(&workshop, &["show"]).code, Some(3));
    let renewed = ca(&workshop, &["renew"]);
    assert_eq!(renewed.code, Some(0), "{}", renewed.error());
    let second = fingerprint();
    assert_ne!(first, second);
    assert_eq!(line(&renewed.output(), "SHA-256: "), second);
    let kept: Vec<PathBuf> = fs::read_dir(folder.join("replaced")).unwrap().map(|room| room.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert!(renewed.output().contains(&kept[0].display().to_string()));
    assert_eq!(fs::read(kept[0].join("authtap-ca.key")).unwrap(), old);
    assert_eq!((mode(&kept[0]), mode(&kept[0].join("authtap-ca.key"))), (0o700, 0o600));
    assert_eq!(ca(&workshop, &["renew"]).code, Some(0));
    assert_eq!(fs::read_dir(folder.join("replaced")).unwrap().count(), 2, "each in a folder of its own");
}

#[test]
fn a_limited_root_signs_for_its_domains_alone_and_other_hosts_pass_undecrypted() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let renewed = ca(&workshop, &["renew", "--only", "contoso.com", "*.contoso.net"]);
    assert_eq!(
        line(&renewed.output(), "Signs for: "),
        "contoso.com, contoso.net and hosts below; all other hosts pass undecrypted"
    );

    let inside = Origin::answering(Some(workshop.authority.server(&[HOST, OTHER, "10.1.2.3"])), |_| ANSWER.to_vec());
    let outside = Origin::answering(Some(workshop.authority.server(&[OTHER])), |_| ANSWER.to_vec());
    let (to_inside, to_outside) = (inside.resolve(HOST, 443), outside.resolve(OTHER, 443));
    let mut proxy = workshop.proxy(&["--resolve", &to_inside, "--resolve", &to_outside]);

    // Inside, clients that check the limit accept the leaf, although the server's certificate has a name outside.
    let answer = curl(&proxy, &[&format!("https://{HOST}/")]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    // Outside they see the server's own certificate.
    let own = workshop.authority.pem.to_string_lossy().into_owned();
    let answer = curl(&proxy, &["--cacert", &own, &format!("https://{OTHER}/")]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    proxy.exchanges(2);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let unseen: Vec<_> = saved(&session).iter().map(|exchange| exchange.request.unseen().map(Unseen::code)).collect();
    assert_eq!(unseen, [None, Some("outside-root")]);

    for (name, holds) in [
        (HOST, true),
        ("contoso.net", true),
        (OTHER, false),
        ("contoso.com.evil.example", false),
        ("IP:10.1.2.3", false),
    ] {
        assert_eq!(forged(&workshop, name), holds, "a leaf for {name} that a thief of the key signed");
    }
}

#[test]
fn what_is_no_domain_is_a_usage_error() {
    let workshop = Workshop::new();
    for wrong in ["10.1.2.3", "https://contoso.com", "b\u{fc}cher.example", ""] {
        let refused = ca(&workshop, &["renew", "--only", wrong]);
        assert_eq!(refused.code, Some(2), "{wrong}: {}", refused.error());
        assert!(!workshop.path("ca").exists(), "nothing is made for {wrong}");
    }
}

#[test]
fn install_and_uninstall_run_the_tools_of_the_system() {
    if !need(&["certutil"]) {
        return;
    }
    let workshop = Workshop::new();
    let tools = Tools::new(&workshop);
    let database = format!("sql:{}", workshop.path("home/.pki/nssdb").display());
    let trusted = || {
        let listed = Command::new("certutil").args(["-L", "-d", &database]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).matches("authtap root").count()
    };

    let nothing = tools.ca(&workshop, &["uninstall"]);
    assert_eq!(nothing.code, Some(0));
    assert!(nothing.output().contains("nothing to take out"), "{}", nothing.output());
    assert!(!workshop.path("ca/authtap-ca.pem").exists(), "no root is made to be taken out");

    let installed = tools.ca(&workshop, &["install"]);
    assert_eq!(trusted(), 1, "{}", installed.output());
    assert!(installed.output().contains("Browser database"));
    let root = rustix::process::geteuid().is_root();
    if root {
        assert_eq!(installed.code, Some(0), "{}", installed.output());
        let ran = tools.ran();
        assert!(ran[0].starts_with("install -m 644 ") && ran[0].contains("/authtap-"), "{ran:?}");
        assert!(ran[1].starts_with("update-ca-certificates"), "{ran:?}");
    } else {
        assert!(installed.output().contains("by hand: sudo install -m 644"), "{}", installed.output());
    }

    assert_eq!(tools.ca(&workshop, &["renew"]).code, Some(0));
    assert_eq!(tools.ca(&workshop, &["install"]).code, Some(0));
    assert_eq!(trusted(), 2);
    let uninstalled = tools.ca(&workshop, &["uninstall"]);
    assert_eq!(uninstalled.code, Some(0), "{}", uninstalled.error());
    assert_eq!(trusted(), 0, "those before it go, too: {}", uninstalled.output());
}

#[test]
fn where_nothing_can_be_installed_it_says_how_to_do_it_by_hand() {
    let workshop = Workshop::new();
    let empty = workshop.path("empty");
    fs::create_dir(&empty).unwrap();
    for (language, words) in [("en", "by hand: "), ("ja", "手動で行うには: ")] {
        let mut command = workshop.authtap(&["ca", "install", "--lang", language, "--ca-dir"]);
        let refused = Finished::of_command(command.arg(workshop.path("ca")).env("PATH", &empty));
        assert_eq!(refused.code, Some(3), "{}", refused.output());
        assert!(
            refused.output().contains(words) && refused.output().contains("certutil -d sql:"),
            "{}",
            refused.output()
        );
    }
}

/// A folder of programs in the place of the system's: what they are asked for is written down and not done.
struct Tools {
    folder: PathBuf,
}

impl Tools {
    fn new(workshop: &Workshop) -> Self {
        let folder = workshop.path("tools");
        fs::create_dir(&folder).unwrap();
        for name in ["install", "rm", "update-ca-certificates", "sudo"] {
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/sh\necho {name} \"$@\" >> {}\n", folder.join("ran").display())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for real in ["certutil", "mkdir"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {real}")]).output().unwrap();
            let path = String::from_utf8(found.stdout).unwrap();
            std::os::unix::fs::symlink(path.trim(), folder.join(real)).unwrap();
        }
        Self { folder }
    }

    fn ca(&self, workshop: &Workshop, arguments: &[&str]) -> Finished {
        let mut command = workshop.authtap(&["ca"]);
        Finished::of_command(command.args(arguments).arg("--ca-dir").arg(workshop.path("ca")).env("PATH", &self.folder))
    }

    fn ran(&self) -> Vec<String> {
        fs::read_to_string(self.folder.join("ran")).unwrap().lines().map(str::to_owned).collect()
    }
}

fn ca(workshop: &Workshop, arguments: &[&str]) -> Finished {
    let mut command = workshop.authtap(&["ca"]);
    Finished::of_command(command.args(arguments).arg("--ca-dir").arg(workshop.path("ca")))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What follows `label` at the start of a line.
fn line(page: &str, label: &str) -> String {
    page.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("no {label}in:\n{page}")).to_owned()
}

/// Whether OpenSSL accepts a leaf for `name` that was signed with the root's key by somebody else.
fn forged(workshop: &Workshop, name: &str) -> bool {
    let (ca, key) = (workshop.path("ca/authtap-ca.pem"), workshop.path("ca/authtap-ca.key"));
    let (leaf, request, extensions) = (workshop.path("leaf.pem"), workshop.path("leaf.csr"), workshop.path("leaf.ext"));
    let san = if name.contains(':') { name.to_owned() } else { format!("DNS:{name}") };
    fs::write(&extensions, format!("subjectAltName={san}\n")).unwrap();
    let openssl = |arguments: &[&Path]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let word = Path::new;
    let made = openssl(&[
        word("req"),
        word("-new"),
        word("-newkey"),
        word("rsa:2048"),
        word("-nodes"),
        word("-subj"),
        word("/O=thief"),
        word("-keyout"),
        &workshop.path("leaf.key"),
        word("-out"),
        &request,
    ]);
    assert!(made.0, "{}", made.1);
    let signed = openssl(&[
        word("x509"),
        word("-req"),
        word("-in"),
        &request,
        word("-CA"),
        &ca,
        word("-CAkey"),
        &key,
        word("-set_serial"),
        word("1"),
        word("-extfile"),
        &extensions,
        word("-out"),
        &leaf,
    ]);
    assert!(signed.0, "{}", signed.1);
    let (holds, said) = openssl(&[word("verify"), word("-CAfile"), &ca, &leaf]);
    assert!(holds || said.contains("subtree violation"), "{name}: {said}");
    holds
}
