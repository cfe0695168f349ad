//! Figures beside their budgets, one a line: a number without what it may cost tells nobody whether
//! to look closer.

/// One figure.
pub(crate) struct Figure<'a> {
    /// What was measured.
    pub(crate) name: &'a str,
    /// The value, in `unit`; lower is better.
    pub(crate) value: f64,
    /// The unit.
    pub(crate) unit: &'a str,
    /// The most it may be, where a budget says so.
    pub(crate) budget: Option<f64>,
    /// What it should be seen beside: a ratio, a share of the ceiling.
    pub(crate) note: String,
}

/// Begins a table.
pub(crate) fn heading(title: &str) {
    println!("\n{title}\n{:<56} {:>10} {:<8} {:>14}", "", "figure", "", "budget");
}

/// Prints a figure, its budget and whether it keeps it.
pub(crate) fn print(figure: &Figure<'_>) {
    let Figure { name, value, unit, budget, note } = figure;
    let verdict = match budget {
        None => String::new(),
        Some(budget) => {
            format!("{:>9} {}", rounded(*budget), if value <= budget { "ok  " } else { "OVER" })
        }
    };
    let line = format!("{name:<56} {:>10} {unit:<8} {verdict:<14}  {note}", rounded(*value));
    println!("{}", line.trim_end());
}

/// Three digits that mean something.
fn rounded(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
