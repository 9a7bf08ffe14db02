//! What the shape of a piece of text says: which shapes cannot hold a secret, and which look like one.
//!
//! Nothing here decides what is shown; that is for the place the text stands in.

/// A GUID in its usual form, with or without braces.
pub(super) fn is_guid(text: &str) -> bool {
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text).as_bytes();
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A DNS or NetBIOS name by its letters, or an IPv6 address in brackets. No port.
pub(super) fn is_host(text: &str) -> bool {
    let plain = |text: &str| {
        !text.is_empty()
            && text.len() <= 253
            && text.split('.').all(|label| !label.is_empty() && label.len() <= 63)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.contains(':') && inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => plain(text.strip_suffix('.').unwrap_or(text)),
    }
}

/// A host with an optional port.
pub(super) fn is_authority(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            is_host(host) && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
        }
        _ => is_host(text),
    }
}

/// A name of at least three labels whose last is made of letters, as servers are named in full, or of two with a common
/// top level; `avery.howard` is a person.
pub(super) fn is_full_host(text: &str) -> bool {
    const TOPS: [&str; 12] =
        ["com", "net", "org", "edu", "gov", "mil", "info", "local", "corp", "lan", "test", "example"];
    let top = text.rsplit('.').next().unwrap_or_default();
    is_authority(text)
        && match text.matches('.').count() {
            0 => false,
            1 => top.len() == 2 || TOPS.iter().any(|known| known.eq_ignore_ascii_case(top)),
            _ => true,
        }
        && text.split('.').all(|label| label.len() <= 24)
        && (2..=10).contains(&top.len())
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && flips(top) == 0
}

/// The part of a host name that its owner registered, as well as it can be told without the public suffix list: two
/// labels, or three under a country's second level, as in `contoso.co.jp`.
pub fn organisation(host: &str) -> &str {
    const SECOND_LEVEL: [&str; 14] =
        ["ac", "ad", "co", "com", "ed", "edu", "go", "gov", "gr", "lg", "ne", "net", "or", "org"];
    // The last label of a name is no number.
    let number = host.ends_with(|last: char| last.is_ascii_digit()) || host.contains(':');
    if host.starts_with('[') || (number && host.parse::<std::net::IpAddr>().is_ok()) {
        return host;
    }
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return host };
    let country = host.len() - last == 3 && SECOND_LEVEL.contains(&&host[second + 1..last]);
    if country { dots.next().map_or(host, |third| &host[third + 1..]) } else { &host[second + 1..] }
}

/// An application's name in Microsoft's tokens: `id@realm`, `id/host@realm`, where the id is a GUID. It is no mail
/// address.
pub(super) fn is_principal(text: &str) -> bool {
    let Some((left, realm)) = text.rsplit_once('@') else { return false };
    let (id, host) = left.split_once('/').map_or((left, None), |(id, host)| (id, Some(host)));
    // Microsoft's own begin so; any other GUID at a domain's name may be a mailbox's, as Autodiscover writes it.
    let named = || host.is_some() || realm == "*" || is_guid(realm) || id.starts_with("0000000");
    is_guid(id) && host.is_none_or(is_host) && (realm == "*" || is_host(realm)) && named()
}

/// An IPv4 or IPv6 address, with an IPv4 port or without.
pub(super) fn is_ip(text: &str) -> bool {
    let host = text.strip_prefix('[').and_then(|inner| inner.split_once(']')).map_or(text, |(inner, _)| inner);
    let v4 = || text.rsplit_once(':').is_some_and(|(host, _)| host.parse::<std::net::Ipv4Addr>().is_ok());
    host.parse::<std::net::IpAddr>().is_ok() || v4()
}

/// A value that cannot hold a secret, whatever it is called: a number of up to ten digits, a truth value, a date, a
/// version, a media type, a word of a closed set, a server's full name.
pub(super) fn is_harmless(text: &str) -> bool {
    is_number(text)
        || is_known_word(text)
        || is_version(text)
        || is_date(text)
        || is_media_type(text)
        || (is_full_host(text) && !is_opaque(text, 15))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_version(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    text.len() <= 24
        && text.contains('.')
        && text.split('.').all(|part| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
        && !is_ip(text)
}

/// RFC 9110 dates and ISO 8601 ones: short, of digits and the letters of month, day and zone names.
fn is_date(text: &str) -> bool {
    let iso = |text: &str| {
        text.len() <= 35
            && text.as_bytes().get(4) == Some(&b'-')
            && text.as_bytes().get(7) == Some(&b'-')
            && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'T' | b'Z' | b' ' | b'+'))
    };
    let words = |text: &str| {
        const WORDS: &str = " mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday \
                             jan feb mar apr may jun jul aug sep oct nov dec gmt utc ";
        text.len() <= 40
            && text.contains(':')
            && text.split([' ', ',', '-', ':']).filter(|word| !word.is_empty()).all(|word| {
                word.bytes().all(|byte| byte.is_ascii_digit())
                    || WORDS.contains(&format!(" {} ", word.to_ascii_lowercase()))
            })
    };
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()) && (iso(text) || words(text))
}

fn is_media_type(text: &str) -> bool {
    const TOPS: [&str; 7] = ["application", "text", "image", "audio", "video", "multipart", "message"];
    let kind = text.split(';').next().unwrap_or_default().trim();
    text.len() <= 100
        && kind.split_once('/').is_some_and(|(top, sub)| {
            TOPS.iter().any(|known| known.eq_ignore_ascii_case(top)) && is_plain_segment(&sub.replace('+', "."))
        })
        && text.split(';').skip(1).all(|parameter| {
            let (name, value) = parameter.trim().split_once('=').unwrap_or((parameter.trim(), ""));
            matches!(name.to_ascii_lowercase().as_str(), "charset" | "type" | "odata.metadata" | "odata" | "version")
                && is_plain_segment(value.trim_matches('"'))
        })
}

/// Words that protocols of this field use as values.
fn is_known_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "none",
        "null",
        "default",
        "all",
        "any",
        "ok",
        "error",
        "success",
        "warning",
        "basic",
        "bearer",
        "digest",
        "ntlm",
        "negotiate",
        "kerberos",
        "anonymous",
        "windows",
        "oauth",
        "get",
        "post",
        "put",
        "head",
        "options",
        "patch",
        "delete",
        "http",
        "https",
        "gzip",
        "deflate",
        "br",
        "identity",
        "chunked",
        "close",
        "keep-alive",
        "nosniff",
        "deny",
        "sameorigin",
        "no-cache",
        "no-store",
        "private",
        "public",
        "utf-8",
        "utf-16",
        "us-ascii",
        "iso-8859-1",
        "shift_jis",
        "en-us",
        "ja-jp",
        "en",
        "ja",
        "hit",
        "miss",
        "allow",
        "accept",
        "f",
        "t",
        "connect",
        "execute",
        "disconnect",
        "bind",
        "unbind",
        "notificationwait",
        "exch",
        "expr",
        "web",
        "mapihttp",
        "ews",
        "activesync",
        "rest",
        "autodiscoverv1",
        "settings",
        "email",
        "idonly",
        "allproperties",
        "inbox",
        "calendar",
        "contacts",
        "drafts",
        "sentitems",
        "deleteditems",
        "msgfolderroot",
        "root",
        "user",
        "wsdl",
        "singlewsdl",
        "xsd",
        "disco",
    ];
    text.len() <= 18 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The rule for path segments: at most 32 characters, and every run between `.`, `-`, `_` and blanks is letters only or
/// at most 8 characters. Letters whose case changes as it does in base64 do not count as letters.
pub(super) fn is_plain_segment(text: &str) -> bool {
    text.chars().count() <= 32
        && !text.chars().any(|c| c.is_control() || matches!(c, '[' | ']' | '#' | '@' | '\\'))
        && text.split(['.', '-', '_', ' ']).all(|run| {
            let letters = run.chars().all(char::is_alphabetic);
            run.chars().count() <= 8 || (letters && flips(run) * 4 <= run.len())
        })
}

/// Whether a name (of a header, a parameter, an element, a cookie) is one that people give: bounded, of the letters of
/// a token, not random.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'$' | b'@'))
        && !text.get(1..).is_some_and(|rest| rest.contains('@'))
        && !is_guid(text)
        && !is_opaque(text, 16)
}

/// Whether a name is made of words alone: letters, with `-`, `_` and `.` between them.
pub(super) fn is_words(text: &str) -> bool {
    is_name(text)
        && text
            .split(['-', '_', '.'])
            .all(|run| run.bytes().all(|b| b.is_ascii_alphabetic()) && flips(run) * 4 <= run.len())
}

/// Whether a word looks like nothing that people write: a token, a key, a hash. `run` is how long a mix of letters and
/// digits may be.
pub(super) fn is_opaque(word: &str, run: usize) -> bool {
    word.len() > 256
        || (!is_guid(word) && word.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| is_opaque_run(part, run)))
}

fn is_opaque_run(run: &str, most: usize) -> bool {
    if run.len() <= 8 {
        return false;
    }
    let letters = run.bytes().take_while(u8::is_ascii_alphabetic).count();
    let tail = &run[letters..];
    if run.bytes().all(|byte| byte.is_ascii_digit()) {
        return run.len() > 20;
    }
    if tail.bytes().all(|byte| byte.is_ascii_digit()) {
        return letters > 40 || tail.len() > 10 || flips(&run[..letters]) * 4 > letters;
    }
    if let Some(hex) = run.strip_prefix("0x") {
        return hex.len() > 8 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    run.len() > most
}

/// How often a capital follows a small letter: in names of several words every fifth letter or less, in base64 more.
fn flips(letters: &str) -> usize {
    letters.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_share_an_organisation() {
        assert_eq!(organisation("mail.contoso.com"), organisation("autodiscover.contoso.com"));
        assert_eq!(organisation("mail.contoso.co.jp"), "contoso.co.jp");
        assert_eq!(organisation("mail.abc.de"), "abc.de");
        assert_eq!(organisation("contoso.com"), "contoso.com");
        assert_eq!(organisation("mail"), "mail");
        assert_eq!(organisation("10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn knows_harmless_shapes() {
        for text in [
            "0",
            "-1",
            "true",
            "15.2.1544.11",
            "Thu, 13 Jul 2017 18:22:13 GMT",
            "2017-11-16 20:36:16Z",
            "text/xml; charset=utf-8",
            "Wed, 25-Oct-2017 11:59:16 GMT",
            "mail.contoso.com",
            "application/mapi-http",
            "DM5PR13CA0042.NAMPRD13.PROD.OUTLOOK.COM",
        ] {
            assert!(is_harmless(text), "{text}");
        }
        for text in [
            "",
            "hunter2",
            "avery.howard",
            "SYNTHETIC",
            "12345678901234",
            "aHVudGVyMjI=",
            "Tr0ub4dor&3",
            "text/hunter2secret9",
            "eyJhbGciOiJub25lIn0.eyJhdWQi",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }

    #[test]
    fn tells_words_from_tokens() {
        for word in [
            "AADSTS7000215:",
            "TokensValidFrom",
            "0x80070005",
            "FederatedStsUnreachable",
            "2017-10-28T17:20:13.2960000Z",
            "application/json",
        ] {
            assert!(!is_opaque(word, 8), "{word}");
        }
        for word in [
            "aHVudGVyMjI",
            "7A1C0DE0000000000000000000000000000000AA",
            "eyJ0eXAiOiJKV1Qi",
            "0.AXkAq83bDQ4nrEyrBlLuLEDqIg",
        ] {
            assert!(is_opaque(word, 8), "{word}");
        }
    }

    #[test]
    fn tells_principals_from_mail_addresses() {
        assert!(is_principal("00000001-0000-0000-c000-000000000000@*"));
        assert!(is_principal("00000002-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com"));
        assert!(is_principal("5a1c3a62-1f0e-4e0b-9d37-0c5f7a0e6d11@f31f3647-5d87-4b69-a0b6-73f62aeab14c"));
        assert!(!is_principal("avery@contoso.com"));
        assert!(!is_principal("5a1c3a62-1f0e-4e0b-9d37-0c5f7a0e6d11@contoso.com"));
    }
}
