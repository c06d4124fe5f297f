//! The model on a simulated path.

use std::time::{Duration, Instant};

use super::{
    model::Model,
    simulated_path::{PACKET_BYTES, Path, megabits, run},
};

fn fresh() -> (Model, Instant) {
    let start = Instant::now();
    (Model::new(start, PACKET_BYTES), start)
}

#[test]
fn a_long_path_is_filled_whatever_it_loses_at_random() {
    for (rate, delay_ms, loss) in [
        (100.0, 150, 0.0),
        (100.0, 150, 0.01),
        (100.0, 150, 0.05),
        (500.0, 50, 0.01),
        (10.0, 20, 0.02),
        (50.0, 600, 0.01),
    ] {
        let (mut model, start) = fresh();

        let outcome = run(
            &megabits(rate, delay_ms, loss),
            &mut model,
            start,
            10.0,
            30.0,
        );

        let possible = 1.0 - loss;
        assert!(
            outcome.share > possible * 0.88,
            "{rate} Mbit/s, {delay_ms} ms, {loss}: {outcome:?}"
        );
        assert!(
            outcome.dropped < 0.03,
            "{rate} Mbit/s, {delay_ms} ms, {loss}: {outcome:?}"
        );
    }
}

#[test]
fn a_start_fills_the_path_within_twelve_round_trips() {
    let (mut model, start) = fresh();

    let outcome = run(&megabits(100.0, 100, 0.01), &mut model, start, 1.2, 2.2);

    assert!(outcome.share > 0.85, "{outcome:?}");
}

#[test]
fn a_greeting_lets_a_long_path_start_faster() {
    for (rate, delay_ms, rounds, least) in [
        (500.0, 300, 6, 0.8),
        (500.0, 150, 6, 0.9),
        (50.0, 600, 4, 0.9),
    ] {
        let (mut model, start) = fresh();
        let trip = Duration::from_millis(delay_ms);
        model.sent(start, 100, 0);
        model.acknowledged(start + trip, start, 100, 0);
        model.acknowledgements_done(start + trip, 0, true);

        let path = megabits(rate, delay_ms, 0.0);
        let warm_up = trip.as_secs_f64() * f64::from(rounds);
        let outcome = run(&path, &mut model, start + trip, warm_up, warm_up + 2.0);

        assert!(outcome.share > least, "{rate} {delay_ms} {outcome:?}");
        assert!(outcome.dropped < 0.1, "{rate} {delay_ms} {outcome:?}");
    }
}

#[test]
fn a_path_that_was_dead_is_not_started_fast() {
    let (mut model, start) = fresh();
    let trip = Duration::from_secs(1);
    model.sent(start, 100, 0);
    model.nothing_arrives();

    model.acknowledged(start + trip, start, 100, 0);
    model.acknowledgements_done(start + trip, 0, true);

    assert!(model.window() < 6 * PACKET_BYTES, "{}", model.window());
}

#[test]
fn a_few_packets_lost_by_chance_do_not_end_the_start() {
    let (mut model, start) = fresh();
    let trip = Duration::from_millis(150);
    for number in 0..32 {
        model.sent(start, PACKET_BYTES, number);
    }
    for number in 0..6 {
        model.lost(PACKET_BYTES, number);
    }
    for number in 6..32 {
        model.acknowledged(start + trip, start, PACKET_BYTES, number);
    }
    model.acknowledgements_done(start + trip, 0, false);
    model.sent(start + trip, PACKET_BYTES, 32);
    model.acknowledged(start + 2 * trip, start + trip, PACKET_BYTES, 32);
    model.acknowledgements_done(start + 2 * trip, 0, true);

    let outcome = run(
        &megabits(100.0, 150, 0.0),
        &mut model,
        start + 2 * trip,
        1.5,
        4.0,
    );

    assert!(outcome.share > 0.7, "{outcome:?}");
}

#[test]
fn a_packet_of_the_handshake_is_not_taken_for_one_of_the_data() {
    let (mut model, start) = fresh();
    let trip = Duration::from_millis(10);
    // Both have the number 0; that of the handshake was sent a round trip earlier.
    model.sent(start, 1200, 0);
    model.sent(start + trip, 100, 0);
    let now = start + trip + Duration::from_micros(100);
    model.acknowledged(now, start, 1200, 0);
    model.acknowledgements_done(now, 100, true);

    let path = megabits(1000.0, 10, 0.0);
    let outcome = run(&path, &mut model, now, 0.5, 3.0);

    assert!(outcome.share > 0.85, "{outcome:?}");
}

#[test]
fn a_question_and_its_answer_do_not_slow_the_start() {
    let (mut model, start) = fresh();
    let trip = Duration::from_millis(150);
    for number in 0..4 {
        let now = start + trip * number;
        model.sent(now, 100, number.into());
        model.acknowledged(now + trip, now, 100, number.into());
        model.acknowledgements_done(now + trip, 0, true);
    }

    let pace = model.pacing_rate().unwrap();

    // The first window in a round trip, and faster: not a hundred bytes in each.
    assert!(pace > 32 * PACKET_BYTES * 6, "{pace}");
}

#[test]
fn a_shallow_queue_costs_few_packets() {
    let (mut model, start) = fresh();
    let path = Path {
        queue: 0.1,
        ..megabits(100.0, 50, 0.0)
    };

    let outcome = run(&path, &mut model, start, 5.0, 20.0);

    assert!(outcome.share > 0.8 && outcome.dropped < 0.15, "{outcome:?}");
}

#[test]
fn a_path_that_becomes_faster_or_slower_is_followed() {
    let (mut model, start) = fresh();
    run(&megabits(20.0, 50, 0.01), &mut model, start, 1.0, 5.0);
    let later = start + Duration::from_secs(5);

    let faster = run(&megabits(200.0, 50, 0.01), &mut model, later, 6.0, 12.0);
    let slower = run(
        &megabits(20.0, 50, 0.01),
        &mut model,
        later + Duration::from_secs(12),
        3.0,
        9.0,
    );

    assert!(faster.share > 0.8, "{faster:?}");
    assert!(slower.share > 0.8, "{slower:?}");
}

#[test]
fn an_application_that_sends_little_does_not_spoil_the_estimate() {
    let (mut model, start) = fresh();
    run(&megabits(100.0, 50, 0.0), &mut model, start, 1.0, 3.0);
    let known = model.rate().unwrap();
    let trickle = Path {
        offered: 100_000.0,
        ..megabits(100.0, 50, 0.0)
    };

    run(
        &trickle,
        &mut model,
        start + Duration::from_secs(3),
        1.0,
        5.0,
    );

    assert!(
        model.rate().unwrap() as f64 > known as f64 * 0.9,
        "{known} {:?}",
        model.rate()
    );
}

#[test]
fn the_window_never_closes() {
    let (mut model, _) = fresh();
    model.nothing_arrives();

    assert_eq!(model.window(), 4 * PACKET_BYTES);
}
