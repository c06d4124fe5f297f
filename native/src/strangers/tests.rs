//! The limits of strangers, one by one.

use super::*;

const LIMITS: StrangerLimits = StrangerLimits {
    total: 8,
    per_address: 4,
    failures: 2,
    refusal: Duration::from_secs(60),
};

fn ip(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

fn place(verdict: Verdict) -> Option<Place> {
    match verdict {
        Verdict::Enter(place) => Some(place),
        Verdict::Refuse | Verdict::Retry => None,
    }
}

#[test]
fn an_address_has_few_places_and_gets_them_back() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    let enter = |last| strangers.enter(ip(last), true, now);

    let mut places: Vec<_> = (0..4).filter_map(|_| place(enter(1))).collect();

    assert_eq!(places.len(), 4);
    assert!(matches!(enter(1), Verdict::Refuse));
    assert!(matches!(enter(2), Verdict::Enter(_)));
    places.pop();
    assert!(matches!(enter(1), Verdict::Enter(_)));
}

#[test]
fn half_of_the_places_are_for_addresses_that_hear_what_is_sent_to_them() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    let _crowd: Vec<_> = [1, 1, 2, 3]
        .map(|last| place(strangers.enter(ip(last), false, now)))
        .into();

    assert!(matches!(strangers.enter(ip(1), false, now), Verdict::Retry));
    assert!(matches!(strangers.enter(ip(4), false, now), Verdict::Retry));
    assert!(matches!(
        strangers.enter(ip(4), true, now),
        Verdict::Enter(_)
    ));
}

#[test]
fn who_came_first_makes_room() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    let crowd: Vec<_> = (0..8)
        .filter_map(|last| place(strangers.enter(ip(last), true, now)))
        .collect();

    let next = place(strangers.enter(ip(9), true, now));

    assert!(next.is_some());
    let evicted: Vec<_> = crowd.iter().map(|it| it.evicted.is_cancelled()).collect();
    assert_eq!(evicted, [[true].as_slice(), &[false; 7]].concat());
}

#[test]
fn the_address_that_has_most_places_makes_room() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    let crowd: Vec<_> = [1, 2, 3, 3, 2, 3, 4, 5]
        .into_iter()
        .filter_map(|last| place(strangers.enter(ip(last), true, now)))
        .collect();

    let next: Vec<_> = (6..9)
        .filter_map(|last| place(strangers.enter(ip(last), true, now)))
        .collect();

    assert_eq!(next.len(), 3);
    let evicted: Vec<_> = crowd.iter().map(|it| it.evicted.is_cancelled()).collect();
    // The third of one address, then one of two each, and never one that is alone there.
    let wanted = [false, true, true, true, false, false, false, false];
    assert_eq!(evicted, wanted);
}

#[test]
fn an_address_that_fails_again_and_again_must_wait_and_no_other() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    for _ in 0..2 {
        if let Some(place) = place(strangers.enter(ip(1), true, now)) {
            place.blame(now);
        }
    }

    let later = now + LIMITS.refusal;
    assert!(matches!(strangers.enter(ip(1), true, now), Verdict::Refuse));
    assert!(matches!(
        strangers.enter(ip(2), true, now),
        Verdict::Enter(_)
    ));
    assert!(matches!(
        strangers.enter(ip(1), true, later),
        Verdict::Enter(_)
    ));
}

#[test]
fn failures_are_forgotten_when_somebody_is_admitted() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    for _ in 0..8 {
        let failing = place(strangers.enter(ip(1), true, now));
        let honest = place(strangers.enter(ip(1), true, now));
        assert!(failing.is_some() && honest.is_some());
        if let (Some(failing), Some(honest)) = (failing, honest) {
            failing.blame(now);
            honest.forgive();
        }
    }
}

#[test]
fn one_network_of_ipv6_is_one_address() {
    let one: Option<IpAddr> = "2001:db8:0:1::1".parse().ok();
    let two: Option<IpAddr> = "2001:db8:0:1:ffff::2".parse().ok();
    let other: Option<IpAddr> = "2001:db8:0:2::1".parse().ok();
    let mapped: Option<IpAddr> = "::ffff:192.0.2.1".parse().ok();

    assert!(one.is_some() && Source::of(one) == Source::of(two));
    assert!(Source::of(one) != Source::of(other));
    assert!(Source::of(mapped) == Source::of(ip(1)));
}

#[test]
fn the_failures_of_many_addresses_are_remembered_and_not_of_more() {
    let (strangers, now) = (Strangers::new(LIMITS), Instant::now());
    for n in 0..u32::try_from(MOST_FAILED).unwrap_or(0) + 10 {
        let address = Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
        if let Some(place) = place(strangers.enter(address, true, now)) {
            place.blame(now);
        }
    }

    assert_eq!(strangers.members().failed.len(), MOST_FAILED);
}
