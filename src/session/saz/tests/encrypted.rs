//! Archives with a password: what opens them, and what is said where nothing does.

use zip::AesMode;

use super::*;

const PASSWORD: &str = "Synth-Pw-1";
const MEMBERS: [(&str, &[u8]); 3] =
    [("raw/1_c.txt", REQUEST), ("raw/1_s.txt", RESPONSE), ("raw/1_m.xml", b"<Session BitFlags=\"1\"/>")];

/// Whether it reads as the one session that is in it.
fn opens(bytes: &[u8]) -> bool {
    matches!(try_read(bytes, Some(PASSWORD)).as_deref(), Ok([Ok(read)]) if read.status() == Some(401))
}

/// An archive whose members are encrypted so, but for what Fiddler reads before it asks.
fn aes(mode: AesMode, method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(method);
    archive.start_file("[Content_Types].xml", plain).unwrap();
    for (name, content) in MEMBERS {
        archive.start_file(name, plain.with_aes_encryption(mode, PASSWORD)).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_password_opens_every_kind_of_encryption() {
    let all = [AesMode::Aes128, AesMode::Aes192, AesMode::Aes256]
        .into_iter()
        .flat_map(|mode| [CompressionMethod::Stored, CompressionMethod::Deflated].map(|method| aes(mode, method)))
        .chain([false, true].map(|deflated| old_archive(&MEMBERS, PASSWORD.as_bytes(), deflated)));
    for (place, bytes) in all.enumerate() {
        assert!(opens(&bytes), "{place}");
        assert!(matches!(try_read(&bytes, Some("another")), Err(SessionError::WrongPassword { .. })), "{place}");
        for none in [None, Some("")] {
            assert!(matches!(try_read(&bytes, none), Err(SessionError::Protected { .. })), "{place}");
        }
    }
}

#[test]
fn of_an_encrypted_archive_that_is_cut_what_stands_before_the_cut_is_read() {
    for whole in [
        aes(AesMode::Aes256, CompressionMethod::Deflated),
        old_archive(&MEMBERS, PASSWORD.as_bytes(), false),
        old_archive(&MEMBERS, PASSWORD.as_bytes(), true),
    ] {
        let directory = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
        let behind_request = memchr::memmem::find(&whole, b"raw/1_s.txt").unwrap() - 30;
        for (cut, status) in [(directory, Some(401)), (behind_request, None)] {
            let cut = &whole[..cut];
            let found = try_read(cut, Some(PASSWORD)).unwrap();
            assert!(
                matches!(&found[..], [Ok(read), Err(SessionError::Rest { .. })] if read.status() == status),
                "{found:?}"
            );
            assert!(matches!(try_read(cut, Some("another")), Err(SessionError::WrongPassword { .. })));
            assert!(matches!(try_read(cut, None), Err(SessionError::Protected { .. })));
        }
        // In the middle of the first request it is known that there is one, and no more than that.
        let found = try_read(&whole[..behind_request - 20], Some(PASSWORD));
        match &found {
            Ok(found) => assert!(found.iter().all(Result::is_err), "{found:?}"),
            Err(error) => assert!(matches!(error, SessionError::NoSessions { .. }), "{error}"),
        }
        for at in (0..whole.len()).step_by(83) {
            let mut flipped = whole[..at].to_vec();
            let _ = try_read(&flipped, Some(PASSWORD));
            flipped.extend(&whole[at..]);
            flipped[at] ^= 1 << (at % 8);
            let _ = try_read(&flipped, Some(PASSWORD));
        }
    }
}

/// PKZIP's own encryption, as old Fiddlers use it.
struct Keys([u32; 3]);

impl Keys {
    fn of(password: &[u8]) -> Self {
        let mut keys = Self([0x1234_5678, 0x2345_6789, 0x3456_7890]);
        for byte in password {
            keys.update(*byte);
        }
        keys
    }

    fn update(&mut self, byte: u8) {
        self.0[0] = crc(self.0[0], byte);
        self.0[1] = self.0[1].wrapping_add(self.0[0] & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        self.0[2] = crc(self.0[2], self.0[1].to_be_bytes()[0]);
    }

    fn encrypted(&mut self, byte: u8) -> u8 {
        let word = (self.0[2] | 2) & 0xffff;
        let pad = (word.wrapping_mul(word ^ 1) >> 8) as u8;
        self.update(byte);
        byte ^ pad
    }
}

/// One step of CRC-32.
fn crc(sum: u32, byte: u8) -> u32 {
    (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
}

/// An archive of members that are encrypted so: with their lengths in front of them, or behind them and deflated.
fn old_archive(members: &[(&str, &[u8])], password: &[u8], deflated: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let sum = !content.iter().fold(u32::MAX, |sum, byte| crc(sum, *byte));
        let mut keys = Keys::of(password);
        let mut head = [7; 12];
        // Without the checksum it is a byte of the time, which is 0, that tells a wrong password.
        head[11] = if deflated { 0 } else { sum.to_be_bytes()[0] };
        let short = u16::try_from(content.len()).unwrap();
        let block = [&[1][..], &short.to_le_bytes(), &(!short).to_le_bytes(), content].concat();
        let packed = if deflated { &block[..] } else { content };
        let packed: Vec<u8> = head.iter().chain(packed).map(|byte| keys.encrypted(*byte)).collect();
        let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let [flags, method] = if deflated { [9, 8] } else { [1, 0] };
        let kind = [20, 0, flags, 0, method, 0, 0, 0, 0, 0];
        let facts = [&sum.to_le_bytes()[..], &long(packed.len()), &long(content.len())].concat();
        let before = if deflated { &[0; 12][..] } else { &facts };
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let start = long(file.len());
        let between = [&name_length[..], &[0, 0]].concat();
        let behind = if deflated { [&b"PK\x07\x08"[..], &facts].concat() } else { Vec::new() };
        file.extend([b"PK\x03\x04", &kind[..], before, &between, name.as_bytes(), &packed, &behind].concat());
        directory
            .extend([b"PK\x01\x02\x14\0", &kind[..], &facts, &name_length, &[0; 12], &start, name.as_bytes()].concat());
    }
    let (from, length) = (u32::try_from(file.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let end =
        [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &length.to_le_bytes(), &from.to_le_bytes(), &[0, 0]].concat();
    [file, directory, end].concat()
}
