//! One exchange judged by what it and the past show: findings in their order, and the verdict.

use super::answered::{breaks_off, fails_inside};
use super::gate::asked;
use super::rules::is_of_oauth;
use super::{Bound, Capture, Case, Certainty, Finding, Hit, Judgement, Kind, Next, Rule, Then, Verdict};

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
    /// This is said instead, because of what is now known of the finding of this id.
    Become(&'static str, Verdict, Vec<Finding>),
}

type Hits = Vec<(&'static Rule, Hit)>;

/// Asks all rules.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let mut hits: Hits = Vec::new();
    asked(case, |rule| hits.extend((rule.find)(case).map(|hit| (rule, hit))));
    let mut next = Vec::new();
    hits.retain_mut(|(rule, hit)| match hit.next.take_if(|_| hit.withheld) {
        Some(turn) => {
            next.push(Turn { next: turn, effect: Effect::Say(Box::new(finding(rule, hit.clone()))) });
            false
        }
        None => true,
    });
    name_the_hunted(case, &mut hits);
    let later = hits.iter().any(|(_, hit)| !hit.later.is_empty()).then(|| hits.clone());
    rank(&mut hits);
    let settled = hits.first_mut().and_then(|(_, hit)| hit.next.take());
    next.extend(settled.map(|next| Turn { next, effect: Effect::Settle }));
    let open = !next.is_empty();
    if let Some(before) = later {
        next.extend(hits.iter().flat_map(|(rule, hit)| turns(case, &before, rule, hit)));
    }
    for (rule, hit) in &mut hits {
        next.extend(hit.unless.take().map(|next| Turn { next, effect: Effect::TakeBack(rule.id) }));
        next.extend(hit.sure_once.take().map(|next| Turn { next, effect: Effect::MakeSure(rule.id) }));
    }
    let (verdict, findings) = settle(case, hits, open);
    Judged { judgement: Judgement { exchange: case.exchange.id, verdict, findings }, next }
}

/// What is said in the place of `hits` once something later makes `rule` surer, or takes it back.
fn turns(case: &Case<'_>, hits: &Hits, rule: &'static Rule, hit: &Hit) -> Vec<Turn> {
    let turn = |(next, then): &(Next, Then)| {
        let mut hits = hits.clone();
        match then {
            Then::AsSure(certainty) => {
                let same = hits.iter_mut().filter(|(other, _)| other.id == rule.id);
                same.for_each(|(_, hit)| hit.certainty = *certainty);
            }
            Then::Retracted => hits.retain(|(other, _)| other.id != rule.id),
        }
        rank(&mut hits);
        let (verdict, findings) = settle(case, hits, false);
        Turn { next: next.clone(), effect: Effect::Become(rule.id, verdict, findings) }
    };
    hit.later.iter().map(turn).collect()
}

/// Leaves out what is superseded, and puts the answer first.
fn rank(hits: &mut Hits) {
    if hits.len() < 2 {
        return;
    }
    drop_superseded(hits);
    // What is merely possible never stands before a step that is more than that.
    if hits.iter().any(|(_, hit)| hit.kind == Kind::Step && hit.certainty != Certainty::Possible) {
        hits.sort_by_key(|(_, hit)| hit.kind == Kind::Failure && hit.certainty == Certainty::Possible);
    }
    // Nor before a failure that is.
    if hits.iter().any(|(_, hit)| proves_failure(hit.kind, hit.certainty)) {
        hits.sort_by_key(|(_, hit)| hit.certainty == Certainty::Possible);
    }
    // A note answers nothing where something else was found.
    hits.sort_by_key(|(_, hit)| hit.kind == Kind::Note);
    // What an instrument did to Windows authentication never stands before the handshake that it was to look at.
    if hits.iter().any(|(rule, _)| is_of_oauth(rule)) {
        hits.sort_by_key(|(_, hit)| hit.actor.is_instrument());
    }
}

fn settle(case: &Case<'_>, hits: Hits, open: bool) -> (Verdict, Vec<Finding>) {
    let findings: Vec<Finding> = hits.into_iter().map(|(rule, hit)| finding(rule, hit)).collect();
    (verdict(case, &findings, open), findings)
}

/// A client whose OAuth handshake failed falls back to Windows authentication, and only there meets what an instrument
/// did: such a finding names the failure that was there first.
fn name_the_hunted(case: &Case<'_>, hits: &mut Hits) {
    for (_, hit) in hits.iter_mut().filter(|(_, hit)| hit.actor.is_instrument() && Bound::of(case).is_some()) {
        if let Some(hunted) = case.past().hunted(case.host()) {
            hit.candidates.insert(0, hunted.id);
            hit.evidence.push(hunted.evidence.clone());
        }
    }
}

/// Leaves out what a more particular finding says better. A refusal that proves a failure is no step any more.
fn drop_superseded(hits: &mut Hits) {
    let strong = |hit: &Hit| hit.certainty != Certainty::Possible;
    let superseded: Vec<(&'static str, &Hit)> =
        hits.iter().flat_map(|(rule, hit)| rule.supersedes.iter().map(move |id| (*id, hit))).collect();
    let goes = |rule: &Rule, hit: &Hit| {
        superseded.iter().any(|(id, by)| {
            let hides = by.actor.is_instrument() && is_of_oauth(rule);
            *id == rule.id && (strong(by) || !strong(hit)) && !hides
        })
    };
    let stays: Vec<bool> = hits.iter().map(|(rule, hit)| !goes(rule, hit)).collect();
    let mut stays = stays.into_iter();
    hits.retain(|_| stays.next().unwrap_or(true));
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
    if findings.iter().any(|finding| proves_failure(finding.kind, finding.certainty)) || is_told(case, findings) {
        return Verdict::Failure;
    }
    if findings.iter().any(|finding| finding.kind == Kind::Step) {
        return if open { undecided(case.capture()) } else { Verdict::Step };
    }
    match case.status() {
        Some(..400) if !breaks_off(case) && !fails_inside(case) => Verdict::Ok,
        _ => Verdict::Unknown,
    }
}

/// Whether the server itself said that it refused and why, and only the cause is not known here: a finding of the generic
/// family is then merely possible as a cause, and the refusal is none the less sure.
fn is_told(case: &Case<'_>, findings: &[Finding]) -> bool {
    let generic = |finding: &Finding| finding.kind == Kind::Failure && finding.rule.is_generic();
    findings.first().is_some_and(generic) && case.has_unknown_diagnostics()
}

const fn proves_failure(kind: Kind, certainty: Certainty) -> bool {
    matches!((kind, certainty), (Kind::Failure, Certainty::Certain | Certainty::Likely))
}

/// What is said of a step before the client's next move.
const fn undecided(capture: Capture) -> Verdict {
    match capture {
        Capture::Live { .. } | Capture::Replayed => Verdict::Pending,
        Capture::Imported | Capture::Intercepted => Verdict::Unknown,
    }
}
