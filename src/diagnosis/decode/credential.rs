//! What may be known of a credential, as a person reads it. The reading itself is done by `redact` on the way in.

use super::view::Decoded;
use crate::diagnosis::{Case, Place, Sent};
use crate::redact::{
    Binding, Clean, Credential, Jwt, Label, Negotiate, Ntlm, NtlmMessage, OpaqueForm, Password, Token, User,
};

/// The credential in `Authorization`.
pub(super) fn sent(case: &Case<'_>) -> Option<Decoded> {
    match case.authorization() {
        Sent::Credential(credential) => Some(of(credential, Place::RequestHeader("authorization"))),
        Sent::Absent | Sent::Unseen => None,
    }
}

/// The credential in `Proxy-Authorization`.
pub(super) fn sent_to_proxy(case: &Case<'_>) -> Option<Decoded> {
    match case.proxy_authorization() {
        Sent::Credential(credential) => Some(of(credential, Place::RequestHeader("proxy-authorization"))),
        Sent::Absent | Sent::Unseen => None,
    }
}

/// The server's own message of a handshake, in `WWW-Authenticate`.
pub(super) fn replied(case: &Case<'_>) -> Option<Decoded> {
    let reply = case.challenges().iter().find_map(|challenge| challenge.credential)?;
    let empty = matches!(reply, Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty));
    (!empty).then(|| of(reply, Place::ResponseHeader("www-authenticate")))
}

fn of(credential: &Credential, place: Place) -> Decoded {
    match credential {
        Credential::Empty => Decoded::new("Authorization", place).row("value", "empty"),
        Credential::Basic { user, password } => with_password(with_user(Decoded::new("Basic", place), user), *password),
        Credential::Bearer(token) => bearer(token, place),
        Credential::Ntlm(Ntlm::Empty) => Decoded::new("NTLM", place).row("token", "none"),
        Credential::Ntlm(Ntlm::Message(message)) => ntlm(message, "NTLM", place),
        Credential::Ntlm(Ntlm::Unreadable { label }) => {
            Decoded::new("NTLM", place).row("token", "no NTLM message").row("label", label_text(*label))
        }
        Credential::Negotiate(token) => negotiate(token, place),
        Credential::Digest { user, label } => {
            with_user(Decoded::new("Digest", place), user).row("label", label_text(*label))
        }
        Credential::Other { scheme, label } => {
            Decoded::new("Authorization", place).row("scheme", scheme.clone()).row_if("label", label.map(label_text))
        }
    }
}

fn with_user(part: Decoded, user: &User) -> Decoded {
    let form = match user {
        User::Empty => "none",
        User::Upn(_) => "UPN (user@domain)",
        User::DownLevel(_) => "down-level (DOMAIN\\user)",
        User::Bare(_) => "bare name, without a domain",
    };
    part.row_if("user", user.name().cloned()).row("user form", form)
}

fn with_password(part: Decoded, password: Password) -> Decoded {
    match password {
        Password::Missing => part.row("password", "missing: no colon"),
        Password::Empty => part.row("password", "empty"),
        Password::Set { label, padded, non_ascii } => {
            let part = part.row("password", Clean::concat(["set, ".into(), label_text(label)]));
            let part = part.row_if("blanks", padded.then_some("at its start or end"));
            part.row_if("letters", non_ascii.then_some("beyond ASCII"))
        }
    }
}

fn bearer(token: &Token, place: Place) -> Decoded {
    match token {
        Token::Empty => Decoded::new("Bearer", place).row("token", "empty: asks for the challenge"),
        Token::Jwt(token) => jwt(token, place),
        Token::Jwe { label } => {
            Decoded::new("JWE", place).row("token", "encrypted, nothing is readable").row("label", label_text(*label))
        }
        Token::Opaque { label, form } => {
            let form = match form {
                OpaqueForm::Plain => "opaque",
                OpaqueForm::MicrosoftAccount => "encrypted Microsoft account token (Ew…)",
                OpaqueForm::DoubleBearer => "the word Bearer twice",
                OpaqueForm::Quoted => "in quotation marks",
                OpaqueForm::Broken => "with blanks or line breaks inside",
                OpaqueForm::DamagedJwt => "a damaged JWT",
            };
            Decoded::new("Bearer", place).row("token", form).row("label", label_text(*label))
        }
    }
}

fn jwt(jwt: &Jwt, place: Place) -> Decoded {
    let part = Decoded::new("JWT", place)
        .row_if("alg", jwt.alg.clone())
        .row_if("aud", jwt.aud.clone())
        .row_if("iss", jwt.iss.clone())
        .row_if("tid", jwt.tid.clone())
        .row_if("appid", jwt.appid.clone())
        .row_if("appidacr", jwt.appidacr.clone())
        .row_if("user", jwt.user.as_ref().and_then(User::name).cloned())
        .row_if("scp", jwt.scp.clone())
        .row_if("roles", jwt.roles.clone())
        .row_if("amr", jwt.amr.clone())
        .row_if("idtyp", jwt.idtyp.clone())
        .row_if("ver", jwt.ver.clone())
        .row_if("iat", jwt.iat.map(Clean::moment))
        .row_if("nbf", jwt.nbf.map(Clean::moment))
        .row_if("exp", jwt.exp.map(Clean::moment));
    part.row_if("onprem_sid", jwt.onprem_sid.then_some("present"))
        .row_if("nonce", jwt.nonce.then_some("present"))
        .row_if("label", jwt.label.map(label_text))
}

fn negotiate(token: &Negotiate, place: Place) -> Decoded {
    match token {
        Negotiate::Empty => Decoded::new("Negotiate", place).row("token", "none"),
        Negotiate::Ntlm(message) => ntlm(message, "NTLM, bare", place),
        Negotiate::SpnegoNtlm(message, _) => ntlm(message, "NTLM in SPNEGO", place),
        Negotiate::Kerberos { label, .. } => {
            Decoded::new("Negotiate", place).row("mechanism", "Kerberos").row("label", label_text(*label))
        }
        Negotiate::Spnego { label, .. } => {
            Decoded::new("Negotiate", place).row("mechanism", "SPNEGO").row("label", label_text(*label))
        }
        Negotiate::Unreadable { label } => {
            Decoded::new("Negotiate", place).row("token", "not readable").row("label", label_text(*label))
        }
    }
}

fn ntlm(message: &NtlmMessage, wrapping: &'static str, place: Place) -> Decoded {
    match message {
        NtlmMessage::Negotiate { flags, .. } => Decoded::new("NTLM message 1 (NEGOTIATE)", place)
            .row("mechanism", wrapping)
            .row("flags", flag_names(*flags)),
        NtlmMessage::Challenge { flags, target, computer, domain, dns_computer, dns_domain, .. } => {
            Decoded::new("NTLM message 2 (CHALLENGE)", place)
                .row("mechanism", wrapping)
                .row_if("TargetName", target.clone())
                .row_if("NbComputerName", computer.clone())
                .row_if("NbDomainName", domain.clone())
                .row_if("DnsComputerName", dns_computer.clone())
                .row_if("DnsDomainName", dns_domain.clone())
                .row("flags", flag_names(*flags))
        }
        NtlmMessage::Authenticate { flags, version, user, domain, binding, target, label, .. } => {
            let version = match version {
                0 => "anonymous",
                1 => "NTLMv1",
                _ => "NTLMv2",
            };
            let binding = match binding {
                Binding::None => "none sent",
                Binding::Zero => "sixteen zero bytes: none to bind to",
                Binding::Ours => "this proxy's certificate",
                Binding::Server => "the server's certificate",
                Binding::Other => "another certificate",
            };
            let domain = (!domain.as_str().is_empty()).then(|| domain.clone());
            with_user(Decoded::new("NTLM message 3 (AUTHENTICATE)", place).row("mechanism", wrapping), user)
                .row_if("DomainName", domain)
                .row("response", version)
                .row("channel binding", binding)
                .row_if("MsvAvTargetName", target.clone())
                .row("flags", flag_names(*flags))
                .row("label", label_text(*label))
        }
    }
}

/// The flags of MS-NLMP section 2.2.2.5 that say what was agreed, without their prefix.
fn flag_names(flags: u32) -> Clean {
    const NAMES: [(u32, &str); 12] = [
        (0x0000_0001, "UNICODE"),
        (0x0000_0010, "SIGN"),
        (0x0000_0020, "SEAL"),
        (0x0000_0080, "LM_KEY"),
        (0x0000_0200, "NTLM"),
        (0x0000_0800, "ANONYMOUS"),
        (0x0000_8000, "ALWAYS_SIGN"),
        (0x0008_0000, "EXTENDED_SESSIONSECURITY"),
        (0x0080_0000, "TARGET_INFO"),
        (0x2000_0000, "128"),
        (0x4000_0000, "KEY_EXCH"),
        (0x8000_0000, "56"),
    ];
    let set = NAMES.iter().filter(|(bit, _)| flags & bit != 0);
    set.fold(Clean::from(""), |text, (_, name)| {
        let gap = if text.as_str().is_empty() { "" } else { " " };
        Clean::concat([text, gap.into(), (*name).into()])
    })
}

fn label_text(label: Label) -> Clean {
    label.into()
}
