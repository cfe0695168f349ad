//! Choices drawn from bytes that proptest shrinks, which costs less to compile than a strategy for
//! each of thirty messages. Spent dice choose zero, and zero is always the empty choice.

/// A source of choices.
pub(crate) struct Dice<'a>(pub(crate) &'a [u8]);

impl Dice<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    pub(crate) fn u64(&mut self) -> u64 {
        match self.below(5) {
            0 => 0,
            1 => u64::from(self.byte()),
            2 => u64::MAX,
            3 => 1 << 63,
            _ => u64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    pub(crate) fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    pub(crate) fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    pub(crate) fn i32(&mut self) -> i32 {
        self.u64() as i32
    }

    pub(crate) fn f64(&mut self) -> f64 {
        const FIXED: [f64; 8] =
            [0.0, 637.704, 0.1, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, -f64::INFINITY, 5e-324];
        match self.below(3) {
            0 => FIXED[self.below(FIXED.len())],
            1 => f64::from(self.i32()),
            _ => {
                let any = f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte())));
                // JSON has one NaN, protobuf has many.
                if any.is_nan() { f64::NAN } else { any }
            }
        }
    }

    pub(crate) fn text(&mut self) -> String {
        // U+D7FF begins with the byte that lone surrogates begin with.
        const CHARS: [char; 10] =
            ['a', '"', '\\', '/', '\n', '\u{1}', 'é', '\u{D7FF}', '\u{FFFD}', '\u{1F600}'];
        let len = self.below(6);
        let long = if self.byte() == 255 { "long ".repeat(40) } else { String::new() };
        (0..len).map(|_| CHARS[self.below(CHARS.len())]).chain(long.chars()).collect()
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let len = [0, 8, 16, 1, 17][self.below(5)];
        (0..len).map(|_| self.byte()).collect()
    }

    pub(crate) fn list<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(3)).map(|_| make(self)).collect()
    }

    pub(crate) fn maybe<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        if self.flip() { Some(make(self)) } else { None }
    }
}
