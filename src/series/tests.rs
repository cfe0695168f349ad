//! The table under tables: what is found, what is refused, what a discarded batch leaves, and what
//! expires.

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Count(u64);

impl Row for Count {
    type Hit = u64;
    type Context<'c> = ();

    fn apply(&mut self, hit: u64, (): &()) {
        self.0 += hit;
    }
}

fn key(value: &str) -> Key {
    let mut key = Key::new();
    key.push(value.as_bytes());
    key
}

fn book(rows: usize) -> Book<Count> {
    Book::new(Limits { rows, expire_ms: 1000 }, Hasher::default())
}

fn counts(book: &Book<Count>) -> Vec<(String, u64)> {
    let mut all: Vec<_> = book
        .entries(0)
        .map(|(_, entry)| (entry.labels().collect::<Vec<_>>().join(","), entry.row.0))
        .collect();
    all.sort();
    all
}

#[test]
fn staged_hits_count_only_when_committed() {
    let mut book = book(10);
    assert!(matches!(book.stage(&key("a"), 1, 5, Count::default), Staged::Created(_)));
    assert!(matches!(book.stage(&key("a"), 2, 6, Count::default), Staged::Known(_)));
    book.commit(&());
    assert_eq!(counts(&book), [("a".to_owned(), 3)]);
    assert!(matches!(book.stage(&key("a"), 100, 8, Count::default), Staged::Known(_)));
    assert!(matches!(book.stage(&key("b"), 100, 8, Count::default), Staged::Created(_)));
    book.discard();
    assert_eq!(counts(&book), [("a".to_owned(), 3)], "a discarded batch leaves nothing");
    assert_eq!(book.entries(0).map(|(_, entry)| entry.born_ms()).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_full_book_refuses_new_rows_and_keeps_counting_known_ones() {
    let mut book = book(2);
    for name in ["a", "b"] {
        assert!(matches!(book.stage(&key(name), 1, 0, Count::default), Staged::Created(_)));
    }
    assert_eq!(book.stage(&key("c"), 1, 0, Count::default), Staged::Full);
    assert!(matches!(book.stage_overflow(&key("other"), 1, 0, Count::default), Staged::Created(_)));
    assert!(matches!(book.stage(&key("a"), 1, 0, Count::default), Staged::Known(_)));
    book.commit(&());
    let expected = [("a", 2), ("b", 1), ("other", 1)].map(|(k, n)| (k.to_owned(), n));
    assert_eq!(counts(&book), expected);
    assert_eq!(book.size().overflowed, 1);
}

#[test]
fn the_reserve_is_bounded_and_the_last_resort_always_counts() {
    let mut book = book(1);
    let reserve = Limits { rows: 1, expire_ms: 0 }.reserve();
    for i in 0..reserve {
        let staged = book.stage_overflow(&key(&i.to_string()), 1, 0, Count::default);
        assert!(matches!(staged, Staged::Created(_)), "row {i} of {reserve}");
    }
    assert_eq!(book.stage_overflow(&key("more"), 1, 0, Count::default), Staged::Full);
    book.stage_last(&key("more"), 1, 0, Count::default);
    book.commit(&());
    assert_eq!(book.len(), reserve + 1);
    assert_eq!(book.size().overflowed, reserve as u64 + 1);
}

#[test]
fn idle_rows_expire_and_their_places_are_used_again() {
    let mut book = book(10);
    for name in ["a", "b", "c"] {
        book.stage(&key(name), 1, 0, Count::default);
    }
    book.commit(&());
    book.expire(900);
    book.stage(&key("b"), 1, 900, Count::default);
    book.commit(&());
    book.expire(1000);
    assert_eq!(book.len(), 3, "nothing has been idle for longer than the limit yet");
    book.expire(1001);
    assert_eq!(counts(&book), [("b".to_owned(), 2)]);
    for name in ["d", "e", "f"] {
        book.stage(&key(name), 1, 1001, Count::default);
    }
    book.commit(&());
    assert_eq!(book.entries(0).last().map(|(position, _)| position), Some(3));
    assert_eq!(book.len(), 4);
    book.expire(10_000);
    assert_eq!(book.len(), 3, "what was touched since the call before stays");
    book.expire(20_000);
    assert!(book.is_empty());
}

#[test]
fn many_rows_are_told_apart_and_found_again() {
    let mut book = book(5000);
    for round in 0..2 {
        for i in 0..5000 {
            let staged = book.stage(&key(&format!("row {i}")), i, 0, Count::default);
            assert_eq!(matches!(staged, Staged::Created(_)), round == 0);
            assert_ne!(staged, Staged::Full);
        }
        book.commit(&());
    }
    assert_eq!(book.len(), 5000);
    for (label, count) in counts(&book) {
        assert_eq!(label, format!("row {}", count / 2));
    }
}

#[test]
fn overflow_rows_take_no_room_from_the_others() {
    let mut book = book(2);
    let stage = |book: &mut Book<Count>, name: &str| book.stage(&key(name), 1, 0, Count::default);
    for name in ["a", "b"] {
        assert!(matches!(stage(&mut book, name), Staged::Created(_)));
    }
    for i in 0..5 {
        book.stage_overflow(&key(&format!("other {i}")), 1, 0, Count::default);
    }
    book.commit(&());
    book.expire(1000);
    for i in 0..5 {
        book.stage_overflow(&key(&format!("other {i}")), 1, 5000, Count::default);
    }
    book.commit(&());
    book.expire(1001);
    assert_eq!(book.len(), 5, "only the overflow rows are in use");
    assert!(matches!(stage(&mut book, "c"), Staged::Created(_)));
    assert!(matches!(stage(&mut book, "d"), Staged::Created(_)));
    assert_eq!(stage(&mut book, "e"), Staged::Full);
    book.discard();
    assert!(
        matches!(stage(&mut book, "f"), Staged::Created(_)),
        "a discarded row gives its room back"
    );
}

#[test]
fn a_wall_clock_that_is_set_neither_drops_rows_nor_keeps_them() {
    let mut book = book(10);
    for (name, now_ms) in [("a", 1_000_000), ("b", 5), ("c", u64::MAX)] {
        book.stage(&key(name), 1, now_ms, Count::default);
        book.commit(&());
    }
    for uptime_ms in [500, 1000] {
        book.expire(uptime_ms);
        assert_eq!(book.len(), 3);
    }
    book.expire(1001);
    assert!(book.is_empty(), "{:?}", counts(&book));
}
