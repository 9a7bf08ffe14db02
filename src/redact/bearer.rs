//! RFC 6750 tokens: JWT (RFC 7519), JWE (RFC 7516) and opaque ones.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::door::Door;
use super::net::Class;
use super::{Jwt, OpaqueForm, Token, marker};

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What people and programs put around a token.
const QUOTES: [char; 4] = ['"', '\'', '\u{201c}', '\u{201d}'];

/// Longer tokens are not looked into.
const LONGEST: usize = 64 * 1024;

impl Door<'_> {
    /// A token as the value of a form, of JSON, of a query.
    pub(super) fn body_token(&self, text: &str, out: &mut String) {
        match read(self, text) {
            Token::Opaque { form: OpaqueForm::Plain, .. } => self.hide(text, out),
            token => out.push_str(&token.to_string()),
        }
    }
}

/// What follows `Bearer`. A token met before is not decoded again.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Token {
    if rest.is_empty() {
        return Token::Empty;
    }
    if door.is_own()
        && let Some(token) = Token::read(rest)
    {
        door.meet_mark(Class::Token, token.label());
        return token;
    }
    door.memory().meet(Class::Token, rest.as_bytes());
    door.memory().token(rest.as_bytes(), || decode(door, rest))
}

fn decode(door: &Door<'_>, rest: &str) -> Token {
    let label = door.memory().label(rest.as_bytes());
    let opaque = |form| Token::Opaque { label, form };
    let first = rest.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
    if first.eq_ignore_ascii_case("bearer") {
        return opaque(OpaqueForm::DoubleBearer);
    }
    if rest.starts_with(QUOTES) || rest.ends_with(QUOTES) {
        return opaque(OpaqueForm::Quoted);
    }
    if first.len() < rest.len() || ["\\r", "\\n"].iter().any(|sign| rest.contains(sign)) {
        return opaque(OpaqueForm::Broken);
    }
    let parts: Vec<&str> = rest.split('.').take(6).collect();
    match parts[..] {
        _ if rest.len() > LONGEST => opaque(OpaqueForm::Plain),
        [header, payload, _] => match (object(header), object(payload)) {
            (Some(header), Some(claims)) => {
                let mut jwt = facts(door, &header, &claims);
                jwt.label = Some(label);
                Token::Jwt(Box::new(jwt))
            }
            _ if rest.starts_with("eyJ") => opaque(OpaqueForm::DamagedJwt),
            _ => opaque(OpaqueForm::Plain),
        },
        [header, _, _, _, _] => match object(header) {
            Some(header) => {
                let word = |name: &str| header.get(name).and_then(first_of).map(|word| marker::word(&word));
                Token::Jwe { label, alg: word("alg"), enc: word("enc") }
            }
            None if rest.starts_with("eyJ") => opaque(OpaqueForm::DamagedJwt),
            None => opaque(OpaqueForm::Plain),
        },
        _ if rest.starts_with("eyJ") => opaque(OpaqueForm::DamagedJwt),
        _ if rest.starts_with("Ew") => opaque(OpaqueForm::MicrosoftAccount),
        _ => opaque(OpaqueForm::Plain),
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64URL.decode(part).ok()?).ok()
}

fn facts(door: &Door<'_>, header: &Map<String, Value>, claims: &Map<String, Value>) -> Jwt {
    let word = |name: &str| header.get(name).and_then(first_of).map(|word| marker::word(&word));
    let text = |names: &[&str]| names.iter().find_map(|name| first_of(claims.get(*name)?));
    let list = |name: &str| claims.get(name).map(|value| marker::permissions(&joined(value)));
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    Jwt {
        label: None,
        alg: word("alg"),
        typ: word("typ").filter(|typ| !typ.as_str().eq_ignore_ascii_case("JWT")),
        kid: header.get("kid").and_then(Value::as_str).map(|kid| door.memory().label(kid.as_bytes())),
        aud: text(&["aud"]).map(|aud| marker::identifier(&aud)),
        iss: text(&["iss"]).map(|iss| marker::identifier(&iss)),
        tid: text(&["tid"]).map(|tid| marker::identifier(&tid)),
        appid: text(&["appid", "azp"]).map(|appid| marker::identifier(&appid)),
        user: text(&["upn", "unique_name", "preferred_username"]).map(|user| door.user(&user, "")),
        scp: list("scp"),
        roles: list("roles"),
        amr: list("amr"),
        appidacr: text(&["appidacr", "azpacr"]).map(|strength| marker::word(&strength)),
        acr: text(&["acr"]).map(|acr| marker::identifier(&acr)),
        xms_cc: list("xms_cc"),
        ver: text(&["ver"]).map(|ver| marker::word(&ver)),
        idtyp: text(&["idtyp"]).map(|idtyp| marker::word(&idtyp)),
        iat: seconds("iat"),
        nbf: seconds("nbf"),
        exp: seconds("exp"),
        onprem_sid: claims.contains_key("onprem_sid"),
        nonce: header.contains_key("nonce"),
    }
}

/// A claim as text: itself, or the first of several.
fn first_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => values.first().and_then(first_of),
        _ => None,
    }
}

fn joined(value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        value => first_of(value).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Credential, Redactor};
    use super::*;

    fn jwt(header: &str, claims: &str) -> String {
        format!("{}.{}.c3ludGhldGlj", BASE64URL.encode(header), BASE64URL.encode(claims))
    }

    fn marker(raw: &str) -> String {
        let token = Credential::Bearer(read(&Redactor::new().wire(), raw));
        let marker = token.to_string();
        assert_eq!(Credential::read(&marker), Some(token), "{marker}");
        marker
    }

    #[test]
    fn tells_what_a_jwt_is_for_and_not_whose() {
        let token = jwt(
            r#"{"alg":"RS256","nonce":"x"}"#,
            r#"{"aud":"https://mail.contoso.com/","iss":"https://sts.windows.net/8da56bec-0d27-4cac-ab06-52ee2c40ea22/",
                "tid":"8da56bec-0d27-4cac-ab06-52ee2c40ea22","appid":"d3590ed6-52b3-4102-aeff-aad2292ab01c",
                "upn":"avery@contoso.com","scp":"EWS.AccessAsUser.All Mail.Read","amr":["pwd","mfa"],"exp":1510868268,
                "oid":"00000000-0000-0000-0000-000000000001","name":"Avery Howard","onprem_sid":"S-1-5-21"}"#,
        );
        assert_eq!(
            marker(&token),
            "Bearer [jwt #1 alg=RS256 aud=https://mail.contoso.com/ \
             iss=https://sts.windows.net/8da56bec-0d27-4cac-ab06-52ee2c40ea22/ \
             tid=8da56bec-0d27-4cac-ab06-52ee2c40ea22 appid=d3590ed6-52b3-4102-aeff-aad2292ab01c \
             user=upn:user#1@contoso.com scp=EWS.AccessAsUser.All,Mail.Read amr=pwd,mfa exp=1510868268 onprem_sid nonce]"
        );
    }

    #[test]
    fn a_claim_that_is_not_what_it_should_be_is_hidden() {
        let token = jwt(r#"{"alg":"my secret ] alg"}"#, r#"{"aud":"hunter2 secret","roles":["a b]c"],"exp":"soon"}"#);
        assert_eq!(marker(&token), "Bearer [jwt #1 alg=hidden aud=hidden roles=a,hidden]");
    }

    #[test]
    fn tells_the_forms_of_what_is_no_jwt() {
        assert_eq!(marker(""), "Bearer [empty]");
        assert_eq!(marker("not-a-jwt"), "Bearer [opaque #1]");
        assert_eq!(marker("EwA4A8l6BAAU"), "Bearer [opaque #1 form=microsoft-account]");
        assert_eq!(marker("Bearer eyJ"), "Bearer [opaque #1 form=double-bearer]");
        assert_eq!(marker("\"eyJ\""), "Bearer [opaque #1 form=quoted]");
        assert_eq!(marker("ab cd"), "Bearer [opaque #1 form=broken]");
        assert_eq!(marker("eyJhbGciOiJSUzI1NiJ9.eyJhd"), "Bearer [opaque #1 form=damaged-jwt]");
        assert_eq!(marker("eyJhbGciOiJSUzI1NiJ9.a.b.c.d"), "Bearer [jwe #1 alg=RS256]");
        assert_eq!(marker("eyJhbG\u{e9}.a.b.c.d"), "Bearer [opaque #1 form=damaged-jwt]");
        assert_eq!(marker("a.b.c.d.e"), "Bearer [opaque #1]");
    }

    #[test]
    fn tells_the_slips_of_whole_headers() {
        let redactor = Redactor::new();
        let token = jwt(r#"{"alg":"RS256"}"#, r#"{"aud":"https://mail.contoso.com/"}"#);
        let half = token.len() / 2;
        for (value, shown) in [
            (String::new(), ""),
            ("Bearer".to_owned(), "Bearer [empty]"),
            ("Bearer    ".to_owned(), "Bearer [empty]"),
            ("Bearer\t \r\n ".to_owned(), "Bearer [empty]"),
            (format!("Bearer {token}"), "Bearer [jwt #1 alg=RS256 aud=https://mail.contoso.com/]"),
            (format!("bearer  {token} "), "bearer [jwt #1 alg=RS256 aud=https://mail.contoso.com/]"),
            (format!("Bearer\r\n {token}"), "Bearer [jwt #1 alg=RS256 aud=https://mail.contoso.com/]"),
            (format!("Bearer Bearer {token}"), "Bearer [opaque #2 form=double-bearer]"),
            (format!("Bearer bearer\t{token}"), "Bearer [opaque #3 form=double-bearer]"),
            ("Bearer Bearer".to_owned(), "Bearer [opaque #4 form=double-bearer]"),
            (format!("Bearer \"{token}\""), "Bearer [opaque #5 form=quoted]"),
            (format!("Bearer {token}'"), "Bearer [opaque #6 form=quoted]"),
            (format!("Bearer \u{201c}{token}\u{201d}"), "Bearer [opaque #7 form=quoted]"),
            (format!("Bearer {}\r\n {}", &token[..half], &token[half..]), "Bearer [opaque #8 form=broken]"),
            (format!("Bearer {} {}", &token[..half], &token[half..]), "Bearer [opaque #9 form=broken]"),
            (format!("Bearer {token}\\n"), "Bearer [opaque #10 form=broken]"),
            (format!("Bearer {}", &token[..half]), "Bearer [opaque #11 form=damaged-jwt]"),
        ] {
            let field = redactor.wire().field(b"Authorization", value.as_bytes());
            assert_eq!(field.value, shown, "{value}");
            assert_eq!(redactor.own().field(b"Authorization", shown.as_bytes()), field);
        }
    }

    #[test]
    fn tells_how_a_jwe_is_encrypted() {
        for (header, shown) in [
            (r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"x"}"#, "Bearer [jwe #1 alg=RSA-OAEP enc=A256GCM]"),
            (r#"{"alg":"dir","enc":"A128CBC-HS256"}"#, "Bearer [jwe #1 alg=dir enc=A128CBC-HS256]"),
            (r#"{"alg":"hunter2 secret"}"#, "Bearer [jwe #1 alg=hidden]"),
        ] {
            assert_eq!(marker(&format!("{}.a.b.c.d", BASE64URL.encode(header))), shown);
        }
    }

    #[test]
    fn tells_what_the_client_can_handle_and_which_key_signed() {
        let token = jwt(
            r#"{"alg":"RS256","typ":"at+jwt","kid":"nOo3ZDrODXEK1jKWhXslHR_KXEg"}"#,
            r#"{"xms_cc":["cp1","protapp"],"acr":"urn:user:registersecurityinfo","azpacr":"1","wids":["x"],"nbf":-1}"#,
        );
        assert_eq!(
            marker(&token),
            "Bearer [jwt #1 alg=RS256 typ=at+jwt kid=#2 appidacr=1 acr=urn:user:registersecurityinfo \
             xms_cc=cp1,protapp nbf=-1]"
        );
    }

    #[test]
    fn a_forged_marker_carries_no_text() {
        for forged in [
            "Bearer [jwt #1 aud=hunter2secret9x]",
            "Bearer [jwt #1 user=upn:avery@contoso.com]",
            "Bearer [jwt #1 scp=aHVudGVyMjIzNDU2]",
            "Bearer [jwt #1 text=free]",
            "Bearer [opaque #1 form=my-text]",
            "Bearer [jwt #01]",
            "Basic [user=bare:avery password=empty]",
            "NTLM [type3 v2 flags=0x00000000 cbt=mine user=empty domain= #1]",
        ] {
            assert_eq!(Credential::read(forged), None, "{forged}");
        }
    }
}
