//! Bodies of any size pass through constant memory. 2 GiB each way in a release build, 256 MiB in a debug build.

use std::fs;
use std::io::{Read, Write as _};

use crate::kit::{Origin, Talk, Tunnel, Workshop};

const SIZE: u64 = if cfg!(debug_assertions) { 256 << 20 } else { 2 << 30 };
const MEMORY: u64 = 100 << 20;
const HOST: &str = "mail.contoso.com";

#[test]
fn a_large_download_passes_through_little_memory() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head().unwrap();
        talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes());
        made(|piece| talk.send(piece));
        assert!(talk.head().is_none());
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(b"GET /big HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    tunnel.head().unwrap();
    check(tunnel.reader());
    assert_eq!(proxy.exchanges(1)[0]["status"], 200);
    assert_little(peak_memory(proxy.id()));
}

#[test]
fn a_large_upload_passes_through_little_memory() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head().unwrap();
        check(talk.reader());
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(talk.head().is_none());
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(format!("PUT /big HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes());
    made(|piece| tunnel.try_send(piece));
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 204"));
    assert_eq!(proxy.exchanges(1)[0]["status"], 204);
    assert_little(peak_memory(proxy.id()));
}

/// Makes the body piece by piece; each piece begins with its number, so that none can be lost or come twice unseen.
fn made(mut send: impl FnMut(&[u8]) -> bool) {
    let mut piece = vec![b'.'; PIECE];
    for number in 0..SIZE / PIECE as u64 {
        piece[..8].copy_from_slice(&number.to_be_bytes());
        assert!(send(&piece), "the connection ended at piece {number}");
    }
}

fn check(source: &mut impl Read) {
    let mut piece = vec![0; PIECE];
    for number in 0..SIZE / PIECE as u64 {
        source.read_exact(&mut piece).unwrap();
        assert_eq!(piece[..8], number.to_be_bytes(), "piece {number}");
        assert_eq!(piece[PIECE - 1], b'.');
    }
}

const PIECE: usize = 64 * 1024;

/// The most memory that the process ever had resident.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

fn assert_little(peak: u64) {
    let mebibytes = |bytes: u64| bytes >> 20;
    let said = format!("{} MiB resident at most for {} MiB of body\n", mebibytes(peak), mebibytes(SIZE));
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(peak < MEMORY, "{said}");
}
