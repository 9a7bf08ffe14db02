//! `WWW-Authenticate` and its kin: several challenges in one line, commas in quotation marks.
//!
//! What tells the client where to go stays readable; nonces go; an NTLM or SPNEGO token becomes its marker.

use base64::Engine;

use super::basic::LENIENT;
use super::door::Door;
use super::json::Sort;
use super::names::{self, Treatment};
use super::{Credential, credential, marker, shape};

/// `WWW-Authenticate` and `Proxy-Authenticate`. Gives the credential of a line that is a single token.
pub(super) fn challenges(door: &Door<'_>, value: &str, out: &mut String) -> Option<Credential> {
    door.settled(value, out, write_challenges).unwrap_or_else(|| {
        door.hide(value, out);
        None
    })
}

fn write_challenges(door: &Door<'_>, value: &str, out: &mut String) -> Option<Credential> {
    let mut scheme = "";
    let mut tokens = Vec::new();
    let elements = elements(value);
    for (at, element) in elements.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        let text = element.trim();
        let lead = element.len() - element.trim_start().len();
        out.push_str(&element[..lead]);
        if is_parameter(text) && at > 0 {
            parameter_shown(door, text, out);
        } else {
            // Any blanks: a folded line (RFC 9112 section 5.2) breaks here most often.
            let (word, after) = text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()));
            let rest = after.trim_start();
            let blanks = &after[..after.len() - rest.len()];
            scheme = word;
            if !marker::is_scheme(word) {
                door.hide(text, out);
                out.push_str(&element[lead + text.len()..]);
                continue;
            }
            out.push_str(word);
            if is_parameter(rest) {
                out.push_str(blanks);
                parameter_shown(door, rest, out);
            } else if door.is_own() && marker::hidden_label(rest).is_some() {
                // A parameter whose name was not shown.
                out.push_str(blanks);
                door.hide(rest, out);
            } else if !rest.is_empty() {
                let whole = format!("{word} {rest}");
                let own = if door.is_own() { Credential::read(&whole) } else { None };
                let token = own.unwrap_or_else(|| credential::of(door, word, rest));
                out.push(' ');
                out.push_str(&token.bracket());
                tokens.push(token);
            }
        }
        out.push_str(&element[lead + text.len()..]);
    }
    let single = elements.len() == 1 && ["ntlm", "negotiate"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    tokens.pop().filter(|_| single)
}

/// `Authentication-Info`, `Forwarded`: parameters without a scheme.
pub(super) fn parameters(door: &Door<'_>, value: &str, out: &mut String) {
    if door.settled(value, out, write_parameters).is_none() {
        door.hide(value, out);
    }
}

fn write_parameters(door: &Door<'_>, value: &str, out: &mut String) {
    for (at, element) in elements(value).iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        let text = element.trim();
        let lead = element.len() - element.trim_start().len();
        out.push_str(&element[..lead]);
        if is_parameter(text) {
            parameter_shown(door, text, out);
        } else {
            door.hide(text, out);
        }
        out.push_str(&element[lead + text.len()..]);
    }
}

/// The value of a parameter among those separated by commas, quotation marks removed.
pub(super) fn parameter<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    elements(text).into_iter().find_map(|element| {
        let (name, value) = element.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        name.trim().eq_ignore_ascii_case(wanted).then_some(value)
    })
}

/// The parts between the commas that stand in no quotation marks.
fn elements(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(8);
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// `name=value`; not the padding at the end of a token.
fn is_parameter(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        let name = name.trim_end();
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte))
            && !value.bytes().all(|byte| byte == b'=')
            || value.is_empty() && shape::is_name(name) && names::known(name).is_some()
    })
}

fn parameter_shown(door: &Door<'_>, text: &str, out: &mut String) {
    let Some((name, value)) = text.split_once('=') else { return door.hide(text, out) };
    if !shape::is_name(name.trim_end()) {
        return door.hide(text, out);
    }
    out.push_str(name);
    out.push('=');
    let bare = value.trim_start();
    out.push_str(&value[..value.len() - bare.len()]);
    // A quotation mark that is not closed would swallow what follows; one inside of a word belongs to no value.
    match bare.strip_prefix('"').map(|inner| inner.strip_suffix('"')) {
        Some(Some(inner)) => {
            let plain = inner.replace("\\\"", "\"");
            let mut shown = String::with_capacity(inner.len());
            parameter_value(door, name.trim_end(), &plain, &mut shown);
            out.push('"');
            if shown == plain {
                out.push_str(inner);
            } else {
                out.push_str(&shown.replace('"', "\\\""));
            }
            out.push('"');
        }
        Some(None) => door.hide(bare, out),
        None if bare.contains('"') => door.hide(bare, out),
        None => parameter_value(door, name.trim_end(), bare, out),
    }
}

fn parameter_value(door: &Door<'_>, name: &str, value: &str, out: &mut String) {
    let treatment = match names::treatment(name) {
        _ if ["for", "by"].iter().any(|known| known.eq_ignore_ascii_case(name)) => {
            Treatment::Identity(super::memory::Kind::Address)
        }
        treatment => treatment,
    };
    door.treat(treatment, value, out);
}

impl Door<'_> {
    /// A claims request: JSON, plain or in base64.
    pub(super) fn claims(&self, text: &str, out: &mut String) {
        if text.trim_start().starts_with('{') {
            return super::body::json(self, text, Sort::Claims, out);
        }
        let json = LENIENT.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(json) = json.filter(|json| json.trim_start().starts_with('{')) else { return self.hide(text, out) };
        let mut shown = String::with_capacity(json.len());
        super::body::json(self, &json, Sort::Claims, &mut shown);
        if shown == json { out.push_str(text) } else { out.push_str(&LENIENT.encode(shown)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn field(value: &str) -> (String, Option<Credential>) {
        let redactor = Redactor::new();
        let field = redactor.wire().field(b"www-authenticate", value.as_bytes());
        assert_eq!(redactor.own().field(b"www-authenticate", field.value.as_str().as_bytes()), field);
        (field.value.as_str().to_owned(), field.credential)
    }

    #[test]
    fn leaves_what_a_diagnosis_reads() {
        for value in [
            "Negotiate",
            "NTLM, Negotiate , Basic realm=\"mail.contoso.com\"",
            "Basic Realm=\"\"",
            "Basic\r\n\trealm=\"mail.contoso.com\",\r\n charset=\"UTF-8\"",
            "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@*,https://sts.windows.net/*/,00000004-0000-0ff1-ce00-000000000000@contoso.com\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\", error=\"invalid_token\"",
            "Bearer realm=\"\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzk1MTY1MjAwIn19fQ==\",Bearer authorization_uri=\"https://login.microsoftonline.com/8da56bec-0d27-4cac-ab06-52ee2c40ea22/oauth2/authorize\"",
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull,push\"",
            "Digest realm=\"AXIS_ACCC8E000001\", algorithm=MD5-sess, qop=\"auth, auth-int\", stale=true, charset=utf-8",
        ] {
            assert_eq!(field(value), (value.to_owned(), None));
        }
    }

    #[test]
    fn masks_nonces_and_what_is_no_scheme() {
        assert_eq!(
            field("Digest realm=\"a, \\\"b\\\"\", nonce=\"+Upgraded+v1cf4d\", opaque=hunter2").0,
            "Digest realm=\"a, \\\"b\\\"\", nonce=\"[hidden #1]\", opaque=[hidden #2]"
        );
        assert_eq!(field("hunter2").0, "[hidden #1]");
        assert_eq!(
            field("Bearer realm=a\"b\", error=invalid_token").0,
            "Bearer realm=[hidden #1], error=invalid_token"
        );
        assert_eq!(
            field("Bearer error_description=\"The token eyJhbGciOiJub25lIn0.e30. is for avery@contoso.com\"").0,
            "Bearer error_description=\"The token [hidden #1]. is for user#1@contoso.com\""
        );
    }

    #[test]
    fn a_single_token_is_the_fields_credential() {
        let (value, credential) = field("NTLM TlRMTVNTUAACAAAAAAAAACgAAAABAAAAAAAAAAAAAAA=");
        assert_eq!(value, "NTLM [type2 flags=0x00000001]");
        assert_eq!(credential.map(|credential| credential.to_string()), Some(value));
        let (value, credential) = field("Negotiate oRswGaADCgEAoxIEEAEAAAB3d3d3d3d3dwAAAAA=, NTLM");
        assert_eq!((value.as_str(), credential), ("Negotiate [spnego state=accept-completed #1], NTLM", None));
    }
}
