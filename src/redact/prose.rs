//! Text for people: words stay, identities become pseudonyms, opaque words are masked.
//!
//! Errors are told in prose, and the answer often stands there; so does, now and then, the token that was refused.

use super::door::Door;
use super::memory::Kind;
use super::names::{self, Treatment};
use super::{marker, shape};

/// How prose is read.
#[derive(Clone, Copy)]
struct Style {
    /// How long a mix of letters and digits may be before it is taken for a token.
    run: usize,
    /// Whether four numbers with dots are an address; else they are a version.
    addresses: bool,
}

impl Door<'_> {
    /// Prose: error texts, reasons, diagnostics.
    pub(super) fn words(&self, text: &str, out: &mut String) {
        self.sentence(text, Style { run: 8, addresses: true }, out);
    }

    /// Names and versions of products: `User-Agent`, `Server`, `Via`.
    pub(super) fn product(&self, text: &str, out: &mut String) {
        self.sentence(text, Style { run: 15, addresses: false }, out);
    }

    /// What servers say of themselves and of a failure: prose with their short names in it.
    pub(super) fn diagnostics(&self, text: &str, out: &mut String) {
        self.sentence(text, Style { run: 15, addresses: true }, out);
    }

    fn sentence(&self, text: &str, style: Style, out: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            if rest.starts_with('[')
                && let Some(length) = marker::length(rest)
            {
                self.hide(&rest[..length], out);
                rest = &rest[length..];
                continue;
            }
            let end = word_end(rest);
            if end == 0 {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..first]);
                rest = &rest[first..];
                continue;
            }
            let word = &rest[..end];
            let hash = word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hash && names::ends_with_thumbprint(out) {
                out.push_str(word);
            } else {
                let from = out.len();
                self.word(word, style, out);
                if out[from..] != *word && !self.settled(&out[from..], style) {
                    out.truncate(from);
                    self.hide(word, out);
                }
            }
            rest = &rest[end..];
        }
    }

    /// Whether a text of ours would be read again as it is. A word in which several things were masked may not, when
    /// their marks run into each other.
    fn settled(&self, shown: &str, style: Style) -> bool {
        let door = self.as_own();
        let mut again = String::with_capacity(shown.len());
        let mut rest = shown;
        while !rest.is_empty() {
            let marker = if rest.starts_with('[') { marker::length(rest) } else { None };
            let length = marker.unwrap_or_else(|| word_end(rest));
            match (marker, length) {
                (Some(length), _) => again.push_str(&rest[..length]),
                (None, 0) => again.push_str(&rest[..rest.chars().next().map_or(1, char::len_utf8)]),
                (None, length) => door.word(&rest[..length], style, &mut again),
            }
            rest = &rest[length.max(rest.chars().next().map_or(1, char::len_utf8))..];
        }
        again == shown
    }

    /// One word with the punctuation behind it.
    fn word(&self, word: &str, style: Style, out: &mut String) {
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        let tail = &word[bare.len()..];
        self.bare_word(bare, style, out);
        out.push_str(tail);
    }

    fn bare_word(&self, word: &str, style: Style, out: &mut String) {
        // Most words are short and plain; none of the tests below could say anything of them.
        if word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return out.push_str(word);
        }
        if shape::is_guid(word) || shape::is_principal(word) {
            return out.push_str(word);
        }
        if let Some(at) = word.find("://") {
            let scheme = word[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
            // A sign before the scheme is one byte only where it is ASCII; others end a word or are letters.
            if word.is_char_boundary(scheme) {
                self.bare_word(&word[..scheme], style, out);
                return self.any_url(&word[scheme..], out);
            }
        }
        if word.contains('%') {
            // An address in the encoding of forms; the words around it come with it.
            let decoded = super::percent_decoded(word);
            if decoded.contains(['@', '\\']) && decoded != word {
                let mut shown = String::new();
                self.sentence(&decoded, style, &mut shown);
                if shown == *decoded {
                    out.push_str(word);
                } else {
                    super::url::encode_query(&shown, out);
                }
                return;
            }
        }
        if let Some((name, value)) = word.split_once(['=', ':'])
            && !value.is_empty()
            && value.bytes().any(|byte| byte != b'=')
            && !name.is_empty()
        {
            match names::known(name) {
                Some(
                    Treatment::Shape
                    | Treatment::Words
                    | Treatment::Diagnostics
                    | Treatment::Product
                    | Treatment::Url
                    | Treatment::Claims,
                )
                | None => {
                    if word.as_bytes()[name.len()] == b'=' {
                        self.bare_word(name, style, out);
                        out.push('=');
                        return self.bare_word(value, style, out);
                    }
                }
                Some(treatment) => {
                    out.push_str(&word[..=name.len()]);
                    return self.treat(treatment, value, out);
                }
            }
        }
        if word.contains('@') {
            return self.address(word, style, out);
        }
        if let Some((domain, name)) = word.split_once('\\')
            && !name.is_empty()
            && !name.contains(['\\', '='])
            && domain.len() > 1
            && shape::is_host(domain)
        {
            return self.identity(Kind::User, word, out);
        }
        if style.addresses && shape::is_ip(word) {
            return self.identity(Kind::Address, word, out);
        }
        if let Some((kind, _)) = marker::pseudonym(word) {
            return self.identity(kind, word, out);
        }
        let full_host = shape::is_full_host(word) && !shape::is_opaque(word, 15);
        if !full_host && shape::is_opaque(word, style.run) {
            return self.hide(word, out);
        }
        out.push_str(word);
    }

    /// A word with an `@` in it: a mail address with what stands before and behind it.
    fn address(&self, word: &str, style: Style, out: &mut String) {
        let Some((before, after)) = word.split_once('@') else { return };
        if before.is_empty() && !after.contains('@') {
            out.push('@');
            return self.bare_word(after, style, out);
        }
        let local = before.rfind(['=', ':', '/', '\\']).map_or(0, |at| at + 1);
        let domain = after.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_' | '*'));
        let (domain, rest) = after.split_at(domain.unwrap_or(after.len()));
        if before.len() == local || domain.is_empty() || after.contains('@') {
            return self.hide(word, out);
        }
        self.bare_word(&before[..local], style, out);
        if shape::is_guid(&before[local..]) {
            out.push_str(&word[local..before.len() + 1 + domain.len()]);
        } else {
            self.identity(Kind::User, &word[local..before.len() + 1 + domain.len()], out);
        }
        self.bare_word(rest, style, out);
    }
}

/// Where the word that `text` begins with ends: before what stands between words, or before an escaped byte.
fn word_end(text: &str) -> usize {
    let end = text.find(is_between).unwrap_or(text.len());
    let escape = text[..end].match_indices('\\').find(|(at, _)| is_escaped_byte(&text[*at..]));
    if let Some((at, _)) = escape {
        return at;
    }
    if text[..end].contains("://") { url_end(text) } else { end }
}

/// Where a URL in prose ends: where a word does, but for the brackets of an IPv6 address and of encoded markers.
fn url_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(length) = text[at..].find(is_between) {
        at += length;
        let Some(close) = text[at..].find(']').filter(|_| text[at..].starts_with('[')) else { return at };
        let inside = &text[at..=at + close];
        let marker = inside.contains(['%', '+']) && marker::is_marker(&super::percent_decoded(inside));
        let address = inside.contains("::") && shape::is_host(inside);
        if !marker && !address {
            return at;
        }
        at += close + 1;
    }
    text.len()
}

/// A byte above 127 of no UTF-8, as it stands in clean text: `\xE9`. A backslash of the wire before an `x` reads `\x5C`.
const fn is_escaped_byte(text: &str) -> bool {
    matches!(text.as_bytes(), [b'\\', b'x', b'8' | b'9' | b'A'..=b'F', b'0'..=b'9' | b'A'..=b'F', ..])
}

/// What stands between words: blanks, quotation marks, brackets, and any sign beyond ASCII that is no letter.
fn is_between(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_whitespace() || c.is_ascii_control() || "\"'`<>()[]{},;|".contains(c)
    } else {
        !c.is_alphanumeric()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;

    fn prose(text: &str) -> String {
        let redactor = Redactor::new();
        let clean = redactor.wire().prose(text.as_bytes());
        assert_eq!(redactor.own().prose(clean.as_str().as_bytes()), clean, "own door on our own output");
        clean.as_str().to_owned()
    }

    #[test]
    fn leaves_what_a_diagnosis_reads() {
        for text in [
            "Unauthorized",
            "The hostname component of the audience claim value is invalid. Expected 'https://mail.contoso.com'. Actual 'http://mail.contoso.com'.",
            "AADSTS50001: The application named https://mail.contoso.com/ was not found in the tenant named contoso.com.\r\nTrace ID: cf03a6bd-610b-47d5-bf0b-90e59d0e0100\r\nTimestamp: 2017-11-17 23:31:02Z",
            "The grant was issued on '2017-10-28T17:20:13.2960000Z'",
            "Issuer was '00000001-0000-0000-c000-000000000000@f31f3647-5d87-4b69-a0b6-73f62aeab14c'.",
            "AADSTS50012: [Reason - The key was not found., Thumbprint of key used by client: '7A1C0DE0000000000000000000000000000000AA']",
            "CompactToken parsing failed with error code: 80049217",
            "Mailbox on DM5PR18MB1004.namprd18.prod.outlook.com (15.20.7091.21)",
            "資格情報が無効です。（AADSTS50126）",
        ] {
            assert_eq!(prose(text), text);
        }
    }

    #[test]
    fn bytes_of_other_charsets_are_no_domain_and_user() {
        let redactor = Redactor::new();
        let clean = redactor.wire().prose(b"Acc\xe8s refus\xe9 \xe0 CONTOSO\\xavier");
        assert_eq!(clean.as_str(), r"Acc\xE8s refus\xE9 \xE0 CONTOSO\user#1");
        assert_eq!(redactor.own().prose(clean.as_str().as_bytes()), clean);
    }

    #[test]
    fn masks_people_and_tokens() {
        for (text, shown) in [
            (
                "Flighting is not enabled for domain 'avery@contoso.com'.",
                "Flighting is not enabled for domain 'user#1@contoso.com'.",
            ),
            (r"Logon failed for CONTOSO\avery.", r"Logon failed for CONTOSO\user#1."),
            ("token eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0. refused", "token [hidden #1]. refused"),
            ("password=hunter2;user=avery", "password=[hidden #1];user=user#1"),
            ("<X-forwarded-for:203.0.113.5><ST=11:21:43>", "<X-forwarded-for:ip#1><ST=11:21:43>"),
            ("see https://contoso.com/?code=hunter2.", "see https://contoso.com/?code=[hidden+%231]."),
            ("ユーザーavery@contoso.comは", "user#1@contoso.comは"),
            ("[hidden #4] user#9", "[hidden #1] user#1"),
        ] {
            assert_eq!(prose(text), shown);
        }
    }
}
