//! What may be known of a credential, as a person reads it. The reading itself is done by `redact` on the way in.

use super::view::Decoded;
use crate::diagnosis::{Case, Place, Sent};
use crate::redact::{
    Binding, Clean, Credential, Jwt, Kerberos, Mechanism, NegState, Negotiate, Ntlm, NtlmBuild, NtlmMessage,
    OpaqueForm, Password, Spnego, Token, User,
};

/// The credential in `Authorization`.
pub(super) fn sent(case: &Case<'_>) -> Option<Decoded> {
    match case.authorization() {
        Sent::Credential(credential) => {
            let part = of(credential, Place::RequestHeader("authorization"));
            let now = case.server_time().zip(case.jwt());
            Some(now.into_iter().fold(part, |part, (now, jwt)| by_the_servers_clock(part, jwt, now)))
        }
        Sent::Absent | Sent::Unseen => None,
    }
}

/// How the times of a token lie to the moment of the answer.
fn by_the_servers_clock(part: Decoded, jwt: &Jwt, now: i64) -> Decoded {
    let part = part.row("server's clock", Clean::moment(now));
    let apart = |at: i64, before: &'static str, after: &'static str| {
        let seconds = at.abs_diff(now);
        let (count, unit) = if seconds < 120 { (seconds, " s ") } else { (seconds / 60, " min ") };
        Clean::concat([count.into(), unit.into(), if at < now { before } else { after }.into()])
    };
    let part = part.row_if("began", jwt.nbf.map(|nbf| apart(nbf, "before", "after: not valid yet")));
    part.row_if("ends", jwt.exp.map(|exp| apart(exp, "before: expired", "after")))
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
            Decoded::new("NTLM", place).row("token", "no NTLM message").row("label", *label)
        }
        Credential::Negotiate(token) => negotiate(token, place),
        Credential::Digest { user, label } => with_user(Decoded::new("Digest", place), user).row("label", *label),
        Credential::Other { scheme, label } => {
            Decoded::new("Authorization", place).row("scheme", scheme.clone()).row_if("label", *label)
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
            let part = part.row("password", Clean::concat(["set, ".into(), label.into()]));
            let part = part.row_if("blanks", padded.then_some("at its start or end"));
            part.row_if("letters", non_ascii.then_some("beyond ASCII"))
        }
    }
}

fn bearer(token: &Token, place: Place) -> Decoded {
    match token {
        Token::Empty => Decoded::new("Bearer", place).row("token", "empty: asks for the challenge"),
        Token::Jwt(token) => jwt(token, place),
        Token::Jwe { label, alg, enc } => Decoded::new("JWE", place)
            .row("token", "encrypted, nothing but its header is readable")
            .row_if("alg", alg.clone())
            .row_if("enc", enc.clone())
            .row("label", *label),
        Token::Opaque { label, form } => {
            let form = match form {
                OpaqueForm::Plain => "opaque",
                OpaqueForm::MicrosoftAccount => "encrypted Microsoft account token (Ew…)",
                OpaqueForm::DoubleBearer => "the word Bearer twice",
                OpaqueForm::Quoted => "in quotation marks",
                OpaqueForm::Broken => "with blanks or line breaks inside",
                OpaqueForm::DamagedJwt => "a damaged JWT",
            };
            Decoded::new("Bearer", place).row("token", form).row("label", *label)
        }
    }
}

fn jwt(jwt: &Jwt, place: Place) -> Decoded {
    let part = Decoded::new("JWT", place)
        .row_if("alg", jwt.alg.clone())
        .row_if("typ", jwt.typ.clone())
        .row_if("kid", jwt.kid)
        .row_if("aud", jwt.aud.clone())
        .row_if("iss", jwt.iss.clone())
        .row_if("tid", jwt.tid.clone())
        .row_if("appid", jwt.appid.clone())
        .row_if("appidacr", jwt.appidacr.clone())
        .row_if("user", jwt.user.as_ref().and_then(User::name).cloned())
        .row_if("scp", jwt.scp.clone())
        .row_if("roles", jwt.roles.clone())
        .row_if("amr", jwt.amr.clone())
        .row_if("acr", jwt.acr.clone())
        .row_if("xms_cc", jwt.xms_cc.clone())
        .row_if("idtyp", jwt.idtyp.clone())
        .row_if("ver", jwt.ver.clone())
        .row_if("iat", jwt.iat.map(Clean::moment))
        .row_if("nbf", jwt.nbf.map(Clean::moment))
        .row_if("exp", jwt.exp.map(Clean::moment));
    part.row_if("onprem_sid", jwt.onprem_sid.then_some("present"))
        .row_if("nonce", jwt.nonce.then_some("present"))
        .row_if("label", jwt.label)
}

fn negotiate(token: &Negotiate, place: Place) -> Decoded {
    let part = match token {
        Negotiate::Empty => Decoded::new("Negotiate", place).row("token", "none"),
        Negotiate::Ntlm(message) => ntlm(message, "NTLM, bare", place),
        Negotiate::SpnegoNtlm(message, _) => ntlm(message, "NTLM in SPNEGO", place),
        Negotiate::Kerberos { message, .. } => kerberos(message, place),
        Negotiate::Spnego { .. } => Decoded::new("SPNEGO", place),
        Negotiate::Unreadable { .. } => Decoded::new("Negotiate", place).row("token", "not readable"),
    };
    let part = match token.spnego() {
        Some(spnego) => with_spnego(part, spnego),
        None => part,
    };
    match token {
        Negotiate::Kerberos { label, .. } | Negotiate::Spnego { label, .. } | Negotiate::Unreadable { label } => {
            part.row("label", *label)
        }
        Negotiate::Empty | Negotiate::Ntlm(_) | Negotiate::SpnegoNtlm(..) => part,
    }
}

fn with_spnego(part: Decoded, spnego: &Spnego) -> Decoded {
    let name = |mechanism: &Mechanism| match mechanism {
        Mechanism::Kerberos => "Kerberos",
        Mechanism::MsKerberos => "Kerberos (Microsoft's OID)",
        Mechanism::Ntlm => "NTLM",
        Mechanism::NegoEx => "NEGOEX",
        Mechanism::Other => "another",
    };
    let offered = spnego.offered.iter().map(|mechanism| Clean::from(name(mechanism)));
    let offered = offered.reduce(|list, next| Clean::concat([list, ", ".into(), next]));
    let state = spnego.state.map(|state| match state {
        NegState::AcceptCompleted => "accept-completed",
        NegState::AcceptIncomplete => "accept-incomplete",
        NegState::Reject => "reject",
        NegState::RequestMic => "request-mic",
    });
    part.row_if("mechTypes", offered)
        .row_if("supportedMech", spnego.chosen.as_ref().map(name))
        .row_if("negState", state)
}

fn kerberos(message: &Kerberos, place: Place) -> Decoded {
    match message {
        Kerberos::Request { realm, service, etype, kvno } => Decoded::new("Kerberos AP-REQ", place)
            .row_if("sname", service.clone())
            .row_if("realm", realm.clone())
            .row_if("etype", etype.map(etype_name))
            .row_if("kvno", kvno.map(i64::from)),
        Kerberos::Reply { etype } => Decoded::new("Kerberos AP-REP", place).row_if("etype", etype.map(etype_name)),
        Kerberos::Error { code, realm, service, time } => Decoded::new("Kerberos KRB-ERROR", place)
            .row_if("error-code", code.map(error_name))
            .row_if("sname", service.clone())
            .row_if("realm", realm.clone())
            .row_if("stime", time.map(Clean::moment)),
        Kerberos::Other => Decoded::new("Kerberos", place).row("message", "another, or not readable"),
    }
}

/// An encryption type of Kerberos with its name.
fn etype_name(number: i32) -> Clean {
    let name = match number {
        1 | 3 => " (DES)",
        17 => " (AES128-CTS-HMAC-SHA1-96)",
        18 => " (AES256-CTS-HMAC-SHA1-96)",
        19 => " (AES128-CTS-HMAC-SHA256-128)",
        20 => " (AES256-CTS-HMAC-SHA384-192)",
        23 => " (RC4-HMAC)",
        _ => "",
    };
    Clean::concat([i64::from(number).into(), name.into()])
}

/// An error of RFC 4120 section 7.5.9 with its name.
fn error_name(number: i32) -> Clean {
    let name = match number {
        7 => " (KDC_ERR_S_PRINCIPAL_UNKNOWN)",
        32 => " (KRB_AP_ERR_TKT_EXPIRED)",
        33 => " (KRB_AP_ERR_TKT_NYV)",
        34 => " (KRB_AP_ERR_REPEAT)",
        35 => " (KRB_AP_ERR_NOT_US)",
        37 => " (KRB_AP_ERR_SKEW)",
        41 => " (KRB_AP_ERR_MODIFIED)",
        44 => " (KRB_AP_ERR_BADKEYVER)",
        60 => " (KRB_ERR_GENERIC)",
        _ => "",
    };
    Clean::concat([i64::from(number).into(), name.into()])
}

fn ntlm(message: &NtlmMessage, wrapping: &'static str, place: Place) -> Decoded {
    match message {
        NtlmMessage::Negotiate { flags } => Decoded::new("NTLM message 1 (NEGOTIATE)", place)
            .row("mechanism", wrapping)
            .row("flags", flag_names(*flags)),
        NtlmMessage::Challenge { flags, target, computer, domain, dns_computer, dns_domain, time, build } => {
            Decoded::new("NTLM message 2 (CHALLENGE)", place)
                .row("mechanism", wrapping)
                .row_if("TargetName", target.clone())
                .row_if("NbComputerName", computer.clone())
                .row_if("NbDomainName", domain.clone())
                .row_if("DnsComputerName", dns_computer.clone())
                .row_if("DnsDomainName", dns_domain.clone())
                .row_if("Timestamp", time.map(Clean::moment))
                .row_if("Version", build.map(windows))
                .row("flags", flag_names(*flags))
        }
        NtlmMessage::Authenticate { flags, version, user, domain, binding, target, time, mic, label } => {
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
                .row("ChannelBindings", binding)
                .row_if("TargetName", target.clone())
                .row_if("Timestamp", time.map(Clean::moment))
                .row("MIC", if *mic { "present" } else { "none" })
                .row("flags", flag_names(*flags))
                .row("label", *label)
        }
    }
}

/// The version of Windows, with the release that it is where that is known.
fn windows(version: NtlmBuild) -> Clean {
    let NtlmBuild { major, minor, build } = version;
    let name = match (major, build) {
        (6, 7601) => " (Windows Server 2008 R2)",
        (6, 9200) => " (Windows Server 2012)",
        (6, 9600) => " (Windows Server 2012 R2)",
        (10, 14393) => " (Windows Server 2016)",
        (10, 17763) => " (Windows Server 2019)",
        (10, 20348) => " (Windows Server 2022)",
        (10, 26100) => " (Windows Server 2025)",
        _ => "",
    };
    Clean::concat([major.into(), ".".into(), minor.into(), ".".into(), build.into(), name.into()])
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
