//! Throw-away certificates for `localhost`: the origin's and the floor's, each with a root of its own, so that a
//! handshake that succeeds proves who took part in it.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::Outcome;

/// Writes `NAME-ca.pem`, `NAME.pem` and `NAME.key` of both into `folder`.
pub fn make(folder: &Path) -> Outcome {
    fs::create_dir_all(folder)?;
    for name in ["origin", "floor"] {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, format!("Benchmark root of the {name}"));
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let (root_key, key) = (KeyPair::generate()?, KeyPair::generate()?);
        let root_certificate = root.self_signed(&root_key)?;
        let issuer = Issuer::new(root, root_key);
        let leaf = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        fs::write(folder.join(format!("{name}-ca.pem")), root_certificate.pem())?;
        fs::write(folder.join(format!("{name}.pem")), leaf.pem() + &root_certificate.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}
