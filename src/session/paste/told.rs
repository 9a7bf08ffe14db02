//! Which words of a text tell of a refused sign-in, as issuers, Exchange, migration tools, wizards and frameworks say it.
//!
//! This only decides whether a text is worth reading. What it means is for the diagnosis.

use std::borrow::Cow;

use serde_json::Value;

use super::raw::Field;

/// Whether a paragraph tells of an error in words that nobody uses by chance.
pub(super) fn tells(text: &str) -> bool {
    const WORDS: [&str; 41] = [
        // The sign-in log.
        "sign-in error code",
        "サインイン エラー コード",
        // Migration tools.
        "your migration failed",
        "migrationwiz was not able to",
        "migrationwiz has detected",
        "credentials used to access the configured mailbox are invalid",
        "databasenotfoundexception",
        "basic auth disabled",
        "資格情報を確認できません",
        "資格情報の確認に失敗",
        "資格情報の検証に失敗",
        "リクエストが失敗しました",
        "要求が失敗しました",
        "基本認証が無効です",
        // Wizards and analyzers.
        "connection settings you supplied",
        "接続設定を確認して",
        "response was received from the remote",
        "options コマンドのテスト",
        "testing of the options command failed",
        // Frameworks.
        "remote server returned an error",
        "リモート サーバーがエラーを返しました",
        "リモートサーバーがエラーを返しました",
        "msalserviceexception",
        "msaluirequiredexception",
        "msalclientexception",
        "adalserviceexception",
        "request failed with http status 40",
        "http request is unauthorized with client authentication scheme",
        // Error codes that stand alone.
        "invalid_grant:",
        "invalid_client:",
        "erroraccessdenied",
        "errorimpersonateuserdenied",
        "errornonexistentmailbox",
        "does not have permission to impersonate the requested user",
        "smtp address has no mailbox associated with it",
        // Graph, as its programs print it.
        "invalidauthenticationtoken",
        "authentication_expiredtoken",
        "authorization_requestdenied",
        "organizationfromtenantguidnotfound",
        "mailboxnotenabledforrestapi",
        "mailboxnothostedinexchangeonline",
    ];
    let lower = text.to_lowercase();
    let post = (lower.contains("http post request") || lower.contains("http get request")) && lower.contains("fail");
    has_code(text, "AADSTS", 4)
        || has_code(text, "MSIS", 4)
        || post
        || WORDS.iter().any(|word| lower.contains(word))
        || !fields(text).is_empty()
}

/// Whether a line begins to tell of an error of its own.
pub(super) fn begins(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '-', '*', '>', '\u{2022}', '\u{30fb}', '"', '\u{201c}']);
    let lower = line.to_lowercase();
    has_code(line.get(..12).unwrap_or(line), "AADSTS", 4)
        || ["your migration failed", "databasenotfoundexception", "401 unauthorized", "unable to connect to the server"]
            .iter()
            .any(|start| lower.starts_with(start))
        || ["移行先の資格情報", "移行元の資格情報"].iter().any(|start| line.starts_with(start))
}

/// Whether a text as a whole sounds like an error, where nothing better is found.
pub(super) fn sounds_like_an_error(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["unauthorized", "forbidden", "(401)", "(403)", "(407)", "http 401", "authentication failed", "logon failure"]
        .iter()
        .any(|word| lower.contains(word))
}

/// A line that is a status and no more: `401 Unauthorized`, `HTTP 401`, `StatusCode : 401`.
pub(super) fn status_alone(line: &str) -> Option<(u16, &str)> {
    let line = line.trim().trim_end_matches('.');
    let rest = match line.split_once([':', '\u{2192}']) {
        Some((name, rest)) => {
            let name: String = name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
            ["status", "statuscode", "httpstatus", "httpstatuscode", "responsestatus"]
                .contains(&name.as_str())
                .then_some(rest)?
        }
        None => line.strip_prefix("HTTP ").unwrap_or(line),
    };
    let (digits, reason) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let status = if digits.len() == 3 { digits.parse().ok()? } else { return None };
    let is_reason = reason.len() <= 32 && reason.chars().all(|c| c.is_ascii_alphabetic() || c == ' ');
    ((200..600).contains(&status) && is_reason).then_some((status, reason.trim()))
}

/// The name of a value that was copied without it.
pub(super) fn nameless(line: &str) -> Option<&'static str> {
    let is_challenge = || {
        line.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
            && ["client_id=\"", "authorization_uri=\"", "realm=\"", "trusted_issuers=\""]
                .iter()
                .any(|p| line.contains(p))
    };
    match () {
        () if is_diagnostics(line) => Some("x-ms-diagnostics"),
        () if is_challenge() => Some("www-authenticate"),
        () => None,
    }
}

/// `2000003;reason="…"`.
pub(super) fn is_diagnostics(value: &str) -> bool {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let rest = value[digits..].trim_start();
    (5..=8).contains(&digits)
        && rest.strip_prefix(';').is_some_and(|rest| rest.trim().is_empty() || rest.contains("reason"))
}

/// Fields that are quoted in a sentence: from the name to the end of the line, or to the last parameter.
pub(super) fn fields(text: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    for line in text.lines() {
        for (name, as_name) in [("x-ms-diagnostics", "x-ms-diagnostics"), ("diagnostics", "x-ms-diagnostics")] {
            if let Some(value) = quoted(line, name).filter(|value| is_diagnostics(value)) {
                fields.push(Field { name: as_name, value: Cow::Borrowed(value) });
                break;
            }
        }
        if let Some(value) = fields.is_empty().then(|| unnamed(line)).flatten() {
            fields.push(Field { name: "x-ms-diagnostics", value: Cow::Borrowed(value) });
        }
        if let Some(value) = quoted(line, "www-authenticate") {
            fields.push(Field { name: "www-authenticate", value: Cow::Borrowed(value) });
        }
    }
    fields
}

/// Diagnostics without a sign before them, or without their name: `(2000004;reason="…")`.
fn unnamed(line: &str) -> Option<&str> {
    let (before, _) = line.split_once(";reason=\"").or_else(|| line.split_once("; reason=\""))?;
    let from = before.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    let value = &line[from..];
    is_diagnostics(value).then(|| to_last_parameter(value))
}

/// What follows `name` and a sign in `line`; both may stand in quotes, as dictionaries are printed.
fn quoted<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let at = line.to_ascii_lowercase().find(name)?;
    let rest = &line[at + name.len()..];
    let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let rest = rest.trim_start_matches(['\'', '"']).trim_start();
    let value = rest.strip_prefix([':', '=', '\u{2192}'])?.trim();
    if let Some(inside) = quote.and_then(|_| value.strip_prefix(['\'', '"'])) {
        let close = value.chars().next().unwrap_or('"');
        let end =
            inside.match_indices(close).find(|(at, _)| inside[at + 1..].trim_start().starts_with([',', '}', ']']));
        return Some(&inside[..end.map_or(inside.len(), |(at, _)| at)]);
    }
    Some(to_last_parameter(value)).filter(|value| !value.is_empty())
}

/// Diagnostics up to the end of their category; what has none is left as it is.
fn to_last_parameter(value: &str) -> &str {
    let end = value.find("error_category=\"").or_else(|| value.find("category=\"")).map(|at| {
        let from = at + value[at..].find('"').unwrap_or(0) + 1;
        value[from..].find('"').map_or(value.len(), |end| from + end + 1)
    });
    &value[..end.unwrap_or(value.len())]
}

/// Whether two texts tell of one refusal by an issuer: of one number, and of no two traces.
pub(super) fn is_same(text: &str, other: &str) -> bool {
    let number = |text: &str| -> Option<String> {
        let at = text.find("AADSTS")? + "AADSTS".len();
        Some(text[at..].chars().take_while(char::is_ascii_digit).collect())
    };
    let trace = |text: &str| -> Option<String> {
        const NAMES: [&str; 4] = ["trace id", "trace_id", "correlation id", "correlation_id"];
        let lower = text.to_ascii_lowercase();
        let (at, name) = NAMES.iter().find_map(|name| Some((lower.find(name)?, name)))?;
        let value = lower[at + name.len()..].trim_start_matches(|c: char| !c.is_ascii_hexdigit());
        Some(format!("{}{}", &name[..5], value.get(..8)?))
    };
    let traces = (trace(text), trace(other));
    let is_other = matches!(&traces, (Some(one), Some(two)) if one[..5] == two[..5] && one != two);
    number(text).is_some_and(|number| !number.is_empty()) && number(text) == number(other) && !is_other
}

/// Whether JSON is an error's.
pub(super) fn is_error(value: &Value) -> bool {
    const KEYS: [&str; 9] = [
        "error",
        "error_description",
        "error_codes",
        "odata.error",
        "errorcode",
        "errormessage",
        "message",
        "code",
        "responsecode",
    ];
    let Some(members) = value.as_object() else { return false };
    members.keys().any(|key| KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)))
}

/// Whether markup is an error's.
pub(super) fn is_error_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["fault", "responsecode", "errorcode", "aadsts", "401", "403", "unauthorized", "<error"]
        .iter()
        .any(|word| lower.contains(word))
}

/// A heading of a mail.
pub(super) fn is_mail_heading(line: &str) -> bool {
    ["from:", "to:", "cc:", "sent:", "subject:", "差出人:", "宛先:", "件名:", "送信日時:"]
        .iter()
        .any(|heading| line.trim_start().to_lowercase().starts_with(heading))
}

/// Whether `prefix` with at least so many digits stands in `text`.
fn has_code(text: &str, prefix: &str, digits: usize) -> bool {
    text.match_indices(prefix)
        .any(|(at, _)| text[at + prefix.len()..].bytes().take_while(u8::is_ascii_digit).count() >= digits)
}
