//! Autodiscover sends the client to another address.
//!
//! Not to be confused with a redirect to a sign-in page in front of Exchange.

use crate::diagnosis::decode::autodiscover::Answer;
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "autodiscover-redirect",
    title: Text { en: "Autodiscover sends the client elsewhere", ja: "自動検出が別のアドレスへ転送" },
    explanation: Text {
        en: "Autodiscover answered with another address, by an HTTP redirect or inside its answer. That is how a \
             domain points to Exchange Online or to the server that knows the mailbox. Clients follow at most ten \
             of these, and only to HTTPS.",
        ja: "自動検出が、HTTP リダイレクトまたは応答本文の中で、別のアドレスを返しました。ドメインから Exchange \
             Online へ、またはメールボックスを知るサーバーへ案内する通常の仕組みです。クライアントがたどるのは 10 回\
             まで、転送先は HTTPS に限られます。",
    },
    remedy: Text {
        en: "Nothing to do. Check that the target is yours or Microsoft's, and that the certificate there carries \
             its name.",
        ja: "対処は不要です。転送先が自組織または Microsoft のものであること、その証明書に転送先の名前が含まれること\
             を確認してください。",
    },
    sources: &[
        "MS-OXDSCLI section 3.1.5",
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/autodiscover-for-exchange",
    ],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[200, 301, 302, 303, 307, 308]).showing(Signs::AUTODISCOVER),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    if case.directory() != Some(Directory::Autodiscover) {
        return None;
    }
    let evidence = if case.status() == Some(200) {
        let Some(Answer::Redirect(action)) = Answer::of(case) else { return None };
        case.evidence_body(action)
    } else {
        let target = case.response_header("location")?.as_str().to_ascii_lowercase();
        if !target.contains("/autodiscover/") || target.contains("error=") {
            return None;
        }
        case.evidence_header("location")
    };
    Some(Hit::step().on(case.on_server()).because(evidence))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "HTTP redirects to Exchange Online",
            STEP,
            &[Raw::new(
                "GET http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
                "302 Found\nLocation: https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml",
            )],
        ),
        Example::fires(
            "the answer names another mailbox address",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/Autodiscover/Autodiscover.xml",
                "200 OK\nContent-Type: text/xml\n\n\
                 <Autodiscover><Response><Account><Action>redirectAddr</Action></Account></Response></Autodiscover>",
            )],
        ),
        Example::fires(
            "SOAP says so as an error code",
            STEP,
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.svc",
                "200 OK\nContent-Type: text/xml\n\n<a:UserResponse><a:ErrorCode>RedirectAddress</a:ErrorCode></a:UserResponse>",
            )],
        ),
        Example::silent(
            "a gateway sends the client to its own sign-in page",
            &[Raw::new(
                "GET https://mail.contoso.com/autodiscover/autodiscover.xml",
                "302 Found\nLocation: https://mail.contoso.com/my.policy",
            )],
        ),
        Example::silent(
            "the answer is a healthy one",
            &[Raw::new(
                "POST https://mail.contoso.com/autodiscover/autodiscover.xml",
                "200 OK\nContent-Type: text/xml\n\n\
                 <Autodiscover><Response><Account><Action>settings</Action></Account></Response></Autodiscover>",
            )],
        ),
    ];
}
