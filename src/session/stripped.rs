//! What exporters take out of a file before they give it away.

/// Whether fields of this name carry credentials.
pub(super) fn carries_credentials(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether an exporter put a mask where such credentials stood. A masked cookie stays: that there was one is all that
/// anybody asks of cookies.
pub(super) fn is_masked_field(name: &str, value: &str) -> bool {
    let asked_for = ["authorization", "proxy-authorization"].iter().any(|known| name.eq_ignore_ascii_case(known));
    asked_for && is_masked(value)
}

/// Whether a credential or a challenge begins with one of these schemes.
pub(super) fn names_scheme(value: &str, schemes: &[&str]) -> bool {
    let first = value.split([' ', ',']).next().unwrap_or_default();
    schemes.iter().any(|scheme| first.eq_ignore_ascii_case(scheme))
}

/// Whether a mask stands where a credential stood: `REDACTED`, `Bearer ***`. Our own markers
/// are no masks; they say what was there.
fn is_masked(value: &str) -> bool {
    let value = value.trim();
    let rest = value.split_once(' ').filter(|(scheme, _)| is_scheme(scheme)).map_or(value, |(_, rest)| rest.trim());
    // `[Authorization redacted]`; a number sign is in all of our own markers.
    let says_so =
        !value.contains('#') && value.split_whitespace().count() <= 3 && value.split_whitespace().any(is_mask);
    says_so || is_mask(value) || is_mask(rest)
}

fn is_scheme(word: &str) -> bool {
    names_scheme(word, &["basic", "bearer", "ntlm", "negotiate", "digest"])
}

fn is_mask(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "redacted",
        "removed",
        "masked",
        "sanitized",
        "sanitised",
        "hidden",
        "stripped",
        "filtered",
        "omitted",
        "obfuscated",
        "scrubbed",
        "secret",
    ];
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric() && c != '*' && c != '\u{2022}');
    let mut letters = bare.chars();
    let same = letters.next().filter(|first| matches!(first, '*' | 'x' | 'X' | '\u{2022}'));
    let dots = bare.is_empty() && text.len() >= 3;
    dots || same.is_some_and(|first| bare.chars().count() >= 3 && letters.all(|letter| letter == first))
        || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::is_masked;

    #[test]
    fn masks_are_told_from_credentials_and_from_our_markers() {
        for mask in [
            "REDACTED",
            "[REDACTED]",
            "[Authorization redacted]",
            "<redacted>",
            "Bearer ***",
            "Basic xxxxxxxx",
            "*****",
            "...",
            "Bearer [removed]",
        ] {
            assert!(is_masked(mask), "{mask}");
        }
        for value in [
            "",
            "Bearer",
            "Bearer eyJ0",
            "Basic QTpC",
            "[hidden #3]",
            "Bearer [opaque #1]",
            "NTLM TlRMTVNTUAAB",
            "ClientId=xxx; a=b",
            "xx",
        ] {
            assert!(!is_masked(value), "{value}");
        }
    }
}
