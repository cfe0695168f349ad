//! Rows of text as aligned columns or as a table of Markdown, for reports whose lines are not known
//! beforehand. What comes from outside is made safe for a terminal and for a table here.

use std::fmt::Write as _;

/// Writes rows with two blanks before and between their cells.
pub(super) fn aligned<const N: usize>(out: &mut String, rows: &[[String; N]]) {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|it| safe(it))).collect();
    let widths: [usize; N] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:width$}"));
        let line = cells.collect::<String>();
        let _infallible = writeln!(out, "{}", line.trim_end());
    }
}

/// Writes rows as a table with a head, and a blank line after it.
pub(super) fn markdown<const N: usize>(out: &mut String, head: [&str; N], rows: &[[String; N]]) {
    let _infallible = writeln!(out, "| {} |\n|{}", head.join(" | "), " --- |".repeat(N));
    for row in rows {
        let cells = row.each_ref().map(|cell| safe(cell).replace('|', "\\|"));
        let _infallible = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

/// Seconds in the unit that people would use.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// A text that cannot move the cursor.
fn safe(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
