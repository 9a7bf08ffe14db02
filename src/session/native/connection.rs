//! Connections and certificates as rows, and back.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::head::{read_hosts, write_lines};
use super::row::RowError;
use crate::exchange::{Certificate, Connection, Server, Timestamp, Tls};
use crate::redact::{Clean, Door};

/// Writes `connection` with its certificates and gives its row number.
pub(super) fn write(store: &rusqlite::Connection, connection: &Connection) -> rusqlite::Result<i64> {
    let tls = connection.server.as_ref().and_then(|server| server.tls.as_ref());
    let server_certificate = tls.map(|tls| write_certificate(store, &tls.certificate)).transpose()?;
    let presented = connection.presented.as_ref().map(|shown| write_certificate(store, shown)).transpose()?;
    let mut insert = store.prepare_cached(
        "INSERT INTO connections (id, client, target, server, tls_version, tls_cipher, tls_alpn, tls_accepted_despite,
                                  server_certificate, presented_certificate)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    ])
}

/// Reads the connection of row number `row`.
pub(super) fn read(store: &rusqlite::Connection, row: i64, door: Door<'_>) -> Result<Arc<Connection>, RowError> {
    let mut select = store.prepare_cached(
        "SELECT id, client, target, server, tls_version, tls_cipher, tls_alpn, tls_accepted_despite,
                server_certificate, presented_certificate
         FROM connections WHERE row = ?",
    )?;
    let mut rows = select.query([row])?;
    let Some(row) = rows.next()? else { return Err(RowError::Foreign("connection")) };
    let text = |column: usize| row.get::<_, Option<String>>(column).map(|text| text.map(String::into_bytes));
    let certificate = |column: usize| {
        let hash: Option<String> = row.get(column)?;
        hash.map(|hash| read_certificate(store, &hash, door)).transpose()
    };
    let target = text(2)?.map(|target| door.host(&target));
    let servers: Vec<&str> = target.iter().map(Clean::as_str).collect();
    let tls = match (text(4)?, certificate(8)?) {
        (Some(version), Some(certificate)) => Some(Tls {
            version: door.prose(&version),
            cipher: door.prose(&text(5)?.unwrap_or_default()),
            alpn: text(6)?.map(|alpn| door.token(&alpn)),
            certificate,
            accepted_despite: text(7)?.map(|why| door.failure(&why, &servers)),
        }),
        _ => None,
    };
    Ok(Arc::new(Connection {
        id: row.get(0)?,
        client: text(1)?.map(|client| client_of(&client, door)),
        target,
        server: text(3)?.map(|address| Server { address: door.host(&address), tls }),
        presented: certificate(9)?,
    }))
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
