//! The same exchanges as another client, another proxy or another organisation would have written them: what differs
//! and means nothing must change nothing.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{cases, conversations, judge, text};
use crate::diagnosis::Capture;

/// A change of no meaning; nothing where it does not apply.
type Variation = fn(&Value) -> Option<Value>;

const VARIATIONS: [(&str, Variation); 9] = [
    ("names in lower case", |exchange| headers(exchange, |fields| rename(fields, str::to_ascii_lowercase))),
    ("names in upper case", |exchange| headers(exchange, |fields| rename(fields, str::to_ascii_uppercase))),
    ("fields in another order", |exchange| headers(exchange, reordered)),
    ("challenges folded into one line", |exchange| headers(exchange, folded)),
    ("parameters without blanks", |exchange| headers(exchange, |fields| respaced(fields, ", ", ","))),
    ("diagnostics with blanks", |exchange| headers(exchange, |fields| respaced(fields, "\";", "\"; "))),
    ("without what caches and frameworks add", |exchange| headers(exchange, bare)),
    ("JSON in another layout", |exchange| Some(map_body(exchange, json_turned)).filter(|other| other != exchange)),
    ("another organisation", another_organisation),
];

#[test]
fn what_means_nothing_changes_nothing() {
    let mut wrong = Vec::new();
    for case in cases() {
        compare(&text(&case["id"]), std::slice::from_ref(&case), &mut wrong);
    }
    for conversation in conversations() {
        let exchanges: Vec<Value> = conversation["exchanges"].as_array().unwrap().clone();
        compare(&text(&conversation["id"]), &exchanges, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(name: &str, exchanges: &[Value], wrong: &mut Vec<String>) {
    let said = |exchanges: &[Value]| -> Vec<_> {
        let judgements = judge(exchanges, Capture::Imported).into_iter();
        judgements.map(|it| (it.verdict, it.findings.first().map(|finding| finding.id()))).collect()
    };
    let plain = said(exchanges);
    for (what, vary) in VARIATIONS {
        let varied: Vec<Option<Value>> = exchanges.iter().map(vary).collect();
        if varied.iter().all(Option::is_none) {
            continue;
        }
        let varied: Vec<Value> =
            varied.into_iter().zip(exchanges).map(|(varied, plain)| varied.unwrap_or_else(|| plain.clone())).collect();
        let other = said(&varied);
        if other != plain {
            wrong.push(format!("{name}, {what}: {other:?} instead of {plain:?}"));
        }
    }
}

type Fields = Vec<(String, String)>;

/// The exchange with both heads changed; nothing where that changes nothing.
fn headers(exchange: &Value, change: impl Fn(Fields) -> Fields) -> Option<Value> {
    let mut other = exchange.clone();
    for part in ["request", "response"] {
        let Some(list) = other[part]["headers"].as_array_mut() else { continue };
        let fields = list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        *list = change(fields).into_iter().map(|(name, value)| Value::from(vec![name, value])).collect();
    }
    (other != *exchange).then_some(other)
}

fn rename(fields: Fields, change: fn(&str) -> String) -> Fields {
    fields.into_iter().map(|(name, value)| (change(&name), value)).collect()
}

/// Fields of one name keep their order; that one means something.
fn reordered(mut fields: Fields) -> Fields {
    fields.sort_by_key(|(name, _)| name.to_ascii_lowercase().bytes().rev().collect::<Vec<_>>());
    fields
}

fn folded(fields: Fields) -> Fields {
    let is = |name: &str| name.eq_ignore_ascii_case("www-authenticate");
    let (challenges, mut rest): (Fields, Fields) = fields.into_iter().partition(|(name, _)| is(name));
    if challenges.len() > 1 {
        let values: Vec<String> = challenges.into_iter().map(|(_, value)| value).collect();
        rest.push(("WWW-Authenticate".to_owned(), values.join(", ")));
    } else {
        rest.extend(challenges);
    }
    rest
}

fn respaced(fields: Fields, from: &str, to: &str) -> Fields {
    let means_nothing = |name: &str| ["www-authenticate", "x-ms-diagnostics"].contains(&&*name.to_ascii_lowercase());
    let change = |(name, value): (String, String)| {
        let value = if means_nothing(&name) { outside_quotes(&value, from, to) } else { value };
        (name, value)
    };
    fields.into_iter().map(change).collect()
}

/// Replaces `from` where it does not lie wholly inside a quoted text.
fn outside_quotes(value: &str, from: &str, to: &str) -> String {
    let (mut out, mut rest, mut quoted) = (String::new(), value, false);
    while let Some(first) = rest.chars().next() {
        let closes = quoted && from.starts_with('"');
        if (!quoted || closes) && rest.starts_with(from) {
            out.push_str(to);
            quoted &= !closes;
            rest = &rest[from.len()..];
            continue;
        }
        quoted ^= first == '"';
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

fn bare(mut fields: Fields) -> Fields {
    const ADDED: [&str; 10] = [
        "cache-control",
        "x-powered-by",
        "x-aspnet-version",
        "expires",
        "pragma",
        "vary",
        "strict-transport-security",
        "x-content-type-options",
        "p3p",
        "persistent-auth",
    ];
    fields.retain(|(name, _)| !ADDED.contains(&&*name.to_ascii_lowercase()));
    fields
}

fn map_body(exchange: &Value, change: impl Fn(&str) -> Option<String>) -> Value {
    let mut other = exchange.clone();
    for part in ["request", "response"] {
        if let Some(changed) = other[part]["body"].as_str().and_then(&change) {
            other[part]["body"] = changed.into();
        }
    }
    other
}

/// The same JSON with its members the other way round, and indented.
fn json_turned(body: &str) -> Option<String> {
    fn turned(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let members: Vec<_> = members.into_iter().rev().map(|(name, value)| (name, turned(value))).collect();
                Value::Object(members.into_iter().collect::<Map<_, _>>())
            }
            Value::Array(items) => items.into_iter().map(turned).collect(),
            other => other,
        }
    }
    let value: Value = serde_json::from_str(body).ok().filter(Value::is_object)?;
    serde_json::to_string_pretty(&turned(value)).ok()
}

/// Other names of the same kind, in URLs, texts and tokens. What is encoded as binary keeps its own.
fn another_organisation(exchange: &Value) -> Option<Value> {
    let mut other = exchange.clone();
    rewrite(&mut other);
    (other != *exchange).then_some(other)
}

fn rewrite(value: &mut Value) {
    match value {
        Value::String(text) => *text = renamed(text),
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(members) => members.iter_mut().filter(|(name, _)| *name != "id").for_each(|(_, it)| rewrite(it)),
        _ => {}
    }
}

fn renamed(text: &str) -> String {
    text.split(' ')
        .map(|word| {
            let named = names_changed(word);
            if named == word { token(word).or_else(|| basic(word)).unwrap_or(named) } else { named }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn names_changed(text: &str) -> String {
    const NAMES: [(&str, &str); 4] =
        [("contoso", "proseware"), ("fabrikam", "litwareinc"), ("adatum", "tailspintoys"), ("FAB-EX", "TTS-MB")];
    NAMES.iter().fold(text.to_owned(), |text, (from, to)| {
        text.replace(from, to).replace(&from.to_uppercase(), &to.to_uppercase())
    })
}

/// A JWT whose claims name the organisation.
fn token(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('.').collect();
    let [head, claims, signature] = parts[..] else { return None };
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(names_changed(&claims))))
}

/// Credentials of the Basic scheme.
fn basic(word: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(word).ok()?).ok().filter(|text| text.contains(':'))?;
    Some(STANDARD.encode(names_changed(&text)))
}
