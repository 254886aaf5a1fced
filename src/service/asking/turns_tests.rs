//! Tests of turns, one poll at a time. Nothing runs in the background, so the order of events is fully determined.

use std::task::Waker;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// The turn, if it has come.
fn taken(waiting: &mut WaitingTurn) -> Option<Turn> {
    match Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(turn) => Some(turn),
        Poll::Pending => None,
    }
}

fn came(waiting: WaitingTurn) -> Turn {
    let mut waiting = waiting;
    taken(&mut waiting).expect("the turn came")
}

#[test]
fn one_who_asks_for_much_makes_another_wait_for_one_turn() {
    let turns = Turns::new("test", TurnBounds::held(2, 2));
    let running: Vec<Turn> = (0..2).map(|_| came(turns.insist("greedy", 1))).collect();
    let mut greedy: Vec<WaitingTurn> = (0..256).map(|_| turns.insist("greedy", 1)).collect();
    let mut late = turns.insist("late", 1);
    assert!(taken(&mut late).is_none() && turns.waiting() == 257);
    let mut running = running.into_iter();
    drop(running.next());
    // A person who holds their full share stands behind one who holds nothing, whoever asked first.
    let late = taken(&mut late).expect("the first turn that came free");
    assert!(taken(&mut greedy[0]).is_none());
    drop(running.next());
    let first = taken(&mut greedy[0]).expect("the second");
    assert!(taken(&mut greedy[1]).is_none());
    drop((first, late));
    let (second, third) = (taken(&mut greedy[1]), taken(&mut greedy[2]));
    assert!(second.is_some() && third.is_some() && taken(&mut greedy[3]).is_none(), "in their own order");
}

#[test]
fn people_take_turns_and_each_in_their_own_order() {
    let turns = Turns::new("test", TurnBounds::held(1, 1));
    let mut running = Some(came(turns.insist("first", 1)));
    let asked = ["a", "a", "a", "b", "b", "c"];
    let mut waiting: Vec<(usize, WaitingTurn)> = asked.iter().map(|who| turns.insist(who, 1)).enumerate().collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        drop(running.take());
        let (place, turn) =
            waiting.iter_mut().enumerate().find_map(|(place, (_, one))| Some((place, taken(one)?))).expect("somebody");
        order.push(waiting.remove(place).0);
        running = Some(turn);
    }
    assert_eq!(order, [0, 3, 5, 1, 4, 2], "a b c, a b, a");
}

#[test]
fn nobody_holds_more_than_their_share_and_somebody_else_finds_a_place() {
    let turns = Turns::new("test", TurnBounds::held(3, 2));
    let held: Vec<Turn> = (0..2).map(|_| came(turns.insist("greedy", 1))).collect();
    let mut third = turns.insist("greedy", 1);
    assert!(taken(&mut third).is_none(), "one place stays for others");
    let other = came(turns.insist("other", 1));
    drop(other);
    assert!(taken(&mut third).is_none());
    drop(held);
    assert!(taken(&mut third).is_some());
}

#[test]
fn what_is_large_is_neither_overtaken_nor_kept_from_its_turn() {
    let turns = Turns::new("test", TurnBounds::held(10, 5));
    let small = came(turns.insist("a", 3));
    // Asking for more than there is means asking for everything, if the person holds nothing.
    let mut large = turns.insist("b", 1_000);
    let mut after = turns.insist("c", 1);
    assert!(taken(&mut large).is_none() && taken(&mut after).is_none());
    drop(small);
    let held = taken(&mut large).expect("all of it");
    assert!(held.units() == 10 && taken(&mut after).is_none());
    let mut more = turns.insist("b", 1);
    drop(held);
    assert!(taken(&mut after).is_some() && taken(&mut more).is_some());
}

#[test]
fn who_stops_waiting_leaves_no_trace() {
    let turns = Turns::new("test", TurnBounds::held(2, 2));
    let held = came(turns.insist("a", 1));
    let blocking = turns.insist("b", 2);
    let mut behind = turns.insist("c", 1);
    assert!(taken(&mut behind).is_none());
    drop(blocking);
    let behind = taken(&mut behind).expect("nothing stands in the way");
    // The turn came, but was dropped before anybody looked.
    let missed = turns.insist("d", 1);
    drop(held);
    assert_eq!((turns.held(), turns.waiting()), (2, 0));
    drop(missed);
    assert_eq!(turns.held(), 1);
    drop(behind);
    assert_eq!((turns.held(), turns.waiting()), (0, 0));
    turns.shared.settle(|line| assert!(line.people.is_empty() && line.next.is_empty(), "nobody is remembered"));
}

#[test]
fn the_line_is_bounded_for_all_and_for_one() {
    let turns = Turns::new("test", TurnBounds { at_once: 1, of_one: 1, waiting: 3, waiting_of_one: 2 });
    let held = came(turns.ask("a", 1).expect("a turn"));
    let own: Vec<_> = (0..2).map(|_| turns.ask("a", 1).expect("a place")).collect();
    assert!(turns.ask("a", 1).is_err(), "two wait for one person already");
    let other = turns.ask("b", 1).expect("a place");
    assert!(turns.ask("c", 1).is_err(), "three wait in all already");
    let after_charge = turns.insist("c", 1);
    assert_eq!(turns.waiting(), 4, "`insist` is never refused");
    drop((own, other, after_charge));
    assert!(turns.ask("a", 1).is_ok());
    drop(held);
}

#[test]
fn a_turn_grows_and_shrinks_to_what_it_needs() {
    let turns = Turns::new("test", TurnBounds::held(10, 10));
    let mut held = came(turns.insist("a", 10));
    let mut waiting = turns.insist("b", 4);
    held.resize(7);
    assert!(taken(&mut waiting).is_none());
    held.resize(6);
    let other = taken(&mut waiting).expect("a turn from the units that were given back");
    held.resize(9);
    assert_eq!(turns.held(), 13, "growing takes units at once");
    let mut late = turns.insist("c", 1);
    drop(other);
    let late = taken(&mut late).expect("there is room for one");
    drop(held);
    assert_eq!((turns.held(), late.units()), (1, 1), "the late one still holds its own unit");
}

/// Random people (from a seed) ask, take, give up and give back. Bounds hold at every step, and in the end everybody has had a
/// turn.
#[test]
fn bounds_hold_whatever_happens() {
    const PEOPLE: [&str; 4] = ["a", "b", "c", "d"];
    for seed in 0..50 {
        let mut chance = StdRng::seed_from_u64(seed);
        let (at_once, of_one) = (chance.random_range(1..12), chance.random_range(1..12));
        let turns = Turns::new("test", TurnBounds::held(at_once, of_one));
        let mut waiting: Vec<(usize, WaitingTurn)> = Vec::new();
        let mut held: Vec<(usize, Turn)> = Vec::new();
        for _ in 0..400 {
            match chance.random_range(0..4) {
                0 | 1 => {
                    let who = chance.random_range(0..PEOPLE.len());
                    waiting.push((who, turns.insist(PEOPLE[who], chance.random_range(1..16))));
                }
                2 if !waiting.is_empty() => drop(waiting.remove(chance.random_range(0..waiting.len()))),
                _ if !held.is_empty() => drop(held.remove(chance.random_range(0..held.len()))),
                _ => {}
            }
            let (mut still, mut now) = (Vec::new(), Vec::new());
            for (who, mut one) in waiting {
                match taken(&mut one) {
                    Some(turn) => now.push((who, turn)),
                    None => still.push((who, one)),
                }
            }
            held.extend(now);
            waiting = still;
            let all: usize = held.iter().map(|(_, turn)| turn.units()).sum();
            assert!(all <= at_once && all == turns.held() && waiting.len() == turns.waiting(), "seed {seed}");
            for who in 0..PEOPLE.len() {
                let own: Vec<usize> =
                    held.iter().filter(|(holder, _)| *holder == who).map(|(_, turn)| turn.units()).collect();
                assert!(own.len() <= 1 || own.iter().sum::<usize>() <= of_one, "seed {seed}: {own:?} of {of_one}");
            }
            assert!(!held.is_empty() || waiting.is_empty(), "seed {seed}: some wait, yet nobody has a turn");
        }
        while !waiting.is_empty() {
            held.clear();
            let before = waiting.len();
            waiting.retain_mut(|(_, one)| taken(one).is_none());
            assert!(waiting.len() < before, "seed {seed}: nobody's turn comes");
        }
    }
}

#[tokio::test]
async fn work_runs_in_turn_and_what_is_taken_back_does_not() {
    let turns = Turns::new("test", TurnBounds { at_once: 1, of_one: 1, waiting: 5, waiting_of_one: 5 });
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let done = Arc::new(Mutex::new(Vec::new()));
    let first = turns.run("a", move || may_go_on.recv()).expect("a place");
    let note = |what: &'static str| {
        let done = Arc::clone(&done);
        move || done.lock().expect("a list").push(what)
    };
    let begun =
        [("a", "a"), ("a", "a again"), ("b", "b")].map(|(who, what)| turns.run(who, note(what)).expect("a place"));
    let gone = turns.run("b", note("taken back")).expect("a place");
    let broken = turns.run_on("c", || -> () { panic!("it breaks off") });
    assert!(turns.run("d", note("sent away")).is_err());
    drop(gone);
    assert_eq!((turns.held(), turns.waiting()), (1, 4));
    go_on.send(()).expect("the first waits");
    assert!(first.await.is_some_and(|received| received.is_ok()));
    for one in begun {
        assert_eq!(one.await, Some(()));
    }
    assert!(broken.await.is_none());
    assert_eq!(*done.lock().expect("a list"), ["b", "a", "a again"], "whoever had a turn stands behind who had none");
    // A turn whose work broke off is given back before its failure is known.
    assert_eq!(turns.run_on("e", || 7).await, Some(7));
}
