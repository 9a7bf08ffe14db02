//! Connections and certificates as facts, and back.

use serde_json::{Map, Value, json};

use crate::exchange::{Certificate, ClientCertificate, ClientTls, Connection, Server, SniForm, Timestamp, Tls};
use crate::redact::{Clean, Door};

/// The facts of `connection`.
pub(super) fn of(connection: &Connection) -> Value {
    let mut facts = Map::new();
    facts.insert("id".to_owned(), connection.id.into());
    let mut put = |name: &str, value: Option<Value>| value.map(|value| facts.insert(name.to_owned(), value));
    put("client", connection.client.as_ref().map(|client| json!(client)));
    put("target", connection.target.as_ref().map(|target| json!(target)));
    put("client_tls", connection.client_tls.as_ref().map(of_client_tls));
    put("server", connection.server.as_ref().map(|server| json!(server.address)));
    put("tls", connection.server.as_ref().and_then(|server| server.tls.as_ref()).map(of_tls));
    put("presented", connection.presented.as_ref().map(of_certificate));
    Value::Object(facts)
}

fn of_client_tls(tls: &ClientTls) -> Value {
    let mut facts = json!({"version": tls.version, "cipher": tls.cipher, "sni_form": tls.sni_form.code()});
    for (name, text) in [("alpn", &tls.alpn), ("sni", &tls.sni), ("legacy", &tls.legacy)] {
        put_text(&mut facts, name, text.as_ref());
    }
    facts
}

fn of_tls(tls: &Tls) -> Value {
    let mut facts =
        json!({"version": tls.version, "cipher": tls.cipher, "certificate": of_certificate(&tls.certificate)});
    for (name, text) in [("alpn", &tls.alpn), ("accepted_despite", &tls.accepted_despite), ("legacy", &tls.legacy)] {
        put_text(&mut facts, name, text.as_ref());
    }
    if !tls.chain.is_empty() {
        facts["chain"] = tls.chain.iter().map(of_certificate).collect();
    }
    match &tls.client_certificate {
        ClientCertificate::NotAsked => {}
        // Asked for, and none given.
        ClientCertificate::Asked => facts["client_certificate"] = Value::Null,
        ClientCertificate::Given(subject) => facts["client_certificate"] = json!(subject),
    }
    if tls.resumed {
        facts["resumed"] = true.into();
    }
    if tls.renegotiated {
        facts["renegotiated"] = true.into();
    }
    facts
}

fn put_text(facts: &mut Value, name: &str, text: Option<&Clean>) {
    if let Some(text) = text {
        facts[name] = json!(text);
    }
}

fn of_certificate(certificate: &Certificate) -> Value {
    json!({
        "sha256": hex(&certificate.sha256),
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "not_before_us": certificate.not_before.0,
        "not_after_us": certificate.not_after.0,
    })
}

/// Reads [`of`] back.
pub(super) fn read(facts: &Value, door: Door<'_>) -> Option<Connection> {
    let text = |name: &str| facts.get(name).and_then(Value::as_str);
    let target = text("target").map(|target| door.host(target.as_bytes()));
    let servers: Vec<&str> = target.iter().map(Clean::as_str).collect();
    let tls = match facts.get("tls") {
        Some(tls) => Some(read_tls(tls, &servers, door)?),
        None => None,
    };
    Some(Connection {
        id: u32::try_from(facts.get("id")?.as_u64()?).ok()?,
        client: text("client").map(|client| read_client(client, door)),
        server: text("server").map(|address| Server { address: door.host(address.as_bytes()), tls }),
        client_tls: match facts.get("client_tls") {
            Some(tls) => Some(read_client_tls(tls, door)?),
            None => None,
        },
        presented: match facts.get("presented") {
            Some(certificate) => Some(read_certificate(certificate, door)?),
            None => None,
        },
        target,
    })
}

/// An address of this machine, or the pseudonym of another.
fn read_client(text: &str, door: Door<'_>) -> Clean {
    text.parse().map_or_else(|_| door.prose(text.as_bytes()), |address| door.client_address(address))
}

fn read_client_tls(facts: &Value, door: Door<'_>) -> Option<ClientTls> {
    let text = |name: &str| facts.get(name).and_then(Value::as_str).map(str::as_bytes);
    let form = facts.get("sni_form")?.as_str()?;
    Some(ClientTls {
        version: door.prose(text("version")?),
        cipher: door.prose(text("cipher")?),
        alpn: text("alpn").map(|alpn| door.token(alpn)),
        sni: text("sni").map(|name| door.host(name)),
        sni_form: SniForm::ALL.into_iter().find(|known| known.code() == form)?,
        legacy: text("legacy").map(|why| door.prose(why)),
    })
}

fn read_tls(facts: &Value, servers: &[&str], door: Door<'_>) -> Option<Tls> {
    let text = |name: &str| facts.get(name).and_then(Value::as_str).map(str::as_bytes);
    Some(Tls {
        version: door.prose(text("version")?),
        cipher: door.prose(text("cipher")?),
        alpn: text("alpn").map(|alpn| door.token(alpn)),
        certificate: read_certificate(facts.get("certificate")?, door)?,
        chain: match facts.get("chain") {
            Some(chain) => chain.as_array()?.iter().map(|one| read_certificate(one, door)).collect::<Option<_>>()?,
            None => Vec::new(),
        },
        legacy: text("legacy").map(|why| door.prose(why)),
        client_certificate: match facts.get("client_certificate") {
            None => ClientCertificate::NotAsked,
            Some(Value::String(subject)) => ClientCertificate::Given(door.prose(subject.as_bytes())),
            Some(_) => ClientCertificate::Asked,
        },
        resumed: facts.get("resumed").and_then(Value::as_bool).unwrap_or_default(),
        renegotiated: facts.get("renegotiated").and_then(Value::as_bool).unwrap_or_default(),
        accepted_despite: text("accepted_despite").map(|why| door.failure(why, servers)),
    })
}

fn read_certificate(facts: &Value, door: Door<'_>) -> Option<Certificate> {
    let text = |name: &str| facts.get(name).and_then(Value::as_str).map(str::as_bytes);
    let time = |name: &str| facts.get(name).and_then(Value::as_i64).map(Timestamp);
    let names = facts.get("names")?.as_array()?.iter().map(|name| name.as_str().map(|name| host(name, door)));
    Some(Certificate {
        subject: door.prose(text("subject")?),
        issuer: door.prose(text("issuer")?),
        names: names.collect::<Option<_>>()?,
        not_before: time("not_before_us")?,
        not_after: time("not_after_us")?,
        sha256: unhex(facts.get("sha256")?.as_str()?)?,
    })
}

/// A name of a certificate may stand for all names below it.
fn host(name: &str, door: Door<'_>) -> Clean {
    match name.strip_prefix("*.") {
        Some(domain) => Clean::concat(["*.".into(), door.host(domain.as_bytes())]),
        None => door.host(name.as_bytes()),
    }
}

fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)])).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
