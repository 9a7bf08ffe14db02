//! Connections and certificates as rows, and back.

use std::sync::Arc;

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Row, params};

use super::head::{read_hosts, write_lines};
use super::row::RowError;
use crate::exchange::{Certificate, ClientCertificate, ClientTls, Connection, Server, SniForm, Timestamp, Tls};
use crate::redact::{Clean, Door};

/// Writes `connection` with its certificates and gives its row number.
pub(super) fn write(store: &rusqlite::Connection, connection: &Connection) -> rusqlite::Result<i64> {
    let tls = connection.server.as_ref().and_then(|server| server.tls.as_ref());
    let server_certificate = tls.map(|tls| write_certificate(store, &tls.certificate)).transpose()?;
    let presented = connection.presented.as_ref().map(|shown| write_certificate(store, shown)).transpose()?;
    let chain = tls.filter(|tls| !tls.chain.is_empty()).map(|tls| write_chain(store, &tls.chain)).transpose()?;
    let (asked, given) = match tls.map(|tls| &tls.client_certificate) {
        None | Some(ClientCertificate::NotAsked) => (None, None),
        Some(ClientCertificate::Asked) => (Some(true), None),
        Some(ClientCertificate::Given(subject)) => (Some(true), Some(subject)),
    };
    let client = connection.client_tls.as_ref();
    let mut insert = store.prepare_cached(
        "INSERT INTO connections (id, client, target, server, tls_version, tls_cipher, tls_alpn, tls_accepted_despite,
                                  server_certificate, presented_certificate, client_tls_version, client_tls_cipher,
                                  client_tls_alpn, client_sni, client_sni_form, client_tls_legacy, tls_legacy,
                                  tls_resumed, tls_renegotiated, tls_chain, client_certificate_asked, client_certificate_given)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    insert.insert(params![
        connection.id,
        connection.client.as_ref().map(Clean::as_str),
        connection.target.as_ref().map(Clean::as_str),
        connection.server.as_ref().map(|server| server.address.as_str()),
        tls.map(|tls| tls.version.as_str()),
        tls.map(|tls| tls.cipher.as_str()),
        tls.and_then(|tls| tls.alpn.as_ref()).map(Clean::as_str),
        tls.and_then(|tls| tls.accepted_despite.as_ref()).map(Clean::as_str),
        server_certificate,
        presented,
        client.map(|client| client.version.as_str()),
        client.map(|client| client.cipher.as_str()),
        client.and_then(|client| client.alpn.as_ref()).map(Clean::as_str),
        client.and_then(|client| client.sni.as_ref()).map(Clean::as_str),
        client.map(|client| client.sni_form.code()),
        client.and_then(|client| client.legacy.as_ref()).map(Clean::as_str),
        tls.and_then(|tls| tls.legacy.as_ref()).map(Clean::as_str),
        tls.map(|tls| tls.resumed),
        tls.map(|tls| tls.renegotiated),
        chain,
        asked,
        given.map(Clean::as_str),
    ])
}

/// What may name somebody in the rows of `connection`.
pub(super) fn texts(connection: &Connection) -> impl Iterator<Item = &Clean> {
    let tls = connection.server.as_ref().and_then(|server| server.tls.as_ref());
    let given = tls.and_then(|tls| match &tls.client_certificate {
        ClientCertificate::Given(subject) => Some(subject),
        ClientCertificate::NotAsked | ClientCertificate::Asked => None,
    });
    connection.client.iter().chain(&connection.target).chain(given)
}

/// Reads the connection of row number `row`.
pub(super) fn read(store: &rusqlite::Connection, row: i64, door: Door<'_>) -> Result<Arc<Connection>, RowError> {
    // A file of an older format lacks some of the columns.
    let mut select = store.prepare_cached("SELECT * FROM connections WHERE row = ?")?;
    let mut rows = select.query([row])?;
    let Some(row) = rows.next()? else { return Err(RowError::Foreign("connection")) };
    let text = |column: &str| optional::<String>(row, column).map(|text| text.map(String::into_bytes));
    let prose = |column: &str| text(column).map(|text| text.map(|text| door.prose(&text)));
    let token = |column: &str| text(column).map(|text| text.map(|text| door.token(&text)));
    let certificate = |column: &str| {
        let hash: Option<String> = optional(row, column)?;
        hash.map(|hash| read_certificate(store, &hash, door)).transpose()
    };
    let target = text("target")?.map(|target| door.host(&target));
    let servers: Vec<&str> = target.iter().map(Clean::as_str).collect();
    let tls = match (prose("tls_version")?, certificate("server_certificate")?) {
        (Some(version), Some(certificate)) => Some(Tls {
            version,
            cipher: prose("tls_cipher")?.unwrap_or_else(|| "".into()),
            alpn: token("tls_alpn")?,
            certificate,
            chain: read_chain(store, &optional::<String>(row, "tls_chain")?.unwrap_or_default(), door)?,
            accepted_despite: text("tls_accepted_despite")?.map(|why| door.failure(&why, &servers)),
            legacy: prose("tls_legacy")?,
            client_certificate: match (prose("client_certificate_given")?, optional(row, "client_certificate_asked")?) {
                (Some(subject), _) => ClientCertificate::Given(subject),
                (None, Some(true)) => ClientCertificate::Asked,
                (None, _) => ClientCertificate::NotAsked,
            },
            resumed: optional(row, "tls_resumed")?.unwrap_or_default(),
            renegotiated: optional(row, "tls_renegotiated")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let client_tls = match prose("client_tls_version")? {
        Some(version) => Some(ClientTls {
            version,
            cipher: prose("client_tls_cipher")?.unwrap_or_else(|| "".into()),
            alpn: token("client_tls_alpn")?,
            sni: text("client_sni")?.map(|name| door.host(&name)),
            sni_form: sni_form(optional::<String>(row, "client_sni_form")?.as_deref())?,
            legacy: prose("client_tls_legacy")?,
        }),
        None => None,
    };
    Ok(Arc::new(Connection {
        id: row.get("id")?,
        client: text("client")?.map(|client| client_of(&client, door)),
        target,
        client_tls,
        server: text("server")?.map(|address| Server { address: door.host(&address), tls }),
        presented: certificate("presented_certificate")?,
    }))
}

/// What stands in a column; nothing where there is no such column.
fn optional<T: FromSql>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    match row.as_ref().column_index(column) {
        Ok(at) => row.get(at),
        Err(_) => Ok(None),
    }
}

fn sni_form(code: Option<&str>) -> Result<SniForm, RowError> {
    let Some(code) = code else { return Ok(SniForm::Absent) };
    SniForm::ALL.into_iter().find(|form| form.code() == code).ok_or(RowError::Foreign("client_sni_form"))
}

/// An address of this machine, or the pseudonym of another.
fn client_of(text: &[u8], door: Door<'_>) -> Clean {
    let address = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    address.map_or_else(|| door.prose(text), |address| door.client_address(address))
}

fn write_certificate(store: &rusqlite::Connection, certificate: &Certificate) -> rusqlite::Result<String> {
    let hash = hex(&certificate.sha256);
    let mut insert = store.prepare_cached(
        "INSERT INTO certificates (sha256, subject, issuer, names, not_before_us, not_after_us)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    insert.execute(params![
        hash,
        certificate.subject.as_str(),
        certificate.issuer.as_str(),
        write_lines(&certificate.names),
        certificate.not_before.0,
        certificate.not_after.0,
    ])?;
    Ok(hash)
}

/// What stands in the column of a chain: the certificates' fingerprints, one a line.
fn write_chain(store: &rusqlite::Connection, chain: &[Certificate]) -> rusqlite::Result<String> {
    chain.iter().map(|certificate| write_certificate(store, certificate).map(|hash| hash + "\n")).collect()
}

fn read_chain(store: &rusqlite::Connection, lines: &str, door: Door<'_>) -> Result<Vec<Certificate>, RowError> {
    lines.lines().map(|hash| read_certificate(store, hash, door)).collect()
}

fn read_certificate(store: &rusqlite::Connection, hash: &str, door: Door<'_>) -> Result<Certificate, RowError> {
    let mut select = store.prepare_cached(
        "SELECT subject, issuer, names, not_before_us, not_after_us FROM certificates WHERE sha256 = ?",
    )?;
    let found = select.query_row([hash], |row| {
        Ok(Certificate {
            subject: door.prose(row.get::<_, String>(0)?.as_bytes()),
            issuer: door.prose(row.get::<_, String>(1)?.as_bytes()),
            names: read_hosts(&row.get::<_, String>(2)?, door),
            not_before: Timestamp(row.get(3)?),
            not_after: Timestamp(row.get(4)?),
            sha256: [0; 32],
        })
    });
    let sha256 = unhex(hash).ok_or(RowError::Foreign("sha256"))?;
    let certificate = found.optional()?.ok_or(RowError::Foreign("certificate"))?;
    Ok(Certificate { sha256, ..certificate })
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
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
