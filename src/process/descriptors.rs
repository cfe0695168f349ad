//! How many files and sockets the system lets this process have open: more connections than that
//! would starve the admin port of the descriptor that tells of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// The soft limit on open descriptors; `None` where the system does not say or sets none.
pub fn descriptors_max() -> Option<usize> {
    let limits = BufReader::new(File::open("/proc/self/limits").ok()?.take(LIMITS_BYTES_MAX));
    limits.lines().map_while(Result::ok).find_map(|line| soft_limit(&line))
}

fn soft_limit(line: &str) -> Option<usize> {
    line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok()
}

/// The page has some twenty lines.
const LIMITS_BYTES_MAX: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_the_first_number_of_its_line() {
        let line = "Max open files            1024                 524288               files     ";
        assert_eq!(soft_limit(line), Some(1024));
        assert_eq!(soft_limit("Max open files   unlimited  unlimited  files"), None);
        assert_eq!(soft_limit("Max locked memory   8388608   8388608   bytes"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_limit() {
        assert!(descriptors_max().is_none_or(|limit| limit >= 3));
    }
}
