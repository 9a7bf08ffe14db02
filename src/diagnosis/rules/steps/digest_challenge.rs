//! The first leg of Digest, or a fresh nonce in the place of one that ran out.
//!
//! Not to be confused with a refused Digest response, whose answer does not say stale=true.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "digest-challenge",
    title: Text { en: "Digest: the server gives a nonce", ja: "Digest: サーバーが nonce を提示" },
    explanation: Text {
        en: "Digest begins with a 401 that gives the client a nonce to compute its response with. A later 401 with \
             stale=true only replaces a nonce that ran out; the password was right.",
        ja: "Digest は、応答の計算に使う nonce を渡す 401 から始まります。その後の stale=true 付きの 401 は、期限切\
             れの nonce を取り替えるだけのもので、パスワードは正しかったことを示します。",
    },
    remedy: Text { en: "Nothing to do.", ja: "対処は不要です。" },
    sources: &["RFC 7616 section 3.3"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::ANONYMOUS.or(Signs::OTHER_SCHEME).or(Signs::UNSEEN_CREDENTIALS)),
    supersedes: &["generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let digest = case.challenge("digest")?;
    let stale = || digest.param("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
    // Where Windows schemes are offered too, the client takes one of those: then it is a probe like any other.
    let alone = || !["negotiate", "ntlm", "bearer"].iter().any(|other| case.challenge(other).is_some());
    let hit = match case.authorization() {
        Sent::Absent if alone() => Hit::step(),
        Sent::Credential(Credential::Digest { .. }) | Sent::Unseen if stale() => Hit::step(),
        Sent::Unseen if alone() => Hit::likely_step(),
        _ => return None,
    };
    Some(hit.on(case.on_server()).because(case.evidence_challenge("digest")).until(Next::Credentials))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, LIKELY_STEP, Raw, STEP};

    const DIGEST: &str = "GET http://api.fabrikam.com/dir/\nAuthorization: Digest username=\"avery\", realm=\"x\", \
         nonce=\"n\", uri=\"/dir/\", response=\"00\"";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the first request has no credentials",
            STEP,
            &[Raw::new(
                "GET http://api.fabrikam.com/dir/",
                "401\nWWW-Authenticate: Digest realm=\"x\", qop=\"auth, auth-int\", algorithm=SHA-256, nonce=\"n\"",
            )],
        ),
        Example::fires(
            "the nonce ran out",
            STEP,
            &[Raw::new(DIGEST, "401\nWWW-Authenticate: Digest realm=\"x\", nonce=\"m\", qop=\"auth\", stale=true")],
        ),
        Example::fires(
            "the challenge alone was pasted: a refused response looks the same",
            LIKELY_STEP,
            &[Raw::new("", "401\nWWW-Authenticate: Digest realm=\"x\", nonce=\"m\", qop=\"auth\"")],
        ),
        Example::fires(
            "the challenge alone was pasted, and says that the nonce ran out",
            STEP,
            &[Raw::new("", "401\nWWW-Authenticate: Digest realm=\"x\", nonce=\"m\", stale=true")],
        ),
        Example::silent(
            "the response is refused",
            &[Raw::new(DIGEST, "401\nWWW-Authenticate: Digest realm=\"x\", nonce=\"m\", qop=\"auth\", stale=FALSE")],
        ),
    ];
}
