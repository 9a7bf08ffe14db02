//! One exchange as something to paste: a curl command, a PowerShell command, or the messages as text.
//!
//! None of them holds a credential, because no exchange does: in its place stands what has to be filled in. What came
//! from the wire is quoted so that no shell reads anything else in it: it may have been written by an attacker.

use std::fmt::Write as _;

use crate::exchange::{Exchange, Message, Seen};
use crate::redact::{Clean, Content, Credential, Field, Negotiate, Ntlm, NtlmMessage, Token, Url, User};

/// What is made of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A command for sh and its kin.
    Curl,
    /// A command for `PowerShell` 5.1 and later.
    PowerShell,
    /// Request and response as text.
    Raw,
}

/// `exchange` in that form; nothing where its request was not seen.
pub fn snippet(exchange: &Exchange, form: Form) -> Option<String> {
    let request = Request::of(exchange)?;
    Some(match form {
        Form::Curl => request.curl(),
        Form::PowerShell => request.powershell(),
        Form::Raw => request.raw(exchange),
    })
}

struct Request<'a> {
    method: &'a str,
    url: &'a Url,
    message: &'a Message,
    credential: Option<&'a Credential>,
}

/// What becomes of the body.
enum Data<'a> {
    None,
    Text(&'a str),
    /// It was not recorded, or not all of it, or holds what no terminal takes.
    Missing,
}

impl<'a> Request<'a> {
    fn of(exchange: &'a Exchange) -> Option<Self> {
        Some(Self {
            method: exchange.method.as_ref()?.as_str(),
            url: exchange.url.as_ref()?,
            message: exchange.request.seen()?,
            credential: exchange.authorization(),
        })
    }

    fn curl(&self) -> String {
        let mut lines = vec![format!("curl --globoff --include --url {}", sh(&filled(self.url.text())))];
        match self.method {
            "GET" => {}
            "HEAD" => lines.push("--head".to_owned()),
            method => lines.push(format!("--request {}", sh(method))),
        }
        lines.extend(self.fields().map(|(name, value)| match &*value {
            // An empty value would take the field out.
            "" => format!("--header {}", sh(&format!("{name};"))),
            value => format!("--header {}", sh(&format!("{name}: {value}"))),
        }));
        lines.extend(self.credential.map(|credential| match credential {
            Credential::Empty => "--header 'Authorization;'".to_owned(),
            Credential::Basic { user, .. } => format!("--basic --user {}", sh(&sign_in(Some(user)))),
            Credential::Digest { user, .. } => format!("--digest --user {}", sh(&sign_in(Some(user)))),
            Credential::Ntlm(_) => format!("--ntlm --user {}", sh(&sign_in(windows_user(credential)))),
            Credential::Negotiate(Negotiate::Ntlm(_) | Negotiate::SpnegoNtlm(..)) => {
                format!("--negotiate --user {}", sh(&sign_in(windows_user(credential))))
            }
            Credential::Negotiate(_) => "--negotiate --user :".to_owned(),
            Credential::Bearer(_) | Credential::Other { .. } => {
                format!("--header {}", sh(&format!("Authorization: {}", header(credential))))
            }
        }));
        let mut note = String::new();
        match self.data() {
            Data::None => {}
            Data::Text(text) => lines.push(format!("--data-raw {}", sh(text))),
            Data::Missing => {
                note = missing(self.message, '#');
                lines.push("--data-binary @body.bin".to_owned());
            }
        }
        format!("{note}{}\n", lines.join(" \\\n  "))
    }

    fn powershell(&self) -> String {
        let mut parameters = vec![format!("-Uri {}", ps(&filled(self.url.text())))];
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH", "MERGE"];
        let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(self.method));
        parameters.push(format!("{} {}", if is_known { "-Method" } else { "-CustomMethod" }, ps(self.method)));
        let mut headers: Vec<(&str, String)> = Vec::new();
        for (name, value) in self.fields() {
            // Windows PowerShell takes these as parameters alone.
            if name.eq_ignore_ascii_case("user-agent") {
                parameters.push(format!("-UserAgent {}", ps(&value)));
            } else if name.eq_ignore_ascii_case("content-type") {
                parameters.push(format!("-ContentType {}", ps(&value)));
            } else if let Some((_, values)) = headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                values.push_str(", ");
                values.push_str(&value);
            } else {
                headers.push((name, value));
            }
        }
        let mut assignments: Vec<_> =
            headers.iter().map(|(name, value)| format!("    {} = {}\n", ps(name), ps(value))).collect();
        match self.credential {
            None => {}
            Some(Credential::Basic { user, .. }) => {
                let encoded =
                    format!("[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes({}))", ps(&sign_in(Some(user))));
                assignments.push(format!("    'Authorization' = 'Basic ' + {encoded}\n"));
            }
            Some(credential @ (Credential::Ntlm(_) | Credential::Digest { .. })) => {
                let user = windows_user(credential).map_or_else(|| "<user>".to_owned(), name);
                parameters.push(format!("-Credential (Get-Credential {})", ps(&user)));
            }
            Some(Credential::Negotiate(_)) => parameters.push("-UseDefaultCredentials".to_owned()),
            Some(credential) => assignments.push(format!("    'Authorization' = {}\n", ps(&header(credential)))),
        }
        let mut page = String::new();
        match self.data() {
            Data::None => {}
            Data::Text(text) => parameters.push(format!("-Body {}", ps(text))),
            Data::Missing => {
                page = missing(self.message, '#');
                parameters.push("-InFile 'body.bin'".to_owned());
            }
        }
        if !assignments.is_empty() {
            let _ = writeln!(page, "$headers = @{{\n{}}}", assignments.concat());
            parameters.push("-Headers $headers".to_owned());
        }
        format!("{page}Invoke-WebRequest -UseBasicParsing {}\n", parameters.join(" `\n    "))
    }

    fn raw(&self, exchange: &Exchange) -> String {
        let url = filled(self.url.text());
        let target = url.get(self.url.origin().len()..).filter(|target| !target.is_empty()).unwrap_or("/");
        let version = self.message.version.as_str();
        let mut page = format!("{} {target} {version}\n", self.method);
        if !self.message.fields.iter().any(|field| field.name.as_str().eq_ignore_ascii_case("host")) {
            let _ = writeln!(page, "Host: {}", self.url.authority());
        }
        write_message(&mut page, self.message);
        if let Seen::Seen(response) = &exchange.response {
            let status = response.status.map(|status| format!(" {status}")).unwrap_or_default();
            let _ = writeln!(page, "\n{}{status} {}", response.message.version, response.reason);
            write_message(&mut page, &response.message);
        }
        page
    }

    /// The fields that are worth sending again, without the credential.
    fn fields(&self) -> impl Iterator<Item = (&'a str, String)> {
        // What curl and PowerShell make themselves, of the connection and of the body.
        const OWN: [&str; 11] = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "proxy-connection",
            "keep-alive",
            "upgrade",
            "expect",
            "accept-encoding",
            "authorization",
            "proxy-authorization",
        ];
        let is_sent = |name: &str| {
            !name.is_empty() && name.bytes().all(is_token) && !OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
        };
        let sent = self.message.fields.iter().filter(move |field| is_sent(field.name.as_str()));
        sent.map(|field| (field.name.as_str(), one_line(&filled(&field.value))))
    }

    fn data(&self) -> Data<'a> {
        let body = &self.message.body;
        match &body.content {
            Content::Text { text, complete: true, syntax } if !syntax.is_decoded() => {
                // An escape sequence could end the terminal's paste, and what follows would be typed.
                let is_plain = |char: char| !char.is_control() || matches!(char, '\n' | '\t' | '\r');
                if text.as_str().chars().all(is_plain) { Data::Text(text.as_str()) } else { Data::Missing }
            }
            Content::Empty if body.length == 0 => Data::None,
            _ => Data::Missing,
        }
    }
}

/// What is said where the body has to be supplied.
fn missing(message: &Message, comment: char) -> String {
    format!("{comment} The body ({} bytes) was not recorded as it was: put one into body.bin.\n", message.body.length)
}

fn write_message(page: &mut String, message: &Message) {
    for field in &*message.fields {
        let value = field.credential.as_ref().filter(|_| is_authorization(field)).map(header);
        let value = value.unwrap_or_else(|| one_line(&filled(&field.value)));
        let _ = writeln!(page, "{}: {value}", one_line(field.name.as_str()));
    }
    page.push('\n');
    match &message.body.content {
        Content::Text { text, complete, .. } => {
            page.extend(text.as_str().chars().map(|char| if is_harmless(char) { char } else { '\u{fffd}' }));
            page.push_str(if *complete { "\n" } else { "\n[...]\n" });
        }
        Content::Withheld(_) => {
            let _ = writeln!(page, "[{} bytes]", message.body.length);
        }
        Content::Empty => {}
    }
}

fn is_authorization(field: &Field) -> bool {
    ["authorization", "proxy-authorization"].iter().any(|name| field.name.as_str().eq_ignore_ascii_case(name))
}

/// The value of `Authorization` with what has to be filled in.
fn header(credential: &Credential) -> String {
    match credential {
        Credential::Empty => String::new(),
        Credential::Bearer(Token::Empty) => "Bearer".to_owned(),
        Credential::Bearer(Token::Jwt(jwt)) => match (&jwt.aud, jwt.label) {
            (Some(aud), _) => format!("Bearer <token for {}>", one_line(aud.as_str())),
            (None, Some(label)) => format!("Bearer <token {label}>"),
            (None, None) => "Bearer <token>".to_owned(),
        },
        Credential::Bearer(Token::Jwe { label, .. } | Token::Opaque { label, .. }) => format!("Bearer <token {label}>"),
        Credential::Basic { user, .. } => format!("Basic <base64 of {}>", sign_in(Some(user))),
        Credential::Ntlm(_) => "NTLM <message>".to_owned(),
        Credential::Negotiate(_) => "Negotiate <token>".to_owned(),
        Credential::Digest { .. } => "Digest <response>".to_owned(),
        Credential::Other { scheme, label: Some(label) } => format!("{scheme} <credential {label}>"),
        Credential::Other { scheme, label: None } => scheme.to_string(),
    }
}

/// `<UPN of user#1>:<password of user#1>`.
fn sign_in(user: Option<&User>) -> String {
    match user.and_then(|user| user.name().map(|text| (user, person(text)))) {
        Some((user, Some(person))) => format!("{}:<password of {person}>", name(user)),
        _ => "<user>:<password>".to_owned(),
    }
}

/// How a command names somebody.
fn name(user: &User) -> String {
    match (user, user.name().and_then(person)) {
        (User::Upn(_), Some(person)) => format!("<UPN of {person}>"),
        (User::DownLevel(text) | User::Bare(text), Some(person)) => {
            one_line(&text.as_str().replace(person, &format!("<name of {person}>")))
        }
        _ => "<user>".to_owned(),
    }
}

/// The pseudonym in a name: `user#1`.
fn person(name: &Clean) -> Option<&str> {
    let from = name.as_str().find("user#")?;
    let rest = name.as_str().get(from..)?;
    let digits = rest.bytes().skip(5).take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| rest.get(..5 + digits)).flatten()
}

fn windows_user(credential: &Credential) -> Option<&User> {
    let message = match credential {
        Credential::Digest { user, .. } => return Some(user),
        Credential::Ntlm(Ntlm::Message(message))
        | Credential::Negotiate(Negotiate::Ntlm(message) | Negotiate::SpnegoNtlm(message, _)) => message,
        _ => return None,
    };
    match &**message {
        NtlmMessage::Authenticate { user, .. } => Some(user),
        _ => None,
    }
}

/// A marker of something hidden becomes a place to fill in.
fn filled(text: &Clean) -> String {
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("[hidden #") {
        out.push_str(before);
        match behind.split_once(']').filter(|(label, _)| label.bytes().all(|byte| byte.is_ascii_digit())) {
            Some((label, behind)) => {
                let _ = write!(out, "<hidden #{label}>");
                rest = behind;
            }
            None => {
                out.push_str("[hidden #");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Without line breaks and other controls: a value is one line, whoever wrote it.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn is_harmless(char: char) -> bool {
    !char.is_control() || matches!(char, '\n' | '\t')
}

/// RFC 9110's `tchar`: curl would take a name that begins with `@` for a file.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A word of sh: between single quotes nothing is special but the quote.
fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A word of `PowerShell`, which takes typographic quotes for quotes: each one is doubled.
fn ps(text: &str) -> String {
    let mut out = String::from("'");
    for char in text.chars() {
        if matches!(char, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(char);
        }
        out.push(char);
    }
    out.push('\'');
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::exchange::{Ids, Timestamp};
    use crate::redact::Redactor;
    use crate::session::paste;

    fn copied(text: &str, form: Form) -> String {
        let exchanges = paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0));
        snippet(&exchanges[0], form).unwrap()
    }

    const SECRET: &str = "Hunter2hunter2";

    fn with_password() -> String {
        use base64::Engine as _;
        let credential = base64::prelude::BASE64_STANDARD.encode(format!("avery@contoso.com:{SECRET}"));
        format!(
            "POST /EWS/Exchange.asmx?a=[1] HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: Basic {credential}\r\n\
             User-Agent: it's\r\nX-Empty:\r\nAccept: a\r\nAccept: b\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\n\
             it's all\r\n\r\nHTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"
        )
    }

    #[test]
    fn in_the_place_of_a_password_stands_what_has_to_be_filled_in() {
        for form in [Form::Curl, Form::PowerShell, Form::Raw] {
            let copied = copied(&with_password(), form);
            assert!(copied.contains("<UPN of user#1>:<password of user#1>"), "{copied}");
            assert!(!copied.contains(SECRET) && !copied.contains("avery"), "{copied}");
        }
    }

    #[test]
    fn a_curl_command_has_everything_in_quotes() {
        insta::assert_snapshot!(copied(&with_password(), Form::Curl));
    }

    #[test]
    fn a_powershell_command_names_what_windows_powershell_takes_by_parameter_alone() {
        insta::assert_snapshot!(copied(&with_password(), Form::PowerShell));
    }

    #[test]
    fn the_raw_text_has_request_and_response() {
        insta::assert_snapshot!(copied(&with_password(), Form::Raw));
    }

    #[test]
    fn each_scheme_has_its_own_place() {
        let told = |value: &str, form| {
            copied(&format!("GET / HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: {value}\r\n\r\n"), form)
        };
        let token = format!("Bearer {}", "b3BhcXVl".repeat(9));
        assert!(told(&token, Form::Curl).contains("--header 'Authorization: Bearer <token #1>'"));
        assert!(told(&token, Form::PowerShell).contains("'Authorization' = 'Bearer <token #1>'"));
        assert!(told("Bearer", Form::Curl).contains("--header 'Authorization: Bearer'"));
        assert!(told("", Form::Curl).contains("--header 'Authorization;'"));
        let ntlm = "NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==";
        assert!(told(ntlm, Form::Curl).contains("--ntlm --user '<user>:<password>'"));
        assert!(told(ntlm, Form::PowerShell).contains("-Credential (Get-Credential '<user>')"));
    }

    #[test]
    fn quotes_of_either_shell_end_nothing() {
        assert_eq!(sh("a'; rm -rf ~ #"), "'a'\\''; rm -rf ~ #'");
        assert_eq!(ps("a'; $(x)\u{2019};\u{201b}"), "'a''; $(x)\u{2019}\u{2019};\u{201b}\u{201b}'");
    }

    #[test]
    fn what_could_leave_its_line_or_the_terminal_does_not() {
        let text = "GET / HTTP/1.1\r\nHost: mail.contoso.com\r\nX-A: a\x1b[201~\x07b\r\n@etc: c\r\n\r\n";
        for form in [Form::Curl, Form::PowerShell, Form::Raw] {
            let copied = copied(text, form);
            assert!(!copied.contains(['\x1b', '\x07']), "{copied:?}");
        }
        assert!(!copied(text, Form::Curl).contains("--header '@"));
        let body = "POST / HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\na\x1b[201~b";
        for form in [Form::Curl, Form::PowerShell, Form::Raw] {
            assert!(!copied(body, form).contains('\x1b'));
        }
        assert!(copied(body, Form::Curl).contains("--data-binary @body.bin"));
    }
}
