//! One exchange judged by what it and the past show: findings in their order, and the verdict.

use super::gate::asked;
use super::{Capture, Case, Certainty, Finding, Hit, Judgement, Kind, Next, Rule, Verdict};

/// A judgement, and what in later traffic may change it.
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    pub(super) next: Vec<Turn>,
}

/// Something in later traffic that changes a judgement.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) next: Next,
    pub(super) effect: Effect,
}

/// How it changes it.
#[derive(Debug)]
pub(super) enum Effect {
    /// It was right to call it a step, or wrong to call it a failure.
    Settle,
    /// This is said, and was not before.
    Say(Box<Finding>),
    /// The finding of this id is taken back.
    TakeBack(&'static str),
    /// The finding of this id is certain.
    MakeSure(&'static str),
}

/// Asks all rules.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let mut hits: Vec<(&'static Rule, Hit)> = asked(case).filter_map(|rule| Some((rule, (rule.find)(case)?))).collect();
    let mut next = Vec::new();
    hits.retain_mut(|(rule, hit)| match hit.next.take_if(|_| hit.withheld) {
        Some(turn) => {
            next.push(Turn { next: turn, effect: Effect::Say(Box::new(finding(rule, hit.clone()))) });
            false
        }
        None => true,
    });
    drop_superseded(&mut hits);
    // What is merely possible never stands before a step that is more than that.
    if hits.iter().any(|(_, hit)| hit.kind == Kind::Step && hit.certainty != Certainty::Possible) {
        hits.sort_by_key(|(_, hit)| hit.kind == Kind::Failure && hit.certainty == Certainty::Possible);
    }
    // A note answers nothing where something else was found.
    hits.sort_by_key(|(_, hit)| hit.kind == Kind::Note);
    next.extend(
        hits.first_mut().and_then(|(_, hit)| hit.next.take()).map(|next| Turn { next, effect: Effect::Settle }),
    );
    let open = !next.is_empty();
    for (rule, hit) in &mut hits {
        next.extend(hit.unless.take().map(|next| Turn { next, effect: Effect::TakeBack(rule.id) }));
        next.extend(hit.sure_once.take().map(|next| Turn { next, effect: Effect::MakeSure(rule.id) }));
    }
    let findings: Vec<Finding> = hits.into_iter().map(|(rule, hit)| finding(rule, hit)).collect();
    let verdict = verdict(case, &findings, open);
    Judged { judgement: Judgement { exchange: case.exchange.id, verdict, findings }, next }
}

/// Leaves out what a more particular finding says better. A refusal that proves a failure is no step any more.
fn drop_superseded(hits: &mut Vec<(&'static Rule, Hit)>) {
    let strong = |hit: &Hit| hit.certainty != Certainty::Possible;
    let superseded: Vec<(&'static str, bool)> =
        hits.iter().flat_map(|(rule, hit)| rule.supersedes.iter().map(|id| (*id, strong(hit)))).collect();
    hits.retain(|(rule, hit)| !superseded.iter().any(|(id, by_strong)| *id == rule.id && (*by_strong || !strong(hit))));
    // A rule of the generic family says that no cause is known; where another names one, there is nothing left of it.
    let named = hits.iter().filter(|(rule, hit)| hit.kind == Kind::Failure && !rule.is_generic());
    if let Some(named_strongly) = named.map(|(_, hit)| strong(hit)).max() {
        hits.retain(|(rule, hit)| !rule.is_generic() || (strong(hit) && !named_strongly));
    }
    if hits.iter().any(|(_, hit)| proves_failure(hit.kind, hit.certainty)) {
        hits.retain(|(_, hit)| hit.kind != Kind::Step);
    }
}

fn finding(rule: &'static Rule, hit: Hit) -> Finding {
    Finding {
        rule,
        kind: hit.kind,
        certainty: hit.certainty,
        actor: hit.actor,
        subject: hit.subject,
        evidence: hit.evidence,
        names: hit.names,
        candidates: hit.candidates,
    }
}

fn verdict(case: &Case<'_>, findings: &[Finding], open: bool) -> Verdict {
    if findings.iter().any(|finding| proves_failure(finding.kind, finding.certainty)) {
        return Verdict::Failure;
    }
    if findings.iter().any(|finding| finding.kind == Kind::Step) {
        return if open { undecided(case.capture()) } else { Verdict::Step };
    }
    match case.status() {
        Some(..400) if case.exchange.error.is_none() => Verdict::Ok,
        _ => Verdict::Unknown,
    }
}

const fn proves_failure(kind: Kind, certainty: Certainty) -> bool {
    matches!((kind, certainty), (Kind::Failure, Certainty::Certain | Certainty::Likely))
}

/// What is said of a step before the client's next move.
const fn undecided(capture: Capture) -> Verdict {
    match capture {
        Capture::Live { .. } => Verdict::Pending,
        Capture::Imported => Verdict::Unknown,
    }
}
