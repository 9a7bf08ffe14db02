//! What is copied of an exchange does in a shell what the exchange did, and nothing else.

use std::process::Command;

use authtap::exchange::{Ids, Timestamp};
use authtap::redact::Redactor;
use authtap::report::snippet::{Form, snippet};
use authtap::session::paste;

/// A request that somebody wrote who wants what is pasted to be run.
const HOSTILE: &str = "POST /a';touch${IFS}pwned;'?q=$(touch+pwned)`touch+pwned`&b=[1-9] HTTP/1.1\r\n\
     Host: mail.contoso.com\r\nAuthorization: Bearer\r\nX-A: '; touch pwned #\r\nX-B: \"$(touch pwned)\" \\\r\n\
     User-Agent: `touch pwned`\r\nContent-Type: text/plain\r\n\
     Content-Length: 31\r\n\r\n@/etc/passwd\n'; touch pwned;\n'\\";

#[test]
fn a_copied_curl_command_gives_curl_its_words_and_the_shell_nothing() {
    let exchanges = paste::read(HOSTILE.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0));
    let copied = snippet(&exchanges[0], Form::Curl).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // What curl would be given, a word a line, with its line breaks made visible.
    let script = format!("curl() {{ for word; do printf '%s' \"$word\" | tr '\\n' '|'; echo; done; }}\n{copied}");
    let ran = Command::new("sh").arg("-c").arg(&script).current_dir(folder.path()).output().unwrap();
    let words = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{copied}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{copied}");
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(words[..4], ["--globoff", "--include", "--url", words[3]], "{copied}");
    assert!(words.contains(&"User-Agent: `touch pwned`") && words.contains(&"Authorization: Bearer"), "{words:?}");
    assert!(words.contains(&"Content-Type: text/plain"), "{words:?}");
    // curl takes data and fields that begin with @ for files; raw data it does not.
    let data = words.iter().position(|word| *word == "--data-raw").unwrap();
    assert_eq!(words[data + 1..], ["@/etc/passwd|'; touch pwned;|'\\"], "{words:?}");
    assert!(!words[..data].iter().any(|word| word.starts_with('@')), "{words:?}");
}
