//! Extended Protection for real: a server that verifies channel bindings, clients that send them or not, and what is
//! said of it when this proxy stands between.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::kit::{Acceptor, Proxy, Way, Workshop, curl_through, need, need_python, partner};

const HOST: &str = "mail.contoso.com";
const USER: &str = "CONTOSO\\avery";
const RIGHT: &str = "Right-Pa55";
const WRONG: &str = "Wrong-Pa55";
const PFX_WORD: &str = "Pfx-Pa55";

#[test]
fn without_extended_protection_the_logon_succeeds_and_a_wrong_password_is_called_one() {
    let Some(stage) = Stage::new("off", &[]) else { return };
    assert_eq!(stage.requests(RIGHT), 200);
    assert_eq!(stage.requests(WRONG), 401);
    let session = stage.stop();
    let refused = last(&session);
    assert_eq!(refused["verdict"], "failure");
    assert_eq!(refused["findings"][0], "ntlm-rejected", "{refused}");
    assert!(!found(&session, "ep-channel-binding"), "a foreign binding was accepted there");
}

#[test]
fn required_bindings_break_on_our_certificate_and_we_say_so() {
    let Some(stage) = Stage::new("require", &[]) else { return };
    assert_eq!(stage.requests(RIGHT), 401);
    names_the_interception(&stage.stop());
}

#[test]
fn allowed_bindings_break_on_our_certificate_too_but_none_is_needed() {
    let (true, Some(stage)) = (need(&["curl"]), Stage::new("allow", &[])) else { return };
    assert_eq!(stage.curl(), 200);
    assert_eq!(stage.requests(RIGHT), 401);
    names_the_interception(&stage.stop());
}

#[test]
fn the_logon_succeeds_where_we_do_not_decrypt() {
    for protection in ["allow", "require"] {
        let Some(stage) = Stage::new(protection, &["--skip-decrypt", HOST]) else { return };
        assert_eq!(stage.requests(RIGHT), 200);
        let session = stage.stop();
        let failed = |exchange: &Value| exchange["verdict"] == "failure";
        assert!(!exchanges(&session).iter().any(failed), "{session}");
    }
}

#[test]
fn the_logon_succeeds_with_the_servers_own_certificate() {
    let form = |kind: &'static str| move |stage: &Workshop| own_certificate(stage, kind);
    for kind in ["pem", "pfx"] {
        let Some(stage) = Stage::with("require", form(kind)) else { return };
        assert_eq!(stage.requests(RIGHT), 200, "{kind}");
        let session = stage.stop();
        let failed = |exchange: &Value| exchange["verdict"] == "failure";
        assert!(!exchanges(&session).iter().any(failed), "{session}");
        assert_eq!(last(&session)["status"], 200, "what was decrypted is an exchange of its own: {session}");
    }
}

/// The option that shows the server's own certificate, from a file of `kind` that is made of it.
fn own_certificate(workshop: &Workshop, kind: &str) -> Vec<String> {
    let (pem, key, both) =
        (workshop.path("leaf.pem"), workshop.path("leaf.key"), workshop.path(&format!("own.{kind}")));
    if kind == "pem" {
        fs::write(&both, [fs::read(&pem).unwrap(), fs::read(&key).unwrap()].concat()).unwrap();
    } else {
        let mut command = Command::new("openssl");
        command.args(["pkcs12", "-export", "-passout", &format!("pass:{PFX_WORD}"), "-in"]).arg(&pem);
        let made = command.arg("-inkey").arg(&key).arg("-out").arg(&both).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    vec!["--server-cert".to_owned(), format!("{HOST}={}", both.display())]
}

#[test]
fn a_client_without_a_binding_is_never_called_certain() {
    let (true, Some(stage)) = (need(&["curl"]), Stage::new("require", &[])) else { return };
    assert_eq!(stage.curl(), 401);
    let session = stage.stop();
    let refused = last(&session);
    assert_eq!(refused["verdict"], "failure");
    let first = refused["findings"][0].as_str().unwrap();
    assert!(["ep-binding-missing", "ntlm-rejected"].contains(&first), "{refused}");
    assert!(found(&session, "ep-binding-missing"), "{session}");
    let certain = |finding: &&Value| finding["kind"] == "failure" && finding["certainty"] == "certain";
    assert_eq!(session["findings"].as_array().unwrap().iter().find(certain), None);
}

fn names_the_interception(session: &Value) {
    let refused = last(session);
    assert_eq!(refused["verdict"], "failure");
    assert_eq!(refused["findings"][0], "ep-channel-binding", "{refused}");
    let entry =
        session["findings"].as_array().unwrap().iter().find(|entry| entry["id"] == "ep-channel-binding").unwrap();
    assert!(["likely", "certain"].contains(&entry["certainty"].as_str().unwrap()), "{entry}");
    assert_eq!(entry["actor"], "this-proxy");
    assert!(entry["remedy"].as_str().unwrap().contains(&format!("authtap --skip-decrypt {HOST}")), "{entry}");
}

fn exchanges(session: &Value) -> &[Value] {
    session["exchanges"].as_array().unwrap()
}

fn last(session: &Value) -> &Value {
    exchanges(session).last().expect("exchanges were recorded")
}

fn found(session: &Value, id: &str) -> bool {
    session["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == id)
}

/// A server with one account, and this proxy before it.
struct Stage {
    workshop: Workshop,
    python: PathBuf,
    proxy: Proxy,
    server: Acceptor,
}

impl Stage {
    /// Nothing where this machine lacks what is needed.
    fn new(protection: &str, options: &[&str]) -> Option<Self> {
        Self::with(protection, |_| options.iter().map(|option| (*option).to_owned()).collect())
    }

    /// The same, with options that are made where the server's certificate is.
    fn with(protection: &str, options: impl FnOnce(&Workshop) -> Vec<String>) -> Option<Self> {
        let python = need_python()?;
        let workshop = Workshop::new();
        let server = Acceptor::start(&workshop, &python, &[HOST], &[(USER, RIGHT)], protection);
        let to = format!("{HOST}:443={}", server.address);
        let options = options(&workshop);
        let options: Vec<_> = ["--resolve", &to].into_iter().chain(options.iter().map(String::as_str)).collect();
        let proxy = workshop.proxy(&options);
        Some(Self { workshop, python, proxy, server })
    }

    /// What the client trusts: our root and, where we do not decrypt, the server's own.
    fn trust(&self) -> PathBuf {
        let bundle = self.workshop.path("bundle.pem");
        let pems = [&self.proxy.ca, &self.workshop.authority.pem].map(|path| fs::read_to_string(path).unwrap());
        fs::write(&bundle, pems.concat()).unwrap();
        bundle
    }

    /// The status that requests-ntlm ends with; it sends a binding of the certificate that it sees.
    fn requests(&self, word: &str) -> u16 {
        let mut command = Command::new(&self.python);
        command.arg(partner("ntlm_client.py")).args([
            &format!("https://{HOST}/EWS/Exchange.asmx"),
            "1",
            "1",
            USER,
            word,
        ]);
        let mut way = Way::through(&self.proxy, self.server.address);
        way.ca = self.trust();
        way.run(&mut command)[0].split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The status that `curl --ntlm` ends with; it sends no binding.
    fn curl(&self) -> u16 {
        let login = format!("{USER}:{RIGHT}");
        let url = format!("https://{HOST}/EWS/Exchange.asmx");
        let arguments = ["--no-include", "--output", "/dev/null", "--write-out", "%{http_code}\n", "--ntlm"];
        let answer =
            curl_through(&self.proxy.url(), &self.proxy.ca, &[&arguments[..], &["--user", &login, &url]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.error);
        answer.text().trim().parse().unwrap()
    }

    /// The diagnosis of all that went through.
    fn stop(self) -> Value {
        let session = self.proxy.session.clone();
        let finished = self.proxy.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        self.workshop.diagnose(&session)
    }
}
