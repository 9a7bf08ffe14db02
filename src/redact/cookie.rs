//! RFC 6265: names and attributes stay, values go.

use super::door::Door;
use super::net::Class;
use super::shape;

/// `Cookie`.
pub(super) fn cookie(door: &Door<'_>, value: &str, out: &mut String) {
    for (at, part) in value.split(';').enumerate() {
        out.push_str(if at > 0 { ";" } else { "" });
        pair(door, part, out);
    }
}

/// `Set-Cookie`.
pub(super) fn set_cookie(door: &Door<'_>, value: &str, out: &mut String) {
    for (at, part) in value.split(';').enumerate() {
        if at == 0 {
            pair(door, part, out);
        } else {
            out.push(';');
            attribute(door, part, out);
        }
    }
}

fn pair(door: &Door<'_>, part: &str, out: &mut String) {
    let text = part.trim_start();
    out.push_str(&part[..part.len() - text.len()]);
    match text.split_once('=') {
        // Without a value it may be base64 with its padding.
        Some((name, value))
            if value.bytes().all(|byte| byte == b'=') && (text.len().is_multiple_of(4) || !shape::is_words(name)) =>
        {
            door.hide_credential(Class::Cookie, text, out);
        }
        Some((name, value)) => {
            if shape::is_name(name) {
                out.push_str(name);
            } else {
                door.hide(name, out);
            }
            out.push('=');
            door.hide_credential(Class::Cookie, value, out);
        }
        // A cookie without `=` is a value without a name.
        None => door.hide_credential(Class::Cookie, text, out),
    }
}

fn attribute(door: &Door<'_>, part: &str, out: &mut String) {
    let text = part.trim_start();
    out.push_str(&part[..part.len() - text.len()]);
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
    if is("path") {
        out.push_str(name);
        out.push('=');
        return door.any_url(value.unwrap_or_default(), out);
    }
    let known =
        ["expires", "max-age", "domain", "secure", "httponly", "samesite", "partitioned", "priority", "version"];
    if !known.into_iter().any(is) {
        return door.hide(text, out);
    }
    out.push_str(name);
    if let Some(value) = value {
        out.push('=');
        let bare = value.strip_prefix('.').unwrap_or(value);
        let word =
            ["strict", "lax", "none", "high", "medium", "low"].iter().any(|word| word.eq_ignore_ascii_case(value));
        if word || shape::is_harmless(bare) || (is("domain") && shape::is_host(bare) && !shape::is_opaque(bare, 15)) {
            out.push_str(value);
        } else {
            door.hide(value, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;

    fn field(name: &str, value: &str) -> String {
        let redactor = Redactor::new();
        let field = redactor.wire().field(name.as_bytes(), value.as_bytes());
        assert_eq!(redactor.own().field(name.as_bytes(), field.value.as_str().as_bytes()), field);
        field.value.as_str().to_owned()
    }

    #[test]
    fn names_and_attributes_stay() {
        assert_eq!(
            field(
                "Set-Cookie",
                "ClientId=E9459F787DAA; expires=Wed, 25-Oct-2017 11:59:16 GMT; path=/owa; domain=.contoso.com; secure; HttpOnly; SameSite=None"
            ),
            "ClientId=[hidden #1]; expires=Wed, 25-Oct-2017 11:59:16 GMT; path=/owa; domain=.contoso.com; secure; HttpOnly; SameSite=None"
        );
        assert_eq!(
            field("cookie", "a=hunter2; b=; hunter2; X-BackEndCookie=hunter2"),
            "a=[hidden #1]; b=; [hidden #1]; X-BackEndCookie=[hidden #1]"
        );
    }

    #[test]
    fn an_unknown_attribute_is_hidden() {
        assert_eq!(
            field("Set-Cookie", "a=b; hunter2; path=/a/aHVudGVyMjIyMg"),
            "a=[hidden #1]; [hidden #2]; path=/a/[hidden%20%233]"
        );
    }
}
