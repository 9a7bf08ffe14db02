//! Channel bindings: what a client puts into its NTLM response to say which certificate it saw (RFC 5929
//! `tls-server-end-point`, RFC 5056, MS-NLMP AvId 10).

use md5::Md5;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// The channel bindings of the two certificates that an intercepted connection knows, as MS-NLMP puts them into AvId 10:
/// the MD5 of the `tls-server-end-point` binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bindings {
    /// Of the certificate that this proxy presented.
    pub ours: Option<[u8; 16]>,
    /// Of the certificate that the server presented.
    pub server: Option<[u8; 16]>,
}

impl Bindings {
    /// No certificate is known.
    pub const UNKNOWN: Self = Self { ours: None, server: None };

    /// Of certificates in their DER form: the one that the client was shown and the one that the server showed.
    pub fn of_certificates(ours: Option<&[u8]>, server: Option<&[u8]>) -> Self {
        let binding = |der: &[u8]| value(&end_point(der));
        Self { ours: ours.map(binding), server: server.map(binding) }
    }

    /// Of certificates of which only the SHA-256 is known, as in imported traces. Wrong for one that is signed with
    /// SHA-384 or SHA-512: what is bound to it then reads as [`Binding::Other`](super::Binding::Other).
    pub fn of_fingerprints(ours: Option<[u8; 32]>, server: Option<[u8; 32]>) -> Self {
        let binding = |sha256: [u8; 32]| value(&sha256);
        Self { ours: ours.map(binding), server: server.map(binding) }
    }
}

/// The MD5 of the structure that the application data is the last field of: two addresses that are not there (a type
/// and a length each), then the data's length and the data.
fn value(end_point: &[u8]) -> [u8; 16] {
    const KIND: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(KIND.len() + end_point.len()).unwrap_or_default();
    let mut md5 = Md5::new();
    md5.update([0; 16]);
    md5.update(length.to_le_bytes());
    md5.update(KIND);
    md5.update(end_point);
    md5.finalize().into()
}

/// The hash of a certificate by the function that its own signature uses; SHA-256 in the place of MD5 and SHA-1, and
/// where the signature names no function (RFC 5929 section 4.1 leaves that open).
fn end_point(der: &[u8]) -> Vec<u8> {
    match signature_hash(der).as_deref() {
        Some("2.16.840.1.101.3.4.2.2") => Sha384::digest(der).to_vec(),
        Some("2.16.840.1.101.3.4.2.3") => Sha512::digest(der).to_vec(),
        Some("2.16.840.1.101.3.4.2.4") => Sha224::digest(der).to_vec(),
        _ => Sha256::digest(der).to_vec(),
    }
}

/// The OID of the hash function in a certificate's signature, where it is one of the SHA-2 family beyond SHA-256.
fn signature_hash(der: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let algorithm = &certificate.signature_algorithm;
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) {
        return Some(parameters.hash_algorithm_oid().to_id_string());
    }
    let hash = match algorithm.algorithm.to_id_string().as_str() {
        // RSA, ECDSA, DSA.
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.3.3" => "2.16.840.1.101.3.4.2.2",
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.3.4" => "2.16.840.1.101.3.4.2.3",
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" | "2.16.840.1.101.3.4.3.1" => "2.16.840.1.101.3.4.2.4",
        _ => return None,
    };
    Some(hash.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SHA256: &[u8] = include_bytes!("../../tests/data/certificates/p256-sha256.der");
    const SHA384: &[u8] = include_bytes!("../../tests/data/certificates/p384-sha384.der");
    const ED25519: &[u8] = include_bytes!("../../tests/data/certificates/ed25519.der");

    #[test]
    fn gives_the_value_that_windows_computes() {
        // The example of Microsoft's protocol team for this computation.
        let mut sha256 = [0; 32];
        let hex = b"E3CA49271E5089CC48CE82109F1324F41DBEDDC29A777410C738F7868C4FF405";
        for (byte, pair) in sha256.iter_mut().zip(hex.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
        let expected = [0x6e, 0xa1, 0x9d, 0xf0, 0x66, 0xda, 0x46, 0x22, 0x05, 0x1f, 0x9c, 0x4f, 0x92, 0xc6, 0xdf, 0x74];
        assert_eq!(Bindings::of_fingerprints(Some(sha256), None), Bindings { ours: Some(expected), server: None });
    }

    #[test]
    fn hashes_a_certificate_as_its_signature_does() {
        let fingerprint: [u8; 32] = Sha256::digest(SHA256).into();
        assert_eq!(
            Bindings::of_certificates(Some(SHA256), Some(SHA256)),
            Bindings::of_fingerprints(Some(fingerprint), Some(fingerprint)),
        );
        assert_eq!(end_point(SHA384), Sha384::digest(SHA384).to_vec());
        // An Ed25519 signature names no hash function.
        assert_eq!(end_point(ED25519), Sha256::digest(ED25519).to_vec());
        assert_eq!(end_point(b"no certificate").len(), 32);
    }
}
