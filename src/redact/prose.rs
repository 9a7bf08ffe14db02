//! Text for people: words stay, identities become pseudonyms, opaque words are masked.
//!
//! Errors are told in prose, and the answer often stands there; so does, now and then, the token that was refused.

use super::door::Door;
use super::memory::Kind;
use super::names::{self, Treatment};
use super::{json, marker, markup, shape};

/// How many parameters are looked for in one word.
const DEEPEST: usize = 32;

/// So many letters in a row that are spelled as escapes are no accident.
const SPELLED: usize = 4;

/// How prose is read.
#[derive(Clone, Copy)]
struct Style {
    /// How long a mix of letters and digits may be before it is taken for a token.
    run: usize,
    /// Whether four numbers with dots are an address; else they are a version.
    addresses: bool,
    /// Whether what an id's name stands before is shown whatever it looks like. Names of products hold no such ids.
    ids: bool,
}

impl Door<'_> {
    /// Prose: error texts, reasons, diagnostics.
    pub(super) fn words(&self, text: &str, out: &mut String) {
        self.settled_sentence(text, Style { run: 8, addresses: true, ids: true }, out);
    }

    /// Names and versions of products: `User-Agent`, `Server`, `Via`.
    pub(super) fn product(&self, text: &str, out: &mut String) {
        self.settled_sentence(text, Style { run: 15, addresses: false, ids: false }, out);
    }

    /// What servers say of themselves and of a failure: prose with their short names in it.
    pub(super) fn diagnostics(&self, text: &str, out: &mut String) {
        self.settled_sentence(text, Style { run: 15, addresses: true, ids: true }, out);
    }

    fn settled_sentence(&self, text: &str, style: Style, out: &mut String) {
        if self.settled(text, out, |door, text, out| door.sentence(text, style, out)).is_none() {
            self.hide(text, out);
        }
    }

    fn sentence(&self, text: &str, style: Style, out: &mut String) {
        let mut rest = text;
        while let Some((from, to)) = spelled_out(rest) {
            self.plain_sentence(&rest[..from], style, out);
            self.hide(&rest[from..to], out);
            rest = &rest[to..];
        }
        self.plain_sentence(rest, style, out);
    }

    fn plain_sentence(&self, text: &str, style: Style, out: &mut String) {
        let mut rest = text;
        let mut announcer = Announcer::default();
        while !rest.is_empty() {
            if rest.starts_with('[')
                && let Some(length) = marker::length(rest)
            {
                self.hide(&rest[..length], out);
                rest = &rest[length..];
                announcer = Announcer::default();
                continue;
            }
            if let Some(length) = encoded_marker(rest).filter(|_| self.is_own()) {
                out.push_str(&rest[..length]);
                rest = &rest[length..];
                announcer = Announcer::default();
                continue;
            }
            if let Some(length) = self.structured(rest, out) {
                rest = &rest[length..];
                announcer = Announcer::default();
                continue;
            }
            let end = word_end(rest);
            if end == 0 {
                let first = between_length(rest);
                announcer.between(&rest[..first]);
                out.push_str(&rest[..first]);
                rest = &rest[first..];
                continue;
            }
            if let Some((length, treatment)) = announcer.announced(rest, end) {
                let from = out.len();
                self.treat(treatment, &rest[..length], out);
                if !treatment.hides() && !self.is_settled(&out[from..], style) {
                    out.truncate(from);
                    self.hide(&rest[..length], out);
                }
                rest = &rest[length..];
                continue;
            }
            let word = &rest[..end];
            let hash = word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hash && names::ends_with_thumbprint(out) {
                out.push_str(word);
            } else {
                let from = out.len();
                self.word(word, style, out);
                if out[from..] != *word && !self.is_settled(&out[from..], style) {
                    out.truncate(from);
                    self.hide(word, out);
                }
            }
            rest = &rest[end..];
        }
    }

    /// JSON or XML within a sentence, as where a body was pasted behind a line of prose: what its names say of the values
    /// counts there too. Gives how much of `text` that was.
    fn structured(&self, text: &str, out: &mut String) -> Option<usize> {
        let door = self.in_prose()?;
        let length = match text.as_bytes().first()? {
            b'{' if text[1..].trim_ascii_start().starts_with('"') => json::within(&door, text, out),
            b'<' => markup::within(&door, text, out),
            _ => 0,
        };
        (length > 0).then_some(length)
    }

    /// Whether a text of ours would be read again as it is. A word in which several things were masked may not, when
    /// their marks run into each other.
    fn is_settled(&self, shown: &str, style: Style) -> bool {
        let door = self.as_own();
        let mut again = String::with_capacity(shown.len());
        let mut rest = shown;
        while !rest.is_empty() {
            let marker = if rest.starts_with('[') { marker::length(rest) } else { None };
            let length = marker.unwrap_or_else(|| word_end(rest));
            match (marker, length) {
                (Some(length), _) => again.push_str(&rest[..length]),
                (None, 0) => again.push_str(&rest[..between_length(rest)]),
                (None, length) => door.word(&rest[..length], style, &mut again),
            }
            rest = &rest[if length == 0 { between_length(rest) } else { length }..];
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
        if let Some(at) = find_authority(word) {
            let scheme = word[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
            // A sign before the scheme is one byte only where it is ASCII; others end a word or are letters.
            if word.is_char_boundary(scheme) {
                self.bare_word(&word[..scheme], style, out);
                return self.any_url(&word[scheme..], out);
            }
        }
        if word.contains('&') {
            // A form that is told in a sentence.
            for (at, pair) in word.split('&').enumerate() {
                out.push_str(if at > 0 { "&" } else { "" });
                self.bare_word(pair, style, out);
            }
            return;
        }
        if word.contains('%') {
            // An address or a parameter in the encoding of forms; the words around it come with it.
            let decoded = super::percent_decoded(word);
            let signs = |text: &str| text.matches(['=', '"', '&']).count();
            if is_encoded_deeply(&decoded) {
                return self.hide(word, out);
            }
            let telling = decoded.contains(['@', '\\']) || signs(&decoded) > signs(word);
            if decoded != word && (telling || shape::is_opaque(&decoded, style.run)) {
                let mut shown = String::new();
                self.sentence(&decoded, style, &mut shown);
                if shown == *decoded {
                    out.push_str(word);
                } else if shown.contains('[') {
                    self.hide(word, out);
                } else {
                    super::url::encode_query(&shown, out);
                }
                return;
            }
        }
        // Each of them is another step into the word, and nobody writes so many.
        if memchr::memchr_iter(b'=', word.as_bytes()).nth(DEEPEST).is_some() {
            return self.hide(word, out);
        }
        if let Some((name, value)) = word.split_once(['=', ':'])
            && !value.is_empty()
            && value.bytes().any(|byte| byte != b'=')
            && !name.is_empty()
        {
            match names::known(name).filter(|treatment| style.ids || *treatment != Treatment::Id) {
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
                        if let Some(treatment) = names::secret(name).filter(|_| !is_said(value)) {
                            self.bare_word(name, style, out);
                            out.push('=');
                            return self.treat(treatment, value, out);
                        }
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
        let address = &word[local..before.len() + 1 + domain.len()];
        if shape::is_principal(address) {
            out.push_str(address);
        } else {
            self.identity(Kind::User, address, out);
        }
        self.bare_word(rest, style, out);
    }
}

/// Where the first word stands in which letters and digits are spelled as escapes, of URLs, of markup or of JSON, from
/// one byte to another. They need none: whoever writes them so hides a word, or passes on one that was hidden.
fn spelled_out(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = memchr::memchr3(b'%', b'&', b'\\', &bytes[from..]).map(|at| from + at) {
        let run = escapes(&bytes[at..]);
        if run.letters >= SPELLED {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/".contains(byte);
            let before = bytes[..at].iter().rev().take_while(|byte| is_part(byte)).count();
            let mut to = at + run.length;
            loop {
                let more = bytes[to..].iter().take_while(|byte| is_part(byte)).count() + escapes(&bytes[to..]).length;
                if more == 0 {
                    return Some((at - before, to));
                }
                to = (to + more).min(bytes.len());
            }
        }
        from = at + run.length.max(1);
    }
    None
}

/// Escapes in a row.
#[derive(Default)]
struct Escapes {
    length: usize,
    /// How many of them stand for letters and digits.
    letters: usize,
}

fn escapes(bytes: &[u8]) -> Escapes {
    let mut run = Escapes::default();
    while let Some((length, code)) = escape(&bytes[run.length..]) {
        run.length += length;
        run.letters += usize::from(u8::try_from(code).is_ok_and(|byte| byte.is_ascii_alphanumeric()));
    }
    run
}

/// The length of the escape that `bytes` begin with, and what it stands for.
fn escape(bytes: &[u8]) -> Option<(usize, u32)> {
    let number = |from: usize, to: usize, radix| {
        let digits = std::str::from_utf8(bytes.get(from..to)?).ok()?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())?
    };
    match bytes {
        [b'%', ..] => Some((3, number(1, 3, 16)?)),
        [b'\\', b'u' | b'U', ..] => Some((6, number(2, 6, 16)?)),
        [b'&', b'#', after, ..] => {
            let (from, radix) = if matches!(after, b'x' | b'X') { (3, 16) } else { (2, 10) };
            let end = bytes.iter().take(12).position(|byte| *byte == b';')?;
            Some((end + 1, number(from, end, radix)?))
        }
        _ => None,
    }
}

/// Follows a sentence for names that announce a secret: `password: …`, `"token":"…"`, `Authorization: Basic …`.
#[derive(Default)]
struct Announcer<'t> {
    /// The last word, and whether it stood in quotation marks.
    named: Option<(&'t str, bool)>,
    /// What the next word is, after a colon or an equals sign.
    next: Option<Announced>,
    /// The quotation mark that stands before the next word.
    quote: Option<char>,
}

#[derive(Clone, Copy, PartialEq)]
enum Announced {
    /// Whatever follows is hidden.
    Password,
    /// What follows is hidden unless it is a word or a number: `Token: expired`.
    Secret,
    /// Cookies: every one of a list is hidden.
    Cookies,
    /// Someone, as in the JSON of a sentence.
    Identity(Kind),
}

impl<'t> Announcer<'t> {
    /// A sign between words.
    fn between(&mut self, sign: &str) {
        match sign {
            "\"" | "'" | "`" => self.quote = sign.chars().next(),
            " " | "\t" | "[" => self.quote = None,
            _ => *self = Self::default(),
        }
    }

    /// How much of `rest`, which begins with a word of `end` bytes, was announced, and as what.
    fn announced(&mut self, rest: &'t str, end: usize) -> Option<(usize, Treatment)> {
        let word = &rest[..end];
        let bare = word.trim_matches('\\');
        if bare.is_empty() {
            return None;
        }
        if bare.bytes().all(|byte| matches!(byte, b':' | b'=' | b'>')) {
            self.next = self.named.take().and_then(announcement);
            return None;
        }
        let next = self.next.take();
        let quote = self.quote.take();
        if next.is_some() && marker::is_known_scheme(bare) {
            self.next = next;
            return None;
        }
        let name = bare.trim_end_matches([':', '=']);
        self.named = Some((name, quote.is_some()));
        if name.len() < bare.len() {
            self.next = self.named.take().and_then(announcement);
        }
        match next? {
            Announced::Cookies if bare.contains('=') => {
                *self = Self::default();
                Some((cookies_length(rest), Treatment::Secret))
            }
            Announced::Secret | Announced::Cookies if is_said(bare.trim_end_matches(['.', ':', '!', '?'])) => None,
            next => {
                *self = Self::default();
                let treatment = match next {
                    Announced::Identity(kind) => Treatment::Identity(kind),
                    _ => Treatment::Secret,
                };
                // A value in quotation marks may hold blanks.
                let quoted = quote.and_then(|quote| rest[..line_end(rest)].find(quote));
                Some((quoted.map_or(end, |length| rest[..length].trim_end_matches('\\').len()), treatment))
            }
        }
    }
}

/// How long the list of cookies is that `text` begins with.
fn cookies_length(text: &str) -> usize {
    let ends = |c: char| c == ';' || c.is_whitespace() || "\"'`<>".contains(c);
    let pair = |text: &str| text.find(ends).unwrap_or(text.len());
    let mut end = pair(text);
    while let Some(after) = text[end..].strip_prefix(';') {
        let next = after.trim_start_matches(' ');
        let length = pair(next);
        if !next[..length].contains('=') {
            break;
        }
        end = text.len() - next.len() + length;
    }
    end
}

/// Whether what was decoded from percent signs holds three more layers of them.
fn is_encoded_deeply(decoded: &str) -> bool {
    let mut layer = decoded.to_owned();
    (0..3).all(|_| {
        let inner = super::percent_decoded(&layer);
        let is_another = *inner != *layer;
        layer = inner.into_owned();
        is_another
    })
}

fn line_end(text: &str) -> usize {
    text.find(['\r', '\n']).unwrap_or(text.len())
}

/// What `name` announces; outside of quotation marks `user:` is rather a word of the sentence.
fn announcement((word, quoted): (&str, bool)) -> Option<Announced> {
    let name = word.rsplit(['&', '?', '=', ':']).next().unwrap_or(word);
    if names::is_password_name(name) {
        return Some(Announced::Password);
    }
    if ["cookie", "set-cookie"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Some(Announced::Cookies);
    }
    match names::treatment(name) {
        Treatment::Credential(_) | Treatment::Secret | Treatment::Token => Some(Announced::Secret),
        Treatment::Identity(kind) if quoted => Some(Announced::Identity(kind)),
        _ => None,
    }
}

/// Whether what stands behind a secret's name is said of it, and not the secret: `expired`, `invalid_token`, `80049217`.
fn is_said(text: &str) -> bool {
    shape::is_words(text) || shape::is_harmless(text) || shape::is_guid(text) || is_issuer_error(text)
}

/// The number of an error of Entra or AD FS: `Failed to acquire a token: AADSTS50126: …`.
fn is_issuer_error(text: &str) -> bool {
    let digits = ["AADSTS", "AADB2C", "MSIS"].iter().find_map(|letters| text.strip_prefix(letters));
    digits.is_some_and(|digits| (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Where the word that `text` begins with ends: before what stands between words, or before an escaped byte.
fn word_end(text: &str) -> usize {
    let end = text.find(is_between).unwrap_or(text.len());
    let end = if find_authority(&text[..end]).is_some() { url_end(text) } else { end };
    let escape = text[..end].match_indices('\\').find(|(at, _)| is_escaped_byte(&text[*at..]));
    escape.map_or(end, |(at, _)| at)
}

/// The length of what stands between words at the beginning of `text`: one sign, or one byte that is no text.
fn between_length(text: &str) -> usize {
    if is_escaped_byte(text) { "\\xE9".len() } else { text.chars().next().map_or(1, char::len_utf8) }
}

/// Where the `://` of a URL stands. Most words have no colon, and a search for one sign is a fast one.
fn find_authority(word: &str) -> Option<usize> {
    memchr::memchr_iter(b':', word.as_bytes()).find(|at| word.as_bytes()[*at..].starts_with(b"://"))
}

/// Where a URL in prose ends: where a word does, but for the brackets of an IPv6 address and of encoded markers.
fn url_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(length) = text[at..].find(is_between) {
        at += length;
        let address = || bracketed(&text[at..]).filter(|inside| inside.contains("::") && shape::is_host(inside));
        let Some(length) = encoded_marker(&text[at..]).or_else(|| address().map(str::len)) else { return at };
        at += length;
    }
    text.len()
}

/// What stands in brackets where `text` begins with them, brackets included; no brackets stand in them.
fn bracketed(text: &str) -> Option<&str> {
    let end = memchr::memchr2(b'[', b']', text.strip_prefix('[')?.as_bytes())? + 2;
    Some(&text[..end])
}

/// The length of a marker in the encoding of URLs that `text` begins with.
fn encoded_marker(text: &str) -> Option<usize> {
    let inside = bracketed(text)?;
    let marker = inside.contains(['%', '+']) && marker::is_marker(&super::percent_decoded(inside));
    marker.then_some(inside.len())
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
    fn letters_that_are_spelled_as_escapes_are_hidden() {
        for word in
            ["%4b%71%33%5a%37x", r"\u004b\u0071\u0033\u005a", "&#75;&#x71;&#51;&#90;&#55;", "ab%4B%71%33%5A%37-cd"]
        {
            assert_eq!(prose(&format!("the token {word} is refused")), "the token [hidden #1] is refused", "{word}");
        }
        for text in [r"it is \u65e5\u672c\u8a9e\u3067\u3059", "a%20b%2Fc d&amp;e &#39;f&#39; 100% 50%25"] {
            assert_eq!(prose(text), text);
        }
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
    fn what_stands_in_itself_many_times_is_not_followed() {
        let layers = |text: &str| text.repeat(20_000);
        for text in [
            layers("error="),
            layers("a=b@"),
            format!("a@%{}3D", layers("25")),
            layers("http://a/?url="),
            layers("http://a/?error_description="),
            layers("{\"message\":"),
            layers("<a:b>"),
            layers("a:"),
            layers("\\"),
            layers("["),
        ] {
            assert!(prose(&text).len() <= 4 * text.len(), "{}", &text[..20]);
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
    fn a_product_has_no_ids_that_look_like_tokens() {
        let redactor = Redactor::new();
        let shown = |value: &str| redactor.wire().field(b"User-Agent", value.as_bytes()).value;
        assert_eq!(
            shown("Sync/1.2 ver=16.0.5082 ver=aHVudGVyMjIgaHVudGVyMjI"),
            "Sync/1.2 ver=16.0.5082 ver=[hidden #1]"
        );
        let id = "Sync/1.2 appid=00000002-0000-0ff1-ce00-000000000000";
        assert_eq!(shown(id), id);
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

    #[test]
    fn hides_what_a_name_announces() {
        for (text, shown) in [
            ("password: hunter2", "password: [hidden #1]"),
            ("client_secret = hunter", "client_secret = [hidden #1]"),
            ("{\"password\": \"my dog\", \"a\":1}", "{\"password\": \"[hidden #1]\", \"a\":1}"),
            (
                r#"{\"user\":\"avery\",\"password\":\"hunter2\"}"#,
                r#"{\"user\":\"user#1\",\"password\":\"[hidden #1]\"}"#,
            ),
            ("Authorization: Basic YTpi0", "Authorization: Basic [hidden #1]"),
            ("Cookie: a=hunter2", "Cookie: [hidden #1]"),
            ("my_api_key=hunter2 refused", "my_api_key=[hidden #1] refused"),
            (
                "sent grant_type=password&username=avery@contoso.com&password=hunter2&client_secret=a1",
                "sent grant_type=password&username=user#1@contoso.com&password=[hidden #1]&client_secret=[hidden #2]",
            ),
            ("sent password%3Dhunter2", "sent [hidden #2]"),
        ] {
            assert_eq!(prose(text), shown);
        }
        for said in [
            "Invalid token: expired",
            "Failed to acquire token: AADSTS50126: Error validating credentials",
            "error code: 80049217",
            "AuthType=Basic error_subcode=invalid_token",
            "LiveIdBasicAuth:FederatedStsUnreachable:",
            "Password is wrong",
        ] {
            assert_eq!(prose(said), said);
        }
    }
}
