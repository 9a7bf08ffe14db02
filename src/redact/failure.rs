//! Sentences about a failure that stand in our own files.
//!
//! They were put together of clean parts, and servers are named in them: by address and by host. Servers are no people,
//! so their addresses stay. All else is read as prose is, for the file may have been altered.

use super::door::Door;
use super::{Clean, shape};

impl Door<'_> {
    /// What was said of a failure: prose in which the addresses of servers stay, and `hosts`, which are known otherwise.
    pub fn failure(&self, raw: &[u8], hosts: &[&str]) -> Clean {
        let text = self.text(raw);
        let mut out = String::with_capacity(text.len());
        let (mut prose_from, mut at) = (0, 0);
        for word in text.split_inclusive(is_between) {
            let bare = word.trim_end_matches(is_between);
            let named = [bare, bare.trim_end_matches(['.', ':'])];
            if let Some(name) = named.into_iter().find(|name| shape::is_ip(name) || is_one_of(name, hosts)) {
                self.words(&text[prose_from..at], &mut out);
                out.push_str(name);
                prose_from = at + name.len();
            }
            at += word.len();
        }
        self.words(&text[prose_from..], &mut out);
        Clean::vouch(&out)
    }
}

/// Whether `name` is one of `hosts`, with a port or without on either side.
fn is_one_of(name: &str, hosts: &[&str]) -> bool {
    let bare = |text: &str| text.rsplit_once(':').map_or(text.len(), |(host, _)| host.len());
    !name.is_empty()
        && shape::is_authority(name)
        && hosts.iter().any(|host| name[..bare(name)].eq_ignore_ascii_case(&host[..bare(host)]))
}

/// What stands beside an address in a sentence of ours.
fn is_between(c: char) -> bool {
    c.is_ascii_whitespace() || "()[],;".contains(c)
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;

    fn failure(text: &str) -> String {
        let redactor = Redactor::new();
        let clean = redactor.own().failure(text.as_bytes(), &["srv7k2m9q4x8w1z:443"]);
        assert_eq!(redactor.own().failure(clean.as_str().as_bytes(), &["srv7k2m9q4x8w1z:443"]), clean, "read again");
        clean.as_str().to_owned()
    }

    #[test]
    fn servers_stay() {
        for text in [
            "cannot connect to mail.contoso.com: 192.0.2.10:443 refuses the connection; [2001:db8::a]:443 fails",
            "the server's certificate is not for 192.0.2.7 but for 198.51.100.1, [fe80::], *.contoso.com and 2 others",
            "mail.contoso.com leads to this proxy itself (127.0.0.1:8080): it would call itself for ever",
            "the name srv7k2m9q4x8w1z could not be resolved to an address",
            "cannot connect to srv7k2m9q4x8w1z:443: 192.0.2.10:443 is unreachable from here.",
        ] {
            assert_eq!(failure(text), text);
        }
    }

    #[test]
    fn an_altered_file_smuggles_nothing() {
        for (text, shown) in [
            ("127.0.0.1:44443 says avery@contoso.com", "127.0.0.1:44443 says user#1@contoso.com"),
            ("192.0.2.1 refuses srv7k2m9q4x8w1y", "192.0.2.1 refuses [hidden #1]"),
            ("192.0.2.1, password=hunter2, 192.0.2.2", "192.0.2.1, password=[hidden #1], 192.0.2.2"),
            ("[hidden #4] 192.0.2.1 user#9", "[hidden #4] 192.0.2.1 user#9"),
            ("for client ip=192.0.2.1", "for client ip=ip#1"),
        ] {
            assert_eq!(failure(text), shown);
        }
    }
}
